//! Suspensions by persons, and their lifting.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::entry::{Entry, LATEST, instant, millis};
use super::ladder::Guard;
use super::subject::{PREFIX, Subject, address, of_id};
use super::{Responder, State};
use crate::base::bounded::KeyHasher;
use crate::model::{Action, ActionKind, IdentityKind, Millis, Rung, SubjectKind};

/// Whom a person suspends, or frees: named as decisions name them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Suspension {
    /// What kind of subject it is.
    pub subject: SubjectKind,
    /// Of a credential or an identity: how it was established.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<IdentityKind>,
    /// Issuer of the tokens; absent for what has none, such as API keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// `credential_id`, `session` or `principal`; an address, or a network such as `203.0.113.0/24`.
    pub id: String,
    /// When it is over. To lift a suspension it is not needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<Millis>,
}

/// Why a suspension is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SuspensionError {
    /// Credentials and identities of different kinds may have the same name.
    #[error("not a suspension: write the `kind` of the {}, as decisions show it", .0.as_str())]
    NoKind(SubjectKind),
    /// Tokens and sessions are of an issuer.
    #[error("not a suspension: tokens and sessions are of an issuer; write the `issuer`, as decisions show it")]
    NoIssuer,
    /// Everything else is of none.
    #[error("not a suspension: what is of kind `{}` has no `issuer`; leave it out", .0.as_str())]
    OfNoIssuer(IdentityKind),
    /// Nobody is verified as of this issuer.
    #[error("not a suspension: no such `issuer` is configured, so that nobody would be suspended")]
    UnknownIssuer,
    /// Addresses have neither.
    #[error("not a suspension: an address has no `kind` and no `issuer`")]
    OfAddress,
    /// The id is not an address.
    #[error("not a suspension: the `id` of a `peer` is an address")]
    NoAddress,
    /// The id is not a network of the size that is known.
    #[error("not a suspension: the `id` of a `peer_prefix` is an address, or a network of {} bits (IPv4) or {} (IPv6)", PREFIX.0, PREFIX.1)]
    NoNetwork,
    /// No end.
    #[error("not a suspension: write `until_ms`")]
    NoEnd,
    /// The end is long past.
    #[error("not a suspension: `until_ms` is long past; write milliseconds, not seconds")]
    LongPast,
}

impl Responder {
    /// Suspends whom this names until then, whatever ladders say.
    ///
    /// # Errors
    /// [`SuspensionError`]; nothing is changed then.
    pub fn suspend(&self, state: &State, suspension: &Suspension, now: Millis) -> Result<Action, SuspensionError> {
        let subject = suspension.named(&state.hasher)?;
        let until_ms = suspension.until_ms.ok_or(SuspensionError::NoEnd)?;
        // One that is over is no mistake: a host may hand over again what it has stored. This far back it is.
        if until_ms < now.div_euclid(100) {
            return Err(SuspensionError::LongPast);
        }
        let (until, at) = (u64::try_from(until_ms).unwrap_or(0).min(LATEST), instant(now));
        state.by_hand.change(subject, at, |known| {
            let word = known.map_or(at, |known| at.max(known.word.saturating_add(1)));
            (Some(Entry { word, until, rung: Some(Rung::Suspend), ..Entry::default() }), ())
        });
        state.suspended_by_hand(until);
        Ok(action(ActionKind::Suspended, suspension.subject, Some(millis(until))))
    }

    /// Frees whom this names, whoever suspended it, and forgives its strikes.
    ///
    /// # Errors
    /// [`SuspensionError`]; nothing is changed then.
    pub fn unsuspend(&self, state: &State, suspension: &Suspension, now: Millis) -> Result<Action, SuspensionError> {
        let subject = suspension.named(&state.hasher)?;
        let at = instant(now);
        let of_ladders = self.ladders.iter().enumerate().filter(|(_, ladder)| ladder.subject == suspension.subject);
        let tables = of_ladders.filter_map(|(place, ladder)| state.table(place, ladder));
        for table in tables.chain([&state.by_hand]) {
            // Kept even where there was nothing: elsewhere there may be, and this word is the later.
            table.change(subject, at, |known| {
                let word = known.map_or(at, |known| at.max(known.word.saturating_add(1)));
                (Some(Entry { word, ..Entry::default() }), ())
            });
            table.unmark(subject);
        }
        Ok(action(ActionKind::Lifted, suspension.subject, None))
    }
}

fn action(kind: ActionKind, subject: SubjectKind, until_ms: Option<Millis>) -> Action {
    Action { kind, ladder: None, subject, rung: None, until_ms, level: None, monitor: false }
}

impl Suspension {
    fn named(&self, hasher: &KeyHasher) -> Result<Subject, SuspensionError> {
        if self.subject.is_peer() {
            return self.at_address(hasher);
        }
        let kind = match (self.subject, self.kind) {
            (SubjectKind::Session, kind) if self.issuer.is_some() => kind.unwrap_or(IdentityKind::Jwt),
            (SubjectKind::Session, _) => return Err(SuspensionError::NoIssuer),
            (subject, kind) => kind.ok_or(SuspensionError::NoKind(subject))?,
        };
        match (kind, self.issuer.is_some()) {
            (IdentityKind::Jwt | IdentityKind::JwtSvid, false) => return Err(SuspensionError::NoIssuer),
            (IdentityKind::Jwt | IdentityKind::JwtSvid | IdentityKind::Asserted, _) | (_, false) => {}
            (kind, true) => return Err(SuspensionError::OfNoIssuer(kind)),
        }
        let key = of_id(hasher, self.subject, kind, self.issuer.as_deref(), &self.id);
        Ok(Subject { key, neighbours: key, guard: Guard::None })
    }

    fn at_address(&self, hasher: &KeyHasher) -> Result<Subject, SuspensionError> {
        if self.kind.is_some() || self.issuer.is_some() {
            return Err(SuspensionError::OfAddress);
        }
        let peer: IpAddr = match (self.subject, self.id.split_once('/')) {
            (SubjectKind::PeerPrefix, Some((network, bits))) => {
                let network = network.parse().map_err(|_| SuspensionError::NoNetwork)?;
                let known = if matches!(network, IpAddr::V4(_)) { PREFIX.0 } else { PREFIX.1 };
                let same = bits.parse() == Ok(known);
                same.then_some(network).ok_or(SuspensionError::NoNetwork)?
            }
            (SubjectKind::PeerPrefix, None) => self.id.parse().map_err(|_| SuspensionError::NoNetwork)?,
            _ => self.id.parse().map_err(|_| SuspensionError::NoAddress)?,
        };
        let key = address(hasher, self.subject, Some(peer));
        let neighbours = address(hasher, SubjectKind::PeerPrefix, Some(peer));
        Ok(Subject { key, neighbours, guard: Guard::None })
    }
}
