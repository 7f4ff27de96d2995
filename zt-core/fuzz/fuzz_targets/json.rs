//! The scanner never panics, accepts what `serde_json` accepts but for duplicates and limits, and nothing else.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zt_core::base::json::{ErrorKind, Limits, Scanner, Token, validate};

const WIDE: Limits = Limits {
    bytes: usize::MAX,
    depth: 127,
    values: u32::MAX,
    members: u32::MAX,
    elements: u32::MAX,
    number_digits: u32::MAX,
    key_bytes: usize::MAX,
};

fuzz_target!(|bytes: &[u8]| {
    let _ = validate(bytes, &Limits::default());
    let wide = validate(bytes, &WIDE).map_err(|error| error.kind);
    match serde_json::from_slice::<serde_json::Value>(bytes) {
        Ok(_) => assert!(matches!(wide, Ok(()) | Err(ErrorKind::DuplicateKey)), "{wide:?}"),
        // The grammar allows numbers beyond `f64`.
        Err(error) if error.to_string().starts_with("number out of range") => {}
        Err(error) => assert!(wide.is_err(), "{error}"),
    }
    let mut scanner = Scanner::new(bytes, &WIDE);
    while let Ok(Some(token)) = scanner.next() {
        if let Token::String(text) | Token::Key(text) = token {
            let quoted = format!("\"{}\"", text.raw());
            assert_eq!(serde_json::from_str::<String>(&quoted).expect("a string"), text.unescape());
        }
    }
});
