//! SARIF 2.1.0 (OASIS, Static Analysis Results Interchange Format): a rule an expectation, a result a line.
//!
//! A line that cannot be assessed is of kind `open`: "there was insufficient information to decide".

use super::{Options, line_of};
use crate::advisor::rules::RULES;
use crate::advisor::{Rule, handbook};
use crate::check::{Audit, Line, Outcome};
use crate::error::{Error, Result};
use crate::finding::{Evidence, Locator, Severity};
use crate::ident::visible;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// The result as SARIF.
pub(super) fn write(audit: &Audit, _options: &Options) -> Result<String> {
    let mut index: BTreeMap<&str, usize> = BTreeMap::new();
    let mut rules = Vec::new();
    for line in &audit.lines {
        index.entry(&line.id).or_insert_with(|| {
            rules.push(rule(line));
            rules.len() - 1
        });
    }
    let results: Vec<Value> =
        audit.lines.iter().map(|line| result(audit, line, index.get(line.id.as_str()).copied().unwrap_or(0))).collect();
    let (name, version) = audit.generator.split_once(' ').unwrap_or((&audit.generator, ""));
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {"name": name, "version": version, "rules": rules}},
            "automationDetails": {"id": format!("{}/", visible(&audit.policy.name))},
            "artifacts": [{
                "location": {"uri": uri(&audit.policy.file)},
                "roles": ["policy"],
                "hashes": {"sha-256": audit.policy.sha256},
            }],
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    let mut text =
        serde_json::to_string_pretty(&log).map_err(|e| Error::input(format!("write the result as SARIF: {e}")))?;
    text.push('\n');
    Ok(text)
}

/// An expectation; where it is about a rule of the advisor, with that rule's title, reason and documentation.
fn rule(line: &Line) -> Value {
    let about = advisors(line);
    let short = about.map_or_else(
        || line.expected.clone(),
        |about| format!("{}: {}", about.title, line.expected.split_once(": ").map_or("", |(_, rest)| rest)),
    );
    let full = if line.reason.is_empty() { about.map_or("", |about| about.docs.why) } else { &line.reason };
    let mut rule = Map::new();
    rule.insert("id".into(), json!(line.id));
    rule.insert("shortDescription".into(), message(&short));
    if !full.is_empty() {
        rule.insert("fullDescription".into(), message(full));
    }
    if let Some(about) = about {
        // Not a message with placeholders but a text and its form in Markdown (3.12), so braces stand for themselves.
        let help = json!({"text": about.docs.what_to_do, "markdown": handbook::rule(about).trim_end()});
        rule.insert("help".into(), help);
    }
    rule.insert("defaultConfiguration".into(), json!({"level": level(line.severity)}));
    rule.insert("properties".into(), json!({"tags": [line.kind]}));
    Value::Object(rule)
}

/// The advisor's rule that a line is about.
fn advisors(line: &Line) -> Option<&'static Rule> {
    let (id, _) = line.expected.split_once(": ").filter(|_| line.kind == "rule")?;
    RULES.iter().copied().find(|r| r.id == id)
}

fn result(audit: &Audit, line: &Line, rule: usize) -> Value {
    let kind = match line.outcome {
        Outcome::Pass => "pass",
        Outcome::Fail => "fail",
        Outcome::NotAssessable => "open",
    };
    // A level is for failures only (3.27.10).
    let level = if line.outcome == Outcome::Fail { level(line.severity) } else { "none" };
    let node = visible(line.node.as_deref().unwrap_or_default());
    let at = if node.is_empty() { String::new() } else { format!("{node}: ") };
    let words = match line.outcome {
        Outcome::Pass => format!("{at}{}: as expected, {}", line.expected, line.found),
        Outcome::Fail => format!("{at}{}: not met, {}", line.expected, line.found),
        Outcome::NotAssessable => format!("{at}{}: not assessable, {}", line.expected, line.found),
    };
    let read = line.evidence.iter().flat_map(|e| e.locators.iter().map(move |l| location(e, l)));
    let locations: Vec<Value> = read.take(10).collect();
    let policy = json!({
        "id": 0,
        "message": {"text": "the expectation in the policy"},
        "physicalLocation": {
            "artifactLocation": {"uri": uri(&audit.policy.file), "index": 0},
            "region": {"startLine": line.policy_line.max(1), "startColumn": line.policy_column.max(1)},
        },
    });
    let mut result = Map::new();
    result.insert("ruleId".into(), json!(line.id));
    result.insert("ruleIndex".into(), json!(rule));
    result.insert("kind".into(), json!(kind));
    result.insert("level".into(), json!(level));
    result.insert("message".into(), message(&words));
    result.insert("locations".into(), json!(locations));
    result.insert("relatedLocations".into(), json!([policy]));
    result.insert("partialFingerprints".into(), json!({"pgretro/v1": format!("{} {node}", line.id)}));
    result.insert("properties".into(), json!({"severity": line.severity.word(), "node": node}));
    Value::Object(result)
}

fn location(evidence: &Evidence, locator: &Locator) -> Value {
    let mut physical = Map::new();
    physical.insert("artifactLocation".into(), json!({"uri": uri(&locator.file)}));
    if let Some(line) = line_of(&locator.place) {
        physical.insert("region".into(), json!({"startLine": line}));
    }
    let name = format!("{} {}", evidence.view, evidence.columns.join(", "));
    json!({
        "physicalLocation": physical,
        "logicalLocations": [{"name": name.trim(), "fullyQualifiedName": format!("{} {}", name.trim(), visible(&locator.place))}],
    })
}

/// Text as a message: braces are placeholders in a message of SARIF (3.11.5), control characters are made visible.
fn message(text: &str) -> Value {
    json!({"text": visible(text).replace('{', "{{").replace('}', "}}")})
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    }
}

/// A path as a URI reference (RFC 3986): a relative one stays relative, everything unusual is escaped by its bytes.
fn uri(path: &str) -> String {
    let path = path.replace('\\', "/");
    let mut out = String::with_capacity(path.len());
    if path.starts_with('/') {
        out.push_str("file://");
    } else if path.split('/').next().is_some_and(|first| first.contains(':')) {
        // A colon in the first part would make it a scheme.
        out.push_str("./");
    }
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => out.push(char::from(byte)),
            // Writing to a string cannot fail.
            _ => drop(write!(out, "%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_uris() {
        for (path, want) in [
            ("dump/pg_settings.csv", "dump/pg_settings.csv"),
            ("/data/a b/x%.csv", "file:///data/a%20b/x%25.csv"),
            ("C:\\dump\\x.csv", "./C%3A/dump/x.csv"),
            ("ä\n<>.csv", "%C3%A4%0A%3C%3E.csv"),
            ("h.zip!/x.csv", "h.zip%21/x.csv"),
        ] {
            assert_eq!(uri(path), want, "{path}");
        }
    }

    #[test]
    fn braces_are_no_placeholders() {
        assert_eq!(message("{0} \u{1b}[31m"), json!({"text": "{{0}} \\u{{1b}}[31m"}));
    }
}
