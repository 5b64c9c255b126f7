//! A function whose number of rows the planner was never told.

use crate::advisor::functions::sql_signature;
use crate::advisor::plans::{Explained, check_each, is_default_rows, rows};
use crate::advisor::{Check, Context, Docs, Need, Rule, Threshold};
use crate::explain::Node;
use crate::finding::{Effort, Finding, Fix, Risk, Severity, Verb};
use crate::ident::quote_literal;
use crate::unit::Unit;

/// The rule.
pub const RULE: Rule = Rule {
    id: "plan-func-default-rows",
    title: "Function that is believed to return a thousand rows",
    needs: &[Need::Plans],
    wants: &[Need::View("function_definitions", &["funcname", "identity_args"])],
    thresholds: &[
        Threshold {
            name: "min_ratio",
            default: 10.0,
            unit: Unit::Times,
            about: "Estimates within ten times rarely change a plan.",
        },
        Threshold {
            name: "min_ms",
            default: 10.0,
            unit: Unit::Ms,
            about: "Another plan has nothing to win of a shorter execution.",
        },
    ],
    docs: Docs {
        looks_at: "Function scans, and functions in a SELECT list, that are expected to return exactly 1,000 rows: what the planner takes \
                   for a function of which it knows nothing.",
        why: "Joins with it are planned for a thousand rows, whatever it returns.",
        decides: "Expected are exactly 1,000, ten times more or fewer came, and the execution took 10 ms.",
        what_to_do: "ALTER FUNCTION … ROWS n with what it usually returns; a support function where that depends on the arguments.",
        ignore_when: "Nothing is joined with its result.",
        references: "PostgreSQL manual, \"CREATE FUNCTION\" (ROWS); \"Function Optimization Information\".",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    check_each(ctx, worst)
}

fn worst<'a>(ctx: &Context<'a>, of: &Explained<'a>) -> Option<Finding> {
    of.plan.total_ms().filter(|ms| *ms >= ctx.threshold("min_ms"))?;
    let (at, _) = of.largest(|at, n| {
        let ratio = of.measured.get(at)?.estimate?.ratio();
        (is_default_rows(n) && ratio >= ctx.threshold("min_ratio")).then_some(ratio)
    })?;
    let node = of.node(at)?;
    let estimate = of.measured.get(at)?.estimate?;
    let taken = node.plan_rows.and_then(rows);
    let name = node.said("Function Name").or(node.relation.as_deref()).or(node.alias.as_deref());
    let fix = name.map(|name| cure(ctx, node, name, estimate.actual));
    Some(
        ctx.plan_finding(of, Severity::Low, of.at(at).t(": ").opt(taken).t(" rows are taken for granted, ").opt(rows(estimate.actual)).t(" came"))
            .why("The planner knows nothing of what the function returns; what stands above was planned for a thousand rows.")
            .measures(ctx.off_by(of, estimate))
            .measure(ctx.plan_measure(of, "Rows taken for granted", taken, "rows estimated of the node"))
            .fixes(fix)
            .effort(Effort::S)
            .share(of.wall_share(at)),
    )
}

/// Telling the planner, where the dump has one function of this name; else looking.
fn cure(ctx: &Context<'_>, node: &Node, name: &str, came: f64) -> Fix {
    let mut named = ctx
        .facts
        .functions
        .all
        .iter()
        .filter(|f| f.name() == name && node.schema.as_deref().is_none_or(|schema| schema == f.schema()));
    let only = named.next().filter(|_| named.next().is_none());
    match only.and_then(|f| Some((f, sql_signature(f.row)?))) {
        Some((function, sql)) => Fix::new(
            Verb::Alter,
            Risk::R1,
            function.signature(),
            format!("ALTER FUNCTION {sql} ROWS {:.0};", came.max(1.0)),
        )
        .lock("none that others wait for")
        .when_not("What it returns differs much from call to call: this is what came once.")
        .undo(format!("ALTER FUNCTION {sql} ROWS 1000;")),
        None => Fix::diagnose(
            name,
            format!(
                "SELECT oid::regprocedure, prorows, prosupport FROM pg_proc WHERE proname = {};",
                quote_literal(name)
            ),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{assert_needs_measurements, judge_plan, told};

    fn with(head: &str, expected: u32, came: u32) -> Vec<String> {
        told(&judge_plan(
            &RULE,
            &format!(
                "{head}  (cost=0.00..1.00 rows={expected} width=4) (actual time=0.010..9.000 rows={came} loops=1)\nExecution Time: 10.000 ms"
            ),
        ))
    }

    #[test]
    fn finds_the_default() {
        assert_eq!(
            with("Function Scan on f x", 1_000, 3),
            ["low, medium: queryid 7: Function Scan on f: 1,000 rows are taken for granted, 3 came"]
        );
        assert!(with("ProjectSet", 1_000, 50_000)[0].starts_with("low, medium: queryid 7: ProjectSet"));
    }

    #[test]
    fn stays_quiet_about_what_was_told_or_fits() {
        let fast = "Function Scan on f x  (cost=0.00..1.00 rows=1000 width=4) (actual time=0.010..0.900 rows=3 loops=1)\nExecution Time: 1.000 ms";
        assert_eq!(told(&judge_plan(&RULE, fast)), ["passed: 1 plan with measurements"], "nothing to win");
        for (head, expected, came) in
            [("Function Scan on f x", 100, 3), ("Function Scan on f x", 1_000, 300), ("Seq Scan on t", 1_000, 3)]
        {
            assert_eq!(with(head, expected, came), ["passed: 1 plan with measurements"], "{head} {expected} {came}");
        }
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_needs_measurements(&RULE);
    }
}
