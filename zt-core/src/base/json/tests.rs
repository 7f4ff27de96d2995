use proptest::prelude::*;

use super::*;

const WIDE: Limits = Limits {
    bytes: usize::MAX,
    depth: 127,
    values: u32::MAX,
    members: u32::MAX,
    elements: u32::MAX,
    number_digits: u32::MAX,
    key_bytes: usize::MAX,
};

fn kind(text: impl AsRef<[u8]>, limits: &Limits) -> Option<ErrorKind> {
    validate(text.as_ref(), limits).err().map(|error| error.kind)
}

/// `Some(accepted)` where `serde_json` has a say; numbers beyond `f64` are grammar all the same.
fn reference(bytes: &[u8]) -> Option<bool> {
    match serde_json::from_slice::<serde_json::Value>(bytes) {
        Ok(_) => Some(true),
        Err(error) if error.to_string().starts_with("number out of range") => None,
        Err(_) => Some(false),
    }
}

fn agrees(bytes: &[u8]) -> Result<(), TestCaseError> {
    let ours = kind(bytes, &WIDE);
    match reference(bytes) {
        Some(true) => prop_assert!(matches!(ours, None | Some(ErrorKind::DuplicateKey)), "{:?}: {:?}", bytes, ours),
        Some(false) => prop_assert!(ours.is_some(), "{:?} accepted", bytes),
        None => {}
    }
    Ok(())
}

#[test]
fn tokens_come_in_order() {
    let mut scanner = Scanner::new(br#" {"a\u0062":[1.5e3,true,null,"x\n"],"c":{}} "#, &Limits::default());
    let mut seen = Vec::new();
    while let Some(token) = scanner.next().unwrap() {
        seen.push(match token {
            Token::Key(name) => format!("key {}", name.unescape()),
            Token::String(string) => format!("string {:?}", string.unescape()),
            Token::Number(number) => number.to_owned(),
            other => format!("{other:?}"),
        });
    }
    let expected = [
        "BeginObject",
        "key ab",
        "BeginArray",
        "1.5e3",
        "Bool(true)",
        "Null",
        "string \"x\\n\"",
        "EndArray",
        "key c",
        "BeginObject",
        "EndObject",
        "EndObject",
    ];
    assert_eq!(seen, expected);
    assert_eq!(scanner.next(), Ok(None));
}

#[test]
fn each_kind_of_error_at_its_byte() {
    let cases: &[(&[u8], ErrorKind, usize)] = &[
        (b"", ErrorKind::UnexpectedEnd, 0),
        (b"{\"a\":", ErrorKind::UnexpectedEnd, 5),
        (b"\"ab", ErrorKind::UnexpectedEnd, 3),
        (b"\"\\ud800", ErrorKind::UnexpectedEnd, 7),
        (b"\"a\xE4\xB8", ErrorKind::UnexpectedEnd, 4),
        (b"tru", ErrorKind::UnexpectedEnd, 3),
        (b"1.", ErrorKind::UnexpectedEnd, 2),
        (b"{} x", ErrorKind::TrailingData, 3),
        (b"{}{}", ErrorKind::TrailingData, 2),
        (b"1\0", ErrorKind::TrailingData, 1),
        (b"[1,]", ErrorKind::Malformed, 3),
        (b"[,1]", ErrorKind::Malformed, 1),
        (b"{\"a\":1,}", ErrorKind::Malformed, 7),
        (b"{,}", ErrorKind::Malformed, 1),
        (b"[}", ErrorKind::Malformed, 1),
        (b"[1}", ErrorKind::Malformed, 2),
        (b"{\"a\" 1}", ErrorKind::Malformed, 5),
        (b"01", ErrorKind::Malformed, 0),
        (b"-x", ErrorKind::Malformed, 1),
        (b"+1", ErrorKind::Malformed, 0),
        (b"NaN", ErrorKind::Malformed, 0),
        (b"'a'", ErrorKind::Malformed, 0),
        (b"// c\n1", ErrorKind::Malformed, 0),
        (b"\"\\x41\"", ErrorKind::Malformed, 2),
        (b"\"\\u00g0\"", ErrorKind::Malformed, 5),
        (b"\"\\ud800\"", ErrorKind::LoneSurrogate, 1),
        (b"\"\\ud800\\n \"", ErrorKind::LoneSurrogate, 1),
        (b"\"\\ud800\\u0041\"", ErrorKind::LoneSurrogate, 1),
        (b"\"\\udc00\"", ErrorKind::LoneSurrogate, 1),
        (b"\"12345678\x019\"", ErrorKind::ControlCharacter, 9),
        (b"\"a\n\"", ErrorKind::ControlCharacter, 2),
        (b"\"a\xFF\"", ErrorKind::InvalidUtf8, 2),
        (b"\"\xC0\xAF\"", ErrorKind::InvalidUtf8, 1),
        (b"\"\xED\xA0\x80\"", ErrorKind::InvalidUtf8, 1),
        (b"\xFF\xFE{\0}\0", ErrorKind::InvalidUtf8, 0),
        (b"\xEF\xBB\xBF{}", ErrorKind::ByteOrderMark, 0),
        (b"{\"a\":1,\"a\":2}", ErrorKind::DuplicateKey, 7),
        (b"{\"a\":1,\"\\u0061\":2}", ErrorKind::DuplicateKey, 7),
        (b"[{\"x\":{\"a\":1,\"b\":1,\"a\":2}}]", ErrorKind::DuplicateKey, 19),
    ];
    for (text, kind, offset) in cases {
        let error = validate(text, &Limits::default()).unwrap_err();
        assert_eq!((error.kind, error.offset), (*kind, *offset), "{}", String::from_utf8_lossy(text));
    }
}

#[test]
fn an_error_stays() {
    let mut scanner = Scanner::new(b"[1 2]", &Limits::default());
    while let Ok(Some(_)) = scanner.next() {}
    assert_eq!(scanner.next(), Err(Error { kind: ErrorKind::Malformed, offset: 3 }));
    assert_eq!(scanner.next(), Err(Error { kind: ErrorKind::Malformed, offset: 3 }));
}

#[test]
fn limits_hold_exactly() {
    let base = Limits::default();
    let depth = Limits { depth: 2, ..base };
    assert_eq!(kind("[[1]]", &depth), None);
    assert_eq!(kind("[[[]]]", &depth), Some(ErrorKind::TooDeep));
    let values = Limits { values: 3, ..base };
    assert_eq!(kind("[1,2]", &values), None);
    assert_eq!(kind("[1,2,3]", &values), Some(ErrorKind::TooManyValues));
    let members = Limits { members: 1, ..base };
    assert_eq!(kind(r#"{"a":{"b":1}}"#, &members), None);
    assert_eq!(kind(r#"{"a":1,"b":1}"#, &members), Some(ErrorKind::TooManyMembers));
    let elements = Limits { elements: 1, ..base };
    assert_eq!(kind("[[1]]", &elements), None);
    assert_eq!(kind("[1,1]", &elements), Some(ErrorKind::TooManyMembers));
    let digits = Limits { number_digits: 4, ..base };
    assert_eq!(kind("-12.3e+4", &digits), None);
    assert_eq!(kind("-12.3e+45", &digits), Some(ErrorKind::NumberTooLong));
    let bytes = Limits { bytes: 4, ..base };
    assert_eq!(kind("null", &bytes), None);
    assert_eq!(kind("false", &bytes), Some(ErrorKind::TooLarge));
    let key = Limits { key_bytes: 2, ..base };
    assert_eq!(kind(r#"{"ab":"abc"}"#, &key), None);
    assert_eq!(kind(r#"{"abc":1}"#, &key), Some(ErrorKind::TooLarge));
}

#[test]
fn many_names_are_told_apart_and_doubles_found() {
    let object = |names: &mut dyn Iterator<Item = String>| {
        let members: Vec<_> = names.map(|name| format!("\"{name}\":{{\"k1\":0}}")).collect();
        format!("{{{}}}", members.join(","))
    };
    for count in [15, 16, 17, 18, 500] {
        let distinct = object(&mut (0..count).map(|i| format!("k{i}")));
        assert_eq!(kind(&distinct, &Limits::default()), None, "{count}");
        for double in [0, count / 2, count - 1] {
            let twice = object(&mut (0..count).map(|i| format!("k{i}")).chain([format!("\\u006b{double}")]));
            assert_eq!(kind(&twice, &Limits::default()), Some(ErrorKind::DuplicateKey), "{count} {double}");
        }
    }
}

#[test]
fn hostile_depth_needs_no_stack() {
    let limits = Limits { depth: u32::MAX, values: u32::MAX, ..Limits::default() };
    let open = "[".repeat(500_000);
    assert_eq!(kind(&open, &limits), Some(ErrorKind::UnexpectedEnd));
    assert_eq!(kind(format!("{open}{}", "]".repeat(500_000)), &limits), None);
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::Value;
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 20, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..24)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Builds what the tokens say.
fn rebuild(bytes: &[u8]) -> serde_json::Value {
    use serde_json::Value;
    let mut scanner = Scanner::new(bytes, &WIDE);
    let mut stack: Vec<(Option<String>, Value)> = Vec::new();
    let mut key = None;
    loop {
        let done = match scanner.next().unwrap().expect("a whole value") {
            Token::BeginObject => {
                stack.push((key.take(), Value::Object(Default::default())));
                continue;
            }
            Token::BeginArray => {
                stack.push((key.take(), Value::Array(Vec::new())));
                continue;
            }
            Token::Key(name) => {
                key = Some(name.unescape().into_owned());
                continue;
            }
            Token::EndObject | Token::EndArray => stack.pop().unwrap(),
            Token::String(string) => (key.take(), Value::from(string.unescape().into_owned())),
            Token::Number(number) => (key.take(), serde_json::from_str(number).unwrap()),
            Token::Bool(truth) => (key.take(), Value::from(truth)),
            Token::Null => (key.take(), Value::Null),
        };
        match stack.last_mut() {
            None => return done.1,
            Some((_, Value::Object(members))) => drop(members.insert(done.0.unwrap(), done.1)),
            Some((_, Value::Array(elements))) => elements.push(done.1),
            Some(_) => unreachable!(),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_bytes_never_panic_and_agree(bytes: Vec<u8>) {
        agrees(&bytes)?;
    }

    #[test]
    fn json_like_text_agrees(text in r#"([\[\]{},: "\\a0-9.eE+\-\u0000\u00e9]|true|null|"a"|\\u[0-9a-dA-D]{4}|\\u[dD][89c-fC-F]00){0,24}"#) {
        agrees(text.as_bytes())?;
        agrees(format!("\"{text}\"").as_bytes())?;
    }

    #[test]
    fn strings_mean_the_same(parts in prop::collection::vec(prop_oneof![
        Just(r"\ud83d\ude00".to_owned()), Just(r"\u00e9".to_owned()), Just(r"\/\b\f\n\r\t".to_owned()),
        Just(r#"\"\\"#.to_owned()), "[^\\x00-\\x1f\"\\\\]{0,12}",
    ], 0..8)) {
        let text = format!("\"{}\"", parts.concat());
        let expected: String = serde_json::from_str(&text).unwrap();
        let mut scanner = Scanner::new(text.as_bytes(), &WIDE);
        let Ok(Some(Token::String(string))) = scanner.next() else { panic!("{text}") };
        prop_assert_eq!(&*string.unescape(), &expected);
        prop_assert!(string == *expected);
        prop_assert_eq!(string.is_escaped(), text.contains('\\'));
    }

    #[test]
    fn values_survive(value in json(), mutation: Option<(prop::sample::Index, u8)>) {
        let mut text = serde_json::to_vec(&value).unwrap();
        prop_assert_eq!(rebuild(&text), serde_json::from_slice::<serde_json::Value>(&text).unwrap());
        agrees(&serde_json::to_vec_pretty(&value).unwrap())?;
        if let Some((at, byte)) = mutation {
            let at = at.index(text.len());
            text[at] = byte;
            agrees(&text)?;
            text.truncate(at);
            agrees(&text)?;
        }
    }

    #[test]
    fn a_cut_text_ends_unexpectedly(value in json(), at: prop::sample::Index) {
        let text = format!("[{value}]");
        let cut = &text.as_bytes()[..at.index(text.len())];
        prop_assert_eq!(kind(cut, &WIDE), Some(ErrorKind::UnexpectedEnd));
    }
}
