//! Everybody may create objects in `public`.

use crate::advisor::{Check, Checked, Context, Docs, Need, Rule};
use crate::finding::{Effort, Fix, Risk, Severity, Subject, SubjectKind, Verb};
use crate::ident::quote_ident;
use crate::text::{Text, counted};

/// The rule.
pub const RULE: Rule = Rule {
    id: "sec-public-create",
    title: "Everybody may create objects in a schema",
    needs: &[Need::View("schemas", &["nspname", "public_create"])],
    wants: &[],
    thresholds: &[],
    docs: Docs {
        looks_at: "Schemas in which the pseudo-role PUBLIC may create objects.",
        why: "`public` is in everybody's search_path: any role can put a function or table there that others use unknowingly.",
        decides: "The right is there. It was the default for `public` up to 14, and databases brought over from then keep it.",
        what_to_do: "Revoke it; grant CREATE to the roles that deploy.",
        ignore_when: "One role alone uses the database.",
        references: "PostgreSQL manual, \"Schemas\", \"Usage Patterns\".",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let state = ctx.state_or_skip("schemas")?;
    let open: Vec<_> = state.table.iter().filter(|r| r.bool("public_create") == Some(true)).collect();
    let mut findings = Vec::new();
    for row in open {
        let Some(name) = row.text("nspname").filter(|n| !n.starts_with("pg_")) else { continue };
        let sql = |verb: &str, to: &str| format!("{verb} CREATE ON SCHEMA {} {to} PUBLIC;", quote_ident(name));
        findings.push(
            ctx.finding(
                Severity::Medium,
                Subject::new(SubjectKind::Database, format!("schema {}", crate::ident::visible(name))),
                Text::new().t("Everybody may create objects in schema ").name(name),
            )
            .why("Any role can put a function or table there that others use unknowingly.")
            .doubts([state.doubt()])
            .measure(ctx.read("Schema", row, "oid"))
            .fix(
                Fix::new(Verb::Alter, Risk::R1, format!("schema {name}"), sql("REVOKE", "FROM"))
                    .lock("none that others wait for")
                    .when_not(
                        "An application creates its tables there with a role that gets the right from PUBLIC alone.",
                    )
                    .undo(sql("GRANT", "TO")),
            )
            .verify("public_create is false for the schema in the next snapshot.")
            .effort(Effort::S),
        );
    }
    Ok(Checked {
        findings,
        looked_at: format!("{}, none open to everybody", counted(state.table.rows, "schema", "schemas")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::literal;

    #[test]
    fn finds_open_schemas() {
        let b = literal("2026-11-22 12:00:00+00")
            .view("schemas", "oid | nspname | public_create", &["1 | public | t", "2 | app | f"])
            .build();
        assert_eq!(
            told(&judge(&RULE, &[b], "")),
            ["medium, high: schema public: Everybody may create objects in schema public"]
        );
    }

    #[test]
    fn stays_quiet_about_closed_ones() {
        let b = literal("2026-11-22 12:00:00+00").view(
            "schemas",
            "oid | nspname | public_create",
            &["1 | public | f", "2 | app | f"],
        );
        assert!(told(&judge(&RULE, &[b.build()], ""))[0].starts_with("passed"));
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_eq!(
            crate::advisor::testing::told_of_nothing(&RULE),
            "skipped, input missing: `schemas` is not in the dump"
        );
    }
}
