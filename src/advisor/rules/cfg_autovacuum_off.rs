//! Autovacuum, or the counters it works with, switched off.

use crate::advisor::cure::{Effect, set_system};
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Threshold};
use crate::finding::{Effort, Severity, Subject, SubjectKind};
use crate::text::Text;
use crate::unit::Unit;

/// The rule.
pub const RULE: Rule = Rule {
    id: "cfg-autovacuum-off",
    title: "Autovacuum switched off",
    needs: &[Need::Setting("autovacuum"), Need::Setting("track_counts")],
    wants: &[Need::View("database_sizes", &["datfrozenxid_age"])],
    thresholds: &[Threshold {
        name: "critical_age_share",
        default: 1.0,
        unit: Unit::Share,
        about: "From autovacuum_freeze_max_age on, the forced vacuum against wraparound is all that is left.",
    }],
    docs: Docs {
        looks_at: "The settings autovacuum and track_counts.",
        why: "Without autovacuum dead rows stay, statistics for the planner age, and transaction ids run towards their limit.",
        decides: "Off is high. Critical where a database's oldest transaction id is beyond autovacuum_freeze_max_age: then only \
                  the forced vacuum against wraparound still runs, and it comes late. Without track_counts autovacuum does \
                  not know what to do.",
        what_to_do: "Switch it on. If it disturbs, slow it down (autovacuum_vacuum_cost_delay) or tune the table.",
        ignore_when: "Another scheduler vacuums and analyzes every table, and somebody watches it.",
        references: "PostgreSQL manual, \"Automatic Vacuuming\"; \"The Autovacuum Daemon\".",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let off: Vec<&str> = ["autovacuum", "track_counts"]
        .into_iter()
        .filter(|n| ctx.exported_setting(n).and_then(|s| s.is_on()) == Some(false))
        .collect();
    let age = ctx
        .state("database_sizes")
        .and_then(|s| s.table.iter().filter_map(|r| r.f64("datfrozenxid_age")).max_by(f64::total_cmp));
    let limit = ctx.setting("autovacuum_freeze_max_age").and_then(|s| s.value);
    let late = age.zip(limit).is_some_and(|(a, l)| a >= l * ctx.threshold("critical_age_share"));
    let mut findings = Vec::new();
    for name in &off {
        findings.push(
            ctx.finding(
                if late { Severity::Critical } else { Severity::High },
                Subject::new(SubjectKind::Setting, *name),
                Text::new().code(*name).t(" is off"),
            )
            .why(if *name == "autovacuum" {
                "Dead rows stay, planner statistics age, transaction ids run towards their limit."
            } else {
                "Autovacuum has no counters to decide by, and this report sees no activity."
            })
            .doubts([ctx.exported_setting(name).and_then(|s| s.doubt())])
            .measure(ctx.setting_measure(name))
            .fix(set_system(
                name,
                "on",
                Effect::Reload,
                Some("off"),
                "Another scheduler does its work, and somebody watches it.".into(),
            ))
            .verify("The setting is on in the next snapshot, and autovacuum_count grows.")
            .effort(Effort::S),
        );
    }
    Ok(Checked { findings, looked_at: "autovacuum and track_counts are on".to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::literal;

    fn with(autovacuum: &str, counts: &str, age: &str) -> Vec<String> {
        let b = literal("2026-11-22 12:00:00+00")
            .view(
                "pg_settings",
                "name | setting",
                &[&format!("autovacuum | {autovacuum}"), &format!("track_counts | {counts}")],
            )
            .view("database_sizes", "datid | datname | datfrozenxid_age", &[&format!("5 | shop | {age}")])
            .build();
        told(&judge(&RULE, &[b], ""))
    }

    #[test]
    fn finds_each_switch() {
        assert_eq!(with("off", "on", "1000"), ["high, high: autovacuum: autovacuum is off"]);
        assert_eq!(with("on", "off", "1000"), ["high, high: track_counts: track_counts is off"]);
        assert_eq!(with("off", "on", "300000000"), ["critical, high: autovacuum: autovacuum is off"]);
    }

    #[test]
    fn stays_quiet_where_both_are_on() {
        assert_eq!(with("on", "on", "300000000"), ["passed: autovacuum and track_counts are on"]);
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_eq!(
            crate::advisor::testing::told_of_nothing(&RULE),
            "skipped, input missing: needs the setting `autovacuum`; `pg_settings` does not have it"
        );
    }
}
