//! Who asks for what: the row that a request is counted in, and its name.

use super::super::behaviour::Facts;
use super::super::request::{Target, is_variable};
use super::Rates;
use crate::base::keyed::{Keyed, join};
use crate::base::percent;
use crate::model::{ClientKind, Identity, Millis, Request};

/// Bytes of a name.
pub(super) const MOST_NAME: usize = 128;
/// Keys of rows: all endpoints together, those of a configuration, and those that paths tell apart.
const ALL: u64 = 1;
const CONFIGURED: u64 = 2;
const FROM_PATHS: u64 = 3;

/// A request as far as rates go.
#[derive(Clone, Debug)]
pub(in super::super) struct Asking {
    pub(super) row: u64,
    pub(super) all: u64,
    /// The identity, else the address.
    pub(super) client: Option<u64>,
    pub(super) kind: ClientKind,
    pub(super) now: Millis,
    /// Of the row, where it is not known yet.
    pub(super) name: Option<Box<str>>,
}

impl Asking {
    /// Of a request, for an endpoint, of whoever it is.
    pub(in super::super) fn of(
        (keyed, rates): (&Keyed, &Rates),
        facts: &Facts,
        request: &Request<'_>,
        target: &Target<'_>,
        identity: Option<&Identity>,
        now: Millis,
    ) -> Self {
        let kind = if identity.is_some() { ClientKind::Identity } else { ClientKind::Address };
        let endpoint = match target {
            // One endpoint may serve several methods, and has one limit.
            Target::Endpoint { id, .. } => join(CONFIGURED, keyed.bytes(id.as_bytes())),
            Target::Path => join(FROM_PATHS, facts.asked(Default::default()).endpoint),
        };
        let row = join(endpoint, kind as u64);
        let name = (!rates.knows(row)).then(|| endpoint_name(request, target));
        Self { row, all: join(ALL, kind as u64), client: facts.client, kind, now, name }
    }
}

/// What rates are learned under: the id of the endpoint, else method and path with `{}` for what looks like an id; 128 bytes at
/// most.
pub fn endpoint_name(request: &Request<'_>, target: &Target<'_>) -> Box<str> {
    let mut name = String::new();
    let mut add = |bytes: &[u8]| {
        // As much as fits, whatever it is.
        let some = bytes.get(..MOST_NAME).unwrap_or(bytes);
        for c in String::from_utf8_lossy(some).chars() {
            let c = if c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
            if name.len().saturating_add(c.len_utf8()) <= MOST_NAME {
                name.push(c);
            }
        }
    };
    match target {
        Target::Endpoint { id, .. } => add(id.as_bytes()),
        Target::Path => {
            let raw = request.path.bytes();
            let decoded = percent::decode(raw).unwrap_or(raw.into());
            add(request.method.bytes());
            add(b" ");
            for segment in decoded.split(|byte| *byte == b'/').skip(1) {
                add(b"/");
                add(if is_variable(segment) { b"{}" } else { segment });
            }
        }
    }
    name.into()
}
