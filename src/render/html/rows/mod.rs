//! The rows of long tables as inert JSON, column by column, for the page's script (`templates/rows.js`).
//!
//! What follows from a value is not written: its short and its exact words, the length of a bar, the words of a history.
//! A column has `w`, its cells that are written out, and `c`, a text of [numbers](code) that says for every row which of
//! them it is. Without `c` all rows have the first. Of a column whose cells are of one kind (`k`), 0 stands before such a
//! number, anything else is
//!
//! * `n`: a name, as its distance in the page's list of [names], from that of the row before (or, with `o`, of the row's
//!   first cell);
//! * `q`: a number and 1, in steps of 1 / `s`, or below `o`, of the unit `u`; `f` whether it is a float, `b` of what it
//!   is a bound, `g` whether it is a bar; `d` has the changes;
//! * `s`: a small history of `p` points, with its `r`esets and restarts (`x`).
//!
//! A cell that is written out may also be such a row of numbers in brackets, where it repeats. Else it is `null` (–), a string (words), or an object: `n` not available (the number of its reason,
//! or the reason), `s` severity or state, `c` confidence, `x` a change, `v` a number with its words `h` and `e` (of a bar with `f` and `m`), `h`
//! without `e` a history, `t` prose in pieces.

mod code;
mod names;
mod number;
mod spark;

use super::super::page::{self, Page, ROWS};
use super::super::words;
use super::cell::raw;
use super::graphic;
use crate::ident::visible;
use crate::report::{AreaState, Bound, Cell, ColumnKind, Report, Table};
use crate::text::{Span, Text, at_least};
use code::{int, member, string, zigzag};
use names::Names;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;

/// What a page has of its long tables beside their first rows.
#[derive(Debug, Default)]
pub(super) struct Long {
    /// A block of JSON for each table that has more rows than the page shows, by its id.
    pub(super) blocks: BTreeMap<String, String>,
    /// The list of their names, as JSON.
    pub(super) names: String,
}

impl Long {
    /// That of a report. Safe inside a script element: `<` cannot occur.
    pub(super) fn of(report: &Report, page: &Page) -> Self {
        let tables: Vec<&Table> = page::tables(report).into_iter().filter(|table| table.rows.len() > ROWS).collect();
        if tables.is_empty() {
            return Self::default();
        }
        let (names, list) = Names::of(&tables, page);
        let blocks = tables.iter().map(|table| (table.id.clone(), inert(&json(table, page, &names)))).collect();
        Self { blocks, names: inert(&list) }
    }
}

fn inert(json: &str) -> String {
    json.replace('<', "\\u003c").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}

/// A column of which most rows are of one kind.
#[derive(Debug)]
struct Column {
    /// The kind and what all its rows have in common, as members of a JSON object.
    head: String,
    /// Its rows; `None` for a cell that is written out.
    rows: Vec<Option<String>>,
    /// The changes of its rows.
    changes: Option<String>,
}

/// All rows of a table.
fn json(table: &Table, page: &Page, names: &Names<'_>) -> String {
    let mut out = format!("{{\"rows\":{}", table.rows.len());
    if let Some(day) = &page.day {
        member(&mut out, "day", string(day));
    }
    out.push_str(",\"columns\":[");
    let first: Vec<&Cell> = cells(table, 0);
    for (i, column) in table.columns.iter().enumerate() {
        out.push_str(if i > 0 { ",{" } else { "{" });
        let cells = cells(table, i);
        let coded =
            name_column(&cells, &first, names, i).or_else(|| number::column(&cells)).or_else(|| spark::column(&cells));
        let graphic = column.kind == ColumnKind::Graphic;
        column_json(&mut out, &cells, coded, graphic, |cell| literal(cell, page, &table.id));
        out.push('}');
    }
    out.push_str("]}");
    out
}

fn cells(table: &Table, column: usize) -> Vec<&Cell> {
    table.rows.iter().map(|row| row.cells.get(column).unwrap_or(&Cell::None)).collect()
}

/// A column with names in it: how far each is from the one before, or from the first of its row where that is shorter.
fn name_column(cells: &[&Cell], first: &[&Cell], names: &Names<'_>, column: usize) -> Option<Column> {
    let places: Vec<Option<i64>> = cells.iter().map(|cell| names.place(cell)).collect();
    places.iter().flatten().next()?;
    let distance = |place: i64, from: i64| {
        let mut out = String::new();
        int(&mut out, zigzag(place - from) + 1);
        out
    };
    let mut before = 0;
    let from_before = places.iter().map(|place| Some(distance((*place)?, std::mem::replace(&mut before, (*place)?))));
    let from_before: Vec<Option<String>> = from_before.collect();
    let length = |rows: &[Option<String>]| rows.iter().flatten().map(String::len).sum::<usize>();
    let from_first =
        places.iter().zip(first).map(|(place, first)| Some(distance((*place)?, names.place(first).unwrap_or(0))));
    let from_first: Vec<Option<String>> = from_first.collect();
    let beside = column > 0 && length(&from_first) < length(&from_before);
    let head = if beside { "\"k\":\"n\",\"o\":1" } else { "\"k\":\"n\"" };
    Some(Column { head: head.to_owned(), rows: if beside { from_first } else { from_before }, changes: None })
}

/// A column: its head, the cells that are written out, the numbers of its rows.
fn column_json(
    out: &mut String,
    cells: &[&Cell],
    coded: Option<Column>,
    graphic: bool,
    literal: impl Fn(&Cell) -> String,
) {
    let kind = coded.is_some();
    let (head, rows, changes) = match coded {
        Some(c) => (c.head, c.rows, c.changes),
        None => (String::new(), vec![None; cells.len()], None),
    };
    // What is written out: cells that do not fit, and rows that are long and repeat.
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for row in rows.iter().flatten().filter(|row| row.len() > 6) {
        *counts.entry(row).or_default() += 1;
    }
    let repeats = |row: &str| counts.get(row).is_some_and(|n| *n > 2);
    let texts: Vec<Option<String>> = rows
        .iter()
        .zip(cells)
        .map(|(row, cell)| match row {
            Some(row) => repeats(row).then(|| format!("[{}]", string(row))),
            None => Some(literal(cell)),
        })
        .collect();
    let mut met: HashMap<&str, (usize, usize)> = HashMap::new();
    for (i, text) in texts.iter().enumerate() {
        if let Some(text) = text {
            met.entry(text).or_insert((0, i)).0 += 1;
        }
    }
    let mut written: Vec<(&str, (usize, usize))> = met.into_iter().collect();
    written.sort_unstable_by_key(|(_, (n, first))| (std::cmp::Reverse(*n), *first));
    let places: HashMap<&str, u64> = written.iter().zip(0..).map(|((text, _), i)| (*text, i)).collect();
    let list: Vec<&str> = written.iter().map(|(text, _)| *text).collect();
    let _ = write!(out, "\"w\":[{}]", list.join(","));
    if !head.is_empty() {
        out.push(',');
        out.push_str(&head);
    }
    if graphic {
        member(out, "z", 1);
    }
    if list.len() != 1 || texts.iter().any(Option::is_none) {
        let mut codes = String::new();
        for (row, text) in rows.iter().zip(&texts) {
            match text.as_deref().and_then(|text| places.get(text)) {
                Some(place) => {
                    if kind {
                        int(&mut codes, 0);
                    }
                    int(&mut codes, *place);
                }
                None => codes.push_str(row.as_deref().unwrap_or_default()),
            }
        }
        member(out, "c", string(&codes));
    }
    if let Some(changes) = changes {
        member(out, "d", string(&changes));
    }
}

/// A cell that is written out.
fn literal(cell: &Cell, page: &Page, table: &str) -> String {
    let mut out = String::new();
    match cell {
        Cell::None => out.push_str("null"),
        Cell::NotAvailable(reason) => {
            let shown = page.reason(table, reason).map_or_else(|| string(&visible(reason)), |n| n.to_string());
            let _ = write!(out, "{{\"n\":{shown}}}");
        }
        Cell::Text(text) => prose(&mut out, text, page),
        Cell::Number { .. } | Cell::Bar(_) => number::literal(&mut out, cell, page),
        Cell::Spark(_) => match spark::drawn(cell) {
            Some(history) => spark::literal(&mut out, history),
            None => out.push_str("null"),
        },
        Cell::Change { change: c, meaning } => {
            let word = meaning.map_or_else(String::new, |m| format!(",\"{}\"", m.word()));
            let _ = write!(out, "{{\"x\":[{},{},{}{word}]}}", raw(*c), string(&c.human_signed()), string(&c.exact()));
        }
        Cell::State(state) => {
            let class = if *state == AreaState::Good { "s-ok" } else { "s-info" };
            let _ = write!(out, "{{\"s\":\"{}\",\"i\":\"{class}\"}}", words::state(*state).1);
        }
        Cell::Severity(severity) => {
            let _ = write!(out, "{{\"s\":\"{}\",\"i\":\"{}\"}}", words::severity(*severity), graphic::class(*severity));
        }
        Cell::Confidence(confidence) => {
            let _ = write!(out, "{{\"c\":\"{}\"}}", words::confidence(*confidence));
        }
    }
    out
}

fn prose(out: &mut String, text: &Text, page: &Page) {
    if let [Span::Text(s)] = text.0.as_slice() {
        out.push_str(&string(&visible(s)));
        return;
    }
    out.push_str("{\"t\":[");
    for (i, span) in text.0.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        let (kind, words) = match span {
            Span::Text(s) => ("t", visible(s).into_owned()),
            Span::Strong(s) => ("b", visible(s).into_owned()),
            Span::Name(s) => ("n", visible(s).into_owned()),
            Span::Code(s) => ("c", visible(s).into_owned()),
            Span::Number(q) | Span::AtLeast(q) | Span::Change(q) => {
                let (shown, exact) = match span {
                    Span::AtLeast(_) => (at_least(*q), words::bounded_exact(*q, Some(Bound::AtLeast))),
                    Span::Change(_) => (q.human_signed(), q.exact()),
                    _ => (q.human(), q.exact()),
                };
                let _ = write!(out, "[\"q\",{},{},{}]", string(&shown), raw(*q), string(&exact));
                continue;
            }
            Span::Link { to, text } => match page.target(to) {
                Some(anchor) => {
                    let _ = write!(out, "[\"l\",{},{}]", string(&visible(text)), string(&anchor));
                    continue;
                }
                None => ("t", visible(text).into_owned()),
            },
        };
        let _ = write!(out, "[\"{kind}\",{}]", string(&words));
    }
    out.push_str("]}");
}

#[cfg(test)]
mod tests;
