//! Patterns that begin with a wildcard.

use crate::advisor::plans::{Explained, check_each, rows, share};
use crate::advisor::{Check, Context, Docs, Need, Rule, Threshold};
use crate::finding::{Effort, Finding, Severity};
use crate::text::Text;
use crate::unit::Unit;

/// The rule.
pub const RULE: Rule = Rule {
    id: "sql-leading-wildcard",
    title: "LIKE pattern begins with a wildcard",
    needs: &[Need::Plans],
    wants: &[Need::View("index_definitions", &["indexdef"])],
    thresholds: &[
        Threshold {
            name: "min_removed",
            default: 10_000.0,
            unit: Unit::Rows,
            about: "Fewer rows thrown away cost next to nothing.",
        },
        Threshold { name: "min_share", default: 0.1, unit: Unit::Share, about: "A tenth of the execution." },
        Threshold {
            name: "medium_share",
            default: 0.5,
            unit: Unit::Share,
            about: "Half of the execution waits for it.",
        },
    ],
    docs: Docs {
        looks_at: "Filters of plans that were executed: LIKE and ILIKE with a pattern that begins with % or _. Statistics hold patterns as \
                   parameters: they do not tell.",
        why: "A B-tree is in the order of the first letters: without them every row is read and compared.",
        decides: "Ten thousand rows thrown away by such a filter and a tenth of the execution. Medium where it is half of the execution, \
                  else low. The pattern itself is somebody's data and is not shown.",
        what_to_do: "An index of trigrams (extension pg_trgm, USING gin (column gin_trgm_ops)) finds parts of three letters and more; full \
                     text search where words are meant; an index on reverse(column) where the pattern only ends firmly.",
        ignore_when: "The table is small, or the search is rare.",
        references: "PostgreSQL manual, \"pg_trgm\" (Index Support); \"Operator Classes\".",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    check_each(ctx, worst)
}

/// Whether a condition as EXPLAIN prints it has `~~ '%…'`, `~~* '_…'`; not where it is negated.
fn begins_with_wildcard(condition: &str) -> bool {
    let mut rest = condition;
    let mut before = String::new();
    while let Some(at) = rest.find('\'') {
        let (head, tail) = rest.split_at(at);
        before.push_str(head);
        let word = before.trim_end();
        let likes = (word.ends_with("~~") || word.ends_with("~~*")) && !word.trim_end_matches('*').ends_with("!~~");
        let inside = &tail[1..];
        if likes && inside.starts_with(['%', '_']) {
            return true;
        }
        // Behind the literal; a doubled quote in it begins another one, of no operator.
        let Some(end) = inside.find('\'') else { return false };
        before.clear();
        rest = &inside[end + 1..];
    }
    false
}

fn worst<'a>(ctx: &Context<'a>, of: &Explained<'a>) -> Option<Finding> {
    let (at, part) = of.largest(|at, node| {
        let removed = node.removed_by_filter * node.loops();
        let filtered = node.condition("Filter").is_some_and(begins_with_wildcard);
        (filtered && removed >= ctx.threshold("min_removed")).then(|| of.own_share(at)).flatten()
    })?;
    if part < ctx.threshold("min_share") {
        return None;
    }
    let node = of.node(at)?;
    let removed = node.removed_by_filter * node.loops();
    let severity = if part >= ctx.threshold("medium_share") { Severity::Medium } else { Severity::Low };
    Some(
        ctx.plan_finding(of, severity, of.at(at).t(" searches for a pattern that begins with a wildcard"))
            .why(
                Text::new()
                    .t("It throws ")
                    .opt(rows(removed))
                    .t(" rows away, in ")
                    .opt(share(Some(part)))
                    .t(" of the execution. No B-tree finds a part of a text; an index of trigrams does."),
            )
            .measure(ctx.removed_by_filter(of, rows(removed)))
            .measure(ctx.share_of_execution(of, part))
            .fixes(ctx.look_at_indexes(node))
            .effort(Effort::M)
            .share(Some(part)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{assert_needs_measurements, judge_plan, told};

    #[test]
    fn sees_the_beginning_of_patterns() {
        for (condition, want) in [
            ("(name ~~ '%son'::text)", true),
            ("((name)::text ~~* '_x%'::text)", true),
            ("((a = 'x'::text) AND (name ~~ '%son'::text))", true),
            ("(name ~~ 'son%'::text)", false),
            ("(name !~~ '%son'::text)", false),
            ("(name !~~* '%son'::text)", false),
            ("(name = '%son'::text)", false),
            ("(name = 'a ~~ ''%b'::text)", false),
            ("(name ~~ $1)", false),
            ("(name ~~ '", false),
        ] {
            assert_eq!(begins_with_wildcard(condition), want, "{condition}");
        }
    }

    #[test]
    fn finds_what_is_read_for_it_and_shows_no_pattern() {
        let plan = |filter: &str, removed: u32, own: &str| {
            let text = format!(
                "Seq Scan on t  (cost=0.00..1.00 rows=1 width=4) (actual time=0.010..{own} rows=3 loops=1)\n  Filter: {filter}\n  Rows Removed by Filter: {removed}\nExecution Time: 10.000 ms"
            );
            judge_plan(&RULE, &text)
        };
        let found = plan("(name ~~ '%secret%'::text)", 90_000, "9.000");
        assert_eq!(
            told(&found),
            ["medium, medium: queryid 7: Seq Scan on t searches for a pattern that begins with a wildcard"]
        );
        assert!(!format!("{found:?}").contains("secret"));
        for (filter, removed, own) in [
            ("(name ~~ 'a%'::text)", 90_000, "9.000"),
            ("(name ~~ '%a'::text)", 900, "9.000"),
            ("(name ~~ '%a'::text)", 90_000, "0.500"),
        ] {
            assert_eq!(told(&plan(filter, removed, own)), ["passed: 1 plan with measurements"], "{filter}");
        }
        assert!(told(&plan("(name ~~ '%a'::text)", 90_000, "2.000"))[0].starts_with("low"));
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_needs_measurements(&RULE);
    }
}
