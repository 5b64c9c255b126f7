//! Developer options that hide or cause damage.

use crate::advisor::cure::{Effect, set_system};
use crate::advisor::server_settings::server_value;
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Skip};
use crate::finding::{Effort, Severity, Subject, SubjectKind};
use crate::text::Text;

/// The rule.
pub const RULE: Rule = Rule {
    id: "cfg-dev-options",
    title: "Developer option that hides or causes damage",
    needs: &[Need::View("pg_settings", &["name", "setting"])],
    wants: &[],
    thresholds: &[],
    docs: Docs {
        looks_at: "zero_damaged_pages, ignore_checksum_failure, ignore_invalid_pages, ignore_system_indexes, \
                   allow_system_table_mods.",
        why: "They exist to save data from a damaged cluster. Left on, they turn damage into silent loss, or allow it.",
        decides: "Switched on for the whole server is high. What only the exporting session has is left out.",
        what_to_do: "Switch it off as soon as the rescue is over.",
        ignore_when: "A rescue is under way.",
        references: "PostgreSQL manual, \"Developer Options\".",
    },
    check,
};

const OPTIONS: [(&str, &str); 5] = [
    ("zero_damaged_pages", "A damaged page is replaced by zeros: its rows are gone without an error."),
    ("ignore_checksum_failure", "Pages whose checksum is wrong are read and written on as if they were right."),
    ("ignore_invalid_pages", "Recovery passes over changes of missing pages: data is lost without an error."),
    ("ignore_system_indexes", "System catalogs are read without their indexes: every look-up scans them."),
    ("allow_system_table_mods", "System catalogs can be changed by hand."),
];

fn check(ctx: &Context<'_>) -> Check {
    if !OPTIONS.iter().any(|(name, _)| ctx.setting_row(name).is_some()) {
        return Err(Skip("none of the settings it looks at is in the dump".to_owned()));
    }
    let mut findings = Vec::new();
    for (name, harm) in OPTIONS {
        if ctx.setting_row(name).and_then(server_value) != Some("on") {
            continue;
        }
        findings.push(
            ctx.finding(Severity::High, Subject::new(SubjectKind::Setting, name), Text::new().code(name).t(" is on"))
                .why(harm)
                .doubts([ctx.exported_setting(name).and_then(|s| s.doubt())])
                .measure(ctx.setting_measure(name))
                .fix(set_system(name, "off", Effect::Reload, Some("on"), "A rescue is under way.".into()))
                .verify("The setting is off in the next snapshot.")
                .effort(Effort::S),
        );
    }
    Ok(Checked { findings, looked_at: "no developer option that hides damage is on".to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::literal;

    fn with(row: &str) -> Vec<String> {
        let b = literal("2026-11-22 12:00:00+00")
            .view("pg_settings", "name | setting | reset_val | source", &[row])
            .build();
        told(&judge(&RULE, &[b], ""))
    }

    #[test]
    fn finds_what_the_server_has_on() {
        assert_eq!(
            with("zero_damaged_pages | on | on | configuration file"),
            ["high, high: zero_damaged_pages: zero_damaged_pages is on"]
        );
    }

    #[test]
    fn stays_quiet_about_the_exporting_session() {
        assert_eq!(
            with("allow_system_table_mods | on | off | session"),
            ["passed: no developer option that hides damage is on"]
        );
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_eq!(
            crate::advisor::testing::told_of_nothing(&RULE),
            "skipped, input missing: `pg_settings` is not in the dump"
        );
    }
}
