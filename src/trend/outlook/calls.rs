//! Statements over a history.

use super::{place, view};
use crate::diff::Exact;
use crate::diff::moments::Moments;
use crate::time::Timestamp;
use crate::trend::statements::{Load, Regression};
use crate::trend::{Follow, Object};

/// A statement over a history.
#[derive(Clone, Debug)]
pub struct Calls {
    /// Its key, and its text as exported.
    pub key: String,
    /// Its text; the key where there is none.
    pub text: String,
    /// Calls in all windows.
    pub calls: Option<f64>,
    /// Whether that is exact, else a lower bound.
    pub exact: bool,
    /// Calls in a second.
    pub calls_per_s: Option<f64>,
    /// Mean and deviation of the calls, merged exactly from the windows.
    pub moments: Option<Moments>,
    /// Sessions busy with it on average.
    pub sessions: Option<f64>,
    /// Its busiest window.
    pub busiest: Option<Load>,
    /// The window in which it got slower.
    pub regressed: Option<Regression>,
    /// The first snapshot that has it, where that is not the first of all.
    pub first_seen: Option<Timestamp>,
    /// The last snapshot that has it, where that is not the last of all: no longer there, or evicted.
    pub gone_after: Option<Timestamp>,
    /// Whether its entry was reset or evicted and came again.
    pub came_again: bool,
    /// Mean of each window in ms.
    pub means: Vec<(Timestamp, f64)>,
}

pub(super) fn judge(history: &Follow) -> Vec<Calls> {
    let Some(view) = view(history, "pg_stat_statements") else { return Vec::new() };
    let (calls, time) = (place(view, "calls"), place(view, "total_exec_time"));
    let series = |object: &'_ Object, at: Option<usize>| at.and_then(|i| object.series.get(i).cloned());
    let mut out: Vec<Calls> = view
        .list
        .iter()
        .filter_map(|object| {
            let statement = object.statement.as_deref()?;
            let calls = series(object, calls)?;
            let total = calls.total.map(Exact::as_f64);
            if total.is_none_or(|n| n <= 0.0) && !object.created && !object.gone {
                return None;
            }
            Some(Calls {
                key: object.key_text(),
                text: object.name(view.followed.view),
                calls: total,
                exact: calls.exact,
                calls_per_s: calls.per_second(),
                moments: statement.moments,
                sessions: series(object, time).and_then(|s| s.per_second()).map(|ms| ms / 1e3),
                busiest: statement.busiest,
                regressed: statement.regressed,
                first_seen: object.first_seen.filter(|_| object.created),
                gone_after: object.last_seen.filter(|_| object.gone),
                came_again: statement.came_again || object.came_again,
                means: statement.means.iter().collect(),
            })
        })
        .collect();
    let weight = |c: &Calls| c.moments.map_or(0.0, |m| m.total);
    out.sort_by(|a, b| weight(b).total_cmp(&weight(a)).then_with(|| a.key.cmp(&b.key)));
    out
}
