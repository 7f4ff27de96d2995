//! Values as the expressions that make them.

use std::fmt::Write as _;

use crate::base::calendar::date;
use crate::policy::value::Stored;

const DAY_MS: i64 = 86_400_000;

/// A value as the expression that makes it.
pub(crate) fn write_value(out: &mut String, value: &Stored) {
    match value {
        Stored::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Stored::Long(n) => out.push_str(&n.to_string()),
        Stored::Str(text) => write_text(out, text),
        Stored::Entity(ty, id) => write_entity(out, ty, id),
        Stored::Set(members) => {
            out.push('[');
            for (at, member) in members.iter().enumerate() {
                out.push_str(if at == 0 { "" } else { ", " });
                write_value(out, member);
            }
            out.push(']');
        }
        Stored::Record(fields) => {
            out.push('{');
            for (at, (name, field)) in fields.iter().enumerate() {
                out.push_str(if at == 0 { "" } else { ", " });
                write_text(out, name);
                out.push_str(": ");
                write_value(out, field);
            }
            out.push('}');
        }
        Stored::Ip(ip) => {
            let _ = write!(out, "ip(\"{ip}\")");
        }
        Stored::Decimal(n) => {
            let sign = if *n < 0 { "-" } else { "" };
            let n = n.unsigned_abs();
            let _ = write!(out, "decimal(\"{sign}{}.{:04}\")", n / 10_000, n % 10_000);
        }
        Stored::Datetime(ms) => {
            let (year, month, day) = date(ms.div_euclid(DAY_MS));
            let of_day = ms.rem_euclid(DAY_MS);
            let (h, m, s, ms_of_s) = (of_day / 3_600_000, of_day / 60_000 % 60, of_day / 1_000 % 60, of_day % 1_000);
            let _ = match year {
                0..=9999 => {
                    write!(out, "datetime(\"{year:04}-{month:02}-{day:02}T{h:02}:{m:02}:{s:02}.{ms_of_s:03}Z\")")
                }
                _ => write!(out, "datetime(\"1970-01-01\").offset(duration(\"{ms}ms\"))"),
            };
        }
        Stored::Duration(ms) => {
            let _ = write!(out, "duration(\"{ms}ms\")");
        }
    }
}

pub(super) fn write_entity(out: &mut String, ty: &str, id: &str) {
    out.extend([ty, "::"]);
    write_text(out, id);
}

pub(super) fn write_text(out: &mut String, text: &str) {
    out.push_str(&quoted(text));
}

/// A Cedar string literal.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len().saturating_add(2));
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
