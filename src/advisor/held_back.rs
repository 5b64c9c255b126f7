//! What is said of old holders of rows, where no table was seen to keep its rows over several vacuums: a part of
//! vacuum-blocked-horizon, by whose thresholds it goes.

use super::horizon::{Holder, look_at_holders};
use super::{Context, TableFact, show};
use crate::diff::Change;
use crate::finding::{Effort, Finding, Measure, Severity, Subject, SubjectKind};
use crate::snapshot::Row;
use crate::text::{Text, sentence};
use crate::unit::{Quantity, Unit};

/// Above the age at which what stops freezing becomes a danger.
pub fn stops_freezing(cx: &Context<'_>, age: Option<f64>) -> bool {
    let limit = (cx.threshold("critical_age") * cx.facts.autovacuum.freeze_max_age).max(cx.threshold("critical_xids"));
    age.is_some_and(|a| a > limit)
}

/// Old holders, where no table was seen to keep its rows over several vacuums.
pub fn held_back<'a>(cx: &Context<'a>, held: &[&Holder<'a>]) -> Option<Finding> {
    let oldest = held.first()?;
    let sighting = oldest.sighting();
    let own = cx.chain.last().meta.database.as_deref();
    let many_xids = held.iter().any(|h| h.xids.is_some_and(|x| x >= cx.threshold("old_xids")));
    let mut full: Vec<(f64, f64, &TableFact<'a>)> = Vec::new();
    if held.iter().any(|h| h.concerns(own)) {
        for table in cx.facts.large(cx.threshold("min_heap_bytes")) {
            let Some(row) = table.change.and_then(Change::last) else { continue };
            let (dead, live) = (row.f64("n_dead_tup").unwrap_or(0.0), row.f64("n_live_tup").unwrap_or(0.0));
            let trigger = cx.facts.triggers(table).vacuum;
            if dead + live >= cx.threshold("min_rows") && dead > cx.threshold("min_left") * trigger {
                full.push((dead / trigger.max(1.0), dead, table));
            }
        }
    }
    full.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.2.display().cmp(&b.2.display())));
    let age = cx.facts.tables.iter().filter_map(|t| t.sizes?.f64("relfrozenxid_age")).reduce(f64::max);
    let severity = match (sighting.in_last, stops_freezing(cx, age), many_xids || !full.is_empty()) {
        (true, true, _) => Severity::Critical,
        (true, false, true) => Severity::High,
        _ => Severity::Medium,
    };
    let since = match (oldest.seconds, oldest.xids) {
        (Some(s), Some(x)) if x >= cx.threshold("old_xids") => Text::new()
            .t("for ")
            .opt(Quantity::float(s, Unit::Seconds))
            .t(" and ")
            .many(Quantity::float(x, Unit::Xids), "transaction", "transactions"),
        (Some(s), _) => Text::new().t("for ").opt(Quantity::float(s, Unit::Seconds)),
        (None, x) => {
            Text::new().t("for ").many(x.and_then(|x| Quantity::float(x, Unit::Xids)), "transaction", "transactions")
        }
    };
    let who = match held {
        [one] => Text::new().t(sentence(one.who.word())).t(" ").name(&one.name).t(" has held back cleanup "),
        all => Text::new()
            .many(Quantity::count(all.len()), "holder", "holders of old rows")
            .t(" hold back cleanup, the oldest "),
    };
    let mut finding = cx
        .finding(severity, Subject::new(SubjectKind::Server, "cleanup"), who.then(since))
        .why(
            Text::new()
                .t("Seen ")
                .then(sighting.text())
                .t(if held.len() == 1 { ". It keeps " } else { ". The oldest keeps " })
                .then(oldest.kept())
                .t(if oldest.only_catalogs() {
                    " that died since, and stops what the catalogs hold since from being frozen: tables are vacuumed and frozen \
                     all the same, but the age of the database does not fall."
                } else {
                    " that died since, and stops every transaction id used since from being frozen."
                }),
        )
        .doubts([sighting.doubt()])
        .members(held.iter().map(|h| Subject::new(h.who.kind(), h.subject())).collect())
        .effort(Effort::S)
        .fix(look_at_holders())
        .verify(if held.iter().all(|h| h.only_catalogs()) {
            "The oldest of them is gone from the next snapshot, and age(datfrozenxid) falls with the next vacuum of the catalogs."
        } else {
            "The oldest of them is gone from the next snapshot, and n_dead_tup falls with the next vacuum."
        });
    for holder in held.iter().take(5) {
        let (value, unit, columns) = match (holder.xids, holder.seconds) {
            (Some(x), _) => (x, Unit::Xids, "next_xid − "),
            (None, s) => (s.unwrap_or(0.0), Unit::Seconds, "capture time − "),
        };
        let column = if holder.xids.is_some() { holder.who.xid_column(holder.row) } else { holder.column };
        let label = format!("Age of {}", holder.called());
        let formula = format!("{columns}{column}");
        finding =
            finding.measure(cx.computed(&label, Quantity::float(value, unit), formula, &[(holder.row, &[column])]));
        if holder.sighting().in_last {
            finding = finding.fix(holder.fix.clone());
        }
    }
    // The first line of the oldest has its transactions: the title says its time, too.
    if let (Some(seconds), Some(_)) = (oldest.seconds, oldest.xids) {
        finding = finding.measure(cx.computed(
            &format!("Age of {} in time", oldest.called()),
            Quantity::float(seconds, Unit::Seconds),
            format!("capture time − {}", oldest.column),
            &[(oldest.row, &[oldest.column])],
        ));
    }
    if held.len() > 1 {
        finding = finding.measure(how_many(cx, held));
    }
    finding = finding.measures(cx.sighted(&sighting, &oldest.row.table().name));
    for (pressure, dead, table) in full.into_iter().take(3) {
        let trigger = show(cx.facts.triggers(table).vacuum, Unit::Rows);
        let rows: Vec<_> = table.change.and_then(Change::last).into_iter().map(|r| (r, &["n_dead_tup"][..])).collect();
        finding = finding.measure(cx.computed(
            &format!("Dead rows of {} ÷ trigger", table.display()),
            Quantity::float(pressure, Unit::Times),
            format!("{} ÷ {trigger}", show(dead, Unit::Rows)),
            &rows,
        ));
    }
    Some(finding)
}

fn how_many<'a>(cx: &Context<'a>, held: &[&Holder<'a>]) -> Measure {
    let columns: Vec<[&str; 1]> = held.iter().map(|h| [h.column]).collect();
    let rows: Vec<(Row<'a>, &[&str])> = held.iter().zip(&columns).map(|(h, c)| (h.row, &c[..])).collect();
    let formula = format!(
        "older than {}, or by {} transactions",
        show(cx.threshold("old_transaction"), Unit::Seconds),
        show(cx.threshold("old_xids"), Unit::Xids)
    );
    cx.computed("Holders of old rows", Some(Quantity::count(held.len())), formula, &rows)
}

#[cfg(test)]
mod tests {
    use crate::advisor::Rule;
    use crate::advisor::rules::RULES;
    use crate::advisor::testing::{judge, told};
    use crate::finding::Outcome;
    use crate::snapshot::Snapshot;
    use crate::snapshot::literal::literal;
    use std::sync::Arc;

    fn rule() -> &'static Rule {
        RULES.iter().find(|r| r.id == "vacuum-blocked-horizon").unwrap()
    }

    const SESSION: &str =
        "pid | backend_start | backend_type | datname | application_name | query | xact_start | backend_xmin";
    const PREPARED: &str = "transaction | gid | prepared | owner | database";
    const SLOT: &str = "slot_name | active | xmin | catalog_xmin";

    /// One moment at noon: the next transaction id is two millions; sessions, prepared transactions, slots, and a table
    /// with so many dead rows, trigger 20,050.
    fn noon(session: &[&str], prepared: &[&str], slot: &[&str], dead: u32) -> Snapshot {
        let b = literal("2026-11-22 12:00:00+00")
            .meta(|m| {
                m.next_xid = Some(2_000_000);
                m.database = Some("shop".to_owned());
            })
            .view(
                "pg_stat_user_tables",
                "relid | schemaname | relname | n_live_tup | n_dead_tup",
                &[&format!("1 | public | t | 100000 | {dead}")],
            )
            .view(
                "table_sizes",
                "relid | schemaname | relname | relkind | reltuples | relpages | relation_size | relfrozenxid_age",
                &["1 | public | t | r | 100000 | 10 | 20971520 | 1500000"],
            )
            .view("pg_stat_activity", SESSION, session)
            .view("pg_prepared_xacts", PREPARED, prepared)
            .view("pg_replication_slots", SLOT, slot);
        Snapshot::clone(&b.build())
    }

    fn alone(taken: Snapshot) -> Vec<String> {
        told(&judge(rule(), &[Arc::new(taken)], ""))
    }

    const HOUR_OLD: &str =
        "7 | 2026-11-22 09:00:00+00 | client backend | shop | report | select 1 | 2026-11-22 10:00:00+00 | 1999000";
    const PASSED: &str = "not known: whether vacuums leave dead rows needs 3 snapshots, here 1 is given";

    #[test]
    fn one_snapshot_shows_an_old_holder() {
        let session = |dead| alone(noon(&[HOUR_OLD], &[], &[], dead));
        assert_eq!(session(0), ["medium, medium: cleanup: Pid 7 has held back cleanup for 2 h 00 m"]);
        assert_eq!(session(15_000), ["high, medium: cleanup: Pid 7 has held back cleanup for 2 h 00 m"]);
        let young = "900 | it's | 2026-11-22 11:59:00+00 | app | shop";
        let outcome = judge(rule(), &[Arc::new(noon(&[], &[young], &[], 0))], "");
        assert_eq!(
            told(&outcome),
            [
                "high, medium: cleanup: Prepared transaction it's has held back cleanup for 1 min 00 s and 1,999,100 transactions"
            ]
        );
        let Outcome::Found { findings, .. } = outcome else { panic!() };
        assert_eq!(findings[0].fixes[1].sql, "ROLLBACK PREPARED 'it''s';");
        assert!(findings[0].why.plain().contains("dead rows of database shop"), "{}", findings[0].why.plain());
    }

    #[test]
    fn a_slot_keeps_rows_of_all_databases_or_of_the_catalogs() {
        for (slot, keeps) in [("s | f | 900 |", "every database"), ("s | f | | 900", "the system catalogs")] {
            let Outcome::Found { findings, .. } = judge(rule(), &[Arc::new(noon(&[], &[], &[slot], 0))], "") else {
                panic!()
            };
            assert_eq!(findings[0].title.plain(), "Slot s has held back cleanup for 1,999,100 transactions");
            assert!(findings[0].why.plain().contains(keeps), "{}", findings[0].why.plain());
        }
    }

    /// What looks as old as the oldest transaction that runs, because it began beside it, is not ended for its age.
    #[test]
    fn who_is_held_back_by_another_is_no_holder() {
        let young = HOUR_OLD.replace("10:00:00+00 | 1999000", "11:59:00+00 | 900");
        let prepared = "900 | left | 2026-11-22 11:00:00+00 | app | shop";
        let said = alone(noon(&[&young], &[prepared], &["s | t | 900 |"], 0));
        let left = "Prepared transaction left has held back cleanup for 1 h 00 m and 1,999,100 transactions";
        assert_eq!(said, [format!("high, medium: cleanup: {left}")]);
        // Alone it is the cause, and so is a slot that nobody moves on.
        assert!(alone(noon(&[&young], &[], &[], 0))[0].contains("Pid 7 has held back"));
        assert!(alone(noon(&[], &[prepared], &["s | f | 900 |"], 0))[0].contains("2 holders of old rows"));
    }

    #[test]
    fn a_standby_without_a_slot_is_a_holder() {
        let mut taken = noon(&[], &[], &[], 0);
        let view = literal("2026-11-22 12:00:00+00")
            .view("pg_stat_replication", "pid | application_name | backend_xmin", &["9 | reader | 900"])
            .build();
        taken.tables.extend(view.tables.clone());
        assert_eq!(
            alone(taken),
            ["high, medium: cleanup: Standby reader has held back cleanup for 1,999,100 transactions"]
        );
    }

    #[test]
    fn one_snapshot_stays_quiet_about_what_is_no_old_holder() {
        for session in [
            "7 | 2026-11-22 09:00:00+00 | client backend | shop | report | select 1 | 2026-11-22 11:30:00+00 | 1999000",
            "7 | 2026-11-22 09:00:00+00 | client backend | shop | report | select 1 | 2026-11-22 10:00:00+00 |",
            "7 | 2026-11-22 09:00:00+00 | client backend | shop | pg_dump | copy t to stdout | 2026-11-22 10:00:00+00 | 900",
            "7 | 2026-11-22 09:00:00+00 | client backend | shop | psql | VACUUM t | 2026-11-22 10:00:00+00 | 900",
            "7 | 2026-11-22 09:00:00+00 | walsender | | s | START_REPLICATION | 2026-11-22 10:00:00+00 | 900",
        ] {
            let said = alone(noon(&[session], &[], &[], 15_000));
            assert!(said[0].starts_with("passed") && said[0].ends_with(PASSED), "{session}: {said:?}");
        }
        let said =
            alone(noon(&[], &["1999000 | g | 2026-11-22 11:59:00+00 | app | shop"], &["s | f | 1999000 |"], 15_000));
        assert_eq!(said, [format!("passed: 2 holders of old rows, none old; what vacuums leave is {PASSED}")]);
    }

    /// A session keeps rows of its own database only.
    #[test]
    fn dead_rows_here_are_not_the_fault_of_a_session_elsewhere() {
        let elsewhere = HOUR_OLD.replace("shop", "other");
        assert!(alone(noon(&[&elsewhere], &[], &[], 15_000))[0].starts_with("medium"));
    }

    #[test]
    fn critical_only_where_the_age_is_a_danger_too() {
        let aged = |age: &str, max: &str| {
            let mut taken = noon(&[HOUR_OLD], &[], &[], 0);
            let b = literal("2026-11-22 12:00:00+00")
                .view(
                    "table_sizes",
                    "relid | schemaname | relname | relkind | reltuples | relpages | relation_size | relfrozenxid_age",
                    &[&format!("1 | public | t | r | 100000 | 10 | 20971520 | {age}")],
                )
                .view("pg_settings", "name | setting", &[&format!("autovacuum_freeze_max_age | {max}")])
                .build();
            taken.tables.extend(b.tables.clone());
            alone(taken)[0].split(',').next().unwrap_or_default().to_owned()
        };
        assert_eq!(aged("250000000", "200000000"), "critical");
        assert_eq!(aged("230000000", "200000000"), "medium");
        assert_eq!(aged("1500000", "100000"), "medium", "fifteen times a tiny setting is far from the limit");
    }

    #[test]
    fn samples_that_agree_make_sure_and_one_that_left_is_not_ended() {
        let at = |hour: u32, held: bool| {
            let mut taken = noon(if held { &[HOUR_OLD] } else { &[] }, &[], &[], 0);
            taken.meta.taken_at = crate::time::Timestamp::parse(&format!("2026-11-22 {hour}:00:00+00")).map(|(t, _)| t);
            Arc::new(taken)
        };
        assert_eq!(
            told(&judge(rule(), &[at(12, true), at(13, true), at(14, true)], "")),
            ["medium, high: cleanup: Pid 7 has held back cleanup for 4 h 00 m"]
        );
        let Outcome::Found { findings, .. } = judge(rule(), &[at(12, true), at(13, false)], "") else { panic!() };
        assert!(findings[0].why.plain().contains("in 1 of 2 snapshots, not in the last one"));
        assert!(findings[0].fixes.iter().all(|f| !f.sql.contains("pg_terminate_backend")));
    }

    #[test]
    fn says_that_it_cannot_know() {
        let mut taken = noon(&[], &[], &[], 15_000);
        taken.tables.remove("pg_prepared_xacts");
        assert_eq!(
            alone(taken),
            ["skipped: whether vacuums leave dead rows needs 3 snapshots, here 1 is given, and of those who \
              may hold old rows `pg_prepared_xacts` is not in the dump"]
        );
    }
}
