//! What the advisor says of several servers of one cluster, as one.

use super::Advice;
use crate::finding::{Finding, Outcome, SubjectKind};
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

/// Whether a subject is the same thing on every server of a cluster, not something each has of its own.
const fn is_replicated(kind: SubjectKind) -> bool {
    matches!(
        kind,
        SubjectKind::Table
            | SubjectKind::Index
            | SubjectKind::Sequence
            | SubjectKind::Constraint
            | SubjectKind::Function
    )
}

fn add(ours: &mut Vec<Finding>, theirs: Vec<Finding>) {
    let mut at: BTreeMap<String, usize> = ours.iter().enumerate().map(|(i, f)| (f.key(), i)).collect();
    for mut finding in theirs {
        let other_words = |known: &Finding| known.title != finding.title;
        let known = at.get(&finding.key()).and_then(|i| ours.get(*i));
        // Connections, logs, settings: what is said of one server with its numbers is not true of the other.
        if !is_replicated(finding.subject.kind) && known.is_some_and(other_words) {
            finding.subject.name = format!("{} on {}", finding.subject.name, finding.nodes.join(", "));
        }
        if let Some(known) = at.get(&finding.key()).copied().and_then(|i| ours.get_mut(i)) {
            known.severity = known.severity.max(finding.severity);
            known.nodes.extend(finding.nodes);
        } else {
            at.insert(finding.key(), ours.len());
            ours.push(finding);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{Severity, Subject};

    fn of(node: &str, kind: SubjectKind, name: &str, title: &str) -> Finding {
        let mut finding = Finding::new("r", Subject::new(kind, name), Severity::Low, title);
        finding.nodes = vec![node.to_owned()];
        finding
    }

    fn merged(kind: SubjectKind, ours: &str, theirs: &str) -> Vec<String> {
        let mut all = vec![of("a", kind, "x", ours)];
        add(&mut all, vec![of("b", kind, "x", theirs)]);
        all.iter().map(|f| format!("{}: {} [{}]", f.subject.name, f.title.plain(), f.nodes.join(" "))).collect()
    }

    #[test]
    fn a_table_is_one_on_all_servers_and_connections_are_each_ones_own() {
        assert_eq!(merged(SubjectKind::Table, "9 rows", "no rows"), ["x: 9 rows [a b]"]);
        assert_eq!(merged(SubjectKind::Setting, "is off", "is off"), ["x: is off [a b]"]);
        assert_eq!(
            merged(SubjectKind::Server, "80% in use", "99% in use"),
            ["x: 80% in use [a]", "x on b: 99% in use [b]"]
        );
    }
}
