//! Whole tables changed again and again.

use crate::advisor::shapes::{MEDIUM_SHARE, MIN_STATEMENT_CALLS, Shapes};
use crate::advisor::sql::{Kind, Role};
use crate::advisor::statement::Family;
use crate::advisor::workload::{GOOD_WINDOW, MIN_CALLS, MIN_WINDOW};
use crate::advisor::{Check, Context, Docs, Need, Rule, Threshold, ratio};
use crate::text::Text;
use crate::unit::Unit;

/// The rule.
pub const RULE: Rule = Rule {
    id: "sql-unbounded-write",
    title: "UPDATE or DELETE without WHERE, again and again",
    needs: &[Need::View("pg_stat_statements", &["queryid", "query", "calls", "rows", "total_exec_time"])],
    wants: &[Need::View("function_definitions", &["source"])],
    thresholds: &[
        MIN_WINDOW,
        GOOD_WINDOW,
        MIN_CALLS,
        Threshold { default: 10.0, about: "Once is a repair, ten times a habit.", ..MIN_STATEMENT_CALLS },
        MEDIUM_SHARE,
        Threshold {
            name: "min_rows_per_call",
            default: 1_000.0,
            unit: Unit::Rows,
            about: "A table of a few rows is changed as a whole by design.",
        },
    ],
    docs: Docs {
        looks_at: "Statements, those inside of functions too, read with PostgreSQL's grammar: UPDATE and DELETE without WHERE, and the \
                   rows they changed.",
        why: "Every row is written anew or marked dead each time: as many dead rows, index entries and WAL as the table has rows, and \
              locks on all of them.",
        decides: "No WHERE, ten calls and a thousand rows each: low, medium where it takes a twentieth of the execution time.",
        what_to_do: "UPDATE only what differs (WHERE col IS DISTINCT FROM value). TRUNCATE in place of DELETE where nobody else uses the \
                     table meanwhile: it takes an ACCESS EXCLUSIVE lock.",
        ignore_when: "A staging table is emptied, and autovacuum keeps up.",
        references: "PostgreSQL manual, \"Routine Vacuuming\"; \"TRUNCATE\".",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let shapes = Shapes::read(ctx, |text| crate::advisor::statement::family(text) == Family::Write)?;
    let mut findings = Vec::new();
    for (s, read) in shapes.understood() {
        let Some(block) = read.blocks.iter().find(|b| b.role == Role::Top) else { continue };
        let calls = s.delta("calls").max(1.0);
        let rows = s.delta("rows") / calls;
        let word = match block.kind {
            Kind::Update => "updates",
            Kind::Delete => "deletes",
            Kind::Select | Kind::Merge => continue,
        };
        // With more than one relation, a condition of the join may choose the rows.
        if block.filtered || block.relations.len() != 1 || rows < ctx.threshold("min_rows_per_call") {
            continue;
        }
        let (each, formula) = ratio((s.delta("rows"), Unit::Rows), (calls, Unit::Count), Unit::Rows);
        let said = Text::new().t(word).t(" all rows, ").opt(each).t(" a call");
        findings.push(
            shapes
                .found(ctx, s, shapes.severity(ctx, s), said)
                .why("It has no WHERE: each call leaves as many dead rows as the table has, and WAL for every one of them.")
                .measure(ctx.measure("Rows", s.change, "rows"))
                .measure(ctx.over_window("Rows per call", each, formula, &[(s.row, &["rows", "calls"])]))
                .verify("Rows per call fall, and n_dead_tup of the table rises more slowly."),
        );
    }
    Ok(shapes.checked(findings, "that write"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, statements_over_an_hour, told};

    fn with(text: &str, calls: u32, rows: u32) -> Vec<String> {
        let rows = [format!("1 | {text} | {calls} | {rows} | 9000"), "2 | select 1 | 5000 | 5000 | 1000000".to_owned()];
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        told(&judge(&RULE, &statements_over_an_hour("calls | rows | total_exec_time", &rows), ""))
    }

    #[test]
    fn finds_whole_tables_changed() {
        for (text, word) in [("update t set seen = $1", "updates"), ("delete from t", "deletes")] {
            let want = format!("low, high: queryid 1 on shop: {text} {word} all rows, 5,000 a call");
            assert_eq!(with(text, 20, 100_000), [want]);
        }
    }

    #[test]
    fn stays_quiet_where_rows_are_chosen_or_few_or_it_is_rare() {
        for (text, calls, rows) in [
            ("update t set seen = $1 where id > $2", 20, 100_000),
            ("delete from t where current of c", 20, 100_000),
            ("update t set a = u.a from u", 20, 100_000),
            ("insert into t select * from u", 20, 100_000),
            ("with gone as (delete from t where a = $1 returning *) select * from gone", 20, 100_000),
            ("update t set seen = $1", 20, 60),
            ("update t set seen = $1", 9, 100_000),
        ] {
            assert!(with(text, calls, rows)[0].starts_with("passed"), "{text}");
        }
    }

    #[test]
    fn says_that_it_cannot_know() {
        let nothing = crate::advisor::testing::told_of_nothing(&RULE);
        assert_eq!(nothing, "skipped, input missing: `pg_stat_statements` is not in the dump");
    }
}
