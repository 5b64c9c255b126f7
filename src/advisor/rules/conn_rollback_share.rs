//! Many transactions that are rolled back.

use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Threshold, show};
use crate::diff::ViewChange;
use crate::finding::{Effort, Fix, Severity, Subject, SubjectKind};
use crate::text::Text;
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "conn-rollback-share",
    title: "Many transactions are rolled back",
    needs: &[Need::View("pg_stat_database", &["datname", "xact_commit", "xact_rollback"])],
    wants: &[],
    thresholds: &[
        Threshold { name: "min_window_s", default: 600.0, unit: Unit::Seconds, about: "Less is one moment." },
        Threshold {
            name: "good_window_s",
            default: 3_600.0,
            unit: Unit::Seconds,
            about: "A failing job of minutes is no habit.",
        },
        Threshold { name: "min_rollbacks", default: 1_000.0, unit: Unit::Count, about: "Fewer are single errors." },
        Threshold { name: "min_share", default: 0.1, unit: Unit::Share, about: "One transaction in ten." },
    ],
    docs: Docs {
        looks_at: "Transactions rolled back against all transactions of each database over the window.",
        why: "A rolled back transaction has done its work for nothing; its dead rows stay for vacuum. Where errors cause it, users \
              see them, and pg_stat_statements does not: statements that fail are not recorded.",
        decides: "A thousand rollbacks and one transaction in ten.",
        what_to_do: "The server's log tells the errors. Where none are logged, the application or its framework ends transactions \
                     with ROLLBACK on purpose.",
        ignore_when: "The framework ends read-only transactions with ROLLBACK: that costs nothing.",
        references: "PostgreSQL manual, \"pg_stat_database\"; that failed statements are not recorded: observed on real servers.",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    ctx.window_of("min_window_s")?;
    let mut findings = Vec::new();
    let mut highest = 0.0_f64;
    for change in ctx.changes("pg_stat_database").into_iter().flat_map(ViewChange::present) {
        let Some(row) = change.last() else { continue };
        let (Some(name), Some(done), Some(undone)) =
            (row.text("datname"), change.delta("xact_commit"), change.delta("xact_rollback"))
        else {
            continue;
        };
        let share = undone / (done + undone).max(1.0);
        highest = highest.max(share);
        if undone < ctx.threshold("min_rollbacks") || share < ctx.threshold("min_share") {
            continue;
        }
        let title = Text::new()
            .opt(Quantity::float(share, Unit::Share))
            .t(" of the transactions in ")
            .name(name)
            .t(" are rolled back");
        findings.push(
            ctx.finding(Severity::Low, Subject::new(SubjectKind::Database, name), title)
                .why("Their work was for nothing, and what they wrote is dead rows. Failed statements are not in pg_stat_statements.")
                .doubts([ctx.single_doubt(), ctx.short_doubt("good_window_s"), ctx.class_doubt(change)])
                .measure(ctx.measure("Transactions rolled back", change, "xact_rollback"))
                .measure(ctx.measure("Transactions committed", change, "xact_commit"))
                .measure(ctx.over_window(
                    "Share rolled back",
                    Quantity::float(share, Unit::Share),
                    format!("{} ÷ ({} + {})", show(undone, Unit::Count), show(done, Unit::Count), show(undone, Unit::Count)),
                    &[(row, &["xact_commit", "xact_rollback"])],
                ))
                .fix(Fix::diagnose(
                    name,
                    "SELECT name, setting FROM pg_settings\nWHERE name IN ('log_min_messages', 'log_min_error_statement', \
                     'log_statement', 'statement_timeout');",
                ))
                .verify("The share falls in the next window, or the log explains it.")
                .effort(Effort::M),
        );
    }
    Ok(Checked { findings, looked_at: format!("at most {} of a database's transactions", show(highest, Unit::Share)) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{database_over_an_hour, judge, told};

    fn say(after: &str) -> Vec<String> {
        told(&judge(&RULE, &database_over_an_hour("xact_commit | xact_rollback", "0 | 0", after), ""))
    }

    #[test]
    fn one_in_ten_is_told_single_errors_are_not() {
        assert_eq!(say("8000 | 2000"), ["low, high: shop: 20% of the transactions in shop are rolled back"]);
        assert_eq!(say("80000 | 2000"), ["passed: at most 2.4% of a database's transactions"]);
        assert_eq!(say("100 | 900"), ["passed: at most 90% of a database's transactions"]);
    }

    #[test]
    fn minutes_say_nothing() {
        let config = "[rules.conn-rollback-share]\nmin_window_s = 7200";
        let taken = database_over_an_hour("xact_commit | xact_rollback", "0 | 0", "10 | 9000");
        assert_eq!(
            told(&judge(&RULE, &taken, config)),
            ["skipped: the window of 1 h 00 m is shorter than the 2 h 00 m this check needs"]
        );
    }
}
