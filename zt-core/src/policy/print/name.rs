//! What operators and functions are called in Cedar.

use crate::policy::program::{Function, Function2, Order, Var};

pub(crate) const fn variable(var: Var) -> &'static str {
    match var {
        Var::Principal => "principal",
        Var::Action => "action",
        Var::Resource => "resource",
        Var::Context => "context",
    }
}

/// Whether a name can stand behind a dot.
pub(super) fn is_identifier(name: &str) -> bool {
    const RESERVED: [&str; 10] = ["true", "false", "if", "then", "else", "in", "like", "has", "is", "__cedar"];
    let letter = |c: char| c.is_ascii_alphabetic() || c == '_';
    name.starts_with(letter) && name.chars().all(|c| letter(c) || c.is_ascii_digit()) && !RESERVED.contains(&name)
}

pub(super) const fn sign(order: Order) -> &'static str {
    match order {
        Order::Less => " < ",
        Order::LessEqual => " <= ",
        Order::Greater => " > ",
        Order::GreaterEqual => " >= ",
    }
}

pub(super) const fn constructor(function: Function) -> Option<&'static str> {
    match function {
        Function::Ip => Some("ip"),
        Function::Decimal => Some("decimal"),
        Function::Datetime => Some("datetime"),
        Function::Duration => Some("duration"),
        _ => None,
    }
}

pub(super) const fn method(function: Function) -> &'static str {
    match function {
        Function::Ip | Function::Decimal | Function::Datetime | Function::Duration => "",
        Function::IsIpv4 => "isIpv4",
        Function::IsIpv6 => "isIpv6",
        Function::IsLoopback => "isLoopback",
        Function::IsMulticast => "isMulticast",
        Function::ToDate => "toDate",
        Function::ToTime => "toTime",
        Function::ToMilliseconds => "toMilliseconds",
        Function::ToSeconds => "toSeconds",
        Function::ToMinutes => "toMinutes",
        Function::ToHours => "toHours",
        Function::ToDays => "toDays",
    }
}

pub(super) const fn method2(function: Function2) -> &'static str {
    match function {
        Function2::IsInRange => "isInRange",
        Function2::Offset => "offset",
        Function2::DurationSince => "durationSince",
        Function2::Decimal(Order::Less) => "lessThan",
        Function2::Decimal(Order::LessEqual) => "lessThanOrEqual",
        Function2::Decimal(Order::Greater) => "greaterThan",
        Function2::Decimal(Order::GreaterEqual) => "greaterThanOrEqual",
    }
}
