//! Any text as policies: compiled policies that decide and can be explained, or a list of mistakes; never a panic. What
//! follows a line of `---` is the slots of a link of each template: principal, and resource.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zt_core::model::Source;
use zt_core::policy::{Config, Endpoint, Link, Policy, Request, Vocabulary};

const ENDPOINTS: &[Endpoint<'_>] = &[
    Endpoint { id: "listOrders", method: "GET", segment: Some("orders") },
    Endpoint { id: "any", method: "*", segment: None },
];

fuzz_target!(|text: &str| {
    let vocabulary = Vocabulary { endpoints: ENDPOINTS, ..Vocabulary::default() };
    let (text, slots) = text.split_once("\n---\n").unwrap_or((text, ""));
    let (principal, resource) = slots.split_once('\n').unwrap_or((slots, ""));
    let slot = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let link = |at: usize| Link {
        template: format!("policy{at}"),
        id: format!("link{at}"),
        principal: slot(principal),
        resource: slot(resource),
    };
    let link = if slots.is_empty() { Vec::new() } else { (0..text.matches(';').count().min(4)).map(link).collect() };
    let sources = [Source { key: "policy.text".to_owned(), name: None, text }];
    match Policy::compile(&Config { link, ..Config::default() }, &sources, &vocabulary) {
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
                    tenant: None,
                    client_id: None,
                    declared: &[],
                    risk: 0.5,
                    now: 1_772_446_530_123,
                };
                policy.effect(&policy.evaluate(&request));
                // Conditions are printed here.
                assert_eq!(policy.explain(&request).decision, policy.evaluate(&request).verdict);
            }
        }
    }
});
