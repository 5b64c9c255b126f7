//! How rows call the objects they are about, and how rows of different views find each other.

use crate::ident::{display_qualified, visible};
use crate::snapshot::{Row, Table};
use std::collections::BTreeMap;

/// `schema.table` of a row; a row that does not say its table is `(table not stated)`.
pub(super) fn table_name(row: Row<'_>) -> String {
    qualified(row.text("schemaname"), row.text("relname"), "(table not stated)")
}

/// `schema.index` of a row.
pub(super) fn index_name(row: Row<'_>) -> String {
    qualified(row.text("schemaname"), row.text("indexrelname"), "(index not stated)")
}

/// `schema.name`, or what is known of it.
pub(super) fn qualified(schema: Option<&str>, name: Option<&str>, unknown: &str) -> String {
    match (schema, name) {
        (Some(schema), Some(name)) => display_qualified(schema, name),
        (None, Some(name)) => visible(name).into_owned(),
        (_, None) => unknown.to_owned(),
    }
}

/// Whether a schema is PostgreSQL's own or a session's temporary one.
pub(super) fn is_system(schema: Option<&str>) -> bool {
    schema.is_some_and(|s| {
        s == "pg_catalog" || s == "information_schema" || s.starts_with("pg_toast") || s.starts_with("pg_temp")
    })
}

/// A text on one line: blanks and comments' line ends collapsed, cut after `max` characters.
pub(super) fn one_line(text: &str, max: usize) -> String {
    let mut out = String::new();
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
        if out.chars().count() > max {
            return out.chars().take(max.saturating_sub(1)).chain(['…']).collect();
        }
    }
    out
}

/// Rows of a view by the OID of their object, and by name where no OID was exported.
#[derive(Debug, Default)]
pub(super) struct ByObject<'a> {
    by_id: BTreeMap<i64, Row<'a>>,
    by_name: BTreeMap<(Option<&'a str>, Option<&'a str>), Row<'a>>,
    id: &'static str,
    name: &'static str,
}

impl<'a> ByObject<'a> {
    /// Rows of a table by `relid` and `relname`.
    pub(super) fn tables(table: Option<&'a Table>) -> Self {
        Self::new(table, "relid", "relname")
    }

    /// Rows of a table by `indexrelid` and `indexrelname`.
    pub(super) fn indexes(table: Option<&'a Table>) -> Self {
        Self::new(table, "indexrelid", "indexrelname")
    }

    fn new(table: Option<&'a Table>, id: &'static str, name: &'static str) -> Self {
        let mut found = Self { id, name, ..Self::default() };
        for row in table.into_iter().flat_map(Table::iter) {
            match row.int(id) {
                Some(oid) => found.by_id.entry(oid).or_insert(row),
                None => found.by_name.entry((row.text("schemaname"), row.text(name))).or_insert(row),
            };
        }
        if found.by_id.is_empty() {
            return found;
        }
        // A dump may carry the OID in one view and not in another.
        for row in found.by_id.values() {
            found.by_name.entry((row.text("schemaname"), row.text(name))).or_insert(*row);
        }
        found
    }

    /// The row of the same object.
    pub(super) fn of(&self, row: Row<'a>) -> Option<Row<'a>> {
        match row.int(self.id) {
            Some(oid) if !self.by_id.is_empty() => self.by_id.get(&oid).copied(),
            _ => self.by_name.get(&(row.text("schemaname"), row.text(self.name))).copied(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shortens_statements() {
        for (text, max, want) in [
            ("SELECT\n   1", 20, "SELECT 1"),
            ("SELECT aaaaaaaaaaaaaaaaaaaaaa", 10, "SELECT aa…"),
            ("größe größe größe", 12, "größe größe…"),
            ("", 5, ""),
        ] {
            assert_eq!(one_line(text, max), want);
        }
    }

    #[test]
    fn names_what_is_known() {
        assert_eq!(qualified(Some("s"), Some("a\nb"), "?"), "s.a\\nb");
        assert_eq!(qualified(None, Some("t"), "?"), "t");
        assert_eq!(qualified(Some("s"), None, "?"), "?");
    }
}
