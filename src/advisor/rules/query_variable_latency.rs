//! A statement whose time varies very much.

use crate::advisor::statement::{Family, words};
use crate::advisor::workload::{GOOD_WINDOW, MIN_CALLS, MIN_WINDOW, Statement, Workload};
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Threshold, ratio, show};
use crate::diff::Phase;
use crate::diff::moments::{Maximum, Moments};
use crate::finding::{Effort, Severity};
use crate::text::{Text, counted};
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "query-variable-latency",
    title: "Statement time varies very much",
    needs: &[Need::View(
        "pg_stat_statements",
        &["queryid", "query", "calls", "total_exec_time", "mean_exec_time", "stddev_exec_time"],
    )],
    wants: &[],
    thresholds: &[
        MIN_WINDOW,
        GOOD_WINDOW,
        MIN_CALLS,
        Threshold {
            name: "min_statement_calls",
            default: 100.0,
            unit: Unit::Count,
            about: "A deviation of fewer calls rests on chance.",
        },
        Threshold {
            name: "min_spread",
            default: 3.0,
            unit: Unit::Times,
            about: "Deviation three times the mean: few very slow calls.",
        },
        Threshold {
            name: "min_load",
            default: 0.01,
            unit: Unit::Sessions,
            about: "A hundredth of a session, else nobody pays.",
        },
    ],
    docs: Docs {
        looks_at: "Mean and standard deviation of each statement's calls in the window.",
        why: "Most calls are fast and a few are very slow: users remember the slow ones.",
        decides: "Deviation at least three times the mean, a hundred calls, a load of 0.01. pg_stat_statements keeps no histogram: \
                  a bound of the 95th percentile is given, never the percentile itself. Waiting for locks is part of the time.",
        what_to_do: "Sample plans of slow calls (auto_explain with log_min_duration), and look for lock waits.",
        ignore_when: "The work depends on the parameter by nature.",
        references: "Cantelli's inequality; PostgreSQL manual, \"pg_stat_statements\"; \"auto_explain\".",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let work = Workload::read(ctx)?;
    let mut findings = Vec::new();
    let mut looked = 0;
    for (s, _) in work.by(|s| s.delta("total_exec_time")) {
        let Some(m) = s.change.moments(Phase::Exec).filter(|m| m.n >= ctx.threshold("min_statement_calls")) else {
            continue;
        };
        looked += 1;
        let crate::diff::moments::Sigma::Exactly(sigma) = m.sigma else { continue };
        let (spread, formula) = ratio((sigma, Unit::Ms), (m.mean, Unit::Ms), Unit::Times);
        if s.is_upkeep()
            || is_control(s)
            || spread.is_none_or(|q| q.as_f64() < ctx.threshold("min_spread"))
            || work.load(s) < ctx.threshold("min_load")
        {
            continue;
        }
        let max = s.change.maximum(Phase::Exec);
        let bound = percentile_bound(&m, max);
        let mut why = Text::new()
            .t("The mean is ")
            .opt(Quantity::float(m.mean, Unit::Ms))
            .t(", the standard deviation ")
            .opt(Quantity::float(sigma, Unit::Ms))
            .t("; 95 of 100 calls took at most ")
            .opt(bound)
            .t(" (a bound, not a percentile).");
        let mut slowest = None;
        if let Some(Maximum::Exactly(max)) = max {
            let took = Quantity::float(max, Unit::Ms);
            why = why.t(" The slowest took ").opt(took).t(".");
            let formula = "max_exec_time, as recorded".to_owned();
            slowest = Some(ctx.over_window("Slowest call", took, formula, &[(s.row, &["max_exec_time"])]));
        }
        findings.push(
            ctx.finding(
                Severity::Low,
                work.subject(s),
                Text::new().t("The time of ").code(s.headline()).t(" varies by ").opt(spread).t(" its mean"),
            )
            .why(why)
            .doubts(work.doubts.iter().copied().chain([ctx.class_doubt(s.change)]))
            .measure(ctx.measure("Calls", s.change, "calls"))
            .measure(ctx.over_window(
                "Mean of the window",
                Quantity::float(m.mean, Unit::Ms),
                format!("{} ÷ {} calls", show(m.total, Unit::Ms), show(m.n, Unit::Count)),
                &[(s.row, &["total_exec_time", "calls"])],
            ))
            .measure(ctx.over_window(
                "Standard deviation of the window",
                Quantity::float(sigma, Unit::Ms),
                "from the sums of squares at both ends".to_owned(),
                &[(s.row, &["mean_exec_time", "stddev_exec_time", "calls"])],
            ))
            .measure(ctx.over_window(
                "Deviation against the mean",
                spread,
                formula,
                &[(s.row, &["mean_exec_time", "stddev_exec_time", "calls"])],
            ))
            .measure(ctx.over_window(
                "95 of 100 calls took at most",
                bound,
                "smallest of mean + 4.359 × deviation, 20 × mean, maximum".to_owned(),
                &[(s.row, &["mean_exec_time", "stddev_exec_time", "max_exec_time"])],
            ))
            .measures(slowest)
            .fix(s.look_up(ctx.major()))
            .verify("Deviation over mean falls in the next window.")
            .effort(Effort::M)
            .share(Some(work.time_share(s))),
        );
    }
    Ok(Checked { findings, looked_at: format!("{} with enough calls", counted(looked, "statement", "statements")) })
}

/// The bound of the 95th percentile: values are never negative, and not above the maximum where that is known.
fn percentile_bound(m: &Moments, max: Option<Maximum>) -> Option<Quantity> {
    let most = match max {
        Some(Maximum::Exactly(x) | Maximum::AtMost(x)) => x,
        _ => f64::INFINITY,
    };
    m.quantile(0.95, 0.0, most).and_then(|(_, upper)| Quantity::float(upper, Unit::Ms))
}

/// Commands that begin, undo or set: their time says nothing of the work. A commit waits for the disk, which does.
fn is_control(s: &Statement<'_>) -> bool {
    let commits = || s.text().and_then(|t| words(t).next()).is_some_and(|w| matches!(w.as_str(), "COMMIT" | "END"));
    s.family == Family::Session || (s.family == Family::Transaction && !commits())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::literal;

    fn with(query: &str, stddev: &str) -> Vec<String> {
        const HEADER: &str = "userid | dbid | queryid | query | calls | total_exec_time | mean_exec_time | stddev_exec_time | max_exec_time";
        let taken = |at: &str, rows: &[&str]| {
            literal(at)
                .view("pg_stat_database", "datid | datname", &["5 | shop"])
                .view("pg_stat_statements", HEADER, rows)
                .build()
        };
        let row = format!("10 | 5 | 7 | {query} | 10000 | 100000 | 10 | {stddev} | 900");
        let a = taken("2026-11-22 10:00:00+00", &["10 | 5 | 8 | select 2 | 1 | 1 | 1 | 0 | 1"]);
        let b = taken("2026-11-22 11:00:00+00", &["10 | 5 | 8 | select 2 | 1 | 1 | 1 | 0 | 1", &row]);
        told(&judge(&RULE, &[a, b], ""))
    }

    #[test]
    fn finds_a_wide_spread_only() {
        assert_eq!(
            with("select 1", "40"),
            ["low, high: queryid 7 on shop: The time of select 1 varies by 4.00× its mean"]
        );
        assert_eq!(with("select 1", "20"), ["passed: 1 statement with enough calls"]);
    }

    #[test]
    fn a_bound_is_given_and_never_a_percentile() {
        const HEADER: &str = "userid | dbid | queryid | query | calls | total_exec_time | mean_exec_time | stddev_exec_time | max_exec_time";
        let taken = |at: &str, rows: &[&str]| literal(at).view("pg_stat_statements", HEADER, rows).build();
        let rest = "10 | 5 | 8 | select 2 | 1 | 1 | 1 | 0 | 1";
        let row = "10 | 5 | 7 | select 1 | 10000 | 100000 | 10 | 40 | 900";
        let snapshots = [taken("2026-11-22 10:00:00+00", &[rest]), taken("2026-11-22 11:00:00+00", &[rest, row])];
        let crate::finding::Outcome::Found { findings, .. } = judge(&RULE, &snapshots, "") else { panic!() };
        let why = findings[0].why.plain();
        // Cantelli: 10 + 40 × √(0.95 ÷ 0.05) = 184 ms, below the maximum of 900 ms.
        assert!(why.contains("95 of 100 calls took at most 184 ms (a bound, not a percentile)"), "{why}");
    }

    #[test]
    fn commands_that_only_begin_or_set_are_left_alone() {
        for query in ["begin", "ROLLBACK", "savepoint s", "set work_mem = '64kB'"] {
            assert_eq!(with(query, "40"), ["passed: 1 statement with enough calls"], "{query}");
        }
        assert_eq!(with("COMMIT", "40"), ["low, high: queryid 7 on shop: The time of COMMIT varies by 4.00× its mean"]);
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_eq!(
            crate::advisor::testing::told_of_nothing(&RULE),
            "skipped, input missing: `pg_stat_statements` is not in the dump"
        );
    }
}
