//! Chains: windows added up, views and objects missing in the middle, single snapshots.

use crate::diff::{Exact, Options, chain};
use crate::snapshot::Snapshot;
use crate::snapshot::literal::literal;
use std::sync::Arc;

const HEAD: &str = "relid | schemaname | relname | seq_scan";

fn at(minute: u32, rows: &[&str]) -> Arc<Snapshot> {
    literal(&format!("2026-11-22 12:{minute:02}:00+00")).view("pg_stat_user_tables", HEAD, rows).build()
}

/// `relid class covered delta exact?` of each object.
fn told(snapshots: &[Arc<Snapshot>]) -> Vec<String> {
    let chain = chain(snapshots.to_vec(), &Options::default()).unwrap();
    chain.views["pg_stat_user_tables"]
        .iter()
        .map(|c| {
            let delta = match c.delta_exact("seq_scan") {
                Some(Exact::Int(n)) => n.to_string(),
                other => format!("{other:?}"),
            };
            let covered = c.covered_s().map_or_else(|| "?".to_owned(), |s| format!("{s}s"));
            let relid = c.latest().and_then(|r| r.int("relid")).unwrap();
            format!("{relid} {} {covered} {}{delta}", c.class().word(), if c.is_exact() { "" } else { ">=" })
        })
        .collect()
}

#[test]
fn adds_up_deltas_and_takes_the_worst_class() {
    let history = [
        at(0, &["1 | public | a | 5", "2 | public | b | 5", "3 | public | c | 1"]),
        at(10, &["1 | public | a | 7", "2 | public | b | 1", "3 | public | c | 2", "4 | public | d | 3"]),
        at(20, &["1 | public | a | 9", "2 | public | b | 4", "4 | public | d | 8"]),
    ];
    assert_eq!(told(&history), ["1 ok 1200s 4", "2 reset? ? >=4", "3 gone 600s >=1", "4 new 1200s 8"]);
}

#[test]
fn an_object_missing_in_the_middle_is_missing_data() {
    let history = [
        at(0, &["1 | public | a | 5", "2 | public | b | 5"]),
        at(10, &["1 | public | a | 6"]),
        at(20, &["1 | public | a | 7", "2 | public | b | 9"]),
    ];
    assert_eq!(told(&history), ["1 ok 1200s 2", "2 ok? 1200s >=4"]);
    let again = [at(0, &["2 | public | b | 5"]), at(10, &[]), at(20, &["2 | public | b | 3"])];
    assert_eq!(told(&again), ["2 reset 600s >=3"], "lower than before: another life");
}

#[test]
fn a_view_missing_in_the_middle_is_bridged() {
    let without = literal("2026-11-22 12:10:00+00").build();
    let history = [at(0, &["1 | public | a | 5"]), without, at(20, &["1 | public | a | 9"])];
    assert_eq!(told(&history), ["1 ok 1200s 4"]);
    let chain = chain(history.to_vec(), &Options::default()).unwrap();
    let change = chain.views["pg_stat_user_tables"].iter().next().unwrap();
    assert_eq!(change.windows(), [None, None], "in neither window by itself");
}

#[test]
fn one_snapshot_is_a_total_since_the_statistics_began() {
    let one = literal("2026-11-22 12:00:00+00")
        .view("pg_stat_database", "datid | datname | stats_reset", &["16697 | shop | 2026-11-22 11:00:00+00"])
        .view("pg_stat_user_tables", HEAD, &["2 | public | b | 5", "1 | public | a | 7"])
        .build();
    assert_eq!(told(&[one]), ["1 ok 3600s 7", "2 ok 3600s 5"]);
}

#[test]
fn the_order_given_does_not_matter_and_duplicates_are_dropped() {
    let [a, b, c] = [5, 7, 9].map(|n| at(n, &[&format!("1 | public | a | {n}")]));
    let sorted = told(&[Arc::clone(&a), Arc::clone(&b), Arc::clone(&c)]);
    assert_eq!(told(&[c, Arc::clone(&a), b, a]), sorted);
}
