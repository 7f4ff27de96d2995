//! What is refused at load, and where.

use super::*;
use crate::model::Source;
use proptest::prelude::*;

/// Line, column and message of every problem.
fn problems(text: &str) -> Vec<(u32, u32, String)> {
    let found = compile(text).expect_err("a problem");
    found.into_iter().map(|p| (p.line.unwrap_or(0), p.column.unwrap_or(0), p.message)).collect()
}

fn refused(text: &str, line: u32, column: u32, message: &str) {
    let found = problems(text);
    assert!(
        found.iter().any(|(l, c, m)| (*l, *c) == (line, column) && m.contains(message)),
        "wanted {line}:{column} {message}, found {found:#?}"
    );
}

#[test]
fn syntax_and_types_with_their_place() {
    refused("permit(principal, action, resource)\nwhen { context.risk < };", 2, 23, "unexpected token");
    refused("permit(principal, action, resource)\nwhen { context.risk < \"high\" };", 2, 23, "\"high\"");
    refused("permit(principal, action, resource) when { context.acr == \"x\" };", 1, 44, "acr");
    refused("permit(principal, action, resource) when { context.colour == \"x\" };", 1, 44, "colour");
    refused("permit(principal, action == Action::\"payy\", resource);", 1, 29, "payy");
    refused("permit(principal == Usr::\"x\", action, resource);", 1, 21, "Usr");
}

#[test]
fn an_annotation_that_is_nearly_one_of_ours_is_a_slip() {
    let with = |annotation: &str| format!("{annotation} permit(principal, action, resource);");
    for (written, meant) in [
        ("@redakt(\"ssn\")", "@redact"),
        ("@Redact(\"ssn\")", "@redact"),
        ("@ondeny(\"flag\")", "@on_deny"),
        ("@maxage(\"5m\")", "@max_age"),
        ("@ID(\"x\")", "@id"),
        ("@exemt(\"orders\")", "@exempt"),
    ] {
        let found = compile(&with(written)).expect_err(written);
        assert!(
            found[0].mend.as_deref().is_some_and(|mend| mend.contains(meant)) && found[0].line.is_some(),
            "{found:?}"
        );
    }
    for own in ["@note(\"x\")", "@owner(\"team-a\")", "@severity(\"high\")"] {
        assert!(compile(&with(own)).is_ok(), "{own}");
    }
    refused(&with("@redact(\"ssn history\")"), 1, 2, "holds a space");
}

#[test]
fn one_mistake_is_told_once_and_in_one_order() {
    let text = "permit(principal, action, resource) when { context.colour == 1 };\npermit(principal, action, resource) when { context.size == 1 };";
    let found = problems(text);
    assert_eq!(found.iter().map(|(line, ..)| *line).collect::<Vec<_>>(), [1, 2], "{found:#?}");
    assert!((0..5).all(|_| problems(text) == found));
}

#[test]
fn all_at_once() {
    let text = "permit(principal, action, resource) when { context.a };\npermit(principal, action, resource) when { context.b };\nforbid(principal, action, resource in Segment::\"x\");";
    let lines: Vec<u32> = problems(text).into_iter().map(|(line, ..)| line).collect();
    assert!([1, 2, 3].iter().all(|line| lines.contains(line)), "{lines:?}");
}

#[test]
fn many_policies_are_validated_in_parts_with_the_same_result() {
    let good: String = (0..200)
        .map(|n| format!("permit(principal, action == Action::\"{}\", resource);\n", ENDPOINTS[n % ENDPOINTS.len()].id))
        .collect();
    assert_eq!(compile(&good).unwrap().len(), 200);
    let escaped = "permit(principal, action, resource) when { action == Action::\"p\\u{61}y\" };";
    assert!(compile(escaped).is_ok());
    let bad = format!(
        "{good}permit(principal, action == Action::\"payy\", resource);\n{good}permit(principal, action, resource) when {{ context.x }};"
    );
    let lines: Vec<u32> = problems(&bad).into_iter().map(|(line, ..)| line).collect();
    assert!(lines.contains(&201) && lines.contains(&402), "{lines:?}");
    assert!(lines.iter().all(|line| [201, 402].contains(line)), "{lines:?}");
}

#[test]
fn what_no_request_can_be_about() {
    refused(
        "forbid(principal, action, resource in Segment::\"paymets\");",
        1,
        48,
        "there is no `Segment::\"paymets\"`",
    );
    refused("forbid(principal, action, resource == Endpoint::\"x\");", 1, 49, "there is no `Endpoint::\"x\"`");
    assert!(compile("forbid(principal, action, resource in Segment::\"empty\");").is_ok());
}

#[test]
fn names_and_annotations() {
    refused(
        "@id(\"a\") permit(principal, action, resource);\n@id(\"a\") permit(principal, action, resource);",
        2,
        2,
        "two policies have the name `a`",
    );
    refused("@id(\"\") permit(principal, action, resource);", 1, 2, "`@id` must have");
    refused("@on_deny(\"boom\")\nforbid(principal, action, resource);", 1, 2, "not an outcome");
    refused("@on_deny(\"flag\")\npermit(principal, action, resource);", 1, 2, "on a permit");
    refused("@acr(\"x\") forbid(principal, action, resource);", 1, 2, "without `@on_deny(\"step_up\")`");
    refused("@on_deny(\"step_up\") @max_age(\"5\") forbid(principal, action, resource);", 1, 22, "`@max_age`");
    refused("@on_deny(\"step_up\") @acr(\"a\\\"b\") forbid(principal, action, resource);", 1, 22, "`@acr` is not");
    refused("@reason(\"a\\nb\") forbid(principal, action, resource);", 1, 2, "`@reason` is not");
}

#[test]
fn limits_to_exempt_from() {
    let permit = "permit(principal, action, resource);";
    refused("@exempt(\"a\") forbid(principal, action, resource);", 1, 2, "lets nothing pass");
    for names in ["@exempt", "@exempt(\"\")", "@exempt(\"a,\")", "@exempt(\" , a\")"] {
        refused(&format!("{names} {permit}"), 1, 2, "names no limit");
    }
    assert!(compile(&format!("@exempt(\"a, b-1\") {permit}")).is_ok());
}

#[test]
fn fields_to_redact() {
    let permit = "permit(principal, action, resource);";
    refused(&format!("@redact(\"a..b\") {permit}"), 1, 2, "`a..b` has an empty step");
    refused(&format!("@id(\"x\")\n@redact(\"a, $.b, c[0]\") {permit}"), 2, 2, "`$.b` starts with `$`");
    refused(&format!("@id(\"x\")\n@redact(\"a, $.b, c[0]\") {permit}"), 2, 2, "`c[0]` holds a bracket");
    refused(&format!("@redact(\"\") {permit}"), 1, 2, "empty step");
    refused(&format!("@redact {permit}"), 1, 2, "empty step");
    refused("@redact(\"a\") forbid(principal, action, resource);", 1, 2, "lets nothing pass");
    refused("@on_deny(\"step_up\") @redact(\"a\") forbid(principal, action, resource);", 1, 22, "lets nothing pass");
    let many = |from: usize, to: usize| (from..to).map(|n| format!("f{n}")).collect::<Vec<_>>().join(",");
    assert!(compile(&format!("@redact(\"{}\") {permit}", many(0, 64))).is_ok());
    refused(&format!("@redact(\"{}\") {permit}", many(0, 65)), 1, 2, "names 65 fields");
    let all = |policies: usize| {
        (0..policies).map(|n| format!("@redact(\"{}\") {permit}\n", many(n * 64, n * 64 + 64))).collect::<String>()
    };
    assert!(compile(&all(16)).is_ok());
    assert!(compile(&all(17)).unwrap_err()[0].message.contains("1088 different fields"));
}

#[test]
fn constructs_that_are_not_compiled() {
    refused("permit(principal == ?principal, action, resource);", 1, 21, "template");
    let whole = compile::unvalidated(
        &Config::default(),
        "permit(principal, action, resource) when { context == {} };",
        &vocabulary(),
    );
    let problem = whole.unwrap_err().remove(0);
    assert!(problem.message.contains("`context` as a whole value"), "{problem}");
    assert_eq!((problem.line, problem.column), (Some(1), Some(44)));
}

#[test]
fn hostile_text_is_refused_before_the_parser() {
    refused(
        &format!("permit(principal, action, resource) when {{ {} }};", "(".repeat(100_000)),
        1,
        91,
        "nested too deep",
    );
    refused(
        &format!("permit(principal, action, resource) when {{ {}true }};", "if true then true else ".repeat(5_000)),
        1,
        1,
        "nested too deep",
    );
    assert!(compile(&" ".repeat(9 << 20)).unwrap_err()[0].message.contains("at most"));
}

#[test]
fn the_deepest_text_that_passes_fits_any_stack() {
    let wrap = |body: String| format!("permit(principal, action, resource) when {{ {body} }};");
    let repeat = |n: usize, open: &str, middle: &str, close: &str| {
        wrap(format!("{}{middle}{}", open.repeat(n), close.repeat(n)))
    };
    let texts = [
        repeat(47, "(", "true", ")"),
        repeat(46, "[", "1", "]"),
        repeat(46, "{a:", "1", "}"),
        repeat(187, "true && ", "true", ""),
        repeat(187, "if true then true else ", "true", ""),
        repeat(187, "if ", "true", " then true else true"),
        repeat(187, "1 + ", "1", ""),
        repeat(31, "[1].contains(", "1", ")"),
        repeat(187, "", "context", ".a"),
    ];
    let run = move || texts.iter().for_each(|text| drop(compile(text)));
    #[allow(clippy::disallowed_methods)] // A small stack is what is tested.
    std::thread::Builder::new().stack_size(256 << 10).spawn(run).unwrap().join().unwrap();
}

#[test]
fn a_vocabulary_that_contradicts_itself() {
    let endpoints = [
        Endpoint { id: "read", method: "GET", segment: None },
        Endpoint { id: "a", method: "GET", segment: None },
        Endpoint { id: "a", method: "GET", segment: None },
    ];
    let vocabulary = Vocabulary { endpoints: &endpoints, segments: &[], elsewhere: &[] };
    let found = Policy::compile(&Config::default(), &[], &vocabulary).unwrap_err();
    let text: Vec<&str> = found.iter().map(|p| p.message.as_str()).collect();
    assert!(
        text[0].contains("name of a group") && text[1].contains("two endpoints") && text[2].contains("no policies"),
        "{text:?}"
    );
}

#[test]
fn the_schema_takes_any_endpoint_name() {
    let endpoints = [Endpoint { id: "GET /\"q\"\\{x}\n\u{e9}", method: "GET", segment: Some("a\"b") }];
    let vocabulary = Vocabulary { endpoints: &endpoints, segments: &[], elsewhere: &[] };
    let text = schema(&vocabulary, &[]);
    cedar_policy::Schema::from_cedarschema_str(&text).map(drop).unwrap();
    let sources = [Source {
        key: "policy.text".to_owned(),
        name: Some("a.cedar"),
        text: "permit(principal, action, resource in Segment::\"a\\\"b\");",
    }];
    let policy = Policy::compile(&Config::default(), &sources, &vocabulary).unwrap();
    assert_eq!(policy.id(0), Some("a.cedar:policy0"));
    assert_eq!(verdict(&policy, &request(None, 0)), Verdict::Allow);
}

proptest! {
    #[test]
    fn arbitrary_text_never_panics(text in "[a-z(){}\\[\\]\"@;:,.&|!=<>+*0-9 \\\\-]{0,200}") {
        let _ = compile(&text);
    }
}

#[test]
fn declared_attributes_that_mean_nothing() {
    type Change = fn(&mut AttributeConfig);
    let one = |name: &str, change: Change| {
        let mut attribute = AttributeConfig {
            name: name.to_owned(),
            claim: Some("dept".to_owned()),
            ty: AttributeType::String,
            ..AttributeConfig::default()
        };
        change(&mut attribute);
        attribute
    };
    let found = |context: Vec<AttributeConfig>| -> Vec<(String, String)> {
        let sources =
            [Source { key: "policy.text".to_owned(), name: None, text: "permit(principal, action, resource);" }];
        let compiled = Policy::compile(&Config { context, ..Config::default() }, &sources, &vocabulary());
        compiled.err().unwrap_or_default().into_iter().map(|p| (p.key, p.message)).collect()
    };
    let same = |_: &mut AttributeConfig| {};
    assert_eq!(found(vec![one("dept", same), one("_x9", same), one("whose", same)]), []);
    for name in ["", "9a", "a-b", "a.b", "\u{e9}", "if", "has", "__cedar", "a\"", &"a".repeat(257)] {
        let found = found(vec![one(name, same)]);
        assert!(matches!(&*found, [(key, _)] if key == "policy.context[0].name"), "{name}: {found:?}");
    }
    assert_eq!(found(vec![one("tenant", same)])[0].1, "every request has an attribute of this name already");
    assert_eq!(
        found(vec![one("a", same), one("a", same)]),
        [("policy.context[1].name".to_owned(), "declared twice".to_owned())]
    );
    let changes: [(&str, Change); 8] = [
        ("name", |a| a.claim = None),
        ("name", |a| a.query = Some("q".to_owned())),
        ("claim", |a| a.claim = Some(String::new())),
        ("header", |a| (a.claim, a.header) = (None, Some("x y".to_owned()))),
        ("header", |a| (a.claim, a.header) = (None, Some("Authorization".to_owned()))),
        ("query", |a| (a.claim, a.query) = (None, Some("a\n".to_owned()))),
        ("type", |a| (a.claim, a.variable, a.ty) = (None, Some("id".to_owned()), AttributeType::Strings)),
        ("type", |a| (a.claim, a.header, a.ty) = (None, Some("x".to_owned()), AttributeType::Strings)),
    ];
    for (key, change) in changes {
        let found = found(vec![one("a", change)]);
        assert!(matches!(&*found, [(k, _)] if *k == format!("policy.context[0].{key}")), "{key}: {found:?}");
    }
    let many = |n: usize| (0..n).map(|at| one(&format!("a{at}"), same)).collect::<Vec<_>>();
    assert_eq!((found(many(64)).len(), found(many(65)).len()), (0, 1));
}

#[test]
fn declared_attributes_are_optional_and_typed() {
    let level = AttributeConfig {
        name: "level".to_owned(),
        claim: Some("level".to_owned()),
        ty: AttributeType::Long,
        ..AttributeConfig::default()
    };
    let compile = |condition: &str| {
        let text = format!("permit(principal, action, resource) when {{ {condition} }};");
        let sources = [Source { key: "policy.text".to_owned(), name: None, text: &text }];
        Policy::compile(&Config { context: vec![level.clone()], ..Config::default() }, &sources, &vocabulary())
    };
    let policy = compile("context has level && context[\"level\"] > 3").unwrap();
    assert_eq!(policy.reads().declared, [Some((AttributeSource::Claim("level".into()), AttributeType::Long))]);
    let holds = |level| policy.evaluate(&Request { declared: &[level], ..request(None, 0) }).verdict;
    assert_eq!(holds(Some(Attribute::Long(4))), Verdict::Allow);
    assert_eq!([holds(Some(Attribute::Long(3))), holds(None)], [Verdict::Deny; 2]);
    assert_eq!(compile("context.risk < 5").unwrap().reads(), &Reads { declared: vec![None], ..Reads::default() });
    assert!(
        compile("context has tenant").unwrap().reads().tenant
            && compile("context has client_id").unwrap().reads().client_id
    );
    for refused in ["context.level > 3", "context has level && context.level == \"3\"", "context has dept"] {
        assert!(compile(refused).is_err(), "{refused}");
    }
}
