//! The packed history holds what was packed, and is a dump like the one it was made from.

use crate::ingest::model::{assert_same, whole};
use pgretro::ingest::{Options, read};
use pgretro::pack::{Packed, Writer};
use pgretro::snapshot::Snapshot;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

fn options() -> Options {
    Options { hash: true, ..Options::default() }
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)
}

fn snapshots(dump: &Path) -> Vec<Snapshot> {
    read(&[dump.to_path_buf()], &options()).unwrap()
}

fn pack(snapshots: &[Snapshot], folder: &Path, append: bool) -> Packed {
    let mut writer = Writer::new(folder, append).unwrap();
    for snapshot in snapshots {
        writer.push(snapshot).unwrap();
    }
    writer.finish().unwrap()
}

/// Each snapshot as text, paths without what the packed history puts before them.
fn texts(snapshots: &[Snapshot], packed: &Path) -> Vec<String> {
    snapshots.iter().map(|s| whole(s, &format!("{}!/", packed.display()))).collect()
}

/// A dump written by hand: odd names, unknown columns and views, a view in two files, exact numbers, and a large table.
fn odd() -> TempDir {
    let dump = tempfile::tempdir().unwrap();
    let rows = |n: usize, step: usize| -> String {
        let row = |i: usize| format!("{},\"t \"\"{i}\"\"\nline\",{},{},mood {i},\n", 16_384 + i, i * step, i % 7);
        (0..n).map(row).collect::<Vec<_>>().concat()
    };
    let header = "relid,relname,seq_scan,n_dead_tup,mood,_snapshot\n";
    for (name, text) in [
        ("a/pg_stat_user_tables.csv", format!("{header}{}", rows(140_000, 3))),
        ("b/pg_stat_user_tables.csv", format!("{header}{}", rows(5, 7))),
        ("b/pg_stat_all_tables.csv", format!("relid,relname,seq_scan\n{}9,x,oops\n", "1,pg_class,5\n")),
        (
            "b/pg_stat_wal.json",
            r#"[{"wal_records": 5, "wal_bytes": "340282366920938463463374607431768211"}]"#.to_owned(),
        ),
        ("b/Own Things.csv", "a_b,c_d\n1,\"\"\n,x\n".to_owned()),
        ("b/pg_stat_io.csv", String::new()),
        ("b/pg_locks.csv", "pid,mode,granted\n".to_owned()),
        ("c/meta.csv", "captured_at,server_version_num\n2026-01-01 10:00:00.000001+00,180000\n".to_owned()),
        ("c/pg_stat_replication.csv", "pid,sent_lsn,write_lag\n7,16/B374D848,00:00:01.5\n8,,\n".to_owned()),
    ] {
        let path = dump.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    dump
}

#[test]
fn what_was_packed_comes_out() {
    let odd = odd();
    let mut dumps: Vec<PathBuf> = ["classic", "shop", "versions", "pg15-partial", "pg16-recreate", "pg18-odd-names"]
        .iter()
        .map(|name| fixture(name))
        .collect();
    dumps.push(odd.path().to_path_buf());
    for dump in dumps {
        let scratch = tempfile::tempdir().unwrap();
        let packed = scratch.path().join("packed");
        let want = snapshots(&dump);
        let done = pack(&want, &packed, false);
        assert_eq!(done.snapshots + done.repeated, want.len() as u64);
        let got = snapshots(&packed);
        for (want, got) in texts(&want, &packed).iter().zip(&texts(&got, &packed)) {
            let differs = want.lines().zip(got.lines()).find(|(a, b)| a != b);
            assert!(differs.is_none() && want.len() == got.len(), "{}: {differs:?}", dump.display());
        }
        assert_eq!(want.len(), got.len());
    }
}

/// The files of a folder with their bytes.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut out = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            out.extend(files(&path));
        } else {
            out.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    out
}

#[test]
fn appending_leaves_the_rest_as_it_is() {
    let scratch = tempfile::tempdir().unwrap();
    let (packed, at_once) = (scratch.path().join("packed"), scratch.path().join("at-once"));
    let all = snapshots(&fixture("pg16-recreate"));
    pack(&all[..1], &packed, false);
    let before = files(&packed);
    assert!(Writer::new(&packed, false).is_err(), "only with --append");
    let done = pack(&all, &packed, true);
    assert_eq!((done.snapshots, done.repeated), (1, 1));
    let after = files(&packed);
    for (path, bytes) in before.iter().filter(|(path, _)| !path.ends_with("manifest.json")) {
        assert!(after[path] == *bytes, "{}", path.display());
    }
    assert!(after.keys().all(|path| !path.file_name().unwrap().to_string_lossy().starts_with('.')));
    pack(&all, &at_once, false);
    assert_eq!(texts(&snapshots(&packed), &packed), texts(&snapshots(&at_once), &at_once));
    // The same input, the same bytes.
    let again = scratch.path().join("again");
    pack(&all, &again, false);
    assert!(files(&again).values().eq(files(&at_once).values()));
}

fn run(arguments: &[&str]) -> (String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_pgretro")).args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    assert!(output.status.code() < Some(2), "{arguments:?}: {}", text(output.stderr));
    (text(output.stdout), text(output.stderr))
}

/// The analysis of a packed history is that of the folders.
fn assert_equal_analysis(dump: &Path, pair: Option<[&str; 2]>) {
    let scratch = tempfile::tempdir().unwrap();
    let (packed, unpacked) = (scratch.path().join("packed"), scratch.path().join("unpacked"));
    let (dump, packed, unpacked) = (dump.to_str().unwrap(), packed.to_str().unwrap(), unpacked.to_str().unwrap());
    run(&["pack", dump, "-o", packed]);
    let same = |folders: &[&str], history: &[&str]| {
        let (want, got) = (run(folders), run(history));
        let here = format!("{packed}!/");
        assert!(want.0 == got.0.replace(&here, ""), "{history:?}");
        assert_eq!(want.1, got.1.replace(&here, ""), "{history:?}");
    };
    same(&["report", dump, "--format", "json"], &["report", packed, "--format", "json"]);
    same(&["trend", dump, "--format", "json"], &["trend", packed, "--format", "json"]);
    same(&["inspect", dump, "--format", "json"], &["inspect", packed, "--format", "json"]);
    if let Some([a, b]) = pair {
        let of = |place: &str, mark: &str| [a, b].map(|side| format!("{place}{mark}/{side}"));
        let (folders, history) = (of(dump, ""), of(packed, "!"));
        same(
            &["diff", &folders[0], &folders[1], "--format", "json"],
            &["diff", &history[0], &history[1], "--format", "json"],
        );
    }
    // And back again.
    run(&["unpack", packed, "-o", unpacked]);
    let (want, got) = (snapshots(Path::new(dump)), snapshots(Path::new(unpacked)));
    assert_eq!(want.len(), got.len());
    for (want, got) in want.iter().zip(&got) {
        assert_eq!(want.meta.taken_at, got.meta.taken_at);
        for (name, table) in &want.tables {
            assert_same(table, &got.tables[name], false, &format!("{}: {name}", want.meta.label));
        }
    }
}

#[test]
fn analyses_of_a_packed_history_are_those_of_its_folders() {
    assert_equal_analysis(&fixture("pg16-recreate"), Some(["before", "after"]));
    assert_equal_analysis(&fixture("pg18-odd-names"), None);
    assert_equal_analysis(&fixture("pg15-crash"), Some(["before", "after"]));
}

/// Twelve hours of a few tables, in folders that are called by the hour; nothing else says when they were taken.
fn called_by_the_hour() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for hour in 0..12 {
        let own = folder.path().join(format!("20260101T{hour:02}0000Z"));
        fs::create_dir_all(&own).unwrap();
        for (view, key) in [("pg_stat_user_tables", "relid"), ("pg_statio_user_tables", "relid")] {
            let counter = if view.contains("statio") { "heap_blks_read" } else { "seq_scan" };
            let vacuumed = if view.contains("statio") { "" } else { ",last_vacuum" };
            let mut csv = format!("{key},schemaname,relname,{counter}{vacuumed}\n");
            for table in 0..40 {
                let last = format!(",2025-12-31 2{}:17:{table:02}+00", hour % 4);
                let last = if vacuumed.is_empty() { "" } else { &last };
                writeln!(csv, "{},public,t{table},{}{last}", 100 + table, table * hour).unwrap();
            }
            fs::write(own.join(format!("{view}.csv")), csv).unwrap();
        }
    }
    folder
}

/// The name says later than any time in the rows, packed as well.
#[test]
fn a_history_called_by_its_times_keeps_them() {
    assert_equal_analysis(called_by_the_hour().path(), None);
}

/// Snapshots that share a row group are read at once, and none waits for itself.
#[test]
fn many_threads_read_a_packed_history() {
    let history = called_by_the_hour();
    let packed = history.path().join("packed");
    pack(&snapshots(history.path()), &packed, false);
    let threads = rayon::ThreadPoolBuilder::new().num_threads(16).build().unwrap();
    for _ in 0..40 {
        threads.install(|| assert_eq!(snapshots(&packed).len(), 12));
    }
}

#[test]
fn analyses_of_recorded_series_are_the_same_packed() {
    let lab = std::env::var_os("PGRETRO_LAB")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/lab/data"), PathBuf::from);
    if !lab.is_dir() {
        eprintln!("SKIPPED: no lab data at {}", lab.display());
        return;
    }
    assert_equal_analysis(&lab.join("mission-queue-pg18"), None);
}

#[test]
fn an_odd_dump_is_unpacked_as_it_was() {
    let odd = odd();
    fs::remove_dir_all(odd.path().join("a")).unwrap();
    assert_equal_analysis(odd.path(), None);
}

#[test]
fn damage_is_an_error_or_a_note() {
    let scratch = tempfile::tempdir().unwrap();
    let packed = scratch.path().join("packed");
    pack(&snapshots(&fixture("pg16-recreate")), &packed, false);
    let table = packed.join("view=pg_stat_user_tables/000001.parquet");
    let bytes = fs::read(&table).unwrap();
    let refused = || read(std::slice::from_ref(&packed), &options()).map(drop).unwrap_err().to_string();

    // Rows: what is damaged is missing, and said.
    let mut wrong = 0;
    for step in 0..80 {
        let mut bytes = bytes.clone();
        let at = bytes.len() * step / 80;
        if step % 2 == 0 {
            bytes[at] ^= 0x55;
        } else {
            bytes.truncate(at);
        }
        fs::write(&table, bytes).unwrap();
        let got = snapshots(&packed);
        assert_eq!(got.len(), 2);
        assert!(got[0].tables.contains_key("pg_stat_user_indexes"));
        let missing = !got[0].tables.contains_key("pg_stat_user_tables");
        let said = got[0].meta.notes.kept.iter().any(|n| n.code == "unreadable-file");
        assert_eq!(missing, said, "byte {at}");
        wrong += usize::from(missing);
    }
    assert!(wrong > 40, "{wrong}");
    let unpack = Command::new(env!("CARGO_BIN_EXE_pgretro"))
        .args(["unpack", packed.to_str().unwrap(), "-o", scratch.path().join("out").to_str().unwrap()])
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&unpack.stderr).contains("not the file the manifest was written with"));
    fs::write(&table, &bytes).unwrap();

    let (index, manifest) = (packed.join("snapshots/000001.json"), packed.join("manifest.json"));
    let (whole, listed) = (fs::read_to_string(&index).unwrap(), fs::read_to_string(&manifest).unwrap());
    fs::write(&index, whole.replace("pg_stat_wal", "pg_stat_law")).unwrap();
    assert!(refused().contains("not the file the manifest"), "{}", refused());
    fs::write(&index, &whole).unwrap();
    for (from, to, why) in [
        ("\"version\": 1", "\"version\": 2", "version 2"),
        ("snapshots/000001.json", "../../etc/passwd", "outside"),
        ("snapshots/000001.json", "/etc/passwd", "outside"),
        ("\"groups\"", "\"group\"", "missing field"),
    ] {
        fs::write(&manifest, listed.replace(from, to)).unwrap();
        assert!(refused().contains(why), "{}", refused());
    }
}

#[test]
fn a_run_that_fails_leaves_nothing() {
    let scratch = tempfile::tempdir().unwrap();
    let packed = scratch.path().join("packed");
    let mut writer = Writer::new(&packed, false).unwrap();
    writer.push(&snapshots(&fixture("classic"))[0]).unwrap();
    drop(writer);
    assert!(files(&packed).is_empty());
    fs::write(scratch.path().join("file"), "x").unwrap();
    assert!(Writer::new(scratch.path(), false).is_err(), "a folder of something else");
}
