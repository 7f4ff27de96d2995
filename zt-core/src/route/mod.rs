//! Which endpoint is this?
//!
//! Templates come from the configuration and from OpenAPI 3.0 and 3.1 documents (the paths of Swagger 2.0 are read
//! too); a request whose path none of them has is refused. zt sits inside a process that reads the path again with
//! a router of its own, so whatever two routers could read in two ways is refused before any template is tried.
//!
//! # Rules
//! | subject | rule | code |
//! |---|---|---|
//! | request target | starts with `/`, or is `http(s)://host/...`, whose path counts (RFC 9112, 3.2.2); no raw `?`, `#` or space; not `*` | `route.bad_target` |
//! | length | `max_path` bytes raw, `max_segments` segments | `route.too_long` |
//! | encoding | `%` and two hexadecimal digits; decoded once; UTF-8 in shortest form | `route.bad_encoding` |
//! | slashes | `%2f`, `%5c` and `\` are refused | `route.encoded_slash` |
//! | control characters | C0, DEL and C1 are refused, plain or encoded | `route.control_character` |
//! | double encoding | what could be decoded a second time is refused | `route.double_encoding` |
//! | dot segments | `.` and `..` are refused, plain or encoded, also before `;` | `route.dot_segment` |
//! | double slashes | refused; one slash under `empty_segments = "merge"` | `route.empty_segment` |
//! | case | paths and methods are case-sensitive; `/%61` is `/a` | |
//! | one meaning | refused where another declared endpoint or segment has the path when case is ignored, or another endpoint before `%61` is decoded | `route.ambiguous` |
//! | other characters | are data: `;` opens no parameters, nothing is normalised to another Unicode form | |
//! | trailing slash | `/a/` and `/a` are one endpoint, unless both are declared | |
//! | precedence | segments from left to right: text, text with variables (more text first), variable or `*`, `/**` | |
//! | `/**` | stands for any number of segments, also none | |
//! | method | the most specific path that names the method; GET serves HEAD; `*` counts on the most specific path only | `route.method_not_allowed` |
//! | no path | default deny | `route.unknown_endpoint` |
//! | base path | the path of each server's URL (OpenAPI `servers`, nearest level; Swagger `basePath`), variables at their defaults | |
//! | id | the configuration's, else `operationId` (with `@/base` behind a second server), else method and template; unique | |
//! | `[[endpoint]]` and operation | same method and same template but for names of variables: one endpoint, the configuration's marks upon it; `*` marks every operation of its template | |
//! | credentials | `security: []` in a document opens nothing; only `anonymous = true` on that very template does | |
//! | segment | the most specific pattern that has the path, else `default` | |
//!
//! Why a method is looked for on less specific paths, but `*` is not: most routers go on to `DELETE /users/{id}` for
//! `DELETE /users/me` when only `GET /users/me` is declared, and `OPTIONS /**` must be sayable. An endpoint that names
//! the method was meant to serve it. A `*` stands for what nobody thought of; it must not open, say, an undeclared
//! `GET` on a path that is declared with other methods.

mod caseless;
mod compile;
mod config;
mod endpoint;
mod normalise;
#[cfg(feature = "compile")]
mod openapi;
mod template;
mod tree;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use smallvec::SmallVec;

pub use self::config::{Config, EmptySegments, EndpointConfig, SegmentConfig};
pub use self::endpoint::{Documented, Endpoint, Operation};
pub use self::normalise::{Path, normalise};

use self::caseless::Caseless;
use self::endpoint::Methods;
use self::template::{Segment, Template};
use self::tree::Tree;
use crate::model::{Code, EndpointRef, Finding, Problem, Request, Source};

/// Every endpoint, compiled once; immutable.
#[derive(Debug)]
pub struct Router {
    config: Config,
    endpoints: Vec<Endpoint>,
    /// Of each endpoint, in the same order.
    templates: Vec<Template>,
    tree: Tree<Methods>,
    /// The segment of what no pattern has.
    default: Arc<str>,
    /// All segments, `default` first.
    segments: Vec<Arc<str>>,
    patterns: Tree<Option<Arc<str>>>,
    /// The same patterns, in the order of the configuration.
    listed: Vec<(Template, Arc<str>)>,
    /// All of them again, in lower case.
    caseless: Caseless,
}

/// The endpoint a request is for.
#[derive(Clone, Debug)]
pub struct Match<'a> {
    /// The endpoint.
    pub endpoint: &'a Endpoint,
    /// Microsegment of the request's path.
    pub segment: &'a Arc<str>,
    /// The path, decoded once.
    pub path: Path<'a>,
    /// Variables of the template by name, decoded, in order.
    pub variables: SmallVec<[(&'a str, Cow<'a, str>); 4]>,
}

impl Match<'_> {
    /// What the decision says of it.
    pub(crate) fn told(&self) -> Arc<EndpointRef> {
        match Arc::ptr_eq(self.segment, &self.endpoint.segment) {
            true => Arc::clone(&self.endpoint.told),
            false => Arc::new(self.endpoint.told_in(self.segment)),
        }
    }
}

/// Why a request is for no endpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct Miss {
    /// One of the `route` codes.
    pub finding: Finding,
    /// Value of the `Allow` header that a 405 must have (RFC 9110, section 15.5.6).
    pub allow: Option<String>,
    /// The most specific template that has the path of a 405.
    pub template: Option<Arc<str>>,
}

impl Router {
    /// Compiles endpoints, segments and OpenAPI documents.
    ///
    /// ```
    /// use zt_core::model::Request;
    /// use zt_core::route::{Config, EndpointConfig, Router};
    ///
    /// let order = EndpointConfig { method: "GET".into(), path: "/orders/{id}".into(), ..Default::default() };
    /// let router = Router::compile(&Config::default(), &[order], &[], &[]).unwrap();
    /// let request = Request { method: "GET".into(), path: "/orders/42".into(), ..Default::default() };
    /// let found = router.route(&request).unwrap();
    /// assert_eq!(&*found.endpoint.id, "GET /orders/{id}");
    /// assert_eq!(found.variables[0], ("id", "42".into()));
    /// ```
    ///
    /// # Errors
    /// Every mistake at once: templates that are not, endpoints or ids declared twice, documents that cannot be read.
    pub fn compile(
        config: &Config,
        endpoints: &[EndpointConfig],
        segments: &[SegmentConfig],
        documents: &[Source<'_>],
    ) -> Result<Self, Vec<Problem>> {
        compile::router(config, endpoints, segments, documents)
    }

    /// The same from what documents were found to say, in the place of the documents.
    ///
    /// # Errors
    /// As of [`compile`](Self::compile).
    pub fn from_documented(
        config: &Config,
        endpoints: &[EndpointConfig],
        segments: &[SegmentConfig],
        documented: &[Documented],
    ) -> Result<Self, Vec<Problem>> {
        compile::from_documented(config, endpoints, segments, documented)
    }

    /// The endpoints that documents name, in order.
    pub fn documented(&self) -> Vec<Documented> {
        let one = |endpoint: &Endpoint| {
            let operation = endpoint.operation?;
            let [id, method, template] =
                [&endpoint.id, &endpoint.method, &endpoint.template].map(|text| (**text).to_owned());
            Some(Documented { id, method, template, operation })
        };
        self.endpoints.iter().filter_map(one).collect()
    }

    /// Finds the endpoint of a request.
    ///
    /// Time is linear in the path's length, plus at most one visit of each node of the template tree; no allocation
    /// where [`normalise`] borrows.
    ///
    /// # Errors
    /// [`Miss`] with one of the `route` codes.
    pub fn route<'a>(&'a self, request: &'a Request<'_>) -> Result<Match<'a>, Miss> {
        let path = normalise(request.path.bytes(), &self.config).map_err(|finding| Miss {
            finding,
            allow: None,
            template: None,
        })?;
        let method = request.method.bytes();
        let mut most_specific = true;
        let at = self.tree.find(&path, |methods| {
            let any = if most_specific { methods.any(method) } else { None };
            most_specific = false;
            methods.named(method).or(any)
        });
        let Some((endpoint, template)) = at.and_then(|at| self.at(at)) else { return Err(self.miss(&path)) };
        let variables = variables(template, &path);
        let found = Match { endpoint, segment: self.segment(&path), path, variables };
        match self.caseless.contradicts(&found, method, &self.default) {
            true => Err(Miss { finding: Finding::new(Code::RouteAmbiguous, ""), allow: None, template: None }),
            false => Ok(found),
        }
    }

    /// Every endpoint, in the order of their `index`.
    pub fn endpoints(&self) -> &[Endpoint] {
        &self.endpoints
    }

    /// Names of the segments, `default` first.
    pub fn segments(&self) -> &[Arc<str>] {
        &self.segments
    }

    /// Whether a template of any endpoint has a variable of this name.
    pub fn has_variable(&self, name: &str) -> bool {
        let mut segments = self.templates.iter().flat_map(|template| &template.segments);
        segments.any(|segment| match segment {
            Segment::Literal(_) | Segment::Any(None) => false,
            Segment::Any(Some(known)) => **known == *name,
            Segment::Pattern(_, names) => names.iter().any(|known| **known == *name),
        })
    }

    /// Whether a path can have the templates of two endpoints, the other one of another router.
    #[cfg(feature = "compile")]
    pub(crate) fn overlaps(&self, endpoint: &Endpoint, other: &Self, theirs: &Endpoint) -> bool {
        let own = self.templates.get(endpoint.index as usize);
        let theirs = other.templates.get(theirs.index as usize);
        own.zip(theirs).is_some_and(|(own, theirs)| own.overlaps(theirs))
    }

    /// Segments that a request of this endpoint can be in beside the template's own: a pattern such as `/v1/pay/**` is
    /// more specific than a template such as `/**`.
    pub fn other_segments(&self, endpoint: &Endpoint) -> Vec<&str> {
        let Some(template) = self.templates.get(endpoint.index as usize) else { return Vec::new() };
        let overlapping = self.listed.iter().filter(|(pattern, _)| pattern.overlaps(template));
        let mut names: Vec<&str> = overlapping.map(|(_, name)| &**name).chain([&*self.default]).collect();
        names.sort_unstable();
        names.dedup();
        names.retain(|name| *name != &*endpoint.segment);
        names
    }

    fn at(&self, at: u32) -> Option<(&Endpoint, &Template)> {
        Some((self.endpoints.get(at as usize)?, self.templates.get(at as usize)?))
    }

    fn segment(&self, path: &Path<'_>) -> &Arc<str> {
        self.patterns.find(path, Option::as_ref).unwrap_or(&self.default)
    }

    fn miss(&self, path: &Path<'_>) -> Miss {
        let mut methods = BTreeSet::new();
        let mut template = None;
        self.tree.find(path, |candidate: &Methods| -> Option<()> {
            let most_specific = candidate.first().and_then(|at| self.at(at));
            template = template.take().or_else(|| most_specific.map(|(endpoint, _)| endpoint.template.clone()));
            methods.extend(candidate.named.iter().map(|(name, _)| &**name));
            None
        });
        if template.is_none() {
            let finding = Finding::new(Code::RouteUnknownEndpoint, "");
            return Miss { finding, allow: None, template };
        }
        if methods.contains("GET") {
            methods.insert("HEAD");
        }
        let allow = methods.into_iter().collect::<Vec<_>>().join(", ");
        Miss { finding: Finding::new(Code::RouteMethodNotAllowed, ""), allow: Some(allow), template }
    }
}

fn variables<'a>(template: &'a Template, path: &Path<'a>) -> SmallVec<[(&'a str, Cow<'a, str>); 4]> {
    match &path.text {
        Cow::Borrowed(text) => captured(template, text, Cow::Borrowed),
        Cow::Owned(text) => captured(template, text, |value| Cow::Owned(value.to_owned())),
    }
}

fn captured<'a, 'p>(
    template: &'a Template,
    text: &'p str,
    value: impl Fn(&'p str) -> Cow<'a, str>,
) -> SmallVec<[(&'a str, Cow<'a, str>); 4]> {
    let mut variables = SmallVec::new();
    let mut left = text;
    for segment in &template.segments {
        let Some((text, below)) = tree::next_segment(left) else { break };
        left = below;
        match segment {
            Segment::Literal(_) | Segment::Any(None) => {}
            Segment::Any(Some(name)) => variables.push((&**name, value(text))),
            Segment::Pattern(pattern, names) => {
                let values = pattern.captures(text).into_iter().flatten().map(&value);
                variables.extend(names.iter().map(|name| &**name).zip(values));
            }
        }
    }
    variables
}

#[cfg(test)]
mod tests;
