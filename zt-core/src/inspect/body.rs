//! The body: its size, and what its content type says it is.

use super::json_body::{self, Sniffed};
use super::parameters::{self, Cut};
use super::report::Report;
use super::{Inspector, headers, multipart};
use crate::base::media_type::{Kind, MediaType};
use crate::model::{Code, Request};

pub(super) fn inspect(inspector: &Inspector, request: &Request<'_>, report: &mut Report) {
    let bytes = request.body.as_ref().map(|body| body.bytes()).unwrap_or_default();
    let held = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    let length = request.body_len.or_else(|| announced(request)).unwrap_or(held).max(held);
    if length > u64::try_from(inspector.max_body).unwrap_or(u64::MAX) {
        return report.refuse(Code::InspectBodyTooLarge, "body");
    }
    let declared = request.header("content-type").map(<[u8]>::trim_ascii).find(|value| !value.is_empty());
    let media_type = match declared.map(MediaType::parse) {
        // Also without a body: a malformed type is itself an attack on those who parse it.
        Some(None) => return report.refuse(Code::InspectContentType, "header `content-type`"),
        Some(Some(media_type)) => Some(media_type),
        None => None,
    };
    if bytes.is_empty() {
        return;
    }
    let cut = if request.body_len.is_some_and(|length| length > held) { Cut::Yes } else { Cut::No };
    match media_type {
        Some(media_type) => of_type(inspector, request, bytes, &media_type, cut, report),
        None => {
            report.unclean(Code::InspectContentType, "no header `content-type`");
            json_body::sniff(bytes, &inspector.json, cut, report);
        }
    }
}

fn of_type(
    inspector: &Inspector,
    request: &Request<'_>,
    bytes: &[u8],
    media_type: &MediaType<'_>,
    cut: Cut,
    report: &mut Report,
) {
    if is_compressed(request, media_type.kind, bytes) {
        return report.unclean(Code::InspectContentType, "header `content-encoding`: the body cannot be read");
    }
    if matches!(media_type.kind, Kind::Json | Kind::JsonLines | Kind::JsonSequence) && !media_type.is_utf8() {
        return report.refuse(Code::InspectContentType, "charset of json");
    }
    let limits = &inspector.json;
    match media_type.kind {
        Kind::Json => json_body::inspect(bytes, limits, cut, report),
        Kind::JsonLines => json_body::inspect_lines(bytes, limits, cut, report),
        Kind::JsonSequence => json_body::inspect_sequence(bytes, limits, cut, report),
        Kind::Multipart => multipart::inspect(inspector, bytes, media_type.boundary, cut, report),
        Kind::Form => match json_body::sniff(bytes, limits, cut, report) {
            Sniffed::Json => report.unclean(Code::InspectContentType, "json declared as a form"),
            Sniffed::Other => parameters::inspect(inspector, bytes, "form", cut, report),
        },
        // Some servers read a body as JSON whatever its type says: only what is hostile in it counts.
        Kind::PlainText | Kind::Other => drop(json_body::sniff(bytes, limits, cut, report)),
    }
}

/// The body's length by its header, where the host did not say.
fn announced(request: &Request<'_>) -> Option<u64> {
    request.header("content-length").find_map(|value| headers::length(value.trim_ascii()))
}

/// Whether some parser takes it for the start of a JSON text: many step over a byte order mark, and Python's knows UTF-16
/// and UTF-32 by theirs or by their NULs.
fn may_be_json(bytes: &[u8]) -> bool {
    const MARKS: [&[u8]; 3] = [b"\xEF\xBB\xBF", b"\xFE\xFF", b"\xFF\xFE"];
    let starts = |byte: &u8| matches!(byte, b'{' | b'[' | b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n' | 0x1E);
    bytes.first().is_some_and(|byte| starts(byte) || *byte == 0) || MARKS.iter().any(|mark| bytes.starts_with(mark))
}

/// Whether a content coding is declared and the bytes show it: for a server that ignores the coding they must be no
/// body of this kind, or declaring one would be a way around the checks.
fn is_compressed(request: &Request<'_>, kind: Kind, bytes: &[u8]) -> bool {
    let coded = |value: &[u8]| !matches!(value.trim_ascii(), b"" | b"identity");
    let shows = match kind {
        Kind::Json | Kind::JsonLines | Kind::JsonSequence => !may_be_json(bytes.trim_ascii_start()),
        // gzip, zstd, zlib.
        Kind::Form | Kind::Multipart | Kind::PlainText => {
            matches!(bytes, [0x1F, 0x8B, ..] | [0x28, 0xB5, 0x2F, 0xFD, ..] | [0x78, 0x01 | 0x9C | 0xDA, ..])
        }
        Kind::Other => false,
    };
    shows && request.header("content-encoding").any(coded)
}
