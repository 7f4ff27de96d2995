//! The cache changes nothing but the time that an answer takes.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::hs256;
use crate::model::{Code, Millis, Request, Text};
use crate::verify::{Config, Revocation, Revoked, State, Verified, Verifier};

const NOW: i64 = 1_800_000_000;
const MINUTE: Millis = 60_000;

/// What differs between the configurations that follow each other over one state.
#[derive(Clone, Debug)]
struct Setup {
    /// The secret of each key, by `kid`; no `kid` is key 9.
    keys: Vec<(u8, u8)>,
    audience: &'static str,
    max_token_age: bool,
    cache: Value,
}

impl Setup {
    fn new(cache: Value) -> Self {
        Self { keys: vec![(0, 0), (1, 1)], audience: "api", max_token_age: false, cache }
    }

    fn verifier(&self) -> Verifier {
        let key = |(kid, secret): &(u8, u8)| {
            let k = hs256::encode(bytes_of(*secret));
            match kid {
                9 => json!({"kty": "oct", "k": k}),
                kid => json!({"kty": "oct", "k": k, "kid": kid.to_string()}),
            }
        };
        let keys: Vec<Value> = self.keys.iter().map(key).collect();
        let mut issuer = json!({"issuer": "i", "audiences": [self.audience], "algorithms": ["HS256"],
            "jwks": json!({"keys": keys}).to_string(), "reauthenticate_after": "10m"});
        if self.max_token_age {
            issuer["max_token_age"] = json!("3m");
        }
        let config: Config = serde_json::from_value(json!({"issuer": [issuer], "cache": self.cache})).unwrap();
        Verifier::compile(&config).unwrap()
    }
}

fn bytes_of(secret: u8) -> [u8; 32] {
    std::array::from_fn(|at| at as u8 ^ secret)
}

fn sign(kid: Option<u8>, secret: u8, claims: &Value) -> String {
    let header = match kid {
        Some(kid) => json!({"alg": "HS256", "typ": "at+jwt", "kid": kid.to_string()}),
        None => json!({"alg": "HS256", "typ": "at+jwt"}),
    };
    hs256::sign(&header, claims, &bytes_of(secret))
}

fn claims(user: u8) -> Value {
    json!({"iss": "i", "sub": format!("user-{user}"), "aud": ["api", "other"], "exp": NOW + 300, "nbf": NOW, "iat": NOW,
        "auth_time": NOW - 60, "jti": format!("j{user}"), "sid": format!("s{user}"), "roles": ["a"], "scope": "r w"})
}

fn token(user: u8) -> String {
    sign(Some(0), 0, &claims(user))
}

fn at(seconds: i64) -> Millis {
    (NOW + seconds) * 1_000
}

fn code(verified: &Verified) -> Option<Code> {
    verified.findings.first().map(|finding| finding.code)
}

fn revocation(revoke: Revoked, id: &str, expires_ms: Millis) -> Revocation {
    Revocation { revoke, issuer: Some("i".to_owned()), id: id.to_owned(), issued_before_ms: None, expires_ms }
}

/// Both ways to remember a token.
fn setups() -> [Setup; 2] {
    [Setup::new(json!({})), Setup::new(json!({"token_at_rest": "digest"}))]
}

#[test]
fn a_repeated_token_is_known_and_everything_else_is_checked_again() {
    for setup in setups() {
        let verifier = setup.verifier();
        let state = State::new(&verifier, 7);
        let token = token(1);
        let first = verifier.verify_token(&state, token.as_bytes(), at(0));
        assert_eq!(state.cached_tokens(), 1);
        let again = verifier.verify_token(&state, token.as_bytes(), at(1));
        assert!(again == first && again.identity.is_some());
        assert!(std::sync::Arc::ptr_eq(again.identity.as_ref().unwrap(), first.identity.as_ref().unwrap()));
        let value = format!("Bearer {token}");
        let request = Request { headers: vec![("Authorization".into(), Text::from(&*value))], ..Request::default() };
        assert!(verifier.verify(&state, &request, at(1)) == first);
        let code_at = |seconds| code(&verifier.verify_token(&state, token.as_bytes(), at(seconds)));
        assert_eq!(code_at(-31), Some(Code::VerifyNotYetValid));
        assert_eq!(code_at(330), Some(Code::VerifyExpired));
        assert_eq!(code_at(329), None, "an earlier time is as good as ever");
        assert_eq!(state.cached_tokens(), 1);
    }
}

#[test]
fn the_age_of_token_and_authentication_is_checked_each_time() {
    let old = Setup { max_token_age: true, ..Setup::new(json!({})) };
    let verifier = old.verifier();
    let state = State::new(&verifier, 7);
    let long = json!({"iss": "i", "sub": "u", "aud": "api", "exp": NOW + 9_000, "iat": NOW, "auth_time": NOW});
    let token = sign(Some(0), 0, &long);
    let code_at = |seconds| code(&verifier.verify_token(&state, token.as_bytes(), at(seconds)));
    assert_eq!((code_at(0), code_at(210), code_at(211)), (None, None, Some(Code::VerifyTooOld)));
    let verifier = Setup::new(json!({})).verifier();
    let state = State::new(&verifier, 7);
    let seen = |seconds| verifier.verify_token(&state, token.as_bytes(), at(seconds));
    assert_eq!(code(&seen(0)), None);
    assert_eq!((code(&seen(630)), code(&seen(631))), (None, Some(Code::VerifyReauthenticate)));
    assert_eq!(seen(631).max_age_s, Some(600));
}

#[test]
fn a_revocation_stops_a_remembered_token() {
    for setup in setups() {
        for (revoke, id) in
            [(Revoked::Token, "j1"), (Revoked::Session, "s1"), (Revoked::Subject, "user-1"), (Revoked::Key, "0")]
        {
            let verifier = setup.verifier();
            let state = State::new(&verifier, 7);
            let token = token(1);
            let code_at = |seconds| code(&verifier.verify_token(&state, token.as_bytes(), at(seconds)));
            assert_eq!(code_at(0), None);
            state.revoke(&revocation(Revoked::Token, "another", at(100)), at(0));
            assert_eq!(code_at(1), None);
            state.revoke(&revocation(revoke, id, at(100)), at(2));
            assert_eq!(code_at(3), Some(Code::VerifyRevoked), "{id}");
            assert_eq!(code_at(100), None, "{id}");
            assert_eq!(code_at(99), Some(Code::VerifyRevoked), "{id}: what passed later did not pass before");
        }
    }
}

#[test]
fn another_key_audience_or_rule_never_finds_it() {
    for setup in setups() {
        let verifier = setup.verifier();
        let (known, unnamed) = (token(1), sign(None, 1, &claims(2)));
        let others = [
            (Setup { keys: vec![(1, 1)], ..setup.clone() }, Some(Code::VerifyUnknownKey)),
            (Setup { keys: vec![(0, 5), (1, 1)], ..setup.clone() }, Some(Code::VerifyBadSignature)),
            (Setup { audience: "another", ..setup.clone() }, Some(Code::VerifyWrongAudience)),
            (Setup { audience: "other", ..setup.clone() }, None),
            (Setup { keys: vec![(1, 1), (0, 0)], ..setup.clone() }, None),
            (Setup { keys: vec![(0, 0), (1, 7)], ..setup.clone() }, None),
        ];
        for (other, expected) in others {
            let state = State::new(&verifier, 7);
            assert_eq!(code(&verifier.verify_token(&state, known.as_bytes(), at(0))), None);
            let other = other.verifier();
            assert_eq!(code(&other.verify_token(&state, known.as_bytes(), at(0))), expected);
        }
        // A token that names no key is good as long as only one key is for its algorithm.
        let alone = Setup { keys: vec![(9, 1)], ..setup.clone() }.verifier();
        let state = State::new(&alone, 7);
        assert_eq!(code(&alone.verify_token(&state, unnamed.as_bytes(), at(0))), None);
        let two = Setup { keys: vec![(9, 1), (0, 0)], ..setup.clone() }.verifier();
        assert_eq!(code(&two.verify_token(&state, unnamed.as_bytes(), at(0))), Some(Code::VerifyUnknownKey));
    }
}

#[test]
fn what_rests_on_a_removed_key_is_purged() {
    let setup = Setup::new(json!({}));
    let verifier = setup.verifier();
    let state = State::new(&verifier, 7);
    for (kid, user) in [(0, 1), (0, 2), (1, 3)] {
        let token = sign(Some(kid), kid, &claims(user));
        assert_eq!(code(&verifier.verify_token(&state, token.as_bytes(), at(0))), None);
    }
    let before = state.memory().cache;
    state.forget_removed(&verifier);
    assert_eq!(state.cached_tokens(), 3);
    state.forget_removed(&Setup { keys: vec![(0, 0)], ..setup.clone() }.verifier());
    assert_eq!(state.cached_tokens(), 2);
    state.forget_removed(&Setup { audience: "another", ..setup }.verifier());
    assert_eq!(state.cached_tokens(), 0);
    assert!(state.memory().cache < before);
}

#[test]
fn a_token_with_the_end_of_another_is_another() {
    for setup in setups() {
        let verifier = setup.verifier();
        let state = State::new(&verifier, 7);
        let sound = token(1);
        assert_eq!(code(&verifier.verify_token(&state, sound.as_bytes(), at(0))), None);
        // The same length, and the same last 64 bytes: signature, dot and the end of the payload.
        let forged = sound.replace(&sound[60..80], &token(2)[60..80].chars().rev().collect::<String>());
        assert_eq!((forged.len(), &forged[forged.len() - 64..]), (sound.len(), &sound[sound.len() - 64..]));
        assert_ne!(forged, sound);
        assert!(verifier.verify_token(&state, forged.as_bytes(), at(0)).identity.is_none());
        assert_eq!(state.cached_tokens(), 1, "a miss forgets nothing");
        assert_eq!(code(&verifier.verify_token(&state, sound.as_bytes(), at(0))), None);
    }
}

#[test]
fn nothing_unproven_is_remembered() {
    let verifier = Setup::new(json!({})).verifier();
    let state = State::new(&verifier, 7);
    let mut bound = claims(1);
    bound["cnf"] = json!({"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"});
    let bound = sign(Some(0), 0, &bound);
    for _ in 0..2 {
        let refused = verifier.verify_token(&state, bound.as_bytes(), at(0));
        assert_eq!((code(&refused), refused.identity), (Some(Code::VerifyBindingMissing), None));
        assert_eq!(code(&verifier.verify_token(&state, token(1).as_bytes(), at(400))), Some(Code::VerifyExpired));
        assert_eq!(
            code(&verifier.verify_token(&state, sign(Some(0), 1, &claims(1)).as_bytes(), at(0))),
            Some(Code::VerifyBadSignature)
        );
    }
    // The bound one is proven; whether this request may use it is asked each time.
    assert_eq!(state.cached_tokens(), 1);
}

#[test]
fn it_stays_within_its_memory() {
    for cache in [
        json!({"memory": "64KiB"}),
        json!({"memory": "64KiB", "token_at_rest": "digest"}),
        json!({"memory": "64KiB", "entries": 8}),
    ] {
        let verifier = Setup::new(cache).verifier();
        let state = State::new(&verifier, 7);
        for n in 0..500 {
            let mut claims = claims(1);
            claims["x"] = json!("x".repeat(n % 40 * 25));
            claims["jti"] = json!(n.to_string());
            let token = sign(Some(0), 0, &claims);
            assert_eq!(code(&verifier.verify_token(&state, token.as_bytes(), at(0))), None);
        }
        assert!(state.cached_tokens() >= 8, "{}", state.cached_tokens());
        assert!(state.memory().cache <= 64 << 10, "{}", state.memory().cache);
        let [(_, usage), ..] = state.usage();
        assert_eq!((usage.entries as u64 + usage.evicted, usage.memory), (500, state.memory().cache));
    }
}

#[test]
fn off_is_off() {
    let verifier = Setup::new(json!({"memory": "0B"})).verifier();
    let state = State::new(&verifier, 7);
    assert_eq!(code(&verifier.verify_token(&state, token(1).as_bytes(), at(0))), None);
    assert_eq!(state.cached_tokens(), 0);
}

/// A step of a random history.
#[derive(Clone, Debug)]
enum Step {
    Show { token: usize, seconds: i64 },
    Revoke { revoke: Revoked, id: String, before: Option<i64>, seconds: i64, lasts: i64 },
    Configure { keys: Vec<(u8, u8)>, audience: bool, max_token_age: bool },
    Forget,
}

fn step() -> impl Strategy<Value = Step> {
    let id = prop_oneof!["[js][0-2]", "user-[0-2]", "[01]"];
    let kind = prop_oneof![Just(Revoked::Token), Just(Revoked::Session), Just(Revoked::Subject), Just(Revoked::Key)];
    let keys = prop::sample::subsequence(vec![(0, 0), (1, 1), (9, 2)], 1..=3);
    prop_oneof![
        8 => (0..9_usize, -60..400_i64).prop_map(|(token, seconds)| Step::Show { token, seconds }),
        2 => (kind, id, prop::option::of(-5..5_i64), -10..300_i64, 0..200_i64)
            .prop_map(|(revoke, id, before, seconds, lasts)| Step::Revoke { revoke, id, before, seconds, lasts }),
        1 => (keys, any::<bool>(), any::<bool>(), any::<bool>()).prop_map(|(mut keys, audience, max_token_age, other)| {
            if other {
                keys[0].1 = 7;
            }
            Step::Configure { keys, audience, max_token_age }
        }),
        1 => Just(Step::Forget),
    ]
}

proptest! {
    #[test]
    fn on_and_off_always_agree(steps in prop::collection::vec(step(), 1..60), small: bool) {
        let tokens: Vec<String> = (0..9).map(|n| {
            let kid = [Some(0), Some(1), None][n / 3];
            sign(kid, (n / 3) as u8, &claims((n % 3) as u8))
        }).collect();
        let memory = if small { "8KiB" } else { "1MiB" };
        let caches = [json!({"memory": "0B"}), json!({"memory": memory}), json!({"memory": memory, "token_at_rest": "digest"})];
        let setup = Setup::new(json!({}));
        let compile = |setup: &Setup| caches.clone().map(|cache| Setup { cache, ..setup.clone() }.verifier());
        let mut verifiers = compile(&setup);
        let states = [0, 1, 2].map(|at| State::new(&verifiers[at], 7));
        for step in steps {
            match step {
                Step::Show { token, seconds } => {
                    let token = tokens[token].as_bytes();
                    let [off, exact, digest] = [0, 1, 2].map(|n: usize| verifiers[n].verify_token(&states[n], token, at(seconds)));
                    prop_assert_eq!(&off, &exact);
                    prop_assert_eq!(&off, &digest);
                }
                Step::Revoke { revoke, id, before, seconds, lasts } => {
                    let issued_before_ms = before.map(at);
                    let revocation = Revocation { issued_before_ms, ..revocation(revoke, &id, at(seconds + lasts)) };
                    states.iter().for_each(|state| state.revoke(&revocation, at(seconds)));
                }
                Step::Configure { keys, audience, max_token_age } => {
                    let audience = if audience { "api" } else { "other" };
                    verifiers = compile(&Setup { keys, audience, max_token_age, ..setup.clone() });
                }
                Step::Forget => states.iter().zip(&verifiers).for_each(|(state, verifier)| state.forget_removed(verifier)),
            }
        }
    }
}

#[test]
fn threads_share_it() {
    let verifier = Setup::new(json!({"memory": "32KiB"})).verifier();
    let state = State::new(&verifier, 7);
    let tokens: Vec<String> = (0..64).map(token).collect();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (verifier, state, tokens) = (&verifier, &state, &tokens);
            scope.spawn(move || {
                for round in 0..200 {
                    let n = (round * 7 + thread * 13) % 64;
                    let verified = verifier.verify_token(state, tokens[n].as_bytes(), at(0) + MINUTE);
                    assert_eq!(&*verified.identity.unwrap().principal, format!("user-{n}"));
                }
            });
        }
    });
}
