//! Synchronous replication without a synchronous standby.

use crate::advisor::cure::{Effect, set_system};
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Skip};
use crate::finding::{Doubt, Effort, Fix, Severity, Subject, SubjectKind};
use crate::text::{Text, counted};

const NAME: &str = "synchronous_standby_names";

/// The rule.
pub const RULE: Rule = Rule {
    id: "repl-sync-missing",
    title: "No synchronous standby connected",
    needs: &[Need::Setting(NAME), Need::View("pg_stat_replication", &["sync_state"]), Need::Primary],
    wants: &[Need::Setting("synchronous_commit")],
    thresholds: &[],
    docs: Docs {
        looks_at: "synchronous_standby_names, and whether any connected standby is `sync` or `quorum` in the last snapshot that \
                   has both.",
        why: "Commits wait for a standby that is not there: every write hangs.",
        decides: "Critical. With synchronous_commit `off` or `local` commits do not wait, and nothing is said. One sample: the \
                  standby may have been reconnecting.",
        what_to_do: "Bring the standby back. If that takes long, empty synchronous_standby_names: waiting commits go on, and are \
                     safe on this server only.",
        ignore_when: "The setting waits for a standby that is being built.",
        references: "PostgreSQL manual, \"Synchronous Replication\".",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let setting = ctx.exported_setting(NAME).ok_or_else(|| Skip("the setting is not known".to_owned()))?;
    if setting.text.trim().is_empty() {
        return Ok(Checked {
            findings: Vec::new(),
            looked_at: format!("{NAME} is empty: replication is asynchronous"),
        });
    }
    let commit = ctx.exported_setting("synchronous_commit").map_or("on", |s| s.text);
    if matches!(commit, "off" | "local") {
        return Ok(Checked {
            findings: Vec::new(),
            looked_at: format!("synchronous_commit is {commit}: commits do not wait"),
        });
    }
    let state = ctx.state_or_skip("pg_stat_replication")?;
    if state.table.rows > 0 && state.table.iter().all(|r| r.text("sync_state").is_none()) {
        return Err(Skip("the state of the standbys is hidden from the exporting role".to_owned()));
    }
    let there = state.table.iter().filter(|r| matches!(r.text("sync_state"), Some("sync" | "quorum"))).count();
    let looked_at = format!("{} connected", counted(there, "synchronous standby", "synchronous standbys"));
    if there > 0 {
        return Ok(Checked { findings: Vec::new(), looked_at });
    }
    let finding = ctx
        .finding(
            Severity::Critical,
            Subject::new(SubjectKind::Setting, NAME),
            Text::new().t("No synchronous standby was connected although ").code(NAME).t(" asks for one"),
        )
        .why("Every commit waits until one confirms: writes hang.")
        .doubts([Some(Doubt::C6), setting.doubt(), state.doubt()])
        .measure(ctx.setting_measure(NAME))
        .fix(Fix::diagnose(
            NAME,
            "SELECT application_name, state, sync_state FROM pg_stat_replication;\n\
             SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep';",
        ))
        .fix(set_system(
            NAME,
            "",
            Effect::Reload,
            Some(setting.text),
            "Losing the last commits together with this server is worse than waiting.".into(),
        ))
        .verify("A standby is sync or quorum in the next snapshot, and no session waits for SyncRep.")
        .effort(Effort::S);
    Ok(Checked { findings: vec![finding], looked_at })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::literal;

    fn with(names: &str, standbys: &[&str]) -> Vec<String> {
        let b = literal("2026-11-22 12:00:00+00")
            .view("pg_settings", "name | setting", &[&format!("{NAME} | {names}"), "synchronous_commit | on"])
            .view("pg_stat_replication", "pid | backend_start | sync_state", standbys)
            .build();
        told(&judge(&RULE, &[b], ""))
    }

    #[test]
    fn finds_a_missing_standby() {
        assert_eq!(
            with("s1", &["7 | 2026-11-22 08:00:00+00 | async"]),
            [format!("critical, medium: {NAME}: No synchronous standby was connected although {NAME} asks for one")]
        );
    }

    #[test]
    fn stays_quiet_where_one_is_there_or_none_is_asked_for() {
        assert_eq!(with("s1", &["7 | 2026-11-22 08:00:00+00 | quorum"]), ["passed: 1 synchronous standby connected"]);
        assert_eq!(with("''", &[]), [format!("passed: {NAME} is empty: replication is asynchronous")]);
        assert_eq!(
            with("s1", &["7 | 2026-11-22 08:00:00+00 | "]),
            ["skipped: the state of the standbys is hidden from the exporting role"]
        );
    }
}
