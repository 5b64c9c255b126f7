//! How far the oldest multixact id is from the limits.

use crate::advisor::horizon::look_at_holders;
use crate::advisor::vacuum_cure::freeze;
use crate::advisor::wrap_limits::oldest_tables;
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Threshold, show};
use crate::finding::{Effort, Severity, Subject, SubjectKind};
use crate::text::Text;
use crate::unit::{Quantity, Unit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "wrap-multixact-age",
    title: "Multixact ids near a limit",
    needs: &[Need::Primary, Need::View("database_sizes", &["datminmxid_age"])],
    wants: &[Need::View("table_sizes", &["relminmxid_age"]), Need::View("pg_settings", &["setting"])],
    thresholds: &[
        Threshold {
            name: "medium_factor",
            default: 1.5,
            unit: Unit::Times,
            about: "Of autovacuum_multixact_freeze_max_age: the routine vacuum should have come.",
        },
        Threshold {
            name: "high_factor",
            default: 3.0,
            unit: Unit::Times,
            about: "Of autovacuum_multixact_freeze_max_age: it is not coming.",
        },
        Threshold { name: "critical_age", default: 1.6e9, unit: Unit::Xids, about: "The failsafe (14+) begins here." },
    ],
    docs: Docs {
        looks_at: "`mxid_age(datminmxid)` of every database.",
        why: "Rows locked by several transactions at once (FOR SHARE, foreign keys) carry multixact ids, which are numbers in a circle \
              like transaction ids: near its end no new ones are given and such locks fail.",
        decides: "Above `autovacuum_multixact_freeze_max_age` a note, medium from `medium_factor` times that, high from \
                  `high_factor` times, critical from `critical_age` on. The space for members can run out earlier; no \
                  export tells it.",
        what_to_do: "VACUUM (FREEZE) on the oldest tables; find what locks the same rows many times over.",
        ignore_when: "A note needs nothing.",
        references: "PostgreSQL manual: Routine Vacuuming (Multixacts and Wraparound).",
    },
    check,
};

fn check(cx: &Context<'_>) -> Check {
    let state = cx.state_or_skip("database_sizes")?;
    let max_age = cx.facts.autovacuum.multixact_freeze_max_age;
    let mut checked = Checked::default();
    let mut most: f64 = 0.0;
    for row in state.table.iter() {
        let Some(age) = row.f64("datminmxid_age").filter(|a| *a >= 0.0) else { continue };
        most = most.max(age);
        let severity = if age >= cx.threshold("critical_age") {
            Severity::Critical
        } else if age > cx.threshold("high_factor") * max_age {
            Severity::High
        } else if age > cx.threshold("medium_factor") * max_age {
            Severity::Medium
        } else if age > max_age {
            Severity::Info
        } else {
            continue;
        };
        let name = row.text("datname").unwrap_or_default();
        let title = Text::new().t("Oldest multixact id is ").opt(Quantity::float(age, Unit::Xids)).t(" old");
        let mut finding = cx
            .finding(severity, Subject::new(SubjectKind::Database, name), title)
            .why(
                Text::new()
                    .t("autovacuum_multixact_freeze_max_age is ")
                    .opt(Quantity::float(max_age, Unit::Xids))
                    .t("; above it a vacuum comes that cannot be switched off."),
            )
            .measure(cx.read("Age", row, "datminmxid_age"))
            .effort(Effort::M)
            .verify("mxid_age(datminmxid) falls below autovacuum_multixact_freeze_max_age.");
        if severity > Severity::Info {
            // While somebody needs the old ones, no vacuum makes the age less.
            finding = finding.fix(look_at_holders());
        }
        if severity > Severity::Info && cx.chain.last().meta.database.as_deref() == Some(name) {
            for table in oldest_tables(cx, "relminmxid_age") {
                finding = finding.fix(freeze(table));
            }
        }
        checked.findings.push(finding);
    }
    checked.looked_at = format!(
        "{} databases, the oldest at {} of {} multixact ids",
        state.table.rows,
        show(most, Unit::Xids),
        show(max_age, Unit::Xids)
    );
    Ok(checked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::literal;

    fn say(age: u64) -> String {
        let b = literal("2026-11-22 12:00:00+00").view(
            "database_sizes",
            "datid | datname | datminmxid_age",
            &[&format!("16697 | shop | {age}")],
        );
        told(&judge(&RULE, &[b.build()], "")).remove(0)
    }

    #[test]
    fn the_age_decides() {
        assert_eq!(say(1_700_000_000), "critical, high: shop: Oldest multixact id is 1,700,000,000 old");
        assert!(say(1_300_000_000).starts_with("high"));
        assert!(say(700_000_000).starts_with("medium"));
        assert!(say(500_000_000).starts_with("info"));
    }

    #[test]
    fn stays_quiet_and_skips() {
        assert_eq!(say(10), "passed: 1 databases, the oldest at 10 of 400,000,000 multixact ids");
        let b = literal("2026-11-22 12:00:00+00").build();
        assert_eq!(told(&judge(&RULE, &[b], "")), ["skipped, input missing: `database_sizes` is not in the dump"]);
    }
}
