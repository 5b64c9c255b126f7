//! Two adjacent windows as one: same rows, same sums, same worst class as the two added up.
//!
//! Where nothing started again the sum of two deltas is the difference of the ends. So only rows whose counters did, or
//! which were missing in between, carry their sums with them, as [`ViewDiff::overrides`].

use super::fold::{self, ChangeRow, Step, Sums};
use super::{Class, Diff, Exact, Options, RowDiff, Verdict, ViewDiff, join};
use crate::error::Result;
use crate::snapshot::{Table, Value};
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
            views.insert(name, Arc::new(quickly(a, b).unwrap_or_else(|| slowly(a, b, lengths))));
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

/// Two windows in which nothing started again; `None` where something did.
fn quickly(a: &ViewDiff, b: &ViewDiff) -> Option<ViewDiff> {
    let plain = |v: &Verdict| !matches!(v.class, Class::Reset | Class::ResetUnsure) && v.withheld.is_none();
    let (start, middle, end) = (a.before.as_ref()?, a.after.as_ref()?, b.after.as_ref()?);
    let same = Arc::ptr_eq(middle, b.before.as_ref()?) && a.key == b.key;
    if !same || !a.overrides.is_empty() || !b.overrides.is_empty() || !a.verdicts.iter().chain(&b.verdicts).all(plain) {
        return None;
    }
    let class = |view: &ViewDiff, row: &RowDiff| view.verdicts.get(row.verdict as usize).map(|v| v.class);
    let began_anew =
        |view: &ViewDiff| view.rows.iter().any(|r| class(view, r) == Some(Class::New) && r.before != RowDiff::NONE);
    let gone = a.rows.iter().any(|r| r.after == RowDiff::NONE);
    let came = b.rows.iter().any(|r| r.before == RowDiff::NONE);
    if (gone && came) || began_anew(a) || began_anew(b) {
        return None;
    }
    let mut in_first: Vec<u32> = vec![RowDiff::NONE; middle.rows];
    for (at, row) in a.rows.iter().enumerate() {
        if let Some(slot) = in_first.get_mut(row.after as usize) {
            *slot = u32::try_from(at).ok()?;
        }
    }
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
        if earlier.before == RowDiff::NONE && first.class.max(second.class) != Class::New {
            return None;
        }
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
        out.sort(&b.key, start, end);
    }
    let mut view = out.view(a, b, verdicts);
    view.overrides = begun_or_interrupted(&view, middle, b, &in_first, a);
    Some(view)
}

/// Counters that were NULL at the start or in the middle: what two windows could say of them is not the difference of
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
    let middle_of: HashMap<(u32, u32), u32> = if counters(view).all(|c| never_null(start, c) && never_null(middle, c)) {
        return out;
    } else {
        let of = |later: &RowDiff| {
            let earlier = first.rows.get(*in_first.get(later.before as usize)? as usize)?;
            Some(((earlier.before, later.after), later.before))
        };
        second.rows.iter().filter_map(of).collect()
    };
    for column in counters(view) {
        if never_null(start, column) && never_null(middle, column) {
            continue;
        }
        for (at, row) in view.rows.iter().enumerate() {
            let Some(between) = middle_of.get(&(row.before, row.after)) else { continue };
            let value = |table: &Table, row: u32| Exact::of(table.value(row as usize, column));
            if row.before == RowDiff::NONE || row.after == RowDiff::NONE {
                continue;
            }
            let sum = match (value(start, row.before), value(middle, *between), value(end, row.after)) {
                (None, Some(m), Some(b)) => Some(b.since(m)).filter(|d| !d.is_negative()),
                (Some(_), None, Some(_)) => None,
                _ => continue,
            };
            if let (Ok(at), Ok(column)) = (u32::try_from(at), u16::try_from(column)) {
                out.insert((at, column), (sum, "no value in a snapshot in between".to_owned()));
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

/// Positions of the counters that any side of a view exports.
fn counters(view: &ViewDiff) -> impl Iterator<Item = usize> + '_ {
    (0..view.view.columns.len())
        .filter(|c| view.view.columns.get(*c).is_some_and(|d| d.kind.is_counter()) && view.exports(*c))
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
    fn sort(&mut self, key: &[usize], start: &Arc<Table>, end: &Arc<Table>) {
        let mut notes = std::mem::take(&mut self.notes);
        let mut rows: Vec<(RowDiff, Option<Vec<String>>)> =
            self.rows.drain(..).enumerate().map(|(at, row)| (row, notes.remove(&(at as u32)))).collect();
        let latest = |r: &RowDiff| if r.after == RowDiff::NONE { (&**start, r.before) } else { (&**end, r.after) };
        rows.sort_by(|(a, _), (b, _)| join::order_of_rows(key, latest(a), latest(b)));
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

/// Two windows with resets, rows that went and came again, or sums of their own: added up object by object.
fn slowly(a: &Arc<ViewDiff>, b: &Arc<ViewDiff>, lengths: (Option<f64>, Option<f64>)) -> ViewDiff {
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
            let (expected, sum) = (row.delta(column).0, sums.delta(*place, column));
            // Sums of doubles differ from the difference of their ends in the last digits.
            let alike = match (expected, sum) {
                (Some(Exact::Float(x)), Some(Exact::Float(y))) => (x - y).abs() <= 1e-9 * x.abs().max(y.abs()),
                (x, y) => x == y,
            };
            if let (false, Ok(at), Ok(column)) = (alike, u32::try_from(row.index()), u16::try_from(column)) {
                let why = if matches!(row.value_after(usize::from(column)), Value::Null) {
                    "no value at the end"
                } else {
                    "started again in between: sum of the windows"
                };
                out.insert((at, column), (sum, why.to_owned()));
            }
        }
    }
    out
}
