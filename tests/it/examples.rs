//! Examples of the rules' documentation: made by running the rules on the fixtures.

use crate::traps::{config, fixture, shown};
use pgretro::advisor::rules::RULES;
use pgretro::advisor::{Config, Peer, run, run_cluster};
use pgretro::finding::{Finding, Severity};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/advisor/examples.md");
/// Lines of SQL that are shown.
const LINES: usize = 12;

/// Fixtures that no trap names.
const FURTHER: &[&[&str]] = &[
    &["shop/before", "shop/after"],
    &["pg15-functions/before", "pg15-functions/middle", "pg15-functions/after"],
    &["pg18-standby/before", "pg18-standby/after"],
    &["pg17-backend-crash/before", "pg17-backend-crash/after"],
    &["pg15-queue/before", "pg15-queue/after"],
    &["classic"],
    &["pg15-archive-fails/before", "pg15-archive-fails/after"],
    &["pg18-odd-names"],
    &["pg15-neglected/before"],
    &["pg15-neglected/before", "pg15-neglected/middle", "pg15-neglected/after"],
    STRAINED,
    &["pg15-strained-standby/before", "pg15-strained-standby/after"],
    &["pg15-strained-reader"],
    &["pg15-slow-disk/before", "pg15-slow-disk/after"],
    &["pg18-starved/before", "pg18-starved/after"],
    &["pg13-behind"],
    &["pg15-by-hand/top"],
    &["pg15-by-hand/clock"],
    &["pg15-by-hand/slot"],
    MIXED,
    &["plans/pg15-text.txt"],
    &["plans/pg17-text.txt"],
    &["plans/pg18-text.txt"],
];

const MIXED: &[&str] = &["pg15-by-hand/mixed/20261128T191330Z", "pg15-by-hand/mixed/20261128T191337Z"];

const STRAINED: &[&str] = &[
    "pg15-strained/before",
    "pg15-strained/second",
    "pg15-strained/middle",
    "pg15-strained/fourth",
    "pg15-strained/after",
];

/// Servers of one cluster given together: the primary, and its standby.
const TOGETHER: &[[&[&str]; 2]] = &[
    [STRAINED, &["pg15-strained-standby/before", "pg15-strained-standby/after"]],
    [&["pg13-behind"], &["pg13-behind-standby"]],
];

/// How the examples are made, in the order in which one is looked for: a configuration, and how that is said.
const RUNS: [(Option<&str>, &str); 3] = [
    (None, ""),
    (Some("minutes.toml"), " with thresholds of minutes"),
    (Some("small.toml"), " with lowered floors, 64 GB of memory and flash stated"),
];

struct Example {
    finding: Finding,
    on: String,
    /// Which of [`RUNS`].
    run: usize,
}

/// What every rule says on every fixture, in the order of [`RUNS`].
fn said() -> Vec<Example> {
    let mut out = Vec::new();
    for (at, (file, _)) in RUNS.iter().enumerate() {
        let config = file.map_or_else(Config::default, config);
        for folders in shown().into_iter().chain(FURTHER.iter().copied()) {
            let advice = run(&fixture(folders), &config);
            let on = format!("fixtures/{}", folders.last().copied().unwrap_or_default());
            let each = advice.findings().into_iter().cloned();
            out.extend(each.map(|finding| Example { finding, on: on.clone(), run: at }));
        }
        for [primary, standby] in TOGETHER {
            let chains = [fixture(primary), fixture(standby)];
            let servers: Vec<Peer<'_>> =
                ["primary", "standby"].into_iter().zip(&chains).map(|(name, chain)| Peer { name, chain }).collect();
            let advice = run_cluster(&servers, &config).expect("servers");
            let [a, b] = [primary, standby].map(|folders| folders.last().copied().unwrap_or_default());
            let on = format!("fixtures/{a}` and `fixtures/{b}");
            let of_several = advice.findings().into_iter().filter(|f| f.rule.starts_with("repl-")).cloned();
            out.extend(of_several.map(|finding| Example { finding, on: on.clone(), run: at }));
        }
    }
    out
}

/// Every finding on every fixture.
pub fn every_finding() -> Vec<Finding> {
    said().into_iter().map(|example| example.finding).collect()
}

/// The worst that each rule says on any fixture, in the first of the runs in which it speaks.
fn examples() -> BTreeMap<String, Example> {
    let mut out: BTreeMap<String, Example> = BTreeMap::new();
    for example in said() {
        let known = out.get(&example.finding.rule).map(|e| (e.run, e.finding.severity));
        if known.is_none_or(|(run, severity)| run == example.run && severity < example.finding.severity) {
            out.insert(example.finding.rule.clone(), example);
        }
    }
    out
}

fn written(examples: &BTreeMap<String, Example>) -> String {
    let mut out = String::new();
    for (rule, Example { finding, on, run }) in examples {
        let how = RUNS[*run].1;
        let severity = finding.severity.word();
        let _ = writeln!(out, "## {rule}\n\nOn `{on}`{how}, {severity}: {}\n", finding.title.plain());
        if !finding.why.is_empty() {
            let _ = writeln!(out, "> {}\n", finding.why.plain());
        }
        let Some(fix) = finding.fixes.iter().find(|fix| !fix.sql.trim().is_empty()) else { continue };
        let lines: Vec<&str> = fix.sql.trim().lines().collect();
        let _ = writeln!(out, "```sql\n{}", lines.iter().take(LINES).copied().collect::<Vec<_>>().join("\n"));
        if lines.len() > LINES {
            let _ = writeln!(out, "-- and {} more lines", lines.len() - LINES);
        }
        out.push_str("```\n\n");
    }
    out
}

#[test]
fn the_examples_of_rules_are_what_they_say() {
    let examples = examples();
    let fresh = written(&examples);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(FILE, &fresh).expect("src/advisor/examples.md");
    }
    let kept = fs::read_to_string(FILE).expect("src/advisor/examples.md");
    assert!(kept == fresh, "src/advisor/examples.md is old: `UPDATE_DOCS=1 cargo test the_examples_of_rules`");
    assert!(examples.keys().all(|rule| RULES.iter().any(|r| r.id == rule.as_str())));
    let without: Vec<&str> = RULES.iter().map(|r| r.id).filter(|id| !examples.contains_key(*id)).collect();
    assert_eq!(without, [""; 0], "rules that no fixture shows");
    assert!(examples.values().any(|e| e.finding.severity == Severity::Critical));
}
