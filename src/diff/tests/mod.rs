//! Tests of the subtraction as a whole, on literal rows.

mod belonging;
mod chains;
mod condensed;
mod decision;
pub(crate) mod files;
mod foremost;
mod history;
mod identity;
mod laws;
mod rebuilt;

use super::{Diff, Options, diff};
use crate::snapshot::Snapshot;
use std::sync::Arc;

/// Two snapshots subtracted.
fn subtract(before: &Arc<Snapshot>, after: &Arc<Snapshot>) -> Diff {
    diff(Arc::clone(before), Arc::clone(after), &Options::default()).unwrap()
}

/// A view's rows as lines: `key class covered reset_at | column: delta, ... | notes`; deltas of `columns` only.
fn told(diff: &Diff, view: &str, columns: &[&str]) -> Vec<String> {
    let view = &diff.views[view];
    view.iter()
        .map(|row| {
            let verdict = row.verdict();
            let key: Vec<String> = view
                .key
                .iter()
                .map(|c| format!("{:?}", row.latest().map(|r| r.table().value(r.index(), *c)).unwrap()))
                .collect();
            let deltas: Vec<String> = columns
                .iter()
                .map(|name| {
                    let (column, _) = view.view.column(name).unwrap();
                    match row.delta(column) {
                        (Some(super::Exact::Int(n)), None) => n.to_string(),
                        (Some(super::Exact::Float(x)), None) => x.to_string(),
                        (Some(d), Some(why)) => format!("{} ({why})", d.as_f64()),
                        (None, why) => format!("none ({})", why.unwrap_or("?")),
                    }
                })
                .collect();
            let covered = verdict.covered_s.map_or_else(|| "?".to_owned(), |s| format!("{s}s"));
            let at = verdict.reset_at.map_or_else(String::new, |t| format!("@{t}"));
            let bound = if verdict.exact { "" } else { ">=" };
            format!("{} {}{at} {covered} {bound}{}", key.join(","), verdict.class.word(), deltas.join(", "))
        })
        .collect()
}
