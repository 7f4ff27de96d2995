//! The `WWW-Authenticate` headers of a refusal.

use std::fmt::Write as _;

use smallvec::SmallVec;

use crate::model::{Code, Stage};

/// How a request authenticates itself; the challenge of that scheme says what was wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scheme {
    /// Not at all, or not in a way that a challenge is for.
    #[default]
    None,
    /// `Authorization: Bearer` (RFC 6750).
    Bearer,
    /// `Authorization: DPoP` (RFC 9449).
    Dpop,
    /// The API key header.
    ApiKey,
}

/// What is accepted here, and so offered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Offer<'v> {
    pub(super) realm: &'v str,
    /// The scheme that is accepted besides DPoP: `Bearer`, or `ApiKey` or `Signature` where no tokens are.
    pub(super) scheme: &'static str,
    /// Names of DPoP's algorithms, where it is accepted.
    pub(super) algs: Option<&'v str>,
}

/// What the client is asked for when the authentication behind its token is too weak or too old (RFC 9470).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StepUp<'a> {
    /// Space-separated acceptable `acr` values.
    pub acr_values: Option<&'a str>,
    /// Longest time since the end user's authentication, seconds.
    pub max_age_s: Option<u64>,
}

/// Values of `WWW-Authenticate`, one for each header line.
pub type Challenges = SmallVec<[String; 2]>;

/// What a client is told (RFC 6750, section 3; RFC 9449, section 7.1; RFC 9470, section 3). Never which rule refused:
/// that is for the log.
pub(super) fn challenges(offer: Offer<'_>, shown: Scheme, code: Code, step_up: StepUp<'_>) -> Challenges {
    use Code::*;
    let mut out = Challenges::new();
    let (error, description) = match code {
        // Without a credential, or with one of another scheme, no error is named (RFC 6750, section 3.1).
        VerifyNoCredential
        | VerifySchemeRefused
        | VerifyUnknownApiKey
        | VerifyMalformedApiKey
        | VerifyNetworkRefused => ("", ""),
        VerifyReauthenticate => {
            // The credential holds; the authentication behind it does not. So no realm is named.
            let scheme = if shown == Scheme::Dpop { "DPoP" } else { "Bearer" };
            out.push(step_up_text(scheme, step_up) + &offer.algs_for(shown));
            return out;
        }
        VerifyManyCredentials | VerifyCredentialInQuery | VerifyBadDigest => ("invalid_request", ""),
        VerifyExpired => ("invalid_token", "The access token expired"),
        VerifyBadProof | VerifyProofReplayed | VerifyProofStale if shown == Scheme::Dpop => ("invalid_dpop_proof", ""),
        VerifyNonceRequired => ("use_dpop_nonce", ""),
        _ if code.stage() == Stage::Verify => ("invalid_token", ""),
        _ if code.stage() == Stage::Policy => ("insufficient_scope", ""),
        _ => ("", ""),
    };
    let text = |scheme: &str, error: &str, description: &str| {
        let mut text = format!("{scheme} realm=\"{}\"", offer.realm);
        for (name, value) in [("error", error), ("error_description", description)] {
            if !value.is_empty() {
                // Writing to a string cannot fail.
                let _ = write!(text, ", {name}=\"{value}\"");
            }
        }
        text
    };
    let dpop = |error, description| text("DPoP", error, description) + &offer.algs_for(Scheme::Dpop);
    match shown {
        Scheme::ApiKey => out.push(text("ApiKey", "", "")),
        Scheme::Dpop if offer.algs.is_some() => out.push(dpop(error, description)),
        _ if offer.scheme == "ApiKey" => out.push(text("ApiKey", "", "")),
        Scheme::Bearer | Scheme::Dpop | Scheme::None => {
            out.push(text(offer.scheme, error, description));
            // Where the way of showing it was wrong, the other one is offered too.
            let other = shown == Scheme::None || matches!(code, VerifyBindingMissing);
            if other && offer.algs.is_some() {
                out.push(dpop("", ""));
            }
        }
    }
    out
}

impl Offer<'_> {
    /// What follows in a challenge of DPoP.
    fn algs_for(&self, scheme: Scheme) -> String {
        match self.algs {
            Some(algs) if scheme == Scheme::Dpop => format!(", algs=\"{algs}\""),
            _ => String::new(),
        }
    }
}

fn step_up_text(scheme: &str, step_up: StepUp<'_>) -> String {
    let mut text = format!("{scheme} error=\"insufficient_user_authentication\"");
    // `acr` values are tokens without spaces or quotes; anything else is left out rather than escaped.
    if let Some(values) = step_up.acr_values.filter(|values| is_quotable(values) && !values.is_empty()) {
        let _ = write!(text, ", acr_values=\"{values}\"");
    }
    if let Some(seconds) = step_up.max_age_s {
        let _ = write!(text, ", max_age={seconds}");
    }
    text
}

/// Whether this may stand between quotes as it is (RFC 9110, section 5.6.4).
pub(super) fn is_quotable(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' ' | 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKENS: Offer<'static> = Offer { realm: "api", scheme: "Bearer", algs: None };
    const DPOP: Offer<'static> = Offer { algs: Some("ES256 EdDSA"), ..TOKENS };

    fn texts(offer: Offer<'_>, shown: Scheme, code: Code) -> Vec<String> {
        challenges(offer, shown, code, StepUp::default()).into_vec()
    }

    #[test]
    fn bearer() {
        let text = |code| texts(TOKENS, Scheme::Bearer, code).join(" | ");
        assert_eq!(text(Code::VerifyNoCredential), r#"Bearer realm="api""#);
        assert_eq!(text(Code::VerifySchemeRefused), r#"Bearer realm="api""#);
        assert_eq!(text(Code::VerifyBadSignature), r#"Bearer realm="api", error="invalid_token""#);
        assert_eq!(text(Code::VerifyUnknownKey), text(Code::VerifyWrongIssuer));
        assert_eq!(text(Code::VerifyBindingMissing), text(Code::VerifyWrongIssuer));
        assert_eq!(
            text(Code::VerifyExpired),
            r#"Bearer realm="api", error="invalid_token", error_description="The access token expired""#
        );
        assert_eq!(text(Code::VerifyManyCredentials), r#"Bearer realm="api", error="invalid_request""#);
        assert_eq!(text(Code::PolicyForbidden), r#"Bearer realm="api", error="insufficient_scope""#);
        assert_eq!(text(Code::RouteBadTarget), r#"Bearer realm="api""#);
    }

    #[test]
    fn dpop() {
        let text = |code| texts(DPOP, Scheme::Dpop, code).join(" | ");
        let algs = r#"algs="ES256 EdDSA""#;
        for code in [Code::VerifyBadProof, Code::VerifyProofReplayed, Code::VerifyProofStale] {
            assert_eq!(text(code), format!(r#"DPoP realm="api", error="invalid_dpop_proof", {algs}"#));
        }
        assert_eq!(text(Code::VerifyNonceRequired), format!(r#"DPoP realm="api", error="use_dpop_nonce", {algs}"#));
        assert_eq!(text(Code::VerifyBindingMismatch), format!(r#"DPoP realm="api", error="invalid_token", {algs}"#));
        assert_eq!(text(Code::PolicyForbidden), format!(r#"DPoP realm="api", error="insufficient_scope", {algs}"#));
        assert_eq!(texts(TOKENS, Scheme::Dpop, Code::VerifySchemeRefused), [r#"Bearer realm="api""#]);
    }

    #[test]
    fn both_are_offered_where_none_or_the_wrong_one_was_shown() {
        let dpop = r#"DPoP realm="api", algs="ES256 EdDSA""#;
        assert_eq!(texts(DPOP, Scheme::None, Code::VerifyNoCredential), [r#"Bearer realm="api""#, dpop]);
        // RFC 9449, section 7.2: an access token that is included in more than one way.
        let two = [r#"Bearer realm="api", error="invalid_request""#, dpop];
        assert_eq!(texts(DPOP, Scheme::None, Code::VerifyManyCredentials), two);
        let downgraded = [r#"Bearer realm="api", error="invalid_token""#, dpop];
        assert_eq!(texts(DPOP, Scheme::Bearer, Code::VerifyBindingMissing), downgraded);
        assert_eq!(texts(DPOP, Scheme::Bearer, Code::VerifyExpired).len(), 1);
    }

    #[test]
    fn api_keys() {
        let only = Offer { scheme: "ApiKey", ..TOKENS };
        for shown in [Scheme::None, Scheme::Bearer, Scheme::ApiKey] {
            assert_eq!(texts(only, shown, Code::VerifyUnknownApiKey), [r#"ApiKey realm="api""#]);
        }
        assert_eq!(texts(TOKENS, Scheme::ApiKey, Code::VerifyUnknownApiKey), [r#"ApiKey realm="api""#]);
        assert_eq!(texts(TOKENS, Scheme::None, Code::VerifyNoCredential), [r#"Bearer realm="api""#]);
    }

    #[test]
    fn signatures() {
        let only = Offer { scheme: "Signature", ..TOKENS };
        assert_eq!(texts(only, Scheme::None, Code::VerifyNoCredential), [r#"Signature realm="api""#]);
        let bad = [r#"Signature realm="api", error="invalid_token""#];
        assert_eq!(texts(only, Scheme::None, Code::VerifyUnknownKey), bad);
    }

    #[test]
    fn stepping_up() {
        let text = |shown, acr_values, max_age_s| {
            challenges(DPOP, shown, Code::VerifyReauthenticate, StepUp { acr_values, max_age_s }).join(" | ")
        };
        assert_eq!(
            text(Scheme::Bearer, Some("urn:example:mfa"), Some(300)),
            r#"Bearer error="insufficient_user_authentication", acr_values="urn:example:mfa", max_age=300"#
        );
        assert_eq!(
            text(Scheme::Dpop, Some("urn:example:mfa"), None),
            r#"DPoP error="insufficient_user_authentication", acr_values="urn:example:mfa", algs="ES256 EdDSA""#
        );
        assert_eq!(text(Scheme::Bearer, Some("a\"b\r\n"), None), r#"Bearer error="insufficient_user_authentication""#);
    }
}
