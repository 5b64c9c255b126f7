//! Client sessions that write out dirty pages themselves.

use crate::advisor::span::Span;
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Skip, Threshold, ratio, show};
use crate::diff::Change;
use crate::finding::{Effort, Fix, Severity, Subject, SubjectKind};
use crate::text::Text;
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "io-backend-writes",
    title: "Sessions write out dirty pages themselves",
    needs: &[Need::View("pg_stat_io", &["backend_type", "object", "context", "writes"])],
    wants: &[Need::Setting("shared_buffers"), Need::Setting("bgwriter_lru_maxpages")],
    thresholds: &[
        Threshold { name: "min_window_s", default: 600.0, unit: Unit::Seconds, about: "Less is one moment." },
        Threshold { name: "good_window_s", default: 3_600.0, unit: Unit::Seconds, about: "One bulk load is no habit." },
        Threshold { name: "min_share", default: 0.3, unit: Unit::Share, about: "Three tenths of all pages written." },
        Threshold {
            name: "min_bytes_per_s",
            default: 1_048_576.0,
            unit: Unit::BytesPerSecond,
            about: "Less nobody feels.",
        },
    ],
    docs: Docs {
        looks_at: "Bytes of relations that client backends wrote in context `normal`, against all bytes of relations written (16 and \
                   later, where bulk loads, vacuum and extension of relations are counted apart).",
        why: "A session that needs a buffer and finds only changed ones has to write one out first: a query waits for a write.",
        decides: "Three tenths of all such writes and 1 MB/s. Up to 15 `buffers_backend` counts extension and bulk writes with them, \
                  so nothing is said.",
        what_to_do: "A background writer that does more (bgwriter_lru_maxpages, bgwriter_delay), more shared_buffers, or fewer \
                     pages touched.",
        ignore_when: "Storage takes the writes and latency does not matter.",
        references: "PostgreSQL manual, \"pg_stat_io\"; \"Background Writer\".",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let window = ctx.window_of("min_window_s")?;
    let block = ctx.chain.last().meta.block_bytes() as f64;
    let (mut total, mut own): (f64, Option<(Change<'_>, f64)>) = (0.0, None);
    for change in ctx.changes_or_skip("pg_stat_io")?.present() {
        let Some(row) = change.last() else { continue };
        if row.text("object") != Some("relation") {
            continue;
        }
        let size = row.f64("op_bytes").unwrap_or(block);
        let bytes = change.delta("write_bytes").or_else(|| Some(change.delta("writes")? * size)).unwrap_or(0.0);
        total += bytes;
        if row.text("backend_type") == Some("client backend") && row.text("context") == Some("normal") {
            own = Some((change, bytes));
        }
    }
    let (change, bytes) = own.ok_or_else(|| Skip("no row of client backends is in the dump".to_owned()))?;
    let span = Span::of(change, window);
    let rate = bytes / span.seconds;
    let (share, formula) = ratio((bytes, Unit::Bytes), (total, Unit::Bytes), Unit::Share);
    let reached = share.map_or(0.0, Quantity::as_f64);
    let looked_at = format!(
        "{} of relations written, {} of it by client sessions",
        show(total, Unit::Bytes),
        show(reached, Unit::Share)
    );
    if reached < ctx.threshold("min_share") || rate < ctx.threshold("min_bytes_per_s") {
        return Ok(Checked { findings: Vec::new(), looked_at });
    }
    let title = Text::new()
        .t("Client sessions write ")
        .opt(share)
        .t(" of all dirty pages themselves, ")
        .opt(Quantity::float(rate, Unit::BytesPerSecond));
    let mut finding = ctx
        .finding(Severity::Low, Subject::new(SubjectKind::Server, "writes"), title)
        .why("A query that needs a buffer waits until a changed page is written out.")
        .doubts([ctx.single_doubt(), ctx.short_doubt("good_window_s"), ctx.class_doubt(change)])
        .measure(ctx.measure("Writes of client sessions", change, "writes"))
        .measure(ctx.measure("Their time, with track_io_timing", change, "write_time"));
    if change.last().is_some() {
        let written = (bytes, Unit::Bytes);
        finding = finding
            .measure(ctx.over_window("Share of all writes", share, formula, &ctx.ends(change, &["writes"])))
            .measure(span.rate(ctx, "Written by client sessions", change, written, Unit::BytesPerSecond, &["writes"]));
    }
    finding = finding
        .fix(Fix::diagnose(
            "writes",
            "SELECT name, setting, unit FROM pg_settings\nWHERE name IN ('shared_buffers', 'bgwriter_delay', \
             'bgwriter_lru_maxpages', 'bgwriter_lru_multiplier');",
        ))
        .verify("The share falls in the next window at the same work.")
        .effort(Effort::M)
        .share(share.map(Quantity::as_f64));
    Ok(Checked { findings: vec![finding], looked_at })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::literal;

    /// Blocks written in an hour by clients, in bulk by clients, by the checkpointer.
    fn over_an_hour(normal: &str, bulk: &str, checkpointer: &str) -> Vec<String> {
        let taken = |at: &str, written: [&str; 3]| {
            let row = |kind: &str, n: &str| format!("{kind} | {n} | 8192 | 2026-11-01 00:00:00+00");
            literal(at)
                .version(16)
                .view(
                    "pg_stat_io",
                    "backend_type | object | context | writes | op_bytes | stats_reset",
                    &[
                        &row("client backend | relation | normal", written[0]),
                        &row("client backend | relation | bulkwrite", written[1]),
                        &row("client backend | temp relation | normal", "99999999"),
                        &row("checkpointer | relation | normal", written[2]),
                    ],
                )
                .build()
        };
        let (a, b) = (["0", "0", "0"], [normal, bulk, checkpointer]);
        told(&judge(&RULE, &[taken("2026-11-22 10:00:00+00", a), taken("2026-11-22 11:00:00+00", b)], ""))
    }

    #[test]
    fn evictions_by_sessions_are_told_bulk_writes_are_not() {
        assert_eq!(
            over_an_hour("1000000", "0", "1000000"),
            ["low, high: writes: Client sessions write 50% of all dirty pages themselves, 2.17 MB/s"]
        );
        assert_eq!(
            over_an_hour("1000", "1000000", "1000000"),
            ["passed: 15.3 GB of relations written, <0.1% of it by client sessions"]
        );
        assert_eq!(
            over_an_hour("1000", "0", "0"),
            ["passed: 7.81 MB of relations written, 100% of it by client sessions"]
        );
    }

    #[test]
    fn older_servers_do_not_tell_it_apart() {
        let b = literal("2026-11-22 12:00:00+00").version(15).build();
        assert_eq!(told(&judge(&RULE, &[b], "")), ["skipped: PostgreSQL 15 does not have `pg_stat_io`"]);
    }
}
