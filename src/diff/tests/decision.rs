//! The decision table, row by row.

use super::{subtract, told};
use crate::snapshot::literal::{Literal, literal};

const A: &str = "2026-11-22 12:00:00+00";
const B: &str = "2026-11-22 12:10:00+00";
const T: &str = "2026-11-22 12:04:00+00";
const OLD: &str = "2026-11-01 00:00:00+00";

/// Tables `relid | seq_scan | last_vacuum` of database `shop`, whose row has `xact_commit | stats_reset`.
fn snapshot(at: &str, database: &str, tables: &[&str]) -> Literal {
    let rows: Vec<String> = tables
        .iter()
        .map(|t| {
            let (relid, rest) = t.split_once('|').unwrap();
            format!("{relid} | public | t{} | {rest}", relid.trim())
        })
        .collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    literal(at)
        .view(
            "pg_stat_database",
            "datid | datname | xact_commit | stats_reset",
            &[&format!("16697 | shop | {database}")],
        )
        .view("pg_stat_user_tables", "relid | schemaname | relname | seq_scan | last_vacuum", &rows)
}

fn cluster(snapshot: Literal, bgwriter: &str, wal: &str) -> Literal {
    snapshot.view("pg_stat_bgwriter", "buffers_alloc | stats_reset", &[bgwriter]).view(
        "pg_stat_wal",
        "wal_records | stats_reset",
        &[wal],
    )
}

#[test]
fn rows_1_2_and_9_new_gone_and_ok() {
    let a = snapshot(A, "10 | ", &["1 | 5 |", "2 | 7 |"]).build();
    let b = snapshot(B, "20 | ", &["1 | 8 |", "3 | 4 |"]).build();
    assert_eq!(
        told(&subtract(&a, &b), "pg_stat_user_tables", &["seq_scan"]),
        ["Int(1) ok 600s 3", "Int(2) gone ? >=none (gone)", "Int(3) new 600s 4"]
    );
}

#[test]
fn row_3_own_reset_time() {
    let a = cluster(snapshot(A, "10 | ", &[]), &format!("100 | {OLD}"), &format!("50 | {OLD}")).build();
    let b = cluster(snapshot(B, "20 | ", &[]), &format!("150 | {T}"), &format!("70 | {OLD}")).build();
    let diff = subtract(&a, &b);
    assert_eq!(told(&diff, "pg_stat_bgwriter", &["buffers_alloc"]), [" reset@2026-11-22T12:04:00.000000Z 360s >=150"]);
    assert_eq!(told(&diff, "pg_stat_wal", &["wal_records"]), [" ok 600s 20"]);
}

#[test]
fn rows_3_and_3a_statements_with_their_own_times() {
    let columns = "userid | dbid | queryid | toplevel | calls | stats_since";
    let row = |query: i64, calls: i64, since: &str| format!("10 | 16697 | {query} | t | {calls} | {since}");
    let statements = |at: &str, info: &str, rows: &[String]| {
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        literal(at).view("pg_stat_statements", columns, &rows).view(
            "pg_stat_statements_info",
            "dealloc | stats_reset",
            &[info],
        )
    };
    let a = statements(A, &format!("0 | {OLD}"), &[row(1, 5, OLD), row(2, 9, OLD)]).build();
    let b = statements(B, &format!("1 | {OLD}"), &[row(1, 8, OLD), row(2, 20, T), row(3, 2, T)]).build();
    assert_eq!(
        told(&subtract(&a, &b), "pg_stat_statements", &["calls"]),
        [
            "Int(10),Int(16697),Int(1),Bool(true) ok 600s 3",
            "Int(10),Int(16697),Int(2),Bool(true) reset ? >=20",
            "Int(10),Int(16697),Int(3),Bool(true) new 600s >=2",
        ],
        "evicted entries begin anew, the others are proven"
    );
    let b = statements(B, &format!("0 | {T}"), &[row(1, 8, "2026-11-22 12:05:00+00")]).build();
    assert_eq!(
        told(&subtract(&a, &b), "pg_stat_statements", &["calls"]),
        [
            "Int(10),Int(16697),Int(1),Bool(true) reset@2026-11-22T12:04:00.000000Z 360s >=8",
            "Int(10),Int(16697),Int(2),Bool(true) gone ? >=none (gone)",
        ],
        "a full reset has the info view's time"
    );
}

#[test]
fn row_4_crash() {
    let a = cluster(snapshot(A, "10 | ", &["1 | 5 |"]), &format!("100 | {OLD}"), &format!("50 | {OLD}")).build();
    let b = cluster(snapshot(B, "3 | ", &["1 | 9 |"]), &format!("150 | {T}"), &format!("70 | {T}")).build();
    let diff = subtract(&a, &b);
    let crash = diff.events.iter().find(|e| e.kind == "crash").unwrap();
    assert_eq!(crash.evidence[1], "all 2 cluster-wide views exported got a new stats_reset");
    let at = "reset@2026-11-22T12:04:00.000000Z 360s";
    assert_eq!(told(&diff, "pg_stat_user_tables", &["seq_scan"]), [format!("Int(1) {at} >=9")]);
    assert_eq!(told(&diff, "pg_stat_database", &["xact_commit"]), [format!("Int(16697) {at} >=3")]);
}

/// An immediate stop empties the cumulative statistics and leaves pg_stat_statements with its file.
#[test]
fn row_4_leaves_the_evictions_of_statements_that_outlived_it() {
    let info = |s: Literal, row: &str| s.view("pg_stat_statements_info", "dealloc | stats_reset", &[row]);
    let a = cluster(snapshot(A, "10 | ", &["1 | 5 |"]), &format!("100 | {OLD}"), &format!("50 | {OLD}"));
    let a = info(a, &format!("4 | {OLD}")).build();
    for (after, want) in
        [(format!("6 | {OLD}"), " ok 600s 2"), (format!("1 | {T}"), " reset@2026-11-22T12:04:00.000000Z 360s >=1")]
    {
        let b = cluster(snapshot(B, "3 | ", &["1 | 2 |"]), &format!("150 | {T}"), &format!("70 | {T}"));
        let diff = subtract(&a, &info(b, &after).build());
        assert_eq!(told(&diff, "pg_stat_statements_info", &["dealloc"]), [want]);
        assert!(diff.events.iter().any(|e| e.kind == "crash"));
    }
}

#[test]
fn row_4_needs_every_cluster_view_and_a_second_witness() {
    let a = cluster(snapshot(A, "10 | ", &["1 | 5 |"]), &format!("100 | {OLD}"), &format!("50 | {OLD}")).build();
    for (what, b, want) in [
        (
            "one view of two",
            cluster(snapshot(B, "12 | ", &["1 | 9 |"]), &format!("150 | {T}"), &format!("70 | {OLD}")),
            "Int(1) ok 600s 4",
        ),
        (
            "nothing else fell: pg_stat_reset_shared() without a target",
            cluster(snapshot(B, "12 | ", &["1 | 9 |"]), &format!("150 | {T}"), &format!("70 | {T}")),
            "Int(1) ok? 600s >=4",
        ),
        (
            "an object fell although its database was not reset",
            cluster(snapshot(B, "12 | ", &["1 | 2 |"]), &format!("150 | {T}"), &format!("70 | {T}")),
            "Int(1) reset@2026-11-22T12:04:00.000000Z 360s >=2",
        ),
    ] {
        assert_eq!(told(&subtract(&a, &b.build()), "pg_stat_user_tables", &["seq_scan"]), [want], "{what}");
    }
}

#[test]
fn row_4_is_disproved_by_what_a_crash_would_have_cleared() {
    let kept = format!("10 | {OLD}");
    let a = cluster(snapshot(A, &kept, &["1 | 5 |"]), &format!("100 | {OLD}"), &format!("50 | {OLD}")).build();
    let b =
        cluster(snapshot(B, &format!("12 | {OLD}"), &["1 | 9 |"]), &format!("1 | {T}"), &format!("7 | {T}")).build();
    assert_eq!(told(&subtract(&a, &b), "pg_stat_user_tables", &["seq_scan"]), ["Int(1) ok 600s 4"]);
}

#[test]
fn row_5_the_database_was_reset() {
    let a = snapshot(A, &format!("10 | {OLD}"), &["1 | 5 |", "2 | 1 |"]).build();
    let b = snapshot(B, &format!("3 | {T}"), &["1 | 9 |", "2 | 0 |", "3 | 6 |"]).build();
    let at = "@2026-11-22T12:04:00.000000Z 360s";
    assert_eq!(
        told(&subtract(&a, &b), "pg_stat_user_tables", &["seq_scan"]),
        [format!("Int(1) reset{at} >=9"), format!("Int(2) reset{at} >=0"), format!("Int(3) new{at} >=6")]
    );
}

#[test]
fn rows_6_7a_and_7_one_object_was_reset() {
    let old = "2026-11-20 00:00:00+00";
    let a = snapshot(A, "10 | ", &["1 | 5 |", &format!("2 | 5 | {old}"), "3 | 5 |", &format!("4 | 5 | {old}")]).build();
    let b = snapshot(B, &format!("20 | {T}"), &["1 | 2 |", &format!("2 | 8 | {old}"), "3 | 9 |", "4 | 7 |"]).build();
    assert_eq!(
        told(&subtract(&a, &b), "pg_stat_user_tables", &["seq_scan"]),
        ["Int(1) reset ? >=2", "Int(2) ok 600s 3", "Int(3) ok? 600s >=4", "Int(4) reset ? >=7"]
    );
}

#[test]
fn the_first_connection_up_to_14_is_no_reset() {
    for (version, want) in [(14, "Int(1) ok 600s 3"), (15, "Int(1) ok? 600s >=3")] {
        let a = snapshot(A, "10 | ", &["1 | 5 |"]).version(version).build();
        let b = snapshot(B, &format!("20 | {T}"), &["1 | 8 |"]).version(version).build();
        assert_eq!(told(&subtract(&a, &b), "pg_stat_user_tables", &["seq_scan"]), [want], "{version}");
    }
}

#[test]
fn row_8_a_fall_without_a_reason() {
    let a = snapshot(A, &format!("10 | {OLD}"), &["1 | 5 |", "2 | 5 |"]).build();
    let b = snapshot(B, &format!("20 | {OLD}"), &["1 | 2 |", "2 | 5 |"]).build();
    assert_eq!(
        told(&subtract(&a, &b), "pg_stat_user_tables", &["seq_scan"]),
        ["Int(1) reset? ? >=2", "Int(2) ok 600s 0"]
    );
}

#[test]
fn a_fall_in_one_view_of_an_entry_is_a_reset_in_the_other() {
    let io = |at: &str, db: &str, scans: &str, hits: &str| {
        snapshot(at, db, &[scans]).view(
            "pg_statio_user_tables",
            "relid | heap_blks_hit | idx_blks_hit | toast_blks_read | toast_blks_hit",
            &[hits],
        )
    };
    let a = io(A, "10 | ", "1 | 5 |", "1 | 50 | 7 | 3 | 9").build();
    let b = io(B, &format!("20 | {T}"), "1 | 8 |", "1 | 20 | 9 | 3 | 12").build();
    let diff = subtract(&a, &b);
    assert_eq!(told(&diff, "pg_stat_user_tables", &["seq_scan"]), ["Int(1) reset ? >=8"]);
    assert_eq!(
        told(&diff, "pg_statio_user_tables", &["heap_blks_hit", "idx_blks_hit", "toast_blks_hit"]),
        ["Int(1) reset ? >=20, 2, 3 (the TOAST table's counters were not reset)"],
        "index and TOAST blocks are other entries"
    );
}

#[test]
fn float_noise_is_no_reset() {
    let f = |at: &str, time: &str| {
        literal(at)
            .view("pg_stat_user_functions", "funcid | schemaname | funcname | calls | total_time", &[time])
            .build()
    };
    let a = f(A, "1 | public | f | 10 | 7000000.0000001");
    let b = f(B, "1 | public | f | 10 | 7000000.0");
    assert_eq!(told(&subtract(&a, &b), "pg_stat_user_functions", &["total_time"]), ["Int(1) ok 600s 0"]);
    let b = f(B, "1 | public | f | 10 | 6999999.0");
    assert_eq!(told(&subtract(&a, &b), "pg_stat_user_functions", &["calls"]), ["Int(1) reset? ? >=10"]);
}

#[test]
fn a_crash_says_no_more_about_the_postmaster_than_is_known() {
    let a = || cluster(snapshot(A, "10 | ", &["1 | 5 |"]), &format!("100 | {OLD}"), &format!("50 | {OLD}"));
    let b = || cluster(snapshot(B, "3 | ", &["1 | 9 |"]), &format!("150 | {T}"), &format!("70 | {T}"));
    for (known, want) in [(true, "the postmaster went on"), (false, "when the postmaster started was not exported")] {
        let start = |l: Literal| l.meta(|m| m.postmaster_start = m.postmaster_start.filter(|_| known)).build();
        let diff = subtract(&start(a()), &start(b()));
        let crash = diff.events.iter().find(|e| e.kind == "crash").unwrap();
        assert!(crash.evidence[0].contains(want), "{:?}", crash.evidence);
    }
}
