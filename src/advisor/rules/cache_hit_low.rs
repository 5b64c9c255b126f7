//! Many reads that miss shared buffers.

use crate::advisor::span::Span;
use crate::advisor::workload::part;
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Skip, Threshold, show};
use crate::diff::ViewChange;
use crate::finding::{Effort, Fix, Severity, Subject, SubjectKind};
use crate::text::Text;
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "cache-hit-low",
    title: "Many reads miss shared buffers",
    needs: &[Need::View("pg_stat_database", &["datname", "blks_read", "blks_hit"])],
    wants: &[Need::View("pg_stat_database", &["blk_read_time", "active_time"])],
    thresholds: &[
        Threshold { name: "min_window_s", default: 60.0, unit: Unit::Seconds, about: "Rates need a minute." },
        Threshold {
            name: "good_window_s",
            default: 3_600.0,
            unit: Unit::Seconds,
            about: "One report may read everything once.",
        },
        Threshold { name: "max_hit", default: 0.9, unit: Unit::Share, about: "One block in ten comes from outside." },
        Threshold {
            name: "min_bytes_per_s",
            default: 10_485_760.0,
            unit: Unit::BytesPerSecond,
            about: "A share alone says nothing: below 10 MB/s the misses cost little.",
        },
        Threshold {
            name: "min_time_share",
            default: 0.2,
            unit: Unit::Share,
            about: "A fifth of the execution time spent reading.",
        },
        Threshold {
            name: "warm_up_s",
            default: 3_600.0,
            unit: Unit::Seconds,
            about: "After a start the cache is empty.",
        },
    ],
    docs: Docs {
        looks_at: "Blocks of each database found and not found in shared buffers over the window, and the time spent reading \
                   them where it is recorded.",
        why: "A block that is not in shared buffers has to be copied from the operating system's cache, or read from storage.",
        decides: "Found in less than 90 % and at least 10 MB/s read: low. Medium where reading took a fifth of the execution \
                  time. A high share says nothing good either: a loop over cached pages is 100 % and slow. Within an hour of \
                  a start nothing is said. \"Read\" is not \"disk\": the operating system's cache is not visible.",
        what_to_do: "Look at the statements that read most. Whether more shared_buffers would help depends on the memory of \
                     the machine and the size of the data in use.",
        ignore_when: "Reports and exports that read large tables once.",
        references: "PostgreSQL manual, \"pg_stat_database\"; \"Resource Consumption\" (shared_buffers).",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let window = ctx.window_of("min_window_s")?;
    let meta = &ctx.chain.last().meta;
    let up_s = meta.taken_at.zip(meta.postmaster_start).map(|(now, start)| now.seconds_since(start));
    if up_s.is_some_and(|s| s < ctx.threshold("warm_up_s")) {
        return Err(Skip("the server has started less than an hour ago: its cache is still being filled".to_owned()));
    }
    let block = meta.block_bytes() as f64;
    let mut findings = Vec::new();
    let (mut all_hit, mut all_read) = (0.0, 0.0);
    for change in ctx.changes("pg_stat_database").into_iter().flat_map(ViewChange::present) {
        let (Some(row), Some(read), Some(hit)) = (change.last(), change.delta("blks_read"), change.delta("blks_hit"))
        else {
            continue;
        };
        all_hit += hit;
        all_read += read;
        let (Some(name), Some(per_s)) = (row.text("datname"), change.rate("blks_read").map(|r| r * block)) else {
            continue;
        };
        let share = part(hit, hit + read);
        if share >= ctx.threshold("max_hit") || per_s < ctx.threshold("min_bytes_per_s") {
            continue;
        }
        let span = Span::of(change, window);
        let read_ms = change.delta("blk_read_time").filter(|t| *t > 0.0);
        let time_share = read_ms.zip(change.delta("active_time")).map(|(r, a)| part(r, a));
        let costly = time_share.is_some_and(|s| s >= ctx.threshold("min_time_share"));
        let mut why = Text::new()
            .opt(Quantity::float(per_s, Unit::BytesPerSecond))
            .t(" were read into shared buffers, from the operating system's cache or from storage. ");
        why = match time_share {
            Some(s) => {
                why.t("Reading took ").opt(Quantity::float(s, Unit::Share)).t(" of the time sessions were executing.")
            }
            None => why.t("How long that took is not recorded."),
        };
        findings.push(
            ctx.finding(
                if costly { Severity::Medium } else { Severity::Low },
                Subject::new(SubjectKind::Database, name),
                Text::new()
                    .t("Only ")
                    .opt(Quantity::float(share, Unit::Share))
                    .t(" of the blocks that ")
                    .name(name)
                    .t(" needed were in shared buffers"),
            )
            .why(why)
            .doubts([ctx.single_doubt(), ctx.short_doubt("good_window_s"), ctx.class_doubt(change)])
            .measure(ctx.measure("Blocks read", change, "blks_read"))
            .measure(ctx.measure("Blocks found", change, "blks_hit"))
            .measure(ctx.quotient(
                "Found in shared buffers",
                (hit, Unit::Count),
                (hit + read, Unit::Count),
                Unit::Share,
                &ctx.ends(change, &["blks_hit", "blks_read"]),
            ))
            .measure(
                ctx.over_window(
                    "Read into shared buffers",
                    Quantity::float(per_s, Unit::BytesPerSecond),
                    format!(
                        "{} × {} ÷ {}",
                        show(read, Unit::Count),
                        show(block, Unit::Bytes),
                        show(span.seconds, Unit::Seconds)
                    ),
                    &ctx.ends(change, &["blks_read"]),
                )
                .bounded(span.whole),
            )
            .measures(time_share.zip(read_ms).map(|(share, ms)| {
                ctx.over_window(
                    "Reading, of the time of execution",
                    Quantity::float(share, Unit::Share),
                    format!("{} ÷ active_time", show(ms, Unit::Ms)),
                    &ctx.ends(change, &["blk_read_time", "active_time"]),
                )
            }))
            .fix(Fix::diagnose(
                name,
                "SELECT queryid, calls, shared_blks_read, shared_blks_hit, query\nFROM pg_stat_statements \
                 ORDER BY shared_blks_read DESC LIMIT 20;",
            ))
            .verify("Blocks read per second fall in the next window.")
            .effort(Effort::M)
            .share(time_share),
        );
    }
    let looked_at =
        format!("{} of the blocks found in shared buffers", show(part(all_hit, all_hit + all_read), Unit::Share));
    Ok(Checked { findings, looked_at })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{database_over_an_hour, judge, told};
    use crate::snapshot::literal::literal;

    fn say(header: &str, before: &str, after: &str) -> Vec<String> {
        told(&judge(&RULE, &database_over_an_hour(header, before, after), ""))
    }

    const HEADER: &str = "blks_read | blks_hit | blk_read_time | active_time";

    #[test]
    fn a_low_share_counts_only_with_volume() {
        assert_eq!(
            say(HEADER, "0 | 0 | 0 | 0", "9000000 | 9000000 | 0 | 1000000"),
            ["low, high: shop: Only 50% of the blocks that shop needed were in shared buffers"]
        );
        assert_eq!(
            say(HEADER, "0 | 0 | 0 | 0", "9000000 | 9000000 | 500000 | 1000000"),
            ["medium, high: shop: Only 50% of the blocks that shop needed were in shared buffers"]
        );
        assert_eq!(
            say(HEADER, "0 | 0 | 0 | 0", "9000 | 9000 | 0 | 0"),
            ["passed: 50% of the blocks found in shared buffers"]
        );
        assert_eq!(
            say(HEADER, "0 | 0 | 0 | 0", "9000000 | 900000000 | 0 | 0"),
            ["passed: 99% of the blocks found in shared buffers"]
        );
    }

    #[test]
    fn skips_a_server_that_has_just_started() {
        let taken = |at: &str| {
            literal(at)
                .meta(|m| m.postmaster_start = crate::time::Timestamp::parse("2026-11-22 09:50:00+00").map(|(t, _)| t))
                .view("pg_stat_database", "datid | datname | blks_read | blks_hit", &["5 | shop | 1 | 1"])
                .build()
        };
        assert_eq!(
            told(&judge(&RULE, &[taken("2026-11-22 10:00:00+00"), taken("2026-11-22 10:10:00+00")], "")),
            ["skipped: the server has started less than an hour ago: its cache is still being filled"]
        );
    }
}
