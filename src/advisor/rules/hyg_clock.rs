//! Clocks that disagree.

use crate::advisor::{Check, Checked, Context, Docs, Rule};
use crate::finding::{Doubt, Effort, Evidence, Measure, Severity, Subject, SubjectKind};
use crate::text::{Text, counted, remark};
use std::collections::BTreeSet;

/// The rule.
pub const RULE: Rule = Rule {
    id: "hyg-clock",
    title: "Clocks disagree",
    needs: &[],
    wants: &[],
    thresholds: &[],
    docs: Docs {
        looks_at: "What was noted while reading: a capture time before times in the data (W-CLOCK), capture times without a zone (W-ZONE), \
                   snapshots given in another order than that of their times (W-ORDER).",
        why: "Rates are counters divided by time: where the time is wrong, each rate is, and ages of sessions and statistics with it.",
        decides: "A capture time that the data contradicts, or whose zone nobody knows, is low: the time was put right or rates were left \
                  out, and that is said. An order that was only put right is information.",
        what_to_do: "Let the export write its own time: `pgretro export-sql` takes it from the server. Give --timezone where a dump does \
                     not say its zone.",
        ignore_when: "The times were put right as they should be.",
        references: "PostgreSQL manual, \"Date/Time Types\" (time zones).",
    },
    check,
};

/// Codes of notes about time, and whether the numbers depend on it.
const CODES: [(&str, bool); 3] = [("W-CLOCK", true), ("W-ZONE", true), ("W-ORDER", false)];

fn check(ctx: &Context<'_>) -> Check {
    let own = ctx.chain.snapshots.iter().map(|s| &s.meta.notes);
    let windows = ctx.chain.windows.iter().map(|w| &w.notes);
    let mut said: BTreeSet<(&str, &str)> = BTreeSet::new();
    for note in own.chain(windows).chain([&ctx.chain.notes]).flat_map(|n| &n.kept) {
        if CODES.iter().any(|(code, _)| *code == note.code) {
            said.insert((note.code.as_str(), note.message.as_str()));
        }
    }
    let looked_at = format!("the times of {}", counted(ctx.chain.all.len().max(1), "snapshot", "snapshots"));
    let Some((_, first)) = said.first() else { return Ok(Checked { findings: Vec::new(), looked_at }) };
    let wrong = said.iter().any(|(code, _)| CODES.contains(&(*code, true)));
    let title = if wrong {
        "Capture times are not certain"
    } else {
        "Snapshots were given in another order than that of their times"
    };
    let finding = ctx
        .finding(
            if wrong { Severity::Low } else { Severity::Info },
            Subject::new(SubjectKind::Data, "capture times"),
            title,
        )
        .why(Text::new().t("While reading it was noted: ").then(remark(first)).t("."))
        .doubts([wrong.then_some(Doubt::C4)])
        .measures(ctx.of_both("Capture time", [ctx.chain.first(), ctx.chain.last()], "meta", "captured_at").map(|m| {
            let evidence = Evidence { formula: Some((*first).to_owned()), ..m.evidence };
            Measure { evidence, ..m }
        }))
        .members(said.iter().map(|(_, message)| Subject::new(SubjectKind::Data, message.replace('`', ""))).collect())
        .verify("The next dump states its time with its zone, and nothing in it is later.")
        .effort(Effort::S);
    Ok(Checked { findings: vec![finding], looked_at })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::literal;

    #[test]
    fn what_was_noted_of_times_is_told() {
        let with = |code: Option<&'static str>| {
            let b = literal("2026-11-22 12:00:00+00").meta(|m| {
                if let Some(code) = code {
                    m.notes.say(code, "the capture time lies before times in the data");
                }
            });
            told(&judge(&RULE, &[b.build()], ""))
        };
        assert_eq!(with(Some("W-CLOCK")), ["low, medium: capture times: Capture times are not certain"]);
        assert_eq!(
            with(Some("W-ORDER")),
            ["info, high: capture times: Snapshots were given in another order than that of their times"]
        );
        assert_eq!(with(Some("bad-cell")), ["passed: the times of 1 snapshot"]);
        assert_eq!(with(None), ["passed: the times of 1 snapshot"]);
    }
}
