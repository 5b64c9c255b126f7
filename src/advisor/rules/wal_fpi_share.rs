//! WAL that is mostly whole pages.

use crate::advisor::cure::{Effect, set_system};
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Skip, Threshold, ratio, show};
use crate::finding::{Effort, Fix, Severity, Subject, SubjectKind};
use crate::text::Text;
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "wal-fpi-share",
    title: "WAL is mostly full-page images",
    needs: &[Need::View("pg_stat_wal", &["wal_fpi", "wal_bytes"]), Need::Primary],
    wants: &[Need::Setting("wal_compression"), Need::Setting("checkpoint_timeout")],
    thresholds: &[
        Threshold {
            name: "min_window_s",
            default: 600.0,
            unit: Unit::Seconds,
            about: "Right after a checkpoint nearly every record carries a page: a window holds several.",
        },
        Threshold {
            name: "good_window_s",
            default: 3_600.0,
            unit: Unit::Seconds,
            about: "An hour has a dozen checkpoints at the default timeout.",
        },
        Threshold { name: "min_share", default: 0.5, unit: Unit::Share, about: "Half of the WAL and more." },
        Threshold {
            name: "min_bytes_per_s",
            default: 1_048_576.0,
            unit: Unit::BytesPerSecond,
            about: "1 MB/s is 84 GB of archived WAL a day.",
        },
    ],
    docs: Docs {
        looks_at: "Full-page images × block size against all WAL bytes of the window (14 and later).",
        why: "The first change of a page after a checkpoint writes the whole page into the WAL. All of it is flushed, archived, \
              sent to every standby and replayed there.",
        decides: "Half of the WAL, and at least 1 MB/s of WAL. The share is an upper bound: unused space in a page is left out, and \
                  wal_compression makes pages smaller.",
        what_to_do: "Checkpoints farther apart (max_wal_size, checkpoint_timeout): a page is then written whole less often, and \
                     recovery after a crash takes longer. wal_compression trades processor time for volume.",
        ignore_when: "The volume hurts nobody: no archive, no remote standby.",
        references: "PostgreSQL manual, \"WAL Configuration\"; \"pg_stat_wal\".",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    ctx.window_of("min_window_s")?;
    let change = ctx.changes_or_skip("pg_stat_wal")?.present().next();
    let Some(change) = change.filter(|c| c.last().is_some()) else {
        return Err(Skip("the last snapshot has no WAL counters".to_owned()));
    };
    let block = ctx.chain.last().meta.block_bytes() as f64;
    let (Some(images), Some(bytes), Some(rate)) =
        (change.delta("wal_fpi"), change.delta("wal_bytes"), change.rate("wal_bytes"))
    else {
        return Err(Skip("the WAL counters of the window are not known".to_owned()));
    };
    let whole = (images * block).min(bytes);
    let (share, formula) = ratio((whole, Unit::Bytes), (bytes, Unit::Bytes), Unit::Share);
    let reached = share.map_or(0.0, Quantity::as_f64);
    let looked_at = format!(
        "{} of WAL, at most {} of it page images",
        show(rate, Unit::BytesPerSecond),
        show(reached, Unit::Share)
    );
    if reached < ctx.threshold("min_share") || rate < ctx.threshold("min_bytes_per_s") {
        return Ok(Checked { findings: Vec::new(), looked_at });
    }
    let title = Text::new()
        .t("At most ")
        .opt(share)
        .t(" of ")
        .opt(Quantity::float(rate, Unit::BytesPerSecond))
        .t(" of WAL are full-page images");
    let mut finding = ctx
        .finding(Severity::Low, Subject::new(SubjectKind::Server, "WAL"), title)
        .why("Each page is written whole when it is first changed after a checkpoint; that volume is archived and sent to standbys.")
        .doubts([ctx.single_doubt(), ctx.short_doubt("good_window_s"), ctx.class_doubt(change)])
        .measure(ctx.measure("Full-page images", change, "wal_fpi"))
        .measure(ctx.measure("WAL bytes", change, "wal_bytes"))
        .measures(ctx.per_second("WAL a second", change, "wal_bytes", Unit::BytesPerSecond))
        .measure(ctx.over_window("Share of images, at most", share, formula, &ctx.ends(change, &["wal_fpi", "wal_bytes"])))
        .fix(Fix::diagnose(
            "WAL",
            "SELECT name, setting, unit FROM pg_settings\nWHERE name IN ('max_wal_size', 'checkpoint_timeout', 'wal_compression');",
        ))
        .verify("The share falls in the next window, or the WAL volume does.")
        .effort(Effort::S)
        .share(share.map(Quantity::as_f64));
    if ctx.exported_setting("wal_compression").and_then(|s| s.is_on()) == Some(false) {
        finding = finding.fix(set_system(
            "wal_compression",
            "on",
            Effect::Reload,
            Some("off"),
            "Processors are the bottleneck: each page is compressed by the session that changes it.".into(),
        ));
    }
    Ok(Checked { findings: vec![finding], looked_at })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{checkpoints_over_an_hour, judge, told};
    use crate::snapshot::literal::literal;

    fn say(wal: &str) -> Vec<String> {
        told(&judge(&RULE, &checkpoints_over_an_hour("12 | 0", wal, "select 1"), ""))
    }

    #[test]
    fn half_of_much_wal_is_told() {
        // 1,000,000 pages of 8 kB in 10 GB.
        assert_eq!(
            say("10485760000 | 1000000"),
            ["low, high: WAL: At most 78.1% of 2.78 MB/s of WAL are full-page images"]
        );
        assert_eq!(say("10485760000 | 100000"), ["passed: 2.78 MB/s of WAL, at most 7.8% of it page images"]);
        assert_eq!(say("104857600 | 12000"), ["passed: 28.4 kB/s of WAL, at most 93.8% of it page images"]);
    }

    #[test]
    fn says_where_it_cannot_know() {
        let b = literal("2026-11-22 12:00:00+00").version(13).build();
        assert_eq!(told(&judge(&RULE, &[b], "")), ["skipped: PostgreSQL 13 does not have `pg_stat_wal`"]);
    }
}
