//! Statements that take as long to plan as to run.

use crate::advisor::workload::{GOOD_WINDOW, MIN_CALLS, MIN_WINDOW, Workload};
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Skip, Threshold, ratio, show_counted};
use crate::finding::{Effort, Severity};
use crate::text::{Text, counted};
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "query-planning-time",
    title: "Planning takes as long as running",
    needs: &[Need::View("pg_stat_statements", &["queryid", "query", "plans", "total_plan_time", "total_exec_time"])],
    wants: &[Need::View("pg_stat_statements", &["toplevel"])],
    thresholds: &[
        MIN_WINDOW,
        GOOD_WINDOW,
        MIN_CALLS,
        Threshold {
            name: "min_plans",
            default: 1_000.0,
            unit: Unit::Count,
            about: "Fewer plans are a session that warms up.",
        },
        Threshold {
            name: "min_share",
            default: 0.5,
            unit: Unit::Share,
            about: "Planning takes as long as running, or longer.",
        },
        Threshold {
            name: "min_load",
            default: 0.01,
            unit: Unit::Sessions,
            about: "A hundredth of a processor busy with planning: less is nobody's concern.",
        },
    ],
    docs: Docs {
        looks_at: "Time planning each statement against the time planning and running it (13 and later, with \
                   pg_stat_statements.track_planning).",
        why: "The same plan is made again for each call; a prepared statement would keep it.",
        decides: "A thousand plans, half of the time, and a hundredth of a processor. Where no statement was recorded with a plan, \
                  track_planning is off (its default): nothing is said, since zero does not mean that planning is free.",
        what_to_do: "Prepared statements, also through a pooler that supports them; fewer partitions for a statement that prunes \
                     late; fewer joins in views it reads through.",
        ignore_when: "The statements are different each time: a plan cannot be kept.",
        references: "PostgreSQL manual, \"pg_stat_statements\"; \"PREPARE\".",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let work = Workload::read(ctx)?;
    if work.total("plans") <= 0.0 {
        return Err(Skip(
            "no plans were recorded: pg_stat_statements.track_planning is off, planning times are not known".to_owned(),
        ));
    }
    let mut findings = Vec::new();
    for (s, planning) in work.by(|s| s.delta("total_plan_time")) {
        let load = planning / 1e3 / work.span(s).seconds;
        if load < ctx.threshold("min_load") {
            break;
        }
        let running = s.delta("total_exec_time");
        let (share, formula) = ratio((planning, Unit::Ms), (planning + running, Unit::Ms), Unit::Share);
        let plans = s.delta("plans");
        if plans < ctx.threshold("min_plans") || share.is_none_or(|q| q.as_f64() < ctx.threshold("min_share")) {
            continue;
        }
        let (each, per_plan) = ratio((planning, Unit::Ms), (plans, Unit::Count), Unit::Ms);
        findings.push(
            ctx.finding(
                Severity::Low,
                work.subject(s),
                Text::new().t("Planning takes ").opt(share).t(" of the time of ").code(s.headline()),
            )
            .why(
                Text::new()
                    .t("It was planned ")
                    .many(Quantity::float(plans, Unit::Count), "time", "times")
                    .t(", ")
                    .opt(each)
                    .t(" each; a prepared statement keeps its plan."),
            )
            .doubts(work.doubts.iter().copied().chain([ctx.class_doubt(s.change)]))
            .measure(ctx.measure("Time planning", s.change, "total_plan_time"))
            .measure(ctx.measure("Time running", s.change, "total_exec_time"))
            .measure(ctx.measure("Plans", s.change, "plans"))
            .measure(ctx.over_window(
                "Share of planning",
                share,
                formula,
                &[(s.row, &["total_plan_time", "total_exec_time"])],
            ))
            .measure(ctx.over_window("Planning each time", each, per_plan, &[(s.row, &["total_plan_time", "plans"])]))
            .fix(s.look_up(ctx.major()))
            .verify("Plans grow slower than calls in the next window.")
            .effort(Effort::M)
            .share(Some(work.time_share(s))),
        );
    }
    Ok(Checked {
        findings,
        looked_at: format!(
            "{}; {} of planning",
            counted(work.statements.len(), "statement", "statements"),
            show_counted(work.total("total_plan_time"), Unit::Ms, work.is_exact())
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, statements_over_an_hour, told};

    fn say(rows: &[&str]) -> Vec<String> {
        const HEADER: &str = "calls | plans | total_plan_time | total_exec_time";
        told(&judge(&RULE, &statements_over_an_hour(HEADER, rows), ""))
    }

    #[test]
    fn planning_as_long_as_running_is_told() {
        assert_eq!(
            say(&["1 | select a | 5000 | 5000 | 60000 | 20000", "2 | select b | 5000 | 5000 | 60000 | 90000"]),
            ["low, high: queryid 1 on shop: Planning takes 75% of the time of select a"]
        );
        assert_eq!(
            say(&["1 | select a | 5000 | 500 | 60000 | 20000", "2 | select b | 5000 | 5000 | 20 | 5"]),
            ["passed: 2 statements; 1 min 00 s of planning"]
        );
    }

    #[test]
    fn planning_that_is_not_recorded_is_not_zero() {
        assert_eq!(
            say(&["1 | select a | 5000 | 0 | 0 | 20000"]),
            ["skipped: no plans were recorded: pg_stat_statements.track_planning is off, planning times are not known"]
        );
    }
}
