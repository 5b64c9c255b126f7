//! The shipped exports of one moment in every spelling: each gives the same rows, or says what it lost.

use super::model::{assert_same, rows};
use super::written::file;
use pgretro::ingest::{Options, read};
use pgretro::snapshot::{Snapshot, Table};
use std::path::{Path, PathBuf};

fn formats() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join("formats")
}

fn one(name: &str) -> Snapshot {
    let mut all = read(&[formats().join(name)], &Options::default()).expect(name);
    assert_eq!(all.len(), 1, "{name}");
    all.remove(0)
}

/// What is left of the moment in a file.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Left {
    /// Every value.
    All,
    /// Every row and column; the program that wrote it rounded numbers or lost zones.
    Rounded,
    /// Nothing: one note says what the file is.
    Nothing,
}

const FILES: [(&str, Left); 22] = [
    ("copy-csv-header.pg_stat_database.csv", Left::All),
    ("psql-csv.pg_stat_database.csv", Left::All),
    ("psql-unaligned-pipe.pg_stat_database.txt", Left::All),
    ("psql-unaligned-tuples-only.pg_stat_database.txt", Left::All),
    ("copy-text.pg_stat_database.tsv", Left::All),
    ("copy-csv-noheader.pg_stat_database.csv", Left::All),
    ("copy-text-header.pg_stat_database.tsv", Left::All),
    ("copy-csv-forcequote-null.pg_stat_database.csv", Left::All),
    ("json-agg.pg_stat_database.json", Left::All),
    ("row-to-json.pg_stat_database.ndjson", Left::All),
    ("jsonb-pretty.pg_stat_database.json", Left::All),
    ("psql-semicolon-de-grouped.pg_stat_database.csv", Left::Rounded),
    ("dbeaver-style-bom-quoted-all.pg_stat_database.csv", Left::All),
    ("pgadmin-style-quoted-strings.pg_stat_database.csv", Left::All),
    ("semicolon-comma-decimals.pg_stat_database.csv", Left::All),
    ("excel-resaved-de-utf8bom.pg_stat_database.csv", Left::All),
    ("excel-resaved-de-cp1252-sep-line.pg_stat_database.csv", Left::All),
    ("pandas-to_csv-with-index.pg_stat_database.csv", Left::All),
    ("pandas-to_json-default-columns.pg_stat_database.json", Left::All),
    ("pandas-to_json-records-lines.pg_stat_database.ndjson", Left::All),
    ("psql-aligned.pg_stat_database.txt", Left::Nothing),
    ("psql-expanded-unaligned.pg_stat_database.txt", Left::Nothing),
];

#[test]
fn every_shipped_spelling_is_the_same_moment() {
    let truth = one("copy-csv-header.pg_stat_database.csv");
    let want = &truth.tables["pg_stat_database"];
    assert!(want.rows >= 4 && want.iter().any(|r| r.text("datname").is_none()), "with the shared row");
    for (name, left) in FILES {
        let got = one(name);
        if left == Left::Nothing {
            assert!(got.tables.is_empty() && got.unknown.is_empty(), "{name}");
            let first = got.meta.notes.kept.first().map(|n| n.code.as_str());
            assert_eq!(first, Some("unreadable-file"), "{name}");
            continue;
        }
        let table = &got.tables["pg_stat_database"];
        if left == Left::All {
            assert_same(want, table, true, name);
            continue;
        }
        let names = |t: &Table| {
            let mut names: Vec<_> = t.iter().map(|r| r.text("datname").map(str::to_owned)).collect();
            names.sort();
            names
        };
        assert_eq!(names(want), names(table), "{name}");
        assert_ne!(rows(want, true), rows(table, true), "{name} kept everything: say so");
    }
}

#[test]
fn every_shipped_file_is_tested() {
    let mut known: Vec<String> = FILES.iter().map(|(name, _)| (*name).to_owned()).collect();
    known.sort();
    let mut there: Vec<String> = std::fs::read_dir(formats())
        .expect("the folder")
        .map(|e| e.expect("one").file_name().to_string_lossy().into_owned())
        .filter(|n| n.contains('.'))
        .collect();
    there.sort();
    assert_eq!(known, there);
}

#[test]
fn the_four_formats_of_one_export_are_one() {
    let csv = one("pg16/csv");
    let want = &csv.tables["pg_sequences"];
    assert!(want.rows > 3);
    for (format, blank) in [("json", false), ("ndjson", false), ("psqlcsv", true)] {
        let got = one(&format!("pg16/{format}"));
        assert_same(want, &got.tables["pg_sequences"], blank, format);
    }
}

#[test]
fn line_ends_marks_and_packing_change_nothing() {
    let plain = std::fs::read_to_string(formats().join("copy-csv-header.pg_stat_database.csv")).expect("text");
    let want = file("pg_stat_database.csv", plain.as_bytes());
    let marked = format!("\u{feff}{}", plain.replace('\n', "\r\n"));
    let wide: Vec<u8> = marked.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let packed = zstd::encode_all(marked.as_bytes(), 1).expect("to memory");
    for (name, bytes) in [
        ("pg_stat_database.csv", marked.as_bytes()),
        ("PROD_PG_STAT_DATABASE_20261122.CSV", &wide),
        ("pg_stat_database.csv.zst", &packed),
        ("columns say enough.csv", plain.trim_end().as_bytes()),
    ] {
        let got = file(name, bytes);
        assert_same(&want.tables["pg_stat_database"], &got.tables["pg_stat_database"], false, name);
    }
}
