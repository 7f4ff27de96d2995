//! API keys, known by their digest.
//!
//! A key is random, of 128 bits at least, so that a plain SHA-256 of it is as good as a slow hash; with a pepper, the
//! digests alone do not even let a guess be tried. Where a prefix is configured, a key has the form of [`generate`], and
//! one of another environment, mistyped or cut, is refused before anything is looked up.

mod format;

use std::net::IpAddr;
use std::sync::Arc;

pub(super) use self::format::is_prefix;
pub use self::format::{Malformed, check, generate};
use super::mac::{self, Digest, MacKey};
use super::secret::{LEAST_SECRET_BYTES, Secret};
use super::{ApiKeyConfig, Config, Refusal, instant};
use crate::base::network::Network;
use crate::model::{Code, Identity, IdentityKind, Millis, Problem};

/// The longest key that is looked at.
const MAX_KEY_BYTES: usize = 512;

/// Every accepted key, ordered by digest.
#[derive(Debug, Default)]
pub(super) struct ApiKeys {
    /// Known by their SHA-256.
    plain: Vec<ApiKey>,
    /// Known by their HMAC under the pepper.
    peppered: Vec<ApiKey>,
    pepper: Option<MacKey>,
    /// `zt_live`, where one is configured.
    prefix: Option<Box<str>>,
}

#[derive(Debug)]
struct ApiKey {
    digest: Digest,
    expires: Option<Millis>,
    networks: Vec<Network>,
    identity: Identity,
}

/// SHA-256 of a key in hexadecimal, as `[[verify.api_key]]` takes it.
pub fn sha256(key: &str) -> String {
    mac::to_hex(&mac::sha256(key.as_bytes()))
}

/// HMAC-SHA-256 of a key under a pepper in hexadecimal, as `[[verify.api_key]]` takes it.
pub fn hmac_sha256(pepper: &Secret, key: &str) -> String {
    let pepper = MacKey::new(pepper.expose().as_bytes());
    pepper.map(|pepper| mac::to_hex(&pepper.mac(&[key.as_bytes()]))).unwrap_or_default()
}

impl ApiKeys {
    pub(super) fn compile(config: &Config, problems: &mut Vec<Problem>) -> Self {
        let prefix = config.api_key_prefix.as_deref();
        if prefix.is_some_and(|prefix| !is_prefix(prefix) || !prefix.contains('_')) {
            let problem =
                Problem::new("verify.api_key_prefix", "not a prefix and an environment, lower case, with `_`");
            problems.push(problem.mend("write one such as \"zt_live\""));
        }
        let mut keys = Self { pepper: pepper(config, problems), prefix: prefix.map(Box::from), ..Self::default() };
        let (mut plain, mut peppered) = (Vec::new(), Vec::new());
        for (at, config) in config.api_key.iter().enumerate() {
            let Some((name, key)) = ApiKey::compile(at, config, keys.pepper.as_ref(), problems) else { continue };
            let list = if name == "sha256" { &mut plain } else { &mut peppered };
            list.push((at, key));
        }
        keys.plain = ordered("sha256", plain, problems);
        keys.peppered = ordered("hmac_sha256", peppered, problems);
        if keys.pepper.is_some() && keys.peppered.is_empty() && !keys.plain.is_empty() {
            let problem = Problem::new("verify.api_key_pepper", "no API key uses it");
            problems.push(problem.mend("write `hmac_sha256` in place of `sha256`, or leave the pepper out"));
        }
        keys
    }

    pub(super) fn is_empty(&self) -> bool {
        self.plain.is_empty() && self.peppered.is_empty()
    }

    /// The prefix that keys here begin with.
    pub(super) fn prefix(&self) -> Option<&str> {
        self.prefix.as_deref()
    }

    /// Whose key this is.
    pub(super) fn identify(&self, key: &[u8], peer: Option<IpAddr>, now: Millis) -> Result<Identity, Refusal> {
        let unknown = (Code::VerifyUnknownApiKey, "no such API key");
        if key.is_empty() || key.len() > MAX_KEY_BYTES {
            return Err(unknown);
        }
        if let Some(prefix) = &self.prefix {
            let found = std::str::from_utf8(key).map_err(|_| Malformed::Form).and_then(check);
            if found != Ok(&**prefix) {
                return Err((Code::VerifyMalformedApiKey, "not a key of `api_key_prefix`, or with a wrong checksum"));
            }
        }
        let by_mac = || find(&self.peppered, &self.pepper.as_ref()?.mac(&[key]));
        let known = match self.plain.is_empty() {
            true => by_mac(),
            false => find(&self.plain, &mac::sha256(key)).or_else(by_mac),
        };
        let known = known.ok_or(unknown)?;
        if known.expires.is_some_and(|expires| now >= expires) {
            return Err((Code::VerifyExpired, "the API key has expired"));
        }
        let within = |peer: IpAddr| known.networks.iter().any(|network| network.contains(peer));
        if !known.networks.is_empty() && !peer.is_some_and(within) {
            return Err((Code::VerifyNetworkRefused, "the peer is in none of `networks`, or not known"));
        }
        Ok(known.identity.clone())
    }
}

/// The search ends on the first bytes of a digest that a caller cannot aim; what decides is compared in constant time.
fn find<'k>(keys: &'k [ApiKey], digest: &Digest) -> Option<&'k ApiKey> {
    let from = keys.partition_point(|known| known.digest < *digest);
    keys.get(from).filter(|known| mac::same(&known.digest, digest))
}

/// The keys by digest; no two of them the same.
fn ordered(name: &str, mut keys: Vec<(usize, ApiKey)>, problems: &mut Vec<Problem>) -> Vec<ApiKey> {
    keys.sort_by_key(|(at, key)| (key.digest, *at));
    for pair in keys.windows(2) {
        if let [(_, first), (at, second)] = pair
            && first.digest == second.digest
        {
            let problem = Problem::new(format!("verify.api_key[{at}].{name}"), "the same key as another entry");
            problems.push(problem.mend("give each entry its own key"));
        }
    }
    keys.into_iter().map(|(_, key)| key).collect()
}

fn pepper(config: &Config, problems: &mut Vec<Problem>) -> Option<MacKey> {
    let pepper = config.api_key_pepper.as_ref()?.expose();
    if pepper.len() < LEAST_SECRET_BYTES {
        let key = if config.api_key_pepper_file.is_some() { "api_key_pepper_file" } else { "api_key_pepper" };
        let problem = Problem::new(format!("verify.{key}"), "shorter than 16 bytes");
        problems.push(problem.mend("write 32 random bytes in hexadecimal"));
    }
    MacKey::new(pepper.as_bytes())
}

impl ApiKey {
    /// The key, and the name of the digest that it is known by.
    fn compile(
        at: usize,
        config: &ApiKeyConfig,
        pepper: Option<&MacKey>,
        problems: &mut Vec<Problem>,
    ) -> Option<(&'static str, Self)> {
        let mut problem = |key: &str, message: &str, mend: &str| {
            problems.push(Problem::new(format!("verify.api_key[{at}].{key}"), message).mend(mend));
        };
        if config.id.is_empty() || config.id.chars().any(char::is_control) {
            problem("id", "empty, or with control characters", "name the caller that holds the key");
        }
        let expires = config.expires.as_deref().map(instant::rfc3339);
        if expires == Some(None) {
            problem("expires", "not a time", "write it as `2027-01-31` or `2027-01-31T18:00:00Z`");
        }
        let networks: Vec<Network> = config.networks.iter().filter_map(|text| Network::parse(text)).collect();
        if networks.len() != config.networks.len() {
            problem("networks", "not all of them are networks", "write each as `10.0.0.0/8` or `2001:db8::/32`");
        }
        let (name, digest) = match (&config.sha256, &config.hmac_sha256) {
            (Some(sha256), None) => ("sha256", mac::from_hex(sha256.as_bytes())),
            (None, Some(hmac)) => ("hmac_sha256", mac::from_hex(hmac.as_bytes())),
            (None, None) => {
                problem("sha256", "`sha256` is missing", "write the SHA-256 of the key, never the key itself");
                return None;
            }
            (Some(_), Some(_)) => {
                problem("hmac_sha256", "beside `sha256`", "write one of the two");
                return None;
            }
        };
        let Some(digest) = digest else {
            problem(name, "not 64 hexadecimal digits", "write the digest of the key, never the key itself");
            return None;
        };
        if digest == mac::sha256(b"") || pepper.is_some_and(|pepper| digest == pepper.mac(&[])) {
            problem(name, "the digest of the empty string", "write the digest of the key");
        }
        if name == "hmac_sha256" && pepper.is_none() {
            problem(name, "without a pepper", "write `api_key_pepper_file` into `[verify]`");
        }
        let id: Arc<str> = config.id.as_str().into();
        let identity = Identity {
            credential_id: Some(id.clone()),
            roles: config.roles.iter().map(|role| role.as_str().into()).collect(),
            scopes: config.scopes.iter().map(|scope| scope.as_str().into()).collect(),
            ..Identity::new(IdentityKind::ApiKey, id)
        };
        Some((name, Self { digest, expires: expires.flatten(), networks, identity }))
    }
}

#[cfg(test)]
mod tests;
