//! Replication slots that nobody reads and that keep WAL.

use crate::advisor::horizon::look_at_holders;
use crate::advisor::sighting::Sighting;
use crate::advisor::slots::{Slot, current_lsn_sql, drop_slot, retained, slots};
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Threshold, show};
use crate::finding::{Doubt, Effort, Finding, Fix, Severity, Subject, SubjectKind};
use crate::text::{Text, counted};
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "slot-inactive",
    title: "Inactive slot keeps WAL",
    needs: &[Need::View("pg_replication_slots", &["slot_name", "active", "restart_lsn"])],
    wants: &[],
    thresholds: &[
        Threshold {
            name: "min_bytes",
            default: 1_073_741_824.0,
            unit: Unit::Bytes,
            about: "The default max_wal_size: WAL beyond it is kept for the slot alone.",
        },
        Threshold {
            name: "min_inactive_s",
            default: 3_600.0,
            unit: Unit::Seconds,
            about: "A consumer that restarts is back within an hour (inactive_since, 17 and later).",
        },
    ],
    docs: Docs {
        looks_at: "Slots that are inactive in every snapshot, and the distance from their restart position to the server's \
                   present one.",
        why: "WAL that a slot still needs is never removed: without a limit it fills the disk, and then the server stops. \
              A logical slot also holds back the cleanup of the system catalogs.",
        decides: "Inactive in every snapshot and 1 GB kept, or `wal_status` is `extended` (more than max_wal_size is kept, 13 \
                  and later), or inactive for an hour (17 and later). High; medium while less than 1 GB is kept; critical where \
                  the slot is about to be lost (`unreserved`). Slots that a primary keeps on a standby (`synced`) are inactive \
                  by design. Slots already lost keep no WAL: `slot-lost` is about them.",
        what_to_do: "Find out whether its consumer comes back. If not, drop the slot. A limit (max_slot_wal_keep_size) saves \
                     the disk at the price of the slot.",
        ignore_when: "The consumer reads in batches and catches up on a schedule.",
        references: "PostgreSQL manual, \"pg_replication_slots\"; \"Replication Slots\".",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let slots = slots(ctx);
    let mut findings = Vec::new();
    let mut most = 0.0_f64;
    for slot in slots.iter().filter(|s| s.always_inactive) {
        let kept = retained(slot);
        most = most.max(kept.unwrap_or(0.0));
        findings.extend(finding(ctx, slot, kept));
    }
    Ok(Checked {
        findings,
        looked_at: format!(
            "{}, {} of them inactive, at most {} of WAL kept by those",
            counted(slots.len(), "slot", "slots"),
            slots.iter().filter(|s| s.always_inactive).count(),
            show(most, Unit::Bytes)
        ),
    })
}

fn finding<'a>(ctx: &Context<'a>, slot: &Slot<'a>, kept: Option<f64>) -> Option<Finding> {
    let row = slot.last;
    let status = row.text("wal_status").unwrap_or_default();
    if status == "lost" || row.bool("synced") == Some(true) || row.text("invalidation_reason").is_some() {
        return None;
    }
    let inactive_s = slot.at.zip(row.time("inactive_since")).map(|(now, since)| now.seconds_since(since));
    let much = kept.is_some_and(|k| k >= ctx.threshold("min_bytes"));
    let long = inactive_s.is_some_and(|s| s >= ctx.threshold("min_inactive_s"));
    if !(much || long || matches!(status, "extended" | "unreserved")) {
        return None;
    }
    let severity = match status {
        "unreserved" => Severity::Critical,
        _ if much && !slot.moved => Severity::High,
        _ => Severity::Medium,
    };
    let kept_q = kept.and_then(|k| Quantity::float(k, Unit::Bytes));
    let sighting = Sighting::new(slot.seen.iter().copied(), &slot.looked_at);
    let mut why = Text::new().t("It was inactive ").then(sighting.text());
    if let Some(s) = inactive_s {
        why = why.t(", for at least ").opt(Quantity::float(s, Unit::Seconds));
    }
    why = why.t(match status {
        "unreserved" => {
            ". The next checkpoint may remove WAL it needs: then the slot is lost and its consumer has to begin anew."
        }
        "extended" => ". More WAL than max_wal_size is kept for it, until it moves on or is dropped.",
        _ => ". The WAL it needs is kept until it moves on or is dropped.",
    });
    if row.text("slot_type") == Some("logical") {
        why = why.t(" It also keeps old rows of the system catalogs from being cleaned up.");
    }
    if slot.moved {
        why = why.t(
            " Its consumer read meanwhile: it polls, or comes back after errors. What a transaction that is still open wrote is \
             kept, whatever was read since.",
        );
    }
    let title = Text::new().t("Inactive slot ").name(slot.name).t(" keeps ").opt(kept_q).t(" of WAL");
    let now = current_lsn_sql(ctx);
    Some(
        ctx.finding(severity, Subject::new(SubjectKind::Slot, slot.name), title)
            .why(why)
            .doubts([sighting.doubt(), slot.stale, kept.is_none().then_some(Doubt::C4)])
            .measure(ctx.computed("WAL kept", kept_q, slot.distance(), &[(row, &["restart_lsn", "wal_status"])]))
            .measure(ctx.read("Restart position", row, "restart_lsn"))
            .measures(slot.at.zip(row.time("inactive_since")).map(|(now, since)| {
                let formula = format!("{} − {}", now.human_seconds(), since.human_seconds());
                let seconds = inactive_s.and_then(|s| Quantity::float(s, Unit::Seconds));
                ctx.computed("Time inactive, at least", seconds, formula, &[(row, &["inactive_since"])])
            }))
            .measures(ctx.sighted(&sighting, "pg_replication_slots"))
            .fix(Fix::diagnose(
                slot.name,
                format!(
                    "SELECT slot_name, slot_type, database, active, wal_status,\n       \
                     pg_size_pretty(pg_wal_lsn_diff({now}, restart_lsn)) AS kept\n\
                     FROM pg_replication_slots ORDER BY restart_lsn;"
                ),
            ))
            .fix(if slot.moved { look_at_holders() } else { drop_slot(slot.name) })
            .verify("The slot is active or gone in the next snapshot, and the WAL kept falls.")
            .effort(Effort::S),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::Snapshot;
    use crate::snapshot::literal::literal;
    use std::sync::Arc;

    const HEADER: &str = "slot_name | slot_type | active | restart_lsn | wal_status";

    fn taken(at: &str, lsn: u64, rows: &[&str]) -> Arc<Snapshot> {
        literal(at).meta(|m| m.wal_lsn = Some(lsn)).view("pg_replication_slots", HEADER, rows).build()
    }

    #[test]
    fn finds_a_slot_nobody_reads() {
        let row = ["it's | physical | f | 0/10000000 | extended"];
        let [a, b, c] = ["10", "11", "12"].map(|h| taken(&format!("2026-11-22 {h}:00:00+00"), 0x2000_0000, &row));
        let outcome = judge(&RULE, &[a.clone(), b, c], "");
        assert_eq!(told(&outcome), ["medium, high: it's: Inactive slot it's keeps 256 MB of WAL"]);
        let crate::finding::Outcome::Found { findings, .. } = outcome else { panic!() };
        assert!(findings[0].fixes[1].sql.ends_with("SELECT pg_drop_replication_slot('it''s');"));
        let much = taken("2026-11-22 12:00:00+00", 0x1_2000_0000, &row);
        assert_eq!(told(&judge(&RULE, &[much], "")), ["high, medium: it's: Inactive slot it's keeps 4.25 GB of WAL"]);
        let dying = taken("2026-11-22 12:00:00+00", 0x2000_0000, &["s | physical | f | 0/10000000 | unreserved"]);
        assert_eq!(told(&judge(&RULE, &[dying], "")), ["critical, medium: s: Inactive slot s keeps 256 MB of WAL"]);
    }

    /// A consumer that asks for changes every minute is active at no capture.
    #[test]
    fn a_slot_that_is_polled_is_not_dropped() {
        let taken = |at: &str, confirmed: &str| {
            literal(at)
                .meta(|m| m.wal_lsn = Some(0x1_2000_0000))
                .view(
                    "pg_replication_slots",
                    "slot_name | slot_type | active | restart_lsn | confirmed_flush_lsn | wal_status",
                    &[&format!("feed | logical | f | 0/10000000 | {confirmed} | extended")],
                )
                .build()
        };
        for (after, drops) in [("0/18000000", false), ("0/11000000", true)] {
            let series = [taken("2026-11-22 11:00:00+00", "0/11000000"), taken("2026-11-22 12:00:00+00", after)];
            let crate::finding::Outcome::Found { findings, .. } = judge(&RULE, &series, "") else { panic!() };
            assert_eq!(findings[0].fixes.iter().any(|f| f.sql.contains("pg_drop_replication_slot")), drops, "{after}");
        }
    }

    #[test]
    fn stays_quiet_about_slots_that_were_read_or_are_lost() {
        let a = taken("2026-11-22 11:00:00+00", 0x2000_0000, &["s | physical | t | 0/10000000 | extended"]);
        let b = taken("2026-11-22 12:00:00+00", 0x2000_0000, &["s | physical | f | 0/10000000 | extended"]);
        assert_eq!(
            told(&judge(&RULE, &[a, b], "")),
            ["passed: 1 slot, 0 of them inactive, at most 0 bytes of WAL kept by those"]
        );
        let c = taken("2026-11-22 12:00:00+00", 0x9000_0000, &["s | physical | f | 0/10000000 | lost"]);
        assert!(told(&judge(&RULE, &[c], ""))[0].starts_with("passed: 1 slot, 1 of them inactive"));
    }

    #[test]
    fn skips_without_slots_exported() {
        let b = literal("2026-11-22 12:00:00+00").build();
        assert_eq!(
            told(&judge(&RULE, &[b], "")),
            ["skipped, input missing: `pg_replication_slots` is not in the dump"]
        );
    }
}
