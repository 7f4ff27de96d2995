//! The whole decision, beside the bare signature check in the same run.

use std::hint::black_box;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
    UnparsedPublicKey, VerificationAlgorithm,
};
use axum_shop::issuer::Algorithm;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zt_benches::figure::Figure;
use zt_benches::fixture::{Fixture, NOW};
use zt_benches::measure::medians;
use zt_core::model::Outcome;
use zt_core::{Engine, State};

pub(crate) fn figures() -> Vec<Figure> {
    let fixture = Fixture::new();
    let algorithms = [Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa];
    let mut figures: Vec<Figure> = algorithms.iter().filter_map(|a| by_token(&fixture, *a)).flatten().collect();
    figures.push(by_api_key(&fixture));
    figures
}

/// A decision with a token that was not seen before costs within 15 % of its bare signature check, plus 3 us.
fn by_token(fixture: &Fixture, algorithm: Algorithm) -> Option<[Figure; 2]> {
    let token = fixture.token(algorithm);
    let authorization = format!("Bearer {token}");
    let request = Fixture::request(("Authorization", &authorization));
    let outcome = fixture.engine.decide(&fixture.state, &request, NOW).outcome;
    assert_eq!(outcome, Outcome::Allow, "the measured request must pass");

    let (message, signature) = token.rsplit_once('.')?;
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    let check = bare_check(fixture, algorithm)?;
    assert!(check(message.as_bytes(), &signature), "the bare check must pass");

    // A verifier that remembers no token: each one is as if seen for the first time.
    let forgetful = format!("{}\n[verify.cache]\nmemory = \"0B\"\n", fixture.config);
    let forgetful = Engine::from_toml(&forgetful, &[]).ok()?;
    let state = State::new(&forgetful);
    let [first, repeated, bare] = medians([
        &mut || {
            black_box(forgetful.decide(&state, black_box(&request), NOW));
        },
        &mut || {
            black_box(fixture.engine.decide(&fixture.state, black_box(&request), NOW));
        },
        &mut || {
            black_box(check(black_box(message.as_bytes()), &signature));
        },
    ]);
    let first = Figure::new(format!("decide, {algorithm:?} token, first time"), first / 1e3, "us");
    let first = first.at_most((bare * 1.15 + 3_000.0) / 1e3).beside(format!("bare signature {:.2} us", bare / 1e3));
    Some([first, Figure::new(format!("decide, {algorithm:?} token, repeated"), repeated / 1e3, "us")])
}

fn by_api_key(fixture: &Fixture) -> Figure {
    let request = Fixture::request(("X-API-Key", &fixture.api_key));
    let decision = fixture.engine.decide(&fixture.state, &request, NOW);
    assert_eq!(decision.outcome, Outcome::Allow, "the measured request must pass");
    let [decide] = medians([&mut || {
        black_box(fixture.engine.decide(&fixture.state, black_box(&request), NOW));
    }]);
    Figure::new("decide, API key", decide / 1e3, "us").at_most(4.0)
}

/// Verifies message and signature with a key that was parsed before.
type Check = Box<dyn Fn(&[u8], &[u8]) -> bool>;

fn bare_check(fixture: &Fixture, algorithm: Algorithm) -> Option<Check> {
    let jwks = fixture.issuer.jwks();
    let kid = match algorithm {
        Algorithm::Rs256 | Algorithm::Ps256 => "rs",
        Algorithm::Es256 => "es",
        Algorithm::EdDsa => "ed",
    };
    let key = jwks["keys"].as_array()?.iter().find(|key| key["kid"] == kid)?.clone();
    let member = |name: &str| URL_SAFE_NO_PAD.decode(key[name].as_str()?).ok();
    match algorithm {
        Algorithm::Rs256 | Algorithm::Ps256 => {
            let key = RsaPublicKeyComponents { n: member("n")?, e: member("e")? };
            let key: ParsedPublicKey = key.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256).ok()?;
            Some(Box::new(move |message, signature| key.verify_sig(message, signature).is_ok()))
        }
        Algorithm::Es256 => {
            let point = [vec![4], member("x")?, member("y")?].concat();
            Some(unparsed(&ECDSA_P256_SHA256_FIXED, point))
        }
        Algorithm::EdDsa => Some(unparsed(&ED25519, member("x")?)),
    }
}

fn unparsed(algorithm: &'static dyn VerificationAlgorithm, key: Vec<u8>) -> Check {
    let key = UnparsedPublicKey::new(algorithm, key);
    Box::new(move |message, signature| key.verify(message, signature).is_ok())
}
