//! Policy text that is meant to hurt: refused by a stated cap with its place; all of it at once.

use super::*;
use crate::model::Source;
use proptest::prelude::*;

fn wrap(body: &str) -> String {
    format!("permit(principal, action, resource) when {{ {body} }};\n")
}

#[test]
fn each_cap_says_where_what_and_how_to_mend_it() {
    let cases = [
        ("[".repeat(100), 1, 91, "nested too deep", "split it into policies"),
        ("x.".repeat(300) + "x", 1, 1, "nested too deep", "split it into policies"),
        (
            format!("context.method == \"{}\"", "x".repeat(1_000_000)),
            1,
            62,
            "65536 bytes: `\"xxxx",
            "something shorter",
        ),
        (format!("[{}].contains(1)", vec!["1"; 10_001].join(", ")), 1, 30_043, "10000 members: `, 1]", "ask `in`"),
        (format!("context.method like \"{}\"", "a*".repeat(5_000)), 1, 64, "100 wildcards: `\"a*a*", "several `like`"),
        (vec!["true"; 5_000].join(" && "), 1, 1, "nested too deep", "split it into policies"),
    ];
    for (body, line, column, message, mend) in cases {
        let found = compile(&wrap(&body)).unwrap_err();
        let [problem] = found.as_slice() else { panic!("{} problems, first {}", found.len(), found[0]) };
        assert_eq!((problem.line, problem.column), (Some(line), Some(column)), "{problem}");
        assert!(problem.message.contains(message) && problem.message.len() < 600, "{problem}");
        assert!(problem.mend.as_ref().is_some_and(|text| text.contains(mend)), "{problem}");
    }
    let clauses = format!("permit(principal, action, resource){};", "\nwhen { true }".repeat(3_000));
    let found = compile(&clauses).unwrap_err();
    let clauses = found.iter().find(|problem| problem.message.contains("more than 64 `when` and `unless`"));
    assert_eq!(clauses.and_then(|problem| problem.line), Some(66), "{found:#?}");
    let annotated = format!("{}{}", "@a(\"\")\n".repeat(3_000), wrap("true"));
    let found = compile(&annotated).unwrap_err();
    assert!(found[0].message.contains("more than 64 annotations") && found[0].line == Some(65), "{}", found[0]);
}

#[test]
fn what_is_far_past_every_cap_is_refused() {
    let most = 8 << 20;
    let fill = |part: &str| part.repeat(most / part.len());
    let texts = [
        ("8 MB of [", fill("[")),
        ("8 MB of permit(", fill("permit(")),
        ("8 MB of permit(;", fill("permit(;")),
        ("8 MB of ;", fill(";")),
        ("8 MB of @a", fill("@a")),
        ("8 MB of \"", fill("\"")),
        ("8 MB of )", fill(")")),
        (
            "8 MB of when {}",
            format!(
                "permit(principal, action, resource) {};",
                fill("when {true} ").get(..8_000_000).unwrap_or_default()
            ),
        ),
        ("100,000 conjuncts", wrap(&vec!["true"; 100_000].join(" && "))),
        ("100,000 members", wrap(&format!("[{}].contains(1)", vec!["1"; 100_000].join(", ")))),
        ("a string of 7 MB", wrap(&format!("\"{}\" == \"\"", "x".repeat(7 << 20)))),
        ("200,000 policies", "permit(principal,action,resource);".repeat(200_000)),
        ("9 MB", " ".repeat(9 << 20)),
    ];
    for (name, text) in &texts {
        let found = compile(text).expect_err(name);
        assert!(!found.is_empty() && found.len() <= 102, "{name}: {}", found.len());
        assert!(found.iter().all(|problem| problem.message.len() < 1_000), "{name}");
    }
}

/// Sets are compared in both directions: two times two at each level, and two to the 40th here.
#[test]
fn sets_in_sets_are_compared_in_bounded_time() {
    let nested = |depth: usize, inner: &str| format!("{}{inner}{}", "[".repeat(depth), "]".repeat(depth));
    let asked = |depth: usize| {
        let (constant, built) = (nested(depth, "1"), nested(depth, "context.risk + 1"));
        [(&constant, &constant), (&constant, &built), (&built, &built)].map(|(a, b)| {
            let policy = compile(&wrap(&format!("{a} == {b}"))).unwrap();
            policy.evaluate(&request(None, 0)).errors.len()
        })
    };
    assert_eq!(asked(8), [0; 3]);
    assert_eq!(asked(40), [1; 3]);
}

#[test]
fn what_is_just_within_the_caps_loads() {
    let members: Vec<String> = (0..10_000).map(|n| n.to_string()).collect();
    let texts = [
        ("10,000 members", wrap(&format!("[{}].contains(context.risk)", members.join(", ")))),
        ("a string of 64 KiB", wrap(&format!("context.method == \"{}\"", "x".repeat((64 << 10) - 2)))),
        ("64 clauses", format!("permit(principal, action, resource){};", " when { context.risk < 2 }".repeat(64))),
        ("100 wildcards", wrap(&format!("context.method like \"{}\"", "a*".repeat(100)))),
        ("64 clauses of the deepest", {
            let deep = format!("when {{ {}true }} ", "true && ".repeat(120));
            format!("permit(principal, action, resource) {};", deep.repeat(64))
        }),
    ];
    for (name, text) in &texts {
        assert!(compile(text).is_ok(), "{name}");
    }
}

#[test]
fn a_mistake_hides_no_other_in_this_file_or_the_next() {
    let texts = [
        "permit(principal, action, resource) when { context.risk < };\npermit(principal, action, resource) when { context.colour == 1 };\n",
        "permit(principal, action == Action::\"payy\", resource);\nforbid(principal, action, resource) whn { true };\n@id(\"ok\") permit(principal, action, resource);\npermit(principal action);",
        "permit(principal, action, resource in Segment::\"nowhere\");",
    ];
    let long = wrap(&format!("[{}].isEmpty()", vec!["1"; 20_000].join(",")));
    let names = ["a.cedar", "b.cedar", "c.cedar", "d.cedar"];
    let sources: Vec<Source<'_>> = texts
        .iter()
        .copied()
        .chain([&*long])
        .zip(names)
        .map(|(text, name)| Source { key: "policy.files[0]".to_owned(), name: Some(name), text })
        .collect();
    let found = Policy::compile(&Config::default(), &sources, &vocabulary()).unwrap_err();
    let places: Vec<(&str, u32)> =
        found.iter().map(|p| (p.file.as_deref().unwrap_or_default(), p.line.unwrap_or_default())).collect();
    for wanted in
        [("a.cedar", 1), ("a.cedar", 2), ("b.cedar", 1), ("b.cedar", 2), ("b.cedar", 4), ("c.cedar", 1), ("d.cedar", 1)]
    {
        assert!(places.contains(&wanted), "{wanted:?} of {found:#?}");
    }
    assert!(!places.contains(&("b.cedar", 3)), "{found:#?}");
}

#[test]
fn too_many_mistakes_are_not_all_told() {
    let text = "permit(principal, action, resource) when { 1 + };\n".repeat(5_000);
    let found = compile(&text).unwrap_err();
    assert_eq!(found.len(), 101);
    assert!(found[100].message.contains("more than 100 mistakes"), "{}", found[100]);
}

#[test]
fn clauses_beyond_number_do_not_exhaust_a_small_stack() {
    let text = format!("permit(principal, action, resource){};", " when { true }".repeat(100_000));
    let within = format!("permit(principal, action, resource){};", " when { true && true }".repeat(64));
    #[allow(clippy::disallowed_methods)] // A small stack is what is tested.
    let run = std::thread::Builder::new().stack_size(256 << 10).spawn(move || {
        assert!(compile(&text).is_err());
        assert!(compile(&within).is_ok());
    });
    run.unwrap().join().unwrap();
}

proptest! {
    /// Whatever is broken, the policies around it are read as they are alone.
    #[test]
    fn good_policies_survive_bad_neighbours(bad in "[a-z(){}\\[\\]\"@:,.&|!=<>+*0-9 ]{0,40}") {
        let good = "forbid(principal, action, resource in Segment::\"nowhere\");";
        let found = compile(&format!("{good}\n{bad};\n")).unwrap_err();
        prop_assert!(found.iter().any(|problem| problem.line == Some(1) && problem.message.contains("nowhere")), "{found:#?}");
    }
}

#[test]
fn mistakes_beyond_number_are_not_all_told() {
    let count = if cfg!(debug_assertions) { 600 } else { 20_000 };
    let repeated = |one: &dyn Fn(usize) -> String| (0..count).map(one).collect::<String>();
    let nowhere: Vec<String> =
        (0..if cfg!(debug_assertions) { 900 } else { 9_000 }).map(|n| format!("Segment::\"nowhere {n}\"")).collect();
    let texts = [
        ("unknown attributes", repeated(&|_| wrap("context.colour == 1"))),
        ("unknown segments", repeated(&|n| format!("permit(principal, action, resource in Segment::\"s{n}\");\n"))),
        ("grades", repeated(&|_| format!("@on_deny(\"never\") {}", wrap("true").replace("permit", "forbid")))),
        ("names", repeated(&|_| format!("@id(\"same\") {}", wrap("true")))),
        ("long names", repeated(&|_| format!("@id(\"{}\") {}", "x".repeat(201), wrap("true")))),
        ("unknown segments in one set", wrap(&format!("resource in [{}]", nowhere.join(", ")))),
    ];
    for (name, text) in &texts {
        let found = compile(text).expect_err(name);
        assert!(found.len() <= 303, "{name}: {}", found.len());
    }
    // The last of many is looked at all the same.
    let last = format!("{}{}", wrap("true").repeat(count), wrap("context.colour == 1"));
    let found = compile(&last).unwrap_err();
    assert_eq!(found[0].line, Some(u32::try_from(count).unwrap() + 1), "{}", found[0]);
}
