//! A sequential scan that a nested loop runs for each row.

use crate::advisor::plans::{Explained, check_each, share};
use crate::advisor::{Check, Context, Docs, Need, Rule, Threshold};
use crate::finding::{Effort, Finding, Severity};
use crate::text::Text;
use crate::unit::Unit;

/// The rule.
pub const RULE: Rule = Rule {
    id: "plan-nestloop-rescan",
    title: "Table read again and again",
    needs: &[Need::Plans],
    wants: &[],
    thresholds: &[
        Threshold {
            name: "min_loops",
            default: 100.0,
            unit: Unit::Count,
            about: "Fewer passes over a table are cheap.",
        },
        Threshold { name: "min_share", default: 0.3, unit: Unit::Share, about: "A third of the execution." },
        Threshold {
            name: "min_pages",
            default: 10.0,
            unit: Unit::Blocks,
            about: "A table of a few pages is as cheap to read as an index.",
        },
    ],
    docs: Docs {
        looks_at: "The inner side of nested loops.",
        why: "The whole table is read once for each row of the outer side.",
        decides: "Executions of a sequential scan on the inner side, its share of the execution, and the blocks of one pass. A Materialize or Memoize in between reads the table once.",
        what_to_do: "An index on the column that is compared; where the outer side has more rows than estimated, mend the estimate first.",
        ignore_when: "The inner table fits into a few pages.",
        references: "PostgreSQL manual, \"Using EXPLAIN\".",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    check_each(ctx, worst)
}

fn worst<'a>(ctx: &Context<'a>, of: &Explained<'a>) -> Option<Finding> {
    let (at, part) = of.largest(|at, n| {
        if n.kind != "Seq Scan" || n.loops() < ctx.threshold("min_loops") {
            return None;
        }
        // What stands directly on the inner side; a store in between is read again instead of the table.
        let above = n.parent.filter(|p| of.node(*p).is_some_and(|above| above.kind == "Nested Loop"))?;
        let pages = (n.buffers.shared_hit + n.buffers.shared_read) as f64 / n.loops();
        let is_small = !n.buffers.is_empty() && pages < ctx.threshold("min_pages");
        let is_inner = of.plan.inputs(above).nth(1) == Some(at);
        of.wall_share(at).filter(|share| is_inner && !is_small && *share >= ctx.threshold("min_share"))
    })?;
    let node = of.node(at)?;
    let title =
        of.at(at).t(" runs ").opt(crate::advisor::whole(node.loops(), Unit::Count)).t(" times in a nested loop");
    let condition = node
        .parent
        .and_then(|p| of.node(p))
        .and_then(|n| n.condition("Join Filter"))
        .or_else(|| node.condition("Filter"));
    let mut why = Text::new().t("It takes ").opt(share(Some(part))).t(" of the execution");
    if let Some(condition) = condition {
        why = why.t("; compared is ").code(format!("WHERE {condition}"));
    }
    Some(
        ctx.plan_finding(of, Severity::High, title)
            .why(why.t("."))
            .measure(ctx.plan_measure(
                of,
                "Passes over the table",
                crate::advisor::whole(node.loops(), Unit::Count),
                "loops of the scan",
            ))
            .measure(ctx.share_of_execution(of, part))
            .fixes(ctx.look_at_indexes(node))
            .effort(Effort::S)
            .share(Some(part)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{assert_needs_measurements, judge_plan, told};

    #[test]
    fn finds_passes_and_leaves_stores_and_small_tables() {
        let plan = |inner: &str| {
            format!(
                "Nested Loop  (cost=0.00..1.00 rows=1 width=4) (actual time=1.000..99.000 rows=1 loops=1)\n  Join Filter: (c.city = i.sku)\n  ->  Seq Scan on c  (cost=0.00..1.00 rows=400 width=4) (actual time=0.010..1.000 rows=400 loops=1)\n{inner}\nExecution Time: 100.000 ms"
            )
        };
        let scan = "  ->  Seq Scan on i  (cost=0.00..1.00 rows=1 width=4) (actual time=0.010..0.200 rows=1 loops=400)\n        Buffers: shared hit=";
        assert_eq!(
            told(&judge_plan(&RULE, &plan(&format!("{scan}40000")))),
            ["high, medium: queryid 7: Seq Scan on i runs 400 times in a nested loop"]
        );
        assert_eq!(told(&judge_plan(&RULE, &plan(&format!("{scan}800")))), ["passed: 1 plan with measurements"]);
        let stored = "  ->  Materialize  (cost=0.00..1.00 rows=1 width=4) (actual time=0.010..0.200 rows=1 loops=400)\n        ->  Seq Scan on i  (cost=0.00..1.00 rows=1 width=4) (actual time=0.010..0.200 rows=1 loops=1)";
        assert_eq!(told(&judge_plan(&RULE, &plan(stored))), ["passed: 1 plan with measurements"]);
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_needs_measurements(&RULE);
    }
}
