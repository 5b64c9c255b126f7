//! The shared table of locks nearly full.

use crate::advisor::cure::{Effect, set_system};
use crate::advisor::sighting::Sighting;
use crate::advisor::{Check, Checked, Context, Docs, Need, Rule, Skip, Threshold, show};
use crate::finding::{Confidence, Effort, Severity, Subject, SubjectKind};
use crate::text::Text;
use crate::unit::{Quantity, Unit};

/// What PostgreSQL has where nobody set anything.
const DEFAULT: f64 = 64.0;

/// The rule.
pub const RULE: Rule = Rule {
    id: "lock-table-near-full",
    title: "Shared lock table nearly full",
    needs: &[
        Need::View("pg_locks", &["fastpath", "locktype"]),
        Need::Setting("max_locks_per_transaction"),
        Need::Setting("max_connections"),
    ],
    wants: &[Need::Setting("max_prepared_transactions")],
    thresholds: &[Threshold {
        name: "min_share",
        default: 0.7,
        unit: Unit::Share,
        about: "The last third goes with one dump or one query over many partitions.",
    }],
    docs: Docs {
        looks_at: "Locks held in the shared table (not on the fast path, no predicate locks) in each snapshot, against \
                   max_locks_per_transaction × (max_connections + max_prepared_transactions).",
        why: "When it is full, any statement of any session that needs a lock fails with \"out of shared memory\".",
        decides: "Seven tenths in any snapshot. A lock on the same object by several sessions takes one place in the table for the object \
                  and one for each session; the server keeps some memory in reserve, so that the true limit is somewhat higher.",
        what_to_do: "A larger max_locks_per_transaction (restart): queries over partitioned tables, dumps and schema changes take a \
                     lock for each table and index. On standbys it must be as large as on the primary.",
        ignore_when: "A one-off migration holds them.",
        references: "PostgreSQL manual, \"Lock Management\" (max_locks_per_transaction); \"pg_locks\".",
    },
    check,
};

fn check(cx: &Context<'_>) -> Check {
    let number = |name: &str| cx.setting(name).and_then(|s| s.value);
    let (Some(each), Some(connections)) = (number("max_locks_per_transaction"), number("max_connections")) else {
        return Err(Skip("max_locks_per_transaction or max_connections is no number".to_owned()));
    };
    let prepared = number("max_prepared_transactions").unwrap_or(0.0);
    let places = each * (connections + prepared);
    let (mut seen, mut looked) = (Vec::new(), Vec::new());
    let mut most: Option<(usize, f64)> = None;
    for (snapshot, table) in cx.samples("pg_locks") {
        looked.push(snapshot);
        let shared = |r: &crate::snapshot::Row<'_>| {
            // Every session's own virtual transaction is on the fast path, whatever the view says of old versions.
            r.bool("fastpath") != Some(true)
                && r.text("mode") != Some("SIReadLock")
                && r.text("locktype") != Some("virtualxid")
        };
        let held = table.iter().filter(shared).count() as f64;
        if held / places.max(1.0) >= cx.threshold("min_share") {
            seen.push(snapshot);
        }
        if most.is_none_or(|(_, n)| held > n) {
            most = Some((snapshot, held));
        }
    }
    let Some((at, held)) = most else { return Err(Skip("no snapshot has locks".to_owned())) };
    let looked_at = format!("at most {} of {} places", show(held, Unit::Count), show(places, Unit::Count));
    if seen.is_empty() {
        return Ok(Checked { findings: Vec::new(), looked_at });
    }
    let sighting = Sighting::new(seen, &looked);
    let share = Quantity::float(held / places.max(1.0), Unit::Share);
    let formula = format!("{} ÷ ({each:.0} × ({connections:.0} + {prepared:.0}))", show(held, Unit::Count));
    let rows: Vec<_> = cx
        .chain
        .snapshots
        .get(at)
        .and_then(|s| s.table("pg_locks"))
        .and_then(|t| t.iter().next())
        .map(|r| (r, ["granted", "fastpath"].as_slice()))
        .into_iter()
        .collect();
    let finding = cx
        .finding(
            Severity::Medium,
            Subject::new(SubjectKind::Setting, "max_locks_per_transaction"),
            Text::new().opt(share).t(" of the shared lock table in use"),
        )
        .why(
            Text::new()
                .t("When it is full, statements fail with \"out of shared memory\". It was so ")
                .then(sighting.text())
                .t("."),
        )
        .doubts([sighting.doubt()])
        .at_most(Confidence::Medium)
        .measure(cx.computed("Share of the table", share, formula, &rows))
        .measure(cx.setting_measure("max_locks_per_transaction"))
        .fix(set_system(
            "max_locks_per_transaction",
            &format!("{:.0}", (each * 2.0).max(DEFAULT)),
            Effect::Restart,
            Some(&format!("{each:.0}")),
            "A one-off migration holds the locks.".into(),
        ))
        .verify("The share stays below a half in the next snapshots.")
        .effort(Effort::M);
    Ok(Checked { findings: vec![finding], looked_at })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::{judge, told};
    use crate::snapshot::literal::literal;

    fn say(shared: usize, fast: usize) -> Vec<String> {
        let mut rows = Vec::new();
        for i in 0..shared {
            rows.push(format!("relation | {i} | 7 | AccessShareLock | t | f"));
        }
        for i in 0..fast {
            rows.push(format!("relation | {i} | 8 | AccessShareLock | t | t"));
        }
        let b = literal("2026-11-22 12:00:00+00")
            .view(
                "pg_locks",
                "locktype | relation | pid | mode | granted | fastpath",
                &rows.iter().map(String::as_str).collect::<Vec<_>>(),
            )
            .view(
                "pg_settings",
                "name | setting",
                &["max_locks_per_transaction | 10", "max_connections | 10", "max_prepared_transactions | 0"],
            )
            .build();
        told(&judge(&RULE, &[b], ""))
    }

    #[test]
    fn a_table_nearly_full_is_told() {
        assert_eq!(say(80, 50), ["medium, medium: max_locks_per_transaction: 80% of the shared lock table in use"]);
        assert_eq!(say(20, 500), ["passed: at most 20 of 100 places"]);
    }

    #[test]
    fn says_that_it_cannot_know() {
        assert_eq!(
            crate::advisor::testing::told_of_nothing(&RULE),
            "skipped, input missing: `pg_locks` is not in the dump"
        );
    }
}
