//! A function that is declared VOLATILE, shows no reason for it, and stands in a condition.

use crate::advisor::functions::{Function, Read, looks_pure, names, read_bodies, sql_signature};
use crate::advisor::sql::{Block, Operand, Text as Sql, Wrapper, read_all};
use crate::advisor::statement::words;
use crate::advisor::workload::Statement;
use crate::advisor::workload::Workload;
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Skip, Threshold};
use crate::finding::{Confidence, Effort, Fix, Risk, Severity, Subject, SubjectKind, Verb};
use crate::ident::{quote_ident, quote_literal};
use crate::text::{Text, counted};
use crate::unit::{Quantity, Unit};
use std::collections::{BTreeMap, BTreeSet};

/// The rule.
pub const RULE: Rule = Rule {
    id: "func-volatile-default",
    title: "Function left VOLATILE stands in a condition",
    needs: &[
        Need::View("function_definitions", &["funcid", "provolatile", "source"]),
        Need::View("pg_stat_statements", &["queryid", "query", "calls", "total_exec_time"]),
    ],
    wants: &[],
    thresholds: &[
        crate::advisor::workload::MIN_WINDOW,
        crate::advisor::workload::GOOD_WINDOW,
        crate::advisor::workload::MIN_CALLS,
        Threshold {
            name: "min_share",
            default: 0.01,
            unit: Unit::Share,
            about: "Statements with less of the execution time are not worth a decision.",
        },
    ],
    docs: Docs {
        looks_at: "Functions in SQL and PL/pgSQL that are VOLATILE, which is the default, and the conditions of statements that call them.",
        why: "A volatile function is called again for each row, even where its arguments are the same for all of them, and an \
              index is never searched by its result.",
        decides: "Its body writes nothing, locks nothing, builds no statement, and calls nothing volatile that is known; a statement \
                  with a hundredth of the execution time calls it in WHERE or ON. That it is pure is not proven by that: information, \
                  and never surer than medium.",
        what_to_do: "Let its owner decide: STABLE where it gives the same result for the same arguments within one statement: it is \
                     evaluated once for an index search where its arguments do not come from the row. Where they do, STABLE gains \
                     nothing there: IMMUTABLE, only where it gives the same for ever and reads no table and no setting, and an \
                     index on the expression.",
        ignore_when: "Its result is meant to change from row to row.",
        references: "PostgreSQL manual, \"Function Volatility Categories\".",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let work = Workload::read(ctx)?;
    let functions = &ctx.facts.functions;
    if functions.all.is_empty() {
        return Err(Skip("no function of the database has its body in the dump".to_owned()));
    }
    let volatile: BTreeSet<&str> = functions
        .definitions
        .into_iter()
        .flat_map(|s| s.table.iter())
        .filter(|r| r.text("provolatile") == Some("v"))
        .filter_map(|r| r.text("funcname"))
        .collect();
    let wanted = |f: &&Function<'_>| {
        f.row.text("provolatile") == Some("v") && f.row.text("kind").is_none_or(|k| k == "f") && f.body.is_some()
    };
    let candidates: Vec<&Function<'_>> = functions.all.iter().filter(wanted).collect();
    let bodies = read_bodies(ctx.facts, &candidates);
    let pure: Vec<(&Function<'_>, bool)> = candidates
        .iter()
        .zip(&bodies)
        .filter(|(f, read)| {
            let source = f.row.text("sql_body").filter(|b| !b.is_empty()).or_else(|| f.row.text("source"));
            let others = |name: &str| name != f.name() && volatile.contains(name);
            source.is_some_and(|source| looks_pure(f, read, source, &others))
        })
        .map(|(f, read)| (*f, reads_tables(read)))
        .collect();
    let used = used_in_conditions(ctx, &work, &pure);
    let mut checked = Checked::default();
    for (function, reads) in &pure {
        let Some(statements) = used.get(function.name()) else { continue };
        // What reads a table cannot be IMMUTABLE, and STABLE spares none of the calls with a column of the row.
        if *reads && statements.iter().any(|u| u.of_column) {
            continue;
        }
        checked.findings.push(finding(ctx, &work, function, statements));
    }
    checked.looked_at = format!(
        "{}, {} without a reason to be",
        counted(candidates.len(), "volatile function", "volatile functions"),
        pure.len()
    );
    Ok(checked)
}

/// Whether a body reads anything but its arguments.
fn reads_tables(body: &Read) -> bool {
    body.iter().flatten().any(|s| s.blocks.iter().any(|b| !b.relations.is_empty()))
}

/// A statement that calls a function in a condition.
#[derive(Clone, Copy)]
struct User<'w, 'a> {
    statement: &'w Statement<'a>,
    /// Its share of the execution time.
    share: f64,
    /// Whether it is seen that a column is the argument; `false` is not certain.
    of_column: bool,
}

/// Whether a condition of the block compares what the function makes of a column.
fn calls_on_column(block: &Block, name: &str) -> bool {
    block.wrapped.iter().any(|w| matches!(&w.by, Wrapper::Call(by) if by == name))
        || block.terms.iter().any(|t| matches!(&t.operand, Operand::Call(by, _) if *by == name))
}

/// The statements, those with the most time first, by the functions that their conditions call.
fn used_in_conditions<'w, 'a>(
    ctx: &Context<'a>,
    work: &'w Workload<'a>,
    pure: &[(&Function<'_>, bool)],
) -> BTreeMap<String, Vec<User<'w, 'a>>> {
    let wanted: BTreeSet<String> = pure.iter().map(|(f, _)| f.name().to_owned()).collect();
    let upper: BTreeSet<String> = wanted.iter().map(|n| n.to_uppercase()).collect();
    let heavy: Vec<(&Statement<'_>, f64)> = work
        .by(|s| work.time_share(s))
        .into_iter()
        .take_while(|(_, share)| *share >= ctx.threshold("min_share"))
        .filter(|(s, _)| s.text().is_some_and(|t| words(t).any(|w| upper.contains(&w))))
        .collect();
    let texts: Vec<Sql<'_>> =
        heavy.iter().filter_map(|(s, _)| Some(Sql { sql: s.text()?, nested: false, path: &[] })).collect();
    let read = read_all(&texts, &names(ctx.facts, texts.iter().map(|t| t.sql)));
    let mut used: BTreeMap<String, Vec<User<'_, '_>>> = BTreeMap::new();
    for ((of, share), statement) in heavy.iter().zip(&read) {
        let Ok(statement) = statement else { continue };
        let called: BTreeSet<&String> = statement.blocks.iter().flat_map(|b| &b.called).collect();
        for name in called.into_iter().filter(|n| wanted.contains(*n)) {
            let of_column = statement.blocks.iter().any(|b| calls_on_column(b, name));
            used.entry(name.clone()).or_default().push(User { statement: of, share: *share, of_column });
        }
    }
    used
}

fn finding<'a>(
    ctx: &Context<'a>,
    work: &Workload<'a>,
    function: &Function<'a>,
    users: &[User<'_, 'a>],
) -> crate::finding::Finding {
    let shown = function.signature();
    let title = Text::new()
        .name(shown.clone())
        .t(" is volatile, shows no reason for it, and stands in the conditions of ")
        .many(Quantity::count(users.len()), "statement", "statements");
    let of_column = users.iter().any(|u| u.of_column);
    let mut finding = ctx
        .finding(Severity::Info, Subject::new(SubjectKind::Function, shown.clone()), title)
        .why(if of_column {
            "It is called for each row that the condition is tested on, with a column of the row: STABLE does not change that; \
             only an index on the expression spares the calls, and that needs IMMUTABLE."
        } else {
            "It is called for each row that the condition is tested on. STABLE is evaluated once for an index search where its \
             arguments do not come from the row; where they do, only IMMUTABLE and an index on the expression spare the calls."
        })
        .doubts(work.doubts.iter().copied())
        .at_most(Confidence::Medium)
        .measure(ctx.read("Volatility", function.row, "provolatile"))
        .verify(if of_column {
            "provolatile is i in the next snapshot, and EXPLAIN of the statements names the index on the expression."
        } else {
            "provolatile is s or i in the next snapshot; where its arguments do not come from the row, EXPLAIN of the statements \
             shows it in an Index Cond."
        })
        .effort(Effort::S);
    for User { statement: s, share, .. } in users.iter().take(3) {
        finding = finding.measure(ctx.over_window(
            &format!("Share of the execution time: {}", s.headline()),
            Quantity::float(*share, Unit::Share),
            format!(
                "its time ÷ the time of all statements that clients sent; {} with it in a condition",
                counted(users.len(), "statement", "statements")
            ),
            &[(s.row, &["query", "total_exec_time"])],
        ));
    }
    match sql_signature(function.row) {
        Some(sql) if of_column => finding.fix(immutable(function, shown, &sql)),
        Some(sql) => finding.fix(
            Fix::new(Verb::Alter, Risk::R1, shown, format!("ALTER FUNCTION {sql} STABLE;"))
                .lock("none that others wait for")
                .when_not(
                    "It gives different results for the same arguments within one statement, or has effects that its text does not show: \
                     its owner decides.",
                )
                .undo(format!("ALTER FUNCTION {sql} VOLATILE;")),
        ),
        None => finding,
    }
}

/// The body to decide by, and what is then done: a function that is IMMUTABLE by mistake makes an index lie, so it is
/// commented out.
fn immutable(function: &Function<'_>, shown: String, sql: &str) -> Fix {
    let text = |column| function.row.text(column).unwrap_or_default();
    let look = format!(
        "SELECT oid::regprocedure, provolatile, pg_get_functiondef(oid) FROM pg_proc\n\
         WHERE pronamespace = {}::regnamespace AND proname = {};",
        quote_literal(&quote_ident(text("schemaname"))),
        quote_literal(function.name())
    );
    let then = format!(
        "-- if its owner confirms that the result depends on the arguments alone, on no table and no setting:\n\
         -- ALTER FUNCTION {sql} IMMUTABLE;\n\
         -- CREATE INDEX CONCURRENTLY ON <table> (<the call as the statements write it>);"
    );
    Fix::new(Verb::Alter, Risk::R1, shown, format!("{look}\n{then}"))
        .lock("none that others wait for; CREATE INDEX CONCURRENTLY waits for older transactions")
        .when_not("Its body reads a table or a setting, or calls what does: an index on it would give wrong results.")
        .undo(format!("-- after the index is dropped\nALTER FUNCTION {sql} VOLATILE;"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{advise, judge, told};
    use crate::snapshot::Snapshot;
    use crate::snapshot::literal::literal;
    use std::sync::Arc;

    const NORM: &str = "1 | app | norm | p text | f | plpgsql | v | begin return lower(p); end";

    fn taken(at: &str, calls: u32, body: &str, text: &str) -> Arc<Snapshot> {
        let row = |id: u32, text: &str, ms: u32| format!("10 | 5 | t | {id} | {text} | {calls} | {}", ms * calls);
        literal(at)
            .view("pg_stat_database", "datid | datname", &["5 | shop"])
            .view(
                "function_definitions",
                "funcid | schemaname | funcname | identity_args | kind | language | provolatile | source",
                &[body],
            )
            .view(
                "pg_stat_statements",
                "userid | dbid | toplevel | queryid | query | calls | total_exec_time",
                &[&row(1, text, 1), &row(2, "select 1", 9)],
            )
            .build()
    }

    fn over(body: &str, text: &str) -> [Arc<Snapshot>; 2] {
        [taken("2026-11-22 10:00:00+00", 0, body, text), taken("2026-11-22 11:00:00+00", 2_000, body, text)]
    }

    fn found(body: &str, text: &str) -> bool {
        told(&judge(&RULE, &over(body, text), ""))[0].starts_with("info, medium: app.norm(p text)")
    }

    #[test]
    fn finds_it_in_a_condition() {
        assert!(found(NORM, "select a from t where app.norm(b) = $1"));
        assert!(found(NORM, "select a from t join u on norm(t.b) = u.b"));
    }

    /// Tried on PostgreSQL 15: of a column STABLE gains nothing, and an index on the expression is refused.
    #[test]
    fn of_a_column_stable_is_no_cure() {
        let told = |text: &str| {
            let advice = advise(&[&RULE], &over(NORM, text), "");
            let finding = advice.findings()[0].clone();
            (finding.fixes[0].sql.clone(), finding.why.plain())
        };
        let (sql, why) = told("select a from t where norm(b) = $1");
        assert!(sql.contains("\n-- ALTER FUNCTION \"app\".\"norm\"(p text) IMMUTABLE;"), "{sql}");
        assert!(!sql.contains("STABLE") && why.contains("STABLE does not change that"), "{sql} {why}");
        let (sql, why) = told("select a from t where b = norm($1)");
        assert_eq!(sql, "ALTER FUNCTION \"app\".\"norm\"(p text) STABLE;");
        assert!(why.contains("where its arguments do not come from the row"), "{why}");
    }

    #[test]
    fn what_reads_a_table_is_not_made_immutable() {
        let reads = "1 | app | norm | p text | f | sql | v | select max(a) from u where b = p";
        assert!(!found(reads, "select a from t where norm(b) = $1"), "STABLE does not help it");
        assert!(found(reads, "select a from t where b = norm($1)"));
    }

    #[test]
    fn stays_quiet_where_there_is_a_reason_or_no_use() {
        assert!(!found(NORM, "select norm(b) from t where a = $1"));
        assert!(!found(&NORM.replace("lower(p)", "random()"), "select a from t where norm(b) = $1"));
        assert!(!found(&NORM.replace("| v |", "| s |"), "select a from t where norm(b) = $1"));
        assert!(!found(&NORM.replace("| f | plpgsql", "| p | plpgsql"), "select a from t where norm(b) = $1"));
    }

    #[test]
    fn says_that_it_cannot_know() {
        let without = over("1 | app | norm | p text | f | c | v |", "select 1");
        assert!(told(&judge(&RULE, &without, ""))[0].starts_with("passed: 0 volatile functions"));
        let b = literal("2026-11-22 12:00:00+00").build();
        assert_eq!(
            told(&judge(&RULE, &[b], "")),
            ["skipped, input missing: `function_definitions` is not in the dump"]
        );
    }
}
