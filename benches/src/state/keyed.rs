//! The same limit of zt and of governor: by peer, whose key is its address, and by identity, whose key is a name.

use std::hint::black_box;
use std::marker::PhantomData;
use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU32;

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use zt_benches::fixture::NOW;
use zt_core::base::units::Size;
use zt_core::limit::{Config, Limiter, Phase, State, Subject};
use zt_core::model::{Identity, IdentityKind};

/// Of the limit.
const NAME: &str = "per-caller";
/// As wide as it may be: what is measured is what a request costs that passes.
pub(super) const RATE: u32 = 100_000_000;
/// Of the table, for 1,000,000 keys.
pub(super) const BYTES: usize = 39_500_000;

/// Who may come, and how a limit knows them.
pub(super) trait Callers: Sync {
    /// What the limit of zt counts apart.
    const KEY: &'static str;
    const PHASE: Phase;
    /// What governor knows them by.
    type Key: Clone + Eq + std::hash::Hash + Sync + Send;
    /// What zt is told of them.
    type Facts: Sync + Send;

    fn key(number: usize) -> Self::Key;
    fn facts(number: usize) -> Self::Facts;
    /// Of a request whose other facts are the same as those of the last.
    fn tell<'f>(subject: &mut Subject<'f>, facts: &'f Self::Facts);
}

pub(super) struct Peers;

impl Callers for Peers {
    const KEY: &'static str = "peer";
    const PHASE: Phase = Phase::Peer;
    type Key = IpAddr;
    type Facts = IpAddr;

    /// Scattered, as addresses are.
    fn key(number: usize) -> IpAddr {
        Ipv4Addr::from((number as u32).wrapping_mul(0x9e37_79b1)).into()
    }

    fn facts(number: usize) -> IpAddr {
        Self::key(number)
    }

    fn tell<'f>(subject: &mut Subject<'f>, peer: &'f IpAddr) {
        subject.peer = Some(*peer);
    }
}

pub(super) struct Names;

impl Callers for Names {
    const KEY: &'static str = "identity";
    const PHASE: Phase = Phase::Identity;
    type Key = String;
    type Facts = Identity;

    fn key(number: usize) -> String {
        format!("user-{number:06}")
    }

    fn facts(number: usize) -> Identity {
        Identity::new(IdentityKind::ApiKey, Self::key(number))
    }

    fn tell<'f>(subject: &mut Subject<'f>, identity: &'f Identity) {
        subject.identity = Some(identity);
    }
}

pub(super) struct Zt<C> {
    limiter: Limiter,
    state: State,
    callers: PhantomData<C>,
}

impl<C: Callers> Zt<C> {
    /// So many live keys.
    #[allow(clippy::panic, reason = "a benchmark without its subject is nothing")]
    pub(super) fn new(live: usize) -> Self {
        let config = format!(r#"[{{"name": "{NAME}", "key": ["{}"], "rate": "{RATE}/1s"}}]"#, C::KEY);
        let config: Vec<Config> = serde_json::from_str(&config).unwrap_or_else(|error| panic!("{error}"));
        let limiter =
            Limiter::compile(&config, Size::from_bytes(BYTES as u64)).unwrap_or_else(|problems| panic!("{problems:?}"));
        let state = State::new(&limiter, 7);
        let zt = Self { limiter, state, callers: PhantomData };
        (0..live).for_each(|number| assert!(zt.check_all(&[C::facts(number)])));
        zt
    }

    /// Whether one more request of each of these callers passes.
    pub(super) fn check_all(&self, facts: &[C::Facts]) -> bool {
        let mut subject = Subject::default();
        facts.iter().fold(true, |well, facts| {
            C::tell(&mut subject, facts);
            well & !self.limiter.check(&self.state, C::PHASE, black_box(&subject), NOW).refuses()
        })
    }

    /// Bytes, all told, for each key that the limit's own table knows; and how many it knows at once.
    pub(super) fn bytes_per_key(&self) -> (f64, usize) {
        let own = self.state.usage().find(|(label, _)| *label == NAME);
        let known = own.map_or(0, |(_, usage)| usage.entries);
        (self.state.memory() as f64 / known as f64, known)
    }
}

/// With the store and the clock that it has by default.
pub(super) struct Governor<C: Callers>(DefaultKeyedRateLimiter<C::Key>);

impl<C: Callers> Governor<C> {
    pub(super) fn new(live: usize) -> Self {
        let rate = NonZeroU32::new(RATE).unwrap_or(NonZeroU32::MIN);
        let governor = Self(RateLimiter::keyed(Quota::per_second(rate)));
        (0..live).for_each(|number| assert!(governor.check(&C::key(number))));
        governor
    }

    pub(super) fn check(&self, key: &C::Key) -> bool {
        self.0.check_key(black_box(key)).is_ok()
    }
}
