//! What a history says as a whole: forecasts, dead rows, what began or stopped being used, statements.
//!
//! * `ids`: transaction and multixact ids; `sequences`; `growth`: databases, tables, disk
//! * `dead_rows`: saw-teeth and the next autovacuum
//! * `usage`: scans of tables and indexes; `calls`: statements

mod calls;
mod dead_rows;
mod growth;
mod ids;
mod sequences;
mod usage;

pub use calls::Calls;
pub use dead_rows::DeadRows;
pub use usage::{Changed, Scans};

use super::forecast::{Answer, Forecast, Kind};
use super::{Follow, Object, Objects};
use std::collections::BTreeMap;

/// What the user may add.
#[derive(Clone, Copy, Debug, Default)]
pub struct Given {
    /// Disk space for the data directory, in bytes.
    pub capacity: Option<i64>,
}

/// What a history says as a whole.
#[derive(Clone, Debug, Default)]
pub struct Outlook {
    /// What runs towards a limit, the nearest first.
    pub forecasts: Vec<Forecast>,
    /// Dead rows of tables, those that need a look first.
    pub dead_rows: Vec<DeadRows>,
    /// Counters of scans that began or stopped to move, by object.
    pub changed: Vec<Changed>,
    /// Scans of tables, those read whole most often first.
    pub scans: Vec<Scans>,
    /// Statements, those with the most time first.
    pub calls: Vec<Calls>,
}

impl Outlook {
    /// Judges a watched history; nothing where it was not watched.
    pub fn of(history: &Follow, given: Given) -> Self {
        let (Some(watch), Some(last)) = (&history.watch, history.last()) else { return Self::default() };
        let mut forecasts = ids::forecasts(watch, last);
        forecasts.extend(sequences::forecasts(history, watch));
        forecasts.extend(growth::forecasts(history, watch, given));
        let dead_rows = dead_rows::judge(history);
        forecasts.extend(dead_rows.iter().flat_map(|t| t.forecasts.iter().cloned()));
        by_nearness(&mut forecasts);
        Self {
            forecasts,
            dead_rows,
            changed: usage::changed(history),
            scans: usage::scans(history),
            calls: calls::judge(history),
        }
    }
}

/// The subject whose first milestone is nearest comes first, its milestones together.
fn by_nearness(forecasts: &mut [Forecast]) {
    let mut nearest: BTreeMap<(Kind, String), f64> = BTreeMap::new();
    for f in forecasts.iter() {
        let of = nearest.entry((f.kind, f.subject.clone())).or_insert(f64::INFINITY);
        *of = of.min(nearness(f));
    }
    let group = |f: &Forecast| nearest.get(&(f.kind, f.subject.clone())).copied().unwrap_or(f64::INFINITY);
    forecasts.sort_by(|a, b| {
        group(a)
            .total_cmp(&group(b))
            .then_with(|| (a.kind, &a.subject).cmp(&(b.kind, &b.subject)))
            .then_with(|| nearness(a).total_cmp(&nearness(b)))
            .then_with(|| a.milestone.cmp(&b.milestone))
    });
}

/// Seconds to the limit at the measured pace; what has no answer comes last.
fn nearness(f: &Forecast) -> f64 {
    match f.answer {
        Answer::Reached => 0.0,
        Answer::Never | Answer::NoLimit => f64::INFINITY,
        _ => f.remaining.zip(f.speed.map(|s| s.middle)).filter(|(_, s)| *s > 0.0).map_or(f64::MAX, |(r, s)| r / s),
    }
}

/// A followed view of a history.
fn view<'a>(history: &'a Follow, name: &str) -> Option<&'a Objects> {
    history.views().iter().find(|v| v.followed.view.name == name)
}

/// The position of a column among those followed of a view.
fn place(view: &Objects, column: &str) -> Option<usize> {
    let (at, _) = view.followed.view.column(column)?;
    view.followed.columns.iter().position(|(c, _)| *c == at)
}

/// Objects that the last snapshot has and that are not PostgreSQL's own, in the order of their keys.
fn present(view: &Objects) -> Vec<&Object> {
    let mut all: Vec<&Object> = view.list.iter().filter(|o| !o.gone && !o.is_system(view.followed.view)).collect();
    all.sort_by(|a, b| a.key.cmp(&b.key));
    all
}
