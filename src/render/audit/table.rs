//! Lines for people: failures first, then what cannot be assessed, then what passed.

use super::super::terminal::paint::{Paint, Style, finish, pad, width, wrap};
use super::Options;
use crate::check::{Audit, Line, Outcome};
use crate::error::Result;
use std::fmt::Write;

/// The result for people.
#[expect(clippy::unnecessary_wraps, reason = "the signature of every format")]
pub(super) fn write(audit: &Audit, options: &Options) -> Result<String> {
    let paint = Paint { color: options.color, ascii: options.ascii, width: options.width.clamp(40, 100) };
    let mut lines = Vec::new();
    if !options.quiet {
        lines = head(audit, &paint);
        for outcome in [Outcome::Fail, Outcome::NotAssessable, Outcome::Pass] {
            let of: Vec<&Line> = audit.lines.iter().filter(|l| l.outcome == outcome).collect();
            if !of.is_empty() {
                lines.push(String::new());
            }
            for line in of {
                lines.extend(entry(audit, line, &paint));
            }
        }
        lines.push(String::new());
    }
    lines.push(summary(audit, &paint));
    Ok(finish(&lines))
}

fn head(audit: &Audit, paint: &Paint) -> Vec<String> {
    let mut lines = wrap(&paint.words(&format!("{} ({})", audit.policy.name, audit.policy.file)), paint.width, "  ");
    for node in &audit.nodes {
        let mut text = node.name.clone();
        if let Some(role) = node.role.filter(|r| r.word() != node.name) {
            let _ = write!(text, ", {}", role.word());
        }
        if let Some(version) = &node.version {
            let _ = write!(text, ", PostgreSQL {version}");
        }
        if let Some(database) = &node.database {
            let _ = write!(text, ", database {database}");
        }
        if let Some(at) = node.taken_at {
            let _ = write!(text, ", {}", at.human());
        }
        lines.extend(wrap(&paint.words(&text), paint.width, "  "));
    }
    lines
}

/// Outcome, expectation and what was found; for failures also why it is expected and where it was read.
fn entry(audit: &Audit, line: &Line, paint: &Paint) -> Vec<String> {
    const INDENT: &str = "      ";
    let (word, style) = match line.outcome {
        Outcome::Pass => ("pass", Style::Plain),
        Outcome::Fail => ("FAIL", Style::of(line.severity)),
        Outcome::NotAssessable => ("n/a", Style::Dim),
    };
    let node = match &line.node {
        Some(node) if audit.nodes.len() > 1 => format!(" [{node}]"),
        _ => String::new(),
    };
    let severity = if line.outcome == Outcome::Fail { format!(" ({})", line.severity.word()) } else { String::new() };
    let text = paint.words(&format!("{}{severity}{node}", line.expected));
    let mut out = wrap(&format!("{}{text}", pad(word, width(INDENT))), paint.width, INDENT);
    if let Some(first) = out.first_mut() {
        *first = format!("{}{}", paint.style(word, style), first.get(word.len()..).unwrap_or_default());
    }
    let mut more = vec![format!("found: {}", line.found)];
    if line.outcome == Outcome::Fail {
        more.extend((!line.reason.is_empty()).then(|| format!("why: {}", line.reason)));
        let read = line.evidence.first().and_then(|e| e.locators.last());
        more.extend(read.map(|l| format!("read: {} {}", l.file, l.place)));
    }
    if !line.id.starts_with(&line.kind) {
        more.push(format!("id: {}", line.id));
    }
    for text in more {
        out.extend(wrap(&format!("{INDENT}{}", paint.words(&text)), paint.width, INDENT));
    }
    out
}

fn summary(audit: &Audit, paint: &Paint) -> String {
    let c = &audit.counts;
    let verdict = if audit.fails() { "Not met" } else { "Met" };
    let strict = if audit.strict && c.not_assessable > 0 { " (counted as failed)" } else { "" };
    let style = if audit.fails() { Style::of(crate::finding::Severity::High) } else { Style::Plain };
    let counts = format!(": {} passed, {} failed, {} not assessable{strict}.", c.pass, c.fail, c.not_assessable);
    format!("{}{counts}", paint.style(verdict, style))
}
