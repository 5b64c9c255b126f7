//! Sums over a table's indexes: they fall when an index goes, which is no reset.
//!
//! `idx_scan`, `idx_tup_fetch` and the `idx_blks_*` of a table are sums over its present indexes (`idx_tup_fetch` also
//! holds the table's own bitmap fetches). Where an index went or was reset, the delta is the sum of the indexes'
//! deltas, a lower bound; where the indexes were not exported and the sum fell, there is none.

use super::{Class, Exact, RowDiff, ViewDiff, wide};
use crate::catalog::Kind;
use crate::snapshot::Value;
use foldhash::fast::FixedState;
use std::collections::{BTreeMap, HashSet};

/// A table's indexes over the window.
#[derive(Clone, Debug, Default)]
struct Members {
    gone: bool,
    reset: bool,
    /// Sum of the deltas and of the values before and after, by column of the table's view.
    sums: BTreeMap<usize, Sums>,
}

#[derive(Clone, Copy, Debug)]
struct Sums {
    delta: Exact,
    before: Exact,
    after: Exact,
}

/// A delta that does not follow from its row's verdict, as [`ViewDiff::overrides`] keeps it.
type Override = ((u32, u16), (Option<Exact>, String));

/// Decides the sums of a table view, given the view of its indexes' own counters.
pub(super) fn settle(tables: &mut ViewDiff, indexes: Option<&ViewDiff>) {
    let columns: Vec<usize> =
        (0..tables.view.columns.len()).filter(|c| tables.view.columns[*c].kind == Kind::Sum).collect();
    if columns.is_empty() || tables.before.is_none() || tables.after.is_none() {
        return;
    }
    let Some((relid, _)) = tables.view.column("relid") else { return };
    let indexes = indexes.filter(|i| i.before.is_some() && i.after.is_some() && i.view.column("relid").is_some());
    let wanted = indexes.map(|indexes| wanted(tables, indexes, relid));
    let members = match (indexes, &wanted) {
        (Some(indexes), Some(wanted)) => members(tables, indexes, wanted, &columns),
        _ => BTreeMap::new(),
    };
    let settle = |at: usize| -> Vec<Override> {
        let row = tables.row(at);
        let verdict = row.verdict();
        let reset = matches!(verdict.class, Class::Reset | Class::ResetUnsure);
        if matches!(verdict.class, Class::New | Class::Gone) || verdict.resets_sums || verdict.withheld.is_some() {
            return Vec::new();
        }
        let Value::Int(id) = row.value_after(relid) else { return Vec::new() };
        let own = if members.is_empty() { None } else { members.get(&id) };
        let mut overrides = Vec::new();
        for &column in &columns {
            let (before, after) = (Exact::of(row.value_before(column)), Exact::of(row.value_after(column)));
            let (Some(before), Some(after)) = (before, after) else { continue };
            let fetches = tables.view.columns[column].name == "idx_tup_fetch";
            let sums = own.and_then(|m| m.sums.get(&column).map(|s| (m, s)));
            let settled = match sums {
                // The table's own fetches are what the indexes' do not explain; they start again with the table.
                Some((m, s)) if fetches && (m.gone || m.reset || reset) => {
                    let (was, is) = (positive(before.since(s.before)), positive(after.since(s.after)));
                    let own_part = if reset || was.fell_to(is) { is } else { is.since(was) };
                    Some((Some(s.delta.plus(own_part)), reason(m.gone, m.reset)))
                }
                Some((m, s)) if m.gone || m.reset => Some((Some(s.delta), reason(m.gone, m.reset))),
                _ if before.fell_to(after) => Some((None, "index dropped")),
                _ => None,
            };
            if let (Some((delta, why)), Ok(at), Ok(col)) = (settled, u32::try_from(at), u16::try_from(column)) {
                overrides.push(((at, col), (delta, why.to_owned())));
            }
        }
        overrides
    };
    let overrides = wide::collect(tables.rows.len(), |rows| rows.flat_map(settle).collect());
    tables.overrides.extend(overrides);
}

const fn reason(gone: bool, reset: bool) -> &'static str {
    match (gone, reset) {
        (true, true) => "index dropped, index reset: lower bound",
        (true, false) => "index dropped: lower bound",
        (false, true) => "index reset: lower bound",
        (false, false) => "the table's own part was reset: lower bound",
    }
}

fn positive(x: Exact) -> Exact {
    if x.is_negative() { Exact::Int(0) } else { x }
}

fn table_of(indexes: &ViewDiff, row: super::DiffRow<'_>) -> Option<i64> {
    let (column, _) = indexes.view.column("relid")?;
    match row.latest()?.table().value(row.latest()?.index(), column) {
        Value::Int(relid) => Some(relid),
        _ => None,
    }
}

/// Tables with an index that went or was reset, and tables reset themselves.
fn wanted(tables: &ViewDiff, indexes: &ViewDiff, relid: usize) -> HashSet<i64, FixedState> {
    let lost = |class| matches!(class, Class::Gone | Class::Reset | Class::ResetUnsure);
    let members = indexes.iter().filter(|r| lost(r.class())).filter_map(|r| table_of(indexes, r));
    let own = tables.iter().filter(|r| lost(r.class()) && r.class() != Class::Gone).filter_map(|r| {
        match r.value_after(relid) {
            Value::Int(id) => Some(id),
            _ => None,
        }
    });
    members.chain(own).collect()
}

fn members(
    tables: &ViewDiff,
    indexes: &ViewDiff,
    wanted: &HashSet<i64, FixedState>,
    columns: &[usize],
) -> BTreeMap<i64, Members> {
    let mut out: BTreeMap<i64, Members> = BTreeMap::new();
    if wanted.is_empty() {
        return out;
    }
    let pairs: Vec<(usize, usize)> = columns
        .iter()
        .filter_map(|c| indexes.view.column(tables.view.columns[*c].name).map(|(i, _)| (*c, i)))
        .filter(|(_, i)| indexes.exports(*i))
        .collect();
    let zero = Sums { delta: Exact::Int(0), before: Exact::Int(0), after: Exact::Int(0) };
    let of_wanted = |rows: std::ops::Range<usize>| -> Vec<(i64, usize)> {
        let of = |at: usize| table_of(indexes, indexes.row(at)).filter(|id| wanted.contains(id)).map(|id| (id, at));
        rows.filter_map(of).collect()
    };
    for (relid, at) in wide::collect(indexes.rows.len(), of_wanted) {
        let row = indexes.row(at);
        let entry = out.entry(relid).or_default();
        entry.gone |= row.class() == Class::Gone;
        entry.reset |= matches!(row.class(), Class::Reset | Class::ResetUnsure);
        let present = indexes.rows[row.index()].after != RowDiff::NONE;
        for &(column, index_column) in &pairs {
            let sums = entry.sums.entry(column).or_insert(zero);
            let or_zero = |value| Exact::of(value).unwrap_or(Exact::Int(0));
            sums.before = sums.before.plus(or_zero(row.value_before(index_column)));
            if present {
                sums.after = sums.after.plus(or_zero(row.value_after(index_column)));
                sums.delta = sums.delta.plus(row.delta(index_column).0.unwrap_or(Exact::Int(0)));
            }
        }
    }
    out
}
