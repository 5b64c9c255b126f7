//! WAL volume, not time, starts the checkpoints.

use crate::advisor::checkpoints::Checkpoints;
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Threshold, show, show_counted};
use crate::finding::{Effort, Severity, Subject, SubjectKind};
use crate::text::Text;
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "ckpt-requested",
    title: "WAL volume forces checkpoints",
    needs: &[Need::View("pg_stat_checkpointer", &["num_timed", "num_requested"]), Need::Primary],
    wants: &[
        Need::Setting("max_wal_size"),
        Need::View("pg_stat_wal", &["wal_bytes"]),
        Need::View("pg_stat_statements", &["query", "calls"]),
    ],
    thresholds: &[
        Threshold {
            name: "min_checkpoints",
            default: 6.0,
            unit: Unit::Count,
            about: "Fewer say nothing about a habit.",
        },
        Threshold {
            name: "min_share",
            default: 0.3,
            unit: Unit::Share,
            about: "Three of ten checkpoints not by the clock.",
        },
        Threshold {
            name: "min_fill",
            default: 0.8,
            unit: Unit::Share,
            about: "WAL per checkpoint close to the volume that triggers one: the cause is volume, not a command.",
        },
    ],
    docs: Docs {
        looks_at: "Requested and timed checkpoints of the window, the WAL written in it, max_wal_size.",
        why: "A checkpoint before its time writes the same pages again sooner, and each page changed after it goes whole into \
              the WAL once more.",
        decides: "Requested checkpoints count also for CHECKPOINT, base backups, CREATE and DROP DATABASE. Those that \
                  pg_stat_statements saw are taken off. Then at least three of ten must be requested, and the WAL between \
                  two checkpoints must come near to what triggers one, max_wal_size ÷ (1 + checkpoint_completion_target).",
        what_to_do: "A max_wal_size with room for the WAL of one checkpoint_timeout. Recovery after a crash takes longer by as \
                     much.",
        ignore_when: "A bulk load is running, or the disk of pg_wal has no room.",
        references: "PostgreSQL manual, \"WAL Configuration\"; PostgreSQL source, CalculateCheckpointSegments.",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let c = Checkpoints::read(ctx)?;
    let own = c.own();
    let forced = c.requested - c.by_commands;
    let share = if own > 0.0 { forced / own } else { 0.0 };
    let fill = c.wal_each() / c.trigger();
    let exact = c.change.is_exact();
    let looked_at = format!(
        "{} checkpoints, {} of them requested{}; {} of WAL each, {} trigger one",
        show_counted(c.timed + c.requested, Unit::Count, exact),
        show_counted(c.requested, Unit::Count, exact),
        if c.by_commands > 0.0 {
            format!(" ({} by commands)", show(c.by_commands, Unit::Count))
        } else {
            String::new()
        },
        show(c.wal_each(), Unit::Bytes),
        show(c.trigger(), Unit::Bytes)
    );
    if share < ctx.threshold("min_share") || fill < ctx.threshold("min_fill") {
        return Ok(Checked { findings: Vec::new(), looked_at });
    }
    let row = c.change.last();
    let mut finding = ctx
        .finding(
            Severity::Medium,
            Subject::new(SubjectKind::Setting, "max_wal_size"),
            Text::new()
                .opt(Quantity::float(share, Unit::Share))
                .t(" of the checkpoints are forced by WAL volume, one every ")
                .opt(Quantity::float(c.distance_s(), Unit::Seconds)),
        )
        .why(
            Text::new()
                .t("Between two checkpoints ")
                .opt(Quantity::float(c.wal_each(), Unit::Bytes))
                .t(" of WAL are written; at ")
                .opt(Quantity::float(c.trigger(), Unit::Bytes))
                .t(" the next one is due although ")
                .code("checkpoint_timeout")
                .t(" allows ")
                .opt(Quantity::float(c.timeout_s, Unit::Seconds))
                .t("."),
        )
        .doubts(c.doubts.iter().copied())
        .measure(ctx.measure("Timed checkpoints", c.change, "num_timed"))
        .measure(ctx.measure("Requested checkpoints", c.change, "num_requested"));
    if let Some(row) = row {
        finding = finding
            .measure(ctx.over_window(
                "Forced by WAL volume",
                Quantity::float(share, Unit::Share),
                format!(
                    "({} requested − {} by commands) ÷ {}",
                    show(c.requested, Unit::Count),
                    show(c.by_commands, Unit::Count),
                    show(own, Unit::Count)
                ),
                &[(row, &["num_requested", "num_timed"])],
            ))
            .measure(ctx.quotient(
                "WAL per checkpoint",
                (c.wal_bytes, Unit::Bytes),
                (own, Unit::Count),
                Unit::Bytes,
                &[(row, &["num_requested", "num_timed"])],
            ))
            .measure(c.distance(ctx));
    }
    finding = finding
        .measure(ctx.computed(
            "WAL at which the next one is due",
            Quantity::float(c.trigger(), Unit::Bytes),
            format!(
                "max_wal_size {} ÷ (1 + checkpoint_completion_target {})",
                show(c.max_wal_size, Unit::Bytes),
                c.target
            ),
            &ctx.setting_rows("max_wal_size"),
        ))
        .measure(ctx.setting_measure("checkpoint_timeout"))
        .fixes(c.larger_max_wal_size())
        .verify("Requested checkpoints fall below three of ten in the next window.")
        .effort(Effort::S);
    Ok(Checked { findings: vec![finding], looked_at })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{checkpoints_over_an_hour, judge, told};

    fn say(checkpoints: &str, wal: &str, statement: &str) -> Vec<String> {
        told(&judge(&RULE, &checkpoints_over_an_hour(checkpoints, wal, statement), ""))
    }

    #[test]
    fn volume_is_blamed_where_the_wal_between_two_reaches_what_triggers_one() {
        // 40 checkpoints with 500 MB between them; 539 MB trigger one.
        assert_eq!(
            say("4 | 36", "20971520000 | 0", "select 1"),
            ["medium, high: max_wal_size: 90% of the checkpoints are forced by WAL volume, one every 1 min 30 s"]
        );
    }

    #[test]
    fn commands_and_small_volumes_are_not_blamed_on_it() {
        assert_eq!(
            say("12 | 20", "20971520000 | 0", "checkpoint"),
            ["passed: 32 checkpoints, 20 of them requested (20 by commands); 1.63 GB of WAL each, 539 MB trigger one"]
        );
        assert_eq!(
            say("4 | 36", "2097152000 | 0", "select 1"),
            ["passed: 40 checkpoints, 36 of them requested; 50 MB of WAL each, 539 MB trigger one"]
        );
        assert_eq!(
            say("4 | 1", "20971520000 | 0", "select 1"),
            ["skipped: 5 checkpoints in the window, this check needs 6"]
        );
    }
}
