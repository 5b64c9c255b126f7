//! Which snapshots may be subtracted, and which object is which.

use super::{subtract, told};
use crate::diff::{Change, Exact, Options, diff};
use crate::error::Error;
use crate::snapshot::Snapshot;
use crate::snapshot::literal::{Literal, literal};
use crate::time::Timestamp;
use std::sync::Arc;

pub(super) const A: &str = "2026-11-22 12:00:00+00";
pub(super) const B: &str = "2026-11-22 12:10:00+00";
pub(super) const HEAD: &str = "relid | schemaname | relname | seq_scan";

pub(super) fn tables(at: &str, rows: &[&str]) -> Literal {
    literal(at).view("pg_stat_user_tables", HEAD, rows)
}

pub(super) fn code(a: Literal, b: Literal) -> &'static str {
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
        ["Text(\"public\"),Text(\"a\") ok? ? >=none (different servers: not subtracted)"]
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

/// The statements of a table, each its count, time, mean, deviation, least and most; what a client would compute from
/// single calls is in the tests.
fn moments(at: &str, columns: &str, rows: &[&str]) -> Arc<Snapshot> {
    let head = "calls | total_exec_time | mean_exec_time | stddev_exec_time | min_exec_time | max_exec_time";
    literal(at).version(15).view("pg_stat_statements", &format!("{columns} | {head}"), rows).build()
}

#[test]
fn statements_that_cannot_be_told_apart_are_merged() {
    // Calls of 1, 2 and 6 ms by one user, of 5 and 7 ms by another: five calls, 21 ms, mean 4.2, variance 5.36.
    let parts = [("3 | 9 | 3", 14_f64 / 3.0, "1 | 6"), ("2 | 12 | 6", 1.0, "5 | 7")];
    let both =
        |key: &str| parts.map(|(sums, variance, marks)| format!("{key} | {sums} | {} | {marks}", variance.sqrt()));
    for (columns, key) in [
        ("queryid", "7"),
        ("dbid | queryid | toplevel", "1 | 7 | t"),
        ("userid | dbid | queryid", "10 | 1 | 7"),
        ("userid | queryid | toplevel", "10 | 7 | t"),
    ] {
        let rows = both(key);
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        let chain = crate::diff::chain(vec![moments(A, columns, &rows)], &Options::default()).unwrap();
        let statements = &chain.views["pg_stat_statements"];
        assert_eq!(statements.len(), 1, "{columns}");
        let row = statements.get(0).and_then(Change::last).unwrap();
        assert_eq!((row.int("calls"), row.f64("total_exec_time")), (Some(5), Some(21.0)), "{columns}");
        assert_eq!((row.f64("min_exec_time"), row.f64("max_exec_time")), (Some(1.0), Some(7.0)), "{columns}");
        let near = |column: &str, want: f64| (row.f64(column).unwrap() - want).abs() < 1e-12;
        assert!(near("mean_exec_time", 4.2) && near("stddev_exec_time", 5.36_f64.sqrt()), "{columns}");

        // Another call of 3 ms by the second user.
        let more = format!("{key} | 3 | 15 | 5 | {} | 3 | 7", (8.0_f64 / 3.0).sqrt());
        let diff = subtract(&moments(A, columns, &rows), &moments(B, columns, &[rows[0], &more]));
        let view = &diff.views["pg_stat_statements"];
        assert_eq!(view.rows.len(), 1, "{columns}");
        assert_eq!(view.row(0).class().word(), "ok", "{columns}");
        assert_eq!(view.row(0).delta_of("calls"), Some(Exact::Int(1)));
        assert_eq!(view.row(0).delta_of("total_exec_time"), Some(Exact::Float(3.0)));
        assert_eq!(diff.notes.kept.iter().filter(|n| n.code == "merged").count(), 1, "{columns}");
    }
    let whole = "userid | dbid | queryid | toplevel";
    let rows = both("10 | 1 | 7 | t");
    let one = moments(A, whole, &[&rows[0]]);
    assert!(subtract(&one, &moments(B, whole, &[&rows[0]])).notes.kept.iter().all(|n| n.code != "merged"));
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

#[test]
fn toast_index_blocks_of_12_are_no_numbers() {
    let io = |at: &str, version: u8, n: i64| {
        let row = format!("1 | {n} | {n} | {n}");
        let columns = "relid | heap_blks_hit | toast_blks_hit | tidx_blks_hit";
        literal(at).version(version).view("pg_statio_user_tables", columns, &[&row]).build()
    };
    let columns = ["heap_blks_hit", "toast_blks_hit", "tidx_blks_hit"];
    let why = "not to be trusted: PostgreSQL 12 multiplies it by the number of the table's indexes";
    for (version, after, want) in [
        (12, 9, format!("Int(1) ok 600s 4, 4, none ({why})")),
        (12, 3, format!("Int(1) reset? ? >=3, 3, none ({why})")),
        (13, 9, "Int(1) ok 600s 4, 4, 4".to_owned()),
    ] {
        let diff = subtract(&io(A, version, 5), &io(B, version, after));
        assert_eq!(told(&diff, "pg_statio_user_tables", &columns), [want]);
        let view = &diff.views["pg_statio_user_tables"];
        let lane = crate::diff::Lane::of(view, view.view.column("tidx_blks_hit").unwrap().0);
        assert_eq!(lane.is_some(), version == 13, "nor do lanes say more");
        let exact = diff.views["pg_statio_user_tables"].row(0).is_exact();
        assert_eq!(exact, after > 5, "the others are");
    }
}
