//! Tables that only grow and that no vacuum visits.

use crate::advisor::overdue::{being_vacuumed, lasting};
use crate::advisor::vacuum_cure::freeze_and_analyze;
use crate::advisor::{
    Check, Checked, Context, Docs, Need, Rule, Skip, TableFact, Threshold, Triggers, counted_anew, show, whole,
};
use crate::diff::Change;
use crate::finding::{Effort, Finding, Severity};
use crate::snapshot::Row;
use crate::text::{Text, counted};
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "vacuum-insert-only",
    title: "Table that only grows is not vacuumed",
    needs: &[
        Need::Primary,
        Need::View("pg_stat_user_tables", &["n_tup_ins", "n_tup_upd", "n_tup_del", "autovacuum_count"]),
        Need::View("table_sizes", &["reltuples", "relation_size"]),
    ],
    wants: &[
        Need::View("pg_stat_user_tables", &["n_ins_since_vacuum"]),
        Need::View("table_sizes", &["relpages", "relallvisible"]),
        Need::View("pg_settings", &["setting"]),
    ],
    thresholds: &[
        Threshold {
            name: "max_changed",
            default: 0.01,
            unit: Unit::Share,
            about: "Rows updated or deleted for each one inserted: above it dead rows bring the vacuum.",
        },
        Threshold {
            name: "min_pressure",
            default: 2.0,
            unit: Unit::Times,
            about: "Twice the trigger of inserts: autovacuum is not coming, or not finishing.",
        },
        Threshold {
            name: "min_inserted",
            default: 1e7,
            unit: Unit::Rows,
            about: "Without a trigger of inserts (12, or switched off): so many rows, and no vacuum ever.",
        },
        Threshold {
            name: "min_heap_bytes",
            default: 10_485_760.0,
            unit: Unit::Bytes,
            about: "Freezing a smaller heap takes no time, whenever it happens.",
        },
        Threshold {
            name: "medium_heap_bytes",
            default: 10_737_418_240.0,
            unit: Unit::Bytes,
            about: "Freezing this much at once is felt.",
        },
        Threshold {
            name: "min_wait",
            default: 600.0,
            unit: Unit::Seconds,
            about: "Autovacuum gets this long, or ten naptimes if that is longer, before it counts as late.",
        },
    ],
    docs: Docs {
        looks_at: "Tables whose rows are inserted and hardly ever changed: rows inserted since the last vacuum against the \
                   number at which autovacuum comes for inserts (13 and later).",
        why: "Without dead rows nothing else asks for a vacuum. Until one comes no page is marked all-visible, so that \
              index-only scans read the heap, and no row is frozen: all of them wait for the vacuum that the table's age \
              forces one day.",
        decides: "Found from `min_heap_bytes` on when updates and deletes are below `max_changed` of the inserts, and rows \
                  inserted since the last vacuum exceed `min_pressure` times the trigger in all snapshots of the last \
                  `min_wait`, or, where these do not say, by even growth since the last vacuum. Without such a trigger (12, or the threshold \
                  set to -1): when `min_inserted` rows were inserted, no vacuum was counted, and less than nine of ten \
                  pages are all-visible. Low; medium from `medium_heap_bytes` on. Tables being vacuumed and those with \
                  autovacuum switched off (vacuum-disabled-table) are left out.",
        what_to_do: "VACUUM (FREEZE, ANALYZE) once at a quiet hour; if it comes back, a lower \
                     autovacuum_vacuum_insert_scale_factor for the table, and on 12 a vacuum by schedule.",
        ignore_when: "A table that is loaded once and dropped before its age matters, or a load that is still running.",
        references: "PostgreSQL manual: Routine Vacuuming (The Autovacuum Daemon; Updating the Visibility Map).",
    },
    check,
};

/// When the counter of inserted rows is set anew.
const VACUUMED: [&str; 2] = ["last_vacuum", "last_autovacuum"];

/// Why autovacuum should have come.
enum Late {
    /// Rows inserted since the last vacuum, and what they are of the trigger.
    OverTrigger(f64, f64),
    /// Rows inserted without any vacuum.
    Never(f64),
}

fn check(cx: &Context<'_>) -> Check {
    let (max_changed, min_wait) = (cx.threshold("max_changed"), cx.threshold("min_wait"));
    let running = being_vacuumed(cx);
    let mut checked = Checked::default();
    let (mut looked, mut judged, mut unknown, mut most) = (0, 0, 0, 0.0_f64);
    for table in cx.facts.large(cx.threshold("min_heap_bytes")) {
        let Some(change) = table.change else { continue };
        let Some(row) = change.last() else { continue };
        let count = |column| row.f64(column).unwrap_or(0.0).max(0.0);
        let inserted = count("n_tup_ins");
        if inserted <= 0.0 || count("n_tup_upd") + count("n_tup_del") >= max_changed * inserted {
            continue;
        }
        looked += 1;
        let triggers = cx.facts.triggers(table);
        if !triggers.enabled || table.relid().is_some_and(|r| running.contains(&r)) {
            continue;
        }
        judged += 1;
        let late = if let Some(limit) = triggers.insert {
            let since = row.f64("n_ins_since_vacuum").unwrap_or(0.0);
            unknown += usize::from(counted_anew(change, &VACUUMED));
            most = most.max(since / limit.max(1.0));
            let bound = cx.threshold("min_pressure") * limit;
            (since > bound && lasting(cx, change, "n_ins_since_vacuum", bound, min_wait))
                .then(|| Late::OverTrigger(since, since / limit.max(1.0)))
        } else {
            let never = count("vacuum_count") + count("autovacuum_count") < 1.0;
            let visible = table.sizes.and_then(all_visible).is_some_and(|(share, _)| share >= 0.9);
            (never && !visible && inserted >= cx.threshold("min_inserted")).then_some(Late::Never(inserted))
        };
        checked.findings.extend(late.map(|late| report(cx, table, change, &triggers, &late)));
    }
    if checked.findings.is_empty() && unknown > 0 && unknown == judged {
        return Err(Skip(
            "what was inserted into growing tables since their last vacuum is unknown since a crash or reset"
                .to_owned(),
        ));
    }
    checked.looked_at = format!(
        "{}, the fullest at {} of its trigger of inserts{}",
        counted(looked, "growing table", "growing tables"),
        show(most, Unit::Times),
        if unknown > 0 { format!("; of {unknown} it is unknown since a crash or reset") } else { String::new() }
    );
    Ok(checked)
}

/// The share of pages that are all-visible, with its formula.
fn all_visible(sizes: Row<'_>) -> Option<(f64, String)> {
    let (visible, pages) = (sizes.f64("relallvisible")?, sizes.f64("relpages").filter(|p| *p > 0.0)?);
    Some((visible / pages, format!("{} ÷ {}", show(visible, Unit::Blocks), show(pages, Unit::Blocks))))
}

fn report<'a>(
    cx: &Context<'a>,
    table: &TableFact<'a>,
    change: Change<'a>,
    triggers: &Triggers,
    late: &Late,
) -> Finding {
    let heap = table.heap_bytes().unwrap_or(0) as f64;
    let severity = if heap >= cx.threshold("medium_heap_bytes") { Severity::Medium } else { Severity::Low };
    let title = match late {
        Late::OverTrigger(rows, pressure) => Text::new()
            .t(if counted_anew(change, &VACUUMED) { "At least " } else { "" })
            .opt(whole(*rows, Unit::Rows))
            .t(" rows inserted since the last vacuum, ")
            .opt(Quantity::float(*pressure, Unit::Times))
            .t(" its trigger"),
        Late::Never(rows) => Text::new().opt(whole(*rows, Unit::Rows)).t(" rows inserted and no vacuum counted"),
    };
    let mut why = Text::new().t(
        "Index-only scans read the heap for rows on pages not marked all-visible, and all rows are frozen at once when \
         the table's age forces it.",
    );
    if let (Late::OverTrigger(..), Some(formula)) = (late, triggers.insert_formula()) {
        why = why
            .t(" Autovacuum was due at ")
            .opt(triggers.insert.and_then(|n| whole(n, Unit::Rows)))
            .t(" (")
            .code(formula)
            .t(").");
    }
    let mut finding = cx
        .finding(severity, table.subject(), title)
        .doubts(triggers.doubts.iter().copied().map(Some))
        .doubts([cx.class_doubt(change), cx.facts.sizes_doubt()])
        .why(why)
        .measure(cx.measure("Rows inserted", change, "n_tup_ins"))
        .measure(cx.measure("Inserted since the last vacuum (est.)", change, "n_ins_since_vacuum"))
        .measure(cx.measure("Vacuums by autovacuum", change, "autovacuum_count"));
    if let (Late::OverTrigger(rows, pressure), Some(limit), Some(computed)) =
        (late, triggers.insert, triggers.insert_formula())
    {
        let formula = format!("{} ÷ {} ({computed})", show(*rows, Unit::Rows), show(limit.round(), Unit::Rows));
        let counted = change.last().map(|r| (r, &["n_ins_since_vacuum"][..]));
        let sizes = table.sizes.map(|r| (r, &["reltuples", "reloptions"][..]));
        let of: Vec<_> = counted.into_iter().chain(sizes).collect();
        let pressure = Quantity::float(*pressure, Unit::Times);
        finding = finding.measure(cx.computed("Inserted ÷ trigger", pressure, formula, &of));
    }
    if let Some(sizes) = table.sizes {
        finding = finding.measure(cx.read("Heap", sizes, "relation_size"));
        if let Some((share, formula)) = all_visible(sizes) {
            let columns: &[&str] = &["relallvisible", "relpages"];
            let share = Quantity::float(share, Unit::Share);
            finding = finding.measure(cx.computed("Pages all-visible", share, formula, &[(sizes, columns)]));
        }
        finding = finding.measure(cx.read("Age of the oldest unfrozen transaction id", sizes, "relfrozenxid_age"));
    }
    finding
        .share(cx.facts.total_bytes().map(|all| heap / all.max(1.0)))
        .fix(freeze_and_analyze(table))
        .effort(Effort::S)
        .verify("n_ins_since_vacuum is below the trigger, and relallvisible comes near to relpages.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{AUTOVACUUM, judge, told};
    use crate::snapshot::literal::{Literal, literal};

    fn taken(at: &str, since_vacuum: &str, updated: u32, vacuums: u32, options: &str) -> Literal {
        let row = format!(
            "1 | public | log | 20000000 | {updated} | 0 | {since_vacuum} | 0 | {vacuums} | 2026-11-22 12:02:00+00"
        );
        literal(at)
            .view(
                "pg_stat_user_tables",
                "relid | schemaname | relname | n_tup_ins | n_tup_upd | n_tup_del | n_ins_since_vacuum | vacuum_count | autovacuum_count | last_autovacuum",
                &[&row],
            )
            .view(
                "table_sizes",
                "relid | schemaname | relname | relkind | reltuples | relpages | relallvisible | relation_size | reloptions",
                &[&format!("1 | public | log | r | 1000000 | 2000 | 100 | 16384000 | {options}")],
            )
            .view("pg_settings", "name | setting | unit", AUTOVACUUM)
    }

    fn say(since_vacuum: [&str; 2], updated: u32, options: &str) -> Vec<String> {
        let of = |at, since| taken(at, since, updated, 1, options).build();
        let series = [of("2026-11-22 12:00:00+00", since_vacuum[0]), of("2026-11-22 12:11:00+00", since_vacuum[1])];
        told(&judge(&RULE, &series, ""))
    }

    #[test]
    fn twice_the_trigger_twice_is_late() {
        assert_eq!(
            say(["500000", "603000"], 100, ""),
            ["low, high: public.log: 603,000 rows inserted since the last vacuum, 3.00× its trigger"]
        );
    }

    #[test]
    fn stays_quiet_where_autovacuum_was_there_rows_change_or_it_is_switched_off() {
        assert_eq!(
            say(["0", "603000"], 100, ""),
            ["passed: 1 growing table, the fullest at 3.00× of its trigger of inserts"]
        );
        assert!(say(["300000", "300000"], 100, "")[0].starts_with("passed: 1"));
        assert!(say(["500000", "603000"], 300_000, "")[0].starts_with("passed: 0"));
        assert!(say(["500000", "603000"], 100, "{autovacuum_enabled=false}")[0].starts_with("passed"));
    }

    #[test]
    fn without_a_trigger_of_inserts_only_no_vacuum_at_all_counts() {
        let off = "{autovacuum_vacuum_insert_threshold=-1}";
        let say = |vacuums| told(&judge(&RULE, &[taken("2026-11-22 12:00:00+00", "", 0, vacuums, off).build()], ""));
        assert_eq!(say(0), ["low, high: public.log: 20,000,000 rows inserted and no vacuum counted"]);
        assert!(say(1)[0].starts_with("passed"));
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_eq!(
            crate::advisor::testing::told_of_nothing(&RULE),
            "skipped, input missing: `pg_stat_user_tables` is not in the dump"
        );
    }
}
