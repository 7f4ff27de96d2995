//! Any method and path on a fixed router: routed or refused, never a panic; what is routed is in one reading only.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use zt_core::model::Request;
use zt_core::route::{Config, EndpointConfig, Router};

const TEMPLATES: &[&str] =
    &["/", "/a/{id}", "/a/me", "/a/{n}.json", "/a/{x}-{y}/", "/b/**", "/b/*/c", "/{any}:verb", "/**"];

static ROUTER: LazyLock<Router> = LazyLock::new(|| {
    let endpoint = |path: &&str| EndpointConfig { method: "*".into(), path: (*path).into(), ..Default::default() };
    let endpoints: Vec<_> = TEMPLATES.iter().map(endpoint).collect();
    Router::compile(&Config::default(), &endpoints, &[], &[]).unwrap()
});

fuzz_target!(|data: &[u8]| {
    let (method, path) = data.split_at(data.iter().position(|byte| *byte == b' ').unwrap_or(0));
    let request = Request { method: method.into(), path: path.into(), ..Default::default() };
    if let Ok(found) = ROUTER.route(&request) {
        for segment in found.path.segments() {
            assert!(!segment.is_empty() && segment != "." && segment != ".." && !segment.contains(['/', '\\', '\0']));
        }
    }
});
