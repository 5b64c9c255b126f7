//! Snapshots from literal rows, for tests: what a test gives stands in the test.

use super::{Data, Snapshot, Table};
use crate::catalog::{self, Type};
use crate::meta::{Meta, TimeSource};
use crate::time::{Timestamp, parse_interval};
use crate::unit::parse_lsn;
use crate::version::PgVersion;
use std::sync::Arc;

/// A snapshot in the making.
///
/// Cells are separated by `|` and trimmed. An empty cell is NULL, `''` the empty text, `\p` in a text a pipe.
///
/// ```ignore
/// let before = literal("2026-11-22 12:00:00+00")
///     .view("pg_stat_user_tables", "relid | schemaname | relname | seq_scan", &["16385 | public | orders | 5"])
///     .build();
/// ```
#[derive(Debug)]
pub struct Literal(Snapshot);

/// A snapshot of PostgreSQL 18, database `shop`, a primary, taken at `at`. [`Literal::meta`] changes that.
///
/// # Panics
/// When the text is no time.
pub fn literal(at: &str) -> Literal {
    let time = |text: &str| Timestamp::parse(text).unwrap_or_else(|| panic!("not a time: {text}")).0;
    let meta = Meta {
        label: at.to_owned(),
        taken_at: Some(time(at)),
        time_source: Some(TimeSource::Meta),
        version: Some(PgVersion::major_only(18)),
        system_identifier: Some("7711000374923733943".to_owned()),
        in_recovery: Some(false),
        postmaster_start: Some(time("2026-11-01 00:00:00+00")),
        database: Some("shop".to_owned()),
        database_oid: Some(16_697),
        block_size: Some(8192),
        timezone: Some("UTC".to_owned()),
        exported_by: Some("postgres".to_owned()),
        ..Meta::default()
    };
    Literal(Snapshot { meta, ..Snapshot::default() })
}

impl Literal {
    /// Changes the snapshot's identity and circumstances.
    #[must_use]
    pub fn meta(mut self, change: impl FnOnce(&mut Meta)) -> Self {
        change(&mut self.0.meta);
        self
    }

    /// Another major version.
    #[must_use]
    pub fn version(self, major: u8) -> Self {
        self.meta(|m| m.version = Some(PgVersion::major_only(major)))
    }

    /// Adds a view with the given columns (present names) and rows. A view given twice is replaced.
    #[must_use]
    pub fn view(mut self, view: &str, header: &str, rows: &[&str]) -> Self {
        let table = table(view, header, rows);
        if let Some(view) = table.view {
            self.0.tables.insert(view.name, Arc::new(table));
        }
        self
    }

    /// The snapshot.
    pub fn build(self) -> Arc<Snapshot> {
        Arc::new(self.0)
    }
}

/// A table from literal rows.
///
/// # Panics
/// When the catalog has no such view or column, or a cell is not of the column's type.
pub fn table(view: &str, header: &str, rows: &[&str]) -> Table {
    let description = catalog::view(view).unwrap_or_else(|| panic!("the catalog has no view {view}"));
    let mut table = Table::empty(description);
    table.exported_as = view.to_owned();
    table.rows = rows.len();
    let rows: Vec<Vec<&str>> = rows.iter().map(|row| row.split('|').map(str::trim).collect()).collect();
    for (at, name) in header.split('|').map(str::trim).enumerate() {
        let (position, column) =
            description.column(name).unwrap_or_else(|| panic!("the catalog has no column {view}.{name}"));
        let mut data = Data::for_type(column.ty);
        for row in &rows {
            let cell = row.get(at).unwrap_or_else(|| panic!("{view}: no cell for {name} in {row:?}"));
            push(&mut data, column.ty, cell);
        }
        table.columns[position] = Some(data);
    }
    table
}

fn push(data: &mut Data, ty: Type, cell: &str) {
    if cell.is_empty() {
        data.push_null();
        return;
    }
    let bad = || panic!("{cell} is no {ty:?}");
    match data {
        Data::Int(values) => values.push(match ty {
            Type::Time => Timestamp::parse(cell).map_or_else(bad, |(t, _)| t.0),
            Type::Interval => parse_interval(cell).unwrap_or_else(bad),
            Type::Lsn => parse_lsn(cell).map_or_else(bad, |n| n as i64),
            _ => cell.parse().unwrap_or_else(|_| bad()),
        }),
        Data::Numeric(values) => values.push(Some(cell.parse().unwrap_or_else(|_| panic!("{cell} is no number")))),
        Data::Float(values) => values.push(cell.parse().unwrap_or_else(|_| panic!("{cell} is no number"))),
        Data::Bool(values) => values.push(match cell {
            "t" | "true" => 1,
            "f" | "false" => 0,
            _ => panic!("{cell} is no boolean"),
        }),
        Data::Text(values) => {
            values.push(Some(&if cell == "''" { String::new() } else { cell.replace("\\p", "|") }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "no view pg_stat_nothing")]
    fn a_typing_error_in_a_test_is_loud() {
        let _ = table("pg_stat_nothing", "relid", &[]);
    }
}
