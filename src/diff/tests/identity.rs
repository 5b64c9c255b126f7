//! Which snapshots may be subtracted, and which object is which.

use super::{subtract, told};
use crate::diff::{Options, diff};
use crate::error::Error;
use crate::snapshot::literal::{Literal, literal};
use crate::time::Timestamp;
use std::sync::Arc;

const A: &str = "2026-11-22 12:00:00+00";
const B: &str = "2026-11-22 12:10:00+00";
const HEAD: &str = "relid | schemaname | relname | seq_scan";

fn tables(at: &str, rows: &[&str]) -> Literal {
    literal(at).view("pg_stat_user_tables", HEAD, rows)
}

fn code(a: Literal, b: Literal) -> &'static str {
    match diff(a.build(), b.build(), &Options::default()) {
        Ok(_) => "fine",
        Err(Error::Identity { code, .. }) => code,
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn refuses_other_servers() {
    let a = || tables(A, &["1 | public | a | 5"]);
    let b = || tables(B, &["1 | public | a | 5"]);
    let start = |at: &str| Timestamp::parse(at).map(|(t, _)| t);
    assert_eq!(code(a(), b()), "fine");
    assert_eq!(code(a(), b().meta(|m| m.system_identifier = Some("2".into()))), "E-CLUSTER");
    assert_eq!(code(a().meta(|m| m.node = Some("x".into())), b().meta(|m| m.node = Some("y".into()))), "E-NODE");
    assert_eq!(code(a(), b().meta(|m| m.in_recovery = Some(true))), "E-NODE", "primary, then standby");
    assert_eq!(code(a().meta(|m| m.in_recovery = Some(true)), b()), "fine", "promoted");
    let restarted = b().meta(|m| m.postmaster_start = start("2026-11-22 12:05:00+00"));
    assert_eq!(code(a().meta(|m| m.in_recovery = Some(true)), restarted), "E-NODE", "another server");
    assert_eq!(code(a(), b().meta(|m| m.postmaster_start = start("2026-10-01 00:00:00+00"))), "E-NODE");
    assert_eq!(code(a().meta(|m| m.wal_lsn = Some(9)), b().meta(|m| m.wal_lsn = Some(8))), "E-TIMELINE");
    assert_eq!(code(a(), tables(A, &["1 | public | a | 6"])), "E-DUP");
}

#[test]
fn lays_other_servers_side_by_side_when_asked() {
    let a = tables(A, &["1 | public | a | 5"]).build();
    let b = tables(B, &["1 | public | a | 9"]).meta(|m| m.system_identifier = Some("2".into())).build();
    let options = Options { allow_different_servers: true, ..Options::default() };
    let diff = diff(Arc::clone(&a), b, &options).unwrap();
    assert_eq!(
        told(&diff, "pg_stat_user_tables", &["seq_scan"]),
        ["Int(1) ok? ? >=none (different servers: not subtracted)"]
    );
}

#[test]
fn a_major_upgrade_starts_anew() {
    let a = tables(A, &["1 | public | a | 5", "2 | public | b | 5"]).version(15).build();
    let b = tables(B, &["1 | public | a | 9"]).version(18).build();
    assert_eq!(told(&subtract(&a, &b), "pg_stat_user_tables", &["seq_scan"]), ["Int(1) new ? >=9"]);
}

fn notes(a: Literal, b: Literal, view: &str) -> Vec<String> {
    let diff = subtract(&a.build(), &b.build());
    diff.views[view]
        .iter()
        .map(|r| format!("{} {}", r.class().word(), r.notes().collect::<Vec<_>>().join(", ")))
        .collect()
}

#[test]
fn tells_renamed_recreated_and_swapped_tables() {
    let a = tables(A, &["1 | public | a | 5", "2 | public | b | 5", "3 | public | x | 1", "4 | public | y | 1"]);
    let b = tables(B, &["1 | public | a2 | 5", "3 | public | y | 1", "4 | public | x | 1", "9 | public | b | 1"]);
    assert_eq!(
        notes(a, b, "pg_stat_user_tables"),
        [
            "ok renamed_from: public.a",
            "gone ",
            "ok renamed_from: public.x",
            "ok renamed_from: public.y",
            "new recreated"
        ]
    );
}

#[test]
fn an_index_rebuilt_concurrently_goes_on() {
    let index = |at: &str, rows: &[&str]| {
        literal(at).view(
            "pg_stat_user_indexes",
            "relid | indexrelid | schemaname | relname | indexrelname | idx_scan",
            rows,
        )
    };
    let a = index(A, &["1 | 11 | public | a | i | 5", "1 | 12 | public | a | j | 5"]);
    let b = index(B, &["1 | 21 | public | a | i | 7", "1 | 22 | public | a | j | 2"]);
    assert_eq!(notes(a, b, "pg_stat_user_indexes"), ["gone ", "ok reindexed", "new recreated"]);
}

#[test]
fn a_dropped_index_lowers_its_tables_sums_without_a_reset() {
    let both = |at: &str, table: &str, indexes: &[&str]| {
        literal(at).view("pg_stat_user_tables", "relid | schemaname | relname | seq_scan | idx_scan", &[table]).view(
            "pg_stat_user_indexes",
            "relid | indexrelid | schemaname | relname | indexrelname | idx_scan",
            indexes,
        )
    };
    let a = || both(A, "1 | public | a | 5 | 90", &["1 | 11 | public | a | i | 80", "1 | 12 | public | a | j | 10"]);
    let b = || both(B, "1 | public | a | 6 | 13", &["1 | 12 | public | a | j | 13"]);
    assert_eq!(
        told(&subtract(&a().build(), &b().build()), "pg_stat_user_tables", &["seq_scan", "idx_scan"]),
        ["Int(1) ok 600s 1, 3 (index dropped: lower bound)"]
    );
    let only = |l: Literal| {
        let mut s = Arc::unwrap_or_clone(l.build());
        s.tables.remove("pg_stat_user_indexes");
        Arc::new(s)
    };
    assert_eq!(
        told(&subtract(&only(a()), &only(b())), "pg_stat_user_tables", &["idx_scan"]),
        ["Int(1) ok 600s none (index dropped)"]
    );
}

#[test]
fn shared_catalogs_are_not_reset_with_a_database() {
    let both = |at: &str, database: &str, rows: &[&str]| {
        tables(at, rows).view(
            "pg_stat_database",
            "datid | datname | xact_commit | stats_reset",
            &["0 | | 0 |", &format!("16697 | shop | {database}")],
        )
    };
    let a = both(A, "10 |", &["1260 | pg_catalog | pg_authid | 5", "20000 | public | a | 5"]).build();
    let b =
        both(B, "2 | 2026-11-22 12:05:00+00", &["1260 | pg_catalog | pg_authid | 8", "20000 | public | a | 8"]).build();
    assert_eq!(
        told(&subtract(&a, &b), "pg_stat_user_tables", &["seq_scan"]),
        ["Int(1260) ok 600s 3", "Int(20000) reset@2026-11-22T12:05:00.000000Z 300s >=8"]
    );
}

#[test]
fn a_filtered_export_proves_nothing_by_absence() {
    let top = |at: &str, first: i64, calls: i64| {
        let rows: Vec<String> = (0..10).map(|i| format!("10 | 1 | {} | t | {}", first + i, calls - i * 7)).collect();
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        literal(at).version(15).view("pg_stat_statements", "userid | dbid | queryid | toplevel | calls", &rows).build()
    };
    let diff = subtract(&top(A, 1, 1000), &top(B, 2, 2000));
    let lines = told(&diff, "pg_stat_statements", &["calls"]);
    assert_eq!(lines.len(), 10, "nothing is gone");
    assert!(lines[9].contains("new ? >=none (at most the value after"), "{}", lines[9]);
}

#[test]
fn statements_without_user_and_database_are_merged() {
    let s = |at: &str, rows: &[&str]| {
        literal(at).version(15).view("pg_stat_statements", "queryid | calls | total_exec_time", rows).build()
    };
    let diff = subtract(&s(A, &["7 | 3 | 1.5", "7 | 4 | 2.5"]), &s(B, &["7 | 6 | 3.5", "7 | 4 | 2.5"]));
    assert_eq!(told(&diff, "pg_stat_statements", &["calls", "total_exec_time"]), ["Int(7) ok 600s 3, 2"]);
}

#[test]
fn rows_with_one_key_are_one_or_none() {
    let a = tables(A, &["1 | public | a | 5", "1 | public | a | 5", "2 | public | b | 1"]).build();
    let b = tables(B, &["1 | public | a | 6", "2 | public | b | 1", "2 | public | b | 3"]).build();
    let diff = subtract(&a, &b);
    assert_eq!(
        told(&diff, "pg_stat_user_tables", &["seq_scan"]),
        ["Int(1) ok 600s 1"],
        "an ambiguous row is neither gone nor new"
    );
    assert_eq!(diff.notes.kept.iter().filter(|n| n.code == "duplicate-key").count(), 3);
}
