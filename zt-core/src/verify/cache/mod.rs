//! Verified tokens, remembered.
//!
//! Only what was verified gets in, and all that may change is checked at each use (`verify/token.rs`): this is a table and
//! no more. It is searched by a keyed hash of the token's end — a signature, so as good as random — and its length;
//! then the whole token is compared. An attacker who makes tokens with the same end can make the search miss, and
//! nothing else. There is no list of refused tokens: each would be the attacker's to fill.

mod config;
mod table;
#[cfg(test)]
mod tests;

use std::hint::black_box;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sha2::{Digest as _, Sha256};

pub use self::config::{CacheConfig, TokenAtRest};
use self::table::Table;
use super::token::{Proven, Terms};
use crate::base::bounded::{KeyHasher, Usage};
use crate::model::{Identity, Millis};

/// Bytes of a token's end that are hashed.
const END_BYTES: usize = 64;
const MOST_SHARDS: usize = 64;
/// A shard has room for more than one of the longest tokens.
const LEAST_SHARD_BYTES: usize = 256 << 10;

/// The cache. Without shards it is off.
pub(super) struct Cache {
    shards: Box<[Shard]>,
    hasher: KeyHasher,
    at_rest: TokenAtRest,
}

/// A cache line pair of its own, so that neighbours' locks do not slow each other.
#[derive(Debug)]
#[repr(align(128))]
struct Shard(Mutex<Table<Proven, Terms>>);

/// A token, ready to be looked up.
#[derive(Debug)]
pub(super) struct Sought<'t> {
    token: &'t [u8],
    digest: Option<[u8; 32]>,
    hash: u64,
    shard: usize,
}

impl std::fmt::Debug for Cache {
    /// Neither tokens, nor whom they speak for, nor the seed.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cache").field("shards", &self.shards.len()).finish_non_exhaustive()
    }
}

impl Cache {
    /// A cache of at most so many bytes.
    pub(super) fn new(config: &CacheConfig, memory: usize, hasher: KeyHasher) -> Self {
        let shards = match memory {
            0 => 0,
            // A power of two, so that a mask chooses the shard.
            _ => 1 << (memory / LEAST_SHARD_BYTES).clamp(1, MOST_SHARDS).ilog2(),
        };
        let places = config.places(memory).div_ceil(shards.max(1)).next_multiple_of(8);
        let table = places.saturating_mul(Table::<Proven, Terms>::bytes_of_place());
        let bytes = (memory / shards.max(1)).saturating_sub(table);
        let shard = |_| Shard(Mutex::new(Table::new(places, bytes)));
        Self { shards: (0..shards).map(shard).collect(), hasher, at_rest: config.token_at_rest }
    }

    /// Where a token would be.
    pub(super) fn seek<'t>(&self, token: &'t [u8]) -> Option<Sought<'t>> {
        let most = self.shards.len().checked_sub(1)?;
        let end = token.len().saturating_sub(END_BYTES);
        let key = self.hasher.clone().number(token.len() as u64).part(token.get(end..)?).key().to_u128();
        let digest = (self.at_rest == TokenAtRest::Digest).then(|| Sha256::digest(token).into());
        Some(Sought { token, digest, hash: (key >> 64) as u64, shard: key as usize & most })
    }

    /// What `f` makes of what was proven; where it makes nothing of it, that is forgotten.
    ///
    /// `f` runs under a lock.
    pub(super) fn find<T>(&self, sought: &Sought<'_>, f: impl FnOnce(&Proven, &mut Terms) -> Option<T>) -> Option<T> {
        let mut table = self.shards.get(sought.shard)?.lock();
        let (proven, terms) = table.find(sought.hash, |proven| is(proven, sought))?;
        let made = f(proven, terms);
        if made.is_none() {
            table.remove(sought.hash, |proven| is(proven, sought));
        }
        made
    }

    /// Remembers what was proven.
    pub(super) fn keep(&self, sought: &Sought<'_>, proven: Proven, terms: Terms, now: Millis) {
        let Some(shard) = self.shards.get(sought.shard) else { return };
        let mut table = shard.lock();
        // Another thread may have been quicker.
        table.remove(sought.hash, |proven| is(proven, sought));
        table.insert(sought.hash, proven, terms, now);
    }

    /// Forgets what is not to be kept.
    pub(super) fn retain(&self, mut keep: impl FnMut(&Terms) -> bool) {
        for shard in &self.shards {
            shard.lock().retain(|entry| keep(entry));
        }
    }

    /// Tokens remembered.
    pub(super) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().len()).sum()
    }

    /// How full it is.
    pub(super) fn usage(&self) -> Usage {
        self.shards.iter().map(|shard| shard.lock().usage()).fold(Usage::default(), Usage::and)
    }
}

impl Shard {
    /// A panic leaves nothing half-done that matters: a token is there whole or not at all.
    fn lock(&self) -> MutexGuard<'_, Table<Proven, Terms>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sought<'_> {
    /// What of the token is kept, before its claims.
    pub(super) fn at_rest(&self) -> &[u8] {
        self.digest.as_ref().map_or(self.token, |digest| digest)
    }
}

/// An early exit tells nothing: who does not know the seed cannot choose what is compared with what, and who has the end
/// of the token right has its signature.
fn is(proven: &Proven, sought: &Sought<'_>) -> bool {
    // Most likely it is the one, and its identity is handed out. That takes an instruction that waits for all before it, so
    // that its memory is asked for now, to come while the tokens are compared.
    black_box(Arc::strong_count(&proven.identity));
    proven.claims.before() == sought.at_rest()
}

impl table::Key for Proven {
    fn bytes(&self) -> usize {
        // The count of each allocation's references, and what the allocator takes for itself.
        const ALLOCATION: usize = 16;
        let Identity { principal, credential_id, session, actors, roles, scopes, assurance, kind: _, issuer: _ } =
            &*self.identity;
        let texts = [Some(principal), credential_id.as_ref(), session.as_ref(), assurance.acr.as_ref()];
        let texts = texts.into_iter().flatten().map(|text| text.len());
        let names = [actors, roles, scopes].into_iter().flat_map(|names: &Arc<[Box<str>]>| {
            names.iter().map(|name| name.len().saturating_add(size_of::<Box<str>>()))
        });
        let parts = [size_of::<Identity>(), self.claims.bytes()];
        parts.into_iter().chain(texts).chain(names).map(|bytes| bytes.saturating_add(ALLOCATION)).sum()
    }
}

impl table::Value for Terms {
    fn is_over(&self, now: Millis) -> bool {
        self.times.exp <= now
    }
}
