//! One view subtracted: rows joined by identity, each with its verdict; deltas are computed when asked for.

use super::{Chain, Change, Class, Diff, Exact};
use crate::catalog::{Kind, View};
use crate::ingest::pairing::Rest;
use crate::snapshot::{Row, Table, Value};
use crate::time::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Why a counter has no delta: it is NULL on both sides.
pub const NO_VALUE: &str = "no value";
/// Why a counter has no delta: it became NULL.
pub const NO_LONGER_A_VALUE: &str = "value→null";
/// Why a counter has no delta: it was NULL.
pub const NOW_A_VALUE: &str = "null→value";
/// Why a counter has no delta: it is smaller than it was, and nothing says why.
pub(super) const FELL: &str = "fell";

/// What was decided about a row's entry; many rows share one.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// The class.
    pub class: Class,
    /// Seconds the deltas cover; `None` is unknown, then there is no rate.
    pub covered_s: Option<f64>,
    /// When the counters started again, where known.
    pub reset_at: Option<Timestamp>,
    /// For class `reset`: whether sums over members (`Kind::Sum`) and TOAST counters started again too
    /// (database-wide resets and crashes do that, a single-object reset does not).
    pub resets_sums: bool,
    /// Whether the deltas are exact, else they are lower bounds.
    pub exact: bool,
    /// Why there are no deltas although both rows are there: another server, a filtered export.
    pub withheld: Option<&'static str>,
    /// Sentences for the reader.
    pub notes: Vec<String>,
}

impl Verdict {
    /// A verdict without notes: exact where the class is.
    pub const fn of(class: Class, covered_s: Option<f64>) -> Self {
        Self {
            class,
            covered_s,
            reset_at: None,
            resets_sums: false,
            exact: class.is_exact(),
            withheld: None,
            notes: Vec::new(),
        }
    }
}

/// A joined row: its places in the two tables and its verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowDiff {
    /// Row in the earlier table, or [`RowDiff::NONE`].
    pub before: u32,
    /// Row in the later table, or [`RowDiff::NONE`].
    pub after: u32,
    /// Position in [`ViewDiff::verdicts`].
    pub verdict: u32,
}

impl RowDiff {
    /// No such row on that side.
    pub const NONE: u32 = u32::MAX;
}

/// One view subtracted.
#[derive(Clone, Debug)]
pub struct ViewDiff {
    /// The view.
    pub view: &'static View,
    /// The earlier table; `None` where the earlier snapshot lacks the view (then there are no rows).
    pub before: Option<Arc<Table>>,
    /// The later table; `None` where the later snapshot lacks the view (then there are no rows).
    pub after: Option<Arc<Table>>,
    /// Positions of the columns that identify a row: the view's key, or its fallback.
    pub key: Vec<usize>,
    /// Joined rows, in the order of their keys.
    pub rows: Vec<RowDiff>,
    /// The distinct verdicts.
    pub verdicts: Vec<Verdict>,
    /// Deltas that do not follow from the verdict, by (row, column): sums whose members changed, TOAST pairs.
    /// `None` with a reason is "nothing can be said", a number with a reason is a lower bound.
    pub overrides: BTreeMap<(u32, u16), (Option<Exact>, String)>,
    /// Notes on single rows beyond their verdict's: `renamed_from`, `recreated`, `reindexed`.
    pub row_notes: BTreeMap<u32, Vec<String>>,
    /// Columns whose numbers are wrong in the versions of these snapshots, by position, with the reason.
    pub untrusted: Vec<(usize, &'static str)>,
    /// Rows that went on and are not among `rows`, where not all were asked for.
    pub rest: Rest,
}

/// A row of a [`ViewDiff`].
#[derive(Clone, Copy, Debug)]
pub struct DiffRow<'a> {
    diff: &'a ViewDiff,
    index: usize,
}

impl ViewDiff {
    /// A row by position.
    pub const fn row(&self, index: usize) -> DiffRow<'_> {
        DiffRow { diff: self, index }
    }

    /// All rows in key order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = DiffRow<'_>> {
        (0..self.rows.len()).map(|index| DiffRow { diff: self, index })
    }

    /// Whether one of the tables exports a column, by its position.
    pub fn exports(&self, column: usize) -> bool {
        let has =
            |t: &Option<Arc<Table>>| t.as_ref().is_some_and(|t| t.columns.get(column).is_some_and(Option::is_some));
        has(&self.before) || has(&self.after)
    }
}

impl<'a> DiffRow<'a> {
    /// Its position in [`ViewDiff::rows`].
    pub const fn index(self) -> usize {
        self.index
    }

    /// Its view.
    pub const fn view(self) -> &'static View {
        self.diff.view
    }

    /// Positions of the columns that identify it.
    pub fn key(self) -> &'a [usize] {
        &self.diff.key
    }

    /// A column's name by its position in the view.
    pub fn column(self, column: usize) -> &'static str {
        self.diff.view.columns.get(column).map_or("", |c| c.name)
    }

    fn entry(self) -> RowDiff {
        self.diff.rows[self.index]
    }

    /// Its row before.
    pub fn before(self) -> Option<Row<'a>> {
        let at = self.entry().before;
        (at != RowDiff::NONE).then(|| self.diff.before.as_deref().map(|t| t.row(at as usize))).flatten()
    }

    /// Its row after.
    pub fn after(self) -> Option<Row<'a>> {
        let at = self.entry().after;
        (at != RowDiff::NONE).then(|| self.diff.after.as_deref().map(|t| t.row(at as usize))).flatten()
    }

    /// The later row, or the earlier one of a row that is gone: for names and keys.
    pub fn latest(self) -> Option<Row<'a>> {
        self.after().or_else(|| self.before())
    }

    /// A cell before, by the column's position in the view.
    pub fn value_before(self, column: usize) -> Value<'a> {
        self.before().map_or(Value::Null, |r| r.table().value(r.index(), column))
    }

    /// A cell after, by the column's position in the view.
    pub fn value_after(self, column: usize) -> Value<'a> {
        self.after().map_or(Value::Null, |r| r.table().value(r.index(), column))
    }

    /// Its verdict.
    pub fn verdict(self) -> &'a Verdict {
        &self.diff.verdicts[self.entry().verdict as usize]
    }

    /// Its class.
    pub fn class(self) -> Class {
        self.verdict().class
    }

    /// Whether all its deltas are exact; else some are lower bounds or unknown.
    pub fn is_exact(self) -> bool {
        self.verdict().exact && self.verdict().class != Class::Gone && self.overrides().next().is_none()
    }

    /// Whether its deltas are all of the time they cover: exact, or counted since a reset.
    pub fn is_whole(self) -> bool {
        let verdict = self.verdict();
        self.is_exact() || verdict.class.began_again() || verdict.reset_at.is_some()
    }

    /// All notes on the row.
    pub fn notes(self) -> impl Iterator<Item = &'a str> {
        let own = u32::try_from(self.index).ok().and_then(|i| self.diff.row_notes.get(&i));
        self.verdict().notes.iter().chain(own.into_iter().flatten()).map(String::as_str)
    }

    /// Deltas of this row that do not follow from its verdict: column position, delta, reason.
    pub fn overrides(self) -> impl Iterator<Item = (usize, Option<Exact>, &'a str)> {
        let row = u32::try_from(self.index).unwrap_or(u32::MAX);
        self.diff
            .overrides
            .range((row, 0)..=(row, u16::MAX))
            .map(|((_, column), (value, reason))| (usize::from(*column), *value, reason.as_str()))
    }

    /// The delta of a counter by its position in the view, and why there is none (or why it is a lower bound although
    /// the row's class says otherwise).
    ///
    /// `ok`: B − A. `reset`, `new`: B. `gone`: none. NULL on one side: none. Durations that differ by float noise
    /// below zero are 0.
    pub fn delta(self, column: usize) -> (Option<Exact>, Option<&'a str>) {
        if !self.diff.overrides.is_empty()
            && let (Ok(row), Ok(col)) = (u32::try_from(self.index), u16::try_from(column))
            && let Some((value, reason)) = self.diff.overrides.get(&(row, col))
        {
            return (*value, Some(reason.as_str()));
        }
        let Some(description) = self.diff.view.columns.get(column) else {
            return (None, Some("no such column"));
        };
        let verdict = self.verdict();
        if let Some(why) = verdict.withheld {
            return (None, Some(why));
        }
        if let Some((_, why)) = self.diff.untrusted.iter().find(|(c, _)| *c == column) {
            return (None, Some(*why));
        }
        let from_zero = match verdict.class {
            Class::Gone => return (None, Some("gone")),
            Class::New => true,
            Class::Reset | Class::ResetUnsure => description.kind != Kind::Sum || verdict.resets_sums,
            Class::Ok | Class::OkUnsure => false,
        };
        let (before, after) = (self.value_before(column), self.value_after(column));
        let Some(after) = Exact::of(after) else {
            return (None, Some(if matches!(before, Value::Null) { NO_VALUE } else { NO_LONGER_A_VALUE }));
        };
        if from_zero {
            return (Some(after), None);
        }
        let Some(before) = Exact::of(before) else {
            return (None, Some(NOW_A_VALUE));
        };
        let delta = after.since(before);
        if delta.is_negative() { (None, Some(FELL)) } else { (Some(delta), None) }
    }

    /// The delta of a counter by name.
    pub fn delta_of(self, column: &str) -> Option<Exact> {
        self.diff.view.column(column).and_then(|(i, _)| self.delta(i).0)
    }

    /// The delta per second of covered time; `None` where that is unknown or under [`super::MIN_WINDOW_S`].
    pub fn per_second(self, column: usize) -> Option<f64> {
        super::rate::per_second(self.delta(column).0?, self.verdict().covered_s)
    }

    /// B − A of a gauge, signed; `None` where one side is missing.
    pub fn change(self, column: usize) -> Option<Exact> {
        Some(Exact::of(self.value_after(column))?.since(Exact::of(self.value_before(column))?))
    }
}

impl Chain {
    /// An object's row in each window, oldest first.
    pub fn windows_of<'a>(&'a self, change: Change<'_>) -> Vec<Option<DiffRow<'a>>> {
        let view = change.view().view.name;
        let row = |(diff, at): (&'a Diff, Option<u32>)| {
            let (view, at) = (diff.views.get(view)?, at? as usize);
            (at < view.rows.len()).then(|| view.row(at))
        };
        self.windows.iter().zip(change.windows()).map(row).collect()
    }
}
