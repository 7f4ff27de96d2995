//! Header syntax (RFC 9110, section 5) and headers that servers read in different ways (RFC 9112, sections 3.2 and 6).

use std::borrow::Cow;

use super::Inspector;
use super::report::Report;
use crate::base::media_type::is_token;
use crate::model::{Code, Request};

/// Names of headers in a detail are cut to this.
const MOST_NAME: usize = 64;

pub(super) fn inspect(inspector: &Inspector, request: &Request<'_>, report: &mut Report) {
    let bytes: usize = request.headers.iter().fold(0, |sum: usize, (name, value)| {
        sum.saturating_add(name.bytes().len()).saturating_add(value.bytes().len())
    });
    if request.headers.len() > inspector.max_headers {
        return report.refuse(Code::InspectHeadersTooLarge, "number of headers");
    }
    if bytes > inspector.max_header_bytes {
        return report.refuse(Code::InspectHeadersTooLarge, "bytes of headers");
    }
    let mut bad = None;
    let mut seen = Seen::default();
    for (name, value) in &request.headers {
        let (name, value) = (name.bytes(), value.bytes());
        if bad.is_none() && !(is_token(name) && is_value(value)) {
            bad = Some(name);
        }
        seen.note(name, value.trim_ascii());
    }
    if let Some(name) = bad {
        report.refuse(Code::InspectBadHeader, shown(name));
    }
    seen.report(request, report);
}

/// RFC 9110, section 5.6.2.
/// No control character but a tab; bytes above ASCII are allowed. A fold, not a search, so that it vectorises.
fn is_value(text: &[u8]) -> bool {
    !text.iter().fold(false, |bad, &byte| bad | (byte < 0x20 && byte != b'\t') | (byte == 0x7f))
}

/// What a detail calls a bad header. What is no name may be a whole line that was misread, its secrets included: it is not shown.
fn shown(name: &[u8]) -> Cow<'static, str> {
    if !is_token(name) {
        return "the name of a header".into();
    }
    let plain = |&byte: &u8| if byte == b'`' { '?' } else { char::from(byte.to_ascii_lowercase()) };
    let name: String = name.iter().take(MOST_NAME).map(plain).collect();
    format!("header `{name}`").into()
}

/// The headers that decide where a message ends, whom it is for and what it asks.
#[derive(Default)]
struct Seen<'a> {
    host: One<'a>,
    length: One<'a>,
    coding: One<'a>,
    kind: One<'a>,
    method: Option<&'a [u8]>,
    target: Option<&'a [u8]>,
}

/// A header that may stand once.
#[derive(Default)]
struct One<'a> {
    value: Option<&'a [u8]>,
    again: bool,
}

impl<'a> One<'a> {
    fn note(&mut self, value: &'a [u8]) {
        self.again |= self.value.is_some();
        self.value = Some(value);
    }
}

impl<'a> Seen<'a> {
    fn note(&mut self, name: &[u8], value: &'a [u8]) {
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        match name.len() {
            4 if is("host") => self.host.note(value),
            12 if is("content-type") => self.kind.note(value),
            14 if is("content-length") => self.length.note(value),
            17 if is("transfer-encoding") => self.coding.note(value),
            22 if is("x-http-method-override") => self.method = Some(value),
            13 if is("x-http-method") => self.method = Some(value),
            17 if is("x-method-override") => self.method = Some(value),
            14 if is("x-original-url") => self.target = Some(value),
            13 if is("x-rewrite-url") => self.target = Some(value),
            _ => {}
        }
    }

    fn report(&self, request: &Request<'_>, report: &mut Report) {
        let code = Code::InspectConflictingHeaders;
        if self.host.again {
            report.refuse(code, "several headers `host`");
        } else if let Some(host) = self.host.value {
            if !is_authority(host) {
                report.refuse(Code::InspectBadHeader, "header `host`");
            } else if request.host.as_ref().is_some_and(|other| !same_authority(host, other.bytes())) {
                // A host that sits behind a proxy may hand over the name it is known by outside.
                report.unclean(code, "header `host` is not the request's host");
            }
        }
        if self.length.again {
            report.refuse(code, "several headers `content-length`");
        } else if self.length.value.is_some_and(|value| length(value).is_none()) {
            report.refuse(code, "header `content-length` is not one number");
        }
        if let Some(coding) = self.coding.value {
            let old = request.http_version.as_ref().is_some_and(|version| version.bytes() == b"1.0");
            if self.length.value.is_some() {
                report.refuse(code, "header `content-length` beside `transfer-encoding`");
            } else if self.coding.again || old || !ends_chunked(coding) {
                report.refuse(code, "header `transfer-encoding`");
            }
        }
        if self.kind.again {
            report.refuse(code, "several headers `content-type`");
        }
        if self.method.is_some_and(|method| !method.eq_ignore_ascii_case(request.method.bytes())) {
            report.overridden(code, "a header overrides the method");
        }
        if self.target.is_some_and(|target| !is_target(request, target)) {
            report.overridden(code, "a header overrides the target");
        }
    }
}

/// A `Content-Length`: digits and nothing else, one number.
pub(super) fn length(value: &[u8]) -> Option<u64> {
    let digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(value).ok().filter(|_| digits)?.parse().ok()
}

/// Only what an authority is written with (RFC 3986, section 3.2), without user information.
fn is_authority(host: &[u8]) -> bool {
    host.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=:[]".contains(byte) || !byte.is_ascii())
}

/// Whether two authorities name the same host: case and a default port aside.
fn same_authority(one: &[u8], other: &[u8]) -> bool {
    fn bare(authority: &[u8]) -> &[u8] {
        authority.strip_suffix(b":443").or_else(|| authority.strip_suffix(b":80")).unwrap_or(authority)
    }
    bare(one).eq_ignore_ascii_case(bare(other.trim_ascii()))
}

/// RFC 9112, section 6.3: in a request the last coding is `chunked`.
fn ends_chunked(coding: &[u8]) -> bool {
    coding.rsplit(|byte| *byte == b',').next().is_some_and(|last| last.trim_ascii().eq_ignore_ascii_case(b"chunked"))
}

fn is_target(request: &Request<'_>, target: &[u8]) -> bool {
    let Some(rest) = target.strip_prefix(request.path.bytes()) else { return false };
    let query = request.query.as_ref().map(|query| query.bytes()).unwrap_or_default();
    rest.is_empty() || rest.strip_prefix(b"?") == Some(query)
}
