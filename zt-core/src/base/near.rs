//! The name that was meant.

/// The one of these names that is nearly this one. None without the feature `compile`: where there is nobody to write a
/// configuration anew, there is nobody to ask.
#[cfg(feature = "compile")]
pub fn nearest<'n>(written: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let likely = names.into_iter().map(|name| (strsim::jaro_winkler(written, name), name));
    likely.max_by(|a, b| a.0.total_cmp(&b.0)).filter(|(likeness, _)| *likeness > 0.8).map(|(_, name)| name)
}

/// The same, which knows none.
#[cfg(not(feature = "compile"))]
pub fn nearest<'n>(_: &str, _: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    None
}

#[cfg(feature = "compile")]
#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn what_is_far_is_not_meant() {
        let names = ["operator", "partner", "buyer"];
        assert_eq!(nearest("opertor", names), Some("operator"));
        assert_eq!(nearest("buyers", names), Some("buyer"));
        assert_eq!(nearest("auditor", names), None);
        assert_eq!(nearest("auditor", []), None);
    }
}
