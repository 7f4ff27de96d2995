//! What a webhook's headers say: when it was sent, what is signed, and the signatures.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use smallvec::SmallVec;

use super::WebhookFormat;
use crate::model::{Code, Millis, Request};
use crate::verify::Refusal;
use crate::verify::mac::{self, Digest};

/// Signatures that are looked at: a sender has one for each secret while it rotates them.
const MOST_SIGNATURES: usize = 8;
/// The longest header that is looked at.
const MAX_HEADER_BYTES: usize = 2_048;
const MAX_ID_BYTES: usize = 256;

/// A webhook, its signatures unproven.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Message<'r> {
    pub(super) signatures: SmallVec<[Digest; 2]>,
    /// What is signed before the body.
    pub(super) before: SmallVec<[&'r [u8]; 4]>,
    /// When it was signed.
    pub(super) sent: Option<Millis>,
}

impl<'r> Message<'r> {
    /// Reads a request that has this header.
    pub(super) fn read(format: WebhookFormat, header: &'r str, request: &'r Request<'_>) -> Result<Self, Refusal> {
        let value = only(request, header)?.ok_or(bad("the signature's header is missing"))?;
        let (mut signatures, mut before, mut sent) = (SmallVec::new(), SmallVec::new(), None);
        match format {
            WebhookFormat::Standard => {
                let stem = header.get(..header.len().saturating_sub("signature".len())).unwrap_or_default();
                let beside = |name: &str| {
                    let same = |n: &[u8]| {
                        n.split_at_checked(stem.len()).is_some_and(|(s, n)| {
                            s.eq_ignore_ascii_case(stem.as_bytes()) && n.eq_ignore_ascii_case(name.as_bytes())
                        })
                    };
                    let mut values = request.headers.iter().filter(|(n, _)| same(n.bytes())).map(|(_, v)| v.bytes());
                    values.next().filter(|_| values.next().is_none())
                };
                let id = beside("id").ok_or(bad("the header with the id is missing or stands twice"))?;
                // Without a `.`, so that nothing can be moved from the body into it.
                if id.is_empty() || id.len() > MAX_ID_BYTES || !id.iter().all(|b| b.is_ascii_graphic() && *b != b'.') {
                    return Err(bad("the id is empty, too long, or with characters that it cannot have"));
                }
                let at = beside("timestamp").ok_or(bad("the header with the time is missing or stands twice"))?;
                sent = Some(seconds(at)?);
                before.extend([id, b".", at, b"."]);
                for part in listed(value, b' ')? {
                    if let Some(text) = part.strip_prefix(b"v1,") {
                        let bytes = STANDARD.decode(text).ok().and_then(|bytes| Digest::try_from(bytes).ok());
                        signatures.push(bytes.ok_or(bad("a `v1` signature is not 32 bytes in base64"))?);
                    }
                }
            }
            WebhookFormat::Stripe => {
                for part in listed(value, b',')? {
                    if let Some(text) = part.strip_prefix(b"t=") {
                        if sent.replace(seconds(text)?).is_some() {
                            return Err(bad("`t` stands twice"));
                        }
                        before.extend([text, b"."]);
                    } else if let Some(text) = part.strip_prefix(b"v1=") {
                        signatures.push(lower_hex(text)?);
                    }
                }
                if sent.is_none() {
                    return Err(bad("`t` is missing"));
                }
            }
            WebhookFormat::Github => {
                let text = value.strip_prefix(b"sha256=").ok_or(bad("not `sha256=`"))?;
                signatures.push(lower_hex(text)?);
            }
        }
        match signatures.is_empty() {
            true => Err(bad("no `v1` signature")),
            false => Ok(Self { signatures, before, sent }),
        }
    }
}

const fn bad(detail: &'static str) -> Refusal {
    (Code::VerifySignatureMalformed, detail)
}

/// The only value of a header. Of two, which one counts would be a guess.
fn only<'r>(request: &'r Request<'_>, header: &'r str) -> Result<Option<&'r [u8]>, Refusal> {
    let mut values = request.header(header);
    match (values.next(), values.next()) {
        (_, Some(_)) => Err(bad("the signature's header stands twice")),
        (Some(value), None) if value.len() > MAX_HEADER_BYTES => Err(bad("the signature's header is too long")),
        (value, None) => Ok(value),
    }
}

/// The parts of a list, a bounded number of them. Other versions than ours may be among them.
fn listed(value: &[u8], between: u8) -> Result<SmallVec<[&[u8]; MOST_SIGNATURES]>, Refusal> {
    // One more for `t`.
    let most = MOST_SIGNATURES.saturating_add(usize::from(between == b','));
    let parts: SmallVec<_> = value.split(|byte| *byte == between).take(most.saturating_add(1)).collect();
    match parts.len() > most {
        true => Err(bad("too many signatures")),
        false => Ok(parts),
    }
}

fn lower_hex(text: &[u8]) -> Result<Digest, Refusal> {
    mac::from_lower_hex(text).ok_or(bad("a signature is not 64 hexadecimal digits in lower case"))
}

/// Seconds since the epoch, in their only spelling.
fn seconds(text: &[u8]) -> Result<Millis, Refusal> {
    let wrong = bad("the time is not in seconds since the epoch");
    match text {
        [b'1'..=b'9', rest @ ..] if rest.len() <= 11 && rest.iter().all(u8::is_ascii_digit) => {
            let seconds: i64 = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).ok_or(wrong)?;
            Ok(seconds.saturating_mul(1_000))
        }
        _ => Err(wrong),
    }
}
