//! Very many calls that do next to nothing.

use crate::advisor::statement::Family;
use crate::advisor::workload::{GOOD_WINDOW, MIN_CALLS, MIN_WINDOW, Workload, part};
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Threshold, ratio, show_counted};
use crate::finding::{Effort, Severity};
use crate::text::{Text, counted};
use crate::unit::Unit;

/// The rule.
pub const RULE: Rule = Rule {
    id: "query-chatty",
    title: "Very many tiny calls",
    needs: &[Need::View("pg_stat_statements", &["queryid", "query", "calls", "rows", "total_exec_time"])],
    wants: &[Need::View("pg_stat_statements", &["toplevel"])],
    thresholds: &[
        MIN_WINDOW,
        GOOD_WINDOW,
        MIN_CALLS,
        Threshold { name: "min_share", default: 0.2, unit: Unit::Share, about: "A fifth of all calls." },
        Threshold {
            name: "min_per_s",
            default: 500.0,
            unit: Unit::PerSecond,
            about: "Five hundred round trips a second.",
        },
        Threshold { name: "max_mean_ms", default: 1.0, unit: Unit::Ms, about: "The network takes as long." },
        Threshold { name: "max_rows", default: 1.0, unit: Unit::Rows, about: "A row at a time." },
    ],
    docs: Docs {
        looks_at: "Queries and writes by their calls, mean time and rows per call.",
        why: "Each call is a round trip, parsing and planning included: the application waits for the network, not for the database.",
        decides: "A fifth of all calls, 500 a second, less than 1 ms and at most one row each. Transaction control is not counted.",
        what_to_do: "Ask for many keys at once (= ANY($1), a join), write many rows with one INSERT, or use a pipeline. Where it loads \
                     one row for each row of another result, the framework can load them together.",
        ignore_when: "Independent users look up their own rows: that is what the database is for.",
        references: "PostgreSQL manual, \"pg_stat_statements\"; libpq, \"Pipeline Mode\".",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let work = Workload::read(ctx)?;
    let mut findings = Vec::new();
    for (s, calls) in work.by(|s| s.delta("calls")) {
        let span = work.span(s);
        let rare = calls / span.seconds < ctx.threshold("min_per_s");
        if part(calls, work.recorded.calls) < ctx.threshold("min_share") || rare {
            break;
        }
        if !matches!(s.family, Family::Query | Family::Write) {
            continue;
        }
        let mean = s.delta("total_exec_time") / calls;
        let rows = s.delta("rows") / calls;
        if mean >= ctx.threshold("max_mean_ms") || rows > ctx.threshold("max_rows") {
            continue;
        }
        let (each, formula) = ratio((s.delta("total_exec_time"), Unit::Ms), (calls, Unit::Count), Unit::Ms);
        let counted = (calls, Unit::Count);
        let per_s = span.rate(ctx, "Calls per second", s.change, counted, Unit::PerSecond, &["calls"]);
        let all = work.recorded.calls;
        let (share, part_of) = ratio(counted, (all, Unit::Count), Unit::Share);
        findings.push(
            ctx.finding(
                Severity::Low,
                work.subject(s),
                Text::new().code(s.headline()).t(" is called ").opt(per_s.window).t(", ").opt(each).t(" each"),
            )
            .why(
                Text::new()
                    .t("It is ")
                    .opt(share)
                    .t(" of all calls, at most a row each: round trips and parsing cost more than the work itself."),
            )
            .doubts(work.doubts.iter().copied().chain([ctx.class_doubt(s.change)]))
            .measure(ctx.measure("Calls", s.change, "calls"))
            .measure(ctx.measure("Rows", s.change, "rows"))
            .measure(per_s)
            .measure(ctx.over_window("Mean time", each, formula, &[(s.row, &["total_exec_time", "calls"])]))
            .measure(ctx.over_window("Share of all calls", share, part_of, &[(s.row, &["calls"])]))
            .fix(s.look_up(ctx.major()))
            .verify("Calls per second fall in the next window at the same work.")
            .effort(Effort::M)
            .share(Some(work.time_share(s))),
        );
    }
    Ok(Checked {
        findings,
        looked_at: format!(
            "{}; {} calls",
            counted(work.statements.len(), "statement", "statements"),
            show_counted(work.recorded.calls, Unit::Count, work.is_exact())
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, statements_over_an_hour, told};

    fn say(rows: &[&str]) -> Vec<String> {
        told(&judge(&RULE, &statements_over_an_hour("calls | rows | total_exec_time", rows), ""))
    }

    #[test]
    fn a_row_at_a_time_many_times_is_told() {
        assert_eq!(
            say(&["1 | select a from t where id = $1 | 3600000 | 3600000 | 72000", "2 | BEGIN | 3600000 | 0 | 1000"]),
            ["low, high: queryid 1 on shop: select a from t where id = $1 is called 1,000/s, 0.02 ms each"]
        );
    }

    #[test]
    fn slow_large_or_rare_calls_are_left_alone() {
        let quiet = ["passed: 1 statement; 3.6 M calls"];
        assert_eq!(say(&["1 | select a | 3600000 | 3600000 | 7200000"])[0][..6], quiet[0][..6]);
        assert_eq!(say(&["1 | select a | 3600000 | 36000000 | 72000"])[0][..6], quiet[0][..6]);
        assert_eq!(say(&["1 | select a | 36000 | 36000 | 720"]), ["passed: 1 statement; 36,000 calls"]);
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_eq!(
            crate::advisor::testing::told_of_nothing(&RULE),
            "skipped, input missing: `pg_stat_statements` is not in the dump"
        );
    }
}
