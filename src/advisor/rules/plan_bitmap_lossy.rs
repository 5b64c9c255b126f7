//! A bitmap that was too large for its memory.

use crate::advisor::plans::{Explained, check_each, rows, times};
use crate::advisor::{Check, Context, Docs, Need, Rule, Threshold, show, whole};
use crate::finding::{Effort, Finding, Fix, Severity};
use crate::text::Text;
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "plan-bitmap-lossy",
    title: "Bitmap keeps whole blocks",
    needs: &[Need::Plans],
    wants: &[],
    thresholds: &[
        Threshold { name: "min_share", default: 0.1, unit: Unit::Share, about: "A tenth of the blocks." },
        Threshold { name: "min_blocks", default: 100.0, unit: Unit::Blocks, about: "A smaller table is read at once." },
    ],
    docs: Docs {
        looks_at: "Lossy heap blocks of bitmap scans.",
        why: "A bitmap that outgrows work_mem keeps only which blocks to read, not which rows: all rows of these blocks are tested again.",
        decides: "A tenth of the blocks lossy, a hundred blocks in all.",
        what_to_do: "More work_mem for the role or transaction that runs this statement, or an index that finds fewer rows.",
        ignore_when: "The test of a row is cheap and the blocks are read anyway.",
        references: "PostgreSQL manual, \"Combining Multiple Indexes\"; \"Using EXPLAIN\".",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    check_each(ctx, worst)
}

fn worst<'a>(ctx: &Context<'a>, of: &Explained<'a>) -> Option<Finding> {
    let (at, lossy) = of.largest(|_, n| {
        let all = n.exact_blocks + n.lossy_blocks;
        let much = all >= ctx.threshold("min_blocks") && n.lossy_blocks >= ctx.threshold("min_share") * all;
        (n.kind == "Bitmap Heap Scan" && much).then_some(n.lossy_blocks)
    })?;
    let node = of.node(at)?;
    let part = Quantity::share(lossy, lossy + node.exact_blocks);
    let of_both = format!("{} ÷ {}", show(lossy, Unit::Blocks), show(lossy + node.exact_blocks, Unit::Blocks));
    let again = node.removed_by_recheck * node.loops();
    Some(
        ctx.plan_finding(of, Severity::Low, of.at(at).t(" keeps ").opt(part).t(" of its blocks without their rows"))
            .why(
                Text::new()
                    .t("Its bitmap did not fit into work_mem. ")
                    .opt(rows(again))
                    .t(" rows of these blocks were read and thrown away."),
            )
            .measure(ctx.plan_measure(of, "Lossy blocks", whole(lossy, Unit::Blocks), "lossy heap blocks"))
            .measure(ctx.plan_measure(of, "Share of its blocks", part, of_both))
            .measure(ctx.plan_measure(
                of,
                "Rows removed by the recheck",
                rows(again),
                format!("{} × {}", show(node.removed_by_recheck, Unit::Rows), times(node.loops())),
            ))
            .fix(Fix::diagnose("work_mem", "SELECT name, setting, unit FROM pg_settings WHERE name = 'work_mem';"))
            .effort(Effort::S)
            .share(of.own_share(at)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{assert_needs_measurements, judge_plan, told};

    fn with(blocks: &str) -> Vec<String> {
        told(&judge_plan(
            &RULE,
            &format!(
                "Bitmap Heap Scan on t  (cost=0.00..1.00 rows=1 width=4) (actual time=0.010..9.000 rows=5 loops=1)\n  Recheck Cond: (a = 1)\n  Rows Removed by Index Recheck: 700\n  Heap Blocks: {blocks}\nExecution Time: 100.000 ms"
            ),
        ))
    }

    #[test]
    fn finds_bitmaps_without_rows() {
        assert_eq!(
            with("exact=300 lossy=100"),
            ["low, medium: queryid 7: Bitmap Heap Scan on t keeps 25% of its blocks without their rows"]
        );
    }

    #[test]
    fn stays_quiet_below_each_floor() {
        for blocks in ["exact=1000 lossy=100", "exact=40 lossy=50", "exact=500"] {
            assert_eq!(with(blocks), ["passed: 1 plan with measurements"], "{blocks}");
        }
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_needs_measurements(&RULE);
    }
}
