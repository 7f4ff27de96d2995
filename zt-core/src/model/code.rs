//! The one list of reason codes: code, stage, outcome it calls for, HTTP status, and one sentence.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Outcome;

/// The part of `decide` that a reason comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Which endpoint is this?
    Route,
    /// How often?
    Limit,
    /// Who is this, and how was it proven?
    Verify,
    /// Is the input hostile or out of shape?
    Inspect,
    /// Is this unusual?
    Anomaly,
    /// May they?
    Policy,
    /// What do we do about it?
    Respond,
    /// zt itself.
    Internal,
}

macro_rules! codes {
    ($($variant:ident $code:literal $stage:ident $outcome:ident $status:literal $sentence:literal)*) => {
        /// Why a decision is what it is: `family.problem`, stable for ever.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code {
            $(#[doc = $sentence] $variant,)*
        }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable text, `family.problem`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// The stage that finds it.
            pub const fn stage(self) -> Stage {
                match self { $(Self::$variant => Stage::$stage,)* }
            }

            /// What it calls for unless a rule says otherwise.
            pub const fn outcome(self) -> Outcome {
                match self { $(Self::$variant => Outcome::$outcome,)* }
            }

            /// HTTP status of a refusal for this reason.
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)* }
            }

            /// One sentence for people.
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$variant => $sentence,)* }
            }
        }
    };
}

codes! {
    RouteUnknownEndpoint "route.unknown_endpoint" Route Deny 404
        "No endpoint of the configuration or of an OpenAPI document has this path."
    RouteMethodNotAllowed "route.method_not_allowed" Route Deny 405
        "The path is known, the method on it is not."
    RouteBadTarget "route.bad_target" Route Deny 400
        "The request target is not a path: it starts with no slash, or holds a raw `?`, `#` or space."
    RouteTooLong "route.too_long" Route Deny 400
        "The path is longer or deeper than the configured limit."
    RouteBadEncoding "route.bad_encoding" Route Deny 400
        "The path holds a broken percent-encoding or bytes that are not UTF-8."
    RouteControlCharacter "route.control_character" Route Deny 400
        "The path holds a NUL or another control character, plain or encoded."
    RouteEncodedSlash "route.encoded_slash" Route Deny 400
        "The path holds an encoded slash, or a backslash in any form, which servers split in different ways."
    RouteDotSegment "route.dot_segment" Route Deny 400
        "The path holds a `.` or `..` segment, plain or encoded."
    RouteEmptySegment "route.empty_segment" Route Deny 400
        "The path holds two slashes in a row, which servers merge or keep."
    RouteDoubleEncoding "route.double_encoding" Route Deny 400
        "After one decoding the path could be decoded again, which some servers do."
    RouteAmbiguous "route.ambiguous" Route Deny 400
        "Compared without regard to case, or before decoding, the path is another endpoint's, and some routers do that."

    RouteBadForwarded "route.bad_forwarded" Route Flag 400
        "The header in which proxies tell the client's address has none in the place that is theirs: the client is unknown."

    VerifyNoCredential "verify.no_credential" Verify Deny 401
        "The endpoint asks for a credential and the request has none."
    VerifyManyCredentials "verify.many_credentials" Verify Deny 400
        "The request carries more than one credential of a kind, or two that contradict."
    VerifySchemeRefused "verify.scheme_refused" Verify Deny 401
        "The authentication scheme is not accepted."
    VerifyMalformedToken "verify.malformed_token" Verify Deny 401
        "The token is not a compact JWS in canonical form."
    VerifyTokenTooLong "verify.token_too_long" Verify Deny 401
        "The token is longer than the limit."
    VerifyBadHeader "verify.bad_header" Verify Deny 401
        "The token's header is malformed or asks for something that is refused by rule."
    VerifyAlgorithmRefused "verify.algorithm_refused" Verify Deny 401
        "The token's algorithm is not the one that its key is for."
    VerifyWrongType "verify.wrong_type" Verify Deny 401
        "The token's `typ` is not one that is accepted here."
    VerifyUnknownKey "verify.unknown_key" Verify Deny 401
        "No admitted key fits the token."
    VerifyBadSignature "verify.bad_signature" Verify Deny 401
        "The signature does not verify."
    VerifyBadClaims "verify.bad_claims" Verify Deny 401
        "The claims are malformed: duplicate members, a wrong type, or text that is not strict JSON."
    VerifyMissingClaim "verify.missing_claim" Verify Deny 401
        "A required claim is missing."
    VerifyWrongIssuer "verify.wrong_issuer" Verify Deny 401
        "The issuer is not a trusted one."
    VerifyWrongAudience "verify.wrong_audience" Verify Deny 401
        "The token is not for this API."
    VerifyExpired "verify.expired" Verify Deny 401
        "The token has expired."
    VerifyNotYetValid "verify.not_yet_valid" Verify Deny 401
        "The token is not valid yet, or was issued in the future."
    VerifyTooOld "verify.too_old" Verify Deny 401
        "The token was issued longer ago than is accepted."
    VerifyReauthenticate "verify.reauthenticate" Verify StepUp 401
        "The end user authenticated longer ago than is accepted."
    VerifyUnknownApiKey "verify.unknown_api_key" Verify Deny 401
        "The API key is not a known one."

    VerifyMalformedApiKey "verify.malformed_api_key" Verify Deny 401
        "The API key has another prefix than this environment's, or its checksum is wrong."
    VerifyNetworkRefused "verify.network_refused" Verify Deny 401
        "The API key may not be used from this network."
    VerifyCredentialInQuery "verify.credential_in_query" Verify Deny 400
        "A credential stands in the query, where logs and referrers keep it."
    VerifyIdToken "verify.id_token" Verify Deny 401
        "The token is an OpenID Connect ID token, which tells a client who signed in and is no access token."
    VerifyRevoked "verify.revoked" Verify Deny 401
        "The token, its session, its subject or the key was revoked."
    VerifyBindingMissing "verify.binding_missing" Verify Deny 401
        "The token is bound to a key of its sender, and the request does not prove possession of it."
    VerifyBindingMismatch "verify.binding_mismatch" Verify Deny 401
        "The token is bound to another key than the one that the request proves possession of."
    VerifyBadProof "verify.bad_proof" Verify Deny 401
        "The DPoP proof is malformed, does not verify, or is for another request or token."
    VerifyProofReplayed "verify.proof_replayed" Verify Deny 401
        "The proof or signature was used before."
    VerifyProofStale "verify.proof_stale" Verify Deny 401
        "The proof was made too long ago or in the future."
    VerifyNonceRequired "verify.nonce_required" Verify Deny 401
        "The DPoP proof lacks a nonce of this server, or holds an old one."
    VerifySignatureMalformed "verify.signature_malformed" Verify Deny 401
        "The signature's headers or parameters are malformed, contradict each other, or ask for something refused by rule."
    VerifySignatureIncomplete "verify.signature_incomplete" Verify Deny 401
        "The signature does not cover what it must."
    VerifySignatureStale "verify.signature_stale" Verify Deny 401
        "The signature was made too long ago or in the future, or has expired."
    VerifyBadDigest "verify.bad_digest" Verify Deny 400
        "The body is not what its digest says, or was not handed over whole."

    LimitExceeded "limit.exceeded" Limit Throttle 429
        "More requests than the limit allows."

    InspectBodyTooLarge "inspect.body_too_large" Inspect Deny 413
        "The body is larger than the limit."
    InspectHeadersTooLarge "inspect.headers_too_large" Inspect Deny 400
        "There are more headers, or larger ones, than the limit."
    InspectUrlTooLong "inspect.url_too_long" Inspect Deny 400
        "Path and query together are longer than the limit."
    InspectBadHeader "inspect.bad_header" Inspect Deny 400
        "A header name or value holds characters that HTTP forbids."
    InspectConflictingHeaders "inspect.conflicting_headers" Inspect Deny 400
        "Headers that servers read in different ways: two hosts, two lengths, a length beside a transfer coding, or another method or target."
    InspectBadQuery "inspect.bad_query" Inspect Deny 400
        "The query or a form holds a broken percent-encoding, bytes that are not UTF-8, or too many parameters."
    InspectControlCharacter "inspect.control_character" Inspect Deny 400
        "The query, a form or a JSON string holds a NUL or another control character."
    InspectContentType "inspect.content_type" Inspect Deny 415
        "The content type is missing, malformed, or not what the body is."
    InspectJsonMalformed "inspect.json_malformed" Inspect Deny 400
        "The body is not strict JSON."
    InspectJsonTooDeep "inspect.json_too_deep" Inspect Deny 400
        "The JSON body is nested deeper than the limit."
    InspectJsonTooLarge "inspect.json_too_large" Inspect Deny 400
        "The JSON body has more values, members or digits than the limit."
    InspectJsonDuplicateKey "inspect.json_duplicate_key" Inspect Deny 400
        "A JSON object names a member twice; parsers disagree which one counts."

    AnomalyEndpoint "anomaly.endpoint" Anomaly Flag 403
        "Nobody called this endpoint before."
    AnomalyParameter "anomaly.parameter" Anomaly Flag 403
        "The endpoint did not have this parameter before."
    AnomalyStructure "anomaly.structure" Anomaly Flag 403
        "Parameters or headers came together that did not before."
    AnomalyValue "anomaly.value" Anomaly Flag 403
        "A value is unlike those that were there before."
    AnomalyVolume "anomaly.volume" Anomaly Flag 403
        "The client calls the endpoint more often than others do, or all clients together more than at this hour of the week."
    AnomalyObjects "anomaly.objects" Anomaly Flag 403
        "The client touches more different objects than others do."
    AnomalyErrors "anomaly.errors" Anomaly Flag 403
        "The client asks for objects that are not there, or not its own, more often than others do."
    AnomalyFailures "anomaly.failures" Anomaly Flag 403
        "Credentials are refused at this endpoint more often than usual, to devices like this one."
    AnomalySpread "anomaly.spread" Anomaly Flag 403
        "More clients are new to the endpoint, or share a device, than usual."
    AnomalyExfiltration "anomaly.exfiltration" Anomaly Flag 403
        "The client takes more data than others do."
    AnomalySequence "anomaly.sequence" Anomaly Flag 403
        "A step that comes before this one nearly always was left out, or the steps of a session seldom follow each other."
    AnomalySession "anomaly.session" Anomaly Flag 403
        "The session is from where its identity never was, or does what its identity never does."
    AnomalyResponse "anomaly.response" Anomaly Flag 403
        "The response has another status, more bytes or a longer latency than those of its endpoint have."

    PolicyNotPermitted "policy.not_permitted" Policy Deny 403
        "No policy permits this: the default is to deny."
    PolicyForbidden "policy.forbidden" Policy Deny 403
        "A policy forbids this."
    PolicyError "policy.error" Policy Deny 403
        "A forbid policy could not be evaluated, and that denies."

    RespondSuspended "respond.suspended" Respond Deny 403
        "What the request comes from is suspended for a time."
    RespondStrikes "respond.strikes" Respond Flag 200
        "What the request comes from has strikes against it: it stands on a rung of a ladder."
    RespondUnredactable "respond.unredactable" Respond Deny 403
        "Members of the response are to be hidden and cannot be: it is not whole, plain JSON."

    InternalPanic "internal.panic" Internal Deny 403
        "zt failed while deciding; a failure denies."
}

impl Code {
    /// Whether it tells how somebody behaves (much, unusual) and not what a request is: that anyone can be made to look
    /// like, so that it alone never suspends a credential, a session or an identity.
    pub const fn is_behaviour(self) -> bool {
        match self.stage() {
            Stage::Limit | Stage::Anomaly => true,
            Stage::Route | Stage::Verify | Stage::Inspect | Stage::Policy | Stage::Respond | Stage::Internal => false,
        }
    }

    /// Whether it is a step that well-meaning clients go through (asked for a credential, for a nonce, for a new token, or to
    /// sign in again), or a failure of policies and not of a client. Families such as `verify.*` in a ladder leave these out.
    pub const fn is_ordinary(self) -> bool {
        matches!(
            self,
            Self::VerifyNoCredential
                | Self::VerifyNonceRequired
                | Self::VerifyExpired
                | Self::VerifyReauthenticate
                | Self::PolicyError
        )
    }

    /// Whether it can be found about a request whose caller is known. What is found before that, or is wrong with the
    /// credential itself, tells of nobody but the address.
    pub const fn is_of_the_known(self) -> bool {
        match self.stage() {
            Stage::Limit | Stage::Inspect | Stage::Anomaly | Stage::Policy => true,
            Stage::Verify => matches!(self, Self::VerifyReauthenticate),
            Stage::Route => matches!(self, Self::RouteBadForwarded),
            Stage::Respond | Stage::Internal => false,
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        let known = Self::ALL.iter().find(|code| code.as_str() == text);
        known.copied().ok_or_else(|| D::Error::custom(format_args!("unknown reason code `{text}`")))
    }
}

impl JsonSchema for Code {
    fn schema_name() -> Cow<'static, str> {
        "Code".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let names: Vec<&str> = Self::ALL.iter().map(|code| code.as_str()).collect();
        json_schema!({"type": "string", "enum": names})
    }
}
