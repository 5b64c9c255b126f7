//! A table of statements that is too small.

use crate::advisor::cure::{Effect, set_system};
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Skip, Threshold, show, show_counted};
use crate::finding::{Effort, Severity, Subject, SubjectKind};
use crate::text::Text;
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "hyg-pgss-evicting",
    title: "Statement table too small",
    needs: &[Need::View("pg_stat_statements_info", &["dealloc"])],
    wants: &[Need::Setting("pg_stat_statements.max")],
    thresholds: &[
        Threshold {
            name: "medium_per_hour",
            default: 10.0,
            unit: Unit::Count,
            about: "Every six minutes statements are forgotten.",
        },
        Threshold { name: "min_passes", default: 3.0, unit: Unit::Count, about: "A rate does not rest on one pass." },
    ],
    docs: Docs {
        looks_at: "How often pg_stat_statements had to make room (`dealloc`) over the window (14 and later).",
        why: "Each pass throws out the least executed twentieth of the entries, at least ten. What comes back begins at zero: \
              shares and sums are too low, and rare heavy statements are missing.",
        decides: "Any pass is low, ten an hour are medium. `dealloc` counts passes, not entries.",
        what_to_do: "A larger pg_stat_statements.max (restart). Where most entries differ in a list or a generated name only, \
                     change the statements: one text with `= ANY($1)` is one entry.",
        ignore_when: "Nothing but deployments fills it.",
        references: "PostgreSQL manual, \"pg_stat_statements\"; PostgreSQL source, entry_dealloc.",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    const NAME: &str = "pg_stat_statements.max";
    let change = ctx.changes("pg_stat_statements_info").and_then(|v| v.present().next());
    let change = change.ok_or_else(|| Skip("the last snapshot has no row of it".to_owned()))?;
    let passes = change.delta("dealloc").unwrap_or(0.0);
    let looked_at = format!("{} eviction passes", show_counted(passes, Unit::Count, change.is_exact()));
    if passes <= 0.0 {
        return Ok(Checked { findings: Vec::new(), looked_at });
    }
    let window = change.covered_s().or(ctx.chain.elapsed_s).filter(|w| *w > 0.0);
    let per_hour = window.map(|w| passes * 3_600.0 / w);
    let often =
        passes >= ctx.threshold("min_passes") && per_hour.is_some_and(|r| r >= ctx.threshold("medium_per_hour"));
    let max = ctx.setting(NAME).and_then(|s| s.value);
    let lost = max.map(|m| passes * (m * 0.05).max(10.0));
    let mut why = Text::new().t("What comes back begins at zero: sums and shares of statements are too low.");
    if let Some(lost) = lost {
        why = why.t(" About ").many(
            Quantity::float(lost.round(), Unit::Count),
            "entry was thrown out.",
            "entries were thrown out.",
        );
    }
    let mut finding = ctx
        .finding(
            if often { Severity::Medium } else { Severity::Low },
            Subject::new(SubjectKind::Setting, NAME),
            Text::new()
                .t("pg_stat_statements made room ")
                .opt(Quantity::float(passes, Unit::Count))
                .t(if passes == 1.0 { " time" } else { " times" }),
        )
        .why(why)
        .doubts([ctx.single_doubt(), ctx.class_doubt(change)])
        .measure(ctx.measure("Eviction passes", change, "dealloc"))
        .measure(ctx.setting_measure(NAME))
        .measures(lost.zip(max).zip(change.last()).map(|((lost, max), row)| {
            ctx.over_window(
                "Entries thrown out, about",
                Quantity::float(lost.round(), Unit::Count),
                format!("{} passes × 5% of {}, 10 at least", show(passes, Unit::Count), show(max, Unit::Count)),
                &[(row, &["dealloc"])],
            )
            .bounded(change.is_exact())
        }))
        .verify("dealloc stands still in the next window.")
        .effort(Effort::S);
    if let Some(max) = max.filter(|m| *m < 50_000.0) {
        finding = finding.fix(set_system(
            NAME,
            &format!("{:.0}", (max * 2.0).max(10_000.0)),
            Effect::Restart,
            Some(&format!("{max:.0}")),
            "Most entries are one statement in many spellings: more room only keeps more of them.".into(),
        ));
    }
    Ok(Checked { findings: vec![finding], looked_at })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::literal;

    #[test]
    fn counts_passes_of_the_window() {
        let taken = |at: &str, n: &str| {
            literal(at)
                .view("pg_stat_statements_info", "dealloc | stats_reset", &[&format!("{n} | 2026-11-01 00:00:00+00")])
                .view("pg_settings", "name | setting", &["pg_stat_statements.max | 5000"])
                .build()
        };
        let with = |n: &str| {
            told(&judge(&RULE, &[taken("2026-11-22 11:00:00+00", "5"), taken("2026-11-22 12:00:00+00", n)], ""))
        };
        assert_eq!(with("6"), ["low, high: pg_stat_statements.max: pg_stat_statements made room 1 time"]);
        assert_eq!(with("25"), ["medium, high: pg_stat_statements.max: pg_stat_statements made room 20 times"]);
        assert_eq!(with("5"), ["passed: 0 eviction passes"]);
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_eq!(
            crate::advisor::testing::told_of_nothing(&RULE),
            "skipped, input missing: `pg_stat_statements_info` is not in the dump"
        );
    }
}
