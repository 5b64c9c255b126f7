//! Tables whose rows have no identity.

use crate::advisor::key_cure::{add_primary_key, published, tells_rows_apart};
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, TableFact, Threshold, show, whole};
use crate::finding::{Effort, Finding, Measure, Severity};
use crate::snapshot::Row;
use crate::text::Text;
use crate::unit::{Quantity, Unit};
use std::collections::BTreeSet;

/// The rule.
pub const RULE: Rule = Rule {
    id: "schema-no-pk",
    title: "Table without primary key",
    needs: &[Need::View("table_sizes", &["relkind", "reltuples"]), Need::View("constraints", &["contype", "relid"])],
    wants: &[Need::View("pg_stat_user_tables", &["n_tup_upd"])],
    thresholds: &[Threshold {
        name: "min_rows",
        default: 1_000.0,
        unit: Unit::Rows,
        about: "Smaller tables are often settings or scratch.",
    }],
    docs: Docs {
        looks_at: "Tables and partitioned tables of at least `min_rows` rows, their constraints and unique indexes, and \
                   whether rows are updated or deleted.",
        why: "Without a key a single row cannot be named: duplicates cannot be removed one by one, logical replication \
              refuses updates and deletes, and tools that change data online need one.",
        decides: "Found without a primary key and without a unique constraint or a plain unique index. Medium when rows are \
                  updated or deleted in what the counters cover, else low; a standby counts neither. Materialized views, partitions (their \
                  partitioned table is judged) and foreign tables cannot have one and are left out.",
        what_to_do: "Build a unique index with CONCURRENTLY on the columns that identify a row, then make it the primary \
                     key, which takes a short lock.",
        ignore_when: "Staging tables, append-only logs that nobody replicates, hypertables of extensions.",
        references: "PostgreSQL manual: Constraints (Primary Keys), Logical Replication (Restrictions). That materialized \
                     views stand in pg_stat_user_tables: observed on PostgreSQL 15.",
    },
    check,
};

fn check(cx: &Context<'_>) -> Check {
    let state = cx.state_or_skip("constraints")?;
    let keyed: BTreeSet<i64> = state
        .table
        .iter()
        .filter(|r| matches!(r.text("contype"), Some("p" | "u")))
        .filter_map(|r| r.int("relid"))
        .collect();
    let published = published(cx);
    let mut checked = Checked::default();
    let mut looked = 0;
    for table in &cx.facts.tables {
        let Some(relid) = table.relid() else { continue };
        let has_rows = rows(cx, table).is_some_and(|n| n >= cx.threshold("min_rows"));
        if table.is_kind("rp") != Some(true)
            || table.is_partition() == Some(true)
            || cx.facts.root(relid) != relid
            || !has_rows
        {
            continue;
        }
        looked += 1;
        let unique = cx.facts.indexes_of(relid).any(tells_rows_apart);
        if keyed.contains(&relid) || unique {
            continue;
        }
        checked
            .findings
            .push(report(cx, table, published.contains(&relid)).doubts([state.doubt(), cx.facts.sizes_doubt()]));
    }
    checked.looked_at =
        format!("{looked} tables of {} rows or more, all with a key", show(cx.threshold("min_rows"), Unit::Rows));
    Ok(checked)
}

/// The row and the column that a table's number of rows is from ([`TableFact::rows`]).
pub fn rows_from<'a>(table: &TableFact<'a>) -> Option<(Row<'a>, &'static [&'static str])> {
    match table.sizes.filter(|_| table.reltuples().is_some()) {
        Some(sizes) => Some((sizes, &["reltuples"])),
        None => Some((table.change?.last()?, &["n_live_tup"])),
    }
}

/// The partitions of a table.
fn partitions<'c, 'a>(cx: &'c Context<'a>, relid: i64) -> impl Iterator<Item = &'c TableFact<'a>> {
    cx.facts.tables.iter().filter(move |t| t.relid().is_some_and(|r| r != relid && cx.facts.root(r) == relid))
}

/// Rows of a partitioned table, with the rows that they were read from.
fn of_partitions<'a>(cx: &Context<'a>, table: &TableFact<'a>, rows: Option<Quantity>) -> Measure {
    let own = table.rows().0.unwrap_or(0.0);
    let parts: Vec<&TableFact<'a>> = table.relid().into_iter().flat_map(|relid| partitions(cx, relid)).collect();
    let sum: f64 = parts.iter().filter_map(|t| t.rows().0).sum();
    let cited: Vec<_> = std::iter::once(table).chain(parts).filter_map(rows_from).collect();
    let formula = format!("{} of its partitions, {} its own", show(sum, Unit::Rows), show(own, Unit::Rows));
    cx.computed("Rows", rows, formula, &cited)
}

/// Rows; of a partitioned table those of its partitions, where the root itself was never analyzed.
fn rows(cx: &Context<'_>, table: &TableFact<'_>) -> Option<f64> {
    let own = table.rows().0.unwrap_or(0.0);
    let relid = table.relid()?;
    if table.is_kind("p") != Some(true) {
        return Some(own);
    }
    Some(own.max(partitions(cx, relid).filter_map(|t| t.rows().0).sum()))
}

fn report<'a>(cx: &Context<'a>, table: &TableFact<'a>, published: bool) -> Finding {
    let written = |column| table.change.and_then(|c| c.delta(column)).unwrap_or(0.0);
    let (updated, deleted) = (written("n_tup_upd"), written("n_tup_del"));
    let severity = if updated + deleted > 0.0 { Severity::Medium } else { Severity::Low };
    let changed = whole(updated + deleted, Unit::Rows);
    let rows = whole(rows(cx, table).unwrap_or(0.0), Unit::Rows);
    // A standby counts no writes: its zeros say nothing of the primary.
    let counted = cx.is_standby() != Some(true);
    let mut title = Text::new().t("No primary key and no unique key; ").many(rows, "row", "rows");
    if counted {
        title = title.t(", ").many(changed, "row updated or deleted", "rows updated or deleted");
    }
    let mut finding = cx
        .finding(severity, table.subject(), title)
        .why("A single row cannot be named: not for removing one of two equal rows, not for logical replication of updates and deletes.")
        .fix(add_primary_key(table, published))
        .effort(Effort::M)
        .verify("The table has a constraint of type p.");
    if table.is_kind("p") == Some(true) {
        finding = finding.measure(of_partitions(cx, table, rows));
    } else if let Some(sizes) = table.sizes.filter(|_| table.reltuples().is_some()) {
        finding = finding.measure(cx.read("Rows", sizes, "reltuples"));
    } else if let Some(change) = table.change {
        finding = finding.measure(cx.measure("Live rows (est.)", change, "n_live_tup"));
    }
    if counted {
        const LABEL: &str = "Rows updated or deleted";
        let none = "no row of pg_stat_user_tables counts any";
        finding = finding.measure(match table.change {
            Some(change) => cx.sum(LABEL, change, &["n_tup_upd", "n_tup_del"], Unit::Rows),
            None => cx.over_window(LABEL, changed, none.to_owned(), &[]),
        });
    }
    if let Some(change) = table.change.filter(|_| counted) {
        finding = finding.measure(cx.measure("Rows updated", change, "n_tup_upd")).measure(cx.measure(
            "Rows deleted",
            change,
            "n_tup_del",
        ));
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::{Literal, literal};

    /// PostgreSQL builds no unique index of a partitioned table concurrently, and makes no constraint of a ready one.
    #[test]
    fn a_partitioned_table_gets_its_key_in_one_statement() {
        let sql = |kind: &str| {
            let crate::finding::Outcome::Found { findings, .. } = judge(&RULE, &[taken(kind, 9_000, "c").build()], "")
            else {
                panic!()
            };
            findings[0].fixes[0].sql.clone()
        };
        assert!(sql("r").contains("CREATE UNIQUE INDEX CONCURRENTLY"));
        let whole = sql("p");
        assert!(!whole.contains("CONCURRENTLY") && !whole.contains("USING INDEX"), "{whole}");
        assert!(whole.ends_with("ADD CONSTRAINT \"log_pkey\" PRIMARY KEY (<columns>);"), "{whole}");
        assert!(whole.contains("pg_get_partkeydef('\"public\".\"log\"'::regclass)"), "{whole}");
    }

    const NOON: &str = "2026-11-22 12:00:00+00";

    fn taken(kind: &str, rows: u32, constraint: &str) -> Literal {
        literal(NOON)
            .view(
                "table_sizes",
                "relid | schemaname | relname | relkind | relispartition | reltuples | relpages",
                &[&format!("1 | public | log | {kind} | f | {rows} | 10")],
            )
            .view(
                "constraints",
                "oid | relid | conname | contype | convalidated",
                &[&format!("9 | 1 | x | {constraint} | t")],
            )
    }

    #[test]
    fn a_published_table_gets_its_key_on_subscribers_first() {
        let fix = |relid: u32| {
            let b = taken("r", 9_000, "c").view(
                "publication_tables",
                "pubname | relid | schemaname | relname",
                &[&format!("all | {relid} | public | log")],
            );
            let crate::finding::Outcome::Found { findings, .. } = judge(&RULE, &[b.build()], "") else { panic!() };
            let fix = findings[0].fixes[0].clone();
            (fix.sql.starts_with("-- it is published"), fix.when_not.unwrap().plain().contains("subscribers need"))
        };
        assert_eq!((fix(1), fix(2)), ((true, true), (false, false)));
    }

    #[test]
    fn finds_one_without() {
        assert_eq!(
            told(&judge(&RULE, &[taken("r", 5_000, "c").build()], "")),
            ["low, high: public.log: No primary key and no unique key; 5,000 rows, 0 rows updated or deleted"]
        );
    }

    #[test]
    fn a_standby_does_not_say_that_nothing_is_changed() {
        assert_eq!(
            told(&judge(&RULE, &[taken("r", 5_000, "c").meta(|m| m.in_recovery = Some(true)).build()], "")),
            ["low, high: public.log: No primary key and no unique key; 5,000 rows"]
        );
    }

    #[test]
    fn stays_quiet_where_there_is_one_or_cannot_be() {
        for (kind, rows, constraint) in
            [("r", 5_000, "p"), ("r", 5_000, "u"), ("m", 5_000, "c"), ("f", 5_000, "c"), ("r", 999, "c")]
        {
            let outcome = judge(&RULE, &[taken(kind, rows, constraint).build()], "");
            assert!(told(&outcome)[0].starts_with("passed"), "{kind} {rows} {constraint}: {outcome:?}");
        }
    }

    #[test]
    fn skips_without_constraints() {
        let b = literal(NOON).view("table_sizes", "relid | relkind | reltuples", &["1 | r | 5000"]);
        assert_eq!(told(&judge(&RULE, &[b.build()], "")), ["skipped, input missing: `constraints` is not in the dump"]);
    }
}
