//! Passwords stored as md5 hashes.

use crate::advisor::cure::{Effect, set_system};
use crate::advisor::server_settings::server_value;
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Skip};
use crate::finding::{Effort, Severity, Subject, SubjectKind};
use crate::text::Text;

const NAME: &str = "password_encryption";

/// The rule.
pub const RULE: Rule = Rule {
    id: "sec-password-md5",
    title: "New passwords are stored as md5 hashes",
    needs: &[Need::Primary, Need::Setting(NAME)],
    wants: &[],
    thresholds: &[],
    docs: Docs {
        looks_at: "password_encryption.",
        why: "An md5 hash is enough to log in: whoever reads it from a backup needs no password. It is deprecated from 18 on.",
        decides: "md5, the default up to 13. Which roles still have md5 hashes is not exported.",
        what_to_do: "scram-sha-256, then set each password again, then `scram-sha-256` instead of `md5` in pg_hba.conf. Clients \
                     older than 2017 cannot do it.",
        ignore_when: "No role logs in with a password.",
        references: "PostgreSQL manual, \"Password Authentication\".",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let row = ctx.setting_row(NAME).ok_or_else(|| Skip("the setting is not known".to_owned()))?;
    let Some(value) = server_value(row) else {
        return Err(Skip("the exporting role has a value of its own: the server's is not visible".to_owned()));
    };
    let looked_at = format!("{NAME} is {value}");
    if !matches!(value, "md5" | "on") {
        return Ok(Checked { findings: Vec::new(), looked_at });
    }
    let finding = ctx
        .finding(
            Severity::Medium,
            Subject::new(SubjectKind::Setting, NAME),
            Text::new().t("New passwords are stored as md5 hashes"),
        )
        .why("Such a hash is enough to log in: whoever finds one in a backup needs no password.")
        .doubts([ctx.exported_setting(NAME).and_then(|s| s.doubt())])
        .measure(ctx.setting_measure(NAME))
        .fix(set_system(
            NAME,
            "scram-sha-256",
            Effect::Reload,
            Some("md5"),
            "While clients that cannot do SCRAM (libpq before 10, old drivers) are in use: with a password set from then on they \
             cannot log in any more."
                .into(),
        ))
        .verify("The setting is scram-sha-256, and no rolpassword in pg_authid begins with md5.")
        .effort(Effort::M);
    Ok(Checked { findings: vec![finding], looked_at })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::literal;

    #[test]
    fn finds_md5_only() {
        let with = |value: &str| {
            let row = format!("{NAME} | {value}");
            told(&judge(
                &RULE,
                &[literal("2026-11-22 12:00:00+00").view("pg_settings", "name | setting", &[&row]).build()],
                "",
            ))
        };
        assert_eq!(with("md5"), [format!("medium, high: {NAME}: New passwords are stored as md5 hashes")]);
        assert_eq!(with("scram-sha-256"), [format!("passed: {NAME} is scram-sha-256")]);
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_eq!(
            crate::advisor::testing::told_of_nothing(&RULE),
            "skipped, input missing: needs the setting `password_encryption`; `pg_settings` does not have it"
        );
    }
}
