//! The lines of the checks, each with links to what it read.

use super::CheckLine;
use super::draft::Draft;
use crate::advisor::{Need, Rule, Threshold};
use crate::catalog::{self, Shape};
use crate::finding::Outcome;
use std::collections::BTreeMap;

/// A view and the columns of it that a check reads.
type Input = (&'static str, &'static [&'static str]);

/// The lines, in the order of the rules. The views that were read are entered in the register once each, with the
/// columns of all checks.
pub(super) fn lines(draft: &mut Draft<'_>) -> Vec<CheckLine> {
    let judged = &draft.advice.judged;
    let mut columns: BTreeMap<&'static str, Vec<&'static str>> = BTreeMap::new();
    for (view, of) in judged.iter().flat_map(|j| inputs(j.rule, &j.outcome)) {
        let known = columns.entry(view).or_default();
        known.extend(of.iter().filter(|c| !known.contains(c)).copied().collect::<Vec<_>>());
    }
    let entries: BTreeMap<&'static str, String> =
        columns.iter().filter_map(|(view, of)| Some((*view, enter(draft, view, of)?))).collect();
    judged
        .iter()
        .map(|j| {
            let (state, remark) = match &j.outcome {
                Outcome::Found { checked, .. } => ("found", checked),
                Outcome::Passed { checked } => ("passed", checked),
                Outcome::Skipped { reason, .. } => ("skipped", reason),
                Outcome::Failed { message } => ("failed", message),
            };
            let mut evidence: Vec<String> = Vec::new();
            for id in inputs(j.rule, &j.outcome).iter().filter_map(|(view, _)| entries.get(view)) {
                if !evidence.contains(id) {
                    evidence.push(id.clone());
                }
            }
            CheckLine {
                rule: j.rule.id.to_owned(),
                title: j.rule.title.to_owned(),
                state: state.to_owned(),
                remark: remark.clone(),
                evidence,
            }
        })
        .collect()
}

/// What a check reads: what it needs, and where it could judge, what it wants besides. A finding has evidence of its own,
/// and of a check whose input is missing the coverage tells.
fn inputs(rule: &Rule, outcome: &Outcome) -> Vec<Input> {
    let skipped = match outcome {
        Outcome::Passed { .. } => false,
        Outcome::Skipped { missing_input: false, .. } => true,
        _ => return Vec::new(),
    };
    let mut read: Vec<Input> = rule.needs.iter().map(input).collect();
    if !skipped || read.is_empty() {
        read.extend(rule.wants.iter().map(input));
    }
    // Its reason may be the length of the window.
    if skipped && rule.thresholds.iter().any(Threshold::is_shortest_window) {
        read.push(("meta", &["captured_at"]));
    }
    read
}

const fn input(need: &Need) -> Input {
    match need {
        Need::View(view, columns) => (view, columns),
        Need::Setting(_) => ("pg_settings", &["name", "setting"]),
        Need::Snapshots(_) => ("meta", &["captured_at"]),
        Need::Primary => ("meta", &["is_in_recovery"]),
        Need::Plans => ("plans", &["plan"]),
    }
}

/// Where a view stands: counters and states at both ends, what is seen at one instant in every snapshot. `None` where no
/// snapshot has it.
fn enter(draft: &mut Draft<'_>, view: &str, columns: &[&str]) -> Option<String> {
    let sampled = catalog::view(view).is_some_and(|v| v.shape == Shape::Sample);
    let evidence = draft.evidence(&[view], columns, None, |at, view| sampled || draft.is_end(at, view));
    (!evidence.locators.is_empty()).then(|| draft.register.enter("Read by checks", Vec::new(), evidence))
}
