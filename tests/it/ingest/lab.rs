//! Exports of real servers, where the folder with them exists.

use super::model::assert_same;
use pgretro::catalog::Shape;
use pgretro::ingest::{Options, read};
use pgretro::snapshot::Snapshot;
use std::path::{Path, PathBuf};

/// The folder with the lab's series, from `PGRETRO_LAB` or beside the crate.
pub fn lab() -> Option<PathBuf> {
    let path = std::env::var_os("PGRETRO_LAB")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/lab/data"), PathBuf::from);
    if path.is_dir() {
        return Some(path);
    }
    eprintln!("SKIPPED: no lab data at {}", path.display());
    None
}

fn one(path: PathBuf) -> Snapshot {
    let mut snapshots = read(&[path], &Options::default()).expect("readable");
    assert_eq!(snapshots.len(), 1);
    snapshots.remove(0)
}

#[test]
fn every_format_gives_the_same_tables() {
    let Some(lab) = lab() else { return };
    let csv = one(lab.join("formats-pg16/csv"));
    assert_eq!(csv.tables.len(), 10);
    for (format, blank) in [("json", false), ("ndjson", false), ("psqlcsv", true)] {
        let other = one(lab.join("formats-pg16").join(format));
        assert!(other.meta.notes.is_empty(), "{format}: {:?}", other.meta.notes);
        for (name, table) in &csv.tables {
            // Taken seconds apart: what lives differs.
            if matches!(
                *name,
                "pg_stat_activity" | "pg_locks" | "pg_stat_statements" | "meta" | "pg_stat_io" | "pg_stat_database"
            ) {
                assert_eq!(
                    table.columns.iter().map(Option::is_some).collect::<Vec<_>>(),
                    other.tables[name].columns.iter().map(Option::is_some).collect::<Vec<_>>(),
                    "{format} {name}"
                );
                continue;
            }
            assert_same(table, &other.tables[name], blank, &format!("{format} {name}"));
        }
    }
}

#[test]
fn json_of_a_series_is_its_csv() {
    let Some(lab) = lab() else { return };
    for series in ["mission-queue-pg15", "pgbench-shop-pg18"] {
        let csv = read(&[lab.join(series)], &Options::default()).expect("csv");
        let json = read(&[lab.join(format!("{series}-json"))], &Options::default()).expect("json");
        assert!(!json.is_empty());
        for json in &json {
            let csv = csv.iter().find(|csv| csv.meta.label == json.meta.label).expect("the same moment");
            assert_eq!(csv.meta.taken_at, json.meta.taken_at);
            assert_eq!(csv.meta.system_identifier, json.meta.system_identifier);
            for (name, table) in &csv.tables {
                // Ages, sizes, sessions and statements are live while they are read; these belong to the transaction.
                let frozen = table.view.is_some_and(|v| v.shape == Shape::Counters)
                    || matches!(*name, "index_definitions" | "constraints" | "partitions" | "pg_settings" | "pg_stats");
                if frozen && *name != "pg_stat_statements" {
                    assert_same(table, &json.tables[name], false, &format!("{} {name}", csv.meta.label));
                }
            }
        }
    }
}

#[test]
fn nothing_odd_is_found_in_clean_exports() {
    let Some(lab) = lab() else { return };
    for entry in std::fs::read_dir(&lab).expect("lab") {
        let path = entry.expect("entry").path();
        for snapshot in read(std::slice::from_ref(&path), &Options::default()).expect("series") {
            let odd: Vec<_> = snapshot.meta.notes.kept.iter().filter(|n| n.code != "ignored-file").collect();
            assert!(odd.is_empty(), "{} {}: {odd:#?}", path.display(), snapshot.meta.label);
            assert!(snapshot.unknown.is_empty(), "{}: {:?}", path.display(), snapshot.unknown);
            assert!(snapshot.meta.taken_at.is_some() && snapshot.meta.version.is_some());
        }
    }
}

#[test]
fn checkpoints_have_one_row_in_every_version() {
    let Some(lab) = lab() else { return };
    for series in ["mission-queue-pg13", "mission-queue-pg16", "mission-queue-pg18"] {
        for snapshot in read(&[lab.join(series)], &Options::default()).expect("series") {
            let checkpoints = &snapshot.tables["pg_stat_checkpointer"];
            assert_eq!(checkpoints.rows, 1, "{series}");
            let row = checkpoints.row(0);
            assert!(row.int("num_requested").is_some() && row.time("stats_reset").is_some(), "{series}");
            assert_eq!(snapshot.tables["pg_stat_bgwriter"].rows, 1);
        }
    }
}
