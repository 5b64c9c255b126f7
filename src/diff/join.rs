//! Rows of two tables joined by what they are, in a total order of keys.
//!
//! Both sides are sorted by key (exports mostly are already) and merged: no hashing, and the order of the files' rows
//! leaves no trace in the result.

use super::RowDiff;
use super::temporary::Temporary;
use crate::catalog::{Epoch, View};
use crate::snapshot::{Data, Ints, Table, Value};
use rayon::slice::ParallelSliceMut;
use std::cmp::Ordering;

/// Rows of two tables, joined.
#[derive(Clone, Debug, Default)]
pub(super) struct Joined {
    /// Pairs in key order; [`RowDiff::NONE`] where a side has no such row.
    pub pairs: Vec<(u32, u32)>,
    /// Positions of the key's columns in the view.
    pub key: Vec<usize>,
    /// Whether names had to stand in for OIDs.
    pub by_name: bool,
    /// Rows left out, each with the reason: `(later table?, row, reason)`.
    pub left_out: Vec<(bool, u32, &'static str)>,
}

/// The key columns that both tables export: the view's key, else its fallback, else what there is of the key.
///
/// `by_name`: OIDs of the two tables have nothing to do with each other, so names stand in for them where there are any.
pub(super) fn key_columns(view: &View, before: &Table, after: &Table, by_name: bool) -> Option<(Vec<usize>, bool)> {
    let position = |name: &&str| view.column(name).map(|(i, _)| i);
    let exported = |i: usize| has(before, i) && has(after, i);
    let whole = |names: &[&str]| -> Option<Vec<usize>> {
        names.iter().map(|n| position(n).filter(|i| exported(*i) || has_default(view, *i))).collect()
    };
    if by_name {
        let names = if view.epoch == Epoch::Statements { &["query"] } else { view.fallback_key };
        if let Some(key) = whole(names).filter(|k| !k.is_empty()) {
            return Some((key, true));
        }
    }
    if let Some(key) = whole(view.key).filter(|k| k.is_empty() || k.iter().any(|i| exported(*i))) {
        return Some((key, false));
    }
    // Statements are told apart by as much of their identity as there is.
    let last_resorts: &[&[&str]] =
        if view.epoch == Epoch::Statements { &[&["queryid"], &["dbid", "query"], &["query"]] } else { &[] };
    std::iter::once(view.fallback_key)
        .chain(last_resorts.iter().copied())
        .filter(|names| !names.is_empty())
        .find_map(whole)
        .map(|key| (key, true))
}

fn has(table: &Table, column: usize) -> bool {
    table.columns.get(column).is_some_and(Option::is_some)
}

/// Before pg_stat_statements 1.9 every entry was a top-level one.
fn has_default(view: &View, column: usize) -> bool {
    view.columns[column].name == "toplevel"
}

/// A key cell; a missing `toplevel` column means true.
fn cell(table: &Table, row: u32, column: usize) -> Value<'_> {
    if !has(table, column) {
        return Value::Bool(true);
    }
    table.value(row as usize, column)
}

/// A total order of cells: NULL first, then by value.
pub(super) fn order_of(a: Value<'_>, b: Value<'_>) -> Ordering {
    const fn rank(v: Value<'_>) -> u8 {
        match v {
            Value::Null => 0,
            Value::Bool(_) => 1,
            Value::Int(_) | Value::Numeric(_) | Value::Interval(_) | Value::Float(_) => 2,
            Value::Time(_) => 3,
            Value::Text(_) => 4,
        }
    }
    const fn whole(v: Value<'_>) -> Option<i128> {
        match v {
            Value::Int(n) | Value::Interval(n) => Some(n as i128),
            Value::Numeric(n) => Some(n),
            _ => None,
        }
    }
    match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => a.cmp(&b),
        (Value::Text(a), Value::Text(b)) => a.cmp(b),
        (Value::Time(a), Value::Time(b)) => a.cmp(&b),
        (Value::Float(a), Value::Float(b)) => a.total_cmp(&b),
        _ => match (whole(a), whole(b)) {
            (Some(a), Some(b)) => a.cmp(&b),
            _ => rank(a).cmp(&rank(b)),
        },
    }
}

/// The order of two rows by a key, across tables of one view.
pub(super) fn order_of_rows(key: &[usize], a: (&Table, u32), b: (&Table, u32)) -> Ordering {
    key.iter().map(|&c| order_of(cell(a.0, a.1, c), cell(b.0, b.1, c))).find(|o| o.is_ne()).unwrap_or(Ordering::Equal)
}

/// From so many rows on all cores sort.
const MANY: usize = 16 * 1024;

/// Why rows of an ambiguous key take no part.
const DIFFERENT: &str = "different rows with the same key";

/// Rows of one side, sorted by key, duplicates and unwanted rows taken out.
struct Side<'a> {
    table: &'a Table,
    /// `None`: all rows, as they stand.
    rows: Option<Vec<u32>>,
    count: usize,
    /// The keys in this order, where each is one integer.
    ints: Option<Vec<i64>>,
}

impl<'a> Side<'a> {
    fn new(table: &'a Table, key: &[usize], left_out: Temporary) -> Self {
        let count = u32::try_from(table.rows).unwrap_or(u32::MAX - 1);
        let whole = !left_out.has_any(table);
        if let [only] = key
            && let Some(Some(Data::Int(ints))) = table.columns.get(*only)
        {
            let mut keys = vec![Ints::NULL; count as usize];
            ints.read(0, &mut keys);
            if whole && keys.is_sorted() {
                return Self { table, rows: None, count: keys.len(), ints: Some(keys) };
            }
            let kept = keys.into_iter().zip(0..count).filter(|(_, row)| whole || !left_out.has(table, *row));
            let mut pairs: Vec<(i64, u32)> = kept.collect();
            if pairs.len() < MANY {
                pairs.sort_unstable();
            } else {
                pairs.par_sort_unstable();
            }
            let (keys, rows): (Vec<i64>, Vec<u32>) = pairs.into_iter().unzip();
            return Self { table, count: rows.len(), rows: Some(rows), ints: Some(keys) };
        }
        let mut rows: Vec<u32> = (0..count).filter(|row| whole || !left_out.has(table, *row)).collect();
        rows.sort_by(|a, b| order_of_rows(key, (table, *a), (table, *b)).then(a.cmp(b)));
        Self { table, count: rows.len(), rows: Some(rows), ints: None }
    }

    fn row(&self, at: usize) -> u32 {
        self.rows.as_ref().map_or(at as u32, |rows| rows[at])
    }

    fn order(&self, at: usize, other: &Self, other_at: usize, key: &[usize]) -> Ordering {
        match (&self.ints, &other.ints) {
            (Some(x), Some(y)) => x[at].cmp(&y[other_at]),
            _ => order_of_rows(key, (self.table, self.row(at)), (other.table, other.row(other_at))),
        }
    }

    /// Takes out rows that share a key: all but one where they are alike, all of them where they differ.
    fn settle(&mut self, key: &[usize], later: bool, left_out: &mut Vec<(bool, u32, &'static str)>) {
        let same = |s: &Self, i: usize| s.order(i - 1, s, i, key).is_eq();
        if !(1..self.count).any(|i| same(self, i)) {
            return;
        }
        let mut keep = vec![true; self.count];
        let mut start = 0;
        while start < self.count {
            let mut end = start + 1;
            while end < self.count && same(self, end) {
                end += 1;
            }
            if end - start > 1 {
                let first = self.row(start);
                let alike = (start + 1..end).all(|i| alike(self.table, first, self.row(i)));
                for (i, kept) in keep.iter_mut().enumerate().take(end).skip(start) {
                    if alike && i == start {
                        continue;
                    }
                    *kept = false;
                    let reason = if alike { "the same row twice" } else { DIFFERENT };
                    left_out.push((later, self.row(i), reason));
                }
            }
            start = end;
        }
        let kept: Vec<usize> = (0..self.count).filter(|at| keep[*at]).collect();
        self.ints = self.ints.take().map(|keys| kept.iter().map(|at| keys[*at]).collect());
        self.rows = Some(kept.iter().map(|at| self.row(*at)).collect());
        self.count = kept.len();
    }
}

/// Whether two rows of a table are equal in every column.
fn alike(table: &Table, a: u32, b: u32) -> bool {
    (0..table.columns.len()).all(|c| table.value(a as usize, c) == table.value(b as usize, c))
}

/// Joins two tables of a view.
pub(super) fn join(
    view: &'static View,
    before: &Table,
    after: &Table,
    by_name: bool,
    left_out: Temporary,
) -> Option<Joined> {
    let (key, by_name) = key_columns(view, before, after, by_name)?;
    let mut out = Joined { by_name, ..Joined::default() };
    let side = |table| Side::new(table, &key, left_out);
    let (mut a, mut b) = if before.rows.max(after.rows) < MANY {
        (side(before), side(after))
    } else {
        rayon::join(|| side(before), || side(after))
    };
    a.settle(&key, false, &mut out.left_out);
    b.settle(&key, true, &mut out.left_out);
    out.pairs = match (&a.ints, &b.ints) {
        (Some(x), Some(y)) => merge(&a, &b, |i, j| x[i].cmp(&y[j])),
        _ => merge(&a, &b, |i, j| a.order(i, &b, j, &key)),
    };
    drop_ambiguous(&mut out, &key, before, after);
    out.key = key;
    Some(out)
}

/// Pairs of two sides, each in the order of its keys.
fn merge(a: &Side<'_>, b: &Side<'_>, order: impl Fn(usize, usize) -> Ordering) -> Vec<(u32, u32)> {
    let mut pairs = Vec::with_capacity(a.count.max(b.count));
    let (mut i, mut j) = (0, 0);
    while i < a.count || j < b.count {
        let order = match (i < a.count, j < b.count) {
            (true, true) => order(i, j),
            (true, false) => Ordering::Less,
            _ => Ordering::Greater,
        };
        let (mut left, mut right) = (RowDiff::NONE, RowDiff::NONE);
        if order.is_le() {
            left = a.row(i);
            i += 1;
        }
        if order.is_ge() {
            right = b.row(j);
            j += 1;
        }
        pairs.push((left, right));
    }
    pairs
}

/// A row whose partner was left out because its key is ambiguous is neither new nor gone: it is left out as well.
fn drop_ambiguous(joined: &mut Joined, key: &[usize], before: &Table, after: &Table) {
    let mut ambiguous = Vec::new();
    for &(later, row, _) in joined.left_out.iter().filter(|l| l.2 == DIFFERENT) {
        let table = if later { after } else { before };
        let order = |pair: &(u32, u32)| {
            let at = if pair.1 == RowDiff::NONE { (before, pair.0) } else { (after, pair.1) };
            order_of_rows(key, at, (table, row))
        };
        if let Ok(at) = joined.pairs.binary_search_by(order) {
            ambiguous.push(at);
        }
    }
    ambiguous.sort_unstable();
    ambiguous.dedup();
    for at in ambiguous.into_iter().rev() {
        joined.pairs.remove(at);
    }
}

/// The rows of one table in key order, without partners.
pub(super) fn alone(view: &'static View, table: &Table, left_out: Temporary) -> Joined {
    let (key, by_name) = key_columns(view, table, table, false).unwrap_or_default();
    let mut out = Joined { by_name, ..Joined::default() };
    let mut side = Side::new(table, &key, left_out);
    if !key.is_empty() {
        side.settle(&key, true, &mut out.left_out);
    }
    out.pairs = (0..side.count).map(|at| (RowDiff::NONE, side.row(at))).collect();
    out.key = key;
    out
}
