//! A queue whose workers wait for each other's rows.

use crate::advisor::shapes::{MEDIUM_SHARE, MIN_STATEMENT_CALLS, Shapes};
use crate::advisor::sql::{Block, Otherwise};
use crate::advisor::statement::words;
use crate::advisor::workload::{GOOD_WINDOW, MIN_CALLS, MIN_WINDOW};
use crate::advisor::{Check, Context, Docs, Need, Rule};
use crate::text::Text;

/// The rule.
pub const RULE: Rule = Rule {
    id: "sql-poll-lock",
    title: "Queue is polled with FOR UPDATE and without SKIP LOCKED",
    needs: &[Need::View("pg_stat_statements", &["queryid", "query", "calls", "total_exec_time"])],
    wants: &[Need::View("function_definitions", &["source"])],
    thresholds: &[MIN_WINDOW, GOOD_WINDOW, MIN_CALLS, MIN_STATEMENT_CALLS, MEDIUM_SHARE],
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
    let shapes = Shapes::read(ctx, may_lock)?;
    let mut findings = Vec::new();
    for (s, _) in shapes.understood().filter(|(_, read)| read.blocks.iter().any(waits)) {
        let said = Text::new().t("waits for rows that another worker has locked");
        findings.push(
            shapes
                .found(ctx, s, shapes.severity(ctx, s), said)
                .why(
                    "It takes the first rows of an order and locks them: of workers that run it at once, one works and the others \
                     wait for its transaction to end.",
                )
                .verify(
                    Text::new()
                        .t("The text has ")
                        .code("FOR UPDATE SKIP LOCKED")
                        .t("; its mean time under several workers falls."),
                ),
        );
    }
    Ok(shapes.checked(findings, "that lock the first rows"))
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
