//! Logical decoding that writes transactions to disk.

use crate::advisor::cure::{Effect, set_system};
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Threshold};
use crate::finding::{Effort, Severity, Subject, SubjectKind};
use crate::text::{Text, counted};
use crate::unit::{Quantity, Unit};

const GB: f64 = 1_073_741_824.0;

/// The rule.
pub const RULE: Rule = Rule {
    id: "repl-slot-spill",
    title: "Logical decoding spills to disk",
    needs: &[Need::View("pg_stat_replication_slots", &["slot_name", "spill_bytes", "total_bytes"])],
    wants: &[Need::Setting("logical_decoding_work_mem")],
    thresholds: &[
        Threshold {
            name: "min_share",
            default: 0.5,
            unit: Unit::Share,
            about: "Half of what is decoded goes over the disk.",
        },
        Threshold { name: "min_bytes", default: GB, unit: Unit::Bytes, about: "Less is one large transaction." },
        Threshold {
            name: "enough_bytes",
            default: 0.5 * GB,
            unit: Unit::Bytes,
            about: "More for each sender is no cure: the transactions are too large.",
        },
    ],
    docs: Docs {
        looks_at: "Bytes that decoding spilled to disk against all bytes decoded, per slot, over the window (14 and later).",
        why: "A transaction that does not fit into logical_decoding_work_mem is written to disk and read again when it commits: the \
              subscriber falls behind.",
        decides: "Half of the decoded bytes and 1 GB at least.",
        what_to_do: "More logical_decoding_work_mem (each sender may use it), smaller transactions, or a subscription that streams \
                     transactions in progress (streaming = on, or parallel).",
        ignore_when: "Bulk transactions at night cause it, and the subscriber may lag.",
        references: "PostgreSQL manual, \"pg_stat_replication_slots\"; \"Resource Consumption\" (logical_decoding_work_mem).",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let mut findings = Vec::new();
    let mut looked = 0;
    for change in ctx.changes_or_skip("pg_stat_replication_slots")?.present() {
        let Some(row) = change.last() else { continue };
        looked += 1;
        let (Some(name), Some(spilled), Some(total)) =
            (row.text("slot_name"), change.delta("spill_bytes"), change.delta("total_bytes"))
        else {
            continue;
        };
        // What was spilled may not be sent yet, or not at all.
        let share = spilled / total.max(spilled).max(1.0);
        if spilled < ctx.threshold("min_bytes") || share < ctx.threshold("min_share") {
            continue;
        }
        let title = Text::new()
            .opt(Quantity::float(share, Unit::Share))
            .t(" of what slot ")
            .name(name)
            .t(" decodes goes over the disk, ")
            .opt(Quantity::float(spilled, Unit::Bytes));
        let mut finding = ctx
            .finding(Severity::Low, Subject::new(SubjectKind::Slot, name), title)
            .why("Its transactions do not fit into memory: they are written to disk and read again at their commit.")
            .doubts([ctx.single_doubt(), ctx.class_doubt(change)])
            .measure(ctx.measure("Bytes spilled", change, "spill_bytes"))
            .measure(ctx.measure("Transactions spilled", change, "spill_txns"))
            .measure(ctx.measure("Bytes decoded", change, "total_bytes"))
            .measure(ctx.quotient(
                "Share spilled",
                (spilled, Unit::Bytes),
                (total.max(spilled), Unit::Bytes),
                Unit::Share,
                &[(row, &["spill_bytes", "total_bytes"])],
            ))
            .verify("Bytes spilled hardly rise in the next window.")
            .effort(Effort::S);
        if let Some(bytes) = ctx.exported_setting("logical_decoding_work_mem").and_then(|s| s.value) {
            finding = finding.measure(ctx.setting_measure("logical_decoding_work_mem"));
            if bytes > 0.0 && bytes < ctx.threshold("enough_bytes") {
                // What a transaction that did not fit took, and no less than the built-in value.
                const BUILT_IN: f64 = 67_108_864.0;
                let each = change.delta("spill_txns").filter(|n| *n > 0.0).map_or(0.0, |n| spilled / n);
                let wanted = 2_f64.powf((bytes * 2.0).max(each).max(BUILT_IN).log2().ceil());
                let wanted = wanted.min(ctx.threshold("enough_bytes")).max(bytes);
                finding = finding.fix(set_system(
                    "logical_decoding_work_mem",
                    &format!("{:.0}kB", wanted / 1024.0),
                    Effect::Reload,
                    Some(&format!("{:.0}kB", bytes / 1024.0)),
                    "Memory is short: each sender that decodes may use this much.".into(),
                ));
            }
        }
        findings.push(finding);
    }
    Ok(Checked { findings, looked_at: counted(looked, "slot", "slots") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{advise, judge, told};
    use crate::snapshot::Snapshot;
    use crate::snapshot::literal::literal;
    use std::sync::Arc;

    fn over_an_hour(spilled: &str, total: &str) -> [Arc<Snapshot>; 2] {
        let taken = |at: &str, row: &str| {
            literal(at)
                .view(
                    "pg_stat_replication_slots",
                    "slot_name | spill_bytes | spill_txns | total_bytes | stats_reset",
                    &[&format!("cdc | {row} | 2026-11-01 00:00:00+00")],
                )
                .view("pg_settings", "name | setting | unit", &["logical_decoding_work_mem | 65536 | kB"])
                .build()
        };
        let b = format!("{spilled} | 3 | {total}");
        [taken("2026-11-22 10:00:00+00", "0 | 0 | 0"), taken("2026-11-22 11:00:00+00", &b)]
    }

    #[test]
    fn much_that_goes_over_the_disk_is_told_with_more_memory() {
        let advice = advise(&[&RULE], &over_an_hour("6442450944", "8589934592"), "");
        let finding = advice.findings()[0];
        assert_eq!(finding.title.plain(), "75% of what slot cdc decodes goes over the disk, 6 GB");
        assert!(finding.fixes[0].sql.starts_with("ALTER SYSTEM SET logical_decoding_work_mem = '524288kB';"));
        // Not sent yet.
        assert_eq!(
            told(&judge(&RULE, &over_an_hour("6442450944", "0"), "")),
            ["low, high: cdc: 100% of what slot cdc decodes goes over the disk, 6 GB"]
        );
    }

    #[test]
    fn little_is_left_alone_and_13_does_not_count_it() {
        assert_eq!(told(&judge(&RULE, &over_an_hour("1000000", "1000000"), "")), ["passed: 1 slot"]);
        assert_eq!(told(&judge(&RULE, &over_an_hour("2147483648", "85899345920"), "")), ["passed: 1 slot"]);
        let b = literal("2026-11-22 12:00:00+00").version(13).build();
        assert_eq!(told(&judge(&RULE, &[b], "")), ["skipped: PostgreSQL 13 does not have `pg_stat_replication_slots`"]);
    }
}
