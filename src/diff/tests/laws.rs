//! Laws that hold whatever happened to the server.

use super::history::{Export, Op, PLAIN, Server, TABLES, ops};
use super::{subtract, told};
use crate::diff::{Chain, Class, Diff, DiffRow, Event, Exact, Options, chain};
use crate::snapshot::Snapshot;
use proptest::prelude::*;
use std::sync::Arc;

const VIEWS: [(&str, &str); 4] = [
    ("pg_stat_user_tables", "seq_scan"),
    ("pg_stat_database", "xact_commit"),
    ("pg_stat_bgwriter", "buffers_alloc"),
    ("pg_stat_wal", "wal_records"),
];

fn whole_of(delta: Option<Exact>) -> i128 {
    match delta {
        Some(Exact::Int(n)) => n,
        other => panic!("{other:?}"),
    }
}

/// Deltas of the counters above, view by view, row by row.
fn deltas(diff: &Diff) -> Vec<i128> {
    VIEWS
        .iter()
        .flat_map(|(view, column)| diff.views[view].iter().map(|r| whole_of(r.delta_of(column))).collect::<Vec<_>>())
        .collect()
}

fn sums(chain: &Chain) -> Vec<i128> {
    VIEWS
        .iter()
        .flat_map(|(view, column)| {
            chain.views[view].iter().map(|c| whole_of(c.delta_exact(column))).collect::<Vec<_>>()
        })
        .collect()
}

fn chained(snapshots: &[Arc<Snapshot>]) -> Chain {
    chain(snapshots.to_vec(), &Options::default()).unwrap()
}

/// Three snapshots of a server, and what was truly scanned between the first and the last.
fn three(first: &[Op], second: &[Op], third: &[Op], how: Export) -> ([Arc<Snapshot>; 3], [u64; TABLES]) {
    let mut server = Server::new();
    server.run(first);
    let before = server.true_scans;
    let a = server.export(how);
    server.run(second);
    let b = server.export(how);
    server.run(third);
    let c = server.export(how);
    ([a, b, c], std::array::from_fn(|t| server.true_scans[t] - before[t]))
}

/// A subtraction as lines, for comparing whole results.
fn all(diff: &Diff) -> Vec<String> {
    VIEWS.iter().flat_map(|(view, column)| told(diff, view, &[column])).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn nothing_changed_between_a_snapshot_and_itself(first in ops(true)) {
        let mut server = Server::new();
        server.run(&first);
        let diff = subtract(&server.export(PLAIN), &server.export(PLAIN));
        prop_assert!(deltas(&diff).iter().all(|d| *d == 0));
        prop_assert!(diff.events.is_empty(), "{:?}", diff.events);
        prop_assert!(diff.views.values().all(|v| v.verdicts.iter().all(|d| d.class == Class::Ok)));
    }

    #[test]
    fn windows_without_a_reset_add_up(first in ops(false), second in ops(false), third in ops(false)) {
        let ([a, b, c], _) = three(&first, &second, &third, PLAIN);
        let added: Vec<i128> =
            deltas(&subtract(&a, &b)).iter().zip(deltas(&subtract(&b, &c))).map(|(x, y)| x + y).collect();
        prop_assert_eq!(&added, &deltas(&subtract(&a, &c)));
        prop_assert_eq!(&added, &sums(&chained(&[a, b, c])));
    }

    #[test]
    fn no_reset_makes_a_delta_too_high(
        first in ops(true), second in ops(true), third in ops(true), resets in any::<bool>(),
    ) {
        let ([a, b, c], truth) = three(&first, &second, &third, Export { resets, ..PLAIN });
        let ends = deltas(&subtract(&a, &c));
        let sums = sums(&chained(&[a, b, c]));
        prop_assert!(ends.iter().all(|d| *d >= 0));
        prop_assert!(sums.iter().zip(&ends).all(|(s, e)| s >= e), "{sums:?} {ends:?}");
        for (table, truth) in truth.into_iter().enumerate() {
            prop_assert!(sums[table] <= i128::from(truth), "table {table}: {} of {truth}", sums[table]);
        }
    }

    #[test]
    fn what_is_called_exact_is_exact(first in ops(true), second in ops(true)) {
        let ([a, b, _], _) = three(&first, &second, &[], PLAIN);
        let ([_, _, _], truth) = three(&first, &second, &[], PLAIN);
        let diff = subtract(&a, &b);
        for (row, truth) in diff.views["pg_stat_user_tables"].iter().zip(truth) {
            if row.class() == Class::Ok {
                prop_assert!(whole_of(row.delta_of("seq_scan")) <= i128::from(truth));
            }
            if row.class() == Class::Reset {
                prop_assert!(second.iter().any(|o| matches!(o, Op::ResetTable(_) | Op::ResetDatabase | Op::Crash)));
            }
        }
    }

    #[test]
    fn neither_the_order_of_rows_nor_of_arguments_shows(first in ops(true), second in ops(true)) {
        let ([a, b, _], _) = three(&first, &second, &[], PLAIN);
        let ([ra, rb, _], _) = three(&first, &second, &[], Export { reversed: true, ..PLAIN });
        let straight = subtract(&a, &b);
        for other in [subtract(&b, &a), subtract(&ra, &rb), subtract(&rb, &a)] {
            prop_assert_eq!(all(&straight), all(&other));
            prop_assert_eq!(&straight.events, &other.events);
        }
    }

    #[test]
    fn without_reset_times_no_delta_rises(first in ops(true), second in ops(true)) {
        let ([a, b, _], _) = three(&first, &second, &[], PLAIN);
        let ([na, nb, _], _) = three(&first, &second, &[], Export { resets: false, ..PLAIN });
        let (with, without) = (deltas(&subtract(&a, &b)), deltas(&subtract(&na, &nb)));
        prop_assert!(without.iter().zip(&with).all(|(n, w)| (0..=*w).contains(n)), "{with:?} {without:?}");
    }

    #[test]
    fn longer_seconds_make_lower_rates_and_the_same_deltas(first in ops(true), second in ops(true), slow in 2_u64..5) {
        let ([a, b, _], _) = three(&first, &second, &[], PLAIN);
        let ([sa, sb, _], _) = three(&first, &second, &[], Export { slow, ..PLAIN });
        let (fast, slowed) = (subtract(&a, &b), subtract(&sa, &sb));
        prop_assert_eq!(deltas(&fast), deltas(&slowed));
        let (column, _) = fast.views["pg_stat_user_tables"].view.column("seq_scan").unwrap();
        for (x, y) in fast.views["pg_stat_user_tables"].iter().zip(slowed.views["pg_stat_user_tables"].iter()) {
            if let (Some(x), Some(y)) = (x.per_second(column), y.per_second(column)) {
                prop_assert!((x - y * slow as f64).abs() <= 1e-9 * x.abs());
            }
        }
    }

    #[test]
    fn larger_counters_have_larger_deltas_and_the_same_classes(
        first in ops(true), second in ops(true), times in 2_u64..1000,
    ) {
        let ([a, b, _], _) = three(&first, &second, &[], PLAIN);
        let ([la, lb, _], _) = three(&first, &second, &[], Export { times, ..PLAIN });
        let (small, large) = (subtract(&a, &b), subtract(&la, &lb));
        let scaled: Vec<i128> = deltas(&small).iter().map(|d| d * i128::from(times)).collect();
        prop_assert_eq!(scaled, deltas(&large));
        for (view, _) in VIEWS {
            let classes = |d: &Diff| d.views[view].iter().map(DiffRow::class).collect::<Vec<_>>();
            prop_assert_eq!(classes(&small), classes(&large));
        }
    }

    #[test]
    fn others_do_not_matter(first in ops(true), second in ops(true)) {
        let ([a, b, _], _) = three(&first, &second, &[], PLAIN);
        let ([ca, cb, _], _) = three(&first, &second, &[], Export { crowded: true, ..PLAIN });
        let (alone, crowded) = (subtract(&a, &b), subtract(&ca, &cb));
        let mut told = all(&crowded);
        prop_assert!(told.remove(0).starts_with("Int(99) "));
        prop_assert_eq!(all(&alone), told);
        prop_assert_eq!(&alone.events, &crowded.events);
        prop_assert_eq!(crowded.views["pg_stat_user_functions"].rows.len(), 1);
    }

    #[test]
    fn a_new_name_is_a_label(first in ops(true), second in ops(true)) {
        let ([a, b, _], _) = three(&first, &second, &[], PLAIN);
        let ([_, renamed, _], _) = three(&first, &second, &[], Export { renamed: true, ..PLAIN });
        let (before, after) = (subtract(&a, &b), subtract(&a, &renamed));
        prop_assert_eq!(all(&before), all(&after));
        let tables = &after.views["pg_stat_user_tables"];
        for (t, row) in tables.iter().enumerate() {
            let (new, old) = (format!("r{t}"), format!("renamed_from: public.t{t}"));
            prop_assert_eq!(row.latest().and_then(|r| r.text("relname")), Some(new.as_str()));
            prop_assert!(row.notes().any(|n| n == old));
        }
        let names = |e: &&Event| e.kind == "renamed";
        prop_assert_eq!(after.events.iter().filter(names).count(), TABLES);
        prop_assert_eq!(before.events.iter().filter(names).count(), 0);
        // Events that are about a table call it by its name.
        prop_assert_eq!(before.events.len(), after.events.iter().filter(|e| !names(e)).count());
    }

    #[test]
    fn a_window_split_hides_no_reset_and_its_exact_sums_are_true(
        first in ops(true), second in ops(true), third in ops(true),
    ) {
        let ([a, b, c], truth) = three(&first, &second, &third, PLAIN);
        let whole = subtract(&a, &c);
        let split = chained(&[a, b, c]);
        let tables = &split.views["pg_stat_user_tables"];
        for ((row, change), truth) in whole.views["pg_stat_user_tables"].iter().zip(tables.iter()).zip(truth) {
            let lost = |class| matches!(class, Class::Reset | Class::ResetUnsure);
            prop_assert!(!lost(row.class()) || lost(change.class()), "{:?} became {:?}", row.class(), change.class());
            let sum = whole_of(change.delta_exact("seq_scan"));
            if row.is_exact() {
                prop_assert_eq!(whole_of(row.delta_of("seq_scan")), i128::from(truth), "one window");
            }
            if change.is_exact() {
                prop_assert_eq!(sum, i128::from(truth), "two windows");
            }
            if row.is_exact() && change.is_exact() {
                prop_assert_eq!(row.verdict().covered_s, change.covered_s());
            }
        }
    }
}
