//! Deadlocks.

use crate::advisor::cure::{Effect, set_system};
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Threshold, show_counted};
use crate::diff::ViewChange;
use crate::finding::{Effort, Severity, Subject, SubjectKind};
use crate::text::Text;
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "lock-deadlocks",
    title: "Deadlocks occur",
    needs: &[Need::View("pg_stat_database", &["datname", "deadlocks"])],
    wants: &[Need::Setting("log_lock_waits")],
    thresholds: &[
        Threshold {
            name: "low_count",
            default: 1.0,
            unit: Unit::Count,
            about: "Each is an error that a user has seen.",
        },
        Threshold {
            name: "medium_count",
            default: 3.0,
            unit: Unit::Count,
            about: "A rate does not rest on one event.",
        },
        Threshold { name: "medium_per_hour", default: 1.0, unit: Unit::Count, about: "One an hour is a pattern." },
    ],
    docs: Docs {
        looks_at: "The deadlock counter of each database over the window.",
        why: "In each deadlock one transaction is cancelled and rolled back, after everybody in it has waited for \
              deadlock_timeout.",
        decides: "One is low. Three and more, at least one an hour, are medium. The counter counts victims, not who took part.",
        what_to_do: "The server's log names the statements of each deadlock. Take locks in the same order everywhere; keep \
                     transactions short.",
        ignore_when: "The application repeats the transaction, and it is rare.",
        references: "PostgreSQL manual, \"Explicit Locking\", \"Deadlocks\".",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let mut findings = Vec::new();
    let (mut total, mut exact) = (0.0, true);
    for change in ctx.changes("pg_stat_database").into_iter().flat_map(ViewChange::present) {
        let (Some(row), Some(count)) = (change.last(), change.delta("deadlocks")) else { continue };
        let Some(name) = row.text("datname") else { continue };
        total += count;
        exact &= change.is_exact();
        if count < ctx.threshold("low_count") {
            continue;
        }
        let window = change.covered_s().or_else(|| ctx.window_s());
        let per_hour = window.filter(|w| *w > 0.0).map(|w| count * 3_600.0 / w);
        let often =
            count >= ctx.threshold("medium_count") && per_hour.is_some_and(|r| r >= ctx.threshold("medium_per_hour"));
        let quantity = Quantity::float(count, Unit::Count);
        let when = if ctx.chain.is_single() { " since its statistics began" } else { "" };
        let mut finding = ctx
            .finding(
                if often { Severity::Medium } else { Severity::Low },
                Subject::new(SubjectKind::Database, name),
                Text::new()
                    .opt(quantity)
                    .t(if count == 1.0 { " deadlock in " } else { " deadlocks in " })
                    .name(name)
                    .t(when),
            )
            .why("One transaction of each was cancelled and rolled back; its client got an error.")
            .doubts([ctx.single_doubt(), ctx.class_doubt(change)])
            .measure(ctx.measure("Deadlocks", change, "deadlocks"))
            .verify("The counter does not move in the next window.")
            .effort(Effort::M);
        if ctx.exported_setting("log_lock_waits").and_then(|s| s.is_on()) == Some(false) {
            finding = finding.fix(set_system(
                "log_lock_waits",
                "on",
                Effect::Reload,
                Some("off"),
                "Sessions wait for locks all the time: the log would fill.".into(),
            ));
        }
        findings.push(finding);
    }
    Ok(Checked {
        findings,
        looked_at: format!(
            "{} {} in all databases",
            show_counted(total, Unit::Count, exact),
            if total == 1.0 { "deadlock" } else { "deadlocks" }
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{database_over_an_hour, judge, told};
    use crate::snapshot::literal::literal;

    fn say(header: &str, before: &str, after: &str) -> Vec<String> {
        told(&judge(&RULE, &database_over_an_hour(header, before, after), ""))
    }

    #[test]
    fn after_a_reset_there_were_so_many_at_least() {
        let say = |count: u8| {
            let taken = |at: &str, reset: &str, n: u8| {
                let row = format!("5 | shop | 2026-11-{reset} | {n}");
                literal(at).view("pg_stat_database", "datid | datname | stats_reset | deadlocks", &[&row]).build()
            };
            let before = taken("2026-11-22 10:00:00+00", "01 00:00:00+00", 4);
            told(&judge(&RULE, &[before, taken("2026-11-22 11:00:00+00", "22 10:30:00+00", count)], ""))
        };
        assert_eq!(say(1), ["low, medium: shop: ≥ 1 deadlock in shop"]);
        assert_eq!(say(0), ["passed: 0 counted deadlocks in all databases"]);
    }

    #[test]
    fn one_is_low_three_an_hour_are_medium() {
        assert_eq!(say("deadlocks", "4", "5"), ["low, high: shop: 1 deadlock in shop"]);
        assert_eq!(say("deadlocks", "4", "7"), ["medium, high: shop: 3 deadlocks in shop"]);
        assert_eq!(say("deadlocks", "4", "4"), ["passed: 0 deadlocks in all databases"]);
    }

    #[test]
    fn without_a_past_the_whole_count_is_told_with_less_confidence() {
        let b = literal("2026-11-22 10:00:00+00").view(
            "pg_stat_database",
            "datid | datname | deadlocks",
            &["5 | shop | 2"],
        );
        assert_eq!(
            told(&judge(&RULE, &[b.build()], "")),
            ["low, medium: shop: 2 deadlocks in shop since its statistics began"]
        );
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_eq!(
            crate::advisor::testing::told_of_nothing(&RULE),
            "skipped, input missing: `pg_stat_database` is not in the dump"
        );
    }
}
