//! Requests that nobody has seen before, and those of clients that are known.

use std::fmt::Write as _;
use std::net::Ipv4Addr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zt_benches::fixture::NOW;
use zt_core::model::{Peer, Request, Text};
use zt_core::{Engine, State};

const SECRET: &[u8] = b"a secret of this bench, of 32 bytes or more";

/// Limits by everything that an attacker may choose, in the default memory.
pub(crate) fn engine() -> Result<Engine, String> {
    let k = URL_SAFE_NO_PAD.encode(SECRET);
    let text = format!(
        r#"
version = 1
[[endpoint]]
id = "read"
method = "GET"
path = "/v1/orders/{{id}}"
[[endpoint]]
id = "health"
method = "GET"
path = "/health"
anonymous = true
[[limit]]
name = "per-peer"
key = ["peer"]
rate = "60/1m"
burst = 10
[[limit]]
name = "per-caller"
key = ["identity", "endpoint"]
rate = "60/1m"
[[limit]]
name = "per-app"
key = ["header:x-app"]
rate = "60/1m"
endpoints = ["read"]
[[verify.issuer]]
issuer = "https://idp.test"
audiences = ["https://api.test"]
algorithms = ["HS256"]
jwks = '{{"keys":[{{"kty":"oct","kid":"1","k":"{k}"}}]}}'
"#
    );
    Engine::from_toml(&text, &[]).map_err(|invalid| invalid.to_string())
}

/// A client that is known, at the endpoint that asks for no credential.
pub(crate) fn known(client: u32) -> Request<'static> {
    // Each in a network of its own.
    let peer = Peer { ip: Some(Ipv4Addr::from(0xc000_0000 | client << 8).into()), ..Peer::default() };
    Request { method: "GET".into(), path: "/health".into(), peer, ..Request::default() }
}

pub(crate) struct Hostile {
    number: u64,
    text: String,
    head: String,
}

impl Hostile {
    pub(crate) fn new() -> Self {
        let head = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"at+jwt","kid":"1"}"#);
        Self { number: 0, text: String::new(), head }
    }

    /// The next: a peer, a path, an app and a token of its own. One token in 64 is good, of a subject of its own.
    pub(crate) fn send(&mut self, engine: &Engine, state: &State, now: i64) {
        self.number += 1;
        let number = self.number;
        self.text.clear();
        let _ = match number % 64 {
            0 => write!(self.text, "Bearer {}", token(&self.head, number, now)),
            1..16 => write!(self.text, "Bearer {}.e30.{number:016x}", self.head),
            _ => write!(self.text, "Bearer {number:032x}"),
        };
        // From 10.0.0.0/8 and beyond it, never from the networks of those that are known.
        let peer = (number as u32).wrapping_mul(0x9e37_79b1) & 0x7fff_ffff;
        let headers = [("authorization", self.text.clone()), ("x-app", format!("{number:x}"))];
        let request = Request {
            method: "GET".into(),
            path: format!("/v1/orders/{number}").into(),
            headers: headers.into_iter().map(|(name, value)| (Text::from(name), Text::from(value))).collect(),
            peer: Peer { ip: Some(Ipv4Addr::from(peer).into()), ..Peer::default() },
            ..Request::default()
        };
        let decision = engine.decide(state, &request, now);
        assert!(number.is_multiple_of(64) || !decision.outcome.passes(), "{decision:?}");
    }
}

fn token(head: &str, number: u64, now: i64) -> String {
    let exp = NOW.max(now) / 1_000 + 600;
    let claims = format!(
        r#"{{"iss":"https://idp.test","aud":"https://api.test","sub":"user-{number}","exp":{exp},"jti":"{number:x}"}}"#
    );
    let signed = format!("{head}.{}", URL_SAFE_NO_PAD.encode(claims));
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(SECRET) else { return signed };
    mac.update(signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}
