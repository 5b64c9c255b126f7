//! Plan types forbidden for the whole server.

use crate::advisor::cure::{Effect, set_system};
use crate::advisor::server_settings::server_value;
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule};
use crate::finding::{Effort, Severity, Subject, SubjectKind};
use crate::text::Text;

/// The rule.
pub const RULE: Rule = Rule {
    id: "cfg-planner-off",
    title: "Plan type switched off for the whole server",
    needs: &[Need::View("pg_settings", &["name", "setting", "boot_val"])],
    wants: &[],
    thresholds: &[],
    docs: Docs {
        looks_at: "Settings named enable_… that are off although PostgreSQL has them on.",
        why: "Somebody once forced a better plan for one statement; every other statement pays for it, and the cause of the bad \
              plan is still there.",
        decides: "Off where the built-in value is on. What belongs to the exporting session or role is left out.",
        what_to_do: "Reset it, find the statement it was for, and cure its estimate, statistics or index. Where a switch is \
                     really needed, for that role or that transaction only.",
        ignore_when: "Measured on this server, for its whole workload.",
        references: "PostgreSQL manual, \"Query Planning\" (planner method configuration).",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let state = ctx.state_or_skip("pg_settings")?;
    let mut findings = Vec::new();
    let mut looked = 0;
    for row in state.table.iter() {
        let Some(name) = row.text("name").filter(|n| n.starts_with("enable_") && is_plain(n)) else { continue };
        looked += 1;
        if row.text("boot_val") != Some("on") || server_value(row) != Some("off") {
            continue;
        }
        findings.push(
            ctx.finding(
                Severity::Medium,
                Subject::new(SubjectKind::Setting, name),
                Text::new().code(name).t(" is off for the whole server"),
            )
            .why("Every statement is planned without it, also those that need it.")
            .doubts([state.doubt()])
            .measure(ctx.setting_measure(name))
            .fix(set_system(
                name,
                "on",
                Effect::Reload,
                Some("off"),
                "It was measured for the whole workload of this server.".into(),
            ))
            .verify("The setting is on in the next snapshot, and the statement it was for keeps its time.")
            .effort(Effort::M),
        );
    }
    findings.sort_by(|a, b| a.subject.cmp(&b.subject));
    Ok(Checked { findings, looked_at: format!("{looked} planner switches, all as built in") })
}

/// Names go into printed SQL: a file that claims a stranger one is not believed.
fn is_plain(name: &str) -> bool {
    name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::literal;

    #[test]
    fn finds_switches_that_somebody_turned_and_no_others() {
        let b = literal("2026-11-22 12:00:00+00")
            .view(
                "pg_settings",
                "name | setting | boot_val | reset_val | source",
                &[
                    "enable_seqscan | off | on | off | configuration file",
                    "enable_partitionwise_join | off | off | off | default",
                    "enable_nestloop | off | on | on | session",
                    "enable_hashjoin | off | on | off | user",
                    "enable_x = on; drop table t; -- | off | on | off | configuration file",
                ],
            )
            .build();
        assert_eq!(
            told(&judge(&RULE, &[b], "")),
            ["medium, high: enable_seqscan: enable_seqscan is off for the whole server"]
        );
    }

    #[test]
    fn stays_quiet_about_switches_at_their_defaults() {
        let b = literal("2026-11-22 12:00:00+00").view(
            "pg_settings",
            "name | setting | boot_val | reset_val | source",
            &["enable_seqscan | on | on | on | default", "enable_partitionwise_join | off | off | off | default"],
        );
        assert!(told(&judge(&RULE, &[b.build()], ""))[0].starts_with("passed"));
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_eq!(
            crate::advisor::testing::told_of_nothing(&RULE),
            "skipped, input missing: `pg_settings` is not in the dump"
        );
    }
}
