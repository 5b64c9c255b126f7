//! Log lines that explain trouble afterwards, switched off.

use crate::advisor::cure::{Effect, set_system};
use crate::advisor::server_settings::server_value;
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Skip};
use crate::finding::{Effort, Severity, Subject, SubjectKind};
use crate::text::Text;

/// The rule.
pub const RULE: Rule = Rule {
    id: "cfg-logging",
    title: "Log lines that explain trouble are off",
    needs: &[Need::View("pg_settings", &["name", "setting"])],
    wants: &[],
    thresholds: &[],
    docs: Docs {
        looks_at: "log_checkpoints, log_lock_waits, log_temp_files, log_autovacuum_min_duration.",
        why: "After an incident they are often the only record of who waited for whom, and of what wrote the disk full.",
        decides: "Each that is off; one finding lists them. log_checkpoints was off by default up to 14, log_lock_waits and \
                  log_temp_files are to this day.",
        what_to_do: "Switch them on: a few lines a minute on a busy server.",
        ignore_when: "Monitoring outside the server records the same.",
        references: "PostgreSQL manual, \"Error Reporting and Logging\".",
    },
    check,
};

/// Setting, the value that means off, a value to begin with.
const LINES: [(&str, &str, &str); 4] = [
    ("log_autovacuum_min_duration", "-1", "10min"),
    ("log_checkpoints", "off", "on"),
    ("log_lock_waits", "off", "on"),
    ("log_temp_files", "-1", "10MB"),
];

fn check(ctx: &Context<'_>) -> Check {
    let known = LINES.iter().filter(|(name, ..)| ctx.setting_row(name).is_some()).count();
    if known == 0 {
        return Err(Skip("none of the settings it looks at is in the dump".to_owned()));
    }
    let off: Vec<_> =
        LINES.iter().filter(|(name, off, _)| ctx.setting_row(name).and_then(server_value) == Some(*off)).collect();
    if off.is_empty() {
        return Ok(Checked { findings: Vec::new(), looked_at: format!("{known} log settings, all on") });
    }
    let mut title = Text::new();
    for (i, (name, _, _)) in off.iter().enumerate() {
        title = title.t(if i == 0 { "" } else { ", " }).code(*name);
    }
    let mut finding = ctx
        .finding(
            Severity::Low,
            Subject::new(SubjectKind::Server, "logging"),
            title.t(if off.len() == 1 { " is off" } else { " are off" }),
        )
        .why("After an incident these lines tell who waited for whom and what wrote the disk full.")
        .members(off.iter().map(|(name, _, _)| Subject::new(SubjectKind::Setting, *name)).collect())
        .verify("The settings are on in the next snapshot.")
        .effort(Effort::S);
    for (name, value, on) in off {
        finding.doubts.extend(ctx.exported_setting(name).and_then(|s| s.doubt()));
        finding = finding.measure(ctx.setting_measure(name)).fix(set_system(
            name,
            on,
            Effect::Reload,
            Some(value),
            "Monitoring outside the server records the same.".into(),
        ));
    }
    Ok(Checked { findings: vec![finding], looked_at: format!("{known} log settings") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::literal;

    #[test]
    fn lists_what_is_off() {
        let b = literal("2026-11-22 12:00:00+00")
            .view(
                "pg_settings",
                "name | setting | source",
                &[
                    "log_checkpoints | on | default",
                    "log_lock_waits | off | default",
                    "log_temp_files | -1 | default",
                    "log_autovacuum_min_duration | 600000 | default",
                ],
            )
            .build();
        assert_eq!(told(&judge(&RULE, &[b], "")), ["low, high: logging: log_lock_waits, log_temp_files are off"]);
    }

    #[test]
    fn stays_quiet_when_all_is_on() {
        let b = literal("2026-11-22 12:00:00+00")
            .view(
                "pg_settings",
                "name | setting | source",
                &[
                    "log_checkpoints | on | default",
                    "log_lock_waits | on | configuration file",
                    "log_temp_files | 10240 | configuration file",
                    "log_autovacuum_min_duration | 600000 | default",
                ],
            )
            .build();
        assert!(told(&judge(&RULE, &[b], ""))[0].starts_with("passed"));
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_eq!(
            crate::advisor::testing::told_of_nothing(&RULE),
            "skipped, input missing: `pg_settings` is not in the dump"
        );
    }
}
