//! A redactor never panics, does the same however its text is cut, accepts what JSON is and nothing else, and what it
//! gives is what taking the document apart gives. The first byte says which fields, the second how the text is cut.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde::de::IgnoredAny;
use serde_json::Value;
use zt_core::base::member_path::{MemberPath, Step};
use zt_core::respond::Redactor;

const FIELDS: [&str; 4] = ["a", "a.b, *.c", "*.*", "\u{e9}.a, b.*.a"];

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        for path in MemberPath::parse_list(text).unwrap_or_default() {
            assert_eq!(MemberPath::parse(&path.to_string()).expect("reads back"), path);
        }
    }
    let [fields, piece, text @ ..] = bytes else { return };
    let paths = MemberPath::parse_list(FIELDS[usize::from(*fields) % FIELDS.len()]).expect("paths");
    let run = |piece: usize| {
        let (mut redactor, mut out) = (Redactor::new(&paths), Vec::new());
        let pushed = text.chunks(piece).try_for_each(|piece| redactor.push(piece, &mut out));
        (pushed.and_then(|()| redactor.finish()), out)
    };
    let (end, out) = run(text.len().max(1));
    let (bytewise_end, bytewise) = run(1);
    let (pieces_end, pieces) = run(usize::from(*piece).max(1));
    assert_eq!((end, end), (bytewise_end, pieces_end));
    assert!(bytewise.starts_with(&pieces) && bytewise.starts_with(&out));
    assert!(end.is_err() || (out == bytewise && out == pieces));
    if end.is_ok() && !text.trim_ascii().is_empty() {
        assert!(
            serde_json::from_slice::<IgnoredAny>(text).is_ok() && serde_json::from_slice::<IgnoredAny>(&out).is_ok()
        );
    }
    // Duplicates fold, and numbers beyond `f64` are refused, where a document is taken apart.
    if let (Ok(()), Ok(mut wanted), Ok(found)) =
        (end, serde_json::from_slice::<Value>(text), serde_json::from_slice::<Value>(&out))
    {
        let paths: Vec<&[Step]> = paths.iter().map(MemberPath::steps).collect();
        hide(&mut wanted, &paths);
        assert_eq!(found, wanted);
    }
});

fn hide(value: &mut Value, paths: &[&[Step]]) {
    match value {
        Value::Array(elements) => elements.iter_mut().for_each(|element| hide(element, paths)),
        Value::Object(members) => {
            for (name, value) in members.iter_mut() {
                let fits = |step: &Step| matches!(step, Step::Any) || *step == Step::Name(name.as_str().into());
                let rest: Vec<&[Step]> = paths
                    .iter()
                    .filter_map(|path| path.split_first())
                    .filter(|(step, _)| fits(step))
                    .map(|(_, rest)| rest)
                    .collect();
                if rest.iter().any(|rest| rest.is_empty()) {
                    *value = Value::from("[redacted]");
                } else {
                    hide(value, &rest);
                }
            }
        }
        _ => {}
    }
}
