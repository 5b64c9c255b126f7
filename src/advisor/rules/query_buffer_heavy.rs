//! A statement that touches very many buffers for each row it returns.

use crate::advisor::statement::{Family, condenses};
use crate::advisor::workload::{GOOD_WINDOW, MIN_CALLS, MIN_WINDOW, Statement, Workload, part};
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Threshold, show};
use crate::finding::{Confidence, Effort, Finding, Severity};
use crate::text::Text;
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
        looked_at: format!("{} statements; {} buffers touched", work.statements.len(), show(total, Unit::Count)),
    })
}

fn finding<'a>(ctx: &Context<'a>, work: &Workload<'a>, s: &Statement<'a>, buffers: (f64, f64, f64)) -> Finding {
    let (buffers, total, per_row) = buffers;
    let plain = s.family == Family::Query && s.text().is_some_and(|t| !condenses(t));
    let share = Quantity::share(buffers, total);
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
            .opt(Quantity::float(per_row, Unit::Count))
            .t(" buffers for each row"),
    )
    .why(why)
    .doubts(work.doubts.iter().copied().chain([ctx.class_doubt(s.change)]))
    .at_most(Confidence::Medium)
    .measure(ctx.measure("Shared blocks found", s.change, "shared_blks_hit"))
    .measure(ctx.measure("Shared blocks read", s.change, "shared_blks_read"))
    .measure(ctx.measure("Rows", s.change, "rows"))
    .measure(ctx.over_window(
        "Buffers per row",
        Quantity::float(per_row, Unit::Count),
        format!("{} ÷ {}", show(buffers, Unit::Count), show(s.delta("rows").max(1.0), Unit::Count)),
        &[(s.row, &["shared_blks_hit", "shared_blks_read", "rows"])],
    ))
    .fix(s.look_up(ctx.major()))
    .verify("Buffers per row fall in the next window.")
    .effort(Effort::M)
    .share(share.map(Quantity::as_f64))
}
