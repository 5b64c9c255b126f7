//! Functions of a real server: their bodies, the statements inside of them, and what the rules say.

use super::fixtures::{assert_snapshot, pgretro};
use super::house::root;
use pgretro::advisor::functions::Functions;
use pgretro::advisor::{Config, run};
use pgretro::diff::{self, Chain};
use pgretro::ingest;
use std::fmt::Write;
use std::sync::Arc;

/// The snapshots of the fixture with these names.
fn chain(folders: &[&str]) -> Chain {
    let dumps: Vec<_> = folders.iter().map(|f| root().join("fixtures/pg15-functions").join(f)).collect();
    let snapshots = ingest::read(&dumps, &ingest::Options::default()).expect("reads");
    diff::chain(snapshots.into_iter().map(Arc::new).collect(), &diff::Options::default()).expect("of one server")
}

/// Each statement inside of a function with where it ran and what says so.
fn told(chain: &Chain) -> String {
    let functions = Functions::of(chain);
    let mut lines: Vec<String> = Vec::new();
    for nested in &functions.nested {
        let mut line = String::new();
        for owner in &nested.owners {
            let _ = write!(line, "{} {:?} {:?}; ", owner.name, owner.lines, owner.evidence);
        }
        let _ = write!(line, "{} calls: {}", nested.calls, nested.headline());
        lines.push(line);
    }
    lines.sort();
    lines.join("\n")
}

#[test]
fn statements_are_attributed_where_texts_or_plans_tell() {
    assert_snapshot("functions-nested", &told(&chain(&["before", "middle", "after"])));
}

#[test]
fn without_bodies_only_logged_plans_tell() {
    let mut all = chain(&["middle", "after"]);
    for snapshot in &mut all.snapshots {
        Arc::make_mut(snapshot).tables.remove("function_definitions");
    }
    let told = told(&all);
    let line = |text: &str| told.lines().find(|l| l.contains(text)).unwrap_or_else(|| panic!("{text} in\n{told}"));
    assert!(line("where agent_id = p_agent").starts_with("events_of(text) {3} {Plan}; "), "{told}");
    // The log does not print statements of functions in SQL.
    assert!(line("claimed_by = p_agent, claimed…").starts_with('1'), "{told}");
}

#[test]
fn rules_about_functions_find_what_was_set_up() {
    let config = std::fs::read_to_string(root().join("fixtures/config/minutes.toml")).expect("readable");
    let config = Config::parse(&config, "minutes.toml").expect("a configuration");
    let volatile = run(&chain(&["before", "middle"]), &config);
    assert!(volatile.findings().iter().any(|f| f.rule == "func-volatile-default"), "before it began to sleep");
    let advice = run(&chain(&["before", "middle", "after"]), &config);
    let found = advice.findings().into_iter().filter(|f| f.rule.starts_with("func-") || f.rule.starts_with("sql-"));
    let lines: Vec<String> =
        found.map(|f| format!("{} {}: {}\n  {}", f.severity.word(), f.rule, f.title.plain(), f.why.plain())).collect();
    assert_snapshot("functions-rules", &lines.join("\n"));
}

#[test]
fn the_report_shows_functions_and_their_statements() {
    let folders = ["before", "middle", "after"].map(|f| format!("fixtures/pg15-functions/{f}"));
    let file = tempfile::Builder::new().suffix(".md").tempfile().expect("a file");
    let path = file.path().display().to_string();
    let mut arguments: Vec<&str> = vec!["report"];
    arguments.extend(folders.iter().map(String::as_str));
    arguments.extend(["-o", &path, "--quiet"]);
    pgretro(&arguments);
    let text = std::fs::read_to_string(file.path()).expect("written");
    let from = text.find("**Functions.**").expect("the table of functions");
    let is_row = |l: &&str| l.starts_with('|') || l.starts_with("**") || l.contains("further statement");
    let rows: Vec<&str> = text[from..].lines().take_while(|l| !l.contains("Query plans")).filter(is_row).collect();
    assert_snapshot("functions-report", &rows.join("\n"));
}
