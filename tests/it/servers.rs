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
