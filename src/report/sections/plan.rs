//! Recommendations: the plan by horizon.

use super::actions::effort;
use crate::error::Result;
use crate::report::cells::{links, prose};
use crate::report::draft::{Body, Draft};
use crate::report::table::table;
use crate::report::{Cell, Horizon};
use crate::text::{Text, sentence};
use crate::unit::{Quantity, Unit};

/// Writes the section.
#[expect(clippy::unnecessary_wraps, reason = "the signature of every section")]
pub(super) fn write(draft: &mut Draft<'_>) -> Result<Body> {
    if draft.actions.is_empty() {
        let none = || prose("No action needed: no finding has a cure to run.");
        return Ok(Body::filled(vec![draft.thin_note().unwrap_or_else(none)]).count(0));
    }
    let mut out = table("plan", "Recommendations by horizon")
        .about(Text::from(
            "Immediate: within a day, or by its date. Short term: within two weeks. In each: dates first, then impact weighed by confidence per effort, then the smaller risk.",
        ))
        .number("Step")
        .name("Action")
        .text("Horizon")
        .text("Severity")
        .number("Impact, 1 to 5")
        .text("Effort")
        .text("How sure")
        .number("Before")
        .if_any()
        .text("Findings");
    let mut remarks = Vec::new();
    for action in &draft.actions {
        out.push(vec![
            Cell::number(Quantity::int(action.rank as i64, Unit::Plain)),
            Cell::Text(action.title.clone()),
            Cell::text(sentence(horizon(action.horizon))),
            Cell::Severity(action.severity),
            Cell::number(Quantity::int(i64::from(action.impact), Unit::Plain)),
            Cell::text(sentence(effort(action.effort))),
            Cell::Confidence(action.confidence),
            action.deadline.map_or(Cell::None, |t| Cell::number(Quantity::time(t))),
            links(action.findings.iter().map(String::as_str)).map_or(Cell::None, Cell::Text),
        ]);
        remarks.extend(action.remarks.iter().map(|r| prose(Text::new().t(format!("Step {}: {r}.", action.rank)))));
    }
    let n = draft.actions.len();
    let mut blocks = vec![out.block()];
    blocks.extend(remarks);
    Ok(Body::filled(blocks).count(n))
}

/// When to act, in words.
pub(super) const fn horizon(horizon: Horizon) -> &'static str {
    match horizon {
        Horizon::Immediate => "immediate",
        Horizon::ShortTerm => "short term",
        Horizon::LongTerm => "long term",
    }
}
