//! What a request is compared with: those for the same endpoint.

use crate::anomaly::Target;
use crate::route::Match;

/// What learning and scoring take a request to be for: the endpoint that was found, by its id. A template that takes any
/// path (`/**`, or `*` in the place of a segment) tells no endpoints apart, and where none was found there is none: the path
/// itself says what it is then.
pub fn target<'m, 'a: 'm>(found: Option<&'m Match<'a>>) -> Target<'m> {
    match found {
        Some(Match { endpoint, variables, .. }) if !endpoint.template.contains('*') => {
            Target::Endpoint { id: &endpoint.id, variables }
        }
        _ => Target::Path,
    }
}
