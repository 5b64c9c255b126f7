//! Cells and small blocks out of rows and changes: counters with their bounds, levels with their change, words.

use super::{Block, Bound, Cell, Fact};
use crate::advisor::TableFact;
use crate::diff::Change;
use crate::snapshot::{Row, Value};
use crate::text::Text;
use crate::trend::LOOKS;
use crate::unit::{Number, Quantity, Unit};

/// Whether the estimates of live and dead rows are about the table, not about what happened since a reset: they begin
/// again at 0 with the counters, and become true with the next vacuum or analyze.
pub(super) fn estimates_hold(table: &TableFact<'_>) -> bool {
    let Some((change, row)) = table.change.and_then(|c| Some((c, c.last()?))) else { return true };
    if looked_at(row) {
        return true;
    }
    let restarted = change.class().began_again();
    let contradicted = row.int("n_live_tup") == Some(0) && table.reltuples().is_some_and(|rows| rows >= 1.0);
    // Rows that were updated, and not deleted since, are there.
    let count = |column| row.int(column).unwrap_or(0);
    let updated = row.int("n_live_tup") == Some(0) && count("n_tup_upd") > 0 && count("n_tup_del") == 0;
    !restarted && !contradicted && !updated
}

/// Whether neither the planner's count nor that of the statistics, which began again, says how many rows there are.
pub(super) fn is_of_unknown_size(table: &TableFact<'_>) -> bool {
    table.reltuples().is_none() && !estimates_hold(table)
}

/// Whether a vacuum or analyze has looked at the table since its counters began.
pub(super) fn looked_at(row: Row<'_>) -> bool {
    LOOKS.iter().any(|c| row.time(c).is_some())
}

/// `1 row`, `2 rows`.
pub(super) fn counted_words(n: usize, one: &str, more: &str) -> Text {
    Text::new().n(Quantity::count(n)).t(" ").t(if n == 1 { one } else { more })
}

/// Links to findings by number.
pub(super) fn links<'f>(numbers: impl Iterator<Item = &'f str>) -> Option<Text> {
    let mut text = Text::new();
    for number in numbers {
        if !text.is_empty() {
            text = text.t(" ");
        }
        text = text.link(number.to_lowercase(), number);
    }
    (!text.is_empty()).then_some(text)
}

/// A counter over the window; a lower bound where its counters started again.
pub(super) fn counted(change: Change<'_>, column: &str) -> Cell {
    match change.delta_quantity(column) {
        Some(value) => Cell::Number { value, change: None, bound: (!change.is_exact()).then_some(Bound::AtLeast) },
        None => Cell::NotAvailable(why_unknown(change, column)),
    }
}

/// Why a counter has no delta.
pub(super) fn why_unknown(change: Change<'_>, column: &str) -> String {
    let exported = change.last().or(change.first()).is_some_and(|r| r.table().has(column));
    if !exported {
        "not exported".to_owned()
    } else if change.last().is_some_and(|r| r.get(column) == Value::Null) {
        "NULL in the export".to_owned()
    } else if change.notes().is_empty() {
        format!("no value in the export (class {})", change.class().word())
    } else {
        change.notes().join("; ")
    }
}

/// A gauge: its last value and its change.
pub(super) fn level(first: Option<Row<'_>>, last: Option<Row<'_>>, column: &str) -> Cell {
    let Some(value) = last.and_then(|r| r.quantity(column)) else {
        return Cell::NotAvailable(missing_reason(last, column));
    };
    let before = first.and_then(|r| r.quantity(column));
    Cell::Number { value, change: before.and_then(|b| difference(value, b)), bound: None }
}

fn missing_reason(row: Option<Row<'_>>, column: &str) -> String {
    match row {
        None => "not captured".to_owned(),
        Some(row) if row.table().has(column) => "no value in the export".to_owned(),
        Some(_) => "not exported".to_owned(),
    }
}

/// When something last happened, or "never since the statistics began".
///
/// A server always counts vacuums and analyzes: a row with an empty count is one that the export says nothing about, so
/// an empty time in it is not "never".
pub(super) fn last_time(row: Option<Row<'_>>, column: &str) -> Cell {
    const COUNTS: [&str; 4] = ["vacuum_count", "autovacuum_count", "analyze_count", "autoanalyze_count"];
    let silent = |row: Row<'_>| COUNTS.iter().any(|c| row.table().has(c) && row.int(c).is_none());
    match row {
        Some(row) if row.time(column).is_none() && silent(row) => Cell::NotAvailable(missing_reason(Some(row), column)),
        Some(row) if row.table().has(column) => row
            .time(column)
            .map_or_else(|| Cell::text("not since the statistics began"), |t| Cell::number(Quantity::time(t))),
        _ => Cell::NotAvailable(missing_reason(row, column)),
    }
}

/// What a narrow column says instead of "not since the statistics began".
pub(super) const NOT_SEEN: &str = "not seen";

/// A time of [`last_time`] for a narrow column.
pub(super) fn short(time: Cell) -> Cell {
    if matches!(time, Cell::Text(_)) { Cell::text(NOT_SEEN) } else { time }
}

/// `later − earlier`, exact for integers.
pub(super) fn difference(later: Quantity, earlier: Quantity) -> Option<Quantity> {
    match (later.value, earlier.value) {
        (Number::Int(b), Number::Int(a)) => b.checked_sub(a).map(|d| Quantity::int(d, later.unit)),
        _ => Quantity::float(later.as_f64() - earlier.as_f64(), later.unit),
    }
}

/// A sum of integers that stays exact, or `None` where nothing was known.
pub(super) fn total(values: impl Iterator<Item = Option<i64>>, unit: Unit) -> Option<Quantity> {
    values.flatten().reduce(i64::saturating_add).map(|sum| Quantity::int(sum, unit))
}

/// Prose as a block.
pub(super) fn prose(text: impl Into<Text>) -> Block {
    Block::Prose { text: text.into() }
}

/// A heading inside a section.
pub(super) fn heading(words: &str) -> Block {
    Block::Heading { text: words.to_owned() }
}

/// A labelled value.
pub(super) fn fact(label: &str, value: Cell) -> Fact {
    Fact { label: label.to_owned(), value }
}
