//! Exports made by hand: one moment in every spelling, where the folder with them exists.

use super::model::{assert_same, rows};
use pgretro::ingest::{Options, read};
use pgretro::snapshot::Snapshot;
use std::path::{Path, PathBuf};

/// The folder with them, from `PGRETRO_SAMPLES` or beside the crate.
fn samples() -> Option<PathBuf> {
    let path = std::env::var_os("PGRETRO_SAMPLES")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/samples"), PathBuf::from)
        .join("hand");
    if path.is_dir() {
        return Some(path);
    }
    eprintln!("SKIPPED: no samples at {}", path.display());
    None
}

fn file(path: &Path) -> Snapshot {
    let mut snapshots =
        read(&[path.to_path_buf()], &Options::default()).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    assert_eq!(snapshots.len(), 1, "{}", path.display());
    snapshots.remove(0)
}

/// What a spelling keeps.
#[derive(Debug, PartialEq)]
enum Keeps {
    /// Every value; NULL and the empty text may be one.
    All,
    /// Rows and columns, but not every digit: the program that wrote it rounds.
    Shape,
    /// Rows that hold neither the separator nor a line break.
    Most,
    /// Nothing that is read: one note says what it is.
    Nothing,
}

fn keeps(number: &str) -> Keeps {
    match number {
        "03" | "04" => Keeps::Most,
        "05" | "06" | "07" | "08" | "23" | "24" | "26" | "27" => Keeps::Nothing,
        "30" | "36" | "40" | "45" | "46" | "48" | "49" => Keeps::Shape,
        _ => Keeps::All,
    }
}

#[test]
fn every_spelling_gives_the_same_tables() {
    let Some(samples) = samples() else { return };
    let mut seen = 0;
    for moment in ["t1", "t2", "t3-datestyles"] {
        let mut paths: Vec<PathBuf> =
            std::fs::read_dir(samples.join(moment)).expect("folder").map(|e| e.expect("entry").path()).collect();
        paths.sort();
        for path in paths {
            let name = path.file_name().expect("a file").to_string_lossy().into_owned();
            let (number, view) = (&name[..2], name.split('.').nth(1).unwrap_or(""));
            let truth = path.with_file_name(format!("01-copy-csv-header.{view}.csv"));
            // Sessions are read live, and the old order of columns of pg_stat_bgwriter is not known without its header.
            if view == "pg_stat_activity" || (matches!(number, "09" | "10") && view == "pg_stat_bgwriter") {
                continue;
            }
            seen += 1;
            let got = file(&path);
            let codes: Vec<&str> = got.meta.notes.kept.iter().map(|n| n.code.as_str()).collect();
            match keeps(number) {
                Keeps::Nothing => {
                    assert!(got.tables.is_empty() && got.unknown.is_empty(), "{name}");
                    assert_eq!(codes.first(), Some(&"unreadable-file"), "{name}");
                    continue;
                }
                Keeps::Most => assert!(codes.contains(&"bad-row") || view == "pg_stat_database", "{name}: {codes:?}"),
                Keeps::All => assert!(
                    codes.iter().all(|c| matches!(*c, "version" | "encoding" | "no-header" | "clock")),
                    "{name}: {codes:?}"
                ),
                Keeps::Shape => {}
            }
            if truth.exists() {
                let truth = file(&truth);
                for (view, want) in &truth.tables {
                    let got = got.tables.get(view).unwrap_or_else(|| panic!("{name}: no {view}"));
                    match keeps(number) {
                        Keeps::All => assert_same(want, got, true, &name),
                        // Taken a moment later, when one table was gone.
                        _ if number == "30" => assert!(want.rows - got.rows <= 1, "{name}"),
                        Keeps::Shape => assert_eq!((want.rows, columns(want)), (got.rows, columns(got)), "{name}"),
                        Keeps::Most => {
                            let want = rows(want, true);
                            assert!(got.rows > 15 || view.ends_with("database"), "{name}: {}", got.rows);
                            assert!(rows(got, true).iter().all(|row| want.contains(row)), "{name}");
                        }
                        Keeps::Nothing => {}
                    }
                }
            }
        }
    }
    assert!(seen > 200, "{seen}");
}

fn columns(table: &pgretro::snapshot::Table) -> Vec<bool> {
    table.columns.iter().map(Option::is_some).collect()
}

#[test]
fn one_file_of_many_views_is_their_files() {
    let Some(samples) = samples() else { return };
    for name in ["25-all-views-one-object.json", "28-several-views-one-file.csv"] {
        let got = file(&samples.join("t1").join(name));
        assert!(got.tables.len() >= 3, "{name}: {:?}", got.tables.keys());
        for (view, table) in &got.tables {
            let truth = samples.join("t1").join(format!("01-copy-csv-header.{view}.csv"));
            if truth.exists() {
                assert_same(&file(&truth).tables[view], table, true, &format!("{name} {view}"));
            }
        }
    }
    let bundle = file(&samples.join("t1/25-all-views-one-object.json"));
    assert_eq!(bundle.meta.version.map(|v| v.to_string()).as_deref(), Some("15.20"));
    assert_eq!(bundle.meta.database.as_deref(), Some("shop"));
}

#[test]
fn what_a_spreadsheet_lost_is_said_and_not_guessed() {
    let Some(samples) = samples() else { return };
    let got = file(&samples.join("t1/45-excel-resaved-de-utf8bom.pg_stat_statements.csv"));
    let statements = &got.tables["pg_stat_statements"];
    assert_eq!(statements.rows, 23);
    assert!((0..23).all(|row| statements.row(row).int("queryid").is_none()));
    assert_eq!(statements.row(0).f64("total_exec_time"), Some(327.045_033_999_998));
    assert!(got.meta.notes.kept.iter().any(|n| n.code == "bad-cell" && n.line == Some(2)), "{:?}", got.meta.notes);
    assert!(got.meta.notes.kept.iter().any(|n| n.code == "no-offset"));
    assert_eq!(got.meta.notes.counts.iter().find(|(k, _)| k.starts_with("bad-cell")).map(|(_, n)| *n), Some(23));
}
