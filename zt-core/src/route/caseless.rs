//! The templates in lower case: what a router that ignores case, as Express does unless told otherwise, makes of a path.

use std::sync::Arc;

use smallvec::SmallVec;

use super::template::Template;
use super::tree::Tree;
use super::{Endpoint, Match, Path};

/// Methods, or `*`, and their endpoints.
type Methods = SmallVec<[(Arc<str>, u32); 2]>;

/// Every template and pattern in lower case. Those that differ in nothing but case share an entry.
#[derive(Debug)]
pub(super) struct Caseless {
    endpoints: Tree<Methods>,
    segments: Tree<SmallVec<[Arc<str>; 1]>>,
    /// Whether any of them has an upper-case letter.
    mixed: bool,
}

impl Caseless {
    pub(super) fn new() -> Self {
        Self { endpoints: Tree::new(), segments: Tree::new(), mixed: false }
    }

    pub(super) fn endpoint(&mut self, template: &Template, endpoint: &Endpoint) {
        let (lower, differs) = template.lower_case();
        self.mixed |= differs;
        self.endpoints.entry(&lower).push((Arc::clone(&endpoint.method), endpoint.index));
    }

    pub(super) fn segment(&mut self, pattern: &Template, segment: &Arc<str>) {
        let (lower, differs) = pattern.lower_case();
        self.mixed |= differs;
        self.segments.entry(&lower).push(Arc::clone(segment));
    }

    /// Whether a router that ignores case, or one that compares texts before it decodes them, comes to another
    /// endpoint, or a path in another segment. One that finds nothing has nothing to give away.
    pub(super) fn contradicts(&self, found: &Match<'_>, method: &[u8], default: &Arc<str>) -> bool {
        let path = &found.path;
        if self.mixed || path.text.bytes().fold(false, |upper, byte| upper | byte.is_ascii_uppercase()) {
            let lower = in_lower_case(&path.text, path);
            let other = |names: &SmallVec<[Arc<str>; 1]>| Some(!names.contains(found.segment));
            let elsewhere = self.segments.find(&lower, other).unwrap_or(found.segment != default);
            if elsewhere || self.other_endpoint(&lower, method, found.endpoint.index) {
                return true;
            }
        }
        let encoded = path.encoded.as_ref().map(|encoded| in_lower_case(encoded, path));
        encoded.is_some_and(|encoded| self.other_endpoint(&encoded, method, found.endpoint.index))
    }

    fn other_endpoint(&self, path: &Path<'_>, method: &[u8], index: u32) -> bool {
        let mut most_specific = true;
        let other = self.endpoints.find(path, |endpoints| {
            let any = std::mem::take(&mut most_specific);
            let serves = |(name, _): &&(Arc<str>, u32)| match &**name {
                "*" => any,
                "GET" => matches!(method, b"GET" | b"HEAD"),
                name => name.as_bytes() == method,
            };
            let mut serving = endpoints.iter().filter(serves).peekable();
            serving.peek()?;
            Some(serving.all(|(_, at)| *at != index))
        });
        other.unwrap_or(false)
    }
}

fn in_lower_case(text: &str, path: &Path<'_>) -> Path<'static> {
    Path { text: text.to_ascii_lowercase().into(), trailing_slash: path.trailing_slash, encoded: None }
}
