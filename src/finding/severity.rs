//! How bad a finding is.

use serde::{Deserialize, Serialize};

/// The consequence of a finding, not the size of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Context; never counts in a score.
    Info,
    /// Small waste, hygiene, easy win.
    Low,
    /// Measurable waste of a main resource, or a correctness hazard.
    Medium,
    /// Users affected now, outage risk within 30 days, or a safety feature is off.
    High,
    /// Data loss, outage or refused writes now or within 7 days at the measured rate.
    Critical,
}

impl Severity {
    /// The word that is printed.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// The level of this word.
    pub fn named(word: &str) -> Option<Self> {
        Self::WORST_FIRST.into_iter().find(|s| s.word() == word)
    }

    /// All levels, worst first.
    pub const WORST_FIRST: [Self; 5] = [Self::Critical, Self::High, Self::Medium, Self::Low, Self::Info];
}
