//! What policies mention beyond the facts of every request: tenant, client, and the attributes that the configuration
//! declares.

use std::borrow::Cow;

use smallvec::SmallVec;

use super::Config;
use crate::base::percent;
use crate::model::{Problem, Request};
use crate::policy::{Attribute, AttributeSource, AttributeType, Reads};
use crate::route::Router;
use crate::verify::{Claims, Scalar, Verified, Verifier};

/// Values read for one request.
pub(super) struct Context<'a> {
    pub(super) tenant: Option<Cow<'a, str>>,
    pub(super) client_id: Option<Cow<'a, str>>,
    /// In the order of their declaration.
    pub(super) declared: SmallVec<[Option<Attribute<'a>>; 4]>,
}

impl<'a> Context<'a> {
    /// Reads what policies mention, and nothing else.
    pub(super) fn read(
        reads: &Reads,
        verifier: &Verifier,
        verified: &'a Verified,
        request: &'a Request<'_>,
        variables: &'a [(&str, Cow<'_, str>)],
    ) -> Self {
        let claims = &verified.claims;
        let client = |name: &str| match claims.scalar(name)? {
            Scalar::String(id) => Some(id),
            _ => None,
        };
        let one = |(source, ty): &(AttributeSource, AttributeType)| match source {
            AttributeSource::Claim(name) if *ty == AttributeType::Strings => {
                claims.strings(name).map(Attribute::Strings)
            }
            AttributeSource::Claim(_) => None,
            AttributeSource::Variable(name) => {
                let mut values = variables.iter().filter(|(known, _)| **known == **name).map(|(_, value)| &**value);
                only(&mut values).and_then(|value| ty.read(value.into()))
            }
            AttributeSource::Header(name) => header(request, name).and_then(|value| ty.read(value.into())),
            AttributeSource::Query(name) => parameter(request, name).and_then(|value| ty.read(value)),
        };
        let mut declared: SmallVec<_> = reads.declared.iter().map(|read| read.as_ref().and_then(one)).collect();
        fill_from_claims(reads, claims, &mut declared);
        Self {
            tenant: if reads.tenant { verifier.tenant(verified) } else { None },
            client_id: if reads.client_id { client("client_id").or_else(|| client("azp")) } else { None },
            declared,
        }
    }
}

/// Declared variables that no endpoint has: they would always be absent. And the header of API keys: what is declared
/// is shown by explanations.
pub(super) fn problems(config: &Config, router: &Router) -> Vec<Problem> {
    let declared = config.policy.iter().flat_map(|policy| policy.context.iter().enumerate());
    let of_keys = |name: &&str| name.eq_ignore_ascii_case(&config.verify.api_key_header);
    let headers = declared.filter_map(|(at, attribute)| attribute.header.as_deref().filter(of_keys).map(|_| at));
    let keys = headers.map(|at| {
        let problem = Problem::new(format!("policy.context[{at}].header"), "holds a credential");
        problem.mend("write `context.subject` or a role for what it proves")
    });
    let declared = config.policy.iter().flat_map(|policy| policy.context.iter().enumerate());
    let variables = declared.filter_map(|(at, attribute)| attribute.variable.as_deref().map(|name| (at, name)));
    let unknown = variables.filter(|(_, name)| !router.has_variable(name)).map(|(at, name)| {
        let message = format!("no path has a variable `{name}`: the attribute would always be absent");
        Problem::new(format!("policy.context[{at}].variable"), message).mend("name a variable of an endpoint's path")
    });
    keys.chain(unknown).collect()
}

/// Fills in the attributes that are plain claims, in one pass over the token's.
fn fill_from_claims<'a>(reads: &Reads, claims: &'a Claims, declared: &mut [Option<Attribute<'a>>]) {
    if !reads.declared.iter().flatten().any(|(source, _)| matches!(source, AttributeSource::Claim(_))) {
        return;
    }
    for (name, value) in claims.scalars() {
        for (slot, read) in declared.iter_mut().zip(&reads.declared) {
            if let Some((AttributeSource::Claim(claim), ty)) = read
                && **claim == *name
            {
                *slot = of_type(*ty, value.clone());
            }
        }
    }
}

/// A claim has a type of its own: the text `"42"` is not a number.
fn of_type(ty: AttributeType, value: Scalar<'_>) -> Option<Attribute<'_>> {
    match (ty, value) {
        (AttributeType::String, Scalar::String(text)) => ty.read(text),
        (AttributeType::Long, Scalar::Number(text)) => ty.read(text.into()),
        (AttributeType::Bool, Scalar::Bool(truth)) => Some(Attribute::Bool(truth)),
        _ => None,
    }
}

/// The value of a header that stands once.
fn header<'a>(request: &'a Request<'_>, name: &str) -> Option<&'a str> {
    let lines = request.headers.iter().filter(|(known, _)| known.bytes().eq_ignore_ascii_case(name.as_bytes()));
    let value = only(&mut lines.map(|(_, value)| value))?;
    Some(value.as_str()?.trim_matches([' ', '\t']))
}

/// The decoded value of a query parameter that stands once, in this case of letters or any other.
fn parameter<'a>(request: &'a Request<'_>, name: &str) -> Option<Cow<'a, str>> {
    let query = request.query.as_ref()?.bytes();
    let pairs = query.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty());
    let mut named = pairs.filter_map(|pair| {
        let end = memchr::memchr(b'=', pair).unwrap_or(pair.len());
        let (key, value) = pair.split_at_checked(end)?;
        let key = form_decoded(key)?;
        key.eq_ignore_ascii_case(name).then(|| (key, value.get(1..).unwrap_or_default()))
    });
    let (key, value) = only(&mut named)?;
    if key == name { form_decoded(value) } else { None }
}

/// `application/x-www-form-urlencoded`, decoded once.
fn form_decoded(bytes: &[u8]) -> Option<Cow<'_, str>> {
    let decoded = match memchr::memchr(b'+', bytes) {
        None => percent::decode(bytes).ok()?,
        Some(_) => {
            let spaced: Vec<u8> = bytes.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
            Cow::Owned(percent::decode(&spaced).ok()?.into_owned())
        }
    };
    match decoded {
        Cow::Borrowed(bytes) => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
        Cow::Owned(bytes) => String::from_utf8(bytes).ok().map(Cow::Owned),
    }
}

fn only<T>(values: &mut impl Iterator<Item = T>) -> Option<T> {
    let first = values.next()?;
    if values.next().is_none() { Some(first) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Text;
    use proptest::prelude::*;

    #[test]
    fn a_parameter_stands_once_and_means_one_thing() {
        let read = |query: &str| {
            let request = Request { query: Some(Text::from(query.to_owned())), ..Request::default() };
            parameter(&request, "expand").map(Cow::into_owned)
        };
        for (query, value) in [
            ("expand=items", "items"),
            ("a=1&expand=a%20b&&c", "a b"),
            ("%65xpand=a+b%2B", "a b+"),
            ("expand", ""),
            ("expand=a=b", "a=b"),
        ] {
            assert_eq!(read(query).as_deref(), Some(value), "{query}");
        }
        for query in [
            "",
            "expand=a&expand=a",
            "expand=a&Expand=b",
            "Expand=a",
            "expand=%zz",
            "expand=%ff",
            "expanded=1",
            "=expand",
        ] {
            assert_eq!(read(query), None, "{query}");
        }
    }

    #[cfg(feature = "compile")]
    #[test]
    fn the_header_of_api_keys_is_no_attribute() {
        let read = |header: &str, keys: &str| {
            let attribute = format!("[[policy.context]]\nname = \"key\"\nheader = \"{header}\"\ntype = \"string\"\n");
            let policy = format!("[policy]\ntext = 'permit(principal, action, resource);'\n{attribute}");
            crate::Engine::from_toml(&format!("version = 1\n{keys}{policy}"), &[]).map(drop).map_err(|e| e.to_string())
        };
        for (header, keys) in
            [("X-API-Key", ""), ("x-secret", "[verify]\napi_key_header = \"X-Secret\"\n"), ("Cookie", "")]
        {
            assert!(read(header, keys).is_err_and(|told| told.contains("holds a credential")), "{header}");
        }
        assert_eq!(read("x-secret", ""), Ok(()));
    }

    #[test]
    fn a_header_stands_once() {
        let read = |lines: &[(&'static str, &'static [u8])]| {
            let headers = lines.iter().map(|(name, value)| (Text::from(*name), Text::from(*value))).collect();
            let request = Request { headers, ..Request::default() };
            header(&request, "x-tenant").map(str::to_owned)
        };
        assert_eq!(read(&[("X-Tenant", b" a\t"), ("x-tenants", b"b")]).as_deref(), Some("a"));
        assert_eq!(read(&[("X-Tenant", b"a"), ("x-tenant", b"a")]), None);
        assert_eq!(read(&[("x-tenant", b"\xff")]), None);
        assert_eq!(read(&[]), None);
    }

    proptest! {
        #[test]
        fn any_query_is_read_without_panic(query in ".{0,20}", bytes in prop::collection::vec(any::<u8>(), 0..20)) {
            for query in [Text::from(query), Text::from(bytes)] {
                let request = Request { query: Some(query), ..Request::default() };
                let _ = parameter(&request, "a");
            }
        }

        #[test]
        fn what_is_encoded_is_read_back(value in "\\PC{0,10}") {
            let encoded: String = value.bytes().map(|byte| format!("%{byte:02x}")).collect();
            let request = Request { query: Some(Text::from(format!("b=1&a={encoded}"))), ..Request::default() };
            prop_assert_eq!(parameter(&request, "a").map(Cow::into_owned), Some(value));
        }
    }
}
