//! Any bytes as a bundle, and any bytes as one section of a bundle whose checksum is right: an error or an engine that
//! decides, never a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sha2::{Digest, Sha256};
use zt_core::engine::Trust;
use zt_core::model::Request;
use zt_core::{Engine, State};

fuzz_target!(|bytes: &[u8]| {
    load(bytes);
    // With a right checksum behind it.
    load(&[bytes, &Sha256::digest(bytes)].concat());
});

fn load(bytes: &[u8]) {
    if let Ok(engine) = Engine::from_bundle(bytes, Trust::Unsigned) {
        let state = State::new(&engine);
        let request = Request { method: "GET".into(), path: "/v1/orders/1".into(), ..Request::default() };
        engine.decide(&state, &request, 1_800_000_000_000);
    }
}
