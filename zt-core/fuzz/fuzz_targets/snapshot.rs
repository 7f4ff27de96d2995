//! Any bytes as a snapshot: restored, merged or refused, never a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zt_core::wire::Instance;

fuzz_target!(|bytes: &[u8]| {
    let instance = Instance::from_toml("version = 1", &[]).expect("the configuration is valid");
    let _ = instance.restore(bytes);
    let _ = instance.merge(bytes);
});
