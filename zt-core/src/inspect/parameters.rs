//! Parameters as `application/x-www-form-urlencoded` writes them: a query, or a form in a body.

use super::Inspector;
use super::report::Report;
use crate::base::percent::hex;
use crate::model::Code;

/// Whether the text goes on behind what the host handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    Yes,
    No,
}

/// `place` is what the details call it.
pub(super) fn inspect(inspector: &Inspector, text: &[u8], place: &'static str, cut: Cut, report: &mut Report) {
    let (separators, plain) = survey(text);
    if separators >= inspector.max_parameters && !text.is_empty() {
        return report.refuse(Code::InspectBadQuery, format!("parameters of the {place}"));
    }
    if plain {
        return;
    }
    let seen = read(text, cut);
    if seen.nul {
        report.refuse(Code::InspectControlCharacter, format!("nul in the {place}"));
    } else if seen.control {
        report.unclean(Code::InspectControlCharacter, place);
    }
    if seen.broken_percent {
        report.unclean(Code::InspectBadQuery, format!("percent-encoding of the {place}"));
    }
    if seen.overlong {
        report.unclean(Code::InspectBadQuery, format!("overlong utf-8 in the {place}"));
    } else if seen.not_utf8 {
        report.unclean(Code::InspectBadQuery, format!("utf-8 of the {place}"));
    }
}

/// How many `&`, and whether nothing in it needs a second look. Folds, not searches, so that they vectorise.
fn survey(text: &[u8]) -> (usize, bool) {
    let plain = !text.iter().fold(false, |other, &byte| other | (byte == b'%') | !(0x20..0x7f).contains(&byte));
    (memchr::memchr_iter(b'&', text).count(), plain)
}

#[derive(Default)]
struct Seen {
    nul: bool,
    control: bool,
    broken_percent: bool,
    overlong: bool,
    not_utf8: bool,
}

/// Decodes one parameter after the other into one buffer.
fn read(text: &[u8], cut: Cut) -> Seen {
    let mut seen = Seen::default();
    let mut decoded = Vec::new();
    let mut parameters = text.split(|byte| *byte == b'&').peekable();
    while let Some(parameter) = parameters.next() {
        let open = cut == Cut::Yes && parameters.peek().is_none();
        decoded.clear();
        seen.broken_percent |= !decode(parameter, open, &mut decoded);
        for &byte in &decoded {
            seen.nul |= byte == 0;
            seen.control |= byte.is_ascii_control() && !matches!(byte, b'\t' | b'\r' | b'\n');
        }
        if let Err(error) = std::str::from_utf8(&decoded)
            && !(open && error.error_len().is_none())
        {
            seen.not_utf8 = true;
            seen.overlong |= is_overlong(decoded.get(error.valid_up_to()..).unwrap_or_default());
        }
    }
    seen
}

/// Decodes what is encoded; false if a `%` stands without two digits. Where the text is `open` its end is not judged.
fn decode(text: &[u8], open: bool, out: &mut Vec<u8>) -> bool {
    let (mut rest, mut clean) = (text, true);
    while let Some(at) = memchr::memchr(b'%', rest) {
        let (plain, escape) = rest.split_at_checked(at).unwrap_or((rest, &[]));
        out.extend_from_slice(plain);
        let digits = (escape.get(1).copied().and_then(hex), escape.get(2).copied().and_then(hex));
        let length = if let (Some(high), Some(low)) = digits {
            out.push(high << 4 | low);
            3
        } else {
            if open && (escape.len() == 1 || escape.len() == 2 && digits.0.is_some()) {
                return clean;
            }
            clean = false;
            out.push(b'%');
            1
        };
        rest = escape.get(length..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    clean
}

/// Whether it starts with more bytes than UTF-8 writes that character with. Legacy two-byte charsets look like it too.
fn is_overlong(bytes: &[u8]) -> bool {
    matches!(bytes, [0xC0 | 0xC1, 0x80..=0xBF, ..] | [0xE0, 0x80..=0x9F, 0x80..=0xBF, ..])
        || matches!(bytes, [0xF0, 0x80..=0x8F, 0x80..=0xBF, 0x80..=0xBF, ..])
}
