//! Who, from where, on what: one request as keyed hashes. Nothing here can be read back.

use std::net::IpAddr;
use std::num::NonZeroU64;

use super::super::answers::Teaches;
use super::super::request::{Target, is_variable};
use crate::base::geo;
use crate::base::keyed::{Keyed, join};
use crate::base::percent;
use crate::model::{Header, Identity, Millis, Request};

/// What a session is recognised by, beside its address.
pub(super) const ATTRIBUTES: usize = 6;
/// Bytes of a header's name that are looked at.
const MOST_NAME: usize = 32;
/// Bytes of a user agent that tell its family.
const MOST_AGENT: usize = 256;

/// What is kept of a request until its response.
#[derive(Clone, Copy, Debug, Default)]
pub(in super::super) struct Asked {
    pub(in super::super) endpoint: u64,
    /// Whether its response does.
    pub(in super::super) teaches: Teaches,
    /// The trail of the object, and the collection it is in.
    pub(super) object: Option<(u64, u64)>,
    pub(super) client: Option<NonZeroU64>,
    pub(super) device: u64,
}

/// One request as far as behaviour goes.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Facts {
    pub(in super::super) now: Millis,
    /// Method and template.
    pub(super) endpoint: u64,
    /// What the path names, and the collection it is in.
    pub(super) object: Option<(u64, u64)>,
    /// Who it is, where that is known.
    pub(super) identity: Option<u64>,
    /// The identity, else the address.
    pub(in super::super) client: Option<u64>,
    /// The identity, else the device at its address.
    pub(super) actor: u64,
    /// The device at its address.
    pub(super) seat: u64,
    /// Fingerprint, else user agent; with the network.
    pub(super) device: u64,
    /// The user agent.
    pub(in super::super) agent: u64,
    /// Address and fingerprint.
    pub(super) place: u64,
    /// The set of header names.
    pub(super) headers: u64,
    /// Fingerprint, family of the user agent, network, country, language, kind of network.
    pub(super) attributes: [Option<u32>; ATTRIBUTES],
    pub(super) point: Option<geo::Point>,
}

impl Facts {
    pub(in super::super) fn asked(&self, teaches: Teaches) -> Asked {
        let Self { endpoint, object, client, actor, device, .. } = *self;
        let object = object.map(|(object, collection)| (join(actor, object), collection));
        Asked { endpoint, teaches, object, client: client.and_then(NonZeroU64::new), device }
    }

    /// Of a request, for an endpoint, of whoever it is.
    pub(in super::super) fn of(
        keyed: &Keyed,
        request: &Request<'_>,
        target: &Target<'_>,
        identity: Option<&Identity>,
        now: Millis,
    ) -> Self {
        let text = |text: &str| keyed.bytes(text.as_bytes());
        let peer = &request.peer;
        let (identity, address) = clients(keyed, request, identity);
        let agent = request.header("user-agent").next().unwrap_or_default();
        let fingerprint = peer.tls_fingerprint.as_deref().map(text);
        let language = request.header("accept-language").next().map(|language| keyed.bytes(language));
        let asn = peer.asn.map(u64::from);
        let attributes = [
            fingerprint,
            Some(family(keyed, agent)).filter(|_| !agent.is_empty()),
            asn,
            peer.country.as_deref().map(text),
            language,
            peer.ip_class.as_deref().map(text),
        ];
        let header = |(name, _): &Header<'_>| {
            let name = keyed.bytes(&lower(name.bytes()));
            join(name, name)
        };
        let headers = request.headers.iter().map(header).fold(0, u64::wrapping_add);
        let (endpoint, object) = endpoint(keyed, request, target);
        let agent = keyed.bytes(agent);
        let seat = join(address.unwrap_or_default(), fingerprint.unwrap_or(agent));
        Self {
            now,
            endpoint,
            object,
            identity,
            client: identity.or(address),
            actor: identity.unwrap_or(seat),
            seat,
            device: join(fingerprint.unwrap_or(agent), asn.or(address).unwrap_or_default()),
            agent,
            place: join(address.unwrap_or_default(), fingerprint.unwrap_or_default()),
            headers,
            attributes: attributes.map(|value| value.map(|value| (join(1, value) >> 32) as u32)),
            point: peer.lat.zip(peer.lon).and_then(|(lat, lon)| geo::Point::new(lat, lon)),
        }
    }
}

impl Facts {
    /// What may be its client's own: the set of headers, the user agent.
    pub(super) fn own(&self) -> [u64; 2] {
        [self.headers, self.agent].map(|what| join(self.actor, what))
    }

    /// What was done with an object: by who it is now, and at the same seat before or after a login.
    pub(super) fn trails(&self, object: u64) -> [u64; 2] {
        [join(self.actor, object), join(self.seat, object)]
    }
}

/// Who it is, where that is known, and the network it comes from.
fn clients(keyed: &Keyed, request: &Request<'_>, identity: Option<&Identity>) -> (Option<u64>, Option<u64>) {
    let text = |text: &str| keyed.bytes(text.as_bytes());
    let identity = identity.map(|who| join(who.issuer.as_deref().map_or(0, text), text(&who.principal)));
    (identity, request.peer.ip.map(|ip| keyed.bytes(&network(ip))))
}

/// Whose a request is, as it counts: the identity, else the address.
pub(in super::super) fn client(keyed: &Keyed, request: &Request<'_>, identity: Option<&Identity>) -> Option<u64> {
    let (identity, address) = clients(keyed, request, identity);
    identity.or(address)
}

/// Whoever has an IPv6 address has its /64.
fn network(ip: IpAddr) -> [u8; 8] {
    match ip {
        IpAddr::V4(ip) => u64::from(ip.to_bits()).to_be_bytes(),
        IpAddr::V6(ip) => ((ip.to_bits() >> 64) as u64).to_be_bytes(),
    }
}

/// A name in lower case, as far as it is looked at.
fn lower(name: &[u8]) -> [u8; MOST_NAME] {
    let mut lower = [0; MOST_NAME];
    lower.iter_mut().zip(name).for_each(|(slot, byte)| *slot = byte.to_ascii_lowercase());
    lower
}

/// A user agent without its numbers.
fn family(keyed: &Keyed, agent: &[u8]) -> u64 {
    let mut masked = [0_u8; MOST_AGENT];
    let mut length = 0;
    for (slot, byte) in masked.iter_mut().zip(agent.iter().filter(|byte| !byte.is_ascii_digit() && **byte != b'.')) {
        *slot = *byte;
        length += 1;
    }
    keyed.bytes(masked.get(..length).unwrap_or_default())
}

/// The endpoint, and the object of its last variable in a collection.
fn endpoint(keyed: &Keyed, request: &Request<'_>, target: &Target<'_>) -> (u64, Option<(u64, u64)>) {
    let method = keyed.bytes(request.method.bytes());
    match target {
        Target::Endpoint { id, variables } => {
            let endpoint = join(method, keyed.bytes(id.as_bytes()));
            // The same object is named by several endpoints: the path before it tells the collection.
            let object = variables.last().map(|_| named(keyed, request.path.bytes(), &variables_of(variables)));
            (endpoint, object.flatten())
        }
        Target::Path => {
            let raw = request.path.bytes();
            let decoded = percent::decode(raw).unwrap_or(raw.into());
            let segments = decoded.split(|byte| *byte == b'/').skip(1);
            let (mut template, mut whole, mut object) = (method, 0, None);
            let mut prefix = 0;
            for segment in segments {
                let hash = keyed.bytes(segment);
                whole = join(whole, hash);
                let own = if is_variable(segment) { 1 } else { hash };
                (template, prefix) = (join(template, own), join(prefix, own));
                if own == 1 {
                    object = Some((whole, prefix));
                }
            }
            (template, object)
        }
    }
}

fn variables_of<'v>(variables: &'v [(&str, std::borrow::Cow<'_, str>)]) -> smallvec::SmallVec<[&'v [u8]; 4]> {
    variables.iter().map(|(_, value)| value.as_bytes()).collect()
}

/// The object that the last of a path's variables names, and its collection: the path before it, other variables masked.
fn named(keyed: &Keyed, path: &[u8], variables: &[&[u8]]) -> Option<(u64, u64)> {
    let decoded = percent::decode(path).unwrap_or(path.into());
    let (mut whole, mut prefix, mut left) = (0, 0, variables);
    for segment in decoded.split(|byte| *byte == b'/').skip(1) {
        let hash = keyed.bytes(segment);
        whole = join(whole, hash);
        match left {
            [value, rest @ ..] if *value == segment => {
                prefix = join(prefix, 1);
                left = rest;
                if rest.is_empty() {
                    return Some((whole, prefix));
                }
            }
            _ => prefix = join(prefix, hash),
        }
    }
    None
}
