//! The key sets and secrets that a configuration names by file.

use super::{Config, Secret};

/// The files that one key of the configuration names, and where their content belongs.
struct Named<'c> {
    key: String,
    files: Vec<String>,
    /// The key that would hold the content.
    twin: &'static str,
    slot: Slot<'c>,
}

enum Slot<'c> {
    Text(&'c mut Option<String>),
    Secret(&'c mut Option<Secret>),
    Secrets(&'c mut Vec<Secret>),
}

impl Config {
    /// The files that it names, where the content is not written inline.
    pub(crate) fn named_files(&self) -> Vec<String> {
        self.clone().named().into_iter().flat_map(|named| named.files).collect()
    }

    /// Puts their content inline. `read` answers the text of a file; it is told the key that names it, its name, and the
    /// key of its inline twin.
    pub(crate) fn inline_files(&mut self, mut read: impl FnMut(String, &str, &str) -> Option<String>) {
        for Named { key, files, twin, mut slot } in self.named() {
            for (n, file) in files.iter().enumerate() {
                let key = if matches!(slot, Slot::Secrets(_)) { format!("{key}[{n}]") } else { key.clone() };
                let Some(text) = read(key, file, twin) else { continue };
                match &mut slot {
                    Slot::Text(slot) => **slot = Some(text),
                    Slot::Secret(slot) => **slot = Some(Secret::from_file(&text)),
                    Slot::Secrets(slot) => slot.push(Secret::from_file(&text)),
                }
            }
        }
    }

    fn named(&mut self) -> Vec<Named<'_>> {
        let mut all = Vec::new();
        for (at, issuer) in self.issuer.iter_mut().enumerate() {
            all.extend(one(
                format!("verify.issuer[{at}].jwks_file"),
                &issuer.jwks_file,
                "jwks",
                Slot::Text(&mut issuer.jwks),
            ));
        }
        for (at, domain) in self.spiffe.iter_mut().enumerate() {
            let jwks = Slot::Text(&mut domain.jwks);
            all.extend(one(format!("verify.spiffe[{at}].jwks_file"), &domain.jwks_file, "jwks", jwks));
        }
        for (at, transmitter) in self.transmitter.iter_mut().enumerate() {
            let jwks = Slot::Text(&mut transmitter.jwks);
            all.extend(one(format!("verify.transmitter[{at}].jwks_file"), &transmitter.jwks_file, "jwks", jwks));
        }
        for (at, key) in self.signature.iter_mut().enumerate() {
            all.extend(one(format!("verify.signature[{at}].jwk_file"), &key.jwk_file, "jwk", Slot::Text(&mut key.jwk)));
        }
        if let Some(dpop) = &mut self.dpop {
            let key = "verify.dpop.nonce_secret_file".to_owned();
            all.extend(one(key, &dpop.nonce_secret_file, "nonce_secret", Slot::Secret(&mut dpop.nonce_secret)));
        }
        let (key, pepper) = ("verify.api_key_pepper_file".to_owned(), Slot::Secret(&mut self.api_key_pepper));
        all.extend(one(key, &self.api_key_pepper_file, "api_key_pepper", pepper));
        for (at, access) in self.sigv4.iter_mut().enumerate() {
            let key = |name: &str| format!("verify.sigv4[{at}].{name}");
            all.extend(one(key("secret_file"), &access.secret_file, "secret", Slot::Secret(&mut access.secret)));
            let token = Slot::Secret(&mut access.session_token);
            all.extend(one(key("session_token_file"), &access.session_token_file, "session_token", token));
        }
        for (at, webhook) in self.webhook.iter_mut().enumerate() {
            let (key, files) = (format!("verify.webhook[{at}].secret_files"), webhook.secret_files.clone());
            all.push(Named { key, files, twin: "secrets", slot: Slot::Secrets(&mut webhook.secrets) });
        }
        all.retain(|named| !named.slot.is_written());
        all
    }
}

fn one<'c>(key: String, file: &Option<String>, twin: &'static str, slot: Slot<'c>) -> Option<Named<'c>> {
    file.clone().map(|file| Named { key, files: vec![file], twin, slot })
}

impl Slot<'_> {
    /// Whether the content is written inline, so that the file is not asked for.
    fn is_written(&self) -> bool {
        match self {
            Self::Text(slot) => slot.is_some(),
            Self::Secret(slot) => slot.is_some(),
            Self::Secrets(_) => false,
        }
    }
}
