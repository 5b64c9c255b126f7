//! An index scan whose filter throws most rows away.

use crate::advisor::plans::{Explained, check_each, rows, seen_and_kept};
use crate::advisor::{Check, Context, Docs, Need, Rule, Threshold, show};
use crate::explain::Node;
use crate::finding::{Effort, Finding, Severity};
use crate::text::Text;
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "plan-index-filter",
    title: "Index finds far more than is wanted",
    needs: &[Need::Plans],
    wants: &[],
    thresholds: &[
        Threshold {
            name: "min_removed",
            default: 10_000.0,
            unit: Unit::Rows,
            about: "Fewer rows are looked up in a few milliseconds.",
        },
        Threshold {
            name: "min_share",
            default: 0.9,
            unit: Unit::Share,
            about: "Nine of ten rows that the index found were looked up for nothing.",
        },
    ],
    docs: Docs {
        looks_at: "Index scans with a filter behind the index condition.",
        why: "Every row that the index finds is read from the table before the filter can throw it away.",
        decides: "Rows removed by the filter over all executions, and their share of the rows found. Index-only scans are left alone: \
                  what they filter by is in the index already.",
        what_to_do: "Extend the index by the column of the filter, behind the columns that are compared for equality; the old one may then go.",
        ignore_when: "The filter's column changes with every update: an index on it costs updates that are heap-only.",
        references: "PostgreSQL manual, \"Multicolumn Indexes\".",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    check_each(ctx, worst)
}

fn worst<'a>(ctx: &Context<'a>, of: &Explained<'a>) -> Option<Finding> {
    let kept_by = |n: &Node| n.actual.map_or(0.0, |a| a.rows) * n.loops();
    let (at, removed) = of.largest(|_, n| {
        let removed = n.removed_by_filter * n.loops();
        let much =
            removed >= ctx.threshold("min_removed") && removed >= ctx.threshold("min_share") * (removed + kept_by(n));
        (n.kind == "Index Scan" && much).then_some(removed)
    })?;
    let node = of.node(at)?;
    let kept = kept_by(node);
    let filter = node.condition("Filter").unwrap_or_default();
    let title = of.at(at).t(" finds ").opt(rows(removed + kept)).t(" rows to keep ").opt(rows(kept));
    Some(
        ctx.plan_finding(of, Severity::Medium, title)
            .why(
                Text::new()
                    .t("The filter ")
                    .code(format!("WHERE {filter}"))
                    .t(" is tested on rows of the table, not in the index."),
            )
            .measure(ctx.plan_measure(
                of,
                "Rows removed behind the index",
                rows(removed),
                seen_and_kept(removed, kept, node.loops()),
            ))
            .measure(ctx.plan_measure(
                of,
                "Share of the rows found",
                Quantity::share(removed, removed + kept),
                format!("{} ÷ {}", show(removed, Unit::Rows), show(removed + kept, Unit::Rows)),
            ))
            .fixes(ctx.look_at_indexes(node))
            .effort(Effort::S)
            .share(of.own_share(at)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{assert_needs_measurements, judge_plan, told};

    #[test]
    fn finds_filters_behind_an_index_and_leaves_good_ones() {
        let plan = |kept: u32| {
            format!(
                "Index Scan using i on t  (cost=0.00..1.00 rows=1 width=4) (actual time=0.010..9.000 rows={kept} loops=1)\n  Index Cond: (a = 1)\n  Filter: (b = 2)\n  Rows Removed by Filter: 20000"
            )
        };
        assert_eq!(
            told(&judge_plan(&RULE, &plan(5))),
            ["medium, medium: queryid 7: Index Scan using i on t finds 20,005 rows to keep 5"]
        );
        assert_eq!(told(&judge_plan(&RULE, &plan(9_000))), ["passed: 1 plan with measurements"]);
    }

    #[test]
    fn what_is_in_the_index_already_is_not_to_be_added() {
        let plan = |kind: &str| {
            format!(
                "{kind} using t_pkey on t  (cost=0.00..1.00 rows=10 width=4) (actual time=0.010..9.000 rows=1 loops=1)\n  Filter: ((id)::numeric = 17.0)\n  Rows Removed by Filter: 39999"
            )
        };
        assert!(told(&judge_plan(&RULE, &plan("Index Scan")))[0].starts_with("medium"));
        assert_eq!(told(&judge_plan(&RULE, &plan("Index Only Scan"))), ["passed: 1 plan with measurements"]);
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_needs_measurements(&RULE);
    }
}
