//! A statement that is new and already takes a share.

use crate::advisor::statement::one_line;
use crate::advisor::workload::{GOOD_WINDOW, MIN_CALLS, MIN_WINDOW, Workload};
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Threshold};
use crate::diff::Class;
use crate::finding::{Effort, Severity};
use crate::text::Text;
use crate::unit::{Quantity, Unit};
use std::collections::BTreeSet;

/// The rule.
pub const RULE: Rule = Rule {
    id: "query-new-heavy",
    title: "New statement takes a share of the time",
    needs: &[Need::Snapshots(2), Need::View("pg_stat_statements", &["queryid", "query", "calls", "total_exec_time"])],
    wants: &[],
    thresholds: &[
        MIN_WINDOW,
        GOOD_WINDOW,
        MIN_CALLS,
        Threshold {
            name: "info_share",
            default: 0.05,
            unit: Unit::Share,
            about: "A twentieth of the time is worth a look.",
        },
        Threshold { name: "medium_share", default: 0.2, unit: Unit::Share, about: "A fifth is felt." },
    ],
    docs: Docs {
        looks_at: "Statements that the first snapshot did not have and that take a share of the execution time since.",
        why: "A new release or a new job brought it; nobody has looked at its plan under real load yet.",
        decides: "New beyond doubt: no reset and no eviction in the window, and no statement of the same text in the first \
                  snapshot (a recreated table gives the same text a new id). 5 % is information, 20 % medium.",
        what_to_do: "Review it: plan, number of calls, rows.",
        ignore_when: "It was announced and looked at.",
        references: "PostgreSQL manual, \"pg_stat_statements\" (queryid).",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let work = Workload::read(ctx)?;
    let before = ctx.changes("pg_stat_statements").and_then(|v| v.first.as_deref());
    let known: BTreeSet<String> = before
        .into_iter()
        .flat_map(crate::snapshot::Table::iter)
        .filter_map(|r| r.text("query"))
        .map(|q| one_line(q, usize::MAX))
        .collect();
    let mut findings = Vec::new();
    let mut new = 0;
    for (s, share) in work.by(|s| work.time_share(s)) {
        let same_text = s.text().is_none_or(|t| known.contains(&one_line(t, usize::MAX)));
        if s.change.class() != Class::New || !s.change.is_exact() || same_text {
            continue;
        }
        new += 1;
        // What waited for a lock is told of with who blocked it.
        if share < ctx.threshold("info_share") || s.is_upkeep() || work.mostly_waits_s(s).is_some() {
            continue;
        }
        let severity = if share >= ctx.threshold("medium_share") { Severity::Medium } else { Severity::Info };
        let (time, all) = (s.delta("total_exec_time"), work.recorded.exec_ms);
        findings.push(
            ctx.finding(
                severity,
                work.subject(s),
                Text::new().t("New: ").code(s.headline()).t(" takes ").opt(Quantity::float(share, Unit::Share)).t(" of the recorded execution time"),
            )
            .why(work.shared("The first snapshot did not have it, under any id. Nobody may have looked at its plan under real load yet."))
            .doubts(work.doubts.iter().copied())
            .measure(ctx.measure("Calls", s.change, "calls"))
            .measure(ctx.measure("Execution time", s.change, "total_exec_time"))
            .measure(ctx.quotient("Share of the recorded execution time", (time, Unit::Ms), (all, Unit::Ms), Unit::Share, &[(s.row, &["total_exec_time"])],
            ))
            .fix(s.look_up(ctx.major()))
            .verify("Its share is known and accepted.")
            .effort(Effort::M)
            .share(Some(share)),
        );
    }
    Ok(Checked { findings, looked_at: format!("{new} new statements") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::literal;

    fn with(first: &str) -> Vec<String> {
        const HEADER: &str = "userid | dbid | queryid | query | calls | total_exec_time";
        let taken = |at: &str, rows: &[&str]| {
            literal(at)
                .view("pg_stat_database", "datid | datname", &["5 | shop"])
                .view("pg_stat_statements", HEADER, rows)
                .build()
        };
        let a = taken("2026-11-22 10:00:00+00", &[first]);
        let b = taken("2026-11-22 11:00:00+00", &[first, "10 | 5 | 9 | select  b from t | 5000 | 9000"]);
        told(&judge(&RULE, &[a, b], ""))
    }

    #[test]
    fn finds_a_new_text_but_not_an_old_one_under_a_new_id() {
        assert_eq!(
            with("10 | 5 | 8 | select a from t | 10 | 10"),
            ["medium, high: queryid 9 on shop: New: select b from t takes 100% of the recorded execution time"]
        );
        assert_eq!(with("10 | 5 | 8 | select b from t | 10 | 10"), ["passed: 0 new statements"]);
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_eq!(
            crate::advisor::testing::told_of_nothing(&RULE),
            "skipped, input missing: `pg_stat_statements` is not in the dump"
        );
    }
}
