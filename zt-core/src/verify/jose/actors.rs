//! `act`: who acts for the subject of a token (RFC 8693, section 4.1).

use std::borrow::Cow;

use smallvec::SmallVec;

use super::Refusal;
use super::claims::{bad, is_name, not_json, skip_value};
use crate::base::json::{Scanner, Token};

/// Names of actors, the present one first.
pub(in crate::verify) type Actors<'a> = SmallVec<[Cow<'a, str>; 1]>;

/// Most actors in a chain.
const MOST: usize = 8;

/// Reads the value of `act`: nested objects, each with the `sub` of an actor and the `act` of the one before it. Other
/// members are passed over.
pub(in crate::verify) fn read<'a>(scanner: &mut Scanner<'a>) -> Result<Actors<'a>, Refusal> {
    let shape = bad("`act` is not a chain of objects");
    if scanner.next().map_err(not_json)? != Some(Token::BeginObject) {
        return Err(shape);
    }
    let mut actors: SmallVec<[Option<Cow<'a, str>>; 1]> = SmallVec::new();
    actors.push(None);
    // Its members may come in any order, so that the inner actor may be named first.
    let mut open = 1_usize;
    while open > 0 {
        match scanner.next().map_err(not_json)? {
            Some(Token::EndObject) => open = open.saturating_sub(1),
            Some(Token::Key(name)) => match &*name.unescape() {
                "sub" => match (scanner.next().map_err(not_json)?, actors.get_mut(open.saturating_sub(1))) {
                    (Some(Token::String(text)), Some(actor)) => *actor = Some(text.unescape()),
                    _ => return Err(bad("`sub` of an actor is not a string")),
                },
                "act" if actors.len() >= MOST => return Err(bad("more than 8 actors in `act`")),
                "act" => {
                    if scanner.next().map_err(not_json)? != Some(Token::BeginObject) {
                        return Err(shape);
                    }
                    actors.push(None);
                    open = open.saturating_add(1);
                }
                _ => skip_value(scanner)?,
            },
            _ => return Err(shape),
        }
    }
    let named = |actor: Option<Cow<'a, str>>| actor.filter(|name| !name.is_empty() && is_name(name));
    actors.into_iter().map(named).collect::<Option<_>>().ok_or(bad("an actor has no `sub` that is a name"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::json::Limits;
    use crate::model::Code;
    use proptest::prelude::*;

    fn read_text(json: &str) -> Result<Vec<String>, Code> {
        let mut scanner = Scanner::new(json.as_bytes(), &Limits::default());
        let actors = read(&mut scanner).map_err(|(code, _)| code)?;
        Ok(actors.into_iter().map(Cow::into_owned).collect())
    }

    #[test]
    fn the_present_actor_comes_first() {
        // RFC 8693, section 4.1.
        let json = r#"{"sub":"https://service16.example.com","act":{"sub":"https://service77.example.com"}}"#;
        assert_eq!(read_text(json).unwrap(), ["https://service16.example.com", "https://service77.example.com"]);
        let json = r#"{"iss":"i","act":{"act":{"x":{"act":5},"sub":"c"},"sub":"b"},"sub":"a"}"#;
        assert_eq!(read_text(json).unwrap(), ["a", "b", "c"]);
    }

    #[test]
    fn broken_chains() {
        let deep =
            |n: usize| format!("{}{}", r#"{"sub":"a","act":"#.repeat(n - 1), r#"{"sub":"a"}"#) + &"}".repeat(n - 1);
        assert_eq!(read_text(&deep(8)).unwrap().len(), 8);
        for json in [
            "null",
            "[]",
            "\"a\"",
            "{}",
            r#"{"sub":5}"#,
            r#"{"sub":""}"#,
            r#"{"sub":"a\u0000"}"#,
            r#"{"sub":"a","act":"b"}"#,
            r#"{"sub":"a","act":[{"sub":"b"}]}"#,
            r#"{"sub":"a","act":{}}"#,
            r#"{"sub":"a","act":{"act":{"sub":"b"}}}"#,
            r#"{"sub":"a","sub":"b"}"#,
            r#"{"sub":"a","act":{"sub":"b"},"act":{"sub":"c"}}"#,
            r#"{"sub":"a","#,
            &format!(r#"{{"sub":"{}"}}"#, "a".repeat(1_025)),
            &deep(9),
        ] {
            assert_eq!(read_text(json), Err(Code::VerifyBadClaims), "{json}");
        }
    }

    proptest! {
        #[test]
        fn any_text_never_panics(text in r#"(\{|\}|"sub":|"act":|"a"|,|:|\[|\]|5){0,30}"#) {
            let _ = read_text(&text);
        }
    }
}
