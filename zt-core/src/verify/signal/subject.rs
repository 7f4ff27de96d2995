//! Whom an event is about: `sub_id` (RFC 9493; OpenID Shared Signals Framework 1.0, section 3).

use std::sync::Arc;

use serde_json::{Map, Value};

use super::config::{Spoken, SubjectFormat, Transmitter};
use crate::verify::Revoked;
use crate::verify::jose::claims::is_name;

/// Something that tokens name: of which issuer, and what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) kind: Revoked,
    pub(super) issuer: Arc<str>,
    pub(super) id: String,
    /// A workload's, of a trust domain: nobody asks it to authenticate.
    pub(super) workload: bool,
}

/// What of a subject tokens can be known by.
#[derive(Debug, Default)]
pub(super) struct Subject {
    targets: Vec<Target>,
    /// Somebody of an issuer that the transmitter may not speak of was named.
    pub(super) foreign: bool,
    /// And in that place nobody else: whatever the rest says, it is about somebody of that issuer.
    pub(super) of_stranger: bool,
    /// It names a session, a device, a tenant or something else that is less than a user: more is done to a user than was said.
    pub(super) narrower: bool,
    /// One of those is not merely the tenant that the user is of.
    pub(super) of_part: bool,
}

/// What identifiers stand for at one place.
#[derive(Clone, Copy)]
struct Kinds {
    named: Revoked,
    opaque: Revoked,
}

/// Identifiers of one subject that are looked at.
const MAX_ALIASES: usize = 16;

impl Subject {
    /// What a transmitter means. An `opaque` identifier of an event about a session is that session.
    pub(super) fn read(transmitter: &Transmitter, sub_id: &Map<String, Value>, of_session: bool) -> Self {
        let mut subject = Self::default();
        if text(sub_id, "format") != Some("complex") {
            let opaque = if of_session { Revoked::Session } else { Revoked::Subject };
            subject.add(transmitter, sub_id, Kinds { named: Revoked::Subject, opaque });
            return subject;
        }
        for (member, identifier) in sub_id {
            let kind = match member.as_str() {
                "format" => continue,
                "user" => Revoked::Subject,
                "session" => {
                    (subject.narrower, subject.of_part) = (true, true);
                    Revoked::Session
                }
                member => {
                    subject.narrower = true;
                    subject.of_part |= member != "tenant";
                    continue;
                }
            };
            if let Some(identifier) = identifier.as_object() {
                subject.add(transmitter, identifier, Kinds { named: kind, opaque: kind });
            }
        }
        subject
    }

    /// The most telling of what was named: tokens, or else sessions, or else users. A session without an issuer is of the
    /// user's, where a user is named.
    pub(super) fn targets(&self) -> Vec<&Target> {
        let of = |kind: Revoked| self.targets.iter().filter(move |target| target.kind == kind);
        let of_user = |target: &&Target| of(Revoked::Subject).any(|user| user.issuer == target.issuer);
        let sessions: Vec<_> = of(Revoked::Session).collect();
        let mut narrowed: Vec<_> = sessions.iter().copied().filter(of_user).collect();
        if narrowed.is_empty() {
            narrowed = sessions;
        }
        let tokens: Vec<_> = of(Revoked::Token).collect();
        match (tokens.is_empty(), narrowed.is_empty()) {
            (false, _) => tokens,
            (true, false) => narrowed,
            (true, true) => of(Revoked::Subject).collect(),
        }
    }

    /// The users that were named.
    pub(super) fn users(&self) -> Vec<&Target> {
        self.targets.iter().filter(|target| target.kind == Revoked::Subject).collect()
    }

    fn add(&mut self, transmitter: &Transmitter, identifier: &Map<String, Value>, kinds: Kinds) {
        let (known, foreign) = (self.targets.len(), std::mem::take(&mut self.foreign));
        if text(identifier, "format") == Some("aliases") {
            let aliases = identifier.get("identifiers").and_then(Value::as_array).into_iter().flatten();
            // One inside another is forbidden (RFC 9493, section 3.2.8), and here an unknown format.
            aliases
                .take(MAX_ALIASES)
                .filter_map(Value::as_object)
                .for_each(|one| self.add_one(transmitter, one, kinds));
        } else {
            self.add_one(transmitter, identifier, kinds);
        }
        self.of_stranger |= self.foreign && self.targets.len() == known;
        self.foreign |= foreign;
    }

    fn add_one(&mut self, transmitter: &Transmitter, identifier: &Map<String, Value>, kinds: Kinds) {
        let part = |name: &str| text(identifier, name);
        let (kind, issuer, id) = match text(identifier, "format") {
            Some("iss_sub") => (kinds.named, part("iss"), part("sub")),
            Some("jwt_id") => (Revoked::Token, part("iss"), part("jti")),
            Some(format) => {
                let (format, id) = match format {
                    "opaque" => (SubjectFormat::Opaque, part("id")),
                    "email" => (SubjectFormat::Email, part("email")),
                    "account" => {
                        (SubjectFormat::Account, part("uri").map(|uri| uri.strip_prefix("acct:").unwrap_or(uri)))
                    }
                    "phone_number" => (SubjectFormat::PhoneNumber, part("phone_number")),
                    "uri" => (SubjectFormat::Uri, part("uri")),
                    "did" => (SubjectFormat::Did, part("url")),
                    _ => return,
                };
                let Some(id) = id.filter(|_| transmitter.formats.contains(&format)) else { return };
                let kind = if format == SubjectFormat::Opaque { kinds.opaque } else { kinds.named };
                transmitter.speaks_of.iter().for_each(|issuer| self.push(kind, issuer, id));
                return;
            }
            None => return,
        };
        let (Some(issuer), Some(id)) = (issuer, id) else { return };
        match transmitter.speaks_of.iter().find(|spoken| *spoken.issuer == *issuer) {
            Some(spoken) => self.push(kind, spoken, id),
            None => self.foreign = true,
        }
    }

    fn push(&mut self, kind: Revoked, of: &Spoken, id: &str) {
        if id.is_empty() || !is_name(id) {
            return;
        }
        let id = if kind == Revoked::Subject { format!("{}{id}", of.prefix) } else { id.to_owned() };
        self.targets.push(Target { kind, issuer: Arc::clone(&of.issuer), id, workload: of.workloads });
    }
}

fn text<'v>(object: &'v Map<String, Value>, name: &str) -> Option<&'v str> {
    object.get(name).and_then(Value::as_str)
}
