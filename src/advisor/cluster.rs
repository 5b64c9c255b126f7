//! What the advisor says of several servers of one cluster, as one.

use super::Advice;
use crate::finding::{Finding, Outcome};
use std::collections::BTreeMap;

/// Says of every finding which server it holds for.
pub(super) fn mark(advice: &mut Advice, name: &str) {
    let suppressed = advice.suppressed.iter_mut().map(|s| &mut s.finding);
    for finding in
        found(advice.judged.iter_mut().map(|j| &mut j.outcome)).chain(suppressed).chain(&mut advice.insufficient)
    {
        finding.nodes = vec![name.to_owned()];
    }
}

fn found<'f>(outcomes: impl Iterator<Item = &'f mut Outcome>) -> impl Iterator<Item = &'f mut Finding> {
    outcomes
        .filter_map(|outcome| match outcome {
            Outcome::Found { findings, .. } => Some(findings),
            _ => None,
        })
        .flatten()
}

/// Adds what another server's rules say: a finding that both have is one, of both; it weighs what it weighs where it is
/// worse.
pub(super) fn merge(whole: &mut Advice, other: Advice) {
    for (ours, theirs) in whole.judged.iter_mut().zip(other.judged) {
        let Outcome::Found { findings: theirs, checked } = theirs.outcome else { continue };
        if let Outcome::Found { findings, .. } = &mut ours.outcome {
            add(findings, theirs);
        } else {
            ours.outcome = Outcome::Found { findings: theirs, checked };
        }
    }
    add(&mut whole.insufficient, other.insufficient);
    for theirs in other.suppressed {
        match whole.suppressed.iter_mut().find(|s| s.finding.key() == theirs.finding.key()) {
            Some(ours) => ours.finding.nodes.extend(theirs.finding.nodes),
            None => whole.suppressed.push(theirs),
        }
    }
}

fn add(ours: &mut Vec<Finding>, theirs: Vec<Finding>) {
    let mut at: BTreeMap<String, usize> = ours.iter().enumerate().map(|(i, f)| (f.key(), i)).collect();
    for finding in theirs {
        if let Some(known) = at.get(&finding.key()).copied().and_then(|i| ours.get_mut(i)) {
            known.severity = known.severity.max(finding.severity);
            known.nodes.extend(finding.nodes);
        } else {
            at.insert(finding.key(), ours.len());
            ours.push(finding);
        }
    }
}
