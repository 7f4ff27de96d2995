//! Any bytes as a snapshot or a delta: restored, merged or refused, never a panic; what is refused changes nothing, and what
//! was merged is merged by all that it is told to.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use sha2::{Digest as _, Sha256};
use zt_core::wire::Instance;

const CONFIG: &str = r#"
version = 1
[state]
memory = "256KiB"
[[limit]]
name = "a"
key = ["peer"]
rate = "10/1m"
"#;

/// An empty state with a delta of it, whose seed marks and ids nobody would guess.
static EMPTY: LazyLock<(Instance, Vec<u8>)> = LazyLock::new(|| {
    let instance = instance();
    let delta = instance.delta_since(0).bytes;
    (instance, delta)
});

fn instance() -> Instance {
    Instance::from_toml(CONFIG, &[]).expect("the configuration is valid")
}

/// The fuzzer's bytes in place of the sections' ends, in an envelope that is sound.
fn sealed(kind: u8, bytes: &[u8]) -> Vec<u8> {
    let (_, sound) = &*EMPTY;
    let (cut, with) = bytes.split_first().map_or((0, bytes), |(cut, with)| (usize::from(*cut), with));
    let body = &sound[15..sound.len() - 16];
    let body = [&body[..body.len().saturating_sub(cut)], with].concat();
    let mut out = sound[..6].to_vec();
    out.push(kind);
    out.extend((body.len() as u64).to_le_bytes());
    out.extend(body);
    let checksum = Sha256::digest(&out);
    out.extend(&checksum[..16]);
    out
}

fuzz_target!(|bytes: &[u8]| {
    for bytes in [bytes.to_vec(), sealed(0, bytes), sealed(1, bytes)] {
        let instance = instance();
        let before = instance.snapshot();
        if instance.restore(&bytes).is_err() {
            assert!(instance.snapshot() == before);
        }
        let before = instance.snapshot();
        if instance.merge(&bytes).is_err() {
            assert!(instance.snapshot() == before);
        }
        let (whole, other) = (instance.delta_since(0), self::instance());
        other.merge(&whole.bytes).expect("a delta of a state");
        assert!(other.snapshot() == instance.snapshot());
        assert!(instance.restore(&whole.bytes).is_err(), "a delta replaces nothing");
    }
});
