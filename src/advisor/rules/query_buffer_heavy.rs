//! A statement that touches very many buffers for each row it returns.

use crate::advisor::statement::{Family, condenses};
use crate::advisor::workload::{GOOD_WINDOW, MIN_CALLS, MIN_WINDOW, Statement, Workload, part};
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Threshold, show_counted};
use crate::finding::{Confidence, Effort, Finding, Severity};
use crate::text::{Text, counted};
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "query-buffer-heavy",
    title: "Statement touches many buffers for each row",
    needs: &[Need::View(
        "pg_stat_statements",
        &["queryid", "query", "calls", "rows", "shared_blks_hit", "shared_blks_read"],
    )],
    wants: &[],
    thresholds: &[
        MIN_WINDOW,
        GOOD_WINDOW,
        MIN_CALLS,
        Threshold {
            name: "min_buffers_per_row",
            default: 1_000.0,
            unit: Unit::Blocks,
            about: "8 MB of pages for one row: an index finds a row in 3 to 5 pages.",
        },
        Threshold { name: "min_share", default: 0.1, unit: Unit::Share, about: "A tenth of all buffers touched." },
    ],
    docs: Docs {
        looks_at: "Buffers that a statement touched (found or read) against the rows it returned or changed.",
        why: "Pages that are looked through without giving a row cost processor time even when they are all in memory.",
        decides: "A thousand buffers per row and a tenth of all buffers. Sums, counts and statements that write return few \
                  rows by their nature: they are listed as low. What a statement is, is read from its words, not from a \
                  parsed plan: confidence is medium at most.",
        what_to_do: "Look at the plan for rows removed by a filter; an index on the filtered columns is the usual cure.",
        ignore_when: "The statement condenses many rows into few and has to see them all.",
        references: "PostgreSQL manual, \"pg_stat_statements\"; \"Using EXPLAIN\".",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let work = Workload::read(ctx)?;
    let touched = |s: &Statement<'_>| s.delta("shared_blks_hit") + s.delta("shared_blks_read");
    let total: f64 = work.statements.iter().map(touched).sum();
    let mut findings = Vec::new();
    for (s, buffers) in work.by(|s| touched(s)) {
        if part(buffers, total) < ctx.threshold("min_share") {
            break;
        }
        let per_row = buffers / s.delta("rows").max(1.0);
        if per_row >= ctx.threshold("min_buffers_per_row") && !s.is_upkeep() {
            findings.push(finding(ctx, &work, s, (buffers, total, per_row)));
        }
    }
    Ok(Checked {
        findings,
        looked_at: format!(
            "{}; {} buffers touched",
            counted(work.statements.len(), "statement", "statements"),
            show_counted(total, Unit::Count, work.is_exact())
        ),
    })
}

fn finding<'a>(ctx: &Context<'a>, work: &Workload<'a>, s: &Statement<'a>, buffers: (f64, f64, f64)) -> Finding {
    let (buffers, total, per_row) = buffers;
    let plain = s.family == Family::Query && s.text().is_some_and(|t| !condenses(t));
    let share = Quantity::share(buffers, total);
    // A sum over all calls is no number for a row that never came.
    let none = s.delta("rows") == 0.0;
    let per_call = buffers / s.delta("calls").max(1.0);
    let mut why = Text::new()
        .t("It touched ")
        .opt(Quantity::float(buffers, Unit::Count))
        .t(" buffers, ")
        .opt(share)
        .t(" of all, for ")
        .opt(Quantity::float(s.delta("rows"), Unit::Rows))
        .t(" rows.");
    if !plain {
        why = why.t(" It condenses rows or writes, or its text is hidden: few rows may be right.");
    }
    ctx.finding(
        if plain { Severity::Medium } else { Severity::Low },
        work.subject(s),
        Text::new()
            .code(s.headline())
            .t(" touches ")
            .opt(Quantity::float(if none { per_call } else { per_row }, Unit::Count))
            .t(if none { " buffers a call and found no row" } else { " buffers for each row" }),
    )
    .why(work.shared(why))
    .doubts(work.doubts.iter().copied().chain([ctx.class_doubt(s.change)]))
    .at_most(Confidence::Medium)
    .measure(ctx.measure("Shared blocks found", s.change, "shared_blks_hit"))
    .measure(ctx.measure("Shared blocks read", s.change, "shared_blks_read"))
    .measure(ctx.sum("Shared blocks touched", s.change, &["shared_blks_hit", "shared_blks_read"], Unit::Count))
    .measure(ctx.measure("Rows", s.change, "rows"))
    .measure(if none {
        ctx.quotient(
            "Buffers per call",
            (buffers, Unit::Count),
            (s.delta("calls").max(1.0), Unit::Count),
            Unit::Count,
            &[(s.row, &["shared_blks_hit", "shared_blks_read", "calls"])],
        )
    } else {
        ctx.quotient(
            "Buffers per row",
            (buffers, Unit::Count),
            (s.delta("rows"), Unit::Count),
            Unit::Count,
            &[(s.row, &["shared_blks_hit", "shared_blks_read", "rows"])],
        )
    })
    .measure(ctx.quotient(
        "Share of all buffers",
        (buffers, Unit::Count),
        (total, Unit::Count),
        Unit::Share,
        &[(s.row, &["shared_blks_hit", "shared_blks_read"])],
    ))
    .fix(s.look_up(ctx.major()))
    .verify(if none { "Buffers per call fall in the next window." } else { "Buffers per row fall in the next window." })
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
    fn a_plain_query_is_worse_than_an_aggregate() {
        const HEADER: &str = "calls | total_exec_time | rows | shared_blks_hit | shared_blks_read";
        assert_eq!(
            over(
                "11:00",
                HEADER,
                &["10 | 5 | 1 | t | select a | 0 | 0 | 0 | 0 | 0"],
                &[
                    "10 | 5 | 1 | t | select a from t where b = $1 | 5000 | 1000 | 5000 | 9000000 | 1000000",
                    "10 | 5 | 2 | t | select count(*) from t | 1000 | 1000 | 1000 | 5000000 | 0",
                    "10 | 5 | 3 | t | select a from t where id = $1 | 900000 | 1000 | 900000 | 3600000 | 0",
                ]
            ),
            [
                "medium, medium: queryid 1 on shop: select a from t where b = $1 touches 2,000 buffers for each row",
                "low, medium: queryid 2 on shop: select count(*) from t touches 5,000 buffers for each row",
            ]
        );
    }

    /// The sum over all calls would be no number for a row: none came.
    #[test]
    fn without_a_row_it_counts_by_call() {
        let lines = over(
            "11:00",
            "calls | total_exec_time | rows | shared_blks_hit | shared_blks_read",
            &["10 | 5 | 1 | t | select a | 0 | 0 | 0 | 0 | 0"],
            &["10 | 5 | 1 | t | select a from t where b = $1 | 5000 | 1000 | 0 | 9000000 | 1000000"],
        );
        let text = "queryid 1 on shop: select a from t where b = $1 touches 2,000 buffers a call and found no row";
        assert_eq!(lines, [format!("medium, medium: {text}")]);
    }

    #[test]
    fn stays_quiet_about_few_buffers_a_row() {
        const HEADER: &str = "calls | total_exec_time | rows | shared_blks_hit | shared_blks_read";
        let lines = over(
            "11:00",
            HEADER,
            &["10 | 5 | 1 | t | select a | 0 | 0 | 0 | 0 | 0"],
            &["10 | 5 | 3 | t | select a from t where id = $1 | 900000 | 1000 | 900000 | 3600000 | 0"],
        );
        assert!(lines[0].starts_with("passed"), "{lines:?}");
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_eq!(
            crate::advisor::testing::told_of_nothing(&RULE),
            "skipped, input missing: `pg_stat_statements` is not in the dump"
        );
    }
}
