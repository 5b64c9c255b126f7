//! Indexes of which many entries are read for few rows.

use crate::advisor::{Check, Checked, Context, Docs, IndexFact, Need, Rule, Threshold, show, whole};
use crate::diff::Change;
use crate::finding::{Confidence, Effort, Fix, Severity};
use crate::ident::quote_literal;
use crate::text::{Text, counted};
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "index-inefficient-scan",
    title: "Many index entries read for each row",
    needs: &[Need::View("pg_stat_user_indexes", &["idx_scan", "idx_tup_read", "idx_tup_fetch"])],
    wants: &[Need::Plans, Need::View("index_definitions", &["indexdef"])],
    thresholds: &[
        Threshold { name: "min_scans", default: 100.0, unit: Unit::Count, about: "Fewer scans are no habit." },
        Threshold {
            name: "min_entries_per_scan",
            default: 10_000.0,
            unit: Unit::Count,
            about: "So many entries are some forty pages of the index for each scan.",
        },
        Threshold {
            name: "max_fetched",
            default: 0.1,
            unit: Unit::Share,
            about: "Nine of ten entries led to no row by a plain index scan.",
        },
    ],
    docs: Docs {
        looks_at: "Entries that scans of each index returned, and rows fetched for them by plain index scans.",
        why: "A scan that returns ten thousand entries to find a few rows does most of its work for nothing: its condition is not the one \
              that chooses.",
        decides: "A hundred scans, ten thousand entries each, and less than a tenth of them fetched. Bitmap scans and index-only scans are \
                  not counted as fetched, so a B-tree with some rows fetched is only a note, and others are left alone; low where a plan of the dump shows rows of this index thrown \
                  away by a filter.",
        what_to_do: "Look at the plans of the statements: where a filter throws rows away, add its column behind the index's keys.",
        ignore_when: "Bitmap scans of large ranges, index-only counts.",
        references: "PostgreSQL manual, \"pg_stat_all_indexes\". What counts as fetched: observed on PostgreSQL 12 to 18.",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let mut checked = Checked::default();
    let mut looked = 0;
    let min_scans = ctx.threshold("min_scans");
    for index in &ctx.facts.indexes {
        let Some(change) = index.change else { continue };
        looked += 1;
        let delta = |column| change.delta(column).unwrap_or(0.0);
        // Column by column: of a million indexes nearly all end at the first.
        let scans = delta("idx_scan");
        if scans < min_scans {
            continue;
        }
        let (read, fetched) = (delta("idx_tup_read"), delta("idx_tup_fetch"));
        if read < ctx.threshold("min_entries_per_scan") * scans || fetched >= ctx.threshold("max_fetched") * read {
            continue;
        }
        // Other kinds are only read by bitmap scans, and where nothing was fetched at all, these too were: it says nothing.
        let tells = index.def().is_none_or(|d| d.method == "btree") && (fetched > 0.0 || filters(ctx, index));
        if tells {
            checked.findings.push(report(ctx, index, change, (scans, read, fetched)));
        }
    }
    checked.looked_at = format!("{}, none with very many entries a scan", counted(looked, "index", "indexes"));
    Ok(checked)
}

/// Whether a plan shows rows of the index thrown away by a filter.
fn filters(ctx: &Context<'_>, index: &IndexFact<'_>) -> bool {
    let scans = |n: &crate::explain::Node| {
        n.index.as_deref() == Some(index.name())
            && n.kind == "Index Scan"
            && n.removed_by_filter > n.actual.map_or(0.0, |a| a.rows)
    };
    ctx.facts.plans.all.iter().any(|of| of.ran().any(|(_, n)| scans(n)))
}

fn report<'a>(
    ctx: &Context<'a>,
    index: &IndexFact<'a>,
    change: Change<'a>,
    (scans, read, fetched): (f64, f64, f64),
) -> crate::finding::Finding {
    let shown = filters(ctx, index);
    let each = whole(read / scans, Unit::Count);
    let rows: Vec<_> = ctx.ends(change, &["idx_tup_read", "idx_scan"]);
    let finding = ctx
        .finding(
            if shown { Severity::Low } else { Severity::Info },
            index.subject(),
            Text::new()
                .opt(each)
                .t(" entries read in each scan, ")
                .opt(Quantity::share(fetched, read))
                .t(" of them for rows fetched"),
        )
        .why(if shown {
            "A plan in the dump shows it: a filter throws most of what the index finds away."
        } else {
            "Either its condition is not the one that chooses, or bitmap and index-only scans use it, which fetch rows uncounted."
        })
        .doubts([ctx.single_doubt(), ctx.class_doubt(change)])
        .measure(ctx.measure("Scans", change, "idx_scan"))
        .measure(ctx.measure("Entries read", change, "idx_tup_read"))
        .measure(ctx.measure("Rows fetched", change, "idx_tup_fetch"))
        .measure(ctx.over_window("Entries in each scan", each, format!("{} ÷ {}", show(read, Unit::Count), show(scans, Unit::Count)), &rows))
        .measure(ctx.over_window(
            "Entries for rows fetched",
            Quantity::share(fetched, read),
            format!("{} ÷ {}", show(fetched, Unit::Count), show(read, Unit::Count)),
            &rows,
        ))
        .fix(Fix::diagnose(
            index.display(),
            format!(
                "SELECT indexrelname, idx_scan, idx_tup_read, idx_tup_fetch, pg_get_indexdef(indexrelid)\n\
                 FROM pg_stat_user_indexes WHERE schemaname = {} AND relname = {};",
                quote_literal(index.schema()),
                quote_literal(index.table())
            ),
        ))
        .verify("Entries in each scan fall in the next window.")
        .effort(Effort::M);
    if shown { finding } else { finding.at_most(Confidence::Medium) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, plan_table, told, told_of_nothing};
    use crate::snapshot::Snapshot;
    use crate::snapshot::literal::literal;
    use std::sync::Arc;

    fn with(scans: u64, read: u64, fetched: u64, plan: Option<&str>) -> Vec<String> {
        let taken = |at: &str, row: &str| {
            literal(at)
                .view(
                    "pg_stat_user_indexes",
                    "relid | indexrelid | schemaname | relname | indexrelname | idx_scan | idx_tup_read | idx_tup_fetch",
                    &[&format!("7 | 8 | app | t | i | {row}")],
                )
                .build()
        };
        let a = taken("2026-11-22 10:00:00+00", "0 | 0 | 0");
        let mut b = Snapshot::clone(&taken("2026-11-22 11:00:00+00", &format!("{scans} | {read} | {fetched}")));
        if let Some(plan) = plan {
            b.tables.insert("plans", Arc::new(plan_table(plan)));
        }
        told(&judge(&RULE, &[a, Arc::new(b)], ""))
    }

    const M: u64 = 1_000_000;

    #[test]
    fn a_note_that_a_plan_makes_a_finding() {
        let said = "app.i: 50,000 entries read in each scan, 2% of them for rows fetched";
        assert_eq!(with(1_000, 50 * M, M, None), [format!("info, medium: {said}")]);
        let plan = "Index Scan using i on t  (cost=0.00..1.00 rows=1 width=4) (actual time=0.010..9.000 rows=3 loops=1)\n  Index Cond: (a = 1)\n  Filter: (b = 2)\n  Rows Removed by Filter: 49000\nExecution Time: 10.000 ms";
        assert_eq!(with(1_000, 50 * M, M, Some(plan)), [format!("low, high: {said}")]);
    }

    #[test]
    fn stays_quiet_below_each_floor() {
        for (scans, read, fetched) in [(90, 50 * M, M), (1_000, 9 * M, 9), (1_000, 50 * M, 6 * M), (1_000, 50 * M, 0)] {
            let told = with(scans, read, fetched, None);
            assert_eq!(told, ["passed: 1 index, none with very many entries a scan"], "{scans} {read} {fetched}");
        }
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_eq!(told_of_nothing(&RULE), "skipped, input missing: `pg_stat_user_indexes` is not in the dump");
    }
}
