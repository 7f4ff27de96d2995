use proptest::prelude::*;

use super::*;

fn read(read: impl FnOnce(&mut dyn FnMut(Leaf<'_>))) -> Vec<String> {
    let mut seen = Vec::new();
    read(&mut |leaf| {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        seen.push(format!("{:?} {}={}", leaf.place, text(leaf.name), text(leaf.value)));
    });
    seen
}

fn body_of(content_type: &str, bytes: &[u8]) -> Vec<String> {
    read(|mut visit| body(Some(content_type.as_bytes()), bytes, &Limits::default(), &mut visit))
}

#[test]
fn parameters_are_decoded_once() {
    let found = read(|mut visit| form(Place::Query, b"a=1&&b%20c=%2541+x&flag&=v&d=%zz%4", &mut visit));
    assert_eq!(found, ["Query a=1", "Query b c=%41 x", "Query flag=", "Query =v", "Query d=%zz%4"]);
    assert!(read(|mut visit| form(Place::Query, b"", &mut visit)).is_empty());
}

#[test]
fn json_values_by_path() {
    let text = br#"{"a":{"b":[1,{"c":"x\u0041"},[true]]},"d":null,"e":[],"f":-1.5e3}"#;
    let found = body_of("application/json", text);
    let expected =
        ["$.a.b[]=1", "$.a.b[].c=xA", "$.a.b[][]=true", "$.d=null", "$.f=-1.5e3"].map(|leaf| format!("Json {leaf}"));
    assert_eq!(found, expected);
    assert_eq!(body_of("application/json", b" 7 "), ["Json $=7"]);
    assert_eq!(body_of("application/x-ndjson", b"{\"a\":1}\n\n{\"b\":2}"), ["Json $.a=1", "Json $.b=2"]);
}

#[test]
fn broken_json_is_read_as_far_as_it_goes_and_then_tolerantly() {
    let text = br#"{"id":7,"name:"Ann"; "tags":["x" "admin":true}"#;
    let found = body_of("application/json", text);
    assert_eq!(found.first().map(String::as_str), Some("Json $.id=7"));
    assert!(found.contains(&"Json ~admin=true".to_owned()), "{found:?}");
    assert_eq!(body_of("application/json", br#"{name":"Ann\"x";"qty":2}"#), [r#"Json ~name=Ann\"x"#, "Json ~qty=2"]);
}

#[test]
fn parts_with_their_files() {
    let text = b"--X\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nhi\r\nthere\r\n--X\r\n\
        content-disposition: form-data; filename=\"a;b.png\"; name=file\r\nContent-Type: image/png\r\n\r\nPNG\r\n--X--\r\n";
    let found = body_of("multipart/form-data; boundary=X", text);
    assert_eq!(found, ["Part note=hi\r\nthere", "Part file;filename=a;b.png", "Part file=PNG"]);
}

#[test]
fn cookies_one_by_one() {
    let found = read(|mut visit| cookies(b" sid=a=b ; theme=dark;; lone", &mut visit));
    assert_eq!(found, ["Cookie sid=a=b", "Cookie theme=dark", "Cookie =lone"]);
}

#[test]
fn bodies_by_type() {
    assert_eq!(body_of("text/plain", b"hello"), ["Text =hello"]);
    assert_eq!(body_of("text/plain", b" [1]"), ["Json $[]=1"]);
    assert!(body_of("image/png", b"\x89PNG\xff").is_empty());
    assert_eq!(body_of("application/x-www-form-urlencoded", b"a=b"), ["Form a=b"]);
}

proptest! {
    #[test]
    fn any_bytes_of_any_type_are_survived(bytes: Vec<u8>, kind in 0..6_usize) {
        let kinds = ["application/json", "application/x-ndjson", "application/json-seq", "multipart/x; boundary=-",
            "application/x-www-form-urlencoded", "text/plain"];
        let total: usize = body_of(kinds[kind], &bytes).len();
        prop_assert!(total <= 2 * bytes.len() + 1);
    }

    /// What a strict reader makes of a JSON text, value by value.
    #[test]
    fn json_leaves_are_those_of_serde(value in any_json()) {
        fn walk(value: &serde_json::Value, path: &str, out: &mut Vec<String>) {
            match value {
                serde_json::Value::Object(members) => {
                    members.iter().for_each(|(name, value)| walk(value, &format!("{path}.{name}"), out));
                }
                serde_json::Value::Array(elements) => {
                    elements.iter().for_each(|value| walk(value, &format!("{path}[]"), out));
                }
                serde_json::Value::String(text) => out.push(format!("Json {path}={text}")),
                other => out.push(format!("Json {path}={other}")),
            }
        }
        let mut expected = Vec::new();
        walk(&value, "$", &mut expected);
        prop_assert_eq!(body_of("application/json", value.to_string().as_bytes()), expected);
    }
}

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(serde_json::Value::from),
        any::<i64>().prop_map(serde_json::Value::from),
        "[a-z\"\\\\é ]{0,6}".prop_map(serde_json::Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(serde_json::Value::from),
            proptest::collection::btree_map("[a-c\"é]{0,3}", inner, 0..6)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}
