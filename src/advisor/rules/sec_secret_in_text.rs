//! Secrets in the texts of an export.

use crate::advisor::secret::{Secret, find};
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Skip};
use crate::finding::{Effort, Fix, Measure, Risk, Severity, Subject, SubjectKind, Verb};
use crate::snapshot::Row;
use crate::text::{Text, counted};
use crate::unit::Quantity;
use std::collections::BTreeMap;

/// The rule.
pub const RULE: Rule = Rule {
    id: "sec-secret-in-text",
    title: "Secret in an exported text",
    needs: &[],
    wants: &[
        Need::View("pg_stat_statements", &["queryid", "query"]),
        Need::View("pg_stat_activity", &["pid", "query"]),
        Need::View("function_definitions", &["funcname", "source"]),
    ],
    thresholds: &[],
    docs: Docs {
        looks_at: "Texts of statements and sessions, bodies of functions: passwords of roles and user mappings, connection strings with a password, \
                   private keys, access keys and tokens of well-known shapes.",
        why: "PostgreSQL stores utility statements as they were typed, passwords included, where every role that may read \
              statistics sees them. Now they are in this export too, and wherever it was copied.",
        decides: "By shape. Placeholders and masked values are left out. Only the place is told, never the text.",
        what_to_do: "Change the secret. Set passwords with psql's \\password, which sends only a hash. Remove the entry from \
                     pg_stat_statements. Treat this export as confidential, or make it again with redaction.",
        ignore_when: "It is an example value that opens nothing.",
        references: "PostgreSQL manual, \"ALTER ROLE\" (note on passwords); observed on PostgreSQL 12, 15, 16, 18.",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let mut places: BTreeMap<(Secret, String), Row<'_>> = BTreeMap::new();
    let mut texts = 0_usize;
    for (view, id, column) in [
        ("pg_stat_statements", "queryid", "query"),
        ("pg_stat_activity", "pid", "query"),
        ("function_definitions", "funcid", "source"),
        ("function_definitions", "funcid", "sql_body"),
    ] {
        for (_, table) in ctx.samples(view) {
            for row in table.iter() {
                let Some(text) = row.text(column) else { continue };
                texts += 1;
                let Some(secret) = find(text) else { continue };
                let place = row.int(id).map_or_else(|| view.to_owned(), |n| format!("{view}, {id} {n}"));
                places.entry((secret, place)).or_insert(row);
            }
        }
    }
    if texts == 0 {
        return Err(Skip("the export has no texts of statements or sessions".to_owned()));
    }
    let mut kinds: BTreeMap<Secret, Vec<(&String, Row<'_>)>> = BTreeMap::new();
    for ((secret, place), row) in &places {
        kinds.entry(*secret).or_default().push((place, *row));
    }
    let mut findings = Vec::new();
    for (secret, found) in kinds {
        let count = Quantity::count(found.len());
        let statements: Vec<String> = found
            .iter()
            .filter(|(_, r)| r.table().name == "pg_stat_statements")
            .filter_map(|(_, r)| {
                Some(format!(
                    "SELECT pg_stat_statements_reset({}, {}, {});",
                    r.int("userid")?,
                    r.int("dbid")?,
                    r.int("queryid")?
                ))
            })
            .take(20)
            .collect();
        let mut finding = ctx
            .finding(
                if secret == Secret::PasswordHash { Severity::Medium } else { Severity::High },
                Subject::new(SubjectKind::Data, format!("{} in texts", secret.word())),
                Text::new().n(count).t(if found.len() == 1 { " text holds a " } else { " texts hold a " }).t(secret.word()),
            )
            .why("Every role that may read statistics sees it, and so does everybody who has this export. The text is not shown here.")
            .members(found.iter().map(|(place, _)| Subject::new(SubjectKind::Data, (*place).clone())).collect())
            .verify("The next export holds none, and the secret was changed.")
            .effort(Effort::S);
        finding.measures.push(texts_with(ctx, count, &found));
        finding.measures.extend(found.iter().take(5).map(|(place, row)| ctx.read(place, *row, said(*row))));
        if !statements.is_empty() {
            finding = finding.fix(
                Fix::new(
                    Verb::Maintain,
                    Risk::R3,
                    format!("{} in texts", secret.word()),
                    format!(
                        "-- after the secret was changed: forget the entries (13 and later)\n{}",
                        statements.join("\n")
                    ),
                )
                .lock("no lock")
                .when_not("The counters of these entries are still needed."),
            );
        }
        findings.push(finding);
    }
    Ok(Checked {
        findings,
        looked_at: format!("{} without a secret of a known shape", counted(texts, "text", "texts")),
    })
}

/// How many texts, by the views that hold them.
fn texts_with<'a>(ctx: &Context<'a>, count: Quantity, found: &[(&String, Row<'a>)]) -> Measure {
    let mut views: BTreeMap<&str, i64> = BTreeMap::new();
    for (_, row) in found {
        *views.entry(row.table().name.as_str()).or_default() += 1;
    }
    let formula: Vec<String> =
        views.into_iter().map(|(view, n)| format!("{} of {view}", Quantity::count(n).human())).collect();
    let id = |row: Row<'a>| -> &[&str] {
        match row.table().name.as_str() {
            "pg_stat_statements" => &["queryid"],
            "pg_stat_activity" => &["pid"],
            _ => &["funcid"],
        }
    };
    let rows: Vec<_> = found.iter().map(|(_, row)| (*row, id(*row))).collect();
    ctx.over_window("Texts that hold one", Some(count), formula.join(" + "), &rows)
}

/// What is printed of a text's row: never the text.
fn said(row: Row<'_>) -> &'static str {
    if row.table().name == "function_definitions" { "funcname" } else { "calls" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::literal;

    #[test]
    fn tells_the_place_and_never_the_text() {
        let b = literal("2026-11-22 12:00:00+00")
            .view(
                "pg_stat_statements",
                "userid | dbid | queryid | query",
                &["10 | 5 | 77 | alter role app password 'hunter2'", "10 | 5 | 78 | select 1"],
            )
            .build();
        let outcome = judge(&RULE, &[b], "");
        assert_eq!(told(&outcome), ["high, high: password in texts: 1 text holds a password"]);
        let told = format!("{outcome:?}");
        assert!(!told.contains("hunter2") && told.contains("pg_stat_statements_reset(10, 5, 77)"), "{told}");
    }

    #[test]
    fn bodies_of_functions_are_texts_too() {
        let b = literal("2026-11-22 12:00:00+00")
            .view(
                "function_definitions",
                "funcid | schemaname | funcname | source | sql_body",
                &["5 | app | f | begin perform dblink('host=x password=hunter2'); end |", "6 | app | g | | select 1"],
            )
            .build();
        let outcome = judge(&RULE, &[b], "");
        assert_eq!(
            told(&outcome),
            [
                "high, high: connection string with a password in texts: 1 text holds a connection string with a password"
            ]
        );
        let told = format!("{outcome:?}");
        assert!(!told.contains("hunter2") && told.contains("function_definitions, funcid 5"), "{told}");
    }

    #[test]
    fn stays_quiet_without_one_and_skips_without_texts() {
        let b = literal("2026-11-22 12:00:00+00").view("pg_stat_activity", "pid | query", &["7 | select 1"]).build();
        assert_eq!(told(&judge(&RULE, &[b], "")), ["passed: 1 text without a secret of a known shape"]);
        let none = literal("2026-11-22 12:00:00+00").build();
        assert_eq!(told(&judge(&RULE, &[none], "")), ["skipped: the export has no texts of statements or sessions"]);
    }
}
