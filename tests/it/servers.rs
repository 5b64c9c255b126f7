//! Dumps of a primary and its standby given together.

use super::fixtures::pgretro;
use serde_json::Value;

const PRIMARY: &str = "fixtures/pg18-table-reset/after";
const STANDBY: &str = "fixtures/pg18-standby/before";

fn json(arguments: &[&str]) -> Value {
    serde_json::from_str(&pgretro(arguments)).expect("JSON")
}

#[test]
fn findings_say_which_servers_they_hold_for() {
    let both = json(&["report", STANDBY, PRIMARY, "--format", "json"]);
    let names: Vec<&str> = both["servers"].as_array().unwrap().iter().filter_map(|s| s["name"].as_str()).collect();
    assert_eq!(names, ["primary", "standby"], "the primary first, whatever the order given");
    let findings = both["findings"].as_array().unwrap();
    assert!(findings.iter().all(|f| f["nodes"].as_array().is_some_and(|n| !n.is_empty())));
    let alone = json(&["report", PRIMARY, "--format", "json"]);
    assert!(alone.get("servers").is_none());
    assert!(alone["findings"].as_array().unwrap().iter().all(|f| f.get("nodes").is_none()));
    // What the primary shows alone it shows beside its standby, too.
    let keys = |report: &Value| -> Vec<(String, String)> {
        let key =
            |f: &Value| (f["rule"].as_str().unwrap().to_owned(), f["subject"]["name"].as_str().unwrap().to_owned());
        report["findings"].as_array().unwrap().iter().map(key).collect()
    };
    let (both, alone) = (keys(&both), keys(&alone));
    assert!(alone.iter().all(|k| both.contains(k)), "{alone:?}\n{both:?}");
    let unique: std::collections::BTreeSet<_> = both.iter().collect();
    assert_eq!(unique.len(), both.len(), "a finding of both is one");
}

/// The values of a column of a table of the report, in the order of its rows.
fn column(report: &Value, table: &str, label: &str) -> Vec<String> {
    fn find<'v>(value: &'v Value, id: &str) -> Option<&'v Value> {
        match value {
            Value::Object(map) if map.get("id").is_some_and(|v| v == id) && map.contains_key("columns") => Some(value),
            Value::Object(map) => map.values().find_map(|v| find(v, id)),
            Value::Array(all) => all.iter().find_map(|v| find(v, id)),
            _ => None,
        }
    }
    let table = find(&report["sections"], table).expect("the table");
    let columns = table["columns"].as_array().unwrap();
    let Some(at) = columns.iter().position(|c| c["label"] == label) else { return Vec::new() };
    table["rows"].as_array().unwrap().iter().map(|row| row["cells"][at].to_string()).collect()
}

#[test]
fn what_was_read_and_what_was_odd_is_listed_for_every_server() {
    let folder = nodes(&[]);
    let odd = "datid,datname,xact_commit\n5,depot,many\n";
    std::fs::write(folder.path().join("cellar/before/pg_stat_database.csv"), odd).expect("written");
    let dump = folder.path().to_str().expect("a path");
    let both = json(&["report", dump, "--format", "json"]);
    for table in ["snapshots", "files"] {
        let servers = column(&both, table, "Server");
        let of = |name: &str| servers.iter().filter(|cell| cell.contains(name)).count();
        assert!(of("depot") > 1 && of("cellar") > 1, "{table}: {servers:?}");
        let twice = servers.iter().find(|cell| cell.matches("depot").count() > 1);
        assert_eq!(twice, None, "{table}: a server is named once");
    }
    let seen = column(&both, "notes", "What was seen");
    let (at, _) = seen.iter().enumerate().find(|(_, note)| note.contains("many")).expect("the cell that is no number");
    assert!(column(&both, "notes", "Server")[at].contains("cellar"));
    // Of one server nobody needs to be told which.
    let alone = json(&["report", folder.path().join("cellar").to_str().expect("a path"), "--format", "json"]);
    assert!(column(&alone, "files", "Server").is_empty() && column(&alone, "notes", "Server").is_empty());
}

#[test]
fn a_policy_is_held_against_each_server() {
    let folder = tempfile::tempdir().expect("a folder");
    let policy = folder.path().join("p.toml");
    std::fs::write(
        &policy,
        "[[version]]\nat_least = '18'\n[[version]]\nid = 's'\nsupported_for = '1 d'\nrole = 'standby'\n",
    )
    .expect("written");
    let result = json(&["check", PRIMARY, STANDBY, "--policy", policy.to_str().unwrap(), "--format", "json"]);
    let line = |l: &Value| {
        format!("{} {} {}", l["id"].as_str().unwrap(), l["node"].as_str().unwrap(), l["outcome"].as_str().unwrap())
    };
    let lines: Vec<String> = result["lines"].as_array().unwrap().iter().map(line).collect();
    assert_eq!(lines, ["version/release primary pass", "version/release standby pass", "s standby pass"]);
}

/// A folder of folders, one a server, with what else lies about where people keep their exports.
fn nodes(stray: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, fixture) in [("depot", "pg15-strained"), ("cellar", "pg15-strained-standby")] {
        std::fs::create_dir(folder.path().join(name)).expect("a folder");
        for snapshot in ["before", "after"] {
            let from = format!("{}/fixtures/{fixture}/{snapshot}", env!("CARGO_MANIFEST_DIR"));
            let to = folder.path().join(name).join(snapshot);
            std::fs::create_dir(&to).expect("a folder");
            for file in std::fs::read_dir(&from).expect("a fixture") {
                let file = file.expect("a file").path();
                // What the servers say of themselves is enough.
                if ["meta.csv", "pg_settings.csv.gz", "pg_stat_database.csv"].iter().any(|n| file.ends_with(n)) {
                    std::fs::copy(&file, to.join(file.file_name().expect("a name"))).expect("copied");
                }
            }
        }
    }
    for (name, text) in stray {
        std::fs::write(folder.path().join(name), text).expect("written");
    }
    folder
}

#[test]
fn files_of_which_nothing_is_understood_are_no_snapshot_beside_the_servers_folders() {
    let policy = "[[setting]]\nname = 'fsync'\nexpect = 'on'\n[[setting]]\nid = 's'\nname = 'hot_standby'\nexpect = 'on'\nrole = 'standby'\n";
    let stray = [("plans.sql", "EXPLAIN SELECT 1;\n"), ("README.md", "Nightly exports.\n"), ("schema.sql", "\\i x\n")];
    for stray in [&stray[..], &[]] {
        let folder = nodes(stray);
        let dump = folder.path().to_str().expect("a path");
        let path = folder.path().join("p.toml");
        std::fs::write(&path, policy).expect("written");
        let result = json(&["check", dump, "--policy", path.to_str().expect("a path"), "--format", "json"]);
        let line = |l: &Value| format!("{} {}", l["node"].as_str().unwrap(), l["outcome"].as_str().unwrap());
        let lines: Vec<String> = result["lines"].as_array().unwrap().iter().map(line).collect();
        let (depot, cellar) = ("depot", "cellar");
        assert_eq!(lines, [format!("{depot} pass"), format!("{cellar} pass"), format!("{cellar} pass")]);

        let report = json(&["report", dump, "--format", "json"]);
        let names: Vec<&str> =
            report["servers"].as_array().unwrap().iter().filter_map(|s| s["name"].as_str()).collect();
        assert_eq!(names, [depot, cellar]);
        let notes = report["sections"].to_string();
        assert!(!notes.contains("W-TIME"), "all snapshots have a time");
        assert_eq!(notes.contains("plans.sql"), !stray.is_empty(), "what was not read is told");
    }
}

/// `pgretro report exports/*`, with what a script wrote beside the exports.
#[test]
fn a_file_of_no_view_is_no_snapshot_where_it_is_named_either() {
    let folder = nodes(&[("about.json", r#"{"server_version": "15.4", "snapshots": [{"n": 1, "dir": "before"}]}"#)]);
    let at = |name: &str| folder.path().join(name).to_str().expect("a path").to_owned();
    let report = json(&["report", &at("depot"), &at("about.json"), "--format", "json"]);
    let window = &report["window"];
    assert!(window["from"].is_string() && window["to"].is_string(), "{window}");
    assert_eq!(window["snapshots"], 2);
    assert!(report["sections"].to_string().contains("it is no snapshot"), "what was left out is told");
}

#[test]
fn databases_of_one_server_are_each_held_against_a_policy() {
    let folder = nodes(&[]);
    let meta = folder.path().join("cellar/after/meta.csv");
    let other = std::fs::read_to_string(&meta).expect("readable").replace(",depot,", ",ledger,");
    std::fs::write(&meta, other).expect("written");
    let path = folder.path().join("p.toml");
    std::fs::write(&path, "[[setting]]\nname = 'fsync'\nexpect = 'on'\n").expect("written");
    let dump = folder.path().to_str().expect("a path");
    let result = json(&["check", dump, "--policy", path.to_str().expect("a path"), "--format", "json"]);
    let names: Vec<&str> = result["nodes"].as_array().unwrap().iter().filter_map(|s| s["name"].as_str()).collect();
    assert_eq!(names.len(), 3, "{names:?}");
    assert!(names.iter().any(|n| n.ends_with(", database ledger")), "{names:?}");
}
