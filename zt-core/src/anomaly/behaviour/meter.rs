//! How much of something lately, compared with how much it usually is.

use super::room::Room;
use super::signal::Signal;
use crate::base::bytes::Reader;
use crate::base::decayed::Decayed;
use crate::base::fixed::{self, ONE};
use crate::base::generations::{Generations, Kept};
use crate::base::keyed::join;
use crate::model::Millis;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
/// Sums, and groups of them, that are kept.
const COUNTERS: usize = 7 << 13;
const USUAL: usize = 7 << 9;
/// Sums before any is compared.
const FEW: u32 = 30;
/// The least variance, nats squared, 16 bits behind the point: a twentieth.
const LEAST_VARIANCE: u64 = (1 << 16) / 20;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Meter {
    /// Requests of a client to an endpoint.
    HourlyUse,
    /// The same, by day.
    DailyUse,
    /// Objects of a collection that a client has not touched before.
    Objects,
    /// Objects that were refused to a client, or not there.
    Errors,
    /// Credentials refused to a device at an endpoint.
    Failures,
    /// Clients that an endpoint did not have before, or a user agent, or both.
    Clients,
    /// The same, by day.
    DailyClients,
    /// Identities of a device that it did not have before.
    Identities,
    /// The same, by day.
    DailyIdentities,
    /// Bytes of responses to a client, in 64s.
    Bytes,
}

impl Meter {
    const fn half_life(self) -> i64 {
        match self {
            Self::Clients => 7 * MINUTE,
            Self::HourlyUse | Self::Failures | Self::Identities => 42 * MINUTE,
            Self::DailyClients
            | Self::DailyIdentities
            | Self::DailyUse
            | Self::Objects
            | Self::Errors
            | Self::Bytes => 16 * HOUR,
        }
    }

    pub(super) const fn signal(self) -> Signal {
        match self {
            Self::HourlyUse | Self::DailyUse => Signal::Volume,
            Self::Objects => Signal::Objects,
            Self::Errors => Signal::Errors,
            Self::Failures => Signal::Failures,
            Self::Clients | Self::DailyClients | Self::Identities | Self::DailyIdentities => Signal::Spread,
            Self::Bytes => Signal::Exfiltration,
        }
    }
}

/// Number, sum and sum of squares of logarithms of sums.
#[derive(Clone, Copy, Debug, Default)]
struct Usual {
    number: u32,
    sum: u64,
    squares: u64,
}

impl Usual {
    fn add(&mut self, level: u32) {
        let level = u64::from(level);
        self.number = self.number.saturating_add(1);
        self.sum = self.sum.saturating_add(level);
        self.squares = self.squares.saturating_add(level.saturating_mul(level));
    }

    /// Deviations above the mean; `None` where too few are known.
    fn deviations(&self, level: u32) -> Option<u32> {
        if self.number < FEW {
            return None;
        }
        let number = u64::from(self.number);
        let mean = self.sum / number;
        let variance = (self.squares / number).saturating_sub(mean.saturating_mul(mean)).max(LEAST_VARIANCE);
        let above = u64::from(level).saturating_sub(mean);
        u32::try_from((above << fixed::FRACTION) / variance.isqrt().max(1)).ok()
    }
}

impl Kept for Usual {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.number.to_le_bytes());
        out.extend_from_slice(&self.sum.to_le_bytes());
        out.extend_from_slice(&self.squares.to_le_bytes());
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self { number: reader.u32()?, sum: reader.u64()?, squares: reader.u64()? })
    }

    fn join(&mut self, other: &Self) {
        self.number = self.number.saturating_add(other.number);
        self.sum = self.sum.saturating_add(other.sum);
        self.squares = self.squares.saturating_add(other.squares);
    }
}

/// A sum as it was after it was added to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Level {
    usual: u64,
    level: u32,
}

/// All sums, and how high they usually are.
#[derive(Clone, Debug)]
pub(super) struct Meters {
    counters: Generations<Decayed>,
    usual: Generations<Usual>,
}

impl Meters {
    pub(super) fn new() -> Self {
        Self { counters: Generations::new(COUNTERS), usual: Generations::new(USUAL) }
    }

    /// Adds to the sum of an owner, whose likes are those of a group.
    pub(super) fn count(&mut self, meter: Meter, owner: u64, group: u64, amount: u32, now: Millis) {
        self.counters.entry(of(meter, owner, group)).add(amount, now, meter.half_life());
    }

    /// The sum of an owner, to be [learned](Self::learn), and how many deviations above its likes it is.
    pub(super) fn look(&self, meter: Meter, owner: u64, group: u64, now: Millis) -> (Level, u32) {
        self.look_beside(meter, owner, group, group, ONE, now)
    }

    /// The same beside other likes, where so much is expected of it, 8 bits behind the point.
    pub(super) fn look_beside(
        &self,
        meter: Meter,
        owner: u64,
        group: u64,
        likes: u64,
        expected: u32,
        now: Millis,
    ) -> (Level, u32) {
        let usual = join(meter as u64, likes);
        let key = of(meter, owner, group);
        let Some(sum) = self.counters.get(key) else { return (Level { usual, level: 0 }, 0) };
        let sum = sum.at(now, meter.half_life());
        // ln((1 + sum) / expected).
        let level =
            fixed::ln(u64::from(sum).saturating_add(ONE.into())).saturating_sub(fixed::ln(expected.into())) >> 8;
        let deviations = self.usual.get(usual).and_then(|usual| usual.deviations(level)).unwrap_or(0);
        (Level { usual, level }, deviations)
    }

    /// How much of something there was lately, 8 bits behind the point.
    pub(super) fn sum(&self, meter: Meter, owner: u64, group: u64, now: Millis) -> u32 {
        self.counters.get(of(meter, owner, group)).map_or(0, |sum| sum.at(now, meter.half_life()))
    }

    pub(super) fn learn(&mut self, level: Level) {
        self.usual.entry(level.usual).add(level.level);
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        self.counters.write(out);
        self.usual.write(out);
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self { counters: Generations::read(COUNTERS, reader)?, usual: Generations::read(USUAL, reader)? })
    }

    pub(super) fn join(&mut self, other: &Self) {
        self.counters.join(&other.counters);
        self.usual.join(&other.usual);
    }

    pub(super) fn resize(&mut self, room: Room) {
        self.counters.resize(room.of(COUNTERS));
        self.usual.resize(room.of(USUAL));
    }

    pub(super) fn memory(&self) -> usize {
        self.counters.memory().saturating_add(self.usual.memory())
    }
}

fn of(meter: Meter, owner: u64, group: u64) -> u64 {
    join(join(meter as u64, owner), group)
}
