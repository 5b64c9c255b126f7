//! A statement's text that seems to hold a secret is in no section of a report, whatever rows it stands in.

use crate::advisor::{Config, run};
use crate::diff;
use crate::report::{Options, Report, build};
use crate::snapshot::Snapshot;
use crate::snapshot::literal::literal;
use std::sync::Arc;

const SECRET: &str = "xyzzy-plugh";
const INSTEAD: &str = "(not shown: seems to hold a secret)";

/// A session that waits behind another one; the same two texts among the statements.
fn taken(at: &str, calls: u32) -> Arc<Snapshot> {
    let secret = format!("ALTER ROLE app PASSWORD '{SECRET}'");
    let session = |pid: u32, state: &str, text: &str| {
        format!(
            "{pid} | shop | app | {state} | 2026-11-22 08:00:00+00 | 2026-11-22 08:00:00+00 | 2026-11-22 08:00:00+00 | client backend | 700 | {text}"
        )
    };
    let lock = |pid: u32, granted: &str| format!("relation | 16697 | 16400 | {pid} | AccessExclusiveLock | {granted}");
    literal(at)
        .view(
            "pg_stat_statements",
            "userid | dbid | queryid | toplevel | query | calls | total_exec_time | rows",
            &[
                &format!("10 | 16697 | 1 | t | {secret} | {calls} | {}000 | 0", calls * 9),
                &format!("10 | 16697 | 2 | t | select 'an open text' | {calls} | {calls}000 | {calls}"),
            ],
        )
        .view(
            "pg_stat_activity",
            "pid | datname | usename | state | xact_start | query_start | state_change | backend_type | backend_xmin | query",
            &[&session(901, "idle in transaction", &secret), &session(902, "active", &secret)],
        )
        .view("pg_locks", "locktype | database | relation | pid | mode | granted", &[&lock(901, "t"), &lock(902, "f")])
        .view("blocking_pids", "pid | blocked_by", &["902 | {901}"])
        .build()
}

fn report() -> Report {
    let counted = [("2026-11-22 10:00:00+00", 10), ("2026-11-22 11:00:00+00", 20), ("2026-11-22 12:00:00+00", 5_000)];
    let snapshots = counted.iter().map(|(at, calls)| taken(at, *calls)).collect();
    let chain = diff::chain(snapshots, &diff::Options::default()).unwrap();
    build(&chain, &run(&chain, &Config::default()), &Options::default()).unwrap()
}

#[test]
fn tables_of_queries_sessions_and_locks_name_it_without_showing_it() {
    let report = report();
    for id in ["queries", "connections", "locks", "changed"] {
        let section = report.sections.iter().find(|s| s.id == id).unwrap();
        let text = serde_json::to_string(&section.blocks).unwrap();
        assert!(!text.contains(SECRET), "{id} shows it");
        assert!(text.contains(INSTEAD), "{id} has no row that stands for it");
    }
    let queries = report.sections.iter().find(|s| s.id == "queries").unwrap();
    assert!(serde_json::to_string(&queries.blocks).unwrap().contains("an open text"), "other texts are shown");
}

#[test]
fn nothing_else_in_the_report_shows_it() {
    let text = serde_json::to_string(&report()).unwrap();
    let at = text.find(SECRET).map(|at| text[at.saturating_sub(200)..at].to_owned());
    assert_eq!(at, None, "shown after this");
}
