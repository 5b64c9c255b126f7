//! A comparison that casts the column instead of the value.

use crate::advisor::plans::{Explained, check_each, rows, share};
use crate::advisor::sql::Wrapper;
use crate::advisor::{Check, Context, Docs, IndexFact, Need, Rule, Threshold};
use crate::finding::{Effort, Finding, Severity};
use crate::text::Text;
use crate::unit::Unit;

/// Types that PostgreSQL casts an integer column to when it is compared with a value of them.
const WIDER: [&str; 4] = ["numeric", "double precision", "real", "money"];

/// The rule.
pub const RULE: Rule = Rule {
    id: "sql-implicit-cast",
    title: "Comparison casts an indexed column",
    needs: &[Need::Plans, Need::View("index_definitions", &["indexdef"])],
    wants: &[],
    thresholds: &[
        Threshold {
            name: "min_removed",
            default: 10_000.0,
            unit: Unit::Rows,
            about: "Fewer rows thrown away cost next to nothing.",
        },
        Threshold { name: "min_share", default: 0.1, unit: Unit::Share, about: "A tenth of the execution." },
        Threshold {
            name: "medium_share",
            default: 0.5,
            unit: Unit::Share,
            about: "Half of the execution waits for it.",
        },
    ],
    docs: Docs {
        looks_at: "Filters of plans that were executed: a column cast to numeric, double precision or real, which an index begins with.",
        why: "A driver that sends a number as numeric makes PostgreSQL cast the integer column, row by row: the index on the column is of \
              the integer and cannot be used.",
        decides: "Ten thousand rows thrown away by such a filter, a tenth of the execution, and a valid B-tree that begins with the bare \
                  column. Medium where it is half of the execution, else low. Such a cast is only visible in plans.",
        what_to_do: "Send the value in the column's type: bind a long instead of a BigDecimal, or write $1::bigint.",
        ignore_when: "The column really is compared with fractions.",
        references: "PostgreSQL manual, \"Type Conversion\" (Operators).",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    check_each(ctx, worst)
}

fn worst<'a>(ctx: &Context<'a>, of: &Explained<'a>) -> Option<Finding> {
    let (at, part) = of.largest(|at, node| {
        let filtered = node.condition("Filter").is_some_and(|f| WIDER.iter().any(|w| f.contains(&format!("::{w}"))));
        let removed = node.removed_by_filter * node.loops();
        (filtered && removed >= ctx.threshold("min_removed")).then(|| of.own_share(at)).flatten()
    })?;
    if part < ctx.threshold("min_share") {
        return None;
    }
    let node = of.node(at)?;
    let table = ctx.table_of(node)?;
    let block = ctx.block_of(node, node.condition("Filter")?)?;
    let is_wider = |kind: &str| WIDER.iter().any(|w| kind.starts_with(w));
    let begins = |i: &IndexFact<'_>, column: &str| {
        i.is_valid() != Some(false)
            && i.def().is_some_and(|d| {
                d.method == "btree"
                    && d.keys.first().is_some_and(|k| !k.expression && k.text.trim_matches('"') == column)
            })
    };
    let relid = table.relid()?;
    let (index, column, kind) = block.wrapped.iter().find_map(|w| match &w.by {
        Wrapper::Cast(kind) if is_wider(kind) => {
            let index = ctx.facts.indexes_of(relid).find(|i| begins(i, &w.column))?;
            Some((index, w.column.clone(), kind.clone()))
        }
        _ => None,
    })?;
    let removed = node.removed_by_filter * node.loops();
    let severity = if part >= ctx.threshold("medium_share") { Severity::Medium } else { Severity::Low };
    Some(
        ctx.plan_finding(
            of,
            severity,
            of.at(at)
                .t(" compares ")
                .code(format!("{column}::{kind}"))
                .t(": ")
                .name(index.display())
                .t(" cannot be searched by it"),
        )
        .why(
            Text::new()
                .t("The value came as ")
                .code(kind)
                .t(", so the column is cast, row by row. It takes ")
                .opt(share(Some(part)))
                .t(" of the execution. Sent in the column's type, the index finds the rows."),
        )
        .measure(ctx.removed_by_filter(of, rows(removed)))
        .measure(ctx.share_of_execution(of, part))
        .fixes(ctx.look_at_indexes(node))
        .effort(Effort::S)
        .share(Some(part)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge_plan_beside, told, told_of_nothing};

    fn with(filter: &str, removed: u32, own: &str, index: &str) -> Vec<String> {
        let plan = format!(
            "Seq Scan on public.t  (cost=0.00..1.00 rows=1 width=4) (actual time=0.010..{own} rows=3 loops=1)\n  Filter: {filter}\n  Rows Removed by Filter: {removed}\nExecution Time: 10.000 ms"
        );
        let index = format!("8 | 7 | public | t | i | CREATE INDEX i ON public.t USING {index} | t | t");
        let views: &[(&'static str, &str, &[&str])] = &[
            ("table_sizes", "relid | schemaname | relname | relkind", &["7 | public | t | r"]),
            ("pg_stats", "schemaname | tablename | attname", &["public | t | id", "public | t | b"]),
            (
                "index_definitions",
                "indexrelid | relid | schemaname | relname | indexrelname | indexdef | indisvalid | indisready",
                &[&index],
            ),
        ];
        told(&judge_plan_beside(&RULE, &plan, views))
    }

    #[test]
    fn finds_a_column_that_is_cast() {
        let want = "queryid 7: Seq Scan on public.t compares id::numeric: public.i cannot be searched by it";
        assert_eq!(with("((id)::numeric = 5.0)", 90_000, "9.000", "btree (id)"), [format!("medium, medium: {want}")]);
        assert_eq!(
            with("((b = 1) AND ((id)::numeric = 5.0))", 90_000, "3.000", "btree (id, b)"),
            [format!("low, medium: {want}")]
        );
    }

    #[test]
    fn stays_quiet_where_no_index_is_lost() {
        for (filter, removed, own, index) in [
            ("((id)::numeric = 5.0)", 90_000, "9.000", "btree (b)"),
            ("((id)::numeric = 5.0)", 900, "9.000", "btree (id)"),
            ("((id)::numeric = 5.0)", 90_000, "0.500", "btree (id)"),
            ("((id)::text = '5'::text)", 90_000, "9.000", "btree (id)"),
            ("(id = 5)", 90_000, "9.000", "btree (id)"),
            ("((b)::numeric > 5.0)", 90_000, "9.000", "hash (b)"),
        ] {
            assert_eq!(with(filter, removed, own, index), ["passed: 1 plan with measurements"], "{filter} {index}");
        }
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert!(told_of_nothing(&RULE).starts_with("skipped"), "{}", told_of_nothing(&RULE));
    }
}
