//! The whole report, without the blocks of its sections.

use super::{Against, Baseline, Block};
use crate::diff::Chain;
use crate::finding::{Confidence, Evidence, Finding, Severity};
use crate::text::Text;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Version of the JSON form.
pub const SCHEMA: u32 = 1;

/// The whole report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Report {
    /// Version of this form: [`SCHEMA`].
    pub schema: u32,
    /// Hash of inputs, options and rules version: equal inputs, equal id.
    pub id: String,
    /// `pgretro 0.1.0`.
    pub generator: String,
    /// Version of the rules and what the configuration changed: `30 rules, defaults`.
    pub rules: String,
    /// What was redacted, in words; empty: nothing.
    #[serde(default)]
    pub redacted: Vec<String>,
    /// The database's name, or the server's where the dump does not say.
    pub title: String,
    /// What was compared.
    pub window: Window,
    /// Verdict, score, counts.
    pub verdict: Verdict,
    /// The servers it is of, the main one first: sections show that one, findings say which they hold for. Empty for one
    /// server.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub servers: Vec<Server>,
    /// What became of the exceptions of the configuration; `None` where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exceptions: Option<Exceptions>,
    /// The earlier report it is held against; `None` where none was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Baseline>,
    /// The findings, worst first; `F-01` is the first.
    pub findings: Vec<ReportFinding>,
    /// Checks that ran and found nothing, that could not run, that broke.
    pub checks: Vec<CheckLine>,
    /// The plan of actions, in order.
    pub actions: Vec<Action>,
    /// The sections in order, every one present.
    pub sections: Vec<Section>,
    /// The register: `E1` is the first.
    pub evidence: Vec<EvidenceEntry>,
}

/// What was compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Window {
    /// Capture time of the first snapshot.
    pub from: Option<Timestamp>,
    /// Capture time of the last.
    pub to: Option<Timestamp>,
    /// Seconds between.
    pub elapsed_s: Option<f64>,
    /// How many snapshots.
    pub snapshots: usize,
    /// `PostgreSQL 15.18`, or `PostgreSQL 15 (inferred)`.
    pub server: String,
    /// Expected sources that were captured.
    pub sources: usize,
    /// Expected sources.
    pub sources_expected: usize,
}

/// The first screen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Verdict {
    /// One sentence.
    pub headline: Text,
    /// One reason, with evidence links.
    pub reason: Text,
    /// What it rests on: "Based on 24 of 29 expected sources."
    pub basis: Text,
    /// Overall score, 0 to 10; `None` where nothing could be assessed.
    pub score: Option<f64>,
    /// True where less than half of the areas, or of their checks, could be assessed: printed "≤".
    #[serde(default)]
    pub score_at_most: bool,
    /// The arithmetic of the overall score.
    #[serde(default)]
    pub score_formula: String,
    /// Where the register of evidence has it, `E58`.
    #[serde(default)]
    pub score_evidence: Option<String>,
    /// Category rows, with their deductions.
    pub categories: Vec<Category>,
    /// Findings by severity.
    pub counts: BTreeMap<Severity, usize>,
    /// Against the first snapshot judged alone: new, unchanged, fixed. `None` for one snapshot.
    pub since: Option<Since>,
}

/// One of several servers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Server {
    /// The name that findings say.
    pub name: String,
    /// Whether it is a standby; `None` where the dump does not say.
    pub standby: Option<bool>,
    /// `PostgreSQL 15.18`.
    pub version: String,
    /// How many snapshots.
    pub snapshots: usize,
    /// Capture time of the first.
    pub from: Option<Timestamp>,
    /// Capture time of the last.
    pub to: Option<Timestamp>,
}

impl Server {
    /// The server of a chain.
    pub fn of(name: &str, chain: &Chain) -> Self {
        let meta = &chain.last().meta;
        Self {
            name: name.to_owned(),
            standby: meta.in_recovery,
            version: super::sections::server(meta),
            snapshots: chain.count(),
            from: chain.first().meta.taken_at,
            to: meta.taken_at,
        }
    }
}

/// What became of the exceptions of the configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Exceptions {
    /// How many the configuration has.
    pub given: usize,
    /// Findings that they hide: listed with the reason, not counted, not scored.
    pub accepted: usize,
    /// Exceptions that expired, and those that concern nothing.
    pub notes: Vec<String>,
}

/// How findings differ from those of the earlier state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Since {
    /// Found now, not then.
    pub new: usize,
    /// Found both times.
    pub unchanged: usize,
    /// Found then, not now.
    pub fixed: usize,
}

/// A category's score with the arithmetic behind it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Category {
    /// `Queries`, `Vacuum`, ...
    pub name: String,
    /// 0 to 10, one decimal; `None`: not assessed.
    pub score: Option<f64>,
    /// True where coverage is under half: printed "≤".
    pub at_most: bool,
    /// Rules evaluated.
    pub evaluated: usize,
    /// Rules applicable.
    pub applicable: usize,
    /// What was taken off.
    pub deductions: Vec<Deduction>,
    /// Why not assessed, or which cap applied.
    pub remark: Option<String>,
}

/// One deduction of a score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Deduction {
    /// Finding numbers, `F-01`.
    pub findings: Vec<String>,
    /// The rule.
    pub rule: String,
    /// Points taken off.
    pub points: f64,
    /// The arithmetic: `3 × 0.7 × 0.95`.
    pub formula: String,
}

/// A finding in its place in the report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ReportFinding {
    /// `F-01`, by rank.
    pub number: String,
    /// Stable id: hash of rule and object.
    pub id: String,
    /// High, medium, low.
    pub confidence: Confidence,
    /// The finding.
    #[serde(flatten)]
    pub finding: Finding,
    /// For each measure of the finding its number in the register, `E7`.
    pub evidence: Vec<String>,
    /// `new`, `unchanged` against the earlier state; `None` for one snapshot.
    pub since: Option<String>,
    /// How it stands against the baseline; `None` where none was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Against>,
    /// Why statements of this finding were left out, so that the plan does not contradict itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub withdrawn: Vec<String>,
}

/// One check, for "Checked and fine" and "Not assessed".
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CheckLine {
    /// The rule.
    pub rule: String,
    /// Its title.
    pub title: String,
    /// `found`, `passed`, `skipped`, `failed`.
    pub state: String,
    /// What was looked at, or why it could not run.
    pub remark: String,
    /// The numbers in the register of what it read, `E40`.
    #[serde(default)]
    pub evidence: Vec<String>,
}

/// When to act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Horizon {
    /// Within a day.
    Immediate,
    /// Within two weeks.
    ShortTerm,
    /// Later.
    LongTerm,
}

/// A step of the plan: one or more findings' cure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Action {
    /// Position in the plan, from 1.
    pub rank: usize,
    /// What to do, in a line.
    pub title: Text,
    /// The findings it answers, `F-01`.
    pub findings: Vec<String>,
    /// When.
    pub horizon: Horizon,
    /// The worst severity among its findings.
    pub severity: Severity,
    /// 1 to 5.
    pub impact: u8,
    /// Confidence of its findings, the best.
    pub confidence: Confidence,
    /// How much work.
    pub effort: crate::finding::Effort,
    /// A date, where one is known.
    pub deadline: Option<Timestamp>,
    /// The statements, in safe order.
    pub fixes: Vec<crate::finding::Fix>,
    /// What proves success.
    pub verify: Text,
    /// What was left out so that the plan does not contradict itself, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<String>,
}

/// A section, always present, with a fixed id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Section {
    /// `verdict`, `actions`, ..., the anchor.
    pub id: String,
    /// Its heading.
    pub title: String,
    /// Whether it has data; the contents mark the others `n/a`.
    pub filled: bool,
    /// Shown in the contents: number of findings, tables, ...
    pub count: Option<u64>,
    /// Its content.
    pub blocks: Vec<Block>,
}

/// An entry of the evidence register.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct EvidenceEntry {
    /// `E1`.
    pub id: String,
    /// What it is: label and object.
    pub label: String,
    /// Values per snapshot: (`A`, quantity).
    pub values: Vec<(String, crate::unit::Quantity)>,
    /// View, columns, places, formula.
    #[serde(flatten)]
    pub evidence: Evidence,
}
