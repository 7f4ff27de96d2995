//! The `WWW-Authenticate` header of a refusal.

use std::fmt::Write as _;

use crate::model::{Code, Stage};

/// What a client is told (RFC 6750, section 3; RFC 9470, section 3). Never which rule refused: that is for the log.
pub(super) fn challenge(
    scheme: &str,
    realm: &str,
    code: Code,
    acr_values: Option<&str>,
    max_age_s: Option<u64>,
) -> String {
    use Code::*;
    let error = match code {
        // Without a credential, or with one of another scheme, no error is named (RFC 6750, section 3.1).
        VerifyNoCredential
        | VerifySchemeRefused
        | VerifyUnknownApiKey
        | VerifyMalformedApiKey
        | VerifyNetworkRefused => {
            return format!("{scheme} realm=\"{realm}\"");
        }
        VerifyReauthenticate => return step_up(scheme, acr_values, max_age_s),
        VerifyManyCredentials | VerifyCredentialInQuery | VerifyBadDigest => "\"invalid_request\"",
        VerifyExpired => "\"invalid_token\", error_description=\"The access token expired\"",
        _ if code.stage() == Stage::Verify => "\"invalid_token\"",
        _ if code.stage() == Stage::Policy => "\"insufficient_scope\"",
        _ => return format!("{scheme} realm=\"{realm}\""),
    };
    format!("{scheme} realm=\"{realm}\", error={error}")
}

/// The credential holds; the authentication behind it does not. So no realm is named.
fn step_up(scheme: &str, acr_values: Option<&str>, max_age_s: Option<u64>) -> String {
    let mut text = format!("{scheme} error=\"insufficient_user_authentication\"");
    // `acr` values are tokens without spaces or quotes; anything else is left out rather than escaped.
    if let Some(values) = acr_values.filter(|values| is_quotable(values) && !values.is_empty()) {
        // Writing to a string cannot fail.
        let _ = write!(text, ", acr_values=\"{values}\"");
    }
    if let Some(seconds) = max_age_s {
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

    #[test]
    fn one_text_for_each_kind() {
        let text = |code| challenge("Bearer", "api", code, None, None);
        assert_eq!(text(Code::VerifyNoCredential), r#"Bearer realm="api""#);
        assert_eq!(text(Code::VerifySchemeRefused), r#"Bearer realm="api""#);
        assert_eq!(text(Code::VerifyBadSignature), r#"Bearer realm="api", error="invalid_token""#);
        assert_eq!(text(Code::VerifyUnknownKey), text(Code::VerifyWrongIssuer));
        assert_eq!(
            text(Code::VerifyExpired),
            r#"Bearer realm="api", error="invalid_token", error_description="The access token expired""#
        );
        assert_eq!(text(Code::VerifyManyCredentials), r#"Bearer realm="api", error="invalid_request""#);
        assert_eq!(text(Code::PolicyForbidden), r#"Bearer realm="api", error="insufficient_scope""#);
        assert_eq!(
            challenge("Bearer", "api", Code::VerifyReauthenticate, Some("urn:example:mfa"), Some(300)),
            r#"Bearer error="insufficient_user_authentication", acr_values="urn:example:mfa", max_age=300"#
        );
        assert_eq!(
            challenge("Bearer", "api", Code::VerifyReauthenticate, Some("a\"b\r\n"), None),
            r#"Bearer error="insufficient_user_authentication""#
        );
    }
}
