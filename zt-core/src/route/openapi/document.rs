//! The few parts of an OpenAPI document that routing needs; all else is skipped as it is read.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Error as _, IgnoredAny, MapAccess, Visitor};

use super::MAX_OPERATIONS;
use crate::model::{Problem, Source};

/// Longest document.
const MAX_BYTES: usize = 16 << 20;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Read {
    openapi: Option<String>,
    swagger: Option<String>,
    pub(super) base_path: Option<String>,
    pub(super) servers: Option<Vec<Server>>,
    pub(super) security: Option<Vec<IgnoredAny>>,
    #[serde(default)]
    pub(super) paths: Items,
    pub(super) components: Option<Components>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Components {
    pub(super) path_items: Option<Items>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Server {
    pub(super) url: String,
    #[serde(default)]
    pub(super) variables: Members<ServerVariable>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ServerVariable {
    pub(super) default: String,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct PathItem {
    #[serde(rename = "$ref")]
    pub(super) reference: Option<String>,
    pub(super) servers: Option<Vec<Server>>,
    get: Option<Described>,
    put: Option<Described>,
    post: Option<Described>,
    delete: Option<Described>,
    options: Option<Described>,
    head: Option<Described>,
    patch: Option<Described>,
    trace: Option<Described>,
}

/// An Operation Object.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Described {
    pub(super) operation_id: Option<String>,
    pub(super) servers: Option<Vec<Server>>,
    pub(super) security: Option<Vec<IgnoredAny>>,
    pub(super) deprecated: Option<bool>,
}

/// Path items by name.
pub(super) type Items = Members<PathItem>;

/// Members of a mapping in order, extensions (`x-...`) left out.
#[derive(Debug)]
pub(super) struct Members<T>(pub(super) Vec<(String, T)>);

/// Reads a document: JSON when it starts with `{`, else YAML.
pub(super) fn read(document: &Source<'_>) -> Result<Read, Problem> {
    let problem =
        |message: String| Problem::new(&document.key, message).at(document.name.map(str::to_owned), None, None);
    if document.text.len() > MAX_BYTES {
        return Err(problem(format!("longer than {MAX_BYTES} bytes")));
    }
    let text = document.text.trim_start_matches('\u{feff}');
    let read: Read = match text.trim_start().starts_with('{') {
        true => from_json(text),
        false => from_yaml(text),
    }
    .map_err(|(message, line, column)| problem(message).at(document.name.map(str::to_owned), line, column))?;
    let version = read.openapi.as_deref().or(read.swagger.as_deref());
    match version {
        Some("2.0") => Ok(read),
        Some(version) if version.starts_with("3.0") || version.starts_with("3.1") => Ok(read),
        Some(version) => Err(problem(format!("OpenAPI `{version}` is not 3.0 or 3.1")).mend("write it as OpenAPI 3.1")),
        None => {
            Err(problem("neither `openapi` nor `swagger` names a version".to_owned())
                .mend("start with `openapi: 3.1.0`"))
        }
    }
}

type Unreadable = (String, Option<u32>, Option<u32>);

fn from_json<T: DeserializeOwned>(text: &str) -> Result<T, Unreadable> {
    serde_json::from_str(text)
        .map_err(|error| (error.to_string(), u32::try_from(error.line()).ok(), u32::try_from(error.column()).ok()))
}

fn from_yaml<T: DeserializeOwned>(text: &str) -> Result<T, Unreadable> {
    // A document of the largest size has about this many nodes; aliases add to them, so a bomb is refused early.
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! { max_documents: 1, max_events: 8_000_000, max_nodes: 4_000_000 },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: 250_000 },
        strict_booleans: true,
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let error = error.without_snippet();
        let location = error.location();
        let line = location.and_then(|location| u32::try_from(location.line()).ok());
        let column = location.and_then(|location| u32::try_from(location.column()).ok());
        (error.to_string(), line, column)
    })
}

impl PathItem {
    pub(super) fn methods(&self) -> impl Iterator<Item = (&'static str, &Described)> {
        [
            ("GET", &self.get),
            ("PUT", &self.put),
            ("POST", &self.post),
            ("DELETE", &self.delete),
            ("OPTIONS", &self.options),
            ("HEAD", &self.head),
            ("PATCH", &self.patch),
            ("TRACE", &self.trace),
        ]
        .into_iter()
        .filter_map(|(method, described)| Some((method, described.as_ref()?)))
    }
}

impl<T> Default for Members<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Members<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect<T>(Vec<(String, T)>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Collect<T> {
            type Value = Members<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a mapping")
            }

            fn visit_unit<E>(self) -> Result<Members<T>, E> {
                Ok(Members(self.0))
            }

            fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Members<T>, A::Error> {
                while let Some(key) = map.next_key::<String>()? {
                    if key.starts_with("x-") {
                        map.next_value::<IgnoredAny>()?;
                    } else if self.0.len() < MAX_OPERATIONS {
                        self.0.push((key, map.next_value()?));
                    } else {
                        return Err(A::Error::custom(format_args!("more than {MAX_OPERATIONS} members")));
                    }
                }
                Ok(Members(self.0))
            }
        }

        deserializer.deserialize_map(Collect(Vec::new()))
    }
}
