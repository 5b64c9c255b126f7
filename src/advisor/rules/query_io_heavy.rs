//! A statement that reads many blocks from outside shared buffers.

use crate::advisor::workload::{GOOD_WINDOW, MIN_CALLS, MIN_WINDOW, Statement, Workload, part};
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Skip, Threshold, ratio, show, show_counted};
use crate::finding::{Effort, Finding, Severity};
use crate::text::Text;
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "query-io-heavy",
    title: "Statement causes most reads from outside shared buffers",
    needs: &[Need::View("pg_stat_statements", &["queryid", "query", "calls", "shared_blks_read"])],
    wants: &[Need::View("pg_stat_statements", &["shared_blk_read_time"])],
    thresholds: &[
        MIN_WINDOW,
        GOOD_WINDOW,
        MIN_CALLS,
        Threshold { name: "min_share", default: 0.2, unit: Unit::Share, about: "A fifth of all blocks read." },
        Threshold {
            name: "min_bytes_per_s",
            default: 1_048_576.0,
            unit: Unit::BytesPerSecond,
            about: "Below this no storage notices.",
        },
        Threshold {
            name: "warm_up_s",
            default: 3_600.0,
            unit: Unit::Seconds,
            about: "After a start the cache is empty and everything is read once.",
        },
    ],
    docs: Docs {
        looks_at: "Shared and local blocks that each statement did not find in PostgreSQL's buffers.",
        why: "Reads cost the storage or at least a copy from the operating system's cache, and push other blocks out.",
        decides: "A fifth of all blocks read and at least 1 MB/s. A read may be served by the operating system's cache: the \
                  rule does not call it disk. Within an hour of the server's start nothing is said.",
        what_to_do: "An index or a better plan, so that fewer blocks are needed. More memory comes after that.",
        ignore_when: "Reports that have to read everything, at a time when they disturb nobody.",
        references: "PostgreSQL manual, \"pg_stat_statements\".",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let meta = &ctx.chain.last().meta;
    let up_s = meta.taken_at.zip(meta.postmaster_start).map(|(now, start)| now.seconds_since(start));
    if up_s.is_some_and(|s| s < ctx.threshold("warm_up_s")) {
        return Err(Skip("the server has started less than an hour ago: its cache is still being filled".to_owned()));
    }
    let work = Workload::read(ctx)?;
    let block = meta.block_bytes() as f64;
    let read = |s: &Statement<'_>| (s.delta("shared_blks_read") + s.delta("local_blks_read")) * block;
    let total: f64 = work.statements.iter().map(read).sum();
    let mut findings = Vec::new();
    for (s, bytes) in work.by(|s| read(s)) {
        if part(bytes, total) < ctx.threshold("min_share") {
            break;
        }
        if bytes / work.span(s).seconds >= ctx.threshold("min_bytes_per_s") {
            findings.push(finding(ctx, &work, s, (bytes, total)));
        }
    }
    Ok(Checked {
        findings,
        looked_at: format!(
            "{} statements; {} read into shared buffers",
            work.statements.len(),
            show_counted(total, Unit::Bytes, work.is_exact())
        ),
    })
}

fn finding<'a>(ctx: &Context<'a>, work: &Workload<'a>, s: &Statement<'a>, (bytes, total): (f64, f64)) -> Finding {
    let share = Quantity::share(bytes, total);
    let columns = ["shared_blks_read", "local_blks_read"];
    let read = (bytes, Unit::Bytes);
    let block = ctx.chain.last().meta.block_bytes() as f64;
    let in_bytes = format!("{} × {}", show(bytes / block, Unit::Blocks), show(block, Unit::Bytes));
    let rate = work.span(s).rate(ctx, "Bytes read per second", s.change, read, Unit::BytesPerSecond, &columns);
    let (read_ms, exec_ms) = (s.delta("shared_blk_read_time"), s.delta("total_exec_time"));
    let (waiting, of_time) = ratio((read_ms, Unit::Ms), (exec_ms, Unit::Ms), Unit::Share);
    let mut why = Text::new()
        .t("It read ")
        .opt(Quantity::float(bytes, Unit::Bytes))
        .t(" that were not in shared buffers, ")
        .opt(rate.window)
        .t(" on average. The operating system's cache may have served part of them");
    why = if read_ms > 0.0 {
        why.t("; waiting for them took ").opt(waiting).t(" of its execution time.")
    } else {
        why.t(": no read times are recorded.")
    };
    let severity = if s.is_upkeep() { Severity::Info } else { Severity::Medium };
    ctx.finding(
        severity,
        work.subject(s),
        Text::new().code(s.headline()).t(" causes ").opt(share).t(" of all blocks read"),
    )
    .why(work.shared(why))
    .doubts(work.doubts.iter().copied().chain([ctx.class_doubt(s.change)]))
    .measure(ctx.measure("Shared blocks read", s.change, "shared_blks_read"))
    .measure(ctx.measure("Shared blocks found", s.change, "shared_blks_hit"))
    .measure(ctx.measure("Calls", s.change, "calls"))
    .measure(
        ctx.over_window("Bytes read", Quantity::float(bytes, Unit::Bytes), in_bytes, &[(s.row, &columns)])
            .bounded(s.change.is_exact()),
    )
    .measure(ctx.quotient(
        "Share of all blocks read",
        (bytes, Unit::Bytes),
        (total, Unit::Bytes),
        Unit::Share,
        &[(s.row, &columns)],
    ))
    .measure(rate)
    .measures((read_ms > 0.0).then(|| {
        let rows: [(_, &[&str]); 1] = [(s.row, &["shared_blk_read_time", "total_exec_time"])];
        ctx.over_window("Share of waiting for reads", waiting, of_time, &rows)
    }))
    .fix(s.look_up(ctx.major()))
    .verify("Blocks read per call fall in the next window.")
    .effort(Effort::M)
    .share(share.map(Quantity::as_f64))
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
    fn finds_the_reader_of_most_blocks() {
        const HEADER: &str = "calls | total_exec_time | shared_blks_read | shared_blk_read_time";
        let run = |blocks: &str| {
            over(
                "11:00",
                HEADER,
                &["10 | 5 | 1 | t | select a | 0 | 0 | 0 | 0"],
                &[
                    "10 | 5 | 1 | t | select a | 5000 | 1000 | 100 | 0",
                    &format!("10 | 5 | 2 | t | select b | 10 | 1000 | {blocks} | 400"),
                ],
            )
        };
        assert_eq!(run("1000000"), ["medium, high: queryid 2 on shop: select b causes >99.9% of all blocks read"]);
        assert_eq!(run("10000"), ["passed: 2 statements; 78.9 MB read into shared buffers"]);
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_eq!(
            crate::advisor::testing::told_of_nothing(&RULE),
            "skipped, input missing: `pg_stat_statements` is not in the dump"
        );
    }
}
