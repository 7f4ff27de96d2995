//! The guide to policies: its blocks are those of the example, and every request of its tables is decided as it says.
#![cfg(feature = "compile")]
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "a test may read files")]

use std::fs;
use std::path::{Path, PathBuf};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use zt_core::engine::File;
use zt_core::model::{Decision, Peer, Request, Source, Text};
use zt_core::policy::{self, Policy, Vocabulary};
use zt_core::{Config, Engine, State};

const GUIDE: &str = include_str!("../../docs/policies.md");
/// Seconds: Monday 2026-03-02, 10:15:30 UTC.
const NOW: i64 = 1_772_446_530;
/// The key of RFC 7515, appendix A.3: `x`, `y`, `d`.
const ISSUER: [&str; 3] = [
    "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI",
];

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/policies")
}

fn text(name: &str) -> String {
    fs::read_to_string(example().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn policies() -> Vec<File> {
    let names = ["permits", "services", "guards"].map(|name| format!("policies/{name}.cedar"));
    names.map(|name| File { text: text(&name), name }).into()
}

struct Server {
    engine: Engine,
    state: State,
}

impl Server {
    fn with(toml: &str, files: &[File]) -> Self {
        let engine = Engine::from_toml(toml, files).unwrap_or_else(|invalid| panic!("{invalid}"));
        Self { state: State::new(&engine), engine }
    }

    fn example() -> Self {
        Self::with(&text("zt.toml"), &policies())
    }

    /// `request` is a cell of a table.
    fn decide(&self, caller: &str, request: &str) -> Decision {
        let mut parts = request.split('`').skip(1).step_by(2);
        let (method, target) = parts.next().and_then(|target| target.split_once(' ')).expect("a method and a target");
        let shown = shown(caller);
        let mut headers = Vec::new();
        if shown.get("sub").is_some() {
            headers.push((Text::from("authorization"), Text::from(format!("Bearer {}", token(&shown)))));
        }
        let mut now = NOW;
        if let Some(more) = parts.next() {
            match more.split_once(": ") {
                Some((name, value)) => headers.push((name.into(), value.into())),
                None => now = seconds(more),
            }
        }
        let (path, query) = Request::split_target(target.as_bytes());
        let cert = shown["cert"].as_str().map(|uri| uri.to_owned().into());
        let request = Request {
            method: method.into(),
            scheme: Some("https".into()),
            host: Some("api.shop.test".into()),
            path,
            query,
            headers,
            peer: Peer { client_cert_uris: cert.into_iter().collect(), ..Peer::default() },
            ..Request::default()
        };
        self.engine.decide(&self.state, &request, now * 1_000)
    }
}

/// What the guide's table says that a caller shows.
fn shown(caller: &str) -> Value {
    let row = rows("The callers").find(|row| row[0] == caller).unwrap_or_else(|| panic!("nobody is `{caller}`"));
    serde_json::from_str(row[1].trim_matches('`')).unwrap_or_else(|error| panic!("{caller}: {error}"))
}

fn token(shown: &Value) -> String {
    let mut claims = json!({"iss": "https://idp.shop.test", "aud": "https://api.shop.test", "iat": NOW - 20_000,
        "exp": NOW + 50_000_000});
    for (name, value) in shown.as_object().expect("claims").iter().filter(|(name, _)| *name != "cert") {
        claims[name] = match name.as_str() {
            "auth_time" => (NOW + value.as_i64().expect("seconds")).into(),
            _ => value.clone(),
        };
    }
    let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).expect("base64url");
    let [x, y, d] = ISSUER.map(decode);
    let point = [vec![4], x, y].concat();
    let key = EcdsaKeyPair::from_private_key_and_public_key(&ECDSA_P256_SHA256_FIXED_SIGNING, &d, &point);
    let header = json!({"alg": "ES256", "typ": "at+jwt", "kid": "2026-01"});
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let signed = format!("{}.{}", encode(header.to_string().as_bytes()), encode(claims.to_string().as_bytes()));
    let signature = key.expect("a key of an RFC").sign(&SystemRandom::new(), signed.as_bytes()).expect("a signature");
    format!("{signed}.{}", encode(signature.as_ref()))
}

/// Seconds of a moment such as `2026-03-02T19:00Z`, from March on.
fn seconds(moment: &str) -> i64 {
    let number = |range: std::ops::Range<usize>| moment[range].parse::<i64>().expect("a number");
    assert!(moment.len() == 17 && moment.starts_with("2026-") && moment.ends_with('Z'), "{moment}");
    let days: i64 =
        [31, 30, 31, 30, 31, 31, 30][..usize::try_from(number(5..7) - 3).expect("from March on")].iter().sum();
    let midnight = NOW - (10 * 3_600 + 15 * 60 + 30) - 86_400;
    midnight + (days + number(8..10) - 1) * 86_400 + number(11..13) * 3_600 + number(14..16) * 60
}

/// The guide's section with this heading, up to the next.
fn section(heading: &str) -> &'static str {
    let at = GUIDE.find(&format!("\n## {heading}\n")).unwrap_or_else(|| panic!("no section `{heading}`"));
    let rest = &GUIDE[at + 1..];
    &rest[..rest.find("\n## ").unwrap_or(rest.len())]
}

/// Cells of the tables of a section, without their headings.
fn rows(heading: &str) -> impl Iterator<Item = Vec<&'static str>> {
    cells(section(heading)).filter(|row| !matches!(row.first(), None | Some(&("caller" | "---"))))
}

fn cells(text: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    let lines = text.lines().filter(|line| line.starts_with('|'));
    lines.map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
}

fn blocks(language: &str) -> impl Iterator<Item = &'static str> {
    let start = format!("```{language}\n");
    let rests: Vec<&'static str> = GUIDE.split(&*start).skip(1).collect();
    rests.into_iter().map(|rest| &rest[..rest.find("```").expect("its end")])
}

#[test]
fn every_block_stands_in_the_example() {
    let files: Vec<String> = policies().into_iter().map(|file| file.text).collect();
    let mut seen = 0;
    for policy in blocks("cedar").flat_map(|block| block.split("\n\n")).map(str::trim) {
        seen += 1;
        let there = files.iter().any(|file| file.contains(policy));
        assert!(there || policy.contains("overflows"), "{policy}");
    }
    let all: usize = files.iter().map(|file| file.matches("@id(").count()).sum();
    assert_eq!(seen, all + 1, "the guide shows every policy of the example, and one more");
    assert_eq!(blocks("toml").filter(|block| text("zt.toml").contains(block)).count(), blocks("toml").count());
}

#[test]
fn every_request_is_decided_as_the_guide_says() {
    let server = Server::example();
    let mut wrong = Vec::new();
    let mut outcomes = std::collections::BTreeMap::<&str, usize>::new();
    for row in cells(GUIDE).filter(|row| row.len() == 4 && !matches!(row[0], "caller" | "---")) {
        let [caller, request, outcome, by] = row[..] else { unreachable!("four cells") };
        *outcomes.entry(outcome).or_default() += 1;
        let decision = server.decide(caller, request);
        let got = serde_json::to_value(&decision).expect("a decision");
        let first = decision.reasons.first().map(|reason| (reason.code.as_str(), reason.detail.as_ref()));
        let right = match (by, first) {
            ("", first) => first.is_none(),
            ("no permit", Some((code, _))) => code == "policy.not_permitted",
            (by, Some((_, detail))) => by.starts_with('`') && detail.contains(by),
            (_, None) => false,
        };
        if got["outcome"] != outcome || !right {
            wrong.push(format!("{caller}: {request}: {outcome} {by}: {} {}", got["outcome"], got["reasons"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(outcomes.values().sum::<usize>() >= 40 && outcomes.len() == 5, "{outcomes:?}");
}

#[test]
fn every_policy_of_the_example_decides_something_in_the_guide() {
    let server = Server::example();
    let without = |id: &str| -> Vec<File> {
        let strip = |text: &str| {
            let parts = text.split("\n\n").filter(|part| !part.contains(&format!("@id(\"{id}\")")));
            parts.collect::<Vec<_>>().join("\n\n")
        };
        policies().into_iter().map(|file| File { text: strip(&file.text), name: file.name }).collect()
    };
    let names: Vec<String> = policies()
        .iter()
        .flat_map(|file| {
            file.text.split("@id(\"").skip(1).map(|rest| rest[..rest.find('"').unwrap()].to_owned()).collect::<Vec<_>>()
        })
        .collect();
    let requests: Vec<_> = cells(GUIDE).filter(|row| row.len() == 4 && !matches!(row[0], "caller" | "---")).collect();
    for id in names.iter().filter(|id| !["unusual-writes", "very-unusual"].contains(&id.as_str())) {
        let other = Server::with(&text("zt.toml"), &without(id));
        let differs = |row: &Vec<&str>| {
            let codes = |server: &Server| {
                let decision = server.decide(row[0], row[1]);
                (decision.outcome, decision.reasons.iter().map(|reason| reason.detail.to_string()).collect::<Vec<_>>())
            };
            codes(&server) != codes(&other)
        };
        assert!(requests.iter().any(differs), "`{id}` could be left out, and no table would tell");
    }
}

#[test]
fn risk_counts_once_it_is_scored() {
    let config = Config::from_toml(&text("zt.toml")).expect("a configuration").policy.expect("policies");
    let files = policies();
    let sources: Vec<Source<'_>> = files
        .iter()
        .map(|file| Source { key: "policy.files".to_owned(), name: Some(&file.name), text: &file.text })
        .collect();
    let server = Server::example();
    let endpoints: Vec<policy::Endpoint<'_>> = server
        .engine
        .router()
        .endpoints()
        .iter()
        .map(|e| policy::Endpoint { id: &e.id, method: &e.method, segment: Some(&e.segment) })
        .collect();
    let policy = Policy::compile(&config, &sources, &Vocabulary { endpoints: &endpoints, ..Vocabulary::default() });
    let policy = policy.unwrap_or_else(|problems| panic!("{problems:?}"));
    let at = |id: &str| endpoints.iter().position(|endpoint| endpoint.id == id).expect("an endpoint");
    let by = |endpoint: &str, risk: f64| {
        let (endpoint, method) = (at(endpoint), endpoints[at(endpoint)].method);
        let answer = policy.evaluate(&policy::Request { endpoint, method, risk, ..policy::Request::default() });
        let names = answer.determining.iter().filter_map(|rule| policy.id(*rule)).filter(|id| id.contains("unusual"));
        names.map(str::to_owned).collect::<Vec<_>>()
    };
    assert!(by("createUser", 0.989).is_empty() && by("readReport", 0.99).is_empty());
    assert_eq!(by("createUser", 0.99), ["unusual-writes"]);
    assert_eq!(by("readReport", 0.999), ["very-unusual"]);
}

#[test]
fn a_forbid_that_fails_denies_unless_cedars_way_is_asked_for() {
    let extra = blocks("cedar").find(|block| block.contains("overflows")).expect("the policy");
    let files: Vec<File> = policies()
        .into_iter()
        .chain([File { name: "policies/more.cedar".to_owned(), text: extra.to_owned() }])
        .collect();
    let request = section("Errors").split('`').find(|cell| cell.starts_with("GET ")).expect("the request");
    let request = format!("`{request}`");
    let decide =
        |toml: &str| serde_json::to_value(Server::with(toml, &files).decide("sam", &request)).expect("a decision");
    let toml = text("zt.toml");
    let strict = decide(&toml);
    assert_eq!(
        (&strict["outcome"], &strict["reasons"][0]["code"]),
        (&json!("deny"), &json!("policy.error")),
        "{strict}"
    );
    let cedar = decide(&toml.replace("[policy]\n", "[policy]\nerrors = \"cedar\"\n"));
    assert_eq!(cedar["outcome"], "throttle", "{cedar}");
    assert!(cedar["reasons"].to_string().contains("policy.error"), "{cedar}");
}

#[test]
fn every_fact_and_every_code_of_the_guide_is_one() {
    let named = section("What a policy sees");
    let schema = policy::schema(&Vocabulary::default(), &[]);
    let facts: Vec<&str> = schema.lines().filter_map(|line| line.strip_prefix("  \"")?.split('"').next()).collect();
    assert!(facts.len() > 20, "{schema}");
    for fact in facts {
        assert!(named.contains(&format!("`{fact}`")) || named.contains(&format!("`context.{fact}`")), "{fact}");
    }
    for word in GUIDE.split('`').filter(|word| word.starts_with("policy.") && !word.contains([' ', '[', '"'])) {
        assert!(zt_core::model::Code::ALL.iter().any(|code| code.as_str() == word), "{word}");
    }
}
