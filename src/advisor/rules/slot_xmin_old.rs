//! Slots that hold back vacuum.

use crate::advisor::horizon::xid_age;
use crate::advisor::slots::{drop_slot, is_lost, look_at_consumer, slots};
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Skip, Threshold, show};
use crate::finding::{Effort, Severity, Subject, SubjectKind};
use crate::text::{Text, counted};
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "slot-xmin-old",
    title: "Slot holds back vacuum",
    needs: &[Need::View("pg_replication_slots", &["slot_name", "xmin", "catalog_xmin"])],
    wants: &[],
    thresholds: &[Threshold {
        name: "min_age",
        default: 50_000_000.0,
        unit: Unit::Xids,
        about: "A quarter of the way to autovacuum_freeze_max_age by default.",
    }],
    docs: Docs {
        looks_at: "How far `xmin` and `catalog_xmin` of each slot are behind the server's next transaction id.",
        why: "`xmin` holds back the removal of dead rows in every table of the cluster, `catalog_xmin` that of the system \
              catalogs; both hold back freezing, and with it the distance to wraparound.",
        decides: "50 million transactions. The next transaction id has to be in the export.",
        what_to_do: "Bring the consumer back, or drop the slot; one in use is not dropped: its consumer is behind. With hot_standby_feedback, end the long query on the standby.",
        ignore_when: "The consumer is catching up, and the age falls.",
        references: "PostgreSQL manual, \"pg_replication_slots\"; \"Preventing Transaction ID Wraparound Failures\".",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    // Of the moment that the slots were read.
    let next = ctx
        .state("pg_replication_slots")
        .and_then(|state| ctx.chain.snapshots.get(state.snapshot)?.meta.next_xid)
        .ok_or_else(|| Skip("the next transaction id is not in the export".to_owned()))?;
    let mut findings = Vec::new();
    let mut oldest = 0.0_f64;
    let slots = slots(ctx);
    for slot in slots.iter().filter(|s| !is_lost(s.last)) {
        for (column, what, frozen) in [
            ("xmin", "dead rows of every table", "everything"),
            ("catalog_xmin", "dead rows of the system catalogs", "the catalogs"),
        ] {
            let Some(age) = slot.last.int(column).and_then(|xid| xid_age(next, xid)) else { continue };
            oldest = oldest.max(age);
            if age < ctx.threshold("min_age") {
                continue;
            }
            let quantity = Quantity::float(age, Unit::Xids);
            findings.push(
                ctx.finding(
                    Severity::High,
                    Subject::new(SubjectKind::Slot, slot.name),
                    Text::new().t("Slot ").name(slot.name).t(" holds back vacuum by ").many(
                        quantity,
                        "transaction",
                        "transactions",
                    ),
                )
                .why(format!(
                    "It keeps {what} from being removed, and {frozen} from being frozen, since then: the age of every database \
                     stands still at it."
                ))
                .doubts([slot.stale])
                .measure(ctx.computed("Age", quantity, format!("{next} − {column}"), &[(slot.last, &[column])]))
                .fix(if slot.last.bool("active") == Some(true) {
                    look_at_consumer(slot.name)
                } else {
                    drop_slot(slot.name)
                })
                .verify("The age falls in the next snapshot.")
                .effort(Effort::M),
            );
        }
    }
    Ok(Checked {
        findings,
        looked_at: format!(
            "{}, oldest {} transactions",
            counted(slots.len(), "slot", "slots"),
            show(oldest, Unit::Count)
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::literal;

    #[test]
    fn finds_an_old_slot_and_stays_quiet_about_a_young_one() {
        let with = |next| {
            let b = literal("2026-11-22 12:00:00+00")
                .meta(|m| m.next_xid = Some(next))
                .view("pg_replication_slots", "slot_name | xmin | catalog_xmin", &["s | | 1000"])
                .build();
            told(&judge(&RULE, &[b], ""))
        };
        assert_eq!(with(60_001_000), ["high, high: s: Slot s holds back vacuum by 60,000,000 transactions"]);
        assert_eq!(with(2_000), ["passed: 1 slot, oldest 1,000 transactions"]);
    }

    /// Its catalog_xmin is still shown, but nobody heeds it: vacuum goes past it.
    #[test]
    fn a_lost_slot_holds_back_nothing() {
        let b = literal("2026-11-22 12:00:00+00").meta(|m| m.next_xid = Some(60_001_000)).view(
            "pg_replication_slots",
            "slot_name | xmin | catalog_xmin | wal_status | invalidation_reason",
            &["s | | 1000 | lost | ", "t | | 1000 | reserved | rows_removed"],
        );
        assert_eq!(told(&judge(&RULE, &[b.build()], "")), ["passed: 2 slots, oldest 0 transactions"]);
    }

    #[test]
    fn a_slot_in_use_is_not_dropped() {
        let drops = |active: &str| {
            let b = literal("2026-11-22 12:00:00+00")
                .meta(|m| m.next_xid = Some(60_001_000))
                .view(
                    "pg_replication_slots",
                    "slot_name | active | xmin | catalog_xmin",
                    &[&format!("s | {active} | 1000 | 900")],
                )
                .build();
            let crate::finding::Outcome::Found { findings, .. } = judge(&RULE, &[b], "") else { panic!() };
            findings[0].fixes[0].sql.contains("pg_drop_replication_slot")
        };
        assert!(drops("f") && !drops("t"));
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_eq!(
            crate::advisor::testing::told_of_nothing(&RULE),
            "skipped, input missing: `pg_replication_slots` is not in the dump"
        );
    }
}
