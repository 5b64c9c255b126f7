//! How far the oldest multixact id is from the limits.

use crate::advisor::horizon::look_at_holders;
use crate::advisor::vacuum_cure::freeze;
use crate::advisor::wrap_limits::{Limits, fell, oldest_tables, overdue_words, reason_words, verdict};
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
    let limits = Limits::multixact(cx.major());
    let max_age = cx.facts.autovacuum.multixact_freeze_max_age;
    let mut checked = Checked::default();
    let mut most: f64 = 0.0;
    for row in state.table.iter() {
        let Some(age) = row.f64("datminmxid_age").filter(|a| *a >= 0.0) else { continue };
        most = most.max(age);
        let name = row.text("datname").unwrap_or_default();
        let fell = fell(cx, name, "datminmxid_age");
        let Some((severity, reason)) = verdict(cx, age, max_age, fell) else { continue };
        let (times, way) = (age / max_age.max(1.0), age / limits.refusal);
        let title = Text::new()
            .t("Oldest multixact id is ")
            .opt(Quantity::float(age, Unit::Xids))
            .t(" old")
            .then(reason_words(reason, times, "autovacuum_multixact_freeze_max_age", way, "refused locks"));
        let mut finding = cx
            .finding(severity, Subject::new(SubjectKind::Database, name), title)
            .why(
                Text::new()
                    .t("New ones are refused at an age of ")
                    .opt(Quantity::float(limits.refusal, Unit::Xids))
                    .t("; autovacuum_multixact_freeze_max_age is ")
                    .opt(Quantity::float(max_age, Unit::Xids))
                    .t(overdue_words(reason, severity, fell)),
            )
            .measure(cx.read("Age", row, "datminmxid_age"))
            .measure(cx.computed(
                "Age ÷ autovacuum_multixact_freeze_max_age",
                Quantity::float(times, Unit::Times),
                format!("{} ÷ {}", show(age, Unit::Xids), show(max_age, Unit::Xids)),
                &[(row, &["datminmxid_age"])],
            ))
            .measure(cx.computed(
                "Way to refused locks",
                Quantity::float(way, Unit::Share),
                format!("{} ÷ {}", show(age, Unit::Xids), show(limits.refusal, Unit::Xids)),
                &[(row, &["datminmxid_age"])],
            ))
            .share(Some(way))
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
        assert_eq!(
            say(1_700_000_000),
            "critical, high: shop: Oldest multixact id is 1,700,000,000 old, 79.3% of the way to refused locks"
        );
        assert_eq!(
            say(1_300_000_000),
            "high, high: shop: Oldest multixact id is 1,300,000,000 old, 3.25× autovacuum_multixact_freeze_max_age, \
             60.6% of the way to refused locks"
        );
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
