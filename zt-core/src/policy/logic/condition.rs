//! A condition -> the requests for which it is true, false, or cannot be evaluated.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::cube::Cube;
use super::kind::{Kind, kind};
use super::unknown::{FAILS, FALSE, NOBODY, TRUE, Unknown, all_of, kind as bit_of, present};
use super::values::Values;
use crate::policy::facts::Fact;
use crate::policy::index::Row;
use crate::policy::program::{Node, NodeId, Order, Program, Run, Scope, Var};
use crate::policy::value::Stored;
use crate::policy::vocabulary::{ROLE, SCOPE};

/// Cubes that one part of a condition may come to before it is taken as a whole.
const CUBES_MAX: usize = 64;

/// Requests by what a condition comes to. Every request is in one of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) yes: Vec<Cube>,
    pub(crate) no: Vec<Cube>,
    pub(crate) fails: Vec<Cube>,
}

/// Reads conditions of one program, at one row of its index where one is given.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    pub(crate) program: &'a Program,
    pub(crate) row: Option<&'a Row>,
    /// What tells this row, and the configuration it is of, from others.
    pub(crate) mark: u64,
}

impl Outcome {
    fn always(holds: bool) -> Self {
        let all = vec![Cube::default()];
        if holds { Self { yes: all, ..Self::default() } } else { Self { no: all, ..Self::default() } }
    }

    fn failed() -> Self {
        Self { fails: vec![Cube::default()], ..Self::default() }
    }

    fn swapped(self) -> Self {
        Self { yes: self.no, no: self.yes, fails: self.fails }
    }

    fn size(&self) -> usize {
        self.yes.len().max(self.no.len()).max(self.fails.len())
    }
}

/// Requests that are in one of each.
pub(crate) fn both(a: &[Cube], b: &[Cube]) -> Vec<Cube> {
    a.iter().flat_map(|a| b.iter().filter_map(|b| a.and(b))).collect()
}

impl Reader<'_> {
    /// What a scope of the principal says.
    pub(crate) fn principal(&self, scope: Scope) -> Option<Cube> {
        let is = |ty: u32| Cube::of(Unknown::Kind, Values::States(bit_of(self.program.name(ty).unwrap_or_default())));
        match scope {
            Scope::Any => Some(Cube::default()),
            Scope::Is(ty) => is(ty),
            Scope::In(symbol) => self.within(symbol),
            Scope::IsIn(ty, symbol) => is(ty)?.and(&self.within(symbol)?),
            Scope::Eq(symbol) => self.named(symbol),
        }
    }

    /// What a policy's conditions come to; none are always true.
    pub(crate) fn body(&self, body: Option<NodeId>) -> Outcome {
        body.map_or_else(|| Outcome::always(true), |node| self.expression(node))
    }

    /// What an expression comes to where it stands for a truth. Recursion is bounded as evaluation's is.
    pub(crate) fn expression(&self, node: NodeId) -> Outcome {
        let outcome = self.taken_apart(node);
        if outcome.size() > CUBES_MAX { self.whole(node) } else { outcome }
    }

    fn taken_apart(&self, id: NodeId) -> Outcome {
        let Some(node) = self.program.nodes.get(id as usize) else { return Outcome::failed() };
        match *node {
            Node::Bool(b) => Outcome::always(b),
            Node::Fail => Outcome::failed(),
            Node::And(run) => self.chain(run).unwrap_or_else(|| self.whole(id)),
            Node::Or(run) => self.any(run).unwrap_or_else(|| self.whole(id)),
            Node::Not(a) => self.expression(a).swapped(),
            Node::If(test, then, other) => {
                let [test, then, other] = [test, then, other].map(|part| self.expression(part));
                let branch = |a: &[Cube], b: &[Cube]| [both(&test.yes, a), both(&test.no, b)].concat();
                Outcome {
                    yes: branch(&then.yes, &other.yes),
                    no: branch(&then.no, &other.no),
                    fails: [test.fails.clone(), branch(&then.fails, &other.fails)].concat(),
                }
            }
            Node::HasFact(fact) => split(Cube::of(Unknown::Fact(fact.name()), present(fact)), &[]),
            Node::VarIn(var, symbol) => match (var, self.row) {
                (Var::Principal, _) => split(self.within(symbol), &[]),
                (Var::Action, Some(row)) => Outcome::always(row.action.contains(&symbol)),
                (Var::Resource, Some(row)) => Outcome::always(row.resource.contains(&symbol)),
                _ => self.whole(id),
            },
            Node::Is(of, ty) => self.is(of, ty).unwrap_or_else(|| self.whole(id)),
            Node::Equal(a, b) => self.equal(a, b).unwrap_or_else(|| self.whole(id)),
            Node::NotEqual(a, b) => self.equal(a, b).map_or_else(|| self.whole(id), Outcome::swapped),
            Node::Order(order, a, b) => self.order(order, a, b).unwrap_or_else(|| self.whole(id)),
            Node::Contains(a, b) => self.contains(a, b).unwrap_or_else(|| self.whole(id)),
            _ => self.whole(id),
        }
    }

    /// All of these, left to right.
    fn chain(&self, run: Run) -> Option<Outcome> {
        let mut all = Outcome::always(true);
        for part in self.program.run(run) {
            let part = self.expression(*part);
            all.no.extend(both(&all.yes, &part.no));
            all.fails.extend(both(&all.yes, &part.fails));
            all.yes = both(&all.yes, &part.yes);
            if all.size() > CUBES_MAX {
                return None;
            }
        }
        Some(all)
    }

    /// Any of these, left to right.
    fn any(&self, run: Run) -> Option<Outcome> {
        let mut any = Outcome::always(false);
        for part in self.program.run(run) {
            let part = self.expression(*part);
            any.yes.extend(both(&any.no, &part.yes));
            any.fails.extend(both(&any.no, &part.fails));
            any.no = both(&any.no, &part.no);
            if any.size() > CUBES_MAX {
                return None;
            }
        }
        Some(any)
    }

    /// An expression that is not looked into.
    fn whole(&self, node: NodeId) -> Outcome {
        let mut needs = Vec::new();
        let found = kind(self.program, node, &mut needs);
        if found.is_some_and(|kind| kind != Kind::Bool) {
            return Outcome::failed();
        }
        let mark = if self.depends_on_place(node) { self.mark } else { 0 };
        let text: Arc<str> = self.program.print(node).into();
        if found.is_none() {
            let unknown = Unknown::Text { text, mark, fails: true };
            let state = |state| Cube::of(unknown.clone(), Values::States(state)).into_iter().collect();
            return Outcome { yes: state(TRUE), no: state(FALSE), fails: state(FAILS) };
        }
        split(Cube::of(Unknown::Text { text, mark, fails: false }, Values::States(TRUE)), &needs)
    }

    fn depends_on_place(&self, node: NodeId) -> bool {
        let mut open = vec![node];
        while let Some(node) = open.pop().and_then(|node| self.program.nodes.get(node as usize)) {
            let of_place = |var: Var| matches!(var, Var::Action | Var::Resource);
            match *node {
                Node::In(..) => return true,
                Node::Var(var) | Node::VarIn(var, _) if of_place(var) => return true,
                _ => {}
            }
            let (few, many) = self.program.children(node);
            open.extend(few.into_iter().flatten().chain(many.iter().copied()));
        }
        false
    }

    /// The principal is this entity, or in it.
    fn within(&self, symbol: u32) -> Option<Cube> {
        let uid = self.program.uid(symbol)?;
        match uid.ty {
            ROLE => group(ROLE, uid.id),
            SCOPE => group(SCOPE, uid.id),
            _ => self.named(symbol),
        }
    }

    fn named(&self, symbol: u32) -> Option<Cube> {
        let uid = self.program.uid(symbol)?;
        principal_is(uid.ty, uid.id)
    }

    fn is(&self, of: NodeId, ty: u32) -> Option<Outcome> {
        let ty = self.program.name(ty)?;
        match self.program.nodes.get(of as usize)? {
            Node::Var(Var::Principal) => Some(split(Cube::of(Unknown::Kind, Values::States(bit_of(ty))), &[])),
            Node::Var(Var::Action) => Some(Outcome::always(ty == "Action")),
            Node::Var(Var::Resource) => Some(Outcome::always(ty == "Endpoint")),
            _ => None,
        }
    }

    /// An attribute or a variable, and a literal, in either order.
    fn equal(&self, a: NodeId, b: NodeId) -> Option<Outcome> {
        let [left, right] = [a, b].map(|node| self.literal(node));
        let (of, literal) = match (left, right) {
            (Some(left), Some(right)) => return Some(Outcome::always(left == right)),
            (None, Some(literal)) => (a, literal),
            (Some(literal), None) => (b, literal),
            (None, None) => return None,
        };
        match (*self.program.nodes.get(of as usize)?, literal) {
            (Node::Fact(fact), Stored::Long(n)) if fact.ty() == "Long" => Some(among(fact, numbers(vec![(n, n)]))),
            (Node::Fact(fact), Stored::Str(word)) if fact.ty() == "String" => Some(among(fact, one_of([word]))),
            (Node::Var(Var::Principal), Stored::Entity(ty, id)) => Some(split(principal_is(&ty, &id), &[])),
            (Node::Var(Var::Action), Stored::Entity(ty, id)) => {
                self.row.map(|row| Outcome::always(*ty == *"Action" && id == row.id))
            }
            (Node::Var(Var::Resource), Stored::Entity(ty, id)) => {
                self.row.map(|row| Outcome::always(*ty == *"Endpoint" && id == row.id))
            }
            _ => None,
        }
    }

    /// Literals whose equality is plain.
    fn literal(&self, node: NodeId) -> Option<Stored> {
        match self.program.nodes.get(node as usize)? {
            Node::Bool(b) => Some(Stored::Bool(*b)),
            Node::Long(n) => Some(Stored::Long(*n)),
            Node::Constant(at) => match self.program.constants.get(*at as usize)? {
                value @ (Stored::Str(_) | Stored::Entity(..)) => Some(value.clone()),
                _ => None,
            },
            _ => None,
        }
    }

    fn order(&self, order: Order, a: NodeId, b: NodeId) -> Option<Outcome> {
        let node = |node: NodeId| self.program.nodes.get(node as usize);
        let (fact, order, n) = match (node(a)?, node(b)?) {
            (Node::Fact(fact), Node::Long(n)) => (*fact, order, *n),
            (Node::Long(n), Node::Fact(fact)) => (*fact, mirrored(order), *n),
            _ => return None,
        };
        let range = match order {
            Order::Less => n.checked_sub(1).map(|high| (i64::MIN, high)),
            Order::LessEqual => Some((i64::MIN, n)),
            Order::Greater => n.checked_add(1).map(|low| (low, i64::MAX)),
            Order::GreaterEqual => Some((n, i64::MAX)),
        };
        (fact.ty() == "Long").then(|| among(fact, numbers(Vec::from_iter(range))))
    }

    /// A literal set that has an attribute, or the roles or scopes that have a literal.
    fn contains(&self, a: NodeId, b: NodeId) -> Option<Outcome> {
        let node = |node: NodeId| self.program.nodes.get(node as usize);
        match (*node(a)?, *node(b)?) {
            (Node::Fact(fact @ (Fact::Roles | Fact::Scopes)), Node::Constant(at)) => {
                let Stored::Str(name) = self.program.constants.get(at as usize)? else { return None };
                Some(split(group(if fact == Fact::Roles { ROLE } else { SCOPE }, name), &[]))
            }
            (Node::Constant(at), Node::Fact(fact)) => {
                let Stored::Set(members) = self.program.constants.get(at as usize)? else { return None };
                match fact.ty() {
                    "Long" => {
                        let mut points: Vec<i64> = members.iter().filter_map(as_long).collect();
                        points.sort_unstable();
                        points.dedup();
                        Some(among(fact, numbers(points.into_iter().map(|n| (n, n)).collect())))
                    }
                    "String" => Some(among(fact, one_of(members.iter().filter_map(as_word)))),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

fn as_long(value: &Stored) -> Option<i64> {
    if let Stored::Long(n) = value { Some(*n) } else { None }
}

fn as_word(value: &Stored) -> Option<Box<str>> {
    if let Stored::Str(word) = value { Some(word.clone()) } else { None }
}

const fn mirrored(order: Order) -> Order {
    match order {
        Order::Less => Order::Greater,
        Order::LessEqual => Order::GreaterEqual,
        Order::Greater => Order::Less,
        Order::GreaterEqual => Order::LessEqual,
    }
}

fn numbers(ranges: Vec<(i64, i64)>) -> Values {
    Values::Numbers { ranges, absent: false }
}

fn one_of(words: impl IntoIterator<Item = Box<str>>) -> Values {
    Values::Words { words: words.into_iter().collect::<BTreeSet<_>>(), others: false, absent: false }
}

/// The principal is in a role or scope; nobody in particular is in none.
fn group(ty: &'static str, name: &str) -> Option<Cube> {
    Cube::of(Unknown::Group(ty, name.into()), Values::States(TRUE))?.with(&Unknown::Kind, &Values::States(!NOBODY))
}

/// The principal is this one. Nobody in particular has one name.
fn principal_is(ty: &str, id: &str) -> Option<Cube> {
    use crate::policy::vocabulary::{ANONYMOUS, ANONYMOUS_ID};
    let cube = Cube::of(Unknown::Kind, Values::States(bit_of(ty)))?;
    match (ty, id) {
        (ANONYMOUS, ANONYMOUS_ID) => Some(cube),
        (ANONYMOUS, _) => None,
        _ => cube.with(&Unknown::Id, &one_of([Box::from(id)])),
    }
}

/// An attribute has one of these values; it fails where the attribute is absent.
fn among(fact: Fact, values: Values) -> Outcome {
    let unknown = Unknown::Fact(fact.name());
    let of = |values: Values| Cube::of(unknown.clone(), values).into_iter().collect();
    Outcome {
        yes: of(present(fact).and(&values)),
        no: of(present(fact).without(&values)),
        fails: of(all_of(fact).without(&present(fact))),
    }
}

/// True for a cube and false for the rest, where these attributes are there; none of it where one is not.
fn split(cube: Option<Cube>, needs: &[Fact]) -> Outcome {
    let mut outcome = Outcome::default();
    let mut there = Some(Cube::default());
    for fact in needs {
        let Some(so_far) = &there else { break };
        let unknown = Unknown::Fact(fact.name());
        outcome.fails.extend(so_far.with(&unknown, &all_of(*fact).without(&present(*fact))));
        there = so_far.with(&unknown, &present(*fact));
    }
    let Some(there) = there else { return outcome };
    match cube {
        Some(cube) => {
            outcome.no = there.minus(&cube);
            outcome.yes.extend(there.and(&cube));
        }
        None => outcome.no.push(there),
    }
    outcome
}
