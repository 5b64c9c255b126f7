//! A queue whose workers wait for each other's rows.

use crate::advisor::functions::names;
use crate::advisor::sql::{Block, Otherwise, Text as Sql, read_all};
use crate::advisor::statement::words;
use crate::advisor::workload::{GOOD_WINDOW, MIN_CALLS, MIN_WINDOW, Statement, Workload, is_nested};
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Threshold};
use crate::finding::{Effort, Severity};
use crate::text::{Text, counted};
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "sql-poll-lock",
    title: "Queue is polled with FOR UPDATE and without SKIP LOCKED",
    needs: &[Need::View("pg_stat_statements", &["queryid", "query", "calls", "total_exec_time"])],
    wants: &[Need::View("function_definitions", &["source"])],
    thresholds: &[
        MIN_WINDOW,
        GOOD_WINDOW,
        MIN_CALLS,
        Threshold {
            name: "min_statement_calls",
            default: 100.0,
            unit: Unit::Count,
            about: "Fewer calls are no workers that poll.",
        },
        Threshold {
            name: "medium_share",
            default: 0.05,
            unit: Unit::Share,
            about: "A twentieth of the execution time: the waiting is felt.",
        },
    ],
    docs: Docs {
        looks_at: "Statements, those inside of functions too, read with PostgreSQL's grammar: ORDER BY, LIMIT and FOR UPDATE (or FOR NO \
                   KEY UPDATE) in one query.",
        why: "All workers take the same first row: one gets it, the others wait until its transaction ends, and then read again. The \
              queue is worked on by one at a time.",
        decides: "A query that sorts its rows, takes some and locks them, called a hundred times, without SKIP LOCKED and without \
                  NOWAIT. Whether somebody waits is not in the text: low, medium where it takes a twentieth of the execution time.",
        what_to_do: "Add SKIP LOCKED: rows that another worker holds are left out, and each gets the next free one. NOWAIT is something \
                     else: it fails at once. lock_timeout limits the wait.",
        ignore_when: "There is one worker only, or the order must be kept strictly, so that waiting is meant.",
        references: "PostgreSQL manual, \"SELECT\" (The Locking Clause).",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let work = Workload::read(ctx)?;
    let mut all: Vec<Statement<'_>> = work.statements.clone();
    all.extend(Workload::nested(ctx));
    all.retain(|s| s.delta("calls") >= ctx.threshold("min_statement_calls") && s.text().is_some_and(may_lock));
    all.sort_by(|a, b| {
        b.delta("total_exec_time").total_cmp(&a.delta("total_exec_time")).then_with(|| a.id().cmp(&b.id()))
    });
    let texts: Vec<Sql<'_>> = all
        .iter()
        .filter_map(|s| Some(Sql { sql: s.text()?, nested: is_nested(s.row, &ctx.facts.functions) }))
        .collect();
    let read = read_all(&texts, &names(ctx.facts, texts.iter().map(|t| t.sql)));
    let mut findings = Vec::new();
    for (s, statement) in all.iter().zip(&read) {
        if !statement.as_ref().is_ok_and(|st| st.blocks.iter().any(waits)) {
            continue;
        }
        let share = work.time_share(s);
        let severity = if share >= ctx.threshold("medium_share") { Severity::Medium } else { Severity::Low };
        let owner = ctx.facts.functions.owner_of(s.row);
        let mut title = Text::new().code(s.headline()).t(" waits for rows that another worker has locked");
        if let Some(owner) = owner {
            title = title.t(", in ").name(owner.name.clone());
        }
        findings.push(
            ctx.finding(severity, work.subject(s), title)
                .why(
                    "It takes the first rows of an order and locks them: of workers that run it at once, one works and the others \
                     wait for its transaction to end.",
                )
                .doubts(work.doubts.iter().copied())
                .measure(ctx.measure("Calls", s.change, "calls"))
                .measure(ctx.measure("Time", s.change, "total_exec_time"))
                .measure(ctx.over_window(
                    "Share of the execution time",
                    Quantity::float(share, Unit::Share),
                    "its time ÷ the time of all statements that clients sent".to_owned(),
                    &[(s.row, &["total_exec_time"])],
                ))
                .fix(s.look_up(ctx.major()))
                .verify(
                    Text::new()
                        .t("The text has ")
                        .code("FOR UPDATE SKIP LOCKED")
                        .t("; its mean time under several workers falls."),
                )
                .effort(Effort::S)
                .share(Some(share)),
        );
    }
    Ok(Checked {
        findings,
        looked_at: format!("{} that lock the first rows", counted(read.len(), "statement", "statements")),
    })
}

/// A text worth parsing.
fn may_lock(text: &str) -> bool {
    let (mut locks, mut orders, mut takes) = (false, false, false);
    let mut last = String::new();
    for word in words(text) {
        locks |= word == "UPDATE" && matches!(last.as_str(), "FOR" | "KEY");
        orders |= word == "ORDER";
        takes |= matches!(word.as_str(), "LIMIT" | "FETCH");
        last = word;
    }
    locks && orders && takes
}

fn waits(block: &Block) -> bool {
    let exclusive = block.lock.is_some_and(|l| l.exclusive && l.otherwise == Otherwise::Wait);
    exclusive && block.ordered && block.limited && !block.extreme
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, statements_over_an_hour, told};
    use crate::snapshot::literal::literal;

    fn with(text: &str, calls: u32) -> Vec<String> {
        let rows = [format!("1 | {text} | {calls} | 3000"), "2 | select 1 | 5000 | 7000".to_owned()];
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        told(&judge(&RULE, &statements_over_an_hour("calls | total_exec_time", &rows), ""))
    }

    #[test]
    fn finds_workers_that_wait_for_each_other() {
        for (text, want) in [
            ("select id from q where s = $1 order by id limit $2 for update", true),
            ("update q set s = $1 where id = (select id from q order by id for no key update limit $2)", true),
            ("select id from q order by id limit $1 for update skip locked", false),
            ("select id from q order by id limit $1 for update nowait", false),
            ("select id from q order by id limit $1 for share", false),
            ("select id from q where id = $1 for update", false),
            ("select id from q where id in (select id from r order by id limit $1) for update", false),
        ] {
            let told = with(text, 2_000);
            assert_eq!(told[0].contains("waits for rows"), want, "{text}: {told:?}");
        }
        let few = with("select id from q order by id limit $1 for update", 50);
        assert_eq!(few, ["passed: 0 statements that lock the first rows"]);
    }

    #[test]
    fn a_share_of_the_time_makes_it_felt() {
        let text = "select id from q order by id limit $1 for update";
        assert_eq!(
            with(text, 2_000),
            [format!("medium, high: queryid 1 on shop: {text} waits for rows that another worker has locked")]
        );
    }

    #[test]
    fn says_that_it_cannot_know() {
        let b = literal("2026-11-22 12:00:00+00").build();
        assert_eq!(told(&judge(&RULE, &[b], "")), ["skipped, input missing: `pg_stat_statements` is not in the dump"]);
    }
}
