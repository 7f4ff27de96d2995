//! Templates and their links.

use super::*;
use crate::model::Source;

const TEMPLATE: &str = r#"@id("owner") @reason("mine") permit(principal == ?principal, action, resource in ?resource);
@id("reader") permit(principal in ?principal, action in Action::"read", resource) when { context.risk < 500 };
@id("stop") @on_deny("step_up") forbid(principal, action, resource in ?resource) when { context.risk > 300 };
@id("all") permit(principal is ApiKey, action, resource);
"#;

fn link(template: &str, id: &str, principal: Option<&str>, resource: Option<&str>) -> Link {
    let owned = |text: Option<&str>| text.map(str::to_owned);
    Link { template: template.to_owned(), id: id.to_owned(), principal: owned(principal), resource: owned(resource) }
}

fn linked(text: &str, links: Vec<Link>) -> Result<Policy, Vec<Problem>> {
    let sources = [Source { key: "policy.text".to_owned(), name: None, text }];
    Policy::compile(&Config { link: links, ..Config::default() }, &sources, &vocabulary())
}

/// Links for all of [`TEMPLATE`].
fn links() -> Vec<Link> {
    vec![
        link("owner", "annas-orders", Some("User::\"anna\""), Some("Segment::\"orders\"")),
        link("reader", "readers", Some("Role::\"reader\""), None),
        link("stop", "careful-payments", None, Some("Segment::\"payments\"")),
    ]
}

#[test]
fn a_link_is_the_policy_with_its_slots_filled() {
    let policy = linked(TEMPLATE, links()).unwrap();
    let by_hand = compile(
        r#"@id("all") permit(principal is ApiKey, action, resource);
           @id("annas-orders") permit(principal == User::"anna", action, resource in Segment::"orders");
           @id("readers") permit(principal in Role::"reader", action in Action::"read", resource) when { context.risk < 500 };
           @id("careful-payments") @on_deny("step_up") forbid(principal, action, resource in Segment::"payments") when { context.risk > 300 };"#,
    )
    .unwrap();
    assert_eq!(policy.len(), 4);
    let (mut allowed, mut stepped) = (0, 0);
    for (kind, name) in [(IdentityKind::Jwt, "anna"), (IdentityKind::Jwt, "otto"), (IdentityKind::ApiKey, "anna")] {
        for roles in [&["reader"][..], &[]] {
            let someone = identity(kind, name, roles, &[]);
            for endpoint in 0..ENDPOINTS.len() {
                for risk in [0.1, 0.4, 0.9] {
                    let asked = Request { risk, ..request(Some(&someone), endpoint) };
                    let (a, b) = (policy.evaluate(&asked), by_hand.evaluate(&asked));
                    let names = |policy: &Policy, of: &[u32]| -> Vec<String> {
                        of.iter().map(|p| policy.id(*p).unwrap().to_owned()).collect()
                    };
                    assert_eq!(a.verdict, b.verdict, "{asked:?}");
                    assert_eq!(names(&policy, &a.determining), names(&by_hand, &b.determining), "{asked:?}");
                    assert_eq!(policy.effect(&a), by_hand.effect(&b), "{asked:?}");
                    allowed += u32::from(a.verdict == Verdict::Allow);
                    stepped += u32::from(names(&policy, &a.determining).contains(&"careful-payments".to_owned()));
                }
            }
        }
    }
    assert!(allowed > 10 && stepped > 3, "{allowed} {stepped}");
}

#[test]
fn one_template_has_many_links_and_says_where_it_stands() {
    let mut all = links();
    all.extend(
        (0..200).map(|n| link("owner", &format!("o{n}"), Some(&format!("User::\"u{n}\"")), Some("Endpoint::\"pay\""))),
    );
    let policy = linked(TEMPLATE, all).unwrap();
    assert_eq!(policy.len(), 204);
    let user = identity(IdentityKind::Jwt, "u199", &[], &[]);
    let found = policy.explain(&request(Some(&user), 3));
    assert_eq!(found.decision, Verdict::Allow);
    assert_eq!((&*found.determining[0].id, found.determining[0].line), ("o199", 1));
    assert!(found.determining[0].text.contains("?principal"));
}

#[test]
fn every_mistake_by_its_key_at_once() {
    let anna = Some("User::\"anna\"");
    let orders = Some("Segment::\"orders\"");
    let mistakes = [
        (link("ownr", "a", anna, orders), "template", "no template with the name `ownr`", "did you mean `owner`?"),
        (link("all", "b", anna, None), "template", "is a policy without slots", "leave the link out"),
        (
            link("owner", "c", None, orders),
            "principal",
            "nothing for the slot `?principal`",
            "write `principal = 'User",
        ),
        (link("reader", "d", anna, orders), "resource", "has no slot `?resource`", "leave it out"),
        (link("owner", "e", Some("anna"), orders), "principal", "`anna` is not an entity", "in single quotes"),
        (link("owner", "f", anna, Some("Segment::\"ordres\"")), "resource", "there is no `Segment::\"ordres\"`", ""),
        (link("owner", "g", anna, Some("Endpoint::\"x\"")), "resource", "there is no `Endpoint::\"x\"`", ""),
        (
            link("owner", "annas-orders", anna, orders),
            "id",
            "`policy.link[0]` has the name `annas-orders` too",
            "of its own",
        ),
        (link("owner", "all", anna, orders), "id", "a policy has the name `all` too", "of its own"),
        (link("owner", "", anna, orders), "id", "`id` must have 1 to 200 characters", ""),
        (
            link("owner", "k", Some("Usr::\"anna\""), orders),
            "",
            "unrecognized entity type `Usr`",
            "did you mean `User`?",
        ),
        (link("owner", "l", Some("Role::\"r\""), orders), "", "unable to find an applicable action", ""),
        (link("owner", "m", Some(&format!("{}User", "(".repeat(100_000))), orders), "principal", "nested too deep", ""),
    ];
    let first = links().len();
    let all = links().into_iter().chain(mistakes.iter().map(|(link, ..)| link.clone())).collect();
    let found = linked(TEMPLATE, all).unwrap_err();
    for (at, (_, key, message, mend)) in (first..).zip(&mistakes) {
        let key = if key.is_empty() { format!("policy.link[{at}]") } else { format!("policy.link[{at}].{key}") };
        let problem = found.iter().find(|problem| problem.key == key).unwrap_or_else(|| panic!("{key} of {found:#?}"));
        assert!(problem.message.contains(message), "{problem}");
        assert!(problem.mend.as_deref().unwrap_or_default().contains(mend), "{problem}");
    }
    assert_eq!(found.len(), mistakes.len(), "{found:#?}");
}

#[test]
fn a_template_that_nothing_links_and_mistakes_within_one() {
    let found = linked(TEMPLATE, links().split_off(1)).unwrap_err();
    let [problem] = found.as_slice() else { panic!("{found:#?}") };
    assert_eq!((problem.line, problem.column), (Some(1), Some(50)));
    assert!(problem.to_string().contains("`[[policy.link]]` with `template = \"owner\"`"), "{problem}");

    // Told once, at its place, however many links it has.
    let text = r#"@id("t") @on_deny("boom") forbid(principal == ?principal, action, resource in Segment::"x") when { context.acr == "a" };"#;
    let twice = vec![link("t", "a", Some("User::\"a\""), None), link("t", "b", Some("User::\"b\""), None)];
    let found = linked(text, twice).unwrap_err();
    let messages: Vec<&str> = found.iter().map(|problem| problem.message.as_str()).collect();
    let told: std::collections::BTreeSet<&str> = messages.iter().copied().collect();
    assert_eq!(told.len(), messages.len(), "{found:#?}");
    for wanted in ["boom", "there is no `Segment::\"x\"`", "acr"] {
        assert!(messages.iter().any(|message| message.contains(wanted)), "{wanted}: {messages:#?}");
    }
    assert!(found.iter().all(|problem| problem.key == "policy.text" && problem.line == Some(1)), "{found:#?}");
}

#[test]
fn names_of_templates_are_those_of_policies() {
    let text = "permit(principal, action, resource);\npermit(principal == ?principal, action, resource);";
    let sources = [Source { key: "policy.files[0]".to_owned(), name: Some("a.cedar"), text }];
    let config = Config { link: vec![link("a.cedar:policy1", "x", Some("User::\"a\""), None)], ..Config::default() };
    assert_eq!(Policy::compile(&config, &sources, &vocabulary()).unwrap().id(1), Some("x"));
    let twice = "@id(\"a\") permit(principal, action, resource);\n@id(\"a\") permit(principal == ?principal, action, resource);";
    let found = linked(twice, vec![link("a", "x", Some("User::\"a\""), None)]).unwrap_err();
    assert!(found.iter().any(|problem| problem.message.contains("two policies have the name `a`")), "{found:#?}");
}

fn raw(links: serde_json::Value) -> Result<Vec<(Verdict, Vec<String>)>, Vec<Problem>> {
    let request = |id: &str| serde_json::json!({"principal": {"type": "User", "id": id}, "action": "Action::\"a\"", "resource": "Doc::\"d\""});
    let document = serde_json::json!({
        "policies": "permit(principal == ?principal, action, resource in ?resource);\nforbid(principal, action, resource) when { principal == User::\"o\" };",
        "template_links": links,
        "entities": [{"uid": {"type": "Doc", "id": "d"}, "attrs": {}, "parents": [{"type": "Folder", "id": "f"}]}],
        "requests": [request("u"), request("o")],
    });
    let document: raw::Document = serde_json::from_value(document).unwrap();
    Ok(raw::evaluate(&document)?.responses.into_iter().map(|r| (r.decision, r.reasons)).collect())
}

#[test]
fn links_of_raw_requests_take_cedars_names_too() {
    let denied = (Verdict::Deny, vec!["policy1".to_owned()]);
    // A template that nothing links decides nothing.
    assert_eq!(raw(serde_json::json!([])).unwrap(), [(Verdict::Deny, vec![]), denied.clone()]);
    for link in [
        serde_json::json!({"template_id": "policy0", "new_id": "l", "values": {"?principal": "User::\"u\"", "?resource": {"type": "Folder", "id": "f"}}}),
        serde_json::json!({"templateId": "policy0", "newId": "l", "values": {"?principal": {"__entity": {"type": "User", "id": "u"}}, "?resource": "Doc::\"d\""}}),
    ] {
        assert_eq!(raw(serde_json::json!([link])).unwrap(), [(Verdict::Allow, vec!["l".to_owned()]), denied.clone()]);
    }
}

#[test]
fn links_of_raw_requests_that_cannot_be_made() {
    let values = serde_json::json!({"?principal": "User::\"u\"", "?resource": "Folder::\"f\""});
    let link = |template: &str, id: &str, values: &serde_json::Value| serde_json::json!({"template_id": template, "new_id": id, "values": values});
    let less = serde_json::json!({"?principal": "User::\"u\""});
    let more =
        serde_json::json!({"?principal": "User::\"u\"", "?resource": "Folder::\"f\"", "?action": "Action::\"a\""});
    let wrong = serde_json::json!({"?principal": 7, "?resource": "Folder::\"f\""});
    let links = [
        link("policy0", "good", &values),
        link("policy2", "a", &values),
        link("policy00", "b", &values),
        link("policy1", "c", &values),
        link("policy0", "d", &less),
        link("policy0", "e", &more),
        link("policy0", "f", &wrong),
        link("policy0", "good", &values),
        link("policy0", "policy1", &values),
    ];
    let found: Vec<String> = raw(serde_json::json!(links)).unwrap_err().iter().map(ToString::to_string).collect();
    let wanted = [
        ("[1].template_id", "there is no template `policy2`"),
        ("[2].template_id", "there is no template `policy00`"),
        ("[3].template_id", "is a policy without slots"),
        ("[4].values", "nothing for the slot `?resource`"),
        ("[5].values", "there is no slot `?action`"),
        ("[6].values.?principal", ""),
        ("[7].new_id", "two policies have the name `good`"),
        ("[8].new_id", "two policies have the name `policy1`"),
    ];
    assert_eq!(found.len(), wanted.len(), "{found:#?}");
    for ((key, message), found) in wanted.iter().zip(&found) {
        assert!(found.contains(&format!("`template_links{key}`: ")) && found.contains(message), "{found}");
    }
}

/// A template that is long for what it says.
fn long_template() -> String {
    format!("@id(\"t\") permit(principal in ?principal, action, resource) //{}\n;", "x".repeat(1_000_000))
}

#[test]
fn links_do_not_multiply_a_long_template_without_end() {
    let all: Vec<Link> = (0..100).map(|n| link("t", &format!("l{n}"), Some("Role::\"a\""), None)).collect();
    let found = linked(&long_template(), all.clone()).unwrap_err();
    assert!(found.len() == 1 && found[0].message.contains("67108864 bytes"), "{found:#?}");
    let few = all.into_iter().take(10).collect();
    assert_eq!(linked(&long_template(), few).unwrap().len(), 10);

    let values = BTreeMap::from([("?principal".to_owned(), serde_json::json!("Role::\"a\""))]);
    let link = |n: usize| raw::TemplateLink {
        template_id: "policy0".to_owned(),
        new_id: format!("l{n}"),
        values: values.clone(),
    };
    let document = |links: usize| raw::Document {
        policies: long_template(),
        template_links: (0..links).map(link).collect(),
        schema: None,
        entities: Vec::new(),
        requests: Vec::new(),
        errors: ErrorMode::Cedar,
    };
    assert!(raw::evaluate(&document(10)).is_ok());
    assert!(raw::evaluate(&document(100)).is_err_and(|found| found[0].message.contains("67108864 bytes")));
}

#[test]
fn links_to_nowhere_are_told_up_to_a_number() {
    let count = if cfg!(debug_assertions) { 1_000 } else { 20_000 };
    let policies: String =
        (0..count).map(|n| format!("@id(\"policy of mine {n}\") permit(principal, action, resource);\n")).collect();
    let templates: String = (0..500)
        .map(|n| format!("@id(\"template {n}\") permit(principal == ?principal, action, resource);\n"))
        .collect();
    let links = (0..count).map(|n| link(&format!("policy of mine x{n}"), &format!("l{n}"), None, None)).collect();
    let found = linked(&format!("{policies}{templates}"), links).unwrap_err();
    assert!(found.len() <= 202, "{}", found.len());
    assert!(found.iter().any(|problem| problem.message.contains("more than 100 mistakes")));
    let slotless = linked(&policies[..200], vec![link("policy of mine 0", "l", None, None)]).unwrap_err();
    assert!(slotless.iter().any(|problem| problem.message.contains("without slots")), "{slotless:#?}");
}
