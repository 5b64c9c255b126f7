//! Pages without checksums.

use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Skip};
use crate::finding::{Effort, Fix, Severity, Subject, SubjectKind};

/// The rule.
pub const RULE: Rule = Rule {
    id: "sec-no-checksums",
    title: "Data checksums are off",
    needs: &[],
    wants: &[Need::Setting("data_checksums"), Need::View("meta", &["data_checksums"])],
    thresholds: &[],
    docs: Docs {
        looks_at: "Whether pages carry checksums: the setting data_checksums, else what the export says of the server.",
        why: "Without them a page that storage damaged is read as if it were right, and goes into backups until the good ones are gone.",
        decides: "Off is low. Up to 17 they are off unless chosen when the cluster was made; from 18 on they are on.",
        what_to_do: "pg_checksums --enable on the stopped server, on standbys too; or a new cluster with checksums at the next major \
                     upgrade. It rewrites every page once.",
        ignore_when: "The file system below has checksums of its own.",
        references: "PostgreSQL manual, \"Data Checksums\"; \"pg_checksums\".",
    },
    check,
};

fn check(cx: &Context<'_>) -> Check {
    let setting = cx.exported_setting("data_checksums");
    let told = || cx.last("meta")?.iter().next()?.text("data_checksums").map(|t| matches!(t, "on" | "t" | "true"));
    let on = setting.and_then(|s| s.is_on()).or_else(told);
    let on = on.ok_or_else(|| Skip("whether pages carry checksums is not exported".to_owned()))?;
    if on {
        return Ok(Checked { findings: Vec::new(), looked_at: "data checksums are on".to_owned() });
    }
    let finding = cx
        .finding(Severity::Low, Subject::new(SubjectKind::Setting, "data_checksums"), "Data checksums are off")
        .why("A page that storage damaged is read as if it were right, and goes into backups.")
        .doubts([setting.and_then(|s| s.doubt())])
        .measure(cx.setting_measure("data_checksums"))
        .fix(Fix::diagnose(
            "data_checksums",
            "SHOW data_checksums;\n-- in a maintenance window, on the stopped server, and where it has standbys on all of them while all are stopped:\n\
                 -- pg_checksums --enable --progress -D <data directory>",
        ))
        .verify("data_checksums is on in the next snapshot.")
        .effort(Effort::L);
    Ok(Checked { findings: vec![finding], looked_at: String::new() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::literal;

    #[test]
    fn off_is_told_on_is_not_and_unknown_is_neither() {
        let with = |value: &str| {
            let b = literal("2026-11-22 12:00:00+00").view(
                "pg_settings",
                "name | setting",
                &[&format!("data_checksums | {value}")],
            );
            told(&judge(&RULE, &[b.build()], ""))
        };
        assert_eq!(with("off"), ["low, high: data_checksums: Data checksums are off"]);
        assert_eq!(with("on"), ["passed: data checksums are on"]);
        let meta = literal("2026-11-22 12:00:00+00").view("meta", "data_checksums", &["off"]).build();
        assert_eq!(told(&judge(&RULE, &[meta], "")), ["low, high: data_checksums: Data checksums are off"]);
        assert_eq!(
            told(&judge(&RULE, &[literal("2026-11-22 12:00:00+00").build()], "")),
            ["skipped: whether pages carry checksums is not exported"]
        );
    }
}
