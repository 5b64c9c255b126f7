//! A statement that takes a large part of the execution time.

use crate::advisor::workload::{GOOD_WINDOW, MIN_CALLS, MIN_WINDOW, Statement, Workload};
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Threshold, ratio, show};
use crate::finding::{Effort, Finding, Measure, Severity};
use crate::snapshot::Row;
use crate::text::Text;
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "query-top-time",
    title: "Statement dominates execution time",
    needs: &[Need::View("pg_stat_statements", &["queryid", "query", "calls", "total_exec_time"])],
    wants: &[Need::View("pg_stat_statements_info", &["dealloc"])],
    thresholds: &[
        MIN_WINDOW,
        GOOD_WINDOW,
        MIN_CALLS,
        Threshold {
            name: "min_load",
            default: 0.05,
            unit: Unit::Sessions,
            about: "A statement that keeps less than a twentieth of one session busy is no cost, whatever its share.",
        },
        Threshold {
            name: "low_share",
            default: 0.05,
            unit: Unit::Share,
            about: "Share from which the first five are listed.",
        },
        Threshold { name: "medium_share", default: 0.2, unit: Unit::Share, about: "A fifth: halving it is felt." },
        Threshold { name: "high_share", default: 0.5, unit: Unit::Share, about: "Half of all time in one statement." },
    ],
    docs: Docs {
        looks_at: "Execution time of each statement in pg_stat_statements over the window, against the recorded time of all \
                   top-level statements.",
        why: "Work on the statement that takes most of the time pays most; work on the slowest single call often pays \
              nothing.",
        decides: "Share of the recorded execution time and the load it means (seconds of execution per second). Statements \
                  called from functions are left out where the export can tell (`toplevel`), so that time does not count \
                  twice. Loads, dumps, maintenance and schema changes are listed as information: their time is meant; so are statements seen \
                  waiting for locks for half of their time. A statement is booked whole when it ends, so a very long one may have started before the window; that is \
                  said.",
        what_to_do: "Look at the plan with real values; then at indexes, at the number of calls, at the rows it returns.",
        ignore_when: "The statement is the purpose of the server and its plan is known to be good.",
        references: "PostgreSQL manual, \"pg_stat_statements\"; \"Using EXPLAIN\".",
    },
    check,
};

/// How many statements below `medium_share` are listed.
const LISTED: usize = 5;

fn check(ctx: &Context<'_>) -> Check {
    let work = Workload::read(ctx)?;
    let mut findings = Vec::new();
    let ranked = work.by(|s| work.time_share(s));
    for (rank, (s, share)) in ranked.iter().enumerate() {
        let severity = if *share >= ctx.threshold("high_share") {
            Severity::High
        } else if *share >= ctx.threshold("medium_share") {
            Severity::Medium
        } else if *share >= ctx.threshold("low_share") && rank < LISTED {
            Severity::Low
        } else {
            break;
        };
        if work.load(s) >= ctx.threshold("min_load") {
            let noted = s.is_upkeep() || work.mostly_waits_s(s).is_some();
            findings.push(finding(ctx, &work, s, if noted { Severity::Info } else { severity }));
        }
    }
    let top = ranked.first().map_or(0.0, |(_, share)| *share);
    Ok(Checked {
        findings,
        looked_at: format!(
            "{} statements; the largest takes {} of the recorded execution time",
            work.statements.len(),
            show(top, Unit::Share)
        ),
    })
}

fn finding<'a>(ctx: &Context<'a>, work: &Workload<'a>, s: &Statement<'a>, severity: Severity) -> Finding {
    let (calls, exec_ms) = (s.delta("calls"), s.delta("total_exec_time"));
    let share = work.time_share(s);
    let exec = (exec_ms, Unit::Ms);
    let busy = work.span(s).rate(ctx, "Sessions busy on average", s.change, exec, Unit::Sessions, &["total_exec_time"]);
    let mean_ms = exec_ms / calls;
    let mut why = Text::new()
        .t("It kept ")
        .many(busy.window, "session", "sessions")
        .t(" busy on average, in ")
        .many(Quantity::float(calls, Unit::Count), "call of ", "calls of ")
        .opt(Quantity::float(mean_ms, Unit::Ms))
        .t(" each.");
    let mut added = Vec::new();
    if let Some(cpus) = ctx.options().cpus {
        let (share, formula) = ratio((work.load(s), Unit::Sessions), (cpus as f64, Unit::Count), Unit::Share);
        let formula = format!("{formula} processors");
        added.push(ctx.over_window("Share of the processors", share, formula, &[(s.row, &["total_exec_time"])]));
        why = why
            .t(" That is at most ")
            .opt(share)
            .t(" of ")
            .many(Quantity::int(cpus, Unit::Count), "processor", "processors")
            .t(": the time it waited is in it.");
    }
    if mean_ms / 1e3 >= work.window_s {
        why = why.t(" A call is booked when it ends: part of this time lies before the window.");
    }
    if let Some(waited) = work.mostly_waits_s(s) {
        added.push(waiting(ctx, s, waited));
        why = why
            .t(" Sessions that ran it were seen waiting for a lock, for ")
            .opt(Quantity::float(waited, Unit::Seconds))
            .t(": most of this time is waiting, not work, and no plan shows it.");
    }
    if s.is_upkeep() {
        why = why.t(format!(
            " It counts as {}, not as everyday work: listed so that its part of the time is known.",
            s.family.word()
        ));
    }
    ctx.finding(
        severity,
        work.subject(s),
        Text::new()
            .code(s.headline())
            .t(" takes ")
            .opt(Quantity::float(share, Unit::Share))
            .t(" of the recorded execution time"),
    )
    .why(work.shared(why))
    .doubts(work.doubts.iter().copied().chain([ctx.class_doubt(s.change)]))
    .measure(ctx.measure("Calls", s.change, "calls"))
    .measure(ctx.measure("Execution time", s.change, "total_exec_time"))
    .measure(ctx.quotient(
        "Share of the recorded execution time",
        (exec_ms, Unit::Ms),
        (work.recorded.exec_ms, Unit::Ms),
        Unit::Share,
        &[(s.row, &["total_exec_time"])],
    ))
    .measure(busy)
    .measure(ctx.over_window(
        "Mean time of a call",
        Quantity::float(mean_ms, Unit::Ms),
        format!("{} ÷ {} calls", show(exec_ms, Unit::Ms), show(calls, Unit::Count)),
        &[(s.row, &["total_exec_time", "calls"])],
    ))
    .measures(added)
    .fix(s.look_up(ctx.major()))
    .verify("Its share of the recorded execution time falls in the next window, at a similar number of calls.")
    .effort(Effort::M)
    .share(Some(share))
}

/// For how long the sessions that were seen waiting had been running it.
fn waiting<'a>(ctx: &Context<'a>, s: &Statement<'a>, seconds: f64) -> Measure {
    let columns: &[&str] = &["query_id", "wait_event_type", "query_start"];
    let waits = |r: &Row<'_>| r.text("wait_event_type") == Some("Lock") && r.int("query_id") == s.row.int("queryid");
    let seen = ctx.samples("pg_stat_activity").flat_map(|(_, table)| table.iter()).filter(waits);
    ctx.over_window(
        "Seen waiting for a lock",
        Quantity::float(seconds, Unit::Seconds),
        "capture time − query_start, the longest of each run, added up".to_owned(),
        &seen.map(|row| (row, columns)).collect::<Vec<_>>(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::literal;

    fn over(minutes: &str, header: &str, before: &[&str], after: &[&str]) -> Vec<String> {
        let taken = |at: &str, rows: &[&str]| {
            literal(at)
                .view("pg_stat_database", "datid | datname", &["5 | shop"])
                .view("pg_stat_statements", &format!("userid | dbid | queryid | toplevel | query | {header}"), rows)
                .build()
        };
        let b = format!("2026-11-22 {minutes}:00+00");
        told(&judge(&RULE, &[taken("2026-11-22 10:00:00+00", before), taken(&b, after)], ""))
    }

    const HEADER: &str = "calls | total_exec_time";

    #[test]
    fn ranks_by_share_and_load_and_leaves_inner_statements_out() {
        assert_eq!(
            over(
                "11:00",
                HEADER,
                &["10 | 5 | 1 | t | select a | 0 | 0"],
                &[
                    "10 | 5 | 1 | t | select a | 5000 | 600000",
                    "10 | 5 | 2 | t | update t set a = $1 | 5000 | 300000",
                    "10 | 5 | 3 | t | vacuum t | 5 | 290000",
                    "10 | 5 | 4 | f | select inside | 5000 | 900000",
                    "10 | 5 | 5 | t | alter role x password 'hunter2' | 1 | 185000",
                ]
            ),
            [
                "medium, high: queryid 1 on shop: select a takes 43.6% of the recorded execution time",
                "medium, high: queryid 2 on shop: update t set a = $1 takes 21.8% of the recorded execution time",
                "info, high: queryid 3 on shop: vacuum t takes 21.1% of the recorded execution time",
                "info, high: queryid 5 on shop: queryid 5 takes 13.5% of the recorded execution time",
            ]
        );
    }

    /// A call that waited for a lock is no load: what blocked it is found elsewhere.
    #[test]
    fn what_waited_for_a_lock_is_a_note() {
        let said = |waits: &str| {
            let taken = |at: &str, calls: u32, ms: u32| {
                literal(at)
                    .view("pg_stat_database", "datid | datname", &["5 | shop"])
                    .view(
                        "pg_stat_activity",
                        "pid | backend_start | state | wait_event_type | query_id | query_start",
                        &[&format!("7 | 2026-11-22 09:00:00+00 | active | {waits} | 1 | 2026-11-22 10:40:00+00")],
                    )
                    .view(
                        "pg_stat_statements",
                        "userid | dbid | queryid | toplevel | query | calls | total_exec_time",
                        &[
                            &format!("10 | 5 | 1 | t | update t | {calls} | {ms}"),
                            &format!("10 | 5 | 2 | t | select a | {} | 600000", 2000 * calls),
                        ],
                    )
                    .build()
            };
            told(&judge(
                &RULE,
                &[taken("2026-11-22 10:00:00+00", 0, 0), taken("2026-11-22 11:00:00+00", 2, 1_300_000)],
                "",
            ))
        };
        assert!(said("Lock")[0].starts_with("info, "), "{:?}", said("Lock"));
        assert!(said("IO")[0].starts_with("high, "), "{:?}", said("IO"));
    }

    /// What took years up to the first snapshot and nothing since is no load of today.
    #[test]
    fn the_past_does_not_count() {
        assert_eq!(
            over(
                "11:00",
                HEADER,
                &["10 | 5 | 1 | t | select old | 9000000 | 9000000000", "10 | 5 | 2 | t | select new | 0 | 0"],
                &["10 | 5 | 1 | t | select old | 9000000 | 9000000000", "10 | 5 | 2 | t | select new | 5000 | 600000"]
            ),
            ["high, high: queryid 2 on shop: select new takes 100% of the recorded execution time"]
        );
    }

    #[test]
    fn stays_quiet_where_the_server_idles() {
        assert_eq!(
            over(
                "11:00",
                HEADER,
                &["10 | 5 | 1 | t | select a | 0 | 0"],
                &["10 | 5 | 1 | t | select a | 5000 | 100000"]
            ),
            ["passed: 1 statements; the largest takes 100% of the recorded execution time"]
        );
    }

    #[test]
    fn skips_a_short_window_and_few_calls() {
        let (before, after) = (["10 | 5 | 1 | t | select a | 0 | 0"], ["10 | 5 | 1 | t | select a | 500 | 600000"]);
        assert_eq!(
            over("10:05", HEADER, &before, &after),
            ["skipped: statement statistics cover 5 min 00 s, this check needs 10 min 00 s"]
        );
        assert_eq!(
            over("11:00", HEADER, &before, &after),
            ["skipped: 500 statements in the window, this check needs 1,000"]
        );
    }
}
