//! Any text as an event: a decision or an error, never a panic; the decision reads back.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use zt_core::model::Decision;
use zt_core::wire::Instance;

const CONFIG: &str = r#"
version = 1
[[endpoint]]
method = "*"
path = "/**"
anonymous = true
[[limit]]
name = "per-peer"
key = ["peer"]
rate = "100/1s"
"#;

static INSTANCE: OnceLock<Instance> = OnceLock::new();

fuzz_target!(|text: &str| {
    let instance = INSTANCE.get_or_init(|| Instance::from_toml(CONFIG, &[]).expect("the configuration is valid"));
    if let Ok(decision) = instance.decide_event(text) {
        serde_json::from_str::<Decision>(&decision).expect("a decision reads back");
    }
});
