//! The claims of a Security Event Token (RFC 8417), read strictly.

use serde_json::{Map, Value};

use crate::base::json;
use crate::model::{Code, Millis};
use crate::verify::Refusal;
use crate::verify::jose::claims::{LAST_SECOND, LIMITS, is_name, millis};

/// Most events of one token: they are one event under several names (RFC 8417, section 2).
const MAX_EVENTS: usize = 16;

/// What a token says; nothing of it is proven yet.
#[derive(Debug)]
pub(super) struct Claims {
    pub(super) iss: String,
    pub(super) jti: String,
    pub(super) audiences: Vec<String>,
    pub(super) issued_at: Millis,
    /// The latest of `iat`, `nbf`, `toe` and the times of its events.
    pub(super) latest: Millis,
    /// Time of the event (`toe`).
    occurred_at: Option<Millis>,
    pub(super) subject: Option<Map<String, Value>>,
    /// By type.
    pub(super) events: Vec<(String, Map<String, Value>)>,
}

impl Claims {
    /// Reads the payload.
    ///
    /// `exp` and `sub` are refused (Shared Signals Framework 1.0, sections 4.1.2 and 4.1.7): so no token is both this and
    /// an access token or an ID token.
    pub(super) fn read(payload: &[u8]) -> Result<Self, Refusal> {
        // Duplicate members, depth and size; what follows builds a tree of what is known to be small.
        json::validate(payload, &LIMITS).map_err(|_| bad("not strict JSON"))?;
        let Ok(Value::Object(mut claims)) = serde_json::from_slice(payload) else { return Err(bad("not an object")) };
        if claims.contains_key("exp") {
            return Err(bad("`exp` is refused in a security event token"));
        }
        if claims.contains_key("sub") {
            return Err(bad("`sub` is refused in a security event token: the subject is `sub_id`"));
        }
        let mut string = |name: &str, wrong: &'static str| match claims.remove(name) {
            Some(Value::String(text)) if is_name(&text) && !text.is_empty() => Ok(Some(text)),
            None => Ok(None),
            Some(_) => Err(bad(wrong)),
        };
        let iss = string("iss", "`iss` is not a string")?.ok_or(missing("`iss` is missing"))?;
        let jti = string("jti", "`jti` is not a string")?.ok_or(missing("`jti` is missing"))?;
        let audiences = match claims.remove("aud") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(many)) => many.into_iter().map(text).collect::<Option<_>>().ok_or(AUDIENCE)?,
            None => return Err(missing("`aud` is missing")),
            Some(_) => return Err(AUDIENCE),
        };
        let time = |name: &str, wrong: &'static str| match claims.get(name) {
            None => Ok(None),
            Some(Value::Number(number)) => millis(&number.to_string()).map(Some).ok_or(bad(wrong)),
            Some(_) => Err(bad(wrong)),
        };
        let issued_at = time("iat", "`iat` is not a time")?.ok_or(missing("`iat` is missing"))?;
        let not_before = time("nbf", "`nbf` is not a time")?;
        let occurred_at = time("toe", "`toe` is not a time")?;
        let subject = match claims.remove("sub_id") {
            Some(Value::Object(subject)) => Some(subject),
            None => None,
            Some(_) => return Err(bad("`sub_id` is not an object")),
        };
        let events = match claims.remove("events") {
            Some(Value::Object(events)) => events.into_iter().map(object).collect::<Result<Vec<_>, _>>()?,
            None => return Err(missing("`events` is missing")),
            Some(_) => return Err(bad("`events` is not an object")),
        };
        let mut events = events;
        // However the maps of JSON are ordered in this build.
        events.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        if events.is_empty() || events.len() > MAX_EVENTS {
            return Err(bad("`events` is empty or has too many members"));
        }
        let mut latest = issued_at.max(not_before.unwrap_or(issued_at)).max(occurred_at.unwrap_or(issued_at));
        for (_, event) in &events {
            latest = latest.max(timestamp(event)?.unwrap_or(issued_at));
        }
        Ok(Self { iss, jti, audiences, issued_at, latest, occurred_at, subject, events })
    }

    /// When an event happened: as it says itself, or `toe`, or else when it was told; to the second, as tokens have it.
    pub(super) fn happened_at(&self, event: &Map<String, Value>, now: Millis) -> Millis {
        let own = timestamp(event).ok().flatten();
        let at = own.or(self.occurred_at).unwrap_or(self.issued_at).min(now);
        at.saturating_sub(at.rem_euclid(1_000))
    }
}

/// `event_timestamp` (CAEP 1.0, section 2): seconds. Drafts, and who followed their examples, have milliseconds: as
/// seconds those are far beyond the year 9999, the last that any time here may name.
fn timestamp(event: &Map<String, Value>) -> Result<Option<Millis>, Refusal> {
    const WRONG: Refusal = bad("`event_timestamp` is not a time");
    let Some(value) = event.get("event_timestamp") else { return Ok(None) };
    let Value::Number(number) = value else { return Err(WRONG) };
    if let Some(at) = millis(&number.to_string()) {
        return Ok(Some(at));
    }
    let beyond = number.as_i64().filter(|at| (LAST_SECOND..=LAST_SECOND.saturating_mul(1_000)).contains(at));
    beyond.map(Some).ok_or(WRONG)
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        _ => None,
    }
}

fn object((name, event): (String, Value)) -> Result<(String, Map<String, Value>), Refusal> {
    match event {
        Value::Object(event) if is_name(&name) => Ok((name, event)),
        _ => Err(bad("an event is not an object, or its type is too long or has control characters")),
    }
}

const AUDIENCE: Refusal = bad("`aud` is neither a string nor strings");

const fn bad(detail: &'static str) -> Refusal {
    (Code::VerifyBadClaims, detail)
}

const fn missing(detail: &'static str) -> Refusal {
    (Code::VerifyMissingClaim, detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn claims() -> Value {
        json!({"iss": "i", "jti": "j", "iat": 100, "aud": "a", "events": {"e": {}}})
    }

    fn with(name: &str, value: Value) -> Result<Claims, Refusal> {
        let mut claims = claims();
        claims[name] = value;
        Claims::read(claims.to_string().as_bytes())
    }

    #[test]
    fn what_a_token_must_have_and_must_not() {
        assert!(Claims::read(claims().to_string().as_bytes()).is_ok());
        for name in ["iss", "jti", "iat", "aud", "events"] {
            let mut claims = claims();
            claims.as_object_mut().unwrap().remove(name);
            assert_eq!(Claims::read(claims.to_string().as_bytes()).unwrap_err().0, Code::VerifyMissingClaim, "{name}");
        }
        for (name, value) in [
            ("exp", json!(200)),
            ("exp", json!(null)),
            ("sub", json!("s")),
            ("iss", json!(["i"])),
            ("jti", json!(5)),
            ("jti", json!("")),
            ("jti", json!("a\n")),
            ("iat", json!("100")),
            ("iat", json!(-1)),
            ("toe", json!("100")),
            ("toe", json!(1e300)),
            ("nbf", json!({})),
            ("aud", json!(["a", 5])),
            ("aud", json!({})),
            ("sub_id", json!("s")),
            ("events", json!([])),
            ("events", json!({})),
            ("events", json!({"e": null})),
            ("events", json!({"e\n": {}})),
            ("events", json!({"e": {"event_timestamp": "100"}})),
            ("events", json!({"e": {"event_timestamp": -1}})),
            ("events", json!({"e": {"event_timestamp": 1e30}})),
        ] {
            assert_eq!(with(name, value.clone()).unwrap_err().0, Code::VerifyBadClaims, "{name} {value}");
        }
        let twice = br#"{"iss":"i","jti":"j","iat":1,"aud":"a","events":{"e":{"a":1,"a":1}}}"#;
        assert_eq!(Claims::read(twice).unwrap_err().1, "not strict JSON");
        let many: Map<String, Value> = (0..=MAX_EVENTS).map(|n| (n.to_string(), json!({}))).collect();
        assert!(with("events", many.into()).is_err());
    }

    #[test]
    fn an_event_happened_when_it_says() {
        let at = |event: Value, toe: Option<i64>| {
            let mut claims = claims();
            claims["events"]["e"] = event;
            if let Some(toe) = toe {
                claims["toe"] = toe.into();
            }
            let claims = Claims::read(claims.to_string().as_bytes()).unwrap();
            claims.happened_at(&claims.events[0].1, 2_000_000_000_000)
        };
        assert_eq!(at(json!({}), None), 100_000);
        assert_eq!(at(json!({}), Some(90)), 90_000);
        assert_eq!(at(json!({"event_timestamp": 80}), Some(90)), 80_000);
        assert_eq!(at(json!({"event_timestamp": 80.75}), None), 80_000);
        // The example of CAEP's drafts: milliseconds.
        assert_eq!(at(json!({"event_timestamp": 1_615_304_991_643_i64}), None), 1_615_304_991_000);
        assert_eq!(with("toe", json!(150)).unwrap().latest, 150_000);
    }

    proptest! {
        #[test]
        fn any_bytes_never_panic(bytes: Vec<u8>, text in "\\PC{0,200}") {
            let _ = (Claims::read(&bytes), Claims::read(text.as_bytes()));
        }
    }
}
