//! How many that are new there are at once: clients of an endpoint or with a user agent, identities of a device.

use super::facts::Facts;
use super::meter::Meter;
use super::signal::Signal;
use super::{ALL, Behaviour, Looked};
use crate::base::fixed::ONE;
use crate::base::keyed::join;

impl Behaviour {
    /// A client that is new to an endpoint: how many more there are than the endpoint's usual part of all new ones, and than
    /// the user agent has elsewhere. So neither a promotion nor a new browser is unusual.
    pub(super) fn clients(&mut self, facts: &Facts, at_home: bool, looked: &mut Looked) {
        let Facts { now, endpoint, agent, .. } = *facts;
        let pair = join(endpoint, agent);
        for owner in [ALL, endpoint, agent, pair] {
            self.meters.count(Meter::Clients, owner, ALL, 1, now);
        }
        for owner in [ALL, endpoint] {
            self.meters.count(Meter::DailyClients, owner, ALL, 1, now);
        }
        let sum = |meter, owner| u64::from(self.meters.sum(meter, owner, ALL, now));
        let all = sum(Meter::Clients, ALL);
        let of_endpoint = part(all, sum(Meter::DailyClients, endpoint), sum(Meter::DailyClients, ALL));
        let of_agent = part(sum(Meter::Clients, endpoint), sum(Meter::Clients, agent), all);
        self.spread(Meter::Clients, [endpoint, endpoint], of_endpoint, at_home, facts, looked);
        self.spread(Meter::Clients, [pair, ALL], of_agent, at_home, facts, looked);
    }

    /// An identity that is new to a device in its network: how many more there are than its usual part of all.
    pub(super) fn shared(&mut self, facts: &Facts, at_home: bool, looked: &mut Looked) {
        for owner in [ALL, facts.device] {
            self.meters.count(Meter::Identities, owner, ALL, 1, facts.now);
            self.meters.count(Meter::DailyIdentities, owner, ALL, 1, facts.now);
        }
        let sum = |meter, owner| u64::from(self.meters.sum(meter, owner, ALL, facts.now));
        let of_device = part(
            sum(Meter::Identities, ALL),
            sum(Meter::DailyIdentities, facts.device),
            sum(Meter::DailyIdentities, ALL),
        );
        self.spread(Meter::Identities, [facts.device, ALL], of_device, at_home, facts, looked);
    }

    /// How many more there are of an owner and its likes than is expected. Who is at home is none of a crowd.
    fn spread(&mut self, meter: Meter, of: [u64; 2], expected: u32, at_home: bool, facts: &Facts, looked: &mut Looked) {
        let [owner, likes] = of;
        let (level, raw) = self.meters.look_beside(meter, owner, ALL, likes, expected, facts.now);
        looked.see(Signal::Spread, if at_home { 0 } else { raw });
        looked.levels.push(level);
    }
}

/// A part of a whole that is as large as a part of another one, 8 bits behind the point, and one more.
fn part(whole: u64, part: u64, of: u64) -> u32 {
    let expected = whole.saturating_mul(part) / of.max(1);
    u32::try_from(expected).unwrap_or(u32::MAX).saturating_add(ONE)
}
