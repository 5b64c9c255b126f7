//! A statement that reads every partition because it does not name their key.

use crate::advisor::partition_key::key_columns;
use crate::advisor::plans::{Explained, check_each};
use crate::advisor::{Check, Context, Docs, Need, Rule, Threshold, whole};
use crate::explain::Node;
use crate::finding::{Effort, Finding, Fix, Severity};
use crate::ident::{display_qualified, quote_ident};
use crate::snapshot::Row;
use crate::text::Text;
use crate::unit::Unit;

/// The rule.
pub const RULE: Rule = Rule {
    id: "plan-partition-noprune",
    title: "All partitions are read",
    needs: &[Need::Plans, Need::View("partitions", &["parent", "child", "partition_key"])],
    wants: &[],
    thresholds: &[Threshold {
        name: "min_partitions",
        default: 20.0,
        unit: Unit::Count,
        about: "Fewer are read without a noticeable difference.",
    }],
    docs: Docs {
        looks_at: "Appends over many partitions of one table: what their scans compare, and whether any was left out.",
        why: "Partitions are left out only by conditions on the partition key. A statement that looks for rows by something else visits \
              each of them, and plans each of them.",
        decides: "Twenty partitions executed, none removed, conditions on their rows, none of which names a column of the key; nor does a \
                  join above. A statement without any condition asks for the whole table and is not found.",
        what_to_do: "Add a condition on the key where the application knows it; else choose another key, or fewer partitions.",
        ignore_when: "The rows looked for can be in any partition, and it is asked rarely.",
        references: "PostgreSQL manual, \"Partition Pruning\".",
    },
    check,
};

/// Conditions of a scan, and of a join above it.
const CONDITIONS: [&str; 5] = ["Filter", "Index Cond", "Recheck Cond", "TID Cond", "One-Time Filter"];
const JOINS: [&str; 3] = ["Hash Cond", "Merge Cond", "Join Filter"];

fn check(ctx: &Context<'_>) -> Check {
    check_each(ctx, worst)
}

fn worst<'a>(ctx: &Context<'a>, of: &Explained<'a>) -> Option<Finding> {
    let (at, count) = of.largest(|at, n| {
        let many = matches!(n.kind.as_str(), "Append" | "Merge Append") && n.subplans_removed == 0.0;
        let scans = if many { scans(of, at) } else { Vec::new() };
        (scans.len() as f64 >= ctx.threshold("min_partitions")).then_some(scans.len() as f64)
    })?;
    let scans = scans(of, at);
    let first = scans.first()?;
    let partition = partition_of(ctx, first)?;
    let columns = key_columns(partition.text("partition_key")?);
    let parent = display_qualified(partition.text("parent_schema")?, partition.text("parent")?);
    let conditions = |n: &Node, labels: &[&str]| -> Vec<String> {
        labels.iter().filter_map(|label| n.condition(label)).map(str::to_owned).collect()
    };
    let own: Vec<String> = scans.iter().flat_map(|n| conditions(n, &CONDITIONS)).collect();
    let above: Vec<String> = of.plan.above(at).filter_map(|i| of.node(i)).flat_map(|n| conditions(n, &JOINS)).collect();
    let names_key = own.iter().chain(&above).any(|c| columns.iter().any(|column| mentions(c, column)));
    if columns.is_empty() || own.is_empty() || names_key {
        return None;
    }
    let shown = columns.join(", ");
    Some(
        ctx.plan_finding(
            of,
            Severity::Medium,
            Text::new().t("Reads all ").opt(whole(count, Unit::Count)).t(" partitions of ").name(parent.clone()),
        )
        .why(
            Text::new()
                .t("They are divided by ")
                .code(&shown)
                .t(", and the statement looks for rows by something else: ")
                .code(format!("WHERE {}", own.first()?))
                .t("."),
        )
        .measure(ctx.plan_measure(
            of,
            "Partitions executed",
            whole(count, Unit::Count),
            "scans below the Append that ran",
        ))
        .fix(Fix::diagnose(
            parent,
            format!(
                "SELECT pg_get_partkeydef({}::regclass);",
                crate::ident::quote_regclass(partition.text("parent_schema")?, partition.text("parent")?)
            ),
        ))
        .effort(Effort::M)
        .share(of.wall_share(at)),
    )
}

/// The scans below an Append that ran, one a child.
fn scans<'p>(of: &'p Explained<'_>, at: usize) -> Vec<&'p Node> {
    let scan = |child: usize| {
        std::iter::once(child)
            .chain(of.plan.below(child))
            .filter_map(|i| of.node(i))
            .find(|n| n.relation.is_some() && n.ran())
    };
    of.plan.inputs(at).filter_map(scan).collect()
}

fn partition_of<'a>(ctx: &Context<'a>, node: &Node) -> Option<Row<'a>> {
    let name = node.relation.as_deref()?;
    let is_it = |r: &Row<'_>| {
        r.text("child") == Some(name)
            && node.schema.as_deref().is_none_or(|schema| r.text("child_schema") == Some(schema))
            && r.text("partition_key").is_some()
    };
    let state = ctx.state("partitions")?;
    let mut found = state.table.iter().filter(is_it);
    let only = found.next()?;
    found.next().is_none().then_some(only)
}

/// Whether a column stands in a condition, as the server prints it.
fn mentions(condition: &str, column: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$');
    condition.split(|c| !is_part(c)).any(|word| word == column) || condition.contains(&quote_ident(column))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge_plan_beside, told};
    use std::fmt::Write;

    fn with(partitions: usize, condition: &str, above: &str) -> Vec<String> {
        let mut plan = String::new();
        let indent = if above.is_empty() { "" } else { "      " };
        if !above.is_empty() {
            let _ = writeln!(
                plan,
                "Hash Join  (cost=0.00..1.00 rows=1 width=4) (actual time=0.010..9.000 rows=1 loops=1)\n  Hash Cond: {above}"
            );
        }
        let arrow = if above.is_empty() { "" } else { "  ->  " };
        let _ =
            writeln!(plan, "{arrow}Append  (cost=0.00..1.00 rows=1 width=4) (actual time=0.010..8.000 rows=1 loops=1)");
        for nr in 0..partitions {
            let _ = writeln!(
                plan,
                "{indent}  ->  Seq Scan on m_{nr}  (cost=0.00..1.00 rows=1 width=4) (actual time=0.010..0.100 rows=1 loops=1)"
            );
            if !condition.is_empty() {
                let _ = writeln!(plan, "{indent}        Filter: {condition}");
            }
        }
        plan.push_str("Execution Time: 10.000 ms");
        let rows: Vec<String> =
            (0..partitions).map(|nr| format!("1 | app | m | {nr} | app | m_{nr} | RANGE (at)")).collect();
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        let header = "parent_relid | parent_schema | parent | child_relid | child_schema | child | partition_key";
        told(&judge_plan_beside(&RULE, &plan, &[("partitions", header, &rows)]))
    }

    #[test]
    fn finds_conditions_that_name_no_key() {
        assert_eq!(with(20, "(sensor = 5)", ""), ["medium, medium: queryid 7: Reads all 20 partitions of app.m"]);
        assert_eq!(
            with(20, "(sensor = 5)", "(m.sensor = s.id)"),
            ["medium, medium: queryid 7: Reads all 20 partitions of app.m"]
        );
    }

    #[test]
    fn stays_quiet_where_the_key_is_named_or_all_is_asked_for() {
        for (partitions, condition, above) in [
            (19, "(sensor = 5)", ""),
            (20, "(at > 'x'::date)", ""),
            (20, "", ""),
            (20, "(sensor = 5)", "(m.at = s.at)"),
        ] {
            assert_eq!(with(partitions, condition, above), ["passed: 1 plan with measurements"], "{condition} {above}");
        }
    }

    #[test]
    fn says_that_it_cannot_know() {
        let plan = "Seq Scan on t  (cost=0.00..1.00 rows=1 width=4) (actual time=0.010..0.100 rows=1 loops=1)";
        assert_eq!(
            told(&judge_plan_beside(&RULE, plan, &[])),
            ["skipped, input missing: `partitions` is not in the dump"]
        );
    }
}
