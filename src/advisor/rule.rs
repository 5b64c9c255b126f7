//! What a rule is.

use super::Context;
use crate::finding::Finding;
use crate::unit::Unit;

/// A check, declared as data.
#[derive(Debug)]
pub struct Rule {
    /// Permanent id in kebab-case that names the problem: `index-unused`. Its first word is its category.
    pub id: &'static str,
    /// The problem in a few words: "Index never scanned".
    pub title: &'static str,
    /// What must be there for the check to run.
    pub needs: &'static [Need],
    /// What makes it surer where it is there; a missing one costs confidence (C4) where the rule says so.
    pub wants: &'static [Need],
    /// Every window, floor and limit, by name.
    pub thresholds: &'static [Threshold],
    /// Its documentation.
    pub docs: Docs,
    /// The check.
    pub check: fn(&Context<'_>) -> Check,
}

/// What a check returns.
pub type Check = Result<Checked, Skip>;

/// The result of a check that ran.
#[derive(Debug, Default)]
pub struct Checked {
    /// What it found; empty is "checked and fine".
    pub findings: Vec<Finding>,
    /// One line on what was looked at, with its value: "9 tables, none over its autovacuum trigger".
    pub looked_at: String,
}

/// Why a check could not give a verdict although its needs are met: window too short, standby, extension off.
#[derive(Debug)]
pub struct Skip(pub String);

/// An input of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// A view with these columns in the last snapshot (for [`crate::catalog::Shape::Counters`] views), or in any
    /// snapshot of the window (for states and samples, taken as `Context::state` and `Context::samples` do).
    View(&'static str, &'static [&'static str]),
    /// At least this many snapshots.
    Snapshots(usize),
    /// A primary: on a standby the rule is skipped.
    Primary,
    /// Query plans: EXPLAIN output beside the exports. Nothing exports them, so a dump without is whole.
    Plans,
    /// A named setting, exported (not the default of the version).
    Setting(&'static str),
}

/// A named number that decides: configurable, documented, never buried in code.
#[derive(Clone, Copy, Debug)]
pub struct Threshold {
    /// Its name in the configuration file, unique in the rule: `min_heap_bytes`.
    pub name: &'static str,
    /// Its default.
    pub default: f64,
    /// Its unit, for printing.
    pub unit: Unit,
    /// Why this value.
    pub about: &'static str,
}

impl Threshold {
    /// Whether it is the shortest window that a rule judges: such thresholds are called so.
    pub fn is_shortest_window(&self) -> bool {
        self.name.starts_with("min_window")
    }
}

/// A rule's documentation, in Markdown without raw HTML.
#[derive(Clone, Copy, Debug)]
pub struct Docs {
    /// What it looks at.
    pub looks_at: &'static str,
    /// Why it matters.
    pub why: &'static str,
    /// How it decides, guards included.
    pub decides: &'static str,
    /// What to do.
    pub what_to_do: &'static str,
    /// When to ignore it.
    pub ignore_when: &'static str,
    /// PostgreSQL manual pages, papers, "observed on real servers".
    pub references: &'static str,
}
