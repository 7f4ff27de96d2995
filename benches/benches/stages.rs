//! Each stage alone, and the whole decision.
#![allow(missing_docs, reason = "criterion's macros make public items")]

use std::hint::black_box;

use axum_shop::issuer::Algorithm;
use criterion::{Criterion, criterion_group, criterion_main};
use zt_benches::fixture::{Fixture, NOW};
use zt_core::Config;
use zt_core::inspect::Inspector;
use zt_core::limit::{self, Limiter, Phase, Subject};
use zt_core::model::Source;
use zt_core::policy::{self, Policy, Vocabulary};
use zt_core::verify::{self, Verifier};

fn stages(criterion: &mut Criterion) {
    let fixture = Fixture::new();
    let config = Config::from_toml(&fixture.config).expect("the fixture compiles");
    let authorization = format!("Bearer {}", fixture.token(Algorithm::Rs256));
    let by_token = Fixture::request(("Authorization", &authorization));
    let by_key = Fixture::request(("X-API-Key", &fixture.api_key));

    criterion.bench_function("route", |b| b.iter(|| fixture.engine.router().route(black_box(&by_key)).is_ok()));

    let verifier = Verifier::compile(&config.verify).expect("the fixture compiles");
    let seen = verify::State::new(&verifier, 1);
    criterion.bench_function("verify, RS256", |b| b.iter(|| verifier.verify(&seen, black_box(&by_token), NOW)));
    criterion.bench_function("verify, API key", |b| b.iter(|| verifier.verify(&seen, black_box(&by_key), NOW)));

    let limiter = Limiter::compile(&config.limit, config.state.memory).expect("the fixture compiles");
    let state = limit::State::new(&limiter, 1);
    let subject = Subject::of(&by_key);
    criterion
        .bench_function("limit", |b| b.iter(|| limiter.check(&state, Phase::Peer, black_box(&subject), NOW).refuses()));

    let inspector = Inspector::compile(&config.inspect).expect("the fixture compiles");
    criterion.bench_function("inspect", |b| b.iter(|| inspector.inspect(black_box(&by_key))));

    let endpoint = |endpoint| {
        let endpoint: &zt_core::route::Endpoint = endpoint;
        policy::Endpoint { id: &endpoint.id, method: &endpoint.method, segment: Some(&endpoint.segment) }
    };
    let endpoints: Vec<policy::Endpoint<'_>> = fixture.engine.router().endpoints().iter().map(endpoint).collect();
    let vocabulary = Vocabulary { endpoints: &endpoints, ..Vocabulary::default() };
    let policies = config.policy.expect("the fixture has policies");
    let source = Source { key: "text".into(), name: None, text: policies.text.as_deref().unwrap_or_default() };
    let policy = Policy::compile(&policies, &[source], &vocabulary).expect("the fixture compiles");
    let verified = verifier.verify(&seen, &by_token, NOW);
    let asked = policy::Request {
        identity: verified.identity.as_deref(),
        method: "POST",
        path: Some("/v1/orders/42"),
        ip: by_token.peer.ip,
        now: NOW,
        ..policy::Request::default()
    };
    criterion.bench_function("policy", |b| b.iter(|| policy.evaluate(black_box(&asked))));

    criterion.bench_function("decide, RS256", |b| {
        b.iter(|| fixture.engine.decide(&fixture.state, black_box(&by_token), NOW))
    });
    criterion.bench_function("decide, API key", |b| {
        b.iter(|| fixture.engine.decide(&fixture.state, black_box(&by_key), NOW))
    });
}

criterion_group!(benches, stages);
criterion_main!(benches);
