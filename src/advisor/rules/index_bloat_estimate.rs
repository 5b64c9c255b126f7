//! B-trees much larger than their entries.

use crate::advisor::bloat::{self, Estimate};
use crate::advisor::index_cure::reindex;
use crate::advisor::{Check, Checked, Context, Docs, IndexFact, Need, Rule, Threshold, show};
use crate::finding::{Doubt, Effort, Finding, Severity};
use crate::snapshot::{Row, parse_array};
use crate::text::{Text, counted};
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "index-bloat-estimate",
    title: "Index much larger than its entries",
    needs: &[
        Need::Primary,
        Need::View("index_definitions", &["indexdef", "relpages", "reltuples"]),
        Need::View("pg_stats", &["schemaname", "tablename", "attname", "avg_width"]),
    ],
    wants: &[Need::View("index_definitions", &["index_size", "reloptions", "indisvalid"])],
    thresholds: &[
        Threshold {
            name: "min_waste",
            default: 0.5,
            unit: Unit::Share,
            about: "B-trees are normally a third empty; half and more is not normal.",
        },
        Threshold {
            name: "min_waste_bytes",
            default: 1_073_741_824.0,
            unit: Unit::Bytes,
            about: "Less is not worth a rebuild.",
        },
        Threshold {
            name: "medium_waste_bytes",
            default: 10_737_418_240.0,
            unit: Unit::Bytes,
            about: "A measurable part of disk, backup and cache.",
        },
    ],
    docs: Docs {
        looks_at: "Pages of each B-tree against the pages its entries need, by the mean widths of its columns that ANALYZE saw.",
        why: "Entries of deleted rows leave half-empty pages behind that are only used again for neighbouring values. The \
              cache and every scan of a range carry them.",
        decides: "Entries × (4 + 8 + mean widths + 8 where a column has NULLs, rounded up to 8) bytes, pages filled to the \
                  fillfactor (90 % where not set); entries and pages as the same VACUUM or ANALYZE counted them. Found when `min_waste` \
                  of the pages and `min_waste_bytes` are not needed. Low; medium from `medium_waste_bytes` on. From 13 on equal \
                  entries are stored once, so the real waste may be higher. An estimate, so never more than medium in \
                  confidence. Left out: other kinds of indexes, invalid ones, expressions as keys, columns without statistics.",
        what_to_do: "REINDEX CONCURRENTLY, with free space of the size of the index. Measure with pgstatindex() before: \
                     avg_leaf_density below 50 confirms it.",
        ignore_when: "Pages fill again: a queue whose values come back, an index on a column of random values.",
        references: "PostgreSQL manual: Routine Reindexing; B-Tree Indexes (Deduplication); pgstattuple. The estimate \
                     follows the statistical bloat queries by ioguix.",
    },
    check,
};

fn check(cx: &Context<'_>) -> Check {
    let block = cx.chain.last().meta.block_bytes() as f64;
    let (min_waste, min_bytes) = (cx.threshold("min_waste"), cx.threshold("min_waste_bytes"));
    let mut checked = Checked::default();
    let (mut looked, mut blind, mut most) = (0, 0, 0.0_f64);
    for index in &cx.facts.indexes {
        let large = index.bytes().is_some_and(|b| b as f64 >= min_bytes);
        if !large || index.is_partitioned() || index.is_valid() == Some(false) {
            continue;
        }
        let Some(row) = index.definition else { continue };
        let Some((estimate, columns)) = estimate(cx, index, row, block) else {
            blind += 1;
            continue;
        };
        looked += 1;
        most = most.max(estimate.waste());
        if estimate.waste() >= min_waste && estimate.waste_bytes(block) >= min_bytes {
            checked.findings.push(report(cx, index, row, &columns, &estimate));
        }
    }
    let unknown = if blind > 0 {
        format!("; {blind} more that cannot be estimated (no B-tree, an expression, a column without statistics)")
    } else {
        String::new()
    };
    checked.looked_at = format!(
        "{} of {} or more, at most {} not needed (est.){unknown}",
        counted(looked, "B-tree", "B-trees"),
        show(min_bytes, Unit::Bytes),
        show(most, Unit::Share)
    );
    Ok(checked)
}

/// The estimate and the statistics of its columns; `None` where the index is of another kind or a width is not known.
fn estimate<'a>(cx: &Context<'a>, index: &IndexFact<'a>, row: Row<'a>, block: f64) -> Option<(Estimate, Vec<Row<'a>>)> {
    let def = index.def().filter(|d| d.method == "btree" && !d.has_expression())?;
    let names = def.keys.iter().map(|k| &k.text).chain(&def.include);
    let columns: Vec<Row<'a>> =
        names.map(|name| cx.facts.column(index.schema(), index.table(), name)).collect::<Option<_>>()?;
    let entries = row.f64("reltuples").filter(|n| *n >= 0.0)?;
    let pages = row.f64("relpages").filter(|n| *n > 0.0)?;
    let nulls = columns.iter().any(|c| c.f64("null_frac").is_some_and(|n| n > 0.0));
    let options = row.text("reloptions").map(parse_array).unwrap_or_default();
    let fill = options.iter().find_map(|o| o.strip_prefix("fillfactor=").map(str::to_owned));
    let width = bloat::width(&columns);
    Some((bloat::btree(entries, width, nulls, pages, bloat::fillfactor(fill, 0.9), block), columns))
}

fn report<'a>(
    cx: &Context<'a>,
    index: &IndexFact<'a>,
    row: Row<'a>,
    columns: &[Row<'a>],
    estimate: &Estimate,
) -> Finding {
    let waste = estimate.waste_bytes(cx.chain.last().meta.block_bytes() as f64);
    let severity = if waste >= cx.threshold("medium_waste_bytes") { Severity::Medium } else { Severity::Low };
    let (bytes, part) = (Quantity::float(waste, Unit::Bytes), Quantity::float(estimate.waste(), Unit::Share));
    let title = Text::new().t("About ").opt(bytes).t(" are not needed, ").opt(part).t(" of the index (estimate)");
    let mut rows = vec![(row, &["reltuples", "relpages", "reloptions"][..])];
    rows.extend(columns.iter().map(|r| (*r, &["avg_width", "null_frac"][..])));
    let formula = format!(
        "1 − {} ÷ {}, {}; {}",
        show(estimate.ideal, Unit::Blocks),
        show(estimate.pages, Unit::Blocks),
        show(waste, Unit::Bytes),
        estimate.formula
    );
    cx.finding(severity, index.subject(), title)
        .doubts([Some(Doubt::C5), cx.facts.planner.and_then(|p| p.doubt())])
        .doubts([cx.facts.definitions.and_then(|d| d.doubt())])
        .why("Pages that are half empty take cache and disk like full ones, and are used again only for neighbouring values.")
        .measure(cx.read("Size", row, "index_size"))
        .measure(cx.read("Entries (est.)", row, "reltuples"))
        .measure(cx.computed("Not needed (est.)", part, formula, &rows))
        .share(cx.facts.total_bytes().map(|all| waste / all.max(1.0)))
        .effort(Effort::M)
        .verify("index_size has fallen after the rebuild; if it grows back within days, leave it.")
        .fix(reindex(index))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::finding::Outcome;
    use crate::snapshot::literal::literal;

    const MB: &str = "[rules.index-bloat-estimate]\nmin_waste_bytes = \"1MB\"";

    /// 100,000 bigints need 274 pages.
    fn judged(pages: u32, using: &str, config: &str) -> Outcome {
        let row = format!(
            "7 | 1 | public | t | i | CREATE INDEX i ON public.t USING {using} | t | {pages} | 100000 | {}",
            u64::from(pages) * 8192
        );
        let b = literal("2026-11-22 12:00:00+00")
            .view(
                "index_definitions",
                "indexrelid | relid | schemaname | relname | indexrelname | indexdef | indisvalid | relpages | reltuples | index_size",
                &[&row],
            )
            .view(
                "pg_stats",
                "schemaname | tablename | attname | inherited | null_frac | avg_width",
                &["public | t | a | f | 0 | 8"],
            );
        judge(&RULE, &[b.build()], config)
    }

    #[test]
    fn four_times_the_pages_are_too_many() {
        let outcome = judged(1104, "btree (a)", MB);
        assert_eq!(
            told(&outcome),
            ["low, medium: public.i: About 6.48 MB are not needed, 75.2% of the index (estimate)"]
        );
        let Outcome::Found { findings, .. } = outcome else { panic!() };
        assert!(findings[0].fixes[0].sql.contains("REINDEX INDEX CONCURRENTLY \"public\".\"i\";"));
    }

    #[test]
    fn stays_quiet_about_fresh_ones_small_ones_and_what_it_cannot_know() {
        assert!(told(&judged(276, "btree (a)", MB))[0].starts_with("passed: 1 B-tree of 1 MB or more, at most 0.7%"));
        assert!(told(&judged(1104, "btree (a)", ""))[0].starts_with("passed: 0 B-trees of 1 GB or more"));
        for using in ["gin (a)", "btree (lower(a))", "btree (b)"] {
            assert!(told(&judged(1104, using, MB))[0].contains("1 more that cannot be estimated"), "{using}");
        }
    }

    #[test]
    fn skips_without_widths() {
        let b = literal("2026-11-22 12:00:00+00").view("index_definitions", "indexdef | relpages | reltuples", &[]);
        assert_eq!(told(&judge(&RULE, &[b.build()], "")), ["skipped, input missing: `pg_stats` is not in the dump"]);
    }
}
