//! Published tables whose updates and deletes fail.

use crate::advisor::index_cure::with_timeout;
use crate::advisor::key_cure::{ON_SUBSCRIBERS, add_primary_key, tells_rows_apart};
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule};
use crate::finding::{Effort, Fix, Risk, Severity, Subject, SubjectKind, Verb};
use crate::ident::{quote_ident, quote_qualified};
use crate::snapshot::Row;
use crate::text::Text;
use std::collections::{BTreeMap, BTreeSet};

/// The rule.
pub const RULE: Rule = Rule {
    id: "repl-no-identity",
    title: "Published table without replica identity",
    needs: &[
        Need::View("publications", &["pubname", "pubupdate", "pubdelete"]),
        Need::View("publication_tables", &["pubname", "relid", "relreplident"]),
        Need::View("constraints", &["relid", "contype"]),
    ],
    wants: &[Need::View("index_definitions", &["indexdef", "indisunique"])],
    thresholds: &[],
    docs: Docs {
        looks_at: "Tables in publications that publish updates or deletes, their replica identity, their primary keys.",
        why: "Without an identity the subscriber cannot tell which row is meant: UPDATE and DELETE fail on the publisher.",
        decides: "Replica identity `default` without a primary key, or `nothing`. Publications of inserts only are left out.",
        what_to_do: "A primary key; else a unique index over columns that are NOT NULL as replica identity. FULL is the last \
                     resort: every update then carries the whole old row, and the subscriber searches for it.",
        ignore_when: "The table only gets inserts.",
        references: "PostgreSQL manual, \"Logical Replication\", \"Replica Identity\".",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let (publications, tables, constraints) = (
        ctx.state_or_skip("publications")?,
        ctx.state_or_skip("publication_tables")?,
        ctx.state_or_skip("constraints")?,
    );
    let changing: BTreeSet<&str> = publications
        .table
        .iter()
        .filter(|r| r.bool("pubupdate") == Some(true) || r.bool("pubdelete") == Some(true))
        .filter_map(|r| r.text("pubname"))
        .collect();
    let keyed: BTreeSet<i64> =
        constraints.table.iter().filter(|r| r.text("contype") == Some("p")).filter_map(|r| r.int("relid")).collect();
    let mut bad = BTreeMap::new();
    for row in tables.table.iter().filter(|r| r.text("pubname").is_some_and(|p| changing.contains(p))) {
        let (Some(relid), Some(schema), Some(name)) = (row.int("relid"), row.text("schemaname"), row.text("relname"))
        else {
            continue;
        };
        let missing = match row.text("relreplident") {
            Some("d") => !keyed.contains(&relid),
            Some("n") => true,
            _ => false,
        };
        if missing {
            bad.insert(relid, (row, schema, name));
        }
    }
    let findings = bad.values().map(|(row, schema, name)| {
        let rel = quote_qualified(schema, name);
        let subject = Subject::qualified(SubjectKind::Table, schema, name);
        ctx.finding(
            Severity::High,
            subject.clone(),
            Text::new()
                .t("UPDATE and DELETE fail on ")
                .name(subject.name.clone())
                .t(": published without replica identity"),
        )
        .why("The publication sends updates or deletes, and nothing tells the subscriber which row is meant.")
        .doubts([publications.doubt().or(tables.doubt()).or(constraints.doubt())])
        .measure(ctx.read("Replica identity", *row, "relreplident"))
        .fix(cure(ctx, *row, &subject.name, &rel))
        .verify("The table has a primary key or an index as replica identity in the next snapshot.")
        .effort(Effort::M)
    });
    Ok(Checked { findings: findings.collect(), looked_at: format!("{} published tables", tables.table.rows) })
}

/// An index that can tell rows apart, where the table has one; else a key is built.
fn cure<'a>(ctx: &Context<'a>, row: Row<'a>, subject: &str, rel: &str) -> Fix {
    let relid = row.int("relid");
    let table = ctx.facts.tables.iter().find(|t| t.relid().is_some() && t.relid() == relid);
    let unique = relid.and_then(|relid| ctx.facts.indexes_of(relid).find(|i| tells_rows_apart(i)));
    if let (None, Some(table), Some(_)) = (unique, table, ctx.facts.definitions) {
        return add_primary_key(table, true);
    }
    let (note, index) = match unique {
        Some(index) => ("its columns must be NOT NULL", quote_ident(index.name())),
        None => ("a unique index over NOT NULL columns, or better a primary key", "<index>".to_owned()),
    };
    let sql = format!(
        "{ON_SUBSCRIBERS}\n-- {note}\n{}",
        with_timeout(&format!("ALTER TABLE {rel} REPLICA IDENTITY USING INDEX {index};"))
    );
    Fix::new(Verb::Alter, Risk::R2, subject, sql)
        .lock("ACCESS EXCLUSIVE, short")
        .when_not("The table only gets inserts.")
        .undo(with_timeout(&format!("ALTER TABLE {rel} REPLICA IDENTITY DEFAULT;")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::literal;

    #[test]
    fn finds_tables_whose_updates_fail() {
        let b = literal("2026-11-22 12:00:00+00")
            .view("publications", "oid | pubname | pubupdate | pubdelete", &["1 | all | t | t", "2 | inserts | f | f"])
            .view(
                "publication_tables",
                "pubname | relid | schemaname | relname | relreplident",
                &[
                    "all | 10 | public | keyed | d",
                    "all | 11 | public | bare | d",
                    "all | 12 | public | full | f",
                    "inserts | 13 | public | log | d",
                ],
            )
            .view("constraints", "oid | relid | contype", &["1 | 10 | p"])
            .build();
        assert_eq!(
            told(&judge(&RULE, &[b], "")),
            ["high, high: public.bare: UPDATE and DELETE fail on public.bare: published without replica identity"]
        );
    }

    /// USING INDEX is of use where there is one.
    #[test]
    fn names_the_index_or_builds_a_key() {
        let sql = |indexes: &[&str]| {
            let b = literal("2026-11-22 12:00:00+00")
                .view("publications", "oid | pubname | pubupdate | pubdelete", &["1 | all | t | t"])
                .view(
                    "publication_tables",
                    "pubname | relid | schemaname | relname | relreplident",
                    &["all | 11 | public | bare | d"],
                )
                .view("constraints", "oid | relid | contype", &["1 | 10 | p"])
                .view("pg_stat_user_tables", "relid | schemaname | relname", &["11 | public | bare"])
                .view(
                    "index_definitions",
                    "indexrelid | relid | schemaname | relname | indexrelname | indexdef | indisunique | indisvalid",
                    indexes,
                );
            let crate::finding::Outcome::Found { findings, .. } = judge(&RULE, &[b.build()], "") else { panic!() };
            findings[0].fixes[0].sql.clone()
        };
        let index = |word: &str, flag: &str| {
            format!(
                "7 | 11 | public | bare | bare_a | CREATE {word}INDEX bare_a ON public.bare USING btree (a) | {flag} | t"
            )
        };
        assert!(sql(&[&index("UNIQUE ", "t")]).ends_with("REPLICA IDENTITY USING INDEX \"bare_a\";"));
        assert!(
            sql(&[&index("", "f")]).ends_with("ADD CONSTRAINT \"bare_pkey\" PRIMARY KEY USING INDEX \"bare_pkey\";")
        );
    }

    #[test]
    fn stays_quiet_where_rows_can_be_named_or_only_inserts_are_published() {
        let b = literal("2026-11-22 12:00:00+00")
            .view("publications", "oid | pubname | pubupdate | pubdelete", &["1 | all | t | t", "2 | inserts | f | f"])
            .view(
                "publication_tables",
                "pubname | relid | schemaname | relname | relreplident",
                &["all | 10 | public | keyed | d", "inserts | 13 | public | log | d"],
            )
            .view("constraints", "oid | relid | contype", &["1 | 10 | p"])
            .build();
        assert!(told(&judge(&RULE, &[b], ""))[0].starts_with("passed"));
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_eq!(
            crate::advisor::testing::told_of_nothing(&RULE),
            "skipped, input missing: `publications` is not in the dump"
        );
    }
}
