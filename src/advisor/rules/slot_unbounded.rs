//! No limit on the WAL that slots may keep.

use crate::advisor::cure::{Effect, set_system};
use crate::advisor::slots::{retained, slots};
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Skip};
use crate::finding::{Effort, Severity, Subject, SubjectKind};
use crate::snapshot::Row;
use crate::text::{Text, counted};
use crate::unit::{Quantity, Unit};

const NAME: &str = "max_slot_wal_keep_size";

/// The rule.
pub const RULE: Rule = Rule {
    id: "slot-unbounded",
    title: "No limit on WAL kept for slots",
    needs: &[Need::View("pg_replication_slots", &["slot_name"]), Need::Setting(NAME)],
    wants: &[],
    thresholds: &[],
    docs: Docs {
        looks_at: "max_slot_wal_keep_size (13 and later), and whether there are slots.",
        why: "A consumer that stops makes the server keep WAL until the disk is full; then the server stops too.",
        decides: "−1 while at least one slot exists.",
        what_to_do: "A limit that the disk can hold beside the usual WAL. It saves the server and costs the slot: its consumer \
                     has to be built anew then. From 18 on idle_replication_slot_timeout does the same by time.",
        ignore_when: "The space of pg_wal is watched, and losing a slot would be worse.",
        references: "PostgreSQL manual, \"Replication\" (max_slot_wal_keep_size).",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let setting = ctx.exported_setting(NAME).ok_or_else(|| Skip("the setting is not known".to_owned()))?;
    let slots = slots(ctx);
    let looked_at = format!("{}, {NAME} {}", counted(slots.len(), "slot", "slots"), setting.text);
    if slots.is_empty() || setting.value != Some(-1.0) {
        return Ok(Checked { findings: Vec::new(), looked_at });
    }
    let known = slots.iter().filter_map(|slot| Some((retained(slot)?, slot)));
    let most = known.max_by(|a, b| a.0.total_cmp(&b.0));
    let mut why = Text::from("A consumer that stops makes the server keep WAL until the disk is full.");
    let kept = most.map(|(bytes, slot)| {
        let kept = Quantity::float(bytes, Unit::Bytes);
        why = std::mem::take(&mut why).t(" At present at most ").opt(kept).t(" are kept.");
        ctx.computed("WAL kept, at most", kept, slot.distance(), &[(slot.last, &["restart_lsn"])])
    });
    let all: Vec<(Row<'_>, &[&str])> = slots.iter().map(|slot| (slot.last, &["slot_name"][..])).collect();
    let finding = ctx
        .finding(
            Severity::Low,
            Subject::new(SubjectKind::Setting, NAME),
            Text::new().t("No limit on the WAL kept for ").many(Quantity::count(slots.len()), "slot", "slots"),
        )
        .why(why)
        .doubts([setting.doubt()])
        .members(slots.iter().map(|s| Subject::new(SubjectKind::Slot, s.name)).collect())
        .measure(ctx.setting_measure(NAME))
        .measure(ctx.computed("Slots", Some(Quantity::count(slots.len())), format!("{NAME} holds for each"), &all))
        .measures(kept)
        .fix(set_system(
            NAME,
            "50GB",
            Effect::Reload,
            Some("-1"),
            "50GB is an example: take what the disk of pg_wal can hold. A consumer that falls behind by more loses its slot.".into(),
        ))
        .verify("The setting has a limit in the next snapshot.")
        .effort(Effort::S);
    Ok(Checked { findings: vec![finding], looked_at })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::literal;

    #[test]
    fn finds_slots_without_a_limit_only() {
        let with = |value: &str, slots: &[&str]| {
            let b = literal("2026-11-22 12:00:00+00")
                .view("pg_settings", "name | setting | unit", &[&format!("{NAME} | {value} | MB")])
                .view("pg_replication_slots", "slot_name | active", slots)
                .build();
            told(&judge(&RULE, &[b], ""))
        };
        assert_eq!(with("-1", &["s | t"]), [format!("low, high: {NAME}: No limit on the WAL kept for 1 slot")]);
        assert_eq!(with("-1", &[]), [format!("passed: 0 slots, {NAME} -1")]);
        assert_eq!(with("1000", &["s | t"]), [format!("passed: 1 slot, {NAME} 1000")]);
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_eq!(
            crate::advisor::testing::told_of_nothing(&RULE),
            "skipped, input missing: `pg_replication_slots` is not in the dump"
        );
    }
}
