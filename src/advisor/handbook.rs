//! The rules' documentation as Markdown, for `pgretro rules` and `docs/rules.md`.

use super::rules::RULES;
use super::{Category, Need, Rule};
use crate::unit::Quantity;
use std::fmt::Write;

/// Everything about one rule.
pub fn rule(rule: &Rule) -> String {
    let mut out = String::new();
    let area = Category::of(rule.id).map_or("", Category::name);
    let _ = writeln!(out, "### `{}`: {}\n", rule.id, rule.title);
    let _ = writeln!(out, "Area: {area}\n");
    for (heading, text) in [
        ("What it looks at", rule.docs.looks_at),
        ("Why it matters", rule.docs.why),
        ("How it decides", rule.docs.decides),
        ("What to do", rule.docs.what_to_do),
        ("When to ignore it", rule.docs.ignore_when),
        ("References", rule.docs.references),
    ] {
        let _ = writeln!(out, "**{heading}.** {text}\n");
    }
    inputs(&mut out, "Needs", rule.needs);
    inputs(&mut out, "Surer with", rule.wants);
    if !rule.thresholds.is_empty() {
        out.push_str("| Threshold | Default | Why |\n|:--|--:|:--|\n");
        for t in rule.thresholds {
            let value = Quantity::float(t.default, t.unit).map_or_else(|| "n/a".to_owned(), Quantity::human);
            let _ = writeln!(out, "| `{}` | {value} | {} |", t.name, t.about);
        }
        out.push('\n');
    }
    if let Some(example) = example(rule.id) {
        let _ = writeln!(out, "**Example.** {example}\n");
    }
    out
}

/// What a rule says on a fixture: made by running it, as a test holds.
fn example(id: &str) -> Option<&'static str> {
    let sections = include_str!("examples.md").split("## ");
    sections.filter_map(|section| section.split_once('\n')).find(|(of, _)| *of == id).map(|(_, text)| text.trim())
}

fn inputs(out: &mut String, heading: &str, needs: &[Need]) {
    if needs.is_empty() {
        return;
    }
    let words: Vec<String> = needs.iter().map(input).collect();
    let _ = writeln!(out, "**{heading}:** {}.\n", words.join("; "));
}

fn input(need: &Need) -> String {
    match need {
        Need::View(view, []) => format!("`{view}`"),
        Need::View(view, columns) => {
            let columns: Vec<String> = columns.iter().map(|c| format!("`{c}`")).collect();
            format!("`{view}` ({})", columns.join(", "))
        }
        Need::Snapshots(n) => format!("{n} snapshots"),
        Need::Primary => "a primary".to_owned(),
        Need::Plans => "query plans (EXPLAIN output beside the exports)".to_owned(),
        Need::Setting(name) => format!("the setting `{name}`"),
    }
}

/// The document of all rules, by area.
pub fn whole() -> String {
    let mut out = String::from(
        "# Rules\n\n\
         Made from the program: `pgretro rules --markdown`. What the words mean, and how thresholds, severities and\n\
         exceptions are set, stands in [configuration.md](configuration.md). Examples are what the rules say on the\n\
         project's fixtures.\n",
    );
    for category in Category::ALL {
        let of_it: Vec<&Rule> = RULES.iter().copied().filter(|r| Category::of(r.id) == Some(category)).collect();
        if of_it.is_empty() {
            continue;
        }
        let _ = write!(out, "\n## {}\n\n", category.name());
        for one in of_it {
            out.push_str(&rule(one));
        }
    }
    while out.ends_with("\n\n") {
        out.pop();
    }
    out.replace("\n\n\n", "\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_is_documented_under_all_headings() {
        for r in RULES {
            let d = &r.docs;
            for (heading, text) in [
                ("looks_at", d.looks_at),
                ("why", d.why),
                ("decides", d.decides),
                ("what_to_do", d.what_to_do),
                ("ignore_when", d.ignore_when),
                ("references", d.references),
            ] {
                assert!(text.len() > 10 && text.trim() == text, "{} says nothing under {heading}", r.id);
                assert!(!text.contains("  "), "{}: two blanks under {heading}", r.id);
                assert!(!text.contains("<script") && !text.contains("</"), "{}: HTML under {heading}", r.id);
            }
            assert!(!r.title.ends_with('.'), "{}: a title is no sentence", r.id);
        }
    }

    #[test]
    fn every_threshold_is_used_or_at_least_named_once() {
        for r in RULES {
            let mut names: Vec<&str> = r.thresholds.iter().map(|t| t.name).collect();
            names.sort_unstable();
            let all = names.len();
            names.dedup();
            assert_eq!(all, names.len(), "{}: a threshold twice", r.id);
        }
    }
}
