//! Random policies, entities and requests over the whole language.
//!
//! Expressions mostly have the types that they should, so that much of them is evaluated; one in [`WRONG`] has not.
//! Everything made is counted by its construct.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Map, Value, json};

/// One expression in so many has a random type.
const WRONG: u64 = 40;
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

const LONGS: &[&str] =
    &["0", "1", "2", "3", "(-1)", "7", "100", "9223372036854775807", "(-9223372036854775808)", "4611686018427387904"];
const STRINGS: &[&str] =
    &["", "a", "b", "abc", "a*c", "10.0.0.1", "1.5", "\u{e9}\u{1F600}", "k0", "2024-02-29", "line\nend"];
const PATTERNS: &[&str] = &["*", "", "a*", "*b*", "a\\*c", "*\u{e9}*", "**c", "a*b*c*", "*0.0*"];
const IPS: &[&str] = &[
    "10.0.0.1",
    "10.0.0.0/8",
    "10.1.0.0/16",
    "127.0.0.1",
    "127.0.0.0/7",
    "224.0.0.1",
    "::1",
    "::/0",
    "ff00::/8",
    "2001:db8::/32",
    "2001:db8::1",
    "0.0.0.0/0",
    "::ffff:10.0.0.1",
    "1.2.3",
    "10.0.0.1/33",
];
const DECIMALS: &[&str] =
    &["0.0", "1.5", "-1.5", "1.50", "922337203685477.5807", "-922337203685477.5808", "0.00001", "1", "1.2345", "x.y"];
const DATETIMES: &[&str] = &[
    "2024-02-29",
    "1969-12-31T23:59:59.999Z",
    "1970-01-01T00:00:00Z",
    "2024-02-29T12:34:56.789+0530",
    "2023-02-29",
    "0001-01-01",
    "9999-12-31T23:59:59Z",
    "2024-02-29T24:00:00Z",
    "soon",
];
const DURATIONS: &[&str] =
    &["0ms", "1d", "-1d2h3m4s5ms", "90m", "36h", "9223372036854775807ms", "106751991168d", "1h1d", "", "1w"];
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

    fn wrong(&mut self) -> bool {
        let wrong = self.roll(WRONG) == 0;
        if wrong {
            self.saw("an expression of any type");
        }
        wrong
    }

    /// Something that may have attributes.
    fn holder(&mut self, depth: u64) -> String {
        match self.roll(9) {
            0..=2 => "principal".to_owned(),
            3 | 4 => "resource".to_owned(),
            5 | 6 => "context".to_owned(),
            7 if depth > 0 => self.entity(depth - 1),
            _ => "principal.e".to_owned(),
        }
    }

    /// An attribute of this name, or a tag.
    fn attribute(&mut self, name: &str, depth: u64) -> String {
        let holder = self.holder(depth);
        self.saw("attribute");
        match self.roll(8) {
            0 => {
                self.saw("nested record");
                format!("{holder}.r.{name}")
            }
            1 => {
                self.saw("attribute [\"..\"]");
                format!("{holder}[\"{name}\"]")
            }
            2 => {
                self.saw("getTag");
                let of = if holder == "context" { "principal" } else { &holder };
                format!("{of}.getTag(\"{name}\")")
            }
            _ => format!("{holder}.{name}"),
        }
    }

    fn any(&mut self, depth: u64) -> String {
        let depth = depth.min(2);
        match self.roll(11) {
            0 => format!("({})", self.boolean(depth)),
            1 => self.long(depth),
            2 => self.string(depth),
            3 => self.entity(depth),
            4 => self.set_of_any(depth),
            5 => self.record(depth),
            6 => self.ip(depth),
            7 => self.decimal(depth),
            8 => self.datetime(depth),
            9 => self.duration(depth),
            _ => self.one(&["context", "principal.xs", "context.missing", "resource.r"]).to_owned(),
        }
    }

    fn choice(&mut self, depth: u64, make: fn(&mut Self, u64) -> String) -> String {
        self.saw("if");
        let condition = self.boolean(depth);
        let (then, other) = (make(self, depth), make(self, depth));
        format!("(if {condition} then {then} else {other})")
    }

    fn long(&mut self, depth: u64) -> String {
        if self.wrong() {
            return self.any(depth);
        }
        if depth == 0 {
            return match self.roll(3) {
                0 => self.attribute("n", 0),
                _ => self.one(LONGS).to_owned(),
            };
        }
        let below = depth - 1;
        match self.roll(9) {
            0 => self.choice(below, Self::long),
            1 => {
                self.saw("negation");
                format!("(-({}))", self.long(below))
            }
            2 | 3 => {
                let op = self.one(&["+", "-", "*"]);
                self.saw("arithmetic");
                format!("({} {op} {})", self.long(below), self.long(below))
            }
            4 => {
                let unit = self.one(&["toMilliseconds", "toSeconds", "toMinutes", "toHours", "toDays"]);
                self.saw("duration to a number");
                format!("{}.{unit}()", self.duration(below))
            }
            5 | 6 => self.attribute("n", below),
            7 => self.attribute("m", below),
            _ => self.one(LONGS).to_owned(),
        }
    }

    fn quoted(text: &str) -> String {
        format!("\"{}\"", text.escape_debug().to_string().replace("\\'", "'"))
    }

    fn string(&mut self, depth: u64) -> String {
        if self.wrong() {
            return self.any(depth);
        }
        match self.roll(4) {
            0 if depth > 0 => self.choice(depth - 1, Self::string),
            0 | 1 => {
                let name = self.one(&["s", "t"]);
                self.attribute(name, depth.saturating_sub(1))
            }
            _ => Self::quoted(self.one(STRINGS)),
        }
    }

    fn entity(&mut self, depth: u64) -> String {
        if self.wrong() {
            return self.any(depth);
        }
        match self.roll(8) {
            0..=2 => self.one(&["principal", "resource", "action"]).to_owned(),
            3 if depth > 0 => self.choice(depth - 1, Self::entity),
            4 => self.attribute("e", depth.saturating_sub(1)),
            5 => self.action(),
            _ => {
                let principal = self.roll(2) == 0;
                let (ty, n) = self.named(principal);
                format!("{ty}::\"{n}\"")
            }
        }
    }

    fn list(&mut self, depth: u64, make: fn(&mut Self, u64) -> String) -> String {
        self.saw("set");
        let members: Vec<String> = (0..self.roll(5)).map(|_| make(self, depth)).collect();
        format!("[{}]", members.join(", "))
    }

    fn set_of_any(&mut self, depth: u64) -> String {
        if self.wrong() {
            return self.any(depth);
        }
        let below = depth.saturating_sub(1);
        match self.roll(9) {
            0 => self.attribute("ns", below),
            1 => self.attribute("ss", below),
            2 => self.attribute("es", below),
            3 => self.attribute("xs", below),
            4 if depth > 0 => self.choice(below, Self::set_of_any),
            5 => self.list(below, Self::long),
            6 => self.list(below, Self::string),
            7 => self.list(below, Self::entity),
            _ if depth > 0 => self.list(below, Self::any),
            _ => "[]".to_owned(),
        }
    }

    fn record(&mut self, depth: u64) -> String {
        let below = depth.saturating_sub(1);
        match self.roll(4) {
            0 => self.attribute("r", 0),
            1 => "context".to_owned(),
            _ if depth == 0 => "{}".to_owned(),
            _ => {
                self.saw("record");
                let (a, b) = (self.any(below), self.any(below));
                let names = self.one(&["n,s", "s,\"b c\"", "r,n"]);
                let (first, second) = names.split_once(',').unwrap_or(("n", "s"));
                format!("{{{first}: {a}, {second}: {b}}}")
            }
        }
    }

    fn extension(&mut self, name: &'static str, texts: &[&str], attribute: &str, depth: u64) -> String {
        if self.wrong() {
            return self.any(depth);
        }
        self.saw(name);
        match self.roll(8) {
            0 | 1 => self.attribute(attribute, 0),
            2 => format!("{name}({})", self.string(depth.min(1))),
            3 if self.roll(6) == 0 => {
                self.saw("a wrong number of arguments");
                format!("{name}()")
            }
            _ => format!("{name}({})", Self::quoted(self.one(texts))),
        }
    }

    fn ip(&mut self, depth: u64) -> String {
        self.extension("ip", IPS, "ip", depth)
    }

    fn decimal(&mut self, depth: u64) -> String {
        self.extension("decimal", DECIMALS, "dec", depth)
    }

    fn datetime(&mut self, depth: u64) -> String {
        match self.roll(6) {
            0 if depth > 0 => {
                self.saw("offset");
                format!("{}.offset({})", self.datetime(depth - 1), self.duration(depth - 1))
            }
            1 if depth > 0 => {
                self.saw("toDate");
                format!("{}.toDate()", self.datetime(depth - 1))
            }
            _ => self.extension("datetime", DATETIMES, "dt", depth),
        }
    }

    fn duration(&mut self, depth: u64) -> String {
        match self.roll(6) {
            0 if depth > 0 => {
                self.saw("durationSince");
                format!("{}.durationSince({})", self.datetime(depth - 1), self.datetime(depth - 1))
            }
            1 if depth > 0 => {
                self.saw("toTime");
                format!("{}.toTime()", self.datetime(depth - 1))
            }
            _ => self.extension("duration", DURATIONS, "dur", depth),
        }
    }

    fn boolean(&mut self, depth: u64) -> String {
        if self.wrong() {
            return self.any(depth);
        }
        if depth == 0 {
            return match self.roll(4) {
                0 => self.attribute("b", 0),
                1 => "context has n".to_owned(),
                _ => self.one(&["true", "false"]).to_owned(),
            };
        }
        let below = depth - 1;
        match self.roll(22) {
            0 | 1 => self.joined("&&", below),
            2 | 3 => self.joined("||", below),
            4 => {
                self.saw("!");
                format!("!({})", self.boolean(below))
            }
            5 => self.choice(below, Self::boolean),
            6 => {
                self.saw("== of anything");
                let op = self.one(&["==", "!="]);
                format!("{} {op} {}", self.any(below), self.any(below))
            }
            7 => self.equal(below),
            8 | 9 => {
                self.saw("order of numbers");
                let op = self.one(&["<", "<=", ">", ">="]);
                format!("{} {op} {}", self.long(below), self.long(below))
            }
            10 => {
                let op = self.one(&["<", "<=", ">", ">="]);
                if self.roll(2) == 0 {
                    self.saw("order of times");
                    format!("{} {op} {}", self.datetime(below), self.datetime(below))
                } else {
                    self.saw("order of durations");
                    format!("{} {op} {}", self.duration(below), self.duration(below))
                }
            }
            11 => self.has(below),
            12 => {
                self.saw("in");
                format!("{} in {}", self.entity(below), self.entity(below))
            }
            13 => {
                self.saw("in [..]");
                let set = if self.roll(2) == 0 { self.attribute("es", 0) } else { self.list(below, Self::entity) };
                format!("{} in {set}", self.entity(below))
            }
            14 => {
                let (of, ty) = (self.entity(below), self.one(TYPES));
                if self.roll(2) == 0 {
                    self.saw("is");
                    format!("{of} is {ty}")
                } else {
                    self.saw("is in");
                    format!("{of} is {ty} in {}", self.entity(below))
                }
            }
            15 => {
                self.saw("contains");
                format!("{}.contains({})", self.set_of_any(below), self.any(below))
            }
            16 => {
                let op = self.one(&["containsAll", "containsAny"]);
                self.saw(if op == "containsAll" { "containsAll" } else { "containsAny" });
                format!("{}.{op}({})", self.set_of_any(below), self.set_of_any(below))
            }
            17 => {
                self.saw("isEmpty");
                format!("{}.isEmpty()", self.set_of_any(below))
            }
            18 => {
                self.saw("like");
                format!("{} like \"{}\"", self.string(below), self.one(PATTERNS))
            }
            19 => {
                let test = self.one(&["isIpv4", "isIpv6", "isLoopback", "isMulticast", "isInRange"]);
                self.saw("tests of ip");
                let of = self.ip(below);
                if test == "isInRange" {
                    format!("{of}.isInRange({})", self.ip(below))
                } else {
                    format!("{of}.{test}()")
                }
            }
            20 => {
                let op = self.one(&["lessThan", "lessThanOrEqual", "greaterThan", "greaterThanOrEqual"]);
                self.saw("order of decimals");
                format!("{}.{op}({})", self.decimal(below), self.decimal(below))
            }
            _ => {
                self.saw("hasTag");
                let (of, name) = (self.entity(below), self.one(&["\"n\"", "\"s\"", "\"none\"", "principal.s"]));
                format!("{of}.hasTag({name})")
            }
        }
    }

    fn joined(&mut self, op: &'static str, depth: u64) -> String {
        self.saw(op);
        let parts: Vec<String> = (0..2 + self.roll(3)).map(|_| format!("({})", self.boolean(depth))).collect();
        format!("({})", parts.join(&format!(" {op} ")))
    }

    fn equal(&mut self, depth: u64) -> String {
        let make: fn(&mut Self, u64) -> String = match self.roll(9) {
            0 => Self::long,
            1 => Self::string,
            2 => Self::entity,
            3 => Self::set_of_any,
            4 => Self::record,
            5 => Self::ip,
            6 => Self::decimal,
            7 => Self::datetime,
            _ => Self::duration,
        };
        self.saw("== of one type");
        let op = self.one(&["==", "==", "!="]);
        let (a, b) = (make(self, depth), make(self, depth));
        format!("{a} {op} {b}")
    }

    fn has(&mut self, depth: u64) -> String {
        let of = if self.roll(4) == 0 { self.record(depth) } else { self.holder(depth) };
        match self.roll(3) {
            0 => {
                self.saw("has of a path");
                let path = self.one(&["r.n", "r.r.b", "e.e.n", "s.n", "r.missing"]);
                format!("{of} has {path}")
            }
            _ => {
                self.saw("has");
                let name = self.one(&["n", "m", "s", "r", "\"b c\"", "missing", "e"]);
                format!("{of} has {name}")
            }
        }
    }

    /// Users in a chain of groups of this depth, with side branches; documents in folders; actions in actions.
    fn entities(&mut self, depth: u64) -> Vec<Value> {
        let mut all = Vec::new();
        let parent = |ty: &str, id: String| json!({"type": ty, "id": id});
        for n in 0..6 {
            let mut parents = vec![parent("Group", "0".to_owned())];
            if self.roll(2) == 0 {
                parents.push(parent("Group", format!("{}", self.roll(60))));
            }
            parents.truncate(usize::try_from(self.roll(3)).unwrap_or_default());
            self.entity_json(&mut all, "User", n, parents);
        }
        for n in 0..=depth {
            let mut parents = Vec::new();
            if n < depth {
                parents.push(parent("Group", format!("{}", n + 1)));
                parents.push(parent("Group", format!("{}", n + 1 + self.roll(depth - n))));
                self.saw("a level of the hierarchy");
            }
            self.entity_json(&mut all, "Group", n, parents);
        }
        for n in 0..6 {
            let parents = vec![parent("App::Folder", format!("{}", self.roll(12)))];
            self.entity_json(&mut all, "App::Doc", n, parents);
        }
        for n in 0..12 {
            let parents =
                if n < 8 { vec![parent("App::Folder", format!("{}", n + 1 + self.roll(4)))] } else { Vec::new() };
            self.entity_json(&mut all, "App::Folder", n, parents);
        }
        for n in 0..4 {
            let parents = if n < 2 { vec![parent("Action", "a3".to_owned())] } else { Vec::new() };
            all.push(json!({"uid": {"type": "Action", "id": format!("a{n}")}, "attrs": {}, "parents": parents}));
        }
        all
    }

    fn entity_json(&mut self, all: &mut Vec<Value>, ty: &str, id: u64, mut parents: Vec<Value>) {
        // Policies speak of entities that there are not, too.
        if self.roll(15) == 0 {
            self.saw("an entity that is not there");
            return;
        }
        parents.dedup();
        let depth = 1 + u64::from(self.roll(6) == 0);
        let attributes = self.attributes(depth);
        let mut entity = json!({"uid": {"type": ty, "id": format!("{id}")}, "attrs": attributes, "parents": parents});
        if self.roll(3) != 0 {
            entity["tags"] = Value::Object(self.attributes(1));
        }
        all.push(entity);
    }

    /// Attributes by the names that policies use; some are missing, some have another type.
    fn attributes(&mut self, depth: u64) -> Map<String, Value> {
        let mut fields = Map::new();
        for name in ["n", "m", "s", "t", "b", "e", "ns", "ss", "es", "xs", "r", "ip", "dec", "dt", "dur"] {
            // Records in records are short: every value is read by Cedar's JSON parser, which takes most of the time.
            let missing = if depth == 0 && !["n", "s", "b"].contains(&name) { 9 } else { 1 };
            match self.roll(12) {
                roll if roll < missing => self.saw("an attribute that is missing"),
                11 if self.roll(3) == 0 => {
                    self.saw("an attribute of another type");
                    let other = self.one(&["n", "s", "e", "xs", "ip", "dt"]);
                    fields.insert(name.to_owned(), self.value(other, depth));
                }
                _ => {
                    fields.insert(name.to_owned(), self.value(name, depth));
                }
            }
        }
        fields
    }

    fn value(&mut self, name: &str, depth: u64) -> Value {
        let mut list = |of: &str| (0..self.roll(4)).map(|_| self.value(of, 0)).collect::<Vec<Value>>();
        match name {
            "n" => json!(i64::try_from(self.roll(8)).unwrap_or_default() - 3),
            "m" => match self.roll(4) {
                0 => json!(i64::MAX),
                1 => json!(i64::MIN),
                _ => json!(100),
            },
            "b" => json!(self.roll(2) == 0),
            "e" => {
                let principal = self.roll(2) == 0;
                let (ty, id) = self.named(principal);
                json!({"__entity": {"type": ty, "id": format!("{id}")}})
            }
            "ns" => json!(list("n")),
            "ss" => json!(list("s")),
            "es" => json!(list("e")),
            "xs" => {
                let mut members = list("ip");
                members.extend([self.value("n", 0), self.value("ns", 0), json!([[], [self.value("s", 0)]])]);
                if self.roll(2) == 0 {
                    members.push(json!({"n": self.value("n", 0), "s": self.value("s", 0)}));
                }
                json!(members)
            }
            "r" if depth > 0 => Value::Object(self.attributes(depth - 1)),
            "r" => json!({"n": self.value("n", 0)}),
            "ip" => self.extended("ip", &["10.0.0.1", "10.1.0.0/16", "127.0.0.1", "::1", "2001:db8::/32"]),
            "dec" => self.extended("decimal", &["0.0", "1.5", "-1.5", "922337203685477.5807"]),
            "dt" => {
                self.extended("datetime", &["2024-02-29", "1969-12-31T23:59:59.999Z", "2024-02-29T12:34:56.789+0530"])
            }
            "dur" => self.extended("duration", &["0ms", "1d", "-1d2h3m4s5ms", "9223372036854775807ms"]),
            _ => json!(self.one(STRINGS)),
        }
    }

    fn extended(&mut self, function: &'static str, texts: &[&str]) -> Value {
        json!({"__extn": {"fn": function, "arg": self.one(texts)}})
    }

    fn request(&mut self, depth: u64) -> Value {
        let uid = |ty: &str, id: String| json!({"type": ty, "id": id});
        let principal = match self.roll(8) {
            0 => uid("Group", format!("{}", self.roll(depth + 2))),
            1 => uid("App::Doc", format!("{}", self.roll(7))),
            _ => uid("User", format!("{}", self.roll(7))),
        };
        let resource = match self.roll(6) {
            0 => uid("App::Folder", format!("{}", self.roll(13))),
            1 => uid("User", format!("{}", self.roll(7))),
            _ => uid("App::Doc", format!("{}", self.roll(7))),
        };
        let action = uid("Action", format!("a{}", self.roll(5)));
        json!({"principal": principal, "action": action, "resource": resource, "context": self.attributes(1)})
    }
}
