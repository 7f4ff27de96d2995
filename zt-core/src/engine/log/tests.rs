use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::engine::Laps;
use crate::model::{Body, Peer, Stage, Text};
use crate::{Engine, State, hs256};

const NOW: i64 = 1_772_446_530_123;

fn key() -> Key {
    Key::new(b"a key of this test").unwrap()
}

fn engine() -> Engine {
    let text = r#"
version = 1
[peer]
forwarded = "x-forwarded-for"
[[endpoint]]
method = "*"
path = "/v1/orders/{id}"
[policy]
text = 'permit(principal, action, resource) unless { context has coupon && context.coupon == "planted-query" };'
[[policy.context]]
name = "coupon"
query = "coupon"
type = "string"
"#;
    Engine::from_toml(&(text.to_owned() + &hs256::issuer_table()), &[]).unwrap_or_else(|invalid| panic!("{invalid}"))
}

fn token(secret: &[u8]) -> String {
    let claims = json!({"iss": hs256::ISSUER, "sub": "user-17", "aud": hs256::AUDIENCE, "jti": "token-4711",
        "sid": "s-1", "iat": NOW / 1_000, "exp": NOW / 1_000 + 600, "email": "planted-claim", "scope": "planted-scope"});
    hs256::sign(&json!({"alg": "HS256", "typ": "at+jwt"}), &claims, secret)
}

/// A request with a secret in every place.
fn request(authorization: String) -> Request<'static> {
    let header = |name: &'static str, value: &str| (Text::from(name), Text::from(value.to_owned()));
    Request {
        id: Some("e-1".into()),
        method: "POST".into(),
        path: "/v1/orders/planted-variable".into(),
        query: Some("coupon=planted-query&planted-name=1".into()),
        headers: vec![
            header("Authorization", &authorization),
            header("Cookie", "session=planted-cookie"),
            header("X-Planted-Header", "planted-value"),
            header("X-Forwarded-For", "planted-hop, 203.0.113.7"),
            header("Content-Type", "application/json; planted-type=1"),
        ],
        body: Some(Body::from(br#"{"planted-member": "planted-body"}"#.to_vec())),
        peer: Peer { ip: Some("10.0.0.2".parse().unwrap()), country: Some("XP".into()), ..Peer::default() },
        ..Request::default()
    }
}

fn log(chain: &mut Chain, count: usize) -> Vec<String> {
    let (engine, request) = (engine(), request(format!("Bearer {}", token(hs256::SECRET))));
    let decision = engine.decide(&State::new(&engine), &request, NOW);
    (0..count).map(|_| chain.record(&decision, &request, None)).collect()
}

fn prove<T: AsRef<[u8]>>(mut proof: Proof, lines: &[T]) -> Result<Proven, Broken> {
    for (number, line) in (1..).zip(lines) {
        proof.line(number, line.as_ref())?;
    }
    proof.finish()
}

fn why(proof: Proof, lines: &[String]) -> (u64, Why) {
    let broken = prove(proof, lines).unwrap_err();
    (broken.line, broken.why)
}

#[test]
fn a_line_says_what_was_decided_in_this_order() {
    let (engine, mut request) = (engine(), request(format!("Bearer {}", token(hs256::SECRET))));
    request.query = None;
    let decision = engine.decide(&State::new(&engine), &request, NOW);
    let mut laps = Laps::default();
    laps.add(Stage::Verify, 17_250);
    let mut chain = Chain::new();
    let line = chain.record(&decision, &request, Some(&laps));
    let inputs = inputs(&request, None);
    let version = engine.version();
    let content = format!(
        r#"{{"seq":0,"prev":"","time_ms":{NOW},"id":"e-1","outcome":"allow","enforced":true,"status":200,"identity":{{"kind":"jwt","issuer":"https://idp.example.com","principal":"user-17","credential_id":"token-4711","session":"s-1"}},"endpoint":{{"id":"* /v1/orders/{{id}}","template":"/v1/orders/{{id}}","segment":"default","known":true}},"peer":{{"ip":"203.0.113.7","through":"10.0.0.2"}},"reasons":[],"obligations":[],"policy_version":"{version}","inputs":"{inputs}","stages_us":{{"verify":17.25}}"#
    );
    let digest = Seal::default().of(content.as_bytes());
    assert_eq!(line, format!("{content},\"digest\":\"{digest}\"}}"));
    assert!(serde_json::from_str::<Value>(&line).is_ok());
    let next: Value = serde_json::from_str(&chain.record(&decision, &request, None)).unwrap();
    assert_eq!((&next["seq"], &next["prev"]), (&json!(1), &json!(digest)));
    assert_eq!(next.get("stages_us"), None);
}

#[test]
fn no_secret_is_in_a_line_whatever_is_decided() {
    let engine = engine();
    let sound = token(hs256::SECRET);
    let requests = [
        request(format!("Bearer {sound}")),
        request(format!("Bearer {}", token(b"somebody else's secret"))),
        request("Bearer planted-token".to_owned()),
        request("Planted planted-scheme".to_owned()),
        Request { query: None, ..request(format!("Bearer {sound}")) },
        Request { path: "/planted-path".into(), ..request(format!("Bearer {sound}")) },
        Request { method: "PLANTED".into(), ..request(format!("Bearer {sound}")) },
        Request { query: Some("access_token=planted-token".into()), ..request(String::new()) },
        Request {
            body: Some(Body::from(br#"{"planted": 1, "planted": 2}"#.to_vec())),
            query: None,
            ..request(format!("Bearer {sound}"))
        },
        Request { body: Some(Body::from(b"planted".to_vec())), query: None, ..request(format!("Bearer {sound}")) },
    ];
    // A line that was misread by whoever handed it over.
    let mut misread = Request { query: None, ..request(format!("Bearer {sound}")) };
    misread.headers.push((Text::from("x-a: planted"), Text::from("1")));
    let requests = requests.into_iter().chain([misread]).collect::<Vec<_>>();
    let mut outcomes = std::collections::BTreeSet::new();
    for request in &requests {
        let decision = engine.decide(&State::new(&engine), request, NOW);
        let line = Chain::new().record(&decision, request, None);
        let planted = [
            "planted",
            "PLANTED",
            "Planted",
            "XP",
            sound.split('.').next().unwrap(),
            sound.rsplit('.').next().unwrap(),
        ];
        let found = planted.iter().find(|secret| line.contains(**secret));
        assert_eq!(found, None, "{line}");
        outcomes.extend(decision.reasons.iter().map(|reason| reason.code.as_str()));
    }
    assert!(outcomes.len() >= 6, "the requests are too much alike: {outcomes:?}");
}

#[test]
fn a_chain_goes_on_after_its_last_line() {
    for keyed in [false, true] {
        let chain = || if keyed { Chain::new().with_key(key()) } else { Chain::new() };
        let proof = || Proof::new(keyed.then(key));
        let mut first = chain();
        let mut lines = log(&mut first, 2);
        let mut second = chain().after(&format!("{}\n", lines[1])).unwrap();
        lines.extend(log(&mut second, 2));
        assert_eq!(lines[2..], log(&mut first, 2), "as if it had never stopped");
        let proven = prove(proof(), &lines).unwrap();
        assert_eq!((proven.records, proven.last.as_ref().unwrap().seq), (4, 3));

        let anchor = prove(proof(), &lines[..2]).unwrap().last.unwrap();
        assert_eq!(anchor.to_string().parse(), Ok(anchor.clone()));
        assert_eq!(prove(proof().after(anchor.clone()), &lines[2..]).unwrap().records, 2);
        assert_eq!(prove(proof().holding(anchor.clone()), &lines).unwrap().records, 4);
        assert_eq!(why(proof().holding(anchor), &lines[..1]), (2, Why::TailMissing(1)));
    }
    assert_eq!(Chain::new().after("{\"seq\":0").unwrap_err(), Why::NotARecord);
    assert_eq!(prove::<&str>(Proof::new(None), &[]).unwrap(), Proven { records: 0, last: None });
}

#[test]
fn a_record_is_held_where_it_was_read_or_both_words_for_it_agree() {
    let lines = log(&mut Chain::new(), 4);
    let anchor = |upto: usize| prove(Proof::new(None), &lines[..upto]).unwrap().last.unwrap();
    let other = |seq: u64| Anchor { seq, digest: Seal::default().of(b"another") };
    let rest = || Proof::new(None).after(anchor(2));
    assert_eq!(why(rest().holding(anchor(1)), &lines[2..]), (1, Why::HeadMissing(2)), "it is before what was shown");
    assert_eq!(why(rest().holding(other(0)), &[]), (1, Why::HeadMissing(2)));
    assert_eq!(why(rest().holding(other(1)), &lines[2..]), (1, Why::Replaced(1)), "two words for one record");
    assert!(prove(rest().holding(anchor(2)), &lines[2..]).is_ok());
    assert!(prove(rest().holding(anchor(3)), &lines[2..]).is_ok());
    assert_eq!(why(rest().holding(anchor(4)), &lines[2..3]), (2, Why::TailMissing(3)));
    assert_eq!(why(Proof::new(None).holding(anchor(1)), &[]), (1, Why::TailMissing(0)));

    let mut proof = Proof::new(None).holding(other(1));
    proof.line(1, lines[0].as_bytes()).unwrap();
    proof.line(2, lines[1].as_bytes()).unwrap_err();
    assert_eq!((proof.records(), proof.last().unwrap().seq), (1, 0), "a replaced record does not hold");
}

#[test]
fn what_was_done_to_a_log_is_told_apart() {
    let lines = log(&mut Chain::new(), 5);
    let proof = || Proof::new(None);
    let with = |change: &dyn Fn(&mut Vec<String>)| {
        let mut lines = lines.clone();
        change(&mut lines);
        why(proof(), &lines)
    };
    assert_eq!(with(&|lines| lines[2] = lines[2].replace("deny", "flag")), (3, Why::Changed));
    assert_eq!(with(&|lines| drop(lines.drain(2..4))), (3, Why::Missing(2, 3)));
    assert_eq!(with(&|lines| drop(lines.remove(0))), (1, Why::HeadMissing(1)));
    assert_eq!(with(&|lines| lines.swap(1, 2)), (2, Why::Missing(1, 1)));
    assert_eq!(with(&|lines| lines.insert(2, lines[0].clone())), (3, Why::OutOfOrder { found: 0, expected: 2 }));
    assert!(prove(proof(), &lines[..4]).is_ok(), "a tail cut between two lines is found by an anchor alone");
    assert_eq!(with(&|lines| lines[4].truncate(99)), (5, Why::CutLine));
    assert_eq!(with(&|lines| lines[3].truncate(99)), (4, Why::NotARecord));
    assert_eq!(with(&|lines| lines[4].push(' ')), (5, Why::CutLine));
}

/// Whoever changes a record of a log without a key can make its digest anew, and those of all that follow.
#[test]
fn a_record_made_anew_is_found_by_the_next_one_or_by_an_anchor_or_a_key() {
    let forge = |line: &str| {
        let (content, _) = line.rsplit_once(",\"digest\"").unwrap();
        let content = content.replace("\"deny\"", "\"allow\"");
        let digest = Seal::default().of(content.as_bytes());
        format!("{content},\"digest\":\"{digest}\"}}")
    };
    let lines = log(&mut Chain::new(), 3);
    let last = prove(Proof::new(None), &lines).unwrap().last.unwrap();
    let mut forged = lines.clone();
    forged[1] = forge(&lines[1]);
    assert_ne!(forged, lines);
    assert_eq!(why(Proof::new(None), &forged), (3, Why::Unlinked));
    let prev = |line: &str| line.rsplit_once(":\"").unwrap().1.trim_end_matches("\"}").to_owned();
    forged[2] = forge(&lines[2].replace(&prev(&lines[1]), &prev(&forged[1])));
    assert!(prove(Proof::new(None), &forged).is_ok());
    assert_eq!(why(Proof::new(None).holding(last), &forged), (3, Why::Replaced(2)));

    let keyed = log(&mut Chain::new().with_key(key()), 2);
    assert_eq!(why(Proof::new(None), &keyed), (1, Why::KeyWanted));
    assert_eq!(why(Proof::new(Some(Key::new(b"another key of 16 bytes").unwrap())), &keyed), (1, Why::Changed));
    assert_eq!(why(Proof::new(Some(key())), &[keyed[0].clone(), forge(&keyed[1])]), (2, Why::NotKeyed));
    assert_eq!(format!("{:?}", Chain::new().with_key(key()).seal), "Seal(Some(Key(..)))");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_change_of_a_byte_goes_unseen(line in 0_usize..3, at in any::<prop::sample::Index>(), byte in 1_u8.., keyed: bool) {
        let mut chain = if keyed { Chain::new().with_key(key()) } else { Chain::new() };
        let mut lines: Vec<Vec<u8>> = log(&mut chain, 3).into_iter().map(String::into_bytes).collect();
        let at = at.index(lines[line].len());
        lines[line][at] ^= byte;
        let broken = prove(Proof::new(keyed.then(key)), &lines).unwrap_err();
        prop_assert_eq!(broken.line, line as u64 + 1);
    }

    #[test]
    fn any_bytes_are_no_log_and_no_panic(lines in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..99), 1..4)) {
        prop_assert!(prove(Proof::new(None), &lines).is_err());
    }
}
