//! A statement that writes most of the WAL.

use crate::advisor::workload::{GOOD_WINDOW, MIN_CALLS, MIN_WINDOW, Statement, Workload, part};
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Threshold, show};
use crate::finding::{Effort, Severity};
use crate::text::Text;
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
        let rate = bytes / s.change.covered_s().unwrap_or(work.window_s);
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
        findings.push(
            ctx.finding(
                severity,
                work.subject(s),
                Text::new()
                    .code(s.headline())
                    .t(" writes ")
                    .opt(share)
                    .t(" of the recorded WAL, ")
                    .opt(Quantity::float(rate, Unit::BytesPerSecond)),
            )
            .why(
                Text::new()
                    .t("Every byte is also archived and sent to the standbys. At most ")
                    .opt(Quantity::share(images, bytes))
                    .t(" of it are whole page images that follow a checkpoint."),
            )
            .doubts(work.doubts.iter().copied().chain([ctx.class_doubt(s.change)]))
            .measure(ctx.measure("WAL bytes", s.change, "wal_bytes"))
            .measure(ctx.measure("Page images", s.change, "wal_fpi"))
            .measure(ctx.measure("Calls", s.change, "calls"))
            .measure(ctx.over_window(
                "Share of the recorded WAL",
                share,
                format!("{} ÷ {}", show(bytes, Unit::Bytes), show(total, Unit::Bytes)),
                &[(s.row, &["wal_bytes"])],
            ))
            .fix(s.look_up(ctx.major()))
            .verify("WAL bytes per call fall in the next window.")
            .effort(Effort::M)
            .share(share.map(Quantity::as_f64)),
        );
    }
    Ok(Checked {
        findings,
        looked_at: format!("{} statements; {} of WAL recorded", work.statements.len(), show(total, Unit::Bytes)),
    })
}
