//! What policies can speak of: the endpoints and segments of a configuration, and the schema made from them.

/// What the engine knows at load: actions are its endpoints, resources are its endpoints in their segments.
#[derive(Clone, Copy, Debug, Default)]
pub struct Vocabulary<'a> {
    /// Endpoints; a request names one by its index.
    pub endpoints: &'a [Endpoint<'a>],
    /// Names of segments, with those that hold no endpoint.
    pub segments: &'a [&'a str],
    /// Segments that requests of an endpoint, by its index, can be in beside its own; sorted.
    pub elsewhere: &'a [(usize, &'a str)],
}

/// One endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoint<'a> {
    /// `operationId`, or method and template.
    pub id: &'a str,
    /// Method, or `*`.
    pub method: &'a str,
    /// The segment it is in.
    pub segment: Option<&'a str>,
}

#[cfg(feature = "compile")]
/// Methods that have an action group of their own (RFC 9110, section 9; RFC 5789), and whether they only read.
pub(crate) const METHODS: &[(&str, bool)] = &[
    ("GET", true),
    ("HEAD", true),
    ("OPTIONS", true),
    ("POST", false),
    ("PUT", false),
    ("PATCH", false),
    ("DELETE", false),
    ("TRACE", false),
    ("CONNECT", false),
];

/// Entity types that can be a principal.
pub(crate) const USER: &str = "User";
/// An API key.
pub(crate) const API_KEY: &str = "ApiKey";
/// A service: a JWT-SVID, a certificate or a signature of its own.
pub(crate) const WORKLOAD: &str = "Workload";
/// Nobody in particular.
pub(crate) const ANONYMOUS: &str = "Anonymous";
/// The one entity of that type.
pub(crate) const ANONYMOUS_ID: &str = "anonymous";
/// Parents of principals.
pub(crate) const ROLE: &str = "Role";
/// Parents of principals.
pub(crate) const SCOPE: &str = "Scope";
/// Action groups.
#[cfg(feature = "compile")]
pub(crate) const READ: &str = "read";
/// Action groups.
#[cfg(feature = "compile")]
pub(crate) const WRITE: &str = "write";

#[cfg(feature = "compile")]
pub use schema::schema;
#[cfg(feature = "compile")]
pub(crate) use schema::{PRINCIPALS, groups_declared, schema_for};

#[cfg(feature = "compile")]
mod schema {
    use std::fmt::Write as _;

    use super::super::declared::{AttributeConfig, AttributeType};
    use super::super::facts::Fact;
    use super::super::print::quoted;
    use super::{ANONYMOUS, API_KEY, Endpoint, METHODS, READ, USER, Vocabulary, WORKLOAD, WRITE};

    /// Types of principals that requests can have. All but the last are declared alike.
    pub(crate) const PRINCIPALS: &[&str] = &[USER, API_KEY, WORKLOAD, ANONYMOUS];

    /// The Cedar schema that policies of this vocabulary are validated against, with these attributes of the context.
    pub fn schema(vocabulary: &Vocabulary<'_>, declared: &[&AttributeConfig]) -> String {
        schema_for(vocabulary, declared, PRINCIPALS)
    }

    /// The same for requests of these principals.
    pub(crate) fn schema_for(
        vocabulary: &Vocabulary<'_>,
        declared: &[&AttributeConfig],
        principals: &[&str],
    ) -> String {
        let principals = principals.join(", ");
        let mut text = String::from(
            "entity Role;\nentity Scope;\nentity Segment;\nentity Endpoint in [Segment];\n\
             entity User in [Role, Scope];\nentity ApiKey in [Role, Scope];\nentity Workload in [Role, Scope];\n\
             entity Anonymous;\n\ntype RequestContext = {\n",
        );
        for fact in Fact::ALL {
            let mark = if fact.required() { "" } else { "?" };
            let _ = writeln!(text, "  {}{mark}: {},", quoted(fact.name()), fact.ty());
        }
        for attribute in declared {
            let ty = match attribute.ty {
                AttributeType::String => "String",
                AttributeType::Long => "Long",
                AttributeType::Bool => "Bool",
                AttributeType::Strings => "Set<String>",
            };
            let _ = writeln!(text, "  {}?: {ty},", quoted(&attribute.name));
        }
        text.push_str("};\n\n");
        for group in [READ, WRITE].into_iter().chain(METHODS.iter().map(|(method, _)| *method)) {
            let _ = writeln!(text, "action {};", quoted(group));
        }
        for endpoint in vocabulary.endpoints {
            let groups: Vec<String> = groups_declared(endpoint).map(quoted).collect();
            let _ = writeln!(
                text,
                "action {} in [{}] appliesTo {{ principal: [{principals}], resource: [Endpoint], context: RequestContext }};",
                quoted(endpoint.id),
                groups.join(", ")
            );
        }
        text
    }

    /// Every group that some request of the endpoint is in.
    pub(crate) fn groups_declared(endpoint: &Endpoint<'_>) -> impl Iterator<Item = &'static str> {
        let any = endpoint.method == "*";
        let of_method = METHODS.iter().filter(move |(method, _)| any || endpoint.method.eq(*method));
        let reads = any || METHODS.iter().any(|(method, reads)| *reads && endpoint.method.eq(*method));
        let writes = any || !reads;
        let names: Vec<&'static str> = of_method.map(|(method, _)| *method).collect();
        names.into_iter().chain(reads.then_some(READ)).chain(writes.then_some(WRITE))
    }
}
