//! API keys, known by their SHA-256.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::{ApiKeyConfig, Refusal};
use crate::base::percent::hex;
use crate::model::{Code, Identity, IdentityKind, Millis, Problem};

/// The longest key that is looked at.
const MAX_KEY_BYTES: usize = 512;

/// Every accepted key, ordered by digest.
#[derive(Clone, Debug, Default)]
pub(super) struct ApiKeys(Vec<ApiKey>);

#[derive(Clone, Debug)]
struct ApiKey {
    digest: [u8; 32],
    expires: Option<Millis>,
    identity: Identity,
}

impl ApiKeys {
    pub(super) fn compile(configs: &[ApiKeyConfig], problems: &mut Vec<Problem>) -> Self {
        let mut keys = Vec::with_capacity(configs.len());
        for (at, config) in configs.iter().enumerate() {
            let mut problem = |key: &str, message: &str, mend: &str| {
                problems.push(Problem::new(format!("verify.api_key[{at}].{key}"), message).mend(mend));
            };
            if config.id.is_empty() || config.id.chars().any(char::is_control) {
                problem("id", "empty, or with control characters", "name the caller that holds the key");
            }
            let expires = config.expires.as_deref().map(instant);
            if expires == Some(None) {
                problem("expires", "not a time", "write it as `2027-01-31` or `2027-01-31T18:00:00Z`");
            }
            let Some(digest) = digest(&config.sha256) else {
                problem("sha256", "not 64 hexadecimal digits", "write the SHA-256 of the key, never the key itself");
                continue;
            };
            if digest == <[u8; 32]>::from(Sha256::digest(b"")) {
                problem("sha256", "the digest of the empty string", "write the SHA-256 of the key");
            }
            let id: Arc<str> = config.id.as_str().into();
            let identity = Identity {
                credential_id: Some(id.clone()),
                roles: config.roles.iter().map(|role| role.as_str().into()).collect(),
                scopes: config.scopes.iter().map(|scope| scope.as_str().into()).collect(),
                ..Identity::new(IdentityKind::ApiKey, id)
            };
            keys.push((at, ApiKey { digest, expires: expires.flatten(), identity }));
        }
        keys.sort_by_key(|(at, key)| (key.digest, *at));
        for pair in keys.windows(2) {
            if let [(_, first), (at, second)] = pair
                && first.digest == second.digest
            {
                let problem = Problem::new(format!("verify.api_key[{at}].sha256"), "the same key as another entry");
                problems.push(problem.mend("give each entry its own key"));
            }
        }
        Self(keys.into_iter().map(|(_, key)| key).collect())
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whose key this is.
    pub(super) fn identify(&self, key: &[u8], now: Millis) -> Result<Identity, Refusal> {
        let unknown = (Code::VerifyUnknownApiKey, "no such API key");
        if key.is_empty() || key.len() > MAX_KEY_BYTES {
            return Err(unknown);
        }
        let digest: [u8; 32] = Sha256::digest(key).into();
        // The search ends on the first bytes of a digest that a caller cannot aim; what decides is compared in
        // constant time.
        let from = self.0.partition_point(|known| known.digest < digest);
        let known = self.0.get(from).filter(|known| bool::from(known.digest.ct_eq(&digest))).ok_or(unknown)?;
        if known.expires.is_some_and(|expires| now >= expires) {
            return Err((Code::VerifyExpired, "the API key has expired"));
        }
        Ok(known.identity.clone())
    }
}

fn digest(text: &str) -> Option<[u8; 32]> {
    let text = text.as_bytes();
    let mut digest = [0; 32];
    if text.len() != 64 {
        return None;
    }
    for (out, pair) in digest.iter_mut().zip(text.chunks_exact(2)) {
        let [high, low] = pair else { return None };
        *out = hex(*high)? << 4 | hex(*low)?;
    }
    Some(digest)
}

/// A UTC time of RFC 3339, or a date for its midnight.
fn instant(text: &str) -> Option<Millis> {
    let (date, time) = match text.split_once(['T', 't']) {
        Some((date, time)) => (date, time.strip_suffix(['Z', 'z'])?),
        None => (text, "00:00:00"),
    };
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = numbers(time, ':', [2, 2, 2])?;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    if !(1..=12).contains(&month) || !(1..=days).contains(&day) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    // Days from 0000-03-01, where leap days end a year (proleptic Gregorian calendar), less those to 1970-01-01.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days =
        year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + (153 * month + 2) / 5 + day
            - 1
            - 719_468;
    Some((((days * 24 + hour) * 60 + minute) * 60 + second) * 1_000)
}

/// Three numbers of exactly so many digits.
fn numbers(text: &str, between: char, widths: [usize; 3]) -> Option<[i64; 3]> {
    let mut parts = text.split(between);
    let mut numbers = [0; 3];
    for (number, width) in numbers.iter_mut().zip(widths) {
        let part = parts.next().filter(|part| part.len() == width && part.bytes().all(|b| b.is_ascii_digit()))?;
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(id: &str, key: &str) -> ApiKeyConfig {
        let sha256 = Sha256::digest(key).iter().map(|byte| format!("{byte:02x}")).collect();
        ApiKeyConfig { id: id.into(), sha256, roles: vec!["partner".into()], scopes: vec![], expires: None }
    }

    fn compile(configs: &[ApiKeyConfig]) -> (ApiKeys, Vec<String>) {
        let mut problems = Vec::new();
        let keys = ApiKeys::compile(configs, &mut problems);
        (keys, problems.into_iter().map(|problem| problem.key).collect())
    }

    #[test]
    fn a_key_is_known_by_its_digest() {
        let configs: Vec<_> = (0..50).map(|n| config(&format!("c{n}"), &format!("key-{n}"))).collect();
        let (keys, problems) = compile(&configs);
        assert!(problems.is_empty());
        for n in 0..50 {
            let identity = keys.identify(format!("key-{n}").as_bytes(), 0).unwrap();
            assert_eq!((&*identity.principal, &*identity.roles[0]), (&*format!("c{n}"), "partner"));
        }
        for other in ["", "key-50", "key-1 ", configs[0].sha256.as_str(), &"k".repeat(513)] {
            assert_eq!(keys.identify(other.as_bytes(), 0).unwrap_err().0, Code::VerifyUnknownApiKey);
        }
    }

    #[test]
    fn keys_expire() {
        let (keys, _) = compile(&[ApiKeyConfig { expires: Some("2027-01-31".into()), ..config("a", "k") }]);
        let at = 1_801_353_600_000;
        assert!(keys.identify(b"k", at - 1).is_ok());
        assert_eq!(keys.identify(b"k", at).unwrap_err().0, Code::VerifyExpired);
    }

    #[test]
    fn mistakes_are_told_at_once() {
        let (_, problems) = compile(&[
            ApiKeyConfig { id: String::new(), ..config("", "a") },
            ApiKeyConfig { sha256: "ab".into(), expires: Some("tomorrow".into()), ..config("b", "b") },
            config("c", "c"),
            config("d", "c"),
            config("e", ""),
        ]);
        let expected = ["[0].id", "[1].expires", "[1].sha256", "[4].sha256", "[3].sha256"];
        assert_eq!(problems, expected.map(|key| format!("verify.api_key{key}")));
    }

    #[test]
    fn times_are_utc() {
        assert_eq!(instant("1970-01-01"), Some(0));
        assert_eq!(instant("2000-02-29T23:59:59Z"), Some(951_868_799_000));
        assert_eq!(instant("2027-01-31T18:00:00Z"), Some(1_801_418_400_000));
        for bad in [
            "",
            "2027",
            "2027-13-01",
            "2027-02-29",
            "2027-01-31T24:00:00Z",
            "2027-01-31T18:00:00+01:00",
            "2027-1-31",
            "+027-01-01",
        ] {
            assert_eq!(instant(bad), None, "{bad}");
        }
    }
}
