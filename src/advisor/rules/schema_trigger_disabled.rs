//! Triggers that somebody switched off.

use crate::advisor::index_cure::with_timeout;
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule};
use crate::finding::{Effort, Fix, Risk, Severity, Subject, SubjectKind, Verb};
use crate::ident::{quote_ident, quote_qualified, visible};
use crate::text::{Text, counted};

/// The rule.
pub const RULE: Rule = Rule {
    id: "schema-trigger-disabled",
    title: "Trigger disabled",
    needs: &[Need::View("triggers", &["schemaname", "relname", "tgname", "tgenabled"])],
    wants: &[],
    thresholds: &[],
    docs: Docs {
        looks_at: "Triggers whose state is disabled.",
        why: "What the trigger guarantees (an audit row, a total, a check) does not hold for rows written meanwhile, and nobody sees it.",
        decides: "Each trigger with `tgenabled` D. Triggers of foreign keys are the constraint's and not exported; a replica's triggers \
                  (R) and those that always fire (A) are meant that way.",
        what_to_do: "Find out who disabled it and why, repair what it would have done, enable it.",
        ignore_when: "A load is running, or the trigger is kept for later on purpose.",
        references: "PostgreSQL manual, \"ALTER TABLE\" (DISABLE TRIGGER).",
    },
    check,
};

fn check(cx: &Context<'_>) -> Check {
    let state = cx.state_or_skip("triggers")?;
    let mut checked = Checked::default();
    for row in state.table.iter().filter(|r| r.text("tgenabled") == Some("D")) {
        let of = |column| row.text(column).unwrap_or_default();
        let (schema, table, name) = (of("schemaname"), of("relname"), of("tgname"));
        let shown = crate::ident::display_qualified(schema, table);
        let sql = |verb: &str| {
            with_timeout(&format!(
                "ALTER TABLE {} {verb} TRIGGER {};",
                quote_qualified(schema, table),
                quote_ident(name)
            ))
        };
        let subject = Subject::new(SubjectKind::Table, format!("{shown} {}", visible(name)));
        checked.findings.push(
            cx.finding(
                Severity::Medium,
                subject.clone(),
                Text::new().t("Trigger ").name(name).t(" on ").name(shown).t(" is disabled"),
            )
            .why("What it guarantees does not hold for rows written since.")
            .doubts([state.doubt()])
            .measure(cx.read("State of the trigger", row, "tgenabled"))
            .fix(
                Fix::new(Verb::Alter, Risk::R1, subject.name, sql("ENABLE"))
                    .lock("SHARE ROW EXCLUSIVE for a moment: writes wait")
                    .when_not("Before it is known why it was disabled, and while a load relies on it.")
                    .undo(sql("DISABLE")),
            )
            .verify("The trigger's state is O in the next snapshot.")
            .effort(Effort::S),
        );
    }
    checked.looked_at = counted(state.table.rows, "trigger", "triggers");
    Ok(checked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{advise, judge, told};
    use crate::snapshot::Snapshot;
    use crate::snapshot::literal::literal;
    use std::sync::Arc;

    fn taken(states: &[&str]) -> Arc<Snapshot> {
        let rows: Vec<String> =
            states.iter().enumerate().map(|(i, s)| format!("{i} | public | t\"x | audit {i} | {s}")).collect();
        literal("2026-11-22 12:00:00+00")
            .view(
                "triggers",
                "oid | schemaname | relname | tgname | tgenabled",
                &rows.iter().map(String::as_str).collect::<Vec<_>>(),
            )
            .build()
    }

    #[test]
    fn a_disabled_trigger_is_told_with_quoted_names() {
        let advice = advise(&[&RULE], &[taken(&["O", "D"])], "");
        let finding = advice.findings()[0];
        assert_eq!(finding.severity.word(), "medium");
        assert_eq!(
            finding.fixes[0].sql.lines().nth(1),
            Some("ALTER TABLE \"public\".\"t\"\"x\" ENABLE TRIGGER \"audit 1\";")
        );
    }

    #[test]
    fn other_states_are_meant_that_way() {
        assert_eq!(told(&judge(&RULE, &[taken(&["O", "R", "A"])], "")), ["passed: 3 triggers"]);
        let b = literal("2026-11-22 12:00:00+00").build();
        assert_eq!(told(&judge(&RULE, &[b], "")), ["skipped, input missing: `triggers` is not in the dump"]);
    }
}
