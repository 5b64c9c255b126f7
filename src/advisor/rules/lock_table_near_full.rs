//! The shared table of locks nearly full.

use crate::advisor::cure::{Effect, set_system};
use crate::advisor::sighting::Sighting;
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Skip, Threshold, show, whole};
use crate::finding::{Confidence, Effort, Fix, Severity, Subject, SubjectKind};
use crate::snapshot::Row;
use crate::text::Text;
use crate::unit::{Quantity, Unit};
use std::collections::BTreeMap;

/// Processes besides connections for which the table has places, and prepared transactions: `MaxBackends` and
/// `NLOCKENTS` in PostgreSQL's `postinit.c` and `lock.c`; the manual names connections and prepared ones only.
const OTHERS: [&str; 4] =
    ["max_prepared_transactions", "autovacuum_max_workers", "max_worker_processes", "max_wal_senders"];

/// What PostgreSQL has where nobody set anything.
const DEFAULT: f64 = 64.0;

/// The rule.
pub const RULE: Rule = Rule {
    id: "lock-table-near-full",
    title: "Shared lock table nearly full",
    needs: &[
        Need::View("pg_locks", &["fastpath", "locktype"]),
        Need::Setting("max_locks_per_transaction"),
        Need::Setting("max_connections"),
    ],
    wants: &[Need::Setting("max_prepared_transactions")],
    thresholds: &[Threshold {
        name: "min_share",
        default: 0.5,
        unit: Unit::Share,
        about: "The other half goes with one dump or one query over many partitions.",
    }],
    docs: Docs {
        looks_at: "Locks held in the shared table (not on the fast path, no predicate locks) in each snapshot, against \
                   max_locks_per_transaction × (max_connections + max_prepared_transactions + autovacuum_max_workers + \
                   max_worker_processes + max_wal_senders).",
        why: "When it is full, any statement of any session that needs a lock fails with \"out of shared memory\".",
        decides: "Half of it in any snapshot; low where one session holds half of them, which is named. A lock on the same object by several sessions takes one place in the table for the object \
                  and one for each session; the server keeps memory in reserve, so that the true limit is higher, twice as high on a server with few locks.",
        what_to_do: "A larger max_locks_per_transaction (restart): queries over partitioned tables, dumps and schema changes take a \
                     lock for each table and index. On standbys it must be as large as on the primary.",
        ignore_when: "A one-off migration holds them.",
        references: "PostgreSQL manual, \"Lock Management\" (max_locks_per_transaction); \"pg_locks\".",
    },
    check,
};

fn check(cx: &Context<'_>) -> Check {
    let number = |name: &str| cx.setting(name).and_then(|s| s.value);
    let (Some(each), Some(connections)) = (number("max_locks_per_transaction"), number("max_connections")) else {
        return Err(Skip("max_locks_per_transaction or max_connections is no number".to_owned()));
    };
    let others: f64 = OTHERS.iter().filter_map(|name| number(name)).sum();
    let places = each * (connections + others);
    let (mut seen, mut looked) = (Vec::new(), Vec::new());
    let mut most: Option<(usize, f64)> = None;
    let mut largest: Option<(i64, usize)> = None;
    for (snapshot, table) in cx.samples("pg_locks") {
        looked.push(snapshot);
        let shared = |r: &Row<'_>| {
            // Every session's own virtual transaction is on the fast path, whatever the view says of old versions.
            r.bool("fastpath") != Some(true)
                && r.text("mode") != Some("SIReadLock")
                && r.text("locktype") != Some("virtualxid")
        };
        let held = table.iter().filter(shared).count() as f64;
        if held / places.max(1.0) >= cx.threshold("min_share") {
            seen.push(snapshot);
        }
        if most.is_none_or(|(_, n)| held > n) {
            most = Some((snapshot, held));
            largest = holder(table.iter().filter(shared));
        }
    }
    let Some((at, held)) = most else { return Err(Skip("no snapshot has locks".to_owned())) };
    let looked_at = format!("at most {} of {} places", show(held, Unit::Count), show(places, Unit::Count));
    if seen.is_empty() {
        return Ok(Checked { findings: Vec::new(), looked_at });
    }
    let sighting = Sighting::new(seen, &looked);
    let share = Quantity::float(held / places.max(1.0), Unit::Share);
    let formula = format!("{} ÷ ({each:.0} × ({connections:.0} + {others:.0}))", show(held, Unit::Count));
    // One session that holds most of them is the matter, not the size of the table.
    let alone = largest.filter(|(_, n)| *n as f64 * 2.0 >= held);
    let mut why = Text::new()
        .t("When it is full, statements fail with \"out of shared memory\". It was so ")
        .then(sighting.text())
        .t(".");
    if let Some((pid, n)) = alone {
        why = why
            .t(" One session, process ")
            .n(Quantity::int(pid, Unit::Plain))
            .t(", held ")
            .opt(whole(n as f64, Unit::Count))
            .t(" of them: its transaction is what to look at first.");
    }
    let raise = set_system(
        "max_locks_per_transaction",
        &format!("{:.0}", (each * 2.0).max(DEFAULT)),
        Effect::Restart,
        Some(&format!("{each:.0}")),
        if alone.is_some() {
            "Before the session that holds most of them is understood: when its transaction ends they are gone.".into()
        } else {
            "A one-off migration holds the locks.".into()
        },
    );
    let finding = cx
        .finding(
            if alone.is_some() { Severity::Low } else { Severity::Medium },
            Subject::new(SubjectKind::Setting, "max_locks_per_transaction"),
            Text::new().opt(share).t(" of the shared lock table in use"),
        )
        .why(why)
        .doubts([sighting.doubt()])
        .at_most(Confidence::Medium)
        .measure(cx.seen_in(
            Some(at),
            "Share of the table",
            share,
            cx.all_rows(at, "pg_locks", &["granted", "fastpath"], formula),
        ))
        .measures(alone.map(|(pid, n)| {
            let formula = format!("rows of pid {pid}");
            let evidence = cx.all_rows(at, "pg_locks", &["pid", "fastpath"], formula);
            cx.seen_in(Some(at), "Held by one session", whole(n as f64, Unit::Count), evidence)
        }))
        .measures(cx.sighted(&sighting, "pg_locks"))
        .measure(cx.setting_measure("max_locks_per_transaction"))
        .fixes(alone.map(|_| who_holds()))
        .fix(raise)
        .verify("The share stays below a half in the next snapshots.")
        .effort(Effort::M);
    Ok(Checked { findings: vec![finding], looked_at })
}

/// The process that holds most locks, and how many.
fn holder<'a>(locks: impl Iterator<Item = Row<'a>>) -> Option<(i64, usize)> {
    let mut by_pid: BTreeMap<i64, usize> = BTreeMap::new();
    for pid in locks.filter_map(|r| r.int("pid")) {
        *by_pid.entry(pid).or_default() += 1;
    }
    by_pid.into_iter().max_by_key(|(pid, n)| (*n, std::cmp::Reverse(*pid)))
}

fn who_holds() -> Fix {
    Fix::diagnose(
        "max_locks_per_transaction",
        "SELECT l.pid, count(*), a.usename, a.application_name, a.state, a.xact_start, left(a.query, 100)\n\
         FROM pg_locks l LEFT JOIN pg_stat_activity a USING (pid) WHERE NOT l.fastpath\n\
         GROUP BY l.pid, a.usename, a.application_name, a.state, a.xact_start, a.query ORDER BY 2 DESC LIMIT 10;",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::literal;

    fn say(shared: usize, fast: usize, of_one: usize) -> Vec<String> {
        let mut rows = Vec::new();
        for i in 0..shared {
            let pid = if i < of_one { 7 } else { 100 + i };
            rows.push(format!("relation | {i} | {pid} | AccessShareLock | t | f"));
        }
        for i in 0..fast {
            rows.push(format!("relation | {i} | 8 | AccessShareLock | t | t"));
        }
        let b = literal("2026-11-22 12:00:00+00")
            .view(
                "pg_locks",
                "locktype | relation | pid | mode | granted | fastpath",
                &rows.iter().map(String::as_str).collect::<Vec<_>>(),
            )
            .view(
                "pg_settings",
                "name | setting",
                &[
                    "max_locks_per_transaction | 10",
                    "max_connections | 10",
                    "max_prepared_transactions | 1",
                    "autovacuum_max_workers | 2",
                    "max_worker_processes | 3",
                    "max_wal_senders | 4",
                ],
            )
            .build();
        told(&judge(&RULE, &[b], ""))
    }

    #[test]
    fn a_table_nearly_full_is_told() {
        assert_eq!(say(140, 50, 0), ["medium, medium: max_locks_per_transaction: 70% of the shared lock table in use"]);
        assert_eq!(say(90, 500, 0), ["passed: at most 90 of 200 places"]);
    }

    #[test]
    fn one_session_that_holds_most_is_the_matter() {
        assert_eq!(say(140, 0, 90), ["low, medium: max_locks_per_transaction: 70% of the shared lock table in use"]);
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_eq!(
            crate::advisor::testing::told_of_nothing(&RULE),
            "skipped, input missing: `pg_locks` is not in the dump"
        );
    }
}
