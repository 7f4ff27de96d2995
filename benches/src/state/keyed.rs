//! The same limit of zt and of governor, by peer.

use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU32;

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use zt_benches::fixture::NOW;
use zt_core::base::units::Size;
use zt_core::limit::{Config, Limiter, Phase, State, Subject};

/// As wide as it may be: what is measured is what a request costs that passes.
const RATE: u32 = 100_000_000;
/// Of the table, for 1,000,000 keys.
pub(super) const BYTES: usize = 40_000_000;

pub(crate) trait Keyed: Sync {
    /// Whether one more request of this key passes.
    fn check(&self, key: usize) -> bool;
}

/// Scattered, as addresses are.
fn peer(key: usize) -> IpAddr {
    Ipv4Addr::from((key as u32).wrapping_mul(0x9e37_79b1)).into()
}

pub(crate) struct Zt {
    limiter: Limiter,
    state: State,
}

impl Zt {
    /// So many live keys.
    #[allow(clippy::panic, reason = "a benchmark without its subject is nothing")]
    pub(crate) fn new(live: usize) -> Self {
        let config = format!(r#"[{{"name": "per-peer", "key": ["peer"], "rate": "{RATE}/1s"}}]"#);
        let config: Vec<Config> = serde_json::from_str(&config).unwrap_or_else(|error| panic!("{error}"));
        let limiter =
            Limiter::compile(&config, Size::from_bytes(BYTES as u64)).unwrap_or_else(|problems| panic!("{problems:?}"));
        let state = State::new(&limiter, 7);
        let zt = Self { limiter, state };
        (0..live).for_each(|key| assert!(zt.check(key)));
        zt
    }

    /// Bytes for each key, and how many keys are known at once.
    pub(crate) fn bytes_per_key(&self) -> (f64, usize) {
        let known = self.state.len();
        (self.state.memory() as f64 / known as f64, known)
    }
}

impl Keyed for Zt {
    fn check(&self, key: usize) -> bool {
        let subject = Subject { peer: Some(peer(key)), ..Subject::default() };
        !self.limiter.check(&self.state, Phase::Peer, &subject, NOW).refuses()
    }
}

/// With the store and the clock that it has by default.
pub(crate) struct Governor(DefaultKeyedRateLimiter<IpAddr>);

impl Governor {
    pub(crate) fn new(live: usize) -> Self {
        let rate = NonZeroU32::new(RATE).unwrap_or(NonZeroU32::MIN);
        let governor = Self(RateLimiter::keyed(Quota::per_second(rate)));
        (0..live).for_each(|key| assert!(governor.check(key)));
        governor
    }
}

impl Keyed for Governor {
    fn check(&self, key: usize) -> bool {
        self.0.check_key(&peer(key)).is_ok()
    }
}
