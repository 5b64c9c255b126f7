//! How many statements of real dumps are read, and what of the rest. Skips, saying so, where the dumps are not there.

use pgretro::advisor::sql::{Names, Refused, Text, Unread, read_all};
use pgretro::ingest;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// A folder of dumps: from the environment, else beside the crate.
fn folder(variable: &str, beside: &str) -> Option<PathBuf> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(beside);
    std::env::var_os(variable).map(PathBuf::from).or(Some(beside)).filter(|p| p.is_dir())
}

/// Every distinct text of pg_stat_statements below a folder.
fn texts(folder: &PathBuf) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    let mut series: Vec<PathBuf> = std::fs::read_dir(folder).expect("a folder").flatten().map(|e| e.path()).collect();
    series.sort();
    for path in series {
        let Ok(snapshots) = ingest::read(&[path], &ingest::Options::default()) else { continue };
        for table in snapshots.iter().filter_map(|s| s.table("pg_stat_statements")) {
            out.extend(table.iter().filter_map(|r| r.text("query")).map(str::to_owned));
        }
    }
    out
}

#[test]
fn every_query_of_real_dumps_is_read() {
    let mut all = BTreeSet::new();
    for (variable, beside) in [("PGRETRO_LAB", "../shared/lab/data"), ("PGRETRO_SAMPLES", "../shared/samples")] {
        match folder(variable, beside) {
            Some(folder) => all.extend(texts(&folder)),
            None => eprintln!("skipped: no dumps in {beside}"),
        }
    }
    let texts: Vec<&str> = all.iter().map(String::as_str).collect();
    let given: Vec<Text<'_>> = texts.iter().map(|sql| Text { sql, nested: false, path: &[] }).collect();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut unread = Vec::new();
    for (text, statement) in texts.iter().zip(read_all(&given, &Names::default())) {
        let outcome = match statement {
            Ok(_) => "read".to_owned(),
            Err(why) => {
                // Some tools cut texts when they export them.
                if !matches!(why, Unread::Utility | Unread::Refused(Refused::CutOff)) {
                    unread.push(format!("{why:?}: {}", text.replace('\n', " ")));
                }
                format!("{why:?}")
            }
        };
        *counts.entry(outcome).or_default() += 1;
    }
    eprintln!("{} texts: {counts:?}", texts.len());
    assert!(unread.is_empty(), "not understood:\n{}", unread.join("\n"));
}
