//! Claims of a JWT (RFC 7519; access tokens: RFC 9068), read strictly and once.

use std::borrow::Cow;

use smallvec::SmallVec;

use super::Refusal;
use super::actors::{self, Actors};
use super::confirmation::Confirmation;
use super::header::has_control;
use crate::base::json::{Error, Kind, Limits, Scanner};
use crate::model::{Code, Millis};

/// The end of the year 9999 in seconds: later times are mistakes.
pub(in crate::verify) const LAST_SECOND: i64 = 253_402_300_799;
/// The longest `sub`, `jti`, `acr` or `sid`.
const MAX_NAME_BYTES: usize = 1 << 10;

pub(in crate::verify) const LIMITS: Limits = Limits {
    bytes: 64 << 10,
    depth: 16,
    values: 4_096,
    members: 256,
    elements: 2_048,
    number_digits: 64,
    key_bytes: 512,
};

/// The claims that are looked at here, and so cannot hold roles.
pub(in crate::verify) const REGISTERED: &[&str] = &[
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "auth_time",
    "acr",
    "cnf",
    "scope",
    "scp",
    "sid",
    "act",
    "client_id",
    "azp",
    "nonce",
    "at_hash",
    "c_hash",
    "s_hash",
    "azpacr",
    "token_use",
    "typ",
    "events",
];

/// Strings of an array, or of a string divided at spaces.
pub(in crate::verify) type Names<'a> = SmallVec<[Cow<'a, str>; 4]>;

/// What else tells an ID token from an access token.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::verify) struct Marks {
    /// `at_hash`, `c_hash` or `s_hash` is there.
    pub(in crate::verify) hash: bool,
    pub(in crate::verify) nonce: bool,
    /// `token_use` is `id`, or `typ` is `ID`.
    pub(in crate::verify) says_id: bool,
    /// `azpacr` or `roles` is there.
    pub(in crate::verify) of_application: bool,
    /// `events` is there, and an object.
    pub(in crate::verify) events: bool,
}

/// What a token claims, types checked.
#[derive(Debug, Default)]
pub(in crate::verify) struct Claimed<'a> {
    pub(in crate::verify) iss: Option<Cow<'a, str>>,
    pub(in crate::verify) sub: Option<Cow<'a, str>>,
    pub(in crate::verify) jti: Option<Cow<'a, str>>,
    pub(in crate::verify) acr: Option<Cow<'a, str>>,
    pub(in crate::verify) sid: Option<Cow<'a, str>>,
    pub(in crate::verify) cnf: Option<Confirmation>,
    /// Of `act`, the present actor first.
    pub(in crate::verify) actors: Actors<'a>,
    pub(in crate::verify) aud: Option<Names<'a>>,
    pub(in crate::verify) exp: Option<Millis>,
    pub(in crate::verify) nbf: Option<Millis>,
    pub(in crate::verify) iat: Option<Millis>,
    pub(in crate::verify) auth_time: Option<Millis>,
    pub(in crate::verify) scope: Option<Names<'a>>,
    pub(in crate::verify) scp: Option<Names<'a>>,
    pub(in crate::verify) client_id: Option<Cow<'a, str>>,
    pub(in crate::verify) azp: Option<Cow<'a, str>>,
    pub(in crate::verify) marks: Marks,
    /// By place in the list of role claims that was given; `Err` where one is neither a string nor strings.
    pub(in crate::verify) roles: SmallVec<[(usize, Result<Names<'a>, ()>); 1]>,
}

/// The times of a token.
#[derive(Clone, Copy, Debug)]
pub(in crate::verify) struct Times {
    pub(in crate::verify) exp: Millis,
    pub(in crate::verify) nbf: Option<Millis>,
    pub(in crate::verify) iat: Option<Millis>,
    pub(in crate::verify) auth_time: Option<Millis>,
}

impl<'a> Claimed<'a> {
    /// Reads claims into this, which is empty; `role_claims` are the names that hold roles for one issuer or another.
    pub(in crate::verify) fn read(&mut self, json: &'a [u8], role_claims: &[Box<str>]) -> Result<(), Refusal> {
        let claimed = self;
        let mut scanner = Scanner::new(json, &LIMITS);
        let s = &mut scanner;
        if step(s)? != Kind::BeginObject {
            return Err(bad("not an object"));
        }
        loop {
            match step(s)? {
                Kind::Key => {}
                Kind::End => break,
                _ => continue,
            }
            match &*s.string().unescape() {
                "iss" => string(s, &mut claimed.iss, "`iss` is not a string")?,
                "sub" => string(s, &mut claimed.sub, "`sub` is not a string")?,
                "jti" => string(s, &mut claimed.jti, "`jti` is not a string")?,
                "sid" => string(s, &mut claimed.sid, "`sid` is not a string")?,
                "acr" => string(s, &mut claimed.acr, "`acr` is not a string")?,
                "exp" => claimed.exp = Some(time(s, "`exp` is not a time")?),
                "nbf" => claimed.nbf = Some(time(s, "`nbf` is not a time")?),
                "iat" => claimed.iat = Some(time(s, "`iat` is not a time")?),
                "auth_time" => claimed.auth_time = Some(time(s, "`auth_time` is not a time")?),
                "aud" => typed(names(s, Whole, &mut claimed.aud)?, "`aud` is neither a string nor strings")?,
                "scope" => typed(names(s, AtSpaces, &mut claimed.scope)?, "`scope` is neither a string nor strings")?,
                "scp" => typed(names(s, AtSpaces, &mut claimed.scp)?, "`scp` is neither a string nor strings")?,
                "cnf" => claimed.cnf = Some(Confirmation::read(s)?),
                "act" => claimed.actors = actors::read(s)?,
                "client_id" => string(s, &mut claimed.client_id, "`client_id` is not a string")?,
                "azp" => string(s, &mut claimed.azp, "`azp` is not a string")?,
                "nonce" => {
                    string(s, &mut None, "`nonce` is not a string")?;
                    claimed.marks.nonce = true;
                }
                "at_hash" | "c_hash" | "s_hash" => {
                    skip_value(s)?;
                    claimed.marks.hash = true;
                }
                "token_use" => claimed.marks.says_id |= is_only(s, "id")?,
                "typ" => claimed.marks.says_id |= is_only(s, "ID")?,
                "events" => {
                    let outside = s.depth();
                    claimed.marks.events |= step(s)? == Kind::BeginObject;
                    while s.depth() > outside && step(s)? != Kind::End {}
                }
                "azpacr" => {
                    skip_value(s)?;
                    claimed.marks.of_application = true;
                }
                other => match role_claims.iter().position(|claim| **claim == *other) {
                    Some(at) => {
                        claimed.marks.of_application |= other == "roles";
                        let mut roles = None;
                        names(s, AtSpaces, &mut roles)?;
                        claimed.roles.push((at, roles.ok_or(())));
                    }
                    None if other == "roles" => {
                        skip_value(s)?;
                        claimed.marks.of_application = true;
                    }
                    None => skip_value(s)?,
                },
            }
        }
        let logged = [&claimed.sub, &claimed.jti, &claimed.acr, &claimed.sid];
        if logged.into_iter().flatten().any(|text| !is_name(text)) {
            return Err(bad("`sub`, `jti`, `acr` or `sid` is too long or has control characters"));
        }
        Ok(())
    }
}

/// Whether this may go into logs and policies.
pub(in crate::verify) fn is_name(text: &str) -> bool {
    text.len() <= MAX_NAME_BYTES && !has_control(text)
}

/// Whether a value is this string, or an array of it alone.
fn is_only(scanner: &mut Scanner<'_>, text: &str) -> Result<bool, Refusal> {
    let mut found = None;
    names(scanner, Whole, &mut found)?;
    Ok(found.is_some_and(|found| *found == [text]))
}

pub(in crate::verify) fn string<'a>(
    scanner: &mut Scanner<'a>,
    into: &mut Option<Cow<'a, str>>,
    wrong: &'static str,
) -> Result<(), Refusal> {
    match step(scanner)? {
        Kind::String => *into = Some(scanner.string().unescape()),
        _ => return Err(bad(wrong)),
    }
    Ok(())
}

const fn typed(right: bool, wrong: &'static str) -> Result<(), Refusal> {
    if right { Ok(()) } else { Err(bad(wrong)) }
}

/// A NumericDate (RFC 7519, section 2), in milliseconds.
pub(in crate::verify) fn time(scanner: &mut Scanner<'_>, wrong: &'static str) -> Result<Millis, Refusal> {
    match step(scanner)? {
        Kind::Number => millis(scanner.raw()).ok_or(bad(wrong)),
        _ => Err(bad(wrong)),
    }
}

/// Seconds as written, in milliseconds.
pub(in crate::verify) fn millis(seconds: &str) -> Option<Millis> {
    if let Ok(whole) = seconds.parse::<i64>() {
        return (0..=LAST_SECOND).contains(&whole).then(|| whole.saturating_mul(1_000));
    }
    let exact: f64 = seconds.parse().ok()?;
    // Below 2^38 each cast is exact or cuts a fraction.
    (0.0..=LAST_SECOND as f64).contains(&exact).then_some((exact * 1_000.0) as Millis)
}

/// What to do with the spaces of a string.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Divide {
    Whole,
    AtSpaces,
}
use Divide::{AtSpaces, Whole};

/// A string or an array of strings; says no to something else, which is read past.
fn names<'a>(scanner: &mut Scanner<'a>, divide: Divide, into: &mut Option<Names<'a>>) -> Result<bool, Refusal> {
    let outside = scanner.depth();
    let names = into.insert(Names::new());
    match step(scanner)? {
        Kind::String => match (scanner.string().unescape(), divide) {
            (text, Whole) => names.push(text),
            (Cow::Borrowed(text), AtSpaces) => names.extend(words(text).map(Cow::Borrowed)),
            (Cow::Owned(text), AtSpaces) => names.extend(words(&text).map(|word| Cow::Owned(word.to_owned()))),
        },
        Kind::BeginArray => loop {
            match step(scanner)? {
                Kind::String => names.push(scanner.string().unescape()),
                Kind::EndArray => break,
                _ => {
                    *into = None;
                    break;
                }
            }
        },
        _ => *into = None,
    }
    while scanner.depth() > outside && step(scanner)? != Kind::End {}
    Ok(into.is_some())
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(' ').filter(|word| !word.is_empty())
}

pub(in crate::verify) fn skip_value(scanner: &mut Scanner<'_>) -> Result<(), Refusal> {
    let outside = scanner.depth();
    step(scanner)?;
    while scanner.depth() > outside && step(scanner)? != Kind::End {}
    Ok(())
}

pub(in crate::verify) const fn not_json(_: Error) -> Refusal {
    bad("not strict JSON")
}

#[inline]
fn step(scanner: &mut Scanner<'_>) -> Result<Kind, Refusal> {
    scanner.step().map_err(|_| bad("not strict JSON"))
}

pub(super) const fn bad(detail: &'static str) -> Refusal {
    (Code::VerifyBadClaims, detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(json: &str) -> Result<Claimed<'_>, Refusal> {
        let mut claimed = Claimed::default();
        claimed.read(json.as_bytes(), &["roles".into(), "https://example.com/groups".into()]).map(|()| claimed)
    }

    #[test]
    fn claims_of_the_right_type() {
        let claimed = read(
            r#"{"iss":"i","sub":"s","aud":["a","b"],"exp":1.5,"nbf":1,"iat":2e0,"auth_time":0,"jti":"j","acr":"x",
                "scope":" a  b","scp":["c d"],"roles":"r q","sid":"s1","act":{"sub":"b"},"https://example.com/groups":5,"x":{"exp":"no","y":[[]]},"z":null}"#,
        )
        .unwrap();
        assert_eq!((claimed.exp, claimed.nbf, claimed.iat), (Some(1_500), Some(1_000), Some(2_000)));
        assert_eq!(claimed.aud.unwrap().as_slice(), ["a", "b"]);
        assert_eq!(claimed.scope.unwrap().as_slice(), ["a", "b"]);
        assert_eq!(claimed.scp.unwrap().as_slice(), ["c d"]);
        assert_eq!(claimed.roles[0].1.as_ref().unwrap().as_slice(), ["r", "q"]);
        assert_eq!(claimed.roles[1], (1, Err(())));
        assert_eq!((claimed.sid.as_deref(), claimed.actors.as_slice()), (Some("s1"), &["b".into()][..]));
    }

    #[test]
    fn claims_of_a_wrong_type() {
        for json in [
            "",
            "[]",
            "5",
            "{",
            "{} x",
            "\u{feff}{}",
            r#"{"a":1,"a":1}"#,
            r#"{"a":{"b":1,"b":1}}"#,
            r#"{"exp":1,"\u0065xp":2}"#,
            r#"{"iss":5}"#,
            r#"{"iss":["i"]}"#,
            r#"{"sub":5}"#,
            r#"{"sub":"a\u0000"}"#,
            r#"{"jti":5}"#,
            r#"{"acr":{}}"#,
            r#"{"exp":"5"}"#,
            r#"{"exp":-1}"#,
            r#"{"exp":1e300}"#,
            r#"{"exp":NaN}"#,
            r#"{"exp":[5]}"#,
            r#"{"exp":null}"#,
            r#"{"exp":253402300800}"#,
            r#"{"exp":99999999999999999999}"#,
            r#"{"nbf":"5"}"#,
            r#"{"iat":true}"#,
            r#"{"auth_time":"5"}"#,
            r#"{"aud":5}"#,
            r#"{"aud":[["a"]]}"#,
            r#"{"aud":["a",5]}"#,
            r#"{"aud":{"a":1}}"#,
            r#"{"scope":5}"#,
            r#"{"scp":[5]}"#,
            r#"{"sid":5}"#,
            r#"{"cnf":null}"#,
            r#"{"cnf":{}}"#,
            r#"{"cnf":{"jkt":5}}"#,
            r#"{"cnf":{"jkt":"x","kid":"y"}}"#,
            r#"{"sid":"a\n"}"#,
            r#"{"act":null}"#,
        ] {
            assert_eq!(read(json).unwrap_err().0, Code::VerifyBadClaims, "{json}");
        }
        let deep = format!(r#"{{"a":{}{}}}"#, "[".repeat(16), "]".repeat(16));
        assert!(read(&deep).is_err());
        assert!(Claimed::default().read(b"{\"a\":\"\xff\"}", &[]).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_never_panic(bytes: Vec<u8>) {
            let _ = Claimed::default().read(&bytes, &[]);
        }

        #[test]
        fn any_number_never_panics(number in "-?[0-9]{1,30}(\\.[0-9]{1,30})?([eE][+-]?[0-9]{1,5})?") {
            let _ = millis(&number);
        }
    }
}
