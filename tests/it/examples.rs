//! Examples of the rules' documentation: made by running the rules on the fixtures.

use crate::traps::{config, fixture, shown};
use pgretro::advisor::rules::RULES;
use pgretro::advisor::{Config, run};
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
];

struct Example {
    finding: Finding,
    on: String,
    scaled: bool,
}

/// The worst that each rule says on any fixture, with the defaults before thresholds of minutes.
fn examples() -> BTreeMap<String, Example> {
    let mut out: BTreeMap<String, Example> = BTreeMap::new();
    for (scaled, config) in [(false, Config::default()), (true, config("minutes.toml"))] {
        for folders in shown().into_iter().chain(FURTHER.iter().copied()) {
            let advice = run(&fixture(folders), &config);
            for finding in advice.findings() {
                let known = out.get(&finding.rule).map(|e| (e.scaled, e.finding.severity));
                let better = known.is_none_or(|(was, severity)| was == scaled && severity < finding.severity);
                if better {
                    let on = format!("fixtures/{}", folders.last().copied().unwrap_or_default());
                    out.insert(finding.rule.clone(), Example { finding: finding.clone(), on, scaled });
                }
            }
        }
    }
    out
}

fn written(examples: &BTreeMap<String, Example>) -> String {
    let mut out = String::new();
    for (rule, Example { finding, on, scaled }) in examples {
        let how = if *scaled { " with thresholds of minutes" } else { "" };
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
    assert!(examples.values().any(|e| e.finding.severity == Severity::Critical));
}
