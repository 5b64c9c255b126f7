//! A table whose writes pay for many indexes.

use crate::advisor::{Check, Checked, Context, Docs, IndexFact, Need, Rule, TableFact, Threshold, show, whole};
use crate::finding::{Doubt, Effort, Finding, Fix, Severity};
use crate::snapshot::Row;
use crate::text::{Text, counted};
use crate::unit::{Quantity, Unit};
use std::collections::BTreeSet;

/// Indexes that are named.
const MOST: usize = 8;

/// The rule.
pub const RULE: Rule = Rule {
    id: "index-write-amplification",
    title: "Many indexes on a table that is written much",
    needs: &[
        Need::View("pg_stat_user_tables", &["relid", "n_tup_ins", "n_tup_upd", "n_tup_hot_upd"]),
        Need::View("pg_stat_user_indexes", &["indexrelid", "idx_scan"]),
        Need::View("index_definitions", &["indexrelid", "indexdef"]),
        Need::View("constraints", &["relid", "contype"]),
        Need::Primary,
    ],
    wants: &[],
    thresholds: &[
        Threshold { name: "min_window_s", default: 60.0, unit: Unit::Seconds, about: "Rates need a minute." },
        Threshold {
            name: "good_window_s",
            default: 86_400.0,
            unit: Unit::Seconds,
            about: "Below a day a job of the night is not seen.",
        },
        Threshold {
            name: "min_indexes",
            default: 8.0,
            unit: Unit::Count,
            about: "Seven more entries for each row written.",
        },
        Threshold {
            name: "min_writes",
            default: 50.0,
            unit: Unit::PerSecond,
            about: "Rows a second that reach the indexes; fewer cost next to nothing.",
        },
        Threshold {
            name: "medium_writes",
            default: 500.0,
            unit: Unit::PerSecond,
            about: "Thousands of entries a second: felt in WAL and on replicas.",
        },
        Threshold {
            name: "min_size_factor",
            default: 3.0,
            unit: Unit::Times,
            about: "Indexes three times as large as what they are of.",
        },
        Threshold {
            name: "min_bytes",
            default: 100.0 * 1_048_576.0,
            unit: Unit::Bytes,
            about: "Indexes below a hundred megabytes are not judged by their size.",
        },
    ],
    docs: Docs {
        looks_at: "Rows inserted and updated that reach the indexes (heap-only updates do not), the number of indexes, and their size \
                   against the table's.",
        why: "Each index gets an entry for each such row: WAL, pages in memory, work for vacuum.",
        decides: "Eight indexes and fifty rows a second, or indexes three times as large as their table on a table that is written at \
                  all; and at least one index that could go: scanned by nobody since the counters began, bound to no constraint, \
                  supporting no foreign key. Without such a one there is nothing to advise, and nothing is said. Medium from 500 rows a \
                  second.",
        what_to_do: "What index-unused, index-duplicate and index-redundant-prefix say about these indexes, each by its own rules.",
        ignore_when: "Every index is needed.",
        references: "PostgreSQL manual, \"Indexes: Introduction\".",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    ctx.window_of("min_window_s")?;
    let supporting = crate::advisor::index_use::supporting(ctx);
    let mut checked = Checked::default();
    let (mut looked, mut most) = (0, 0);
    for table in &ctx.facts.tables {
        let Some(relid) = table.relid() else { continue };
        let indexes: Vec<&IndexFact<'_>> = ctx.facts.indexes_of(relid).collect();
        looked += usize::from(!indexes.is_empty());
        most = most.max(indexes.len());
        let Some(writes) = writes(table) else { continue };
        let bytes: f64 = indexes.iter().filter_map(|i| i.bytes()).map(|b| b as f64).sum();
        let heap = table.heap_bytes().unwrap_or(0) as f64;
        let many = indexes.len() as f64 >= ctx.threshold("min_indexes") && writes >= ctx.threshold("min_writes");
        let large = bytes >= ctx.threshold("min_bytes")
            && bytes >= ctx.threshold("min_size_factor") * heap.max(1.0)
            && writes > 0.0;
        let free = droppable(&indexes, &supporting);
        if (many || large) && !free.is_empty() {
            checked.findings.push(finding(ctx, table, &indexes, &free, writes, bytes));
        }
    }
    checked.looked_at = format!("{} with indexes, at most {most} on one", counted(looked, "table", "tables"));
    Ok(checked)
}

/// Rows a second that get an entry in every index.
fn writes(table: &TableFact<'_>) -> Option<f64> {
    let rate = |column| table.change.and_then(|c| c.rate(column));
    Some((rate("n_tup_ins")? + rate("n_tup_upd")? - rate("n_tup_hot_upd")?).max(0.0))
}

/// Indexes that nobody scanned and nothing needs.
fn droppable<'c, 'a>(indexes: &[&'c IndexFact<'a>], supporting: &BTreeSet<i64>) -> Vec<&'c IndexFact<'a>> {
    let free = |i: &&&IndexFact<'_>| {
        i.bound_to().is_none()
            && i.is_unique() == Some(false)
            && i.scans() == Some(0)
            && i.indexrelid().is_some_and(|oid| !supporting.contains(&oid))
    };
    indexes.iter().filter(free).copied().collect()
}

fn finding<'a>(
    ctx: &Context<'a>,
    table: &TableFact<'a>,
    indexes: &[&IndexFact<'a>],
    free: &[&IndexFact<'a>],
    writes: f64,
    bytes: f64,
) -> Finding {
    let rate = Quantity::float(writes, Unit::PerSecond);
    let severity = if writes >= ctx.threshold("medium_writes") { Severity::Medium } else { Severity::Low };
    let mut why = Text::new().t("Each row that is inserted, or updated where it cannot stay in its page, writes to all of them. Not scanned since the counters began, and bound to nothing: ");
    for (nr, index) in free.iter().take(MOST).enumerate() {
        why = if nr > 0 { why.t(", ") } else { why }.name(index.display());
    }
    if free.len() > MOST {
        why = why.t(" and ").n(Quantity::count(free.len() - MOST)).t(" more");
    }
    let rows: Vec<(Row<'a>, &[&str])> = table
        .change
        .and_then(crate::diff::Change::last)
        .map(|r| (r, &["n_tup_ins", "n_tup_upd", "n_tup_hot_upd"][..]))
        .into_iter()
        .collect();
    let never: Vec<(Row<'a>, &[&str])> =
        free.iter().filter_map(|i| Some((i.change?.last()?, &["idx_scan"][..]))).collect();
    let sizes: Vec<(Row<'a>, &[&str])> =
        table.sizes.map(|r| (r, &["relation_size", "indexes_size"][..])).into_iter().collect();
    ctx.finding(
        severity,
        table.subject(),
        Text::new()
            .many(Quantity::count(indexes.len()), "index gets", "indexes get")
            .t(" entries for rows written at ")
            .opt(rate)
            .t("; ")
            .many(Quantity::count(free.len()), "of them was never scanned", "of them were never scanned"),
    )
    .why(why.t("."))
    .doubts([ctx.single_doubt(), ctx.short_doubt("good_window_s"), ctx.standby_doubt(), Some(Doubt::C4).filter(|_| table.sizes.is_none())])
    .measure(ctx.over_window(
        "Rows that reach the indexes",
        rate,
        "(inserted + updated − heap-only updated) ÷ window".to_owned(),
        &rows,
    ))
    .measure(ctx.over_window(
        "Indexes never scanned",
        Some(Quantity::count(free.len())),
        format!("of {} indexes", indexes.len()),
        &never,
    ))
    .measure(ctx.computed(
        "Size of its indexes",
        whole(bytes, Unit::Bytes),
        format!("beside a table of {}", show(table.heap_bytes().unwrap_or(0) as f64, Unit::Bytes)),
        &sizes,
    ))
    .fix(Fix::diagnose(
        table.display(),
        format!(
            "SELECT indexrelid::regclass, idx_scan, pg_size_pretty(pg_relation_size(indexrelid)) FROM pg_stat_user_indexes\nWHERE relid = {}::regclass ORDER BY idx_scan;",
            table.class_literal()
        ),
    ))
    .verify("WAL for each written row falls after one of them is gone.")
    .effort(Effort::M)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::Snapshot;
    use crate::snapshot::literal::literal;
    use std::sync::Arc;

    fn taken(at: &str, indexes: usize, rows: u32, scans: u32, bytes: u64) -> Arc<Snapshot> {
        let used: Vec<String> = (0..indexes).map(|i| format!("{} | 1 | app | t | i{i} | {scans}", 100 + i)).collect();
        let defined: Vec<String> = (0..indexes)
            .map(|i| {
                format!(
                    "{} | 1 | app | t | i{i} | CREATE INDEX i{i} ON app.t USING btree (c{i}) | t | f | {bytes}",
                    100 + i
                )
            })
            .collect();
        let texts = |rows: &[String]| rows.iter().map(String::as_str).map(str::to_owned).collect::<Vec<_>>();
        let (used, defined) = (texts(&used), texts(&defined));
        literal(at)
            .view("pg_stat_database", "datid | datname | stats_reset", &["16697 | shop | 2026-01-01 00:00:00+00"])
            .view("pg_stat_user_tables", "relid | schemaname | relname | n_tup_ins | n_tup_upd | n_tup_hot_upd", &[&format!("1 | app | t | {rows} | {rows} | {rows}")])
            .view("table_sizes", "relid | schemaname | relname | relkind | relation_size", &["1 | app | t | r | 100000000"])
            .view("pg_stat_user_indexes", "indexrelid | relid | schemaname | relname | indexrelname | idx_scan", &used.iter().map(String::as_str).collect::<Vec<_>>())
            .view("index_definitions", "indexrelid | relid | schemaname | relname | indexrelname | indexdef | indisvalid | indisunique | index_size", &defined.iter().map(String::as_str).collect::<Vec<_>>())
            .view("constraints", "oid | relid | contype", &[])
            .build()
    }

    fn with(indexes: usize, rows: u32, scans: u32, bytes: u64) -> Vec<String> {
        let a = taken("2026-11-20 10:00:00+00", indexes, 0, scans, bytes);
        let b = taken("2026-11-22 10:00:00+00", indexes, rows, scans, bytes);
        told(&judge(&RULE, &[a, b], "[options]\nno_standby_reads = true"))
    }

    #[test]
    fn finds_writes_that_pay_for_indexes_nobody_reads() {
        // 48 hours: 50 rows a second are 8,640,000.
        assert_eq!(
            with(8, 8_640_000, 0, 8_192),
            ["low, high: app.t: 8 indexes get entries for rows written at 50.0/s; 8 of them were never scanned"]
        );
        assert!(with(8, 86_400_000, 0, 8_192)[0].starts_with("medium, high: app.t"));
        assert!(with(3, 1_000, 0, 100_000_000)[0].starts_with("low, high: app.t: 3 indexes"));
    }

    #[test]
    fn stays_quiet_below_each_floor_and_where_nothing_can_go() {
        for (indexes, rows, scans, bytes) in [
            (7, 8_640_000, 0, 8_192),
            (8, 8_000_000, 0, 8_192),
            (8, 8_640_000, 5, 8_192),
            (2, 1_000, 0, 100_000_000),
            (3, 0, 0, 100_000_000),
        ] {
            assert!(with(indexes, rows, scans, bytes)[0].starts_with("passed: "), "{indexes} {rows} {scans} {bytes}");
        }
    }

    #[test]
    fn says_that_it_cannot_know() {
        let b = literal("2026-11-22 12:00:00+00").build();
        assert_eq!(told(&judge(&RULE, &[b], "")), ["skipped, input missing: `pg_stat_user_tables` is not in the dump"]);
    }
}
