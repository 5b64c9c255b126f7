//! Partitioned tables that nobody analyzes as a whole.

use crate::advisor::vacuum_cure::analyze;
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, TableFact, Threshold, show};
use crate::diff::Change;
use crate::finding::{Doubt, Effort, Severity};
use crate::text::{Text, counted};
use crate::unit::{Quantity, Unit};
use std::collections::BTreeMap;

/// The rule.
pub const RULE: Rule = Rule {
    id: "vacuum-partition-root-stale",
    title: "Partitioned table never analyzed as a whole",
    needs: &[
        Need::Primary,
        Need::View("table_sizes", &["relkind", "reltuples"]),
        Need::View("partitions", &["parent_relid", "child_relid"]),
    ],
    wants: &[Need::View("pg_stats", &["inherited"]), Need::View("pg_stat_user_tables", &["analyze_count"])],
    thresholds: &[Threshold {
        name: "min_rows",
        default: 10_000.0,
        unit: Unit::Rows,
        about: "On fewer rows a wrong estimate costs nothing.",
    }],
    docs: Docs {
        looks_at: "Partitioned tables: whether statistics of the whole exist (rows of pg_stats marked inherited; from 14 on also the \
                   table's own reltuples and analyze_count).",
        why: "Autovacuum analyzes partitions, never the partitioned table. Joins and groupings over all partitions are then \
              planned without knowing how many distinct values there are.",
        decides: "A partitioned table (a root, not a level between) with 10,000 rows in its partitions, never analyzed: no inherited \
                  row in pg_stats where that was exported, else analyze_count 0 and reltuples -1 (14 and later). Where neither tells, \
                  nothing is said.",
        what_to_do: "ANALYZE of the partitioned table by schedule: after loads, and when its data has changed by a tenth or so.",
        ignore_when: "Each query reads one partition: then the partition's statistics are used.",
        references: "PostgreSQL manual, \"Routine Vacuuming\" (Updating Planner Statistics); \"ANALYZE\".",
    },
    check,
};

/// Whether a partitioned table was analyzed as a whole; `None` where the dump does not tell.
fn is_analyzed(cx: &Context<'_>, table: &TableFact<'_>) -> Option<bool> {
    if cx.facts.planner.is_some() {
        let columns = cx.facts.columns(table.schema(), table.name());
        if columns.iter().any(|r| r.bool("inherited") == Some(true)) {
            return Some(true);
        }
    }
    // Up to 13 a partitioned table has no counters, and its reltuples stay 0.
    if cx.major() < 14 {
        return cx.facts.planner.map(|_| false);
    }
    let counted = table.change.and_then(Change::last).and_then(|r| r.int("analyze_count"));
    let rows = table.sizes.and_then(|r| r.f64("reltuples"))?;
    match counted {
        Some(n) if n > 0 => Some(true),
        _ if rows >= 0.0 => Some(true),
        Some(_) => Some(false),
        None => cx.facts.planner.map(|_| false),
    }
}

fn check(cx: &Context<'_>) -> Check {
    let mut whole: BTreeMap<i64, f64> = BTreeMap::new();
    for table in cx.facts.tables.iter().filter(|t| t.is_kind("r") == Some(true)) {
        let Some(relid) = table.relid().filter(|r| cx.facts.is_partition(*r)) else { continue };
        *whole.entry(cx.facts.root(relid)).or_default() += table.rows().0.unwrap_or(0.0);
    }
    let mut checked = Checked::default();
    let mut roots = 0;
    for (root, rows) in whole {
        let Some(table) = cx.facts.table(root).filter(|t| t.is_kind("p") == Some(true)) else { continue };
        roots += 1;
        if rows < cx.threshold("min_rows") || is_analyzed(cx, table) != Some(false) {
            continue;
        }
        let Some(sizes) = table.sizes else { continue };
        let quantity = Quantity::float(rows, Unit::Rows);
        let formula = format!("sum over its partitions: {}", show(rows, Unit::Rows));
        let parts = cx.all_rows(cx.snapshot_of(sizes).unwrap_or(0), "table_sizes", &["reltuples"], formula);
        checked.findings.push(
            cx.finding(
                Severity::Low,
                table.subject(),
                Text::new().name(table.display()).t(" was never analyzed as a whole, ").opt(quantity).t(" rows in its partitions"),
            )
            .why("Autovacuum analyzes the partitions only: joins and groupings over all of them are planned without statistics.")
            .doubts([
                cx.facts.sizes_doubt(),
                cx.facts.planner.is_none().then_some(Doubt::C4),
            ])
            .measure(cx.read("Its reltuples", sizes, "reltuples"))
            .measure(cx.seen_in(cx.snapshot_of(sizes), "Rows in its partitions", quantity, parts))
            .fix(analyze(table))
            .verify("pg_stats has rows of the table marked inherited.")
            .effort(Effort::S),
        );
    }
    checked.looked_at = counted(roots, "partitioned table", "partitioned tables");
    Ok(checked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::{Literal, literal};

    fn taken(major: u8, root: &str, rows: &str) -> Literal {
        literal("2026-11-22 12:00:00+00")
            .version(major)
            .view(
                "table_sizes",
                "relid | schemaname | relname | relkind | reltuples | relpages",
                &[&format!("1 | public | m | p | {root} | 0"), &format!("2 | public | m1 | r | {rows} | 900")],
            )
            .view("partitions", "parent_relid | child_relid", &["1 | 2"])
    }

    fn stats(b: Literal, inherited: &str) -> Literal {
        b.view(
            "pg_stats",
            "schemaname | tablename | attname | inherited",
            &["public | m1 | a | f", &format!("public | m | a | {inherited}")],
        )
    }

    #[test]
    fn a_root_without_statistics_is_told() {
        let b = stats(taken(16, "-1", "50000"), "f").build();
        assert_eq!(
            told(&judge(&RULE, &[b], "")),
            ["low, high: public.m: public.m was never analyzed as a whole, 50,000 rows in its partitions"]
        );
        let b = stats(taken(13, "0", "50000"), "f").build();
        assert_eq!(told(&judge(&RULE, &[b], "")).len(), 1);
    }

    #[test]
    fn analyzed_small_or_unknown_ones_are_left_alone() {
        let quiet = ["passed: 1 partitioned table"];
        assert_eq!(told(&judge(&RULE, &[stats(taken(16, "-1", "50000"), "t").build()], "")), quiet);
        assert_eq!(told(&judge(&RULE, &[stats(taken(16, "-1", "500"), "f").build()], "")), quiet);
        assert_eq!(told(&judge(&RULE, &[taken(16, "48000", "50000").build()], "")), quiet);
        // Neither planner statistics nor counters.
        assert_eq!(told(&judge(&RULE, &[taken(13, "0", "50000").build()], "")), quiet);
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_eq!(
            crate::advisor::testing::told_of_nothing(&RULE),
            "skipped, input missing: `table_sizes` is not in the dump"
        );
    }
}
