//! A statement that takes a large part of the execution time.

use crate::advisor::workload::{GOOD_WINDOW, MIN_CALLS, MIN_WINDOW, Statement, Workload};
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Threshold, show};
use crate::finding::{Effort, Finding, Severity};
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
                  twice. Loads, dumps, maintenance and schema changes are listed as information: their time is meant. A \
                  statement is booked whole when it ends, so a very long one may have started before the window; that is \
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
            findings.push(finding(ctx, &work, s, if s.is_upkeep() { Severity::Info } else { severity }));
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
    let load = Quantity::float(work.load(s), Unit::Sessions);
    let mean_ms = exec_ms / calls;
    let covered = s.change.covered_s().unwrap_or(work.window_s);
    let mut why = Text::new()
        .t("It kept ")
        .opt(load)
        .t(" sessions busy on average, in ")
        .opt(Quantity::float(calls, Unit::Count))
        .t(" calls of ")
        .opt(Quantity::float(mean_ms, Unit::Ms))
        .t(" each.");
    if mean_ms / 1e3 >= work.window_s {
        why = why.t(" A call is booked when it ends: part of this time lies before the window.");
    }
    if s.is_upkeep() {
        why = why.t(format!(
            " It counts as {}, not as everyday work: listed so that its part of the time is known.",
            s.family.word()
        ));
    }
    if !work.toplevel_known {
        why =
            why.t(" The export does not tell top-level statements from those inside functions: time may count twice.");
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
    .why(why)
    .doubts(work.doubts.iter().copied().chain([ctx.class_doubt(s.change)]))
    .measure(ctx.measure("Calls", s.change, "calls"))
    .measure(ctx.measure("Execution time", s.change, "total_exec_time"))
    .measure(ctx.over_window(
        "Share of the recorded execution time",
        Quantity::float(share, Unit::Share),
        format!("{} ÷ {}", show(exec_ms, Unit::Ms), show(work.exec_ms, Unit::Ms)),
        &[(s.row, &["total_exec_time"])],
    ))
    .measure(ctx.over_window(
        "Sessions busy on average",
        load,
        format!("{} ÷ {}", show(exec_ms, Unit::Ms), show(covered, Unit::Seconds)),
        &[(s.row, &["total_exec_time"])],
    ))
    .measure(ctx.over_window(
        "Mean time of a call",
        Quantity::float(mean_ms, Unit::Ms),
        format!("{} ÷ {} calls", show(exec_ms, Unit::Ms), show(calls, Unit::Count)),
        &[(s.row, &["total_exec_time", "calls"])],
    ))
    .fix(s.look_up(ctx.major()))
    .verify("Its share of the recorded execution time falls in the next window, at a similar number of calls.")
    .effort(Effort::M)
    .share(Some(share))
}
