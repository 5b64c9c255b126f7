//! Slots that were invalidated.

use crate::advisor::slots::{drop_lost_slot, is_lost, slots};
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, show};
use crate::finding::{Effort, Measure, Severity, Subject, SubjectKind};
use crate::ident::visible;
use crate::snapshot::Row;
use crate::text::{Text, counted};
use crate::unit::{Quantity, Unit, format_lsn};

/// The rule.
pub const RULE: Rule = Rule {
    id: "slot-lost",
    title: "Replication slot invalidated",
    needs: &[Need::View("pg_replication_slots", &["slot_name", "wal_status"])],
    wants: &[Need::Setting("max_slot_wal_keep_size"), Need::View("pg_stat_wal", &["wal_bytes"])],
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
        let of_wal = reason.is_none_or(|r| r == "wal_removed");
        let because = reason.map_or_else(|| "the WAL it needs was removed".to_owned(), |r| visible(r).into_owned());
        findings.push(
            ctx.finding(
                Severity::High,
                Subject::new(SubjectKind::Slot, slot.name),
                Text::new().t("Slot ").name(slot.name).t(" is lost: ").t(because),
            )
            .why({
                let why = Text::new().t(if row.text("slot_type") == Some("physical") {
                    "Its standby cannot go on with it: it catches up from an archive of the WAL, or is built again."
                } else {
                    "Its consumer cannot go on with it: what it copied ends where it stopped."
                });
                if of_wal { why.then(again(ctx).unwrap_or_default()) } else { why }
            })
            .doubts([slot.stale])
            .measure(ctx.read("Restart position", row, "restart_lsn"))
            .measures(
                keep_size(ctx)
                    .filter(|_| of_wal)
                    .into_iter()
                    .flat_map(|bytes| std::iter::once(ctx.setting_measure(KEEP_SIZE)).chain(how_soon(ctx, bytes))),
            )
            .fix(drop_lost_slot(slot.name))
            .verify("The slot is gone, and its consumer has a new one that moves on.")
            .effort(Effort::M),
        );
    }
    Ok(Checked { findings, looked_at: format!("{}, none lost", counted(slots.len(), "slot", "slots")) })
}

const KEEP_SIZE: &str = "max_slot_wal_keep_size";

/// How much WAL is kept for slots, in bytes, where that is bounded.
fn keep_size(ctx: &Context<'_>) -> Option<f64> {
    ctx.exported_setting(KEEP_SIZE)?.value.filter(|bytes| *bytes >= 0.0)
}

/// That a new slot is lost like this one, and how soon.
fn again(ctx: &Context<'_>) -> Option<Text> {
    let bytes = keep_size(ctx)?;
    let text = Text::new()
        .t(" A new slot is lost again when its consumer is ")
        .opt(Quantity::float(bytes, Unit::Bytes))
        .t(" of WAL behind (max_slot_wal_keep_size)");
    let text = match wal_per_s(ctx) {
        Some(Pace { rate, .. }) => text
            .t(": at the ")
            .opt(Quantity::float(rate, Unit::BytesPerSecond))
            .t(" measured, after ")
            .opt(Quantity::float(bytes / rate, Unit::Seconds)),
        None => text,
    };
    Some(text.t(". Raise it first."))
}

/// How much WAL is written in a second, and how that was computed.
struct Pace<'a> {
    rate: f64,
    formula: String,
    rows: Vec<(Row<'a>, &'static [&'static str])>,
}

/// WAL written in a second of the window, by its counter, else by the server's position; `None` where that is nothing.
fn wal_per_s<'a>(ctx: &Context<'a>) -> Option<Pace<'a>> {
    let change = ctx.changes("pg_stat_wal").and_then(|v| v.present().next());
    let counted = change.and_then(|c| {
        let (bytes, seconds) = (show(c.delta("wal_bytes")?, Unit::Bytes), show(c.covered_s()?, Unit::Seconds));
        let rows = c.last().map(|r| (r, &["wal_bytes"][..])).into_iter().collect();
        Some(Pace { rate: c.rate("wal_bytes")?, formula: format!("{bytes} ÷ {seconds}"), rows })
    });
    let moved = || {
        let ends = [ctx.chain.last(), ctx.chain.first()];
        let (last, first) = (ctx.chain.last().meta.wal_lsn?, ctx.chain.first().meta.wal_lsn?);
        let seconds = ctx.chain.elapsed_s.filter(|s| *s > 0.0)?;
        let formula = format!("({} − {}) ÷ {}", format_lsn(last), format_lsn(first), show(seconds, Unit::Seconds));
        let rows = ends.iter().filter_map(|s| Some((s.table("meta")?.iter().next()?, &["wal_lsn"][..]))).collect();
        Some(Pace { rate: last.checked_sub(first)? as f64 / seconds, formula, rows })
    };
    counted.or_else(moved).filter(|pace| pace.rate > 0.0)
}

/// The pace of the WAL, and when so many bytes are written.
fn how_soon(ctx: &Context<'_>, bytes: f64) -> Vec<Measure> {
    let Some(Pace { rate, formula, rows }) = wal_per_s(ctx) else { return Vec::new() };
    let shown = format!("{} ÷ {}", show(bytes, Unit::Bytes), show(rate, Unit::BytesPerSecond));
    let after = Quantity::float(bytes / rate, Unit::Seconds);
    vec![
        ctx.over_window("WAL a second", Quantity::float(rate, Unit::BytesPerSecond), formula, &rows),
        ctx.over_window("Time until as much is written", after, shown, &rows),
    ]
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
    fn says_how_soon_a_new_one_is_lost_again() {
        let why = |keep: &str, reason: &str| {
            let taken = |at: &str, wal: u64| {
                literal(at)
                    .view(
                        "pg_replication_slots",
                        "slot_name | active | wal_status | invalidation_reason",
                        &[&format!("a | f | lost | {reason}")],
                    )
                    .view("pg_settings", "name | setting | unit", &[&format!("max_slot_wal_keep_size | {keep} | MB")])
                    .view("pg_stat_wal", "wal_bytes | stats_reset", &[&format!("{wal} | 2026-11-01 00:00:00+00")])
                    .build()
            };
            let snapshots = [taken("2026-11-22 12:00:00+00", 0), taken("2026-11-22 13:00:00+00", 3_774_873_600)];
            let crate::finding::Outcome::Found { findings, .. } = judge(&RULE, &snapshots, "") else { panic!() };
            findings[0].why.plain()
        };
        assert!(
            why("64", "").ends_with(
                " A new slot is lost again when its consumer is 64 MB of WAL behind (max_slot_wal_keep_size): at the 1 MB/s \
                 measured, after 1 min 04 s. Raise it first."
            ),
            "{}",
            why("64", "")
        );
        assert!(!why("-1", "").contains("again"));
        assert!(!why("64", "idle_timeout").contains("again"));
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
