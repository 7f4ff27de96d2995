//! Which members an object of claims has.

use super::claims::LIMITS;
use crate::base::json::{Scanner, Token};

/// Whether the object has each of these top-level members, with something other than `null` in it.
pub(in crate::verify) fn has_all(json: &[u8], names: &[impl AsRef<str>]) -> bool {
    let mut missing: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    let mut scanner = Scanner::new(json, &LIMITS);
    while !missing.is_empty() {
        let Ok(Some(token)) = scanner.next() else { return false };
        let Token::Key(name) = token else { continue };
        if scanner.depth() != 1 {
            continue;
        }
        let name = name.unescape();
        match scanner.next() {
            Ok(Some(Token::Null)) => {}
            Ok(Some(_)) => missing.retain(|wanted| *wanted != name),
            _ => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_of_the_top_level_count() {
        let json = br#"{"a":null,"b":{"c":1},"d":[{"e":1}],"f\u0067":false,"h":"x"}"#;
        let has = |names: &[&str]| has_all(json, names);
        assert!(has(&[]) && has(&["b", "d", "fg", "h"]) && has(&["h", "b"]) && has(&["h", "h"]));
        for missing in ["a", "c", "e", "x", ""] {
            assert!(!has(&[missing]) && !has(&["h", missing]), "{missing}");
        }
        assert!(!has_all(b"", &["a"]));
    }
}
