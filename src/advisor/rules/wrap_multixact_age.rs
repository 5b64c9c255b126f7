//! How far the oldest multixact id is from the limits.

use crate::advisor::wrap_ages::{self, Ids};
use crate::advisor::{Check, Context, Docs, Need, Rule, Threshold};
use crate::catalog::wraparound::Limits;
use crate::unit::Unit;

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
                  `high_factor` times, critical from `critical_age` on. Databases of one cause are one finding, as for transaction ids. The space for members can run out earlier; no \
                  export tells it.",
        what_to_do: "VACUUM (FREEZE) on the oldest tables; find what locks the same rows many times over.",
        ignore_when: "A note needs nothing.",
        references: "PostgreSQL manual: Routine Vacuuming (Multixacts and Wraparound).",
    },
    check,
};

const IDS: Ids = Ids {
    noun: "multixact id",
    column: "datminmxid_age",
    table_column: "relminmxid_age",
    function: "mxid_age(datminmxid)",
    table_function: "mxid_age(relminmxid)",
    setting: ("autovacuum_multixact_freeze_max_age", |s| s.multixact_freeze_max_age),
    refused: "refused locks",
    who: "New ones",
    limits: Limits::multixact,
    emergency: |_| None,
};

fn check(cx: &Context<'_>) -> Check {
    wrap_ages::check(cx, IDS)
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
            "critical, high: multixact ids: Oldest multixact id of shop is 1,700,000,000 old, 79.3% of the way to refused locks"
        );
        assert_eq!(
            say(1_300_000_000),
            "high, high: multixact ids: Oldest multixact id of shop is 1,300,000,000 old, 3.25× autovacuum_multixact_freeze_max_age, \
             60.6% of the way to refused locks"
        );
        assert!(say(700_000_000).starts_with("medium"));
        assert!(say(500_000_000).starts_with("info"));
    }

    #[test]
    fn stays_quiet_and_skips() {
        assert_eq!(say(10), "passed: 1 databases, the oldest at 10 of 2,144,483,647 multixact ids");
        let b = literal("2026-11-22 12:00:00+00").build();
        assert_eq!(told(&judge(&RULE, &[b], "")), ["skipped, input missing: `database_sizes` is not in the dump"]);
    }
}
