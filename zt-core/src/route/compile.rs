//! From configuration and documents to a router; every mistake is found in one go.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::caseless::Caseless;
use super::endpoint::{Documented, Endpoint, Methods, Operation, is_token};
use super::template::{Segment, Template};
use super::tree::Tree;
use super::{Config, EndpointConfig, Path, Router, SegmentConfig};
use crate::model::{Problem, Source};

/// Endpoints altogether.
const MAX_ENDPOINTS: usize = 100_000;
/// Problems reported of one document.
#[cfg(feature = "compile")]
const MAX_PROBLEMS: usize = 20;
/// Methods that people write in lower case by mistake (RFC 9110, section 9; RFC 5789).
const STANDARD: &[&str] = &["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];

pub(super) fn router(
    config: &Config,
    endpoints: &[EndpointConfig],
    segments: &[SegmentConfig],
    documents: &[Source<'_>],
) -> Result<Router, Vec<Problem>> {
    let mut build = Build::new(config);
    build.bounds();
    documents.iter().for_each(|document| build.document(document));
    build.endpoints(endpoints);
    build.segments(segments);
    build.finish()
}

pub(super) fn from_documented(
    config: &Config,
    endpoints: &[EndpointConfig],
    segments: &[SegmentConfig],
    documented: &[Documented],
) -> Result<Router, Vec<Problem>> {
    let mut build = Build::new(config);
    build.bounds();
    build.documented(documented);
    build.endpoints(endpoints);
    build.segments(segments);
    build.finish()
}

struct Build {
    router: Router,
    /// Where each endpoint comes from: the key of its id.
    sources: Vec<String>,
    /// One copy of each method, which then stays in the processor's cache.
    methods: BTreeSet<Arc<str>>,
    problems: Vec<Problem>,
}

/// An endpoint on its way in.
struct Declared<'d> {
    method: &'d str,
    template: &'d str,
    id: Option<&'d str>,
    source: String,
    operation: Option<Operation>,
}

impl Build {
    fn new(config: &Config) -> Self {
        let default: Arc<str> = "default".into();
        let router = Router {
            config: config.clone(),
            endpoints: Vec::new(),
            templates: Vec::new(),
            tree: Tree::new(),
            segments: vec![default.clone()],
            default,
            patterns: Tree::new(),
            listed: Vec::new(),
            caseless: Caseless::new(),
        };
        Self { router, sources: Vec::new(), methods: BTreeSet::new(), problems: Vec::new() }
    }

    fn bounds(&mut self) {
        let config = &self.router.config;
        if config.max_path.bytes() == 0 || config.max_path.bytes() > 1 << 20 {
            self.problems.push(Problem::new("route.max_path", "not between 1B and 1MiB").mend("leave it at 8KiB"));
        }
        if config.max_segments == 0 || config.max_segments > 1024 {
            self.problems.push(Problem::new("route.max_segments", "not between 1 and 1024").mend("leave it at 64"));
        }
    }

    #[cfg(not(feature = "compile"))]
    fn document(&mut self, document: &Source<'_>) {
        let problem = Problem::new(&document.key, "this build has no OpenAPI reader");
        let problem = problem.at(document.name.map(str::to_owned), None, None);
        self.problems.push(problem.mend("compile the configuration with `zt compile` and load the bundle"));
    }

    #[cfg(feature = "compile")]
    fn document(&mut self, document: &Source<'_>) {
        use super::openapi;
        let mut problems = Vec::new();
        match openapi::operations(document) {
            Err(found) => problems = found,
            Ok(operations) => {
                for found in &operations {
                    let template = match self.template(&found.template) {
                        Ok(template) => template,
                        Err(message) => {
                            problems.push(openapi::at(document, &found.path, &message, "correct or remove the path"));
                            continue;
                        }
                    };
                    let known = self.known(&template, found.method);
                    if let Some(known) = known.and_then(|at| self.router.endpoints.get(at as usize)) {
                        let message =
                            format!("`{} {}` is `{}` declared twice", found.method, found.template, known.template);
                        problems.push(openapi::at(document, &found.path, &message, "keep one of them"));
                        continue;
                    }
                    self.add(
                        template,
                        Declared {
                            method: found.method,
                            template: &found.template,
                            id: found.id.as_deref(),
                            source: document.key.clone(),
                            operation: Some(found.operation),
                        },
                    );
                }
            }
        }
        let more = problems.len().saturating_sub(MAX_PROBLEMS);
        problems.truncate(MAX_PROBLEMS);
        if more > 0 {
            problems.push(Problem::new(&document.key, format!("and {more} more")));
        }
        self.problems.append(&mut problems);
    }

    fn documented(&mut self, documented: &[Documented]) {
        for Documented { id, method, template: text, operation } in documented {
            let found = match (self.template(text), method_problem(method)) {
                (Err(message), _) => Err(message),
                (_, Some(problem)) => Err(problem.message),
                _ if id.is_empty() || id.contains(char::is_control) => Err("an id is none".to_owned()),
                (Ok(template), _) if self.known(&template, method).is_some() => {
                    Err(format!("`{method} {text}` is declared twice"))
                }
                (Ok(template), _) => Ok(template),
            };
            let source = "openapi".to_owned();
            match found {
                Ok(template) => {
                    let (template_text, operation) = (text.as_str(), Some(*operation));
                    self.add(template, Declared { method, template: template_text, id: Some(id), source, operation });
                }
                Err(message) => self.problems.push(Problem::new(source, message)),
            }
        }
    }

    fn endpoints(&mut self, endpoints: &[EndpointConfig]) {
        // Which endpoint an entry has already marked or made, and which entry that was.
        let mut taken: BTreeMap<u32, usize> = BTreeMap::new();
        let mut open = Vec::new();
        for (nth, endpoint) in endpoints.iter().enumerate() {
            let key = format!("endpoint[{nth}]");
            let method_problem = method_problem(&endpoint.method).map(|problem| problem.under(&key));
            let refused = method_problem.is_some();
            self.problems.extend(method_problem);
            if endpoint.id.as_deref().is_some_and(|id| id.is_empty() || id.contains(char::is_control)) {
                self.problems.push(Problem::new(format!("{key}.id"), "empty, or with a control character"));
            }
            if endpoint.acr_values.iter().any(|acr| acr.is_empty() || !acr.bytes().all(is_acr)) {
                let problem =
                    Problem::new(format!("{key}.acr_values"), "empty, or with characters that no `acr` has here");
                self.problems.push(problem.mend("write printable ASCII without spaces, quotes and backslashes"));
            }
            let template = match self.template(&endpoint.path) {
                Ok(template) => template,
                Err(message) => {
                    self.problems.push(
                        Problem::new(format!("{key}.path"), message).mend("write a path such as `/a/{id}` or `/a/**`"),
                    );
                    continue;
                }
            };
            if refused {
                continue;
            }
            let known = self.known(&template, &endpoint.method);
            if let Some(earlier) = known.and_then(|at| taken.get(&at)) {
                let message = format!("the same endpoint as `endpoint[{earlier}]`");
                self.problems.push(Problem::new(format!("{key}.path"), message).mend("keep one of them"));
                continue;
            }
            let at = match known {
                Some(at) => at,
                None => self.add(
                    template.clone(),
                    Declared {
                        method: &endpoint.method,
                        template: &endpoint.path,
                        id: None,
                        source: key.clone(),
                        operation: None,
                    },
                ),
            };
            taken.insert(at, nth);
            self.mark(at, endpoint);
            if let (Some(id), Some(known)) = (&endpoint.id, self.router.endpoints.get_mut(at as usize)) {
                known.id = id.as_str().into();
                if let Some(source) = self.sources.get_mut(at as usize) {
                    *source = format!("{key}.id");
                }
            }
            if endpoint.method == "*" {
                open.push((template, endpoint));
            }
        }
        for (template, endpoint) in open {
            let operations = self.router.tree.entry(&template).named.clone();
            for (_, at) in operations.into_iter().filter(|(_, at)| !taken.contains_key(at)) {
                self.mark(at, endpoint);
            }
        }
    }

    fn mark(&mut self, at: u32, marks: &EndpointConfig) {
        if let Some(endpoint) = self.router.endpoints.get_mut(at as usize) {
            endpoint.anonymous |= marks.anonymous;
            endpoint.login |= marks.login;
            let after = marks.reauthenticate_after.map(|after| after.millis());
            endpoint.reauthenticate_after = [endpoint.reauthenticate_after, after].into_iter().flatten().min();
            if endpoint.acr_values.is_empty() {
                endpoint.acr_values = marks.acr_values.as_slice().into();
            }
        }
    }

    fn segments(&mut self, segments: &[SegmentConfig]) {
        for (nth, segment) in segments.iter().enumerate() {
            let key = format!("segment[{nth}]");
            let name: Arc<str> = segment.name.as_str().into();
            if name.is_empty() || name.contains(char::is_control) || self.router.segments.contains(&name) {
                let message = format!("`{}` is empty, taken, or not a name", segment.name.escape_debug());
                self.problems.push(Problem::new(format!("{key}.name"), message).mend("choose another name"));
            } else {
                self.router.segments.push(name.clone());
            }
            for (place, text) in segment.paths.iter().enumerate() {
                let problem = match self.template(text) {
                    Err(message) => message,
                    Ok(pattern) => match self.router.patterns.entry(&pattern) {
                        Some(other) => format!("`{text}` is already a pattern of segment `{other}`"),
                        free => {
                            *free = Some(name.clone());
                            self.router.listed.push((pattern, name.clone()));
                            continue;
                        }
                    },
                };
                self.problems.push(
                    Problem::new(format!("{key}.paths[{place}]"), problem)
                        .mend("write a pattern such as `/v1/payments/**`"),
                );
            }
        }
        for at in 0..self.router.endpoints.len() {
            let Some(template) = self.router.templates.get(at) else { continue };
            let segment = self.router.segment(&as_path(template)).clone();
            if let Some(endpoint) = self.router.endpoints.get_mut(at) {
                endpoint.segment = segment;
                endpoint.told = endpoint.told_in(&endpoint.segment).into();
            }
        }
    }

    fn finish(mut self) -> Result<Router, Vec<Problem>> {
        let mut ids: BTreeMap<&str, &str> = BTreeMap::new();
        for (endpoint, source) in self.router.endpoints.iter().zip(&self.sources) {
            if let Some(other) = ids.insert(&endpoint.id, source) {
                let message = format!("id `{}` is already in `{other}`", endpoint.id.escape_debug());
                self.problems.push(Problem::new(source, message).mend("give each endpoint its own id"));
            }
        }
        if self.router.endpoints.len() > MAX_ENDPOINTS {
            self.problems.push(Problem::new("", format!("more than {MAX_ENDPOINTS} endpoints")));
        }
        for (endpoint, template) in self.router.endpoints.iter().zip(&self.router.templates) {
            self.router.caseless.endpoint(template, endpoint);
        }
        for (pattern, segment) in &self.router.listed {
            self.router.caseless.segment(pattern, segment);
        }
        if self.problems.is_empty() { Ok(self.router) } else { Err(self.problems) }
    }

    /// A template that a request within the bounds can match.
    fn template(&self, text: &str) -> Result<Template, String> {
        let template = Template::parse(text)?;
        if template.segments.len() > usize::from(self.router.config.max_segments) {
            return Err(format!("`{text}` has more segments than `route.max_segments`"));
        }
        Ok(template)
    }

    fn known(&mut self, template: &Template, method: &str) -> Option<u32> {
        let methods: &Methods = self.router.tree.entry(template);
        match method {
            "*" => methods.any,
            _ => methods.named.iter().find(|(name, _)| &**name == method).map(|(_, at)| *at),
        }
    }

    fn add(&mut self, template: Template, declared: Declared<'_>) -> u32 {
        let index = u32::try_from(self.router.endpoints.len()).unwrap_or(u32::MAX);
        let method = self.methods.get(declared.method).cloned().unwrap_or_else(|| declared.method.into());
        self.methods.insert(method.clone());
        let methods = self.router.tree.entry(&template);
        match declared.method {
            "*" => methods.any = Some(index),
            _ => methods.named.push((method.clone(), index)),
        }
        let id = declared.id.map_or_else(|| format!("{method} {}", declared.template).into(), Arc::from);
        self.router.endpoints.push(Endpoint {
            index,
            id,
            method,
            template: declared.template.into(),
            segment: "".into(),
            told: Arc::default(),
            anonymous: false,
            login: false,
            reauthenticate_after: None,
            acr_values: Arc::default(),
            operation: declared.operation,
        });
        self.router.templates.push(template);
        self.sources.push(declared.source);
        index
    }
}

/// What a challenge can carry between quotes and spaces (RFC 9470, section 3).
const fn is_acr(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e)
}

fn method_problem(method: &str) -> Option<Problem> {
    let upper = method.to_ascii_uppercase();
    if method != upper && STANDARD.contains(&upper.as_str()) {
        let message = format!("methods are case-sensitive: no request has `{method}`");
        return Some(Problem::new("method", message).mend(format!("write `{upper}`")));
    }
    if !is_token(method.as_bytes()) {
        return Some(Problem::new("method", "not a method").mend("write a method such as `GET`, or `*` for any"));
    }
    None
}

/// The template as a path of its own, variables standing for a segment that no text is like.
fn as_path(template: &Template) -> Path<'static> {
    let mut text = String::new();
    for segment in &template.segments {
        text.push('/');
        match segment {
            Segment::Literal(literal) => text.push_str(literal),
            Segment::Pattern(..) | Segment::Any(_) => text.push('\0'),
        }
    }
    Path { text: text.into(), trailing_slash: template.slash, encoded: None }
}
