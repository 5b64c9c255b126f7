//! `pgretro diff` as others call it: what it prints, where, and with which exit code.

use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

/// Two dumps of ten minutes, with one of each class.
fn dumps() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let meta = |at: &str| {
        json!({"captured_at": at, "server_version_num": 180_000, "current_database": "shop", "database_oid": 5,
               "system_identifier": "7711000374923733943", "timezone": "UTC", "is_in_recovery": false})
    };
    let table = |relid: i64, name: &str, scans: i64, dead: Value| {
        json!({"relid": relid, "schemaname": "public", "relname": name, "seq_scan": scans, "seq_tup_read": scans * 100,
               "n_dead_tup": dead})
    };
    let statement = |id: i64, calls: i64, time: f64, wal: &str| {
        json!({"userid": 10, "dbid": 5, "queryid": id, "toplevel": true, "query": format!("select {calls}, \"a\nb\""),
               "calls": calls, "total_exec_time": time, "wal_bytes": wal})
    };
    let before = json!({
        "meta": meta("2026-11-22 12:00:00+00"),
        "pg_stat_user_tables": [table(1, "orders", 10, json!(5)), table(2, "old, \"name\"", 7, json!(null)),
                                table(3, "gone", 1, json!(0)), table(4, "fell", 50, json!(9))],
        "pg_stat_statements": [statement(-7_711_000_374_923_733_943, 3, 1.5, "18446744073709551615")],
        "pg_stat_wal": [{"wal_records": 5, "stats_reset": "2026-11-01 00:00:00+00"}],
        "pg_stat_bgwriter": [{"buffers_clean": 5, "stats_reset": "2026-11-01 00:00:00+00"}],
    });
    let after = json!({
        "meta": meta("2026-11-22 12:10:00+00"),
        "pg_stat_user_tables": [table(4, "fell", 20, json!(3)), table(5, "fresh", 600, json!(1)),
                                table(2, "new name", 7, json!(8)), table(1, "orders", 310, json!(4))],
        "pg_stat_statements": [statement(-7_711_000_374_923_733_943, 8, 4.0, "36893488147419103230")],
        "pg_stat_wal": [{"wal_records": 20, "stats_reset": "2026-11-22 12:05:00+00"}],
        "pg_stat_bgwriter": [{"buffers_clean": 6, "stats_reset": "2026-11-01 00:00:00+00"}],
    });
    fs::write(folder.path().join("before.json"), before.to_string()).expect("a file");
    fs::write(folder.path().join("after.json"), after.to_string()).expect("a file");
    folder
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_pgretro"))
        .current_dir(folder)
        .args(["diff", "before.json", "after.json"])
        .args(arguments)
        .env("NO_COLOR", "1")
        .output()
        .expect("pgretro runs")
}

/// What a successful run prints; nothing goes to standard error.
fn printed(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!((output.status.code(), stderr.as_str()), (Some(0), ""), "{arguments:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The message of a run that fails; it prints no result.
fn failed(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    assert!(output.stdout.is_empty(), "{arguments:?}");
    String::from_utf8(output.stderr).expect("UTF-8")
}

#[test]
fn json_is_what_scripts_expect() {
    let folder = dumps();
    let text = printed(folder.path(), &["--format", "json"]);
    assert!(text.contains("-7711000374923733943") && text.contains("18446744073709551615"), "whole numbers stay exact");
    let got: Value = serde_json::from_str(&text).expect("JSON");
    let keys = |v: &Value| v.as_object().expect("an object").keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&got), ["after", "before", "elapsed_s", "events", "schema", "views"]);
    assert_eq!((&got["schema"], &got["elapsed_s"]), (&json!(1), &json!(600)));
    assert_eq!(got["before"]["taken_at"], json!("2026-11-22T12:00:00.000000Z"));
    assert_eq!(got["after"]["database"], json!("shop"));
    assert_eq!(keys(&got["views"]), ["pg_stat_bgwriter", "pg_stat_statements", "pg_stat_user_tables", "pg_stat_wal"]);
    let counter = |before: Value, after: Value, delta: Value, per_s: Value| json!({"before": before, "after": after, "delta": delta, "per_s": per_s});
    assert_eq!(
        got["views"]["pg_stat_user_tables"],
        json!([
            {"key": {"relid": 1}, "labels": {"schemaname": "public", "relname": "orders"}, "class": "ok",
             "covered_s": 600, "reset_at": null,
             "counters": {"seq_scan": counter(json!(10), json!(310), json!(300), json!(0.5)),
                          "seq_tup_read": counter(json!(1000), json!(31000), json!(30000), json!(50))},
             "gauges": {"n_dead_tup": {"before": 5, "after": 4, "change": -1}}, "notes": []},
            {"key": {"relid": 2}, "labels": {"schemaname": "public", "relname": "new name"}, "class": "ok",
             "covered_s": 600, "reset_at": null,
             "counters": {"seq_scan": counter(json!(7), json!(7), json!(0), json!(0)),
                          "seq_tup_read": counter(json!(700), json!(700), json!(0), json!(0))},
             "gauges": {"n_dead_tup": {"before": null, "after": 8, "change": null}},
             "notes": ["renamed_from: public.old, \"name\""]},
            {"key": {"relid": 3}, "labels": {"schemaname": "public", "relname": "gone"}, "class": "gone",
             "covered_s": null, "reset_at": null,
             "counters": {"seq_scan": counter(json!(1), json!(null), json!(null), json!(null)),
                          "seq_tup_read": counter(json!(100), json!(null), json!(null), json!(null))},
             "gauges": {"n_dead_tup": {"before": 0, "after": null, "change": null}}, "notes": ["no delta: gone"]},
            {"key": {"relid": 4}, "labels": {"schemaname": "public", "relname": "fell"}, "class": "reset?",
             "covered_s": null, "reset_at": null,
             "counters": {"seq_scan": counter(json!(50), json!(20), json!(20), json!(null)),
                          "seq_tup_read": counter(json!(5000), json!(2000), json!(2000), json!(null))},
             "gauges": {"n_dead_tup": {"before": 9, "after": 3, "change": -6}},
             "notes": ["counters fell and nothing says when they were reset"]},
            {"key": {"relid": 5}, "labels": {"schemaname": "public", "relname": "fresh"}, "class": "new",
             "covered_s": 600, "reset_at": null,
             "counters": {"seq_scan": counter(json!(null), json!(600), json!(600), json!(1)),
                          "seq_tup_read": counter(json!(null), json!(60000), json!(60000), json!(100))},
             "gauges": {"n_dead_tup": {"before": null, "after": 1, "change": null}}, "notes": []},
        ])
    );
    let wal = &got["views"]["pg_stat_wal"][0];
    assert_eq!((&wal["class"], &wal["reset_at"]), (&json!("reset"), &json!("2026-11-22T12:05:00.000000Z")));
    assert_eq!((&wal["covered_s"], &wal["counters"]["wal_records"]["delta"]), (&json!(300), &json!(20)));
    let events = got["events"].as_array().expect("events");
    assert!(!events.is_empty());
    for event in events {
        assert_eq!(keys(event), ["at", "certainty", "evidence", "kind", "object", "scope"]);
    }
    assert!(events.iter().any(|e| e["kind"] == "table_renamed" || e["kind"] == "renamed"), "{events:#?}");
}

#[test]
fn csv_has_a_column_for_each_number() {
    let folder = dumps();
    let text = printed(folder.path(), &["--format", "csv", "--view", "pg_stat_user_tables"]);
    let want = "\
relid,schemaname,relname,class,covered_s,seq_scan_before,seq_scan_after,seq_scan_delta,seq_scan_per_s,\
seq_tup_read_before,seq_tup_read_after,seq_tup_read_delta,seq_tup_read_per_s,\
n_dead_tup_before,n_dead_tup_after,n_dead_tup_change,notes
1,public,orders,ok,600,10,310,300,0.5,1000,31000,30000,50,5,4,-1,
2,public,new name,ok,600,7,7,0,0,700,700,0,0,,8,,\"renamed_from: public.old, \"\"name\"\"\"
3,public,gone,gone,,1,,,,100,,,,0,,,no delta: gone
4,public,fell,reset?,,50,20,20,,5000,2000,2000,,9,3,-6,counters fell and nothing says when they were reset
5,public,fresh,new,600,,600,600,1,,60000,60000,100,,1,,
";
    assert_eq!(text, want);
    let statements = printed(folder.path(), &["--format", "csv", "--view", "pg_stat_statements"]);
    let mut reader = csv::Reader::from_reader(statements.as_bytes());
    let at = reader.headers().expect("a header").iter().position(|h| h == "wal_bytes_delta").expect("the column");
    let row = reader.records().next().expect("a row").expect("CSV");
    assert_eq!((&row[2], &row[at]), ("-7711000374923733943", "18446744073709551615"));
}

#[test]
fn the_largest_come_first_and_no_more_than_asked() {
    let folder = dumps();
    let relids = |arguments: &[&str]| -> Vec<String> {
        let all = [&["--format", "csv", "--view", "pg_stat_user_tables"], arguments].concat();
        printed(folder.path(), &all).lines().skip(1).map(|l| l[..1].to_owned()).collect()
    };
    assert_eq!(relids(&[]), ["1", "2", "3", "4", "5"], "by key");
    assert_eq!(relids(&["--top", "2"]), ["5", "1"], "by the most telling counter");
    assert_eq!(relids(&["--top", "9", "--by", "seq_scan"]), ["5", "1", "4", "2", "3"], "no delta is last");
    assert_eq!(relids(&["--by", "n_dead_tup"]), ["1", "4", "2", "3", "5"], "levels by their change");
    let message = failed(folder.path(), &["--format", "csv", "--view", "pg_stat_user_tables", "--by", "relname"]);
    assert!(message.contains("order by `relname`") && message.contains("n_dead_tup"), "{message}");
}

#[test]
fn results_go_where_they_are_sent() {
    let folder = dumps();
    let path = |name: &str| folder.path().join(name);
    let read = |name: &str| fs::read_to_string(path(name)).expect("the file");
    let view = ["--view", "pg_stat_wal"];
    for format in ["table", "csv", "json"] {
        let arguments = [&["--format", format], &view[..]].concat();
        let text = printed(folder.path(), &arguments);
        let sent = printed(folder.path(), &[&arguments[..], &["-o", "out"]].concat());
        assert_eq!((sent.as_str(), read("out")), ("", text), "{format}");
        fs::remove_file(path("out")).expect("removed");
    }
    let message = failed(folder.path(), &["--format", "csv"]);
    assert!(message.contains("4 views as one CSV") && message.contains("-o"), "{message}");
    assert_eq!(printed(folder.path(), &["--format", "csv", "-o", "folder"]), "");
    let mut names: Vec<_> =
        fs::read_dir(path("folder")).expect("a folder").map(|e| e.expect("one").file_name()).collect();
    names.sort();
    assert_eq!(names, ["pg_stat_bgwriter.csv", "pg_stat_statements.csv", "pg_stat_user_tables.csv", "pg_stat_wal.csv"]);
    assert_eq!(read("folder/pg_stat_wal.csv"), printed(folder.path(), &[&["--format", "csv"], &view[..]].concat()));
    // An existing folder takes one view as well.
    assert_eq!(printed(folder.path(), &["--format", "csv", "--view", "pg_stat_statements", "-o", "folder"]), "");
    let message = failed(folder.path(), &["--format", "csv", "--view", "pg_stat_wal", "-o", "nowhere/out.csv"]);
    assert!(message.contains("nowhere/out.csv"), "{message}");
}

#[test]
fn the_table_shows_what_changed_most() {
    let folder = dumps();
    super::super::fixtures::assert_snapshot("diff_table", &printed(folder.path(), &[]));
    let two = printed(folder.path(), &["--view", "pg_stat_wal", "--view", "pg_stat_statements"]);
    assert!(two.contains("pg_stat_wal") && two.contains("pg_stat_statements") && !two.contains("pg_stat_user_tables"));
}

#[test]
fn what_cannot_be_compared_says_why() {
    let folder = dumps();
    let path = folder.path();
    assert!(failed(path, &["--view", "pg_stat_nothing"]).contains("pg_stat_user_tables"), "what there is");
    assert!(failed(path, &["--view", "pg_stat_io"]).contains("neither snapshot has it"));
    assert!(failed(path, &["--format", "xml"]).contains("table, csv, json"));
    let message = String::from_utf8(
        Command::new(env!("CARGO_BIN_EXE_pgretro"))
            .current_dir(path)
            .args(["diff", "after.json", "before.json", "--view", "pg_stat_wal"])
            .output()
            .expect("pgretro runs")
            .stderr,
    );
    assert!(message.expect("UTF-8").contains("[W-ORDER]"), "put right, and said");

    let later = fs::read_to_string(path.join("after.json")).expect("a file");
    let other = later.replace("\"database_oid\":5", "\"database_oid\":6").replace("\"shop\"", "\"bank\"");
    fs::write(path.join("after.json"), other).expect("a file");
    assert!(failed(path, &["--view", "pg_stat_user_tables"]).contains("[E-DB]"));
    let output = run(path, &["--view", "pg_stat_wal"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&output.stderr).contains("[E-DB]"));

    fs::write(path.join("after.json"), later.replace("7711000374923733943", "1")).expect("a file");
    assert!(failed(path, &[]).contains("[E-CLUSTER]"));
    let side = run(path, &["--allow-different-clusters", "--view", "pg_stat_user_tables", "--format", "csv"]);
    assert_eq!(side.status.code(), Some(0));
    let text = String::from_utf8(side.stdout).expect("UTF-8");
    let orders = text.lines().find(|l| l.starts_with("public,orders,")).expect("joined by name");
    assert!(orders.contains(",ok?,,10,310,,,"), "{orders}");
}

#[test]
fn a_view_that_one_side_lacks_is_an_error_with_its_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    for (side, rows) in [("before", "16385,app,orders,5\n16385,app,orders,6\n"), ("after", "16385,app,orders,9\n")] {
        fs::create_dir(folder.path().join(side)).expect("a folder");
        let file = folder.path().join(side).join("pg_stat_user_tables.csv");
        fs::write(file, format!("relid,schemaname,relname,seq_scan\n{rows}")).expect("a file");
    }
    let output = Command::new(env!("CARGO_BIN_EXE_pgretro"))
        .current_dir(folder.path())
        .args(["diff", "before", "after", "--view", "pg_stat_user_tables"])
        .output()
        .expect("pgretro runs");
    assert_eq!(output.status.code(), Some(2));
    let message = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(message.contains("the earlier snapshot lacks it") && message.contains("twice"), "{message}");
}
