//! Tables with more dead rows than their autovacuum trigger.

use crate::advisor::carried::since_rewrite;
use crate::advisor::overdue::{being_vacuumed, lasting};
use crate::advisor::vacuum_cure::vacuum;
use crate::advisor::{
    Check, Checked, Context, DeadRows, Docs, Need, Rule, Skip, TableFact, Threshold, Triggers, show, whole,
};
use crate::diff::Change;
use crate::finding::{Effort, Finding, Severity};
use crate::text::{Text, counted};
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "vacuum-dead-tuples",
    title: "Dead rows above the autovacuum trigger",
    needs: &[
        Need::Primary,
        Need::View("pg_stat_user_tables", &["n_dead_tup", "n_live_tup"]),
        Need::View("table_sizes", &["reltuples", "relation_size"]),
    ],
    wants: &[Need::View("pg_settings", &["setting"]), Need::View("pg_stat_progress_vacuum", &["relid"])],
    thresholds: &[
        Threshold {
            name: "min_rows",
            default: 10_000.0,
            unit: Unit::Rows,
            about: "Live and dead rows together; smaller tables refill between two captures.",
        },
        Threshold {
            name: "min_heap_bytes",
            default: 10_485_760.0,
            unit: Unit::Bytes,
            about: "Smaller heaps are read at a glance.",
        },
        Threshold {
            name: "min_wait",
            default: 600.0,
            unit: Unit::Seconds,
            about: "Autovacuum gets this long, or ten naptimes if that is longer, before it counts as late.",
        },
        Threshold {
            name: "high_pressure",
            default: 2.0,
            unit: Unit::Times,
            about: "Twice the trigger: autovacuum is not coming, or not finishing.",
        },
        Threshold { name: "high_share", default: 0.2, unit: Unit::Share, about: "Every fifth row read is dead." },
        Threshold {
            name: "high_heap_bytes",
            default: 1_073_741_824.0,
            unit: Unit::Bytes,
            about: "A table whose scans are felt.",
        },
    ],
    docs: Docs {
        looks_at: "`n_dead_tup` of each table divided by the number of dead rows at which autovacuum vacuums it (storage \
                   parameters before settings, `reltuples` as the server counts).",
        why: "Dead rows are read by every scan until a vacuum removes them, and space is not used again. A table above its \
              own trigger for long shows that autovacuum does not come, or comes and cannot finish.",
        decides: "Found when dead rows exceed the trigger, on a table of `min_rows` and `min_heap_bytes`, in all \
                  snapshots of the last `min_wait`, or for that long by even growth since the last autovacuum. Low; medium above \
                  `high_pressure` or from `high_heap_bytes` on; high when all three limits are exceeded. Never from the \
                  share of dead rows alone: 26 dead of 52 rows are below the trigger of 55. Tables being vacuumed, and \
                  those with autovacuum switched off (vacuum-disabled-table), are left out. Right after a crash or reset \
                  the counter begins at 0, so it is a lower bound then.",
        what_to_do: "VACUUM (ANALYZE) once, and look for the cause: vacuum-blocked-horizon, vacuum-autovacuum-behind.",
        ignore_when: "A bulk job is running that will end.",
        references: "PostgreSQL manual: Routine Vacuuming (The Autovacuum Daemon).",
    },
    check,
};

fn check(cx: &Context<'_>) -> Check {
    let running = being_vacuumed(cx);
    let (min_rows, min_wait) = (cx.threshold("min_rows"), cx.threshold("min_wait"));
    let mut checked = Checked::default();
    let (mut looked, mut unknown, mut most) = (0, 0, 0.0_f64);
    for table in cx.facts.large(cx.threshold("min_heap_bytes")) {
        let Some(change) = table.change else { continue };
        let triggers = cx.facts.triggers(table);
        let Some(dead) = cx.facts.dead_rows(table, &triggers) else { continue };
        looked += 1;
        if !dead.known {
            unknown += 1;
        }
        // Of rows, too, the statistics know only those since a reset.
        if (dead.live + dead.dead).max(table.reltuples().unwrap_or(0.0)) < min_rows {
            continue;
        }
        most = most.max(dead.pressure);
        let vacuuming = table.relid().is_some_and(|r| running.contains(&r));
        if dead.pressure > 1.0
            && triggers.enabled
            && !vacuuming
            && lasting(cx, change, "n_dead_tup", triggers.vacuum, min_wait)
        {
            checked.findings.push(report(cx, table, change, &triggers, dead));
        }
    }
    if looked > 0 && unknown == looked {
        return Err(Skip("the dead rows of all large tables are unknown since a crash or reset".to_owned()));
    }
    let blind = if unknown > 0 {
        format!("; of {unknown} the dead rows are unknown since a crash or reset")
    } else {
        String::new()
    };
    let pending =
        if checked.findings.is_empty() && most > 1.0 { ", not for long yet or with autovacuum off for it" } else { "" };
    checked.looked_at = format!(
        "{} of {} or more, the fullest at {} of its trigger{pending}{blind}",
        counted(looked, "table", "tables"),
        show(cx.threshold("min_heap_bytes"), Unit::Bytes),
        show(most, Unit::Times)
    );
    Ok(checked)
}

fn report<'a>(
    cx: &Context<'a>,
    table: &TableFact<'a>,
    change: Change<'a>,
    triggers: &Triggers,
    dead: DeadRows,
) -> Finding {
    let heap = table.heap_bytes().unwrap_or(0) as f64;
    let pressed = dead.pressure > cx.threshold("high_pressure");
    let large = heap >= cx.threshold("high_heap_bytes");
    let much = dead.share.is_some_and(|s| s >= cx.threshold("high_share"));
    let severity = match (pressed, large, much) {
        (true, true, true) => Severity::High,
        (true, ..) | (_, true, _) => Severity::Medium,
        _ => Severity::Low,
    };
    let pressure = Quantity::float(dead.pressure, Unit::Times);
    let count = whole(dead.dead, Unit::Rows);
    let bound = match dead.carried {
        Some(_) => "At most ",
        None if dead.known => "",
        None => "At least ",
    };
    let title = Text::new().t(bound).opt(count).t(" dead rows, ").opt(pressure).t(" its autovacuum trigger");
    let why = Text::new()
        .t("Scans read them until a vacuum removes them; autovacuum was due at ")
        .opt(whole(triggers.vacuum, Unit::Rows))
        .t(" (")
        .code(triggers.vacuum_formula())
        .t(").");
    let mut finding = cx
        .finding(severity, table.subject(), title)
        .doubts(triggers.doubts.iter().copied().map(Some))
        .doubts([cx.class_doubt(change), cx.facts.sizes_doubt()])
        .why(why)
        .measure(cx.measure("Dead rows (est.)", change, "n_dead_tup"))
        .measure(cx.measure("Autovacuums", change, "autovacuum_count"));
    if let Some(sizes) = table.sizes {
        let trigger = show(triggers.vacuum.round(), Unit::Rows);
        let formula = format!("{} ÷ {trigger} ({})", show(dead.dead, Unit::Rows), triggers.vacuum_formula());
        let rows = change
            .last()
            .into_iter()
            .map(|r| (r, &["n_dead_tup"][..]))
            .chain([(sizes, &["reltuples", "reloptions"][..])]);
        let rows: Vec<_> = rows.collect();
        finding = finding.measure(cx.computed("Dead rows ÷ trigger", pressure, formula, &rows)).measure(cx.read(
            "Heap",
            sizes,
            "relation_size",
        ));
    }
    finding = finding.measures(since_rewrite(cx, change, &dead));
    if let Some(share) = dead.share {
        let formula = format!("{0} ÷ ({0} + {1})", show(dead.dead, Unit::Rows), show(dead.live, Unit::Rows));
        let rows: Vec<_> = change.last().map(|r| (r, &["n_dead_tup", "n_live_tup"][..])).into_iter().collect();
        finding = finding.measure(cx.computed("Dead share", Quantity::float(share, Unit::Share), formula, &rows)).not(
            Text::new()
                .t("Of all rows ")
                .opt(Quantity::float(share, Unit::Share))
                .t(" are dead; the verdict rests on the trigger, not on this share."),
        );
    }
    finding.share(cx.facts.total_bytes().map(|all| heap / all.max(1.0))).fix(vacuum(table)).effort(Effort::S).verify(
        "n_dead_tup is below the trigger and vacuum_count has risen; if the dead rows stay, something keeps them.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{AUTOVACUUM, judge, told};
    use crate::snapshot::literal::{Literal, literal};

    const A: &str = "2026-11-22 12:00:00+00";
    const B: &str = "2026-11-22 12:11:00+00";

    fn taken(at: &str, rows: u32, dead: u32, heap: u64, options: &str) -> Literal {
        literal(at)
            .view(
                "pg_stat_user_tables",
                "relid | schemaname | relname | n_live_tup | n_dead_tup | n_tup_upd | last_autovacuum | autovacuum_count",
                &[&format!("1 | public | t | {rows} | {dead} | 5 | 2026-11-22 12:02:00+00 | 1")],
            )
            .view("table_sizes", "relid | schemaname | relname | relkind | reltuples | relpages | relation_size | reloptions", &[&format!("1 | public | t | r | {rows} | 10 | {heap} | {options}")])
            .view("pg_settings", "name | setting | unit", AUTOVACUUM)
    }

    fn say(rows: u32, dead: u32, heap: u64, options: &str) -> Vec<String> {
        told(&judge(
            &RULE,
            &[taken(A, rows, dead, heap, options).build(), taken(B, rows, dead, heap, options).build()],
            "",
        ))
    }

    #[test]
    fn pressure_and_size_decide() {
        assert_eq!(
            say(100_000, 30_000, 20 << 20, ""),
            ["low, high: public.t: 30,000 dead rows, 1.50× its autovacuum trigger"]
        );
        assert!(say(100_000, 60_000, 20 << 20, "")[0].starts_with("medium, high"));
        assert!(say(10_000_000, 6_000_000, 2 << 30, "")[0].starts_with("high, high"));
    }

    #[test]
    fn stays_quiet_below_the_trigger_on_small_tables_and_where_switched_off() {
        assert!(say(100_000, 20_000, 20 << 20, "")[0].starts_with("passed"));
        assert!(say(26, 26, 8192, "")[0].starts_with("passed"));
        assert!(say(100_000, 60_000, 20 << 20, "{autovacuum_enabled=false}")[0].starts_with("passed"));
    }

    #[test]
    fn once_is_not_enough_while_autovacuum_was_there() {
        let snapshots = [taken(A, 100_000, 0, 20 << 20, "").build(), taken(B, 100_000, 60_000, 20 << 20, "").build()];
        assert!(told(&judge(&RULE, &snapshots, ""))[0].starts_with("passed"));
        let soon = |at| taken(at, 100_000, 60_000, 20 << 20, "").build();
        let minutes = [soon(A), soon("2026-11-22 12:05:00+00")];
        assert!(told(&judge(&RULE, &minutes, ""))[0].starts_with("passed"), "twice within its time");
        assert!(
            told(&judge(&RULE, &[taken("2026-11-23 12:00:00+00", 100_000, 60_000, 20 << 20, "").build()], ""))[0]
                .starts_with("medium")
        );
    }

    /// The trigger is at 20,050 rows: a table that grew past it a moment ago is not late.
    #[test]
    fn a_table_that_has_just_crossed_its_trigger_is_not_late() {
        const TWO_DAYS_LATER: &str = "2026-11-24 12:02:00+00";
        let told_of = |before: Option<u32>, dead: u32, at: &str| {
            let mut taken_at: Vec<_> =
                before.map(|d| taken("2026-11-24 11:02:00+00", 100_000, d, 20 << 20, "").build()).into_iter().collect();
            taken_at.push(taken(at, 100_000, dead, 20 << 20, "").build());
            told(&judge(&RULE, &taken_at, ""))[0].split(',').next().unwrap().split(':').next().unwrap().to_owned()
        };
        assert_eq!(told_of(None, 20_060, TWO_DAYS_LATER), "passed", "86 s of two days above it");
        assert_eq!(told_of(None, 20_500, TWO_DAYS_LATER), "low", "an hour of them");
        assert_eq!(told_of(Some(20_000), 21_000, TWO_DAYS_LATER), "low", "57 minutes of the last hour");
        assert_eq!(told_of(Some(0), 22_000, TWO_DAYS_LATER), "passed", "5 minutes of it");
    }

    #[test]
    fn skips_on_a_standby_and_without_sizes() {
        let standby = taken(A, 100_000, 60_000, 20 << 20, "").meta(|m| m.in_recovery = Some(true)).build();
        assert_eq!(
            told(&judge(&RULE, &[standby], "")),
            ["skipped: the server is a standby: this is decided on the primary"]
        );
        let b = literal(A).view("pg_stat_user_tables", "relid | n_live_tup | n_dead_tup", &["1 | 5 | 5"]).build();
        assert_eq!(told(&judge(&RULE, &[b], "")), ["skipped, input missing: `table_sizes` is not in the dump"]);
    }
}
