//! The verdict in words: chosen by the worst findings, and by how much could be seen.

use super::CoverageState;
use super::draft::Draft;
use crate::finding::Severity;
use crate::text::Text;
use crate::unit::{Quantity, Unit};

/// One sentence.
pub(super) fn headline(draft: &Draft<'_>) -> Text {
    let n = |severity| draft.findings.iter().filter(|f| f.finding.severity == severity).count();
    let assessed = draft.advice.score.areas.iter().any(|a| a.score.is_some());
    let many = |n: usize, one: &str, more: &str| Text::new().n(Quantity::count(n)).t(if n == 1 { one } else { more });
    if !assessed {
        return Text::from("Nothing could be assessed: the checks' inputs are not in the dump.");
    }
    for (severity, before, one, more) in [
        (Severity::Critical, "Act now: ", " finding threatens data or writes.", " findings threaten data or writes."),
        (Severity::High, "Act soon: ", " serious problem.", " serious problems."),
        (Severity::Medium, "Sound, with ", " thing to mend.", " things to mend."),
        (Severity::Low, "Healthy, with ", " small thing to tidy.", " small things to tidy."),
    ] {
        if n(severity) > 0 && severity <= Severity::Medium && half_seen(draft) {
            let few = Text::from("Less than half of a full dump was captured. What is there shows ");
            return few.then(many(n(severity), one, more));
        }
        if n(severity) > 0 {
            return Text::new().t(before).then(many(n(severity), one, more));
        }
    }
    if half_seen(draft) {
        Text::from("Nothing wrong in what was captured, which is less than half of what a full dump holds.")
    } else {
        Text::from("Healthy: no check found anything to mend.")
    }
}

/// Why: the first finding, or what limits the verdict.
pub(super) fn reason(draft: &Draft<'_>) -> Text {
    let Some(f) = draft.findings.first().filter(|f| f.finding.severity > Severity::Info) else {
        return Text::new();
    };
    let mut text = f.finding.title.clone().t(" (").link(f.number.to_lowercase(), f.number.clone()).t(").");
    for id in f.evidence.iter().take(3) {
        text = text.t(" ").link(id.to_lowercase(), id.clone());
    }
    text
}

/// Where the statements of a standby's report run.
pub(super) const ON_A_STANDBY: &str = "This server is a standby: what changes tables, indexes, sequences, roles or \
     replication slots of the primary runs there.";

/// What it rests on.
pub(super) fn basis(draft: &Draft<'_>) -> Text {
    let (captured, expected) = seen(draft);
    let mut text = Text::new()
        .t("Based on ")
        .n(Quantity::count(captured))
        .t(" of ")
        .n(Quantity::count(expected))
        .t(" expected sources (")
        .link("coverage", "coverage")
        .t(").");
    let not: Vec<&str> =
        draft.advice.score.areas.iter().filter(|a| a.score.is_none()).map(|a| a.category.name()).collect();
    if !not.is_empty() {
        text = text.t(format!(" Not assessed: {}.", not.join(", ")));
    }
    if draft.chain.last().meta.in_recovery == Some(true) {
        text = text.t(" ").t(ON_A_STANDBY);
    }
    if draft.single() {
        text = text.t(" One snapshot: counters are totals since the statistics began");
        text = match draft.facts.age.database_s.and_then(|s| Quantity::float(s, Unit::Seconds)) {
            Some(age) => text.t(", ").n(age).t(" before."),
            None => text.t("; when that was is not in the dump."),
        };
    }
    text
}

fn seen(draft: &Draft<'_>) -> (usize, usize) {
    let sources = super::coverage::sources(draft);
    let is = |state: &[CoverageState]| sources.iter().filter(|s| state.contains(&s.state)).count();
    let captured = is(&[CoverageState::Captured, CoverageState::Empty]);
    (captured, captured + is(&[CoverageState::Missing]))
}

fn half_seen(draft: &Draft<'_>) -> bool {
    let (captured, expected) = seen(draft);
    captured * 2 < expected
}
