//! No limit for sessions idle in a transaction.

use crate::advisor::cure::set_role;
use crate::advisor::server_settings::server_value;
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Skip};
use crate::finding::{Effort, Severity, Subject, SubjectKind};
use crate::text::Text;

const NAME: &str = "idle_in_transaction_session_timeout";

/// The rule.
pub const RULE: Rule = Rule {
    id: "cfg-timeouts",
    title: "No limit for sessions idle in a transaction",
    needs: &[Need::Setting(NAME)],
    wants: &[Need::View("role_settings", &["rolname", "setconfig"])],
    thresholds: &[],
    docs: Docs {
        looks_at: "idle_in_transaction_session_timeout of the server, and of roles where their settings were exported.",
        why: "One forgotten transaction holds its locks and holds back vacuum until somebody notices.",
        decides: "0 for the server, and no role or database has a value of its own.",
        what_to_do: "A limit for the application's roles. A statement_timeout for the whole server is not advised: it breaks \
                     dumps and maintenance.",
        ignore_when: "The connection pooler ends such sessions.",
        references: "PostgreSQL manual, \"Client Connection Defaults\".",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let row = ctx.setting_row(NAME).ok_or_else(|| Skip("the setting is not known".to_owned()))?;
    let Some(value) = server_value(row) else {
        return Err(Skip("the exporting role has a value of its own: the server's is not visible".to_owned()));
    };
    let roles = ctx.state("role_settings");
    let by_role =
        roles.is_some_and(|s| s.table.iter().any(|r| r.array("setconfig").iter().any(|c| c.starts_with(NAME))));
    let looked_at = if by_role { format!("{NAME} is set for roles") } else { format!("{NAME} is {value} ms") };
    if value != "0" || by_role {
        return Ok(Checked { findings: Vec::new(), looked_at });
    }
    let not_seen = if roles.is_none() { " Values of single roles were not exported." } else { "" };
    let finding = ctx
        .finding(
            Severity::Low,
            Subject::new(SubjectKind::Setting, NAME),
            Text::new().t("No limit for sessions idle in a transaction"),
        )
        .why(
            Text::new()
                .t("One forgotten transaction holds its locks and holds back vacuum until somebody notices.")
                .t(not_seen),
        )
        .doubts([ctx.exported_setting(NAME).and_then(|s| s.doubt())])
        .measure(ctx.setting_measure(NAME))
        .fix(set_role(None, NAME, "5min", "Its sessions pause inside transactions for longer on purpose.".into()))
        .verify("pg_settings of a session of that role shows the limit.")
        .effort(Effort::S);
    Ok(Checked { findings: vec![finding], looked_at })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::literal;

    fn with(value: &str, roles: &[&str]) -> Vec<String> {
        let b = literal("2026-11-22 12:00:00+00")
            .view("pg_settings", "name | setting | source | unit", &[&format!("{NAME} | {value} | default | ms")])
            .view("role_settings", "rolname | datname | setconfig", roles)
            .build();
        told(&judge(&RULE, &[b], ""))
    }

    #[test]
    fn finds_a_missing_limit() {
        assert_eq!(with("0", &[]), [format!("low, high: {NAME}: No limit for sessions idle in a transaction")]);
    }

    #[test]
    fn stays_quiet_where_server_or_role_has_one() {
        assert_eq!(with("60000", &[]), [format!("passed: {NAME} is 60000 ms")]);
        assert_eq!(
            with("0", &["app | | {idle_in_transaction_session_timeout=5min}"]),
            [format!("passed: {NAME} is set for roles")]
        );
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_eq!(
            crate::advisor::testing::told_of_nothing(&RULE),
            "skipped, input missing: needs the setting `idle_in_transaction_session_timeout`; `pg_settings` does not have it"
        );
    }
}
