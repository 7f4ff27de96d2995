//! ID tokens where an access token is due.
//!
//! An ID token tells a client who signed in; sent to an API it proves nothing about what the client may do there
//! (RFC 9068, section 5; RFC 8725, section 3.11). `typ` tells them apart where it is `at+jwt`. Where an issuer writes
//! `JWT` into both, these claims do:
//!
//! - `at_hash`, `c_hash` and `s_hash` stand in ID tokens only (OpenID Connect Core, section 3.3.2.11; FAPI 1.0 Part 2).
//! - `token_use` is `id` (Amazon Cognito), or the claim `typ` is `ID` (Keycloak).
//! - `nonce` is an ID token's (OpenID Connect Core, section 2) unless `scope`, `scp` or `client_id` stands beside it:
//!   Keycloak before 25 put it into access tokens too.
//! - `azp` that is itself in `aud`, without `scope`, `scp` or `client_id`: the audience of an ID token is the client it was
//!   issued to. Access tokens of Keycloak, Auth0 and Entra ID have an `azp` too; theirs is not in `aud`, or they have a
//!   scope. One of Entra ID for an application that calls itself has `roles` or `azpacr`.

use super::jose::claims::Claimed;

/// Which mark of an ID token these claims have; `roles_at` is the place of its issuer's role claim, which says the same as
/// `roles`. That of another issuer says nothing.
pub(super) fn mark(claimed: &Claimed<'_>, roles_at: usize) -> Option<&'static str> {
    let marks = claimed.marks;
    let of_application = marks.of_application || claimed.roles.iter().any(|(at, _)| *at == roles_at);
    let of_access = claimed.scope.is_some() || claimed.scp.is_some() || claimed.client_id.is_some();
    let azp_in_aud = claimed.azp.as_ref().is_some_and(|azp| claimed.aud.iter().flatten().any(|aud| aud == azp));
    if marks.hash {
        Some("an ID token: it has `at_hash`, `c_hash` or `s_hash`")
    } else if marks.says_id {
        Some("an ID token: it says so in `token_use` or in the claim `typ`")
    } else if marks.nonce && !of_access {
        Some("an ID token: it has `nonce` and no `scope`")
    } else if azp_in_aud && !of_access && !of_application {
        Some("an ID token: its `azp` is its `aud`, and it has no `scope`")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_marked(json: &str) -> bool {
        let mut claimed = Claimed::default();
        claimed.read(json.as_bytes(), &[]).unwrap();
        mark(&claimed, 0).is_some()
    }

    #[test]
    fn id_tokens_are_found() {
        for json in [
            r#"{"sub":"s","aud":"client","nonce":"n"}"#,
            r#"{"sub":"s","aud":"client","at_hash":"h","scope":"openid"}"#,
            r#"{"sub":"s","aud":"client","c_hash":"h"}"#,
            r#"{"sub":"s","aud":"client","s_hash":"h"}"#,
            r#"{"sub":"s","aud":"client","azp":"client"}"#,
            r#"{"sub":"s","aud":["other","client"],"azp":"client"}"#,
            r#"{"sub":"s","aud":"client","token_use":"id","client_id":"c"}"#,
            r#"{"sub":"s","aud":"client","typ":"ID","scope":"openid"}"#,
        ] {
            assert!(is_marked(json), "{json}");
        }
    }

    #[test]
    fn access_tokens_are_not() {
        for json in [
            // Keycloak, today's and before 25.
            r#"{"sub":"s","aud":"account","typ":"Bearer","azp":"web","sid":"x","scope":"openid email"}"#,
            r#"{"sub":"s","aud":"account","typ":"Bearer","azp":"web","nonce":"n","scope":"openid"}"#,
            // Auth0: of a user; of a machine without scopes.
            r#"{"sub":"auth0|1","aud":["https://api","https://t.auth0.com/userinfo"],"azp":"AbC","scope":"openid"}"#,
            r#"{"sub":"AbC@clients","aud":"https://api","azp":"AbC","gty":"client-credentials"}"#,
            // Entra ID: delegated; an application that calls itself, with roles and without.
            r#"{"sub":"s","aud":"6e74","azp":"6e74","azpacr":"0","scp":"access_as_user"}"#,
            r#"{"sub":"s","aud":"6e74","azp":"6e74","roles":["Reader"]}"#,
            r#"{"sub":"s","aud":"6e74","azp":"6e74","azpacr":"1"}"#,
            // Cognito.
            r#"{"sub":"s","token_use":"access","scope":"a","client_id":"c"}"#,
        ] {
            assert!(!is_marked(json), "{json}");
        }
    }
}
