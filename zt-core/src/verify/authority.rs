//! The server's name, as a request says it.

use crate::model::{Request, Text};

/// The authority that a request is for: what the host says, else the `Host` header. None where the two contradict each
/// other, or two `Host` lines: whoever reads the other one would serve what was not signed for it.
pub(super) fn only<'r>(request: &'r Request<'_>) -> Option<&'r [u8]> {
    let mut lines = request.header("host").map(<[u8]>::trim_ascii);
    let told = request.host.as_ref().map(Text::bytes);
    match (told, lines.next(), lines.next()) {
        (_, _, Some(_)) => None,
        (Some(told), Some(line), None) => Some(told).filter(|told| told.eq_ignore_ascii_case(line)),
        (told, line, None) => told.or(line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_name() {
        for (told, lines, expected) in [
            (Some("a"), &[][..], Some("a")),
            (None, &["a"], Some("a")),
            (Some("a"), &[" A "], Some("a")),
            (Some("a"), &["b"], None),
            (Some("a"), &["a", "a"], None),
            (None, &["a", "b"], None),
            (None, &[], None),
        ] {
            let headers = lines.iter().map(|line| (Text::from("Host"), Text::from(*line))).collect();
            let request = Request { host: told.map(Text::from), headers, ..Request::default() };
            assert_eq!(only(&request), expected.map(str::as_bytes), "{request:?}");
        }
    }
}
