//! Texts that the exporting role may not see.

use crate::advisor::workload::{HIDDEN, part};
use crate::advisor::{Check, Checked, Context, Docs, Rule, Skip, Threshold, show};
use crate::finding::{Effort, Fix, Risk, Severity, Subject, SubjectKind, Verb};
use crate::ident::quote_ident;
use crate::text::Text;
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "hyg-redacted",
    title: "Texts hidden from the exporting role",
    needs: &[],
    wants: &[],
    thresholds: &[Threshold {
        name: "min_share",
        default: 0.05,
        unit: Unit::Share,
        about: "From a twentieth on, statements that matter may be among the hidden ones.",
    }],
    docs: Docs {
        looks_at: "Statements and sessions whose text is `<insufficient privilege>` in the last snapshot that has them.",
        why: "Hidden statements count in the sums, but nobody can say what they are.",
        decides: "A twentieth of the statements, or of the sessions that have a text.",
        what_to_do: "Grant pg_read_all_stats (or pg_monitor) to the exporting role.",
        ignore_when: "The texts may not be seen by those who read this.",
        references: "PostgreSQL manual, \"Predefined Roles\".",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let mut findings = Vec::new();
    let mut looked = Vec::new();
    for (view, what) in [("pg_stat_statements", "statements"), ("pg_stat_activity", "sessions")] {
        let Some(state) = ctx.state(view).filter(|s| s.table.has("query")) else { continue };
        let texts = state.table.iter().filter_map(|r| r.text("query")).filter(|q| !q.is_empty());
        let (mut all, mut hidden) = (0_usize, 0_usize);
        for text in texts {
            all += 1;
            hidden += usize::from(text == HIDDEN);
        }
        if all == 0 {
            continue;
        }
        let share = part(hidden as f64, all as f64);
        looked.push(format!("{} of {what} hidden", show(share, Unit::Share)));
        if share < ctx.threshold("min_share") {
            continue;
        }
        let quantity = Quantity::float(share, Unit::Share);
        let mut finding = ctx
            .finding(
                Severity::Low,
                Subject::new(SubjectKind::Data, view),
                Text::new().t("The texts of ").opt(quantity).t(format!(" of the {what} are hidden")),
            )
            .why("They count in the sums, but nobody can say what they are.")
            .doubts([state.doubt()])
            .measure(ctx.seen_in(
                Some(state.snapshot),
                "Hidden texts",
                quantity,
                ctx.all_rows(state.snapshot, view, &["query"], format!("{hidden} ÷ {all}")),
            ))
            .verify("The next export has the texts.")
            .effort(Effort::S);
        if let Some(role) = ctx.chain.last().meta.exported_by.as_deref() {
            finding = finding.fix(
                Fix::new(Verb::Alter, Risk::R1, role, format!("GRANT pg_read_all_stats TO {};", quote_ident(role)))
                    .lock("no lock")
                    .when_not("The texts may not be seen by those who read the export.")
                    .undo(format!("REVOKE pg_read_all_stats FROM {};", quote_ident(role))),
            );
        }
        findings.push(finding);
    }
    if looked.is_empty() {
        return Err(Skip("the export has no texts of statements or sessions".to_owned()));
    }
    Ok(Checked { findings, looked_at: looked.join(", ") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::literal;

    #[test]
    fn finds_hidden_texts() {
        let with = |rows: &[&str]| {
            let b = literal("2026-11-22 12:00:00+00").view("pg_stat_statements", "queryid | query", rows).build();
            told(&judge(&RULE, &[b], ""))
        };
        assert_eq!(
            with(&["1 | <insufficient privilege>", "2 | select 1"]),
            ["low, high: pg_stat_statements: The texts of 50% of the statements are hidden"]
        );
        assert_eq!(with(&["2 | select 1"]), ["passed: 0% of statements hidden"]);
        assert_eq!(with(&[]), ["skipped: the export has no texts of statements or sessions"]);
    }
}
