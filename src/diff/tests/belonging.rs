//! What may be compared where snapshots are not of one database, cluster or clock.

use super::identity::{A, B, HEAD, code, tables};
use super::{subtract, told};
use crate::diff::{Diff, Exact, Options, diff};
use crate::error::Error;
use crate::snapshot::literal::{Literal, literal};

const SIZED: &str = "relid | schemaname | relname | seq_scan | n_live_tup";

fn of(at: &str, name: &str, oid: i64, row: &str) -> Literal {
    literal(at)
        .view("pg_stat_user_tables", SIZED, &[row])
        .view("pg_stat_wal", "wal_records", &[if at == A { "10" } else { "15" }])
        .meta(|m| (m.database, m.database_oid) = (Some(name.to_owned()), Some(oid)))
}

fn codes(diff: &Diff) -> Vec<&str> {
    diff.notes.kept.iter().map(|n| n.code.as_str()).collect()
}

#[test]
fn views_of_different_databases_are_refused_and_the_clusters_are_not() {
    let (a, b) = (of(A, "shop", 1, "7 | public | a | 5 | 50"), of(B, "bank", 2, "7 | public | a | 9 | 90"));
    let diff = subtract(&a.build(), &b.build());
    assert_eq!(codes(&diff), ["E-DB"]);
    assert_eq!(told(&diff, "pg_stat_wal", &["wal_records"]), [" ok 600s 5"]);
    assert!(!diff.views.contains_key("pg_stat_user_tables"));
    assert!(diff.view("pg_stat_wal").is_ok());
    assert!(matches!(diff.view("pg_stat_user_tables"), Err(Error::Identity { code: "E-DB", .. })));
    assert!(matches!(diff.view("pg_stat_io"), Err(Error::Input { .. })), "not there at all");
    let only = |l: Literal, name: &str, oid| l.meta(|m| (m.database, m.database_oid) = (Some(name.into()), Some(oid)));
    let (a, b) =
        (only(tables(A, &["7 | public | a | 5"]), "shop", 1), only(tables(B, &["7 | public | a | 9"]), "bank", 2));
    assert_eq!(code(a, b), "E-DB", "nothing that could be compared");
}

#[test]
fn a_chain_over_different_databases_takes_nothing_from_the_other() {
    let a = of(A, "shop", 1, "6 | public | x | 5 | 50").build();
    let b = literal(B)
        .view("pg_stat_user_tables", SIZED, &["6 | public | y | 1 | 1", "7 | public | a | 9 | 90"])
        .view("pg_stat_wal", "wal_records", &["15"])
        .meta(|m| (m.database, m.database_oid) = (Some("bank".to_owned()), Some(2)));
    let chain = crate::diff::chain(vec![a, b.build()], &Options::default()).unwrap();
    assert!(chain.first().table("pg_stat_user_tables").is_none());
    for change in chain.views["pg_stat_user_tables"].iter() {
        let names = [change.first(), change.last()].map(|r| r.and_then(|r| r.text("relname")));
        assert_eq!(names[0], names[1]);
        assert_eq!(change.delta_exact("seq_scan"), None);
    }
    assert_eq!(chain.views["pg_stat_wal"].get(0).and_then(|c| c.delta_exact("wal_records")), Some(Exact::Int(5)));
}

#[test]
fn a_renamed_database_is_the_same() {
    let (a, b) = (of(A, "shop", 1, "7 | public | a | 5 | 50"), of(B, "store", 1, "7 | public | a | 9 | 90"));
    let diff = subtract(&a.build(), &b.build());
    assert_eq!(codes(&diff), ["W-DB"]);
    assert_eq!(told(&diff, "pg_stat_user_tables", &["seq_scan"]), ["Int(7) ok 600s 4"]);
}

#[test]
fn a_database_created_anew_has_new_counters_and_the_same_names() {
    let (a, b) = (of(A, "shop", 1, "7 | public | a | 5 | 50"), of(B, "shop", 2, "8 | public | a | 9 | 90"));
    let diff = subtract(&a.build(), &b.build());
    assert_eq!(codes(&diff), ["W-DB"]);
    assert_eq!(told(&diff, "pg_stat_user_tables", &["seq_scan"]), ["Text(\"public\"),Text(\"a\") new ? >=9"]);
    let (live, _) = diff.views["pg_stat_user_tables"].view.column("n_live_tup").unwrap();
    assert_eq!(diff.views["pg_stat_user_tables"].row(0).change(live), Some(Exact::Int(40)), "levels go on by name");
    // A restored table may have the OID that another one had.
    let (a, b) = (of(A, "shop", 1, "7 | public | a | 5 | 50"), of(B, "shop", 2, "7 | public | z | 9 | 90"));
    let diff = subtract(&a.build(), &b.build());
    assert_eq!(diff.views["pg_stat_user_tables"].row(0).change(live), None);
}

#[test]
fn objects_of_different_clusters_are_matched_by_name() {
    let a = tables(A, &["1 | public | a | 5", "2 | public | b | 6"]).build();
    let b = tables(B, &["2 | public | a | 9", "1 | public | b | 8"]).meta(|m| m.system_identifier = Some("2".into()));
    let options = Options { allow_different_servers: true, ..Options::default() };
    let diff = diff(a, b.build(), &options).unwrap();
    let scans: Vec<_> = diff.views["pg_stat_user_tables"]
        .iter()
        .map(|r| (r.before().and_then(|r| r.int("seq_scan")), r.after().and_then(|r| r.int("seq_scan"))))
        .collect();
    assert_eq!(scans, [(Some(5), Some(9)), (Some(6), Some(8))]);
    assert!(diff.views["pg_stat_user_tables"].iter().all(|r| r.delta_of("seq_scan").is_none()));
}

#[test]
fn a_zone_unknown_on_one_side_leaves_deltas_without_rates() {
    let day = "2026-11-23 12:10:00+00";
    for (later, zones, want, warned) in [
        (B, (false, true), "Int(1) ok ? 6000", true),
        (B, (true, false), "Int(1) ok ? 6000", true),
        (B, (true, true), "Int(1) ok 600s 6000", false),
        (B, (false, false), "Int(1) ok 600s 6000", false),
        (day, (false, true), "Int(1) ok 87000s 6000", false),
    ] {
        let a = tables(A, &["1 | public | a | 5"]).meta(|m| m.zone_unknown = zones.0).build();
        let b = tables(later, &["1 | public | a | 6005"]).meta(|m| m.zone_unknown = zones.1).build();
        let diff = subtract(&a, &b);
        assert_eq!(told(&diff, "pg_stat_user_tables", &["seq_scan"]), [want], "{zones:?}");
        assert_eq!(codes(&diff).contains(&"W-ZONE"), warned, "{zones:?}");
        assert_eq!(diff.elapsed_s.is_none(), warned, "{zones:?}");
        let chain = crate::diff::chain(vec![a, b], &Options::default()).unwrap();
        assert_eq!(chain.elapsed_s.is_none(), warned, "{zones:?}");
        let rate = chain.views["pg_stat_user_tables"].get(0).and_then(|c| c.rate("seq_scan"));
        assert_eq!(rate.is_none(), warned, "{zones:?}");
    }
}

#[test]
fn two_views_that_fall_together_look_like_another_server() {
    let both = |at: &str, scans: i64, hits: i64, node: Option<&str>| {
        literal(at)
            .view("pg_stat_user_tables", HEAD, &[&format!("1 | public | a | {scans}")])
            .view(
                "pg_stat_user_functions",
                "funcid | schemaname | funcname | calls",
                &[&format!("1 | public | f | {hits}")],
            )
            .meta(|m| m.node = node.map(Into::into))
            .build()
    };
    for (after, node, want) in
        [((2, 3), None, true), ((2, 30), None, false), ((20, 30), None, false), ((2, 3), Some("a"), false)]
    {
        let diff = subtract(&both(A, 10, 10, node), &both(B, after.0, after.1, node));
        let said = diff.notes.kept.iter().find(|n| n.code == "W-NODE");
        assert_eq!(said.is_some(), want, "{after:?} {node:?}");
        if let Some(note) = said {
            assert_eq!(
                note.message,
                "pg_stat_user_functions, pg_stat_user_tables went backwards without a reset: two different servers, or a \
                 restored copy?"
            );
        }
    }
}
