//! Operations of OpenAPI 3.0, 3.1 and Swagger 2.0 documents, in JSON or YAML.

mod document;
mod server;

use std::collections::BTreeMap;

use self::document::{Described, Read, Server};
use super::Operation;
use crate::base::percent;
use crate::model::{Problem, Source};

/// Operations of all documents together.
pub(super) const MAX_OPERATIONS: usize = 100_000;
/// References from one path item to another.
const MAX_REFERENCES: usize = 8;

/// One operation behind one base path.
#[derive(Debug)]
pub(super) struct Found {
    /// `operationId`; behind every base path but the first with `@` and the base path.
    pub(super) id: Option<String>,
    pub(super) method: &'static str,
    /// Base path and path.
    pub(super) template: String,
    /// The path as the document writes it.
    pub(super) path: String,
    pub(super) operation: Operation,
}

/// Reads the operations of one document.
///
/// # Errors
/// The document cannot be read, is of another version, or names a path that is not a path.
pub(super) fn operations(document: &Source<'_>) -> Result<Vec<Found>, Vec<Problem>> {
    let read = document::read(document).map_err(|problem| vec![problem])?;
    let shared = read.components.as_ref().and_then(|components| components.path_items.as_ref());
    let mut targets = BTreeMap::new();
    for (prefix, items) in [("#/paths/", Some(&read.paths)), ("#/components/pathItems/", shared)] {
        for (name, item) in items.iter().flat_map(|items| &items.0) {
            targets.insert((prefix, name.as_str()), item);
        }
    }
    let (mut found, mut problems) = (Vec::new(), Vec::new());
    for (path, item) in &read.paths.0 {
        let resolved = match follow(item, &targets) {
            Ok(resolved) => resolved,
            Err(message) => {
                problems.push(at(document, path, &message, "bundle the document into one file"));
                continue;
            }
        };
        for (method, described) in resolved.methods() {
            // What stands beside a `$ref` is undefined by OpenAPI; the item that is referred to counts.
            let servers = described.servers.as_ref().or(resolved.servers.as_ref()).or(read.servers.as_ref());
            let bases = match bases(&read, servers) {
                Ok(bases) => bases,
                Err(message) => {
                    problems.push(at(document, path, &message, "write the server's path as `/base`"));
                    break;
                }
            };
            for (nth, base) in bases.iter().enumerate() {
                let id = described
                    .operation_id
                    .as_ref()
                    .map(|id| if nth == 0 { id.clone() } else { format!("{id}@{base}") });
                let (template, operation) = (format!("{base}{path}"), described.facts(&read));
                found.push(Found { id, method, template, path: path.clone(), operation });
            }
            if found.len() > MAX_OPERATIONS {
                problems.push(Problem::new(&document.key, format!("more than {MAX_OPERATIONS} operations")));
                return Err(problems);
            }
        }
    }
    if problems.is_empty() { Ok(found) } else { Err(problems) }
}

/// A mistake at a path of a document.
pub(super) fn at(document: &Source<'_>, path: &str, message: &str, mend: &str) -> Problem {
    let file = document.name.map(str::to_owned);
    Problem::new(&document.key, message).mend(mend).at(file, line_of(document.text, path), None)
}

impl Described {
    fn facts(&self, read: &Read) -> Operation {
        let requirements = self.security.as_ref().or(read.security.as_ref());
        Operation {
            deprecated: self.deprecated.unwrap_or_default(),
            unsecured: requirements.is_none_or(|requirements| requirements.is_empty()),
        }
    }
}

fn bases(read: &Read, servers: Option<&Vec<Server>>) -> Result<Vec<String>, String> {
    let mut bases = Vec::new();
    for server in servers.into_iter().flatten() {
        let base = server::base_path(server)?;
        if !bases.contains(&base) {
            bases.push(base);
        }
    }
    if bases.is_empty() {
        bases.push(server::prefix(read.base_path.as_deref().unwrap_or_default())?);
    }
    Ok(bases)
}

type Targets<'d> = BTreeMap<(&'static str, &'d str), &'d document::PathItem>;

fn follow<'d>(item: &'d document::PathItem, targets: &Targets<'d>) -> Result<&'d document::PathItem, String> {
    let mut item = item;
    for _ in 0..MAX_REFERENCES {
        let Some(reference) = &item.reference else { return Ok(item) };
        let target = ["#/paths/", "#/components/pathItems/"].into_iter().find_map(|prefix| {
            let pointer = percent::decode(reference.strip_prefix(prefix)?.as_bytes()).ok()?;
            let name = std::str::from_utf8(&pointer).ok()?.replace("~1", "/").replace("~0", "~");
            targets.get(&(prefix, name.as_str())).copied()
        });
        item = target.ok_or_else(|| format!("`$ref` to `{reference}`, which is not a path item of this document"))?;
    }
    Err(format!("more than {MAX_REFERENCES} references from one path item to the next"))
}

/// The line where a mapping has this key: good enough for people, in JSON and YAML alike.
fn line_of(text: &str, key: &str) -> Option<u32> {
    let is_key = |line: &str| {
        line.match_indices(key).any(|(at, _)| {
            let (before, after) = (line.get(..at), line.get(at.saturating_add(key.len())..));
            let after = after.unwrap_or_default().trim_start_matches(['"', '\'']).trim_start();
            let opens = before
                .unwrap_or_default()
                .chars()
                .next_back()
                .is_none_or(|c| matches!(c, '"' | '\'') || c.is_whitespace());
            opens && after.starts_with(':')
        })
    };
    let at = text.lines().position(is_key)?;
    u32::try_from(at.saturating_add(1)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<(String, Option<String>)>, Vec<Problem>> {
        let document = Source { key: "openapi[0]".to_owned(), name: Some("api.yaml"), text };
        let found = operations(&document)?;
        Ok(found.into_iter().map(|found| (format!("{} {}", found.method, found.template), found.id)).collect())
    }

    #[test]
    fn yaml_and_json_read_alike() {
        let yaml = "
openapi: 3.1.0
servers:
  - url: https://{region}.example.com/{version}/
    variables: {version: {default: v1}, region: {default: eu}}
  - url: http://other.example.com/v1
  - url: /v2
paths:
  x-note: not a path
  /orders/{id}:
    parameters: [{name: id, in: path}]
    get: {operationId: getOrder, responses: {200: {description: ok}}}
    delete: {}
  /health:
    $ref: '#/components/pathItems/health'
  /raw:
    servers: [{url: 'https://raw.example.com'}]
    get: {servers: [{url: '//cdn.example.com/c'}]}
    put: {}
components:
  pathItems:
    health: {get: {operationId: health}}
";
        let found = read(yaml).unwrap();
        let get = |id: &str| Some(id.to_owned());
        assert_eq!(
            found,
            [
                ("GET /v1/orders/{id}".to_owned(), get("getOrder")),
                ("GET /v2/orders/{id}".to_owned(), get("getOrder@/v2")),
                ("DELETE /v1/orders/{id}".to_owned(), None),
                ("DELETE /v2/orders/{id}".to_owned(), None),
                ("GET /v1/health".to_owned(), get("health")),
                ("GET /v2/health".to_owned(), get("health@/v2")),
                ("GET /c/raw".to_owned(), None),
                ("PUT /raw".to_owned(), None),
            ]
        );
        let json = r#"{"swagger":"2.0","basePath":"/v1/","paths":{"/a":{"get":{"operationId":"a"}},"x-y":1}}"#;
        assert_eq!(read(json).unwrap(), [("GET /v1/a".to_owned(), get("a"))]);
    }

    #[test]
    fn a_document_never_opens_an_endpoint_but_its_words_are_kept() {
        let text = "{openapi: 3.0.0, security: [{k: []}], paths: {/a: {get: {security: []}, put: {deprecated: true}}}}";
        let document = Source { key: "openapi[0]".to_owned(), name: None, text: &format!("# YAML\n{text}") };
        let facts: Vec<Operation> = operations(&document).unwrap().iter().map(|found| found.operation).collect();
        let unsecured = Operation { unsecured: true, deprecated: false };
        assert_eq!(facts, [unsecured, Operation { deprecated: true, unsecured: false }]);
    }

    #[test]
    fn mistakes_have_a_line() {
        let cases = [
            ("openapi: 3.1.0\npaths:\n  /a: {$ref: other.yaml}\n", Some(3), "other.yaml"),
            ("openapi: 3.1.0\npaths:\n  /a: {$ref: '#/paths/~1a'}\n", Some(3), "references"),
            ("openapi: 3.1.0\npaths:\n  /a: {servers: [{url: v1}], get: {}}\n", Some(3), "`v1`"),
            ("openapi: 3.1.0\npaths:\n  /a:\n    get: 5\n", Some(4), ""),
            ("openapi: 3.1.0\npaths:\n  /a: {}\n  /a: {}\n", Some(4), "uplicate"),
            ("{\"openapi\": \"3.0.0\",\n \"paths\": {\"/a\": }}", Some(2), "expected value"),
            ("openapi: 4.0.0\npaths: {}\n", None, "4.0.0"),
            ("info: {}\n", None, "neither"),
            ("", None, ""),
        ];
        for (text, line, says) in cases {
            let problems = read(text).unwrap_err();
            assert_eq!(problems.len(), 1, "{problems:?}");
            assert_eq!((problems[0].key.as_str(), problems[0].file.as_deref()), ("openapi[0]", Some("api.yaml")));
            assert!(line.is_none() || problems[0].line == line, "{text}: {problems:?}");
            assert!(problems[0].message.contains(says), "{problems:?}");
        }
    }

    #[test]
    fn an_alias_bomb_is_refused() {
        let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for level in 1..12 {
            let alias = format!("*a{}", level - 1);
            text.push_str(&format!("a{level}: &a{level} [{}]\n", [alias.as_str(); 10].join(", ")));
        }
        text.push_str("openapi: 3.1.0\npaths: {}\n");
        let problems = read(&text).unwrap_err();
        assert_eq!(problems.len(), 1, "{problems:?}");
    }

    #[test]
    fn deep_documents_are_refused_without_recursion() {
        for text in
            [format!("{{\"x\":{}", "[".repeat(100_000)), format!("x: {}", "[".repeat(100_000)), "- ".repeat(50_000)]
        {
            assert!(read(&text).is_err());
        }
    }
}
