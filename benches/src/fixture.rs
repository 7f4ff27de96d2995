//! One API behind a typical configuration, and requests to it.

use axum_shop::issuer::{Algorithm, Issuer, api_key};
use zt_core::model::{Body, Peer, Request, Text};
use zt_core::{Engine, State};

/// The clock of every request.
pub const NOW: i64 = 1_772_446_530_123;

/// Endpoints, an issuer, an API key, policies, two limits; limits are wide so that nothing is throttled.
const CONFIG: &str = r#"
version = 1
[[segment]]
name = "orders"
paths = ["/v1/orders/**"]
[[endpoint]]
id = "createOrder"
method = "POST"
path = "/v1/orders/{id}"
[[endpoint]]
id = "readOrder"
method = "GET"
path = "/v1/orders/{id}"
[[endpoint]]
id = "listProducts"
method = "GET"
path = "/v1/products"
[policy]
text = '''
permit (principal in Role::"buyer", action in Action::"read", resource);
permit (principal in Role::"buyer", action == Action::"createOrder", resource in Segment::"orders")
when { context.hour >= 0 && context.risk < 900 };
permit (principal in Role::"admin", action, resource);
@on_deny("step_up")
forbid (principal, action in Action::"write", resource) when { context.risk >= 500 };
'''
[[limit]]
name = "per-peer"
key = ["peer"]
rate = "100000000/1s"
[[limit]]
name = "per-caller"
key = ["identity", "endpoint"]
rate = "100000000/1s"
"#;

/// The subject of every token.
pub const SUBJECT: &str = "user-17";

/// The 13 claims of a usual access token; `number` makes it another one.
pub fn claims(issuer: &str, number: u32, now_s: i64) -> serde_json::Value {
    serde_json::json!({
        "iss": issuer, "sub": SUBJECT, "aud": [Issuer::AUDIENCE], "exp": now_s + 3600, "nbf": now_s - 5, "iat": now_s - 5,
        "jti": format!("{number:08x}-6a0f-4f6e-9d4a-0b8f3a1c2d4e"), "client_id": "web", "scope": "orders:read orders:write",
        "roles": ["buyer"], "acr": "urn:example:mfa", "auth_time": now_s - 60, "sid": "08a5019c-17e1-4977-8f42-65a12843ea02",
    })
}

/// The API, its callers' credentials, and what to compare with.
#[derive(Debug)]
pub struct Fixture {
    /// The configuration's text.
    pub config: String,
    /// The engine.
    pub engine: Engine,
    /// Its state.
    pub state: State,
    /// Keys.
    pub issuer: Issuer,
    /// A good API key.
    pub api_key: String,
    /// The API key of somebody else.
    pub other_api_key: String,
}

impl Fixture {
    /// With new keys.
    ///
    /// # Panics
    /// When the configuration does not compile: a mistake in this file.
    #[allow(clippy::panic, reason = "a benchmark without its subject is nothing")]
    pub fn new() -> Self {
        let issuer = Issuer::new().unwrap_or_else(|error| panic!("keys: {error}"));
        let key = || api_key().unwrap_or_else(|error| panic!("API key: {error}"));
        let ((api_key, sha256), (other_api_key, other_sha256)) = (key(), key());
        let (name, audience, jwks) = (Issuer::NAME, Issuer::AUDIENCE, issuer.jwks());
        let config = format!(
            "{CONFIG}\n[[verify.issuer]]\nissuer = \"{name}\"\naudiences = [\"{audience}\"]\n\
             algorithms = [\"RS256\", \"ES256\", \"EdDSA\"]\njwks = '{jwks}'\n\
             [[verify.api_key]]\nid = \"partner-7\"\nsha256 = \"{sha256}\"\nroles = [\"buyer\"]\n\
             [[verify.api_key]]\nid = \"partner-8\"\nsha256 = \"{other_sha256}\"\nroles = [\"buyer\"]\n"
        );
        let engine = Engine::from_toml(&config, &[]).unwrap_or_else(|invalid| panic!("{invalid}"));
        let state = State::new(&engine);
        Self { config, engine, state, issuer, api_key, other_api_key }
    }

    /// A token of a buyer, with the 13 claims of a usual access token.
    ///
    /// # Panics
    /// When the system gives no randomness.
    #[allow(clippy::panic, reason = "a benchmark without its subject is nothing")]
    pub fn token(&self, algorithm: Algorithm) -> String {
        self.token_of(algorithm, SUBJECT)
    }

    /// A token of another.
    ///
    /// # Panics
    /// When the system gives no randomness.
    #[allow(clippy::panic, reason = "a benchmark without its subject is nothing")]
    pub fn token_of(&self, algorithm: Algorithm, subject: &str) -> String {
        let mut claims = claims(Issuer::NAME, 0, NOW / 1000);
        claims["sub"] = subject.into();
        self.issuer.token(algorithm, &claims).unwrap_or_else(|error| panic!("token: {error}"))
    }

    /// A request with twelve headers, one of them this credential, and a small JSON body.
    pub fn request<'a>(credential: (&'a str, &'a str)) -> Request<'a> {
        let header = |(name, value): (&'a str, &'a str)| (Text::from(name), Text::from(value));
        let others = [
            ("Host", "api.shop.test"),
            (
                "User-Agent",
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36",
            ),
            ("Accept", "application/json"),
            ("Accept-Language", "en-GB,en;q=0.9,de;q=0.8"),
            ("Accept-Encoding", "gzip, deflate, br"),
            ("Content-Type", "application/json"),
            ("Content-Length", "44"),
            ("Origin", "https://shop.test"),
            ("Referer", "https://shop.test/orders"),
            ("Cookie", "session=8f2b6c1d; theme=dark"),
            ("X-Request-Id", "f2b7e9d0-8d64-4a57-9a7e-2d5d1c3b4a59"),
        ];
        Request {
            id: Some("e-1".into()),
            method: "POST".into(),
            scheme: Some("https".into()),
            host: Some("api.shop.test".into()),
            path: "/v1/orders/42".into(),
            query: Some("expand=items&limit=10".into()),
            http_version: Some("1.1".into()),
            headers: others.into_iter().chain([credential]).map(header).collect(),
            body: Some(Body::new(br#"{"qty":2,"note":"as a gift","items":[1,2,3]}"#)),
            body_len: Some(44),
            peer: Peer { ip: Some([203, 0, 113, 7].into()), ..Peer::default() },
            ..Request::default()
        }
    }
}

impl Default for Fixture {
    fn default() -> Self {
        Self::new()
    }
}
