//! Pages counted off from the beginning.

use crate::advisor::shapes::{MEDIUM_SHARE, MIN_STATEMENT_CALLS, Shapes};
use crate::advisor::sql::Role;
use crate::advisor::workload::{GOOD_WINDOW, MIN_CALLS, MIN_WINDOW};
use crate::advisor::{Check, Context, Docs, Need, Rule, Threshold, ratio};
use crate::text::Text;
use crate::unit::Unit;

/// The rule.
pub const RULE: Rule = Rule {
    id: "sql-offset-deep",
    title: "OFFSET in a slow statement",
    needs: &[Need::View("pg_stat_statements", &["queryid", "query", "calls", "total_exec_time"])],
    wants: &[Need::View("function_definitions", &["source"])],
    thresholds: &[
        MIN_WINDOW,
        GOOD_WINDOW,
        MIN_CALLS,
        MIN_STATEMENT_CALLS,
        MEDIUM_SHARE,
        Threshold {
            name: "min_mean_ms",
            default: 50.0,
            unit: Unit::Ms,
            about: "First pages are fast: a slow mean says that late ones are asked for, or that much is sorted.",
        },
    ],
    docs: Docs {
        looks_at: "Statements, those inside of functions too, read with PostgreSQL's grammar: OFFSET in the outermost query, and their \
                   mean time.",
        why: "Rows before the offset are found, sorted and thrown away: the time of a page grows with its number.",
        decides: "OFFSET, a hundred calls and a mean of 50 ms. How large the offsets were is not recorded: low, medium where the \
                  statement takes a twentieth of the execution time.",
        what_to_do: "Pages by key: WHERE (sort columns) > (those of the last row) ORDER BY … LIMIT, with an index on the sort columns.",
        ignore_when: "Nobody turns more than a few pages, and the time is in the conditions.",
        references: "PostgreSQL manual, \"LIMIT and OFFSET\".",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let shapes = Shapes::read(ctx, |text| text.to_ascii_lowercase().contains("offset"))?;
    let mut findings = Vec::new();
    let skips = |b: &crate::advisor::sql::Block| b.skips && b.role == Role::Top;
    for (s, _) in shapes.understood().filter(|(_, read)| read.blocks.iter().any(skips)) {
        let calls = s.delta("calls").max(1.0);
        let mean = s.delta("total_exec_time") / calls;
        if mean < ctx.threshold("min_mean_ms") {
            continue;
        }
        let (each, formula) = ratio((s.delta("total_exec_time"), Unit::Ms), (calls, Unit::Count), Unit::Ms);
        let said = Text::new().t("skips rows with ").code("OFFSET").t(", ").opt(each).t(" a call");
        findings.push(
            shapes
                .found(ctx, s, shapes.severity(ctx, s), said)
                .why("What lies before the offset is found and thrown away for each page. How large the offsets are, a plan or a log tells.")
                .measure(ctx.over_window("Mean time", each, formula, &[(s.row, &["total_exec_time", "calls"])]))
                .verify("Its mean time falls and no longer depends on the page."),
        );
    }
    Ok(shapes.checked(findings, "with OFFSET"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, statements_over_an_hour, told};

    fn with(text: &str, calls: u32, ms: u32) -> Vec<String> {
        let rows = [format!("1 | {text} | {calls} | {ms}"), "2 | select 1 | 5000 | 1000000".to_owned()];
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        told(&judge(&RULE, &statements_over_an_hour("calls | total_exec_time", &rows), ""))
    }

    #[test]
    fn finds_slow_pages() {
        let text = "select * from t order by a limit $1 offset $2";
        assert_eq!(
            with(text, 500, 40_000),
            [format!("low, high: queryid 1 on shop: {text} skips rows with OFFSET, 80.0 ms a call")]
        );
    }

    #[test]
    fn stays_quiet_below_each_floor() {
        for (text, calls, ms) in [
            ("select * from t order by a limit $1 offset $2", 500, 20_000),
            ("select * from t order by a limit $1 offset $2", 50, 40_000),
            ("select * from t order by a limit $1", 500, 40_000),
            ("select * from (select a from t offset $1) s where a = $2", 500, 40_000),
        ] {
            assert!(with(text, calls, ms)[0].starts_with("passed"), "{text}");
        }
    }

    #[test]
    fn says_that_it_cannot_know() {
        let nothing = crate::advisor::testing::told_of_nothing(&RULE);
        assert_eq!(nothing, "skipped, input missing: `pg_stat_statements` is not in the dump");
    }
}
