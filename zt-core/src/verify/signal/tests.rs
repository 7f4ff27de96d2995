//! Security Event Tokens and the requests after them.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::hs256::{self, encode};
use crate::model::{Finding, Identity, IdentityKind, Outcome};
use crate::verify::{Config, Verified};

const SECRET: &str = "only-for-this-test-0123456789abcdef";
const NOW: i64 = 1_800_000_000;
const CAEP: &str = "https://schemas.openid.net/secevent/caep/event-type/";
const RISC: &str = "https://schemas.openid.net/secevent/risc/event-type/";

fn sign(typ: &str, claims: &Value, secret: &str) -> String {
    hs256::sign(&json!({"alg": "HS256", "typ": typ}), claims, secret.as_bytes())
}

fn jwks() -> String {
    json!({"keys": [{"kty": "oct", "k": encode(SECRET)}]}).to_string()
}

/// The issuers `https://idp` and `https://other`, whose principals begin with `o:`; the first transmits.
fn verifier(transmitter: &Value) -> (Verifier, State) {
    let issuer = |iss: &str, prefix: &str| json!({"issuer": iss, "audiences": ["api"], "algorithms": ["HS256"], "jwks": jwks(), "principal_prefix": prefix});
    let mut own = json!({"issuer": "https://idp", "audiences": ["rx"], "algorithms": ["HS256"], "jwks": jwks()});
    own.as_object_mut().unwrap().extend(transmitter.as_object().unwrap().clone());
    let config = json!({
        "issuer": [issuer("https://idp", ""), issuer("https://other", "o:")],
        "transmitter": [own], "clock_skew": "30s",
    });
    let verifier = Verifier::compile(&serde_json::from_value::<Config>(config).unwrap()).unwrap();
    let state = State::new(&verifier, 7);
    (verifier, state)
}

fn token(claims: Value) -> String {
    let mut all = json!({"iss": "https://idp", "sub": "anna", "aud": "api", "exp": NOW + 600, "iat": NOW - 100});
    all.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
    sign("at+jwt", &all, SECRET)
}

fn set(jti: &str, sub_id: Value, name: &str, event: Value) -> Value {
    json!({"iss": "https://idp", "jti": jti, "iat": NOW, "aud": "rx", "sub_id": sub_id, "events": {name: event}})
}

fn anna() -> Value {
    json!({"format": "iss_sub", "iss": "https://idp", "sub": "anna"})
}

struct Host(Verifier, State);

impl Host {
    fn new() -> Self {
        Self::of(json!({}))
    }

    fn of(transmitter: Value) -> Self {
        let (verifier, state) = verifier(&transmitter);
        Self(verifier, state)
    }

    fn receive(&self, claims: &Value, at: i64) -> Result<Received, Refusal> {
        self.0.receive(&self.1, sign("secevent+jwt", claims, SECRET).as_bytes(), at * 1_000)
    }

    fn applied(&self, claims: &Value, at: i64) -> Applied {
        let received = self.receive(claims, at).unwrap();
        assert_eq!(received.events.len(), 1);
        received.events[0].applied
    }

    fn refused(&self, claims: &Value) -> Code {
        self.receive(claims, NOW).unwrap_err().0
    }

    fn verify(&self, claims: Value, at: i64) -> Verified {
        self.0.verify_token(&self.1, token(claims).as_bytes(), at * 1_000)
    }

    fn code(&self, claims: Value, at: i64) -> Option<Code> {
        self.verify(claims, at).findings.first().map(|finding: &Finding| finding.code)
    }
}

#[test]
fn a_revoked_session_is_over_and_others_are_not() {
    let host = Host::new();
    assert_eq!(host.code(json!({"sid": "s-1"}), NOW), None, "and remembered");
    let subject = json!({"format": "complex", "session": {"format": "opaque", "id": "s-1"}, "user": anna()});
    let event = set("1", subject, &format!("{CAEP}session-revoked"), json!({"event_timestamp": NOW - 5}));
    assert_eq!(host.applied(&event, NOW), Applied::RevokedSession);
    assert_eq!(host.code(json!({"sid": "s-1"}), NOW), Some(Code::VerifyRevoked));
    assert_eq!(host.code(json!({"sid": "s-1", "iat": NOW}), NOW), Some(Code::VerifyRevoked));
    assert_eq!(host.code(json!({"sid": "s-2"}), NOW), None);
    assert_eq!(host.code(json!({"sid": "s-1", "iss": "https://other"}), NOW), None);
    assert_eq!(host.receive(&event, NOW + 1).unwrap_err(), (Code::VerifyProofReplayed, "received before"));
}

#[test]
fn a_session_by_itself_is_of_every_issuer_that_may_be_spoken_of() {
    let host = Host::of(json!({"subjects_of": ["https://idp", "https://other"]}));
    let event = set("1", json!({"format": "opaque", "id": "s-1"}), &format!("{CAEP}session-revoked"), json!({}));
    assert_eq!(host.applied(&event, NOW), Applied::RevokedSession);
    assert_eq!(host.code(json!({"sid": "s-1", "iss": "https://other"}), NOW), Some(Code::VerifyRevoked));
    // Of the user's issuer, where one is named.
    let subject = json!({"format": "complex", "session": {"format": "opaque", "id": "s-2"}, "user": anna()});
    host.applied(&set("2", subject, &format!("{CAEP}session-revoked"), json!({})), NOW);
    assert_eq!(host.code(json!({"sid": "s-2", "iss": "https://other"}), NOW), None);
    assert_eq!(host.code(json!({"sid": "s-2"}), NOW), Some(Code::VerifyRevoked));
}

#[test]
fn a_users_sessions_end_and_a_new_one_is_good() {
    let host = Host::new();
    let subject = json!({"format": "complex", "user": anna(), "device": {"format": "opaque", "id": "d"}});
    let event = set("1", subject, &format!("{CAEP}session-revoked"), json!({"event_timestamp": NOW - 10}));
    let received = host.receive(&event, NOW).unwrap();
    assert_eq!(received.events[0].applied, Applied::RevokedSubject);
    assert!(received.events[0].detail.as_deref().unwrap().contains("device"), "wider than it was said");
    let tenant = json!({"format": "complex", "user": anna(), "tenant": {"format": "opaque", "id": "t"}});
    let application = json!({"format": "complex", "user": anna(), "application": {"format": "opaque", "id": "a"}});
    let enabled = format!("{RISC}account-enabled");
    assert_eq!(host.applied(&set("2", tenant, &enabled, json!({})), NOW), Applied::Enabled);
    assert_eq!(
        host.applied(&set("3", application, &enabled, json!({})), NOW),
        Applied::Nothing,
        "wider is milder here"
    );
    assert_eq!(host.code(json!({"iat": NOW - 11}), NOW), Some(Code::VerifyRevoked));
    assert_eq!(host.code(json!({"iat": NOW - 10}), NOW), None);
    assert_eq!(host.code(json!({"sub": "bob"}), NOW), None);
}

#[test]
fn changed_claims_end_what_says_the_old() {
    let host = Host::new();
    let name = format!("{CAEP}token-claims-change");
    let claims = json!({"event_timestamp": NOW - 10, "claims": {"role": "ro-admin"}});
    let jwt = json!({"format": "jwt_id", "iss": "https://idp", "jti": "t-1"});
    assert_eq!(host.applied(&set("1", jwt, &name, claims.clone()), NOW), Applied::RevokedToken);
    assert_eq!(host.code(json!({"jti": "t-1"}), NOW), Some(Code::VerifyRevoked));
    assert_eq!(host.code(json!({"jti": "t-2"}), NOW), None);
    let session = json!({"format": "complex", "session": {"format": "iss_sub", "iss": "https://idp", "sub": "s-1"}});
    assert_eq!(host.applied(&set("2", session, &name, claims), NOW), Applied::RevokedSession);
    assert_eq!(host.code(json!({"sid": "s-1", "iat": NOW - 11}), NOW), Some(Code::VerifyRevoked));
    assert_eq!(host.code(json!({"sid": "s-1", "iat": NOW - 10}), NOW), None, "the session goes on");
}

#[test]
fn a_changed_credential_asks_for_a_fresh_authentication() {
    let host = Host::new();
    let early = json!({"auth_time": NOW - 500});
    assert_eq!(host.code(early.clone(), NOW), None, "and remembered");
    let change = json!({"credential_type": "password", "change_type": "update", "event_timestamp": NOW - 60});
    let event = set("1", anna(), &format!("{CAEP}credential-change"), change);
    assert_eq!(host.applied(&event, NOW), Applied::Reauthenticate);
    let asked = host.verify(early, NOW);
    assert_eq!((asked.findings[0].code, asked.findings[0].outcome), (Code::VerifyReauthenticate, Outcome::StepUp));
    assert_eq!(asked.max_age_s, Some(60));
    assert_eq!(host.code(json!({}), NOW), Some(Code::VerifyReauthenticate), "nobody knows when");
    assert_eq!(host.code(json!({"auth_time": NOW - 60}), NOW), None);
    assert_eq!(host.code(json!({"sub": "bob", "auth_time": NOW - 500}), NOW), None);
    let late = NOW + 86_400;
    assert_eq!(host.code(json!({"exp": late + 9, "auth_time": NOW - 500}), late), None, "it is over");
}

#[test]
fn a_compromised_credential_does_both() {
    let host = Host::new();
    let event = set("1", anna(), &format!("{RISC}credential-compromise"), json!({"credential_type": "password"}));
    assert_eq!(host.applied(&event, NOW), Applied::RevokedAndReauthenticate);
    assert_eq!(host.code(json!({"auth_time": NOW - 500}), NOW), Some(Code::VerifyRevoked));
    let renewed = json!({"iat": NOW, "auth_time": NOW - 500});
    assert_eq!(
        host.code(renewed, NOW),
        Some(Code::VerifyReauthenticate),
        "a refreshed token rests on the old password"
    );
    assert_eq!(host.code(json!({"iat": NOW, "auth_time": NOW}), NOW), None);
}

#[test]
fn a_disabled_account_stays_so_until_it_is_enabled_later() {
    let host = Host::new();
    let account = |jti: &str, kind: &str, toe: i64| {
        let mut set = set(jti, anna(), &format!("{RISC}account-{kind}"), json!({}));
        set["toe"] = toe.into();
        set
    };
    let (old, new) = (json!({"iat": NOW - 100}), json!({"iat": NOW + 20}));
    assert_eq!(host.applied(&account("1", "disabled", NOW), NOW), Applied::Disabled);
    assert_eq!(host.code(new.clone(), NOW + 20), Some(Code::VerifyRevoked), "also what is issued since");
    // What was true before does not count, whenever it arrives.
    assert_eq!(host.applied(&account("2", "enabled", NOW - 5), NOW + 5), Applied::Enabled);
    assert_eq!(host.code(new.clone(), NOW + 20), Some(Code::VerifyRevoked));
    assert_eq!(host.applied(&account("3", "enabled", NOW + 9), NOW + 10), Applied::Enabled);
    assert_eq!(host.code(new.clone(), NOW + 20), None);
    assert_eq!(host.code(old, NOW + 20), Some(Code::VerifyRevoked), "from before it was disabled");
    assert_eq!(host.applied(&account("4", "purged", NOW + 8), NOW + 20), Applied::Disabled);
    assert_eq!(host.code(new.clone(), NOW + 20), None, "told late: it was enabled since");
    assert_eq!(host.applied(&account("5", "disabled", NOW + 9), NOW + 20), Applied::Disabled);
    assert_eq!(host.code(new, NOW + 20), Some(Code::VerifyRevoked), "of two at the same second the stricter");
}

#[test]
fn an_account_is_not_enabled_by_a_word_about_one_of_its_sessions() {
    let host = Host::new();
    let session = json!({"format": "complex", "user": anna(), "session": {"format": "opaque", "id": "s-1"}});
    let account = |jti: &str, kind: &str, at: i64, subject: &Value| {
        let mut set = set(jti, subject.clone(), &format!("{RISC}account-{kind}"), json!({}));
        set["toe"] = at.into();
        host.receive(&set, NOW + 20).unwrap().events.remove(0)
    };
    let told = account("1", "disabled", NOW, &session);
    assert_eq!(told.applied, Applied::Disabled);
    assert!(told.detail.is_some(), "more is disabled than was said");
    assert_eq!(account("2", "enabled", NOW + 9, &session).applied, Applied::Nothing);
    assert_eq!(host.code(json!({"iat": NOW + 10}), NOW + 20), Some(Code::VerifyRevoked));
    assert_eq!(account("3", "enabled", NOW + 9, &anna()).applied, Applied::Enabled);
    assert_eq!(host.code(json!({"iat": NOW + 10}), NOW + 20), None);
}

#[test]
fn a_session_of_a_strangers_user_is_a_strangers() {
    let host = Host::new();
    let stranger = json!({"format": "iss_sub", "iss": "https://other", "sub": "anna"});
    let session = json!({"format": "opaque", "id": "s-1"});
    let revoked = format!("{CAEP}session-revoked");
    for (user, session) in [
        (&stranger, &session),
        (&stranger, &json!({"format": "jwt_id", "iss": "https://idp", "jti": "t"})),
        (&anna(), &stranger),
        (&json!({"format": "aliases", "identifiers": [stranger]}), &session),
    ] {
        let subject = json!({"format": "complex", "user": user, "session": session});
        assert_eq!(host.refused(&set("1", subject.clone(), &revoked, json!({}))), Code::VerifyWrongIssuer, "{subject}");
    }
    assert_eq!(host.code(json!({"sid": "s-1"}), NOW), None);
    let both = json!({"format": "aliases", "identifiers": [stranger, anna()]});
    let subject = json!({"format": "complex", "user": both, "session": session});
    assert_eq!(host.applied(&set("2", subject, &revoked, json!({})), NOW), Applied::RevokedSession);
}

#[test]
fn what_is_about_an_account_is_not_about_one_of_its_sessions_alone() {
    for (event, applied, code) in [
        (format!("{CAEP}credential-change"), Applied::Reauthenticate, Code::VerifyReauthenticate),
        (format!("{RISC}credential-compromise"), Applied::RevokedAndReauthenticate, Code::VerifyRevoked),
        (format!("{RISC}sessions-revoked"), Applied::RevokedSubject, Code::VerifyRevoked),
    ] {
        let host = Host::new();
        let session = json!({"format": "opaque", "id": "s-1"});
        let subject = json!({"format": "complex", "user": anna(), "session": session});
        let received = host.receive(&set("1", subject, &event, json!({})), NOW).unwrap();
        assert_eq!(received.events[0].applied, applied, "{event}");
        assert!(received.events[0].detail.is_some(), "{event}");
        for sid in ["s-1", "s-2"] {
            assert_eq!(host.code(json!({"sid": sid, "auth_time": NOW - 100}), NOW), Some(code), "{event} {sid}");
        }
        let alone = json!({"format": "complex", "session": session});
        assert_ne!(host.applied(&set("2", alone, &event, json!({})), NOW), Applied::Nothing, "{event}");
    }
}

#[test]
fn a_workload_is_not_asked_to_authenticate_but_given_another_token() {
    let key = json!({"kty": "EC", "crv": "P-256", "x": "saiCYFsu2c2KvVPiRI0DxqGAVQlpy9IZLfnIROa9CwM",
        "y": "ir0R_GPJd5FHOqX34MtX-bWxuxcibhh20ODMWmL9gVw", "kid": "s1", "use": "jwt-svid"});
    let domain =
        json!({"trust_domain": "example.org", "audiences": ["api"], "jwks": json!({"keys": [key]}).to_string()});
    let own = json!({"issuer": "https://idp", "audiences": ["rx"], "algorithms": ["HS256"], "jwks": jwks(),
        "subjects_of": ["spiffe://example.org"]});
    let config = json!({"spiffe": [domain], "transmitter": [own]});
    let verifier = Verifier::compile(&serde_json::from_value::<Config>(config).unwrap()).unwrap();
    let host = Host(verifier.clone(), State::new(&verifier, 7));
    let refused = |name: &str, issued: i64| {
        let mut svid = Identity::new(IdentityKind::JwtSvid, format!("spiffe://example.org/{name}").as_str());
        svid.issuer = Some("spiffe://example.org".into());
        svid.assurance.issued_at_ms = Some(issued * 1_000);
        host.1.unrevoked(&svid, None, NOW * 1_000).is_err()
    };
    for (name, event) in [("a", format!("{CAEP}credential-change")), ("b", format!("{RISC}credential-compromise"))] {
        let id = format!("spiffe://example.org/{name}");
        let subject = json!({"format": "iss_sub", "iss": "spiffe://example.org", "sub": id});
        assert!(!refused(name, NOW - 5));
        assert_eq!(host.applied(&set(name, subject, &event, json!({})), NOW), Applied::RevokedSubject, "{event}");
        assert!(refused(name, NOW - 5) && !refused(name, NOW), "{event}");
    }
}

#[test]
fn what_calls_for_nothing_or_cannot_be_done_is_told() {
    let host = Host::of(json!({"events": [format!("{CAEP}session-revoked"), format!("{RISC}account-disabled")]}));
    let mut number = 0;
    let mut applied = |sub_id: Value, name: &str, event: Value| {
        number += 1;
        host.applied(&set(&number.to_string(), sub_id, name, event), NOW)
    };
    for (name, event, expected) in [
        (format!("{CAEP}session-presented"), json!({}), Applied::Noted),
        (format!("{CAEP}credential-change"), json!({"change_type": "create"}), Applied::Noted),
        (format!("{CAEP}credential-change"), json!({}), Applied::Nothing),
        (format!("{RISC}opt-in"), json!({}), Applied::Noted),
        ("https://example.com/else".to_owned(), json!({"a": [1]}), Applied::Unknown),
        (format!("{CAEP}else"), json!({}), Applied::Unknown),
    ] {
        assert_eq!(applied(anna(), &name, event), expected, "{name}");
    }
    let revoked = format!("{CAEP}session-revoked");
    for sub_id in [
        json!({"format": "email", "email": "anna@example.com"}),
        json!({"format": "ip-addresses", "ip-addresses": ["10.0.0.1"]}),
        json!({"format": "complex", "device": {"format": "opaque", "id": "d"}}),
        json!({"format": "aliases", "identifiers": [{"format": "aliases", "identifiers": [anna()]}]}),
        json!({"iss": "https://idp", "sub": "anna"}),
        json!({"format": "iss_sub", "iss": "https://idp", "sub": 5}),
        json!({"format": "iss_sub", "iss": "https://idp", "sub": ""}),
        json!({}),
    ] {
        assert_eq!(applied(sub_id.clone(), &revoked, json!({})), Applied::Nothing, "{sub_id}");
    }
    let session = json!({"format": "complex", "session": {"format": "opaque", "id": "s"}});
    assert_eq!(applied(session, &format!("{RISC}account-disabled"), json!({})), Applied::Nothing, "no account");
    assert_eq!(host.code(json!({}), NOW), None);
    let mut none = set("none", json!({}), &revoked, json!({}));
    none.as_object_mut().unwrap().remove("sub_id");
    assert_eq!(host.applied(&none, NOW), Applied::Nothing);
}

#[test]
fn a_stream_is_verified_by_its_state() {
    let ssf = "https://schemas.openid.net/secevent/ssf/event-type/";
    let stream = json!({"format": "opaque", "id": "stream-1"});
    let host = Host::new();
    let event = set("1", stream.clone(), &format!("{ssf}verification"), json!({"state": "x\u{1}y"}));
    let received = host.receive(&event, NOW).unwrap();
    assert_eq!((received.events[0].applied, received.events[0].state.as_deref()), (Applied::Noted, Some("xy")));
    assert!(host.receive(&event, NOW).is_ok(), "what calls for nothing may come again");
    let event = set("2", stream, &format!("{ssf}stream-updated"), json!({"status": "paused"}));
    assert_eq!(host.receive(&event, NOW).unwrap().events[0].status.as_deref(), Some("paused"));
}

#[test]
fn other_names_of_a_subject_count_where_they_are_its_sub() {
    let formats = ["opaque", "email", "account", "phone_number", "uri", "did"];
    let host = Host::of(json!({"subject_formats": formats, "subjects_of": ["https://other"]}));
    for (number, (sub, sub_id)) in [
        ("a", json!({"format": "opaque", "id": "a"})),
        ("b@x", json!({"format": "email", "email": "b@x"})),
        ("c@x", json!({"format": "account", "uri": "acct:c@x"})),
        ("+12065550100", json!({"format": "phone_number", "phone_number": "+12065550100"})),
        ("urn:x", json!({"format": "uri", "uri": "urn:x"})),
        ("did:x", json!({"format": "did", "url": "did:x"})),
        ("e", json!({"format": "aliases", "identifiers": [{"format": "email", "email": "e"}, 5, {"format": "?"}]})),
    ]
    .into_iter()
    .enumerate()
    {
        let before = host.code(json!({"iss": "https://other", "sub": sub}), NOW);
        assert_eq!(before, None, "{sub}");
        let event = set(&number.to_string(), sub_id, &format!("{RISC}sessions-revoked"), json!({}));
        assert_eq!(host.applied(&event, NOW), Applied::RevokedSubject, "{sub}");
        assert_eq!(host.code(json!({"iss": "https://other", "sub": sub}), NOW), Some(Code::VerifyRevoked), "{sub}");
        assert_eq!(host.code(json!({"sub": sub}), NOW), None, "{sub} of another issuer");
    }
}

#[test]
fn what_is_refused_does_nothing() {
    let host = Host::new();
    let event = || set("1", anna(), &format!("{CAEP}session-revoked"), json!({}));
    let with = |name: &str, value: Value| {
        let mut event = event();
        event[name] = value;
        event
    };
    for (claims, code) in [
        (with("iss", json!("https://other")), Code::VerifyWrongIssuer),
        (with("aud", json!("api")), Code::VerifyWrongAudience),
        (with("aud", json!([])), Code::VerifyWrongAudience),
        (with("exp", json!(NOW + 600)), Code::VerifyBadClaims),
        (with("sub", json!("anna")), Code::VerifyBadClaims),
        (with("iat", json!(NOW + 31)), Code::VerifyNotYetValid),
        (with("nbf", json!(NOW + 31)), Code::VerifyNotYetValid),
        (with("toe", json!(NOW + 31)), Code::VerifyNotYetValid),
        (with("toe", json!(253_402_300_799_i64)), Code::VerifyNotYetValid),
        (with("iat", json!(NOW - 86_431)), Code::VerifyTooOld),
        (
            set("1", anna(), &format!("{CAEP}session-revoked"), json!({"event_timestamp": NOW + 31})),
            Code::VerifyNotYetValid,
        ),
        (with("sub_id", json!({"format": "iss_sub", "iss": "https://other", "sub": "anna"})), Code::VerifyWrongIssuer),
        (with("sub_id", json!({"format": "jwt_id", "iss": "https://idp/", "jti": "t"})), Code::VerifyWrongIssuer),
    ] {
        assert_eq!(host.refused(&claims), code, "{claims}");
    }
    let receive = |token: &str| host.0.receive(&host.1, token.as_bytes(), NOW * 1_000).unwrap_err().0;
    for typ in ["at+jwt", "JWT", "logout+jwt", "secevent", "application/x/secevent+jwt", ""] {
        assert_eq!(receive(&sign(typ, &event(), SECRET)), Code::VerifyWrongType, "{typ}");
    }
    assert_eq!(
        receive(&sign("secevent+jwt", &event(), "another-secret-0123456789-0123456789")),
        Code::VerifyBadSignature
    );
    assert_eq!(receive("a.b"), Code::VerifyMalformedToken);
    assert_eq!(receive(&"a".repeat(17 << 10)), Code::VerifyTokenTooLong);
    assert_eq!(receive(&token(json!({}))), Code::VerifyWrongType, "an access token");
    assert_eq!(host.code(json!({}), NOW), None);
    // None of them used its `jti` up.
    assert_eq!(host.applied(&event(), NOW), Applied::RevokedSubject);
    let media = sign("application/SECEVENT+jwt", &with("jti", json!("2")), SECRET);
    assert!(host.0.receive(&host.1, media.as_bytes(), NOW * 1_000).is_ok());
}

#[test]
fn a_security_event_token_is_no_access_token() {
    let mut config = json!({"issuer": "https://idp", "audiences": ["api"], "algorithms": ["HS256"], "jwks": jwks()});
    config["token_types"] = json!(["JWT"]);
    let verifier = Verifier::compile(&serde_json::from_value(json!({"issuer": [config]})).unwrap()).unwrap();
    let state = State::new(&verifier, 7);
    let all = json!({"iss": "https://idp", "sub": "anna", "aud": "api", "exp": NOW + 600, "iat": NOW, "jti": "1"});
    let code = |typ: &str, events: Option<Value>| {
        let mut claims = all.clone();
        if let Some(events) = events {
            claims["events"] = events;
        }
        let verified = verifier.verify_token(&state, sign(typ, &claims, SECRET).as_bytes(), NOW * 1_000);
        verified.findings.first().map(|finding| finding.code)
    };
    assert_eq!(code("secevent+jwt", Some(json!({"e": {}}))), Some(Code::VerifyWrongType));
    // A logout token (OpenID Connect Back-Channel Logout 1.0), whose `typ` may be `JWT`.
    let logout = json!({"http://schemas.openid.net/event/backchannel-logout": {}});
    assert_eq!(code("JWT", Some(logout)), Some(Code::VerifyWrongType));
    assert_eq!(code("JWT", Some(json!({}))), Some(Code::VerifyWrongType));
    assert_eq!(code("JWT", Some(json!(["a claim of somebody's own", {"x": 1}]))), None);
    assert_eq!(code("JWT", None), None);
}

#[test]
fn more_events_than_are_remembered_are_acted_on_and_take_no_place_of_proofs() {
    let host = Host::new();
    let mut number = 0_u32;
    while host.1.sets.first_time(&[&number.to_le_bytes()], (NOW + 90) * 1_000, NOW * 1_000).is_ok() || number < 60_000 {
        number += 1;
    }
    for jti in 0..500 {
        let subject = json!({"format": "iss_sub", "iss": "https://idp", "sub": format!("user-{jti}")});
        let event = set(&jti.to_string(), subject, &format!("{CAEP}session-revoked"), json!({}));
        assert_eq!(host.applied(&event, NOW), Applied::RevokedSubject);
        assert_eq!(host.code(json!({"sub": format!("user-{jti}")}), NOW), Some(Code::VerifyRevoked));
    }
    assert_eq!(host.1.sets.usage().evicted, host.1.usage()[3].1.evicted);
    assert!(host.1.sets.usage().evicted > 500);
    // An identity provider that tells of every logout stops nobody who proves who they are.
    assert_eq!(host.1.replays.usage().entries, 0);
    assert_eq!(host.1.replays.first_time(&[b"dpop"], (NOW + 90) * 1_000, NOW * 1_000), Ok(()));
}

#[test]
fn a_key_set_is_replaced() {
    let Host(verifier, state) = Host::new();
    let set = sign("secevent+jwt", &set("1", anna(), &format!("{CAEP}session-revoked"), json!({})), SECRET);
    let other = json!({"keys": [{"kty": "oct", "k": encode("another-secret-0123456789-0123456789")}]}).to_string();
    let rotated = verifier.with_jwks("transmitter:https://idp", &other).unwrap();
    assert_eq!(rotated.receive(&state, set.as_bytes(), NOW * 1_000).unwrap_err().0, Code::VerifyBadSignature);
    assert!(rotated.key_digests().ne(verifier.key_digests()));
    assert!(verifier.with_jwks("transmitter:https://other", &other).is_err());
    assert!(verifier.with_jwks("transmitter:https://idp", "{}").is_err());
    let tokens_alone = verifier.with_jwks("https://idp", &other).unwrap();
    assert!(tokens_alone.receive(&state, set.as_bytes(), NOW * 1_000).is_ok());
}

#[test]
fn mistakes_are_told_at_once() {
    let issuer = json!({"issuer": "https://idp", "audiences": ["api"], "algorithms": ["HS256"], "jwks": jwks(),
        "max_token_age": "48h", "token_types": ["application/SecEvent+jwt"]});
    let own = json!({"issuer": "", "audiences": [], "algorithms": ["HS256"], "jwks": jwks(), "events": [],
        "subjects_of": ["https://idp", "https://nobody"], "expires": "24h"});
    let twice = json!({"issuer": "", "audiences": ["a"], "algorithms": [], "subjects_of": [], "expires": "0s",
        "events": [format!("{CAEP}session-revoked"), "session-revoked", "session-revokd"]});
    let config = json!({"issuer": [issuer], "transmitter": [own, twice]});
    let problems = Verifier::compile(&serde_json::from_value(config).unwrap()).unwrap_err();
    let keys: Vec<&str> = problems.iter().map(|problem| problem.key.as_str()).collect();
    let expected = [
        "verify.issuer[0].token_types",
        "verify.transmitter[0].issuer",
        "verify.transmitter[0].audiences",
        "verify.transmitter[0].events",
        "verify.transmitter[0].expires",
        "verify.transmitter[0].subjects_of",
        "verify.transmitter[1].issuer",
        "verify.transmitter[1].issuer",
        "verify.transmitter[1].algorithms",
        "verify.transmitter[1].events",
        "verify.transmitter[1].events",
        "verify.transmitter[1].expires",
        "verify.transmitter[1].subjects_of",
    ];
    assert_eq!(keys, expected);
    let mend = |at: usize| problems[at].mend.clone().unwrap();
    assert_eq!(mend(9), format!("write \"{CAEP}session-revoked\""));
    assert!(mend(10).contains("leave `events` out"), "{}", mend(10));
}

fn snapshot(state: &State) -> Vec<u8> {
    let mut bytes = Vec::new();
    state.write(&mut bytes);
    bytes
}

#[test]
fn signals_are_part_of_snapshots() {
    let (host, other) = (Host::new(), Host::new());
    host.applied(&set("1", anna(), &format!("{CAEP}credential-change"), json!({})), NOW);
    let bob = json!({"format": "iss_sub", "iss": "https://idp", "sub": "bob"});
    host.applied(&set("2", bob, &format!("{RISC}account-disabled"), json!({})), NOW);
    let bytes = snapshot(&host.1);
    other.1.restore(other.1.read(&bytes).unwrap());
    assert_eq!(other.code(json!({"auth_time": NOW - 1}), NOW), Some(Code::VerifyReauthenticate));
    assert_eq!(other.code(json!({"sub": "bob", "iat": NOW}), NOW), Some(Code::VerifyRevoked));
    assert_eq!(snapshot(&other.1), bytes);
    for length in (0..bytes.len()).step_by(bytes.len() / 50) {
        assert!(other.1.read(&bytes[..length]).is_err());
    }
    let explained = host.1.of_revocations(&host.0);
    let token = token(json!({"sub": "bob", "iat": NOW}));
    assert!(host.0.verify_token(&explained, token.as_bytes(), NOW * 1_000).identity.is_none());
}

/// Events of three kinds about two people, by the second.
fn events() -> impl Strategy<Value = Vec<(usize, usize, i64)>> {
    prop::collection::vec((0..5_usize, 0..2_usize, 0..20_i64), 0..12)
}

const KINDS: [&str; 5] =
    ["account-disabled", "account-enabled", "credential-compromise", "sessions-revoked", "account-purged"];

fn told(events: &[(usize, usize, i64)], order: impl Iterator<Item = usize>) -> Host {
    let host = Host::new();
    for at in order {
        let (kind, who, second) = events[at];
        let subject = json!({"format": "iss_sub", "iss": "https://idp", "sub": format!("u{who}")});
        let mut claims = set(&format!("j{at}"), subject, &format!("{RISC}{}", KINDS[kind]), json!({}));
        claims["toe"] = (NOW - 20 + second).into();
        host.receive(&claims, NOW).unwrap();
    }
    host
}

fn codes(host: &Host) -> Vec<Option<Code>> {
    let times = (0..20).flat_map(|second| (0..2).map(move |who| (second, who)));
    let claims =
        times.map(|(at, who)| json!({"sub": format!("u{who}"), "iat": NOW - 20 + at, "auth_time": NOW - 20 + at}));
    claims.map(|claims| host.code(claims, NOW)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// The plain reading: all tokens before the last event that ends them are over, and an account is disabled unless it
    /// was enabled later.
    #[test]
    fn the_order_of_events_does_not_matter(events in events(), nodes: u16) {
        let there = told(&events, 0..events.len());
        let back = told(&events, (0..events.len()).rev());
        prop_assert_eq!(codes(&there), codes(&back));
        // Two nodes that hear a part each, and then of each other.
        let half = |bit: u16| (0..events.len()).filter(move |at| (nodes >> at) & 1 == bit);
        let (a, b) = (told(&events, half(0)), told(&events, half(1)));
        a.1.merge(a.1.read(&snapshot(&b.1)).unwrap());
        prop_assert_eq!(codes(&there), codes(&a));
        for who in 0..2 {
            let last = |kinds: &[usize]| {
                let own = events.iter().filter(|(kind, person, _)| *person == who && kinds.contains(kind));
                own.map(|(_, _, second)| *second).max()
            };
            let disabled = last(&[0, 4]).is_some_and(|at| last(&[1]).is_none_or(|enabled| enabled <= at));
            for second in 0..20 {
                let ended = last(&[0, 2, 3, 4]).is_some_and(|at| second < at);
                let claims = json!({"sub": format!("u{who}"), "iat": NOW - 20 + second, "auth_time": NOW - 20 + second});
                let expected = (disabled || ended).then_some(Code::VerifyRevoked);
                prop_assert_eq!(there.code(claims, NOW), expected);
            }
        }
    }

    #[test]
    fn any_subject_and_event_never_panic(text in "\\PC{0,60}", name in "[a-z-]{0,20}", pick in 0..6_usize) {
        let host = Host::new();
        let format = ["iss_sub", "complex", "aliases", "opaque", "jwt_id", "email"][pick];
        let subject = json!({"format": format, "iss": text, "sub": text, "id": text, "user": text, "identifiers": [text, {"format": text}]});
        let _ = host.receive(&set("1", subject, &format!("{CAEP}{name}"), json!({"change_type": text})), NOW);
    }

    #[test]
    fn a_changed_byte_does_nothing(at: usize, byte: u8) {
        let host = Host::new();
        let mut bytes = sign("secevent+jwt", &set("1", anna(), &format!("{CAEP}session-revoked"), json!({})), SECRET).into_bytes();
        let at = at % bytes.len();
        prop_assume!(bytes[at] != byte);
        bytes[at] = byte;
        prop_assert!(host.0.receive(&host.1, &bytes, NOW * 1_000).is_err());
        prop_assert_eq!(host.code(json!({}), NOW), None);
    }
}
