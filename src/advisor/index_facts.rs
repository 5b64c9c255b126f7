//! Indexes joined once for all rules: use, definition, flags, size.

use super::indexdef::IndexDef;
use crate::diff::Change;
use crate::finding::{Subject, SubjectKind};
use crate::ident::{display_qualified, quote_qualified};
use crate::snapshot::Row;

/// An index: its counters, its definition, or both.
#[derive(Clone, Copy, Debug)]
pub struct IndexFact<'a> {
    /// Its row of `pg_stat_user_indexes` over the window.
    pub change: Option<Change<'a>>,
    /// Its row of `index_definitions`.
    pub definition: Option<Row<'a>>,
    /// Its row of `pg_indexes`, where `index_definitions` was not exported.
    pub bare: Option<Row<'a>>,
    pub(super) block_bytes: i64,
}

impl<'a> IndexFact<'a> {
    fn row(&self) -> Option<Row<'a>> {
        self.change.and_then(Change::last).or(self.definition)
    }

    /// The row that says what it is.
    pub fn described_by(&self) -> Option<Row<'a>> {
        self.definition.or(self.bare)
    }

    /// Its OID.
    pub fn indexrelid(&self) -> Option<i64> {
        self.row()?.int("indexrelid")
    }

    /// OID of its table.
    pub fn relid(&self) -> Option<i64> {
        self.row()?.int("relid")
    }

    /// Its schema.
    pub fn schema(&self) -> &'a str {
        self.row().or(self.bare).and_then(|r| r.text("schemaname")).unwrap_or_default()
    }

    /// Its name.
    pub fn name(&self) -> &'a str {
        let own = self.row().and_then(|r| r.text("indexrelname"));
        own.or_else(|| self.bare?.text("indexname")).unwrap_or_default()
    }

    /// Its table's name.
    pub fn table(&self) -> &'a str {
        let own = self.row().and_then(|r| r.text("relname"));
        own.or_else(|| self.bare?.text("tablename")).unwrap_or_default()
    }

    /// `schema.name` for people.
    pub fn display(&self) -> String {
        display_qualified(self.schema(), self.name())
    }

    /// `"schema"."name"` for SQL.
    pub fn sql(&self) -> String {
        quote_qualified(self.schema(), self.name())
    }

    /// `"schema"."table"` for SQL.
    pub fn table_sql(&self) -> String {
        quote_qualified(self.schema(), self.table())
    }

    /// As the subject of a finding.
    pub fn subject(&self) -> Subject {
        Subject::new(SubjectKind::Index, self.display())
    }

    /// The command that creates it.
    pub fn text(&self) -> Option<&'a str> {
        self.described_by()?.text("indexdef")
    }

    /// The command that creates it again without blocking writes.
    pub fn recreate(&self) -> Option<String> {
        let text = self.text()?;
        let (head, rest) = text.split_once("INDEX ")?;
        Some(format!("{head}INDEX CONCURRENTLY {rest};"))
    }

    /// Its definition, read.
    pub fn def(&self) -> Option<IndexDef> {
        IndexDef::parse(self.text()?)
    }

    fn flag(&self, column: &str) -> Option<bool> {
        self.definition?.bool(column)
    }

    /// Bytes on disk.
    pub fn bytes(&self) -> Option<i64> {
        let row = self.definition?;
        let measured = row.int("index_size").filter(|n| *n >= 0);
        measured.or_else(|| row.int("relpages").filter(|n| *n >= 0).map(|n| n.saturating_mul(self.block_bytes)))
    }

    /// Whether it is unique; where flags were not exported its definition says it.
    pub fn is_unique(&self) -> Option<bool> {
        self.flag("indisunique").or_else(|| self.text().map(|t| t.trim_start().starts_with("CREATE UNIQUE ")))
    }

    /// Whether queries may use it; `None` where flags were not exported.
    pub fn is_valid(&self) -> Option<bool> {
        Some(self.flag("indisvalid")? && self.flag("indisready").unwrap_or(true))
    }

    /// Why it must stay whatever its use: a constraint, the replica identity, the order of CLUSTER.
    pub fn bound_to(&self) -> Option<&'static str> {
        let on = |column| self.flag(column) == Some(true);
        let constraint = self.definition.and_then(|r| r.text("constraint_name")).is_some_and(|n| !n.is_empty());
        if on("indisprimary") {
            Some("the primary key")
        } else if on("indisexclusion") {
            Some("an exclusion constraint")
        } else if constraint {
            Some("a constraint")
        } else if on("indisreplident") {
            Some("the replica identity")
        } else if on("indisclustered") {
            Some("CLUSTER")
        } else {
            None
        }
    }

    /// OID of the partitioned index it belongs to.
    pub fn parent(&self) -> Option<i64> {
        self.definition?.int("parent_index").filter(|n| *n > 0)
    }

    /// Whether it is a partitioned index, which has no storage of its own.
    pub fn is_partitioned(&self) -> bool {
        match self.definition.and_then(|r| r.text("relkind")) {
            Some(kind) => kind == "I",
            None => {
                self.definition.is_some()
                    && self.change.is_none()
                    && self.text().is_some_and(|t| t.contains(" ON ONLY "))
            }
        }
    }

    /// Scans counted since the statistics began, in the last snapshot.
    pub fn scans(&self) -> Option<i64> {
        self.change?.last()?.int("idx_scan")
    }
}
