//! A sequential scan that reads much and keeps little.

use crate::advisor::plans::{Explained, check_each, rows, seen_and_kept, share};
use crate::advisor::{Check, Context, Docs, Need, Rule, Threshold};
use crate::finding::{Effort, Finding, Severity};
use crate::text::Text;
use crate::unit::Unit;

/// The rule.
pub const RULE: Rule = Rule {
    id: "plan-seq-filter",
    title: "Sequential scan that throws nearly everything away",
    needs: &[Need::Plans],
    wants: &[],
    thresholds: &[
        Threshold {
            name: "min_bytes",
            default: 10.0 * 1_048_576.0,
            unit: Unit::Bytes,
            about: "A scan that reads less in all its executions is only noted; where blocks were not asked for it is not known.",
        },
        Threshold {
            name: "min_removed",
            default: 10_000.0,
            unit: Unit::Rows,
            about: "Fewer rows are read in a few milliseconds.",
        },
        Threshold {
            name: "max_kept",
            default: 0.05,
            unit: Unit::Share,
            about: "Where more is kept, reading the whole table is often the better plan.",
        },
        Threshold {
            name: "min_share",
            default: 0.1,
            unit: Unit::Share,
            about: "A tenth of the execution: less is not worth an index.",
        },
        Threshold { name: "high_share", default: 0.5, unit: Unit::Share, about: "Half of the execution waits for it." },
        Threshold {
            name: "high_ms",
            default: 1000.0,
            unit: Unit::Ms,
            about: "An execution of a second: somebody waits for it. How often it runs, a plan does not tell.",
        },
    ],
    docs: Docs {
        looks_at: "Sequential scans with a filter in plans that were executed.",
        why: "Every row of the table is read and tested; an index would find the few that are wanted.",
        decides: "Rows removed over all executions, the share of rows kept, and the scan's own time against that of the execution. \
                  High only where an execution takes `high_ms` and the scan is `high_share` of it.",
        what_to_do: "An index on the columns of the filter, equalities first; where the table is in the dump it is proposed. Try it with EXPLAIN before it is kept.",
        ignore_when: "Statements that run once a day, and tables that are written far more often than read like this.",
        references: "PostgreSQL manual, \"Using EXPLAIN\".",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    check_each(ctx, worst)
}

fn worst<'a>(ctx: &Context<'a>, of: &Explained<'a>) -> Option<Finding> {
    let mut found: Vec<(usize, f64)> = of
        .ran()
        .filter(|(_, n)| n.kind == "Seq Scan" && n.condition("Filter").is_some())
        .filter(|(_, n)| {
            let (removed, kept) = (n.removed_by_filter, n.actual.map_or(0.0, |a| a.rows));
            removed * n.loops() >= ctx.threshold("min_removed") && kept <= ctx.threshold("max_kept") * (kept + removed)
        })
        .filter_map(|(at, _)| Some((at, of.own_share(at)?)))
        .filter(|(_, share)| *share >= ctx.threshold("min_share"))
        .collect();
    found.sort_by(|a, b| b.1.total_cmp(&a.1));
    let &(at, part) = found.first()?;
    let node = of.node(at)?;
    let (removed, kept) = (node.removed_by_filter * node.loops(), node.actual?.rows * node.loops());
    let blocks = (node.buffers.shared_hit + node.buffers.shared_read) as f64;
    let is_small =
        !node.buffers.is_empty() && blocks * ctx.chain.last().meta.block_bytes() as f64 <= ctx.threshold("min_bytes");
    let severity = match part {
        _ if is_small => Severity::Info,
        part if part >= ctx.threshold("high_share")
            && of.plan.total_ms().is_some_and(|ms| ms >= ctx.threshold("high_ms")) =>
        {
            Severity::High
        }
        _ => Severity::Medium,
    };
    let title = of.at(at).t(" reads ").opt(rows(removed + kept)).t(" rows to keep ").opt(rows(kept));
    let columns = ctx.columns_of(node, node.condition("Filter")?);
    let when_not: Text =
        "The statement is rare, or the table is written far more often than read like this: every write pays for an index.".into();
    let create = ctx.index_on(node, &columns, when_not);
    Some(
        ctx.plan_finding(of, severity, title)
            .why(
                Text::new()
                    .t("It takes ")
                    .opt(share(Some(part)))
                    .t(" of the execution; the filter is ")
                    .code(format!("WHERE {}", node.condition("Filter")?))
                    .t("."),
            )
            .measure(ctx.plan_measure(
                of,
                "Rows removed by the filter",
                rows(removed),
                seen_and_kept(removed, kept, node.loops()),
            ))
            .measure(ctx.share_of_execution(of, part))
            .fixes(create.or_else(|| ctx.look_at_indexes(node)))
            .effort(Effort::S)
            .share(Some(part)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{assert_needs_measurements, judge_plan, told};

    #[test]
    fn finds_scans_that_keep_little_and_leaves_others() {
        let plan = |kept: u32, removed: u32| {
            format!(
                "Seq Scan on t  (cost=0.00..1.00 rows=1 width=4) (actual time=0.010..9.000 rows={kept} loops=1)\n  Filter: (a = 1)\n  Rows Removed by Filter: {removed}\nExecution Time: 10.000 ms"
            )
        };
        assert_eq!(
            told(&judge_plan(&RULE, &plan(6, 29_994))),
            ["medium, medium: queryid 7: Seq Scan on t reads 30,000 rows to keep 6"],
            "ten milliseconds"
        );
        let crate::finding::Outcome::Found { findings, .. } = judge_plan(&RULE, &plan(6, 29_994)) else { panic!() };
        assert_eq!(findings[0].share_of_resource(), None, "a part of one execution is no part of the server's time");
        let slow = plan(6, 29_994).replace("9.000", "1900.000").replace("10.000 ms", "2000.000 ms");
        assert!(told(&judge_plan(&RULE, &slow))[0].starts_with("high, medium:"));
        let small = plan(6, 29_994).replace("Execution", "  Buffers: shared hit=221\nExecution");
        assert_eq!(
            told(&judge_plan(&RULE, &small)),
            ["info, medium: queryid 7: Seq Scan on t reads 30,000 rows to keep 6"]
        );
        for (kept, removed) in [(6, 9_000), (20_000, 30_000)] {
            assert_eq!(told(&judge_plan(&RULE, &plan(kept, removed))), ["passed: 1 plan with measurements"]);
        }
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_needs_measurements(&RULE);
    }
}
