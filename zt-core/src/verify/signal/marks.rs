//! What signals ask of subjects beside revocations: a fresh authentication, and that an account is disabled.

use crate::base::bounded::{Key, Usage};
use crate::base::bytes::Reader;
use crate::model::{Code, Finding, Millis};
use crate::verify::Refusal;
use crate::verify::revocation::{self, Ids, Mark, Revocations};

/// Three tables like that of revocations, with its bound: nothing asked for is forgotten there, and some subjects that
/// nobody spoke of are asked too. An account that was enabled again is only so while its entry has a place of its own.
///
/// Each mark holds a moment. The latest counts, whatever order they come in, so that merging commutes: an account is
/// disabled unless it was enabled later.
#[derive(Clone, Debug)]
pub(in crate::verify) struct Signalled {
    /// Since when an authentication counts.
    fresh: Revocations,
    disabled: Revocations,
    enabled: Revocations,
}

/// What a snapshot holds, read and sound.
#[derive(Debug)]
pub(in crate::verify) struct Snapshot {
    fresh: revocation::Snapshot,
    disabled: revocation::Snapshot,
    enabled: revocation::Snapshot,
}

/// A demand for a fresh authentication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::verify) struct Fresh {
    since: Millis,
    until: Millis,
}

impl Fresh {
    /// What is asked of the end user, and how old the authentication may be, in seconds (RFC 9470).
    pub(in crate::verify) fn asked(self, auth_time: Option<Millis>, now: Millis) -> Option<(Finding, u64)> {
        if now >= self.until || auth_time.is_some_and(|at| at >= self.since) {
            return None;
        }
        let finding = Finding::new(Code::VerifyReauthenticate, "a security event asks for a fresh authentication");
        Some((finding, u64::try_from(now.saturating_sub(self.since).div_euclid(1_000)).unwrap_or_default()))
    }
}

impl Signalled {
    pub(in crate::verify) fn with_memory(bytes: usize) -> Self {
        let quarter = bytes / 4;
        Self {
            fresh: Revocations::with_memory(bytes / 2),
            disabled: Revocations::with_memory(quarter),
            enabled: Revocations::with_memory(quarter),
        }
    }

    pub(super) fn reauthenticate(&self, key: &Key, mark: Mark, now: Millis) {
        self.fresh.put(key, mark, now);
    }

    pub(super) fn disable(&self, key: &Key, mark: Mark, now: Millis) {
        self.disabled.put(key, mark, now);
    }

    pub(super) fn enable(&self, key: &Key, mark: Mark, now: Millis) {
        self.enabled.put(key, mark, now);
    }

    /// Moves with each mark.
    pub(in crate::verify) fn generation(&self) -> u64 {
        self.all().iter().fold(0, |sum, table| sum.wrapping_add(table.generation()))
    }

    /// Refuses whose account is disabled.
    pub(in crate::verify) fn check(&self, ids: &Ids, now: Millis) -> Result<(), Refusal> {
        let Some(key) = ids.subject().filter(|_| self.disabled.generation() != 0) else { return Ok(()) };
        let holds = |mark: &Mark| now < mark.expires;
        let at = |mark: Mark| mark.issued_before;
        let disabled = self.disabled.marks(key).into_iter().flatten().filter(holds).map(at).max();
        let enabled = self.enabled.own(key).filter(holds).map(at);
        match disabled.is_some_and(|at| enabled.is_none_or(|enabled| enabled <= at)) {
            true => Err((Code::VerifyRevoked, "its account is disabled")),
            false => Ok(()),
        }
    }

    /// What is asked of this session or subject; of two demands the stricter, until both are over.
    pub(in crate::verify) fn fresh(&self, ids: &Ids, now: Millis) -> Option<Fresh> {
        if self.fresh.generation() == 0 {
            return None;
        }
        let keys = ids.session().into_iter().chain(ids.subject());
        let marks = keys.flat_map(|key| self.fresh.marks(key)).flatten().filter(|mark| now < mark.expires);
        let fresh = marks.map(|mark| Fresh { since: mark.issued_before, until: mark.expires });
        fresh.reduce(|a, b| Fresh { since: a.since.max(b.since), until: a.until.max(b.until) })
    }

    /// How full the tables are together.
    pub(in crate::verify) fn usage(&self) -> Usage {
        self.all().iter().map(|table| table.usage()).fold(Usage::default(), Usage::and)
    }

    /// Begins this epoch: what changes from now on is stamped with it.
    pub(in crate::verify) fn advance(&self, epoch: u32) {
        self.all().iter().for_each(|table| table.advance(epoch));
    }

    /// Appends those that have changed in this epoch or later, as revocations are written.
    pub(in crate::verify) fn write_since(&self, epoch: u32, out: &mut Vec<u8>) {
        self.all().iter().for_each(|table| table.write_since(epoch, out));
    }

    pub(in crate::verify) fn read_from(&self, reader: &mut Reader<'_>) -> Option<Snapshot> {
        let fresh = self.fresh.read_from(reader)?;
        let disabled = self.disabled.read_from(reader)?;
        Some(Snapshot { fresh, disabled, enabled: self.enabled.read_from(reader)? })
    }

    pub(in crate::verify) fn replace(&self, snapshot: Snapshot) {
        self.fresh.replace(snapshot.fresh);
        self.disabled.replace(snapshot.disabled);
        self.enabled.replace(snapshot.enabled);
    }

    pub(in crate::verify) fn merge(&self, snapshot: Snapshot) {
        self.fresh.merge(snapshot.fresh);
        self.disabled.merge(snapshot.disabled);
        self.enabled.merge(snapshot.enabled);
    }

    const fn all(&self) -> [&Revocations; 3] {
        [&self.fresh, &self.disabled, &self.enabled]
    }
}
