//! Which objects are shown, in which order.

use crate::trend::{Measure, Object, Objects, Series};

/// The order of a view's objects.
#[derive(Clone, Copy, Debug)]
pub(super) struct Order {
    /// Only so many, those that moved most first.
    pub top: Option<usize>,
}

impl Order {
    /// The objects of a view for one of its columns: all in key order, or those that moved most.
    pub(super) fn objects<'a>(&self, view: &'a Objects, column: usize) -> Vec<&'a Object> {
        let mut all: Vec<&Object> = view.list.iter().collect();
        all.sort_by(|a, b| a.key.cmp(&b.key));
        if let Some(top) = self.top {
            all.sort_by(|a, b| weight(b, column).total_cmp(&weight(a, column)));
            all.truncate(top);
        }
        all
    }

    /// The objects of a view for all its columns: those shown for any of them, in key order.
    pub(super) fn of_any<'a>(&self, view: &'a Objects) -> Vec<&'a Object> {
        let mut all: Vec<&Object> =
            (0..view.followed.columns.len()).flat_map(|column| self.objects(view, column)).collect();
        all.sort_by(|a, b| a.key.cmp(&b.key));
        all.dedup_by(|a, b| std::ptr::eq(*a, *b));
        all
    }
}

fn weight(object: &Object, column: usize) -> f64 {
    object.series.get(column).map_or(0.0, moved)
}

/// How far a series moved: a counter's total, the largest difference between a level's values.
pub(super) fn moved(series: &Series) -> f64 {
    match series.measure {
        Measure::Rate => series.total.map_or(0.0, crate::diff::Exact::as_f64),
        Measure::Level => series.max.zip(series.min).map_or(0.0, |(high, low)| high - low),
    }
}
