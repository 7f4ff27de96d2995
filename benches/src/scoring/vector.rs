//! A request as the 24 numbers that `benches/peers/detection/vector.py` makes of it.

use zt_core::base::percent::hex;
use zt_core::model::Request;

pub(super) const DIMENSIONS: usize = 24;
pub(super) type Vector = [f64; DIMENSIONS];

const METHODS: [&[u8]; 7] = [b"GET", b"POST", b"PUT", b"DELETE", b"PATCH", b"HEAD", b"OPTIONS"];
/// Classes of bytes, behind that of the letters.
const GROUPS: [&[u8]; 10] = [b"@", b"0123456789", b" +", b"/\\", b".-_", b"'\"`", b"<>", b"()[]{}", b";|&$", b"=,:"];
const CLASSES: usize = 14;

fn class(byte: u8) -> usize {
    match byte {
        _ if byte.is_ascii_alphabetic() => 0,
        ..=31 | 127 => 11,
        128.. => 12,
        _ => GROUPS.iter().position(|group| group.contains(&byte)).map_or(CLASSES - 1, |at| at + 1),
    }
}

/// Method; logarithms of lengths; counts; entropy of all text, decoded, and logarithms of its classes' counts.
pub(super) fn vector(request: &Request<'_>) -> Vector {
    let (path, query) = (request.path.bytes(), request.query.as_ref().map_or(&[][..], |query| query.bytes()));
    let body = request.body.as_ref().map_or(&[][..], |body| body.bytes());
    let is_form = request
        .header("content-type")
        .any(|value| value.to_ascii_lowercase().windows(21).any(|window| window == b"x-www-form-urlencoded"));
    let (form, rest) = if is_form { (body, &[][..]) } else { (&[][..], body) };
    let pairs =
        || [query, form].into_iter().flat_map(|text| text.split(|byte| *byte == b'&')).filter(|p| !p.is_empty());
    let value =
        |pair: &[u8]| pair.iter().position(|byte| *byte == b'=').map_or(0, |at| decoded(&pair[at + 1..]).count());
    let headers = || request.headers.iter().map(|(_, value)| value.bytes());
    let longest = pairs().map(value).chain(headers().map(<[u8]>::len)).max().unwrap_or_default();

    let mut bytes = [0_u32; 256];
    let mut add = |byte: u8| bytes[usize::from(byte)] += 1;
    decoded(path).for_each(&mut add);
    decoded(query).filter(|byte| *byte != b'&').for_each(&mut add);
    decoded(form).for_each(&mut add);
    rest.iter().copied().chain(headers().flatten().copied()).for_each(&mut add);
    let mut classes = [0_u32; CLASSES];
    (0..=255_u8).for_each(|byte| classes[class(byte)] += bytes[usize::from(byte)]);
    let all = f64::from(bytes.iter().sum::<u32>().max(1));
    let share = |count: &u32| f64::from(*count) / all;
    let entropy =
        -bytes.iter().filter(|count| **count > 0).map(|count| share(count) * share(count).log2()).sum::<f64>();

    let method = METHODS.iter().position(|method| *method == request.method.bytes()).unwrap_or(METHODS.len());
    let length = |length: usize| (length as f64).ln_1p();
    let mut vector = [0.0; DIMENSIONS];
    let slashes = path.iter().filter(|byte| **byte == b'/').count();
    let first = [
        method as f64,
        length(path.len()),
        length(query.len()),
        length(body.len()),
        length(longest),
        length(headers().map(<[u8]>::len).sum()),
        slashes as f64,
        pairs().count() as f64,
        headers().count() as f64,
        entropy,
    ];
    let all = first.into_iter().chain(classes.into_iter().map(|count| f64::from(count).ln_1p()));
    vector.iter_mut().zip(all).for_each(|(x, own)| *x = own);
    vector
}

/// A `+` is a space, a `%` without two digits itself.
fn decoded(text: &[u8]) -> impl Iterator<Item = u8> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (&byte, tail) = rest.split_first()?;
        rest = tail;
        Some(match (byte, tail) {
            (b'+', _) => b' ',
            (b'%', [high, low, after @ ..]) => match hex(*high).zip(hex(*low)) {
                Some((high, low)) => {
                    rest = after;
                    high << 4 | low
                }
                None => b'%',
            },
            _ => byte,
        })
    })
}
