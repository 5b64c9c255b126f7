//! One view subtracted: rows joined by identity, each with its verdict; deltas are computed when asked for.

use super::{Class, Exact};
use crate::catalog::{Kind, Type, View};
use crate::snapshot::{Row, Table, Value};
use crate::time::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;

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
    /// Sentences for the reader.
    pub notes: Vec<String>,
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
    /// The earlier table; `None` where the earlier snapshot lacks the view.
    pub before: Option<Arc<Table>>,
    /// The later table; `None` where the later snapshot lacks the view.
    pub after: Option<Arc<Table>>,
    /// Joined rows, in the order of their keys.
    pub rows: Vec<RowDiff>,
    /// The distinct verdicts.
    pub verdicts: Vec<Verdict>,
    /// Deltas that do not follow from the verdict, by (row, column): sums whose members changed, TOAST pairs.
    /// `None` with a reason is "nothing can be said".
    pub overrides: BTreeMap<(u32, u16), (Option<Exact>, String)>,
    /// Notes on single rows beyond their verdict's: `renamed_from`, `recreated`, `reindexed`.
    pub row_notes: BTreeMap<u32, Vec<String>>,
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
}

impl<'a> DiffRow<'a> {
    /// Its row before.
    pub fn before(self) -> Option<Row<'a>> {
        let at = self.diff.rows[self.index].before;
        (at != RowDiff::NONE).then(|| self.diff.before.as_deref().map(|t| t.row(at as usize))).flatten()
    }

    /// Its row after.
    pub fn after(self) -> Option<Row<'a>> {
        let at = self.diff.rows[self.index].after;
        (at != RowDiff::NONE).then(|| self.diff.after.as_deref().map(|t| t.row(at as usize))).flatten()
    }

    /// The later row, or the earlier one of a row that is gone: for names and keys.
    pub fn latest(self) -> Option<Row<'a>> {
        self.after().or_else(|| self.before())
    }

    /// Its verdict.
    pub fn verdict(self) -> &'a Verdict {
        &self.diff.verdicts[self.diff.rows[self.index].verdict as usize]
    }

    /// Its class.
    pub fn class(self) -> Class {
        self.verdict().class
    }

    /// All notes on the row.
    pub fn notes(self) -> impl Iterator<Item = &'a str> {
        let own = u32::try_from(self.index).ok().and_then(|i| self.diff.row_notes.get(&i));
        self.verdict().notes.iter().chain(own.into_iter().flatten()).map(String::as_str)
    }

    /// The delta of a counter by its position in the view, and why there is none.
    ///
    /// `ok`: B − A. `reset`, `new`: B. `gone`: none. NULL on one side: none. Durations that differ by float noise
    /// below zero are 0.
    pub fn delta(self, column: usize) -> (Option<Exact>, Option<&'a str>) {
        if let (Ok(row), Ok(col)) = (u32::try_from(self.index), u16::try_from(column))
            && let Some((value, reason)) = self.diff.overrides.get(&(row, col))
        {
            return (*value, Some(reason.as_str()));
        }
        let description = &self.diff.view.columns[column];
        let cell = |row: Option<Row<'a>>| row.map_or(Value::Null, |r| r.table().value(r.index(), column));
        let (before, after) = (cell(self.before()), cell(self.after()));
        let verdict = self.verdict();
        let from_zero = match verdict.class {
            Class::Gone => return (None, Some("gone")),
            Class::New => true,
            Class::Reset | Class::ResetUnsure => description.kind != Kind::Sum || verdict.resets_sums,
            Class::Ok | Class::OkUnsure => false,
        };
        let Some(after) = exact(after, description.ty) else {
            return (None, Some(if matches!(before, Value::Null) { "null" } else { "value→null" }));
        };
        if from_zero {
            return (Some(after), None);
        }
        let Some(before) = exact(before, description.ty) else {
            return (None, Some("null→value"));
        };
        match (before, after) {
            (Exact::Int(a), Exact::Int(b)) => (Some(Exact::Int(b - a)), None),
            (a, b) => {
                let (a, b) = (a.as_f64(), b.as_f64());
                (Some(Exact::Float(if b < a && a - b <= 1e-9 * a.abs() { 0.0 } else { b - a })), None)
            }
        }
    }

    /// The delta of a counter by name.
    pub fn delta_of(self, column: &str) -> Option<Exact> {
        self.diff.view.column(column).and_then(|(i, _)| self.delta(i).0)
    }
}

fn exact(value: Value<'_>, _ty: Type) -> Option<Exact> {
    match value {
        Value::Int(n) | Value::Interval(n) => Some(Exact::Int(i128::from(n))),
        Value::Numeric(n) => Some(Exact::Int(n)),
        Value::Float(x) => Some(Exact::Float(x)),
        Value::Time(_) | Value::Null | Value::Bool(_) | Value::Text(_) => None,
    }
}
