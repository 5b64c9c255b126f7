//! A table that most reads from outside shared buffers are of.

use crate::advisor::span::Span;
use crate::advisor::workload::part;
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Threshold, show, show_counted};
use crate::diff::{Change, ViewChange};
use crate::finding::{Effort, Fix, Severity, Subject, SubjectKind};
use crate::ident::quote_literal;
use crate::text::Text;
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "cache-table-cold",
    title: "One table causes most of the reads",
    needs: &[Need::View("pg_statio_user_tables", &["relname", "heap_blks_read", "heap_blks_hit"])],
    wants: &[],
    thresholds: &[
        Threshold {
            name: "min_window_s",
            default: 600.0,
            unit: Unit::Seconds,
            about: "Below ten minutes a share shows one moment.",
        },
        Threshold {
            name: "good_window_s",
            default: 3_600.0,
            unit: Unit::Seconds,
            about: "Below an hour a single job can dominate.",
        },
        Threshold {
            name: "min_share",
            default: 0.5,
            unit: Unit::Share,
            about: "Half of the reads: there is one place to look.",
        },
        Threshold {
            name: "min_bytes_per_s",
            default: 5_242_880.0,
            unit: Unit::BytesPerSecond,
            about: "Less is nothing to storage.",
        },
    ],
    docs: Docs {
        looks_at: "Heap blocks that were not in shared buffers, table by table (pg_statio_user_tables).",
        why: "Where half of the reads are of one table, its statements are the place to begin, before anybody buys memory.",
        decides: "Half of all heap blocks read and 5 MB/s of them. What was read may have come from the operating system's cache: it is \
                  no proof of slow storage.",
        what_to_do: "Look at the statements on the table: an index so that fewer blocks are needed, fewer rows asked for, old rows \
                     archived.",
        ignore_when: "It is the table that the application is about, and reports read it at night.",
        references: "PostgreSQL manual, \"pg_statio_all_tables\".",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let window = ctx.window_of("min_window_s")?;
    let block = ctx.chain.last().meta.block_bytes() as f64;
    let all = || ctx.changes("pg_statio_user_tables").into_iter().flat_map(ViewChange::present);
    let read = |c: &Change<'_>| c.delta("heap_blks_read").unwrap_or(0.0);
    let total: f64 = all().map(|c| read(&c)).sum();
    let exact = all().all(Change::is_exact);
    let looked_at = format!("{} of heap blocks read", show_counted(total * block, Unit::Bytes, exact));
    let Some(change) = all().max_by(|a, b| read(a).total_cmp(&read(b))) else {
        return Ok(Checked { findings: Vec::new(), looked_at });
    };
    let rate = change.rate("heap_blks_read").unwrap_or(0.0) * block;
    let span = Span::of(change, window);
    let share = part(read(&change), total);
    let Some(row) =
        change.last().filter(|_| share >= ctx.threshold("min_share") && rate >= ctx.threshold("min_bytes_per_s"))
    else {
        return Ok(Checked { findings: Vec::new(), looked_at });
    };
    let name = row.text("relname").unwrap_or_default();
    let subject = Subject::qualified(SubjectKind::Table, row.text("schemaname").unwrap_or_default(), name);
    let pattern = format!("%{}%", name.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_"));
    let look = format!(
        "SELECT queryid, calls, shared_blks_read, query FROM pg_stat_statements WHERE query ILIKE {}\nORDER BY shared_blks_read DESC LIMIT 20;",
        quote_literal(&pattern)
    );
    let share_of = Quantity::float(share, Unit::Share);
    let finding = ctx
        .finding(
            Severity::Low,
            subject.clone(),
            Text::new().opt(share_of).t(" of the heap blocks read are of this table"),
        )
        .why(
            Text::new()
                .opt(Quantity::float(rate, Unit::BytesPerSecond))
                .t(" of it were not in shared buffers; the operating system's cache may have served part of them."),
        )
        .doubts([ctx.single_doubt(), ctx.short_doubt("good_window_s"), ctx.class_doubt(change)])
        .measure(ctx.measure("Heap blocks read", change, "heap_blks_read"))
        .measure(ctx.measure("Heap blocks found", change, "heap_blks_hit"))
        .measure(ctx.quotient(
            "Share of all heap blocks read",
            (read(&change), Unit::Blocks),
            (total, Unit::Blocks),
            Unit::Share,
            &ctx.ends(change, &["heap_blks_read"]),
        ))
        .measure(
            ctx.over_window(
                "Read into shared buffers",
                Quantity::float(rate, Unit::BytesPerSecond),
                format!(
                    "{} × {} ÷ {}",
                    show(read(&change), Unit::Blocks),
                    show(block, Unit::Bytes),
                    show(span.seconds, Unit::Seconds)
                ),
                &ctx.ends(change, &["heap_blks_read"]),
            )
            .bounded(span.whole),
        )
        .fix(Fix::diagnose(subject.name, look))
        .verify("Its heap blocks read per second fall in the next window.")
        .effort(Effort::M)
        .share(Some(share));
    Ok(Checked { findings: vec![finding], looked_at })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::literal;

    fn read(first: u32, second: u32) -> Vec<String> {
        let taken = |at: &str, a: u32, b: u32| {
            let rows = [
                format!("1 | app | big | {a} | 1"),
                format!("2 | app | other | {b} | 1"),
                format!("3 | app | third | {} | 1", b / 2),
            ];
            literal(at)
                .view(
                    "pg_statio_user_tables",
                    "relid | schemaname | relname | heap_blks_read | heap_blks_hit",
                    &rows.iter().map(String::as_str).collect::<Vec<_>>(),
                )
                .build()
        };
        told(&judge(
            &RULE,
            &[taken("2026-11-22 10:00:00+00", 0, 0), taken("2026-11-22 11:00:00+00", first, second)],
            "",
        ))
    }

    #[test]
    fn finds_the_table_that_most_reads_are_of() {
        assert_eq!(read(9_000_000, 1_000_000), ["low, high: app.big: 85.7% of the heap blocks read are of this table"]);
    }

    #[test]
    fn stays_quiet_below_each_floor() {
        assert!(read(0, 0)[0].starts_with("passed"));
        assert!(read(9_000_000, 6_100_000)[0].starts_with("passed"), "less than half");
        assert!(read(9_000_000, 5_900_000)[0].starts_with("low"), "a little more than half");
        assert!(read(2_400_000, 1_000)[0].starts_with("low"));
        assert!(read(2_200_000, 1_000)[0].starts_with("passed"), "4.8 MB/s");
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_eq!(
            crate::advisor::testing::told_of_nothing(&RULE),
            "skipped, input missing: `pg_statio_user_tables` is not in the dump"
        );
    }
}
