//! Rows that went on in both windows, came or went: their sums are the differences of the ends.

use super::{Rows, Verdicts, by_end, counters};
use crate::diff::{Class, Exact, RowDiff, Verdict, ViewDiff};
use crate::snapshot::Table;
use std::collections::{BTreeMap, HashMap};

/// Two windows in which nothing started again; `None` where their rows do not belong together.
pub(super) fn quickly(a: &ViewDiff, b: &ViewDiff) -> Option<ViewDiff> {
    let (start, middle, end) = (a.before.as_ref()?, a.after.as_ref()?, b.after.as_ref()?);
    let gone = a.rows.iter().any(|r| r.after == RowDiff::NONE);
    let in_first = by_end(a, middle);
    let mut verdicts = Verdicts::default();
    let mut out = Rows::default();
    for (at, later) in b.rows.iter().enumerate() {
        let second = b.verdicts.get(later.verdict as usize)?;
        if later.before == RowDiff::NONE {
            let verdict = verdicts.enter((None, Some(later.verdict)), second.clone());
            out.push(RowDiff { verdict, ..*later }, None, b.row_notes.get(&(at as u32)));
            continue;
        }
        let place = *in_first.get(later.before as usize)?;
        let earlier = a.rows.get(place as usize)?;
        if earlier.before == RowDiff::NONE && later.after == RowDiff::NONE {
            continue;
        }
        let first = a.verdicts.get(earlier.verdict as usize)?;
        let key = (Some(earlier.verdict), Some(later.verdict));
        let known = verdicts.known.get(&key).copied();
        let verdict = known.unwrap_or_else(|| verdicts.enter(key, both(first, second)));
        let row = RowDiff { before: earlier.before, after: later.after, verdict };
        out.push(row, a.row_notes.get(&place), b.row_notes.get(&(at as u32)));
    }
    for (at, row) in a.rows.iter().enumerate().filter(|(_, r)| r.after == RowDiff::NONE) {
        let verdict = verdicts.enter((Some(row.verdict), None), a.verdicts.get(row.verdict as usize)?.clone());
        out.push(RowDiff { verdict, ..*row }, a.row_notes.get(&(at as u32)), None);
    }
    if gone {
        out.sort(&b.key, (start, end));
    }
    let mut view = out.view(a, b, verdicts);
    view.overrides = begun_or_interrupted(&view, middle, b, &in_first, a);
    Some(view)
}

/// Counters that were NULL at the start, in the middle or at the end: what two windows could say of them is not the difference of
/// their ends.
fn begun_or_interrupted(
    view: &ViewDiff,
    middle: &Table,
    second: &ViewDiff,
    in_first: &[u32],
    first: &ViewDiff,
) -> BTreeMap<(u32, u16), (Option<Exact>, String)> {
    let mut out = BTreeMap::new();
    let (Some(start), Some(end)) = (&view.before, &view.after) else { return out };
    let known = |column| [&**start, middle, &**end].into_iter().all(|table| never_null(table, column));
    let middle_of: HashMap<(u32, u32), u32> = if counters(view).all(known) {
        return out;
    } else {
        let of = |later: &RowDiff| {
            let earlier = first.rows.get(*in_first.get(later.before as usize)? as usize)?;
            Some(((earlier.before, later.after), later.before))
        };
        second.rows.iter().filter_map(of).collect()
    };
    for column in counters(view) {
        if known(column) {
            continue;
        }
        for (at, row) in view.rows.iter().enumerate() {
            let Some(between) = middle_of.get(&(row.before, row.after)) else { continue };
            if row.after == RowDiff::NONE {
                continue;
            }
            let value = |table: &Table, row: u32| Exact::of(table.value(row as usize, column));
            let grown = |from: Exact, to: Exact| Some(to.since(from)).filter(|d| !d.is_negative());
            let is_new = row.before == RowDiff::NONE;
            let from = if is_new { None } else { value(start, row.before) };
            let (sum, why) = match (from, value(middle, *between), value(end, row.after)) {
                (None, Some(m), Some(b)) if !is_new => (grown(m, b), "no value at the start"),
                (Some(a), Some(m), None) => (grown(a, m), "no value at the end"),
                (None, Some(m), None) if is_new => (Some(m), "no value at the end"),
                (Some(_), None, Some(_)) => (None, "no value in a snapshot in between"),
                (None, None, Some(_)) if is_new => (None, "no value in a snapshot in between"),
                _ => continue,
            };
            // What is unknown in between stays unknown, whatever the ends become.
            let told = sum.is_some() || from.is_some() || is_new;
            if let (true, Ok(at), Ok(column)) = (told, u32::try_from(at), u16::try_from(column)) {
                out.insert((at, column), (sum, why.to_owned()));
            }
        }
    }
    out
}

fn never_null(table: &Table, column: usize) -> bool {
    match table.columns.get(column) {
        Some(Some(data)) => (0..table.rows).all(|row| !data.is_null(row)),
        _ => true,
    }
}

/// The verdict on a row that went through both windows.
fn both(first: &Verdict, second: &Verdict) -> Verdict {
    if second.class == Class::Gone {
        return Verdict { covered_s: first.covered_s, exact: false, notes: notes(first, second), ..second.clone() };
    }
    Verdict {
        class: first.class.max(second.class),
        covered_s: first.covered_s.zip(second.covered_s).map(|(a, b)| a + b),
        reset_at: first.reset_at.max(second.reset_at),
        resets_sums: first.resets_sums || second.resets_sums,
        exact: first.exact && second.exact,
        withheld: first.withheld.and(second.withheld),
        notes: notes(first, second),
    }
}

fn notes(first: &Verdict, second: &Verdict) -> Vec<String> {
    let mut out = first.notes.clone();
    out.extend(second.notes.iter().filter(|n| !first.notes.contains(n)).cloned());
    out
}
