//! Statements exported without `userid`, `dbid` or `toplevel`: rows that can no longer be told apart become one.

use super::Exact;
use super::join;
use super::moments::{Cumulative, Moments};
use super::statements::Phase;
use crate::catalog::{Epoch, Kind, Type, View};
use crate::meta::Notes;
use crate::snapshot::{Data, Table, Value};
use std::sync::Arc;

/// Both tables with rows of the same (reduced) key merged; the tables themselves where the key is whole.
pub(super) fn merged(
    view: &'static View,
    a: &Arc<Table>,
    b: &Arc<Table>,
    by_name: bool,
    notes: &mut Notes,
) -> (Arc<Table>, Arc<Table>) {
    let whole = view.key.iter().all(|c| a.has(c) && b.has(c));
    let Some((key, reduced)) = join::key_columns(view, a, b, by_name).filter(|(_, reduced)| *reduced || !whole) else {
        return (Arc::clone(a), Arc::clone(b));
    };
    let (before, after) = (merge(view, a, &key), merge(view, b, &key));
    if !reduced && before.rows == a.rows && after.rows == b.rows {
        return (Arc::clone(a), Arc::clone(b));
    }
    let names: Vec<&str> = key.iter().map(|c| view.columns[*c].name).collect();
    notes.say("merged", format!("{}: entries told apart by {} only, the rest was merged", view.name, names.join(", ")));
    (Arc::new(before), Arc::new(after))
}

/// A table by itself, likewise.
pub(super) fn alone(view: &'static View, table: &Arc<Table>) -> Arc<Table> {
    if view.epoch != Epoch::Statements || view.key.iter().all(|c| table.has(c)) {
        return Arc::clone(table);
    }
    let Some((key, _)) = join::key_columns(view, table, table, false) else { return Arc::clone(table) };
    let merged = merge(view, table, &key);
    if merged.rows == table.rows { Arc::clone(table) } else { Arc::new(merged) }
}

fn merge(view: &'static View, table: &Table, key: &[usize]) -> Table {
    let mut rows: Vec<usize> = (0..table.rows).collect();
    let every: Vec<usize> = (0..view.columns.len()).collect();
    // Sums of doubles depend on their order, so rows of one key are ordered by all they hold.
    rows.sort_by(|a, b| {
        let (x, y) = ((table, *a as u32), (table, *b as u32));
        join::order_of_rows(key, x, y).then_with(|| join::order_of_rows(&every, x, y))
    });
    let mut out = Table { sources: table.sources.clone(), taken_at: table.taken_at, ..Table::empty(view) };
    out.exported_as.clone_from(&table.exported_as);
    for (column, data) in table.columns.iter().enumerate() {
        out.columns[column] = data.as_ref().map(|_| Data::for_type(view.columns[column].ty));
    }
    let same = |a: &usize, b: &usize| join::order_of_rows(key, (table, *a as u32), (table, *b as u32)).is_eq();
    for group in rows.chunk_by(same) {
        for (column, to) in out.columns.iter_mut().enumerate() {
            let (Some(to), Some(from)) = (to, &table.columns[column]) else { continue };
            match (group, cell(view, table, group, column)) {
                ([_], _) | (_, None) => to.push_from(from, group[0]),
                (_, Some(value)) => push(to, view.columns[column].ty, value),
            }
        }
        out.rows += 1;
    }
    out
}

/// A merged number; `None` takes the first row's cell.
fn cell(view: &View, table: &Table, group: &[usize], column: usize) -> Option<Exact> {
    let numbers = || group.iter().filter_map(|r| Exact::of(table.value(*r, column)));
    let extreme = |pick: fn(f64, f64) -> f64| numbers().map(Exact::as_f64).reduce(pick).map(Exact::Float);
    match view.columns[column].kind {
        Kind::Counter | Kind::Sum => numbers().reduce(Exact::plus),
        Kind::HighWater => extreme(f64::max),
        Kind::LowWater => extreme(f64::min),
        Kind::Moment => {
            let name = view.columns[column].name;
            let phase = if name.contains("plan") { Phase::Plan } else { Phase::Exec };
            let parts: Vec<Moments> = group
                .iter()
                .filter_map(|r| phase.cumulative(table.row(*r)))
                .filter_map(|c: Cumulative| Moments::since_start(c))
                .collect();
            let whole = Moments::merge(parts.iter().copied())?;
            Some(Exact::Float(if name.starts_with("mean") { whole.mean } else { whole.sigma.upper().unwrap_or(0.0) }))
        }
        // The first call of the oldest entry.
        Kind::Reset => group
            .iter()
            .filter_map(|r| match table.value(*r, column) {
                Value::Time(t) => Some(Exact::Int(i128::from(t.0))),
                _ => None,
            })
            .reduce(|a, b| if a.as_f64() <= b.as_f64() { a } else { b }),
        _ => None,
    }
}

fn push(to: &mut Data, ty: Type, value: Exact) {
    match (to, value) {
        (Data::Int(v), Exact::Int(n)) => v.push(i64::try_from(n).unwrap_or(i64::MAX)),
        (Data::Numeric(v), Exact::Int(n)) => v.push(Some(n)),
        (Data::Float(v), x) => v.push(x.as_f64()),
        (to, _) => {
            debug_assert!(false, "{ty:?}");
            to.push_null();
        }
    }
}
