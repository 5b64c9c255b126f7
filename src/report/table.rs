//! Making tables: columns first, then rows in their final order; long ones are cut with their totals kept.

use super::{Block, Cell, Column, ColumnKind, Order, Row, Table};
use crate::error::Result;
use crate::snapshot::frame;
use crate::text::Text;

/// The most rows a table of the report holds; `pgretro diff` prints all of them.
pub(super) const MOST_ROWS: usize = 20_000;
/// The most rows that unfold details.
pub(super) const MOST_DETAILS: usize = 1_000;

/// A table in the making.
#[derive(Debug)]
pub(super) struct Draft {
    table: Table,
    /// Columns that go where they say nothing, by their position.
    spared: Vec<(usize, Spare)>,
}

/// When a column says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spare {
    /// No row has anything in it.
    Empty,
    /// All rows have the same words in it, or the same reason for nothing: told above the table.
    Same,
}

/// Begins a table.
pub(super) fn table(id: &str, title: impl Into<String>) -> Draft {
    let table = Table {
        id: id.to_owned(),
        title: title.into(),
        about: Text::new(),
        columns: Vec::new(),
        rows: Vec::new(),
        rows_in_all: 0,
        totals: Vec::new(),
        empty: "None found".to_owned(),
    };
    Draft { table, spared: Vec::new() }
}

impl Draft {
    /// What it shows, and from where.
    pub(super) fn about(mut self, about: Text) -> Self {
        self.table.about = about;
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
        self.table.columns.push(Column { label: label.to_owned(), kind, order: None });
        self
    }

    /// Says that the last column orders the rows, the largest value first.
    pub(super) fn largest_first(mut self) -> Self {
        if let Some(column) = self.table.columns.last_mut() {
            column.order = Some(Order::Descending);
        }
        self
    }

    /// Leaves the last column out where no row has anything in it.
    pub(super) fn if_any(self) -> Self {
        self.spare(Spare::Empty)
    }

    /// Tells the words of the last column once, above the table, where all rows have the same.
    pub(super) fn if_differs(self) -> Self {
        self.spare(Spare::Same)
    }

    fn spare(mut self, when: Spare) -> Self {
        self.spared.push((self.table.columns.len().saturating_sub(1), when));
        self
    }

    /// What is said where there is no row.
    pub(super) fn empty(mut self, words: impl Into<String>) -> Self {
        self.table.empty = words.into();
        self
    }

    /// Totals over all rows, also those cut off.
    pub(super) fn totals(mut self, cells: Vec<Cell>) -> Self {
        self.table.totals = cells;
        self
    }

    /// A row. Rows beyond the cut are counted and dropped.
    pub(super) fn push(&mut self, cells: Vec<Cell>) {
        self.push_with(cells, Vec::new);
    }

    /// A row that unfolds; details are made for the first rows only.
    pub(super) fn push_with(&mut self, cells: Vec<Cell>, detail: impl FnOnce() -> Vec<Block>) {
        debug_assert_eq!(cells.len(), self.table.columns.len(), "one cell a column in `{}`", self.table.id);
        self.table.rows_in_all += 1;
        if self.table.rows.len() < MOST_ROWS {
            let detail = if self.table.rows.len() < MOST_DETAILS { detail() } else { Vec::new() };
            self.table.rows.push(Row { cells, detail });
        }
    }

    /// Says how many rows there are when only the first were pushed.
    pub(super) fn rows_in_all(mut self, rows: usize) -> Self {
        self.table.rows_in_all = self.table.rows_in_all.max(rows as u64);
        self
    }

    /// The finished table.
    pub(super) fn block(mut self) -> Block {
        // From the right, so that positions stay true.
        while let Some((at, when)) = self.spared.pop() {
            self.leave_out(at, when);
        }
        Block::Table(self.table)
    }

    fn leave_out(&mut self, at: usize, when: Spare) {
        let table = &mut self.table;
        let mut cells = table.rows.iter().filter_map(|row| row.cells.get(at));
        let Some(first) = cells.next() else { return };
        match (when, first) {
            (Spare::Empty, Cell::None) if cells.all(|c| *c == Cell::None) => {}
            (Spare::Same, Cell::Text(_) | Cell::NotAvailable(_))
                if table.rows.len() > 2 && cells.all(|c| c == first) =>
            {
                let label = table.columns.get(at).map(|c| c.label.clone()).unwrap_or_default();
                let words = match first {
                    Cell::Text(words) => words.clone(),
                    Cell::NotAvailable(why) => Text::new().t(format!("n/a ({why})")),
                    _ => Text::new(),
                };
                let about = std::mem::take(&mut table.about);
                let gap = if about.is_empty() { "" } else { " " };
                table.about = about.t(format!("{gap}{label}: ")).then(words).t(".");
            }
            _ => return,
        }
        table.columns.remove(at);
        let rows = table.rows.iter_mut().map(|row| &mut row.cells);
        for cells in rows.chain([&mut table.totals]).filter(|cells| at < cells.len()) {
            cells.remove(at);
        }
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
    fn columns_that_say_nothing_are_left_out() {
        let unknown = |n| {
            let mut draft = table("t", "T").name("Name").number("Size").if_differs();
            (0..n).for_each(|_| draft.push(vec![Cell::text("x"), Cell::NotAvailable("not captured".to_owned())]));
            let Block::Table(table) = draft.block() else { unreachable!() };
            (table.columns.len(), table.about.plain())
        };
        assert_eq!(unknown(3), (1, "Size: n/a (not captured).".to_owned()));
        assert_eq!(unknown(2), (2, String::new()));
        let made = |remarks: [Option<&str>; 3], servers: [&str; 3]| {
            let mut draft = table("t", "T")
                .about(Text::from("About."))
                .name("Name")
                .text("Remark")
                .if_any()
                .text("Server")
                .if_differs();
            for (remark, server) in remarks.into_iter().zip(servers) {
                draft.push(vec![Cell::text("x"), remark.map_or(Cell::None, Cell::text), Cell::text(server)]);
            }
            let totals = vec![Cell::text("3"), Cell::None, Cell::None];
            let Block::Table(table) = draft.totals(totals).block() else { unreachable!() };
            let labels: Vec<String> = table.columns.iter().map(|c| c.label.clone()).collect();
            assert!(table.rows.iter().all(|r| r.cells.len() == labels.len()) && table.totals.len() == labels.len());
            (labels.join(" "), table.about.plain())
        };
        assert_eq!(made([None; 3], ["a"; 3]), ("Name".into(), "About. Server: a.".into()));
        assert_eq!(made([None, Some("r"), None], ["a", "b", "a"]), ("Name Remark Server".into(), "About.".into()));
    }

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
