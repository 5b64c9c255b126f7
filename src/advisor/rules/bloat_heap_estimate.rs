//! Heaps much larger than their rows.

use crate::advisor::bloat::{self, Estimate};
use crate::advisor::vacuum_cure::rewrite;
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, TableFact, Threshold, show};
use crate::diff::Change;
use crate::finding::{Doubt, Effort, Finding, Severity};
use crate::snapshot::Row;
use crate::text::{Text, counted};
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "bloat-heap-estimate",
    title: "Table much larger than its rows",
    needs: &[
        Need::Primary,
        Need::View("table_sizes", &["reltuples", "relpages"]),
        Need::View("pg_stats", &["schemaname", "tablename", "avg_width"]),
    ],
    wants: &[Need::View("table_sizes", &["relnatts", "reloptions"]), Need::View("pg_stat_user_tables", &["n_tup_del"])],
    thresholds: &[
        Threshold {
            name: "min_waste",
            default: 0.5,
            unit: Unit::Share,
            about: "The estimate is off by a fifth at times; half of the table is not.",
        },
        Threshold {
            name: "min_waste_bytes",
            default: 1_073_741_824.0,
            unit: Unit::Bytes,
            about: "Less is not worth a rewrite.",
        },
        Threshold {
            name: "medium_share",
            default: 0.2,
            unit: Unit::Share,
            about: "Of all tables and indexes: backups and caches are felt to be larger.",
        },
        Threshold {
            name: "mass_delete",
            default: 0.2,
            unit: Unit::Share,
            about: "Of the rows, deleted in the window: the space may be filled again.",
        },
    ],
    docs: Docs {
        looks_at: "Pages of each table against the pages its rows need, by the mean widths that ANALYZE saw.",
        why: "VACUUM makes the space of dead rows usable again and hardly ever gives it back. Scans, backups and the \
              cache carry the empty pages.",
        decides: "Rows × (28 + mean widths, rounded up to 8) bytes, whole rows to a page, the fillfactor applied; rows and \
                  pages as the same VACUUM or ANALYZE counted them. Found when `min_waste` of the pages and `min_waste_bytes` are \
                  not needed. Low; medium from `medium_share` of all bytes on; a note where `mass_delete` of the rows were \
                  deleted in the window. An estimate, so never more than medium in confidence. Tables with a column that \
                  ANALYZE has not seen, that the exporting role may not read or that was dropped are left out, and counted.",
        what_to_do: "Find the cause first (dead rows, a transaction that held them back, a mass delete), or it comes back. \
                     Measure with pgstattuple_approx(). Then VACUUM FULL in a maintenance window, or a tool that \
                     rewrites online.",
        ignore_when: "The table will grow into the space again: then it is only filled.",
        references: "PostgreSQL manual: VACUUM; Recovering Disk Space; Database Page Layout. The estimate follows the \
                     statistical bloat queries by ioguix.",
    },
    check,
};

fn check(cx: &Context<'_>) -> Check {
    let block = cx.chain.last().meta.block_bytes() as f64;
    let (min_waste, min_bytes) = (cx.threshold("min_waste"), cx.threshold("min_waste_bytes"));
    let mut checked = Checked::default();
    let (mut looked, mut blind, mut most) = (0, 0, 0.0_f64);
    for table in cx.facts.large(min_bytes) {
        // Only these have rows of their own in pages of this layout.
        if table.is_kind("rm") == Some(false) {
            continue;
        }
        let Some(sizes) = table.sizes else { continue };
        let (Some(columns), Some(rows)) = (bloat::known_columns(cx, table), table.reltuples()) else {
            blind += 1;
            continue;
        };
        looked += 1;
        let Some(pages) = sizes.f64("relpages").filter(|p| *p > 0.0) else { continue };
        let fill = bloat::fillfactor(table.option("fillfactor"), 1.0);
        let estimate = bloat::heap(rows, bloat::width(&columns), pages, fill, block);
        most = most.max(estimate.waste());
        if estimate.waste() >= min_waste && estimate.waste_bytes(block) >= min_bytes {
            checked.findings.push(report(cx, table, sizes, &columns, &estimate));
        }
    }
    let unknown = if blind > 0 { format!("; {blind} more without statistics of all columns") } else { String::new() };
    checked.looked_at = format!(
        "{} of {} or more, at most {} not needed (est.){unknown}",
        counted(looked, "table", "tables"),
        show(min_bytes, Unit::Bytes),
        show(most, Unit::Share)
    );
    Ok(checked)
}

/// Deleted in the window, as a share of the rows there were.
fn deleted(change: Option<Change<'_>>, rows: f64) -> Option<f64> {
    let gone = change?.delta("n_tup_del")?;
    Some(gone / (rows + gone).max(1.0))
}

fn report<'a>(
    cx: &Context<'a>,
    table: &TableFact<'a>,
    sizes: Row<'a>,
    columns: &[Row<'a>],
    estimate: &Estimate,
) -> Finding {
    let block = cx.chain.last().meta.block_bytes() as f64;
    let waste = estimate.waste_bytes(block);
    let share = cx.facts.total_bytes().map(|all| waste / all.max(1.0));
    let mass = deleted(table.change, table.reltuples().unwrap_or(0.0)).filter(|d| *d >= cx.threshold("mass_delete"));
    let severity = if mass.is_some() && !cx.chain.is_single() {
        Severity::Info
    } else if share.is_some_and(|s| s >= cx.threshold("medium_share")) {
        Severity::Medium
    } else {
        Severity::Low
    };
    let (bytes, part) = (Quantity::float(waste, Unit::Bytes), Quantity::float(estimate.waste(), Unit::Share));
    let title = Text::new().t("About ").opt(bytes).t(" are not needed, ").opt(part).t(" of the heap (estimate)");
    let mut rows = vec![(sizes, &["reltuples", "relpages", "reloptions"][..])];
    rows.extend(columns.iter().take(3).map(|r| (*r, &["avg_width"][..])));
    let formula = format!(
        "1 − {} ÷ {}; {}",
        show(estimate.ideal, Unit::Blocks),
        show(estimate.pages, Unit::Blocks),
        estimate.formula
    );
    let in_bytes = format!(
        "({} − {}) × {}",
        show(estimate.pages, Unit::Blocks),
        show(estimate.ideal, Unit::Blocks),
        show(block, Unit::Bytes)
    );
    let mut finding = cx
        .finding(severity, table.subject(), title)
        .doubts([Some(Doubt::C5), cx.facts.sizes_doubt(), cx.facts.planner.and_then(|p| p.doubt())])
        .why("Scans, backups and the cache carry pages that hold nothing; vacuum fills them again and rarely gives them back.")
        .measure(cx.read("Heap", sizes, "relation_size"))
        .measure(cx.read("Rows (est.)", sizes, "reltuples"))
        .measure(cx.computed("Not needed (est.)", part, formula, &rows))
        .measure(cx.computed("Bytes not needed (est.)", bytes, in_bytes, &rows))
        .share(share)
        .effort(Effort::L)
        .verify("relation_size has fallen after the rewrite, and does not rise again with the same number of rows.");
    if let Some(change) = table.change {
        finding = finding.measure(cx.measure("Dead rows (est.)", change, "n_dead_tup"));
    }
    if severity == Severity::Info {
        let mass = mass.and_then(|m| Quantity::float(m, Unit::Share));
        let gone = table.change.and_then(|c| c.delta("n_tup_del")).unwrap_or(0.0);
        let (gone, left) = (show(gone, Unit::Rows), show(table.reltuples().unwrap_or(0.0), Unit::Rows));
        let mut rows = vec![(sizes, &["reltuples"][..])];
        rows.extend(table.change.and_then(Change::last).map(|r| (r, &["n_tup_del"][..])));
        finding = finding.measure(cx.over_window("Rows deleted", mass, format!("{gone} ÷ ({left} + {gone})"), &rows));
        return finding.not(Text::new().opt(mass).t(" of its rows were deleted in the window: it may fill again."));
    }
    finding.fix(rewrite(table))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::finding::Outcome;
    use crate::snapshot::literal::{Literal, literal};

    const MB: &str = "[rules.bloat-heap-estimate]\nmin_waste_bytes = \"1MB\"";

    /// 100,000 rows of two bigints need 541 pages.
    fn taken(at: &str, pages: u32, columns: u32, deleted: u32) -> Literal {
        literal(at)
            .view("pg_stat_user_tables", "relid | schemaname | relname | n_dead_tup | n_tup_del", &[&format!("1 | public | t | 0 | {deleted}")])
            .view(
                "table_sizes",
                "relid | schemaname | relname | relkind | reltuples | relpages | relation_size | total_relation_size | relnatts",
                &[&format!("1 | public | t | r | 100000 | {pages} | {} | 99000000 | {columns}", u64::from(pages) * 8192)],
            )
            .view(
                "pg_stats",
                "schemaname | tablename | attname | inherited | null_frac | avg_width",
                &["public | t | a | f | 0 | 8", "public | t | b | f | 0 | 8"],
            )
    }

    fn say(pages: u32, columns: u32, config: &str) -> Vec<String> {
        told(&judge(&RULE, &[taken("2026-11-22 12:00:00+00", pages, columns, 0).build()], config))
    }

    #[test]
    fn four_times_the_pages_are_too_many() {
        let outcome = judge(&RULE, &[taken("2026-11-22 12:00:00+00", 2164, 2, 0).build()], MB);
        assert_eq!(told(&outcome), ["low, medium: public.t: About 12.7 MB are not needed, 75% of the heap (estimate)"]);
        let Outcome::Found { findings, .. } = outcome else { panic!() };
        assert!(findings[0].fixes[0].sql.ends_with("VACUUM (FULL, ANALYZE, VERBOSE) \"public\".\"t\";"));
    }

    #[test]
    fn stays_quiet_about_full_tables_small_ones_and_unknown_columns() {
        assert_eq!(say(541, 2, MB), ["passed: 1 table of 1 MB or more, at most 0% not needed (est.)"]);
        assert!(say(2164, 2, "")[0].starts_with("passed: 0 tables of 1 GB or more"));
        assert_eq!(
            say(2164, 3, MB),
            [
                "passed: 0 tables of 1 MB or more, at most 0% not needed (est.); 1 more without statistics of all columns"
            ]
        );
    }

    #[test]
    fn a_mass_delete_is_a_note() {
        let series = [taken("2026-11-22 12:00:00+00", 2164, 2, 0), taken("2026-11-22 13:00:00+00", 2164, 2, 90_000)];
        let outcome = judge(&RULE, &series.map(Literal::build), MB);
        assert!(told(&outcome)[0].starts_with("info"));
    }

    #[test]
    fn skips_without_widths() {
        let b = literal("2026-11-22 12:00:00+00").view("table_sizes", "relid | reltuples | relpages", &["1 | 5 | 5"]);
        assert_eq!(told(&judge(&RULE, &[b.build()], "")), ["skipped, input missing: `pg_stats` is not in the dump"]);
    }
}
