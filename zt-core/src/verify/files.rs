//! The secrets that a configuration names by file.

use super::{Config, Secret};

impl Config {
    /// The files that hold secrets, where the secret is not written inline.
    pub(crate) fn secret_files(&self) -> Vec<&str> {
        let pepper = self.api_key_pepper_file.iter().filter(|_| self.api_key_pepper.is_none());
        let webhooks = self.webhook.iter().flat_map(|webhook| &webhook.secret_files);
        let sigv4 = self.sigv4.iter().flat_map(|key| {
            let secret = key.secret_file.iter().filter(|_| key.secret.is_none());
            secret.chain(key.session_token_file.iter().filter(|_| key.session_token.is_none()))
        });
        pepper.chain(webhooks).chain(sigv4).map(String::as_str).collect()
    }

    /// Puts them inline. `read` answers the text of a file; it is told its key, its name, and the key of its inline twin.
    pub(crate) fn inline_secrets(&mut self, mut read: impl FnMut(String, &str, &str) -> Option<String>) {
        let mut one = |key: String, file: &Option<String>, twin: &str, slot: &mut Option<Secret>| {
            if let (Some(name), None) = (file, &slot) {
                *slot = read(key, name, twin).map(|text| Secret::from_file(&text));
            }
        };
        let key = "verify.api_key_pepper_file".to_owned();
        one(key, &self.api_key_pepper_file, "api_key_pepper", &mut self.api_key_pepper);
        for (at, access) in self.sigv4.iter_mut().enumerate() {
            let key = |name: &str| format!("verify.sigv4[{at}].{name}");
            one(key("secret_file"), &access.secret_file, "secret", &mut access.secret);
            one(key("session_token_file"), &access.session_token_file, "session_token", &mut access.session_token);
        }
        for (at, webhook) in self.webhook.iter_mut().enumerate() {
            for (n, name) in webhook.secret_files.iter().enumerate() {
                let text = read(format!("verify.webhook[{at}].secret_files[{n}]"), name, "secrets");
                webhook.secrets.extend(text.map(|text| Secret::from_file(&text)));
            }
        }
    }
}
