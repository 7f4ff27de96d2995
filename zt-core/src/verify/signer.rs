//! What the tables of those who sign tokens begin with: whose tokens, for whom, and the keys.

use sha2::Sha256;

use super::Algorithm;
use super::jose::admission::Purpose;
use super::keys::{Keys, Rules};
use crate::model::Problem;

/// Declares a table of somebody who signs tokens: what all of them begin with, then its own.
///
/// serde's `flatten` would not do: of a mistake it knows neither the line nor the keys that there are.
macro_rules! signer_table {
    ($(#[$about:meta])* $table:ident { $($own:tt)* }) => {
        $(#[$about])*
        #[derive(Clone, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $table {
            /// The exact `iss` of its tokens.
            pub issuer: String,
            /// A token is for this API when its `aud` holds one of these exactly.
            pub audiences: Vec<String>,
            /// Accepted algorithms. A key serves exactly one: that of its `alg`, or else the only one here that fits
            /// it.
            pub algorithms: Vec<$crate::verify::Algorithm>,
            /// File with its JWK set (RFC 7517); the host reads it.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub jwks_file: Option<String>,
            /// The JWK set itself.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub jwks: Option<String>,
            /// A key of the set that breaks a rule is an error. Otherwise it is left out and named in the notices; none
            /// left is an error in any case.
            #[serde(default)]
            pub strict_keys: bool,
            $($own)*
        }

        impl $table {
            pub(in crate::verify) fn signer(&self) -> $crate::verify::signer::Signer<'_> {
                $crate::verify::signer::Signer {
                    audiences: &self.audiences,
                    keys: $crate::verify::signer::KeySet {
                        algorithms: &self.algorithms,
                        file: self.jwks_file.as_deref(),
                        text: self.jwks.as_deref(),
                        strict: self.strict_keys,
                    },
                }
            }
        }
    };
}
pub(super) use signer_table;

/// The beginning of such a table.
#[derive(Clone, Copy)]
pub(super) struct Signer<'c> {
    pub(super) audiences: &'c [String],
    pub(super) keys: KeySet<'c>,
}

/// The key set that a table names.
#[derive(Clone, Copy)]
pub(super) struct KeySet<'c> {
    pub(super) algorithms: &'c [Algorithm],
    pub(super) file: Option<&'c str>,
    pub(super) text: Option<&'c str>,
    /// Whether a key that breaks a rule is an error.
    pub(super) strict: bool,
}

impl Signer<'_> {
    /// Calls `problem` with the key, the mistake and its mend; the mends are those of `audiences` and `algorithms`.
    pub(super) fn check(&self, mends: [&str; 2], mut problem: impl FnMut(&str, &str, &str)) {
        let [audiences, algorithms] = mends;
        if self.audiences.is_empty() || self.audiences.iter().any(String::is_empty) {
            problem("audiences", "no audience, or an empty one", audiences);
        }
        if self.keys.algorithms.is_empty() {
            problem("algorithms", "no algorithm", algorithms);
        }
    }
}

impl KeySet<'_> {
    /// Its keys. `table` is such as `verify.issuer[0]`; `asked` has seen everything that is asked of a token beside its
    /// key.
    pub(super) fn compile(self, table: String, purpose: Purpose, asked: Sha256, problems: &mut Vec<Problem>) -> Keys {
        let rules = Rules {
            table,
            file: self.file.map(str::to_owned),
            algorithms: self.algorithms.to_vec(),
            purpose,
            strict: self.strict,
            asked,
        };
        Keys::compile(rules, self.text, problems)
    }
}
