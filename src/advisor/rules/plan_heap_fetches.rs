//! An index-only scan that visits the table.

use crate::advisor::plans::{Explained, check_each, rows};
use crate::advisor::{Check, Context, Docs, Need, Rule, Threshold};
use crate::finding::{Effort, Finding, Fix, Risk, Severity, Verb};
use crate::text::Text;
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "plan-heap-fetches",
    title: "Index-only scan visits the table",
    needs: &[Need::Plans],
    wants: &[],
    thresholds: &[
        Threshold {
            name: "min_share",
            default: 0.2,
            unit: Unit::Share,
            about: "A fifth of what it found in the index.",
        },
        Threshold {
            name: "min_fetches",
            default: 10_000.0,
            unit: Unit::Count,
            about: "Fewer visits are done in some milliseconds.",
        },
    ],
    docs: Docs {
        looks_at: "Heap fetches of index-only scans, over all executions.",
        why: "An index does not know which rows are visible: on pages that vacuum has not marked as visible to all, the scan looks each \
              row up in the table, as an ordinary index scan does.",
        decides: "Visits of a fifth of the rows that were found, ten thousand at least.",
        what_to_do: "VACUUM the table, more often where it is written all the time. Where vacuum runs and it stays, something holds the \
                     horizon back.",
        ignore_when: "The table was written just before.",
        references: "PostgreSQL manual, \"Index-Only Scans and Covering Indexes\".",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    check_each(ctx, worst)
}

fn worst<'a>(ctx: &Context<'a>, of: &Explained<'a>) -> Option<Finding> {
    let found = |at: usize| {
        let node = of.node(at)?;
        Some(of.measured.get(at)?.rows? + node.removed_by_filter * node.loops())
    };
    let (at, fetches) = of.largest(|at, n| {
        let fetches = n.heap_fetches.filter(|_| n.kind == "Index Only Scan")?;
        let many = fetches >= ctx.threshold("min_fetches") && fetches >= ctx.threshold("min_share") * found(at)?;
        many.then_some(fetches)
    })?;
    let node = of.node(at)?;
    let part = found(at).and_then(|found| Quantity::float((fetches / found.max(1.0)).min(1.0), Unit::Share));
    let vacuum = ctx.table_of(node).map(|table| {
        Fix::new(Verb::Maintain, Risk::R1, table.display(), format!("VACUUM {};", table.sql()))
            .lock("SHARE UPDATE EXCLUSIVE; reads and writes go on")
            .when_not("It is vacuumed all the time: then look for what holds the horizon back.")
    });
    Some(
        ctx.plan_finding(of, Severity::Low, of.at(at).t(" looks up ").opt(rows(fetches)).t(" rows in the table"))
            .why(
                Text::new()
                    .t("That is ")
                    .opt(part)
                    .t(" of what it found in the index: the pages are not marked as visible to all."),
            )
            .measure(ctx.plan_measure(of, "Heap fetches", rows(fetches), "heap fetches of the scan"))
            .measure(ctx.plan_measure(of, "Share of the rows found", part, "heap fetches ÷ rows found in the index"))
            .fixes(vacuum)
            .effort(Effort::S)
            .share(of.own_share(at)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{assert_needs_measurements, judge_plan, told};

    fn with(rows: u32, fetches: u32) -> Vec<String> {
        told(&judge_plan(
            &RULE,
            &format!(
                "Index Only Scan using i on t  (cost=0.00..1.00 rows=1 width=4) (actual time=0.010..9.000 rows={rows} loops=10)\n  Heap Fetches: {fetches}\nExecution Time: 100.000 ms"
            ),
        ))
    }

    #[test]
    fn finds_visits_of_the_table() {
        assert_eq!(
            with(5_000, 10_000),
            ["low, medium: queryid 7: Index Only Scan using i on t looks up 10,000 rows in the table"]
        );
    }

    #[test]
    fn stays_quiet_below_each_floor() {
        assert_eq!(with(1_000, 9_999), ["passed: 1 plan with measurements"]);
        assert_eq!(with(5_100, 10_000), ["passed: 1 plan with measurements"]);
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_needs_measurements(&RULE);
    }
}
