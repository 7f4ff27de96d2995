//! What a request holds until its response is observed.

use std::borrow::Cow;
use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Where a limit counts a request whose end matters: a slot to be given back, or a cost that the response tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ticket {
    /// Name of the limit.
    pub limit: Arc<str>,
    /// The entry that it is counted in.
    pub key: TicketKey,
    /// The span of time in which it was counted.
    pub span: u32,
}

/// A keyed hash: 32 hexadecimal digits. As secret as the state's seed: who sees some of callers that he knows can aim at
/// entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TicketKey(pub u128);

impl Serialize for TicketKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:032x}", self.0))
    }
}

impl<'de> Deserialize<'de> for TicketKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        let digits = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let key = u128::from_str_radix(&text, 16).ok().filter(|_| digits);
        key.map(Self).ok_or_else(|| D::Error::custom("not 32 hexadecimal digits"))
    }
}

impl JsonSchema for TicketKey {
    fn schema_name() -> Cow<'static, str> {
        "TicketKey".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^[0-9a-f]{32}$"})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_comes_back_from_its_document() {
        let ticket = Ticket { limit: "a".into(), key: TicketKey(0x0a0b), span: 7 };
        let text = serde_json::to_string(&ticket).unwrap();
        assert_eq!(text, format!(r#"{{"limit":"a","key":"{}0a0b","span":7}}"#, "0".repeat(28)));
        assert_eq!(serde_json::from_str::<Ticket>(&text).unwrap(), ticket);
        for key in ["", "+0000000000000000000000000000001", "0a0b", "000000000000000000000000000000001"] {
            assert!(serde_json::from_str::<TicketKey>(&format!("\"{key}\"")).is_err(), "{key}");
        }
    }
}
