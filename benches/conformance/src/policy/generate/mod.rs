//! Random policies, entities and requests over the whole language.
//!
//! Expressions mostly have the types that they should, so that much of them is evaluated; one in forty has not.
//! Everything made is counted by its construct.

mod expression;
mod world;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

/// Most policies of a set.
pub(crate) const POLICIES_MAX: u64 = 200;

/// How often each construct was made.
pub(crate) type Counts = BTreeMap<&'static str, u64>;

/// A set of policies, the links of its templates, and a world to ask them about.
pub(crate) struct Set {
    pub(crate) policies: String,
    /// Number of the template in the text, name, values of `?principal` and `?resource`.
    pub(crate) links: Vec<Link>,
    pub(crate) entities: Vec<Value>,
    pub(crate) requests: Vec<Value>,
}

pub(crate) struct Link {
    pub(crate) template: u64,
    pub(crate) id: String,
    pub(crate) principal: Option<(String, String)>,
    pub(crate) resource: Option<(String, String)>,
}

/// A small deterministic generator (splitmix64), which counts what it makes.
pub(crate) struct Maker {
    state: u64,
    pub(crate) counts: Counts,
}

const STRINGS: &[&str] =
    &["", "a", "b", "abc", "a*c", "10.0.0.1", "1.5", "\u{e9}\u{1F600}", "k0", "2024-02-29", "line\nend"];
const TYPES: &[&str] = &["User", "Group", "App::Doc", "App::Folder", "Action", "Nobody"];

type Name = (&'static str, u64);

impl Maker {
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed, counts: Counts::new() }
    }

    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides.max(1)
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        let at = usize::try_from(self.roll(of.len() as u64)).unwrap_or_default();
        of.get(at).copied().unwrap_or_default()
    }

    fn saw(&mut self, construct: &'static str) {
        *self.counts.entry(construct).or_default() += 1;
    }

    /// A set of 1 to [`POLICIES_MAX`] policies, mostly few, with requests.
    pub(crate) fn set(&mut self, requests: u64) -> Set {
        let most = 1 + self.roll(POLICIES_MAX);
        let count = 1 + self.roll(most);
        let forbids = [0, 2, 10, 40][usize::try_from(self.roll(4)).unwrap_or_default()];
        let (mut policies, mut links) = (String::new(), Vec::new());
        for at in 0..count {
            let effect = if self.roll(100) < forbids { "forbid" } else { "permit" };
            self.policy(at, effect, &mut policies, &mut links);
        }
        let depth = self.roll(50);
        let entities = self.entities(depth);
        let requests = (0..requests).map(|_| self.request(depth)).collect();
        Set { policies, links, entities, requests }
    }

    fn policy(&mut self, at: u64, effect: &str, text: &mut String, links: &mut Vec<Link>) {
        let template = self.roll(12) == 0;
        let slots = if template { 1 + self.roll(3) } else { 0 };
        if self.roll(20) == 0 {
            self.saw("annotation");
            text.push_str("@note(\"n\\\"x\") @if ");
        }
        let principal = self.scope("principal", slots & 1 != 0);
        let resource = self.scope("resource", slots & 2 != 0);
        let action = match self.roll(8) {
            0 | 1 => format!(" == {}", self.action()),
            2 => format!(" in {}", self.action()),
            3 => {
                let (a, b) = (self.action(), self.action());
                self.saw("action in [..]");
                format!(" in [{a}, {b}]")
            }
            4 if self.roll(4) == 0 => " in []".to_owned(),
            _ => String::new(),
        };
        let _ = write!(text, "{effect}(principal{principal}, action{action}, resource{resource})");
        for _ in 0..self.roll(3) {
            let word = self.one(&["when", "when", "unless"]);
            let depth = 1 + self.roll(4);
            let condition = self.boolean(depth);
            self.saw(if word == "when" { "when" } else { "unless" });
            let _ = write!(text, " {word} {{ {condition} }}");
        }
        text.push_str(";\n");
        if slots == 0 {
            return;
        }
        for n in 0..self.roll(4) {
            self.saw("template link");
            let mut fill = |slot: u64, deep: bool| {
                (slots & slot != 0).then(|| {
                    let (ty, id) = self.entity_named(deep);
                    (ty.to_owned(), id)
                })
            };
            let (principal, resource) = (fill(1, true), fill(2, false));
            links.push(Link { template: at, id: format!("link{at}.{n}"), principal, resource });
        }
    }

    fn scope(&mut self, of: &'static str, slot: bool) -> String {
        let target = if slot {
            format!("?{of}")
        } else {
            let (ty, id) = self.entity_named(of == "principal");
            format!("{ty}::\"{id}\"")
        };
        match (self.roll(8), slot) {
            (0, _) => {
                self.saw("scope ==");
                format!(" == {target}")
            }
            (1 | 2, _) | (4.., true) => {
                self.saw("scope in");
                format!(" in {target}")
            }
            (3, _) => {
                self.saw("scope is in");
                let ty = self.one(TYPES);
                format!(" is {ty} in {target}")
            }
            (4, false) => {
                self.saw("scope is");
                let ty = self.one(TYPES);
                format!(" is {ty}")
            }
            _ => {
                self.saw("scope any");
                String::new()
            }
        }
    }

    fn action(&mut self) -> String {
        format!("Action::\"a{}\"", self.roll(5))
    }

    /// Type and number of an entity; principals are users in groups, resources documents in folders.
    fn named(&mut self, principal: bool) -> Name {
        match (principal, self.roll(5)) {
            (true, 0..=2) => ("User", self.roll(6)),
            (true, _) => ("Group", self.roll(60)),
            (false, 0..=2) => ("App::Doc", self.roll(6)),
            (false, _) => ("App::Folder", self.roll(12)),
        }
    }

    fn entity_named(&mut self, principal: bool) -> (&'static str, String) {
        let swapped = self.roll(10) == 0;
        let (ty, n) = self.named(principal != swapped);
        (ty, format!("{n}"))
    }
}
