//! The advisor: rules over a chain of snapshots; what they found, scored, made consistent, turned into a plan.
//!
//! A rule is a constant: identity, needs, thresholds, documentation, a check. It gets a [`Context`] and nothing else.
//! An unmet need becomes [`Outcome::Skipped`] before the check runs; no rule looks at a version to see what exists.

mod context;
mod rule;
pub mod rules;

pub use context::{Context, Setting, SettingSource, State};
pub use rule::{Check, Checked, Docs, Need, Rule, Skip, Threshold};
