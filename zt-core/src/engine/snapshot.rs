//! The state as bytes: versioned, checksummed, little-endian.
//!
//! ```text
//! an envelope of kind 0 for a whole state, 1 for a delta, and in it
//! for limit, verify, respond and anomaly each: length u64, section
//! ```

use std::sync::atomic::Ordering;

use sha2::{Digest as _, Sha256};

use super::State;
use crate::anomaly::Baseline;
use crate::base::bytes::Reader;
use crate::base::envelope::{Broken, Envelope};
use crate::limit;

const VERSION: u16 = 6;
const ENVELOPE: Envelope = Envelope { magic: b"ZTST", version: VERSION };
const WHOLE: u8 = 0;
const DELTA: u8 = 1;

/// Why bytes are not a state. The state they were to replace or join is untouched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// Not a snapshot of zt.
    #[error("not a zt snapshot")]
    Foreign,
    /// Written by a newer version.
    #[error("snapshot version {0} is newer than {VERSION}, the newest known here")]
    Newer(u16),
    /// Written by a version from before the first release.
    #[error("snapshot version {0} is older than {VERSION}, the oldest known here")]
    Older(u16),
    /// Shorter or longer than it says.
    #[error("the snapshot is cut: {found} bytes of {expected}")]
    Cut {
        /// Bytes it should have.
        expected: u64,
        /// Bytes it has.
        found: usize,
    },
    /// The checksum does not match.
    #[error("the snapshot is corrupt: its checksum does not match")]
    Corrupt,
    /// It is part of a state, and was to replace a whole one.
    #[error("a delta is part of a state: merge it")]
    Delta,
    /// The content is not what the checksum promises.
    #[error("the snapshot's limits cannot be read: {0}")]
    Limits(#[from] limit::SnapshotError),
    /// The content is not what the checksum promises.
    #[error("the snapshot's revocations cannot be read: {0}")]
    Verify(&'static str),
    /// The content is not what the checksum promises.
    #[error("the snapshot's strikes and suspensions cannot be read: {0}")]
    Respond(&'static str),
    /// What was learned is not what the checksum promises, or was learned under another seed.
    #[error("what the snapshot learned of traffic cannot be read: {0}")]
    Anomaly(String),
}

/// What has changed in a state, for [`State::merge`] of others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delta {
    /// The changes.
    pub bytes: Vec<u8>,
    /// Where the next begins: ask for the changes since then.
    pub epoch: u64,
}

impl State {
    /// The state as bytes; the same state gives the same bytes.
    pub fn snapshot(&self) -> Vec<u8> {
        self.write(WHOLE, 0)
    }

    /// What has changed since an epoch that an earlier delta of this state gave: small enough to tell all other nodes each
    /// second. Whoever begins, or has lost track, asks since 0; an epoch from before the last restore means 0 too, and
    /// one that was never given. After a restart begin anew, restored or not.
    ///
    /// Along with each changed entry come up to four neighbours; what is the same changes nothing where it is merged. Removed
    /// entries are not told; nor is what is normal: that travels in whole snapshots.
    ///
    /// ```
    /// use zt_core::{Config, Engine, State};
    ///
    /// let engine = Engine::new(&Config::default())?;
    /// let (here, there) = (State::new(&engine), State::new(&engine));
    /// let mut told = 0;
    /// for _second in 0..3 {
    ///     let delta = here.delta_since(told);
    ///     if there.merge(&delta.bytes).is_ok() {
    ///         told = delta.epoch;
    ///     }
    /// }
    /// # Ok::<(), zt_core::engine::Invalid>(())
    /// ```
    pub fn delta_since(&self, epoch: u64) -> Delta {
        let step = |epoch: u32| Some(epoch.saturating_add(1));
        let now = self.epoch.fetch_update(Ordering::AcqRel, Ordering::Acquire, step).unwrap_or_default();
        let next = now.saturating_add(1);
        // First the new epoch, then the look: what changes while this looks is told now, next time, or twice.
        self.limit.advance(next);
        self.verify.advance(next);
        self.respond.advance(next);
        let life = u64::from(self.life.load(Ordering::Acquire)) << 32;
        let since = epoch.checked_sub(life).and_then(|epoch| u32::try_from(epoch).ok());
        let since = since.filter(|epoch| *epoch <= now).unwrap_or(0);
        Delta { bytes: self.write(DELTA, since), epoch: life | u64::from(next) }
    }

    /// Replaces everything with what a snapshot holds.
    ///
    /// # Errors
    /// [`SnapshotError`]; the state is untouched then.
    pub fn restore(&self, bytes: &[u8]) -> Result<(), SnapshotError> {
        let (kind, body) = open(bytes)?;
        if kind == DELTA {
            return Err(SnapshotError::Delta);
        }
        let [limit, verify, respond, anomaly] = sections(body)?;
        let verify = self.verify.read(verify).map_err(SnapshotError::Verify)?;
        let respond = self.respond.read(respond).map_err(SnapshotError::Respond)?;
        let learned = self.learned(anomaly)?;
        self.limit.restore(limit)?;
        self.verify.restore(verify);
        self.respond.restore(respond);
        self.anomaly.iter().zip(learned).for_each(|(detector, learned)| detector.restore(learned));
        // 20 bits that are likely others than before: a number of 52 bits is exact in every language.
        let digest = Sha256::digest(bytes);
        let life = digest.iter().take(3).fold(0_u32, |life, byte| life << 8 | u32::from(*byte)) & 0xf_ffff;
        self.life.store(life.max(1), Ordering::Release);
        Ok(())
    }

    /// Joins what a snapshot or a delta holds with what is here; the order of merges never matters, and a second time
    /// changes nothing. Of what is normal counts are added: two states that go on from one count what that had learned twice.
    ///
    /// # Errors
    /// [`SnapshotError`]; the state is untouched then.
    pub fn merge(&self, bytes: &[u8]) -> Result<(), SnapshotError> {
        let (_, body) = open(bytes)?;
        let [limit, verify, respond, anomaly] = sections(body)?;
        let verify = self.verify.read(verify).map_err(SnapshotError::Verify)?;
        let respond = self.respond.read(respond).map_err(SnapshotError::Respond)?;
        let learned = self.learned(anomaly)?;
        self.limit.merge(limit)?;
        self.verify.merge(verify);
        self.respond.merge(respond);
        self.anomaly.iter().zip(learned).for_each(|(detector, learned)| detector.merge(&learned));
        Ok(())
    }

    /// What is normal, where the section says and where it is asked for here.
    fn learned(&self, section: &[u8]) -> Result<Option<Baseline>, SnapshotError> {
        let Some(detector) = self.anomaly.as_ref().filter(|_| !section.is_empty()) else { return Ok(None) };
        let learned = Baseline::read(section).map_err(|error| SnapshotError::Anomaly(error.to_string()))?;
        let foreign = || SnapshotError::Anomaly("it was learned under another seed".to_owned());
        detector.fits(&learned).then_some(Some(learned)).ok_or_else(foreign)
    }

    fn write(&self, kind: u8, since: u32) -> Vec<u8> {
        let mut body = Vec::new();
        let mut section = Vec::new();
        self.limit.write_since(since, &mut section);
        add(&section, &mut body);
        section.clear();
        self.verify.write_since(since, &mut section);
        add(&section, &mut body);
        section.clear();
        self.respond.write_since(since, &mut section);
        add(&section, &mut body);
        let whole = self.anomaly.as_ref().filter(|_| kind == WHOLE);
        add(&whole.map(|detector| detector.baseline().write()).unwrap_or_default(), &mut body);
        ENVELOPE.seal(kind, &body)
    }
}

impl From<Broken> for SnapshotError {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Foreign => Self::Foreign,
            Broken::Version(version) if version > VERSION => Self::Newer(version),
            Broken::Version(version) => Self::Older(version),
            Broken::Cut { expected, found } => Self::Cut { expected, found },
            Broken::Corrupt => Self::Corrupt,
        }
    }
}

fn add(section: &[u8], body: &mut Vec<u8>) {
    body.extend_from_slice(&(section.len() as u64).to_le_bytes());
    body.extend_from_slice(section);
}

/// The sections of a body.
fn sections(body: &[u8]) -> Result<[&[u8]; 4], SnapshotError> {
    let mut reader = Reader::new(body);
    let sections = [reader.counted(), reader.counted(), reader.counted(), reader.counted()];
    match sections {
        [Some(limit), Some(verify), Some(respond), Some(anomaly)] if reader.left() == 0 => {
            Ok([limit, verify, respond, anomaly])
        }
        _ => Err(SnapshotError::Corrupt),
    }
}

/// Kind and body inside a valid envelope.
fn open(bytes: &[u8]) -> Result<(u8, &[u8]), SnapshotError> {
    let (kind, body) = ENVELOPE.open(bytes)?;
    if matches!(kind, WHOLE | DELTA) { Ok((kind, body)) } else { Err(SnapshotError::Corrupt) }
}
