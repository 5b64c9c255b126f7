//! Column statistics that end before the frequent values do.

use super::schema_no_pk::rows_from;
use crate::advisor::index_cure::with_timeout;
use crate::advisor::plans::{Explained, check_each, rows};
use crate::advisor::sql::{Operand, Test};
use crate::advisor::{Check, Context, Docs, Need, Rule, Threshold, show};
use crate::finding::{Effort, Finding, Fix, Risk, Severity, Verb};
use crate::ident::quote_ident;
use crate::snapshot::Row;
use crate::text::Text;
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "schema-stats-target",
    title: "Statistics too coarse for a skewed column",
    needs: &[Need::Plans, Need::View("pg_stats", &["most_common_freqs", "n_distinct"])],
    wants: &[Need::View("table_sizes", &["reltuples"])],
    thresholds: &[
        Threshold {
            name: "min_values",
            default: 100.0,
            unit: Unit::Count,
            about: "The list is as long as the default target allows: it was cut.",
        },
        Threshold { name: "min_ratio", default: 10.0, unit: Unit::Times, about: "Off by ten changes plans." },
        Threshold {
            name: "min_rows",
            default: 1_000.0,
            unit: Unit::Rows,
            about: "Below a thousand rows any plan is fast.",
        },
    ],
    docs: Docs {
        looks_at: "Scans in executed plans whose only condition is an equality on one column, and that column's list of most common values.",
        why: "Values that are frequent, but not frequent enough for the list, are all taken for the average of the rest: many too few rows \
              are expected, and the plan above is made for those.",
        decides: "Ten times more rows than estimated, a thousand at least, no more than the rarest value of the list would give, and a list \
                  that is full (100 values at the default target). Low: ANALYZE alone may be enough, and comes first.",
        what_to_do: "ANALYZE the table; where the estimate stays, a longer list for that column.",
        ignore_when: "The statement is rare.",
        references: "PostgreSQL manual, \"Statistics Used by the Planner\"; \"ALTER TABLE\" (SET STATISTICS).",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    check_each(ctx, worst)
}

/// A scan that one equality decides: the column.
fn column_of(ctx: &Context<'_>, node: &crate::explain::Node) -> Option<String> {
    const CONDITIONS: [&str; 3] = ["Filter", "Index Cond", "Recheck Cond"];
    let said: Vec<&str> = CONDITIONS.iter().filter_map(|c| node.condition(c)).collect();
    let [only] = said.as_slice() else { return None };
    let block = ctx.block_of(node, only)?;
    match block.terms.as_slice() {
        [term] if block.wrapped.is_empty() && block.relations.iter().all(|r| r.residual == 0) => {
            match (&term.operand, &term.test) {
                (Operand::Column(column), Test::Equal(_)) => Some(column.clone()),
                _ => None,
            }
        }
        _ => None,
    }
}

fn worst<'a>(ctx: &Context<'a>, of: &Explained<'a>) -> Option<Finding> {
    let mut found: Option<(usize, f64)> = None;
    for (at, node) in of.ran().filter(|(_, n)| n.kind.ends_with("Scan") && !n.parallel_aware && n.loops() <= 1.0) {
        let (Some(actual), Some(plan)) = (node.actual, node.plan_rows) else { continue };
        let ratio = actual.rows / plan.max(1.0);
        if actual.rows >= ctx.threshold("min_rows")
            && ratio >= ctx.threshold("min_ratio")
            && found.is_none_or(|(_, r)| ratio > r)
        {
            found = Some((at, ratio));
        }
    }
    let (at, ratio) = found?;
    let node = of.node(at)?;
    let table = ctx.table_of(node)?;
    let column = column_of(ctx, node)?;
    let row = ctx.facts.column(table.schema(), table.name(), &column)?;
    let listed: Vec<f64> = row.array("most_common_freqs").iter().filter_map(|f| f.parse().ok()).collect();
    let rarest = listed.iter().copied().reduce(f64::min)?;
    let total = table.rows().0?;
    let actual = node.actual?.rows;
    // More rows than the rarest listed value has: it would be in the list, had the table been analyzed.
    if (listed.len() as f64) < ctx.threshold("min_values") || actual > 1.5 * rarest * total {
        return None;
    }
    let formula = format!("{} ÷ {}", show(actual, Unit::Rows), show(node.plan_rows?.max(1.0), Unit::Rows));
    let cited: Vec<(Row<'a>, &[&str])> =
        std::iter::once((row, ["most_common_freqs"].as_slice())).chain(rows_from(table)).collect();
    let target = (listed.len() * 5).min(10_000);
    let sql = |n: String| {
        with_timeout(&format!("ALTER TABLE {} ALTER COLUMN {} SET STATISTICS {n};", table.sql(), quote_ident(&column)))
    };
    Some(
        ctx.plan_finding(
            of,
            Severity::Low,
            of.at(at).t(" gives ").opt(Quantity::float(ratio, Unit::Times)).t(" the rows estimated for a value of ").code(&column),
        )
        .why(
            Text::new()
                .t("The list of its most common values is full, and a value behind its end is taken for the average of the rest. ")
                .t("The rarest value listed stands for ")
                .opt(rows(rarest * total))
                .t("."),
        )
        .measure(ctx.plan_measure(
            of,
            "Rows",
            rows(actual),
            format!("{} estimated", show(node.plan_rows.unwrap_or(0.0), Unit::Rows)),
        ))
        .measure(ctx.plan_measure(of, "Rows for each one estimated", Quantity::float(ratio, Unit::Times), formula))
        .measure(ctx.computed(
            "Rows of the rarest value listed",
            rows(rarest * total),
            format!("{} × {} rows", show(rarest, Unit::Plain), show(total, Unit::Rows)),
            &cited,
        ))
        .measure(ctx.computed(
            "Values in the list",
            Quantity::float(listed.len() as f64, Unit::Count),
            "number of most_common_freqs".to_owned(),
            &[(row, &["most_common_freqs"])],
        ))
        .fix(
            Fix::new(Verb::Maintain, Risk::R1, table.display(), format!("ANALYZE {};", table.sql()))
                .lock("SHARE UPDATE EXCLUSIVE: reads and writes go on")
                .when_not("While a bulk load is still running: the numbers are old again at once."),
        )
        .fix(
            Fix::new(
                Verb::Alter,
                Risk::R1,
                format!("{} {column}", table.display()),
                format!("{}\nANALYZE {} ({});", sql(target.to_string()), table.sql(), quote_ident(&column)),
            )
            .lock("SHARE UPDATE EXCLUSIVE")
            .when_not("Before ANALYZE alone was tried: a longer list makes planning of every statement on the column slower.")
            .undo(sql("-1".to_owned())),
        )
        .effort(Effort::S),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge_plan_beside, told, told_of_nothing};

    fn with(condition: &str, estimated: u32, actual: u32, values: usize) -> Vec<String> {
        let plan = format!(
            "Index Scan using i on public.t  (cost=0.00..1.00 rows={estimated} width=4) (actual time=0.010..9.000 rows={actual} loops=1)\n  Index Cond: {condition}\nExecution Time: 10.000 ms"
        );
        let list = vec!["0.005"; values].join(",");
        let stats = format!("public | t | a | 5000 | {{{list}}}");
        let views: &[(&'static str, &str, &[&str])] = &[
            (
                "table_sizes",
                "relid | schemaname | relname | relkind | reltuples | relpages",
                &["7 | public | t | r | 1000000 | 10"],
            ),
            ("pg_stats", "schemaname | tablename | attname | n_distinct | most_common_freqs", &[&stats]),
        ];
        told(&judge_plan_beside(&RULE, &plan, views))
    }

    #[test]
    fn finds_a_value_behind_the_end_of_the_list() {
        assert_eq!(
            with("(a = 5)", 100, 4_000, 100),
            ["low, medium: queryid 7: Index Scan using i on public.t gives 40.0× the rows estimated for a value of a"]
        );
    }

    #[test]
    fn stays_quiet_where_something_else_is_wrong() {
        for (condition, estimated, actual, values, why) in [
            ("(a = 5)", 1_000, 4_000, 100, "near enough"),
            ("(a = 5)", 10, 900, 100, "few rows"),
            ("(a = 5)", 100, 4_000, 40, "the list is not full"),
            ("(a = 5)", 100, 40_000, 100, "it would be in the list: old statistics"),
            ("(a > 5)", 100, 4_000, 100, "a range"),
            ("((a = 5) AND (b = 6))", 100, 4_000, 100, "two columns"),
        ] {
            assert_eq!(with(condition, estimated, actual, values), ["passed: 1 plan with measurements"], "{why}");
        }
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert!(told_of_nothing(&RULE).starts_with("skipped"), "{}", told_of_nothing(&RULE));
    }
}
