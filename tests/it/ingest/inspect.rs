//! What `pgretro inspect` says.

use std::process::Command;

fn inspect(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_pgretro"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .arg("inspect")
        .args(arguments)
        .output()
        .expect("the program runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn snapshot(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// The part that says what was read; what is missing follows from the list of rules, which grows.
fn read_part(text: &str) -> &str {
    text.split("missing view").next().unwrap_or(text)
}

#[test]
fn a_partial_dump() {
    snapshot("inspect-partial.txt", read_part(&inspect(&["fixtures/pg15-partial"])));
}

#[test]
fn a_history_with_odd_names() {
    snapshot("inspect-history.txt", read_part(&inspect(&["fixtures/pg18-standby"])));
}

#[test]
fn what_is_missing_names_its_sections_and_rules() {
    let facts: serde_json::Value =
        serde_json::from_str(&inspect(&["fixtures/pg15-partial", "--format", "json"])).expect("JSON");
    assert_eq!(facts["schema"], 1);
    let missing = facts["missing"].as_array().expect("a list");
    let of = |view: &str| missing.iter().find(|m| m["view"] == view);
    assert!(of("pg_stat_user_tables").is_none(), "it is there");
    let definitions = of("index_definitions").expect("it is not there");
    assert!(definitions["rules"].as_array().expect("a list").contains(&"index-duplicate".into()));
    assert!(definitions["sections"].as_array().expect("a list").contains(&"indexes".into()));
    let disabled = facts["disabled_rules"].as_array().expect("a list");
    let duplicate = disabled.iter().find(|d| d["rule"] == "index-duplicate").expect("it cannot run");
    assert_eq!(duplicate["reasons"][0], "index_definitions is missing");
    let file = &facts["snapshots"][0]["files"][0];
    assert_eq!(file["sha256"].as_str().map(str::len), Some(64));
}

#[test]
fn no_dump_is_an_error_with_a_hint() {
    let output = Command::new(env!("CARGO_BIN_EXE_pgretro"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["inspect", "src/cli"])
        .output()
        .expect("the program runs");
    assert_eq!(output.status.code(), Some(2));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("find a snapshot in `src/cli`") && stderr.contains("hint: "), "{stderr}");
}

#[test]
fn an_export_without_rows_lacks_no_columns() {
    let mut program = Command::new(env!("CARGO_BIN_EXE_pgretro"))
        .args(["inspect", "-", "--format", "json"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("the program runs");
    let dump = r#"{"meta": {"server_version_num": 150018, "captured_at": "2026-11-22T17:00:00+00:00", "is_in_recovery": false},
        "pg_locks": [], "pg_stat_ssl": [{"pid": 1}]}"#;
    let mut stdin = program.stdin.take().expect("a pipe");
    std::io::Write::write_all(&mut stdin, dump.as_bytes()).expect("written");
    drop(stdin);
    let output = program.wait_with_output().expect("the program ends");
    let facts: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let disabled = facts["disabled_rules"].to_string();
    assert!(!disabled.contains("pg_locks lacks"), "{disabled}");
    assert!(disabled.contains("pg_stat_ssl lacks ssl"), "{disabled}");
}
