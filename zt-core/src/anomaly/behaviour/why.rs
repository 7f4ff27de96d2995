//! What is unusual about what somebody does, for people: how much there is lately, and what is new; never a value.

use super::facts::{ATTRIBUTES, Facts};
use super::meter::Meter;
use super::signal::Signal;
use super::{ALL, Behaviour};
use crate::base::fixed::{FRACTION, ONE};

/// In the order of a request's attributes.
const NAMES: [&str; ATTRIBUTES] =
    ["TLS fingerprint", "family of the user agent", "network", "country", "language", "kind of network"];

impl Behaviour {
    /// Why a request is unusual by a signal.
    pub(in super::super) fn why(&self, facts: &Facts, signal: Signal) -> String {
        let Facts { now, endpoint, device, .. } = *facts;
        let client = facts.client.unwrap_or(facts.seat);
        let collection = facts.object.map_or(ALL, |(_, collection)| collection);
        let sum = |meter, owner, group| self.meters.sum(meter, owner, group, now).saturating_add(ONE / 2) >> FRACTION;
        match signal {
            Signal::Volume => {
                let (hour, day) = (sum(Meter::HourlyUse, client, endpoint), sum(Meter::DailyUse, client, endpoint));
                format!("about {hour} requests of this client to the endpoint within an hour, {day} within a day")
            }
            Signal::Objects => {
                format!("about {} objects of one collection within a day", sum(Meter::Objects, client, collection))
            }
            Signal::Errors => {
                let errors = sum(Meter::Errors, client, collection);
                format!("about {errors} objects that were refused or not there within a day")
            }
            Signal::Failures => {
                format!(
                    "about {} failures from this kind of device within an hour",
                    sum(Meter::Failures, device, endpoint)
                )
            }
            Signal::Spread => {
                let (clients, identities) = (sum(Meter::Clients, endpoint, ALL), sum(Meter::Identities, device, ALL));
                format!(
                    "about {clients} clients new to the endpoint within minutes, {identities} identities new to the kind of device within an hour"
                )
            }
            Signal::Exfiltration => {
                format!("about {} KiB of responses to this client within a day", sum(Meter::Bytes, client, ALL) / 16)
            }
            Signal::Sequence => "a step without the one that nearly all take before it".to_owned(),
            Signal::Flow => "steps that seldom follow each other".to_owned(),
            Signal::Session => match self.new_places(facts).as_slice() {
                [] => "a session from elsewhere, or that does what its identity seldom does".to_owned(),
                new => format!("a session whose identity is new to its {}", new.join(", ")),
            },
            Signal::Surge => "all clients together".to_owned(),
        }
    }

    /// What of where a request is from is new to its identity.
    fn new_places(&self, facts: &Facts) -> Vec<&'static str> {
        let Some(known) = facts.identity.and_then(|identity| self.sessions.known(identity)) else { return Vec::new() };
        let each = NAMES.iter().zip(known).zip(facts.attributes);
        each.filter(|((_, known), value)| value.is_some_and(|value| !known.is_empty() && !known.holds(value)))
            .map(|((name, _), _)| *name)
            .collect()
    }
}
