//! `NOT IN` with a query.

use crate::advisor::shapes::{MEDIUM_SHARE, MIN_STATEMENT_CALLS, Shapes};
use crate::advisor::workload::{GOOD_WINDOW, MIN_CALLS, MIN_WINDOW};
use crate::advisor::{Check, Context, Docs, Need, Rule};
use crate::text::Text;

/// The rule.
pub const RULE: Rule = Rule {
    id: "sql-not-in-subquery",
    title: "NOT IN with a subquery",
    needs: &[Need::View("pg_stat_statements", &["queryid", "query", "calls", "total_exec_time"])],
    wants: &[Need::View("function_definitions", &["source"])],
    thresholds: &[MIN_WINDOW, GOOD_WINDOW, MIN_CALLS, MIN_STATEMENT_CALLS, MEDIUM_SHARE],
    docs: Docs {
        looks_at: "Statements, those inside of functions too, read with PostgreSQL's grammar: NOT IN (SELECT …).",
        why: "Up to 18 PostgreSQL does not join such a query: it keeps its whole result in memory, and where that does not fit into \
              work_mem, reads it again for each row. And one NULL in it makes the condition true for no row at all.",
        decides: "Such a condition in a statement called a hundred times. Whether its result fits is not in the text: low, medium where \
                  the statement takes a twentieth of the execution time.",
        what_to_do: "NOT EXISTS with the same comparison, which PostgreSQL joins. It treats NULL differently, as is nearly always meant.",
        ignore_when: "The subquery returns a handful of rows, none of them NULL.",
        references: "PostgreSQL manual, \"Subquery Expressions\" (NOT IN).",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let shapes = Shapes::read(ctx, |text| {
        let text = text.to_ascii_lowercase();
        text.contains("not") && text.contains("select")
    })?;
    let mut findings = Vec::new();
    for (s, _) in shapes.understood().filter(|(_, read)| read.blocks.iter().any(|b| b.not_in > 0)) {
        let said = Text::new().t("asks for what is ").code("NOT IN").t(" a subquery");
        findings.push(
            shapes
                .found(ctx, s, shapes.severity(ctx, s), said)
                .why(
                    "PostgreSQL cannot join it: the subquery's result is kept in memory, or read again for each row where it does not \
                     fit. One NULL in it, and no row is found.",
                )
                .verify(Text::new().t("The text has ").code("NOT EXISTS").t("; its mean time falls.")),
        );
    }
    Ok(shapes.checked(findings, "with NOT and a second SELECT"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, statements_over_an_hour, told};

    fn with(text: &str, calls: u32) -> Vec<String> {
        let rows = [format!("1 | {text} | {calls} | 9000"), "2 | select 1 | 5000 | 91000".to_owned()];
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        told(&judge(&RULE, &statements_over_an_hour("calls | total_exec_time", &rows), ""))
    }

    #[test]
    fn finds_it_however_it_is_spelled() {
        for text in [
            "select * from t where a not in (select b from u)",
            "select * from t where not (a in (select b from u where c = $1))",
            "delete from t where x = $1 and (a, b) not in (select b, c from u)",
        ] {
            let want = format!("medium, high: queryid 1 on shop: {text} asks for what is NOT IN a subquery");
            assert_eq!(with(text, 500), [want]);
        }
    }

    #[test]
    fn stays_quiet_where_it_is_a_list_or_can_be_joined_or_nobody_pays() {
        for (text, calls) in [
            ("select * from t where a not in ($1, $2) and b = (select $3)", 500),
            ("select * from t where not exists (select $1 from u where u.b = t.a)", 500),
            ("select * from t where a in (select b from u) and not c", 500),
            ("select * from t where a not in (select b from u)", 50),
        ] {
            assert!(with(text, calls)[0].starts_with("passed"), "{text}");
        }
    }

    #[test]
    fn says_that_it_cannot_know() {
        let nothing = crate::advisor::testing::told_of_nothing(&RULE);
        assert_eq!(nothing, "skipped, input missing: `pg_stat_statements` is not in the dump");
    }
}
