//! Commits that do not wait for the disk.

use crate::advisor::cure::{Effect, set_system};
use crate::advisor::server_settings::server_value;
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Skip};
use crate::finding::{Effort, Severity, Subject, SubjectKind};
use crate::text::Text;

const NAME: &str = "synchronous_commit";
const STANDBYS: &str = "synchronous_standby_names";

/// The rule.
pub const RULE: Rule = Rule {
    id: "cfg-sync-commit-off",
    title: "Commits do not wait for WAL to reach the disk",
    needs: &[Need::Setting(NAME)],
    wants: &[Need::Setting(STANDBYS)],
    thresholds: &[],
    docs: Docs {
        looks_at: "synchronous_commit as the server gives it to every session.",
        why: "After a crash the last commits, up to three times wal_writer_delay, may be gone although clients were told that they are \
              done. Nothing is corrupted.",
        decides: "Off for everybody is a note: it is a choice, and a sound one for some data. What the exporting session set for itself is \
                  not looked at.",
        what_to_do: "Leave it on for the server (local where synchronous_standby_names is set and commits shall not wait for a \
                     standby), and switch it off for the roles or transactions whose last seconds may be lost.",
        ignore_when: "The loss of the last commits is accepted for all data here.",
        references: "PostgreSQL manual, \"Asynchronous Commit\".",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let row = ctx.setting_row(NAME).ok_or_else(|| Skip(format!("{NAME} is not exported")))?;
    let value = server_value(row).ok_or_else(|| Skip(format!("{NAME} was set by the exporting session")))?;
    let looked_at = format!("{NAME} {}", crate::ident::visible(value));
    if value != "off" {
        return Ok(Checked { findings: Vec::new(), looked_at });
    }
    // Waiting for a standby that is not there would hang every commit: what waits for the disk alone is safe.
    let names = ctx.exported_setting(STANDBYS).map(|s| s.text.trim());
    let (value, standbys) = match names {
        Some("") => ("on", ""),
        Some(_) => (
            "local",
            " With on they would also wait for a standby of synchronous_standby_names, and hang while none is connected.",
        ),
        None => (
            "on",
            " Where synchronous_standby_names is set they also wait for a standby, and hang while none is connected.",
        ),
    };
    let doubt = ctx.exported_setting(NAME).and_then(|s| s.doubt());
    let finding = ctx
        .finding(Severity::Info, Subject::new(SubjectKind::Setting, NAME), Text::new().code(NAME).t(" is off for everybody"))
        .why("After a crash the last commits may be missing, although clients were told that they are done. Nothing is corrupted.")
        .doubts([doubt])
        .measure(ctx.setting_measure(NAME))
        .fix(set_system(
            NAME,
            value,
            Effect::Reload,
            Some("off"),
            format!(
                "The loss of the last commits is accepted, or commits would become too slow: each then waits for the disk.\
                 {standbys}"
            )
            .into(),
        ))
        .verify(format!(
            "The setting is {value} in the next snapshot, or its owner has said that off is meant."
        ))
        .effort(Effort::S);
    Ok(Checked { findings: vec![finding], looked_at })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told, told_of_nothing};
    use crate::finding::Outcome;
    use crate::snapshot::literal::literal;

    #[test]
    fn off_for_everybody_is_a_note() {
        let with = |rest: &str| {
            let row = format!("synchronous_commit | {rest}");
            let b =
                literal("2026-11-22 12:00:00+00").view("pg_settings", "name | setting | source | reset_val", &[&row]);
            told(&judge(&RULE, &[b.build()], ""))
        };
        assert_eq!(
            with("off | configuration file | off"),
            ["info, high: synchronous_commit: synchronous_commit is off for everybody"]
        );
        assert_eq!(with("on | default | on"), ["passed: synchronous_commit on"]);
        assert_eq!(
            with("remote_write | configuration file | remote_write"),
            ["passed: synchronous_commit remote_write"]
        );
        assert_eq!(with("off | session | on"), ["passed: synchronous_commit on"], "the exporter's own choice");
        assert_eq!(with("off | user | off"), ["skipped: synchronous_commit was set by the exporting session"]);
    }

    #[test]
    fn commits_are_not_made_to_wait_for_a_standby() {
        let set = |names: &[&str]| {
            let mut rows = vec!["synchronous_commit | off | configuration file | off"];
            rows.extend(names);
            let b = literal("2026-11-22 12:00:00+00").view("pg_settings", "name | setting | source | reset_val", &rows);
            let Outcome::Found { findings, .. } = judge(&RULE, &[b.build()], "") else { panic!() };
            let fix = &findings[0].fixes[0];
            let minds = fix.when_not.as_ref().unwrap().plain().contains("wait for a standby");
            (fix.sql.lines().next().unwrap().to_owned(), minds)
        };
        let sets = |value: &str| format!("ALTER SYSTEM SET synchronous_commit = '{value}';");
        assert_eq!(set(&["synchronous_standby_names | | default | "]), (sets("on"), false));
        assert_eq!(set(&["synchronous_standby_names | s1 | configuration file | s1"]), (sets("local"), true));
        assert_eq!(set(&[]), (sets("on"), true), "not exported");
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_eq!(
            told_of_nothing(&RULE),
            "skipped, input missing: needs the setting `synchronous_commit`; `pg_settings` does not have it"
        );
    }
}
