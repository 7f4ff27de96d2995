//! Expressions, by the type that they should have.

use super::{Maker, STRINGS, TYPES};

/// One expression in so many has a random type.
const WRONG: u64 = 40;
const LONGS: &[&str] =
    &["0", "1", "2", "3", "(-1)", "7", "100", "9223372036854775807", "(-9223372036854775808)", "4611686018427387904"];
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

impl Maker {
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

    pub(super) fn boolean(&mut self, depth: u64) -> String {
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
}
