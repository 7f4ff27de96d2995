//! Configurations: every mistake at once, each with its key, line and mend.

use zt_core::engine::File;
use zt_core::{Config, Engine};

const CONTRACT: &str = include_str!("contract.toml");

fn problems(text: &str) -> Vec<String> {
    match Engine::from_toml(text, &[]) {
        Ok(_) => Vec::new(),
        Err(invalid) => invalid.to_string().lines().map(str::to_owned).collect(),
    }
}

fn assert_problems(text: &str, expected: &[&str]) {
    let found = problems(text);
    let matches =
        found.len() == expected.len() && found.iter().zip(expected).all(|(line, start)| line.starts_with(start));
    assert!(matches, "found:\n{}\nexpected:\n{}", found.join("\n"), expected.join("\n"));
}

#[test]
fn the_contracts_own_example_reads() {
    let config = Config::from_toml(CONTRACT).unwrap_or_else(|invalid| panic!("{invalid}"));
    assert_eq!(config.named_files(), ["openapi.yaml", "keys/idp.json", "policies/*.cedar", "baseline.zt"]);
}

#[test]
fn files_that_were_not_handed_over_are_named() {
    assert_problems(
        CONTRACT,
        &[
            "zt.toml:3: `openapi_files[0]`: no file `openapi.yaml` was handed over",
            "zt.toml:11: `verify.issuer[0].jwks_file`: no file `keys/idp.json` was handed over",
            "zt.toml:18: `verify.api_key[0].sha256`: not 64 hexadecimal digits",
            "zt.toml:31: `policy.files[0]`: no file `policies/*.cedar` was handed over",
            "zt.toml:42: `anomaly.baseline_file`: no file `baseline.zt` was handed over",
        ],
    );
}

#[test]
fn a_ladder_that_cannot_be_climbed_is_told_with_its_lines() {
    let text = "version = 1\n[[respond.ladder]]\nname = \"x\"\nsubject = \"identity\"\ncodes = [\"limit.*\", \"limits.*\"]\nflag = 3\nsuspend = 2\ncolour = \"red\"\n";
    assert_problems(text, &["zt.toml:8:1: `respond.ladder[0].colour`: unknown key"]);
    assert_problems(
        &text.replace("colour = \"red\"\n", ""),
        &[
            "zt.toml:5: `respond.ladder[0].codes[1]`: there is no code `limits.*`; did you mean `limit.*`?",
            "zt.toml:7: `respond.ladder[0].suspend`: `flag` comes at 3 already, and is milder",
            "zt.toml:7: `respond.ladder[0].suspend`: the codes tell of behaviour alone, which suspends no",
        ],
    );
    let ladder = |n: usize| {
        format!("[[respond.ladder]]\nname = \"x{n}\"\nsubject = \"peer\"\ncodes = [\"limit.*\"]\nflag = 3\n")
    };
    let many: String = (0..9).map(ladder).collect();
    assert_problems(&format!("version = 1\n{many}[state]\nmemory = \"512KiB\"\n"), &["zt.toml:48: `state.memory`: "]);
}

#[test]
fn a_signing_key_is_read_from_its_file() {
    let text = "version = 1\n[[verify.signature]]\nid = \"a\"\nkeyid = \"k\"\nalgorithm = \"ed25519\"\njwk_file = \"a.json\"\n";
    assert_eq!(Config::from_toml(text).expect("a configuration").named_files(), ["a.json"]);
    assert_problems(text, &["zt.toml:6: `verify.signature[0].jwk_file`: no file `a.json` was handed over"]);
    let file = |text: &str| [File { name: "a.json".to_owned(), text: text.to_owned() }];
    let key = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    assert!(Engine::from_toml(text, &file(key)).is_ok());
    let refused = Engine::from_toml(text, &file("{}")).unwrap_err().to_string();
    assert!(refused.contains("`verify.signature[0].jwk_file`: `kty` is missing"), "{refused}");
}

#[test]
fn handed_over_files_are_compiled() {
    let file = |name: &str, text: &str| File { name: name.to_owned(), text: text.to_owned() };
    let openapi = "openapi: 3.1.0\npaths:\n  /v1/orders:\n    get:\n      operationId: listOrders\n";
    let text = "version = 1\nopenapi_files = [\"api.yaml\"]\n[policy]\nfiles = [\"p/*.cedar\"]\n";
    let policy = "permit(principal, action == Action::\"listOrders\", resource);";
    let engine = Engine::from_toml(text, &[file("api.yaml", openapi), file("p/a.cedar", policy)]);
    let engine = engine.unwrap_or_else(|invalid| panic!("{invalid}"));
    assert_eq!(&*engine.router().endpoints()[0].id, "listOrders");
}

#[test]
fn a_mistake_in_a_policy_that_stands_in_the_configuration_has_its_line_there() {
    let policy = "permit(principal, action == Action::\"nope\", resource);";
    let text = |policy: &str| {
        format!("version = 1\n[[endpoint]]\nmethod = \"GET\"\npath = \"/a\"\nid = \"a\"\n[policy]\ntext = {policy}\n")
    };
    assert_problems(&text(&format!("'''\n\n{policy}\n'''")), &["zt.toml:9:29: `policy.text`: "]);
    assert_problems(&text(&format!("\"\"\"{policy}\"\"\"")), &["zt.toml:7:39: `policy.text`: "]);
    assert_problems(&text(&format!("'{policy}'")), &["zt.toml:7:37: `policy.text`: "]);
    assert_problems(&text(&format!("\"{}\"", policy.replace('"', "\\\""))), &["zt.toml:7: `policy.text`: "]);
}

#[test]
fn every_mistake_is_told_at_once() {
    let text = r#"version = 1
mode = "enfroce"
colour = "red"

[[verify.issuer]]
issuer = "https://idp.example.com"
audience = ["https://api.example.com"]
algorithms = ["RS256"]
jwks = '{"keys":[]}'

[[endpoint]]
method = "GET"
path = "orders"

[[limit]]
name = "a"
key = ["pear"]
rate = "100 per minute"

[inspect]
max_body = 5
"#;
    assert_problems(
        text,
        &[
            "zt.toml:2:8: `mode`: unknown variant `enfroce`, expected `enforce` or `monitor`",
            "zt.toml:3:1: `colour`: unknown key; known keys here:",
            "zt.toml:5:1: `verify.issuer[0]`: `audiences` is missing; add `audiences = ...`",
            "zt.toml:7:1: `verify.issuer[0].audience`: unknown key; did you mean `audiences`?",
            "zt.toml:13: `endpoint[0].path`: `orders` does not start with `/`",
            "zt.toml:17:7: `limit[0].key`: `pear` is not one of peer,",
            "zt.toml:18:8: `limit[0].rate`: `100 per minute` is not a rate; write it as \"20/1s\" or \"1000/1h\": a number from 1 on, and a span in ms, s, m, h or d",
            "zt.toml:21:12: `inspect.max_body`:",
        ],
    );
}

#[test]
fn what_other_software_calls_otherwise_is_told_by_its_name_here() {
    let text = r#"version = 1
[verify.dpop]
nonce = true
[[verify.issuer]]
issuer = "https://idp.example.com"
audiences = ["https://api.example.com"]
algorithms = ["RS256"]
jwks_url = "https://idp.example.com/jwks"
[[verify.api_key]]
id = "partner-7"
key = "only-for-this-test"
[[verify.signature]]
id = "ledger"
keyid = "l"
algorithm = "ed25519"
public_key = "-----BEGIN PUBLIC KEY-----"
[[endpoint]]
method = "*"
path = "/**"
reauthenticate_after = 300
"#;
    assert_problems(
        text,
        &[
            "zt.toml:3:9: `verify.dpop.nonce`: not text; write one of the words that it takes, in quotes",
            "zt.toml:8:1: `verify.issuer[0].jwks_url`: unknown key; zt fetches nothing:",
            "zt.toml:11:1: `verify.api_key[0].key`: unknown key; a key is known by its digest:",
            "zt.toml:16:1: `verify.signature[0].public_key`: unknown key; write the key as a JWK",
            "zt.toml:20:24: `endpoint[0].reauthenticate_after`: invalid type: integer `300`, expected a duration with a unit",
        ],
    );
}

#[test]
fn broken_syntax_is_told_with_its_line() {
    assert_problems("version = 1\nmode = \n", &["zt.toml:2:"]);
}

#[test]
fn a_version_that_is_not_known_is_refused() {
    assert_problems("version = 2\n", &["zt.toml:1: `version`: version 2 is not known; write `version = 1`"]);
    assert_problems("", &["zt.toml:1:1: `version` is missing; add `version = ...`"]);
}

#[test]
fn the_version_of_an_engine_changes_with_any_text() {
    let version = |text: &str| Engine::from_toml(text, &[]).unwrap().version().to_owned();
    assert_eq!(version("version = 1"), version("version = 1\n# a comment"));
    assert_ne!(version("version = 1"), version("version = 1\nmode = \"monitor\""));
}

#[test]
fn several_issuers_under_one_policy_are_said_aloud() {
    let vector = include_str!("vectors/verify/two_issuers.json");
    let vector: serde_json::Value = serde_json::from_str(vector).expect("JSON");
    let text = vector["config"].as_str().expect("config");
    let told = |text: &str| {
        let engine = Engine::from_toml(text, &[]).expect("a configuration");
        engine.notices().iter().any(|notice| notice.contains("several issuers"))
    };
    assert!(!told(text));
    assert!(told(&format!("{text}\n[policy]\ntext = 'permit(principal, action, resource);'\n")));
}

#[test]
fn what_nobody_can_meet_is_said_aloud() {
    let told = |text: &str, part: &str| {
        let engine = Engine::from_toml(&format!("version = 1\n{text}"), &[]).expect("a configuration");
        engine.notices().iter().any(|notice| notice.contains(part))
    };
    let payments = "[[endpoint]]\nmethod = \"*\"\npath = \"/payments\"\nacr_values = [\"mfa\"]\n";
    let issuer = "[[verify.issuer]]\nissuer = \"i\"\naudiences = [\"a\"]\nalgorithms = [\"HS256\"]\n\
                  jwks = '{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\"}]}'\n";
    assert!(told(payments, "nobody can meet them"));
    assert!(!told(&format!("{payments}{issuer}"), "nobody can meet them"));
    let bound = format!("{issuer}sender_constrained = \"required\"\n");
    assert!(told(&bound, "no `[verify.dpop]`"));
    assert!(!told(&format!("{bound}[verify.dpop]\n"), "no `[verify.dpop]`"));
}

#[test]
fn secrets_are_read_from_files_and_never_shown() {
    let text = "version = 1\n[[endpoint]]\nmethod = \"*\"\npath = \"/**\"\n[verify]\napi_key_pepper_file = \"pepper\"\n\
                [[verify.webhook]]\nid = \"a\"\nformat = \"github\"\nsecrets = [\"an inline secret of some length\"]\n\
                secret_files = [\"old\", \"new\"]\n\
                [[verify.sigv4]]\nid = \"b\"\naccess_key_id = \"AKIDEXAMPLE\"\nregion = \"r\"\nservice = \"s\"\n\
                secret_file = \"aws\"\nsession_token_file = \"token\"\n";
    let config = Config::from_toml(text).unwrap_or_else(|invalid| panic!("{invalid}"));
    assert_eq!(config.named_files(), ["pepper", "aws", "token", "old", "new"]);
    let of_length = "a secret of some length\n";
    let files = |new: &str| {
        let texts = [("pepper", of_length), ("old", of_length), ("new", new), ("aws", of_length), ("token", "t\n")];
        texts.map(|(name, text)| File { name: name.to_owned(), text: text.to_owned() })
    };
    let engine = Engine::from_toml(text, &files(of_length)).unwrap_or_else(|invalid| panic!("{invalid}"));
    let config = config.with_files(files(of_length));
    assert!(!format!("{engine:?} {config:?}").contains("of some length"));
    let short = Engine::from_toml(text, &files("fifteen bytes..\n")).expect_err("too short").to_string();
    assert!(
        short.starts_with("zt.toml:11:") && short.contains("`verify.webhook[0].secret_files[1]`: shorter"),
        "{short}"
    );
    assert_problems(
        text,
        &[
            "zt.toml:6: `verify.api_key_pepper_file`: no file `pepper` was handed over",
            "zt.toml:11: `verify.webhook[0].secret_files[0]`: no file `old` was handed over",
            "zt.toml:11: `verify.webhook[0].secret_files[1]`: no file `new` was handed over",
            "zt.toml:17: `verify.sigv4[0].secret_file`: no file `aws` was handed over",
            "zt.toml:18: `verify.sigv4[0].session_token_file`: no file `token` was handed over",
        ],
    );
}

#[test]
fn a_declared_attribute_names_a_variable_that_there_is() {
    let text = |variable: &str| {
        format!(
            "version = 1\nendpoint = [{{ method = \"GET\", path = \"/v/{{a}}/{{b}}.json\" }}]\n[policy]\ntext = \"permit(principal, action, resource);\"\n[[policy.context]]\nname = \"x\"\nvariable = \"{variable}\"\ntype = \"long\"\n"
        )
    };
    assert_problems(&text("a"), &[]);
    assert_problems(&text("b"), &[]);
    assert_problems(&text("c"), &["zt.toml:7: `policy.context[0].variable`: no path has a variable `c`"]);
    assert_problems(
        &text("a").replace("\"long\"", "\"int\""),
        &["zt.toml:8:8: `policy.context[0].type`: unknown variant `int`"],
    );
}

#[test]
fn limits_that_are_impossible_or_are_for_nothing() {
    let with = |more: &str| format!("version = 1\n[[endpoint]]\nmethod = \"GET\"\npath = \"/a\"\nid = \"a\"\n{more}");
    let text = with(
        r#"[[limit]]
name = "peers"
key = ["peer"]
rate = ["1/1s", "x"]
[[limit]]
name = "nothing"
key = ["peer"]
cost = "bodies"
"#,
    );
    assert_problems(
        &text,
        &[
            "zt.toml:9:17: `limit[0].rate[1]`: `x` is not a rate; write it as \"20/1s\"",
            "zt.toml:13:8: `limit[1].cost`: `bodies` is not a cost; write a number from 1 on, \"body/4KiB\" (in B, KiB,",
        ],
    );
    let text = with(
        r#"[[limit]]
name = "peers"
key = ["peer"]
rate = "5/1s"
reserve = 20
reserved_for = { endpoints = ["b"] }
[[limit]]
name = "nothing"
key = ["peer"]
[policy]
text = '''
@id("p") @exempt("peers, gone")
permit(principal, action, resource);
'''
"#,
    );
    assert_problems(
        &text,
        &[
            "zt.toml:11: `limit[0].reserved_for.endpoints`: there is no endpoint `b`",
            "zt.toml:12: `limit[1]`: the limit limits nothing; add `rate`, `quota` or `concurrent`",
        ],
    );
    assert_problems(
        &text
            .replace("[\"b\"]", "[\"a\"]")
            .replace("name = \"nothing\"\nkey = [\"peer\"]", "name = \"n\"\nkey = [\"peer\"]\nquota = \"1/1d\""),
        &[
            "zt.toml:18:1: `policy.text`: `@exempt` of policy `p`: no limit `peers` is checked when the caller is known; name",
            "zt.toml:18:1: `policy.text`: `@exempt` of policy `p`: no limit `gone` is checked when the caller is known; name",
        ],
    );
}

#[test]
fn proxies_are_said_soundly() {
    let peer = |text: &str| format!("version = 1\n[peer]\n{text}\n");
    assert_problems(&peer("forwarded = \"x-real-ip\"\nproxies = [\"10.0.0.0/8\", \"2001:db8::1\"]"), &[]);
    assert_problems(&peer("hops = 1"), &["zt.toml:2:1: `peer`: `forwarded` is missing; add `forwarded = ...`"]);
    assert_problems(
        &peer("forwarded = \"x forwarded\"\nhops = 0\nproxies = [\"10.0.0.1/8\", \"10.0.0.0/8\", \"proxy\"]"),
        &[
            "zt.toml:3: `peer.forwarded`: `x forwarded` is no header; write `x-forwarded-for` or `forwarded`",
            "zt.toml:4: `peer.hops`: 0 is not from 1 to 32; write how many proxies of yours add an entry: 1 for one",
            "zt.toml:5: `peer.proxies[0]`: `10.0.0.1/8` is not a network; write it as `10.0.0.0/8` or `2001:db8::/32`",
            "zt.toml:5: `peer.proxies[2]`: `proxy` is not a network",
        ],
    );
    assert_problems(
        &peer("forwarded = \"forwarded\"\nproxies = []"),
        &["zt.toml:4: `peer.proxies`: no connection is a proxy's"],
    );
    let told = |text: &str| {
        let engine = Engine::from_toml(&peer(text), &[]).expect("a configuration");
        engine.notices().iter().any(|notice| notice.contains("claim any address"))
    };
    for everybody in ["0.0.0.0/0", "::/0"] {
        let proxies = format!("forwarded = \"forwarded\"\nproxies = [\"10.0.0.0/8\", \"{everybody}\"]");
        assert!(told(&proxies), "{everybody}");
    }
    assert!(told("forwarded = \"forwarded\"") && !told("forwarded = \"forwarded\"\nproxies = [\"10.0.0.0/8\"]"));
}

#[test]
fn one_slip_is_one_message() {
    // What cannot be read is cut out: that a ladder without it has no rung is not said.
    assert_problems(
        r#"version = 1
[[respond.ladder]]
name = "x"
subject = "peer"
codes = ["inspect.*"]
suspend = 0
[[limit]]
name = "x"
key = ["identity"]
rate = "20/1s"
reserve = 120
reserved_for = { roles = ["a"] }
endpoints = ["nope"]
[[limit]]
name = "y"
key = ["identity"]
rate = "20/1s"
reserve = 300
reserved_for = { roles = ["a"] }
endpoints = []
"#,
        &[
            "zt.toml:6:11: `respond.ladder[0].suspend`: invalid value: integer `0`, expected a whole number from 1 to 4294967295",
            "zt.toml:11: `limit[0].reserve`: 120 per cent are no share; use 1 to 99",
            "zt.toml:13: `limit[0].endpoints`: there is no endpoint `nope`: the limit would never apply; name one of the configuration's endpoints",
            "zt.toml:18:11: `limit[1].reserve`: invalid value: integer `300`, expected a whole number from 0 to 255",
            "zt.toml:20:13: `limit[1].endpoints`: names nothing; name some, or leave the key out: the limit is then for all",
        ],
    );
}

#[test]
fn one_table_where_there_may_be_several_is_told_how_it_is_written() {
    assert_problems(
        r#"version = 1
[limit]
name = "x"
[endpoint]
path = "/a"
[segment]
name = "x"
[respond.ladder]
name = "x"
[policy.context]
name = "x"
[verify.issuer]
issuer = "x"
[[verify.spiffe]]
trust_domain = "example.org"
[verify.spiffe.workload]
id = "x"
"#,
        &[
            "zt.toml:2:1: `limit`: one table, where there may be several; write `[[limit]]`, with two brackets",
            "zt.toml:4:1: `endpoint`: one table, where there may be several; write `[[endpoint]]`,",
            "zt.toml:6:1: `segment`: one table, where there may be several; write `[[segment]]`,",
            "zt.toml:8:1: `respond.ladder`: one table, where there may be several; write `[[respond.ladder]]`,",
            "zt.toml:10:1: `policy.context`: one table, where there may be several; write `[[policy.context]]`,",
            "zt.toml:12:1: `verify.issuer`: one table, where there may be several; write `[[verify.issuer]]`,",
            "zt.toml:14:1: `verify.spiffe[0]`: `audiences` is missing",
            "zt.toml:16:1: `verify.spiffe[0].workload`: one table, where there may be several; write `[[verify.spiffe.workload]]`,",
        ],
    );
}

#[test]
fn quantities_are_told_with_their_units() {
    assert_problems(
        r#"version = 1
[[limit]]
name = "x"
key = ["peer"]
rate = "20/sec"
quota = "5/1month"
cost = "body/1page"
concurrent = 2
hold = "1x"
[[limit]]
name = "y"
key = ["peer"]
rate = 20
cost = 0
[state]
memory = "64 megabytes"
"#,
        &[
            "zt.toml:5:8: `limit[0].rate`: `20/sec` is not a rate; write it as \"20/1s\" or \"1000/1h\": a number from 1 on, and a span in ms, s, m, h or d",
            "zt.toml:6:9: `limit[0].quota`: `5/1month` is not a rate; write it as \"20/1s\"",
            "zt.toml:7:8: `limit[0].cost`: `body/1page` is not a cost; write a number from 1 on, \"body/4KiB\" (in B, KiB, MiB, GiB, kB, MB or GB), \"claim:NAME\" or \"response\"",
            "zt.toml:9:8: `limit[0].hold`: `1x` is not a duration with a unit; write it as \"250ms\", \"5m\" or \"24h\", in ms, s, m, h or d",
            "zt.toml:13:8: `limit[1].rate`: invalid type: integer `20`, expected a rate or a list of them; write \"20/1s\" or",
            "zt.toml:14:8: `limit[1].cost`: `0` is not a cost; write a number from 1 on",
            "zt.toml:16:10: `state.memory`: `64 megabytes` is not a size; write it as \"64KiB\" or \"64MiB\", in B, KiB,",
        ],
    );
    let text = "version = 1\n[[limit]]\nname = \"x\"\nkey = [\"peer\"]\nrate = \"20/sec\"\n";
    let invalid = Engine::from_toml(text, &[]).expect_err("no rate");
    assert_eq!(invalid.0[0].message, "`20/sec` is not a rate");
    assert!(invalid.0[0].mend.as_ref().is_some_and(|mend| mend.starts_with("write it as \"20/1s\"")));
}
