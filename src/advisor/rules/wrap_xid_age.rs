//! How far the oldest unfrozen transaction id is from the limits.

use crate::advisor::horizon::look_at_holders;
use crate::advisor::vacuum_cure::freeze;
use crate::advisor::wrap_limits::{Limits, fell, oldest_tables, overdue_words, reason_words, verdict};
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Threshold, show};
use crate::finding::{Effort, Fix, Risk, Severity, Subject, SubjectKind, Verb};
use crate::text::Text;
use crate::unit::{Quantity, Unit};

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
                  two snapshots one did, and it is medium. Confidence is always high: the age is exact.",
        what_to_do: "First whatever holds old ids back (vacuum-blocked-horizon), then VACUUM (FREEZE) on the oldest \
                     tables. At the limit itself plain VACUUM works, no single-user mode is needed. Not VACUUM FULL: it needs an \
                     id itself, and space.",
        ignore_when: "Never above high; a note needs nothing.",
        references: "PostgreSQL manual: Routine Vacuuming (Preventing Transaction ID Wraparound Failures). Limits: \
                     varsup.c, PostgreSQL 12 to 18.",
    },
    check,
};

fn check(cx: &Context<'_>) -> Check {
    let state = cx.state_or_skip("database_sizes")?;
    let limits = Limits::xid(cx.major());
    let max_age = cx.facts.autovacuum.freeze_max_age;
    let mut checked = Checked::default();
    let mut most: f64 = 0.0;
    for row in state.table.iter() {
        let Some(age) = row.f64("datfrozenxid_age").filter(|a| *a >= 0.0) else { continue };
        most = most.max(age);
        let name = row.text("datname").unwrap_or_default();
        let fell = fell(cx, name, "datfrozenxid_age");
        let Some((severity, reason)) = verdict(cx, age, max_age, fell) else { continue };
        let (times, way) = (age / max_age.max(1.0), age / limits.refusal);
        let title = Text::new()
            .t("Oldest transaction id is ")
            .opt(Quantity::float(age, Unit::Xids))
            .t(" old")
            .then(reason_words(reason, times, "autovacuum_freeze_max_age", way, "refused writes"));
        let formula = format!("{} ÷ {}", show(age, Unit::Xids), show(limits.refusal, Unit::Xids));
        let mut finding = cx
            .finding(severity, Subject::new(SubjectKind::Database, name), title)
            .why(
                Text::new()
                    .t("New transactions are refused at an age of ")
                    .opt(Quantity::float(limits.refusal, Unit::Xids))
                    .t("; autovacuum_freeze_max_age is ")
                    .opt(Quantity::float(max_age, Unit::Xids))
                    .t(overdue_words(reason, severity, fell)),
            )
            .measure(cx.read("Age", row, "datfrozenxid_age"))
            .measure(cx.computed(
                "Age ÷ autovacuum_freeze_max_age",
                Quantity::float(times, Unit::Times),
                format!("{} ÷ {}", show(age, Unit::Xids), show(max_age, Unit::Xids)),
                &[(row, &["datfrozenxid_age"])],
            ))
            .measure(cx.computed(
                "Way to refused writes",
                Quantity::float(way, Unit::Share),
                formula,
                &[(row, &["datfrozenxid_age"])],
            ))
            .share(Some(way))
            .effort(Effort::M)
            .verify("age(datfrozenxid) falls below autovacuum_freeze_max_age.");
        if severity == Severity::Info {
            checked.findings.push(
                finding.not("No emergency: at this age autovacuum begins its routine vacuum against wraparound."),
            );
            continue;
        }
        // While somebody needs the old ids, no vacuum makes the age less.
        finding = finding.fix(look_at_holders());
        let own = cx.chain.last().meta.database.as_deref() == Some(name);
        for table in oldest_tables(cx, "relfrozenxid_age").into_iter().filter(|_| own) {
            if let Some(sizes) = table.sizes {
                finding = finding.measure(cx.read(&format!("Age of {}", table.display()), sizes, "relfrozenxid_age"));
            }
            finding = finding.fix(freeze(table));
            if severity == Severity::Critical {
                finding = finding.fix(
                    Fix::new(
                        Verb::Maintain,
                        Risk::R1,
                        format!("{} (emergency)", table.display()),
                        format!("VACUUM (FREEZE, INDEX_CLEANUP OFF, TRUNCATE OFF) {};", table.sql()),
                    )
                    .lock("SHARE UPDATE EXCLUSIVE: reads and writes go on")
                    .when_not("While there is time for the one above: this leaves dead entries in the indexes."),
                );
            }
        }
        if finding.fixes.len() == 1 {
            finding = finding.fix(Fix::diagnose(name, "SELECT c.oid::regclass, age(c.relfrozenxid), pg_size_pretty(pg_table_size(c.oid)) FROM pg_class c WHERE c.relkind IN ('r', 'm', 't') ORDER BY 2 DESC LIMIT 20;"));
        }
        checked.findings.push(finding);
    }
    checked.looked_at = format!(
        "{} databases, the oldest at {} of {} transaction ids",
        state.table.rows,
        show(most, Unit::Xids),
        show(limits.refusal, Unit::Xids)
    );
    Ok(checked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
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
            ["critical, high: shop: Oldest transaction id is 1,700,000,000 old, 79.3% of the way to refused writes"]
        );
        assert!(say(1_100_000_000)[0].starts_with("high, high"));
        assert_eq!(
            say(350_000_000),
            [
                "medium, high: shop: Oldest transaction id is 350,000,000 old, 1.75× autovacuum_freeze_max_age, 16.3% of \
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
            "Oldest transaction id is 1,100,000 old, 11.0× autovacuum_freeze_max_age, 0.1% of the way to refused writes"
        );
        assert!(why.ends_with("does not get through."), "{why}");
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
