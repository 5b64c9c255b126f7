//! What a statistics entry's own columns tell about a reset: a counter fell, a time was cleared, a time was kept.
//!
//! One entry feeds several views (`pg_stat_user_tables` and the heap columns of `pg_statio_user_tables`; both index
//! views), so a fall in one proves the reset in the other.

use super::Exact;
use crate::catalog::{Kind, View};
use crate::snapshot::{Data, Ints, Table};
use crate::time::Timestamp;
use rayon::prelude::*;

/// A counter of the entry decreased.
pub(super) const FELL: u8 = 1;
/// A time that was set is NULL now.
pub(super) const CLEARED: u8 = 2;
/// A time is the same as before: a reset would have cleared it.
pub(super) const KEPT: u8 = 4;
/// The entry started again: [`FELL`] or [`CLEARED`].
pub(super) const LOST: u8 = FELL | CLEARED;

/// Columns that count for another entry than their row's: the TOAST table and its index.
const TOAST: [&str; 4] = ["toast_blks_read", "toast_blks_hit", "tidx_blks_read", "tidx_blks_hit"];

/// The pairs of [`TOAST`] that are one entry each, as column positions of a view.
pub(super) fn toast_pairs(view: &View) -> Vec<[usize; 2]> {
    TOAST.chunks_exact(2).filter_map(|pair| Some([view.column(pair[0])?.0, view.column(pair[1])?.0])).collect()
}

/// What a column says about its row's entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Witness {
    /// A number that falls where the entry started again.
    Counter,
    /// A time that is cleared there.
    Time,
}

/// What a column of a view says about its row's entry, by its position.
pub fn witness(view: &View, column: usize) -> Option<Witness> {
    let description = view.columns.get(column)?;
    match description.kind {
        Kind::Counter if !TOAST.contains(&description.name) => Some(Witness::Counter),
        // A table's last_idx_scan is the latest of its present indexes: it goes with them.
        Kind::Time if description.name != "last_idx_scan" || view.name != "pg_stat_user_tables" => Some(Witness::Time),
        _ => None,
    }
}

/// The flags of each pair of rows; pairs without a partner have none.
pub(super) fn scan(
    view: &View,
    before: &Table,
    after: &Table,
    pairs: &[(u32, u32)],
    before_at: Option<Timestamp>,
) -> Vec<u8> {
    const CHUNK: usize = 16 * 1024;
    let columns: Vec<(usize, Witness, &Data, &Data)> = (0..view.columns.len())
        .filter_map(|c| {
            let (a, b) = (before.columns.get(c)?.as_ref()?, after.columns.get(c)?.as_ref()?);
            witness(view, c).map(|w| (c, w, a, b))
        })
        .collect();
    let mut flags = vec![0_u8; pairs.len()];
    let chunk = |(flags, pairs): (&mut [u8], &[(u32, u32)])| {
        for (column, witness, a, b) in &columns {
            let both = |(i, j): (u32, u32)| i != super::RowDiff::NONE && j != super::RowDiff::NONE;
            if let (Data::Int(a), Data::Int(b)) = (a, b) {
                let (mut a, mut b) = (a.near(), b.near());
                for (flag, &(i, j)) in flags.iter_mut().zip(pairs).filter(|(_, pair)| both(**pair)) {
                    let (was, is) = (a.get(i as usize), b.get(j as usize));
                    *flag |= match witness {
                        Witness::Counter => counter(was, is),
                        Witness::Time => time(was, is, before_at),
                    };
                }
            } else if matches!(witness, Witness::Counter) {
                for (flag, &(i, j)) in flags.iter_mut().zip(pairs).filter(|(_, pair)| both(**pair)) {
                    let cells = [before.value(i as usize, *column), after.value(j as usize, *column)];
                    let fell = matches!(cells.map(Exact::of), [Some(a), Some(b)] if a.fell_to(b));
                    *flag |= if fell { FELL } else { 0 };
                }
            }
        }
    };
    if pairs.len() <= CHUNK {
        chunk((&mut flags, pairs));
    } else {
        flags.par_chunks_mut(CHUNK).zip(pairs.par_chunks(CHUNK)).for_each(chunk);
    }
    flags
}

/// What a counter of whole numbers shows; [`Ints::NULL`] is smaller than any.
const fn counter(was: i64, is: i64) -> u8 {
    if is < was && is != Ints::NULL { FELL } else { 0 }
}

/// What a time shows.
fn time(was: i64, is: i64, before_at: Option<Timestamp>) -> u8 {
    match (was, is) {
        (Ints::NULL, _) => 0,
        (_, Ints::NULL) => CLEARED,
        _ if was == is && before_at.is_none_or(|t| was <= t.0) => KEPT,
        _ => 0,
    }
}
