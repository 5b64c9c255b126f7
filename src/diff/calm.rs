//! Windows in which nothing happened that concerns a whole view: there a row whose counters stayed or rose and whose
//! times were not cleared is of class `ok`, without a look at anything else (rule 9 of [`super::decide`]).

use super::evidence::Evidence;
use super::{LIMITS, Options, Witness, is_evidence, is_sorted_by, order, witness};
use crate::catalog::{Epoch, Type, View};
use crate::ingest::succession::{Number, Watch};
use crate::meta::Notes;
use crate::snapshot::Snapshot;

/// Whether that is so between two snapshots, the earlier one first, for a view of one database's objects. What is not
/// calm is not wrong: it is to be decided row by row.
pub fn is_calm(view: &View, before: &Snapshot, after: &Snapshot, options: &Options) -> bool {
    let mut notes = Notes::default();
    let forward = before.meta.taken_at.zip(after.meta.taken_at).is_some_and(|(a, b)| a < b);
    let settled = order::check(before, after, options, &mut notes);
    if !view.per_database || view.epoch != Epoch::Database || !forward || settled.is_err() || !notes.is_empty() {
        return false;
    }
    let e = Evidence::gather(before, after);
    // Relations shared by all databases have a row of their own, without a database.
    let quiet = |d: &super::evidence::Database| d.fell == 0 && !d.moved;
    e.elapsed_s.is_some()
        && e.withheld.is_none()
        && e.crash.is_none()
        && !e.crash_unsure
        && !e.upgraded
        && !e.recreated
        && !e.other_database
        && !e.other_cluster
        && !e.zone_in_doubt
        && !e.has_12
        && quiet(&e.own)
        && e.databases.get(&0).is_none_or(quiet)
}

/// What of a view's rows has to stay as it is for them to go on: what the decision on a row and the search for events ask.
/// `None` where more is asked of them than a few numbers and times.
pub fn watch(view: &'static View) -> Option<Watch> {
    let all = || view.columns.iter().enumerate();
    if all().any(|(_, c)| c.name == "stats_reset" || c.name == "stats_since" || c.name == "relfilenode") {
        return None;
    }
    // That it rose is an event where it counts vacuums by hand.
    let number = |name| if name == "vacuum_count" { Number::Still } else { Number::Counter };
    let times = all().filter(|(at, c)| c.ty == Type::Time && witness(view, *at) == Some(Witness::Time));
    Some(Watch {
        view,
        numbers: all().filter(|(_, c)| c.kind.is_counter()).map(|(at, c)| (at, number(c.name))).collect(),
        times: times.map(|(at, _)| at).collect(),
        looks: Vec::new(),
        followed: Vec::new(),
        sortable: all().filter(|(_, c)| is_sorted_by(c)).map(|(at, _)| at).collect(),
        limits: LIMITS.to_vec(),
        beside: crate::catalog::VIEWS.iter().filter(|v| is_evidence(v) || v.name == "meta").map(|v| v.name).collect(),
    })
}
