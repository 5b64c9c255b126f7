//! A table as rules see it: what it counts, how large it is.

use crate::diff::Change;
use crate::finding::{Doubt, Subject, SubjectKind};
use crate::ident::{display_qualified, quote_qualified};
use crate::snapshot::{Row, parse_array};

/// A table: its counters and its sizes, at least one of the two.
#[derive(Clone, Copy, Debug)]
pub struct TableFact<'a> {
    /// Its row of `pg_stat_user_tables` over the window.
    pub change: Option<Change<'a>>,
    /// Its row of `table_sizes`.
    pub sizes: Option<Row<'a>>,
    /// Looked up once: most rules begin with a floor on it.
    pub(super) heap_bytes: Option<i64>,
}

/// Whether a schema is PostgreSQL's own or temporary: its objects are nobody's to change.
pub fn is_system_schema(schema: &str) -> bool {
    matches!(schema, "pg_catalog" | "information_schema")
        || schema.starts_with("pg_toast")
        || schema.starts_with("pg_temp")
}

/// Bytes of a heap: measured, else the pages that the last vacuum or analyze saw.
pub(super) fn heap_bytes(sizes: Row<'_>, block_bytes: i64) -> Option<i64> {
    let size = |column| sizes.int(column).filter(|n| *n >= 0);
    size("relation_size").or_else(|| size("relpages").map(|pages| pages.saturating_mul(block_bytes)))
}

impl<'a> TableFact<'a> {
    fn row(&self) -> Option<Row<'a>> {
        self.change.and_then(Change::last).or(self.sizes)
    }

    /// Its OID.
    pub fn relid(&self) -> Option<i64> {
        self.row()?.int("relid")
    }

    /// Its schema.
    pub fn schema(&self) -> &'a str {
        self.row().and_then(|r| r.text("schemaname")).unwrap_or_default()
    }

    /// Its name.
    pub fn name(&self) -> &'a str {
        self.row().and_then(|r| r.text("relname")).unwrap_or_default()
    }

    /// `schema.name` for people.
    pub fn display(&self) -> String {
        display_qualified(self.schema(), self.name())
    }

    /// `"schema"."name"` for SQL.
    pub fn sql(&self) -> String {
        quote_qualified(self.schema(), self.name())
    }

    /// `'"schema"."name"'` for a cast to `regclass`.
    pub fn class_literal(&self) -> String {
        crate::ident::quote_regclass(self.schema(), self.name())
    }

    /// As the subject of a finding.
    pub fn subject(&self) -> Subject {
        Subject::new(SubjectKind::Table, self.display())
    }

    fn size(&self, column: &str) -> Option<i64> {
        self.sizes?.int(column).filter(|n| *n >= 0)
    }

    /// Bytes of the heap alone.
    pub const fn heap_bytes(&self) -> Option<i64> {
        self.heap_bytes
    }

    /// Bytes with TOAST and indexes.
    pub fn total_bytes(&self) -> Option<i64> {
        self.size("total_relation_size").or_else(|| self.heap_bytes())
    }

    /// Rows as the planner believes (`reltuples`); `None` where never analyzed or not exported.
    pub fn reltuples(&self) -> Option<f64> {
        let sizes = self.sizes?;
        let rows = sizes.f64("reltuples").filter(|r| *r >= 0.0)?;
        // Up to 13, 0 rows with pages is the spelling of "never counted", and a partitioned table has none of either.
        let counted = sizes.int("relpages").unwrap_or(0) == 0 && self.is_kind("p") != Some(true);
        (rows > 0.0 || counted).then_some(rows)
    }

    /// Rows by the best estimate: `reltuples`, else `n_live_tup`; the doubt says that it is the second.
    pub fn rows(&self) -> (Option<f64>, Option<Doubt>) {
        match self.reltuples() {
            Some(rows) => (Some(rows), None),
            None => (self.change.and_then(Change::last).and_then(|r| r.f64("n_live_tup")), Some(Doubt::C5)),
        }
    }

    /// Whether `relkind` is one of these letters; `None` where not exported.
    pub fn is_kind(&self, kinds: &str) -> Option<bool> {
        let kind = self.sizes?.text("relkind")?;
        Some(!kind.is_empty() && kinds.contains(kind))
    }

    /// Whether it is a partition of another table.
    pub fn is_partition(&self) -> Option<bool> {
        self.sizes?.bool("relispartition")
    }

    /// A storage parameter set on the table itself (`autovacuum_enabled`).
    pub fn option(&self, name: &str) -> Option<String> {
        of_options(self.sizes?.text("reloptions")?, name)
    }

    /// A storage parameter of its TOAST table, as `ALTER TABLE … SET (toast.…)` sets it.
    pub fn toast_option(&self, name: &str) -> Option<String> {
        of_options(self.sizes?.text("toast_reloptions")?, name)
    }
}

fn of_options(options: &str, name: &str) -> Option<String> {
    parse_array(options).into_iter().find_map(|o| {
        let (key, value) = o.split_once('=')?;
        (key == name).then(|| value.to_owned())
    })
}
