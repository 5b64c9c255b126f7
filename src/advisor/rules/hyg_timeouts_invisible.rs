//! Statements that failed, which no statement statistics count.

use crate::advisor::workload::part;
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Threshold, show};
use crate::diff::ViewChange;
use crate::finding::{Effort, Fix, Severity, Subject, SubjectKind};
use crate::text::Text;
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "hyg-timeouts-invisible",
    title: "Statements that fail are not counted",
    needs: &[Need::View("pg_stat_statements", &["queryid", "calls"]), Need::Setting("statement_timeout")],
    wants: &[Need::View("pg_stat_database", &["xact_commit", "xact_rollback"])],
    thresholds: &[
        Threshold {
            name: "min_share",
            default: 0.1,
            unit: Unit::Share,
            about: "A tenth of the transactions rolled back: many of them may have failed.",
        },
        Threshold {
            name: "min_rollbacks",
            default: 100.0,
            unit: Unit::Count,
            about: "Fewer are no load that could be missing.",
        },
    ],
    docs: Docs {
        looks_at: "statement_timeout, and the share of transactions that were rolled back in the window.",
        why: "pg_stat_statements counts a statement when it has ended well. One that is cut off by a timeout, or fails, is in no sum: the \
              slowest statements can be the ones that are missing.",
        decides: "A statement_timeout for all sessions, or a tenth of the transactions rolled back, and a hundred of them. Both in the \
                  window where it is known. Information: it limits what else is said here.",
        what_to_do: "Look into the server's log for cancelled and failed statements (log_min_error_statement, which is on by default).",
        ignore_when: "The timeout is never reached, and rollbacks are how the framework ends reading transactions.",
        references: "Observed on PostgreSQL 12 to 18; PostgreSQL manual, \"pg_stat_statements\".",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let database = ctx.chain.last().meta.database_oid;
    let (mut commits, mut rollbacks) = (0.0, 0.0);
    for change in ctx.changes("pg_stat_database").into_iter().flat_map(ViewChange::present) {
        let id = change.last().and_then(|r| r.int("datid"));
        if database.is_none() || id == database {
            commits += change.delta("xact_commit").unwrap_or(0.0);
            rollbacks += change.delta("xact_rollback").unwrap_or(0.0);
        }
    }
    let share = part(rollbacks, commits + rollbacks);
    let timeout = ctx.setting("statement_timeout");
    let limit = timeout.as_ref().and_then(|s| s.value).filter(|ms| *ms > 0.0);
    let often = share >= ctx.threshold("min_share") && rollbacks >= ctx.threshold("min_rollbacks");
    let looked_at = format!(
        "statement_timeout {}, {} of the transactions rolled back",
        limit.map_or_else(|| "off".to_owned(), |ms| show(ms, Unit::Ms)),
        show(share, Unit::Share)
    );
    if limit.is_none() && !often {
        return Ok(Checked { findings: Vec::new(), looked_at });
    }
    let mut why = Text::new();
    if let Some(ms) = limit {
        why = why.t("Statements are cut off after ").opt(Quantity::float(ms, Unit::Ms)).t(". ");
    }
    if often {
        why = why.opt(Quantity::float(share, Unit::Share)).t(" of the transactions were rolled back. ");
    }
    let mut finding = ctx
        .finding(
            Severity::Info,
            Subject::new(SubjectKind::Data, "pg_stat_statements"),
            "Statements that were cut off or failed are in no sum of statements",
        )
        .why(why.t("Only the server's log knows such statements; the slowest may be among them."))
        .doubts([ctx.single_doubt(), timeout.as_ref().and_then(super::super::settings::Setting::doubt)])
        .fix(Fix::diagnose(
            "statement_timeout",
            "SELECT name, setting, unit, source FROM pg_settings\nWHERE name IN ('statement_timeout', 'log_min_error_statement', 'log_min_messages');",
        ))
        .verify("The log shows none in the time of the next window.")
        .effort(Effort::S);
    if limit.is_some() {
        finding = finding.measure(ctx.setting_measure("statement_timeout"));
    }
    if often {
        finding = finding.measure(ctx.quotient(
            "Transactions rolled back",
            (rollbacks, Unit::Count),
            (commits + rollbacks, Unit::Count),
            Unit::Share,
            &[],
        ));
    }
    Ok(Checked { findings: vec![finding], looked_at })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::Snapshot;
    use crate::snapshot::literal::literal;
    use std::sync::Arc;

    fn with(timeout: u32, rollbacks: u32) -> Vec<String> {
        let taken = |at: &str, n: u32| -> Arc<Snapshot> {
            literal(at)
                .view("pg_settings", "name | setting | unit", &[&format!("statement_timeout | {timeout} | ms")])
                .view(
                    "pg_stat_statements",
                    "userid | dbid | queryid | query | calls",
                    &["10 | 16697 | 1 | select 1 | 5"],
                )
                .view(
                    "pg_stat_database",
                    "datid | datname | stats_reset | xact_commit | xact_rollback",
                    &[&format!("16697 | shop | 2026-11-01 00:00:00+00 | {} | {}", n * 1_000, n * rollbacks)],
                )
                .build()
        };
        told(&judge(&RULE, &[taken("2026-11-22 10:00:00+00", 0), taken("2026-11-22 11:00:00+00", 1)], ""))
    }

    #[test]
    fn says_what_the_sums_leave_out() {
        let line = "info, high: pg_stat_statements: Statements that were cut off or failed are in no sum of statements";
        assert_eq!(with(5_000, 0), [line]);
        assert_eq!(with(0, 200), [line]);
    }

    #[test]
    fn stays_quiet_below_each_floor() {
        assert_eq!(with(0, 90), ["passed: statement_timeout off, 8.3% of the transactions rolled back"]);
        assert_eq!(with(0, 105), ["passed: statement_timeout off, 9.5% of the transactions rolled back"]);
    }

    #[test]
    fn says_that_it_cannot_know() {
        let b = literal("2026-11-22 12:00:00+00").build();
        assert_eq!(told(&judge(&RULE, &[b], "")), ["skipped, input missing: `pg_stat_statements` is not in the dump"]);
    }
}
