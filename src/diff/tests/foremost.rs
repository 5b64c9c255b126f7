//! Rows left out while reading change nothing of what is said of the others.

use super::files::{FATES, Fate, write};
use crate::catalog::View;
use crate::diff::{Diff, Exact, Foremost, Options, ViewDiff, diff};
use crate::ingest::{self, Opened, Wanted};
use proptest::prelude::*;
use std::fmt::Write;
use std::hash::BuildHasher;
use std::path::Path;
use std::sync::Arc;

fn open(folder: &Path) -> Opened {
    ingest::open(&[folder.to_owned()], &ingest::Options::default()).unwrap().remove(0)
}

fn telling(view: &View) -> Option<usize> {
    view.column(view.telling).map(|(at, _)| at)
}

fn both(folder: &Path, most: usize, moved: bool) -> (Option<Diff>, Diff) {
    let (a, b) = (open(&folder.join("a")), open(&folder.join("b")));
    let (wanted, options) = (Wanted::all(), Options::default());
    let foremost = Foremost { most, moved, by: &telling, keep: None, least: 0 }.diff(&a, &b, &wanted, &options);
    let whole = diff(Arc::new(a.read(&wanted).unwrap()), Arc::new(b.read(&wanted).unwrap()), &options).unwrap();
    (foremost, whole)
}

/// All that is said of a row, under its key.
fn said(view: &ViewDiff, at: usize) -> String {
    let row = view.row(at);
    let mut out = format!("{:?} {:?} {:?}", row.class(), row.verdict(), row.notes().collect::<Vec<_>>());
    for c in 0..view.view.columns.len() {
        let _ = write!(out, " {:?}/{:?}/{:?}", row.value_before(c), row.value_after(c), row.delta(c));
    }
    out
}

fn weight(view: &ViewDiff, at: usize) -> f64 {
    let by = telling(view.view).unwrap();
    view.row(at).delta(by).0.map_or(f64::NEG_INFINITY, Exact::as_f64)
}

fn compare(few: &Diff, whole: &Diff, most: usize) {
    assert_eq!(few.events, whole.events);
    assert_eq!(few.elapsed_s, whole.elapsed_s);
    let notes = |d: &Diff| d.notes.kept.iter().map(|n| n.message.clone()).collect::<Vec<_>>();
    assert_eq!(notes(few), notes(whole));
    for side in [(&few.before.meta, &whole.before.meta), (&few.after.meta, &whole.after.meta)] {
        assert_eq!(
            (side.0.taken_at, side.0.time_source, side.0.version),
            (side.1.taken_at, side.1.time_source, side.1.version)
        );
    }
    for (name, view) in &whole.views {
        let own = &few.views[name];
        assert_eq!(own.count(), view.count(), "{name}");
        for c in 0..view.view.columns.len() {
            let kind = view.view.columns[c].kind;
            if kind.is_counter() || kind.is_gauge() {
                assert_eq!(own.sum(c), view.sum(c), "{name}.{}", view.view.columns[c].name);
            }
        }
        let all: Vec<String> = (0..view.rows.len()).map(|at| said(view, at)).collect();
        let given: Vec<String> = (0..own.rows.len()).map(|at| said(own, at)).collect();
        assert!(given.iter().all(|row| all.contains(row)), "{name}: every row given is one of all");
        // Whatever is not `ok`, and the foremost, are among them.
        let mut ranked: Vec<usize> = (0..view.rows.len()).collect();
        ranked.sort_by(|a, b| weight(view, *b).total_cmp(&weight(view, *a)).then(a.cmp(b)));
        let telling = (0..view.rows.len()).filter(|at| !all[*at].starts_with("Ok "));
        for at in ranked.into_iter().take(most).chain(telling) {
            assert!(given.contains(&all[at]), "{name}: {}", all[at]);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]
    #[test]
    fn what_is_left_out_changes_nothing_else(
        dice in prop::collection::vec((0_usize..40, 0_usize..FATES.len()), 1400..1700),
        most in 0_usize..40,
    ) {
        let mut fates: Vec<Fate> = dice.iter().map(|(die, fate)| match die {
            0 => FATES[*fate],
            n if n % 2 == 1 => Fate::Idle,
            _ => Fate::Busy,
        }).collect();
        // Whole runs of rows come and go, too.
        let run = fates.len() / 10;
        fates[200..200 + run].fill(Fate::Created);
        fates[600..600 + run].fill(Fate::Dropped);
        let folder = tempfile::tempdir().unwrap();
        write(&folder.path().join("a"), &fates, false);
        write(&folder.path().join("b"), &fates, true);
        let (few, whole) = both(folder.path(), most, false);
        let few = few.expect("is written the plain way");
        prop_assert!(few.views["pg_stat_user_tables"].rows.len() < fates.len());
        compare(&few, &whole, most);
    }
}

/// Exports have no order that could be relied on.
#[test]
fn rows_in_any_order_find_each_other() {
    let fates: Vec<Fate> = (0..11_000)
        .map(|n| match n % 97 {
            0 => FATES[n / 97 % FATES.len()],
            m if m % 2 == 0 => Fate::Busy,
            _ => Fate::Idle,
        })
        .collect();
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("a"), &fates, false);
    write(&folder.path().join("b"), &fates, true);
    for name in ["pg_stat_user_tables.csv", "pg_stat_user_indexes.csv"] {
        let path = folder.path().join("b").join(name);
        let text = std::fs::read_to_string(&path).unwrap();
        let (head, rows) = text.split_once('\n').unwrap();
        let mut rows: Vec<&str> = rows.lines().collect();
        rows.sort_by_cached_key(|row| foldhash::fast::FixedState::default().hash_one(row));
        std::fs::write(&path, format!("{head}\n{}\n", rows.join("\n"))).unwrap();
    }
    let (few, whole) = both(folder.path(), 25, true);
    let few = few.expect("is read the short way");
    assert!(few.views["pg_stat_user_indexes"].rows.len() < fates.len() / 10);
    compare(&few, &whole, 25);
}

/// Makes a file odd.
type Change = fn(&str) -> String;

/// The same rows with one thing odd about them: they are read whole then, or nothing is different.
#[test]
fn what_is_not_plain_is_read_whole() {
    let fates: Vec<Fate> = (0..1200).map(|n| if n % 3 == 0 { Fate::Busy } else { Fate::Idle }).collect();
    let odd: [(&str, &str, Change); 7] = [
        ("a key twice", "b", |text| format!("{text}{}", text.lines().nth(5).map(|l| format!("{l}\n")).unwrap())),
        ("a number that is none", "b", |text| text.replace(",app,t_5,", ",app,t_5,x")),
        ("a negative number", "b", |text| text.replace(",app,t_5,", ",app,t_5,-")),
        ("a time without offset", "a", |text| text.replacen(".25+00", ".25", 1)),
        ("another order", "b", |text| {
            let (head, rows) = text.split_once('\n').unwrap();
            let rows: Vec<&str> = rows.lines().rev().collect();
            format!("{head}\n{}\n", rows.join("\n"))
        }),
        ("other names", "b", |text| text.replace(",app,t_", ",app,new_t_")),
        ("a row of another length", "a", |text| format!("{text}1,2,3\n")),
    ];
    for (what, side, change) in odd {
        let folder = tempfile::tempdir().unwrap();
        write(&folder.path().join("a"), &fates, false);
        write(&folder.path().join("b"), &fates, true);
        let path = folder.path().join(side).join("pg_stat_user_tables.csv");
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(both(folder.path(), 3, true).0.is_some(), "{what}: before");
        std::fs::write(&path, change(&text)).unwrap();
        let (few, whole) = both(folder.path(), 3, true);
        // Where it is not refused, nothing is different.
        match few {
            Some(few) if what == "another order" || what == "other names" => compare(&few, &whole, 0),
            few => assert!(few.is_none(), "{what}"),
        }
    }
}
