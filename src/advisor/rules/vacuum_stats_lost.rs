//! Counters at zero after a crash or reset: autovacuum does not see what has to be done.

use crate::advisor::vacuum_cure::vacuum;
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, TableFact, Threshold, show, whole};
use crate::diff::Change;
use crate::finding::{Effort, Finding, Fix, Risk, Severity, Subject, SubjectKind, Verb};
use crate::snapshot::Row;
use crate::text::Text;
use crate::unit::{Quantity, Unit};

/// How many tables with dead rows get a statement of their own.
const NAMED: usize = 5;

/// The rule.
pub const RULE: Rule = Rule {
    id: "vacuum-stats-lost",
    title: "Vacuum counters lost",
    needs: &[
        Need::Primary,
        Need::View(
            "pg_stat_user_tables",
            &[
                "n_dead_tup",
                "n_mod_since_analyze",
                "last_vacuum",
                "last_autovacuum",
                "last_analyze",
                "last_autoanalyze",
            ],
        ),
        Need::View("table_sizes", &["relation_size", "reltuples"]),
    ],
    wants: &[Need::View("pg_stat_database", &["stats_reset"])],
    thresholds: &[
        Threshold {
            name: "min_share",
            default: 0.5,
            unit: Unit::Share,
            about: "Of the tables of `min_heap_bytes`: single tables at zero are new, or were reset alone.",
        },
        Threshold {
            name: "min_heap_bytes",
            default: 10_485_760.0,
            unit: Unit::Bytes,
            about: "Smaller tables are counted again in no time.",
        },
        Threshold {
            name: "max_age",
            default: 86_400.0,
            unit: Unit::Seconds,
            about: "Older statistics have had their first vacuums and analyzes.",
        },
        Threshold {
            name: "min_dead",
            default: 0.5,
            unit: Unit::Times,
            about: "Of the trigger: so many dead rows before the loss are worth a vacuum by hand.",
        },
    ],
    docs: Docs {
        looks_at: "Tables that hold rows and whose counters say that nothing ever happened to them: no dead rows, nothing \
                   changed, never vacuumed, never analyzed; and whether the statistics began again lately.",
        why: "Dead rows and changes from before are still there, only uncounted. Autovacuum counts from zero and leaves \
              alone a table that has no counters at all until it changes again: vacuums come a whole trigger late, \
              analyzes too.",
        decides: "Found when `min_share` of the tables of `min_heap_bytes` are at zero although the planner has counted \
                  rows in them, and a crash or reset is seen in the window or the statistics are younger than `max_age`. \
                  Medium; high from 15 on after a crash where a table had `min_dead` of its trigger in dead rows before; low \
                  where earlier snapshots, themselves with counters, show that none had.",
        what_to_do: "ANALYZE everything once, at a quiet hour, and vacuum the tables that had many dead rows. Do not call \
                     pg_stat_reset() before measuring: two snapshots do the same without the loss.",
        ignore_when: "A cluster that was just created, restored or upgraded and is being analyzed at the moment.",
        references: "PostgreSQL manual: The Cumulative Statistics System (note on pg_stat_reset). That a crash empties \
                     the counters and that a table without counters is skipped: observed on PostgreSQL 12 to 18.",
    },
    check,
};

fn check(cx: &Context<'_>) -> Check {
    let mut lost: Vec<(&TableFact<'_>, Change<'_>)> = Vec::new();
    let mut looked = 0_u32;
    for table in cx.facts.large(cx.threshold("min_heap_bytes")) {
        let Some(change) = table.change else { continue };
        let Some(row) = change.last() else { continue };
        looked += 1;
        let started_again = change.class().began_again();
        if is_blank(row, started_again) && table.reltuples().is_some_and(|rows| rows > 0.0) {
            lost.push((table, change));
        }
    }
    let share = lost.len() as f64 / f64::from(looked.max(1));
    let age = cx.facts.age.database_s;
    let looked_at = format!(
        "{} of {looked} large tables without their past; statistics {} old",
        lost.len(),
        age.map_or_else(|| "of unknown age,".to_owned(), |s| show(s, Unit::Seconds))
    );
    let crash = cx.chain.windows.iter().any(|w| w.events.iter().any(|e| e.kind == "crash"));
    let reset = lost.iter().any(|(_, c)| c.class().began_again());
    let young = age.is_some_and(|s| s <= cx.threshold("max_age"));
    let found = !lost.is_empty() && share >= cx.threshold("min_share") && (crash || reset || young);
    let findings = if found { vec![report(cx, &lost, looked, crash)] } else { Vec::new() };
    Ok(Checked { findings, looked_at })
}

/// Counters that say that nothing ever happened; where they were seen to start again, a few rows may have come since.
fn is_blank(row: Row<'_>, started_again: bool) -> bool {
    (started_again || ["n_dead_tup", "n_mod_since_analyze"].iter().all(|c| row.int(c) == Some(0)))
        && ["last_vacuum", "last_autovacuum", "last_analyze", "last_autoanalyze"].iter().all(|c| row.time(c).is_none())
}

/// The most dead rows that an earlier snapshot counted, where they are worth a vacuum.
fn dead_before<'a>(cx: &Context<'a>, table: &TableFact<'a>, change: Change<'a>) -> Option<f64> {
    let most = cx.history(change, "n_dead_tup").into_iter().flatten().reduce(f64::max)?;
    (most > 0.0 && most >= cx.threshold("min_dead") * cx.facts.triggers(table).vacuum).then_some(most)
}

fn report<'a>(cx: &Context<'a>, lost: &[(&TableFact<'a>, Change<'a>)], looked: u32, crash: bool) -> Finding {
    let mut dead: Vec<(f64, &TableFact<'a>, Change<'a>)> =
        lost.iter().filter_map(|(t, c)| Some((dead_before(cx, t, *c)?, *t, *c))).collect();
    dead.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.display().cmp(&b.1.display())));
    let severity = match dead.is_empty() {
        false if crash && cx.major() >= 15 => Severity::High,
        // The snapshots before show that next to nothing was lost: they had counters themselves.
        true if lost.iter().any(|(_, c)| c.first().is_some_and(|r| !is_blank(r, false))) => Severity::Low,
        _ => Severity::Medium,
    };
    let count = Quantity::count(lost.len());
    let title = Text::new()
        .t("The vacuum counters of ")
        .n(count)
        .t(" of ")
        .many(Quantity::count(looked), "large table", "large tables")
        .t(" are lost; autovacuum starts blind");
    let name = cx.chain.last().meta.database.clone().unwrap_or_else(|| "this database".to_owned());
    let rows: Vec<_> = lost.iter().take(NAMED).filter_map(|(_, c)| Some((c.last()?, BLANK))).collect();
    let cause = if crash { "after a crash" } else { "after a reset" };
    let mut finding = cx
        .finding(severity, Subject::new(SubjectKind::Database, name.clone()), title)
        .members(lost.iter().map(|(t, _)| t.subject()).collect())
        .doubts([cx.single_doubt(), cx.facts.sizes_doubt()])
        .why(format!("Dead rows and changes from before are still there {cause}, and nothing counts them any more."))
        .measure(cx.computed(
            "Tables without their past",
            Some(count),
            format!(
                "of {} tables of {} or more",
                show(f64::from(looked), Unit::Count),
                show(cx.threshold("min_heap_bytes"), Unit::Bytes)
            ),
            &rows,
        ))
        .share(Some(lost.len() as f64 / f64::from(looked.max(1))))
        .effort(Effort::S)
        .verify("last_analyze is set for every large table.")
        .fix(
            Fix::new(Verb::Maintain, Risk::R1, format!("database {name}"), "ANALYZE;")
                .lock("SHARE UPDATE EXCLUSIVE on one table after another: reads and writes go on")
                .when_not("At peak load: it reads a sample of every table."),
        );
    for (most, table, change) in dead.into_iter().take(NAMED) {
        let label = format!("Most dead rows of {} before", table.display());
        let rows: Vec<_> = change.first().into_iter().map(|r| (r, &["n_dead_tup"][..])).collect();
        let formula = "the highest of the earlier snapshots".to_owned();
        finding = finding.measure(cx.computed(&label, whole(most, Unit::Rows), formula, &rows)).fix(vacuum(table));
    }
    finding
}

const BLANK: &[&str] =
    &["n_dead_tup", "n_mod_since_analyze", "last_vacuum", "last_autovacuum", "last_analyze", "last_autoanalyze"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::Snapshot;
    use crate::snapshot::literal::literal;
    use std::sync::Arc;

    const COUNTERS: &str = "relid | schemaname | relname | n_tup_upd | n_dead_tup | n_mod_since_analyze | last_vacuum | last_autovacuum | last_analyze | last_autoanalyze";

    fn taken(at: &str, reset: &str, rows: &[&str]) -> Arc<Snapshot> {
        literal(at)
            .view("pg_stat_database", "datid | datname | stats_reset", &[&format!("16697 | shop | {reset}")])
            .view("pg_stat_user_tables", COUNTERS, rows)
            .view(
                "table_sizes",
                "relid | schemaname | relname | relkind | reltuples | relpages | relation_size",
                &["1 | public | a | r | 100000 | 2560 | 20971520", "2 | public | b | r | 100000 | 2560 | 20971520"],
            )
            .build()
    }

    const NOON: &str = "2026-11-22 12:00:00+00";
    const BEFORE: [&str; 2] = [
        "1 | public | a | 900 | 30000 | 50 | | 2026-11-20 00:00:00+00 | |",
        "2 | public | b | 900 | 10 | 50 | | | | 2026-11-20 00:00:00+00",
    ];
    const AFTER: [&str; 2] = ["1 | public | a | 0 | 0 | 0 | | | |", "2 | public | b | 5 | 5 | 5 | | | |"];

    #[test]
    fn large_tables_without_their_past_after_a_reset() {
        let series = [
            taken(NOON, "2026-11-01 00:00:00+00", &BEFORE),
            taken("2026-11-22 13:00:00+00", "2026-11-22 12:30:00+00", &AFTER),
        ];
        let outcome = judge(&RULE, &series, "");
        assert_eq!(
            told(&outcome),
            ["medium, high: shop: The vacuum counters of 2 of 2 large tables are lost; autovacuum starts blind"],
            "one of them has counted a few rows since"
        );
        let crate::finding::Outcome::Found { findings, .. } = outcome else { panic!() };
        let sql: Vec<&str> = findings[0].fixes.iter().map(|f| f.sql.as_str()).collect();
        assert_eq!(sql, ["ANALYZE;", "VACUUM (ANALYZE, VERBOSE) \"public\".\"a\";"], "a had dead rows before");
    }

    #[test]
    fn earlier_snapshots_that_knew_nothing_prove_nothing() {
        const BLANK: [&str; 2] = ["1 | public | a | 0 | 0 | 0 | | | |", "2 | public | b | 0 | 0 | 0 | | | |"];
        const CALM: [&str; 2] = ["1 | public | a | 9 | 3 | 3 | | | |", "2 | public | b | 9 | 3 | 3 | | | |"];
        for (before, want) in [(BLANK, "medium"), (CALM, "low")] {
            let series = [
                taken(NOON, "2026-11-22 11:00:00+00", &before),
                taken("2026-11-22 13:00:00+00", "2026-11-22 12:30:00+00", &AFTER),
            ];
            let said = told(&judge(&RULE, &series, ""));
            assert!(said[0].starts_with(&format!("{want}, ")), "{said:?}");
        }
    }

    #[test]
    fn stays_quiet_when_the_statistics_are_old_or_tables_were_visited() {
        let old = taken(NOON, "2026-11-01 00:00:00+00", &AFTER);
        assert_eq!(
            told(&judge(&RULE, &[old], "")),
            ["passed: 1 of 2 large tables without their past; statistics 21 d 12 h old"]
        );
        let visited = taken(NOON, "2026-11-22 11:00:00+00", &BEFORE);
        assert!(told(&judge(&RULE, &[visited], ""))[0].starts_with("passed: 0 of 2"));
    }

    #[test]
    fn skips_without_the_columns() {
        let b = literal(NOON).view("pg_stat_user_tables", "relid | n_dead_tup", &["1 | 0"]).build();
        assert_eq!(
            told(&judge(&RULE, &[b], "")),
            ["skipped, input missing: `pg_stat_user_tables` was exported without `n_mod_since_analyze`"]
        );
    }
}
