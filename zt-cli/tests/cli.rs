//! The `zt` command as people and scripts use it.

mod place;

use std::fs;
use std::io::Write as _;

use serde_json::{Value, json};
use zt_core::Engine;
use zt_core::engine::Trust;

use place::{Place, Run};

const CONFIG: &str = r#"
version = 1
[[endpoint]]
method = "GET"
path = "/health"
anonymous = true
[[endpoint]]
method = "GET"
path = "/v1/orders/{id}"
[[limit]]
name = "per-peer"
key = ["peer"]
rate = "2/1m"
burst = 2
"#;

fn event(id: &str, path: &str) -> String {
    let request = json!({"method": "GET", "path": path, "peer": {"ip": "203.0.113.7"}});
    json!({"id": id, "time_ms": 1_772_446_530_123_i64, "request": request}).to_string()
}

fn outcomes(run: &Run) -> Vec<String> {
    run.lines().iter().map(|decision| decision["outcome"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_good_configuration_is_summed_up() {
    let place = Place::new().with("zt.toml", CONFIG);
    let run = place.zt(&["check", "--config", "zt.toml"]);
    assert_eq!(run.code(), 0, "{}{}", run.out(), run.err());
    assert!(run.out().starts_with("zt.toml: ok\n"), "{}", run.out());
    assert!(run.out().contains("endpoints   2"), "{}", run.out());

    let report = &place.zt(&["check", "--config", "zt.toml", "--json"]).lines()[0];
    assert_eq!(report["ok"], true);
    assert_eq!(report["summary"]["limits"], 1);
}

#[test]
fn without_a_configuration_the_safe_defaults_deny_everything() {
    let place = Place::new();
    assert_eq!(place.zt(&["check"]).code(), 0);
    let run = place.zt_with_input(&["decide"], &event("e-1", "/"));
    assert_eq!(run.code(), 0, "{}", run.err());
    assert_eq!(outcomes(&run), ["deny"]);
}

#[test]
fn every_mistake_is_told_at_once_with_its_line() {
    let text = "version = 1\nmod = \"enforce\"\n[[limit]]\nname = \"x\"\nkey = [\"peer\"]\nrate = \"often\"\n";
    let place = Place::new().with("conf/zt.toml", text);
    let run = place.zt(&["check", "--config", "conf/zt.toml"]);
    assert_eq!(run.code(), 1);
    assert!(run.out().contains("conf/zt.toml:2:"), "{}", run.out());
    assert!(run.out().contains("conf/zt.toml:6:"), "{}", run.out());
    assert!(run.out().contains("`mode`"), "{}", run.out());
    assert!(run.out().ends_with("2 problems\n"), "{}", run.out());

    let report = &place.zt(&["check", "--config", "conf/zt.toml", "--json"]).lines()[0];
    assert_eq!((&report["ok"], report["problems"].as_array().unwrap().len()), (&json!(false), 2));

    // For other commands the same is bad input.
    let run = place.zt(&["decide", "--config", "conf/zt.toml"]);
    assert_eq!(run.code(), 2);
    assert!(run.err().contains("conf/zt.toml:6:"), "{}", run.err());
}

#[test]
fn named_files_are_found_beside_the_configuration() {
    let text = "version = 1\n[[endpoint]]\nmethod = \"GET\"\npath = \"/a\"\n[policy]\nfiles = [\"policies/*.cedar\"]\n";
    let place = Place::new().with("conf/zt.toml", text);
    let run = place.zt(&["check", "--config", "conf/zt.toml"]);
    assert_eq!(run.code(), 1);
    assert!(run.out().contains("no file fits `conf/policies/*.cedar`"), "{}", run.out());

    let place = place.with("conf/policies/a.cedar", "permit(principal, action, resource);");
    let place = place.with("conf/policies/.a.cedar.swp", "not a policy").with("conf/policies/.b.cedar", "not a policy");
    let run = place.zt(&["check", "--config", "conf/zt.toml"]);
    assert_eq!(run.code(), 0, "{}", run.out());

    let place = place.with("conf/policies/b.cedar", "permit(principal, action, resource);\nforbid(principal, action;");
    let run = place.zt(&["check", "--config", "conf/zt.toml"]);
    assert_eq!(run.code(), 1);
    assert!(run.out().contains("conf/policies/b.cedar:2"), "{}", run.out());
}

#[test]
fn a_file_that_cannot_be_read_is_a_problem_of_the_key_that_names_it() {
    let place = Place::new().with("zt.toml", "version = 1\nopenapi_files = [\"api.yaml\"]\n");
    let run = place.zt(&["check", "--config", "zt.toml"]);
    assert_eq!(run.code(), 1);
    assert!(run.out().contains("zt.toml:2") && run.out().contains("cannot read `api.yaml`"), "{}", run.out());
}

#[test]
fn bad_usage_is_two() {
    let place = Place::new().with("zt.toml", CONFIG);
    assert_eq!(place.zt(&[]).code(), 2);
    assert_eq!(place.zt(&["frobnicate"]).code(), 2);
    assert_eq!(place.zt(&["check", "--config", "absent.toml"]).code(), 2);
    assert_eq!(place.zt(&["decide", "absent.jsonl"]).code(), 2);
    assert_eq!(place.zt(&["--help"]).code(), 0);
    let run = place.zt(&["decide", "--config", "zt.toml", "--baseline", "b.zt"]);
    assert_eq!(run.code(), 2);
    assert!(run.err().contains("b.zt"), "{}", run.err());
}

#[test]
fn decisions_come_in_the_order_of_the_events() {
    let place = Place::new().with("zt.toml", CONFIG);
    let input = [event("a", "/health"), event("b", "/nowhere"), event("c", "/health")].join("\n");
    let run = place.zt_with_input(&["decide", "--config", "zt.toml"], &input);
    assert_eq!(run.code(), 0, "{}", run.err());
    let ids: Vec<Value> = run.lines().iter().map(|decision| decision["id"].clone()).collect();
    assert_eq!(ids, ["a", "b", "c"]);
    assert!(run.err().contains("3 events"), "{}", run.err());
    assert_eq!(run.out(), place.zt_with_input(&["decide", "--config", "zt.toml"], &input).out());
}

#[test]
fn compressed_events_are_known_by_their_content() {
    let text = format!("{}\n{}\n", event("a", "/health"), event("b", "/nowhere"));
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text.as_bytes()).unwrap();
    let place = Place::new()
        .with("zt.toml", CONFIG)
        .with("plain", &text)
        .with("gzip", gzip.finish().unwrap())
        .with("zstd", zstd::encode_all(text.as_bytes(), 1).unwrap());
    let plain = place.zt(&["decide", "--config", "zt.toml", "plain"]).out();
    assert_eq!(plain.lines().count(), 2);
    for name in ["gzip", "zstd"] {
        assert_eq!(place.zt(&["decide", "--config", "zt.toml", name]).out(), plain, "{name}");
    }
}

#[test]
fn input_that_ends_too_early_is_bad_input() {
    let mut bytes = zstd::encode_all(event("a", "/health").as_bytes(), 1).unwrap();
    bytes.truncate(bytes.len() - 3);
    let place = Place::new().with("zt.toml", CONFIG).with("cut.zst", bytes);
    let run = place.zt(&["decide", "--config", "zt.toml", "--state", "S", "cut.zst"]);
    assert_eq!(run.code(), 2);
    assert!(run.err().contains("cut.zst"), "{}", run.err());
    assert!(!place.0.join("S").exists());
}

#[test]
fn a_malformed_line_is_reported_and_counted() {
    let input = [&event("a", "/health"), "", "{\"time_ms\":\"Bearer secret\"}", "{", &event("b", "/health")].join("\n");
    let place = Place::new().with("zt.toml", CONFIG).with("in.jsonl", &input);
    let run = place.zt(&["decide", "--config", "zt.toml", "in.jsonl"]);
    assert_eq!(run.code(), 1);
    assert_eq!(run.lines().len(), 2);
    assert!(run.err().contains("in.jsonl:3:") && run.err().contains("in.jsonl:4:"), "{}", run.err());
    assert!(run.err().contains("2 malformed lines") && !run.err().contains("secret"), "{}", run.err());

    let run = place.zt(&["decide", "--config", "zt.toml", "--strict", "in.jsonl"]);
    assert_eq!(run.code(), 2);
    assert_eq!(run.lines().len(), 1);
    assert!(!run.err().contains("in.jsonl:4:"), "{}", run.err());

    let run = place.zt(&["decide", "--config", "zt.toml", "--json", "in.jsonl"]);
    let summary: Value = serde_json::from_str(run.err().lines().last().unwrap()).unwrap();
    assert_eq!((&summary["events"], &summary["malformed"]), (&json!(2), &json!(2)));
}

#[test]
fn the_state_goes_on_where_it_was_saved() {
    let place = Place::new().with("zt.toml", CONFIG);
    let three: String = (0..3).map(|n| event(&format!("e-{n}"), "/health") + "\n").collect();
    let decide = |more: &[&str], input: &str| {
        let arguments: Vec<&str> =
            ["decide", "--config", "zt.toml", "--state", "S"].iter().chain(more).copied().collect();
        let run = place.zt_with_input(&arguments, input);
        assert_eq!(run.code(), 0, "{}", run.err());
        outcomes(&run)
    };
    assert_eq!(decide(&[], &three), ["allow", "allow", "throttle"]);
    let saved = fs::read(place.0.join("S")).unwrap();
    assert_eq!(decide(&["--freeze"], &three), ["throttle", "throttle", "throttle"]);
    assert_eq!(fs::read(place.0.join("S")).unwrap(), saved);
    assert_eq!(decide(&[], &event("later", "/health")), ["throttle"]);
    let left: Vec<_> = fs::read_dir(&place.0).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "{left:?}");
}

#[test]
fn a_foreign_state_is_bad_input_and_left_alone() {
    let place = Place::new().with("zt.toml", CONFIG).with("S", "something else");
    let run = place.zt_with_input(&["decide", "--config", "zt.toml", "--state", "S"], &event("a", "/health"));
    assert_eq!(run.code(), 2);
    assert_eq!(
        (run.out(), fs::read_to_string(place.0.join("S")).unwrap()),
        (String::new(), "something else".to_owned())
    );
}

#[test]
fn a_response_is_observed_and_changes_no_output() {
    let place = Place::new().with("zt.toml", CONFIG);
    let mut with_response: Value = serde_json::from_str(&event("a", "/health")).unwrap();
    with_response["response"] = json!({"status": 200, "headers": [["Content-Type", "text/plain"]], "body": "ok"});
    let run = place.zt_with_input(&["decide", "--config", "zt.toml"], &with_response.to_string());
    assert_eq!((run.code(), run.lines().len()), (0, 1));
}

#[test]
fn a_recorded_verdict_is_learned_from_and_the_budget_is_told() {
    let config = "version = 1\n[anomaly]\nbudget = 0.05\n[state]\nseed = 7\n[[endpoint]]\nmethod = \"GET\"\n\
                  path = \"/orders\"\nanonymous = true\n";
    let place = Place::new().with("zt.toml", config);
    let event = |n: u32, query: &str, verdict: Option<&str>| {
        let mut event = json!({"id": format!("e-{n}"), "time_ms": 1_772_446_530_000_u64 + u64::from(n) * 10_000,
            "request": {"method": "GET", "path": "/orders", "query": query, "peer": {"ip": format!("203.0.113.{}", n % 40)}},
            "response": {"status": 200, "body_len": 300}});
        verdict.into_iter().for_each(|verdict| event["response"]["verdict"] = verdict.into());
        event.to_string() + "\n"
    };
    let usual = |count: u32| (0..count).map(|n| event(n, &format!("page={}", n % 5), None)).collect::<String>();
    let strange = |n, verdict| event(n, "page=1&debug=1", verdict);
    let decide = |input: &str| place.zt_with_input(&["decide", "--config", "zt.toml"], input);
    let last = |verdict| {
        let run = decide(&(usual(400) + &strange(400, verdict) + &strange(401, None)));
        let outcome = run.lines().last().unwrap()["outcome"].as_str().unwrap().to_owned();
        (outcome, run.err().to_owned())
    };
    let (outcome, told) = last(None);
    assert_eq!(outcome, "flag");
    assert!(told.contains("budget of 5.000 %: 2 of the last ") && told.contains("confidence"), "{told}");
    assert_eq!(last(Some("false_positive")).0, "allow");
    assert_eq!(last(Some("confirmed")).0, "flag");
    // Of 20, 16 say what scores mean so far.
    let few = decide(&usual(20)).err().to_owned();
    assert!(few.contains("not calibrated: 43 more requests are needed for a budget of 5.000 %"), "{few}");
    let json = place.zt_with_input(&["decide", "--config", "zt.toml", "--json"], &usual(20));
    let summary: Value = serde_json::from_str(json.err().lines().last().unwrap()).unwrap();
    assert_eq!(summary["anomaly"]["drift"]["course"], "not_calibrated");
}

#[test]
fn raw_requests_are_authorized() {
    let policies = r#"permit(principal == User::"anna", action == Action::"view", resource in Album::"trips");"#;
    let entities = json!([
        {"uid": {"type": "Photo", "id": "p1"}, "attrs": {}, "parents": [{"type": "Album", "id": "trips"}]},
        {"uid": {"type": "Album", "id": "trips"}, "attrs": {}, "parents": []}
    ]);
    let request = |principal: &str| {
        let (action, resource) = (r#"Action::"view""#, r#"Photo::"p1""#);
        json!({"principal": principal, "action": action, "resource": resource, "context": {}}).to_string()
    };
    let input =
        [request(r#"User::"anna""#), "nonsense".to_owned(), request("anna"), request(r#"User::"eve""#)].join("\n");
    let place = Place::new().with("p.cedar", policies).with("e.json", entities.to_string()).with("in.jsonl", input);
    let run = place.zt(&["authorize", "--policies", "p.cedar", "--entities", "e.json", "in.jsonl"]);
    assert_eq!(run.code(), 1, "{}", run.err());
    let decisions: Vec<Value> = run.lines().iter().map(|answer| answer["decision"].clone()).collect();
    assert_eq!(decisions, ["allow", "deny"], "{}", run.err());
    assert!(
        run.err().contains("in.jsonl:2:") && run.err().contains("in.jsonl:3: malformed: `principal`"),
        "{}",
        run.err()
    );
    assert!(run.err().contains("2 requests, 1 allow, 1 deny, 2 malformed"), "{}", run.err());

    let place = place.with("p.cedar", "permit(");
    let run = place.zt(&["authorize", "--policies", "p.cedar", "in.jsonl"]);
    assert_eq!((run.code(), run.out()), (2, String::new()));
    assert!(run.err().starts_with("zt: p.cedar:1:"), "{}", run.err());
}

#[test]
fn linked_templates_are_authorized() {
    let links = r#"[{"template_id": "policy0", "new_id": "anna", "values": {"?principal": "User::\"anna\""}}]"#;
    let request = r#"{"principal": "User::\"anna\"", "action": "Action::\"view\"", "resource": "Photo::\"p1\""}"#;
    let place = Place::new()
        .with("p.cedar", "permit(principal == ?principal, action, resource);")
        .with("links.json", links)
        .with("in.jsonl", request);
    let run = place.zt(&["authorize", "--policies", "p.cedar", "--links", "links.json", "in.jsonl"]);
    assert_eq!((run.code(), run.err()), (0, "zt: 1 requests, 1 allow, 0 deny, 0 malformed lines\n".to_owned()));
    assert_eq!(run.lines()[0]["reasons"], json!(["anna"]));

    let run = place.zt(&["authorize", "--policies", "p.cedar", "in.jsonl"]);
    assert_eq!(run.lines()[0]["decision"], "deny");
    let run = place.with("links.json", "{}").zt(&["authorize", "--policies", "p.cedar", "--links", "links.json"]);
    assert!(run.code() == 2 && run.err().contains("`links.json` is not a list of links of templates"), "{}", run.err());
}

#[test]
fn every_reason_code_has_its_sentence() {
    let place = Place::new();
    let text = place.zt(&["codes"]).out();
    assert!(text.contains("route.unknown_endpoint") && text.contains("404"));
    let codes = place.zt(&["codes", "--json"]).lines();
    assert_eq!(codes[0].as_array().unwrap().len(), text.lines().count());
}

#[test]
fn a_new_key_checks_and_opens_the_door() {
    let place = Place::new().with("pepper", "a pepper of some length\n");
    for pepper in [&[][..], &["--pepper-file", "pepper"]] {
        let arguments =
            ["key", "new", "--id", "partner \"7\"", "--env", "test", "--role", "partner", "--network", "10.0.0.0/8"];
        let run = place.zt(&[&arguments[..], pepper].concat());
        assert_eq!(run.code(), 0, "{}", run.err());
        let out = run.out();
        let key = out.lines().find(|line| line.starts_with("zt_test_")).unwrap();
        let table = out.split_once("\n\n").unwrap().1;
        assert!(!table.contains(key));
        let pepper = if pepper.is_empty() { "" } else { "api_key_pepper_file = \"pepper\"\n" };
        let config = format!(
            "version = 1\n[[endpoint]]\nmethod = \"*\"\npath = \"/**\"\n[verify]\napi_key_prefix = \"zt_test\"\n{pepper}{table}"
        );
        let place = Place::new().with("zt.toml", config).with("pepper", "a pepper of some length\n");
        let event = |key: &str| {
            json!({"time_ms": 1, "request": {"method": "GET", "path": "/a", "headers": [["x-api-key", key]], "peer": {"ip": "10.1.2.3"}}})
                .to_string()
        };
        let events = [event(key), event(&key[..key.len() - 1])].join("\n");
        let run = place.zt_with_input(&["decide", "--config", "zt.toml"], &events);
        assert_eq!(outcomes(&run), ["allow", "deny"], "{}{}", run.out(), run.err());
        assert_eq!(run.lines()[0]["identity"]["principal"], "partner \"7\"");
        assert_eq!(run.lines()[1]["reasons"][0]["code"], "verify.malformed_api_key");

        assert_eq!(place.zt(&["key", "check", key]).code(), 0);
        let run = place.zt_with_input(&["key", "check", "--json"], &format!("{key}\n"));
        assert_eq!(run.lines(), [json!({"ok": true, "prefix": "zt_test"})]);
        let run = place.zt(&["key", "check", &key.replace("test", "live")]);
        assert_eq!(run.code(), 1);
        assert!(run.out().contains("checksum") && !run.out().contains("zt_live"), "{}", run.out());
    }
}

#[test]
fn a_new_key_is_another_each_time_and_mistakes_are_told() {
    let place = Place::new();
    let key = || place.zt(&["key", "new", "--id", "a", "--json"]).lines()[0]["key"].clone();
    assert_ne!(key(), key());
    for (mistake, told) in [
        (["--env", "Live"], "--env"),
        (["--network", "10.0.0.1/8"], "`networks`"),
        (["--expires", "tomorrow"], "`expires`"),
        (["--pepper-file", "nowhere"], "cannot read `nowhere`"),
    ] {
        let run = place.zt(&[&["key", "new", "--id", "a"][..], &mistake].concat());
        assert_eq!((run.code(), run.out().as_str()), (2, ""));
        assert!(run.err().contains(told), "{}", run.err());
    }
    assert_eq!(place.zt(&["key", "new"]).code(), 2);
}

const ORDERS: &str = "version = 1\n[[segment]]\nname = \"orders\"\npaths = [\"/v1/orders/**\"]\n[[endpoint]]\nmethod = \"GET\"\npath = \"/v1/orders/{id}\"\n[policy]\nfiles = [\"a.cedar\"]\n";

#[test]
fn check_warns_of_odd_policies_and_strict_counts_it() {
    let odd = "permit(principal in Role::\"buyer\", action, resource);\n@id(\"night\")\nforbid(principal, action, resource) when { context.hour >= 24 };\n";
    let place = Place::new().with("zt.toml", ORDERS).with("a.cedar", odd);
    let run = place.zt(&["check"]);
    assert!(run.err().contains("`--config zt.toml` reads the one that is here"), "{}", run.err());
    assert_eq!(place.zt(&["check", "zt.toml"]).out(), place.zt(&["check", "--config", "zt.toml"]).out());
    let run = place.zt(&["check", "--config", "zt.toml"]);
    assert_eq!(run.code(), 0);
    let told = run.out();
    assert!(
        told.contains(
            "warning: a.cedar:2:1: the forbid `night` can never match: `context.hour >= 24` is never true; correct it"
        ),
        "{told}"
    );
    let run = place.zt(&["check", "--config", "zt.toml", "--strict", "--json"]);
    assert_eq!(run.code(), 1);
    let warning = &run.lines()[0]["warnings"][0];
    assert_eq!(
        [&warning["kind"], &warning["policy"], &warning["line"]],
        [&json!("forbid_never_matches"), &json!("night"), &json!(2)]
    );
    let inline = ORDERS.replace("files = [\"a.cedar\"]", &format!("text = '''\n{odd}'''"));
    let told = Place::new().with("zt.toml", inline).zt(&["check", "--config", "zt.toml"]).out();
    assert!(told.contains("warning: zt.toml:11:1: the forbid `night` can never match"), "{told}");
    let place = Place::new().with("zt.toml", ORDERS).with("a.cedar", odd.replace("24", "22"));
    assert_eq!(place.zt(&["check", "--config", "zt.toml", "--strict"]).code(), 0);
}

#[test]
fn diff_lists_what_changes() {
    let policy = "permit(principal in Role::\"buyer\", action, resource) when { context.risk < 300 };";
    let place = Place::new().with("zt.toml", ORDERS).with("a.cedar", policy);
    let place =
        place.with("new.toml", ORDERS.replace("a.cedar", "b.cedar")).with("b.cedar", policy.replace("300", "500"));
    let run = place.zt(&["diff", "zt.toml", "new.toml"]);
    assert_eq!(run.code(), 1);
    assert_eq!(
        run.out(),
        "+ allowed  Role::\"buyer\"  segment default, segment orders  when { context.risk >= 300 && context.risk <= 499 }\n1 difference\n"
    );
    let run = place.zt(&["diff", "new.toml", "zt.toml", "--json"]);
    assert_eq!((run.code(), &run.lines()[0]["changes"][0]["turn"]), (1, &json!("denied")));
    let run = place.zt(&["diff", "zt.toml", "zt.toml"]);
    assert_eq!((run.code(), run.out().as_str()), (0, "no difference\n"));
    assert_eq!(place.zt(&["diff", "zt.toml", "absent.toml"]).code(), 2);
}

#[test]
fn a_configuration_and_its_files_become_one_bundle() {
    let text = format!("{CONFIG}[policy]\nfiles = [\"policies/*.cedar\"]\n");
    let place = Place::new().with("conf/zt.toml", &text);
    let place = place.with("conf/policies/a.cedar", "permit(principal, action, resource);");
    let run = place.zt(&["compile", "--config", "conf/zt.toml", "--out", "zt.bundle"]);
    assert_eq!(run.code(), 0, "{}", run.err());
    assert!(run.out().starts_with("zt.bundle: ") && run.out().ends_with("not signed\n"), "{}", run.out());
    let bundle = fs::read(place.0.join("zt.bundle")).unwrap();
    let engine = Engine::from_bundle(&bundle, Trust::Unsigned).unwrap();
    let report = &place.zt(&["check", "--config", "conf/zt.toml", "--json"]).lines()[0];
    assert_eq!(report["summary"]["version"], engine.version());
    assert_eq!(report["notices"], json!(engine.notices()));
}

#[test]
fn a_broken_configuration_leaves_the_old_bundle_where_it_is() {
    let place = Place::new().with("zt.toml", CONFIG.replace("2/1m", "often").replace("[\"peer\"]", "[\"pear\"]"));
    let place = place.with("zt.bundle", "the old one");
    let run = place.zt(&["compile", "--config", "zt.toml", "--out", "zt.bundle"]);
    assert_eq!(run.code(), 2);
    assert!(run.err().contains("`limit[0].rate`") && run.err().contains("`limit[0].key"), "{}", run.err());
    assert_eq!(fs::read(place.0.join("zt.bundle")).unwrap(), b"the old one");
    assert_eq!(fs::read_dir(&place.0).unwrap().count(), 2, "nothing else is left behind");
    let place = place.with("zt.toml", CONFIG);
    assert_eq!(place.zt(&["compile", "--config", "zt.toml", "--out", "nowhere/zt.bundle"]).code(), 2);
}

#[test]
fn a_bundle_can_be_signed() {
    let place = Place::new().with("zt.toml", CONFIG);
    let run = place.zt(&["key", "signing", "--out", "sign.json"]);
    assert_eq!(run.code(), 0, "{}", run.err());
    let public = run.out();
    assert!(!public.contains("\"d\""), "{public}");
    let private = fs::read_to_string(place.0.join("sign.json")).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(place.0.join("sign.json")).unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(place.zt(&["key", "signing", "--out", "sign.json"]).code(), 2, "a key is never written over");

    let signed = ["compile", "--config", "zt.toml", "--out", "zt.bundle", "--json", "--sign"];
    let run = place.zt(&[&signed[..], &["sign.json"]].concat());
    assert_eq!(run.code(), 0, "{}", run.err());
    assert_eq!(run.lines()[0]["signed"], true);
    let bundle = fs::read(place.0.join("zt.bundle")).unwrap();
    Engine::from_bundle(&bundle, Trust::Key(&public)).unwrap();
    let other = place.zt(&["key", "signing", "--out", "other.json"]).out();
    assert!(Engine::from_bundle(&bundle, Trust::Key(&other)).is_err());

    // What is no private key signs nothing, and is not shown.
    let secret = serde_json::from_str::<Value>(&private).unwrap()["d"].as_str().unwrap().to_owned();
    for bad in
        ["nothing", public.as_str(), &private.replace("Ed25519", "P-256"), &private.replace(&secret, &"A".repeat(43))]
    {
        let place = Place::new().with("zt.toml", CONFIG).with("bad.json", bad);
        let run = place.zt(&[&signed[..], &["bad.json"]].concat());
        assert_eq!(run.code(), 2);
        assert!(run.err().contains("`bad.json`") && !run.err().contains(&secret), "{}", run.err());
        assert!(!place.0.join("zt.bundle").exists());
    }
}

#[test]
fn the_commands_of_the_guide_run() {
    let guide = include_str!("../../docs/bundles.md");
    let place = Place::new().with("zt.toml", CONFIG);
    let commands: Vec<&str> = guide.lines().filter_map(|line| line.strip_prefix("$ zt ")).collect();
    assert!(commands.len() >= 3);
    for command in commands {
        let run = place.zt(&command.split(' ').collect::<Vec<_>>());
        assert_eq!(run.code(), 0, "{command}: {}", run.err());
    }
}

const EXPLAINED: &str = r#"
version = 1
[[verify.api_key]]
id = "buyer-1"
sha256 = "57329c82f6e48494a4b6c79e47fec04dd34351be2b1830a9915363c172a1ce84"
roles = ["buyer"]
[[endpoint]]
id = "listOrders"
method = "GET"
path = "/v1/orders"
[[endpoint]]
id = "pay"
method = "POST"
path = "/v1/payments"
[policy]
files = ["policies/*.cedar"]
"#;

const POLICIES: &str = r#"// The shop.
@id("buyers-read") permit(principal in Role::"buyer", action in Action::"read", resource);
@id("pays")
permit(principal, action == Action::"pay", resource)
when { context has acr && context.acr == "mfa" };
"#;

#[test]
fn decisions_are_explained_with_the_policies_and_their_place() {
    let place = Place::new().with("conf/zt.toml", EXPLAINED).with("conf/policies/shop.cedar", POLICIES);
    let event = |id: &str, method: &str, path: &str| {
        let headers = json!([["X-API-Key", "zt_test_key_of_buyer-1_0123456789"]]);
        let request = json!({"method": method, "path": path, "headers": headers});
        json!({"id": id, "time_ms": 1_772_446_530_123_i64, "request": request}).to_string()
    };
    let events = [event("e-1", "GET", "/v1/orders"), event("e-2", "POST", "/v1/payments")].join("\n");
    let explain = ["explain", "--config", "conf/zt.toml"];

    let run = place.zt_with_input(&explain, &events);
    assert_eq!(run.code(), 1, "one is refused: {}", run.err());
    assert_eq!(run.err(), "zt: 2 events explained, 1 refused, 0 malformed lines\n");
    let out = run.out();
    for line in [
        "e-1: GET /v1/orders: allow (200)",
        "  caller buyer-1 (api_key)",
        "    permit `buyers-read` at conf/policies/shop.cedar:2:1",
        "        @id(\"buyers-read\") permit(principal in Role::\"buyer\", action in Action::\"read\", resource);",
        "      holds: principal in Role::\"buyer\"",
        "e-2: POST /v1/payments: deny (403)",
        "  policy.not_permitted: no policy permits this",
        "  policies: deny, 2 looked at",
        "  to be allowed, one of:",
        "    permit `pays` at conf/policies/shop.cedar:3:1",
        "      fails: context has acr: `context.acr` is absent",
        "      not known: context.acr == \"mfa\"",
        "      fails: action in Action::\"read\": `action` is `Action::\"pay\"`, which is in `Action::\"write\"`, `Action::\"POST\"`",
    ] {
        assert!(out.lines().any(|found| found == line), "no `{line}` in:\n{out}");
    }

    let run = place.zt_with_input(&[&explain[..], &["--json", "--id", "e-1"]].concat(), &events);
    assert_eq!((run.code(), run.err().as_str()), (0, ""));
    let lines = run.lines();
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["policy"]["determining"][0]["id"], "buyers-read");

    let run = place.zt_with_input(&[&explain[..], &["--id", "e-\u{1b}[2J"]].concat(), &events);
    assert_eq!((run.code(), run.err().as_str()), (2, "zt: no event has the id `e-\\u{1b}[2J`\n"));

    let hostile = event("e-\u{1b}[2J", "GET", "/v1/orders");
    let run = place.zt_with_input(&explain, &hostile);
    assert!(!run.out().contains('\u{1b}'), "{}", run.out());
}

#[test]
fn a_decision_log_is_written_and_proven() {
    let place = Place::new().with("zt.toml", CONFIG).with("key", "a key of this test\n").with("short", "short\n");
    let secret = json!({"id": "e-3", "time_ms": 1_772_446_530_123_i64,
        "request": {"method": "GET", "path": "/v1/orders/planted", "query": "planted=1", "headers": [["Cookie", "planted"]]}});
    let events = [event("e-1", "/health"), event("e-2", "/nothing"), secret.to_string()].join("\n");
    let decide = ["decide", "--config", "zt.toml", "--log", "log.jsonl", "--log-key-file", "key"];
    let verify = ["log", "verify", "--key-file", "key", "log.jsonl"];
    assert_eq!(place.zt_with_input(&decide, &events).code(), 0);
    let run = place.zt_with_input(&[&decide[..], &["--timings"]].concat(), &events);
    assert_eq!(run.code(), 0, "{}", run.err());

    let path = place.0.join("log.jsonl");
    let log = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = log.lines().collect();
    assert_eq!(lines.len(), 6);
    assert!(!log.contains("planted"), "{log}");
    let records: Vec<Value> = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&records[0]["id"], &records[1]["status"], &records[5]["seq"]), (&json!("e-1"), &json!(404), &json!(5)));
    assert_eq!(records[3]["inputs"], records[0]["inputs"]);
    assert_eq!(records[0].get("stages_us"), None);
    assert!(records[3]["stages_us"]["route"].as_f64().unwrap() > 0.0);

    let run = place.zt(&verify);
    assert_eq!(run.code(), 0, "{}{}", run.out(), run.err());
    let last = format!("5:{}", records[5]["digest"].as_str().unwrap());
    assert_eq!(run.out(), format!("6 records, the log holds\nlast: {last}\n"));
    assert_eq!(place.zt(&["log", "verify", "log.jsonl"]).code(), 1, "without its key");
    assert_eq!(place.zt(&["log", "verify", "--key-file", "short", "log.jsonl"]).code(), 2);
    let compressed = zstd::encode_all(log.as_bytes(), 1).unwrap();
    fs::write(place.0.join("log.zst"), compressed).unwrap();
    assert_eq!(place.zt(&["log", "verify", "--key-file", "key", "log.zst"]).code(), 0);

    // Cut between two lines: only who kept the last record sees it.
    fs::write(&path, format!("{}\n", lines[..5].join("\n"))).unwrap();
    assert_eq!(place.zt(&verify).code(), 0);
    let run = place.zt(&[&verify[..], &["--holding", &last]].concat());
    let told =
        "log.jsonl:6: the log ends before record 5, which was there: its tail was cut\n5 records, hold before it\n";
    assert_eq!((run.code(), run.out().starts_with(told)), (1, true), "{}", run.out());

    // Cut within a line: nothing can be written behind it.
    fs::write(&path, &log[..log.len() - 10]).unwrap();
    let run = place.zt(&[&verify[..], &["--json"]].concat());
    assert_eq!((run.code(), &run.lines()[0]["broken"]["problem"]), (1, &json!("cut_line")));
    assert_eq!(run.lines()[0]["broken"]["line"], 6);
    let run = place.zt_with_input(&decide, &events);
    assert_eq!((run.code(), run.err().contains("its last line is not whole")), (2, true), "{}", run.err());

    // Changed.
    fs::write(&path, log.replacen("\"status\":404", "\"status\":200", 1)).unwrap();
    let run = place.zt(&verify);
    assert_eq!(run.code(), 1);
    assert!(run.out().starts_with("log.jsonl:2: its digest is not that of its content"), "{}", run.out());

    // Rotated: the second file alone goes on after the first.
    fs::write(place.0.join("one"), format!("{}\n", lines[..2].join("\n"))).unwrap();
    fs::write(place.0.join("two"), format!("{}\n", lines[2..].join("\n"))).unwrap();
    assert_eq!(place.zt(&["log", "verify", "--key-file", "key", "one", "two"]).code(), 0);
    let run = place.zt(&["log", "verify", "--key-file", "key", "two"]);
    assert!(run.code() == 1 && run.out().starts_with("two:1: the log begins with record 2"), "{}", run.out());
    let after = format!("1:{}", records[1]["digest"].as_str().unwrap());
    assert_eq!(place.zt(&["log", "verify", "--key-file", "key", "--after", &after, "two"]).code(), 0);
    assert_eq!(place.zt(&["log", "verify", "--after", "1:x", "two"]).code(), 2);
}
