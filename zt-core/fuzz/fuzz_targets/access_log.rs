//! Any line as one of an access log: an event or an error, never a panic; the event reads back as it was written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zt_core::learn::access_log;
use zt_core::model::Event;

fuzz_target!(|lines: &[u8]| {
    for line in lines.split(|byte| *byte == b'\n') {
        let Ok(event) = access_log(line) else { continue };
        let text = serde_json::to_string(&event).expect("an event can be written");
        let back: Event = serde_json::from_str(&text).expect("it reads back");
        assert_eq!(serde_json::to_string(&back).expect("and can be written"), text);
    }
});
