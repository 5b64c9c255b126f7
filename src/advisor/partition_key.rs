//! The partition key of a table, as the server prints it.

/// The columns of `RANGE (a, "b c")`; none where an expression stands in it.
pub fn key_columns(key: &str) -> Vec<String> {
    let Some(list) = key.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')) else { return Vec::new() };
    if list.contains('(') {
        return Vec::new();
    }
    list.split(',').filter_map(|c| c.split_whitespace().next()).map(|c| c.trim_matches('"').to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_read_and_expressions_are_none() {
        for (key, want) in [
            ("RANGE (at)", &["at"][..]),
            ("LIST (\"Region\", b)", &["Region", "b"]),
            ("HASH (id text_ops)", &["id"]),
            ("RANGE (lower(name))", &[]),
            ("", &[]),
        ] {
            assert_eq!(key_columns(key), want, "{key}");
        }
    }
}
