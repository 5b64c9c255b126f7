//! Rows that no partition was made for.

use super::schema_no_pk::rows_from;
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Threshold, show};
use crate::diff::Change;
use crate::finding::{Doubt, Effort, Fix, Severity};
use crate::text::{Text, counted};
use crate::unit::{Quantity, Unit};
use std::collections::BTreeMap;

/// The rule.
pub const RULE: Rule = Rule {
    id: "schema-default-partition",
    title: "Default partition fills",
    needs: &[
        Need::View("partitions", &["parent_relid", "child_relid", "bound"]),
        Need::View("pg_stat_user_tables", &["n_tup_ins", "n_live_tup"]),
    ],
    wants: &[Need::View("table_sizes", &["reltuples"])],
    thresholds: &[
        Threshold {
            name: "min_rows",
            default: 1_000.0,
            unit: Unit::Rows,
            about: "A few stray rows are moved in a moment.",
        },
        Threshold {
            name: "min_share",
            default: 0.1,
            unit: Unit::Share,
            about: "A tenth of the rows: partitioning serves the rest only.",
        },
        Threshold {
            name: "min_inserted",
            default: 100.0,
            unit: Unit::Rows,
            about: "So many in the window: partitions are missing now.",
        },
    ],
    docs: Docs {
        looks_at: "Rows in the default partition of each partitioned table, their share of all its rows, and rows inserted there in \
                   the window.",
        why: "Rows land there for which no partition was made. Each query that is not told otherwise reads it, nothing can be \
              dropped by detaching, and making the missing partition later searches and locks it.",
        decides: "A thousand rows and a tenth of all rows, or a hundred inserted in the window. A table whose only partition it is is \
                  left alone.",
        what_to_do: "Detach it, make the missing partitions, move the rows in batches, attach a new empty default partition.",
        ignore_when: "Most values are meant to stay in it, as with a list of a few large tenants.",
        references: "PostgreSQL manual, \"Table Partitioning\"; \"CREATE TABLE\" (DEFAULT).",
    },
    check,
};

fn check(cx: &Context<'_>) -> Check {
    let state = cx.state_or_skip("partitions")?;
    let mut tables: BTreeMap<i64, Vec<_>> = BTreeMap::new();
    for row in state.table.iter() {
        if let Some(parent) = row.int("parent_relid").filter(|_| row.text("bound").is_some()) {
            tables.entry(parent).or_default().push(row);
        }
    }
    let mut checked = Checked::default();
    let mut defaults = 0;
    for rows in tables.values().filter(|rows| rows.len() > 1) {
        let is_default = |row: &&_| crate::snapshot::Row::text(**row, "bound").map(str::trim) == Some("DEFAULT");
        let Some(row) = rows.iter().find(is_default) else { continue };
        let Some(table) = row.int("child_relid").and_then(|r| cx.facts.table(r)) else { continue };
        defaults += 1;
        let (held, doubt) = table.rows();
        let of = |r: &crate::snapshot::Row<'_>| cx.facts.table(r.int("child_relid")?)?.rows().0;
        let all: f64 = rows.iter().filter_map(of).sum();
        let inserted = table.change.filter(|_| !cx.chain.is_single()).and_then(|c: Change<'_>| c.delta("n_tup_ins"));
        let held = held.unwrap_or(0.0);
        let share = held / all.max(1.0);
        let rising = inserted.is_some_and(|n| n >= cx.threshold("min_inserted"));
        if !rising && (held < cx.threshold("min_rows") || share < cx.threshold("min_share")) {
            continue;
        }
        let parts = rows.iter().filter_map(|r| cx.facts.table(r.int("child_relid")?)).filter_map(rows_from);
        let cited: Vec<_> = std::iter::once((*row, ["bound"].as_slice())).chain(parts).collect();
        let root = crate::ident::display_qualified(
            row.text("parent_schema").unwrap_or_default(),
            row.text("parent").unwrap_or_default(),
        );
        let title = Text::new()
            .t("The default partition of ")
            .name(root)
            .t(" holds ")
            .many(Quantity::float(held, Unit::Rows), "row", "rows")
            .t(", ")
            .opt(Quantity::float(share, Unit::Share))
            .t(" of all");
        let mut finding = cx
            .finding(Severity::Medium, table.subject(), title)
            .why("No partition was made for them: queries cannot skip it, and making the missing partition searches and locks it.")
            .doubts([state.doubt(), doubt.or(Some(Doubt::C5)).filter(|_| !rising)])
            .measure(cx.computed(
                "Share of the table's rows",
                Quantity::float(share, Unit::Share),
                format!("{} ÷ {}", show(held, Unit::Rows), show(all.max(1.0), Unit::Rows)),
                &cited,
            ))
            .fix(Fix::diagnose(
                table.display(),
                format!("SELECT count(*) FROM {};\nSELECT * FROM {} LIMIT 20;", table.sql(), table.sql()),
            ))
            .verify("No rows are inserted into it in the next window.")
            .effort(Effort::L);
        if let Some(change) = table.change {
            finding = finding.measure(cx.measure("Rows inserted into it", change, "n_tup_ins"));
        }
        checked.findings.push(finding);
    }
    checked.looked_at = counted(defaults, "default partition", "default partitions");
    Ok(checked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::literal;

    fn over_an_hour(held: &str, inserted: &str) -> Vec<String> {
        let taken = |at: &str, inserted: &str| {
            literal(at)
                .view(
                    "partitions",
                    "parent_relid | parent_schema | parent | child_relid | child_schema | child | bound",
                    &[
                        "1 | public | m | 2 | public | m1 | FOR VALUES IN ('a')",
                        "1 | public | m | 3 | public | m_rest | DEFAULT",
                    ],
                )
                .view(
                    "pg_stat_user_tables",
                    "relid | schemaname | relname | n_tup_ins | n_live_tup",
                    &["2 | public | m1 | 9000 | 9000", &format!("3 | public | m_rest | {inserted} | {held}")],
                )
                .build()
        };
        told(&judge(&RULE, &[taken("2026-11-22 10:00:00+00", "0"), taken("2026-11-22 11:00:00+00", inserted)], ""))
    }

    #[test]
    fn a_default_partition_that_holds_much_or_fills_is_told() {
        assert_eq!(
            over_an_hour("3000", "0"),
            ["medium, medium: public.m_rest: The default partition of public.m holds 3,000 rows, 25% of all"]
        );
        assert_eq!(
            over_an_hour("300", "250"),
            ["medium, high: public.m_rest: The default partition of public.m holds 300 rows, 3.2% of all"]
        );
        assert_eq!(over_an_hour("300", "20"), ["passed: 1 default partition"]);
    }

    #[test]
    fn says_where_it_cannot_know() {
        let b = literal("2026-11-22 12:00:00+00").build();
        assert_eq!(told(&judge(&RULE, &[b], "")), ["skipped, input missing: `partitions` is not in the dump"]);
    }
}
