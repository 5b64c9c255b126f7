//! A view: its rows' identity, what resets them, and its columns.

use super::Column;
use crate::version::Majors;
use foldhash::fast::FixedState;
use std::collections::HashMap;
use std::sync::LazyLock;

/// Positions of the columns of the catalog's views, by the address of their list and their names; under the empty name that
/// the list is known. Columns are asked for by name, row by row, and each description takes a line of the processor's cache.
static POSITIONS: LazyLock<HashMap<(usize, &'static str), usize, FixedState>> = LazyLock::new(|| {
    let mut out = HashMap::with_hasher(FixedState::default());
    for view in super::VIEWS {
        let list = view.columns.as_ptr().addr();
        out.insert((list, ""), view.columns.len());
        out.extend(view.columns.iter().enumerate().map(|(at, column)| ((list, column.name), at)));
    }
    out
});

/// What a view's rows are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Cumulative statistics, subtracted.
    Counters,
    /// What is going on at one instant: never subtracted.
    Sample,
    /// State: definitions, sizes, settings. Gauges and labels.
    State,
}

/// Who makes a view's rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A relation of the server itself.
    Server,
    /// The extension `pg_stat_statements`: present where it is installed, with the layout of its own version.
    Statements,
    /// A query of the export script (`pgretro export-sql`).
    Export,
    /// Files that people put beside the exports.
    Given,
}

/// Which evidence tells that a row's counters started again (`diff-semantics` 4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Epoch {
    /// `pg_stat_database.stats_reset` of the row's database, and what the rows themselves show.
    Database,
    /// The view's (or each row's) own `stats_reset`.
    Own,
    /// pg_stat_statements: `stats_since` of the row, `pg_stat_statements_info.stats_reset`.
    Statements,
    /// Not cumulative.
    None,
}

/// A view, or one of our helper exports.
#[derive(Clone, Copy, Debug)]
pub struct View {
    /// Its name; for the three sets `pg_stat_{user,all,sys}_X` the `user` one.
    pub name: &'static str,
    /// Other names of the same rows.
    pub also: &'static [&'static str],
    /// Who makes its rows.
    pub origin: Origin,
    /// What its rows are.
    pub shape: Shape,
    /// What resets it.
    pub epoch: Epoch,
    /// True where rows belong to the exporting session's database, false where they are the whole cluster's.
    pub per_database: bool,
    /// Majors that have it.
    pub majors: Majors,
    /// Columns that identify a row. Empty: one row.
    pub key: &'static [&'static str],
    /// Columns that identify a row where `key` was not exported.
    pub fallback_key: &'static [&'static str],
    /// The counter that orders the view's rows where nobody asked for another.
    pub telling: &'static str,
    /// One line for people.
    pub about: &'static str,
    /// Its columns, in PostgreSQL's order.
    pub columns: &'static [Column],
}

impl View {
    /// The position and description of a column by its present name.
    pub fn column(&self, name: &str) -> Option<(usize, &'static Column)> {
        let list = self.columns.as_ptr().addr();
        match POSITIONS.get(&(list, name)) {
            Some(at) => self.columns.get(*at).map(|column| (*at, column)),
            None if POSITIONS.contains_key(&(list, "")) => None,
            // No view of the catalog's.
            None => self.columns.iter().enumerate().find(|(_, c)| c.name == name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::POSITIONS;
    use crate::catalog;

    #[test]
    fn columns_are_found_by_name() {
        for view in catalog::VIEWS {
            let view = catalog::view(view.name).unwrap();
            assert!(POSITIONS.contains_key(&(view.columns.as_ptr().addr(), "")), "{}", view.name);
            for (at, column) in view.columns.iter().enumerate() {
                assert_eq!(view.column(column.name).map(|(at, c)| (at, c.name)), Some((at, column.name)));
            }
            assert!(view.column("no such column").is_none() && view.column("").is_none());
            // One that is not the catalog's.
            let own = view.columns.to_vec().leak();
            let other = catalog::View { columns: own, ..*view };
            assert_eq!(other.column(view.columns[0].name).map(|(at, _)| at), Some(0));
        }
    }
}
