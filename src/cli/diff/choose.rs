//! Which rows of a view are shown: all in key order, or the largest first.

use crate::catalog::{Kind, View};
use crate::diff::{DiffRow, ViewDiff};
use crate::error::{Error, Result};
use rayon::slice::ParallelSliceMut;
use std::cmp::Ordering;

/// The rows to show, by position in the view's rows.
#[derive(Debug)]
pub(super) enum Rows {
    /// All, in key order.
    All(usize),
    /// These, in this order.
    Chosen(Vec<u32>),
}

impl Rows {
    /// How many.
    pub fn len(&self) -> usize {
        match self {
            Self::All(n) => *n,
            Self::Chosen(rows) => rows.len(),
        }
    }

    /// The position of the `at`-th row to show.
    pub fn at(&self, at: usize) -> usize {
        match self {
            Self::All(_) => at,
            Self::Chosen(rows) => rows[at] as usize,
        }
    }
}

/// What `--top` and `--by` ask for.
#[derive(Debug, Default)]
pub(super) struct Order {
    /// How many rows of each view.
    pub top: Option<usize>,
    /// The column that orders them.
    pub by: Option<String>,
}

impl Order {
    /// Fails where no view has the column asked for.
    pub fn check<'a>(&self, views: impl Iterator<Item = &'a ViewDiff> + Clone) -> Result<()> {
        let Some(by) = &self.by else { return Ok(()) };
        if views.clone().any(|v| column(v.view, by).is_some()) {
            return Ok(());
        }
        let names: std::collections::BTreeSet<&str> =
            views.flat_map(|v| v.view.columns.iter().filter(|c| is_orderable(c.kind)).map(|c| c.name)).collect();
        let hint = format!("columns with numbers: {}", names.into_iter().collect::<Vec<_>>().join(", "));
        Err(Error::usage(format!("order by `{by}`: no view shown has such a counter or level"), hint))
    }

    /// The column that orders a view: the one asked for where it has it, else its most telling counter.
    pub fn column(&self, view: &View) -> Option<usize> {
        self.by.as_deref().and_then(|by| column(view, by)).or_else(|| column(view, view.telling))
    }

    /// The rows of a view to show.
    pub fn rows(&self, diff: &ViewDiff) -> Rows {
        let Some(by) = self.column(diff.view).filter(|_| self.top.is_some() || self.by.is_some()) else {
            return Rows::All(diff.rows.len().min(self.top.unwrap_or(usize::MAX)));
        };
        Rows::Chosen(largest(diff, by, self.top.unwrap_or(usize::MAX)))
    }
}

/// Rows ordered by a column's delta (a level's change), largest first, without one last; ties in key order.
pub(super) fn largest(diff: &ViewDiff, by: usize, top: usize) -> Vec<u32> {
    let mut keyed: Vec<(f64, u32)> =
        diff.iter().map(|row| (weight(row, by).unwrap_or(f64::NEG_INFINITY), row.index() as u32)).collect();
    let order = |a: &(f64, u32), b: &(f64, u32)| -> Ordering { b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)) };
    if top < keyed.len() {
        keyed.select_nth_unstable_by(top, order);
        keyed.truncate(top);
    }
    keyed.par_sort_unstable_by(order);
    keyed.into_iter().map(|(_, row)| row).collect()
}

fn weight(row: DiffRow<'_>, column: usize) -> Option<f64> {
    if row.view().columns[column].kind.is_counter() {
        row.delta(column).0.map(crate::diff::Exact::as_f64)
    } else {
        row.change(column).map(crate::diff::Exact::as_f64)
    }
}

const fn is_orderable(kind: Kind) -> bool {
    kind.is_counter() || kind.is_gauge()
}

fn column(view: &View, name: &str) -> Option<usize> {
    view.column(name).filter(|(_, c)| is_orderable(c.kind)).map(|(i, _)| i)
}
