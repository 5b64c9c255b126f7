//! Foreign keys whose referencing columns have no index.

use crate::advisor::index_cure::{NewIndex, create_index};
use crate::advisor::key_checks::KeyChecks;
use crate::advisor::{Check, Checked, Context, Docs, Facts, IndexFact, Need, Rule, TableFact, Threshold, whole};
use crate::finding::{Effort, Finding, Fix, Severity, Subject, SubjectKind};
use crate::ident::{display_qualified, quote_ident};
use crate::snapshot::Row;
use crate::text::Text;
use crate::unit::{Quantity, Unit};
use std::collections::BTreeSet;

/// The rule.
pub const RULE: Rule = Rule {
    id: "index-missing-fk",
    title: "Foreign key without index",
    needs: &[
        Need::View("constraints", &["contype", "columns", "relid", "foreign_relid"]),
        Need::View("index_definitions", &["indexdef"]),
        Need::View("pg_stat_user_tables", &["n_tup_del"]),
    ],
    wants: &[
        Need::View("table_sizes", &["relation_size"]),
        Need::View("pg_stat_statements", &["query"]),
        Need::View("pg_stats", &["null_frac"]),
    ],
    thresholds: &[
        Threshold {
            name: "min_child_bytes",
            default: 10_485_760.0,
            unit: Unit::Bytes,
            about: "Below, one scan of the child is cheap.",
        },
        Threshold {
            name: "high_child_bytes",
            default: 1_073_741_824.0,
            unit: Unit::Bytes,
            about: "From here on each check reads a gigabyte.",
        },
        Threshold {
            name: "high_deletes",
            default: 1.0 / 60.0,
            unit: Unit::PerSecond,
            about: "A delete per minute is no exception any more.",
        },
    ],
    docs: Docs {
        looks_at: "Foreign keys, the indexes of their referencing tables, deletes from the referenced table, scans of \
                   the referencing table, and the check's own statement in pg_stat_statements where nested statements are tracked.",
        why: "Deleting a referenced row, or changing its key, looks for rows that reference it. Without an index each \
              deleted row reads the whole referencing table, while holding its lock.",
        decides: "Found when no valid B-tree (for one column also hash) begins with the referencing columns in any order; \
                  a condition `IS NOT NULL` on one of them is accepted. Medium when the referenced table had deletes; \
                  high from `high_deletes` on with a child of `high_child_bytes`. A child below `min_child_bytes`: low \
                  when it was scanned at least as often as rows were deleted, or the check's statement was seen, else a note. Without deletes only a note: a \
                  risk for the day somebody deletes. Partitions are judged on their partitioned table. Not \
                  reported: columns with a single value.",
        what_to_do: "Create the index with CONCURRENTLY; where half of the rows or more are NULL, only for the others.",
        ignore_when: "Nobody ever deletes or re-keys referenced rows, and no query joins from that side. Not every foreign key needs an index.",
        references: "PostgreSQL manual: Constraints (Foreign Keys), CREATE INDEX. That the check uses a partial index \
                     with IS NOT NULL: observed on PostgreSQL 12 to 18.",
    },
    check,
};

fn check(cx: &Context<'_>) -> Check {
    let state = cx.state_or_skip("constraints")?;
    let mut checked = Checked::default();
    let (mut looked, mut seen) = (0, BTreeSet::new());
    let checks = KeyChecks::read(cx);
    for row in state.table.iter().filter(|r| r.text("contype") == Some("f")) {
        let (Some(relid), Some(parent)) = (row.int("relid"), row.int("foreign_relid")) else { continue };
        // The partitioned table's own constraint stands for those of its partitions, on both sides.
        let inherited = row.int("conparentid").is_some_and(|c| c > 0);
        if inherited || cx.facts.root(relid) != relid || cx.facts.root(parent) != parent {
            continue;
        }
        let columns = row.array("columns");
        if columns.is_empty() || !seen.insert((relid, columns.clone())) {
            continue;
        }
        looked += 1;
        let Some(child) = cx.facts.table(relid) else { continue };
        let supports = |i: &IndexFact<'_>| {
            i.is_valid() != Some(false) && i.def().is_some_and(|d| d.supports_foreign_key(&columns))
        };
        if cx.facts.indexes_of(relid).any(supports) || single_valued(cx, child, &columns) {
            continue;
        }
        let finding = report(cx, row, child, cx.facts.table(parent), &columns, &checks);
        checked.findings.push(finding.doubts([state.doubt(), cx.facts.definitions.and_then(|d| d.doubt())]));
    }
    checked.looked_at = format!("{looked} foreign keys, all with an index on their columns");
    Ok(checked)
}

fn report<'a>(
    cx: &Context<'a>,
    row: Row<'a>,
    child: &TableFact<'a>,
    parent: Option<&TableFact<'a>>,
    columns: &[String],
    checks: &KeyChecks<'a>,
) -> Finding {
    let deleted = sum(cx.facts, parent, "n_tup_del");
    let scans = sum(cx.facts, Some(child), "seq_scan");
    let statement = checks.of(&child.sql(), columns).next();
    let heap = heap(cx.facts, child);
    let bytes = heap.map(|b| b as f64);
    let window = cx.window_s().filter(|w| *w >= 60.0);
    let frequent = deleted >= 3.0 && window.is_some_and(|w| deleted / w >= cx.threshold("high_deletes"));
    let at_least = |name| bytes.is_some_and(|b| b >= cx.threshold(name));
    let proven = statement.is_some() || (deleted > 0.0 && scans >= deleted);
    let severity = match () {
        () if deleted == 0.0 && statement.is_none() => Severity::Info,
        () if bytes.is_some() && !at_least("min_child_bytes") => {
            if proven {
                Severity::Low
            } else {
                Severity::Info
            }
        }
        () if frequent && at_least("high_child_bytes") => Severity::High,
        () => Severity::Medium,
    };
    let parent_name = display_qualified(
        row.text("foreign_schemaname").unwrap_or_default(),
        row.text("foreign_relname").unwrap_or_default(),
    );
    let keys = format!("({})", columns.join(", "));
    let deletes = whole(deleted, Unit::Rows);
    // A standby counts no writes: its zeros say nothing of the primary.
    let counted = cx.is_standby() != Some(true);
    let mut title = Text::new().code(keys).t(" references ").name(&parent_name).t(" without an index");
    if counted {
        title = title.t("; ").many(deletes, "row deleted there", "rows deleted there");
    }
    let why = Text::new()
        .t("Each row deleted from ")
        .name(&parent_name)
        .t(" makes PostgreSQL read ")
        .name(child.display())
        .t(" completely (")
        .opt(heap.map(|b| Quantity::int(b, Unit::Bytes)))
        .t(") to look for rows that reference it.");
    let constraint = Subject::new(
        SubjectKind::Constraint,
        format!("{} {}", child.display(), row.text("conname").unwrap_or_default()),
    );
    let class = parent.and_then(|p| p.change).and_then(|c| cx.class_doubt(c));
    let mut finding = cx.finding(severity, constraint, title).doubts([cx.single_doubt(), class]).why(why);
    if let Some(change) = parent.and_then(|p| p.change).filter(|_| counted) {
        finding = finding.measure(cx.measure(&format!("Rows deleted from {parent_name}"), change, "n_tup_del"));
    }
    if let Some(change) = child.change {
        finding = finding.measure(cx.measure(&format!("Sequential scans of {}", child.display()), change, "seq_scan"));
    }
    if let Some(sizes) = child.sizes {
        let (label, of) = (format!("Size of {}", child.display()), sizes.quantity("relation_size"));
        let heap = heap.map(|bytes| Quantity::int(bytes, Unit::Bytes));
        finding = finding.measure(if of == heap {
            cx.read(&label, sizes, "relation_size")
        } else {
            cx.computed(&label, heap, "its partitions together".to_owned(), &[(sizes, &["relation_size"])])
        });
    }
    if let Some(statement) = statement {
        finding = finding.measure(cx.measure("Calls of the check", statement, "calls"));
        finding = finding.measure(cx.measure("Time of the check", statement, "total_exec_time"));
    }
    if !counted {
        finding =
            finding.not("A standby does not count what is deleted: whether somebody pays for this, its primary tells.");
    } else if deleted == 0.0 {
        finding = finding.not("Nothing was deleted from the referenced table: nobody pays for this yet.");
    }
    finding
        .fixes(create(cx, child, columns))
        .effort(Effort::S)
        .verify("Deletes from the referenced table got faster (pg_stat_statements, or the trigger's time in EXPLAIN ANALYZE), and its deletes no longer raise seq_scan of the child.")
}

/// Bytes of its heap, of a partitioned table those of its parts.
fn heap(facts: &Facts<'_>, table: &TableFact<'_>) -> Option<i64> {
    if table.is_kind("p") != Some(true) {
        return table.heap_bytes();
    }
    let root = table.relid()?;
    let parts = facts.tables.iter().filter(|t| t.relid().is_some_and(|r| r != root && facts.root(r) == root));
    parts.filter_map(TableFact::heap_bytes).reduce(i64::saturating_add)
}

/// A counter over the window, of all partitions where the table is partitioned.
fn sum(facts: &Facts<'_>, table: Option<&TableFact<'_>>, column: &str) -> f64 {
    let Some(root) = table.and_then(TableFact::relid) else { return 0.0 };
    let own = table.and_then(|t| t.change).and_then(|c| c.delta(column)).unwrap_or(0.0);
    let partitioned = table.and_then(|t| t.is_kind("p")) == Some(true);
    if !partitioned {
        return own;
    }
    let parts = facts.tables.iter().filter(|t| t.relid().is_some_and(|r| r != root && facts.root(r) == root));
    own + parts.filter_map(|t| t.change?.delta(column)).sum::<f64>()
}

fn stats_row<'a>(cx: &Context<'a>, table: &TableFact<'_>, column: &str) -> Option<Row<'a>> {
    cx.facts.column(table.schema(), table.name(), column)
}

/// A column with one value finds all rows or none: an index would not be used.
fn single_valued(cx: &Context<'_>, table: &TableFact<'_>, columns: &[String]) -> bool {
    columns.iter().all(|c| stats_row(cx, table, c).and_then(|r| r.f64("n_distinct")) == Some(1.0))
}

fn create(cx: &Context<'_>, child: &TableFact<'_>, columns: &[String]) -> Option<Fix> {
    let keys: Vec<String> = columns.iter().map(|c| quote_ident(c)).collect();
    let keys = keys.join(", ");
    let mostly_null = match columns {
        [column] => stats_row(cx, child, column).and_then(|r| r.f64("null_frac")).is_some_and(|f| f >= 0.5),
        _ => false,
    };
    let new = NewIndex {
        columns: columns.iter().map(String::as_str).collect(),
        condition: if mostly_null { format!("{keys} IS NOT NULL") } else { String::new() },
        keys,
        include: String::new(),
    };
    let when_not = "When referenced rows are never deleted or re-keyed and no query joins from that side.";
    create_index(cx.facts, child, &new, when_not.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::finding::Outcome;
    use crate::snapshot::literal::{Literal, literal};

    #[test]
    fn a_standby_does_not_say_that_nothing_is_deleted() {
        let of = |deleted| taken("2026-11-22 12:00:00+00", deleted, 0, 1 << 30, "(id)");
        let told_of = |b: Literal| told(&judge(&RULE, &[b.build()], ""));
        let text = "info, medium: public.items items_order_fk: (order_id) references public.orders without an index";
        assert_eq!(told_of(of(0)), [format!("{text}; 0 rows deleted there")]);
        assert_eq!(told_of(of(0).meta(|m| m.in_recovery = Some(true))), [text]);
    }

    /// Orders (1) and their items (2), `items.order_id` referencing; `bytes` of items, rows deleted from orders so far.
    fn taken(at: &str, deleted: u32, scans: u32, bytes: u64, index: &str) -> Literal {
        let b = literal(at)
            .view(
                "pg_stat_user_tables",
                "relid | schemaname | relname | seq_scan | n_tup_del | n_live_tup",
                &[&format!("1 | public | orders | 0 | {deleted} | 9"), &format!("2 | public | items | {scans} | 0 | 9")],
            )
            .view("table_sizes", "relid | schemaname | relname | relkind | relation_size", &["1 | public | orders | r | 8192", &format!("2 | public | items | r | {bytes}")])
            .view(
                "constraints",
                "oid | schemaname | relname | conname | contype | convalidated | columns | relid | foreign_relid | foreign_schemaname | foreign_relname",
                &["9 | public | items | items_order_fk | f | t | {order_id} | 2 | 1 | public | orders"],
            );
        b.view(
            "index_definitions",
            "indexrelid | relid | schemaname | relname | indexrelname | indexdef | indisvalid | indisready",
            &[&format!("7 | 2 | public | items | i | CREATE INDEX i ON public.items USING btree {index} | t | t")],
        )
    }

    const A: &str = "2026-11-22 12:00:00+00";
    const B: &str = "2026-11-22 13:00:00+00";

    fn say(deleted: u32, bytes: u64, index: &str) -> Vec<String> {
        told(&judge(
            &RULE,
            &[taken(A, 0, 0, bytes, index).build(), taken(B, deleted, deleted, bytes, index).build()],
            "",
        ))
    }

    #[test]
    fn what_it_costs_decides() {
        let object = "public.items items_order_fk: (order_id) references public.orders without an index";
        assert_eq!(say(5, 100 << 20, "(sku)"), [format!("medium, high: {object}; 5 rows deleted there")]);
        assert_eq!(say(600, 2 << 30, "(sku)"), [format!("high, high: {object}; 600 rows deleted there")]);
        assert_eq!(say(5, 8192, "(sku)"), [format!("low, high: {object}; 5 rows deleted there")]);
        assert_eq!(say(0, 100 << 20, "(sku)"), [format!("info, high: {object}; 0 rows deleted there")]);
    }

    #[test]
    fn proposes_a_free_name() {
        let b = taken(B, 5, 5, 100 << 20, "(sku)").build();
        let Outcome::Found { findings, .. } = judge(&RULE, &[b], "") else { panic!() };
        assert_eq!(
            findings[0].fixes[0].sql,
            "SET statement_timeout = 0; SET lock_timeout = 0;\nCREATE INDEX CONCURRENTLY \"items_order_id_idx\" ON \"public\".\"items\" (\"order_id\");\n\
             SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid;"
        );
    }

    /// ATTACH PARTITION waits for whoever reads the partition, and all others behind it: not without a limit.
    #[test]
    fn of_a_partitioned_table_only_the_builds_wait_without_limit() {
        let b = taken("2026-11-22 12:00:00+00", 5, 5, 100 << 20, "(sku)")
            .view(
                "table_sizes",
                "relid | schemaname | relname | relkind | relation_size",
                &["2 | public | items | p | 0", "4 | public | items_1 | r | 104857600"],
            )
            .view(
                "pg_stat_user_tables",
                "relid | schemaname | relname | seq_scan | n_tup_del | n_live_tup",
                &[
                    "1 | public | orders | 0 | 5 | 9",
                    "2 | public | items | 0 | 0 | 9",
                    "4 | public | items_1 | 5 | 0 | 9",
                ],
            )
            .view(
                "partitions",
                "parent_relid | child_relid | parent_schema | parent | child_schema | child | bound",
                &["2 | 4 | public | items | public | items_1 | DEFAULT"],
            );
        let Outcome::Found { findings, .. } = judge(&RULE, &[b.build()], "") else { panic!() };
        assert_eq!(findings[0].severity, Severity::Medium, "its parts are what is read");
        assert!(findings[0].why.plain().contains("public.items completely (100 MB)"), "{}", findings[0].why.plain());
        let sql: Vec<&str> = findings[0].fixes[0].sql.lines().map(|l| l.split(" \"").next().unwrap_or(l)).collect();
        assert_eq!(
            sql,
            [
                "SET lock_timeout = '5s';",
                "CREATE INDEX",
                "SET statement_timeout = 0; SET lock_timeout = 0;",
                "CREATE INDEX CONCURRENTLY",
                "-- each again where it ran into the limit",
                "SET lock_timeout = '5s';",
                "ALTER INDEX",
                "SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid;",
            ]
        );
        let undo = findings[0].fixes[0].undo.as_deref().unwrap();
        let dropped: Vec<&str> = undo.lines().filter(|l| l.starts_with("DROP")).collect();
        assert_eq!(
            dropped,
            [
                "DROP INDEX IF EXISTS \"public\".\"items_order_id_idx\";",
                "DROP INDEX CONCURRENTLY IF EXISTS \"public\".\"items_1_order_id_idx\";"
            ],
            "what was not attached yet stays otherwise"
        );
    }

    #[test]
    fn the_checks_own_statement_is_proof() {
        let statements = |at: &str, calls: u32| {
            taken(at, 0, 0, 8192, "(sku)").view(
                "pg_stat_statements",
                "userid | dbid | queryid | toplevel | query | calls | total_exec_time",
                &[&format!("10 | 16697 | 5 | f | DELETE FROM ONLY \"public\".\"items\" WHERE $1 OPERATOR(pg_catalog.=) \"order_id\" | {calls} | {calls}")],
            )
        };
        let outcome = judge(&RULE, &[statements(A, 10).build(), statements(B, 30).build()], "");
        assert!(told(&outcome)[0].starts_with("low, high"), "{outcome:?}");
    }

    #[test]
    fn stays_quiet_with_an_index_and_skips_without_constraints() {
        assert_eq!(
            say(600, 2 << 30, "(order_id, sku)"),
            ["passed: 1 foreign keys, all with an index on their columns"]
        );
        assert_eq!(
            told(&judge(&RULE, &[literal(A).build()], "")),
            ["skipped, input missing: `constraints` is not in the dump"]
        );
    }
}
