//! I/O times that are not recorded.

use crate::advisor::cure::{Effect, set_system};
use crate::advisor::server_settings::server_value;
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule};
use crate::finding::{Effort, Severity, Subject, SubjectKind};
use crate::text::Text;

/// The rule.
pub const RULE: Rule = Rule {
    id: "io-timing-off",
    title: "I/O times not recorded",
    needs: &[Need::Setting("track_io_timing")],
    wants: &[],
    thresholds: &[],
    docs: Docs {
        looks_at: "track_io_timing.",
        why: "Without it nothing tells how long statements wait for blocks, and slow storage cannot be told from slow plans.",
        decides: "Off for the server.",
        what_to_do: "Measure the clock with pg_test_timing; on nearly all machines it costs nothing that can be measured. Then \
                     switch it on.",
        ignore_when: "pg_test_timing shows a slow clock.",
        references: "PostgreSQL manual, \"Run-time Statistics\" (track_io_timing); \"pg_test_timing\".",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    let off = ctx.setting_row("track_io_timing").and_then(server_value) == Some("off");
    let mut findings = Vec::new();
    if off {
        findings.push(
            ctx.finding(
                Severity::Info,
                Subject::new(SubjectKind::Setting, "track_io_timing"),
                Text::new().code("track_io_timing").t(" is off: no read or write times"),
            )
            .why("Slow storage cannot be told from slow plans.")
            .doubts([ctx.exported_setting("track_io_timing").and_then(|s| s.doubt())])
            .measure(ctx.setting_measure("track_io_timing"))
            .fix(set_system(
                "track_io_timing",
                "on",
                Effect::Reload,
                Some("off"),
                "pg_test_timing shows a slow clock.".into(),
            ))
            .verify("Read times are there in the next window.")
            .effort(Effort::S),
        );
    }
    Ok(Checked { findings, looked_at: "track_io_timing is on".to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::literal;

    #[test]
    fn informs_where_it_is_off() {
        let with = |value: &str| {
            let row = format!("track_io_timing | {value}");
            told(&judge(
                &RULE,
                &[literal("2026-11-22 12:00:00+00").view("pg_settings", "name | setting", &[&row]).build()],
                "",
            ))
        };
        assert_eq!(with("off"), ["info, high: track_io_timing: track_io_timing is off: no read or write times"]);
        assert_eq!(with("on"), ["passed: track_io_timing is on"]);
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_eq!(
            crate::advisor::testing::told_of_nothing(&RULE),
            "skipped, input missing: needs the setting `track_io_timing`; `pg_settings` does not have it"
        );
    }
}
