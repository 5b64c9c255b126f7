//! For tests of rules: literal snapshots in, one rule's outcome out, as a few readable lines.

use super::run::judge as run_rules;
use super::{Advice, Config, Rule};
use crate::diff::{self, Chain};
use crate::finding::Outcome;
use crate::snapshot::Snapshot;
use std::sync::Arc;

/// The chain of some snapshots.
///
/// # Panics
/// When they do not belong together.
pub fn chain(snapshots: &[Arc<Snapshot>]) -> Chain {
    diff::chain(snapshots.to_vec(), &diff::Options::default()).unwrap()
}

/// What one rule says about snapshots, under a configuration given as TOML.
pub fn judge(rule: &'static Rule, snapshots: &[Arc<Snapshot>], config: &str) -> Outcome {
    let mut advice = advise(&[rule], snapshots, config);
    advice.judged.remove(0).outcome
}

/// What some rules say.
///
/// # Panics
/// When the configuration cannot be read.
pub fn advise(rules: &[&'static Rule], snapshots: &[Arc<Snapshot>], config: &str) -> Advice {
    let config = Config::parse(config, "test.toml").unwrap();
    run_rules(&chain(snapshots), &config, rules)
}

/// An outcome in lines: `severity, confidence: object: title`, or `passed: …`, `skipped: …`.
pub fn told(outcome: &Outcome) -> Vec<String> {
    match outcome {
        Outcome::Found { findings, .. } => findings
            .iter()
            .map(|f| {
                let (severity, confidence) = (f.severity.word(), f.confidence().word());
                format!("{severity}, {confidence}: {}: {}", f.subject.name, f.title.plain())
            })
            .collect(),
        Outcome::Passed { checked } => vec![format!("passed: {checked}")],
        Outcome::Skipped { reason, missing_input: true } => vec![format!("skipped, input missing: {reason}")],
        Outcome::Skipped { reason, .. } => vec![format!("skipped: {reason}")],
        Outcome::Failed { message } => vec![format!("failed: {message}")],
    }
}
