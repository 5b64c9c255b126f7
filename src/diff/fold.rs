//! Windows added up, object by object.

use super::entry::{self, LOST};
use super::join;
use super::{Class, DiffRow, Exact, RowDiff, ViewDiff};
use crate::catalog::View;
use crate::snapshot::{Row, Table, Value};
use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

/// A window between two neighbouring snapshots that carry a view.
#[derive(Clone, Debug)]
pub(super) struct Step {
    /// Its position in the chain; `None`: it spans snapshots that lack the view.
    pub window: Option<usize>,
    /// The subtraction.
    pub diff: Arc<ViewDiff>,
    /// Its length.
    pub elapsed_s: Option<f64>,
}

/// A view's windows added up.
#[derive(Clone, Debug)]
pub(super) struct Sums {
    steps: Vec<Step>,
    /// Windows of the whole chain.
    windows: usize,
    /// Objects in key order.
    pub rows: Vec<ChangeRow>,
    /// Position of each of the view's columns among the summed ones.
    places: Vec<Option<usize>>,
    /// Sums of deltas, row by row.
    deltas: Vec<Option<Exact>>,
    stride: usize,
}

/// An object of a chain.
#[derive(Clone, Debug)]
pub(super) struct ChangeRow {
    /// Row in the first table, or [`RowDiff::NONE`].
    pub first: u32,
    /// Row in the last table, or [`RowDiff::NONE`].
    pub last: u32,
    pub class: Class,
    pub covered_s: Option<f64>,
    pub exact: bool,
    /// Whether what they add up is all of the time they cover.
    pub whole: bool,
    pub notes: Vec<String>,
    /// Its row in each of the diffs.
    steps: Vec<u32>,
}

/// An object while the windows are added up.
struct Object {
    row: ChangeRow,
    sums: Vec<Option<Exact>>,
    /// Since which window it is missing, and its last row.
    missing: Option<(usize, u32)>,
}

/// A key that outlives its table.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Part {
    Null,
    Whole(i128),
    Text(String),
}

fn key_of(table: &Table, row: u32, key: &[usize]) -> Vec<Part> {
    key.iter()
        .map(|c| match table.value(row as usize, *c) {
            Value::Int(n) | Value::Interval(n) => Part::Whole(i128::from(n)),
            Value::Numeric(n) => Part::Whole(n),
            Value::Time(t) => Part::Whole(i128::from(t.0)),
            Value::Bool(b) => Part::Whole(i128::from(b)),
            Value::Text(s) => Part::Text(s.to_owned()),
            Value::Float(x) => Part::Text(x.to_string()),
            Value::Null => Part::Null,
        })
        .collect()
}

/// Adds up the windows of a view.
pub(super) fn fold(view: &'static View, steps: &[Step], windows: usize) -> Sums {
    let counters: Vec<usize> = (0..view.columns.len())
        .filter(|c| view.columns[*c].kind.is_counter() && steps.iter().any(|s| s.diff.exports(*c)))
        .collect();
    let mut objects: Vec<Object> = Vec::new();
    // The object of each row of the table that the last window ended with.
    let mut current: Vec<u32> = Vec::new();
    let mut missing: HashMap<Vec<Part>, usize> = HashMap::new();
    for (step, Step { diff, .. }) in steps.iter().enumerate() {
        if step > 0 {
            current = carry_over(&steps[step - 1].diff, diff, current);
        }
        let mut next = vec![RowDiff::NONE; diff.after.as_ref().map_or(0, |t| t.rows)];
        for row in diff.iter() {
            let pair = diff.rows[row.index()];
            let known = match pair.before {
                RowDiff::NONE => match &diff.after {
                    Some(table) if !missing.is_empty() => missing.remove(&key_of(table, pair.after, &diff.key)),
                    _ => None,
                },
                i => current.get(i as usize).copied().filter(|o| *o != RowDiff::NONE).map(|o| o as usize),
            };
            let at = known.unwrap_or_else(|| {
                objects.push(Object::new(
                    steps.len(),
                    counters.len(),
                    if step == 0 { pair.before } else { RowDiff::NONE },
                ));
                objects.len() - 1
            });
            let object = &mut objects[at];
            object.row.steps[step] = u32::try_from(row.index()).unwrap_or(RowDiff::NONE);
            match object.missing.take() {
                Some(since) => object.rejoin(steps, (step, since), row, &counters),
                None => object.add(row, &counters),
            }
            if pair.after == RowDiff::NONE {
                object.missing = Some((step, pair.before));
                if let Some(table) = &diff.before {
                    missing.insert(key_of(table, pair.before, &diff.key), at);
                }
            } else {
                next[pair.after as usize] = u32::try_from(at).unwrap_or(RowDiff::NONE);
                object.row.last = if step + 1 == steps.len() { pair.after } else { RowDiff::NONE };
            }
        }
        current = next;
    }
    finish(view, steps, windows, objects, &counters)
}

/// Rows of one window's end, as rows of the next one's start: the same table, unless statements were merged anew.
fn carry_over(last: &ViewDiff, next: &ViewDiff, current: Vec<u32>) -> Vec<u32> {
    let (Some(end), Some(start)) = (&last.after, &next.before) else { return Vec::new() };
    if Arc::ptr_eq(end, start) {
        return current;
    }
    let by_key: HashMap<Vec<Part>, u32> = current
        .iter()
        .enumerate()
        .filter(|(_, o)| **o != RowDiff::NONE)
        .map(|(row, o)| (key_of(end, row as u32, &next.key), *o))
        .collect();
    (0..start.rows)
        .map(|row| by_key.get(&key_of(start, row as u32, &next.key)).copied().unwrap_or(RowDiff::NONE))
        .collect()
}

impl Object {
    fn new(steps: usize, counters: usize, first: u32) -> Self {
        Self {
            row: ChangeRow {
                first,
                last: RowDiff::NONE,
                class: Class::Ok,
                covered_s: Some(0.0),
                exact: true,
                whole: true,
                notes: Vec::new(),
                steps: vec![RowDiff::NONE; steps],
            },
            sums: vec![None; counters],
            missing: None,
        }
    }

    fn note<'a>(&mut self, notes: impl Iterator<Item = &'a str>) {
        for note in notes {
            if !self.row.notes.iter().any(|n| n == note) {
                self.row.notes.push(note.to_owned());
            }
        }
    }

    fn plus(&mut self, at: usize, delta: Option<Exact>) {
        match (delta, self.sums[at]) {
            (Some(d), Some(sum)) => self.sums[at] = Some(sum.plus(d)),
            (Some(d), None) => self.sums[at] = Some(d),
            (None, Some(_)) => (self.row.exact, self.row.whole) = (false, false),
            (None, None) => {}
        }
    }

    /// Adds a window.
    fn add(&mut self, row: DiffRow<'_>, counters: &[usize]) {
        if self.add_but_deltas(row) {
            for (at, column) in counters.iter().enumerate() {
                self.plus(at, row.delta(*column).0);
            }
        }
    }

    /// Adds what a window says beside its deltas; `false`: it has none.
    fn add_but_deltas(&mut self, row: DiffRow<'_>) -> bool {
        self.note(row.notes());
        let class = row.class();
        if class == Class::Gone {
            return false;
        }
        self.row.class = self.row.class.max(class);
        self.row.exact &= row.is_exact();
        self.row.whole &= row.is_whole();
        self.row.covered_s = self.row.covered_s.zip(row.verdict().covered_s).map(|(a, b)| a + b);
        true
    }

    /// An object that earlier snapshots had, later ones lacked and this one has again: missing data where it goes on
    /// from where it was, else a new life.
    fn rejoin(
        &mut self,
        steps: &[Step],
        (now, (left, i)): (usize, (usize, u32)),
        row: DiffRow<'_>,
        counters: &[usize],
    ) {
        let (Some(before), Some(again)) = (steps[left].diff.before.as_deref(), row.after()) else { return };
        let pair = (i, again.index() as u32);
        let after = again.table();
        let was = before.row(i as usize);
        let same_since = was.time("stats_since") == again.time("stats_since");
        let Some(view) = after.view else { return };
        let goes_on = same_since && entry::scan(view, before, after, &[pair], None).iter().all(|f| f & LOST == 0);
        let value = |table: &Table, at: usize, c: usize| Exact::of(table.value(at, c));
        let had = |column| value(before, i as usize, column);
        if goes_on && matches!(row.class(), Class::New) {
            self.note(["missing in a snapshot in between"].into_iter());
            (self.row.exact, self.row.whole) = (false, false);
            for (at, &column) in counters.iter().enumerate() {
                let b = value(after, again.index(), column);
                self.plus(at, had(column).zip(b).map(|(a, b)| b.since(a)).filter(|d| !d.is_negative()));
            }
            self.row.class = self.row.class.max(Class::OkUnsure);
            let gap = steps[left..=now].iter().map(|s| s.elapsed_s).sum::<Option<f64>>();
            self.row.covered_s = self.row.covered_s.zip(gap).map(|(a, b)| a + b);
            return;
        }
        if matches!(row.class(), Class::New) {
            self.add(row, counters);
        } else if self.add_but_deltas(row) {
            // Several windows as one, in which it came and started again. With how much it came is no longer known: it
            // may have gone on from what it had, so that much of the sum is not new.
            for (at, &column) in counters.iter().enumerate() {
                let sum = row.delta(column).0;
                let rest = |sum: Exact, had: Exact| if had.fell_to(sum) { had.since(had) } else { sum.since(had) };
                self.plus(at, sum.map(|sum| had(column).map_or(sum, |had| rest(sum, had))));
            }
        }
        self.note(["gone and come again"].into_iter());
        self.row.class = self.row.class.max(Class::Reset);
        (self.row.exact, self.row.whole) = (false, false);
    }
}

fn finish(view: &'static View, steps: &[Step], windows: usize, mut objects: Vec<Object>, counters: &[usize]) -> Sums {
    for object in &mut objects {
        if object.missing.is_some() {
            object.row.class = Class::Gone;
            object.row.exact = false;
        }
    }
    let latest = |o: &Object| latest_row(steps, &o.row.steps);
    let key = steps.last().map_or_else(Vec::new, |s| s.diff.key.clone());
    objects.sort_by(|a, b| match (latest(a), latest(b)) {
        (Some(x), Some(y)) => join::order_of_rows(&key, (x.table(), x.index() as u32), (y.table(), y.index() as u32)),
        _ => Ordering::Equal,
    });
    let mut places = vec![None; view.columns.len()];
    for (at, column) in counters.iter().enumerate() {
        places[*column] = Some(at);
    }
    let mut rows = Vec::with_capacity(objects.len());
    let mut deltas = Vec::with_capacity(objects.len() * counters.len());
    for object in objects {
        rows.push(object.row);
        deltas.extend(object.sums);
    }
    Sums { steps: steps.to_vec(), windows, rows, places, deltas, stride: counters.len() }
}

fn latest_row<'a>(all: &'a [Step], steps: &[u32]) -> Option<Row<'a>> {
    let at = steps.iter().rposition(|s| *s != RowDiff::NONE)?;
    all.get(at)?.diff.row(steps[at] as usize).latest()
}

impl Sums {
    pub fn first_table(&self) -> Option<Arc<Table>> {
        self.steps.first().and_then(|s| s.diff.before.clone())
    }

    pub fn last_table(&self) -> Option<Arc<Table>> {
        self.steps.last().and_then(|s| s.diff.after.clone())
    }

    /// The sum of a column's deltas.
    pub fn delta(&self, row: usize, column: usize) -> Option<Exact> {
        let place = (*self.places.get(column)?)?;
        self.deltas.get(row * self.stride + place).copied().flatten()
    }

    /// The newest row of an object.
    pub fn latest(&self, row: usize) -> Option<Row<'_>> {
        latest_row(&self.steps, &self.rows[row].steps)
    }

    /// The object's rows, window by window.
    pub fn steps(&self, row: usize) -> impl Iterator<Item = DiffRow<'_>> {
        let steps = &self.rows[row].steps;
        self.steps.iter().zip(steps).filter(|(_, s)| **s != RowDiff::NONE).map(|(step, s)| step.diff.row(*s as usize))
    }

    /// The object's row in each window of the chain.
    pub fn windows(&self, row: usize) -> Vec<Option<u32>> {
        let mut out = vec![None; self.windows];
        for (of, step) in self.steps.iter().zip(&self.rows[row].steps) {
            if let Some(slot) = of.window.and_then(|at| out.get_mut(at)) {
                *slot = Some(*step).filter(|s| *s != RowDiff::NONE);
            }
        }
        out
    }
}
