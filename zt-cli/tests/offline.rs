//! `zt learn`, `zt merge`, `zt limits` and `zt eval` as people and scripts use them.
#![allow(missing_docs, reason = "a test")]

mod place;

use std::fs;

use place::Place;
use serde_json::{Value, json};

fn event(n: u32, query: &str, label: Option<&str>) -> String {
    let path = format!("/v1/orders/{}", 1_000 + n * 7 % 9_000);
    let request = json!({
        "method": "GET", "path": path, "query": query, "peer": {"ip": format!("203.0.113.{}", n % 50)},
        "headers": [["User-Agent", "App/1.2"], ["Accept", "application/json"]],
    });
    let mut event = json!({"id": format!("e-{n}"), "time_ms": 1_772_446_530_123_i64, "request": request});
    event["label"] = label.map_or(Value::Null, Value::from);
    event.to_string() + "\n"
}

fn normal(from: u32, to: u32, label: Option<&str>) -> String {
    (from..to).map(|n| event(n, &format!("page={}&sort=date", n % 12), label)).collect()
}

fn attacks(count: u32) -> String {
    (0..count)
        .map(|n| event(n, &format!("page={}'--&sort=date", n % 12), Some(["sqli", "xss"][n as usize % 2])))
        .collect()
}

fn learned() -> Place {
    let place = Place::new().with("a.jsonl", normal(0, 1_300, None)).with("b.jsonl", normal(1_300, 2_000, None));
    let run = place.zt(&["learn", "a.jsonl", "--seed", "7", "--out", "a.zt"]);
    assert_eq!(run.code(), 0, "{}{}", run.out(), run.err());
    assert!(
        run.out().contains("calibrated on 1300 requests") && run.out().contains("1300 events learned"),
        "{}",
        run.out()
    );
    place
}

#[test]
fn what_was_learned_finds_what_is_strange() {
    let place = learned()
        .with("normal.jsonl", normal(5_000, 5_600, Some("normal")))
        .with("attacks.jsonl", attacks(200) + &normal(0, 1, None) + "{\n");
    let run = place.zt(&[
        "eval",
        "normal.jsonl",
        "attacks.jsonl",
        "--baseline",
        "a.zt",
        "--json",
        "--markdown",
        "r.md",
        "--svg",
        "r.svg",
    ]);
    assert_eq!(run.code(), 1, "{}", run.err());
    assert!(
        run.err().contains("attacks.jsonl:202: malformed") && run.err().contains("1 malformed lines"),
        "{}",
        run.err()
    );
    let report = &run.lines()[0];
    assert_eq!(
        (&report["normal"], &report["attacks"], &report["without_label"]),
        (&json!(600), &json!(200), &json!(1))
    );
    assert!(report["measures"]["auc"]["value"].as_f64().unwrap() > 0.99, "{report}");
    assert_eq!(report["families"].as_array().unwrap().len(), 2);
    assert_eq!(report["sources"][1]["name"], "normal.jsonl");
    assert!(report["notes"][0].as_str().unwrap().starts_with("1 of 801 events have no label"), "{}", report["notes"]);
    let markdown = fs::read_to_string(place.0.join("r.md")).unwrap();
    assert!(markdown.contains("## Budgets") && markdown.contains("1 without a label"), "{markdown}");
    let drawing = fs::read_to_string(place.0.join("r.svg")).unwrap();
    assert!(drawing.starts_with("<svg") && drawing.contains("ROC, area"), "{drawing:.200}");

    let again = place.zt(&["eval", "normal.jsonl", "attacks.jsonl", "--baseline", "a.zt", "--json"]);
    assert_eq!(again.out(), run.out());
    let strict = place.zt(&["eval", "attacks.jsonl", "--baseline", "a.zt", "--strict"]);
    assert_eq!(strict.code(), 2);
}

#[test]
fn where_nothing_is_labelled_attacks_are_planted_and_it_is_said() {
    let place = learned();
    let run = place.zt(&["eval", "b.jsonl", "--baseline", "a.zt", "--budget", "0.01", "--json"]);
    assert_eq!(run.code(), 0, "{}", run.err());
    let report = &run.lines()[0];
    assert!(report["notes"][0].as_str().unwrap().contains("No event has a label: all 700"), "{}", report["notes"]);
    assert_eq!(report["attacks"], 700);
    let all = report["explanations"].as_array().unwrap().last().unwrap();
    let of = |name: &str| all[name].as_u64().unwrap();
    assert!(of("detected") > 350 && of("named") * 100 >= of("detected") * 95, "{}", report["explanations"]);
    let text = place.zt(&["eval", "b.jsonl", "--baseline", "a.zt"]).out();
    assert!(text.contains("> **No event has a label") && text.contains("## Explanations of planted attacks"), "{text}");
    let other = place.zt(&["eval", "b.jsonl", "--baseline", "a.zt", "--budget", "0.01", "--seed", "2", "--json"]);
    assert_ne!(other.out(), run.out());
    assert_eq!(place.zt_with_input(&["eval", "-", "--baseline", "a.zt"], &normal(0, 5, None)).code(), 2);
}

#[test]
fn baselines_merge_in_any_order_and_are_calibrated_anew() {
    let place = learned();
    place.zt(&["learn", "b.jsonl", "--seed", "7", "--out", "b.zt"]);
    let run = place.zt(&["merge", "a.zt", "b.zt", "--out", "ab.zt"]);
    assert_eq!(run.code(), 0, "{}", run.err());
    assert!(run.out().contains("2 baselines, not calibrated"), "{}", run.out());
    place.zt(&["merge", "b.zt", "a.zt", "--out", "ba.zt"]);
    let bytes = |name: &str| fs::read(place.0.join(name)).unwrap();
    assert!(bytes("ab.zt") == bytes("ba.zt"));

    // Calibrated on the events that were counted, it is what one would have learned of all.
    let run =
        place.zt(&["learn", "a.jsonl", "b.jsonl", "--baseline", "ab.zt", "--calibrate", "--out", "c.zt", "--json"]);
    assert_eq!(run.lines()[0]["calibrated_on"], 2_000, "{}", run.err());
    place.zt(&["learn", "a.jsonl", "b.jsonl", "--seed", "7", "--out", "whole.zt"]);
    assert!(bytes("c.zt") == bytes("whole.zt"));

    // And going on adds.
    let run = place.zt(&["learn", "b.jsonl", "--baseline", "a.zt", "--out", "d.zt", "--json"]);
    assert_eq!((&run.lines()[0]["learned"], &run.lines()[0]["calibrated_on"]), (&json!(700), &json!(700)));

    place.zt(&["learn", "b.jsonl", "--out", "other.zt"]);
    let run = place.zt(&["merge", "a.zt", "other.zt", "--out", "x.zt"]);
    assert_eq!(run.code(), 2);
    assert!(
        run.err().contains("`other.zt`: baselines of different seeds") && run.err().contains("--seed"),
        "{}",
        run.err()
    );
}

#[test]
fn what_is_no_baseline_says_so() {
    let place = learned();
    let whole = fs::read(place.0.join("a.zt")).unwrap();
    let mut corrupt = whole.clone();
    let middle = corrupt.iter_mut().skip(whole.len() / 2).find(|byte| **byte != b'\n').unwrap();
    *middle = if *middle == b'A' { b'B' } else { b'A' };
    let place = place
        .with("foreign.zt", "a text of some length, and none of ours")
        .with("cut.zt", &whole[..whole.len() / 2])
        .with("corrupt.zt", corrupt);
    for (name, why) in [
        ("missing.zt", "cannot read `missing.zt`"),
        ("foreign.zt", "`foreign.zt`: not a zt baseline"),
        ("cut.zt", "the baseline is cut"),
        ("corrupt.zt", "the baseline is corrupt"),
    ] {
        for arguments in [
            &["eval", "a.jsonl", "--baseline", name][..],
            &["merge", "a.zt", name, "--out", "x.zt"],
            &["learn", "a.jsonl", "--baseline", name, "--out", "x.zt"],
            &["decide", "--baseline", name, "a.jsonl"],
        ] {
            let run = place.zt(arguments);
            assert_eq!(run.code(), 2, "{arguments:?}");
            assert!(run.err().contains(why), "{}", run.err());
            assert!(!place.0.join("x.zt").exists());
        }
    }
}

#[test]
fn access_logs_and_archives_are_known_by_their_content() {
    let line = |n: u32| {
        let target = format!("/v1/orders/{}?page={}", 1_000 + n, n % 9);
        format!(
            "203.0.113.{} - - [01/Jan/2024:00:00:00 +0000] \"GET {target} HTTP/1.1\" 200 9 \"-\" \"App/1.2\"\n",
            n % 9
        )
    };
    let log: String = (0..50).map(line).collect::<String>() + "nonsense\n" + &line(1).replace("200 9", "403 9");
    let entry = json!({
        "startedDateTime": "2024-01-01T00:00:00Z", "time": 1,
        "request": {"method": "GET", "url": "https://a.example/v1/orders/7?page=1", "headers": []},
        "response": {"status": 200, "headers": [], "content": {}},
    });
    let archive = serde_json::to_string_pretty(&json!({"log": {"version": "1.2", "entries": [entry, 7]}})).unwrap();
    let place = Place::new().with("access.log", log).with("a.har", archive).with("a.jsonl", normal(0, 10, None));
    let run = place.zt(&["learn", "access.log", "a.har", "a.jsonl", "--out", "b.zt", "--json"]);
    assert_eq!(run.code(), 1, "{}", run.err());
    let summary = &run.lines()[0];
    assert_eq!((&summary["learned"], &summary["refused"], &summary["malformed"]), (&json!(61), &json!(1), &json!(2)));
    // Reported once, though the inputs are read eight times.
    assert_eq!(run.err().lines().count(), 2, "{}", run.err());
    assert!(
        run.err().contains("access.log:51: not a line of an access log") && run.err().contains("a.har: entry 2"),
        "{}",
        run.err()
    );
    let run = place.zt(&["learn", "a.har", "--format", "events", "--out", "c.zt"]);
    assert!(run.code() == 2 && run.err().contains("a.har:1: malformed"), "{}", run.err());
    assert_eq!(place.zt(&["learn", "access.log", "--strict", "--out", "c.zt"]).code(), 2);
    assert_eq!(place.zt(&["learn", "-", "--out", "d.zt"]).code(), 2);
    assert_eq!(place.zt(&["learn", "--out", "d.zt"]).code(), 2);
}

#[test]
fn learning_nothing_replaces_nothing_and_nothing_counts_twice() {
    let attacks = normal(0, 10, Some("sqli"));
    let place = Place::new().with("a.jsonl", normal(0, 50, None)).with("none.jsonl", String::new());
    let place = place.with("attacks.jsonl", attacks).with("notes.md", "# Notes\n");
    assert_eq!(place.zt(&["learn", "a.jsonl", "--out", "good.zt"]).code(), 0);
    let good = fs::read(place.0.join("good.zt")).unwrap();
    for (input, why) in [
        ("none.jsonl", "the inputs are empty"),
        ("attacks.jsonl", "10 events are left out (0 refused, 10 for their label)"),
        ("notes.md", "1 lines are neither an event nor of an access log"),
    ] {
        let run = place.zt(&["learn", input, "--out", "good.zt"]);
        assert!(run.code() == 2 && run.err().contains("nothing was learned, and `good.zt` is left"), "{}", run.err());
        assert!(run.err().contains(why), "{}", run.err());
    }
    let run = place.zt(&["merge", "good.zt", "good.zt", "--out", "good.zt"]);
    assert!(run.code() == 2 && run.err().contains("`good.zt` is given twice"), "{}", run.err());
    assert!(fs::read(place.0.join("good.zt")).unwrap() == good);
}

#[test]
fn a_configuration_gives_endpoints_budget_and_seed() {
    let config = "version = 1\n[anomaly]\nbudget = 0.02\n[state]\nseed = 5\n[[endpoint]]\nmethod = \"GET\"\npath = \"/v1/orders/{id}\"\n";
    let place = Place::new().with("zt.toml", config).with("a.jsonl", normal(0, 500, Some("normal")));
    for name in ["one.zt", "two.zt"] {
        assert_eq!(place.zt(&["learn", "a.jsonl", "--config", "zt.toml", "--out", name]).code(), 0);
    }
    assert!(fs::read(place.0.join("one.zt")).unwrap() == fs::read(place.0.join("two.zt")).unwrap());
    let run = place.zt(&["eval", "a.jsonl", "--config", "zt.toml", "--baseline", "one.zt", "--json"]);
    assert_eq!(run.lines()[0]["budget"], 0.02, "{}", run.err());
    let run = place.zt(&["eval", "a.jsonl", "--baseline", "one.zt", "--budget", "2"]);
    assert!(run.code() == 2 && run.err().contains("a budget is a share"), "{}", run.err());
}

/// Requests of clients on one day: each of them `times` within a minute.
fn visits(clients: std::ops::Range<u32>, times: u32, label: Option<&str>) -> String {
    let one = |n: u32| {
        let mut event: Value = serde_json::from_str(&event(n, "page=1&sort=date", label)).unwrap();
        event["subject"] = format!("user-{}", n % clients.len() as u32 + clients.start).into();
        event["time_ms"] = (1_772_446_530_123_i64 + i64::from(n / clients.len() as u32) * 1_000).into();
        event.to_string() + "\n"
    };
    (0..clients.len() as u32 * times).map(one).collect()
}

#[test]
fn limits_follow_from_how_often_clients_asked() {
    let later = visits(0..50, 7, Some("normal")) + &visits(900..902, 40, Some("scraper"));
    let place = Place::new().with("a.jsonl", visits(0..400, 7, None)).with("later.jsonl", later);
    let run = place.zt(&["learn", "a.jsonl", "--seed", "7", "--out", "a.zt"]);
    assert!(
        run.code() == 0 && run.out().contains("6 limits follow: `zt limits --baseline a.zt`"),
        "{}{}",
        run.out(),
        run.err()
    );

    let run = place.zt(&["limits", "--baseline", "a.zt", "--json"]);
    let limits = run.lines()[0]["limits"].as_array().unwrap().clone();
    assert_eq!((run.code(), limits.len()), (0, 6), "{}", run.err());
    let limit =
        limits.iter().find(|limit| limit["endpoint"] == "GET /v1/orders/{}" && limit["period_s"] == 600).unwrap();
    assert_eq!(
        (&limit["p99"], &limit["client_days"], &limit["recommended"]["rate"]),
        (&json!(7), &json!(400), &json!("7/10m"))
    );

    let table = place.zt(&["limits", "--baseline", "a.zt"]).out();
    assert!(table.contains("7/10m        all endpoints"), "{table}");
    let text = place.zt(&["limits", "--baseline", "a.zt", "--toml"]).out();
    assert!(text.contains("rate = \"7/10m\"\nmode = \"monitor\"\nendpoints = [\"GET /v1/orders/{}\"]"), "{text}");
    // With the endpoint in the configuration, it is one.
    let endpoint =
        "[[endpoint]]\nmethod = \"GET\"\npath = \"/v1/orders/{id}\"\nid = \"GET /v1/orders/{}\"\nanonymous = true\n";
    let place = place.with("zt.toml", format!("version = 1\n{endpoint}{text}"));
    assert_eq!(place.zt(&["check", "zt.toml"]).code(), 0, "{}", place.zt(&["check", "zt.toml"]).out());

    let tried = place.zt(&["limits", "--baseline", "a.zt", "--try", "later.jsonl", "--json"]);
    let of = |label: &str| {
        tried.lines()[0]["labels"].as_array().unwrap().iter().find(|of| of[0] == label).unwrap()[1].clone()
    };
    assert_eq!((&of("normal")["touched"], &of("normal")["client_days"]), (&json!(0), &json!(50)), "{}", tried.err());
    assert_eq!((&of("scraper")["touched"], &of("scraper")["refused"]), (&json!(2), &json!(66)));

    let own = place.zt(&["limits", "--baseline", "a.zt", "--identity", "user-3"]).out();
    assert!(own.contains("298 more are needed"), "{own}");
    assert_eq!(place.zt(&["limits", "--baseline", "a.zt", "--budget", "1"]).code(), 2);
}
