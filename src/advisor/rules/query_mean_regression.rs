//! A statement that became slower.

use crate::advisor::then_now::{Side, ThenNow, last_window_or_skip, split, welch_t};
use crate::advisor::workload::{Statement, Workload};
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Threshold, show};
use crate::diff::DiffRow;
use crate::finding::{Doubt, Effort, Finding, Severity, Subject};
use crate::snapshot::Row;
use crate::text::{Text, counted};
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "query-mean-regression",
    title: "Statement slower than before",
    needs: &[
        Need::Snapshots(2),
        Need::View(
            "pg_stat_statements",
            &["queryid", "query", "calls", "total_exec_time", "mean_exec_time", "stddev_exec_time"],
        ),
    ],
    wants: &[],
    thresholds: &[
        Threshold { name: "min_window_s", default: 60.0, unit: Unit::Seconds, about: "Rates need a minute." },
        Threshold {
            name: "good_window_s",
            default: 3_600.0,
            unit: Unit::Seconds,
            about: "Below an hour a passing disturbance is likely.",
        },
        Threshold {
            name: "min_calls",
            default: 100.0,
            unit: Unit::Count,
            about: "Calls on each side, else a mean rests on chance.",
        },
        Threshold {
            name: "min_factor",
            default: 1.5,
            unit: Unit::Times,
            about: "Half as slow again: beyond the usual from hour to hour.",
        },
        Threshold { name: "high_factor", default: 5.0, unit: Unit::Times, about: "Users notice." },
        Threshold {
            name: "min_added_load",
            default: 0.02,
            unit: Unit::Sessions,
            about: "A fiftieth of a session more, else nobody pays.",
        },
        Threshold { name: "high_added_load", default: 0.5, unit: Unit::Sessions, about: "Half a processor more." },
        Threshold {
            name: "min_t",
            default: 4.0,
            unit: Unit::Plain,
            about: "Standard errors between the means; 4 and not 2, because times are skewed.",
        },
        Threshold {
            name: "same_factor",
            default: 1.2,
            unit: Unit::Times,
            about: "Within a fifth counts as unchanged.",
        },
    ],
    docs: Docs {
        looks_at: "Mean and deviation of each statement's execution time in the last window against the windows before it; with \
                   two snapshots against everything counted up to the first one.",
        why: "A statement that used to be fast and is not any more has a cause that can be found: another plan, more data, a \
              lock, slower storage.",
        decides: "Half as slow again, a hundred calls on each side, an added load of 0.02 sessions, and four standard errors \
                  between the means (Welch). Means and deviations of windows are exact, from the sums that PostgreSQL keeps; \
                  means are never subtracted. Where each call gives more rows by the same factor it is information: more was \
                  asked for. Blocks per call tell where to look.",
        what_to_do: "Compare the plans then and now; ANALYZE the tables; look for an index that went away.",
        ignore_when: "The parameters changed: another customer, another date range.",
        references: "Chan, Golub, LeVeque 1983 (pairwise update of variances); Welch 1947; PostgreSQL manual, \
                     \"pg_stat_statements\".",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let work = Workload::read(ctx)?;
    let last = last_window_or_skip(ctx)?;
    let short = (last < ctx.threshold("good_window_s")).then_some(Doubt::C2);
    let mut findings = Vec::new();
    let mut compared = 0;
    for (s, _) in work.by(|s| s.delta("total_exec_time")) {
        let Some(sides) = split(ctx.chain, s.change) else { continue };
        let calls = ctx.threshold("min_calls");
        if sides.then.exec.n < calls || sides.now.exec.n < calls || sides.then.exec.mean <= 0.0 {
            continue;
        }
        compared += 1;
        let factor = sides.now.exec.mean / sides.then.exec.mean;
        let Some((added, seconds)) = added_load(ctx, &sides) else { continue };
        let sure = welch_t(&sides.then.exec, &sides.now.exec).is_some_and(|t| t >= ctx.threshold("min_t"));
        if s.is_upkeep() || factor < ctx.threshold("min_factor") || added < ctx.threshold("min_added_load") || !sure {
            continue;
        }
        let finding = finding(ctx, &sides, added, seconds, work.subject(s), s);
        let doubts = work.doubts.iter().copied().chain([ctx.class_doubt(s.change), sides.doubt, short]);
        findings
            .push(finding.doubts(doubts).measure(ctx.measure("Calls", s.change, "calls")).fix(s.look_up(ctx.major())));
    }
    Ok(Checked {
        findings,
        looked_at: format!(
            "{} with enough calls then and now, none clearly slower",
            counted(compared, "statement", "statements")
        ),
    })
}

/// Sessions busy more than at the earlier mean, and the seconds that this is of.
fn added_load(ctx: &Context<'_>, sides: &ThenNow) -> Option<(f64, f64)> {
    let seconds = sides.now.seconds.or_else(|| ctx.chain.windows.last()?.elapsed_s).filter(|s| *s > 0.0)?;
    Some(((sides.now.exec.mean - sides.then.exec.mean) * sides.now.exec.n / 1e3 / seconds, seconds))
}

fn finding<'a>(
    ctx: &Context<'a>,
    sides: &ThenNow,
    added: f64,
    seconds: f64,
    subject: Subject,
    s: &Statement<'a>,
) -> Finding {
    let same = ctx.threshold("same_factor");
    let (then, now) = (&sides.then, &sides.now);
    let factor = now.exec.mean / then.exec.mean;
    let rows = grown(then.rows_per_call(), now.rows_per_call());
    let blocks = grown(then.blocks_per_call(), now.blocks_per_call());
    let more_asked = rows.is_some_and(|r| r >= factor / same);
    let severity = if more_asked {
        Severity::Info
    } else if added >= ctx.threshold("high_added_load") || factor >= ctx.threshold("high_factor") {
        Severity::High
    } else {
        Severity::Medium
    };
    let hint = match blocks {
        _ if more_asked => "Each call gives more rows by the same factor: more is asked for.",
        Some(b) if b >= 2.0 => "Each call touches at least twice the blocks: another plan, or more data.",
        Some(b) if b <= same => {
            "Each call touches as many blocks as before: it waits or computes for longer (storage, processor, locks, a function that it calls); another plan is unlikely."
        }
        _ => "Each call touches somewhat more blocks than before.",
    };
    let ms = |x| Quantity::float(x, Unit::Ms);
    let end = ctx.windows_of(s.change).last().copied().flatten();
    let (start, end) = (end.and_then(DiffRow::before), end.and_then(DiffRow::after));
    // Where the chain has one window, what came before it is all that the row at its start has counted.
    let before: Vec<Row<'a>> = s.change.first().into_iter().chain(start).collect();
    let last: Vec<Row<'a>> = start.into_iter().chain(end).collect();
    let all: Vec<Row<'a>> = before.iter().copied().chain(end).collect();
    ctx.finding(
        severity,
        subject,
        Text::new()
            .code(s.headline())
            .t(" is ")
            .opt(Quantity::float(factor, Unit::Times))
            .t(" slower: ")
            .opt(ms(then.exec.mean))
            .t(" → ")
            .opt(ms(now.exec.mean)),
    )
    .why(
        Text::new()
            .t("In the last window it kept ")
            .opt(Quantity::float(added, Unit::Sessions))
            .t(" more sessions busy than at its earlier mean. ")
            .t(hint),
    )
    .measure(ctx.over_window(
        "Mean before",
        ms(then.exec.mean),
        mean_of(then),
        &cited(&before, &["total_exec_time", "calls"]),
    ))
    .measure(ctx.over_window(
        "Mean in the last window",
        ms(now.exec.mean),
        mean_of(now),
        &cited(&last, &["total_exec_time", "calls"]),
    ))
    .measure(ctx.over_window(
        "Mean against the earlier one",
        Quantity::float(factor, Unit::Times),
        format!("({}) ÷ ({})", mean_of(now), mean_of(then)),
        &cited(&all, &["total_exec_time", "calls"]),
    ))
    .measure(ctx.over_window(
        "Sessions busy more",
        Quantity::float(added, Unit::Sessions),
        format!(
            "({} − {}) × {} calls ÷ {}",
            show(now.exec.mean, Unit::Ms),
            show(then.exec.mean, Unit::Ms),
            show(now.exec.n, Unit::Count),
            show(seconds, Unit::Seconds)
        ),
        &cited(&all, &["total_exec_time", "calls"]),
    ))
    .measure(ctx.over_window(
        "Blocks per call",
        Quantity::float(now.blocks_per_call(), Unit::Count),
        format!("before: {}", show(then.blocks_per_call(), Unit::Count)),
        &cited(&all, &["shared_blks_hit", "shared_blks_read", "calls"]),
    ))
    .measure(ctx.over_window(
        "Rows per call",
        Quantity::float(now.rows_per_call(), Unit::Count),
        format!("before: {}", show(then.rows_per_call(), Unit::Count)),
        &cited(&all, &["rows", "calls"]),
    ))
    .verify("Its mean returns to the earlier one in the next window.")
    .effort(Effort::M)
}

/// The arithmetic of a mean.
fn mean_of(side: &Side) -> String {
    format!("{} ÷ {} calls", show(side.exec.total, Unit::Ms), show(side.exec.n, Unit::Count))
}

/// Rows with the columns that were read of them.
fn cited<'a, 'c>(rows: &[Row<'a>], columns: &'c [&'c str]) -> Vec<(Row<'a>, &'c [&'c str])> {
    rows.iter().map(|row| (*row, columns)).collect()
}

fn grown(then: f64, now: f64) -> Option<f64> {
    (then > 0.0).then(|| now / then)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::Snapshot;
    use crate::snapshot::literal::literal;
    use std::sync::Arc;

    fn taken(at: &str, row: &str) -> Arc<Snapshot> {
        const HEADER: &str = "userid | dbid | queryid | toplevel | query | calls | total_exec_time | mean_exec_time | \
                              stddev_exec_time | rows | shared_blks_hit | shared_blks_read";
        literal(at)
            .view("pg_stat_database", "datid | datname", &["5 | shop"])
            .view("pg_stat_statements", HEADER, &[&format!("10 | 5 | 7 | t | select 1 | {row}")])
            .build()
    }

    fn after(row: &str) -> Vec<String> {
        let a = taken("2026-11-22 10:00:00+00", "1000 | 100000 | 100 | 50 | 1000 | 10000 | 0");
        told(&judge(&RULE, &[a, taken("2026-11-22 11:00:00+00", row)], ""))
    }

    #[test]
    fn finds_a_slower_statement_by_exact_moments() {
        // 1,000 calls of 300 ms each, deviation 50: merged with 1,000 of 100 ms the deviation is sqrt(2,500 + 10,000).
        assert_eq!(
            after("2000 | 400000 | 200 | 111.80339887498949 | 2000 | 20000 | 0"),
            ["medium, medium: queryid 7 on shop: select 1 is 3.00× slower: 100 ms → 300 ms"]
        );
    }

    #[test]
    fn more_rows_by_the_same_factor_are_information() {
        assert_eq!(
            after("2000 | 400000 | 200 | 111.80339887498949 | 4000 | 20000 | 0"),
            ["info, medium: queryid 7 on shop: select 1 is 3.00× slower: 100 ms → 300 ms"]
        );
    }

    #[test]
    fn stays_quiet_within_chance_and_where_nobody_pays() {
        let quiet = ["passed: 1 statement with enough calls then and now, none clearly slower"];
        assert_eq!(after("2000 | 220000 | 110 | 50.990195135927845 | 2000 | 20000 | 0"), quiet, "10 % slower");
        let few = ["passed: 0 statements with enough calls then and now, none clearly slower"];
        let a = taken("2026-11-22 10:00:00+00", "50 | 500 | 10 | 5 | 50 | 500 | 0");
        let b = taken("2026-11-22 11:00:00+00", "1050 | 30500 | 29.047619047619047 | 6.6 | 1050 | 10500 | 0");
        assert_eq!(told(&judge(&RULE, &[a, b], "")), few);
    }

    #[test]
    fn skips_a_single_snapshot() {
        let b = taken("2026-11-22 10:00:00+00", "1000 | 100000 | 100 | 50 | 1000 | 10000 | 0");
        assert_eq!(told(&judge(&RULE, &[b], "")), ["skipped, input missing: needs 2 snapshots, here 1 is given"]);
    }
}
