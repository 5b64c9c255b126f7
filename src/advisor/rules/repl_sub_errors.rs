//! Subscriptions that run into errors.

use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Threshold};
use crate::diff::ViewChange;
use crate::finding::{Effort, Fix, Severity, Subject, SubjectKind};
use crate::text::{Text, counted};
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "repl-sub-errors",
    title: "Subscription runs into errors",
    needs: &[Need::View("pg_stat_subscription_stats", &["subname", "apply_error_count", "sync_error_count"])],
    wants: &[],
    thresholds: &[Threshold {
        name: "min_errors",
        default: 1.0,
        unit: Unit::Count,
        about: "An error stops the apply worker.",
    }],
    docs: Docs {
        looks_at: "Errors of each subscription while applying changes and while copying tables, over the window (15 and later).",
        why: "The apply worker stops at an error, starts again and runs into it again: the subscriber falls behind, and the \
              publisher keeps WAL for it.",
        decides: "Any error in the window is high. With one snapshot, errors since the statistics began, with less confidence.",
        what_to_do: "The subscriber's log names the table, the key and the constraint. Repair the row, or skip the transaction \
                     (ALTER SUBSCRIPTION … SKIP). From 18 on confl_ counters tell the kind of conflict.",
        ignore_when: "The errors ended when a missing table was created.",
        references: "PostgreSQL manual, \"pg_stat_subscription_stats\"; \"Conflicts\" of logical replication.",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let mut findings = Vec::new();
    let mut looked = 0;
    for change in ctx.changes("pg_stat_subscription_stats").into_iter().flat_map(ViewChange::present) {
        const COUNTERS: [&str; 2] = ["apply_error_count", "sync_error_count"];
        let Some(row) = change.last() else { continue };
        looked += 1;
        let [applying, copying] = COUNTERS.map(|c| change.delta(c).unwrap_or(0.0));
        let errors = applying + copying;
        if errors < ctx.threshold("min_errors") {
            continue;
        }
        let both = applying > 0.0 && copying > 0.0;
        let name = row.text("subname").unwrap_or("a subscription");
        findings.push(
            ctx.finding(
                Severity::High,
                Subject::new(SubjectKind::Replica, name),
                Text::new().t("Subscription ").name(name).t(" ran into ").many(Quantity::float(errors, Unit::Count), "error", "errors"),
            )
            .why("The worker stops at an error and begins again before it: the subscriber falls behind, the publisher keeps WAL.")
            .doubts([ctx.single_doubt(), ctx.class_doubt(change)])
            .measure(ctx.measure("Errors while applying", change, "apply_error_count"))
            .measure(ctx.measure("Errors while copying", change, "sync_error_count"))
            .measures(both.then(|| ctx.sum("Errors in all", change, &COUNTERS, Unit::Count)))
            .fix(Fix::diagnose(name, "SELECT * FROM pg_stat_subscription_stats;\nSELECT * FROM pg_stat_subscription;"))
            .verify("The counters do not move in the next window, and latest_end_lsn does.")
            .effort(Effort::M),
        );
    }
    Ok(Checked { findings, looked_at: counted(looked, "subscription", "subscriptions") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::literal;

    #[test]
    fn counts_the_errors_of_the_window() {
        let taken = |at: &str, errors: &str| {
            literal(at)
                .view(
                    "pg_stat_subscription_stats",
                    "subid | subname | apply_error_count | sync_error_count",
                    &[&format!("1 | s | {errors} | 0")],
                )
                .build()
        };
        let (a, b) = (taken("2026-11-22 11:00:00+00", "4"), taken("2026-11-22 12:00:00+00", "9"));
        assert_eq!(told(&judge(&RULE, &[a.clone(), b], "")), ["high, high: s: Subscription s ran into 5 errors"]);
        assert_eq!(told(&judge(&RULE, &[a, taken("2026-11-22 12:00:00+00", "4")], "")), ["passed: 1 subscription"]);
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_eq!(
            crate::advisor::testing::told_of_nothing(&RULE),
            "skipped, input missing: `pg_stat_subscription_stats` is not in the dump"
        );
    }
}
