//! Histories condensed as they are read say what all their windows added up say.

use super::history::{Op, PLAIN, Server, ops};
use crate::diff::{Chain, Class, Condensing, Exact, Options, chain};
use crate::meta::Notes;
use crate::snapshot::Snapshot;
use crate::snapshot::literal::literal;
use proptest::prelude::*;
use std::sync::Arc;

fn condensed(snapshots: &[Arc<Snapshot>], most: usize) -> Chain {
    let mut out = Condensing::keeping(Options::default(), most);
    for snapshot in snapshots {
        out.push(Arc::clone(snapshot), false).unwrap();
    }
    out.finish(Notes::default()).unwrap()
}

fn whole(snapshots: &[Arc<Snapshot>]) -> Chain {
    chain(snapshots.to_vec(), &Options::default()).unwrap()
}

/// What every object of a view came to: its names, class, delta, covered time.
fn told(chain: &Chain, view: &str, column: &str) -> Vec<String> {
    let Some(view) = chain.view(view) else { return Vec::new() };
    view.iter()
        .filter(|c| c.class() != Class::Gone)
        .map(|c| {
            let name = c.latest().and_then(|r| r.int("relid"));
            let exact = if c.is_exact() { "" } else { ">=" };
            let delta = match c.delta_exact(column) {
                Some(Exact::Int(n)) => n.to_string(),
                other => format!("{other:?}"),
            };
            format!("{name:?} {} {exact}{delta} {:?}", c.class().word(), c.covered_s())
        })
        .collect()
}

/// Snapshots of tables that come, go, come again, start anew; some snapshots lack the view.
fn tables(moves: &[(Vec<(u8, i64)>, bool)]) -> Vec<Arc<Snapshot>> {
    let mut values = [Some(10_i64), Some(500), None, None];
    moves
        .iter()
        .enumerate()
        .map(|(hour, (ops, lacking))| {
            for (value, (what, amount)) in values.iter_mut().zip(ops) {
                *value = match (what, *value) {
                    (0, Some(_)) => None,
                    (0 | 1, None) | (1, Some(_)) => Some(*amount),
                    (_, value) => value.map(|v| v + amount),
                };
            }
            let rows: Vec<String> = values
                .iter()
                .enumerate()
                .filter_map(|(i, v)| {
                    v.map(|v| {
                        format!(
                            "{} | public | t{i} | {v} | {}",
                            100 + i,
                            if v % 3 == 0 { String::new() } else { v.to_string() }
                        )
                    })
                })
                .collect();
            let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
            let time = crate::time::Timestamp::from_seconds(1_790_000_000 + 3_600 * hour as i64).to_string();
            let snapshot = literal(&time).view("pg_stat_bgwriter", "buffers_alloc", &[&(hour * 7).to_string()]);
            if *lacking {
                return snapshot.build();
            }
            snapshot.view("pg_stat_user_tables", "relid | schemaname | relname | seq_scan | idx_scan", &rows).build()
        })
        .collect()
}

fn moves() -> impl Strategy<Value = Vec<(Vec<(u8, i64)>, bool)>> {
    let table = prop_oneof![10 => (2_u8..3, 0_i64..50), 1 => (0_u8..2, 0_i64..30)];
    prop::collection::vec((prop::collection::vec(table, 4..5), prop::bool::weighted(0.1)), 4..14)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn resets_are_added_up_as_in_the_whole(history in prop::collection::vec(ops(true), 4..12), most in 4_usize..7) {
        let mut server = Server::new();
        let mut snapshots = Vec::new();
        for ops in &history {
            server.run(ops);
            snapshots.push(server.export(PLAIN));
        }
        let (whole, condensed) = (whole(&snapshots), condensed(&snapshots, most));
        prop_assert!(condensed.snapshots.len() <= most.max(4));
        prop_assert_eq!((condensed.count(), condensed.elapsed_s), (snapshots.len(), whole.elapsed_s));
        for (view, column) in [
            ("pg_stat_user_tables", "seq_scan"),
            ("pg_stat_database", "xact_commit"),
            ("pg_stat_bgwriter", "buffers_alloc"),
            ("pg_stat_wal", "wal_records"),
        ] {
            prop_assert_eq!(told(&condensed, view, column), told(&whole, view, column), "{}", view);
        }
        let events = |c: &Chain| c.windows.iter().flat_map(|w| w.events.clone()).collect::<Vec<_>>();
        prop_assert_eq!(events(&condensed), events(&whole));
    }

    #[test]
    fn sums_never_exceed_the_whole_where_objects_or_views_are_missing(moves in moves(), most in 4_usize..7) {
        let snapshots = tables(&moves);
        let (whole, condensed) = (whole(&snapshots), condensed(&snapshots, most));
        let view = "pg_stat_user_tables";
        // An object that is only seen between two snapshots of those kept leaves nothing behind but its events.
        let stays = moves.iter().all(|(ops, _)| ops.iter().all(|(what, _)| *what != 0));
        let carried = stays && snapshots.iter().all(|s| s.table(view).is_some());
        let sums = |chain: &Chain| -> std::collections::BTreeMap<i64, Option<Exact>> {
            let view = chain.view(view);
            view.into_iter().flat_map(|v| v.iter().collect::<Vec<_>>()).filter(|c| c.class() != Class::Gone)
                .filter_map(|c| Some((c.latest()?.int("relid")?, c.delta_exact("seq_scan")))).collect()
        };
        let (all, some) = (sums(&whole), sums(&condensed));
        for (relid, sum) in &some {
            let of = |e: &Option<Exact>| e.map_or(0.0, Exact::as_f64);
            let limit = all.get(relid).map_or(0.0, of);
            prop_assert!(of(sum) <= limit, "{relid}: {sum:?} of {limit}\n{:?}\n{:?}", told(&condensed, view, "seq_scan"), told(&whole, view, "seq_scan"));
            if carried {
                prop_assert!(of(sum) == limit, "{relid}: {sum:?} of {limit}");
            }
        }
        if carried {
            let lines = |c: &Chain| told(c, view, "idx_scan").iter().map(|l| l.split(' ').nth(1).unwrap().to_owned()).collect::<Vec<_>>();
            prop_assert_eq!(lines(&condensed), lines(&whole));
        }
    }
}

/// Seen with 10, missing twice, seen with 17, started again: with which number it came is let go.
#[test]
fn what_came_again_and_was_reset_counts_from_what_it_had() {
    let stays = (2, 0);
    let step = |first| (vec![first, stays, stays, stays], false);
    let moves = [stays, (0, 0), stays, (0, 17), (1, 0), stays].map(step);
    let snapshots = tables(&moves);
    let of_first = |chain: &Chain| {
        told(chain, "pg_stat_user_tables", "seq_scan").into_iter().find(|l| l.starts_with("Some(100)")).unwrap()
    };
    assert_eq!(of_first(&whole(&snapshots)), "Some(100) reset? >=7 None");
    assert_eq!(of_first(&condensed(&snapshots, 4)), "Some(100) reset? >=7 None");
}

/// The view is missing before the second snapshot and after the third: what the second alone had is not new later.
#[test]
fn what_the_first_export_of_a_view_had_stays_known() {
    let stays = (2, 0);
    let step = |(second, lacking)| (vec![stays, second, stays, stays], lacking);
    let moves = [(stays, true), ((1, 1), false), ((0, 0), false), ((1, 0), true), ((2, 1), false)].map(step);
    let snapshots = tables(&moves);
    let of_second = |chain: &Chain| {
        told(chain, "pg_stat_user_tables", "seq_scan").into_iter().find(|l| l.starts_with("Some(101)")).unwrap()
    };
    let (whole, condensed) = (whole(&snapshots), condensed(&snapshots, 4));
    assert!(condensed.positions.contains(&1), "{:?}", condensed.positions);
    let hours = "Some(10800.0)";
    assert_eq!(of_second(&whole), format!("Some(101) ok? >=0 {hours}"));
    assert_eq!(of_second(&condensed), format!("Some(101) ok 0 {hours}"));
}

#[test]
fn first_and_last_windows_stay_and_labels_are_those_of_all() {
    let snapshots = tables(&vec![(vec![(2, 1); 4], false); 12]);
    let chain = condensed(&snapshots, 5);
    assert_eq!(chain.positions.len(), 5);
    assert_eq!((chain.positions[0], chain.positions[3], chain.positions[4]), (0, 10, 11));
    assert_eq!((chain.count(), chain.let_go(), chain.all.iter().filter(|g| g.kept).count()), (12, 7, 5));
    assert_eq!(chain.windows.len(), 4);
    let hours: Vec<f64> = chain.windows.iter().map(|w| w.elapsed_s.unwrap() / 3600.0).collect();
    assert_eq!(hours.iter().sum::<f64>(), 11.0);
    assert!(hours.iter().all(|h| *h <= 5.0), "spread over time: {hours:?}");
}

#[test]
fn resets_and_telling_samples_are_let_go_last() {
    let mut server = Server::new();
    let snapshots: Vec<_> = (0..20)
        .map(|i| {
            server.run(if i == 9 { &[Op::ResetDatabase] } else { &[Op::Work(0, 3)] });
            server.export(PLAIN)
        })
        .collect();
    let chain = condensed(&snapshots, 6);
    let window = chain.windows.iter().find(|w| w.events.iter().any(|e| e.kind == "stats_reset_database")).unwrap();
    assert_eq!(
        (&window.before.meta.taken_at, &window.after.meta.taken_at),
        (&snapshots[8].meta.taken_at, &snapshots[9].meta.taken_at)
    );
}
