//! Any text as `zt.toml`: an engine or a list of mistakes, never a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zt_core::Engine;

fuzz_target!(|text: &str| {
    if let Err(invalid) = Engine::from_toml(text, &[]) {
        assert!(!invalid.0.is_empty());
    }
});
