//! Which columns of a view the outputs show, in which order.

use crate::catalog::Kind;
use crate::diff::ViewDiff;

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
        let pick = |wanted: &dyn Fn(Kind) -> bool| -> Vec<usize> {
            (0..diff.view.columns.len())
                .filter(|c| wanted(diff.view.columns[*c].kind) && diff.exports(*c) && !diff.key.contains(c))
                .collect()
        };
        Self {
            key: diff.key.clone(),
            labels: pick(&|k| matches!(k, Kind::Id | Kind::Label)),
            counters: pick(&Kind::is_counter),
            gauges: pick(&Kind::is_gauge),
        }
    }
}
