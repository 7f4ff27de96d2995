//! Any bytes as an HTTP Archive: events and errors, never a panic; each event reads back as it was written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zt_core::learn::har;
use zt_core::model::Event;

fuzz_target!(|document: &[u8]| {
    let _ = har(document, |event| {
        let Ok(event) = event else { return };
        let text = serde_json::to_string(&event).expect("an event can be written");
        serde_json::from_str::<Event>(&text).expect("it reads back");
    });
});
