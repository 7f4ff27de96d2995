//! The README's configuration is one, and decides as the README says.
#![cfg(feature = "compile")]

use zt_core::model::{Outcome, Request, Text};
use zt_core::{Engine, State};

const README: &str = include_str!("../../README.md");

/// The first block of this language.
fn block(language: &str) -> &'static str {
    let start = README.find(&format!("```{language}\n")).expect("a block") + language.len() + 4;
    let length = README[start..].find("\n```").expect("its end");
    &README[start..=start + length]
}

#[test]
fn the_configuration_lets_the_partner_read_and_nobody_else() {
    let engine = Engine::from_toml(block("toml"), &[]).unwrap_or_else(|invalid| panic!("{invalid}"));
    let state = State::new(&engine);
    let key = README.split("the key whose digest stands there is `").nth(1).and_then(|rest| rest.split('`').next());
    let decide = |path: &'static str, key: Option<&'static str>| {
        let headers = key.map(|key| (Text::from("X-API-Key"), Text::from(key))).into_iter().collect();
        let request = Request { method: "GET".into(), path: path.into(), headers, ..Request::default() };
        let decision = engine.decide(&state, &request, 1_772_446_530_123);
        (decision.outcome, decision.status)
    };
    assert_eq!(decide("/v1/orders/42", key), (Outcome::Allow, 200));
    assert_eq!(decide("/v1/orders/42", None), (Outcome::Deny, 401));
    assert_eq!(decide("/health", None), (Outcome::Allow, 200));
    assert_eq!(decide("/v1/admin", key), (Outcome::Deny, 404));
}
