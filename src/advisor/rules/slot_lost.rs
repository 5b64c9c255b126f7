//! Slots that were invalidated.

use crate::advisor::slots::{drop_lost_slot, is_lost, slots};
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule};
use crate::finding::{Effort, Severity, Subject, SubjectKind};
use crate::ident::visible;
use crate::text::{Text, counted};

/// The rule.
pub const RULE: Rule = Rule {
    id: "slot-lost",
    title: "Replication slot invalidated",
    needs: &[Need::View("pg_replication_slots", &["slot_name", "wal_status"])],
    wants: &[],
    thresholds: &[],
    docs: Docs {
        looks_at: "Slots whose `wal_status` is `lost`, or that have an `invalidation_reason` (17 and later).",
        why: "WAL that the consumer needs is gone from the server. It cannot go on with the slot: a subscriber's copy ends where \
              it stopped, a standby catches up only from an archive.",
        decides: "Any is high. On a standby, slots copied from the primary are left out: they are made again.",
        what_to_do: "Let the standby catch up from an archive and give it a new slot, or build the standby or subscriber anew; \
                     then drop the slot. Then look at why it fell behind, and at max_slot_wal_keep_size.",
        ignore_when: "Its consumer is gone for good: then drop it.",
        references: "PostgreSQL manual, \"pg_replication_slots\".",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let slots = slots(ctx);
    let mut findings = Vec::new();
    for slot in &slots {
        let row = slot.last;
        let reason = row.text("invalidation_reason").filter(|r| !r.is_empty());
        if !is_lost(row) || row.bool("synced") == Some(true) {
            continue;
        }
        let because = reason.map_or_else(|| "the WAL it needs was removed".to_owned(), |r| visible(r).into_owned());
        findings.push(
            ctx.finding(
                Severity::High,
                Subject::new(SubjectKind::Slot, slot.name),
                Text::new().t("Slot ").name(slot.name).t(" is lost: ").t(because),
            )
            .why(if row.text("slot_type") == Some("physical") {
                "Its standby cannot go on with it: it catches up from an archive of the WAL, or is built again."
            } else {
                "Its consumer cannot go on with it: what it copied ends where it stopped."
            })
            .doubts([slot.stale])
            .measure(ctx.read("Restart position", row, "restart_lsn"))
            .fix(drop_lost_slot(slot.name))
            .verify("The slot is gone, and its consumer has a new one that moves on.")
            .effort(Effort::M),
        );
    }
    Ok(Checked { findings, looked_at: format!("{}, none lost", counted(slots.len(), "slot", "slots")) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::literal;

    #[test]
    fn finds_lost_slots_and_says_why() {
        let b = literal("2026-11-22 12:00:00+00")
            .view(
                "pg_replication_slots",
                "slot_name | active | wal_status | invalidation_reason | synced",
                &[
                    "a | f | lost | | f",
                    "b | f | lost | idle_timeout | f",
                    "c | f | reserved | | f",
                    "d | f | lost | wal_removed | t",
                ],
            )
            .build();
        assert_eq!(
            told(&judge(&RULE, &[b], "")),
            [
                "high, high: a: Slot a is lost: the WAL it needs was removed",
                "high, high: b: Slot b is lost: idle_timeout"
            ]
        );
    }

    #[test]
    fn stays_quiet_about_slots_that_have_their_wal() {
        let b = literal("2026-11-22 12:00:00+00").view(
            "pg_replication_slots",
            "slot_name | active | wal_status | invalidation_reason | synced",
            &["c | f | reserved | | f"],
        );
        assert!(told(&judge(&RULE, &[b.build()], ""))[0].starts_with("passed"));
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_eq!(
            crate::advisor::testing::told_of_nothing(&RULE),
            "skipped, input missing: `pg_replication_slots` is not in the dump"
        );
    }
}
