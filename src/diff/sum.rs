//! A column added up over all rows of a view.

use super::{Exact, Lane, ViewDiff, wide};
use crate::ingest::pairing::Amount;

impl ViewDiff {
    /// Rows of the view, those left out included.
    pub const fn count(&self) -> usize {
        self.rows.len() + self.rest.rows
    }

    /// The sum of a counter's deltas or a level's changes, by its position in the view; a lower bound where a delta is.
    /// `None` where no row has one.
    pub fn sum(&self, column: usize) -> Option<Exact> {
        let counter = self.view.columns.get(column)?.kind.is_counter();
        let lane = Lane::of(self, column);
        let rows = |rows: std::ops::Range<usize>| -> Vec<Exact> {
            let mut lane = lane.clone();
            let one = |at: usize| {
                if let (Some(lane), Some(row)) = (&mut lane, self.rows.get(at)) {
                    let (cells, verdict) = (lane.cells(*row), self.row(at).verdict());
                    let simple = if counter {
                        Lane::difference(verdict, cells).map(i128::from)
                    } else {
                        Lane::change(cells).map(i128::from)
                    };
                    if let Some(n) = simple {
                        return Some(Exact::Int(n));
                    }
                }
                if counter { self.row(at).delta(column).0 } else { self.row(at).change(column) }
            };
            rows.filter_map(one).reduce(Exact::plus).into_iter().collect()
        };
        let own = wide::collect(self.rows.len(), rows).into_iter();
        let rest = self.rest.sums.iter().filter(|(c, _)| *c == column).map(|(_, amount)| match *amount {
            Amount::Whole(n) => Exact::Int(n),
            Amount::Duration(s) => Exact::Float(s),
        });
        own.chain(rest).reduce(Exact::plus)
    }
}
