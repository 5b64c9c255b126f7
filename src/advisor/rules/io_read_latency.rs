//! Blocks that take long to read.

use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Skip, Threshold, ratio, show_counted};
use crate::diff::ViewChange;
use crate::finding::{Effort, Fix, Severity, Subject, SubjectKind};
use crate::text::Text;
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "io-read-latency",
    title: "Block reads are slow",
    needs: &[Need::View("pg_stat_database", &["datname", "blks_read", "blk_read_time"])],
    wants: &[Need::Setting("track_io_timing")],
    thresholds: &[
        Threshold { name: "min_window_s", default: 60.0, unit: Unit::Seconds, about: "Rates need a minute." },
        Threshold {
            name: "good_window_s",
            default: 3_600.0,
            unit: Unit::Seconds,
            about: "A backup of an hour is no habit.",
        },
        Threshold {
            name: "min_reads",
            default: 1_000.0,
            unit: Unit::Blocks,
            about: "A mean of fewer blocks rests on chance.",
        },
        Threshold {
            name: "min_ms",
            default: 5.0,
            unit: Unit::Ms,
            about: "Solid state disks need a tenth of it; a mean of 5 ms means many reads that wait much longer.",
        },
    ],
    docs: Docs {
        looks_at: "Time spent reading blocks per block read, in each database over the window (needs track_io_timing).",
        why: "Every statement that misses the buffers waits this long for each block.",
        decides: "A mean of 5 ms over a thousand blocks. It is a mean, not a percentile, and blocks from the operating system's \
                  cache pull it down: slow storage can hide behind it. From 17 on one read may fetch several blocks.",
        what_to_do: "Look at the storage: its queue, its limits, what else uses it.",
        ignore_when: "A backup or an index build was using the storage in the window.",
        references: "PostgreSQL manual, \"pg_stat_database\"; \"Run-time Statistics\" (track_io_timing).",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    ctx.window_of("min_window_s")?;
    let mut findings = Vec::new();
    let (mut reads, mut time, mut exact) = (0.0, 0.0, true);
    for change in ctx.changes("pg_stat_database").into_iter().flat_map(ViewChange::present) {
        let (Some(row), Some(read), Some(ms)) =
            (change.last(), change.delta("blks_read"), change.delta("blk_read_time"))
        else {
            continue;
        };
        reads += read;
        time += ms;
        exact &= change.is_exact();
        let Some(name) = row.text("datname") else { continue };
        if read < ctx.threshold("min_reads") || ms / read < ctx.threshold("min_ms") {
            continue;
        }
        let (mean, formula) = ratio((ms, Unit::Ms), (read, Unit::Blocks), Unit::Ms);
        findings.push(
            ctx.finding(
                Severity::Medium,
                Subject::new(SubjectKind::Database, name),
                Text::new().t("Reading a block takes ").opt(mean).t(" on average in ").name(name),
            )
            .why("Every statement that misses the buffers waits this long for each block; the slowest reads are slower than the mean.")
            .doubts([ctx.single_doubt(), ctx.short_doubt("good_window_s"), ctx.class_doubt(change)])
            .measure(ctx.measure("Blocks read", change, "blks_read"))
            .measure(ctx.measure("Time reading", change, "blk_read_time"))
            .measure(ctx.over_window("Mean time per block", mean, formula, &ctx.ends(change, &["blk_read_time", "blks_read"])))
            .fix(Fix::diagnose(
                name,
                "SELECT queryid, calls, shared_blks_read, query FROM pg_stat_statements ORDER BY shared_blks_read DESC LIMIT 20;",
            ))
            .verify("The mean falls in the next window.")
            .effort(Effort::L),
        );
    }
    if time == 0.0 && reads > 0.0 {
        return Err(Skip("no read times are recorded: track_io_timing is off".to_owned()));
    }
    let mean = Quantity::float(time / reads, Unit::Ms).map_or_else(|| "n/a".to_owned(), Quantity::human);
    Ok(Checked { findings, looked_at: format!("{} blocks read, {mean} each", show_counted(reads, Unit::Count, exact)) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{database_over_an_hour, judge, told};

    fn say(header: &str, before: &str, after: &str) -> Vec<String> {
        told(&judge(&RULE, &database_over_an_hour(header, before, after), ""))
    }

    #[test]
    fn a_slow_mean_over_many_blocks_is_found() {
        const HEADER: &str = "blks_read | blk_read_time";
        assert_eq!(
            say(HEADER, "0 | 0", "10000 | 80000"),
            ["medium, high: shop: Reading a block takes 8.00 ms on average in shop"]
        );
        assert_eq!(say(HEADER, "0 | 0", "10000 | 1000"), ["passed: 10,000 blocks read, 0.10 ms each"]);
        assert_eq!(say(HEADER, "0 | 0", "100 | 80000"), ["passed: 100 blocks read, 800 ms each"]);
        assert_eq!(say(HEADER, "0 | 0", "10000 | 0"), ["skipped: no read times are recorded: track_io_timing is off"]);
    }
}
