//! A correlated subquery that takes the time.

use crate::advisor::plans::{Explained, check_each, share};
use crate::advisor::{Check, Context, Docs, Need, Rule, Threshold};
use crate::explain::Link;
use crate::finding::{Effort, Finding, Severity};
use crate::text::Text;
use crate::unit::Unit;

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
    check_each(ctx, worst)
}

fn worst<'a>(ctx: &Context<'a>, of: &Explained<'a>) -> Option<Finding> {
    let (at, part) = of.largest(|at, n| {
        let often = matches!(n.link, Link::SubPlan(_)) && n.loops() >= ctx.threshold("min_loops");
        of.wall_share(at).filter(|share| often && *share >= ctx.threshold("min_share"))
    })?;
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
                "loops of the subplan",
            ))
            .measure(ctx.share_of_execution(of, part))
            .fixes(scan.and_then(|n| ctx.look_at_indexes(n)))
            .effort(Effort::M)
            .share(Some(part)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{assert_needs_measurements, judge_plan, told};

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
        assert_needs_measurements(&RULE);
    }
}
