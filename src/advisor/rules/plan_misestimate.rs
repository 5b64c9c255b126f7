//! Where an estimate goes wrong first.

use crate::advisor::plans::{Explained, check_each, is_default_rows, rows};
use crate::advisor::{Check, Context, Docs, Need, Rule, Threshold};
use crate::finding::{Effort, Finding, Fix, Risk, Severity, Verb};
use crate::ident::{quote_ident, quote_qualified};
use crate::unit::Unit;

/// The rule.
pub const RULE: Rule = Rule {
    id: "plan-misestimate",
    title: "Row estimate far off",
    needs: &[Need::Plans],
    wants: &[],
    thresholds: &[
        Threshold {
            name: "min_ratio",
            default: 10.0,
            unit: Unit::Times,
            about: "Estimates within ten times rarely change a plan.",
        },
        Threshold {
            name: "min_rows",
            default: 1_000.0,
            unit: Unit::Rows,
            about: "Over all executions; small numbers are off by chance.",
        },
        Threshold {
            name: "high_loops",
            default: 10_000.0,
            unit: Unit::Count,
            about: "Executions of a nested loop's inner side that follow from it.",
        },
    ],
    docs: Docs {
        looks_at: "Estimated against measured rows of every node.",
        why: "Join methods, join order and memory are chosen by estimates; one that is far off spreads upwards.",
        decides: "The lowest node whose estimate is off; below a Gather the rows of all processes are compared. Not compared: nodes that did not run, bitmap operators, nodes that a LIMIT, a semi-join or a merge join stopped early, less than one row.",
        what_to_do: "ANALYZE first. Where several columns of one table are compared with values, extended statistics tell the planner that they depend on each other; a column with many values may need a higher statistics target.",
        ignore_when: "The plan is as good as it would be with the right number.",
        references: "PostgreSQL manual, \"Row Estimation Examples\", \"Extended Statistics\".",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    check_each(ctx, worst)
}

fn worst<'a>(ctx: &Context<'a>, of: &Explained<'a>) -> Option<Finding> {
    let off: Vec<bool> = of
        .measured
        .iter()
        .map(|m| {
            m.estimate.is_some_and(|e| e.ratio() >= ctx.threshold("min_ratio") && e.rows() >= ctx.threshold("min_rows"))
        })
        .collect();
    let is_off = |at: usize| off.get(at).copied().unwrap_or(false);
    // What stands above a function of unknown size is off for its reason, which another rule tells.
    let is_default = |at: usize| of.node(at).is_some_and(is_default_rows);
    let is_cause = |at: usize| is_off(at) || is_default(at);
    let lowest = (0..off.len()).filter(|at| is_off(*at) && !is_default(*at) && !of.plan.below(*at).any(is_cause));
    let (at, estimate) = lowest
        .filter_map(|at| Some((at, of.measured.get(at)?.estimate?)))
        .max_by(|a, b| a.1.ratio().total_cmp(&b.1.ratio()))?;
    let node = of.node(at)?;
    let feeds = of.plan.above(at).any(|above| {
        of.node(above).is_some_and(|n| n.kind == "Nested Loop")
            && of
                .plan
                .inputs(above)
                .nth(1)
                .and_then(|inner| of.node(inner))
                .is_some_and(|n| n.loops() >= ctx.threshold("high_loops"))
    });
    let severity = if feeds { Severity::High } else { Severity::Medium };
    let title = of
        .at(at)
        .t(": ")
        .many(rows(estimate.expected), "row expected, ", "rows expected, ")
        .opt(rows(estimate.actual))
        .t(" came");
    let mut finding = ctx
        .plan_finding(of, severity, title)
        .why(if feeds {
            "A nested loop above was chosen for few rows and runs its inner side once for each."
        } else {
            "What stands above it was chosen by this number. It is the lowest node whose estimate is off."
        })
        .measure(ctx.plan_measure(of, "Rows expected", rows(estimate.expected), "rows estimated of one execution"))
        .measures(ctx.off_by(of, estimate))
        .effort(Effort::S);
    if let Some(table) = ctx.table_of(node) {
        let sql = format!("ANALYZE {};", table.sql());
        finding = finding.fix(
            Fix::new(Verb::Maintain, Risk::R1, table.display(), sql)
                .lock("SHARE UPDATE EXCLUSIVE; reads and writes go on")
                .when_not("It was analysed after its last large change: then the statistics are as good as ANALYZE makes them."),
        );
        let condition = node.condition("Filter").or_else(|| node.condition("Index Cond"));
        let columns = condition.map(|c| ctx.columns_of(node, c)).unwrap_or_default();
        if columns.len() > 1 {
            let list: Vec<String> = columns.iter().map(|c| quote_ident(c)).collect();
            let name = quote_qualified(table.schema(), &format!("{}_{}_stats", table.name(), columns.join("_")));
            let sql = format!(
                "CREATE STATISTICS {name} (dependencies, ndistinct, mcv) ON {} FROM {};\nANALYZE {};",
                list.join(", "),
                table.sql(),
                table.sql()
            );
            finding = finding.fix(
                Fix::new(Verb::Create, Risk::R1, format!("statistics on {}", table.display()), sql)
                    .lock("SHARE UPDATE EXCLUSIVE; reads and writes go on")
                    .when_not("The estimate is right after ANALYZE, or the columns have nothing to do with each other.")
                    .undo(format!("DROP STATISTICS {name};")),
            );
        }
    }
    Some(finding)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{assert_needs_measurements, judge_plan, told};

    #[test]
    fn finds_the_lowest_node_and_leaves_what_a_limit_stopped() {
        let plan = |top: &str| {
            format!(
                "{top}  (cost=0.00..1.00 rows=10 width=4) (actual time=0.010..9.000 rows=9000 loops=1)\n  ->  Seq Scan on t  (cost=0.00..1.00 rows=10 width=4) (actual time=0.010..8.000 rows=9000 loops=1)\n        ->  Seq Scan on u  (cost=0.00..1.00 rows=50 width=4) (actual time=0.010..8.000 rows=40 loops=1)"
            )
        };
        assert_eq!(
            told(&judge_plan(&RULE, &plan("Unique"))),
            ["medium, medium: queryid 7: Seq Scan on t: 10 rows expected, 9,000 came"]
        );
        let stopped = "Limit  (cost=0.00..1.00 rows=10 width=4) (actual time=0.010..9.000 rows=10 loops=1)\n  ->  Seq Scan on t  (cost=0.00..1.00 rows=90000 width=4) (actual time=0.010..8.000 rows=10 loops=1)";
        assert_eq!(told(&judge_plan(&RULE, stopped)), ["passed: 1 plan with measurements"]);
    }

    #[test]
    fn below_a_gather_processes_are_added_up() {
        let plan = "Gather  (cost=0.00..1.00 rows=50000 width=4) (actual time=0.010..9.000 rows=50000 loops=1)\n  Workers Planned: 2\n  Workers Launched: 2\n  ->  Parallel Seq Scan on t  (cost=0.00..1.00 rows=20833 width=4) (actual time=0.010..8.000 rows=16667 loops=3)";
        assert_eq!(told(&judge_plan(&RULE, plan)), ["passed: 1 plan with measurements"]);
    }

    /// Two planned workers stand for 2.4 processes, three ran: what one of them got is not what the node got.
    #[test]
    fn a_process_is_not_the_node() {
        let plan = |expected: u32, came: u32| {
            format!(
                "Gather  (cost=0.00..1.00 rows={0} width=4) (actual time=0.010..9.000 rows={0} loops=1)\n  Workers Planned: 2\n  Workers Launched: 2\n  ->  Parallel Seq Scan on t  (cost=0.00..1.00 rows={expected} width=4) (actual time=0.010..8.000 rows={came} loops=3)",
                came * 3
            )
        };
        // 12 times too many by loop, 28,800 for 3,000 in all: less than ten times.
        assert_eq!(told(&judge_plan(&RULE, &plan(12_000, 1_000))), ["passed: 1 plan with measurements"]);
        // 9 times too few by loop, 2,400 for 27,000 in all.
        assert_eq!(
            told(&judge_plan(&RULE, &plan(1_000, 9_000))),
            ["medium, medium: queryid 7: Parallel Seq Scan on t: 2,400 rows expected, 27,000 came"]
        );
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_needs_measurements(&RULE);
    }
}
