//! The path of a server's URL, which stands before every template.

use super::document::Server;

/// Path of the server's URL, variables at their defaults, without the last slash.
///
/// # Errors
/// The path is relative to a place that is not known here, or a variable has no default.
pub(super) fn base_path(server: &Server) -> Result<String, String> {
    let mut url = String::new();
    let mut rest = server.url.as_str();
    while let Some((plain, after)) = rest.split_once('{') {
        let (name, after) =
            after.split_once('}').ok_or_else(|| format!("server `{}`: `{{` without `}}`", server.url))?;
        let variable = server.variables.0.iter().find(|(known, _)| known == name);
        let (_, variable) = variable.ok_or_else(|| format!("server `{}`: `{name}` has no default", server.url))?;
        url.push_str(plain);
        url.push_str(&variable.default);
        rest = after;
    }
    url.push_str(rest);
    let after_scheme = url.split_once("://").map(|(_, rest)| rest).or_else(|| url.strip_prefix("//"));
    let path = match after_scheme {
        Some(rest) => rest.find('/').and_then(|at| rest.get(at..)).unwrap_or_default(),
        None => &url,
    };
    prefix(path).map_err(|_| format!("server `{}` is relative to a place that is not known here", server.url))
}

/// A base path without its last slash.
///
/// # Errors
/// It does not start with a slash.
pub(super) fn prefix(path: &str) -> Result<String, String> {
    match path.trim_end_matches('/') {
        "" | "." => Ok(String::new()),
        path if path.starts_with('/') => Ok(path.to_owned()),
        path => Err(format!("base path `{path}` does not start with `/`")),
    }
}
