//! Any text as an OpenAPI document: read or refused with problems, within bounded time and memory.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zt_core::model::Source;
use zt_core::route::{Config, Router};

fuzz_target!(|text: &str| {
    let document = Source { key: "openapi[0]".into(), name: Some("fuzz.yaml"), text };
    match Router::compile(&Config::default(), &[], &[], &[document]) {
        Ok(router) => router.endpoints().iter().for_each(|endpoint| assert!(endpoint.template.starts_with('/'))),
        Err(problems) => assert!(!problems.is_empty()),
    }
});
