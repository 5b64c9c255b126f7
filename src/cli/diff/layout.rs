//! Which columns of a view the outputs show, in which order.

use crate::catalog::{Kind, View};
use crate::diff::ViewDiff;
use crate::ingest::pairing::Keep;

/// The columns of one view's output, as positions in the view.
#[derive(Debug)]
pub(super) struct Layout {
    /// What identifies a row.
    pub key: Vec<usize>,
    /// What describes it.
    pub labels: Vec<usize>,
    /// What was counted.
    pub counters: Vec<usize>,
    /// Levels.
    pub gauges: Vec<usize>,
}

impl Layout {
    /// The layout of a subtracted view: what either side exported, in the catalog's order.
    pub fn of(diff: &ViewDiff) -> Self {
        Self::new(diff.view, diff.key.clone(), |column| diff.exports(column))
    }

    fn new(view: &View, key: Vec<usize>, exports: impl Fn(usize) -> bool) -> Self {
        let pick = |wanted: &dyn Fn(Kind) -> bool| -> Vec<usize> {
            let columns = view.columns.iter().enumerate().filter(|(_, column)| wanted(column.kind));
            columns.map(|(at, _)| at).filter(|at| exports(*at) && !key.contains(at)).collect()
        };
        Self {
            labels: pick(&|k| matches!(k, Kind::Id | Kind::Label)),
            counters: pick(&Kind::is_counter),
            gauges: pick(&Kind::is_gauge),
            key,
        }
    }

    /// What has to be kept of a view's rows to show all of them, in the order they are shown.
    pub fn keep(view: &View) -> Keep {
        let key = view.key.iter().filter_map(|name| Some(view.column(name)?.0)).collect();
        let Self { key, labels, counters, gauges } = Self::new(view, key, |_| true);
        Keep { names: [key, labels].concat(), numbers: [counters, gauges].concat() }
    }
}
