//! Checkpoint writes that are not spread.

use crate::advisor::cure::{Effect, set_system};
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Skip, Threshold, show};
use crate::finding::{Effort, Severity, Subject, SubjectKind};
use crate::text::Text;
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "ckpt-target-low",
    title: "Checkpoint writes not spread",
    needs: &[Need::Setting("checkpoint_completion_target")],
    wants: &[],
    thresholds: &[Threshold { name: "min_target", default: 0.9, unit: Unit::Plain, about: "The default from 14 on." }],
    docs: Docs {
        looks_at: "checkpoint_completion_target.",
        why: "A checkpoint writes its pages within this part of the time until the next one. Below 0.9 it writes faster than \
              it needs to, in bursts that other reads and writes feel.",
        decides: "Below 0.9. Up to 13 the default was 0.5.",
        what_to_do: "0.9, unless storage never notices a checkpoint.",
        ignore_when: "Somebody measured that the lower value is better here.",
        references: "PostgreSQL manual, \"WAL\" (checkpoint_completion_target): its default was raised to 0.9 in 14.",
    },
    check,
};

fn check(ctx: &Context<'_>) -> Check {
    const NAME: &str = "checkpoint_completion_target";
    let setting = ctx.exported_setting(NAME).ok_or_else(|| Skip("the setting is not known".to_owned()))?;
    let target = setting.value.ok_or_else(|| Skip("the setting is no number".to_owned()))?;
    let looked_at = format!("{NAME} is {}", show(target, Unit::Plain));
    if target >= ctx.threshold("min_target") {
        return Ok(Checked { findings: Vec::new(), looked_at });
    }
    let finding = ctx
        .finding(
            Severity::Low,
            Subject::new(SubjectKind::Setting, NAME),
            Text::new().code(NAME).t(" is ").opt(Quantity::float(target, Unit::Plain)),
        )
        .why("Checkpoints write faster than they need to, in bursts.")
        .doubts([setting.doubt()])
        .measure(ctx.setting_measure(NAME))
        .fix(set_system(
            NAME,
            "0.9",
            Effect::Reload,
            Some(setting.text),
            "Storage is idle during checkpoints anyway.".into(),
        ))
        .verify("The setting is 0.9 in the next snapshot.")
        .effort(Effort::S);
    Ok(Checked { findings: vec![finding], looked_at })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::literal;

    #[test]
    fn finds_the_old_default_and_stays_quiet_about_the_new() {
        let with = |value: &str| {
            let row = format!("checkpoint_completion_target | {value}");
            told(&judge(
                &RULE,
                &[literal("2026-11-22 12:00:00+00").view("pg_settings", "name | setting", &[&row]).build()],
                "",
            ))
        };
        assert_eq!(with("0.5"), ["low, high: checkpoint_completion_target: checkpoint_completion_target is 0.5"]);
        assert_eq!(with("0.9"), ["passed: checkpoint_completion_target is 0.9"]);
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_eq!(
            crate::advisor::testing::told_of_nothing(&RULE),
            "skipped, input missing: needs the setting `checkpoint_completion_target`; `pg_settings` does not have it"
        );
    }
}
