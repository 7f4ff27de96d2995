//! Snapshots of the limits: any bytes restore or are refused, whole; what restores writes back to bytes that restore.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zt_core::base::units::Size;
use zt_core::limit::{Config, Limiter, State};

fuzz_target!(|bytes: &[u8]| {
    let config: Vec<Config> = serde_json::from_str(r#"[{"name":"a","key":[],"rate":"10/1m"}]"#).unwrap();
    let limiter = Limiter::compile(&config, Size::from_bytes(64 << 10)).unwrap();
    let state = State::new(&limiter, 0);
    // The seed mark and the limit's id would never be guessed: put them in front of the fuzzer's bytes, in place of the
    // number of entries and what was displaced.
    let mut whole = Vec::new();
    state.write(&mut whole);
    whole.truncate(whole.len() - 16);
    whole.extend_from_slice(bytes);
    for bytes in [bytes, &whole] {
        if state.restore(bytes).is_ok() {
            let (mut once, mut twice) = (Vec::new(), Vec::new());
            state.write(&mut once);
            state.merge(&once).unwrap();
            state.write(&mut twice);
            assert_eq!(once, twice);
        }
    }
});
