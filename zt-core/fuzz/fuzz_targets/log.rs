//! Decision logs of any bytes: nobody without the key makes a record that holds under it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zt_core::engine::log::{Chain, Key, Proof};

fuzz_target!(|input: &[u8]| {
    let (mut plain, mut keyed) = (Proof::new(None), Proof::new(Key::new(b"a key of the fuzzer alone").ok()));
    for (number, line) in (1..).zip(input.split(|byte| *byte == b'\n')) {
        let _ = plain.line(number, line);
        let _ = keyed.line(number, line);
    }
    let _ = plain.finish();
    assert_eq!(keyed.records(), 0);
    if let Ok(text) = std::str::from_utf8(input) {
        let _ = Chain::new().after(text);
    }
});
