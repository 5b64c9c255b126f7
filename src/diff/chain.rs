//! A history subtracted as a chain of windows: sums of deltas, the worst class, the covered time.
//!
//! A single snapshot is a chain without windows: its "deltas" are the totals since the statistics began, and its
//! covered time is the age of the statistics. Rules and report sections read this and need not know how many
//! snapshots there were.

use super::{Class, Diff, Exact};
use crate::catalog::View;
use crate::snapshot::{Row, Snapshot, Table};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Snapshots of one server in time order, and what changed along them.
#[derive(Clone, Debug)]
pub struct Chain {
    /// The snapshots, oldest first; at least one.
    pub snapshots: Vec<Arc<Snapshot>>,
    /// The windows between neighbours; one fewer than snapshots.
    pub windows: Vec<Diff>,
    /// What changed over all windows, by view.
    pub views: BTreeMap<&'static str, ViewChange>,
    /// Seconds from the first to the last snapshot; `None` for one snapshot or where times are unknown.
    pub elapsed_s: Option<f64>,
}

/// One view's changes over the whole chain.
#[derive(Clone, Debug)]
pub struct ViewChange {
    /// The view.
    pub view: &'static View,
    /// The oldest table of the chain.
    pub first: Option<Arc<Table>>,
    /// The newest table of the chain.
    pub last: Option<Arc<Table>>,
    /// One entry for each object of the chain, in the order of their keys.
    pub rows: Vec<ChangeRow>,
    /// Sums of deltas by column position, then by row; `None` for columns that are no counters or were not exported.
    pub deltas: Vec<Option<Vec<Option<Exact>>>>,
}

/// An object of a [`ViewChange`].
#[derive(Clone, Debug)]
pub struct ChangeRow {
    /// Row in the first snapshot of the chain.
    pub first: Option<u32>,
    /// Row in the last snapshot of the chain; `None`: gone by then.
    pub last: Option<u32>,
    /// The worst class of its windows; `new` where it was created inside and nothing worse happened.
    pub class: Class,
    /// Seconds its deltas cover; `None` unknown.
    pub covered_s: Option<f64>,
    /// Whether the deltas are exact (else lower bounds).
    pub exact: bool,
    /// Row of this object in each window's [`super::ViewDiff::rows`], oldest window first.
    pub windows: Vec<Option<u32>>,
    /// Sentences for the reader.
    pub notes: Vec<String>,
}

/// A handle on one object's change.
#[derive(Clone, Copy, Debug)]
pub struct Change<'a> {
    view: &'a ViewChange,
    index: usize,
}

impl Chain {
    /// The newest snapshot, "B".
    pub fn last(&self) -> &Arc<Snapshot> {
        &self.snapshots[self.snapshots.len() - 1]
    }

    /// The oldest snapshot, "A".
    pub fn first(&self) -> &Arc<Snapshot> {
        &self.snapshots[0]
    }

    /// Whether there is only one snapshot: values are totals since the statistics began.
    pub fn is_single(&self) -> bool {
        self.snapshots.len() == 1
    }

    /// A view's changes.
    pub fn view(&self, name: &str) -> Option<&ViewChange> {
        self.views.get(name)
    }
}

impl ViewChange {
    /// All objects in key order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Change<'_>> {
        (0..self.rows.len()).map(|index| Change { view: self, index })
    }

    /// The objects that still exist in the last snapshot.
    pub fn present(&self) -> impl Iterator<Item = Change<'_>> {
        self.iter().filter(|c| c.last().is_some())
    }

    /// Sum of a counter's deltas over all objects; objects without a delta count as 0.
    pub fn total(&self, column: &str) -> f64 {
        self.iter().filter_map(|c| c.delta(column)).sum()
    }
}

impl<'a> Change<'a> {
    /// Position in [`ViewChange::rows`].
    pub const fn index(self) -> usize {
        self.index
    }

    fn entry(self) -> &'a ChangeRow {
        &self.view.rows[self.index]
    }

    /// The view.
    pub const fn view(self) -> &'a ViewChange {
        self.view
    }

    /// Its row in the first snapshot.
    pub fn first(self) -> Option<Row<'a>> {
        self.entry().first.and_then(|i| self.view.first.as_deref().map(|t| t.row(i as usize)))
    }

    /// Its row in the last snapshot.
    pub fn last(self) -> Option<Row<'a>> {
        self.entry().last.and_then(|i| self.view.last.as_deref().map(|t| t.row(i as usize)))
    }

    /// Its newest row: of the last snapshot, else of the first.
    pub fn latest(self) -> Option<Row<'a>> {
        self.last().or_else(|| self.first())
    }

    /// The worst class of its windows.
    pub fn class(self) -> Class {
        self.entry().class
    }

    /// Seconds its deltas cover.
    pub fn covered_s(self) -> Option<f64> {
        self.entry().covered_s
    }

    /// Whether its deltas are exact, else they are lower bounds.
    pub fn is_exact(self) -> bool {
        self.entry().exact
    }

    /// Notes on it.
    pub fn notes(self) -> &'a [String] {
        &self.entry().notes
    }

    /// The exact sum of a counter's deltas.
    pub fn delta_exact(self, column: &str) -> Option<Exact> {
        let (i, _) = self.view.view.column(column)?;
        *self.view.deltas.get(i)?.as_ref()?.get(self.index)?
    }

    /// The sum of a counter's deltas, for ratios.
    pub fn delta(self, column: &str) -> Option<f64> {
        self.delta_exact(column).map(Exact::as_f64)
    }

    /// The sum of a counter's deltas with its catalog unit.
    pub fn delta_quantity(self, column: &str) -> Option<crate::unit::Quantity> {
        let (_, description) = self.view.view.column(column)?;
        self.delta_exact(column).map(|d| crate::unit::Quantity { value: d.number(), unit: description.unit })
    }

    /// Delta per second of covered time; `None` where the covered time is unknown or under 10 s.
    pub fn rate(self, column: &str) -> Option<f64> {
        let covered = self.covered_s().filter(|s| *s >= 10.0)?;
        self.delta(column).map(|d| d / covered)
    }

    /// The row's position in each window's rows.
    pub fn windows(self) -> &'a [Option<u32>] {
        &self.entry().windows
    }
}
