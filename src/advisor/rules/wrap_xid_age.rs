//! How far the oldest unfrozen transaction id is from the limits.

use crate::advisor::wrap_ages::{self, Ids};
use crate::advisor::{Check, Context, Docs, Need, Rule, TableFact, Threshold};
use crate::catalog::wraparound::Limits;
use crate::finding::{Fix, Risk, Verb};
use crate::unit::Unit;

/// The rule.
pub const RULE: Rule = Rule {
    id: "wrap-xid-age",
    title: "Transaction ids near a limit",
    needs: &[Need::Primary, Need::View("database_sizes", &["datfrozenxid_age"])],
    wants: &[Need::View("table_sizes", &["relfrozenxid_age"]), Need::View("pg_settings", &["setting"])],
    thresholds: &[
        Threshold {
            name: "medium_factor",
            default: 1.5,
            unit: Unit::Times,
            about: "Of autovacuum_freeze_max_age: the routine vacuum should have come by now.",
        },
        Threshold {
            name: "high_factor",
            default: 5.0,
            unit: Unit::Times,
            about: "Of autovacuum_freeze_max_age: it is not coming.",
        },
        Threshold { name: "high_age", default: 1e9, unit: Unit::Xids, about: "Half of the way, whatever the setting." },
        Threshold {
            name: "critical_age",
            default: 1.6e9,
            unit: Unit::Xids,
            about: "The failsafe (14+) begins here: vacuum drops everything else to be faster.",
        },
    ],
    docs: Docs {
        looks_at: "`age(datfrozenxid)` of every database, templates included, and the oldest tables of the exported one.",
        why: "Transaction ids are numbers in a circle. Before the oldest unfrozen one is 2^31 behind, PostgreSQL refuses \
              new transactions to protect the data: no writes until a vacuum has finished.",
        decides: "Above `autovacuum_freeze_max_age` a note: that only starts the routine vacuum against wraparound, which \
                  is normal. Medium from `medium_factor` times that, high from `high_factor` times or `high_age` on, \
                  critical from `critical_age` on. By the factors the matter is not how near the limit is, which is told \
                  beside, but that a vacuum which nothing switches off does not get through; where the age fell between \
                  two snapshots one did, and it is medium. What holds one database's ids back holds back all of them: they are \
                  one finding, apart from those whose age fell and those in their routine vacuum. Confidence is always \
                  high: the age is exact.",
        what_to_do: "First whatever holds old ids back (vacuum-blocked-horizon), then VACUUM (FREEZE) on the oldest \
                     tables. At the limit itself plain VACUUM works, no single-user mode is needed. Not VACUUM FULL: it needs an \
                     id itself, and space.",
        ignore_when: "Never above high; a note needs nothing.",
        references: "PostgreSQL manual: Routine Vacuuming (Preventing Transaction ID Wraparound Failures). Limits: \
                     varsup.c, PostgreSQL 12 to 18.",
    },
    check,
};

const IDS: Ids = Ids {
    noun: "transaction id",
    column: "datfrozenxid_age",
    table_column: "relfrozenxid_age",
    function: "age(datfrozenxid)",
    table_function: "age(relfrozenxid)",
    setting: ("autovacuum_freeze_max_age", |s| s.freeze_max_age),
    refused: "refused writes",
    who: "New transactions",
    limits: Limits::xid,
    emergency,
};

fn check(cx: &Context<'_>) -> Check {
    wrap_ages::check(cx, IDS)
}

/// What the failsafe does by itself from 14 on: the indexes keep their dead entries.
fn emergency(table: &TableFact<'_>) -> Option<Fix> {
    Some(
        Fix::new(
            Verb::Maintain,
            Risk::R1,
            format!("{} (emergency)", table.display()),
            format!("VACUUM (FREEZE, INDEX_CLEANUP OFF, TRUNCATE OFF) {};", table.sql()),
        )
        .lock("SHARE UPDATE EXCLUSIVE: reads and writes go on")
        .when_not("While there is time for the one above: this leaves dead entries in the indexes."),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::finding::Severity;
    use crate::snapshot::literal::literal;

    fn say(age: u64) -> Vec<String> {
        let b = literal("2026-11-22 12:00:00+00").view(
            "database_sizes",
            "datid | datname | datfrozenxid_age",
            &[&format!("16697 | shop | {age}")],
        );
        told(&judge(&RULE, &[b.build()], ""))
    }

    #[test]
    fn the_age_decides() {
        assert_eq!(
            say(1_700_000_000),
            [
                "critical, high: transaction ids: Oldest transaction id of shop is 1,700,000,000 old, 79.3% of the way to refused writes"
            ]
        );
        assert!(say(1_100_000_000)[0].starts_with("high, high"));
        assert_eq!(
            say(350_000_000),
            [
                "medium, high: transaction ids: Oldest transaction id of shop is 350,000,000 old, 1.75× autovacuum_freeze_max_age, 16.3% of \
              the way to refused writes"
            ]
        );
        assert!(say(210_000_000)[0].starts_with("info, high"));
    }

    /// With the setting lowered far, what is wrong is that no vacuum comes: the limit is as far away as before.
    #[test]
    fn a_vacuum_that_does_not_come_is_the_reason_unless_it_does() {
        let at = |time: &str, age: u64| {
            literal(time)
                .view("database_sizes", "datid | datname | datfrozenxid_age", &[&format!("5 | shop | {age}")])
                .view("pg_settings", "name | setting", &["autovacuum_freeze_max_age | 100000"])
                .build()
        };
        let (noon, later) = ("2026-11-22 12:00:00+00", "2026-11-22 13:00:00+00");
        let found = |taken: &[std::sync::Arc<crate::snapshot::Snapshot>]| {
            let crate::finding::Outcome::Found { mut findings, .. } = judge(&RULE, taken, "") else { panic!() };
            let finding = findings.remove(0);
            (finding.severity, finding.title.plain(), finding.why.plain())
        };
        let (severity, title, why) = found(&[at(noon, 1_000_000), at(later, 1_100_000)]);
        assert_eq!(severity, Severity::High);
        assert_eq!(
            title,
            "Oldest transaction id of shop is 1,100,000 old, 11.0× autovacuum_freeze_max_age, 0.1% of the way to refused writes"
        );
        assert!(why.ends_with("does not get through, or does not keep up."), "{why}");
        assert_eq!(found(&[at(later, 1_100_000)]).0, Severity::High);
        let (severity, _, why) = found(&[at(noon, 9_000_000), at(later, 1_100_000)]);
        assert_eq!(severity, Severity::Medium);
        assert!(why.contains("fell"), "{why}");
        assert_eq!(
            found(&[at(noon, 1_800_000_000), at(later, 1_100_000_000)]).0,
            Severity::High,
            "the way is a reason"
        );
    }

    /// A vacuum gets no further than the oldest transaction that somebody keeps open.
    #[test]
    fn who_needs_the_old_ids_is_looked_for_before_anything_is_vacuumed() {
        let b = literal("2026-11-22 12:00:00+00")
            .meta(|m| m.database = Some("shop".to_owned()))
            .view("database_sizes", "datid | datname | datfrozenxid_age", &["5 | shop | 1100000000"])
            .view("pg_stat_user_tables", "relid | schemaname | relname | n_live_tup", &["1 | public | t | 5"])
            .view(
                "table_sizes",
                "relid | schemaname | relname | relkind | reltuples | relpages | relfrozenxid_age",
                &["1 | public | t | r | 5 | 1 | 1100000000"],
            );
        let crate::finding::Outcome::Found { findings, .. } = judge(&RULE, &[b.build()], "") else { panic!() };
        let verbs: Vec<Verb> = findings[0].fixes.iter().map(|f| f.verb).collect();
        assert_eq!(verbs, [Verb::Diagnose, Verb::Maintain]);
        for holder in ["backend_xmin", "pg_prepared_xacts", "pg_replication_slots"] {
            assert!(findings[0].fixes[0].sql.contains(holder), "{holder}");
        }
    }

    /// One holder of old ids, or one setting, makes every database old: that is told once.
    #[test]
    fn databases_of_one_cause_are_one_finding() {
        let at = |time: &str, rows: &[&str]| {
            literal(time)
                .meta(|m| m.database = Some("shop".to_owned()))
                .view("database_sizes", "datid | datname | datfrozenxid_age", rows)
                .build()
        };
        let taken = [
            at("2026-11-22 12:00:00+00", &["5 | shop | 1000", "1 | template1 | 900000000", "6 | crm | 1000"]),
            at(
                "2026-11-22 13:00:00+00",
                &[
                    "5 | shop | 340000000",
                    "4 | template0 | 210000000",
                    "1 | template1 | 350000000",
                    "6 | crm | 350000001",
                    "7 | wiki | 345000000",
                ],
            ),
        ];
        let outcome = judge(&RULE, &taken, "");
        let way = "1.75× autovacuum_freeze_max_age, 16.3% of the way to refused writes";
        assert_eq!(
            told(&outcome),
            [
                format!(
                    "medium, high: transaction ids: Oldest transaction ids of crm and 2 more databases are up to \
                     350,000,001 old, {way}"
                ),
                format!(
                    "medium, high: transaction ids, late vacuum: Oldest transaction id of template1 is 350,000,000 old, \
                     {way}"
                ),
                "info, high: transaction ids, routine vacuum: Oldest transaction id of template0 is 210,000,000 old, \
                 1.05× autovacuum_freeze_max_age, 9.8% of the way to refused writes"
                    .to_owned(),
            ]
        );
        let crate::finding::Outcome::Found { findings, .. } = outcome else { panic!() };
        let members: Vec<&str> = findings[0].members.iter().map(|m| m.name.as_str()).collect();
        assert_eq!(members, ["crm", "wiki", "shop"], "the oldest first");
        let ages = findings[0].measures.iter().filter(|m| m.label.starts_with("Age of "));
        assert_eq!(ages.count(), 3, "each with its number");
        let last = findings[0].fixes.last().unwrap();
        assert!(
            last.sql.starts_with("-- in each of the databases;"),
            "the other databases are not this one: {}",
            last.sql
        );
    }

    #[test]
    fn stays_quiet_and_skips() {
        assert_eq!(
            say(150_000_000),
            ["passed: 1 databases, the oldest at 150,000,000 of 2,144,483,647 transaction ids"]
        );
        let b = literal("2026-11-22 12:00:00+00").build();
        assert_eq!(told(&judge(&RULE, &[b], "")), ["skipped, input missing: `database_sizes` is not in the dump"]);
    }
}
