//! Names of tables and columns that statements may use.

use std::collections::{BTreeMap, BTreeSet, HashSet};

/// The tables of the dump by name.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// For each name the tables that bear it: schema, OID.
    tables: BTreeMap<String, Vec<(String, i64)>>,
    columns: BTreeMap<i64, BTreeSet<String>>,
    /// Functions of the database that return the same for all rows of a statement.
    stable: BTreeSet<String>,
}

impl Names {
    /// Adds a table with the columns that are known of it.
    pub fn add(&mut self, schema: &str, table: &str, relid: i64, columns: impl IntoIterator<Item = String>) {
        self.tables.entry(table.to_owned()).or_default().push((schema.to_owned(), relid));
        self.columns.insert(relid, columns.into_iter().collect());
    }

    /// Adds a function that is not volatile.
    pub fn add_stable(&mut self, function: &str) {
        self.stable.insert(function.to_owned());
    }

    /// Whether a function of the database is known not to be volatile.
    pub fn is_stable(&self, function: &str) -> bool {
        self.stable.contains(function)
    }

    /// The table of a name: with a schema that one; without it the only one, or the first on a path of schemas.
    pub fn table(&self, schema: Option<&str>, table: &str, path: &[String]) -> Option<i64> {
        let named = self.tables.get(table)?;
        let of = |schema: &str| named.iter().find(|(s, _)| s == schema).map(|(_, relid)| *relid);
        match (schema, named.as_slice()) {
            (Some(schema), _) => of(schema),
            (None, [(_, only)]) => Some(*only),
            (None, _) => path.iter().find_map(|schema| of(schema)),
        }
    }

    /// Whether anything is known of a table's columns.
    pub fn knows(&self, relid: i64) -> bool {
        self.columns.get(&relid).is_some_and(|c| !c.is_empty())
    }

    /// Whether a table has a column, as far as the dump tells.
    pub fn has(&self, relid: i64, column: &str) -> bool {
        self.columns.get(&relid).is_some_and(|c| c.contains(column))
    }
}

/// The words that some texts use: which tables of a large database they may name.
#[derive(Debug, Default)]
pub struct Mentioned<'t> {
    words: HashSet<&'t str>,
    lower: HashSet<String>,
}

impl<'t> Mentioned<'t> {
    /// The words of texts.
    pub fn of(texts: impl Iterator<Item = &'t str>) -> Self {
        let words: HashSet<&str> =
            texts.flat_map(|text| text.split(|c: char| !is_plain(c))).filter(|w| !w.is_empty()).collect();
        let lower = words.iter().map(|w| w.to_lowercase()).collect();
        Self { words, lower }
    }

    /// Whether a name may stand in one of them.
    pub fn may_have(&self, name: &str) -> bool {
        name.contains(|c: char| !is_plain(c)) || self.words.contains(name) || self.lower.contains(name)
    }
}

fn is_plain(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_without_schema_must_be_the_only_one() {
        let mut names = Names::default();
        names.add("a", "t", 1, ["x".to_owned()]);
        names.add("b", "t", 2, []);
        names.add("b", "u", 3, []);
        assert_eq!(
            (names.table(None, "t", &[]), names.table(Some("b"), "t", &[]), names.table(None, "u", &[])),
            (None, Some(2), Some(3))
        );
        let path = ["c", "b", "a"].map(str::to_owned);
        assert_eq!((names.table(None, "t", &path), names.table(Some("a"), "t", &path)), (Some(2), Some(1)));
        assert_eq!(names.table(None, "t", &path[..1]), None);
        assert!(names.has(1, "x") && !names.has(2, "x"));
    }
}
