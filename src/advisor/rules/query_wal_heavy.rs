//! A statement that writes most of the WAL.

use crate::advisor::workload::{GOOD_WINDOW, MIN_CALLS, MIN_WINDOW, Statement, Workload, part};
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Threshold, ratio, show_counted};
use crate::finding::{Effort, Severity};
use crate::text::{Text, counted};
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "query-wal-heavy",
    title: "Statement writes most of the WAL",
    needs: &[Need::View("pg_stat_statements", &["queryid", "query", "calls", "wal_bytes"]), Need::Primary],
    wants: &[],
    thresholds: &[
        MIN_WINDOW,
        GOOD_WINDOW,
        MIN_CALLS,
        Threshold { name: "min_share", default: 0.3, unit: Unit::Share, about: "Three tenths of the recorded WAL." },
        Threshold {
            name: "min_bytes_per_s",
            default: 1_048_576.0,
            unit: Unit::BytesPerSecond,
            about: "1 MB/s is 84 GB of archived WAL a day.",
        },
        Threshold {
            name: "medium_bytes_per_s",
            default: 10_485_760.0,
            unit: Unit::BytesPerSecond,
            about: "10 MB/s fills a 1 TB archive in about a day.",
        },
    ],
    docs: Docs {
        looks_at: "WAL bytes that each statement wrote over the window.",
        why: "WAL is written, flushed, archived, sent to every standby and replayed there.",
        decides: "Three tenths of the WAL of all recorded statements and at least 1 MB/s; medium from 10 MB/s on. Whole page \
                  images after a checkpoint are part of it and shown.",
        what_to_do: "Fewer and larger transactions, no updates that change nothing, fewer indexes on the written table. \
                     Where page images are the larger part, checkpoints farther apart.",
        ignore_when: "Loading data is the purpose.",
        references: "PostgreSQL manual, \"pg_stat_statements\"; \"WAL Configuration\".",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let work = Workload::read(ctx)?;
    let wal = |s: &Statement<'_>| s.delta("wal_bytes");
    let total = work.total("wal_bytes");
    let block = ctx.chain.last().meta.block_bytes() as f64;
    let mut findings = Vec::new();
    for (s, bytes) in work.by(|s| wal(s)) {
        let span = work.span(s);
        let rate = bytes / span.seconds;
        if part(bytes, total) < ctx.threshold("min_share") || rate < ctx.threshold("min_bytes_per_s") {
            break;
        }
        let severity = match () {
            () if s.is_upkeep() => Severity::Info,
            () if rate >= ctx.threshold("medium_bytes_per_s") => Severity::Medium,
            () => Severity::Low,
        };
        let images = (s.delta("wal_fpi") * block).min(bytes);
        let share = Quantity::share(bytes, total);
        let written = (bytes, Unit::Bytes);
        let per_s = span.rate(ctx, "WAL per second", s.change, written, Unit::BytesPerSecond, &["wal_bytes"]);
        let (of_images, part_of) = ratio((images, Unit::Bytes), (bytes, Unit::Bytes), Unit::Share);
        findings.push(
            ctx.finding(
                severity,
                work.subject(s),
                Text::new()
                    .code(s.headline())
                    .t(" writes ")
                    .opt(share)
                    .t(" of the recorded WAL, ")
                    .opt(per_s.window),
            )
            .why(work.shared(
                Text::new()
                    .t("Every byte is flushed, and where there is an archive or a standby, sent there too. At most ")
                    .opt(of_images)
                    .t(" of it are whole page images that follow a checkpoint."),
            ))
            .doubts(work.doubts.iter().copied().chain([ctx.class_doubt(s.change)]))
            .measure(ctx.measure("WAL bytes", s.change, "wal_bytes"))
            .measure(ctx.measure("Page images", s.change, "wal_fpi"))
            .measure(ctx.measure("Calls", s.change, "calls"))
            .measure(ctx.quotient("Share of the recorded WAL", (bytes, Unit::Bytes), (total, Unit::Bytes), Unit::Share, &[(s.row, &["wal_bytes"])],
            ))
            .measure(per_s)
            .measure(ctx.over_window("Page images, at most", of_images, part_of, &[(s.row, &["wal_fpi", "wal_bytes"])]))
            .fix(s.look_up(ctx.major()))
            .verify("WAL bytes per call fall in the next window.")
            .effort(Effort::M)
            .share(share.map(Quantity::as_f64)),
        );
    }
    Ok(Checked {
        findings,
        looked_at: format!(
            "{}; {} of WAL recorded",
            counted(work.statements.len(), "statement", "statements"),
            show_counted(total, Unit::Bytes, work.is_exact())
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::literal;

    fn over(minutes: &str, header: &str, before: &[&str], after: &[&str]) -> Vec<String> {
        let taken = |at: &str, rows: &[&str]| {
            literal(at)
                .view("pg_stat_database", "datid | datname", &["5 | shop"])
                .view("pg_stat_statements", &format!("userid | dbid | queryid | toplevel | query | {header}"), rows)
                .build()
        };
        let b = format!("2026-11-22 {minutes}:00+00");
        told(&judge(&RULE, &[taken("2026-11-22 10:00:00+00", before), taken(&b, after)], ""))
    }

    #[test]
    fn finds_the_writer_of_most_wal() {
        const HEADER: &str = "calls | total_exec_time | wal_bytes | wal_fpi";
        let run = |bytes: &str| {
            over(
                "11:00",
                HEADER,
                &["10 | 5 | 1 | t | select a | 0 | 0 | 0 | 0"],
                &[
                    "10 | 5 | 1 | t | select a | 5000 | 1000 | 1000 | 0",
                    &format!("10 | 5 | 2 | t | update t set a = $1 | 10 | 1000 | {bytes} | 100"),
                ],
            )
        };
        assert_eq!(
            run("7549747200"),
            ["low, high: queryid 2 on shop: update t set a = $1 writes >99.9% of the recorded WAL, 2 MB/s"]
        );
        assert_eq!(run("1048576"), ["passed: 2 statements; 1 MB of WAL recorded"]);
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_eq!(
            crate::advisor::testing::told_of_nothing(&RULE),
            "skipped, input missing: `pg_stat_statements` is not in the dump"
        );
    }
}
