//! Vacuums that run and cannot remove dead rows, and who keeps them.

use crate::advisor::horizon::look_at_holders;
use crate::advisor::overdue::vacuumed_in_vain;
use crate::advisor::slots::look_at_consumer;
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, TableFact, Threshold, show, whole};
use crate::diff::{Change, DiffRow};
use crate::finding::{Confidence, Doubt, Effort, Finding, Fix, Risk, Severity, Verb};
use crate::ident::quote_literal;
use crate::snapshot::{Row, Table};
use crate::text::Text;
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "vacuum-blocked-horizon",
    title: "Vacuum runs but cannot remove rows",
    needs: &[
        Need::Primary,
        Need::Snapshots(3),
        Need::View(
            "pg_stat_user_tables",
            &["n_dead_tup", "n_tup_upd", "n_tup_del", "vacuum_count", "autovacuum_count"],
        ),
        Need::View("table_sizes", &["reltuples", "relation_size"]),
    ],
    wants: &[
        Need::View("pg_stat_activity", &["backend_xmin", "xact_start"]),
        Need::View("pg_prepared_xacts", &["prepared"]),
        Need::View("pg_replication_slots", &["xmin"]),
    ],
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
            name: "min_left",
            default: 0.5,
            unit: Unit::Times,
            about: "Of the trigger: so many dead rows right after a vacuum are not normal.",
        },
        Threshold {
            name: "min_times",
            default: 2.0,
            unit: Unit::Count,
            about: "Once may be a transaction that ended a moment later.",
        },
        Threshold {
            name: "old_transaction",
            default: 3_600.0,
            unit: Unit::Seconds,
            about: "A transaction this old is named as the holder.",
        },
        Threshold {
            name: "critical_age",
            default: 1.2,
            unit: Unit::Times,
            about: "Of autovacuum_freeze_max_age: then the same holder stops freezing.",
        },
    ],
    docs: Docs {
        looks_at: "Windows in which a table was vacuumed: the dead rows left afterwards against the trigger, and against \
                   what the window itself can have produced; sessions, prepared transactions and slots that are old.",
        why: "VACUUM removes only what no transaction can still see. One old transaction anywhere in the database keeps the \
              dead rows of every table, and autovacuum reads the tables again and again for nothing.",
        decides: "Found on a table of `min_rows` and `min_heap_bytes` when, in `min_times` windows, it was vacuumed and still \
                  had more dead rows than `min_left` of its trigger and more than were updated and deleted in that \
                  window. What the window itself can have produced proves nothing: a small busy table is full again at \
                  once. High; critical when the table's age exceeds `critical_age` times autovacuum_freeze_max_age. Sure \
                  only where a holder is seen (a transaction or prepared transaction of `old_transaction`, a slot with \
                  xmin), else medium at most.",
        what_to_do: "Look at the holders, oldest first, and end the one nobody needs. Standby feedback: weigh \
                     hot_standby_feedback against max_standby_streaming_delay.",
        ignore_when: "The holder is a dump or a report that will end, and the tables bear it.",
        references: "PostgreSQL manual: Routine Vacuuming. That VACUUM sets n_dead_tup to what it could not remove: observed on \
                     PostgreSQL 12, 14 and 18.",
    },
    check,
};

/// Who holds back cleanup.
struct Holder<'a> {
    row: Row<'a>,
    name: String,
    fix: Fix,
}

fn check(cx: &Context<'_>) -> Check {
    let mut checked = Checked::default();
    let holders = holders(cx);
    let mut looked = 0;
    for table in cx.facts.large(cx.threshold("min_heap_bytes")) {
        let Some(change) = table.change else { continue };
        looked += 1;
        let trigger = cx.facts.triggers(table).vacuum;
        let windows = cx.windows_of(change);
        let stuck: Vec<&DiffRow<'_>> = windows.iter().flatten().filter(|w| is_stuck(cx, w, trigger)).collect();
        if stuck.len() as f64 >= cx.threshold("min_times") {
            checked.findings.push(report(cx, table, change, &stuck, trigger, &holders));
        }
    }
    checked.looked_at = format!("{looked} large tables; no vacuum left more dead rows than its window made");
    Ok(checked)
}

/// Vacuumed in vain, on a table large enough, with many dead rows left.
fn is_stuck(cx: &Context<'_>, window: &DiffRow<'_>, trigger: f64) -> bool {
    let Some(after) = window.after() else { return false };
    let (dead, live) = (after.f64("n_dead_tup").unwrap_or(0.0), after.f64("n_live_tup").unwrap_or(0.0));
    dead + live >= cx.threshold("min_rows") && dead > cx.threshold("min_left") * trigger && vacuumed_in_vain(window)
}

/// Old transactions, prepared transactions and slots of the last snapshot, oldest first.
fn holders<'a>(cx: &Context<'a>) -> Vec<Holder<'a>> {
    let Some(now) = cx.now() else { return Vec::new() };
    let old = |row: &Row<'_>, column: &str| {
        row.time(column).is_some_and(|t| now.seconds_since(t) >= cx.threshold("old_transaction"))
    };
    let mut all = Vec::new();
    for row in cx.last("pg_stat_activity").into_iter().flat_map(Table::iter) {
        let client = row.text("backend_type").is_none_or(|t| t == "client backend");
        if client
            && old(&row, "xact_start")
            && row.int("backend_xmin").is_some()
            && let Some(pid) = row.int("pid")
        {
            let when_not = Text::from("Before its owner was asked: its work since the transaction began is lost.");
            all.push((
                row.time("xact_start"),
                Holder { row, name: format!("pid {pid}"), fix: crate::advisor::cure::terminate(pid, when_not) },
            ));
        }
    }
    for row in cx.last("pg_prepared_xacts").into_iter().flat_map(Table::iter).filter(|r| old(r, "prepared")) {
        let gid = row.text("gid").unwrap_or_default();
        let fix = Fix::new(Verb::End, Risk::R3, gid, format!("ROLLBACK PREPARED {};", quote_literal(gid)))
            .lock("no lock; releases those of the transaction")
            .when_not("Before its transaction manager was asked whether it is to be committed.");
        all.push((row.time("prepared"), Holder { row, name: format!("prepared transaction {gid}"), fix }));
    }
    for row in cx.last("pg_replication_slots").into_iter().flat_map(Table::iter).filter(|r| r.int("xmin").is_some()) {
        let slot = row.text("slot_name").unwrap_or_default();
        if row.bool("active") == Some(true) {
            let fix = look_at_consumer(slot);
            all.push((None, Holder { row, name: format!("slot {slot}"), fix }));
            continue;
        }
        let fix =
            Fix::new(Verb::Drop, Risk::R3, slot, format!("SELECT pg_drop_replication_slot({});", quote_literal(slot)))
                .lock("no lock")
                .when_not("While its consumer is to come back: it must be set up anew after this.");
        all.push((None, Holder { row, name: format!("slot {slot}"), fix }));
    }
    all.sort_by(|a, b| {
        a.0.is_none().cmp(&b.0.is_none()).then_with(|| a.0.cmp(&b.0)).then_with(|| a.1.name.cmp(&b.1.name))
    });
    all.into_iter().map(|(_, holder)| holder).collect()
}

fn report<'a>(
    cx: &Context<'a>,
    table: &TableFact<'a>,
    change: Change<'a>,
    stuck: &[&DiffRow<'a>],
    trigger: f64,
    holders: &[Holder<'a>],
) -> Finding {
    let age = table.sizes.and_then(|r| r.f64("relfrozenxid_age"));
    let freezing = age.is_some_and(|a| a > cx.threshold("critical_age") * cx.facts.autovacuum.freeze_max_age);
    let severity = if freezing { Severity::Critical } else { Severity::High };
    let last = stuck.last().and_then(|w| w.after());
    let left = last.and_then(|r| r.f64("n_dead_tup")).unwrap_or(0.0);
    let times = whole(stuck.len() as f64, Unit::Count);
    let title = Text::new()
        .t("Vacuumed in ")
        .opt(times)
        .t(" windows and kept its dead rows, ")
        .opt(whole(left, Unit::Rows))
        .t(" after the last");
    let formula = format!("{} ÷ {}", show(left, Unit::Rows), show(trigger, Unit::Rows));
    let rows: Vec<_> = last.into_iter().map(|r| (r, &["n_dead_tup"][..])).collect();
    let mut finding = cx
        .finding(severity, table.subject(), title)
        .why("A transaction somewhere can still see the rows: every vacuum reads the table and leaves them.")
        .not("More than was updated and deleted in those windows: they were not made after the vacuum.")
        .measure(cx.measure("Dead rows (est.)", change, "n_dead_tup"))
        .measure(cx.computed(
            "Left after the last vacuum ÷ trigger",
            Quantity::float(left / trigger.max(1.0), Unit::Times),
            formula,
            &rows,
        ))
        .effort(Effort::S)
        .fix(look_at_holders())
        .verify("n_dead_tup after the next vacuum is below a fifth of the trigger.");
    if holders.is_empty() {
        return finding.doubts([Some(Doubt::C6)]).at_most(Confidence::Medium);
    }
    for holder in holders.iter().take(5) {
        let column =
            ["xact_start", "prepared", "xmin"].into_iter().find(|c| holder.row.quantity(c).is_some()).unwrap_or("xmin");
        finding = finding.measure(cx.read(&holder.name, holder.row, column)).fix(holder.fix.clone());
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::Snapshot;
    use crate::snapshot::literal::literal;
    use std::sync::Arc;

    /// Four snapshots an hour apart, vacuumed in each window; dead rows and updates as given.
    fn series(dead: [u32; 4], updates_each: u32, holder: bool) -> Vec<Arc<Snapshot>> {
        dead.iter()
            .enumerate()
            .map(|(i, dead)| {
                let at = format!("2026-11-22 {}:00:00+00", 10 + i);
                let b = literal(&at)
                    .view(
                        "pg_stat_user_tables",
                        "relid | schemaname | relname | n_live_tup | n_dead_tup | n_tup_upd | n_tup_del | vacuum_count | autovacuum_count",
                        &[&format!("1 | public | t | 100000 | {dead} | {} | 0 | 0 | {}", updates_each as usize * i, i)],
                    )
                    .view("table_sizes", "relid | schemaname | relname | relkind | reltuples | relpages | relation_size", &["1 | public | t | r | 100000 | 10 | 20971520"]);
                let row = if holder { vec!["900 | client backend | idle in transaction | 2026-11-22 09:00:00+00 | 777"] } else { vec![] };
                b.view("pg_stat_activity", "pid | backend_type | state | xact_start | backend_xmin", &row).build()
            })
            .collect()
    }

    #[test]
    fn finds_rows_that_no_vacuum_removes() {
        let outcome = judge(&RULE, &series([40_000, 41_000, 42_000, 43_000], 1_000, true), "");
        assert_eq!(
            told(&outcome),
            ["high, high: public.t: Vacuumed in 3 windows and kept its dead rows, 43,000 after the last"]
        );
        let crate::finding::Outcome::Found { findings, .. } = outcome else { panic!() };
        assert!(findings[0].fixes[1].sql.ends_with("SELECT pg_terminate_backend(900);"));
        assert!(
            told(&judge(&RULE, &series([40_000, 41_000, 42_000, 43_000], 1_000, false), ""))[0]
                .starts_with("high, medium")
        );
    }

    #[test]
    fn a_slot_in_use_is_not_dropped() {
        let sql = |active: &str| {
            let mut taken = series([40_000, 41_000, 42_000, 43_000], 1_000, false);
            let slot = literal("2026-11-22 13:00:00+00")
                .view(
                    "pg_replication_slots",
                    "slot_name | slot_type | active | xmin",
                    &[&format!("s | physical | {active} | 777")],
                )
                .build();
            let mut last = Snapshot::clone(taken.last().unwrap());
            last.tables.extend(slot.tables.clone());
            *taken.last_mut().unwrap() = Arc::new(last);
            let crate::finding::Outcome::Found { findings, .. } = judge(&RULE, &taken, "") else { panic!() };
            findings[0].fixes[1].sql.clone()
        };
        assert!(sql("f").contains("pg_drop_replication_slot('s')"));
        assert!(!sql("t").contains("pg_drop_replication_slot") && sql("t").contains("hot_standby_feedback"));
    }

    #[test]
    fn what_the_window_made_itself_proves_nothing() {
        assert!(
            told(&judge(&RULE, &series([40_000, 41_000, 42_000, 43_000], 90_000, true), ""))[0].starts_with("passed")
        );
        assert!(
            told(&judge(&RULE, &series([40_000, 41_000, 0, 0], 1_000, true), ""))[0].starts_with("passed"),
            "once is not enough"
        );
    }

    #[test]
    fn skips_two_snapshots() {
        assert_eq!(
            told(&judge(&RULE, &series([1, 1, 1, 1], 1, false)[..2], "")),
            ["skipped, input missing: needs 3 snapshots, here 2 are given"]
        );
    }
}
