//! Statistics that started again, and what made them.

use super::super::evidence::{Database, counters, shown};
use super::super::{Class, ViewDiff, identity, statements};
use super::{Event, Window, event};
use crate::catalog::Epoch;
use crate::snapshot::Value;
use crate::time::Timestamp;
use std::collections::BTreeSet;

pub(super) fn find(window: &Window<'_>) -> Vec<Event> {
    let mut out = Vec::new();
    if window.evidence.upgraded {
        return out;
    }
    server(window, &mut out);
    shared(window, &mut out);
    if window.evidence.crash.is_none() {
        databases(window, &mut out);
    }
    statements(window, &mut out);
    out
}

fn start(window: &Window<'_>) -> Option<Timestamp> {
    let (a, b) = (window.before.meta.postmaster_start?, window.after.meta.postmaster_start?);
    (a != b).then_some(b)
}

/// Crash, or a restart that kept everything.
fn server(window: &Window<'_>, out: &mut Vec<Event>) {
    let started = start(window);
    let Some(crash) = &window.evidence.crash else {
        if let Some(at) = started {
            let what = format!("the postmaster started at {at}; the cumulative statistics go on");
            out.push(event("restart", Some("cluster".to_owned()), None, what).at(Some(at)));
        }
        return;
    };
    let standby = window.after.meta.in_recovery == Some(true) && window.after.meta.major().is_some_and(|m| m <= 14);
    let lost = statements_lost(window, crash.at);
    let what = match (started, lost) {
        (Some(at), _) if standby => {
            let what = format!("the standby started at {at}; up to 14 its statistics begin anew at every start");
            let mut event = event("restart", Some("cluster".to_owned()), None, what).at(Some(at));
            event.evidence.extend(crash.evidence.iter().cloned());
            out.push(event);
            return;
        }
        (Some(at), Some(false)) => {
            format!(
                "stopped in immediate mode and started at {at}: pg_stat_statements was kept, which a killed server loses"
            )
        }
        (Some(at), Some(true)) => {
            format!("the postmaster or the machine died; started at {at}: pg_stat_statements was lost as well")
        }
        (Some(at), None) => format!("stopped in immediate mode, killed, or the machine died; started at {at}"),
        (None, _) if window.before.meta.postmaster_start.is_none() || window.after.meta.postmaster_start.is_none() => {
            "the server crashed or was stopped in immediate mode; when the postmaster started was not exported"
                .to_owned()
        }
        (None, _) => "a server process crashed: all sessions ended, the postmaster went on".to_owned(),
    };
    let mut event = event("crash", Some("cluster".to_owned()), None, what).at(Some(crash.at));
    event.evidence.extend(crash.evidence.iter().cloned());
    out.push(event);
}

/// Whether a crash took pg_stat_statements with it; `None` where that is not exported.
fn statements_lost(window: &Window<'_>, recovered: Timestamp) -> Option<bool> {
    let statements = window.evidence.statements;
    if statements.info {
        return Some(statements.reset_at.is_some_and(|at| at <= recovered));
    }
    reset_likely(window)
}

fn reset_likely(window: &Window<'_>) -> Option<bool> {
    let view = window.view("pg_stat_statements")?;
    let pairs: Vec<(u32, u32)> = view.rows.iter().map(|r| (r.before, r.after)).collect();
    let (before, after) = (view.before.as_deref()?, view.after.as_deref()?);
    let filtered = view.verdicts.iter().any(|v| v.withheld.is_some());
    Some(!filtered && statements::reset_is_likely(before, after, &pairs))
}

/// `pg_stat_reset_shared` and its kin: a new `stats_reset` that no crash explains.
fn shared(window: &Window<'_>, out: &mut Vec<Event>) {
    let evidence = window.evidence;
    for view in evidence.shared.keys() {
        // Up to 16 checkpoints are part of pg_stat_bgwriter, whose reset is told already.
        if *view == "pg_stat_checkpointer" && window.after.meta.major().is_none_or(|m| m <= 16) {
            continue;
        }
        // Its counters live in shared memory only: they begin anew at every start.
        if *view == "pg_stat_recovery_prefetch" && start(window).is_some() {
            continue;
        }
        for (object, at) in own_resets(window, view) {
            if evidence.crash.as_ref().is_none_or(|c| at != c.at) {
                let what = format!("stats_reset of {view} moved to {at}");
                out.push(event("stats_reset_shared", Some((*view).to_owned()), object, what).at(Some(at)));
            }
        }
    }
    for name in ["pg_stat_replication_slots", "pg_stat_subscription_stats"] {
        for (object, at) in own_resets(window, name) {
            if evidence.crash.as_ref().is_none_or(|c| at != c.at) {
                let what = format!("stats_reset moved to {at}");
                out.push(event("stats_reset_object", Some(name.to_owned()), object, what).at(Some(at)));
            }
        }
    }
}

/// New reset times of a view's rows; one without an object where all rows share it.
fn own_resets(window: &Window<'_>, name: &str) -> Vec<(Option<String>, Timestamp)> {
    let Some(view) = window.view(name) else { return Vec::new() };
    let resets: Vec<(Option<String>, Timestamp)> = view
        .iter()
        .filter(|r| r.class() == Class::Reset)
        .filter_map(|r| {
            let after = r.after()?;
            let object = view.key.first().and_then(|c| match after.table().value(after.index(), *c) {
                Value::Text(name) => Some(crate::ident::visible(name).into_owned()),
                _ => None,
            });
            after.time("stats_reset").map(|at| (object, at))
        })
        .collect();
    let times: BTreeSet<Timestamp> = resets.iter().map(|(_, at)| *at).collect();
    match times.first() {
        Some(at) if times.len() == 1 && resets.len() == view.rows.len() => vec![(None, *at)],
        _ => resets,
    }
}

fn databases(window: &Window<'_>, out: &mut Vec<Event>) {
    let own = window.database();
    for database in window.evidence.databases.values() {
        let scope = Some(shown(database.name.as_deref()));
        if database.fell > 0 {
            let mut found =
                event("stats_reset_database", scope, None, format!("{} of the database fell", counters(database.fell)))
                    .at(database.reset_at.filter(|_| database.moved));
            if let Some(at) = database.reset_at.filter(|_| database.moved) {
                found.evidence.push(format!("its stats_reset moved to {at}"));
                out.push(found);
            } else {
                out.push(found.likely());
            }
        } else if database.moved && !database.cleared {
            let objects = if database.name == own { lost_objects(window) } else { Vec::new() };
            objects_reset(database, &objects, out);
        }
    }
}

fn objects_reset(database: &Database, objects: &[String], out: &mut Vec<Event>) {
    let scope = Some(shown(database.name.as_deref()));
    let moved = database.reset_at.map_or_else(String::new, |at| format!(" moved to {at}"));
    let why = format!("stats_reset of the database{moved}, none of its own counters fell");
    if objects.is_empty() {
        let mut found = event("stats_reset_object", scope, None, why);
        found
            .evidence
            .push("none of the objects exported fell: it had no counts to lose, or was not exported".to_owned());
        out.push(found);
        return;
    }
    for object in objects {
        let mut found = event("stats_reset_object", scope.clone(), Some(object.clone()), why.clone());
        found.evidence.push("its counters fell or its times were cleared".to_owned());
        out.push(found);
    }
}

/// Names of objects of the exported database that were reset one by one; each entry once.
fn lost_objects(window: &Window<'_>) -> Vec<String> {
    let mut names = BTreeSet::new();
    for view in window.views.values().filter(|v| v.view.per_database && v.view.epoch == Epoch::Database) {
        let Some(after) = view.after.as_deref() else { continue };
        for row in view.iter().filter(|r| r.class() == Class::Reset) {
            if let Some(name) = row.after().and_then(|r| identity::name_of(view.view, after, r.index())) {
                names.insert(name);
            }
        }
    }
    names.into_iter().collect()
}

fn statements(window: &Window<'_>, out: &mut Vec<Event>) {
    let evidence = window.evidence;
    let scope = || Some("pg_stat_statements".to_owned());
    let crash = evidence.crash.as_ref().map(|c| c.at);
    if let Some(at) = evidence.statements.reset_at {
        if crash.is_none_or(|crash| at > crash) {
            let what = format!("stats_reset of pg_stat_statements_info moved to {at}");
            out.push(event("stats_reset_statements", scope(), None, what).at(Some(at)));
        }
    } else if !evidence.statements.info && crash.is_none() && reset_likely(window) == Some(true) {
        let what = "no entry kept its number of calls, more than half are gone or fell".to_owned();
        out.push(event("stats_reset_statements", scope(), None, what).likely());
    }
    if evidence.statements.evictions > 0 && evidence.statements.reset_at.is_none() {
        let what = format!(
            "dealloc rose by {}: each pass drops the least used 5 % of the entries",
            evidence.statements.evictions
        );
        out.push(event("statements_evicted", scope(), None, what));
    }
    let Some(view) = window.view("pg_stat_statements") else { return };
    if evidence.statements.reset_at.is_none() && evidence.statements.info && evidence.statements.evictions == 0 {
        let alone = view.iter().filter(|r| r.class() == Class::Reset).count();
        if alone > 0 {
            let what = format!("stats_since of {} moved, nothing was evicted", entries(alone));
            out.push(event("stats_reset_statement", scope(), None, what));
        }
    }
    let marks = marks_reset(view);
    if marks > 0 {
        let what = format!("minmax_stats_since of {} moved, stats_since did not", entries(marks));
        out.push(event("stats_reset_minmax", scope(), None, what));
    }
}

fn entries(n: usize) -> String {
    if n == 1 { "1 entry".to_owned() } else { format!("{n} entries") }
}

fn marks_reset(view: &ViewDiff) -> usize {
    let moved = |r: &super::super::DiffRow<'_>| {
        let times = |name: &str| Some((r.before()?.time(name)?, r.after()?.time(name)?));
        times("stats_since").zip(times("minmax_stats_since")).is_some_and(|((a, b), (c, d))| a == b && c != d)
    };
    view.iter().filter(moved).count()
}
