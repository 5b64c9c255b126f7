//! Results too large for anybody to read.

use crate::advisor::statement::{Family, words};
use crate::advisor::workload::{GOOD_WINDOW, MIN_CALLS, MIN_WINDOW, Workload};
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Threshold, ratio, show};
use crate::finding::{Effort, Severity};
use crate::text::{Text, counted};
use crate::unit::Unit;

/// The rule.
pub const RULE: Rule = Rule {
    id: "query-rows-excess",
    title: "Query returns huge results",
    needs: &[Need::View("pg_stat_statements", &["queryid", "query", "calls", "rows"])],
    wants: &[Need::View("pg_stat_statements", &["toplevel"])],
    thresholds: &[
        MIN_WINDOW,
        GOOD_WINDOW,
        MIN_CALLS,
        Threshold { name: "min_rows", default: 10_000.0, unit: Unit::Rows, about: "No page shows so many." },
        Threshold { name: "min_per_hour", default: 10.0, unit: Unit::Count, about: "Rarer is an export." },
    ],
    docs: Docs {
        looks_at: "Rows that queries return per call.",
        why: "All of them are built, sent and held in the client's memory, whatever is done with them.",
        decides: "Queries (no COPY, no FETCH, no SELECT INTO or CREATE TABLE AS, no writes) with 10,000 rows and more per call, ten \
                  times an hour. Three calls at least.",
        what_to_do: "A LIMIT with the last key seen (keyset pagination) instead of everything; sums in the database instead of in the \
                     client; a cursor where all rows are needed.",
        ignore_when: "An export or a cache that loads everything, on purpose.",
        references: "PostgreSQL manual, \"pg_stat_statements\"; \"LIMIT and OFFSET\".",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let work = Workload::read(ctx)?;
    let mut findings = Vec::new();
    let mut most = 0.0_f64;
    for (s, each) in work.by(|s| s.delta("rows") / s.delta("calls").max(1.0)) {
        let into = || s.text().is_some_and(|t| words(t).any(|w| w == "INTO"));
        if s.family != Family::Query || into() {
            continue;
        }
        most = most.max(each);
        if each < ctx.threshold("min_rows") {
            break;
        }
        let calls = s.delta("calls");
        let per_hour = calls * 3_600.0 / work.span(s).seconds;
        if calls < 3.0 || per_hour < ctx.threshold("min_per_hour") {
            continue;
        }
        let (mean, formula) = ratio((s.delta("rows"), Unit::Rows), (calls, Unit::Count), Unit::Rows);
        findings.push(
            ctx.finding(
                Severity::Low,
                work.subject(s),
                Text::new().code(s.headline()).t(" returns ").opt(mean).t(" rows per call"),
            )
            .why("All of them are sent and held in the client's memory, whatever is done with them.")
            .doubts(work.doubts.iter().copied().chain([ctx.class_doubt(s.change)]))
            .measure(ctx.measure("Rows", s.change, "rows"))
            .measure(ctx.measure("Calls", s.change, "calls"))
            .measure(ctx.over_window("Rows per call", mean, formula, &[(s.row, &["rows", "calls"])]))
            .fix(s.look_up(ctx.major()))
            .verify("Rows per call fall in the next window.")
            .effort(Effort::M)
            .share(Some(work.time_share(s))),
        );
    }
    Ok(Checked {
        findings,
        looked_at: format!(
            "{}; at most {} rows per call of a query",
            counted(work.statements.len(), "statement", "statements"),
            show(most, Unit::Rows)
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, statements_over_an_hour, told};

    fn say(rows: &[&str]) -> Vec<String> {
        let all: Vec<&str> = ["9 | select 1 | 5000 | 5000 | 10"].iter().chain(rows).copied().collect();
        told(&judge(&RULE, &statements_over_an_hour("calls | rows | total_exec_time", &all), ""))
    }

    #[test]
    fn huge_results_are_told() {
        assert_eq!(
            say(&["1 | select * from log | 20 | 1000000 | 9000"]),
            ["low, high: queryid 1 on shop: select * from log returns 50,000 rows per call"]
        );
    }

    #[test]
    fn exports_writes_and_rare_calls_are_left_alone() {
        for row in [
            "1 | COPY log TO stdout | 20 | 1000000 | 9000",
            "1 | insert into log select * from other | 20 | 1000000 | 9000",
            "1 | select * into copy from log | 20 | 1000000 | 9000",
            "1 | FETCH 50000 IN c | 20 | 1000000 | 9000",
        ] {
            assert_eq!(say(&[row]), ["passed: 2 statements; at most 1 rows per call of a query"], "{row}");
        }
        assert_eq!(
            say(&["1 | select * from log | 2 | 100000 | 9000"]),
            ["passed: 2 statements; at most 50,000 rows per call of a query"]
        );
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_eq!(
            crate::advisor::testing::told_of_nothing(&RULE),
            "skipped, input missing: `pg_stat_statements` is not in the dump"
        );
    }
}
