//! Checks `[[policy.context]]`, and finds what policies mention of it.

use std::collections::BTreeSet;

use crate::model::Problem;
use crate::policy::declared::{AttributeConfig, AttributeSource, AttributeType, Reads};
use crate::policy::facts::Fact;
use crate::policy::program::{Node, Program};

/// Most declared attributes.
const ATTRIBUTES_MAX: usize = 64;
/// Longest name of an attribute or of its source, bytes.
const NAME_MAX: usize = 256;
/// Words that Cedar does not take for a name.
const RESERVED: &[&str] = &["true", "false", "if", "then", "else", "in", "is", "like", "has", "__cedar"];
/// Headers that hold credentials: claims say what they prove.
const CREDENTIALS: &[&str] = &["authorization", "proxy-authorization", "cookie", "dpop", "x-amz-security-token"];

/// The attributes that policies can be compiled against: those whose name is sound.
pub(super) fn declared<'c>(context: &'c [AttributeConfig], problems: &mut Vec<Problem>) -> Vec<&'c AttributeConfig> {
    if context.len() > ATTRIBUTES_MAX {
        let message = format!("{} attributes; at most {ATTRIBUTES_MAX} are taken", context.len());
        problems.push(Problem::new("policy.context", message));
    }
    let mut seen = BTreeSet::new();
    let mut sound = Vec::new();
    for (at, attribute) in context.iter().enumerate() {
        let key = format!("policy.context[{at}]");
        problems.extend(source_problem(attribute).map(|problem| problem.under(&key)));
        let name = attribute.name.as_str();
        let problem = match () {
            () if !is_name(name) => "not a name in Cedar: letters, digits and `_`, the first not a digit",
            () if Fact::find(name).is_some() => "every request has an attribute of this name already",
            () if !seen.insert(name) => "declared twice",
            () => {
                sound.push(attribute);
                continue;
            }
        };
        problems.push(Problem::new(format!("{key}.name"), problem).mend("choose another name"));
    }
    sound
}

fn is_name(name: &str) -> bool {
    let word = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    word && (1..=NAME_MAX).contains(&name.len())
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && !RESERVED.contains(&name)
}

fn source_problem(attribute: &AttributeConfig) -> Option<Problem> {
    let sources = [
        ("claim", &attribute.claim),
        ("variable", &attribute.variable),
        ("header", &attribute.header),
        ("query", &attribute.query),
    ];
    let mut said = sources.into_iter().filter_map(|(key, name)| name.as_deref().map(|name| (key, name)));
    let (Some((key, name)), None) = (said.next(), said.next()) else {
        let problem = Problem::new("name", "not exactly one of `claim`, `variable`, `header` and `query`");
        return Some(problem.mend("say where its value is read"));
    };
    if name.is_empty() || name.len() > NAME_MAX || name.contains(char::is_control) {
        return Some(Problem::new(key, format!("not 1 to {NAME_MAX} bytes without control characters")));
    }
    if key == "header" && !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)) {
        return Some(Problem::new(key, "not the name of a header"));
    }
    if key == "header" && CREDENTIALS.contains(&name.to_ascii_lowercase().as_str()) {
        return Some(Problem::new(key, "holds a credential").mend("write `claim` for what it proves"));
    }
    if key != "claim" && attribute.ty == AttributeType::Strings {
        return Some(Problem::new("type", "only a claim holds `strings`").mend("write `type = \"string\"`"));
    }
    None
}

/// What the policies of a program mention.
pub(super) fn reads(program: &Program, declared: &[&AttributeConfig]) -> Reads {
    let (mut used, mut reads) = (BTreeSet::new(), Reads::default());
    for node in &program.nodes {
        match *node {
            Node::Fact(Fact::Tenant) | Node::HasFact(Fact::Tenant) => reads.tenant = true,
            Node::Fact(Fact::ClientId) | Node::HasFact(Fact::ClientId) => reads.client_id = true,
            Node::Declared(at) | Node::HasDeclared(at) => {
                used.insert(at);
            }
            _ => {}
        }
    }
    let one = |(at, attribute): (u32, &&AttributeConfig)| {
        source(attribute).filter(|_| used.contains(&at)).map(|source| (source, attribute.ty))
    };
    reads.declared = (0..).zip(declared).map(one).collect();
    reads
}

fn source(attribute: &AttributeConfig) -> Option<AttributeSource> {
    let claim = attribute.claim.as_deref().map(|name| AttributeSource::Claim(name.into()));
    let variable = || attribute.variable.as_deref().map(|name| AttributeSource::Variable(name.into()));
    let header = || attribute.header.as_deref().map(|name| AttributeSource::Header(name.to_ascii_lowercase().into()));
    let query = || attribute.query.as_deref().map(|name| AttributeSource::Query(name.into()));
    claim.or_else(variable).or_else(header).or_else(query)
}
