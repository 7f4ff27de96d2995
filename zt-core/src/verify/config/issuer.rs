//! `[[verify.issuer]]`.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::base::units::Duration;
use crate::verify::Algorithm;
use crate::verify::signer::signer_table;

signer_table! {
    /// `[[verify.issuer]]`: one trusted issuer.
    IssuerConfig {
        /// Accepted `typ` values; `application/` and case are ignored. With others than `at+jwt` a token that is marked as
        /// an ID token is refused.
        #[serde(default = "access_token_types")]
        pub token_types: Vec<String>,
        /// The profile that its tokens follow.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub profile: Option<Profile>,
        /// Claims that a token must have, beside `iss`, `sub`, `aud` and `exp`; `null` is none.
        #[serde(default)]
        pub required_claims: Vec<String>,
        /// The longest time since `iat`; makes `iat` required.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub max_token_age: Option<Duration>,
        /// The longest time since `auth_time`; makes `auth_time` required, else the end user is asked to authenticate
        /// again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub reauthenticate_after: Option<Duration>,
        /// The top-level claim that holds the roles: an array of strings, or names separated by spaces.
        #[serde(default = "roles_claim")]
        pub roles_claim: String,
        /// The roles that this issuer may give; others are dropped. All, when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub allow_roles: Option<Vec<String>>,
        /// The scopes that this issuer may give; others are dropped. All, when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub allow_scopes: Option<Vec<String>>,
        /// Stands before `sub` in the principal, such as `partner:`, so that issuers do not share one space of names.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        pub principal_prefix: String,
        /// Whether its tokens must be bound to their sender, by DPoP or by a client certificate. One that is bound must
        /// always be shown with the proof.
        #[serde(default)]
        pub sender_constrained: SenderConstrained,
    }
}

/// Whether tokens must be bound to their sender.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SenderConstrained {
    /// They may be.
    #[default]
    Optional,
    /// One that is not is refused.
    Required,
}

/// A profile of access tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Profile {
    /// RFC 9068: `typ` is `at+jwt`; `iss`, `exp`, `aud`, `sub`, `client_id`, `iat` and `jti` are required.
    #[serde(rename = "rfc9068")]
    Rfc9068,
}

impl fmt::Debug for IssuerConfig {
    /// Without the key set: it may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssuerConfig")
            .field("issuer", &self.issuer)
            .field("audiences", &self.audiences)
            .field("algorithms", &self.algorithms)
            .field("jwks_file", &self.jwks_file)
            .finish_non_exhaustive()
    }
}

impl IssuerConfig {
    /// An issuer with the safe defaults; keys are still to be given.
    pub fn new(issuer: impl Into<String>, audiences: Vec<String>, algorithms: Vec<Algorithm>) -> Self {
        Self {
            issuer: issuer.into(),
            audiences,
            algorithms,
            jwks_file: None,
            jwks: None,
            strict_keys: false,
            token_types: access_token_types(),
            profile: None,
            required_claims: Vec::new(),
            max_token_age: None,
            reauthenticate_after: None,
            roles_claim: roles_claim(),
            allow_roles: None,
            allow_scopes: None,
            principal_prefix: String::new(),
            sender_constrained: SenderConstrained::Optional,
        }
    }
}

fn access_token_types() -> Vec<String> {
    vec!["at+jwt".to_owned()]
}

fn roles_claim() -> String {
    "roles".to_owned()
}
