//! Making tables: columns first, then rows in their final order; long ones are cut with their totals kept.

use super::{Block, Cell, Column, ColumnKind, Row, Table};
use crate::error::Result;
use crate::snapshot::frame;
use crate::text::Text;

/// The most rows a table of the report holds; `pgretro diff` prints all of them.
pub(super) const MOST_ROWS: usize = 20_000;
/// The most rows that unfold details.
pub(super) const MOST_DETAILS: usize = 1_000;

/// A table in the making.
#[derive(Debug)]
pub(super) struct Draft(Table);

/// Begins a table.
pub(super) fn table(id: &str, title: impl Into<String>) -> Draft {
    Draft(Table {
        id: id.to_owned(),
        title: title.into(),
        about: Text::new(),
        columns: Vec::new(),
        rows: Vec::new(),
        rows_in_all: 0,
        totals: Vec::new(),
        empty: "None found".to_owned(),
    })
}

impl Draft {
    /// What it shows, and from where.
    pub(super) fn about(mut self, about: Text) -> Self {
        self.0.about = about;
        self
    }

    /// A column of names.
    pub(super) fn name(self, label: &str) -> Self {
        self.column(label, ColumnKind::Name)
    }

    /// A column of words.
    pub(super) fn text(self, label: &str) -> Self {
        self.column(label, ColumnKind::Text)
    }

    /// A column of numbers.
    pub(super) fn number(self, label: &str) -> Self {
        self.column(label, ColumnKind::Number)
    }

    /// A column of bars or small histories.
    pub(super) fn graphic(self, label: &str) -> Self {
        self.column(label, ColumnKind::Graphic)
    }

    fn column(mut self, label: &str, kind: ColumnKind) -> Self {
        self.0.columns.push(Column { label: label.to_owned(), kind });
        self
    }

    /// What is said where there is no row.
    pub(super) fn empty(mut self, words: impl Into<String>) -> Self {
        self.0.empty = words.into();
        self
    }

    /// Totals over all rows, also those cut off.
    pub(super) fn totals(mut self, cells: Vec<Cell>) -> Self {
        self.0.totals = cells;
        self
    }

    /// A row. Rows beyond the cut are counted and dropped.
    pub(super) fn push(&mut self, cells: Vec<Cell>) {
        self.push_with(cells, Vec::new);
    }

    /// A row that unfolds; details are made for the first rows only.
    pub(super) fn push_with(&mut self, cells: Vec<Cell>, detail: impl FnOnce() -> Vec<Block>) {
        debug_assert_eq!(cells.len(), self.0.columns.len(), "one cell a column in `{}`", self.0.id);
        self.0.rows_in_all += 1;
        if self.0.rows.len() < MOST_ROWS {
            let detail = if self.0.rows.len() < MOST_DETAILS { detail() } else { Vec::new() };
            self.0.rows.push(Row { cells, detail });
        }
    }

    /// Says how many rows there are when only the first were pushed.
    pub(super) fn rows_in_all(mut self, rows: usize) -> Self {
        self.0.rows_in_all = self.0.rows_in_all.max(rows as u64);
        self
    }

    /// The finished table.
    pub(super) fn block(self) -> Block {
        Block::Table(self.0)
    }
}

/// The positions of the objects a table shows, largest value first, at most [`MOST_ROWS`].
pub(super) fn ranked(values: &[Option<f64>], names: &[String]) -> Result<Vec<usize>> {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    frame::largest(values, &names, MOST_ROWS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_tables_are_cut_and_say_so() {
        let mut draft = table("t", "T").name("Name");
        for _ in 0..MOST_ROWS + 5 {
            draft.push_with(vec![Cell::text("x")], || vec![Block::Verdict]);
        }
        let Block::Table(table) = draft.block() else { unreachable!() };
        assert_eq!((table.rows.len(), table.rows_in_all), (MOST_ROWS, MOST_ROWS as u64 + 5));
        assert_eq!(table.rows.iter().filter(|r| !r.detail.is_empty()).count(), MOST_DETAILS);
    }
}
