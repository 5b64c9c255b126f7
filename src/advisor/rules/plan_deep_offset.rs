//! Pages that are reached by reading all pages before them.

use crate::advisor::plans::{Explained, check_each, rows};
use crate::advisor::{Check, Context, Docs, Need, Rule, Threshold, show};
use crate::finding::{Effort, Finding, Severity};
use crate::text::Text;
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "plan-deep-offset",
    title: "Deep OFFSET",
    needs: &[Need::Plans],
    wants: &[],
    thresholds: &[
        Threshold {
            name: "min_ratio",
            default: 100.0,
            unit: Unit::Times,
            about: "A hundred rows read for each that is returned: the hundredth page.",
        },
        Threshold { name: "min_rows", default: 1_000.0, unit: Unit::Rows, about: "Fewer rows are skipped at once." },
    ],
    docs: Docs {
        looks_at: "Limit nodes that get many more rows than they give: without OFFSET a Limit stops at the last row that it gives.",
        why: "OFFSET computes all rows before the page and throws them away: the deeper the page, the slower.",
        decides: "A hundred times the rows, a thousand at least. Below a Gather it is not judged: each process stops by itself.",
        what_to_do: "Page by key: WHERE (sorted columns) > (last row of the page before) ORDER BY … LIMIT, with an index in that order.",
        ignore_when: "Nobody turns to such pages in earnest.",
        references: "PostgreSQL manual, \"LIMIT and OFFSET\"; M. Winand, \"SQL Performance Explained\" (Paging Through Results).",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    check_each(ctx, worst)
}

fn worst<'a>(ctx: &Context<'a>, of: &Explained<'a>) -> Option<Finding> {
    let came = |at: usize| of.measured.get(at).filter(|m| !m.in_parallel)?.rows;
    let (at, read) = of.largest(|at, n| {
        let given = came(at).filter(|_| n.kind == "Limit")?;
        let read = of.plan.inputs(at).next().and_then(came)?;
        (read >= ctx.threshold("min_rows") && read >= given.max(1.0) * ctx.threshold("min_ratio")).then_some(read)
    })?;
    let given = came(at)?;
    Some(
        ctx.plan_finding(
            of,
            Severity::Low,
            Text::new().t("OFFSET reads ").opt(rows(read)).t(" rows to return ").opt(rows(given)),
        )
        .why("All rows before the page are computed and thrown away, each time.")
        .measure(ctx.plan_measure(of, "Rows before the limit", rows(read), "rows of the node below Limit"))
        .measure(ctx.plan_measure(of, "Rows returned", rows(given), "rows of Limit"))
        .measure(ctx.plan_measure(
            of,
            "For each row returned",
            Quantity::float(read / given.max(1.0), Unit::Times),
            format!("{} ÷ {}", show(read, Unit::Rows), show(given.max(1.0), Unit::Rows)),
        ))
        .effort(Effort::M)
        .share(of.wall_share(at)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{assert_needs_measurements, judge_plan, told};

    fn with(read: u32, given: u32) -> Vec<String> {
        told(&judge_plan(
            &RULE,
            &format!(
                "Limit  (cost=0.00..1.00 rows=20 width=4) (actual time=0.010..9.000 rows={given} loops=1)\n  ->  Index Scan using i on t  (cost=0.00..1.00 rows=1 width=4) (actual time=0.010..8.000 rows={read} loops=1)\nExecution Time: 10.000 ms"
            ),
        ))
    }

    #[test]
    fn finds_deep_pages() {
        assert_eq!(with(2_020, 20), ["low, medium: queryid 7: OFFSET reads 2,020 rows to return 20"]);
        assert_eq!(with(5_000, 0), ["low, medium: queryid 7: OFFSET reads 5,000 rows to return 0"]);
    }

    #[test]
    fn stays_quiet_below_each_floor() {
        for (read, given) in [(1_999, 20), (900, 1), (20, 20)] {
            assert_eq!(with(read, given), ["passed: 1 plan with measurements"], "{read} {given}");
        }
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_needs_measurements(&RULE);
    }
}
