//! Checkpoints so close that page images inflate the WAL.

use crate::advisor::checkpoints::Checkpoints;
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Skip, Threshold, show};
use crate::finding::{Effort, Severity, Subject, SubjectKind};
use crate::text::Text;
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "ckpt-too-frequent",
    title: "Checkpoints too close, page images inflate the WAL",
    needs: &[
        Need::View("pg_stat_checkpointer", &["num_timed", "num_requested"]),
        Need::View("pg_stat_wal", &["wal_bytes", "wal_fpi"]),
        Need::Primary,
    ],
    wants: &[Need::Setting("checkpoint_timeout"), Need::View("pg_stat_statements", &["query", "calls"])],
    thresholds: &[
        Threshold {
            name: "min_checkpoints",
            default: 6.0,
            unit: Unit::Count,
            about: "Fewer say nothing about a habit.",
        },
        Threshold {
            name: "max_distance",
            default: 0.5,
            unit: Unit::Share,
            about: "Twice as many checkpoints as checkpoint_timeout asks for.",
        },
        Threshold {
            name: "min_image_share",
            default: 0.5,
            unit: Unit::Share,
            about: "Half of the WAL is repeated pages.",
        },
    ],
    docs: Docs {
        looks_at: "The mean distance between checkpoints, and how much of the WAL is whole page images (14 and later).",
        why: "The first change of a page after a checkpoint writes the whole page into the WAL. Close checkpoints multiply \
              that, and everything that follows from WAL: archive, network, replay.",
        decides: "Distance below half of checkpoint_timeout and page images at least half of the WAL. Images are counted as \
                  full pages: an upper bound, PostgreSQL leaves out the hole in the middle and may compress. Checkpoints \
                  that commands asked for are taken off.",
        what_to_do: "A larger max_wal_size; then perhaps a longer checkpoint_timeout. wal_compression trades processor time.",
        ignore_when: "A load with few changes between many CHECKPOINT commands on purpose, as in tests.",
        references: "PostgreSQL manual, \"WAL Configuration\" (full_page_writes).",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let c = Checkpoints::read(ctx)?;
    let images = c.image_bytes.ok_or_else(|| Skip("page images of the window are not known".to_owned()))?;
    let image_share = images / c.wal_bytes;
    let distance = c.distance_s() / c.timeout_s;
    let looked_at = format!(
        "a checkpoint every {} of {} allowed; page images at most {} of the WAL",
        show(c.distance_s(), Unit::Seconds),
        show(c.timeout_s, Unit::Seconds),
        show(image_share, Unit::Share)
    );
    if distance >= ctx.threshold("max_distance") || image_share < ctx.threshold("min_image_share") {
        return Ok(Checked { findings: Vec::new(), looked_at });
    }
    let rows: Vec<_> = c.change.last().into_iter().map(|r| (r, ["num_timed", "num_requested"].as_slice())).collect();
    let finding = ctx
        .finding(
            Severity::Medium,
            Subject::new(SubjectKind::Setting, "max_wal_size"),
            Text::new()
                .t("A checkpoint every ")
                .opt(Quantity::float(c.distance_s(), Unit::Seconds))
                .t("; page images are up to ")
                .opt(Quantity::float(image_share, Unit::Share))
                .t(" of the WAL"),
        )
        .why(
            Text::new()
                .code("checkpoint_timeout")
                .t(" allows ")
                .opt(Quantity::float(c.timeout_s, Unit::Seconds))
                .t(". Each checkpoint makes the next change of every page write the whole page into the WAL again."),
        )
        .doubts(c.doubts.iter().copied())
        .measure(c.distance(ctx))
        .measure(ctx.quotient(
            "Page images in the WAL, at most",
            (images, Unit::Bytes),
            (c.wal_bytes, Unit::Bytes),
            Unit::Share,
            &rows,
        ))
        .measure(ctx.setting_measure("checkpoint_timeout"))
        .fixes(c.larger_max_wal_size())
        .verify("The distance comes near to checkpoint_timeout, and the share of page images falls.")
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
    fn close_checkpoints_count_where_page_images_prevail() {
        assert_eq!(
            say("4 | 36", "20971520000 | 2000000", "select 1"),
            ["medium, high: max_wal_size: A checkpoint every 1 min 30 s; page images are up to 78.1% of the WAL"]
        );
        assert_eq!(
            say("4 | 36", "20971520000 | 1000", "select 1"),
            ["passed: a checkpoint every 1 min 30 s of 5 min 00 s allowed; page images at most <0.1% of the WAL"]
        );
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_eq!(
            crate::advisor::testing::told_of_nothing(&RULE),
            "skipped, input missing: `pg_stat_checkpointer` is not in the dump"
        );
    }
}
