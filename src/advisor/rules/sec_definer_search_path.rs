//! SECURITY DEFINER functions whose search path the caller chooses.

use crate::advisor::functions::sql_signature;
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, is_system_schema};
use crate::finding::{Effort, Fix, Risk, Severity, Subject, SubjectKind, Verb};
use crate::ident::{quote_ident, visible};
use crate::text::Text;
use std::collections::BTreeSet;

/// The rule.
pub const RULE: Rule = Rule {
    id: "sec-definer-search-path",
    title: "SECURITY DEFINER function without a fixed search_path",
    needs: &[Need::View("function_definitions", &["funcid", "funcname", "prosecdef", "proconfig"])],
    wants: &[Need::View("extension_members", &["classid", "objid"])],
    thresholds: &[],
    docs: Docs {
        looks_at: "Functions that run with their owner's rights, and whether they set their own search_path.",
        why: "The caller's search_path decides which tables, functions and operators such a function finds: a caller can put \
              his own before them and have them run with the owner's rights.",
        decides: "Each without search_path among its settings; high where the owner is a superuser. Functions of extensions are \
                  left out where membership was exported.",
        what_to_do: "Fix the search_path to the schemas it needs, with pg_temp last.",
        ignore_when: "Only trusted roles may call it, or every name in it is qualified, operators too.",
        references: "PostgreSQL manual, \"CREATE FUNCTION\", \"Writing SECURITY DEFINER Functions Safely\".",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let state = ctx.state_or_skip("function_definitions")?;
    let members: BTreeSet<i64> = ctx
        .state("extension_members")
        .map(|s| {
            s.table.iter().filter(|r| r.text("classid") == Some("pg_proc")).filter_map(|r| r.int("objid")).collect()
        })
        .unwrap_or_default();
    let mut findings = Vec::new();
    let mut definers = 0;
    for row in state.table.iter().filter(|r| r.bool("prosecdef") == Some(true)) {
        let (Some(schema), Some(name)) = (row.text("schemaname"), row.text("funcname")) else { continue };
        let foreign = row.int("funcid").is_some_and(|id| members.contains(&id));
        if is_system_schema(schema) || foreign {
            continue;
        }
        definers += 1;
        if row.array("proconfig").iter().any(|c| c.starts_with("search_path=")) {
            continue;
        }
        let args = row.text("identity_args").unwrap_or_default();
        let shown = format!("{}({})", crate::ident::display_qualified(schema, name), visible(args));
        let is_super = row.bool("owner_super") == Some(true);
        let mut finding = ctx
            .finding(
                if is_super { Severity::High } else { Severity::Medium },
                Subject::new(SubjectKind::Function, shown.clone()),
                Text::new()
                    .name(shown.clone())
                    .t(" runs with its owner's rights and the caller's ")
                    .code("search_path"),
            )
            .why(if is_super {
                "Whoever may call it and create a function or table can have it run with a superuser's rights."
            } else {
                "Whoever may call it and create a function or table can have it run with the owner's rights."
            })
            .doubts([state.doubt()])
            .measure(ctx.read("OID of the function", row, "funcid"))
            .verify("proconfig has search_path in the next snapshot.")
            .effort(Effort::S);
        let kind = if row.text("kind") == Some("p") { "PROCEDURE" } else { "FUNCTION" };
        finding = finding.fix(if let Some(function) = sql_signature(row) {
            Fix::new(
                Verb::Alter,
                Risk::R1,
                shown,
                format!("ALTER {kind} {function} SET search_path = pg_catalog, {}, pg_temp;", quote_ident(schema)),
            )
            .lock("none that others wait for")
            .when_not("It uses objects of further schemas without naming them: add those before pg_temp. No schema in which everybody may \
                 create objects belongs in it: revoke that first.")
            .undo(format!("ALTER {kind} {function} RESET search_path;"))
        } else {
            Fix::diagnose(
                shown,
                "SELECT oid::regprocedure, proconfig FROM pg_proc WHERE prosecdef AND proconfig IS NULL;",
            )
        });
        findings.push(finding);
    }
    Ok(Checked { findings, looked_at: format!("{definers} SECURITY DEFINER functions") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::literal;

    #[test]
    fn finds_those_without_a_path_and_believes_no_stranger_types() {
        let b = literal("2026-11-22 12:00:00+00")
            .view(
                "function_definitions",
                "funcid | schemaname | funcname | identity_args | kind | owner_super | prosecdef | proconfig",
                &[
                    "1 | app | open | integer, text[] | f | f | t |",
                    "2 | app | fixed | | f | f | t | {search_path=app,work_mem=4MB}",
                    "3 | app | plain | | f | f | f |",
                    "4 | app | hostile | int); drop table t; -- | f | t | t |",
                    "5 | public | of_extension | | f | t | t |",
                ],
            )
            .view("extension_members", "extname | classid | objid", &["x | pg_proc | 5"])
            .build();
        let outcome = judge(&RULE, &[b], "");
        assert_eq!(
            told(&outcome),
            [
                "high, high: app.hostile(int); drop table t; --): app.hostile(int); drop table t; --) runs with its owner's rights and the caller's search_path",
                "medium, high: app.open(integer, text[]): app.open(integer, text[]) runs with its owner's rights and the caller's search_path",
            ]
        );
        let crate::finding::Outcome::Found { findings, .. } = outcome else { panic!() };
        assert_eq!(
            findings[1].fixes[0].sql,
            "ALTER FUNCTION \"app\".\"open\"(integer, text[]) SET search_path = pg_catalog, \"app\", pg_temp;"
        );
        assert!(!findings[0].fixes[0].sql.contains("drop"), "{}", findings[0].fixes[0].sql);
    }

    #[test]
    fn stays_quiet_about_fixed_paths() {
        let b = literal("2026-11-22 12:00:00+00").view(
            "function_definitions",
            "funcid | schemaname | funcname | identity_args | kind | owner_super | prosecdef | proconfig",
            &["2 | app | fixed | | f | f | t | {search_path=app}", "3 | app | plain | | f | f | f |"],
        );
        assert!(told(&judge(&RULE, &[b.build()], ""))[0].starts_with("passed"));
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_eq!(
            crate::advisor::testing::told_of_nothing(&RULE),
            "skipped, input missing: `function_definitions` is not in the dump"
        );
    }
}
