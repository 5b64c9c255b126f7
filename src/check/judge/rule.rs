//! The advisor's findings against the worst severity that is accepted.

use super::{Node, Verdict};
use crate::advisor::fits;
use crate::check::policy::{Item, What};
use crate::finding::{Finding, Outcome, Severity};
use crate::ident::visible;
use std::fmt::Write;

/// The most findings named in a line.
const NAMED: usize = 3;

/// One line a rule that the pattern fits and no earlier expectation has decided.
pub(super) fn judge(
    item: &Item,
    node: &Node<'_>,
    earlier: &[Item],
    pattern: &str,
    at_most: Option<Severity>,
) -> Vec<Verdict> {
    let decided = |id: &str| {
        earlier.iter().any(|e| match &e.what {
            What::Rule { pattern, .. } => fits(pattern, id) && (e.role.is_none() || e.role == node.role()),
            _ => false,
        })
    };
    let several = pattern.contains('*');
    node.advice
        .judged
        .iter()
        .filter(|j| fits(pattern, j.rule.id) && !decided(j.rule.id))
        .map(|judged| {
            let id = judged.rule.id;
            let expected = What::Rule { pattern: id.to_owned(), at_most }.to_string();
            let mut verdict = match &judged.outcome {
                Outcome::Found { findings, .. } => found(node, expected, findings, at_most),
                Outcome::Passed { checked } => Verdict::met(expected, true, checked.clone()),
                Outcome::Skipped { reason, .. } => Verdict::unknown(expected, reason.clone()),
                Outcome::Failed { message } => Verdict::unknown(expected, message.clone()),
            };
            // Writing to a string cannot fail.
            for doubtful in node.advice.insufficient.iter().filter(|f| f.rule == id) {
                let _ = write!(verdict.found, "; not enough evidence for {}", named(doubtful));
            }
            for accepted in node.advice.suppressed.iter().filter(|s| s.finding.rule == id) {
                let words = named(&accepted.finding);
                let _ = write!(verdict.found, "; {words} accepted by the configuration: {}", accepted.reason);
            }
            verdict.id = several.then(|| {
                if item.id == format!("rule/{pattern}") { format!("rule/{id}") } else { format!("{}/{id}", item.id) }
            });
            verdict
        })
        .collect()
}

fn found(node: &Node<'_>, expected: String, findings: &[Finding], at_most: Option<Severity>) -> Verdict {
    let too_bad: Vec<&Finding> = findings.iter().filter(|f| at_most.is_none_or(|limit| f.severity > limit)).collect();
    let shown = if too_bad.is_empty() { findings.iter().collect() } else { too_bad.clone() };
    let mut words: Vec<String> =
        shown.iter().take(NAMED).map(|f| format!("{}: {}", f.severity.word(), named(f))).collect();
    if shown.len() > NAMED {
        words.push(format!("{} more", shown.len() - NAMED));
    }
    let mut verdict = Verdict::met(expected, too_bad.is_empty(), words.join("; "));
    verdict.severity = too_bad.iter().map(|f| f.severity).max();
    let evidence = shown.iter().take(NAMED).filter_map(|f| f.measures.first()).map(|m| m.evidence.clone());
    verdict.evidence = evidence.collect();
    // A finding without numbers of its own rests on the whole snapshot.
    if verdict.evidence.is_empty() {
        verdict.evidence.extend(node.meta(&["captured_at"]));
    }
    verdict
}

/// A finding in a line: its title, with its object in front where the title does not name it.
fn named(finding: &Finding) -> String {
    let title = finding.title.plain();
    let object = visible(&finding.subject.name);
    if title.contains(object.as_ref()) { title } else { format!("{object}: {title}") }
}
