//! Attacks that are put into copies of recorded requests, so that detection can be tried where nobody has labelled any. They
//! are easy ones to tell from real attackers', who know the service: figures over them compare settings and find what is
//! broken, and are no promise.

mod payloads;
mod slot;

use serde::{Deserialize, Serialize};

use self::slot::{Slot, slots};
use super::random::Random;
use crate::anomaly::{Explanation, Target};
use crate::base::json::Limits;
use crate::base::leaves::{self, Leaf, Place};
use crate::model::{Event, Request};

/// What is planted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// SQL in a value.
    Sqli,
    /// Markup and scripts in a value.
    Xss,
    /// A way up the directories in a value.
    PathTraversal,
    /// Shell commands in a value.
    CommandInjection,
    /// Expressions of template languages in a value.
    TemplateInjection,
    /// Operators of document databases in a value.
    NosqlInjection,
    /// Addresses inside the network in a value.
    Ssrf,
    /// Line breaks and header lines in a value.
    CrlfInjection,
    /// A path that nothing leads to.
    ForcedBrowsing,
    /// A number that is none of the usual kind.
    ParameterTampering,
    /// A parameter under a name like its own.
    ParameterRenamed,
    /// A parameter more.
    UnknownParameter,
    /// A parameter less.
    MissingParameter,
    /// A value much longer than it was.
    OverLong,
    /// A word where a number was.
    WrongType,
}

impl Family {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::Sqli,
        Self::Xss,
        Self::PathTraversal,
        Self::CommandInjection,
        Self::TemplateInjection,
        Self::NosqlInjection,
        Self::Ssrf,
        Self::CrlfInjection,
        Self::ForcedBrowsing,
        Self::ParameterTampering,
        Self::ParameterRenamed,
        Self::UnknownParameter,
        Self::MissingParameter,
        Self::OverLong,
        Self::WrongType,
    ];

    /// The label of its events.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sqli => "sqli",
            Self::Xss => "xss",
            Self::PathTraversal => "path_traversal",
            Self::CommandInjection => "command_injection",
            Self::TemplateInjection => "template_injection",
            Self::NosqlInjection => "nosql_injection",
            Self::Ssrf => "ssrf",
            Self::CrlfInjection => "crlf_injection",
            Self::ForcedBrowsing => "forced_browsing",
            Self::ParameterTampering => "parameter_tampering",
            Self::ParameterRenamed => "parameter_renamed",
            Self::UnknownParameter => "unknown_parameter",
            Self::MissingParameter => "missing_parameter",
            Self::OverLong => "over_long",
            Self::WrongType => "wrong_type",
        }
    }
}

/// An event with an attack in it.
#[derive(Clone, Debug)]
pub struct Planted {
    /// The event, labelled with its family.
    pub event: Event,
    /// What was planted.
    pub family: Family,
    value: Option<Vec<u8>>,
    slot: Option<Slot>,
}

/// Puts an attack into a copy of an event; none where there is no place for it. The same event, family and seed give the same.
pub fn plant(event: &Event, family: Family, seed: u64) -> Option<Planted> {
    let mut random = Random::new(seed);
    let mut event = event.clone();
    let (slot, value) = changed(&mut event.request, family, &mut random)?;
    event.label = Some(family.as_str().to_owned());
    event.id = event.id.map(|id| format!("{id}-{}", family.as_str()));
    event.response = None;
    Some(Planted { event, family, value: value.map(String::into_bytes), slot })
}

fn changed(
    request: &mut Request<'static>,
    family: Family,
    random: &mut Random,
) -> Option<(Option<Slot>, Option<String>)> {
    let (values, headers) = slots(request);
    let number = |slot: &&Slot| slot.value(request).is_some_and(|value| value.parse::<f64>().is_ok());
    let named: Vec<Slot> = values.iter().filter(|slot| !matches!(slot, Slot::Segment(_))).cloned().collect();
    let numbers: Vec<Slot> = values.iter().filter(number).cloned().collect();
    let text = match family {
        Family::Sqli => payloads::one(random, payloads::SQLI),
        Family::Xss => payloads::one(random, payloads::XSS),
        Family::PathTraversal => payloads::one(random, payloads::PATH_TRAVERSAL),
        Family::CommandInjection => payloads::one(random, payloads::COMMAND_INJECTION),
        Family::TemplateInjection => payloads::one(random, payloads::TEMPLATE_INJECTION),
        Family::NosqlInjection => payloads::one(random, payloads::NOSQL_INJECTION),
        Family::Ssrf => payloads::one(random, payloads::SSRF),
        Family::CrlfInjection => payloads::one(random, payloads::CRLF_INJECTION),
        Family::ParameterTampering | Family::WrongType => {
            let of = if family == Family::WrongType { payloads::WRONG } else { payloads::TAMPERED };
            let (slot, text) = (random.pick(&numbers)?.clone(), payloads::one(random, of));
            slot.set(request, &text);
            return Some((Some(slot), Some(text)));
        }
        Family::OverLong => {
            let slot = random.pick(&values)?.clone();
            let own = slot.value(request).filter(|own| !own.is_empty()).unwrap_or_else(|| payloads::word(random));
            let times = random.below(2_000).saturating_add(500) / own.len().max(1);
            let text = own.repeat(times.max(2));
            slot.set(request, &text);
            return Some((Some(slot), Some(text)));
        }
        Family::ForcedBrowsing => {
            request.path = payloads::one(random, payloads::BROWSED).into();
            return Some((None, None));
        }
        Family::UnknownParameter => {
            let (name, value) = random.pick(payloads::UNKNOWN)?;
            let (name, value) = (payloads::filled(random, name), payloads::filled(random, value));
            slot::add(request, &name, &value);
            return Some((None, Some(value)));
        }
        Family::ParameterRenamed => {
            let slot = random.pick(&named)?;
            let letter = payloads::word(random).to_uppercase();
            let letter = letter.get(..1).unwrap_or("X");
            let value = slot.value(request);
            return slot.rename(request, |name| format!("{name}{letter}")).then_some((None, value));
        }
        Family::MissingParameter => {
            let slot = random.pick(&named).filter(|_| named.len() > 1)?;
            return slot.remove(request).then_some((None, None));
        }
    };
    // Mostly in a parameter, and sometimes in a header line.
    let of = if values.is_empty() || random.below(8) == 0 && !headers.is_empty() { &headers } else { &values };
    let slot = random.pick(of)?.clone();
    let own = slot.value(request).filter(|_| random.below(2) == 0).unwrap_or_default();
    // What is still encoded is not encoded again.
    let text = if own.contains('%') { text } else { own + &text };
    slot.set(request, &text);
    Some((Some(slot), Some(text)))
}

impl Planted {
    /// Whether an explanation of the event names the place: the value that was planted, where it stands; of a change to what
    /// the request is made of, the request or the parameter.
    pub fn is_named_by(&self, explanation: &Explanation, target: &Target<'_>) -> bool {
        let place = &explanation.place;
        let path = || place == "path" || place.starts_with(Place::Path.as_str());
        match (&self.slot, &self.value) {
            (Some(Slot::Segment(_)), _) => path(),
            (None, None) if self.family == Family::ForcedBrowsing => place == "request" || path(),
            (None, _) if place == "request" => true,
            (_, Some(value)) => self.places(value, target).contains(place),
            (_, None) => false,
        }
    }

    /// Where this value stands.
    fn places(&self, value: &[u8], target: &Target<'_>) -> Vec<String> {
        let mut places = Vec::new();
        let mut visit = |leaf: Leaf<'_>| {
            if leaf.value == value {
                places.push(Explanation::place_of(&leaf));
            }
        };
        let request = &self.event.request;
        if let Target::Endpoint { variables, .. } = target {
            for (name, value) in *variables {
                visit(Leaf { place: Place::Path, name: name.as_bytes(), value: value.as_bytes() });
            }
        }
        if let Some(query) = &request.query {
            leaves::form(Place::Query, query.bytes(), &mut visit);
        }
        if let Some(body) = &request.body {
            leaves::body(request.header("content-type").next(), body.bytes(), &Limits::default(), &mut visit);
        }
        for (name, line) in &request.headers {
            visit(Leaf { place: Place::Header, name: &name.bytes().to_ascii_lowercase(), value: line.bytes() });
        }
        places
    }
}

#[cfg(test)]
mod tests;
