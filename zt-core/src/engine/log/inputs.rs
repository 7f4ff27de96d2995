//! What a decision was made on, as one digest: an auditor who has the request proves that it is the one.
//!
//! The digest is of a canonical form of the request as the host handed it over. It is a sequence of fields; each is two byte
//! strings, a name and a value, and each of those its length in bytes (eight bytes, little-endian) and itself. A field that the
//! host did not know is left out. In order:
//!
//! ```text
//! zt-inputs             1
//! subject, method, scheme, host, path, query, http_version        bytes as received
//! headers               how many lines, decimal; then for each line a field: its name, its value
//! body                  bytes
//! body_len              decimal
//! ip                    text, as `203.0.113.7` or `2001:db8::7`
//! asn                   decimal
//! country, ip_class, tls_fingerprint, client_cert_sha256          text
//! lat, lon, accuracy_km the eight bytes of the number (IEEE 754), little-endian
//! client_cert_uris      how many, decimal, where there are any; then for each a field: `uri`, the URI
//! ```

use super::seal::{Hasher, Seal};
use crate::model::{Request, Text};

/// The digest of a request.
pub(super) fn digest(request: &Request<'_>, seal: &Seal) -> String {
    let mut form = Form(seal.hasher());
    let text = |text: &Option<Text<'_>>| text.as_ref().map(|text| text.bytes().to_vec());
    form.field("zt-inputs", b"1");
    form.some("subject", request.subject.as_deref());
    form.field("method", request.method.bytes());
    form.some("scheme", text(&request.scheme));
    form.some("host", text(&request.host));
    form.field("path", request.path.bytes());
    form.some("query", text(&request.query));
    form.some("http_version", text(&request.http_version));
    form.field("headers", request.headers.len().to_string().as_bytes());
    for (name, value) in &request.headers {
        form.bytes(name.bytes()).bytes(value.bytes());
    }
    form.some("body", request.body.as_ref().map(|body| body.bytes()));
    form.some("body_len", request.body_len.map(|length| length.to_string()));
    let peer = &request.peer;
    form.some("ip", peer.ip.map(|ip| ip.to_string()));
    form.some("asn", peer.asn.map(|asn| asn.to_string()));
    form.some("country", peer.country.as_deref());
    form.some("ip_class", peer.ip_class.as_deref());
    form.some("tls_fingerprint", peer.tls_fingerprint.as_deref());
    form.some("client_cert_sha256", peer.client_cert_sha256.as_deref());
    form.some("lat", peer.lat.map(f64::to_le_bytes));
    form.some("lon", peer.lon.map(f64::to_le_bytes));
    form.some("accuracy_km", peer.accuracy_km.map(f64::to_le_bytes));
    if !peer.client_cert_uris.is_empty() {
        form.field("client_cert_uris", peer.client_cert_uris.len().to_string().as_bytes());
        peer.client_cert_uris.iter().for_each(|uri| form.field("uri", uri.as_bytes()));
    }
    seal.text(form.0)
}

struct Form(Hasher);

impl Form {
    fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.update(&(bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
        self
    }

    fn field(&mut self, name: &str, value: &[u8]) {
        self.bytes(name.as_bytes()).bytes(value);
    }

    fn some<T: AsRef<[u8]>>(&mut self, name: &str, value: Option<T>) {
        if let Some(value) = value {
            self.field(name, value.as_ref());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::log::Key;
    use crate::model::{Body, Peer};
    use sha2::{Digest as _, Sha256};

    #[test]
    fn the_form_is_as_it_says() {
        let request = Request {
            method: "GET".into(),
            path: "/a".into(),
            headers: vec![("X-A".into(), Text::new(b"\xff"))],
            body: Some(Body::new(b"")),
            peer: Peer { ip: Some("::1".parse().unwrap()), lat: Some(1.5), ..Peer::default() },
            ..Request::default()
        };
        let mut form = Vec::new();
        for part in [
            &b"zt-inputs"[..],
            b"1",
            b"method",
            b"GET",
            b"path",
            b"/a",
            b"headers",
            b"1",
            b"X-A",
            b"\xff",
            b"body",
            b"",
            b"ip",
            b"::1",
            b"lat",
            &1.5_f64.to_le_bytes(),
        ] {
            form.extend_from_slice(&(part.len() as u64).to_le_bytes());
            form.extend_from_slice(part);
        }
        let expected: String = Sha256::digest(&form).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(digest(&request, &Seal::default()), format!("sha256:{expected}"));
        let keyed = Seal(Some(Key::new(b"a key of the test").unwrap()));
        assert_eq!(digest(&request, &keyed), keyed.of(&form));
        assert!(Key::new(b"fifteen bytes..").is_err());
    }

    #[test]
    fn every_part_of_a_request_counts() {
        let whole = || -> serde_json::Value {
            serde_json::json!({"method": "a", "scheme": "b", "host": "c", "path": "d", "query": "e", "http_version": "f",
                "headers": [["g", "h"], ["i", "j"]], "body": "k", "body_len": 1,
                "peer": {"ip": "::1", "asn": 1, "country": "l", "lat": 1.0, "lon": 2.0, "accuracy_km": 3.0, "ip_class": "m",
                    "tls_fingerprint": "n", "client_cert_sha256": "o", "client_cert_uris": ["p", "q"]}})
        };
        let of = |value: &serde_json::Value| {
            digest(&serde_json::from_value::<Request<'static>>(value.clone()).unwrap(), &Seal::default())
        };
        let changes: &[(&str, serde_json::Value)] = &[
            ("/method", "x".into()),
            ("/scheme", "x".into()),
            ("/host", "x".into()),
            ("/path", "x".into()),
            ("/query", "x".into()),
            ("/query", serde_json::Value::Null),
            ("/http_version", "x".into()),
            ("/headers/0/0", "x".into()),
            ("/headers/1/1", "x".into()),
            ("/body", "x".into()),
            ("/body_len", 2.into()),
            ("/peer/ip", "::2".into()),
            ("/peer/asn", 2.into()),
            ("/peer/country", "x".into()),
            ("/peer/lat", 9.into()),
            ("/peer/lon", 9.into()),
            ("/peer/accuracy_km", 9.into()),
            ("/peer/ip_class", "x".into()),
            ("/peer/tls_fingerprint", "x".into()),
            ("/peer/client_cert_sha256", "x".into()),
            ("/peer/client_cert_uris/1", "x".into()),
        ];
        let mut digests = std::collections::BTreeSet::from([of(&whole())]);
        for (pointer, value) in changes {
            let mut changed = whole();
            *changed.pointer_mut(pointer).unwrap() = value.clone();
            assert!(digests.insert(of(&changed)), "{pointer}");
        }
        let mut swapped = whole();
        swapped["headers"] = serde_json::json!([["i", "j"], ["g", "h"]]);
        assert!(digests.insert(of(&swapped)));
    }
}
