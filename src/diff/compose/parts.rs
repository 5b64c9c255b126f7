//! Rows of two adjacent windows parted: those of which the ends say all, and the others. A single reset would else have
//! all rows of its view added up one by one.

use super::quick::quickly;
use super::slow::slowly;
use super::{by_end, in_key_order};
use crate::diff::{Class, Exact, RowDiff, Verdict, ViewDiff};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The two windows of a view as one; `lengths`: how long each lasts.
pub(super) fn together(a: &Arc<ViewDiff>, b: &Arc<ViewDiff>, lengths: (Option<f64>, Option<f64>)) -> ViewDiff {
    in_parts(a, b, lengths).unwrap_or_else(|| slowly(a, b, lengths))
}

fn in_parts(a: &Arc<ViewDiff>, b: &Arc<ViewDiff>, lengths: (Option<f64>, Option<f64>)) -> Option<ViewDiff> {
    let odd = Odd::of(a, b)?;
    let count = odd.count();
    if count == 0 {
        return quickly(a, b);
    }
    if count * 2 > a.rows.len() + b.rows.len() {
        return None;
    }
    let plain = quickly(&some(a, |at| !is(&odd.first, at)), &some(b, |at| !is(&odd.second, at)))?;
    let (a, b) = (some(a, |at| is(&odd.first, at)), some(b, |at| is(&odd.second, at)));
    merged(plain, slowly(&Arc::new(a), &Arc::new(b), lengths))
}

/// Rows of each window whose sums are not the differences of the ends, or may not be.
struct Odd {
    first: Vec<bool>,
    second: Vec<bool>,
}

impl Odd {
    /// `None` where the rows of the first window's end are not those of the second one's start.
    fn of(a: &ViewDiff, b: &ViewDiff) -> Option<Self> {
        let (middle, start) = (a.after.as_ref()?, b.before.as_ref()?);
        if !Arc::ptr_eq(middle, start) || a.key != b.key {
            return None;
        }
        // What went may be what came.
        let gone = a.rows.iter().any(|r| r.after == RowDiff::NONE);
        let came = b.rows.iter().any(|r| r.before == RowDiff::NONE);
        let mut out = Self {
            first: odd(a, |row| row.after == RowDiff::NONE && came),
            second: odd(b, |row| row.before == RowDiff::NONE && gone),
        };
        let in_first = by_end(a, middle);
        for (later, odd) in b.rows.iter().zip(&mut out.second).filter(|(row, _)| row.before != RowDiff::NONE) {
            let place = *in_first.get(later.before as usize)? as usize;
            let (earlier, first) = (a.rows.get(place)?, out.first.get_mut(place)?);
            let class = |view: &ViewDiff, row: &RowDiff| view.verdicts.get(row.verdict as usize).map(|v| v.class);
            let began = earlier.before == RowDiff::NONE
                && later.after != RowDiff::NONE
                && class(a, earlier).max(class(b, later)) != Some(Class::New);
            *odd |= *first || began;
            *first = *odd;
        }
        Some(out)
    }

    fn count(&self) -> usize {
        self.first.iter().chain(&self.second).filter(|odd| **odd).count()
    }
}

fn is(odd: &[bool], at: usize) -> bool {
    odd.get(at).copied().unwrap_or_default()
}

/// Rows of a window that started again, or of which something is said beside their verdict.
fn odd(view: &ViewDiff, more: impl Fn(&RowDiff) -> bool) -> Vec<bool> {
    let plain = |v: &Verdict| !matches!(v.class, Class::Reset | Class::ResetUnsure) && v.withheld.is_none();
    let began_anew = |v: &Verdict, row: &RowDiff| v.class == Class::New && row.before != RowDiff::NONE;
    let is_odd = |row: &RowDiff| {
        view.verdicts.get(row.verdict as usize).is_none_or(|v| !plain(v) || began_anew(v, row)) || more(row)
    };
    let mut out: Vec<bool> = view.rows.iter().map(is_odd).collect();
    for (row, _) in view.overrides.keys() {
        if let Some(odd) = out.get_mut(*row as usize) {
            *odd = true;
        }
    }
    out
}

/// A view with some of its rows.
fn some(view: &ViewDiff, is_in: impl Fn(usize) -> bool) -> ViewDiff {
    let mut places = vec![RowDiff::NONE; view.rows.len()];
    let mut rows = Vec::new();
    for (at, row) in view.rows.iter().enumerate().filter(|(at, _)| is_in(*at)) {
        if let Some(place) = places.get_mut(at) {
            *place = rows.len() as u32;
        }
        rows.push(*row);
    }
    let place = |at: u32| places.get(at as usize).copied().filter(|place| *place != RowDiff::NONE);
    ViewDiff {
        view: view.view,
        before: view.before.clone(),
        after: view.after.clone(),
        key: view.key.clone(),
        rows,
        verdicts: view.verdicts.clone(),
        overrides: view.overrides.iter().filter_map(|((at, c), o)| Some(((place(*at)?, *c), o.clone()))).collect(),
        row_notes: view.row_notes.iter().filter_map(|(at, notes)| Some((place(*at)?, notes.clone()))).collect(),
        untrusted: view.untrusted.clone(),
        rest: view.rest.clone(),
    }
}

/// Rows of both in the order of their keys.
fn merged(plain: ViewDiff, odd: ViewDiff) -> Option<ViewDiff> {
    let (start, end) = (plain.before.as_ref()?, plain.after.as_ref()?);
    let shift = u32::try_from(plain.verdicts.len()).ok()?;
    let others = odd.rows.iter().map(|row| RowDiff { verdict: row.verdict + shift, ..*row });
    let mut order: Vec<(RowDiff, usize)> = plain.rows.iter().copied().chain(others).zip(0..).collect();
    order.sort_by(|(a, _), (b, _)| in_key_order(&plain.key, (start, end), a, b));
    let mut places = vec![0; order.len()];
    for ((_, was), now) in order.iter().zip(0_u32..) {
        if let Some(place) = places.get_mut(*was) {
            *place = now;
        }
    }
    let (first, second) = places.split_at_checked(plain.rows.len())?;
    let moved = |places: &[u32], at: u32| places.get(at as usize).copied();
    let overrides = |of: BTreeMap<(u32, u16), (Option<Exact>, String)>, places| {
        of.into_iter().filter_map(move |((at, column), sum)| Some(((moved(places, at)?, column), sum)))
    };
    let notes = |of: BTreeMap<u32, Vec<String>>, places| {
        of.into_iter().filter_map(move |(at, notes)| Some((moved(places, at)?, notes)))
    };
    Some(ViewDiff {
        rows: order.iter().map(|(row, _)| *row).collect(),
        verdicts: plain.verdicts.into_iter().chain(odd.verdicts).collect(),
        overrides: overrides(plain.overrides, first).chain(overrides(odd.overrides, second)).collect(),
        row_notes: notes(plain.row_notes, first).chain(notes(odd.row_notes, second)).collect(),
        ..plain
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::{Options, window};
    use crate::meta::Notes;
    use crate::snapshot::Snapshot;
    use crate::snapshot::literal::literal;
    use proptest::prelude::*;

    /// What happens to a table before a snapshot, and how much.
    type Move = (u8, i64);

    /// Snapshots of tables of which most go on; some start again, come, go, or have no index for a while.
    fn snapshots(moves: &[Vec<Move>]) -> Vec<Arc<Snapshot>> {
        let mut tables = vec![(true, 100_i64, Some(50_i64)); moves.first().map_or(0, Vec::len)];
        let taken = |(hour, moves): (usize, &Vec<Move>)| {
            for ((there, scans, indexed), (what, amount)) in tables.iter_mut().zip(moves) {
                match what {
                    0 => (*scans, *indexed) = (*amount, indexed.map(|_| 0)),
                    1 => *there = !*there,
                    2 => *indexed = if indexed.is_some() { None } else { Some(*amount) },
                    3 => *indexed = indexed.map(|n| n / 2),
                    _ => (*scans, *indexed) = (*scans + amount, indexed.map(|n| n + amount)),
                }
            }
            let line = |(at, (there, scans, indexed)): (usize, &(bool, i64, Option<i64>))| {
                let indexed = indexed.map_or_else(String::new, |n| n.to_string());
                there.then(|| format!("{} | public | t{at} | {scans} | {indexed}", 100 + at))
            };
            let rows: Vec<String> = tables.iter().enumerate().filter_map(line).collect();
            let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
            let time = crate::time::Timestamp::from_seconds(1_790_000_000 + 3_600 * hour as i64).to_string();
            let columns = "relid | schemaname | relname | seq_scan | idx_scan";
            literal(&time).view("pg_stat_user_tables", columns, &rows).build()
        };
        moves.iter().enumerate().map(taken).collect()
    }

    fn told(view: &ViewDiff) -> Vec<String> {
        let line = |row: crate::diff::DiffRow<'_>| {
            let id = row.latest().and_then(|r| r.int("relid"));
            if row.class() == Class::Gone {
                return format!("{id:?} gone");
            }
            let delta = |column| row.delta_of(column);
            let verdict = row.verdict();
            let mut notes: Vec<&str> = row.notes().collect();
            notes.sort_unstable();
            format!(
                "{id:?} {:?} {:?} {:?} {:?} {} {:?} {:?} {notes:?}",
                (row.before().is_some(), row.after().is_some()),
                row.class(),
                verdict.covered_s,
                verdict.reset_at,
                row.is_exact(),
                delta("seq_scan"),
                delta("idx_scan"),
            )
        };
        view.iter().map(line).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        /// Three windows, so that the first of two is one that was put together.
        #[test]
        fn parts_say_what_all_rows_added_up_say(
            moves in prop::collection::vec(
                prop::collection::vec(prop_oneof![1 => (0_u8..4, 0_i64..60), 9 => (4_u8..5, 0_i64..60)], 9..10), 4..5,
            ),
        ) {
            let snapshots = snapshots(&moves);
            let windows: Vec<Arc<ViewDiff>> = snapshots.windows(2).map(|pair| {
                let diff = window(Arc::clone(&pair[0]), Arc::clone(&pair[1]), &Options::default(), Notes::default()).unwrap();
                Arc::clone(&diff.views["pg_stat_user_tables"])
            }).collect();
            let hour = Some(3_600.0);
            let two = Arc::new(together(&windows[0], &windows[1], (hour, hour)));
            prop_assert_eq!(told(&two), told(&slowly(&windows[0], &windows[1], (hour, hour))));
            let lengths = (Some(7_200.0), hour);
            prop_assert_eq!(told(&together(&two, &windows[2], lengths)), told(&slowly(&two, &windows[2], lengths)));
        }
    }
}
