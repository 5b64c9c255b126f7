//! Checkpoints that wait for storage at their end.

use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Skip, Threshold, ratio, show};
use crate::advisor::{checkpoints, show_counted};
use crate::finding::{Effort, Fix, Severity, Subject, SubjectKind};
use crate::text::Text;
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "ckpt-sync-slow",
    title: "Checkpoints wait for fsync",
    needs: &[Need::View("pg_stat_checkpointer", &["num_timed", "num_requested", "sync_time"])],
    wants: &[Need::View("pg_stat_checkpointer", &["num_done"]), Need::Setting("checkpoint_flush_after")],
    thresholds: &[
        Threshold {
            name: "min_checkpoints",
            default: 3.0,
            unit: Unit::Count,
            about: "A mean rests on several checkpoints.",
        },
        Threshold {
            name: "min_sync_ms",
            default: 5_000.0,
            unit: Unit::Ms,
            about: "For so long each commit competes with the flush of everything the system had put off.",
        },
    ],
    docs: Docs {
        looks_at: "Time in the fsync phase of checkpoints, divided by their number.",
        why: "At the end of a checkpoint all that the operating system still holds back is flushed. Meanwhile reads, commits and WAL \
              writes on the same storage stall.",
        decides: "Five seconds and more per checkpoint, over three at least. Up to 17 checkpoints that were skipped because nothing \
                  had changed are counted with the others: the true mean is higher, never lower.",
        what_to_do: "Storage that flushes faster or a write cache that survives power loss; checkpoint_flush_after lets the system \
                     write earlier (its default of 256 kB should stand); WAL on storage of its own.",
        ignore_when: "Nobody notices: a load at night.",
        references: "PostgreSQL manual, \"WAL Configuration\"; \"pg_stat_checkpointer\".",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let change = ctx.changes_or_skip("pg_stat_checkpointer")?.present().next();
    let Some((change, row)) = change.and_then(|c| Some((c, c.last()?))) else {
        return Err(Skip("the last snapshot has no checkpoint counters".to_owned()));
    };
    let asked = change.delta("num_timed").unwrap_or(0.0) + change.delta("num_requested").unwrap_or(0.0);
    let done = change.delta("num_done");
    let checkpoints = done.unwrap_or(asked);
    checkpoints::enough(ctx, checkpoints)?;
    let sync = change.delta("sync_time").ok_or_else(|| Skip("the time in fsync is not known".to_owned()))?;
    let (each, formula) = ratio((sync, Unit::Ms), (checkpoints, Unit::Count), Unit::Ms);
    let mean = each.map_or(0.0, Quantity::as_f64);
    let looked_at = format!(
        "{} checkpoints, {} in fsync each",
        show_counted(checkpoints, Unit::Count, change.is_exact()),
        show(mean, Unit::Ms)
    );
    if mean < ctx.threshold("min_sync_ms") {
        return Ok(Checked { findings: Vec::new(), looked_at });
    }
    let at_least = if done.is_none() { "at least " } else { "" };
    let title = Text::new().t(format!("Checkpoints spend {at_least}")).opt(each).t(" each in fsync");
    let finding = ctx
        .finding(Severity::Medium, Subject::new(SubjectKind::Server, "checkpoints"), title)
        .why("While storage flushes what was put off, commits and reads on it wait.")
        .doubts([ctx.single_doubt(), ctx.class_doubt(change)])
        .measure(ctx.measure("Time in fsync", change, "sync_time"))
        .measure(ctx.measure("Time writing", change, "write_time"))
        .measure(ctx.over_window(
            "Time in fsync per checkpoint",
            each,
            formula,
            &[(row, &["sync_time", if done.is_some() { "num_done" } else { "num_timed" }])],
        ))
        .fix(Fix::diagnose(
            "checkpoints",
            "SELECT name, setting, unit FROM pg_settings\nWHERE name IN ('checkpoint_flush_after', 'checkpoint_completion_target', \
             'checkpoint_timeout', 'max_wal_size');",
        ))
        .verify("Time in fsync per checkpoint falls below the threshold in the next window.")
        .effort(Effort::L);
    Ok(Checked { findings: vec![finding], looked_at })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::literal;

    fn over_an_hour(header: &str, after: &str) -> Vec<String> {
        let taken = |at: &str, row: &str| {
            literal(at)
                .view(
                    "pg_stat_checkpointer",
                    &format!("stats_reset | num_timed | num_requested | sync_time{header}"),
                    &[&format!("2026-11-01 00:00:00+00 | {row}")],
                )
                .build()
        };
        let zero = if header.is_empty() { "0 | 0 | 0" } else { "0 | 0 | 0 | 0" };
        told(&judge(&RULE, &[taken("2026-11-22 10:00:00+00", zero), taken("2026-11-22 11:00:00+00", after)], ""))
    }

    #[test]
    fn seconds_in_fsync_are_told() {
        assert_eq!(
            over_an_hour("", "10 | 2 | 96000"),
            ["medium, high: checkpoints: Checkpoints spend at least 8.00 s each in fsync"]
        );
        // Four of them had nothing to do.
        assert_eq!(
            over_an_hour(" | num_done", "10 | 2 | 96000 | 8"),
            ["medium, high: checkpoints: Checkpoints spend 12.0 s each in fsync"]
        );
        assert_eq!(over_an_hour("", "10 | 2 | 9600"), ["passed: 12 checkpoints, 800 ms in fsync each"]);
        assert_eq!(over_an_hour("", "1 | 1 | 96000"), ["skipped: 2 checkpoints in the window, this check needs 3"]);
        assert_eq!(over_an_hour("", "1 | 0 | 96000"), ["skipped: 1 checkpoint in the window, this check needs 3"]);
    }
}
