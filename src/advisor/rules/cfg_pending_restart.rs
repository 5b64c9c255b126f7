//! Settings that were changed and wait for a restart.

use crate::advisor::{Check, Checked, Context, Docs, Need, Rule};
use crate::finding::{Effort, Fix, Severity, Subject, SubjectKind};
use crate::text::{Text, counted};
use crate::unit::Quantity;

/// The rule.
pub const RULE: Rule = Rule {
    id: "cfg-pending-restart",
    title: "Changed setting waits for a restart",
    needs: &[Need::View("pg_settings", &["name", "pending_restart"])],
    wants: &[Need::View("pg_stat_replication", &[])],
    thresholds: &[],
    docs: Docs {
        looks_at: "pg_settings.pending_restart.",
        why: "The configuration files say one thing and the server does another. The next restart, planned or not, changes \
              its behaviour.",
        decides: "Each such setting; one finding lists them. `setting` still shows the value in force.",
        what_to_do: "Plan the restart, or take the change back. What a hot standby must have as much of as its primary \
                     (max_connections, max_worker_processes, max_wal_senders, max_prepared_transactions, \
                     max_locks_per_transaction) is raised on the standbys first and lowered on the primary first.",
        ignore_when: "The restart has its date.",
        references: "PostgreSQL manual, \"pg_settings\"; \"Hot Standby\", Administrator's Overview.",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let state = ctx.state_or_skip("pg_settings")?;
    let mut waiting: Vec<_> = state.table.iter().filter(|r| r.bool("pending_restart") == Some(true)).collect();
    waiting.sort_by_key(|r| r.text("name"));
    let looked_at = format!("{}, none waits for a restart", counted(state.table.rows, "setting", "settings"));
    if waiting.is_empty() {
        return Ok(Checked { findings: Vec::new(), looked_at });
    }
    let names: Vec<&str> = waiting.iter().filter_map(|r| r.text("name")).collect();
    let count = Quantity::count(names.len());
    let title = match names.as_slice() {
        [one] => Text::new().code(*one).t(" was changed and waits for a restart"),
        _ => Text::new().n(count).t(" settings were changed and wait for a restart"),
    };
    let mut finding = ctx
        .finding(Severity::Low, Subject::new(SubjectKind::Server, "settings"), title)
        .why(
            Text::new()
                .t("The value in force is the old one. The next restart brings the new one, planned or not.")
                .t(order(ctx, &names)),
        )
        .doubts([state.doubt()])
        .members(names.iter().map(|n| Subject::new(SubjectKind::Setting, *n)).collect())
        .fix(Fix::diagnose(
            "settings",
            "SELECT s.name, s.setting AS in_force, f.setting AS in_file, f.sourcefile\n\
             FROM pg_settings s LEFT JOIN pg_file_settings f USING (name) WHERE s.pending_restart;",
        ))
        .verify("No setting waits for a restart in the next snapshot.")
        .effort(Effort::S);
    finding.measures = names.iter().map(|n| ctx.setting_measure(n)).collect();
    if names.len() > 1 {
        let formula = "settings with pending_restart".to_owned();
        let evidence = ctx.all_rows(state.snapshot, "pg_settings", &["name", "pending_restart"], formula);
        finding.measures.push(ctx.seen_in(Some(state.snapshot), "Settings that wait", Some(count), evidence));
    }
    Ok(Checked { findings: vec![finding], looked_at })
}

/// Settings that a hot standby must have as much of as its primary.
const FOLLOWED: [&str; 5] = [
    "max_connections",
    "max_locks_per_transaction",
    "max_prepared_transactions",
    "max_wal_senders",
    "max_worker_processes",
];

/// In which order servers are restarted; nothing where no standby follows, or none has to.
fn order(ctx: &Context<'_>, names: &[&str]) -> String {
    let followed: Vec<&str> = names.iter().copied().filter(|n| FOLLOWED.contains(n)).collect();
    let alone = ctx.state("pg_stat_replication").is_some_and(|s| s.table.rows == 0) && ctx.is_standby() != Some(true);
    if followed.is_empty() || alone {
        return String::new();
    }
    let then = if ctx.major() < 14 { "shuts down" } else { "pauses replay" };
    format!(
        " With standbys, {}: raise on the standbys first, lower on the primary first; a hot standby with a lower value than its \
         primary's {then}.",
        followed.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::literal;

    #[test]
    fn finds_them_in_one_finding() {
        let with = |rows: &[&str]| {
            let b =
                literal("2026-11-22 12:00:00+00").view("pg_settings", "name | setting | pending_restart", rows).build();
            told(&judge(&RULE, &[b], ""))
        };
        assert_eq!(
            with(&["max_connections | 60 | t", "work_mem | 4096 | f"]),
            ["low, high: settings: max_connections was changed and waits for a restart"]
        );
        assert_eq!(
            with(&["max_connections | 60 | t", "wal_level | replica | t"]),
            ["low, high: settings: 2 settings were changed and wait for a restart"]
        );
        assert_eq!(with(&["work_mem | 4096 | f"]), ["passed: 1 setting, none waits for a restart"]);
    }

    #[test]
    fn says_where_to_begin_beside_standbys() {
        let why = |major: u8, name: &str, standbys: Option<&[&str]>| {
            let b = literal("2026-11-22 12:00:00+00").version(major).view(
                "pg_settings",
                "name | setting | pending_restart",
                &[&format!("{name} | 60 | t")],
            );
            let b = match standbys {
                Some(rows) => b.view("pg_stat_replication", "pid | application_name", rows),
                None => b,
            };
            let crate::finding::Outcome::Found { findings, .. } = judge(&RULE, &[b.build()], "") else { panic!() };
            findings[0].why.plain()
        };
        let first = "raise on the standbys first, lower on the primary first";
        assert!(why(15, "max_connections", Some(&["7 | walreceiver"])).contains(first));
        assert!(why(15, "max_connections", None).ends_with("pauses replay."));
        assert!(why(13, "max_connections", None).ends_with("shuts down."));
        assert!(!why(15, "max_connections", Some(&[])).contains(first));
        assert!(!why(15, "shared_buffers", None).contains(first));
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_eq!(
            crate::advisor::testing::told_of_nothing(&RULE),
            "skipped, input missing: `pg_settings` is not in the dump"
        );
    }
}
