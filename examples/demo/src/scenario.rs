//! What is sent, and what must come of it.

use aws_lc_rs::error::Unspecified;
use axum_shop::issuer::Algorithm::{EdDsa, Es256, Ps256, Rs256};
use axum_shop::issuer::Issuer;
use serde_json::json;

use crate::attack::Forge;
use crate::client::Raw;

/// One request and what must come of it.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) request: Vec<u8>,
    /// How often it is sent before the time that counts.
    pub(crate) before: u32,
    pub(crate) status: u16,
    /// The first reason; nothing where it passes, or where the HTTP server refuses before zt is asked.
    pub(crate) code: Option<&'static str>,
    /// A header that the answer must have.
    pub(crate) header: Option<&'static str>,
    /// How much later than the others it is sent, by the demo's clock.
    pub(crate) hours_later: i64,
}

impl Case {
    fn new(name: &'static str, request: Raw, status: u16, code: Option<&'static str>) -> Self {
        Self { name, request: request.finish(), before: 0, status, code, header: None, hours_later: 0 }
    }

    fn answering(self, header: &'static str) -> Self {
        Self { header: Some(header), ..self }
    }

    fn after(self, before: u32) -> Self {
        Self { before, ..self }
    }

    /// Whether it is an honest request.
    pub(crate) fn honest(&self) -> bool {
        self.status < 400
    }
}

/// Everything that is sent, in order.
pub(crate) fn cases(forge: &Forge, partner_key: &str) -> Result<Vec<Case>, Unspecified> {
    let mut cases = honest(forge, partner_key)?;
    cases.extend(bad_credentials(forge)?);
    cases.extend(bad_access(forge, partner_key)?);
    cases.extend(bad_targets(forge)?);
    cases.extend(bad_bodies(forge)?);
    cases.push(bad_hour(forge)?);
    Ok(cases)
}

fn get(target: &str) -> Raw {
    Raw::new("GET", target)
}

fn honest(forge: &Forge, partner_key: &str) -> Result<Vec<Case>, Unspecified> {
    let pass = |name, request, status| Case::new(name, request, status, None);
    let order = || Raw::new("POST", "/v1/orders").json(r#"{"product":1,"qty":2}"#);
    Ok(vec![
        pass("health", get("/health"), 200),
        pass("list the products", get("/v1/products?limit=10"), 200),
        pass("read a product", get("/v1/products/1"), 200),
        pass("log in", Raw::new("POST", "/v1/login").json(r#"{"username":"anna","password":"tea"}"#), 200),
        pass("order, RS256 token", order().bearer(&forge.token(Rs256, "anna", "buyer")?), 201),
        pass("order, ES256 token", order().bearer(&forge.token(Es256, "ben", "buyer")?), 201),
        pass("order, EdDSA token", order().bearer(&forge.token(EdDsa, "cleo", "buyer")?), 201),
        pass("read an order", get("/v1/orders/42").bearer(&forge.token(EdDsa, "anna", "buyer")?), 200),
        pass("cancel an order", Raw::new("DELETE", "/v1/orders/42").bearer(&forge.token(EdDsa, "anna", "buyer")?), 204),
        pass("pay, just logged in", pay().bearer(&forge.token(Es256, "anna", "buyer")?), 201),
        pass("set the stock, API key", stock().header("x-api-key", partner_key), 200),
        pass("list users, admin", get("/v1/admin/users").bearer(&forge.token(Rs256, "root", "admin")?), 200),
        pass(
            "read a report, Monday 10:15",
            get("/v1/admin/reports").bearer(&forge.token(Rs256, "root", "admin")?),
            200,
        ),
    ])
}

fn pay() -> Raw {
    Raw::new("POST", "/v1/payments").json(r#"{"order":42,"cents":1250}"#)
}

fn stock() -> Raw {
    Raw::new("PUT", "/v1/products/1").json(r#"{"stock":9}"#)
}

fn bad_credentials(forge: &Forge) -> Result<Vec<Case>, Unspecified> {
    let order = || get("/v1/orders/42");
    let refuse = |name, request, code| Case::new(name, request, 401, Some(code)).answering("www-authenticate");
    let token = |name, token: String, code| refuse(name, order().bearer(&token), code);
    let good = forge.token(EdDsa, "anna", "buyer")?;
    let claims = forge.claims("anna", "admin");
    Ok(vec![
        refuse("no credential", order(), "verify.no_credential"),
        refuse(
            "Basic instead of Bearer",
            order().header("authorization", "Basic YW5uYTp0ZWE="),
            "verify.scheme_refused",
        ),
        Case::new("two Authorization lines", order().bearer(&good).bearer(&good), 400, Some("verify.many_credentials")),
        refuse("an API key nobody has", stock().header("x-api-key", "shop_guess"), "verify.unknown_api_key"),
        token("not a token at all", "let-me-in".to_owned(), "verify.malformed_token"),
        token("expired", forge.with_claim("exp", forge.in_s(-120))?, "verify.expired"),
        token("not valid yet", forge.with_claim("nbf", forge.in_s(120))?, "verify.not_yet_valid"),
        token("issued yesterday", forge.with_claim("iat", forge.in_s(-86_400))?, "verify.too_old"),
        token("for another API", forge.with_claim("aud", json!("https://bank.test"))?, "verify.wrong_audience"),
        token("of another issuer", forge.with_claim("iss", json!("https://idp.evil.test"))?, "verify.wrong_issuer"),
        token(
            "`aud` only starts right",
            forge.with_claim("aud", json!(format!("{}.evil.test", Issuer::AUDIENCE)))?,
            "verify.wrong_audience",
        ),
        token("`exp` as text", forge.with_claim("exp", json!("9999999999"))?, "verify.bad_claims"),
        token("`roles` twice", forge.with_duplicate_claim()?, "verify.bad_claims"),
        token("alg none, no signature", forge.unsigned(""), "verify.malformed_token"),
        token("alg none, some signature", forge.unsigned("AAAA"), "verify.algorithm_refused"),
        token("HS256 with the public key", forge.confused(), "verify.algorithm_refused"),
        token("PS256 on the RS256 key", forge.issuer.token(Ps256, &claims)?, "verify.algorithm_refused"),
        token("claims changed after signing", forge.tampered()?, "verify.bad_signature"),
        token("signed by a stranger", forge.rogue.token(Rs256, &claims)?, "verify.bad_signature"),
        token("unknown kid", forge.with_header(json!({"kid": "../../dev/null"}))?, "verify.unknown_key"),
        token("brings its own key", forge.with_own_key()?, "verify.bad_header"),
        token("unknown crit extension", forge.with_header(json!({"crit": ["exp"], "exp": 1}))?, "verify.bad_header"),
        token("an ID token", forge.with_header(json!({"typ": "JWT"}))?, "verify.wrong_type"),
    ])
}

fn bad_access(forge: &Forge, partner_key: &str) -> Result<Vec<Case>, Unspecified> {
    let buyer = forge.token(EdDsa, "anna", "buyer")?;
    let admin = forge.token(EdDsa, "root", "admin")?;
    let robot = forge.token(EdDsa, "robot", "buyer")?;
    let tired = forge.with_claim("auth_time", forge.in_s(-3_600))?;
    let refuse = |name, request, status, code| Case::new(name, request, status, Some(code));
    Ok(vec![
        refuse("a buyer lists the users", get("/v1/admin/users").bearer(&buyer), 403, "policy.not_permitted"),
        refuse("a buyer sets the stock", stock().bearer(&buyer), 403, "policy.not_permitted"),
        refuse("an admin reads orders", get("/v1/orders/42").bearer(&admin), 403, "policy.not_permitted"),
        refuse("a partner pays", pay().header("x-api-key", partner_key), 403, "policy.not_permitted"),
        refuse("pay, logged in an hour ago", pay().bearer(&tired), 401, "policy.forbidden")
            .answering("www-authenticate"),
        refuse("an endpoint nobody wrote down", get("/v1/debug").bearer(&admin), 404, "route.unknown_endpoint"),
        refuse(
            "a method nobody wrote down",
            Raw::new("DELETE", "/v1/products/1").bearer(&admin),
            405,
            "route.method_not_allowed",
        )
        .answering("allow"),
        refuse("the sixteenth at once", get("/v1/orders/7").bearer(&robot), 429, "limit.exceeded")
            .after(15)
            .answering("retry-after"),
        refuse(
            "guessing passwords",
            Raw::new("POST", "/v1/login").json(r#"{"username":"anna","password":"?"}"#),
            429,
            "limit.exceeded",
        )
        .after(5)
        .answering("ratelimit"),
    ])
}

/// Ten hours later: the same that passed in the morning, with a token that is as fresh as that one was.
fn bad_hour(forge: &Forge) -> Result<Case, Unspecified> {
    let mut claims = forge.claims("root", "admin");
    for name in ["iat", "auth_time", "exp"] {
        claims[name] = json!(claims[name].as_i64().unwrap_or(0) + 36_000);
    }
    let request = get("/v1/admin/reports").bearer(&forge.issuer.token(Rs256, &claims)?);
    Ok(Case { hours_later: 10, ..Case::new("read a report, Monday 20:15", request, 403, Some("policy.forbidden")) })
}

fn bad_targets(forge: &Forge) -> Result<Vec<Case>, Unspecified> {
    let buyer = forge.token(EdDsa, "dora", "buyer")?;
    let refuse = |name, target: &str, code| Case::new(name, get(target).bearer(&buyer), 400, Some(code));
    Ok(vec![
        refuse("`..` to the admin", "/v1/orders/../admin/users", "route.dot_segment"),
        refuse("the same, encoded", "/v1/orders/%2e%2e/admin/users", "route.dot_segment"),
        refuse("encoded slash", "/v1/orders%2f..%2fadmin%2fusers", "route.encoded_slash"),
        refuse("backslash", "/v1/orders/..%5cadmin", "route.encoded_slash"),
        refuse("double slash", "/v1//admin/users", "route.empty_segment"),
        refuse("encoded twice", "/v1/orders/%252e%252e/admin", "route.double_encoding"),
        refuse("NUL in the path", "/v1/orders/42%00.json", "route.control_character"),
        refuse("broken encoding in the path", "/v1/orders/%zz", "route.bad_encoding"),
        refuse("NUL in the query", "/v1/orders/42?expand=items%00.txt", "inspect.control_character"),
        refuse("terminal escape in the query", "/v1/orders/42?note=%1b%5b2J", "inspect.control_character"),
        refuse("not UTF-8 in the query", "/v1/orders/42?note=%c0%af", "inspect.bad_query"),
        Case::new(
            "two Host lines",
            get("/v1/orders/42").bearer(&buyer).header("host", "evil.test"),
            400,
            Some("inspect.conflicting_headers"),
        ),
        // hyper, the server below axum, already refuses this one.
        Case::new("length beside chunked", smuggle(&buyer), 400, None),
    ])
}

/// Two framings for one body: the start of request smuggling.
fn smuggle(token: &str) -> Raw {
    Raw::new("POST", "/v1/orders")
        .bearer(token)
        .header("content-type", "application/json")
        .header("content-length", "6")
        .header("transfer-encoding", "chunked")
        .bytes_after(b"0\r\n\r\nX")
}

fn bad_bodies(forge: &Forge) -> Result<Vec<Case>, Unspecified> {
    let buyer = forge.token(EdDsa, "emil", "buyer")?;
    let post = || Raw::new("POST", "/v1/orders").bearer(&buyer);
    let json = |name, body: &str, code| Case::new(name, post().json(body), 400, Some(code));
    let bomb = "[".repeat(20_000);
    let big = vec![b' '; 70_000];
    Ok(vec![
        json("a thousand brackets deep", &bomb, "inspect.json_too_deep"),
        json("`qty` twice", r#"{"qty":1,"qty":-1}"#, "inspect.json_duplicate_key"),
        json("JSON and then some", r#"{"qty":1} {"qty":2}"#, "inspect.json_malformed"),
        json("not JSON", "{qty: 1}", "inspect.json_malformed"),
        Case::new("70 kB body", post().body("application/json", &big), 413, Some("inspect.body_too_large")),
        Case::new("70 kB body in chunks", chunked(post(), &big), 413, Some("inspect.body_too_large")),
        Case::new(
            "JSON said to be UTF-16",
            post().body("application/json; charset=utf-16", b"{\"qty\":1}"),
            415,
            Some("inspect.content_type"),
        ),
        Case::new(
            "JSON said to be nothing",
            post().header("content-length", "9").bytes_after(b"{\"qty\":1}"),
            415,
            Some("inspect.content_type"),
        ),
    ])
}

/// The body in chunks of 1000, its length not told.
fn chunked(raw: Raw, body: &[u8]) -> Raw {
    let raw = raw.header("content-type", "application/json").header("transfer-encoding", "chunked");
    let chunk = |piece: &[u8]| [format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat();
    let raw = body.chunks(1000).fold(raw, |raw, piece| raw.bytes_after(&chunk(piece)));
    raw.bytes_after(b"0\r\n\r\n")
}
