//! The facts that a limit can count by.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One fact that a limit counts by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyPart {
    /// The peer's address; of an IPv6 address the first 64 bits, since one host has all the rest.
    Peer,
    /// The peer's network.
    PeerPrefix,
    /// The verified identity: its kind, issuer and principal.
    Identity,
    /// The identity's tenant.
    Tenant,
    /// The identity's roles, as a set.
    Role,
    /// A claim of the verified token.
    Claim(String),
    /// A header; its name in lower case.
    Header(String),
    /// The endpoint.
    Endpoint,
    /// The endpoint's segment.
    Segment,
}

/// Text that names no fact a limit can count by.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not one of peer, peer_prefix, identity, tenant, role, claim:NAME, header:NAME, endpoint, segment")]
pub struct UnknownKeyPart(String);

impl FromStr for KeyPart {
    type Err = UnknownKeyPart;

    fn from_str(text: &str) -> Result<Self, UnknownKeyPart> {
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        match text.split_once(':') {
            Some(("claim", name)) if !name.is_empty() => Ok(Self::Claim(name.to_owned())),
            Some(("header", name)) if !name.is_empty() && name.bytes().all(token) => {
                Ok(Self::Header(name.to_ascii_lowercase()))
            }
            Some(_) => Err(UnknownKeyPart(text.to_owned())),
            None => PLAIN
                .iter()
                .find(|(name, _)| *name == text)
                .map(|(_, part)| part.clone())
                .ok_or_else(|| UnknownKeyPart(text.to_owned())),
        }
    }
}

const PLAIN: &[(&str, KeyPart)] = &[
    ("peer", KeyPart::Peer),
    ("peer_prefix", KeyPart::PeerPrefix),
    ("identity", KeyPart::Identity),
    ("tenant", KeyPart::Tenant),
    ("role", KeyPart::Role),
    ("endpoint", KeyPart::Endpoint),
    ("segment", KeyPart::Segment),
];

impl fmt::Display for KeyPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Claim(name) => write!(f, "claim:{name}"),
            Self::Header(name) => write!(f, "header:{name}"),
            plain => f.write_str(PLAIN.iter().find(|(_, part)| part == plain).map_or("", |(name, _)| name)),
        }
    }
}

impl Serialize for KeyPart {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for KeyPart {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<str>::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for KeyPart {
    fn schema_name() -> Cow<'static, str> {
        "LimitKeyPart".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^(peer|peer_prefix|identity|tenant|role|endpoint|segment|claim:.+|header:[!#$%&'*+.^_`|~0-9A-Za-z-]+)$"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_parts_read_and_print() {
        for text in
            ["peer", "peer_prefix", "identity", "tenant", "role", "claim:org:id", "header:x-app", "endpoint", "segment"]
        {
            assert_eq!(text.parse::<KeyPart>().unwrap().to_string(), text);
        }
        assert_eq!("header:X-App".parse::<KeyPart>().unwrap(), KeyPart::Header("x-app".to_owned()));
        for text in ["", "Peer", "claim:", "claim", "header:", "header:a b", "header:a:b", "ip", "peer:x"] {
            assert!(text.parse::<KeyPart>().is_err(), "{text}");
        }
    }
}
