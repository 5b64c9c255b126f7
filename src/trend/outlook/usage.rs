//! What is scanned, how often, and what began or stopped being scanned.

use super::{place, present, view};
use crate::diff::{Exact, MIN_WINDOW_S};
use crate::time::Timestamp;
use crate::trend::scans::{News, news};
use crate::trend::{Change, Follow, Object, Objects, Series, Summary};

const DAY_S: f64 = 86_400.0;

/// A counter of scans that began or stopped to move, or moves at another pace.
#[derive(Clone, Debug)]
pub struct Changed {
    /// `pg_stat_user_tables` or `pg_stat_user_indexes`.
    pub view: &'static str,
    /// The table or index.
    pub object: String,
    /// The counter.
    pub column: &'static str,
    /// Whether it began or stopped, and in which window.
    pub news: Option<(News, (Timestamp, Timestamp))>,
    /// Where its pace changed.
    pub change: Option<Change>,
    /// Scans in a second while it was in use.
    pub per_s: f64,
    /// Scans in all.
    pub scans: f64,
}

/// Scans of a table.
#[derive(Clone, Debug)]
pub struct Scans {
    /// The table.
    pub table: String,
    /// Sequential scans started.
    pub sequential: Option<f64>,
    /// In a day.
    pub sequential_per_day: Option<f64>,
    /// Rows they returned, as multiples of the table's live rows, in a day.
    pub passes_per_day: Option<f64>,
    /// The same in the whole history.
    pub passes: Option<f64>,
    /// Index scans started, in a day.
    pub index_per_day: Option<f64>,
    /// In the whole history.
    pub index: Option<f64>,
    /// Seconds this covers.
    pub covered_s: f64,
}

/// Counters of scans with news, tables first.
pub(super) fn changed(history: &Follow) -> Vec<Changed> {
    let mut out = Vec::new();
    for (name, column) in
        [("pg_stat_user_tables", "seq_scan"), ("pg_stat_user_tables", "idx_scan"), ("pg_stat_user_indexes", "idx_scan")]
    {
        let Some((view, at)) = view(history, name).and_then(|v| Some((v, place(v, column)?))) else { continue };
        for object in present(view) {
            let Some(series) = object.series.get(at) else { continue };
            // A reset hides what was before it.
            let found = news(&series.activity);
            let change = Summary::of(series).change.filter(|_| found.is_none());
            if found.is_some() || change.is_some() {
                out.push(Changed {
                    view: name,
                    object: object.name(view.followed.view),
                    column,
                    news: found,
                    change,
                    per_s: series.activity.gained / series.activity.active_s,
                    scans: series.activity.gained,
                });
            }
        }
    }
    out
}

/// Scans of every table that has any.
pub(super) fn scans(history: &Follow) -> Vec<Scans> {
    let Some(view) = view(history, "pg_stat_user_tables") else { return Vec::new() };
    let mut out: Vec<Scans> = present(view)
        .into_iter()
        .filter_map(|object| {
            let sequential = per_day(view, object, "seq_scan");
            let index = per_day(view, object, "idx_scan");
            let rows = per_day(view, object, "seq_tup_read");
            let live = series(view, object, "n_live_tup").and_then(Series::last).map(|p| p.1).filter(|l| *l > 0.0);
            let total = |column| series(view, object, column).and_then(|s| s.total).map(Exact::as_f64);
            // A scan reads the table once at most: where rows went since (TRUNCATE), those read make more passes than scans.
            let passes = |read: Option<f64>, scans: Option<f64>| {
                read.zip(live).map(|(r, l)| (r / l).min(scans.unwrap_or(f64::INFINITY)))
            };
            let any = [sequential, index].into_iter().flatten().any(|x| x > 0.0);
            any.then(|| Scans {
                table: object.name(view.followed.view),
                sequential: total("seq_scan"),
                sequential_per_day: sequential,
                passes_per_day: passes(rows, sequential),
                passes: passes(total("seq_tup_read"), total("seq_scan")),
                index_per_day: index,
                index: total("idx_scan"),
                covered_s: series(view, object, "seq_scan").map_or(0.0, |s| s.covered_s),
            })
        })
        .collect();
    let weight = |s: &Scans| s.sequential.unwrap_or(0.0);
    out.sort_by(|a, b| weight(b).total_cmp(&weight(a)).then_with(|| a.table.cmp(&b.table)));
    out
}

fn series<'a>(view: &Objects, object: &'a Object, column: &str) -> Option<&'a Series> {
    object.series.get(place(view, column)?)
}

fn per_day(view: &Objects, object: &Object, column: &str) -> Option<f64> {
    let series = series(view, object, column)?;
    (series.covered_s >= MIN_WINDOW_S).then(|| series.covered / series.covered_s * DAY_S).filter(|x| x.is_finite())
}
