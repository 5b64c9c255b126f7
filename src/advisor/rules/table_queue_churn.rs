//! Small tables that are rewritten all day and have grown by it.

use crate::advisor::bloat::{known_columns, width};
use crate::advisor::vacuum_cure::set_options;
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, TableFact, Threshold, show};
use crate::diff::{Change, Class};
use crate::finding::{Doubt, Effort, Finding, Severity};
use crate::text::{Text, counted};
use crate::unit::{Quantity, Unit};

const DAY: f64 = 86_400.0;

/// The rule.
pub const RULE: Rule = Rule {
    id: "table-queue-churn",
    title: "Small table with huge churn has grown",
    needs: &[
        Need::Primary,
        Need::View("pg_stat_user_tables", &["n_tup_upd", "n_tup_del", "n_live_tup"]),
        Need::View("table_sizes", &["reltuples", "relation_size"]),
        Need::View("pg_stats", &["avg_width"]),
    ],
    wants: &[],
    thresholds: &[
        Threshold { name: "min_window", default: 600.0, unit: Unit::Seconds, about: "Less is one moment." },
        Threshold {
            name: "min_turns",
            default: 100.0,
            unit: Unit::PerDay,
            about: "Each row is rewritten every quarter of an hour.",
        },
        Threshold {
            name: "min_excess",
            default: 20.0,
            unit: Unit::Times,
            about: "The heap is twenty times what its rows need.",
        },
        Threshold {
            name: "min_heap_bytes",
            default: 1_048_576.0,
            unit: Unit::Bytes,
            about: "A scan over less is done in a moment.",
        },
    ],
    docs: Docs {
        looks_at: "Updates and deletes of a table per live row and day, and its heap against the width of its rows.",
        why: "A queue or a table of states holds few rows at a time and writes each of them again and again. Between two vacuums the dead \
              versions fill the heap and its indexes, and each scan of the few rows reads all of it.",
        decides: "A hundred updates or deletes per row and day over ten minutes at least, a heap of 1 MB, and twenty times what the \
                  live rows need. Not judged where a crash, a reset or a promotion fell into the window.",
        what_to_do: "A fixed, low trigger of autovacuum for this table, short transactions everywhere (one old one keeps all versions), \
                     FOR UPDATE SKIP LOCKED in workers; finished rows moved elsewhere. Once the cause is gone, one rewrite.",
        ignore_when: "The table is emptied in bulk and refills.",
        references: "PostgreSQL manual, \"Routine Vacuuming\"; \"ALTER TABLE\" (storage parameters).",
    },
    check,
};

fn check(cx: &Context<'_>) -> Check {
    let window = cx.window_of("min_window")?;
    let mut checked = Checked::default();
    let mut looked = 0;
    for table in cx.facts.large(cx.threshold("min_heap_bytes")) {
        let Some(change) = table.change.filter(|c| c.class() == Class::Ok) else { continue };
        let changed = change.delta("n_tup_upd").unwrap_or(0.0) + change.delta("n_tup_del").unwrap_or(0.0);
        let live = table.reltuples().or_else(|| change.last()?.f64("n_live_tup")).unwrap_or(0.0).max(1.0);
        let seconds = change.covered_s().unwrap_or(window).max(1.0);
        let turns = changed / live * DAY / seconds;
        looked += 1;
        if turns >= cx.threshold("min_turns") {
            checked.findings.extend(finding(cx, table, change, (changed, live, turns)));
        }
    }
    checked.looked_at = counted(looked, "table", "tables");
    Ok(checked)
}

fn finding<'a>(
    cx: &Context<'a>,
    table: &TableFact<'a>,
    change: Change<'a>,
    (changed, live, turns): (f64, f64, f64),
) -> Option<Finding> {
    let (sizes, heap) = (table.sizes?, table.heap_bytes()? as f64);
    let row_bytes = width(&known_columns(cx, table)?) + 28.0;
    let needed = (live * row_bytes).max(cx.chain.last().meta.block_bytes() as f64);
    let excess = heap / needed;
    if excess < cx.threshold("min_excess") {
        return None;
    }
    let title = Text::new()
        .opt(Quantity::float(heap, Unit::Bytes))
        .t(" for ")
        .many(Quantity::float(live, Unit::Rows), "row", "rows")
        .t(", each rewritten ")
        .opt(Quantity::float(turns, Unit::PerDay));
    let fix = set_options(
        table,
        &[
            ("autovacuum_vacuum_scale_factor", "0".to_owned()),
            ("autovacuum_vacuum_threshold", format!("{:.0}", (live.max(100.0) * 2.0).min(10_000.0))),
        ],
        "While an old transaction keeps the dead rows: vacuum cannot remove them, however often it comes.",
    );
    Some(
        cx.finding(Severity::Medium, table.subject(), title)
            .why(
                Text::new()
                    .t("The heap is ")
                    .opt(Quantity::float(excess, Unit::Times))
                    .t(" what its live rows need; each scan of them reads all of it."),
            )
            .doubts([cx.facts.sizes_doubt(), Some(Doubt::C5), cx.single_doubt()])
            .measure(cx.measure("Rows updated", change, "n_tup_upd"))
            .measure(cx.measure("Rows deleted", change, "n_tup_del"))
            .measure(cx.read("Heap", sizes, "relation_size"))
            .measure(cx.over_window(
                "Updates and deletes per live row",
                Quantity::float(turns, Unit::PerDay),
                format!("{} ÷ {} rows, per day", show(changed, Unit::Rows), show(live, Unit::Rows)),
                &[(sizes, &["reltuples"])],
            ))
            .measure(cx.computed(
                "Heap against its live rows",
                Quantity::float(excess, Unit::Times),
                format!("{} ÷ ({} × {row_bytes:.0} bytes)", show(heap, Unit::Bytes), show(live, Unit::Rows)),
                &[(sizes, &["relation_size", "reltuples"])],
            ))
            .fix(fix)
            .verify("The heap does not grow any more in the next window.")
            .effort(Effort::M),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::literal;

    fn over_an_hour(updates: &str, heap: &str) -> Vec<String> {
        let taken = |at: &str, updates: &str| {
            literal(at)
                .view("pg_stat_database", "datid | datname | stats_reset", &["16697 | shop | 2026-11-01 00:00:00+00"])
                .view(
                    "pg_stat_user_tables",
                    "relid | schemaname | relname | n_tup_upd | n_tup_del | n_live_tup | vacuum_count",
                    &[&format!("1 | public | jobs | {updates} | 0 | 500 | 5")],
                )
                .view(
                    "table_sizes",
                    "relid | schemaname | relname | relkind | reltuples | relpages | relation_size | relnatts",
                    &[&format!("1 | public | jobs | r | 500 | 9 | {heap} | 2")],
                )
                .view(
                    "pg_stats",
                    "schemaname | tablename | attname | inherited | avg_width",
                    &["public | jobs | id | f | 8", "public | jobs | state | f | 100"],
                )
                .build()
        };
        told(&judge(&RULE, &[taken("2026-11-22 10:00:00+00", "0"), taken("2026-11-22 11:00:00+00", updates)], ""))
    }

    #[test]
    fn a_queue_that_has_grown_is_told() {
        assert_eq!(
            over_an_hour("9000", "20971520"),
            ["medium, medium: public.jobs: 20 MB for 500 rows, each rewritten 432/day"]
        );
    }

    #[test]
    fn churn_without_growth_and_growth_without_churn_are_left_alone() {
        assert_eq!(over_an_hour("9000", "1048576"), ["passed: 1 table"]);
        assert_eq!(over_an_hour("90", "20971520"), ["passed: 1 table"]);
        assert_eq!(over_an_hour("9000", "65536"), ["passed: 0 tables"]);
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_eq!(
            crate::advisor::testing::told_of_nothing(&RULE),
            "skipped, input missing: `pg_stat_user_tables` is not in the dump"
        );
    }
}
