//! What is hidden, what is not, and what is refused.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::base::member_path::Step;

fn paths(fields: &[&str]) -> Vec<MemberPath> {
    fields.iter().map(|field| MemberPath::parse(field).unwrap()).collect()
}

/// What is sent of a text in these pieces, and whether it was whole.
fn run<'p>(mut redactor: Redactor, pieces: impl IntoIterator<Item = &'p [u8]>) -> (Vec<u8>, Result<(), Unreadable>) {
    let mut out = Vec::new();
    for piece in pieces {
        if let Err(failed) = redactor.push(piece, &mut out) {
            let sent = out.len();
            assert_eq!(redactor.push(b"1", &mut out), Err(failed));
            assert_eq!((redactor.finish(), out.len()), (Err(failed), sent));
            return (out, Err(failed));
        }
    }
    (out, redactor.finish())
}

/// In one piece and byte by byte, which must be the same.
fn redact(fields: &[&str], text: &[u8]) -> Result<String, Unreadable> {
    let redactor = Redactor::new(&paths(fields));
    let (out, end) = run(redactor.clone(), [text]);
    let (bytewise, same_end) = run(redactor, text.chunks(1));
    assert_eq!(end, same_end, "{}", String::from_utf8_lossy(text));
    assert!(end.is_err() || out == bytewise);
    assert!(bytewise.starts_with(&out));
    end.map(|()| String::from_utf8(out).unwrap())
}

#[test]
fn values_of_every_kind() {
    let text = br#"{ "a" : "x\"}y" , "b":[1,{"a":2}],"c":{"a":[{"a":1}]},"d":-1.5e+3,"e":true,"f":null , "g":"" }"#;
    let hidden = redact(&["a", "b", "c", "d", "e", "f", "g"], text).unwrap();
    let value: Value = serde_json::from_str(&hidden).unwrap();
    assert!(value.as_object().unwrap().values().all(|value| value == "[redacted]"), "{hidden}");
    assert_eq!(
        redact(&["c.a", "d"], text).unwrap(),
        r#"{ "a" : "x\"}y" , "b":[1,{"a":2}],"c":{"a":"[redacted]"},"d":"[redacted]","e":true,"f":null , "g":"" }"#
    );
}

#[test]
fn arrays_are_gone_through_and_the_rest_is_untouched() {
    let text = br#"[[{"a":{"b":1,"c":2}},{"a":[{"b":3},[{"b":4}],5]},{"a":6}],{"b":7}]"#;
    assert_eq!(
        redact(&["a.b"], text).unwrap(),
        r#"[[{"a":{"b":"[redacted]","c":2}},{"a":[{"b":"[redacted]"},[{"b":"[redacted]"}],5]},{"a":6}],{"b":7}]"#
    );
    assert_eq!(redact(&["b"], b" 12 ").unwrap(), " 12 ");
    assert_eq!(redact(&["b"], br#""b""#).unwrap(), r#""b""#);
}

#[test]
fn a_star_is_every_member() {
    let text = br#"{"a":{"x":1,"y":{"z":2}},"b":{"x":3},"c":[4]}"#;
    assert_eq!(
        redact(&["*.x"], text).unwrap(),
        r#"{"a":{"x":"[redacted]","y":{"z":2}},"b":{"x":"[redacted]"},"c":[4]}"#
    );
    assert_eq!(redact(&["a.*"], text).unwrap(), r#"{"a":{"x":"[redacted]","y":"[redacted]"},"b":{"x":3},"c":[4]}"#);
    assert_eq!(redact(&["*.x", "a.y.z"], text).unwrap().matches("redacted").count(), 3);
    // Also a name that is longer than any that is looked for.
    let long = format!(r#"{{"{}":1}}"#, "n".repeat(5_000));
    assert!(redact(&["*"], long.as_bytes()).unwrap().ends_with(r#":"[redacted]"}"#));
    assert_eq!(redact(&["n"], long.as_bytes()).unwrap(), long);
}

#[test]
fn names_are_compared_as_they_are_meant() {
    for name in ["ssn", r"s\u0073n", r"\u0073\u0073\u006E", r"ss\u006e"] {
        let text = format!(r#"{{"{name}":1}}"#);
        assert_eq!(redact(&["ssn"], text.as_bytes()).unwrap(), format!(r#"{{"{name}":"[redacted]"}}"#));
    }
    for name in ["SSN", "ss", "ssnn", r"ssn\u0000", r"ssn\n", "ßsn"] {
        let text = format!(r#"{{"{name}":1}}"#);
        assert_eq!(redact(&["ssn"], text.as_bytes()).unwrap(), text);
    }
    assert_eq!(
        redact(&["😀é"], r#"{"\ud83d\ude00\u00e9":1}"#.as_bytes()).unwrap(),
        r#"{"\ud83d\ude00\u00e9":"[redacted]"}"#
    );
    assert_eq!(redact(&["a\\/b"], br#"{"a\/b":1}"#).unwrap(), r#"{"a\/b":"[redacted]"}"#);
    assert_eq!(redact(&["a"], br#"{"a":1,"a":2,"b":3,"\u0061":4}"#).unwrap().matches("redacted").count(), 3);
}

#[test]
fn what_is_not_json_is_refused_and_gives_nothing_away() {
    let refused = [
        &br#"{"ssn":"secret"#[..],
        br#"{"ssn":secret}"#,
        br#"{"ssn":["secret","#,
        br#"{"ssn":{"x":"secret"]"#,
        br#"{"ssn":"secret" "secret"}"#,
        b"{\"ssn\":\"secret\x01\"}",
        b"{\"ssn\":\"secret\xff\"}",
        b"{\"ssn\":\"secret\xed\xa0\x80\"}",
        b"{\"a\":\"\xe2\x82\"}",
        br#"{"ssn":"\x"}"#,
        br#"{"\ud83d":1}"#,
        br#"{"\ude00":1}"#,
        br#"{"\ud83dx":1}"#,
        br#"{"a":01}"#,
        br#"{"a":1.}"#,
        br#"{"a":+1}"#,
        br#"{"a":.5}"#,
        br#"{"a":1e}"#,
        br#"{"a":NaN}"#,
        br#"{"a":tru}"#,
        br#"{'a':1}"#,
        br#"{"a" 1}"#,
        br#"{"a":1,}"#,
        b"[1,]",
        b"[1 2]",
        b"[}",
        b"{]",
        b"]",
        b"/**/1",
        b"\xef\xbb\xbf{}",
        b"{} {}",
        b"1 x",
        b"\x1e1\n",
        b"-",
    ];
    for text in refused {
        assert!(redact(&["ssn"], text).is_err(), "{}", String::from_utf8_lossy(text));
        let (out, _) = run(Redactor::new(&paths(&["ssn"])), [text]);
        assert!(!String::from_utf8_lossy(&out).contains("secret"));
    }
    // Halves of a pair in values do no harm; programs write them.
    assert!(redact(&["ssn"], br#"{"a":"\ud83d","b":"\ude00x"}"#).is_ok());
    assert_eq!(redact(&["ssn"], b" \r\n").unwrap(), " \r\n");
}

#[test]
fn depth_is_bounded() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(redact(&["a"], nested(128).as_bytes()).is_ok());
    assert_eq!(redact(&["a"], nested(129).as_bytes()), Err(Unreadable::TooDeep));
    let hidden = |depth| format!(r#"{{"a":{}}}"#, nested(depth));
    assert!(redact(&["a"], hidden(127).as_bytes()).is_ok());
    assert_eq!(redact(&["a"], hidden(128).as_bytes()), Err(Unreadable::TooDeep));
}

#[test]
fn sequences_and_nothing() {
    let sequence = |text: &'static [u8]| run(Redactor::of_sequence(&paths(&["a"])), [text]);
    let (out, end) = sequence(b"{\"a\":1}\n{\"b\":2}\n[{\"a\":3}]\n4 5\n");
    assert_eq!(end, Ok(()));
    assert_eq!(out, b"{\"a\":\"[redacted]\"}\n{\"b\":2}\n[{\"a\":\"[redacted]\"}]\n4 5\n");
    assert_eq!(sequence(b"\x1e{\"a\":1}\n\x1e{\"a\":2}").1, Ok(()));
    assert_eq!(sequence(b"{}{}").1, Err(Unreadable::Trailing));
    assert_eq!(sequence(b"{}\n{").1, Err(Unreadable::Cut));
    assert_eq!(sequence(b"[\x1e]").1, Err(Unreadable::Malformed));
    assert_eq!(sequence(b"").1, Ok(()));
    assert_eq!(run(Redactor::of_nothing(), [&b""[..]]).1, Ok(()));
    for text in [&b" "[..], b"{}", b"x"] {
        assert_eq!(run(Redactor::of_nothing(), [text]), (Vec::new(), Err(Unreadable::Trailing)));
    }
}

/// Hides by taking apart: the plain way to say what is meant.
fn reference(value: &mut Value, paths: &[&[Step]]) {
    match value {
        Value::Array(elements) => elements.iter_mut().for_each(|element| reference(element, paths)),
        Value::Object(members) => {
            for (name, value) in members.iter_mut() {
                let rest: Vec<&[Step]> = paths
                    .iter()
                    .filter_map(|path| path.split_first())
                    .filter(|(step, _)| matches!(step, Step::Any) || **step == Step::Name(name.as_str().into()))
                    .map(|(_, rest)| rest)
                    .collect();
                if rest.iter().any(|rest| rest.is_empty()) {
                    *value = json!("[redacted]");
                } else {
                    reference(value, &rest);
                }
            }
        }
        _ => {}
    }
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![8 => "[abc]", 1 => "[a-cé😀\"\\\\\n.]{0,3}"]
}

/// A document; every string and number in it is of the kind that `leaf` makes.
fn document(leaf: BoxedStrategy<Value>) -> impl Strategy<Value = Value> {
    leaf.prop_recursive(6, 64, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::vec((name(), inner), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn leaf() -> BoxedStrategy<Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<i32>().prop_map(|n| Value::from(f64::from(n) / 4.0)),
        ".{0,12}".prop_map(Value::from),
    ]
    .boxed()
}

fn fields() -> impl Strategy<Value = Vec<MemberPath>> {
    let step = prop_oneof![6 => "[abc]", 1 => Just("*".to_owned()), 1 => Just("é😀".to_owned())];
    let path = prop::collection::vec(step, 1..4).prop_map(|steps| MemberPath::parse(&steps.join(".")).unwrap());
    prop::collection::vec(path, 0..5)
}

/// Writes some characters of every string as escapes, names included, and adds white space.
fn escaped(text: &str, seed: u64) -> String {
    let (mut out, mut inside, mut after_backslash, mut random) = (String::new(), false, false, seed | 1);
    let mut digits = 0;
    for c in text.chars() {
        if digits > 0 {
            digits -= 1;
            out.push(c);
            continue;
        }
        digits = if after_backslash && c == 'u' { 4 } else { 0 };
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let chance = random >> 61;
        match c {
            '"' if !after_backslash => {
                inside = !inside;
                out.push(c);
            }
            c if inside && !after_backslash && c != '\\' && chance == 0 => {
                c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04X}")));
            }
            c if !inside && chance == 1 && "{}[],:".contains(c) => {
                out.push(c);
                out.push_str(" \t\r\n");
            }
            c => out.push(c),
        }
        after_backslash = inside && c == '\\' && !after_backslash;
    }
    out
}

/// The pieces of a text that is cut at these places.
fn cut<'t>(text: &'t [u8], cuts: &[prop::sample::Index]) -> Vec<&'t [u8]> {
    let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
    at.extend([0, text.len()]);
    at.sort_unstable();
    at.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn the_same_as_by_taking_apart(
        value in document(leaf()), fields in fields(), seed: u64, cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let text = escaped(&serde_json::to_string(&value).unwrap(), seed);
        prop_assert_eq!(&serde_json::from_str::<Value>(&text).unwrap(), &value);
        let mut wanted = value;
        reference(&mut wanted, &fields.iter().map(MemberPath::steps).collect::<Vec<_>>());
        let redactor = Redactor::new(&fields);
        let (whole, end) = run(redactor.clone(), [text.as_bytes()]);
        prop_assert_eq!(end, Ok(()));
        prop_assert_eq!(serde_json::from_slice::<Value>(&whole).unwrap(), wanted);
        prop_assert_eq!(&run(redactor.clone(), cut(text.as_bytes(), &cuts)), &(whole.clone(), Ok(())));
        prop_assert_eq!(&run(redactor, text.as_bytes().chunks(1)), &(whole, Ok(())));
        if fields.is_empty() {
            prop_assert_eq!(run(Redactor::new(&fields), [text.as_bytes()]).0, text.as_bytes());
        }
    }

    /// Whatever the text is cut to or goes over into, what stood under a hidden name before that is not sent.
    #[test]
    fn a_broken_text_gives_nothing_away(
        value in document("[xy]{0,6}".prop_map(Value::from).boxed()), at: prop::sample::Index, garbage in prop::collection::vec(any::<u8>(), 0..24),
    ) {
        // Everything stands under `a`, so nothing of it may show.
        let text = serde_json::to_string(&json!({"c": [{"a": value}], "b": [1]})).unwrap();
        let mut bytes = text.as_bytes()[..at.index(text.len())].to_vec();
        bytes.extend(garbage.iter().filter(|byte| !b"xy".contains(byte)));
        let (out, _) = run(Redactor::new(&paths(&["c.a"])), bytes.chunks(3));
        prop_assert!(!out.iter().any(|byte| b"xy".contains(byte)), "{}", String::from_utf8_lossy(&out));
    }

    #[test]
    fn what_is_accepted_is_json_and_the_other_way_round(
        bytes in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..32),
            "[\\[\\]{}:, \"a0-9.eE+truefalsn\\\\u-]{0,24}".prop_map(String::into_bytes),
            r#"\{"a":[0-9.eE+-]{1,8}\}"#.prop_map(String::into_bytes),
            r#"\["(\\u[dD][89abcdef][0-9]{2}|\\?[nu"x]){0,4}"\]"#.prop_map(String::into_bytes),
        ],
    ) {
        let (out, end) = run(Redactor::new(&paths(&["a"])), [bytes.as_slice()]);
        let (bytewise, same_end) = run(Redactor::new(&paths(&["a"])), bytes.chunks(1));
        prop_assert_eq!(end, same_end);
        prop_assert!(bytewise.starts_with(&out));
        // Read as a raw value, halves of surrogate pairs and numbers beyond `f64` are accepted by `serde_json` too.
        let known = serde_json::from_slice::<serde::de::IgnoredAny>(&bytes);
        let blank = bytes.iter().all(|byte| b" \n\r\t".contains(byte));
        if known.is_ok() && end.is_err() {
            prop_assert!(bytes.windows(2).any(|pair| pair == b"\\u") || std::str::from_utf8(&bytes).is_err(), "{}", String::from_utf8_lossy(&bytes));
        }
        if end.is_ok() && !blank {
            prop_assert!(known.is_ok(), "{}", String::from_utf8_lossy(&bytes));
            prop_assert!(serde_json::from_slice::<serde::de::IgnoredAny>(&out).is_ok());
        }
    }
}
