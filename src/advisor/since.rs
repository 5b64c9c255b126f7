//! What is new, unchanged or fixed against the first snapshot judged alone.

use super::run::Advice;
use crate::finding::Finding;
use std::collections::BTreeSet;

/// Findings of the whole chain against those of its first snapshot alone, by [`Finding::key`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Since {
    /// Keys found now, not then.
    pub new: BTreeSet<String>,
    /// Keys found both times.
    pub unchanged: BTreeSet<String>,
    /// Findings of then whose rule ran again and does not find them any more.
    pub fixed: Vec<Finding>,
    /// Keys of then whose rule could not run now: neither fixed nor unchanged.
    pub unknown: BTreeSet<String>,
}

/// Compares two runs of the rules.
pub(super) fn compare(then: &Advice, now: &Advice) -> Since {
    let present: BTreeSet<String> = now.findings().iter().map(|f| f.key()).collect();
    let past = then.findings();
    let past_keys: BTreeSet<String> = past.iter().map(|f| f.key()).collect();
    // A finding accepted or too unsure now is no success of anybody.
    let silenced: BTreeSet<String> =
        now.suppressed.iter().map(|s| s.finding.key()).chain(now.insufficient.iter().map(Finding::key)).collect();
    let ran: BTreeSet<&str> = now
        .judged
        .iter()
        .filter(|j| {
            use crate::finding::Outcome::{Found, Passed};
            matches!(j.outcome, Found { .. } | Passed { .. })
        })
        .map(|j| j.rule.id)
        .collect();
    let mut since = Since {
        new: present.difference(&past_keys).cloned().collect(),
        unchanged: present.intersection(&past_keys).cloned().collect(),
        ..Since::default()
    };
    for finding in past.into_iter().filter(|f| !present.contains(&f.key())) {
        if ran.contains(finding.rule.as_str()) && !silenced.contains(&finding.key()) {
            since.fixed.push(finding.clone());
        } else {
            since.unknown.insert(finding.key());
        }
    }
    since
}
