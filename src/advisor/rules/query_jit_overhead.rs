//! Statements whose time goes into compiling.

use crate::advisor::cure::set_role;
use crate::advisor::workload::{GOOD_WINDOW, MIN_CALLS, MIN_WINDOW, Statement, Workload};
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Threshold, ratio, show_counted};
use crate::finding::{Effort, Severity};
use crate::text::{Text, counted};
use crate::unit::Unit;

/// Phases of compiling; deforming (17) is part of generation.
const PHASES: [&str; 4] = ["jit_generation_time", "jit_inlining_time", "jit_optimization_time", "jit_emission_time"];

/// The rule.
pub const RULE: Rule = Rule {
    id: "query-jit-overhead",
    title: "Just-in-time compilation does not pay",
    needs: &[Need::View(
        "pg_stat_statements",
        &["queryid", "query", "calls", "total_exec_time", "jit_functions", "jit_generation_time"],
    )],
    wants: &[Need::Setting("jit"), Need::Setting("jit_above_cost")],
    thresholds: &[
        MIN_WINDOW,
        GOOD_WINDOW,
        MIN_CALLS,
        Threshold {
            name: "min_share",
            default: 0.2,
            unit: Unit::Share,
            about: "A fifth of the running time spent on compiling.",
        },
        Threshold {
            name: "min_load",
            default: 0.02,
            unit: Unit::Sessions,
            about: "A fiftieth of a processor busy with the statement.",
        },
    ],
    docs: Docs {
        looks_at: "Time that each statement spent generating, inlining, optimizing and emitting code, against its running time (15 \
                   and later).",
        why: "Code is compiled anew in each execution. Where the planner overestimates the cost, compiling takes longer than what it \
              saves.",
        decides: "A fifth of the running time, for a statement that keeps at least a fiftieth of a processor busy. Compiling is part of \
                  the running time.",
        what_to_do: "jit = off for the role that runs it, or a higher jit_above_cost. First look at the plan: an estimate far too high is \
                     the cause.",
        ignore_when: "Analytic statements of minutes: there compiling pays, and its share is small.",
        references: "PostgreSQL manual, \"When to JIT?\"; \"pg_stat_statements\".",
    },
    check,
};

fn compiling(s: &Statement<'_>) -> f64 {
    PHASES.iter().map(|phase| s.delta(phase)).sum()
}

fn check(ctx: &Context<'_>) -> Check {
    let work = Workload::read(ctx)?;
    let mut findings = Vec::new();
    for (s, ms) in work.by(|s| compiling(s)) {
        if ms <= 0.0 {
            break;
        }
        let running = s.delta("total_exec_time");
        // What is compiled before the first row is asked for is not in the running time of some versions.
        let (share, formula) = ratio((ms, Unit::Ms), (running.max(ms), Unit::Ms), Unit::Share);
        if work.load(s) < ctx.threshold("min_load") || share.is_none_or(|q| q.as_f64() < ctx.threshold("min_share")) {
            continue;
        }
        let (each, per_call) = ratio((ms, Unit::Ms), (s.delta("calls").max(1.0), Unit::Count), Unit::Ms);
        findings.push(
            ctx.finding(
                Severity::Medium,
                work.subject(s),
                Text::new().t("Compiling takes ").opt(share).t(" of the time of ").code(s.headline()),
            )
            .why(Text::new().opt(each).t(" of each call go into code that is thrown away at its end."))
            .doubts(work.doubts.iter().copied().chain([ctx.class_doubt(s.change)]))
            .measure(ctx.measure("Functions compiled", s.change, "jit_functions"))
            .measure(ctx.measure("Time running", s.change, "total_exec_time"))
            .measure(ctx.over_window("Share of compiling", share, formula, &[(s.row, &PHASES)]))
            .measure(ctx.over_window("Compiling per call", each, per_call, &[(s.row, &PHASES), (s.row, &["calls"])]))
            .fix(s.look_up(ctx.major()))
            .fix(set_role(
                work.role(s),
                "jit",
                "off",
                "The role also runs long analytic statements: raise jit_above_cost instead.".into(),
            ))
            .verify("Functions compiled for it stop growing, and its mean time falls.")
            .effort(Effort::S)
            .share(Some(work.time_share(s))),
        );
    }
    Ok(Checked {
        findings,
        looked_at: format!(
            "{}; {} of compiling",
            counted(work.statements.len(), "statement", "statements"),
            show_counted(work.statements.iter().map(compiling).sum(), Unit::Ms, work.is_exact())
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, statements_over_an_hour, told};
    use crate::snapshot::literal::literal;

    fn say(rows: &[&str]) -> Vec<String> {
        const HEADER: &str = "calls | total_exec_time | jit_functions | jit_generation_time | jit_optimization_time";
        told(&judge(&RULE, &statements_over_an_hour(HEADER, rows), ""))
    }

    #[test]
    fn compiling_that_takes_a_fifth_is_told() {
        assert_eq!(
            say(&["1 | select a | 2000 | 400000 | 20000 | 50000 | 150000"]),
            ["medium, high: queryid 1 on shop: Compiling takes 50% of the time of select a"]
        );
        assert_eq!(
            say(&["1 | select a | 2000 | 400000 | 20000 | 500 | 1500", "2 | select b | 2000 | 100 | 9 | 50 | 1"]),
            ["passed: 2 statements; 2.05 s of compiling"]
        );
    }

    #[test]
    fn fourteen_does_not_record_it() {
        let b = literal("2026-11-22 12:00:00+00").version(14).view(
            "pg_stat_statements",
            "userid | dbid | queryid | query | calls | total_exec_time",
            &["10 | 5 | 1 | select 1 | 1 | 1"],
        );
        assert_eq!(
            told(&judge(&RULE, &[b.build()], "")),
            ["skipped: PostgreSQL 14 does not have `pg_stat_statements.jit_functions`"]
        );
    }
}
