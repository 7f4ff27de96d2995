//! The world that policies are asked about: entities with attributes and tags, and requests.

use serde_json::{Map, Value, json};

use super::{Maker, STRINGS};

impl Maker {
    /// Users in a chain of groups of this depth, with side branches; documents in folders; actions in actions.
    pub(super) fn entities(&mut self, depth: u64) -> Vec<Value> {
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

    pub(super) fn request(&mut self, depth: u64) -> Value {
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
