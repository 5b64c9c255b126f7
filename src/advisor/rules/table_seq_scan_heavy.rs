//! Large tables that are read completely again and again.

use crate::advisor::span::Span;
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, TableFact, Threshold, show};
use crate::diff::Change;
use crate::finding::{Effort, Finding, Fix, Measure, Severity};
use crate::ident::quote_literal;
use crate::text::Text;
use crate::unit::{Quantity, Unit};

const DAY: f64 = 86_400.0;

/// The rule.
pub const RULE: Rule = Rule {
    id: "table-seq-scan-heavy",
    title: "Large table read completely again and again",
    needs: &[
        Need::View("pg_stat_user_tables", &["seq_tup_read"]),
        Need::View("table_sizes", &["reltuples", "relation_size"]),
    ],
    wants: &[Need::View("pg_stat_statements", &["query"]), Need::View("index_definitions", &["indexdef"])],
    thresholds: &[
        Threshold {
            name: "min_heap_bytes",
            default: 10_485_760.0,
            unit: Unit::Bytes,
            about: "Below about a thousand pages a sequential scan is normally the right plan.",
        },
        Threshold {
            name: "min_passes",
            default: 10.0,
            unit: Unit::Count,
            about: "One dump in a short window is not a habit.",
        },
        Threshold {
            name: "min_passes_per_day",
            default: 10.0,
            unit: Unit::PerDay,
            about: "Above a nightly dump and an index build.",
        },
        Threshold {
            name: "min_bytes_per_second",
            default: 1_048_576.0,
            unit: Unit::BytesPerSecond,
            about: "Visible I/O.",
        },
        Threshold {
            name: "min_share",
            default: 0.05,
            unit: Unit::Share,
            about: "Of all rows read by sequential scans.",
        },
        Threshold {
            name: "high_bytes_per_second",
            default: 52_428_800.0,
            unit: Unit::BytesPerSecond,
            about: "A measurable part of what storage and memory can move.",
        },
        Threshold {
            name: "low_passes_per_day",
            default: 50.0,
            unit: Unit::PerDay,
            about: "With a heap below low_heap_bytes: an easy win, no more.",
        },
        Threshold {
            name: "low_heap_bytes",
            default: 104_857_600.0,
            unit: Unit::Bytes,
            about: "Such a heap usually stays in memory.",
        },
        Threshold {
            name: "min_window",
            default: 600.0,
            unit: Unit::Seconds,
            about: "A share of the load needs ten minutes of load.",
        },
        Threshold {
            name: "sure_window",
            default: 3_600.0,
            unit: Unit::Seconds,
            about: "Below an hour one step less sure.",
        },
    ],
    docs: Docs {
        looks_at: "Rows read by sequential scans of each table in the window, divided by the rows it has: how many times \
                   it was read completely, and never more often than it was scanned. The number of scans alone says \
                   little: rescans, parallel workers, COPY and index builds inflate it.",
        why: "Each pass reads the whole heap, from storage or through the cache, whatever the query needed.",
        decides: "Found from `min_heap_bytes` on, with `min_passes` in the window and `min_passes_per_day`, when the passes move \
                  `min_bytes_per_second` or are `min_share` of all rows read by sequential scans. Medium; high from \
                  `high_bytes_per_second` on; low below `low_passes_per_day` on a heap below `low_heap_bytes`. Indexes created in the window \
                  are subtracted, one pass each. A ratio of sequential to index scans says nothing and is not used.",
        what_to_do: "Find the statements, look at their plans; an index helps where few rows are kept.",
        ignore_when: "Reports and exports that need every row: a full scan is right. Conditions that keep most rows.",
        references: "PostgreSQL manual: The Cumulative Statistics System (pg_stat_all_tables), Using EXPLAIN. What counts \
                     as a scan: observed on PostgreSQL 12 to 18.",
    },
    check,
};

struct Passes {
    count: f64,
    per_day: f64,
    bytes_per_second: f64,
    share: f64,
    rows: f64,
    read: f64,
    scans: f64,
    window: f64,
    built: usize,
    all: f64,
}

fn check(cx: &Context<'_>) -> Check {
    cx.window_of("min_window")?;
    let all = cx.changes_or_skip("pg_stat_user_tables")?.total("seq_tup_read");
    let mut checked = Checked::default();
    let (mut looked, mut most) = (0, 0.0_f64);
    for table in &cx.facts.tables {
        let Some(change) = table.change else { continue };
        let Some(heap) = table.heap_bytes().map(|b| b as f64).filter(|b| *b >= cx.threshold("min_heap_bytes")) else {
            continue;
        };
        looked += 1;
        let Some(passes) = passes(cx, table, change, heap, all) else { continue };
        most = most.max(passes.per_day);
        let moves = passes.bytes_per_second >= cx.threshold("min_bytes_per_second")
            || passes.share >= cx.threshold("min_share");
        if passes.count >= cx.threshold("min_passes") && passes.per_day >= cx.threshold("min_passes_per_day") && moves {
            checked.findings.push(report(cx, table, change, heap, &passes));
        }
    }
    checked.looked_at = format!(
        "{looked} tables of {} or more, read completely at most {}",
        show(cx.threshold("min_heap_bytes"), Unit::Bytes),
        show(most, Unit::PerDay)
    );
    Ok(checked)
}

fn passes(cx: &Context<'_>, table: &TableFact<'_>, change: Change<'_>, heap: f64, all: f64) -> Option<Passes> {
    let window = change.covered_s().or_else(|| cx.window_s()).filter(|w| *w >= 60.0)?;
    let (rows, read) = (table.rows().0?.max(1.0), change.delta("seq_tup_read")?);
    // An index build reads the table once, and is no query.
    let built = table.relid().map_or(0, |relid| {
        cx.facts.indexes_of(relid).filter(|i| i.change.is_some_and(|c| c.class() == crate::diff::Class::New)).count()
    });
    // A scan reads the table once at most: where rows went since, those read would make more passes than there were.
    let scans = change.delta("seq_scan").unwrap_or(f64::INFINITY);
    let count = ((read / rows).min(scans) - built as f64).max(0.0);
    let share = if all > 0.0 { read / all } else { 0.0 };
    Some(Passes {
        count,
        per_day: count * DAY / window,
        bytes_per_second: count * heap / window,
        share,
        rows,
        read,
        scans,
        window,
        built,
        all,
    })
}

fn report<'a>(cx: &Context<'a>, table: &TableFact<'a>, change: Change<'a>, heap: f64, p: &Passes) -> Finding {
    let severity = if p.bytes_per_second >= cx.threshold("high_bytes_per_second") {
        Severity::High
    } else if p.per_day < cx.threshold("low_passes_per_day") && heap < cx.threshold("low_heap_bytes") {
        Severity::Low
    } else {
        Severity::Medium
    };
    let count = Quantity::float(p.count, Unit::Count);
    let window = Quantity::float(p.window, Unit::Seconds);
    let title = Text::new()
        .t("Read completely ")
        .many(count, "time in ", "times in ")
        .opt(window)
        .t(" (")
        .opt(Quantity::float(heap, Unit::Bytes))
        .t(" each)");
    let why = Text::new()
        .t("That is ")
        .opt(Quantity::float(p.bytes_per_second, Unit::BytesPerSecond))
        .t(" through the cache or from storage, and ")
        .opt(Quantity::float(p.share, Unit::Share))
        .t(" of all rows read by sequential scans.");
    let formula = format!("{} ÷ {}", show(p.read, Unit::Rows), show(p.rows, Unit::Rows));
    let formula = if p.read / p.rows > p.scans {
        format!("{formula}, not more than {} scans", show(p.scans, Unit::Count))
    } else {
        formula
    };
    let formula = if p.built > 0 { format!("{formula}; {} index builds less", p.built) } else { formula };
    let rows: Vec<_> = change
        .last()
        .map(|r| (r, &["seq_tup_read"][..]))
        .into_iter()
        .chain(table.sizes.map(|s| (s, &["reltuples"][..])))
        .collect();
    let rate =
        format!("{} × {} ÷ {}", show(p.count, Unit::Count), show(heap, Unit::Bytes), show(p.window, Unit::Seconds));
    let of_all = format!("{} ÷ {}", show(p.read, Unit::Rows), show(p.all, Unit::Rows));
    let last = cx.chain.snapshots.len().saturating_sub(1);
    let pattern = format!("%{}%", table.name().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_"));
    let sql = format!(
        "SELECT queryid, calls, rows, query FROM pg_stat_statements WHERE query ILIKE {}\nORDER BY shared_blks_read + shared_blks_hit DESC LIMIT 20;",
        quote_literal(&pattern)
    );
    cx.finding(severity, table.subject(), title)
        .doubts([
            cx.single_doubt(),
            cx.short_doubt("sure_window"),
            cx.class_doubt(change),
            cx.facts.sizes_doubt(),
            table.rows().1,
        ])
        .why(why)
        .not("Not judged by the number of scans: rescans, parallel workers and COPY inflate it.")
        .measure(cx.measure("Rows read by sequential scans", change, "seq_tup_read"))
        .measure(cx.measure("Sequential scans", change, "seq_scan"))
        .measure(cx.over_window("Complete passes", count, formula, &rows).bounded(change.is_exact()))
        .measure(
            cx.over_window("Bytes moved", Quantity::float(p.bytes_per_second, Unit::BytesPerSecond), rate, &rows)
                .bounded(Span::of(change, p.window).whole),
        )
        .measure(Measure::of_window(
            "Share of all rows read so",
            Quantity::float(p.share, Unit::Share),
            cx.all_rows(last, "pg_stat_user_tables", &["seq_tup_read"], of_all),
        ))
        .share(Some(p.share))
        .fix(Fix::diagnose(table.display(), sql))
        .effort(Effort::M)
        .verify("Complete passes per day fall, idx_scan of the table rises.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::{Literal, literal};

    fn taken(at: &str, read: u64, heap: u64) -> Literal {
        literal(at)
            .view(
                "pg_stat_user_tables",
                "relid | schemaname | relname | seq_scan | seq_tup_read",
                &[&format!("1 | public | log | {read} | {read}")],
            )
            .view(
                "table_sizes",
                "relid | schemaname | relname | relkind | reltuples | relpages | relation_size",
                &[&format!("1 | public | log | r | 1000 | 10 | {heap}")],
            )
    }

    fn say(passes: u64, heap: u64) -> String {
        let a = taken("2026-11-22 12:00:00+00", 0, heap).build();
        let b = taken("2026-11-22 13:00:00+00", passes * 1000, heap).build();
        told(&judge(&RULE, &[a, b], "")).remove(0)
    }

    #[test]
    fn what_it_moves_decides() {
        assert_eq!(
            say(200, 200 << 20),
            "medium, high: public.log: Read completely 200 times in 1 h 00 m (200 MB each)"
        );
        assert!(say(2_000, 200 << 20).starts_with("high"));
    }

    /// 200,000 rows read by the first of twelve scans, and fourteen left at the end: the table was read twelve times.
    #[test]
    fn rows_that_went_make_no_passes() {
        let a = taken("2026-11-22 12:00:00+00", 0, 200 << 20);
        let b = literal("2026-11-22 13:00:00+00")
            .view(
                "pg_stat_user_tables",
                "relid | schemaname | relname | seq_scan | seq_tup_read",
                &["1 | public | log | 12 | 200168"],
            )
            .view(
                "table_sizes",
                "relid | schemaname | relname | relkind | reltuples | relpages | relation_size",
                &["1 | public | log | r | 14 | 25600 | 209715200"],
            );
        let said = told(&judge(&RULE, &[a.build(), b.build()], "")).remove(0);
        assert!(said.contains("Read completely 12 times in 1 h 00 m"), "{said}");
    }

    #[test]
    fn stays_quiet_for_small_tables_and_few_passes() {
        assert!(say(200, 1 << 20).starts_with("passed: 0 tables"));
        assert!(say(2, 200 << 20).starts_with("passed: 1 tables"));
    }

    /// A million scans that stop at the first row are no reading of the table, whatever their share among all scans.
    #[test]
    fn the_number_of_scans_says_nothing() {
        let taken = |at: &str, scans: u64, read: u64| {
            literal(at)
                .view(
                    "pg_stat_user_tables",
                    "relid | schemaname | relname | seq_scan | seq_tup_read | idx_scan",
                    &[&format!("1 | public | log | {scans} | {read} | 0")],
                )
                .view(
                    "table_sizes",
                    "relid | schemaname | relname | relkind | reltuples | relpages | relation_size",
                    &["1 | public | log | r | 1000000 | 25600 | 209715200"],
                )
                .build()
        };
        let snapshots = [taken("2026-11-22 12:00:00+00", 0, 0), taken("2026-11-22 13:00:00+00", 1_000_000, 1_000_000)];
        assert!(told(&judge(&RULE, &snapshots, ""))[0].starts_with("passed: 1 tables"));
    }

    #[test]
    fn skips_a_short_window() {
        let snapshots = [
            taken("2026-11-22 12:00:00+00", 0, 200 << 20).build(),
            taken("2026-11-22 12:01:00+00", 99_000, 200 << 20).build(),
        ];
        assert_eq!(
            told(&judge(&RULE, &snapshots, "")),
            ["skipped: the window of 1 min 00 s is shorter than the 10 min 00 s this check needs"]
        );
    }
}
