//! Two adjacent windows as one: same rows, same sums, same worst class as the two added up.
//!
//! Where nothing started again the sum of two deltas is the difference of the ends. So only rows whose counters did, or
//! which were missing in between, carry their sums with them, as [`ViewDiff::overrides`].
//!
//! * `parts`: which rows that concerns; `quick`: the others; `slow`: those

mod parts;
mod quick;
mod slow;

use super::{Diff, Options, RowDiff, Verdict, ViewDiff, join};
use crate::error::Result;
use crate::snapshot::Table;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// Events a window keeps; a history's own list has them all.
const EVENTS: usize = 4_096;

/// The window from where the first begins to where the second ends.
///
/// # Errors
/// As [`super::diff`], for views that the snapshot in the middle lacks.
pub(super) fn compose(first: Diff, second: Diff, options: &Options) -> Result<Diff> {
    let mut notes = first.notes;
    notes.absorb(second.notes);
    let mut events = first.events;
    events.extend(second.events);
    events.truncate(EVENTS);
    let (before, after) = (first.before, second.after);
    let elapsed_s = first.elapsed_s.zip(second.elapsed_s).map(|(a, b)| a + b);
    let lengths = (first.elapsed_s, second.elapsed_s);
    let mut bridge: Option<Diff> = None;
    let mut views = BTreeMap::new();
    let names: BTreeSet<&'static str> = first.views.keys().chain(second.views.keys()).copied().collect();
    for name in names {
        let whole = |v: &&Arc<ViewDiff>| v.before.is_some() && v.after.is_some();
        let sides = (first.views.get(name).filter(whole), second.views.get(name).filter(whole));
        if let (Some(a), Some(b)) = sides {
            views.insert(name, Arc::new(parts::together(a, b, lengths)));
            continue;
        }
        let bridge = match &mut bridge {
            Some(bridge) => bridge,
            empty => empty.insert(super::window(
                Arc::clone(&before),
                Arc::clone(&after),
                options,
                crate::meta::Notes::default(),
            )?),
        };
        if let Some(view) = bridge.views.get(name) {
            views.insert(name, Arc::clone(view));
        }
    }
    Ok(Diff { before, after, elapsed_s, events, views, notes })
}

/// The verdict of two windows from the positions of those of each.
#[derive(Default)]
struct Verdicts {
    list: Vec<Verdict>,
    known: HashMap<(Option<u32>, Option<u32>), u32>,
}

impl Verdicts {
    fn enter(&mut self, of: (Option<u32>, Option<u32>), verdict: Verdict) -> u32 {
        if let Some(at) = self.known.get(&of)
            && self.list.get(*at as usize) == Some(&verdict)
        {
            return *at;
        }
        let at = u32::try_from(self.list.len()).unwrap_or(u32::MAX);
        self.list.push(verdict);
        self.known.insert(of, at);
        at
    }
}

/// Positions of the counters that any side of a view exports.
fn counters(view: &ViewDiff) -> impl Iterator<Item = usize> + '_ {
    (0..view.view.columns.len())
        .filter(|c| view.view.columns.get(*c).is_some_and(|d| d.kind.is_counter()) && view.exports(*c))
}

/// The rows of a window by where they stand in the table it ends with, [`RowDiff::NONE`] where none does.
fn by_end(view: &ViewDiff, end: &Table) -> Vec<u32> {
    let mut out = vec![RowDiff::NONE; end.rows];
    for (row, at) in view.rows.iter().zip(0_u32..) {
        if let Some(place) = out.get_mut(row.after as usize) {
            *place = at;
        }
    }
    out
}

/// The order of two rows by their keys.
fn in_key_order(key: &[usize], (start, end): (&Table, &Table), a: &RowDiff, b: &RowDiff) -> Ordering {
    let latest = |r: &RowDiff| if r.after == RowDiff::NONE { (start, r.before) } else { (end, r.after) };
    join::order_of_rows(key, latest(a), latest(b))
}

/// Rows in the making.
#[derive(Default)]
struct Rows {
    rows: Vec<RowDiff>,
    notes: BTreeMap<u32, Vec<String>>,
}

impl Rows {
    fn push(&mut self, row: RowDiff, first: Option<&Vec<String>>, second: Option<&Vec<String>>) {
        if first.is_some() || second.is_some() {
            let mut notes: Vec<String> = Vec::new();
            for note in first.into_iter().chain(second).flatten() {
                if !notes.contains(note) {
                    notes.push(note.clone());
                }
            }
            self.notes.insert(self.rows.len() as u32, notes);
        }
        self.rows.push(row);
    }

    /// Puts the rows into the order of their keys.
    fn sort(&mut self, key: &[usize], ends: (&Table, &Table)) {
        let mut notes = std::mem::take(&mut self.notes);
        let mut rows: Vec<(RowDiff, Option<Vec<String>>)> =
            self.rows.drain(..).enumerate().map(|(at, row)| (row, notes.remove(&(at as u32)))).collect();
        rows.sort_by(|(a, _), (b, _)| in_key_order(key, ends, a, b));
        for (row, own) in rows {
            self.push(row, own.as_ref(), None);
        }
    }

    fn view(self, a: &ViewDiff, b: &ViewDiff, verdicts: Verdicts) -> ViewDiff {
        let mut untrusted = a.untrusted.clone();
        untrusted.extend(b.untrusted.iter().filter(|u| !a.untrusted.contains(u)));
        ViewDiff {
            view: b.view,
            before: a.before.clone(),
            after: b.after.clone(),
            key: b.key.clone(),
            rows: self.rows,
            verdicts: verdicts.list,
            overrides: BTreeMap::new(),
            row_notes: self.notes,
            untrusted,
            rest: crate::ingest::pairing::Rest::default(),
        }
    }
}
