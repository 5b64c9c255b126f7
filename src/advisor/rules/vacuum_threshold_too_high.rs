//! Large tables whose autovacuum trigger is so high that a vacuum comes too rarely.

use crate::advisor::vacuum_cure::set_options;
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, TableFact, Threshold, Triggers, show, whole};
use crate::diff::Change;
use crate::finding::{Effort, Finding, Severity};
use crate::text::{Text, counted};
use crate::unit::{Quantity, Unit};

const DAY: f64 = 86_400.0;

/// What a vacuum of any table may wait for at least: fewer dead rows are not worth the visit.
const BASE_ROWS: f64 = 1_000.0;

/// Smaller factors bring a vacuum for next to nothing.
const LEAST_FACTOR: f64 = 0.005;

/// The rule.
pub const RULE: Rule = Rule {
    id: "vacuum-threshold-too-high",
    title: "Autovacuum trigger out of reach",
    needs: &[
        Need::Primary,
        Need::View("pg_stat_user_tables", &["n_tup_upd", "n_tup_del"]),
        Need::View("table_sizes", &["reltuples", "relation_size"]),
    ],
    wants: &[Need::View("pg_settings", &["setting"]), Need::View("table_sizes", &["reloptions"])],
    thresholds: &[
        Threshold {
            name: "max_interval",
            default: 7.0 * DAY,
            unit: Unit::Seconds,
            about: "A vacuum a week is the least a changing table of this size should get.",
        },
        Threshold {
            name: "idle_interval",
            default: 365.0 * DAY,
            unit: Unit::Seconds,
            about: "Slower tables hardly change at all: nothing is gained.",
        },
        Threshold {
            name: "min_dead_bytes",
            default: 1_073_741_824.0,
            unit: Unit::Bytes,
            about: "Dead rows of this size are carried around before the vacuum comes.",
        },
        Threshold {
            name: "min_changed",
            default: 1_000.0,
            unit: Unit::Rows,
            about: "A rate does not rest on a handful of rows.",
        },
        Threshold {
            name: "min_window",
            default: 3_600.0,
            unit: Unit::Seconds,
            about: "An hour of load is the least to speak of days.",
        },
        Threshold {
            name: "sure_window",
            default: DAY,
            unit: Unit::Seconds,
            about: "Below a day one step less sure: load has a daily course.",
        },
    ],
    docs: Docs {
        looks_at: "The number of dead rows at which autovacuum comes, against the rows that are updated and deleted: how \
                   long it takes until then at least, and how many bytes the dead rows are by then.",
        why: "The trigger grows with the table. A fifth of a huge table is a huge number of dead rows: scans read them for \
              weeks, index-only scans visit the heap, and the vacuum that comes at last is long.",
        decides: "Found when the trigger, divided by the rows updated and deleted per second, is more than `max_interval` and \
                  at most `idle_interval`, and the dead rows are `min_dead_bytes` by then (trigger × mean bytes of a row). Each \
                  updated or deleted row counts as a dead one, so the real interval is longer still; inserts that bring a vacuum \
                  sooner count. Medium; low where no sequential scan read the table in the window. Tables vacuumed within \
                  `max_interval`, with a trigger of their own, with autovacuum \
                  switched off or with fewer than `min_changed` rows changed in the window are left out. From 18 on \
                  autovacuum_vacuum_max_threshold is part of the trigger.",
        what_to_do: "A trigger of its own for the table, so that a vacuum comes about once a day.",
        ignore_when: "Autovacuum's workers are busy all the time: mend vacuum-autovacuum-behind first.",
        references: "PostgreSQL manual: Routine Vacuuming (The Autovacuum Daemon); Automatic Vacuuming (settings).",
    },
    check,
};

/// What a table's trigger means in time and bytes.
struct Reach {
    per_second: f64,
    interval: f64,
    /// The trigger of inserts and their number in a second, where those bring a vacuum sooner.
    by_inserts: Option<(f64, f64)>,
    bytes: f64,
}

fn check(cx: &Context<'_>) -> Check {
    cx.window_of("min_window")?;
    let (least, most_s) = (cx.threshold("max_interval"), cx.threshold("idle_interval"));
    let (min_bytes, min_changed) = (cx.threshold("min_dead_bytes"), cx.threshold("min_changed"));
    let mut checked = Checked::default();
    let mut looked = 0;
    // The dead rows of a trigger are at most as large as the heap unless the trigger is above 100 %, which is no default.
    for table in cx.facts.large(min_bytes) {
        let Some(change) = table.change else { continue };
        looked += 1;
        let changed = change.delta("n_tup_upd").unwrap_or(0.0) + change.delta("n_tup_del").unwrap_or(0.0);
        let own = ["autovacuum_vacuum_scale_factor", "autovacuum_vacuum_threshold"];
        if changed < min_changed || visited(cx, change, least) || own.iter().any(|name| table.option(name).is_some()) {
            continue;
        }
        let triggers = cx.facts.triggers(table);
        let Some(reach) = reach(table, change, &triggers).filter(|_| triggers.enabled) else { continue };
        if reach.interval > least && reach.interval <= most_s && reach.bytes >= min_bytes {
            checked.findings.extend(report(cx, table, change, &triggers, &reach));
        }
    }
    checked.looked_at = format!(
        "{} of {} or more, none that changes waits too long",
        counted(looked, "table", "tables"),
        show(min_bytes, Unit::Bytes)
    );
    Ok(checked)
}

/// Vacuumed a short time ago: by a schedule of somebody's own, for its inserts or for its age.
fn visited(cx: &Context<'_>, change: Change<'_>, within_s: f64) -> bool {
    let last = change.last().and_then(|r| r.time("last_vacuum").max(r.time("last_autovacuum")));
    cx.now().zip(last).is_some_and(|(now, last)| now.seconds_since(last) <= within_s)
}

fn reach(table: &TableFact<'_>, change: Change<'_>, triggers: &Triggers) -> Option<Reach> {
    let per_second = change.rate("n_tup_upd")? + change.rate("n_tup_del")?;
    // Inserts bring a vacuum, too, and it removes the dead rows as well.
    let inserts = triggers.insert.zip(change.rate("n_tup_ins").filter(|rate| *rate > 0.0));
    let by_dead = triggers.vacuum / per_second;
    let by_inserts = inserts.filter(|(limit, rate)| limit / rate < by_dead);
    let interval = by_inserts.map_or(by_dead, |(limit, rate)| limit / rate);
    let row_bytes = table.heap_bytes()? as f64 / triggers.rows.max(1.0);
    (per_second > 0.0).then_some(Reach { per_second, interval, by_inserts, bytes: triggers.vacuum * row_bytes })
}

fn report<'a>(
    cx: &Context<'a>,
    table: &TableFact<'a>,
    change: Change<'a>,
    triggers: &Triggers,
    reach: &Reach,
) -> Option<Finding> {
    let per_day = reach.per_second * DAY;
    let factor = ((per_day - BASE_ROWS) / triggers.rows.max(1.0)).max(LEAST_FACTOR);
    if BASE_ROWS + factor * triggers.rows >= triggers.vacuum {
        return None;
    }
    let read = change.delta("seq_tup_read").is_some_and(|n| n > 0.0);
    let severity = if read { Severity::Medium } else { Severity::Low };
    let title = Text::new()
        .t("Autovacuum comes at most every ")
        .opt(Quantity::float(reach.interval, Unit::Seconds))
        .t(", for ")
        .opt(Quantity::float(reach.bytes, Unit::Bytes))
        .t(" of dead rows");
    let why = Text::new()
        .t("It waits for ")
        .opt(whole(triggers.vacuum, Unit::Rows))
        .t(" dead rows (")
        .code(triggers.vacuum_formula())
        .t("); at most ")
        .opt(whole(per_day, Unit::Rows))
        .t(" rows die a day.");
    let rows: Vec<_> = cx.ends(change, &["n_tup_upd", "n_tup_del"]);
    let (limit, rate) = reach.by_inserts.unwrap_or((triggers.vacuum, reach.per_second));
    let kind = if reach.by_inserts.is_some() { " rows inserted" } else { "" };
    let formula = format!("{}{kind} ÷ {}", show(limit, Unit::Rows), show(rate * DAY, Unit::PerDay));
    let died = format!(
        "({} + {}) ÷ {}, of a day",
        show(change.delta("n_tup_upd").unwrap_or(0.0), Unit::Rows),
        show(change.delta("n_tup_del").unwrap_or(0.0), Unit::Rows),
        show(change.covered_s().unwrap_or(f64::NAN), Unit::Seconds)
    );
    let mut finding = cx
        .finding(severity, table.subject(), title)
        .doubts(triggers.doubts.iter().copied().map(Some))
        .doubts([cx.single_doubt(), cx.short_doubt("sure_window"), cx.class_doubt(change), cx.facts.sizes_doubt()])
        .why(why)
        .measure(cx.measure("Rows updated", change, "n_tup_upd"))
        .measure(cx.measure("Rows deleted", change, "n_tup_del"))
        .measure(cx.over_window(
            "Time to the trigger, at least",
            Quantity::float(reach.interval, Unit::Seconds),
            formula,
            &rows,
        ))
        .measure(cx.over_window("Rows that die a day, at most", whole(per_day, Unit::Rows), died, &rows))
        .measure(cx.measure("Autovacuums", change, "autovacuum_count"));
    if let Some(sizes) = table.sizes {
        let formula = format!(
            "{} × {} ÷ {}",
            show(triggers.vacuum.round(), Unit::Rows),
            show(table.heap_bytes().unwrap_or(0) as f64, Unit::Bytes),
            show(triggers.rows, Unit::Rows)
        );
        let bytes = Quantity::float(reach.bytes, Unit::Bytes);
        let columns: &[&str] = &["reltuples", "relation_size"];
        finding = finding.measure(cx.computed("Dead rows at the trigger", bytes, formula, &[(sizes, columns)]));
    }
    let options = [
        ("autovacuum_vacuum_scale_factor", format!("{factor:.3}")),
        ("autovacuum_vacuum_threshold", format!("{BASE_ROWS:.0}")),
    ];
    let heap = table.heap_bytes().unwrap_or(0) as f64;
    Some(
        finding
            .share(cx.facts.total_bytes().map(|all| heap / all.max(1.0)))
            .fix(set_options(
                table,
                &options,
                "While autovacuum's workers are all busy: more visits make the others later.",
            ))
            .effort(Effort::S)
            .verify("autovacuum_count of the table rises about once a day."),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{AUTOVACUUM, judge, told};
    use crate::finding::Outcome;
    use crate::snapshot::literal::literal;

    /// 100 million rows in 20 GB; so many updates in a day.
    fn over_a_day(updates: u32, options: &str) -> Outcome {
        let taken = |at: &str, updates: u32| {
            literal(at)
                .view(
                    "pg_stat_user_tables",
                    "relid | schemaname | relname | seq_tup_read | n_tup_upd | n_tup_del | autovacuum_count",
                    &[&format!("1 | public | big | {updates} | {updates} | 0 | 0")],
                )
                .view(
                    "table_sizes",
                    "relid | schemaname | relname | relkind | reltuples | relpages | relation_size | reloptions",
                    &[&format!("1 | public | big | r | 100000000 | 2621440 | 21474836480 | {options}")],
                )
                .view("pg_settings", "name | setting | unit", AUTOVACUUM)
                .build()
        };
        judge(&RULE, &[taken("2026-11-21 12:00:00+00", 0), taken("2026-11-22 12:00:00+00", updates)], "")
    }

    #[test]
    fn a_fifth_of_a_large_table_is_too_much() {
        let outcome = over_a_day(1_000_000, "");
        assert_eq!(
            told(&outcome),
            ["medium, high: public.big: Autovacuum comes at most every 20 d 00 h, for 4 GB of dead rows"]
        );
        let Outcome::Found { findings, .. } = outcome else { panic!() };
        let fix = &findings[0].fixes[0];
        assert_eq!(
            fix.sql,
            "SET lock_timeout = '5s';\nALTER TABLE \"public\".\"big\" SET (autovacuum_vacuum_scale_factor = 0.010, autovacuum_vacuum_threshold = 1000);"
        );
        assert!(fix.undo.as_deref().is_some_and(|u| u.contains("RESET (autovacuum_vacuum_scale_factor")));
    }

    #[test]
    fn stays_quiet_where_it_is_reached_hardly_changes_or_was_set() {
        assert!(told(&over_a_day(5_000_000, ""))[0].starts_with("passed"));
        assert!(told(&over_a_day(10_000, ""))[0].starts_with("passed"));
        assert!(told(&over_a_day(1_000_000, "{autovacuum_vacuum_scale_factor=0.1}"))[0].starts_with("passed"));
        assert!(told(&over_a_day(1_000_000, "{autovacuum_enabled=off}"))[0].starts_with("passed"));
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_eq!(
            crate::advisor::testing::told_of_nothing(&RULE),
            "skipped, input missing: `pg_stat_user_tables` is not in the dump"
        );
    }
}
