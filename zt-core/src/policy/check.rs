//! Whether compiled policies that were read, not compiled, can be trusted with a request: every index is in range, and
//! evaluation ends.

use std::collections::BTreeSet;

use crate::base::member_path::MemberPath;
use crate::model::Outcome;

use super::Compiled;
use super::index::Index;
use super::program::{ActionScope, DEPTH_MAX, Effect, Node, NodeId, Program, Rule, Run, Scope};
use super::table::{Named, Table};

/// What is wrong.
type Wrong = &'static str;

impl Compiled {
    /// Makes what is not stored.
    pub(super) fn complete(&mut self) {
        self.symbols = Table::build(&self.program.uids);
        self.index.complete(&self.program);
        self.exemptions = super::exempt::of(&self.program);
    }

    /// Whether the evaluator can rely on it.
    pub(super) fn check(&self) -> Result<(), Wrong> {
        self.program.check()?;
        self.index.check(&self.program)?;
        holds(self.reads.declared.len() == self.program.declared.len(), "declared attributes are not all read")?;
        let found = |(at, (ty, id)): (u32, &(Box<str>, Box<str>))| self.symbols.find(Named::new(ty), id) == Some(at);
        holds((0..).zip(&self.program.uids).all(found), "an entity is named twice")?;
        self.denials.iter().try_for_each(|(at, denial)| {
            let forbids = self.program.rules.get(*at as usize).is_some_and(|rule| rule.effect == Effect::Forbid);
            holds(forbids, "a denial is of no forbid")?;
            let graded = matches!(denial.outcome, Outcome::Flag | Outcome::StepUp | Outcome::Throttle | Outcome::Deny);
            holds(graded, "a denial has an outcome that no forbid calls for")?;
            // It is written into a header.
            let plain = |byte: u8| matches!(byte, b' ' | 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
            holds(denial.acr.as_deref().is_none_or(|acr| acr.bytes().all(plain)), "an `acr` cannot be quoted")
        })?;
        let of_a_rule = self.redactions.keys().all(|at| (*at as usize) < self.program.rules.len());
        holds(of_a_rule, "fields are hidden by no policy")?;
        let fields = self.redactions.values().flatten();
        holds(fields.clone().all(|field| MemberPath::parse(field).is_ok()), "a field to hide is no path")
    }
}

impl Program {
    fn check(&self) -> Result<(), Wrong> {
        let mut used = Used { node: vec![false; self.nodes.len()], listed: 0 };
        let mut depths: Vec<usize> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            self.check_operands(node, &mut used)?;
            let (few, many) = self.children(node);
            let mut depth = 1_usize;
            for child in few.into_iter().flatten().chain(many.iter().copied()) {
                let below = depths.get(child as usize).ok_or("an expression runs in a circle")?;
                depth = depth.max(below.saturating_add(1));
                used.by_one(child)?;
            }
            holds(depth <= DEPTH_MAX, "an expression is too deep")?;
            depths.push(depth);
        }
        self.rules.iter().try_for_each(|rule| self.check_rule(rule, &mut used))?;
        holds(self.patterns.iter().all(|pattern| pattern.runs().next().is_some()), "a pattern is empty")
    }

    fn check_rule(&self, rule: &Rule, used: &mut Used) -> Result<(), Wrong> {
        for scope in [rule.principal, rule.resource] {
            match scope {
                Scope::Any => {}
                Scope::Eq(symbol) | Scope::In(symbol) => self.symbol(symbol)?,
                Scope::Is(ty) => self.named(ty)?,
                Scope::IsIn(ty, symbol) => {
                    self.named(ty)?;
                    self.symbol(symbol)?;
                }
            }
        }
        match &rule.action {
            ActionScope::Any => {}
            ActionScope::Eq(symbol) => self.symbol(*symbol)?,
            ActionScope::In(symbols) => symbols.iter().try_for_each(|symbol| self.symbol(*symbol))?,
        }
        rule.body.map_or(Ok(()), |body| used.by_one(body))
    }

    /// What a node names beside its children.
    fn check_operands(&self, node: &Node, used: &mut Used) -> Result<(), Wrong> {
        match *node {
            Node::Constant(at) => holds((at as usize) < self.constants.len(), "a constant is not there"),
            Node::And(run) | Node::Or(run) | Node::Set(run) => self.listed(run, used).map(|_| ()),
            Node::Has(_, path) => self.names_listed(path, used),
            Node::Record(names, run) => {
                self.names_listed(names, used)?;
                self.listed(run, used)?;
                holds(names.len == run.len, "a record has not as many names as values")
            }
            Node::VarIn(_, symbol) => self.symbol(symbol),
            Node::Is(_, name) | Node::Attribute(_, name) => self.named(name),
            Node::Declared(at) | Node::HasDeclared(at) => {
                holds((at as usize) < self.declared.len(), "a declared attribute is not there")
            }
            Node::Like(_, at) => holds((at as usize) < self.patterns.len(), "a pattern is not there"),
            _ => Ok(()),
        }
    }

    /// The run, if it is there. The compiler writes each of them anew, so that together they are no longer than the list.
    fn listed(&self, run: Run, used: &mut Used) -> Result<&[u32], Wrong> {
        used.listed = used.listed.saturating_add(run.len as usize);
        let (start, len) = (run.start as usize, run.len as usize);
        let there = self.lists.get(start..start.saturating_add(len)).filter(|_| used.listed <= self.lists.len());
        there.ok_or("a list is not there")
    }

    fn names_listed(&self, run: Run, used: &mut Used) -> Result<(), Wrong> {
        self.listed(run, used)?.iter().try_for_each(|name| self.named(*name))
    }

    fn symbol(&self, symbol: u32) -> Result<(), Wrong> {
        holds((symbol as usize) < self.uids.len(), "an entity is not there")
    }

    fn named(&self, name: u32) -> Result<(), Wrong> {
        holds((name as usize) < self.names.len(), "a name is not there")
    }
}

/// What has been used already: a node that two others share could make evaluation as long as two to its depth.
struct Used {
    node: Vec<bool>,
    listed: usize,
}

impl Used {
    fn by_one(&mut self, node: NodeId) -> Result<(), Wrong> {
        let used = self.node.get_mut(node as usize).ok_or("an expression is not there")?;
        holds(!std::mem::replace(used, true), "an expression is used twice")
    }
}

impl Index {
    fn check(&self, program: &Program) -> Result<(), Wrong> {
        let first = self.first_row.first().is_none_or(|first| *first == 0);
        let ascending = self.first_row.is_sorted_by(|a, b| a < b);
        let last = self.first_row.last().is_none_or(|last| (*last as usize) < self.rows.len());
        holds(first && ascending && last, "the rows of an endpoint are not there")?;
        holds(!self.first_row.is_empty() || self.rows.is_empty(), "rows of no endpoint")?;
        let ids: Option<Vec<&str>> = self.by_id.iter().map(|at| Some(&*self.rows.get(*at as usize)?.id)).collect();
        holds(ids.is_some_and(|ids| ids.is_sorted_by(|a, b| a < b)), "the endpoints are not in order")?;
        for row in &self.rows {
            row.action.iter().chain(&row.resource).try_for_each(|symbol| program.symbol(*symbol))?;
            // None twice: its policies would count twice.
            holds(row.classes.is_sorted_by(|a, b| a < b), "the classes of an endpoint are not in order")?;
        }
        let listed = self.buckets.iter().fold(0_usize, |sum, bucket| sum.saturating_add(bucket.len as usize));
        holds(listed == self.rules.len(), "buckets share policies")?;
        let mut seen = BTreeSet::new();
        for bucket in &self.buckets {
            holds(bucket.len > 0 && (bucket.class as usize) < self.buckets.len(), "a bucket of nothing")?;
            holds(seen.insert((bucket.class, bucket.key)), "a bucket stands twice")?;
            let range = bucket.start as usize..bucket.start.saturating_add(bucket.len) as usize;
            let rules = self.rules.get(range).ok_or("a bucket is not there")?;
            let known = rules.last().is_none_or(|rule| (*rule as usize) < program.rules.len());
            holds(known && rules.is_sorted_by(|a, b| a < b), "a policy of a bucket is not there")?;
        }
        Ok(())
    }
}

fn holds(sound: bool, wrong: Wrong) -> Result<(), Wrong> {
    if sound { Ok(()) } else { Err(wrong) }
}
