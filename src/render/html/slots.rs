//! The room that changes beside numbers take, column by column, so that the numbers stand one below the other.

use super::super::page::{self, ROWS};
use crate::report::{Cell, Report, Table};
use std::fmt::Write;

/// Rules for the style sheet: columns of numbers of which some have a change beside them.
pub(super) fn rules(report: &Report) -> String {
    let mut of_tables = String::new();
    for table in page::tables(report) {
        of_table(table, &mut of_tables);
    }
    if of_tables.is_empty() {
        return of_tables;
    }
    format!("@media screen and (min-width:761px) {{\n{of_tables}}}\n")
}

fn of_table(table: &Table, out: &mut String) {
    let id = page::table_anchor(&table.id);
    for (at, _) in table.columns.iter().enumerate() {
        let changes = table.rows.iter().take(ROWS).filter_map(|row| match row.cells.get(at) {
            Some(Cell::Number { change: Some(by), .. }) => Some(by.human_signed()),
            _ => None,
        });
        let Some(tenths) = changes.map(|shown| width(&shown)).max() else { continue };
        let (cell, room) =
            (format!("[id=\"{id}\"] td:nth-child({})", at + 1), format!("{}.{}ch", tenths / 10, tenths % 10));
        // Writing to a string cannot fail.
        let _ = writeln!(
            out,
            "{cell} .d {{ min-width: {room} }}\n{cell}:not(:has(.d)):after {{ content: \"\"; display: inline-block; width: {room} }}"
        );
    }
}

/// About how wide a change is, in tenths of a digit: an arrow stands for its sign.
fn width(shown: &str) -> usize {
    let of = |c: char| match c {
        '+' | '−' => 19,
        '.' | ',' | ' ' | '\u{a0}' => 5,
        'M' => 14,
        'A'..='Z' | 'm' => 12,
        _ => 10,
    };
    shown.chars().map(of).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wider_changes_take_more_room() {
        for (narrow, wide) in [("0", "+1"), ("+1", "+10"), ("+1.5 kB", "+1.5 MB"), ("+720 kB", "+1,720 kB")] {
            assert!(width(narrow) < width(wide), "{narrow} / {wide}");
        }
        assert_eq!(width("+1"), width("−1"));
    }
}
