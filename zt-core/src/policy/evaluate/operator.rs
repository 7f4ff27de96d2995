//! Operators and extension functions on values.

use crate::policy::datetime::{date_of, parse_datetime, parse_decimal, parse_duration, time_of};
use crate::policy::ip::Ip;
use crate::policy::program::{Arithmetic, Function, Function2, Order};
use crate::policy::value::Value;

use super::Failed;

pub(super) fn compare(order: Order, a: Value<'_>, b: Value<'_>) -> Result<bool, Failed> {
    match (a, b) {
        (Value::Long(a), Value::Long(b))
        | (Value::Datetime(a), Value::Datetime(b))
        | (Value::Duration(a), Value::Duration(b)) => Ok(ordered(order, a, b)),
        _ => Err(Failed),
    }
}

const fn ordered(order: Order, a: i64, b: i64) -> bool {
    match order {
        Order::Less => a < b,
        Order::LessEqual => a <= b,
        Order::Greater => a > b,
        Order::GreaterEqual => a >= b,
    }
}

pub(super) const fn arithmetic(op: Arithmetic, a: i64, b: i64) -> Option<i64> {
    match op {
        Arithmetic::Add => a.checked_add(b),
        Arithmetic::Subtract => a.checked_sub(b),
        Arithmetic::Multiply => a.checked_mul(b),
    }
}

/// An extension function of one argument.
pub(crate) fn call<'a>(function: Function, value: Value<'_>) -> Result<Value<'a>, Failed> {
    Ok(match (function, value) {
        (Function::Ip, Value::Str(s)) => Value::Ip(Ip::parse(s).ok_or(Failed)?),
        (Function::Decimal, Value::Str(s)) => Value::Decimal(parse_decimal(s).ok_or(Failed)?),
        (Function::Datetime, Value::Str(s)) => Value::Datetime(parse_datetime(s).ok_or(Failed)?),
        (Function::Duration, Value::Str(s)) => Value::Duration(parse_duration(s).ok_or(Failed)?),
        (Function::IsIpv4, Value::Ip(ip)) => Value::Bool(ip.is_ipv4()),
        (Function::IsIpv6, Value::Ip(ip)) => Value::Bool(!ip.is_ipv4()),
        (Function::IsLoopback, Value::Ip(ip)) => Value::Bool(ip.is_loopback()),
        (Function::IsMulticast, Value::Ip(ip)) => Value::Bool(ip.is_multicast()),
        (Function::ToDate, Value::Datetime(t)) => Value::Datetime(date_of(t).ok_or(Failed)?),
        (Function::ToTime, Value::Datetime(t)) => Value::Duration(time_of(t)),
        (Function::ToMilliseconds, Value::Duration(d)) => Value::Long(d),
        (Function::ToSeconds, Value::Duration(d)) => Value::Long(d / 1_000),
        (Function::ToMinutes, Value::Duration(d)) => Value::Long(d / 60_000),
        (Function::ToHours, Value::Duration(d)) => Value::Long(d / 3_600_000),
        (Function::ToDays, Value::Duration(d)) => Value::Long(d / 86_400_000),
        _ => return Err(Failed),
    })
}

/// An extension function of two arguments.
pub(crate) fn call2<'a>(function: Function2, a: Value<'_>, b: Value<'_>) -> Result<Value<'a>, Failed> {
    Ok(match (function, a, b) {
        (Function2::IsInRange, Value::Ip(a), Value::Ip(b)) => Value::Bool(a.is_in_range(b)),
        (Function2::Offset, Value::Datetime(t), Value::Duration(d)) => Value::Datetime(t.checked_add(d).ok_or(Failed)?),
        (Function2::DurationSince, Value::Datetime(a), Value::Datetime(b)) => {
            Value::Duration(a.checked_sub(b).ok_or(Failed)?)
        }
        (Function2::Decimal(order), Value::Decimal(a), Value::Decimal(b)) => Value::Bool(ordered(order, a, b)),
        _ => return Err(Failed),
    })
}
