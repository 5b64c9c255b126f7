//! Every rule has all that a rule needs: a file of its own, tests of what it finds and of what it leaves alone, its page
//! in the documentation, its line in `pgretro rules`, thresholds that decide something and that a configuration can set.

use super::{assert_none, files, read};
use pgretro::advisor::rules::RULES;
use pgretro::advisor::{Category, Config, Rule};
use std::collections::BTreeSet;
use std::process::Command;

const SEVERITIES: [&str; 5] = ["critical", "high", "medium", "low", "info"];

/// What asks for a threshold by its name.
const ASKS: [&str; 4] = ["threshold(\"", "threshold_quantity(\"", "window_of(\"", "short_doubt(\""];

fn path(rule: &Rule) -> String {
    format!("src/advisor/rules/{}.rs", rule.id.replace('-', "_"))
}

/// What a rule's file lacks: its id, tests with both outcomes.
fn file_lacks(id: &str, source: &str) -> Vec<String> {
    let Some((code, tests)) = source.split_once("#[cfg(test)]\nmod tests") else {
        return vec!["it has no tests".to_owned()];
    };
    let mut lacks = Vec::new();
    if !code.contains(&format!("id: \"{id}\"")) {
        lacks.push(format!("it does not define `{id}`"));
    }
    let one_of = |words: &[&str]| words.iter().any(|w| tests.contains(&format!("\"{w}")));
    if !tests.contains("#[test]") || !(one_of(&SEVERITIES) || tests.contains("Outcome::Found")) {
        lacks.push("no test of what it finds".to_owned());
    }
    if !one_of(&["passed", "skipped"]) {
        lacks.push("no test of what it leaves alone".to_owned());
    }
    lacks
}

/// Thresholds that the file asks for and does not declare, and the other way round; `shared` is what all rules call.
fn thresholds_differ(declared: &[&str], source: &str, shared: &str) -> Vec<String> {
    let code = source.split("#[cfg(test)]").next().unwrap_or_default();
    let asked: BTreeSet<&str> =
        ASKS.iter().flat_map(|ask| code.split(ask).skip(1)).filter_map(|rest| rest.split('"').next()).collect();
    let mut differ: Vec<String> =
        asked.iter().filter(|n| !declared.contains(n)).map(|n| format!("`{n}` is not declared")).collect();
    let uses = |name: &str| {
        let quoted = format!("\"{name}\"");
        code.matches(&quoted).count() > code.matches(&format!("name: {quoted}")).count() || shared.contains(&quoted)
    };
    differ.extend(declared.iter().filter(|n| !uses(n)).map(|n| format!("`{n}` decides nothing")));
    differ
}

#[test]
fn each_rule_is_one_file_with_tests_of_both_outcomes() {
    let shared: String =
        files("src/advisor", ".rs").iter().filter(|p| !p.contains("/rules/")).map(|p| read(p)).collect();
    let mut all = Vec::new();
    for rule in RULES {
        let path = path(rule);
        let source = read(&path);
        let declared: Vec<&str> = rule.thresholds.iter().map(|t| t.name).collect();
        let lacks = file_lacks(rule.id, &source).into_iter().chain(thresholds_differ(&declared, &source, &shared));
        all.extend(lacks.map(|what| format!("{path}: {what}")));
    }
    let known: BTreeSet<String> = RULES.iter().map(|r| path(r)).collect();
    let others =
        files("src/advisor/rules", ".rs").into_iter().filter(|p| !known.contains(p) && !p.ends_with("/mod.rs"));
    all.extend(others.map(|p| format!("{p}: not in the list of rules")));
    assert_none(&all);
}

#[test]
fn each_rule_has_its_page_and_its_line() {
    let output = Command::new(env!("CARGO_BIN_EXE_pgretro")).arg("rules").output().expect("pgretro runs");
    let listed = String::from_utf8(output.stdout).expect("UTF-8");
    let lines: Vec<&str> = listed.lines().filter_map(|l| l.split_whitespace().next()).collect();
    let pages = read("docs/rules.md");
    let mut all = Vec::new();
    for rule in RULES {
        if lines.iter().filter(|id| **id == rule.id).count() != 1 {
            all.push(format!("{}: `pgretro rules` does not list it once", rule.id));
        }
        if !pages.contains(&format!("\n### `{}`: {}\n", rule.id, rule.title)) {
            all.push(format!("{}: docs/rules.md has no page of it", rule.id));
        }
        if Category::of(rule.id).is_none() {
            all.push(format!("{}: its first word names no area", rule.id));
        }
    }
    assert_none(&all);
}

#[test]
fn each_threshold_can_be_set() {
    let mut all = Vec::new();
    for rule in RULES {
        for threshold in rule.thresholds {
            let (id, name) = (rule.id, threshold.name);
            let odd = |c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
            if name.is_empty() || name.contains(odd) || !threshold.default.is_finite() || threshold.about.len() < 10 {
                all.push(format!("{id}: `{name}` is not a plain name with a number and a reason"));
            }
            match Config::parse(&format!("[rules.{id}]\n{name} = 0.25"), "test.toml") {
                Ok(config) if (config.threshold(rule, name) - 0.25).abs() < f64::EPSILON => {}
                Ok(config) => all.push(format!("{id}: `{name}` set to 0.25 reads {}", config.threshold(rule, name))),
                Err(e) => all.push(format!("{id}: {e}")),
            }
        }
    }
    assert_none(&all);
}

#[test]
fn the_checks_can_fail() {
    const GOOD: &str = "const R: Rule = Rule { id: \"a-b\", thresholds: &[Threshold { name: \"c\" }] };\nfn f() { \
                        cx.threshold(\"c\") }\n#[cfg(test)]\nmod tests {\n#[test]\nfn t() { \"low, high: x\"; \
                        \"passed\" }\n}\n";
    assert_eq!(file_lacks("a-b", GOOD), [""; 0]);
    assert_eq!(file_lacks("a-c", GOOD), ["it does not define `a-c`"]);
    assert_eq!(file_lacks("a-b", &GOOD.replace("low, high", "?")), ["no test of what it finds"]);
    assert_eq!(file_lacks("a-b", &GOOD.replace("passed", "?")), ["no test of what it leaves alone"]);
    assert_eq!(file_lacks("a-b", &GOOD.replace("mod tests", "mod more")), ["it has no tests"]);
    assert_eq!(thresholds_differ(&["c"], GOOD, ""), [""; 0]);
    assert_eq!(thresholds_differ(&["c", "d"], GOOD, ""), ["`d` decides nothing"]);
    assert_eq!(thresholds_differ(&["c", "d"], GOOD, "threshold(\"d\")"), [""; 0]);
    assert_eq!(thresholds_differ(&[], GOOD, ""), ["`c` is not declared"]);
}
