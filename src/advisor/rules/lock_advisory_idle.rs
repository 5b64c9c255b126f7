//! Advisory locks that nobody seems to need any more.

use crate::advisor::sessions::describe;
use crate::advisor::sighting::Sighting;
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Threshold};
use crate::finding::{Confidence, Effort, Fix, Severity, Subject, SubjectKind};
use crate::snapshot::Row;
use crate::text::{Text, counted};
use crate::unit::{Quantity, Unit};
use std::collections::{BTreeMap, BTreeSet};

/// The rule.
pub const RULE: Rule = Rule {
    id: "lock-advisory-idle",
    title: "Advisory lock kept by an idle session",
    needs: &[
        Need::View("pg_locks", &["locktype", "pid", "granted"]),
        Need::View("pg_stat_activity", &["pid", "state", "state_change"]),
    ],
    wants: &[Need::Snapshots(3)],
    thresholds: &[Threshold {
        name: "min_idle_s",
        default: 3_600.0,
        unit: Unit::Seconds,
        about: "Longer than most jobs pause.",
    }],
    docs: Docs {
        looks_at: "Advisory locks that are held, and whether their sessions have been idle.",
        why: "A lock of a session stays until it is released or the session ends, also through a pooler, where the next user of the \
              connection inherits it unseen. Whoever waits for it waits for ever.",
        decides: "Held by a session that has been idle, outside of a transaction, for an hour. Tools that elect a leader do this on \
                  purpose: low.",
        what_to_do: "Ask the owner. pg_advisory_xact_lock goes with its transaction; behind a pooler in transaction mode session locks \
                     must not be used at all.",
        ignore_when: "A migration tool or an election of leaders keeps it on purpose.",
        references: "PostgreSQL manual, \"Advisory Locks\".",
    },
    check,
};

/// A session that keeps one, in the last snapshot that shows it.
struct Keeper<'a> {
    row: Row<'a>,
    lock: Row<'a>,
    idle_s: f64,
    seen: Vec<usize>,
}

fn check(ctx: &Context<'_>) -> Check {
    let mut keepers: BTreeMap<(i64, Option<i64>), Keeper<'_>> = BTreeMap::new();
    let mut looked = Vec::new();
    for (snapshot, locks) in ctx.samples("pg_locks") {
        let Some(taken) = ctx.chain.snapshots.get(snapshot) else { continue };
        let (Some(at), Some(activity)) = (taken.meta.taken_at, taken.table("pg_stat_activity")) else { continue };
        looked.push(snapshot);
        let held: BTreeMap<i64, Row<'_>> = locks
            .iter()
            .filter(|r| r.text("locktype") == Some("advisory") && r.bool("granted") == Some(true))
            .filter_map(|r| Some((r.int("pid")?, r)))
            .collect();
        for row in activity.iter().filter(|r| r.text("state") == Some("idle")) {
            let Some((pid, lock)) = row.int("pid").and_then(|pid| Some((pid, *held.get(&pid)?))) else { continue };
            let Some(idle_s) = row.time("state_change").map(|t| at.seconds_since(t)) else { continue };
            if idle_s < ctx.threshold("min_idle_s") {
                continue;
            }
            let key = (pid, row.time("backend_start").map(|t| t.0));
            let keeper = keepers.entry(key).or_insert(Keeper { row, lock, idle_s, seen: Vec::new() });
            (keeper.row, keeper.lock, keeper.idle_s) = (row, lock, idle_s);
            keeper.seen.push(snapshot);
        }
    }
    let looked_at = format!("{} with locks and sessions", counted(looked.len(), "snapshot", "snapshots"));
    let findings = keepers.into_values().map(|k| {
        let sighting = Sighting::new(k.seen.iter().copied(), &looked);
        let name = describe(k.row);
        ctx.finding(
            Severity::Low,
            Subject::new(SubjectKind::Session, name.clone()),
            Text::new()
                .t("Keeps an advisory lock and has been idle for ")
                .opt(Quantity::float(k.idle_s, Unit::Seconds)),
        )
        .why(Text::new().t("Seen ").then(sighting.text()).t(". Whoever asks for the same lock waits until the session ends or releases it."))
        .doubts([sighting.doubt()])
        .at_most(Confidence::Medium)
        .measure(ctx.computed(
            "Idle for",
            Quantity::float(k.idle_s, Unit::Seconds),
            "capture time − state_change".to_owned(),
            &[(k.row, &["state_change"]), (k.lock, &["locktype"])],
        ))
        .measures(ctx.sighted(&sighting, "pg_locks"))
        .fix(Fix::diagnose(
            name,
            "SELECT l.pid, l.classid, l.objid, l.objsubid, a.usename, a.application_name, now() - a.state_change AS idle\n\
             FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE l.locktype = 'advisory' ORDER BY 7 DESC;",
        ))
        .verify("The session holds no advisory lock in the next snapshots, or its owner has said that it is meant.")
        .effort(Effort::S)
    });
    let mut findings: Vec<_> = findings.collect();
    let mut names = BTreeSet::new();
    findings.retain(|f| names.insert(f.subject.name.clone()));
    Ok(Checked { findings, looked_at })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told, told_of_nothing};
    use crate::snapshot::literal::literal;

    fn with(lock: &str, state: &str, since: &str) -> Vec<String> {
        let b = literal("2026-11-22 12:00:00+00").view("pg_locks", "locktype | pid | mode | granted", &[lock]).view(
            "pg_stat_activity",
            "pid | usename | datname | application_name | state | state_change",
            &[&format!("7 | app | shop | worker | {state} | {since}")],
        );
        told(&judge(&RULE, &[b.build()], ""))
    }

    const HELD: &str = "advisory | 7 | ExclusiveLock | t";

    #[test]
    fn finds_a_lock_kept_by_a_session_that_does_nothing() {
        assert_eq!(
            with(HELD, "idle", "2026-11-22 10:00:00+00"),
            ["low, medium: pid 7, app on shop, worker: Keeps an advisory lock and has been idle for 2 h 00 m"]
        );
    }

    #[test]
    fn stays_quiet_about_others() {
        for (lock, state, since) in [
            (HELD, "idle", "2026-11-22 11:30:00+00"),
            (HELD, "active", "2026-11-22 10:00:00+00"),
            ("advisory | 8 | ExclusiveLock | t", "idle", "2026-11-22 10:00:00+00"),
            ("advisory | 7 | ExclusiveLock | f", "idle", "2026-11-22 10:00:00+00"),
            ("relation | 7 | AccessShareLock | t", "idle", "2026-11-22 10:00:00+00"),
        ] {
            assert_eq!(with(lock, state, since), ["passed: 1 snapshot with locks and sessions"], "{lock} {state}");
        }
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert!(told_of_nothing(&RULE).starts_with("skipped, input missing: `pg_locks` is not in the dump"));
    }
}
