//! An index made useless by what stands around its column.

use crate::advisor::shapes::{MEDIUM_SHARE, MIN_STATEMENT_CALLS, Shapes, table_of};
use crate::advisor::sql::{Block, Operand, Test, Wrapped, Wrapper};
use crate::advisor::workload::{GOOD_WINDOW, MIN_CALLS, MIN_WINDOW};
use crate::advisor::{Check, Context, Docs, IndexFact, Need, Rule, TableFact, Threshold};
use crate::finding::Doubt;
use crate::text::Text;
use crate::unit::Unit;

/// The rule.
pub const RULE: Rule = Rule {
    id: "sql-function-on-column",
    title: "Function or cast around an indexed column",
    needs: &[
        Need::View("pg_stat_statements", &["queryid", "query", "calls", "total_exec_time"]),
        Need::View("index_definitions", &["indexdef"]),
    ],
    wants: &[Need::View("table_sizes", &["relation_size"]), Need::View("function_definitions", &["source"])],
    thresholds: &[
        MIN_WINDOW,
        GOOD_WINDOW,
        MIN_CALLS,
        MIN_STATEMENT_CALLS,
        MEDIUM_SHARE,
        Threshold {
            name: "min_heap_bytes",
            default: 10_485_760.0,
            unit: Unit::Bytes,
            about: "A smaller table is read whole as fast.",
        },
    ],
    docs: Docs {
        looks_at: "Statements, those inside of functions too, read with PostgreSQL's grammar: a column compared with a value, but inside \
                   of a function or a cast; and the indexes that begin with that column.",
        why: "An index on created_at knows nothing of date(created_at): it stands there, is written, and the statement cannot use it \
              for this condition.",
        decides: "A valid B-tree begins with the bare column, none has such an expression, no other condition of the query can use an \
                  index of the table, and the table has 10 MB. Casts to text are left out: of a varchar they change nothing. Low, medium \
                  where the statement takes a twentieth of the execution time.",
        what_to_do: "Put the column alone on its side: created_at >= day AND created_at < day + 1 in place of date(created_at) = day. \
                     Else an index on the expression, where it is immutable.",
        ignore_when: "The condition keeps most rows, so that no index would be used.",
        references: "PostgreSQL manual, \"Indexes on Expressions\".",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let shapes = Shapes::read(ctx, |text| text.contains('(') || text.contains("::"))?;
    let mut findings = Vec::new();
    for (s, read) in shapes.understood() {
        let found = read.blocks.iter().find_map(|b| spoiled(ctx, b));
        let Some((table, index, wrapped)) = found else { continue };
        let said = Text::new()
            .t("compares ")
            .code(spelled(&wrapped))
            .t(", which ")
            .name(index.display())
            .t(" on ")
            .name(table.display())
            .t(" does not know");
        findings.push(
            shapes
                .found(ctx, s, shapes.severity(ctx, s), said)
                .doubts([Some(Doubt::C9), ctx.facts.definitions.and_then(|d| d.doubt())])
                .why(
                    Text::new()
                        .t("The index begins with ")
                        .code(&wrapped.column)
                        .t(" itself; what stands around it in the condition keeps the planner from using it."),
                )
                .not("How many rows the condition keeps is not known: where most, no index is used anyway. EXPLAIN tells.")
                .verify("EXPLAIN of the statement names the index; its blocks per call fall."),
        );
    }
    Ok(shapes.checked(findings, "with a function or a cast"))
}

/// A condition of the block that an index would answer, did nothing stand around its column.
fn spoiled<'a>(ctx: &Context<'a>, block: &Block) -> Option<(&'a TableFact<'a>, &'a IndexFact<'a>, Wrapped)> {
    let calls = block.terms.iter().filter_map(|t| match (&t.operand, &t.test) {
        (Operand::Call(name, column), Test::Equal(_) | Test::OneOf(_) | Test::Range { .. }) => {
            Some(Wrapped { relation: t.relation, column: column.clone(), by: Wrapper::Call((*name).to_owned()) })
        }
        _ => None,
    });
    block.wrapped.iter().cloned().chain(calls).find_map(|wrapped| {
        let is_text = |kind: &str| kind.starts_with("text") || kind.contains("char");
        if matches!(&wrapped.by, Wrapper::Cast(kind) if is_text(kind)) {
            return None;
        }
        let table = table_of(ctx, block, wrapped.relation)?;
        if !table.heap_bytes().is_some_and(|b| b as f64 >= ctx.threshold("min_heap_bytes")) {
            return None;
        }
        let relid = table.relid()?;
        let indexes = || ctx.facts.indexes_of(relid).filter(|i| i.is_valid() != Some(false));
        let begins_with = |i: &IndexFact<'_>, column: &str| {
            i.def().is_some_and(|d| {
                d.method == "btree"
                    && d.keys.first().is_some_and(|k| !k.expression && k.text.trim_matches('"') == column)
            })
        };
        let of_expression = |i: &IndexFact<'_>| {
            i.def().is_some_and(|d| d.keys.iter().any(|k| k.expression && k.text.contains(wrapped.column.as_str())))
        };
        let otherwise = block
            .terms
            .iter()
            .filter(|t| t.relation == wrapped.relation)
            .any(|t| matches!(&t.operand, Operand::Column(c) if indexes().any(|i| begins_with(i, c))));
        let joined = block.edges.iter().any(|e| e.left.0 == wrapped.relation || e.right.0 == wrapped.relation);
        if otherwise || joined || indexes().any(of_expression) {
            return None;
        }
        let index = indexes().find(|i| begins_with(i, &wrapped.column))?;
        Some((table, index, wrapped))
    })
}

fn spelled(wrapped: &Wrapped) -> String {
    match &wrapped.by {
        Wrapper::Call(name) => format!("{name}({})", wrapped.column),
        Wrapper::Cast(kind) => format!("{}::{kind}", wrapped.column),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::Snapshot;
    use crate::snapshot::literal::literal;
    use std::sync::Arc;

    fn taken(at: &str, zero: bool, text: &str, bytes: u64, indexes: &[&str]) -> Arc<Snapshot> {
        let calls = if zero { "0 | 0" } else { "5000 | 9000" };
        let other = if zero { "0 | 0" } else { "5000 | 991000" };
        let defs: Vec<String> = indexes
            .iter()
            .enumerate()
            .map(|(i, keys)| {
                format!("{i}1 | 7 | public | t | i{i} | CREATE INDEX i{i} ON public.t USING {keys} | t | t")
            })
            .collect();
        literal(at)
            .view(
                "table_sizes",
                "relid | schemaname | relname | relkind | relation_size",
                &[&format!("7 | public | t | r | {bytes}")],
            )
            .view(
                "pg_stats",
                "schemaname | tablename | attname",
                &["public | t | at", "public | t | a", "public | t | email"],
            )
            .view(
                "index_definitions",
                "indexrelid | relid | schemaname | relname | indexrelname | indexdef | indisvalid | indisready",
                &defs.iter().map(String::as_str).collect::<Vec<_>>(),
            )
            .view(
                "pg_stat_statements",
                "userid | dbid | toplevel | queryid | query | calls | total_exec_time",
                &[&format!("10 | 5 | t | 1 | {text} | {calls}"), &format!("10 | 5 | t | 2 | select 1 | {other}")],
            )
            .build()
    }

    fn with(text: &str, bytes: u64, indexes: &[&str]) -> Vec<String> {
        let taken = |at, zero| taken(at, zero, text, bytes, indexes);
        told(&judge(&RULE, &[taken("2026-11-22 10:00:00+00", true), taken("2026-11-22 11:00:00+00", false)], ""))
    }

    const LARGE: u64 = 1 << 30;

    #[test]
    fn finds_an_index_that_a_function_or_a_cast_makes_useless() {
        for (condition, spelled, index) in [
            ("date(at) = $1", "date(at)", "btree (at)"),
            ("at::date = $1", "at::date", "btree (at, a)"),
            ("$1 < date_trunc($2, at)", "date_trunc(at)", "btree (at)"),
            ("lower(email) = $1", "lower(email)", "btree (email)"),
            ("upper(email::text) = upper($1)", "upper(email)", "btree (email)"),
            ("date_trunc($1, timezone($2, at)) = $3", "date_trunc(at)", "btree (at)"),
        ] {
            let text = format!("select a from t where {condition}");
            let want = format!(
                "low, medium: queryid 1 on database 5: {text} compares {spelled}, which public.i0 on public.t does not know"
            );
            assert_eq!(with(&text, LARGE, &[index]), [want], "{condition}");
        }
    }

    #[test]
    fn stays_quiet_where_an_index_serves_or_would_not() {
        for (condition, bytes, indexes) in [
            ("date(at) = $1", LARGE, &["btree (a)"][..]),
            ("date(at) = $1", LARGE, &["btree (at)", "btree (date(at))"]),
            ("date(at) = $1 and a = $2", LARGE, &["btree (at)", "btree (a)"]),
            ("date(at) = $1", 1 << 20, &["btree (at)"]),
            ("at = $1", LARGE, &["btree (at)"]),
            ("email::text = $1", LARGE, &["btree (email)"]),
            ("date(at) = $1", LARGE, &["brin (at)"]),
            ("date(at) = date(a)", LARGE, &["btree (at)"]),
        ] {
            let text = format!("select a from t where {condition}");
            assert!(with(&text, bytes, indexes)[0].starts_with("passed"), "{condition} {indexes:?}");
        }
    }

    #[test]
    fn says_that_it_cannot_know() {
        let nothing = crate::advisor::testing::told_of_nothing(&RULE);
        assert_eq!(nothing, "skipped, input missing: `pg_stat_statements` is not in the dump");
    }
}
