//! A small table vacuumed again and again although little changes in it.

use crate::advisor::horizon::look_at_holders;
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, TableFact, Threshold, show, whole};
use crate::diff::Change;
use crate::finding::{Doubt, Effort, Severity};
use crate::text::{Text, counted};
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "vacuum-too-frequent",
    title: "Vacuumed more often than its changes ask for",
    needs: &[
        Need::Primary,
        Need::Snapshots(2),
        Need::View("pg_stat_user_tables", &["n_tup_ins", "n_tup_upd", "n_tup_del", "n_dead_tup", "autovacuum_count"]),
    ],
    wants: &[Need::View("table_sizes", &["reltuples", "reloptions"]), Need::Setting("autovacuum_vacuum_threshold")],
    thresholds: &[
        Threshold { name: "min_vacuums", default: 3.0, unit: Unit::Count, about: "A rate rests on three events." },
        Threshold {
            name: "min_per_hour",
            default: 30.0,
            unit: Unit::Count,
            about: "An hour: every second round of autovacuum at its default of a minute.",
        },
        Threshold {
            name: "max_explained",
            default: 0.5,
            unit: Unit::Share,
            about: "The changes of the window account for less than half of the vacuums.",
        },
        Threshold {
            name: "large_rows",
            default: 10_000.0,
            unit: Unit::Rows,
            about: "With large_bytes: such tables are judged by vacuum-blocked-horizon.",
        },
        Threshold { name: "large_bytes", default: 10_485_760.0, unit: Unit::Bytes, about: "See large_rows." },
    ],
    docs: Docs {
        looks_at: "How often autovacuum worked on a table in the window, the rows inserted, updated and deleted there meanwhile, and the \
                   dead rows at its end.",
        why: "Autovacuum begins with a table when enough of it is dead. Where it comes again and again although the workload made not nearly \
              as many dead rows, it does not remove those that are there: somebody can still see them, and each round is in vain.",
        decides: "Thirty vacuums an hour, three at least; all rows changed in the window divided by the trigger give less than half of \
                  them; and the dead rows at the end are above the trigger. All changes count, inserts too, since those that were rolled \
                  back leave dead rows. What a vacuum found and left is in no view: this is what changes and counts prove. A queue that is \
                  vacuumed often because it changes much is as it should be. Large tables are left to vacuum-blocked-horizon.",
        what_to_do: "Look for the oldest transaction, prepared transaction or slot that holds rows back.",
        ignore_when: "Somebody runs VACUUM through the autovacuum launcher's settings on purpose.",
        references: "PostgreSQL manual, \"Routine Vacuuming\"; the trigger: \"The Autovacuum Daemon\".",
    },
    check,
};

/// What the counters of a window say.
struct Rounds {
    vacuums: f64,
    seconds: f64,
    per_hour: f64,
    changed: f64,
    trigger: f64,
    dead: f64,
}

fn check(cx: &Context<'_>) -> Check {
    let mut checked = Checked::default();
    let mut looked = 0;
    for table in &cx.facts.tables {
        let Some(change) = table.change else { continue };
        looked += 1;
        if let Some(rounds) = rounds(cx, table, change) {
            checked.findings.push(report(cx, table, change, &rounds));
        }
    }
    checked.looked_at =
        format!("{}, none vacuumed much more often than it changed", counted(looked, "table", "tables"));
    Ok(checked)
}

const CHANGES: [&str; 3] = ["n_tup_ins", "n_tup_upd", "n_tup_del"];

fn rounds(cx: &Context<'_>, table: &TableFact<'_>, change: Change<'_>) -> Option<Rounds> {
    let vacuums = change.delta("autovacuum_count")?;
    let window = change.covered_s().filter(|s| *s >= 60.0)?;
    let per_hour = vacuums * 3_600.0 / window;
    if vacuums < cx.threshold("min_vacuums") || per_hour < cx.threshold("min_per_hour") {
        return None;
    }
    let last = change.last()?;
    let (dead, live) = (last.f64("n_dead_tup")?, last.f64("n_live_tup").unwrap_or(0.0));
    let large = dead + live >= cx.threshold("large_rows")
        && table.heap_bytes().is_some_and(|b| b as f64 >= cx.threshold("large_bytes"));
    let triggers = cx.facts.triggers(table);
    let changed: f64 = CHANGES.iter().filter_map(|c| change.delta(c)).sum();
    // The nearer of the triggers, so that everything that may have started a vacuum counts.
    let trigger = triggers.insert.map_or(triggers.vacuum, |i| i.min(triggers.vacuum)).max(1.0);
    let explained = changed / trigger;
    (!large && dead > triggers.vacuum && explained < cx.threshold("max_explained") * vacuums).then_some(Rounds {
        vacuums,
        seconds: window,
        per_hour,
        changed,
        trigger,
        dead,
    })
}

fn report<'a>(cx: &Context<'a>, table: &TableFact<'a>, change: Change<'a>, r: &Rounds) -> crate::finding::Finding {
    let formula = format!("{} ÷ {}", show(r.changed, Unit::Rows), show(r.trigger, Unit::Rows));
    let rows: Vec<_> = cx.ends(change, &CHANGES);
    let vacuumed: Vec<_> = cx.ends(change, &["autovacuum_count"]);
    let title = Text::new()
        .t("Autovacuum came ")
        .many(whole(r.vacuums, Unit::Count), "time, ", "times, ")
        .opt(whole(r.changed, Unit::Rows))
        .t(" changed meanwhile");
    cx.finding(Severity::Low, table.subject(), title)
        .why(
            Text::new()
                .t("That is ")
                .opt(Quantity::float(r.per_hour, Unit::Count))
                .t(" an hour, and what changed is enough for ")
                .opt(Quantity::float(r.changed / r.trigger, Unit::Count))
                .t(" at most: the rounds leave dead rows behind, ")
                .opt(whole(r.dead, Unit::Rows))
                .t(" at the end, that somebody can still see."),
        )
        .doubts(cx.facts.triggers(table).doubts.into_iter().map(Some))
        .doubts([cx.class_doubt(change), Some(Doubt::C5)])
        .measure(cx.measure("Autovacuums", change, "autovacuum_count"))
        .measure(cx.over_window(
            "Vacuums an hour",
            Quantity::float(r.per_hour, Unit::Count),
            format!("{} in {}", show(r.vacuums, Unit::Count), show(r.seconds, Unit::Seconds)),
            &vacuumed,
        ))
        .measure(cx.measure("Dead rows (est.)", change, "n_dead_tup"))
        .measure(cx.sum("Rows changed", change, &CHANGES, Unit::Rows))
        .measure(cx.over_window(
            "Vacuums that the changes explain",
            Quantity::float(r.changed / r.trigger, Unit::Count),
            formula,
            &rows,
        ))
        .fix(look_at_holders())
        .verify("autovacuum_count rises no faster than the changes ask for.")
        .effort(Effort::S)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{AUTOVACUUM, judge, told};
    use crate::snapshot::Snapshot;
    use crate::snapshot::literal::literal;
    use std::sync::Arc;

    fn taken(at: &str, updates: u32, vacuums: u32, dead: u32, bytes: u64) -> Arc<Snapshot> {
        literal(at)
            .view("pg_settings", "name | setting | unit", AUTOVACUUM)
            .view(
                "pg_stat_user_tables",
                "relid | schemaname | relname | n_tup_ins | n_tup_upd | n_tup_del | n_live_tup | n_dead_tup | autovacuum_count",
                &[&format!("1 | app | jobs | 0 | {updates} | 0 | 100 | {dead} | {vacuums}")],
            )
            .view(
                "table_sizes",
                "relid | schemaname | relname | relkind | reltuples | relpages | relation_size",
                &[&format!("1 | app | jobs | r | 100 | 4 | {bytes}")],
            )
            .build()
    }

    fn with(updates: u32, vacuums: u32, dead: u32, bytes: u64) -> Vec<String> {
        let a = taken("2026-11-22 10:00:00+00", 0, 0, 5, bytes);
        told(&judge(&RULE, &[a, taken("2026-11-22 11:00:00+00", updates, vacuums, dead, bytes)], ""))
    }

    // The trigger is 50 + 0.2 × 100 = 70 dead rows.
    #[test]
    fn finds_rounds_that_the_changes_do_not_explain() {
        assert_eq!(
            with(700, 58, 690, 32_768),
            ["low, medium: app.jobs: Autovacuum came 58 times, 700 changed meanwhile"]
        );
    }

    #[test]
    fn stays_quiet_below_each_floor() {
        for (updates, vacuums, dead, bytes, why) in [
            (90_000, 58, 690, 32_768, "a queue that changes much"),
            (700, 25, 690, 32_768, "seldom"),
            (700, 58, 40, 32_768, "the dead rows went"),
            (700, 58, 12_000, 20 << 20, "large: another check's"),
        ] {
            assert!(with(updates, vacuums, dead, bytes)[0].starts_with("passed"), "{why}");
        }
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_eq!(
            crate::advisor::testing::told_of_nothing(&RULE),
            "skipped, input missing: `pg_stat_user_tables` is not in the dump"
        );
        let b = taken("2026-11-22 10:00:00+00", 0, 0, 5, 1);
        assert_eq!(told(&judge(&RULE, &[b], "")), ["skipped, input missing: needs 2 snapshots, here 1 is given"]);
    }
}
