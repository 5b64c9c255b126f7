//! Dumps of other programs: named, and nothing is made of them.

use super::fixtures::run;
use std::path::Path;
use tempfile::TempDir;

fn put(folder: &TempDir, name: &str, text: &str) -> String {
    let path = folder.path().join(name);
    std::fs::write(&path, text).expect("written");
    path.display().to_string()
}

#[test]
fn a_dump_of_which_nothing_is_understood_is_refused_by_every_subcommand() {
    let folder = tempfile::tempdir().expect("a folder");
    let pgmetrics = r#"{"meta": {"version": "1.20", "at": 1795357630, "collected_dbs": ["shop"]}, "tables": [{"oid": 1}],
        "statements": [{"queryid": 1, "calls": 5}], "wal_archiving": {"archived_count": 0}}"#;
    for (name, text, why) in [
        (
            "inspect.json",
            r#"{"meta": {"taken_at": "2026-11-22T14:27:10Z"}, "inventory": [{"what": 1}]}"#,
            "nothing in it is one that is known",
        ),
        ("scrape.prom", "# HELP pg_up\npg_up 1\n", "looks like a dump of a Prometheus exporter"),
        ("t1.json", pgmetrics, "looks like a dump of pgmetrics"),
    ] {
        let path = put(&folder, name, text);
        let (code, _, stderr) = run(&["report", &path]);
        assert_eq!(code, 2, "{name}: {stderr}");
        assert!(stderr.contains(why) && stderr.contains("export-sql"), "{name}: {stderr}");
        // No other subcommand makes something of nothing either, in other words.
        let packed = folder.path().join(format!("packed-{name}")).display().to_string();
        let policy = "fixtures/policy/production.toml";
        for args in [
            &["diff", &path, &path][..],
            &["check", &path, "--policy", policy],
            &["trend", &path],
            &["trend", &path, "--view", "pg_stat_user_tables"],
            &["pack", &path, "-o", &packed],
        ] {
            let (code, stdout, stderr) = run(args);
            if args[0] == "pack" && name == "inspect.json" {
                assert_eq!(code, 0, "a table that nobody knows is kept: {stderr}");
                continue;
            }
            assert_eq!((code, stdout.as_str()), (2, ""), "{args:?}: {stderr}");
            assert!(stderr.contains(why) && stderr.contains("export-sql"), "{args:?}: {stderr}");
        }
        let made = Path::new(&packed).exists();
        assert_eq!(made, name == "inspect.json", "{name}: a packed history of nothing");
        let (code, stdout, _) = run(&["inspect", &path]);
        assert!(code == 0 && stdout.starts_with("No exported view is in it: "), "{name}: {stdout}");
        assert!(stdout.contains(why) && !stdout.contains("missing view"), "{name}: {stdout}");
    }
}

/// What another program left beside an export is named, and the rest is packed.
#[test]
fn packing_says_which_files_it_did_not_read() {
    let folder = tempfile::tempdir().expect("a folder");
    put(&folder, "scrape.prom.json", "# HELP pg_up\npg_up 1\n");
    put(&folder, "pg_stat_wal.csv", "wal_records,wal_fpi,wal_bytes\n1,0,10\n");
    let packed = folder.path().join("packed").display().to_string();
    let (code, stdout, stderr) = run(&["pack", &folder.path().display().to_string(), "-o", &packed]);
    assert!(code == 0 && stdout.contains("1 snapshot"), "{stdout}{stderr}");
    assert!(stderr.contains("looks like a dump of a Prometheus exporter"), "{stderr}");
}
