//! Inspection never panics, finds little, and its details never show what was sent.
#![no_main]

#[path = "../content_types.rs"]
mod content_types;

use libfuzzer_sys::fuzz_target;
use zt_core::inspect::{Config, Inspector};
use zt_core::model::{Body, Request};

fuzz_target!(|bytes: &[u8]| {
    // A byte of choices, then query, header name, header value, content type and body, a line each.
    let Some((choice, rest)) = bytes.split_first() else { return };
    let mut lines = rest.splitn(5, |byte| *byte == b'\n');
    let mut line = || lines.next().unwrap_or_default();
    let (query, name, value, own_kind, body) = (line(), line(), line(), line(), line());
    let kind = content_types::chosen(*choice).map_or(own_kind, str::as_bytes);
    let request = Request {
        query: Some(query.into()),
        headers: vec![(name.into(), value.into()), ("content-type".into(), kind.into())],
        body: Some(Body::new(body)),
        body_len: (choice & 8 != 0).then_some(1_000),
        ..Request::default()
    };
    let inspector = Inspector::compile(&Config::default()).expect("the defaults compile");
    let findings = inspector.inspect(&request);
    assert!(findings.len() <= 16);
    assert!(findings.iter().all(|finding| finding.detail.len() <= 80 && finding.detail.is_ascii()));
});
