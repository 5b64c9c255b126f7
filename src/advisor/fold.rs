//! Many findings of one rule told as one with a list.

use crate::finding::{Evidence, Finding, Measure};
use crate::unit::Quantity;

/// How many findings of one rule and severity are kept apart; the rest stands in one finding that lists them.
const KEEP_APART: usize = 12;

/// A hundred alike are one finding with a list.
pub(super) fn folded(findings: Vec<Finding>) -> Vec<Finding> {
    let mut out: Vec<Finding> = Vec::new();
    let mut apart = 0;
    for finding in findings {
        let same = out.last().is_some_and(|last| last.severity == finding.severity);
        apart = if same { apart + 1 } else { 1 };
        match out.last_mut() {
            Some(last) if same && apart > KEEP_APART => add(last, finding),
            _ if apart == KEEP_APART => {
                let mut head = finding;
                if head.members.is_empty() {
                    head.members.push(head.subject.clone());
                }
                out.push(head);
            }
            _ => out.push(finding),
        }
    }
    for finding in &mut out {
        let n = finding.members.len();
        if finding.members.first() == Some(&finding.subject) {
            if n > 1 {
                finding.title = std::mem::take(&mut finding.title).t("; ").n(Quantity::count(n - 1)).t(" more like it");
            } else {
                finding.members.clear();
            }
        }
    }
    out
}

/// Another one for the list of a finding; where it was read is told of the first ones.
fn add(head: &mut Finding, other: Finding) {
    const LABEL: &str = "More like it";
    const CITED: usize = 10;
    head.members.push(other.subject);
    let more = Some(Quantity::count(head.members.len() - 1));
    let read = other.measures.into_iter().next().map(|m| m.evidence).unwrap_or_default();
    if let Some(known) = head.measures.last_mut().filter(|m| m.label == LABEL) {
        known.window = more;
        let left = CITED.saturating_sub(known.evidence.locators.len());
        known.evidence.locators.extend(read.locators.into_iter().take(left));
    } else {
        let formula = format!("findings of this check of one severity; the first {CITED} places are cited");
        let evidence = Evidence { object: String::new(), formula: Some(formula), ..read };
        head.measures.push(Measure::of_window(LABEL, more, evidence));
    }
}
