//! Any request is learned and scored without a panic; what was learned is a baseline that reads back as it was written.
#![no_main]

#[path = "../content_types.rs"]
mod content_types;

use libfuzzer_sys::fuzz_target;
use zt_core::anomaly::{Baseline, Trainer, Pass, State, Target};
use zt_core::model::{Body, Request};

/// A byte of choices, then path, query, header name, header value and body, a line each.
fn request(bytes: &[u8]) -> Request<'_> {
    let (choice, rest) = bytes.split_first().unwrap_or((&0, &[]));
    let mut lines = rest.splitn(5, |byte| *byte == b'\n');
    let mut line = || lines.next().unwrap_or_default();
    let (path, query, name, value, body) = (line(), line(), line(), line(), line());
    let kind = content_types::chosen(*choice).unwrap_or("application/json");
    Request {
        method: "POST".into(),
        path: path.into(),
        query: Some(query.into()),
        headers: vec![("content-type".into(), kind.into()), (name.into(), value.into())],
        body: Some(Body::new(body)),
        ..Request::default()
    }
}

fuzz_target!(|bytes: &[u8]| {
    let requests: Vec<Request<'_>> = bytes.split(|byte| *byte == 0xff).map(request).collect();
    let learned = Pass::ALL.into_iter().fold(Baseline::new(1), |before, pass| {
        let mut trainer = Trainer::new(&before, pass);
        requests.iter().for_each(|request| trainer.add(request, &Target::Path, None));
        trainer.end()
    });
    let written = learned.write();
    assert!(Baseline::read(&written).expect("a baseline").write() == written);
    let state = State::new(learned);
    for request in &requests {
        let (scored, trace) = state.score(request, &Target::Path);
        assert!(scored.score >= 0.0 && (0.0..=1.0).contains(&scored.share));
        for told in state.baseline().explain(request, &Target::Path, &scored) {
            assert!(told.to_string().len() < 2_000);
        }
        state.learn(&trace, None);
    }
});
