//! The request context: the one list of its attributes, with their types in Cedar's schema.

use serde::{Deserialize, Serialize};

macro_rules! facts {
    ($($variant:ident $name:literal $presence:ident $ty:literal $doc:literal)*) => {
        /// An attribute of the request context, resolved from its name at load.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub(crate) enum Fact {
            $(#[doc = $doc] $variant,)*
        }

        impl Fact {
            /// Its name in policies.
            pub(crate) const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }

        #[cfg(feature = "compile")]
        impl Fact {
            /// Every attribute.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its type in Cedar's schema.
            pub(crate) const fn ty(self) -> &'static str {
                match self { $(Self::$variant => $ty,)* }
            }

            /// Whether every request has it.
            pub(crate) const fn required(self) -> bool {
                match self { $(Self::$variant => facts!(@$presence),)* }
            }

            /// The attribute of this name.
            pub(crate) fn find(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|fact| fact.name() == name)
            }
        }
    };
    (@required) => { true };
    (@optional) => { false };
}

facts! {
    Method "method" required "String" "Method as received."
    Path "path" optional "String" "Path, decoded once."
    Host "host" optional "String" "Authority, in lower case."
    Ip "ip" optional "ipaddr" "Address of the peer."
    Asn "asn" optional "Long" "Autonomous system of the peer."
    Country "country" optional "String" "ISO 3166-1 alpha-2 country of the peer."
    Credential "credential" required "String" "How the identity was established: `jwt`, `api_key`, `jwt_svid`, `certificate`, `http_signature`, `aws_sigv4`, `webhook`, `asserted` or `none`."
    Subject "subject" optional "String" "Id of the principal, as in `User::\"...\"`."
    Tenant "tenant" optional "String" "Tenant that the token names (`verify.tenant_claim`)."
    ClientId "client_id" optional "String" "Client that the token was issued to: its `client_id`, or else `azp`."
    Roles "roles" required "Set<String>" "Roles of the identity."
    Scopes "scopes" required "Set<String>" "OAuth scopes of the identity."
    Issuer "issuer" optional "String" "Issuer of the token."
    Acr "acr" optional "String" "Authentication context class of the token."
    AuthAge "auth_age_s" optional "Long" "Seconds since the end user authenticated."
    TokenAge "token_age_s" optional "Long" "Seconds since the token was issued."
    Actor "actor" optional "String" "Who acts for the principal now (RFC 8693)."
    Actors "actors" required "Set<String>" "Everybody who acts for the principal."
    Workload "workload" optional "String" "The workload that carries the request for the principal."
    WorkloadRoles "workload_roles" required "Set<String>" "Roles of that workload."
    Bound "bound" optional "String" "What binds the credential to its sender: `dpop`, `mtls`."
    Risk "risk" required "Long" "Calibrated risk, per mille."
    Hour "hour" required "Long" "Hour of the day, UTC, 0 to 23."
    Weekday "weekday" required "Long" "Day of the week, UTC, 1 (Monday) to 7."
    NowSeconds "now_s" required "Long" "Seconds since the Unix epoch."
    Now "now" required "datetime" "The moment of the request."
}
