//! Rows drawn by sorting all of them.

use crate::advisor::shapes::{MEDIUM_SHARE, MIN_STATEMENT_CALLS, Shapes};
use crate::advisor::workload::{GOOD_WINDOW, MIN_CALLS, MIN_WINDOW};
use crate::advisor::{Check, Context, Docs, Need, Rule};
use crate::text::Text;

/// The rule.
pub const RULE: Rule = Rule {
    id: "sql-order-by-random",
    title: "All rows sorted by random()",
    needs: &[Need::View("pg_stat_statements", &["queryid", "query", "calls", "total_exec_time"])],
    wants: &[Need::View("function_definitions", &["source"])],
    thresholds: &[MIN_WINDOW, GOOD_WINDOW, MIN_CALLS, MIN_STATEMENT_CALLS, MEDIUM_SHARE],
    docs: Docs {
        looks_at: "Statements, those inside of functions too, read with PostgreSQL's grammar: ORDER BY random() with LIMIT.",
        why: "Every row that the conditions leave is read, gets a random number and is sorted, to return a few.",
        decides: "A query that sorts by random() and takes some rows, called a hundred times. How many rows it sorts is not in the \
                  text: low, medium where it takes a twentieth of the execution time.",
        what_to_do: "Draw keys in the application and look them up; TABLESAMPLE for a rough sample of a large table; a column with a \
                     random number and an index on it where rows are drawn all the time.",
        ignore_when: "The conditions leave few rows.",
        references: "PostgreSQL manual, \"SELECT\" (TABLESAMPLE).",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let shapes = Shapes::read(ctx, |text| text.to_ascii_lowercase().contains("random"))?;
    let mut findings = Vec::new();
    for (s, _) in shapes.understood().filter(|(_, read)| read.blocks.iter().any(|b| b.shuffled && b.limited)) {
        let said = Text::new().t("sorts by ").code("random()").t(" to take a few rows");
        findings.push(
            shapes
                .found(ctx, s, shapes.severity(ctx, s), said)
                .why("Every row that its conditions leave is read and sorted for each call, and almost all are thrown away.")
                .verify("The text no longer sorts by random(); its blocks per call fall."),
        );
    }
    Ok(shapes.checked(findings, "that name random()"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, statements_over_an_hour, told};

    fn with(text: &str, calls: u32) -> Vec<String> {
        let rows = [format!("1 | {text} | {calls} | 3000"), "2 | select 1 | 5000 | 97000".to_owned()];
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        told(&judge(&RULE, &statements_over_an_hour("calls | total_exec_time", &rows), ""))
    }

    #[test]
    fn finds_rows_drawn_by_a_sort() {
        let text = "select * from t where a = $1 order by random() limit $2";
        assert_eq!(
            with(text, 500),
            [format!("low, high: queryid 1 on shop: {text} sorts by random() to take a few rows")]
        );
    }

    #[test]
    fn stays_quiet_where_the_order_is_another_or_nobody_pays() {
        for (text, calls) in [
            ("select random() from t order by a limit $1", 500),
            ("select * from t where a < random() limit $1", 500),
            ("select * from t order by random()", 500),
            ("select * from t order by random() limit $1", 50),
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
