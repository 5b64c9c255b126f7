//! Collection that is switched off.

use crate::advisor::cure::{Effect, set_system};
use crate::advisor::server_settings::server_value;
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Skip};
use crate::finding::{Effort, Severity, Subject, SubjectKind};
use crate::text::Text;

/// The rule.
pub const RULE: Rule = Rule {
    id: "hyg-tracking-off",
    title: "Part of the collection is off",
    needs: &[Need::View("pg_settings", &["name", "setting"])],
    wants: &[],
    thresholds: &[],
    docs: Docs {
        looks_at: "track_functions, compute_query_id, pg_stat_statements.track, pg_stat_statements.track_planning.",
        why: "What is not collected is not zero: checks that would use it are blind.",
        decides: "Off; one finding lists them and what stays unseen. track_io_timing has a check of its own.",
        what_to_do: "Switch on what is missed. track_planning slows down sessions that run the same short statements at a time, says the manual.",
        ignore_when: "Nobody needs it.",
        references: "PostgreSQL manual, \"Run-time Statistics\"; \"pg_stat_statements\".",
    },
    check,
};

/// Setting, the value that means off, the value that is on, what stays unseen, when not to.
const SWITCHES: [(&str, &str, &str, &str, &str); 4] = [
    ("compute_query_id", "off", "auto", "statements", "Nobody needs statement statistics."),
    ("pg_stat_statements.track", "none", "top", "statements", "Nobody needs statement statistics."),
    (
        "pg_stat_statements.track_planning",
        "off",
        "on",
        "planning times",
        "Many sessions run the same short statements at a time: they compete to update few entries, and get noticeably slower. \
         Nobody needs planning times.",
    ),
    (
        "track_functions",
        "none",
        "pl",
        "time in functions",
        "Short functions are called very often and nobody needs their times.",
    ),
];

fn check(ctx: &Context<'_>) -> Check {
    let known = SWITCHES.iter().filter(|(name, ..)| ctx.setting_row(name).is_some()).count();
    if known == 0 {
        return Err(Skip("none of the settings it looks at is in the dump".to_owned()));
    }
    let off: Vec<_> =
        SWITCHES.iter().filter(|(name, off, ..)| ctx.setting_row(name).and_then(server_value) == Some(*off)).collect();
    let looked_at = format!("{known} of {} switches of the collection are in the dump, all on", SWITCHES.len());
    if off.is_empty() {
        return Ok(Checked { findings: Vec::new(), looked_at });
    }
    let mut unseen: Vec<&str> = off.iter().map(|(_, _, _, what, _)| *what).collect();
    unseen.dedup();
    let mut finding = ctx
        .finding(
            Severity::Info,
            Subject::new(SubjectKind::Server, "collection"),
            Text::new().t(format!("Not collected: {}", unseen.join(", "))),
        )
        .why("What is not collected is not zero: checks that would use it are blind.")
        .members(off.iter().map(|(name, ..)| Subject::new(SubjectKind::Setting, *name)).collect())
        .verify("The settings are on in the next snapshot.")
        .effort(Effort::S);
    for (name, value, on, _, when_not) in off {
        finding.doubts.extend(ctx.exported_setting(name).and_then(|s| s.doubt()));
        finding = finding.measure(ctx.setting_measure(name)).fix(set_system(
            name,
            on,
            Effect::Reload,
            Some(value),
            (*when_not).into(),
        ));
    }
    Ok(Checked { findings: vec![finding], looked_at })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::literal;

    #[test]
    fn lists_what_stays_unseen() {
        let with = |rows: &[&str]| {
            let b = literal("2026-11-22 12:00:00+00").view("pg_settings", "name | setting | source", rows).build();
            told(&judge(&RULE, &[b], ""))
        };
        assert_eq!(
            with(&["track_functions | none | default", "pg_stat_statements.track_planning | off | default"]),
            ["info, high: collection: Not collected: planning times, time in functions"]
        );
        assert_eq!(
            with(&["track_functions | pl | default"]),
            ["passed: 1 of 4 switches of the collection are in the dump, all on"]
        );
        assert_eq!(with(&["work_mem | 4096 | default"]), ["skipped: none of the settings it looks at is in the dump"]);
    }
}
