//! Vacuums that run and cannot remove dead rows, and who keeps them.

use crate::advisor::held_back::{held_back, stops_freezing};
use crate::advisor::horizon::{HOLDER_VIEWS, Holder, holders, look_at_holders};
use crate::advisor::overdue::vacuumed_in_vain;
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Skip, TableFact, Threshold, show, whole};
use crate::diff::{Change, DiffRow};
use crate::finding::{Confidence, Doubt, Effort, Finding, Severity};
use crate::text::{Text, counted};
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "vacuum-blocked-horizon",
    title: "Vacuum runs but cannot remove rows",
    needs: &[Need::Primary],
    wants: &[
        Need::View(
            "pg_stat_user_tables",
            &["n_dead_tup", "n_tup_upd", "n_tup_del", "vacuum_count", "autovacuum_count"],
        ),
        Need::View("table_sizes", &["reltuples", "relation_size", "relfrozenxid_age"]),
        Need::View("pg_stat_activity", &["backend_xmin", "xact_start"]),
        Need::View("pg_prepared_xacts", &["transaction", "prepared"]),
        Need::View("pg_replication_slots", &["xmin", "catalog_xmin"]),
        Need::View("pg_stat_replication", &["backend_xmin"]),
        Need::View("meta", &["next_xid"]),
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
            about: "A transaction this old is a holder, whether vacuums were seen to fail or not.",
        },
        Threshold {
            name: "old_xids",
            default: 1e6,
            unit: Unit::Xids,
            about: "So many transactions since the oldest one that a holder needs: their dead rows are all still there.",
        },
        Threshold {
            name: "critical_age",
            default: 1.2,
            unit: Unit::Times,
            about: "Of autovacuum_freeze_max_age: then the same holder stops freezing.",
        },
        Threshold {
            name: "critical_xids",
            default: 2e8,
            unit: Unit::Xids,
            about: "And no less, the default of that setting: where it is lowered, more than it is still far from the limit.",
        },
    ],
    docs: Docs {
        looks_at: "Who needs old rows, in every snapshot: sessions and standbys with `backend_xmin`, prepared transactions, slots. And \
                   in three or more snapshots the windows in which a table was vacuumed: the dead rows left afterwards \
                   against the trigger, and against what the window itself can have produced.",
        why: "VACUUM removes only what no transaction can still see. One old transaction keeps the dead rows of every \
              table in its database, a slot or a standby those of every database, and autovacuum reads the tables again \
              and again for nothing. Each of them also stops transaction ids from being frozen, in the whole cluster.",
        decides: "Found on a table of `min_rows` and `min_heap_bytes` when, in `min_times` windows, it was vacuumed and still \
                  had more dead rows than `min_left` of its trigger and more than were updated and deleted in that \
                  window. What the window itself can have produced proves nothing: a small busy table is full again at \
                  once. High; sure only where a holder is seen, else medium at most. Where no table shows it, found on \
                  the holders alone, one snapshot being enough: a transaction of `old_transaction`, or `old_xids` \
                  transactions since the oldest one that somebody needs. High when that many transactions were used or a \
                  table of that size has more dead rows than `min_left` of its trigger, else medium, as when it is gone \
                  by the last snapshot. Dumps are no holders on their own, they end. Critical when a table's age exceeds \
                  `critical_age` times autovacuum_freeze_max_age and `critical_xids`.",
        what_to_do: "Look at the holders, oldest first, and end the one nobody needs. Standby feedback: weigh \
                     hot_standby_feedback against max_standby_streaming_delay.",
        ignore_when: "The holder is a dump or a report that will end, and the tables bear it.",
        references: "PostgreSQL manual: Routine Vacuuming. Whose rows are kept: procarray.c. That VACUUM sets n_dead_tup to what it could not remove: observed on \
                     PostgreSQL 12, 14 and 18.",
    },
    check,
};

fn check(cx: &Context<'_>) -> Check {
    let mut checked = Checked::default();
    let all = holders(cx);
    let own = cx.chain.last().meta.database.as_deref();
    // Whoever keeps rows of these tables: old, or a slot whose age the export does not tell.
    let old = |h: &&Holder<'_>| h.is_older_than(cx.threshold("old_transaction"), cx.threshold("old_xids"));
    let mut looked = 0;
    let named: Vec<&Holder<'_>> = all
        .iter()
        .filter(|h| h.sighting().in_last && h.concerns(own) && (old(h) || (h.seconds.is_none() && h.xids.is_none())))
        .collect();
    for table in cx.facts.large(cx.threshold("min_heap_bytes")) {
        let Some(change) = table.change else { continue };
        looked += 1;
        let trigger = cx.facts.triggers(table).vacuum;
        let windows = cx.windows_of(change);
        let stuck: Vec<&DiffRow<'_>> = windows.iter().flatten().filter(|w| is_stuck(cx, w, trigger)).collect();
        if stuck.len() as f64 >= cx.threshold("min_times") {
            checked.findings.push(report(cx, table, change, &stuck, trigger, &named));
        }
    }
    if !checked.findings.is_empty() {
        return Ok(checked);
    }
    let held: Vec<&Holder<'_>> = all.iter().filter(|h| !h.is_dump).filter(old).collect();
    checked.findings.extend(held_back(cx, &held));
    let tables = tables_are_judged(cx);
    let missing: Vec<&str> = HOLDER_VIEWS.into_iter().filter(|v| cx.samples(v).next().is_none()).collect();
    match (&tables, missing.as_slice()) {
        (Ok(()), _) => {
            checked.looked_at = format!("{looked} large tables; no vacuum left more dead rows than its window made");
        }
        (Err(why), []) => {
            checked.looked_at = format!(
                "{}, none old; what vacuums leave is not known: {why}",
                counted(all.len(), "holder of old rows", "holders of old rows")
            );
        }
        (Err(why), missing) if checked.findings.is_empty() => {
            let views: Vec<String> = missing.iter().map(|v| format!("`{v}`")).collect();
            let verb = if views.len() == 1 { "is" } else { "are" };
            return Err(Skip(format!(
                "{why}, and of those who may hold old rows {} {verb} not in the dump",
                views.join(", ")
            )));
        }
        _ => {}
    }
    Ok(checked)
}

/// Whether what vacuums leave can be judged, else why not.
fn tables_are_judged(cx: &Context<'_>) -> Result<(), String> {
    for view in ["pg_stat_user_tables", "table_sizes"] {
        if cx.last(view).is_none() {
            return Err(format!("`{view}` is not in the dump"));
        }
    }
    let taken = cx.chain.snapshots.len();
    if taken < 3 {
        let given = counted(taken, "is", "are");
        return Err(format!("whether vacuums leave dead rows needs 3 snapshots, here {given} given"));
    }
    Ok(())
}

/// Vacuumed in vain, on a table large enough, with many dead rows left.
fn is_stuck(cx: &Context<'_>, window: &DiffRow<'_>, trigger: f64) -> bool {
    let Some(after) = window.after() else { return false };
    let (dead, live) = (after.f64("n_dead_tup").unwrap_or(0.0), after.f64("n_live_tup").unwrap_or(0.0));
    dead + live >= cx.threshold("min_rows") && dead > cx.threshold("min_left") * trigger && vacuumed_in_vain(window)
}

fn report<'a>(
    cx: &Context<'a>,
    table: &TableFact<'a>,
    change: Change<'a>,
    stuck: &[&DiffRow<'a>],
    trigger: f64,
    holders: &[&Holder<'a>],
) -> Finding {
    let age = table.sizes.and_then(|r| r.f64("relfrozenxid_age"));
    let severity = if stops_freezing(cx, age) { Severity::Critical } else { Severity::High };
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
    let windows = Quantity::count(cx.windows_of(change).len()).human();
    let in_vain = format!("{} of {windows} windows, with more dead rows after it than they made", stuck.len());
    let columns: &[&str] = &["n_dead_tup", "vacuum_count", "autovacuum_count", "n_tup_upd", "n_tup_del"];
    let after: Vec<_> = stuck.iter().filter_map(|w| Some((w.after()?, columns))).collect();
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
        .measure(cx.over_window("Windows vacuumed in vain", times, in_vain, &after))
        .effort(Effort::S)
        .fix(look_at_holders())
        .verify("n_dead_tup after the next vacuum is below a fifth of the trigger.");
    if holders.is_empty() {
        return finding.doubts([Some(Doubt::C6)]).at_most(Confidence::Medium);
    }
    for holder in holders.iter().take(5) {
        let read = cx.read(&holder.called(), holder.row, holder.column);
        finding = finding.measure(read).fix(holder.fix.clone());
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

    /// Its catalog_xmin is still shown, but vacuum goes past it.
    #[test]
    fn a_lost_slot_is_not_blamed() {
        let said = |status: &str| {
            let b = literal("2026-11-22 13:00:00+00").meta(|m| m.next_xid = Some(900_000_000)).view(
                "pg_replication_slots",
                "slot_name | slot_type | active | catalog_xmin | wal_status",
                &[&format!("cdc | logical | f | 777 | {status}")],
            );
            told(&judge(&RULE, &[b.build()], ""))
        };
        assert!(said("reserved")[0].contains("cdc"), "{:?}", said("reserved"));
        assert!(!said("lost")[0].contains("cdc"), "{:?}", said("lost"));
    }

    #[test]
    fn what_the_window_made_itself_proves_nothing() {
        let said = |dead, updates, holder| told(&judge(&RULE, &series(dead, updates, holder), ""));
        assert!(said([40_000, 41_000, 42_000, 43_000], 90_000, false)[0].starts_with("passed"));
        assert!(said([40_000, 41_000, 0, 0], 1_000, false)[0].starts_with("passed"), "once is not enough");
        // An old holder is told all the same, but no table is said to have been vacuumed in vain.
        assert_eq!(
            said([40_000, 41_000, 42_000, 43_000], 90_000, true),
            ["high, high: cleanup: Pid 900 has held back cleanup for 4 h 00 m"]
        );
    }

    /// A session keeps rows of its own database only.
    #[test]
    fn a_session_of_another_database_is_not_named() {
        let mut taken = series([40_000, 41_000, 42_000, 43_000], 1_000, false);
        let mut last = Snapshot::clone(taken.last().unwrap());
        last.meta.database = Some("shop".to_owned());
        let activity = literal("2026-11-22 13:00:00+00").view(
            "pg_stat_activity",
            "pid | backend_type | datname | xact_start | backend_xmin",
            &["900 | client backend | other | 2026-11-22 09:00:00+00 | 777"],
        );
        last.tables.extend(activity.build().tables.clone());
        *taken.last_mut().unwrap() = Arc::new(last);
        assert!(told(&judge(&RULE, &taken, ""))[0].starts_with("high, medium: public.t"), "no holder is named");
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_eq!(
            crate::advisor::testing::told_of_nothing(&RULE),
            "skipped: `pg_stat_user_tables` is not in the dump, and of those who may hold old rows `pg_stat_activity`, \
             `pg_prepared_xacts`, `pg_replication_slots` are not in the dump"
        );
    }
}
