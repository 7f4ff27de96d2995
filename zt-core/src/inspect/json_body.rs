//! JSON bodies: strict (RFC 8259) and within limits.

use super::parameters::Cut;
use super::report::Report;
use crate::base::json::{Error, ErrorKind, Limits, Scanner, Str, Token};
use crate::model::Code;

/// Past this many digits an exponent is a bomb for every arbitrary-precision parser.
const MOST_EXPONENT_DIGITS: usize = 4;

/// A body declared as one JSON text.
pub(super) fn inspect(bytes: &[u8], limits: &Limits, cut: Cut, report: &mut Report) {
    finish(scan(bytes, limits), cut, report);
}

/// One JSON text a line; empty lines are passed over.
pub(super) fn inspect_lines(bytes: &[u8], limits: &Limits, cut: Cut, report: &mut Report) {
    inspect_many(bytes, b'\n', limits, cut, report);
}

/// RFC 7464: a record separator before each text.
pub(super) fn inspect_sequence(bytes: &[u8], limits: &Limits, cut: Cut, report: &mut Report) {
    inspect_many(bytes, 0x1E, limits, cut, report);
}

fn inspect_many(bytes: &[u8], separator: u8, limits: &Limits, cut: Cut, report: &mut Report) {
    let mut texts = bytes.split(|byte| *byte == separator).peekable();
    let mut left = *limits;
    let mut nul = false;
    while let Some(text) = texts.next() {
        let cut = if texts.peek().is_none() { cut } else { Cut::No };
        if text.trim_ascii().is_empty() {
            continue;
        }
        match scan(text, &left) {
            Ok(scanned) => {
                nul |= scanned.nul;
                // The number of values is bounded over all texts.
                left.values = left.values.saturating_sub(scanned.values);
            }
            failed => return finish(failed, cut, report),
        }
    }
    finish(Ok(Scanned { nul, values: 0 }), cut, report);
}

/// What a body that nothing declares as JSON turns out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sniffed {
    Json,
    Other,
}

/// A body that some server may read as JSON whatever its type says: what is hostile in it is reported as unclean.
pub(super) fn sniff(bytes: &[u8], limits: &Limits, cut: Cut, report: &mut Report) -> Sniffed {
    // Many a parser steps over a byte order mark.
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    if !matches!(bytes.trim_ascii_start().first(), Some(b'{' | b'[')) {
        return Sniffed::Other;
    }
    match scan(bytes, limits) {
        Ok(_) => Sniffed::Json,
        Err(error) if error.kind == ErrorKind::UnexpectedEnd && cut == Cut::Yes => Sniffed::Json,
        Err(error) => match problem(error.kind) {
            (Code::InspectJsonMalformed, _) => Sniffed::Other,
            (code, detail) => {
                report.unclean(code, detail);
                Sniffed::Json
            }
        },
    }
}

#[derive(Default)]
struct Scanned {
    values: u32,
    nul: bool,
}

fn scan(bytes: &[u8], limits: &Limits) -> Result<Scanned, Error> {
    let mut scanner = Scanner::new(bytes, limits);
    let mut scanned = Scanned::default();
    while let Some(token) = scanner.next()? {
        match token {
            Token::Key(text) => scanned.nul |= holds_nul(&text),
            Token::String(text) => scanned.nul |= holds_nul(&text),
            Token::Number(number) if exponent_digits(number) > MOST_EXPONENT_DIGITS => {
                return Err(Error { kind: ErrorKind::NumberTooLong, offset: scanner.offset() });
            }
            _ => {}
        }
        let value = !matches!(token, Token::Key(_) | Token::EndObject | Token::EndArray);
        scanned.values = scanned.values.saturating_add(u32::from(value));
    }
    Ok(scanned)
}

fn holds_nul(text: &Str<'_>) -> bool {
    text.is_escaped() && text.raw().contains("\\u0000") && text.unescape().contains('\0')
}

fn exponent_digits(number: &str) -> usize {
    let Some((_, exponent)) = number.split_once(['e', 'E']) else { return 0 };
    exponent.trim_start_matches(['+', '-']).trim_start_matches('0').len()
}

fn finish(scanned: Result<Scanned, Error>, cut: Cut, report: &mut Report) {
    match scanned {
        Ok(scanned) if scanned.nul => report.unclean(Code::InspectControlCharacter, "nul in a json string"),
        Ok(_) => {}
        Err(error) if error.kind == ErrorKind::UnexpectedEnd && cut == Cut::Yes => {}
        Err(error) => {
            let (code, detail) = problem(error.kind);
            report.refuse(code, detail);
        }
    }
}

fn problem(kind: ErrorKind) -> (Code, &'static str) {
    match kind {
        ErrorKind::TooDeep => (Code::InspectJsonTooDeep, "json depth"),
        ErrorKind::TooManyValues => (Code::InspectJsonTooLarge, "json values"),
        ErrorKind::TooManyMembers => (Code::InspectJsonTooLarge, "json members or elements"),
        ErrorKind::TooLarge => (Code::InspectJsonTooLarge, "json member name"),
        ErrorKind::NumberTooLong => (Code::InspectJsonTooLarge, "json number"),
        ErrorKind::DuplicateKey => (Code::InspectJsonDuplicateKey, "json member name"),
        ErrorKind::Malformed => (Code::InspectJsonMalformed, "json syntax"),
        ErrorKind::UnexpectedEnd => (Code::InspectJsonMalformed, "json ends early"),
        ErrorKind::TrailingData => (Code::InspectJsonMalformed, "data after the json value"),
        ErrorKind::InvalidUtf8 => (Code::InspectJsonMalformed, "json is not utf-8"),
        ErrorKind::ByteOrderMark => (Code::InspectJsonMalformed, "byte order mark"),
        ErrorKind::LoneSurrogate => (Code::InspectJsonMalformed, "lone surrogate in a json string"),
        ErrorKind::ControlCharacter => (Code::InspectJsonMalformed, "control character in a json string"),
    }
}
