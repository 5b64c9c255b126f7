//! What the advisor says: findings with evidence, severity, confidence and a cure.

mod fix;
mod measure;
mod severity;

pub use fix::{Fix, Leads, Risk, RoleSetting, Verb};
pub use measure::{Evidence, Locator, Measure};
pub use severity::Severity;

use crate::text::{Span, Text};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// How sure a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// Below low: only listed under "not enough evidence".
    Insufficient,
    /// Several reasons for doubt.
    Low,
    /// One reason for doubt.
    Medium,
    /// None.
    High,
}

impl Confidence {
    /// The word that is printed.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Insufficient => "not enough evidence",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }

    /// High, lowered one step for each reason.
    pub fn lowered_by(reasons: &[Doubt]) -> Self {
        match reasons.len() {
            0 => Self::High,
            1 => Self::Medium,
            2 => Self::Low,
            _ => Self::Insufficient,
        }
    }
}

/// A reason that lowers confidence one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Doubt {
    /// Single snapshot, cumulative values only.
    C1,
    /// The window is shorter than the rule's.
    C2,
    /// The row's class is `ok?`, `reset` or `reset?`.
    C3,
    /// An optional input is missing, or old.
    C4,
    /// An estimate instead of a measurement.
    C5,
    /// A point sample.
    C6,
    /// pg_stat_statements evicts, or its export is truncated or filtered.
    C7,
    /// The node is a standby, or use on standbys is unknown.
    C8,
    /// Table attribution rests on statement text.
    C9,
}

impl Doubt {
    /// The sentence printed in an open finding.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::C1 => "One snapshot only: the values are totals since the statistics began.",
            Self::C2 => "The window is shorter than this check wants.",
            Self::C3 => "Counters of this object were reset, or may have been, inside the window.",
            Self::C4 => "An input that would make this surer is missing or older than the rest.",
            Self::C5 => "Rests on an estimate, not a measurement.",
            Self::C6 => "Point samples: what happened between the captures is not seen.",
            Self::C7 => "Statement statistics are incomplete: evicted, cut off or filtered.",
            Self::C8 => "Use on standby servers is not known.",
            Self::C9 => "The table was concluded from the statement's text.",
        }
    }
}

/// What kind of thing a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum SubjectKind {
    /// The whole server or cluster.
    Server,
    /// A database.
    Database,
    /// A table.
    Table,
    /// An index.
    Index,
    /// A sequence.
    Sequence,
    /// A constraint.
    Constraint,
    /// A statement of pg_stat_statements.
    Statement,
    /// A function.
    Function,
    /// A session.
    Session,
    /// A prepared transaction.
    PreparedTransaction,
    /// A replication slot.
    Slot,
    /// A standby or subscription.
    Replica,
    /// A configuration parameter.
    Setting,
    /// A role.
    Role,
    /// The dump itself.
    Data,
}

/// What a finding is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Subject {
    /// Its kind.
    pub kind: SubjectKind,
    /// Its name as people read it (`schema.name`), raw: formats escape it.
    pub name: String,
}

impl Subject {
    /// A subject of a kind.
    pub fn new(kind: SubjectKind, name: impl Into<String>) -> Self {
        Self { kind, name: name.into() }
    }
}

/// How much work a cure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Effort {
    /// Minutes.
    S,
    /// Hours.
    M,
    /// Days: rewrites, upgrades, design.
    L,
}

/// What a rule found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Finding {
    /// The rule's id, `index-unused`.
    pub rule: String,
    /// What it is about.
    pub subject: Subject,
    /// The objects, when one finding stands for several.
    pub members: Vec<Subject>,
    /// How bad.
    pub severity: Severity,
    /// Why less than sure; confidence follows from their number, see [`Finding::confidence`].
    pub doubts: Vec<Doubt>,
    /// An upper bound on confidence that the rule itself sets (point samples: medium).
    pub at_most: Option<Confidence>,
    /// The fact with its number.
    pub title: Text,
    /// Why it matters, at this database's size and load.
    pub why: Text,
    /// What it is probably not, and the number that excludes it.
    pub not: Option<Text>,
    /// The numbers it rests on.
    pub measures: Vec<Measure>,
    /// What to do, in order.
    pub fixes: Vec<Fix>,
    /// The measure and value that prove success in the next snapshot.
    pub verify: Text,
    /// When it will hurt, where a date can be given.
    pub deadline: Option<Timestamp>,
    /// How much work the cure is.
    pub effort: Effort,
    /// Affected share of the category's resource (time, bytes, rows, connections), 0 to 1; `None` is unknown.
    pub share: Option<f64>,
    /// Whether `share` is of one execution of a statement: it orders findings, and says nothing of the whole resource.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub of_one_execution: bool,
    /// The servers it holds for; empty where one server was looked at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<String>,
}

impl Finding {
    /// A finding that says no more than its title yet.
    pub fn new(rule: &str, subject: Subject, severity: Severity, title: impl Into<Text>) -> Self {
        Self {
            rule: rule.to_owned(),
            subject,
            members: Vec::new(),
            severity,
            doubts: Vec::new(),
            at_most: None,
            title: title.into(),
            why: Text::new(),
            not: None,
            measures: Vec::new(),
            fixes: Vec::new(),
            verify: Text::new(),
            deadline: None,
            effort: Effort::S,
            share: None,
            of_one_execution: false,
            nodes: Vec::new(),
        }
    }

    /// How sure it is: high, one step down for each doubt, not above the rule's own bound.
    pub fn confidence(&self) -> Confidence {
        let mut doubts = self.doubts.clone();
        doubts.sort_unstable();
        doubts.dedup();
        let lowered = Confidence::lowered_by(&doubts);
        self.at_most.map_or(lowered, |bound| lowered.min(bound))
    }

    /// The affected share of the area's resource; `None` is unknown.
    pub fn share_of_resource(&self) -> Option<f64> {
        self.share.filter(|_| !self.of_one_execution)
    }

    /// Its words with the numbers that are lower bounds said as such, as its measures know. A number that another measure
    /// has for sure is left alone.
    #[must_use]
    pub fn bounded(mut self) -> Self {
        for text in [&mut self.title, &mut self.why].into_iter().chain(&mut self.not) {
            for span in &mut text.0 {
                if let Span::Number(number) = *span
                    && self.measures.iter().any(|m| m.bounds(number))
                    && !self.measures.iter().any(|m| !m.bounds(number) && m.has(number))
                {
                    *span = Span::AtLeast(number);
                }
            }
        }
        self
    }

    /// Unique in a run: the rule and what it is about.
    pub fn key(&self) -> String {
        format!("{}/{}", self.rule, self.subject.name)
    }
}

/// What became of a rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum Outcome {
    /// It ran and found something.
    Found {
        /// The findings, worst first.
        findings: Vec<Finding>,
        /// One line on what was looked at.
        checked: String,
    },
    /// It ran and everything was fine; what was looked at, with its value.
    Passed {
        /// One line on what was looked at, with its value.
        checked: String,
    },
    /// It could not run; why, and what would let it.
    Skipped {
        /// Why.
        reason: String,
        /// Whether a required input is missing (else the data is there but the window, the node or the version forbids a verdict).
        missing_input: bool,
    },
    /// It broke. The other rules go on.
    Failed {
        /// What happened.
        message: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unit::{Quantity, Unit};

    #[test]
    fn numbers_of_lower_bounds_are_said_as_such() {
        let number = |n| Quantity::int(n, Unit::Rows);
        let of = |n: i64, exact| Measure::of_window("m", Some(number(n)), Evidence::default()).bounded(exact);
        let words = Text::new().n(number(5)).t(" of ").n(number(7)).t(", ").n(number(9));
        let mut finding = Finding::new("r", Subject::new(SubjectKind::Table, "t"), Severity::Low, words.clone());
        finding.why = words;
        finding.measures = vec![of(5, false), of(7, true), of(9, false), of(9, true)];
        let finding = finding.bounded();
        assert_eq!(finding.title.plain(), "≥ 5 of 7, 9", "that another measure has for sure is no bound");
        assert_eq!(finding.why, finding.title);
    }
}
