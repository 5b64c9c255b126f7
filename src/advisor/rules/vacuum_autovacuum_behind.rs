//! Many tables above their trigger while all of autovacuum's workers are busy.

use crate::advisor::cure::{Effect, set_system};
use crate::advisor::overdue::{lasting, rare_naptime_s, vacuumed_in_vain};
use crate::advisor::sighting::Sighting;
use crate::advisor::vacuum_cost::CostSettings;
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, TableFact, Threshold, show};
use crate::finding::{Effort, Finding, Fix, Measure, Severity, Subject, SubjectKind};
use crate::snapshot::Table;
use crate::text::{Text, counted};
use crate::unit::{Quantity, Unit};

/// More than this makes vacuums a load of their own on most storage.
const MOST_COST_LIMIT: f64 = 2_000.0;

/// The rule.
pub const RULE: Rule = Rule {
    id: "vacuum-autovacuum-behind",
    title: "Autovacuum cannot keep up",
    needs: &[
        Need::Primary,
        Need::Snapshots(2),
        Need::View("pg_stat_user_tables", &["n_dead_tup", "n_live_tup"]),
        Need::View("table_sizes", &["reltuples", "relation_size"]),
        Need::View("pg_stat_activity", &["backend_type"]),
    ],
    wants: &[Need::View("pg_settings", &["setting"]), Need::View("pg_stat_user_tables", &["total_autovacuum_time"])],
    thresholds: &[
        Threshold {
            name: "min_tables",
            default: 3.0,
            unit: Unit::Count,
            about: "One or two late tables have causes of their own.",
        },
        Threshold {
            name: "min_share",
            default: 0.1,
            unit: Unit::Share,
            about: "Of the tables of `min_heap_bytes`: in a database of thousands some are always due.",
        },
        Threshold {
            name: "min_heap_bytes",
            default: 10_485_760.0,
            unit: Unit::Bytes,
            about: "Smaller tables are vacuumed in a moment.",
        },
        Threshold {
            name: "min_wait",
            default: 600.0,
            unit: Unit::Seconds,
            about: "Autovacuum gets this long, or ten naptimes if that is longer, before it counts as late.",
        },
        Threshold {
            name: "min_busy_samples",
            default: 2.0,
            unit: Unit::Count,
            about: "Snapshots in which every worker was at work: once is chance.",
        },
        Threshold {
            name: "min_busy_share",
            default: 0.8,
            unit: Unit::Share,
            about: "Of the time of all workers, spent in autovacuums of this database (18 and later).",
        },
    ],
    docs: Docs {
        looks_at: "How many large tables have more dead rows than their trigger in the last two snapshots, and whether \
                   autovacuum's workers are all busy: as seen in the snapshots, or by the time they spent (18 and later).",
        why: "Every worker is at work and tables still wait: dead rows grow faster than they are removed, in more and \
              more tables.",
        decides: "Found when `min_tables` tables and `min_share` of those of `min_heap_bytes` are above their trigger in the last \
                  two snapshots, for `min_wait` as snapshots show it or by even growth since the last autovacuum, and all workers (autovacuum_max_workers) were seen at work in `min_busy_samples` snapshots or \
                  used `min_busy_share` of their time. Tables that were vacuumed and kept their dead rows \
                  (vacuum-blocked-horizon) or have autovacuum switched off do not count. High.",
        what_to_do: "Let the workers work faster: a higher cost limit, or less delay; a delay far above the built-in 2 ms goes \
                     back first, as does autovacuum_naptime where it is ten minutes or more. More workers alone share the same \
                     budget and do not remove more rows (they help where a few huge tables keep all of them for hours).",
        ignore_when: "Storage is busy with other work already: then faster vacuums hurt what users wait for.",
        references: "PostgreSQL manual: Routine Vacuuming; Automatic Vacuuming (autovacuum_vacuum_cost_limit: the \
                     budget is shared by all workers).",
    },
    check,
};

fn check(cx: &Context<'_>) -> Check {
    let mut late: Vec<&TableFact<'_>> = Vec::new();
    let (mut looked, mut in_vain) = (0, 0);
    for table in cx.facts.large(cx.threshold("min_heap_bytes")) {
        let Some(change) = table.change else { continue };
        looked += 1;
        let triggers = cx.facts.triggers(table);
        let above = |dead: &Option<f64>| dead.is_some_and(|d| d > triggers.vacuum);
        if !triggers.enabled || !above(&change.last().and_then(|r| r.f64("n_dead_tup"))) {
            continue;
        }
        let history = cx.history(change, "n_dead_tup");
        let twice = history.len() >= 2 && history.iter().rev().take(2).all(above);
        if !twice || !lasting(cx, change, "n_dead_tup", triggers.vacuum, cx.threshold("min_wait")) {
            continue;
        }
        if cx.windows_of(change).last().copied().flatten().is_some_and(|w| vacuumed_in_vain(&w)) {
            in_vain += 1;
        } else {
            late.push(table);
        }
    }
    let enough = cx.threshold("min_tables").max(cx.threshold("min_share") * f64::from(looked));
    let workers = workers(cx);
    let busy = workers.busy.seen.len() as f64 >= cx.threshold("min_busy_samples")
        || workers.time_share.is_some_and(|s| s >= cx.threshold("min_busy_share"));
    let looked_at = format!(
        "{} of {looked} large tables above their trigger twice{}; all workers ({}) busy in {} of {}",
        late.len(),
        if in_vain > 0 { format!(" ({in_vain} more are vacuumed in vain)") } else { String::new() },
        show(workers.most, Unit::Count),
        workers.busy.seen.len(),
        counted(workers.busy.of, "snapshot", "snapshots")
    );
    let findings =
        if busy && late.len() as f64 >= enough { vec![report(cx, &late, looked, &workers)] } else { Vec::new() };
    Ok(Checked { findings, looked_at })
}

/// Autovacuum's workers.
struct Workers {
    /// `autovacuum_max_workers`.
    most: f64,
    /// In which snapshots all of them were at work.
    busy: Sighting,
    /// Time spent in autovacuums of this database ÷ time of all workers; `None` before 18.
    time_share: Option<f64>,
    /// How that was computed.
    formula: String,
}

fn workers(cx: &Context<'_>) -> Workers {
    let most = cx.facts.autovacuum.workers.max(1.0);
    let at_work = |t: &Table| t.iter().filter(|r| r.text("backend_type") == Some("autovacuum worker")).count() as f64;
    let samples: Vec<(usize, &Table)> = cx.samples("pg_stat_activity").collect();
    let all: Vec<usize> = samples.iter().map(|(i, _)| *i).collect();
    let busy = Sighting::new(samples.iter().filter(|(_, t)| at_work(t) >= most).map(|(i, _)| *i), &all);
    let spent = cx
        .changes("pg_stat_user_tables")
        .filter(|v| v.last.as_ref().is_some_and(|t| t.has("total_autovacuum_time")))
        .map(|v| v.total("total_autovacuum_time") / 1e3);
    let spent = spent.zip(cx.window_s().filter(|w| *w >= 60.0));
    let time_share = spent.map(|(s, w)| s / (w * most));
    let formula = spent.map(|(s, w)| {
        format!("{} ÷ ({} × {})", show(s, Unit::Seconds), show(most, Unit::Count), show(w, Unit::Seconds))
    });
    Workers { most, busy, time_share, formula: formula.unwrap_or_default() }
}

fn report<'a>(cx: &Context<'a>, late: &[&TableFact<'a>], looked: u32, workers: &Workers) -> Finding {
    let count = Quantity::count(late.len());
    let title = Text::new().n(count).t(" large tables are above their autovacuum trigger while ");
    let title = if workers.most > 1.0 {
        title.t("all ").opt(Quantity::float(workers.most, Unit::Count)).t(" workers are busy")
    } else {
        title.t("the only worker is busy")
    };
    let name = cx.chain.last().meta.database.clone().unwrap_or_else(|| "this database".to_owned());
    let dead: Vec<_> = late.iter().take(5).filter_map(|t| Some((t.change?.last()?, &["n_dead_tup"][..]))).collect();
    let mut why = Text::new().t("All workers at work ").then(workers.busy.text());
    if let Some(share) = workers.time_share {
        why =
            why.t("; autovacuums of this database took ").opt(Quantity::float(share, Unit::Share)).t(" of their time");
    }
    let rare = rare_naptime_s(cx);
    let mut finding = cx
        .finding(Severity::High, Subject::new(SubjectKind::Database, name), title)
        .members(late.iter().map(|t| t.subject()).collect())
        .doubts([cx.facts.autovacuum.doubt, cx.facts.sizes_doubt()])
        .doubts([workers.busy.doubt().filter(|_| workers.time_share.is_none())])
        .why({
            let why = why.t(". More workers alone would share the same budget.");
            match rare {
                Some(naptime) => why
                    .t(" Autovacuum comes to each database only every ")
                    .opt(Quantity::float(naptime * 1e3, Unit::Ms))
                    .t(" (autovacuum_naptime)."),
                None => why,
            }
        })
        .measure(cx.computed(
            "Tables above their trigger twice",
            Some(count),
            format!("of {looked} tables of {} or more", show(cx.threshold("min_heap_bytes"), Unit::Bytes)),
            &dead,
        ))
        .share(Some(late.len() as f64 / f64::from(looked.max(1))))
        .effort(Effort::S)
        .verify("Fewer tables are above their trigger in the next snapshots.");
    for table in late.iter().take(5) {
        if let Some(change) = table.change {
            finding = finding.measure(cx.measure(&format!("Dead rows of {}", table.display()), change, "n_dead_tup"));
        }
    }
    finding
        .measures(cx.sighted(&workers.busy, "pg_stat_activity"))
        .measures(workers.time_share.map(|share| {
            let last = cx.chain.snapshots.len().saturating_sub(1);
            let formula = workers.formula.clone();
            let evidence = cx.all_rows(last, "pg_stat_user_tables", &["total_autovacuum_time"], formula);
            let share = Quantity::float(share, Unit::Share);
            Measure::of_window("Time of all workers spent here", share, evidence)
        }))
        .measure(cx.setting_measure("autovacuum_max_workers"))
        .measure(cx.setting_measure("autovacuum_vacuum_cost_limit"))
        .measure(cx.setting_measure("autovacuum_vacuum_cost_delay"))
        .measures(rare.map(|_| cx.setting_measure("autovacuum_naptime")))
        .fixes(rare.map(|seconds| {
            set_system(
                "autovacuum_naptime",
                "1min",
                Effect::Reload,
                Some(&format!("{seconds:.0}s")),
                "Thousands of databases: each would be visited this often.".into(),
            )
        }))
        .fixes(faster(cx))
}

/// A larger budget for all workers together; where it is large already, only a look at what they do.
fn faster(cx: &Context<'_>) -> Vec<Fix> {
    let cost = CostSettings::read(cx).filter(|c| c.delay_ms > 0.0);
    let fixes = cost.map(|c| c.faster(2.0, MOST_COST_LIMIT).fixes(&c)).unwrap_or_default();
    if fixes.is_empty() { vec![look()] } else { fixes }
}

fn look() -> Fix {
    Fix::diagnose(
        "autovacuum's workers",
        "SELECT p.pid, p.relid::regclass, p.phase, p.heap_blks_scanned, p.heap_blks_total, a.xact_start\n\
         FROM pg_stat_progress_vacuum p JOIN pg_stat_activity a USING (pid) ORDER BY a.xact_start;",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{AUTOVACUUM, judge, told};
    use crate::finding::Outcome;
    use crate::snapshot::Snapshot;
    use crate::snapshot::literal::literal;
    use std::sync::Arc;

    fn cells(rows: &[String]) -> Vec<&str> {
        rows.iter().map(String::as_str).collect()
    }

    /// Four tables of 20 MB, each with so many dead rows of 100,000; so many workers.
    fn taken(at: &str, dead: [u32; 4], updated: u32, vacuums: u32, workers: usize) -> Arc<Snapshot> {
        let (mut counters, mut sizes) = (Vec::new(), Vec::new());
        for (i, dead) in dead.iter().enumerate() {
            counters.push(format!("{i} | public | t{i} | 100000 | {dead} | {updated} | 0 | 0 | {vacuums}"));
            sizes.push(format!("{i} | public | t{i} | r | 100000 | 2560 | 20971520"));
        }
        let sessions: Vec<String> = (0..workers).map(|pid| format!("{pid} | autovacuum worker")).collect();
        literal(at)
            .version(15)
            .view(
                "pg_stat_user_tables",
                "relid | schemaname | relname | n_live_tup | n_dead_tup | n_tup_upd | n_tup_del | vacuum_count | autovacuum_count",
                &cells(&counters),
            )
            .view(
                "table_sizes",
                "relid | schemaname | relname | relkind | reltuples | relpages | relation_size",
                &cells(&sizes),
            )
            .view("pg_stat_activity", "pid | backend_type", &cells(&sessions))
            .view("pg_settings", "name | setting | unit", AUTOVACUUM)
            .build()
    }

    fn judged(dead: [u32; 4], updated: u32, vacuums: u32, workers: usize) -> Outcome {
        let before = taken("2026-11-22 12:00:00+00", dead, 0, 0, workers);
        judge(&RULE, &[before, taken("2026-11-22 12:30:00+00", dead, updated, vacuums, workers)], "")
    }

    const LATE: [u32; 4] = [50_000, 60_000, 70_000, 100];

    #[test]
    fn late_tables_and_busy_workers_are_behind() {
        let outcome = judged(LATE, 5_000, 0, 3);
        assert_eq!(
            told(&outcome),
            ["high, medium: shop: 3 large tables are above their autovacuum trigger while all 3 workers are busy"]
        );
        let Outcome::Found { findings, .. } = outcome else { panic!() };
        assert_eq!(
            findings[0].fixes[0].sql,
            "ALTER SYSTEM SET autovacuum_vacuum_cost_limit = '400';\nSELECT pg_reload_conf();"
        );
        assert_eq!(findings[0].members.len(), 3);
    }

    /// Twice nearly nothing is nearly nothing.
    #[test]
    fn a_limit_below_the_built_in_one_goes_back_to_it() {
        let with = |s: Arc<Snapshot>| {
            let settings = literal("2026-11-22 12:00:00+00")
                .view(
                    "pg_settings",
                    "name | setting | unit",
                    &[
                        "autovacuum_max_workers | 1 |",
                        "autovacuum_vacuum_cost_limit | 1 |",
                        "autovacuum_vacuum_cost_delay | 100 | ms",
                    ],
                )
                .build();
            let mut s = Snapshot::clone(&s);
            s.tables.extend(settings.tables.clone());
            Arc::new(s)
        };
        let before = with(taken("2026-11-22 12:00:00+00", LATE, 0, 0, 1));
        let outcome = judge(&RULE, &[before, with(taken("2026-11-22 12:30:00+00", LATE, 5_000, 0, 1))], "");
        let Outcome::Found { findings, .. } = outcome else { panic!() };
        assert!(findings[0].title.plain().ends_with("while the only worker is busy"), "{}", findings[0].title.plain());
        let sql: Vec<&str> = findings[0].fixes.iter().filter_map(|f| f.sql.lines().next()).collect();
        assert_eq!(
            sql,
            [
                "ALTER SYSTEM SET autovacuum_vacuum_cost_delay = '2ms';",
                "ALTER SYSTEM SET autovacuum_vacuum_cost_limit = '200';"
            ]
        );
        assert_eq!(
            findings[0].fixes[0].undo.as_deref(),
            Some("ALTER SYSTEM SET autovacuum_vacuum_cost_delay = '100ms';\nSELECT pg_reload_conf();")
        );
    }

    #[test]
    fn stays_quiet_with_a_free_worker_few_tables_or_vacuums_in_vain() {
        assert_eq!(
            told(&judged(LATE, 5_000, 0, 2)),
            ["passed: 3 of 4 large tables above their trigger twice; all workers (3) busy in 0 of 2 snapshots"]
        );
        assert!(told(&judged([50_000, 60_000, 100, 100], 5_000, 0, 3))[0].starts_with("passed: 2 of 4"));
        assert!(told(&judged(LATE, 5_000, 1, 3))[0].contains("3 more are vacuumed in vain"));
        assert!(told(&judged(LATE, 90_000, 1, 3))[0].starts_with("high"), "the window can have made them");
    }

    /// Two snapshots of two minutes say nothing of an autovacuum that comes every hour.
    #[test]
    fn autovacuum_gets_its_time() {
        let told_at = |end: &str, naptime: u32| {
            let with = |s: Arc<Snapshot>| {
                let naptime = format!("autovacuum_naptime | {naptime} | s");
                let rows: Vec<&str> =
                    AUTOVACUUM.iter().filter(|r| !r.starts_with("autovacuum_naptime")).copied().collect();
                let rows: Vec<&str> = rows.into_iter().chain([naptime.as_str()]).collect();
                let settings = literal("2026-11-22 12:00:00+00").view("pg_settings", "name | setting | unit", &rows);
                let mut s = Snapshot::clone(&s);
                s.tables.extend(settings.build().tables.clone());
                Arc::new(s)
            };
            let before = with(taken("2026-11-22 12:00:00+00", LATE, 0, 0, 3));
            judge(&RULE, &[before, with(taken(end, LATE, 5_000, 0, 3))], "")
        };
        assert!(told(&told_at("2026-11-22 12:02:00+00", 60))[0].starts_with("passed: 0 of 4"));
        assert!(told(&told_at("2026-11-22 12:30:00+00", 60))[0].starts_with("high"));
        assert!(told(&told_at("2026-11-22 12:30:00+00", 3_600))[0].starts_with("passed: 0 of 4"));
        let Outcome::Found { findings, .. } = told_at("2026-11-22 23:30:00+00", 3_600) else { panic!() };
        assert!(
            findings[0].why.plain().ends_with("only every 1 h 00 m (autovacuum_naptime)."),
            "{}",
            findings[0].why.plain()
        );
        assert!(findings[0].fixes[0].sql.starts_with("ALTER SYSTEM SET autovacuum_naptime = '1min';"));
    }

    #[test]
    fn skips_a_single_snapshot() {
        let one = [taken("2026-11-22 12:00:00+00", LATE, 0, 0, 3)];
        assert_eq!(told(&judge(&RULE, &one, "")), ["skipped, input missing: needs 2 snapshots, here 1 is given"]);
    }
}
