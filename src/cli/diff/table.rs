//! `diff --format table`: events first, then the largest movers of each view, for people.

use super::choose::{Order, largest};
use super::layout::Layout;
use crate::advisor::secret;
use crate::catalog::{Column, Type};
use crate::cli::columns::{align, short};
use crate::diff::{Certainty, Class, Diff, DiffRow, Event, Exact, ViewDiff};
use crate::ident::visible;
use crate::snapshot::Value;
use crate::time::Timestamp;
use crate::unit::{Number, Quantity, Unit};
use std::fmt::Write;

/// Rows of a view where nobody asks for a number.
pub(super) const TOP: usize = 10;
/// Columns of numbers of a view.
const WIDE: usize = 5;
/// The whole table.
pub(super) fn text<'a>(diff: &Diff, views: impl Iterator<Item = &'a ViewDiff>, order: &Order) -> String {
    let mut out = String::new();
    let time = |m: &crate::meta::Meta| m.taken_at.map_or_else(|| "time unknown".to_owned(), Timestamp::human_seconds);
    let elapsed = diff
        .elapsed_s
        .and_then(|s| Quantity::float(s, Unit::Seconds))
        .map_or_else(|| "an unknown time".to_owned(), Quantity::human);
    let _ = writeln!(out, "{} → {} ({elapsed})", time(&diff.before.meta), time(&diff.after.meta));
    if diff.events.is_empty() {
        out.push_str("\nNo events between the two.\n");
    } else {
        out.push_str("\nEvents\n");
        diff.events.iter().for_each(|e| event(e, &mut out));
    }
    for view in views {
        section(view, order, &mut out);
    }
    out
}

fn event(event: &Event, out: &mut String) {
    let what = [event.scope.as_deref(), event.object.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let at = event.at.map_or_else(String::new, |t| format!(" at {}", t.human_seconds()));
    let sure = if event.certainty == Certainty::Likely { " (likely)" } else { "" };
    let _ = writeln!(out, "  {}{sure}: {}{at}", event.kind, visible(&what));
    for why in &event.evidence {
        let _ = writeln!(out, "      {}", visible(why));
    }
}

/// A view's table, where anything in it changed.
fn section(view: &ViewDiff, order: &Order, out: &mut String) {
    let layout = Layout::of(view);
    let moved = |row: DiffRow<'_>| {
        row.class() != Class::Ok
            || layout.counters.iter().any(|c| row.delta(*c).0.is_some_and(|d| d.as_f64() != 0.0))
            || layout.gauges.iter().any(|c| row.change(*c).is_some_and(|d| d.as_f64() != 0.0))
    };
    let first = order.column(view.view);
    let rows: Vec<usize> = match first {
        Some(by) => largest(view, by, view.rows.len()).into_iter().map(|r| r as usize).collect(),
        None => (0..view.rows.len()).collect(),
    };
    let mut rows: Vec<usize> = rows.into_iter().filter(|r| moved(view.row(*r))).collect();
    let all = rows.len() + view.rest.moved;
    rows.truncate(order.top.unwrap_or(TOP));
    if rows.is_empty() {
        return;
    }
    let columns = columns(view, &layout, first, &rows);
    let mut lines: Vec<Vec<String>> = Vec::new();
    let mut head = vec![String::new(), "class".to_owned()];
    for &c in &columns {
        head.push(view.view.columns[c].name.to_owned());
        if Some(c) == first && view.view.columns[c].kind.is_counter() {
            head.push("/s".to_owned());
        }
    }
    lines.push(head);
    for &at in &rows {
        let row = view.row(at);
        let mut line = vec![name(row), row.class().word().to_owned()];
        for &c in &columns {
            line.push(shown(row, c));
            if Some(c) == first && view.view.columns[c].kind.is_counter() {
                let rate = row.per_second(c).and_then(|r| Quantity::float(r, Unit::PerSecond));
                line.push(rate.map_or_else(|| "–".to_owned(), |r| r.human().trim_end_matches("/s").to_owned()));
            }
        }
        lines.push(line);
    }
    if all > 1 {
        lines.push(total(view, &columns, first));
    }
    let _ = writeln!(out, "\n{}: {} of {} rows changed", view.view.name, all, view.count());
    align(&lines, out);
    if all > rows.len() {
        let _ = writeln!(out, "  … {} more: --top, or --format csv for all", all - rows.len());
    }
}

/// The ordering column, then those that moved most rows.
fn columns(view: &ViewDiff, layout: &Layout, first: Option<usize>, rows: &[usize]) -> Vec<usize> {
    let mut others: Vec<(usize, usize)> = layout
        .counters
        .iter()
        .chain(&layout.gauges)
        .filter(|c| Some(**c) != first)
        .map(|c| (rows.iter().filter(|r| number(view.row(**r), *c).is_some_and(|d| d.as_f64() != 0.0)).count(), *c))
        .filter(|(n, _)| *n > 0)
        .collect();
    others.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut rest: Vec<usize> = others.into_iter().take(WIDE - 1).map(|(_, c)| c).collect();
    rest.sort_unstable();
    first.into_iter().filter(|c| view.exports(*c)).chain(rest).collect()
}

/// The sums over all rows, whichever are shown.
fn total(view: &ViewDiff, columns: &[usize], first: Option<usize>) -> Vec<String> {
    let mut line = vec!["total".to_owned(), String::new()];
    for &c in columns {
        line.push(human(&view.view.columns[c], view.sum(c)));
        if Some(c) == first && view.view.columns[c].kind.is_counter() {
            line.push(String::new());
        }
    }
    line
}

fn number(row: DiffRow<'_>, column: usize) -> Option<Exact> {
    if row.view().columns[column].kind.is_counter() { row.delta(column).0 } else { row.change(column) }
}

fn shown(row: DiffRow<'_>, column: usize) -> String {
    human(&row.view().columns[column], number(row, column))
}

fn human(description: &Column, number: Option<Exact>) -> String {
    let Some(number) = number else { return "–".to_owned() };
    let quantity = match description.ty {
        Type::Interval => Quantity { value: Number::Float(number.as_f64() / 1e6), unit: Unit::Seconds },
        Type::Lsn => Quantity { value: number.number(), unit: Unit::Bytes },
        _ => Quantity { value: number.number(), unit: description.unit },
    };
    if description.kind.is_counter() { quantity.human() } else { quantity.human_signed() }
}

/// A row's name for people: its own names, else its key.
fn name(row: DiffRow<'_>) -> String {
    let Some(latest) = row.latest() else { return String::new() };
    let text = |c: &str| latest.text(c).map(|t| visible(t).into_owned());
    let own = if let Some(query) = latest.text("query") {
        let query = secret::shown(query);
        Some(visible(&query.split_whitespace().collect::<Vec<_>>().join(" ")).into_owned())
    } else {
        let parts: Vec<String> =
            ["schemaname", "relname", "indexrelname", "funcname", "sequencename", "slot_name", "application_name"]
                .into_iter()
                .filter_map(text)
                .collect();
        let shared = || (row.view().name.starts_with("pg_stat_database")).then(|| "(shared objects)".to_owned());
        (!parts.is_empty()).then(|| parts.join(".")).or_else(|| text("datname")).or_else(shared)
    };
    let name = own.unwrap_or_else(|| key(row));
    short(&name)
}

fn key(row: DiffRow<'_>) -> String {
    let Some(latest) = row.latest() else { return String::new() };
    let parts: Vec<String> = row
        .key()
        .iter()
        .map(|c| match latest.table().value(latest.index(), *c) {
            Value::Text(t) => visible(t).into_owned(),
            Value::Int(n) => n.to_string(),
            Value::Bool(b) => b.to_string(),
            _ => "–".to_owned(),
        })
        .collect();
    if parts.is_empty() { "(cluster)".to_owned() } else { parts.join(" / ") }
}
