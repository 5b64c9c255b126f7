//! A correlated subquery that takes the time.

use crate::advisor::plans::{Explained, looked_at, share};
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Threshold};
use crate::explain::Link;
use crate::finding::{Effort, Finding, Severity};
use crate::text::Text;
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "plan-correlated-subplan",
    title: "Subquery that runs for each row",
    needs: &[Need::Plans],
    wants: &[],
    thresholds: &[
        Threshold {
            name: "min_loops",
            default: 1_000.0,
            unit: Unit::Count,
            about: "Fewer executions are seldom felt.",
        },
        Threshold { name: "min_share", default: 0.3, unit: Unit::Share, about: "A third of the execution." },
    ],
    docs: Docs {
        looks_at: "Subplans, which are executed for rows of the query around them.",
        why: "A subquery that refers to the row around it is executed again for each.",
        decides: "Executions of the subplan and its share of the execution. A hashed subplan runs once.",
        what_to_do: "Write it as a join or LEFT JOIN LATERAL with a GROUP BY, or give its condition an index.",
        ignore_when: "The condition has its index and few rows come from outside.",
        references: "PostgreSQL manual, \"Using EXPLAIN\".",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let plans = ctx.analyzed()?;
    let findings = plans.iter().filter_map(|of| worst(ctx, of)).collect();
    Ok(Checked { findings, looked_at: looked_at(&plans) })
}

fn worst<'a>(ctx: &Context<'a>, of: &Explained<'a>) -> Option<Finding> {
    let mut found: Vec<(usize, f64)> = of
        .ran()
        .filter(|(_, n)| matches!(n.link, Link::SubPlan(_)) && n.loops() >= ctx.threshold("min_loops"))
        .filter_map(|(at, _)| Some((at, of.wall_share(at)?)))
        .filter(|(_, share)| *share >= ctx.threshold("min_share"))
        .collect();
    found.sort_by(|a, b| b.1.total_cmp(&a.1));
    let &(at, part) = found.first()?;
    let node = of.node(at)?;
    let scan = std::iter::once(at).chain(of.plan.below(at)).find_map(|i| of.node(i).filter(|n| n.kind == "Seq Scan"));
    let title =
        Text::new().t(node.link.label()).t(" runs ").opt(crate::advisor::whole(node.loops(), Unit::Count)).t(" times");
    let mut why = Text::new().t("It takes ").opt(share(Some(part))).t(" of the execution");
    if let Some(name) = scan.and_then(crate::explain::Node::qualified) {
        why = why.t(" and reads the whole of ").name(name).t(" each time");
    }
    Some(
        ctx.plan_finding(of, Severity::Medium, title)
            .why(why.t("."))
            .measure(ctx.plan_measure(
                of,
                "Executions",
                crate::advisor::whole(node.loops(), Unit::Count),
                "loops of the subplan".to_owned(),
            ))
            .measure(ctx.plan_measure(
                of,
                "Share of the execution",
                Quantity::float(part, Unit::Share),
                "time of all executions ÷ execution time".to_owned(),
            ))
            .fixes(scan.and_then(|n| ctx.look_at_indexes(n)))
            .effort(Effort::M)
            .share(Some(part)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge_plan, told};

    #[test]
    fn finds_subplans_that_run_often() {
        let plan = |loops: u32| {
            format!(
                "Seq Scan on o  (cost=0.00..1.00 rows=1 width=4) (actual time=0.010..99.000 rows=9 loops=1)\n  SubPlan 1\n    ->  Seq Scan on i  (cost=0.00..1.00 rows=1 width=4) (actual time=0.010..0.040 rows=1 loops={loops})\nExecution Time: 100.000 ms"
            )
        };
        assert_eq!(told(&judge_plan(&RULE, &plan(2_000))), ["medium, medium: queryid 7: SubPlan 1 runs 2,000 times"]);
        assert_eq!(told(&judge_plan(&RULE, &plan(900))), ["passed: 1 plan with measurements"]);
    }

    #[test]
    fn says_that_it_cannot_know() {
        let estimated = "Seq Scan on t  (cost=0.00..1.00 rows=1 width=4)";
        assert_eq!(
            told(&judge_plan(&RULE, estimated)),
            ["skipped: no plan has measurements: run EXPLAIN (ANALYZE, BUFFERS)"]
        );
    }
}
