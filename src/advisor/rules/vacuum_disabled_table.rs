//! Tables with autovacuum switched off.

use crate::advisor::carried::{Gone, rewritten, since_rewrite};
use crate::advisor::span::Span;
use crate::advisor::vacuum_cure::{reset_options, vacuum};
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, TableFact, Threshold, show, whole};
use crate::diff::{Change, DiffRow};
use crate::finding::{Effort, Finding, Severity};
use crate::snapshot::Row;
use crate::text::{Text, counted};
use crate::time::Timestamp;
use crate::trend::threshold::is_true;
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "vacuum-disabled-table",
    title: "Autovacuum switched off for a table",
    needs: &[Need::Primary, Need::View("table_sizes", &["reloptions"])],
    wants: &[Need::View("pg_stat_user_tables", &["n_dead_tup"]), Need::View("table_sizes", &["relfrozenxid_age"])],
    thresholds: &[
        Threshold {
            name: "high_heap_bytes",
            default: 10_485_760.0,
            unit: Unit::Bytes,
            about: "From here on dead rows above the trigger cost reads.",
        },
        Threshold {
            name: "high_age",
            default: 0.5,
            unit: Unit::Share,
            about: "Of autovacuum_freeze_max_age: then a vacuum comes that cannot be switched off.",
        },
    ],
    docs: Docs {
        looks_at: "The storage parameter `autovacuum_enabled` of every table, its dead rows and its age.",
        why: "Nothing removes the table's dead rows and nothing analyzes it, until its age forces a vacuum against \
              wraparound, at a time nobody chose.",
        decides: "Found where it is false: medium; high when the age exceeds `high_age` of `autovacuum_freeze_max_age`, or \
                  when a heap of `high_heap_bytes` has more dead rows than its trigger would allow, also before its counters were lost. The rate of dead \
                  rows in the window is always shown.",
        what_to_do: "Take the parameter back, and vacuum once. Where autovacuum was too slow or came at a bad time, tune \
                     the table's own thresholds and cost limit instead.",
        ignore_when: "A staging table that is truncated more often than it could be vacuumed, or a table vacuumed by a schedule.",
        references: "PostgreSQL manual: CREATE TABLE (Storage Parameters), Routine Vacuuming.",
    },
    check,
};

fn check(cx: &Context<'_>) -> Check {
    let state = cx.state_or_skip("table_sizes")?;
    let off = cx.facts.tables.iter().filter(|t| t.sizes.is_some_and(has_option) && !cx.facts.triggers(t).enabled);
    let findings = off.map(|t| report(cx, t).doubts([state.doubt()])).collect();
    Ok(Checked {
        findings,
        looked_at: format!("{}, none with autovacuum switched off", counted(state.table.rows, "table", "tables")),
    })
}

/// Most tables have no storage parameters at all.
fn has_option(sizes: Row<'_>) -> bool {
    sizes.text("reloptions").is_some_and(|o| o.contains("autovacuum_enabled"))
}

/// What a snapshot counted of dead rows, less what was gone although counted: a rewrite takes nothing off the counter.
struct Before<'a> {
    dead: f64,
    gone: f64,
    row: Row<'a>,
}

/// The most before the counters last began again, after the last vacuum before that.
fn most_since_a_vacuum<'a>(cx: &Context<'a>, table: &TableFact<'a>, change: Change<'a>) -> Option<Before<'a>> {
    let rows = cx.windows_of(change);
    let again = |row: &Option<DiffRow<'_>>| row.is_some_and(|r| r.class().began_again());
    let last = rows.iter().rposition(again)?;
    let name = table.display();
    let mut gone = Gone::default();
    let mut seen: Vec<(Option<Timestamp>, Before<'a>)> = Vec::new();
    for (window, row) in cx.chain.windows.iter().zip(&rows).take(last + 1) {
        let counted = row.and_then(DiffRow::before).and_then(|r| Some((r, r.f64("n_dead_tup")?)));
        if let Some((row, dead)) = counted {
            seen.push((window.before.meta.taken_at, Before { dead: dead - gone.0, gone: gone.0, row }));
        }
        let anew = rewritten(window).contains(&&name);
        if anew {
            seen.clear();
        }
        if let Some(row) = row {
            gone.step(*row, anew);
        }
    }
    let vacuumed = seen.iter().filter_map(|(_, b)| b.row.time("last_vacuum").max(b.row.time("last_autovacuum"))).max();
    let since = seen.into_iter().filter(|(at, _)| vacuumed.is_none_or(|v| at.is_some_and(|at| at >= v)));
    since.map(|(_, before)| before).max_by(|a, b| a.dead.total_cmp(&b.dead))
}

fn report<'a>(cx: &Context<'a>, table: &TableFact<'a>) -> Finding {
    let triggers = cx.facts.triggers(table);
    let dead = cx.facts.dead_rows(table, &triggers);
    let heap = table.heap_bytes().unwrap_or(0) as f64;
    let age = table.sizes.and_then(|r| r.f64("relfrozenxid_age"));
    let old = age.is_some_and(|a| a > cx.threshold("high_age") * cx.facts.autovacuum.freeze_max_age);
    // Counters that were lost in a crash begin at none; the dead rows are still there.
    let lost = table.change.filter(|c| c.class().began_again());
    let before = lost
        .and_then(|c| most_since_a_vacuum(cx, table, c))
        .filter(|before| dead.is_none_or(|d| !d.known && d.carried.is_none() && before.dead > d.dead));
    let pressures = [before.as_ref().map(|b| b.dead / triggers.vacuum), dead.map(|d| d.pressure)];
    let full = pressures.into_iter().flatten().any(|p| p > 1.0) && heap >= cx.threshold("high_heap_bytes");
    let severity = if old || full { Severity::High } else { Severity::Medium };
    let title = match dead {
        Some(d) => Text::new()
            .t("Autovacuum is off; ")
            .t(match d.carried {
                Some(_) => "at most ",
                None if d.known => "",
                None => "at least ",
            })
            .many(whole(d.dead, Unit::Rows), "dead row, ", "dead rows, ")
            .opt(Quantity::float(d.pressure, Unit::Times))
            .t(" of what would be its trigger"),
        None => Text::from("Autovacuum is off"),
    };
    let rate = table.change.map(|c| (c.rate("n_tup_upd"), c.rate("n_tup_del"))).and_then(|(u, d)| Some(u? + d?));
    let mut why = Text::new().t("Dead rows stay until somebody vacuums, or until the table's age forces it.");
    if let Some(rate) = rate {
        why = why
            .t(if cx.chain.is_single() { " Since its counters began " } else { " In the window " })
            .opt(Quantity::float(rate, Unit::PerSecond))
            .t(" rows were updated or deleted.");
    }
    if let Some(before) = &before {
        why = why
            .t(if before.gone > 0.0 {
                " Between its rewrite and the reset of its counters it gained at most "
            } else {
                " Before its counters began again it had "
            })
            .opt(whole(before.dead, Unit::Rows))
            .t(" dead rows: a vacuum apart, they are still there.");
    }
    if let Some(gone) = dead.and_then(|d| d.carried) {
        why = why
            .t(" Its counter still has ")
            .opt(whole(gone, Unit::Rows))
            .t(" of before it was written anew: these are gone.");
    }
    let mut finding = cx
        .finding(severity, table.subject(), title)
        .why(why)
        .share(cx.facts.total_bytes().map(|all| heap / all.max(1.0)));
    if let Some(change) = table.change {
        let (bound, limit) = match dead {
            Some(d) if d.carried.is_some() => (" by the counter", ", at most"),
            Some(d) if !d.known => (", at least", ", at least"),
            _ => ("", ""),
        };
        finding = finding.doubts([cx.class_doubt(change)]).measure(cx.measure(
            &format!("Dead rows{bound} (est.)"),
            change,
            "n_dead_tup",
        ));
        finding = finding.measure(cx.measure("Vacuums by hand", change, "vacuum_count"));
        if let Some(d) = dead {
            let formula = format!("{} ÷ ({})", show(d.dead, Unit::Rows), triggers.vacuum_formula());
            let rows: Vec<_> = change.last().into_iter().map(|r| (r, &["n_dead_tup"][..])).collect();
            let pressure = Quantity::float(d.pressure, Unit::Times);
            finding = finding
                .measure(cx.computed(&format!("Dead rows ÷ trigger{limit}"), pressure, formula, &rows))
                .measures(since_rewrite(cx, change, &d));
        }
        finding = finding.measures(rate.and_then(|rate| {
            let [updated, deleted] =
                ["n_tup_upd", "n_tup_del"].map(|c| show(change.delta(c).unwrap_or(0.0), Unit::Rows));
            let span = Span::of(change, change.covered_s()?);
            let formula = format!("({updated} + {deleted}) ÷ {}", show(span.seconds, Unit::Seconds));
            let rows: Vec<_> = cx.ends(change, &["n_tup_upd", "n_tup_del"]);
            let rate = Quantity::float(rate, Unit::PerSecond);
            Some(cx.over_window("Rows updated or deleted", rate, formula, &rows).bounded(span.whole))
        }));
        finding = finding.measures(before.map(|Before { dead, gone, row }| {
            let formula = if gone > 0.0 {
                format!("{} − {} of before its rewrite", show(dead + gone, Unit::Rows), show(gone, Unit::Rows))
            } else {
                "the most before the counters began again".to_owned()
            };
            cx.computed("Dead rows before", whole(dead, Unit::Rows), formula, &[(row, &["n_dead_tup"])])
        }));
    }
    if let Some(sizes) = table.sizes {
        finding = finding.measure(cx.read("Age of the oldest unfrozen transaction id", sizes, "relfrozenxid_age"));
    }
    let mut options = vec![("autovacuum_enabled", table.option("autovacuum_enabled").unwrap_or_default())];
    // Its TOAST table has a parameter of its own, which stays when that of the table goes.
    if let Some(toast) = table.toast_option("autovacuum_enabled").filter(|v| !is_true(v)) {
        options.push(("toast.autovacuum_enabled", toast));
    }
    finding.fix(reset_options(table, &options)).fix(vacuum(table)).effort(Effort::S).verify(
        "Neither reloptions nor those of its TOAST table have autovacuum_enabled, autovacuum_count rises, and n_dead_tup stays below the trigger.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{cart, judge, told};
    use crate::snapshot::literal::literal;
    use std::sync::Arc;

    fn taken(options: &str, dead: u32, age: u32) -> Arc<crate::snapshot::Snapshot> {
        literal("2026-11-22 12:00:00+00")
            .view("pg_stat_user_tables", "relid | schemaname | relname | n_live_tup | n_dead_tup", &[&format!("1 | public | cart | 1000 | {dead}")])
            .view("table_sizes", "relid | schemaname | relname | relkind | reltuples | relpages | relation_size | reloptions | relfrozenxid_age", &[&format!("1 | public | cart | r | 1000 | 10 | 20971520 | {options} | {age}")])
            .build()
    }

    #[test]
    fn finds_it_and_weighs_it() {
        let off = "{autovacuum_enabled=false}";
        let say = |dead, age| told(&judge(&RULE, &[taken(off, dead, age)], ""));
        assert_eq!(
            say(100, 500),
            ["medium, high: public.cart: Autovacuum is off; 100 dead rows, 0.40× of what would be its trigger"]
        );
        assert!(say(100, 150_000_000)[0].starts_with("high"));
        assert!(say(900, 500)[0].starts_with("high"));
    }

    #[test]
    fn what_a_rewrite_removed_before_a_reset_is_gone() {
        let taken = |hour, file, updated: u32, dead: u32| {
            cart(hour, file, file, "n_live_tup | n_tup_upd | n_dead_tup", &format!("1000 | {updated} | {dead}"))
        };
        let reset = taken(13, 8, 90, 90);
        let said = |chain: &[Arc<crate::snapshot::Snapshot>]| {
            let crate::finding::Outcome::Found { findings, .. } = judge(&RULE, chain, "") else { panic!() };
            (findings[0].title.plain(), findings[0].why.plain())
        };
        let (title, why) = said(&[taken(11, 7, 8_000, 8_000), taken(12, 8, 8_600, 8_600), reset.clone()]);
        assert_eq!(title, "Autovacuum is off; at least 90 dead rows, 0.36× of what would be its trigger");
        assert!(why.contains("the reset of its counters it gained at most 600 dead rows"), "{why}");
        let (_, why) = said(&[taken(11, 8, 8_000, 8_000), taken(12, 8, 8_600, 8_600), reset.clone()]);
        assert!(why.contains("Before its counters began again it had 8,600 dead rows"), "{why}");
        let (_, why) = said(&[taken(10, 7, 8_000, 8_000), taken(11, 8, 8_100, 90), taken(12, 8, 8_600, 590), reset]);
        assert!(
            why.contains("it had 590 dead rows"),
            "counted anew by an analyze that the export does not show: {why}"
        );
    }

    #[test]
    fn what_is_off_for_its_toast_table_goes_on_too() {
        let taken = literal("2026-11-22 12:00:00+00")
            .view(
                "pg_stat_user_tables",
                "relid | schemaname | relname | n_live_tup | n_dead_tup",
                &["1 | public | cart | 1000 | 10"],
            )
            .view(
                "table_sizes",
                "relid | schemaname | relname | relkind | reltuples | relpages | reloptions | toast_reloptions",
                &["1 | public | cart | r | 1000 | 10 | {autovacuum_enabled=off} | {autovacuum_enabled=false}"],
            )
            .build();
        let crate::finding::Outcome::Found { findings, .. } = judge(&RULE, &[taken], "") else { panic!() };
        let fix = &findings[0].fixes[0];
        let said = (fix.sql.lines().last(), fix.undo.as_deref().and_then(|u| u.lines().last()));
        let reset = "ALTER TABLE \"public\".\"cart\" RESET (autovacuum_enabled, toast.autovacuum_enabled);";
        let set = "ALTER TABLE \"public\".\"cart\" SET (autovacuum_enabled = off, toast.autovacuum_enabled = false);";
        assert_eq!(said, (Some(reset), Some(set)));
    }

    #[test]
    fn one_snapshot_has_no_window() {
        let at = |updates: u32, time: &str| {
            literal(time)
                .view("pg_stat_database", "datid | datname | stats_reset", &["16697 | shop | 2026-11-22 10:00:00+00"])
                .view(
                    "pg_stat_user_tables",
                    "relid | schemaname | relname | n_live_tup | n_dead_tup | n_tup_upd | n_tup_del",
                    &[&format!("1 | public | cart | 1000 | 500 | {updates} | 0")],
                )
                .view(
                    "table_sizes",
                    "relid | schemaname | relname | relkind | reltuples | relpages | reloptions",
                    &["1 | public | cart | r | 1000 | 10 | {autovacuum_enabled=false}"],
                )
                .build()
        };
        let why = |taken: &[Arc<crate::snapshot::Snapshot>]| {
            let crate::finding::Outcome::Found { findings, .. } = judge(&RULE, taken, "") else { panic!() };
            findings[0].why.plain()
        };
        let b = at(7_200, "2026-11-22 12:00:00+00");
        assert!(why(&[Arc::clone(&b)]).ends_with("Since its counters began 1.00/s rows were updated or deleted."));
        assert!(why(&[at(0, "2026-11-22 11:00:00+00"), b]).contains(" In the window 2.00/s rows"));
    }

    /// A crash empties the counter, not the table.
    #[test]
    fn dead_rows_of_before_a_crash_are_not_forgotten() {
        let at = |dead: u32, updates: u32, time: &str| {
            literal(time)
                .view(
                    "pg_stat_user_tables",
                    "relid | schemaname | relname | n_live_tup | n_dead_tup | n_tup_upd",
                    &[&format!("1 | public | cart | 1000 | {dead} | {updates}")],
                )
                .view(
                    "table_sizes",
                    "relid | schemaname | relname | relkind | reltuples | relpages | relation_size | reloptions",
                    &["1 | public | cart | r | 1000 | 10 | 20971520 | {autovacuum_enabled=false}"],
                )
                .build()
        };
        let over = [at(8_295, 9_000, "2026-11-22 11:00:00+00"), at(100, 120, "2026-11-22 12:00:00+00")];
        let crate::finding::Outcome::Found { findings, .. } = judge(&RULE, &over, "") else { panic!() };
        assert_eq!(findings[0].severity, Severity::High, "33 times its trigger before");
        assert!(findings[0].title.plain().contains("at least 100 dead rows"), "{}", findings[0].title.plain());
        assert!(findings[0].why.plain().contains("began again it had 8,295 dead rows"), "{}", findings[0].why.plain());
    }

    #[test]
    fn what_a_vacuum_removed_before_the_crash_is_not_there() {
        let at = |dead: u32, updates: u32, vacuum: &str, time: &str| {
            literal(time)
                .view(
                    "pg_stat_user_tables",
                    "relid | schemaname | relname | n_live_tup | n_dead_tup | n_tup_upd | last_vacuum",
                    &[&format!("1 | public | cart | 1000 | {dead} | {updates} | {vacuum}")],
                )
                .view(
                    "table_sizes",
                    "relid | schemaname | relname | relkind | reltuples | relpages | relation_size | reloptions",
                    &["1 | public | cart | r | 1000 | 10 | 20971520 | {autovacuum_enabled=false}"],
                )
                .build()
        };
        let series = [
            at(9_000, 9_000, "", "2026-11-22 11:00:00+00"),
            at(700, 10_000, "2026-11-22 11:10:00+00", "2026-11-22 11:20:00+00"),
            at(100, 120, "", "2026-11-22 12:00:00+00"),
            // Counted since: what the last snapshot says itself.
            at(300, 320, "", "2026-11-22 13:00:00+00"),
        ];
        let crate::finding::Outcome::Found { findings, .. } = judge(&RULE, &series, "") else { panic!() };
        assert!(findings[0].why.plain().contains("began again it had 700 dead rows"), "{}", findings[0].why.plain());
    }

    #[test]
    fn stays_quiet_and_skips() {
        assert_eq!(
            told(&judge(&RULE, &[taken("{fillfactor=90}", 900, 5)], "")),
            ["passed: 1 table, none with autovacuum switched off"]
        );
        let b = literal("2026-11-22 12:00:00+00").build();
        assert_eq!(told(&judge(&RULE, &[b], "")), ["skipped, input missing: `table_sizes` is not in the dump"]);
    }
}
