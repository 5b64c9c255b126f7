//! The plan's first steps.

use crate::error::Result;
use crate::finding::Effort;
use crate::report::cells::prose;
use crate::report::draft::{Body, Draft};
use crate::report::marks::cited;
use crate::report::{Block, Card};
use crate::text::{Span, Text};

/// How many cards there are at most.
const MOST: usize = 3;

/// Writes the section.
#[expect(clippy::unnecessary_wraps, reason = "the signature of every section")]
pub(super) fn write(draft: &mut Draft<'_>) -> Result<Body> {
    let cards: Vec<Card> = draft
        .actions
        .iter()
        .take(MOST)
        .map(|action| Card {
            title: action.title.clone(),
            why: action
                .findings
                .first()
                .and_then(|number| draft.findings.iter().find(|f| f.number == *number))
                .map_or_else(Text::new, |f| {
                    let why = fact(&f.finding.title, &action.title).t(". ").then(f.finding.why.clone());
                    cited(why, &[f])
                }),
            severity: action.severity,
            confidence: action.confidence,
            effort: effort(action.effort).to_owned(),
            findings: action.findings.clone(),
        })
        .collect();
    if cards.is_empty() {
        let none = || prose("No action needed: no finding has a cure to run.");
        return Ok(Body::filled(vec![draft.thin_note().unwrap_or_else(none)]).count(0));
    }
    let n = cards.len();
    let mut blocks = vec![Block::Cards { cards }];
    blocks.extend(draft.thin_note());
    Ok(Body::filled(blocks).count(n))
}

/// What a finding's title says, without the object in front where the action's title names it.
fn fact(finding: &Text, action: &Text) -> Text {
    match finding.0.as_slice() {
        [Span::Name(object), Span::Text(colon), rest @ ..] if colon == ": " && action.plain().ends_with(&**object) => {
            Text(rest.to_vec())
        }
        _ => finding.clone(),
    }
}

/// How much work, in a word.
pub(super) const fn effort(effort: Effort) -> &'static str {
    match effort {
        Effort::S => "minutes",
        Effort::M => "hours",
        Effort::L => "days",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_names_its_object_once() {
        let drop = Text::from("Drop index ").name("public.i");
        let found = |name: &str| Text::new().name(name).t(": ").t("The same index as another");
        assert_eq!(fact(&found("public.i"), &drop).plain(), "The same index as another");
        assert_eq!(fact(&found("public.t"), &drop).plain(), "public.t: The same index as another");
        assert_eq!(fact(&Text::from("Two waited"), &drop).plain(), "Two waited");
    }
}
