//! Compiled expressions and values as Cedar text, for explanations and analysis.

mod name;
mod value;

use std::fmt::Write as _;

use super::program::{Arithmetic, Node, NodeId, Program, Run, Scope, Var};

pub(crate) use name::variable;
use name::{constructor, is_identifier, method, method2, sign};
pub(crate) use value::{quoted, write_value};
use value::{write_entity, write_text};

/// How tightly an expression binds, loosest first (Cedar's grammar).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Binds {
    If,
    Or,
    And,
    Relation,
    Sum,
    Product,
    Unary,
    Member,
}

impl Program {
    /// An expression. Recursion is bounded as evaluation's is.
    pub(crate) fn print(&self, node: NodeId) -> String {
        let mut out = String::new();
        self.write(&mut out, node, Binds::If);
        out
    }

    /// A scope of `principal` or `resource` as the text of the condition it is; nothing for any.
    pub(crate) fn print_scope(&self, var: Var, scope: Scope) -> Option<String> {
        let (var, name) = (variable(var), |ty: u32| self.name(ty).unwrap_or_default());
        Some(match scope {
            Scope::Any => return None,
            Scope::Eq(symbol) => format!("{var} == {}", self.print_symbol(symbol)),
            Scope::In(symbol) => format!("{var} in {}", self.print_symbol(symbol)),
            Scope::Is(ty) => format!("{var} is {}", name(ty)),
            Scope::IsIn(ty, symbol) => format!("{var} is {} in {}", name(ty), self.print_symbol(symbol)),
        })
    }

    /// An entity that policies name.
    pub(crate) fn print_symbol(&self, symbol: u32) -> String {
        let mut out = String::new();
        if let Some((ty, id)) = self.uids.get(symbol as usize) {
            write_entity(&mut out, ty, id);
        }
        out
    }

    /// The parts of a condition that must all hold, in the order in which they are evaluated.
    pub(crate) fn conjuncts(&self, body: Option<NodeId>) -> Vec<NodeId> {
        let (mut conjuncts, mut open) = (Vec::new(), Vec::from_iter(body));
        while let Some(node) = open.pop() {
            match self.nodes.get(node as usize) {
                Some(Node::And(run)) => open.extend(self.run(*run).iter().rev()),
                _ => conjuncts.push(node),
            }
        }
        conjuncts
    }

    /// Name of a declared attribute of the request context.
    pub(crate) fn declared_name(&self, at: u32) -> &str {
        self.declared.get(at as usize).map(|name| &**name).unwrap_or_default()
    }

    fn write(&self, out: &mut String, node: NodeId, around: Binds) {
        let Some(node) = self.nodes.get(node as usize) else { return };
        let brackets = binds(node) < around;
        out.push_str(if brackets { "(" } else { "" });
        self.write_bare(out, node);
        out.push_str(if brackets { ")" } else { "" });
    }

    fn write_bare(&self, out: &mut String, node: &Node) {
        match *node {
            Node::Bool(b) => out.push_str(if b { "true" } else { "false" }),
            Node::Long(n) => out.push_str(&n.to_string()),
            Node::Constant(at) => {
                if let Some(value) = self.constants.get(at as usize) {
                    write_value(out, value);
                }
            }
            // Whatever it was: an extension function that always fails.
            Node::Fail => out.push_str("ip(\"\")"),
            Node::Var(var) => out.push_str(variable(var)),
            Node::Fact(fact) => out.extend(["context.", fact.name()]),
            Node::HasFact(fact) => out.extend(["context has ", fact.name()]),
            Node::Declared(at) => out.extend(["context.", self.declared_name(at)]),
            Node::HasDeclared(at) => out.extend(["context has ", self.declared_name(at)]),
            Node::And(run) => self.write_joined(out, run, " && ", Binds::And),
            Node::Or(run) => self.write_joined(out, run, " || ", Binds::Or),
            Node::Not(a) => self.write_prefixed(out, "!", a),
            Node::Neg(a) => {
                // `-9` would be read as a number, which is the same value and another expression.
                let number = matches!(self.nodes.get(a as usize), Some(Node::Long(_)));
                self.write_prefixed(out, if number { "-(" } else { "-" }, a);
                out.push_str(if number { ")" } else { "" });
            }
            Node::If(test, then, other) => {
                for (word, part) in [("if ", test), (" then ", then), (" else ", other)] {
                    out.push_str(word);
                    self.write(out, part, Binds::If);
                }
            }
            Node::Equal(a, b) => self.write_infix(out, a, " == ", b, Binds::Sum),
            Node::NotEqual(a, b) => self.write_infix(out, a, " != ", b, Binds::Sum),
            Node::Order(order, a, b) => self.write_infix(out, a, sign(order), b, Binds::Sum),
            Node::Arithmetic(Arithmetic::Add, a, b) => self.write_infix(out, a, " + ", b, Binds::Product),
            Node::Arithmetic(Arithmetic::Subtract, a, b) => self.write_infix(out, a, " - ", b, Binds::Product),
            Node::Arithmetic(Arithmetic::Multiply, a, b) => self.write_infix(out, a, " * ", b, Binds::Unary),
            Node::In(a, b) => self.write_infix(out, a, " in ", b, Binds::Sum),
            Node::VarIn(var, symbol) => out.extend([variable(var), " in ", &self.print_symbol(symbol)]),
            Node::Is(a, ty) => {
                self.write(out, a, Binds::Sum);
                out.extend([" is ", self.name(ty).unwrap_or_default()]);
            }
            Node::Set(run) => {
                out.push('[');
                self.write_joined(out, run, ", ", Binds::If);
                out.push(']');
            }
            Node::Record(names, run) => {
                out.push('{');
                for (at, (name, value)) in self.run(names).iter().zip(self.run(run)).enumerate() {
                    out.push_str(if at == 0 { "" } else { ", " });
                    write_text(out, self.name(*name).unwrap_or_default());
                    out.push_str(": ");
                    self.write(out, *value, Binds::If);
                }
                out.push('}');
            }
            Node::Attribute(a, name) => {
                self.write(out, a, Binds::Member);
                match self.name(name).unwrap_or_default() {
                    name if is_identifier(name) => out.extend([".", name]),
                    name => out.extend(["[", &quoted(name), "]"]),
                }
            }
            Node::Has(a, path) => {
                self.write(out, a, Binds::Sum);
                out.push_str(" has ");
                match self.run(path) {
                    [one] => match self.name(*one).unwrap_or_default() {
                        name if is_identifier(name) => out.push_str(name),
                        name => write_text(out, name),
                    },
                    many => {
                        let names: Vec<&str> = many.iter().filter_map(|name| self.name(*name)).collect();
                        out.push_str(&names.join("."));
                    }
                }
            }
            Node::Tag(a, b) => self.write_call(out, a, "getTag", Some(b)),
            Node::HasTag(a, b) => self.write_call(out, a, "hasTag", Some(b)),
            Node::IsEmpty(a) => self.write_call(out, a, "isEmpty", None),
            Node::Contains(a, b) => self.write_call(out, a, "contains", Some(b)),
            Node::ContainsAll(a, b) => self.write_call(out, a, "containsAll", Some(b)),
            Node::ContainsAny(a, b) => self.write_call(out, a, "containsAny", Some(b)),
            Node::Like(a, pattern) => {
                self.write(out, a, Binds::Sum);
                out.push_str(" like ");
                if let Some(pattern) = self.patterns.get(pattern as usize) {
                    let runs: Vec<String> = pattern.runs().map(|run| quoted(run).replace('*', "\\*")).collect();
                    let bare: Vec<&str> =
                        runs.iter().map(|run| run.get(1..run.len().saturating_sub(1)).unwrap_or_default()).collect();
                    let _ = write!(out, "\"{}\"", bare.join("*"));
                }
            }
            Node::Call(function, a) => match constructor(function) {
                Some(name) => {
                    out.extend([name, "("]);
                    self.write(out, a, Binds::If);
                    out.push(')');
                }
                None => self.write_call(out, a, method(function), None),
            },
            Node::Call2(function, a, b) => self.write_call(out, a, method2(function), Some(b)),
        }
    }

    fn write_joined(&self, out: &mut String, run: Run, between: &str, around: Binds) {
        for (at, member) in self.run(run).iter().enumerate() {
            out.push_str(if at == 0 { "" } else { between });
            self.write(out, *member, around);
        }
    }

    fn write_prefixed(&self, out: &mut String, sign: &str, a: NodeId) {
        out.push_str(sign);
        self.write(out, a, Binds::Member);
    }

    /// Cedar's sums and products lean to the left; relations do not chain at all.
    fn write_infix(&self, out: &mut String, a: NodeId, sign: &str, b: NodeId, right: Binds) {
        let left = match right {
            Binds::Product => Binds::Sum,
            Binds::Unary => Binds::Product,
            other => other,
        };
        self.write(out, a, left);
        out.push_str(sign);
        self.write(out, b, right);
    }

    fn write_call(&self, out: &mut String, on: NodeId, method: &str, argument: Option<NodeId>) {
        self.write(out, on, Binds::Member);
        out.extend([".", method, "("]);
        if let Some(argument) = argument {
            self.write(out, argument, Binds::If);
        }
        out.push(')');
    }
}

const fn binds(node: &Node) -> Binds {
    match node {
        Node::If(..) => Binds::If,
        Node::Or(_) => Binds::Or,
        Node::And(_) => Binds::And,
        Node::Equal(..)
        | Node::NotEqual(..)
        | Node::Order(..)
        | Node::In(..)
        | Node::VarIn(..)
        | Node::Is(..)
        | Node::HasFact(_)
        | Node::HasDeclared(_)
        | Node::Has(..)
        | Node::Like(..) => Binds::Relation,
        Node::Arithmetic(Arithmetic::Add | Arithmetic::Subtract, ..) => Binds::Sum,
        Node::Arithmetic(Arithmetic::Multiply, ..) => Binds::Product,
        Node::Not(_) | Node::Neg(_) => Binds::Unary,
        Node::Long(n) if *n < 0 => Binds::Unary,
        _ => Binds::Member,
    }
}
