//! No trail of who was here and what was done.

use crate::advisor::{Check, Checked, Context, Docs, Need, Rule};
use crate::finding::{Effort, Fix, Severity, Subject, SubjectKind};
use crate::text::Text;

/// The rule.
pub const RULE: Rule = Rule {
    id: "sec-audit-logging",
    title: "No audit trail of connections and statements",
    needs: &[Need::Setting("log_connections"), Need::Setting("log_statement")],
    wants: &[Need::Setting("log_disconnections"), Need::Setting("shared_preload_libraries")],
    thresholds: &[],
    docs: Docs {
        looks_at: "log_connections, log_disconnections, log_statement, and whether the library pgaudit is loaded.",
        why: "After an incident nobody can tell from the log who was connected, and who changed the schema.",
        decides: "All of them off and no pgaudit. So it is on every default installation, and whether a trail is wanted is a matter of policy: \
                  a note, never more, that counts in no score. A policy file (`pgretro check`) makes it a requirement.",
        what_to_do: "log_connections and log_disconnections for who and when; log_statement = 'ddl' for changes of the schema; pgaudit for \
                     more than that. Statements in the log may hold secrets.",
        ignore_when: "Something outside the server records it: a proxy, the operating system.",
        references: "PostgreSQL manual, \"Error Reporting and Logging\" (log_connections, log_statement).",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let text = |name: &str| ctx.exported_setting(name).map(|s| s.text);
    let off = |name: &str| text(name).is_none_or(|t| matches!(t, "off" | "" | "none"));
    let audited = text("shared_preload_libraries").is_some_and(|t| t.contains("pgaudit"));
    let names = ["log_connections", "log_disconnections", "log_statement"];
    let said: Vec<String> =
        names.iter().filter_map(|n| Some(format!("{n} {}", crate::ident::visible(text(n)?)))).collect();
    let looked_at = if audited { "pgaudit is loaded".to_owned() } else { said.join(", ") };
    if audited || !names.into_iter().all(off) {
        return Ok(Checked { findings: Vec::new(), looked_at });
    }
    let doubts = names.map(|n| ctx.exported_setting(n).and_then(|s| s.doubt()));
    let mut finding = ctx
        .finding(Severity::Info, Subject::new(SubjectKind::Server, "audit trail"), "Neither connections nor changes of the schema are logged")
        .why("The log does not tell who was connected and who changed the schema. Whether it should is a matter of policy.")
        .doubts(doubts)
        .members(names.iter().map(|n| Subject::new(SubjectKind::Setting, *n)).collect());
    for name in names.into_iter().filter(|n| ctx.exported_setting(n).is_some()) {
        finding = finding.measure(ctx.setting_measure(name));
    }
    let finding = finding
        .fix(Fix::diagnose(
            "logging",
            "SELECT name, setting, source FROM pg_settings\n\
             WHERE name IN ('log_connections', 'log_disconnections', 'log_statement', 'log_line_prefix', 'shared_preload_libraries');",
        ))
        .verify(Text::new().t("The settings are on, or a policy says that they need not be."))
        .effort(Effort::S);
    Ok(Checked { findings: vec![finding], looked_at })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told, told_of_nothing};
    use crate::snapshot::literal::literal;

    #[test]
    fn a_note_where_nothing_is_logged() {
        let with = |connections: &str, statement: &str, libraries: &str| {
            let rows = [
                format!("log_connections | {connections}"),
                "log_disconnections | off".to_owned(),
                format!("log_statement | {statement}"),
                format!("shared_preload_libraries | {libraries}"),
            ];
            let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
            let b = literal("2026-11-22 12:00:00+00").view("pg_settings", "name | setting", &rows);
            told(&judge(&RULE, &[b.build()], ""))
        };
        assert_eq!(
            with("off", "none", "pg_stat_statements"),
            ["info, high: audit trail: Neither connections nor changes of the schema are logged"]
        );
        assert_eq!(with("''", "none", "''").len(), 1, "18 spells off as an empty list");
        assert_eq!(with("off", "none", "pgaudit"), ["passed: pgaudit is loaded"]);
        assert!(with("on", "none", "x")[0].starts_with("passed"));
        assert!(with("receipt,authorization", "none", "x")[0].starts_with("passed"));
        assert!(with("off", "ddl", "x")[0].starts_with("passed"));
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert!(told_of_nothing(&RULE).starts_with("skipped, input missing: needs the setting `log_connections`"));
    }
}
