//! Any text as policies: compiled policies that decide, or a list of mistakes; never a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zt_core::policy::{Config, Endpoint, Policy, Request, Vocabulary};
use zt_core::model::Source;

const ENDPOINTS: &[Endpoint<'_>] = &[
    Endpoint { id: "listOrders", method: "GET", segment: Some("orders") },
    Endpoint { id: "any", method: "*", segment: None },
];

fuzz_target!(|text: &str| {
    let vocabulary = Vocabulary { endpoints: ENDPOINTS, ..Vocabulary::default() };
    let sources = [Source { key: "policy.text".to_owned(), name: None, text }];
    match Policy::compile(&Config::default(), &sources, &vocabulary) {
        Err(problems) => assert!(!problems.is_empty()),
        Ok(policy) => {
            for endpoint in 0..ENDPOINTS.len() {
                let request = Request {
                    workload: None,
                    identity: None,
                    endpoint,
                    segment: None,
                    method: "GET",
                    path: Some("/v1/orders"),
                    host: None,
                    ip: None,
                    asn: None,
                    country: None,
                    risk: 0.5,
                    now: 1_772_446_530_123,
                };
                policy.effect(&policy.evaluate(&request));
            }
        }
    }
});
