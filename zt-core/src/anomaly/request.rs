//! A request as items.

use super::item::{Event, Sight};
use super::kind::Kind;
use super::model::SERVICE;
use super::symbol::{self, Class};
use super::value;
use crate::base::json::Limits;
use crate::base::keyed::{Keyed, join};
use crate::base::leaves::{self, Leaf, Place};
use crate::base::percent;
use crate::model::Request;

/// What a request is for.
#[derive(Clone, Copy, Debug)]
pub enum Target<'r> {
    /// An endpoint that the configuration or a document names.
    Endpoint {
        /// Its id.
        id: &'r str,
        /// Variables of its template by name, decoded.
        variables: &'r [(&'r str, std::borrow::Cow<'r, str>)],
    },
    /// Whatever the path says: segments that look like ids are variables.
    Path,
}

/// Values of one request that are looked at; behind them only the names are.
const MOST_VALUES: u32 = 512;
/// What a body is that is not there, and one without leaves.
const NO_BODY: u64 = 0;
const UNREAD: u64 = 1;

/// Hands out the items of a request one by one, in a fixed order: the structure last.
pub(super) struct Reader<'k> {
    pub(super) keyed: &'k Keyed,
    pub(super) service: u64,
    pub(super) limits: &'k Limits,
}

/// An item that was found: its events are worked out when they are asked for.
pub(super) struct Found<'l> {
    /// What tells it from others: two with the same are the same.
    pub(super) id: u64,
    /// What it is compared with: a value by endpoint and name.
    pub(super) context: u64,
    /// The endpoint whose room it takes.
    pub(super) endpoint: u32,
    pub(super) at: At<'l>,
}

/// Where an item stands.
pub(super) enum At<'l> {
    /// The path, decoded.
    Path(&'l [u8]),
    /// A value, and a hash of it.
    Leaf(Leaf<'l>, u64),
    /// The structure: names of parameters, and of headers; a hash of the method and what the body is.
    Structure(&'l Names, &'l Names, u64),
}

impl Found<'_> {
    /// The endpoint whose room an event or an element of this kind takes.
    pub(super) const fn owner(&self, kind: Kind) -> u32 {
        owner(self.endpoint, kind)
    }
}

/// The endpoint whose room an event or an element of this kind takes, of an item of this endpoint.
pub(super) const fn owner(endpoint: u32, kind: Kind) -> u32 {
    if kind.is_of_service() { SERVICE } else { endpoint }
}

impl Reader<'_> {
    /// The id of the item that a user agent of this hash is.
    pub(super) fn agent(&self, agent: u64) -> u64 {
        join(join(join(self.service, Place::Header as u64), self.keyed.bytes(b"user-agent")), agent)
    }

    pub(super) fn read(&self, request: &Request<'_>, target: &Target<'_>, visit: &mut impl FnMut(&Found<'_>)) {
        let method = self.keyed.bytes(request.method.bytes());
        let mut values = Values { reader: self, endpoint: method, left: MOST_VALUES };
        let raw = request.path.bytes();
        let decoded = percent::decode(raw).unwrap_or(raw.into());
        let context = join(self.service, Place::Path as u64);
        let id = join(context, self.keyed.bytes(&decoded));
        visit(&Found { id, context, endpoint: SERVICE, at: At::Path(&decoded) });

        match target {
            Target::Endpoint { id, variables } => {
                // One endpoint may serve several methods.
                values.endpoint = join(join(self.service, values.endpoint), self.keyed.bytes(id.as_bytes()));
                for (name, value) in *variables {
                    let leaf = Leaf { place: Place::Path, name: name.as_bytes(), value: value.as_bytes() };
                    values.leaf(leaf, self.keyed.bytes(leaf.name), visit);
                }
            }
            Target::Path => values.path(&decoded, visit),
        }
        let mut names = Names::default();
        let mut parameter = |leaf: Leaf<'_>| {
            let name = self.keyed.bytes(leaf.name);
            names.add(leaf.place, name);
            values.leaf(leaf, name, visit);
        };
        if let Some(query) = &request.query {
            leaves::form(Place::Query, query.bytes(), &mut parameter);
        }
        let mut body = NO_BODY;
        if let Some(bytes) = request.body.as_ref().map(|body| body.bytes()).filter(|bytes| !bytes.is_empty()) {
            body = UNREAD;
            leaves::body(request.header("content-type").next(), bytes, self.limits, &mut |leaf| {
                body = if body == UNREAD { form(&leaf) } else { body };
                parameter(leaf);
            });
        }
        // All other methods are one: with nine kinds of bodies each of seven is fewer than make a context open.
        let is_plain = [&b"GET"[..], b"POST", b"PUT", b"PATCH", b"DELETE", b"HEAD"].contains(&request.method.bytes());
        let body = join(if is_plain { method } else { 0 }, body);
        let mut headers = Names::default();
        for (name, value) in &request.headers {
            let mut lower = [0_u8; 64];
            let name = lower_case(name.bytes(), &mut lower);
            let leaf = Leaf { place: Place::Header, name, value: value.bytes() };
            // Says what the body's values say better.
            if name == b"content-length" {
                continue;
            }
            let hash = self.keyed.bytes(name);
            headers.add(leaf.place, hash);
            match name {
                b"cookie" => leaves::cookies(value.bytes(), &mut |leaf| {
                    values.leaf(leaf, self.keyed.bytes(leaf.name), visit);
                }),
                _ => values.leaf(leaf, hash, visit),
            }
        }
        let id = join(join(join(values.endpoint, names.together()), headers.together()), body);
        let at = At::Structure(&names, &headers, body);
        visit(&Found { id, context: values.endpoint, endpoint: short(values.endpoint), at });
    }

    /// The events of an item that was found.
    #[inline]
    pub(super) fn events(&self, found: &Found<'_>, visit: &mut impl FnMut(Sight)) {
        match found.at {
            At::Path(path) => drop(value::steps(found.context, path, visit)),
            At::Leaf(leaf, whole) => value::scan(found.context, leaf.value, whole, visit),
            At::Structure(names, headers, body) => self.structure(found.context, [names, headers], body, visit),
        }
    }

    fn structure(&self, endpoint: u64, [names, headers]: [&Names; 2], body: u64, visit: &mut impl FnMut(Sight)) {
        let at = |kind: Kind| join(endpoint, kind as u64);
        visit(Sight::Event(Event::new(Kind::Endpoint, join(self.service, Kind::Endpoint as u64), endpoint)));
        visit(Sight::Event(Event::new(Kind::Names, at(Kind::Names), names.together())));
        visit(Sight::Event(Event::new(Kind::Headers, at(Kind::Headers), headers.together())));
        visit(Sight::Event(Event::new(Kind::Body, join(self.service, Kind::Body as u64), body)));
        for name in &names.each {
            visit(Sight::Event(Event::new(Kind::Name, at(Kind::Name), *name)));
        }
    }
}

/// Values, each under the endpoint and its name.
struct Values<'r, 'k> {
    reader: &'r Reader<'k>,
    endpoint: u64,
    left: u32,
}

impl Values<'_, '_> {
    /// One value, and the hash of its name.
    fn leaf(&mut self, leaf: Leaf<'_>, name: u64, visit: &mut impl FnMut(&Found<'_>)) {
        let Some(left) = self.left.checked_sub(1) else { return };
        self.left = left;
        let Reader { keyed, service, .. } = self.reader;
        // Headers and cookies are alike at every endpoint.
        let (owner, endpoint) = match leaf.place {
            Place::Header | Place::Cookie => (*service, SERVICE),
            _ => (self.endpoint, short(self.endpoint)),
        };
        let context = join(join(owner, leaf.place as u64), name);
        let whole = keyed.bytes(leaf.value);
        visit(&Found { id: join(context, whole), context, endpoint, at: At::Leaf(leaf, whole) });
    }

    /// Segments one by one: what looks like an id is a value, all others make the endpoint.
    fn path(&mut self, path: &[u8], visit: &mut impl FnMut(&Found<'_>)) {
        let mut endpoint = join(self.reader.service, self.endpoint);
        for segment in path.split(|byte| *byte == b'/').skip(1) {
            if is_variable(segment) {
                self.endpoint = endpoint;
                let nameless = self.reader.keyed.bytes(b"");
                self.leaf(Leaf { place: Place::Path, name: b"", value: segment }, nameless, visit);
                endpoint = join(endpoint, 1);
            } else {
                endpoint = join(endpoint, self.reader.keyed.bytes(segment));
            }
        }
        self.endpoint = endpoint;
    }
}

/// Names that came together, in any order. One that comes again counts as a second name; in a JSON text it does not, where
/// it is another element of an array.
#[derive(Default)]
pub(super) struct Names {
    each: smallvec::SmallVec<[u64; 16]>,
    sum: u64,
}

impl Names {
    fn add(&mut self, place: Place, name: u64) {
        if self.each.len() >= MOST_VALUES as usize {
            return;
        }
        let mut name = join(place as u64, name);
        let mut is_new = !self.each.contains(&name);
        if place != Place::Json && !is_new {
            name = join(name, 1);
            is_new = !self.each.contains(&name);
        }
        if is_new {
            self.each.push(name);
            self.sum = self.sum.wrapping_add(join(name, name));
        }
    }

    const fn together(&self) -> u64 {
        self.sum
    }
}

/// What a body is, by the first of its leaves.
fn form(leaf: &Leaf<'_>) -> u64 {
    let root = match (leaf.place, leaf.name) {
        (Place::Json, [b'$', of, ..] | [of, ..]) => u64::from(*of),
        _ => 0,
    };
    join(leaf.place as u64, root)
}

/// An endpoint as the owner of room: never that of the service.
const fn short(endpoint: u64) -> u32 {
    (endpoint >> 32) as u32 | 1
}

/// Whether a segment of a path looks like an id: a number, several digits (but a version's, `v12`), digits behind a hyphen, longer
/// than a word, or with characters that no name has.
pub(super) fn is_variable(segment: &[u8]) -> bool {
    let (mut digits, mut plain) = (0_u32, segment.len() <= 40);
    for byte in segment {
        match symbol::of(*byte).0 {
            Class::Letter | Class::Point => {}
            Class::Digit => digits = digits.saturating_add(1),
            _ => plain = false,
        }
    }
    if digits == 0 {
        return !plain;
    }
    let number = |bytes: &[u8]| !bytes.is_empty() && bytes.iter().all(u8::is_ascii_digit);
    let version = segment.strip_prefix(b"v").is_some_and(|version| version.split(|byte| *byte == b'.').all(number));
    let numbered = segment.rsplit(|byte| b"-_".contains(byte)).next().is_some_and(number);
    !version && (numbered || digits > 1 || !plain)
}

/// In lower case, where it fits.
fn lower_case<'n>(name: &'n [u8], buffer: &'n mut [u8; 64]) -> &'n [u8] {
    match buffer.get_mut(..name.len()) {
        Some(buffer) => {
            buffer.copy_from_slice(name);
            buffer.make_ascii_lowercase();
            buffer
        }
        None => name,
    }
}
