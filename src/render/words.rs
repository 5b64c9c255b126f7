//! The words and shapes for what the report keeps as a code. One place, so that formats agree.

use crate::finding::{Confidence, Effort, Risk, Severity, SubjectKind, Verb};
use crate::report::{AreaState, Bound, CoverageState, Horizon, Meaning};
use crate::unit::Quantity;

/// The shape beside a severity's word, where symbols can be shown.
pub(super) const fn shape(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "◆",
        Severity::High => "▲",
        Severity::Medium => "■",
        Severity::Low => "●",
        Severity::Info => "○",
    }
}

/// A severity's word at the start of a line.
pub(super) const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "Critical",
        Severity::High => "High",
        Severity::Medium => "Medium",
        Severity::Low => "Low",
        Severity::Info => "Info",
    }
}

/// The shape beside the word of an area in which nothing was found, and the word.
pub(super) const fn state(state: AreaState) -> (&'static str, &'static str) {
    match state {
        AreaState::Good => ("✓", "Good"),
        AreaState::PartlyAssessed => ("◐", "Partly assessed"),
        AreaState::NotAssessed => ("–", "Not assessed"),
    }
}

/// A change that stands alone: `+38%, worse`.
pub(super) fn change(change: Quantity, meaning: Option<Meaning>) -> String {
    let size = change.human_signed();
    meaning.map_or(size.clone(), |m| format!("{size}, {}", m.word()))
}

/// How much work.
pub(super) const fn effort(effort: Effort) -> &'static str {
    match effort {
        Effort::S => "minutes",
        Effort::M => "hours",
        Effort::L => "days",
    }
}

/// How sure, where it stands alone.
pub(super) const fn confidence(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Insufficient => "Not enough data",
        Confidence::Low => "Low confidence",
        Confidence::Medium => "Medium confidence",
        Confidence::High => "High confidence",
    }
}

/// When to act.
pub(super) const fn horizon(horizon: Horizon) -> &'static str {
    match horizon {
        Horizon::Immediate => "immediate",
        Horizon::ShortTerm => "short term",
        Horizon::LongTerm => "long term",
    }
}

/// What a statement does, for the head of its block.
pub(super) const fn verb(verb: Verb) -> &'static str {
    match verb {
        Verb::Diagnose => "Diagnose, read-only",
        Verb::Set => "Change setting",
        Verb::Create => "Create",
        Verb::Drop => "Drop",
        Verb::Maintain => "Maintain",
        Verb::End => "End session or transaction",
        Verb::Alter => "Change schema or data",
    }
}

/// How much harm a statement can do.
pub(super) const fn risk(risk: Risk) -> &'static str {
    match risk {
        Risk::R0 => "read-only",
        Risk::R1 => "online",
        Risk::R2 => "blocks, rewrites or restarts",
        Risk::R3 => "destroys something",
    }
}

/// What kind of object.
pub(super) const fn kind(kind: SubjectKind) -> &'static str {
    match kind {
        SubjectKind::Server => "server",
        SubjectKind::Database => "database",
        SubjectKind::Table => "table",
        SubjectKind::Index => "index",
        SubjectKind::Sequence => "sequence",
        SubjectKind::Constraint => "constraint",
        SubjectKind::Statement => "statement",
        SubjectKind::Function => "function",
        SubjectKind::Session => "session",
        SubjectKind::PreparedTransaction => "prepared transaction",
        SubjectKind::Slot => "replication slot",
        SubjectKind::Replica => "replica",
        SubjectKind::Setting => "setting",
        SubjectKind::Role => "role",
        SubjectKind::Data => "dump",
    }
}

/// What became of an expected source.
pub(super) const fn coverage(state: CoverageState) -> &'static str {
    match state {
        CoverageState::Captured => "captured",
        CoverageState::Empty => "captured, empty",
        CoverageState::Missing => "missing",
        CoverageState::NotApplicable => "not in this version",
    }
}

/// A number that may be a bound or an estimate.
pub(super) fn bounded(value: Quantity, bound: Option<Bound>) -> String {
    with_bound(value.human(), bound)
}

/// Its exact form.
pub(super) fn bounded_exact(value: Quantity, bound: Option<Bound>) -> String {
    with_bound(value.exact(), bound)
}

fn with_bound(value: String, bound: Option<Bound>) -> String {
    match bound {
        None => value,
        Some(Bound::AtLeast) => format!("≥ {value}"),
        Some(Bound::AtMost) => format!("≤ {value}"),
        Some(Bound::Estimate) => format!("{value} (est.)"),
    }
}
