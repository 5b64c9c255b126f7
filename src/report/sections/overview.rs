//! Overview: every area with its state, and what can go wrong.

use crate::advisor::Category;
use crate::error::Result;
use crate::finding::{Confidence, Severity};
use crate::report::draft::{Body, Draft};
use crate::report::table::table;
use crate::report::{AreaState, Block, Cell, ReportFinding};
use crate::text::Text;
use crate::unit::Quantity;

/// Writes the section.
#[expect(clippy::unnecessary_wraps, reason = "the signature of every section")]
pub(super) fn write(draft: &mut Draft<'_>) -> Result<Body> {
    Ok(Body::filled(vec![health(draft), risks(draft)]))
}

fn of_area<'f>(draft: &'f Draft<'_>, category: Category) -> impl Iterator<Item = &'f ReportFinding> {
    draft.findings.iter().filter(move |f| Category::of(&f.finding.rule) == Some(category))
}

fn health(draft: &Draft<'_>) -> Block {
    let mut out = table("health", "Health overview")
        .about(Text::from("Each area by its worst finding. An area that could not be assessed stays in the table."))
        .name("Area")
        .text("State")
        .text("What we see")
        .text("How sure");
    for area in &draft.advice.score.areas {
        let worst = of_area(draft, area.category).next();
        let (state, see, sure) = match worst {
            Some(f) => {
                let more = of_area(draft, area.category).count() - 1;
                let mut see = f.finding.title.clone().t(" ").link(f.number.to_lowercase(), f.number.clone());
                if more > 0 {
                    see = see.t("; ").n(Quantity::count(more)).t(" more");
                }
                (Cell::Severity(f.finding.severity), see, Cell::Confidence(f.confidence))
            }
            None if area.evaluated == 0 => {
                let why = area.remark.as_deref().unwrap_or("required inputs are missing");
                (Cell::State(AreaState::NotAssessed), Text::from(crate::text::sentence(why)), Cell::None)
            }
            None => {
                let see = Text::new()
                    .n(Quantity::count(area.evaluated))
                    .t(" of ")
                    .n(Quantity::count(area.applicable))
                    .t(" checks ran, none found anything");
                let sure = if area.at_most { Confidence::Low } else { Confidence::High };
                let state = if area.at_most { AreaState::PartlyAssessed } else { AreaState::Good };
                (Cell::State(state), see, Cell::Confidence(sure))
            }
        };
        out.push(vec![Cell::text(area.category.name()), state, Cell::Text(see), sure]);
    }
    out.empty("Nothing was assessed").block()
}

/// How likely, as far as the evidence says.
const fn likelihood(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::High => "Measured",
        Confidence::Medium => "Likely",
        Confidence::Low | Confidence::Insufficient => "Possible",
    }
}

fn risks(draft: &Draft<'_>) -> Block {
    let mut out = table("risks", "Risk assessment")
        .about(Text::from(
            "Findings of medium severity and above. Impact is the severity; likelihood follows from the confidence.",
        ))
        .name("Risk")
        .text("Likelihood")
        .text("Impact")
        .text("When")
        .text("Reduced by")
        .empty("No finding of medium severity or above");
    for f in draft.findings.iter().filter(|f| f.finding.severity >= Severity::Medium) {
        let when = match f.finding.deadline {
            Some(at) => Cell::number(Quantity::time(at)),
            None if f.finding.severity >= Severity::High => Cell::text("Now"),
            None => Cell::text("While it stays so"),
        };
        let action = draft.actions.iter().find(|a| a.findings.contains(&f.number));
        let reduced = match action {
            Some(action) => Text::new()
                .link("plan", format!("Step {}", action.rank))
                .t(", ")
                .link(f.number.to_lowercase(), f.number.clone()),
            None => Text::new().link(f.number.to_lowercase(), f.number.clone()),
        };
        out.push(vec![
            Cell::Text(f.finding.title.clone()),
            Cell::text(likelihood(f.confidence)),
            Cell::Severity(f.finding.severity),
            when,
            Cell::Text(reduced),
        ]);
    }
    out.block()
}
