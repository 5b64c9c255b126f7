//! Small tables that are rewritten all day and have grown by it.

use crate::advisor::bloat::{known_columns, width};
use crate::advisor::horizon::look_at_holders;
use crate::advisor::span::Span;
use crate::advisor::vacuum_cure::set_options;
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, TableFact, Threshold, show, whole};
use crate::diff::{Change, Class};
use crate::finding::{Doubt, Effort, Finding, Fix, Measure, Severity};
use crate::text::{Text, counted};
use crate::unit::{Quantity, Unit};

const DAY: f64 = 86_400.0;

/// Below this vacuums would be more work than what they remove.
const LEAST_TRIGGER: f64 = 50.0;

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
        what_to_do: "Short transactions everywhere (one old one keeps all versions); a fixed, low trigger of autovacuum for this table, where \
                     the present one is reached later than after an autovacuum_naptime and autovacuum is on; FOR UPDATE SKIP LOCKED in workers; finished rows moved elsewhere. Once the cause is gone, one rewrite.",
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
        let seconds = Span::of(change, window).seconds;
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
    let cure = cure(cx, table, turns * live / DAY);
    let mut finding = cx
        .finding(Severity::Medium, table.subject(), title)
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
        .fix(look_at_holders())
        .verify("The heap does not grow any more in the next window.")
        .effort(Effort::M);
    match cure {
        Ok(fix) => finding = finding.fix(fix),
        Err((why, measures)) => finding = finding.not(why).measures(measures),
    }
    Some(finding)
}

/// A trigger below the present one, where autovacuum would come sooner for it; else why not.
fn cure<'a>(cx: &Context<'a>, table: &TableFact<'a>, changed_per_s: f64) -> Result<Fix, (Text, Vec<Measure>)> {
    let (triggers, settings) = (cx.facts.triggers(table), &cx.facts.autovacuum);
    if settings.on == Some(false) || !triggers.enabled {
        let off = "Autovacuum is off, which lets the heap grow: its trigger is not the cause.";
        return Err((off.into(), Vec::new()));
    }
    // It looks once in a naptime, whatever the trigger.
    let a_visit = changed_per_s * settings.naptime_s;
    let lower = a_visit.max(LEAST_TRIGGER);
    if lower > triggers.vacuum / 2.0 {
        let trigger = whole(triggers.vacuum, Unit::Rows);
        let reached = Quantity::float(triggers.vacuum / changed_per_s.max(f64::EPSILON), Unit::Seconds);
        let not = Text::new()
            .t("Its trigger (")
            .opt(trigger)
            .t(" dead rows) is no cause: as many change in ")
            .opt(reached)
            .t(", and autovacuum looks every ")
            .opt(Quantity::float(settings.naptime_s * 1e3, Unit::Ms))
            .t(". Look for old transactions, which keep the dead rows.");
        let changed = table.change.and_then(Change::last).map(|r| (r, &["n_tup_upd", "n_tup_del"][..]));
        let sizes = table.sizes.map(|r| (r, &["reltuples", "reloptions"][..]));
        let formula =
            format!("{} ÷ {}", show(triggers.vacuum.round(), Unit::Rows), show(changed_per_s, Unit::PerSecond));
        let measures = vec![
            cx.computed("Autovacuum's trigger", trigger, triggers.vacuum_formula(), sizes.as_slice()),
            cx.over_window("Time to as many changes", reached, formula, changed.as_slice()),
            cx.setting_measure("autovacuum_naptime"),
        ];
        return Err((not, measures));
    }
    Ok(set_options(
        table,
        &[("autovacuum_vacuum_scale_factor", "0".to_owned()), ("autovacuum_vacuum_threshold", format!("{lower:.0}"))],
        "While an old transaction keeps the dead rows: vacuum cannot remove them, however often it comes.",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{AUTOVACUUM, judge, told};
    use crate::finding::Outcome;
    use crate::snapshot::literal::literal;

    fn taken(updates: &str, (rows, heap): (u32, &str), settings: &[&str]) -> Outcome {
        let at = |at: &str, updates: &str| {
            literal(at)
                .view("pg_stat_database", "datid | datname | stats_reset", &["16697 | shop | 2026-11-01 00:00:00+00"])
                .view(
                    "pg_stat_user_tables",
                    "relid | schemaname | relname | n_tup_upd | n_tup_del | n_live_tup | vacuum_count",
                    &[&format!("1 | public | jobs | {updates} | 0 | {rows} | 5")],
                )
                .view(
                    "table_sizes",
                    "relid | schemaname | relname | relkind | reltuples | relpages | relation_size | relnatts",
                    &[&format!("1 | public | jobs | r | {rows} | 9 | {heap} | 2")],
                )
                .view(
                    "pg_stats",
                    "schemaname | tablename | attname | inherited | avg_width",
                    &["public | jobs | id | f | 8", "public | jobs | state | f | 100"],
                )
                .view("pg_settings", "name | setting | unit", settings)
                .build()
        };
        judge(&RULE, &[at("2026-11-22 10:00:00+00", "0"), at("2026-11-22 11:00:00+00", updates)], "")
    }

    fn over_an_hour(updates: &str, heap: &str) -> Vec<String> {
        told(&taken(updates, (500, heap), AUTOVACUUM))
    }

    /// A lower trigger is of use only where autovacuum would not come at its next look anyway.
    #[test]
    fn its_trigger_is_lowered_where_that_makes_autovacuum_come_sooner() {
        let cured = |updates: &str, rows: (u32, &str), settings: &[&str]| {
            let Outcome::Found { findings, .. } = taken(updates, rows, settings) else { panic!("found") };
            let set = findings[0].fixes.iter().find(|f| f.sql.contains(" SET ("));
            let not = findings[0].not.as_ref().map(Text::plain).unwrap_or_default();
            set.map_or(not, |f| f.sql.lines().last().unwrap_or_default().to_owned())
        };
        let (small, large) = ((500, "20971520"), (50_000, "524288000"));
        assert!(
            cured("9000", small, AUTOVACUUM)
                .starts_with("Its trigger (150 dead rows) is no cause: as many change in 1 min")
        );
        assert_eq!(
            cured("240000", large, AUTOVACUUM),
            "ALTER TABLE \"public\".\"jobs\" SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 4000);",
            "of 10,050 before"
        );
        let off: Vec<&str> = AUTOVACUUM
            .iter()
            .copied()
            .filter(|s| !s.starts_with("autovacuum |"))
            .chain(["autovacuum | off |"])
            .collect();
        assert!(cured("240000", large, &off).starts_with("Autovacuum is off"));
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
