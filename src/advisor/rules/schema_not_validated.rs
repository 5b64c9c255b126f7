//! Constraints that hold for new rows only.

use crate::advisor::index_cure::with_timeout;
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule};
use crate::finding::{Effort, Fix, Risk, Severity, Subject, SubjectKind, Verb};
use crate::ident::{quote_ident, quote_qualified};
use crate::text::{Text, counted};

/// The rule.
pub const RULE: Rule = Rule {
    id: "schema-not-validated",
    title: "Constraint not validated",
    needs: &[Need::View("constraints", &["convalidated", "conname"])],
    wants: &[],
    thresholds: &[],
    docs: Docs {
        looks_at: "`convalidated` of every constraint.",
        why: "A constraint added NOT VALID holds for new and changed rows, not for those that were there. Nobody may \
              rely on it yet, neither people nor the planner.",
        decides: "Found when it is not validated; low. Partitions are left to their partitioned table. Constraints that \
                  are declared NOT ENFORCED (18+) never are and are not reported.",
        what_to_do: "Validate it: the table is read once under a lock that lets reads and writes go on. It fails if a \
                     row breaks the constraint, and changes nothing then.",
        ignore_when: "A migration is under way that will validate it.",
        references: "PostgreSQL manual: ALTER TABLE (VALIDATE CONSTRAINT).",
    },
    check,
};

fn check(cx: &Context<'_>) -> Check {
    let state = cx.state_or_skip("constraints")?;
    let mut checked = Checked {
        looked_at: format!("{}, all validated", counted(state.table.rows, "constraint", "constraints")),
        ..Checked::default()
    };
    for row in state.table.iter().filter(|r| r.bool("convalidated") == Some(false)) {
        let inherited = row.int("relid").is_some_and(|relid| cx.facts.root(relid) != relid);
        if inherited || row.bool("conenforced") == Some(false) {
            continue;
        }
        let text = |column| row.text(column).unwrap_or_default();
        let (schema, table, name) = (text("schemaname"), text("relname"), text("conname"));
        let subject =
            Subject::new(SubjectKind::Constraint, format!("{} {name}", crate::ident::display_qualified(schema, table)));
        let sql = with_timeout(&format!(
            "ALTER TABLE {} VALIDATE CONSTRAINT {};",
            quote_qualified(schema, table),
            quote_ident(name)
        ));
        let fix = Fix::new(Verb::Alter, Risk::R1, &subject.name, sql)
            .lock("SHARE UPDATE EXCLUSIVE; for a foreign key also ROW SHARE on the referenced table")
            .when_not(
                "At a time of heavy reads: it reads the whole table. It fails where a row breaks the constraint.",
            );
        checked.findings.push(
            cx.finding(Severity::Low, subject, Text::new().t("Not validated: ").code(text("definition")))
                .doubts([state.doubt()])
                .why("It holds for rows written since it was added; whether older rows keep it, nobody has checked.")
                .measure(cx.read("Constraint", row, "convalidated"))
                .fix(fix)
                .effort(Effort::S)
                .verify("convalidated is true."),
        );
    }
    Ok(checked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::literal;
    use std::sync::Arc;

    fn taken(valid: &str) -> Arc<crate::snapshot::Snapshot> {
        literal("2026-11-22 12:00:00+00")
            .view(
                "constraints",
                "oid | schemaname | relname | conname | contype | convalidated | relid | definition",
                &[&format!("5 | public | t | ck | c | {valid} | 1 | CHECK ((a > 0)) NOT VALID")],
            )
            .build()
    }

    #[test]
    fn finds_one() {
        let outcome = judge(&RULE, &[taken("f")], "");
        assert_eq!(told(&outcome), ["low, high: public.t ck: Not validated: CHECK ((a > 0)) NOT VALID"]);
        let crate::finding::Outcome::Found { findings, .. } = outcome else { panic!() };
        assert_eq!(
            findings[0].fixes[0].sql.lines().nth(1),
            Some(r#"ALTER TABLE "public"."t" VALIDATE CONSTRAINT "ck";"#)
        );
    }

    #[test]
    fn stays_quiet_and_skips() {
        assert_eq!(told(&judge(&RULE, &[taken("t")], "")), ["passed: 1 constraint, all validated"]);
        let b = literal("2026-11-22 12:00:00+00").build();
        assert_eq!(told(&judge(&RULE, &[b], "")), ["skipped, input missing: `constraints` is not in the dump"]);
    }
}
