//! Rows that started again, or went and came again: added up object by object.

use super::{Rows, Verdicts, counters};
use crate::diff::fold::{self, ChangeRow, Step, Sums};
use crate::diff::view::FELL;
use crate::diff::{Class, Exact, RowDiff, Verdict, ViewDiff};
use crate::snapshot::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Two windows with resets, rows that went and came again, or sums of their own: added up object by object.
pub(super) fn slowly(a: &Arc<ViewDiff>, b: &Arc<ViewDiff>, lengths: (Option<f64>, Option<f64>)) -> ViewDiff {
    let step = |at, diff: &Arc<ViewDiff>, elapsed_s| Step { window: Some(at), diff: Arc::clone(diff), elapsed_s };
    let sums = fold::fold(b.view, &[step(0, a, lengths.0), step(1, b, lengths.1)], 2);
    let mut verdicts = Verdicts::default();
    let mut out = Rows::default();
    let mut places = Vec::new();
    for (at, row) in sums.rows.iter().enumerate().filter(|(_, r)| (r.first, r.last) != (RowDiff::NONE, RowDiff::NONE)) {
        let windows = sums.windows(at);
        let of = |diff: &ViewDiff, i: usize| {
            let place = windows.get(i).copied().flatten()?;
            diff.rows.get(place as usize).map(|r| r.verdict)
        };
        let key = (of(a, 0), of(b, 1));
        let verdict =
            summed(row, key.0.and_then(|v| a.verdicts.get(v as usize)), key.1.and_then(|v| b.verdicts.get(v as usize)));
        let own: Vec<String> = row.notes.iter().filter(|n| !verdict.notes.contains(n)).cloned().collect();
        let verdict = verdicts.enter(key, verdict);
        let own = (!own.is_empty()).then_some(own);
        out.push(RowDiff { before: row.first, after: row.last, verdict }, own.as_ref(), None);
        places.push(at);
    }
    let mut view = out.view(a, b, verdicts);
    view.overrides = differing(&view, &sums, &places);
    view
}

fn summed(row: &ChangeRow, first: Option<&Verdict>, second: Option<&Verdict>) -> Verdict {
    let withheld = |v: Option<&Verdict>| v.and_then(|v| v.withheld);
    let (one, other) = (withheld(first), withheld(second));
    // What one window withholds is missing in the sum.
    let part = one.is_some() != other.is_some() && first.is_some() && second.is_some();
    let sides = || first.into_iter().chain(second);
    let mut notes: Vec<String> = Vec::new();
    for note in sides().flat_map(|v| &v.notes) {
        if !notes.contains(note) {
            notes.push(note.clone());
        }
    }
    Verdict {
        class: if part && row.class != Class::Gone { row.class.max(Class::Reset) } else { row.class },
        covered_s: row.covered_s,
        reset_at: sides().filter_map(|v| v.reset_at).max(),
        resets_sums: sides().any(|v| v.resets_sums),
        exact: row.exact && !part,
        withheld: if part { None } else { one.or(other) },
        notes,
    }
}

/// The sums that are not what the verdict makes of the two ends.
fn differing(view: &ViewDiff, sums: &Sums, places: &[usize]) -> BTreeMap<(u32, u16), (Option<Exact>, String)> {
    let mut out = BTreeMap::new();
    for (row, place) in view.iter().zip(places) {
        if row.class() == Class::Gone {
            continue;
        }
        for column in counters(view) {
            let ((expected, why), sum) = (row.delta(column), sums.delta(*place, column));
            // Sums of doubles differ from the difference of their ends in the last digits.
            let alike = match (expected, sum) {
                (Some(Exact::Float(x)), Some(Exact::Float(y))) => (x - y).abs() <= 1e-9 * x.abs().max(y.abs()),
                // Nothing is known of it now, but ends that fell may have risen when a later window is added.
                (None, None) => why != Some(FELL),
                (x, y) => x == y,
            };
            if let (false, Ok(at), Ok(column)) = (alike, u32::try_from(row.index()), u16::try_from(column)) {
                let why = if matches!(row.value_after(usize::from(column)), Value::Null) {
                    "no value at the end"
                } else if sum.is_none() {
                    "no value in a snapshot in between"
                } else {
                    "started again in between: sum of the windows"
                };
                out.insert((at, column), (sum, why.to_owned()));
            }
        }
    }
    out
}
