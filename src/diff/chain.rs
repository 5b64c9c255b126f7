//! A history subtracted as a chain of windows: sums of deltas, the worst class, the covered time.
//!
//! A single snapshot is a chain without windows: its "deltas" are the totals since the statistics began, and its
//! covered time is the age of the statistics. Rules and report sections read this and need not know how many
//! snapshots there were.

use super::fold::{self, Step, Sums};
use super::moments::{Maximum, Moments};
use super::totals::{self, Totals};
use super::{Class, Diff, Exact, Options, Phase, RowDiff, ViewDiff, order, rate, subtract};
use crate::catalog::{self, View};
use crate::error::{Error, Result};
use crate::meta::Notes;
use crate::snapshot::{Row, Snapshot, Table};
use crate::time::Timestamp;
use crate::unit::Quantity;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
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
    /// Warnings about the chain as a whole (`W-ORDER`, `W-DUP`); those of a window are with the window.
    pub notes: Notes,
    /// Every snapshot of the history, those that were added up and let go included, in time order.
    pub all: Vec<Glance>,
    /// The position of each of [`Chain::snapshots`] among all.
    pub positions: Vec<usize>,
}

/// What is known of a snapshot of a history, whether its rows are kept or not.
#[derive(Clone, Debug, PartialEq)]
pub struct Glance {
    /// The name the user knows it by.
    pub label: String,
    /// When it was taken.
    pub taken_at: Option<Timestamp>,
    /// Files it was read from.
    pub files: usize,
    /// Notes on its data.
    pub notes: u64,
    /// SHA-256 over the hashes of its files.
    pub digest: [u8; 32],
    /// Whether its rows are kept: it is one of [`Chain::snapshots`].
    pub kept: bool,
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
    pub(super) source: Source,
}

/// Where a view's changes come from. One window is not copied: its deltas are computed when asked for.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// One snapshot.
    Totals(Totals),
    /// One window.
    Window(Arc<ViewDiff>),
    /// Several windows.
    Sums(Sums),
}

/// A handle on one object's change.
#[derive(Clone, Copy, Debug)]
pub struct Change<'a> {
    view: &'a ViewChange,
    index: usize,
}

/// Forms a history of snapshots and adds up its windows: sorted by the server's time, duplicates dropped.
///
/// # Errors
/// [`Error::Identity`] where neighbours are not of one server whose time moved forward; [`Error::Input`] without any
/// snapshot.
pub fn chain(mut snapshots: Vec<Arc<Snapshot>>, options: &Options) -> Result<Chain> {
    let mut notes = Notes::default();
    order::sort(&mut snapshots, &mut notes);
    order::drop_duplicates(&mut snapshots, &mut notes)?;
    order::of_one_database(&mut snapshots);
    let windows = snapshots
        .windows(2)
        .map(|pair| super::window(Arc::clone(&pair[0]), Arc::clone(&pair[1]), options, Notes::default()))
        .collect::<Result<Vec<_>>>()?;
    let all = snapshots.iter().map(|s| Glance::of(s)).collect();
    let positions = (0..snapshots.len()).collect();
    assemble(snapshots, windows, (all, positions), notes, options)
}

/// A chain of snapshots in order and the windows between them.
pub(super) fn assemble(
    snapshots: Vec<Arc<Snapshot>>,
    windows: Vec<Diff>,
    (all, positions): (Vec<Glance>, Vec<usize>),
    notes: Notes,
    options: &Options,
) -> Result<Chain> {
    let (Some(first), Some(last)) = (snapshots.first(), snapshots.last()) else {
        return Err(Error::input("find a snapshot"));
    };
    let elapsed_s = (snapshots.len() > 1)
        .then(|| first.meta.taken_at.zip(last.meta.taken_at).map(|(a, b)| b.seconds_since(a)))
        .flatten();
    let elapsed_s = elapsed_s.filter(|_| windows.iter().all(|w| w.elapsed_s.is_some()));
    let views = changes(&snapshots, &windows, options)?;
    Ok(Chain { snapshots, windows, views, elapsed_s, notes, all, positions })
}

/// The change of every view that any snapshot carries.
fn changes(
    snapshots: &[Arc<Snapshot>],
    windows: &[Diff],
    options: &Options,
) -> Result<BTreeMap<&'static str, ViewChange>> {
    let mut out = BTreeMap::new();
    // That neighbours belong together was settled; what they withhold is withheld here, too.
    let options = &Options { allow_different_servers: true, ..options.clone() };
    // Windows over snapshots that lack a view, each subtracted once whatever the number of views that need it.
    let mut bridges: BTreeMap<(usize, usize), Diff> = BTreeMap::new();
    for view in catalog::VIEWS.iter().copied().filter(|v| subtract::is_subtracted(v)) {
        let carriers: Vec<usize> = (0..snapshots.len()).filter(|i| snapshots[*i].table(view.name).is_some()).collect();
        let Some(last) = carriers.last() else { continue };
        let mut steps = Vec::new();
        for pair in carriers.windows(2) {
            let (i, j) = (pair[0], pair[1]);
            if j == i + 1 {
                steps.extend(step(view, Some(i), &windows[i]));
                continue;
            }
            let bridge = match bridges.entry((i, j)) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(empty) => {
                    let (a, b) = (Arc::clone(&snapshots[i]), Arc::clone(&snapshots[j]));
                    empty.insert(super::window(a, b, options, Notes::default())?)
                }
            };
            steps.extend(step(view, None, bridge));
        }
        let newest = &snapshots[*last];
        let source = match steps.as_slice() {
            [] => Source::Totals(totals::of(view, newest, options, snapshots.len() == 1)),
            [only] if windows.len() <= 1 => Source::Window(Arc::clone(&only.diff)),
            _ => Source::Sums(fold::fold(view, &steps, windows.len())),
        };
        let (first, last) = match &source {
            Source::Window(d) => (d.before.clone(), d.after.clone()),
            Source::Sums(s) => (s.first_table(), s.last_table()),
            // The rows of one table, which others may lack or be of another database.
            Source::Totals(t) => (t.table.clone(), t.table.clone()),
        };
        out.insert(view.name, ViewChange { view, first, last, source });
    }
    Ok(out)
}

fn step(view: &View, window: Option<usize>, diff: &Diff) -> Option<Step> {
    let elapsed_s = diff.elapsed_s;
    diff.views.get(view.name).map(|d| Step { window, diff: Arc::clone(d), elapsed_s })
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

    /// How many snapshots the history has, kept or not.
    pub fn count(&self) -> usize {
        self.all.len()
    }

    /// The snapshots that were added up and let go.
    pub fn let_go(&self) -> usize {
        self.all.len().saturating_sub(self.snapshots.len())
    }

    /// A view's changes.
    pub fn view(&self, name: &str) -> Option<&ViewChange> {
        self.views.get(name)
    }
}

impl ViewChange {
    /// Number of objects.
    pub fn len(&self) -> usize {
        match &self.source {
            Source::Totals(t) => t.rows.len(),
            Source::Window(d) => d.rows.len(),
            Source::Sums(s) => s.rows.len(),
        }
    }

    /// Whether there is no object.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All objects in key order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Change<'_>> {
        (0..self.len()).map(|index| Change { view: self, index })
    }

    /// An object by its position in key order.
    pub fn get(&self, index: usize) -> Option<Change<'_>> {
        (index < self.len()).then_some(Change { view: self, index })
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

fn place(row: u32) -> Option<usize> {
    (row != RowDiff::NONE).then_some(row as usize)
}

impl<'a> Change<'a> {
    /// Position in key order.
    pub const fn index(self) -> usize {
        self.index
    }

    /// The view.
    pub const fn view(self) -> &'a ViewChange {
        self.view
    }

    /// Its row in the first snapshot.
    pub fn first(self) -> Option<Row<'a>> {
        let row = match &self.view.source {
            Source::Totals(t) => t.rows[self.index].row,
            Source::Window(d) => d.rows[self.index].before,
            Source::Sums(s) => s.rows[self.index].first,
        };
        place(row).and_then(|i| self.view.first.as_deref().map(|t| t.row(i)))
    }

    /// Its row in the last snapshot.
    pub fn last(self) -> Option<Row<'a>> {
        let row = match &self.view.source {
            Source::Totals(t) => t.rows[self.index].row,
            Source::Window(d) => d.rows[self.index].after,
            Source::Sums(s) => s.rows[self.index].last,
        };
        place(row).and_then(|i| self.view.last.as_deref().map(|t| t.row(i)))
    }

    /// Its newest row, of whatever snapshot had it last.
    pub fn latest(self) -> Option<Row<'a>> {
        match &self.view.source {
            Source::Sums(s) => s.latest(self.index),
            _ => self.last().or_else(|| self.first()),
        }
    }

    /// The worst class of its windows; `new` where it was created inside and nothing worse happened.
    pub fn class(self) -> Class {
        match &self.view.source {
            Source::Totals(_) => Class::Ok,
            Source::Window(d) => d.row(self.index).class(),
            Source::Sums(s) => s.rows[self.index].class,
        }
    }

    /// Seconds its deltas cover; `None` unknown.
    pub fn covered_s(self) -> Option<f64> {
        match &self.view.source {
            Source::Totals(t) => t.rows[self.index].covered_s,
            Source::Window(d) => d.row(self.index).verdict().covered_s,
            Source::Sums(s) => s.rows[self.index].covered_s,
        }
    }

    /// Whether its deltas are exact, else they are lower bounds.
    pub fn is_exact(self) -> bool {
        match &self.view.source {
            Source::Totals(_) => true,
            Source::Window(d) => d.row(self.index).is_exact(),
            Source::Sums(s) => s.rows[self.index].exact,
        }
    }

    /// Whether all that happened in the time its deltas cover is in them: a reset takes its time along with the counts.
    pub fn is_whole(self) -> bool {
        match &self.view.source {
            Source::Totals(_) => true,
            Source::Window(d) => d.row(self.index).is_whole(),
            Source::Sums(s) => s.rows[self.index].whole,
        }
    }

    /// Sentences on it for the reader.
    pub fn notes(self) -> Vec<&'a str> {
        match &self.view.source {
            Source::Totals(t) => t.notes.iter().map(String::as_str).collect(),
            Source::Window(d) => d.row(self.index).notes().collect(),
            Source::Sums(s) => s.rows[self.index].notes.iter().map(String::as_str).collect(),
        }
    }

    /// The exact sum of a counter's deltas.
    pub fn delta_exact(self, column: &str) -> Option<Exact> {
        let (column, description) = self.view.view.column(column)?;
        if !description.kind.is_counter() {
            return None;
        }
        match &self.view.source {
            Source::Totals(t) if t.withheld || t.untrusted.contains(&column) => None,
            Source::Totals(_) => self.last().and_then(|r| Exact::of(r.table().value(r.index(), column))),
            Source::Window(d) => d.row(self.index).delta(column).0,
            Source::Sums(s) => s.delta(self.index, column),
        }
    }

    /// The sum of a counter's deltas, for ratios.
    pub fn delta(self, column: &str) -> Option<f64> {
        self.delta_exact(column).map(Exact::as_f64)
    }

    /// The sum of a counter's deltas with its catalog unit.
    pub fn delta_quantity(self, column: &str) -> Option<Quantity> {
        let (_, description) = self.view.view.column(column)?;
        self.delta_exact(column).map(|d| Quantity { value: d.number(), unit: description.unit })
    }

    /// Delta per second of covered time; `None` where the covered time is unknown or under 10 s.
    pub fn rate(self, column: &str) -> Option<f64> {
        rate::per_second(self.delta_exact(column)?, self.covered_s())
    }

    /// The row's position in the rows of each of [`Chain::windows`].
    pub fn windows(self) -> Vec<Option<u32>> {
        match &self.view.source {
            Source::Totals(_) => Vec::new(),
            Source::Window(_) => vec![u32::try_from(self.index).ok()],
            Source::Sums(s) => s.windows(self.index),
        }
    }

    /// Mean and deviation of a statement's calls (or plans) over the chain.
    pub fn moments(self, phase: Phase) -> Option<Moments> {
        match &self.view.source {
            Source::Totals(t) if t.withheld => None,
            Source::Totals(_) => Moments::since_start(phase.cumulative(self.last()?)?),
            Source::Window(d) => d.row(self.index).moments(phase),
            Source::Sums(s) => {
                let parts: Vec<Moments> = s.steps(self.index).filter_map(|r| r.moments(phase)).collect();
                Moments::merge(parts.iter().copied())
            }
        }
    }

    /// The longest call (or planning) over the chain, as far as the marks tell.
    pub fn maximum(self, phase: Phase) -> Option<Maximum> {
        match &self.view.source {
            Source::Totals(t) if t.withheld => None,
            Source::Totals(_) => phase.marks(self.last()?).map(|(_, max)| Maximum::Exactly(max)),
            Source::Window(d) => d.row(self.index).maximum(phase),
            Source::Sums(s) => s.steps(self.index).filter_map(|r| r.maximum(phase)).reduce(Maximum::and),
        }
    }
}
