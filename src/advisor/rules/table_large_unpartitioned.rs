//! A table that has grown too large to be looked after as one.

use crate::advisor::functions::names;
use crate::advisor::sql::{Kind, Source, Test, Text as Given, read_all};
use crate::advisor::workload::HIDDEN;
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, TableFact, Threshold, show};
use crate::finding::{Effort, Severity};
use crate::text::{Text, counted};
use crate::unit::{Quantity, Unit};
use std::collections::BTreeSet;

/// Most statements that are read.
const MAX_TEXTS: usize = 4_000;

const HEAP: &[&str] = &["relation_size", "relpages"];

/// The rule.
pub const RULE: Rule = Rule {
    id: "table-large-unpartitioned",
    title: "Very large table that is not partitioned",
    needs: &[Need::View("table_sizes", &["relkind", "total_relation_size"])],
    wants: &[
        Need::View("pg_stat_statements", &["query"]),
        Need::View("pg_stat_user_tables", &["total_autovacuum_time", "autovacuum_count"]),
    ],
    thresholds: &[
        Threshold {
            name: "min_bytes",
            default: 107_374_182_400.0,
            unit: Unit::Bytes,
            about: "Below 100 GB upkeep of one table is a matter of minutes to an hour.",
        },
        Threshold {
            name: "min_vacuum_s",
            default: 7_200.0,
            unit: Unit::Seconds,
            about: "A vacuum of two hours holds back cleanup and keeps a worker away from everything else.",
        },
    ],
    docs: Docs {
        looks_at: "Tables with their indexes and TOAST, statements that delete ranges of their rows, and from 18 on the time of a vacuum.",
        why: "VACUUM, REINDEX and ANALYZE work on a table at a time, and old rows can only be deleted one by one: partitions can be dropped, \
              vacuumed and rebuilt one after the other.",
        decides: "100 GB, and a reason beside the size: a DELETE of a range in pg_stat_statements, or two hours for each vacuum. Never from \
                  the size alone. A note: whether partitions fit depends on the statements.",
        what_to_do: "Think of partitions by the column whose ranges are deleted. It is a change of the design: the key must be in every unique \
                     index, and statements without it read all partitions.",
        ignore_when: "Rows are found by keys alone, never expire, and vacuum keeps up.",
        references: "PostgreSQL manual, \"Table Partitioning\".",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let large: Vec<&TableFact<'_>> = ctx
        .facts
        .tables
        .iter()
        .filter(|t| t.total_bytes().is_some_and(|b| b as f64 >= ctx.threshold("min_bytes")))
        .filter(|t| t.is_kind("r") == Some(true) && t.is_partition() != Some(true))
        .filter(|t| t.relid().is_some_and(|id| !ctx.facts.is_partition(id)))
        .collect();
    let looked_at = counted(large.len(), "very large table", "very large tables");
    if large.is_empty() {
        return Ok(Checked { findings: Vec::new(), looked_at });
    }
    let expiring = deleted_by_range(ctx);
    let mut findings = Vec::new();
    for table in large {
        let vacuum_s = vacuum_s(table).filter(|s| *s >= ctx.threshold("min_vacuum_s"));
        let expires = table.relid().is_some_and(|id| expiring.contains(&id));
        if !expires && vacuum_s.is_none() {
            continue;
        }
        let mut why = Text::new();
        if expires {
            why = why
                .t("Statements delete ranges of its rows, which leaves dead rows where a partition could be dropped. ");
        }
        if let Some(s) = vacuum_s {
            why = why.t("A vacuum of it takes ").opt(Quantity::float(s, Unit::Seconds)).t(" on average. ");
        }
        let size = table.total_bytes().map(|b| Quantity::int(b, Unit::Bytes));
        let mut finding = ctx
            .finding(Severity::Info, table.subject(), Text::new().opt(size).t(" in one table"))
            .why(why.t("Partitions would be looked after one by one."))
            .doubts([ctx.facts.sizes_doubt()])
            .verify("A decision of the design: partitions by the column whose ranges expire, or none.")
            .effort(Effort::L);
        if let Some(row) = table.sizes {
            finding = finding.measure(ctx.read("Size with indexes and TOAST", row, "total_relation_size"));
            // A table that was locked has no size of that kind: what is told is its heap.
            if row.int("total_relation_size").is_none() {
                finding = finding.measure(ctx.computed("Heap", size, "of its heap".to_owned(), &[(row, HEAP)]));
            }
        }
        if let (Some(change), Some(s)) = (table.change, vacuum_s) {
            let rows: Vec<_> = ctx.ends(change, &["total_autovacuum_time", "autovacuum_count"]);
            finding = finding.measure(ctx.computed(
                "Time of a vacuum",
                Quantity::float(s, Unit::Seconds),
                format!("total_autovacuum_time ÷ autovacuum_count, {}", show(s, Unit::Seconds)),
                &rows,
            ));
        }
        findings.push(finding);
    }
    Ok(Checked { findings, looked_at })
}

/// Seconds of an autovacuum on average since the statistics began (18+).
fn vacuum_s(table: &TableFact<'_>) -> Option<f64> {
    let row = table.change?.last()?;
    let (ms, times) = (row.f64("total_autovacuum_time")?, row.f64("autovacuum_count")?);
    (times > 0.0).then_some(ms / 1e3 / times)
}

/// Tables of which statements delete ranges.
fn deleted_by_range(ctx: &Context<'_>) -> BTreeSet<i64> {
    let rows = ctx.state("pg_stat_statements").into_iter().flat_map(|s| s.table.iter());
    let deletes = |t: &&str| *t != HIDDEN && t.to_ascii_lowercase().contains("delete");
    let texts: BTreeSet<&str> = rows.filter_map(|r| r.text("query")).filter(deletes).take(MAX_TEXTS).collect();
    let asked: Vec<Given<'_>> = texts.iter().map(|sql| Given { sql, nested: true, path: &[] }).collect();
    let read = read_all(&asked, &names(ctx.facts, texts.iter().copied()));
    let blocks = read.iter().flatten().flat_map(|s| &s.blocks).filter(|b| b.kind == Kind::Delete);
    blocks
        .filter(|b| b.terms.iter().any(|t| t.relation == 0 && matches!(t.test, Test::Range { .. })))
        .filter_map(|b| match b.relations.first()?.source {
            Source::Table(relid) => Some(relid),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told, told_of_nothing};
    use crate::snapshot::literal::literal;

    fn with(bytes: u64, kind: &str, statement: &str, vacuum_ms: &str) -> Vec<String> {
        let b = literal("2026-11-22 12:00:00+00")
            .version(18)
            .view(
                "pg_stat_user_tables",
                "relid | schemaname | relname | total_autovacuum_time | autovacuum_count",
                &[&format!("7 | app | log | {vacuum_ms} | 2")],
            )
            .view(
                "table_sizes",
                "relid | schemaname | relname | relkind | relispartition | total_relation_size",
                &[&format!("7 | app | log | {kind} | f | {bytes}")],
            )
            .view(
                "pg_stat_statements",
                "userid | dbid | queryid | query | calls",
                &[&format!("10 | 5 | 1 | {statement} | 9")],
            );
        told(&judge(&RULE, &[b.build()], ""))
    }

    const LARGE: u64 = 200 << 30;

    #[test]
    fn a_reason_beside_the_size_makes_it_a_note() {
        let note = ["info, high: app.log: 200 GB in one table"];
        assert_eq!(with(LARGE, "r", "delete from app.log where at < $1", "1000"), note);
        assert_eq!(with(LARGE, "r", "select 1", "20000000"), note);
    }

    #[test]
    fn never_from_the_size_alone() {
        let range = "delete from app.log where at < $1";
        for (bytes, kind, statement) in
            [(LARGE, "r", "delete from app.log where id = $1"), (1 << 30, "r", range), (LARGE, "p", range)]
        {
            assert!(with(bytes, kind, statement, "1000")[0].starts_with("passed"), "{bytes} {kind} {statement}");
        }
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_eq!(told_of_nothing(&RULE), "skipped, input missing: `table_sizes` is not in the dump");
    }
}
