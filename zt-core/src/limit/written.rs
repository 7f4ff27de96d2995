//! Rates and costs as people write them.

use std::borrow::Cow;
use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::base::units::{Rate, Size};

/// One rate, `"100/1m"`, or several, `["20/1s", "1000/1h"]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rates(pub Vec<Rate>);

impl Rates {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Rate> for Rates {
    fn from(rate: Rate) -> Self {
        Self(vec![rate])
    }
}

impl Serialize for Rates {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &*self.0 {
            [rate] => rate.serialize(serializer),
            rates => rates.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Rates {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Written;

        impl<'de> Visitor<'de> for Written {
            type Value = Rates;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "a rate or a list of them; write \"20/1s\" or [\"20/1s\", \"1000/1h\"], with spans in ms, s, m, h or d",
                )
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Rates, E> {
                text.parse::<Rate>().map(Rates::from).map_err(E::custom)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Rates, A::Error> {
                let mut rates = Vec::new();
                while let Some(rate) = list.next_element()? {
                    rates.push(rate);
                }
                Ok(Rates(rates))
            }
        }

        deserializer.deserialize_any(Written)
    }
}

impl JsonSchema for Rates {
    fn schema_name() -> Cow<'static, str> {
        "Rates".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let rate = generator.subschema_for::<Rate>();
        json_schema!({"anyOf": [rate, {"type": "array", "items": rate, "minItems": 1}]})
    }
}

/// What a request counts for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cost {
    /// As much as this.
    Fixed(NonZeroU32),
    /// One for each started piece of the body of this size, and one at least.
    Body(Size),
    /// What an integer claim of the token says; 1 when there is none.
    Claim(String),
    /// 1 up front, and after the fact what the response says beyond that.
    Response,
}

/// Text that says no cost.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not {COST}")]
pub struct UnknownCost(String);

const COST: &str = "a cost; write a number from 1 on, \"body/4KiB\" (in B, KiB, MiB, GiB, kB, MB or GB), \"claim:NAME\" or \"response\"";

impl FromStr for Cost {
    type Err = UnknownCost;

    fn from_str(text: &str) -> Result<Self, UnknownCost> {
        let unknown = || UnknownCost(text.to_owned());
        if text == "response" {
            return Ok(Self::Response);
        }
        if let Some(size) = text.strip_prefix("body/") {
            return size.parse().ok().filter(|size: &Size| size.bytes() > 0).map(Self::Body).ok_or_else(unknown);
        }
        let claim = text.strip_prefix("claim:").filter(|name| !name.is_empty());
        claim.map(|name| Self::Claim(name.to_owned())).ok_or_else(unknown)
    }
}

impl Serialize for Cost {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Fixed(cost) => cost.serialize(serializer),
            Self::Body(size) => serializer.collect_str(&format_args!("body/{size}")),
            Self::Claim(name) => serializer.collect_str(&format_args!("claim:{name}")),
            Self::Response => serializer.serialize_str("response"),
        }
    }
}

impl<'de> Deserialize<'de> for Cost {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Written;

        impl Visitor<'_> for Written {
            type Value = Cost;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(COST)
            }

            fn visit_u64<E: Error>(self, cost: u64) -> Result<Cost, E> {
                let fixed = u32::try_from(cost).ok().and_then(NonZeroU32::new).map(Cost::Fixed);
                fixed.ok_or_else(|| E::custom(UnknownCost(cost.to_string())))
            }

            fn visit_i64<E: Error>(self, cost: i64) -> Result<Cost, E> {
                match u64::try_from(cost) {
                    Ok(cost) => self.visit_u64(cost),
                    Err(_) => Err(E::custom(UnknownCost(cost.to_string()))),
                }
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Cost, E> {
                text.parse().map_err(E::custom)
            }
        }

        deserializer.deserialize_any(Written)
    }
}

impl JsonSchema for Cost {
    fn schema_name() -> Cow<'static, str> {
        "Cost".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"anyOf": [
            {"type": "integer", "minimum": 1, "maximum": u32::MAX},
            {"type": "string", "pattern": "^(response|body/[0-9]+ *(B|kB|MB|GB|KiB|MiB|GiB)?|claim:.+)$"}
        ]})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_and_costs_read_and_print() {
        for text in [r#""100/1m""#, r#"["20/1s","1000/1h"]"#, "[]"] {
            let rates: Rates = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&rates).unwrap(), text);
        }
        for text in ["5", r#""body/4096B""#, r#""claim:units""#, r#""response""#] {
            let cost: Cost = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&cost).unwrap(), text);
        }
        for text in ["0", "-1", "4294967296", "1.5", r#""body""#, r#""body/0KiB""#, r#""claim:""#, r#""5""#, "null"] {
            assert!(serde_json::from_str::<Cost>(text).is_err(), "{text}");
        }
        for text in ["5", r#"[5]"#, r#"["1/1s", "x"]"#, "{}"] {
            assert!(serde_json::from_str::<Rates>(text).is_err(), "{text}");
        }
    }
}
