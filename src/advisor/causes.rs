//! Causes before symptoms: the order in which a plan works.

use super::plan::{PlannedAction, When};
use crate::finding::{Fix, Risk, Severity, Verb};

/// Causes whose cure makes the symptom's cure work, or unnecessary.
const CAUSES: &[(&str, &str)] = &[
    ("cfg-autovacuum-off", "vacuum-dead-tuples"),
    ("cfg-autovacuum-off", "vacuum-autovacuum-behind"),
    ("vacuum-blocked-horizon", "vacuum-dead-tuples"),
    ("vacuum-blocked-horizon", "vacuum-autovacuum-behind"),
    ("vacuum-blocked-horizon", "bloat-heap-estimate"),
    ("vacuum-blocked-horizon", "wrap-xid-age"),
    ("vacuum-blocked-horizon", "wrap-multixact-age"),
    ("vacuum-blocked-horizon", "plan-heap-fetches"),
    ("vacuum-blocked-horizon", "vacuum-insert-only"),
    ("vacuum-blocked-horizon", "vacuum-toast-dead"),
    ("vacuum-blocked-horizon", "vacuum-too-frequent"),
    ("conn-long-transaction", "wrap-xid-age"),
    ("wrap-prepared-xact", "wrap-xid-age"),
    ("wrap-prepared-xact", "wrap-multixact-age"),
    ("slot-xmin-old", "wrap-xid-age"),
    ("conn-idle-in-transaction", "vacuum-dead-tuples"),
    ("wrap-prepared-xact", "vacuum-dead-tuples"),
    ("wrap-prepared-xact", "vacuum-autovacuum-behind"),
    ("wrap-prepared-xact", "vacuum-insert-only"),
    ("wrap-prepared-xact", "vacuum-toast-dead"),
    ("slot-xmin-old", "vacuum-dead-tuples"),
    ("slot-xmin-old", "vacuum-autovacuum-behind"),
    ("slot-xmin-old", "vacuum-insert-only"),
    // It asks who still sees dead rows: while somebody does, no vacuum removes them.
    ("vacuum-too-frequent", "vacuum-dead-tuples"),
    ("vacuum-too-frequent", "vacuum-autovacuum-behind"),
    ("vacuum-too-frequent", "vacuum-insert-only"),
    ("vacuum-too-frequent", "vacuum-toast-dead"),
    ("vacuum-never-analyzed", "index-missing-predicate"),
    ("vacuum-stale-analyze", "index-missing-predicate"),
    ("index-duplicate", "index-unused"),
    // zero_damaged_pages empties the pages that are to be looked at.
    ("cfg-dev-options", "io-checksum-failure"),
    ("cfg-dev-options", "wrap-xid-age"),
    ("cfg-dev-options", "wrap-multixact-age"),
    // A vacuum fails at a damaged page.
    ("io-checksum-failure", "wrap-xid-age"),
    ("io-checksum-failure", "wrap-multixact-age"),
    ("io-checksum-failure", "vacuum-insert-only"),
    ("io-checksum-failure", "vacuum-dead-tuples"),
    ("io-checksum-failure", "bloat-heap-estimate"),
    // A search_path is as safe as the schemas in it.
    ("sec-public-create", "sec-definer-search-path"),
];

/// Rules about those who keep transactions or snapshots open.
const HOLDERS: &[&str] = &[
    "lock-blocked-chain",
    "lock-ddl-queue",
    "conn-idle-in-transaction",
    "conn-long-transaction",
    "wrap-prepared-xact",
    "vacuum-blocked-horizon",
    "vacuum-too-frequent",
];

/// Whether an action waits for open transactions, or can remove nothing while they are open. Tried on PostgreSQL 15: an
/// index built CONCURRENTLY waited for a session that waited for a prepared transaction, until that was rolled back.
fn waits_for_holders(action: &PlannedAction) -> bool {
    let waits = |fix: &Fix| {
        let lines = fix.sql.lines().filter(|line| !line.starts_with("--"));
        let vacuums = |line: &str| fix.verb == Verb::Maintain && line.starts_with("VACUUM");
        lines.into_iter().any(|line| line.contains(" CONCURRENTLY ") || vacuums(line))
    };
    action.fixes.iter().any(waits)
}

/// Moves a symptom's actions behind its cause's; they are not more urgent than that either, or the cause as urgent as they.
pub(super) fn causes_first(actions: &mut Vec<PlannedAction>) {
    // A cause may itself be a symptom: as often as there are pairs is enough for the longest chain.
    for _ in 0..CAUSES.len() + HOLDERS.len() {
        let mut moved = false;
        for (cause, symptom) in CAUSES {
            moved |= put_behind(actions, cause, |a| has(a, symptom));
        }
        for holder in HOLDERS {
            moved |= put_behind(actions, holder, |a| waits_for_holders(a) && !HOLDERS.iter().any(|h| has(a, h)));
        }
        if !moved {
            break;
        }
    }
}

fn has(action: &PlannedAction, rule: &str) -> bool {
    action.rules.iter().any(|r| r == rule)
}

/// Whether anything had to be moved.
fn put_behind(actions: &mut Vec<PlannedAction>, cause: &str, is_symptom: impl Fn(&PlannedAction) -> bool) -> bool {
    let late = |a: &PlannedAction| is_symptom(a) && !has(a, cause);
    let Some(at) = actions.iter().rposition(|a| has(a, cause) && !is_symptom(a)) else { return false };
    let tail = actions.split_off(at + 1);
    let (mut late, mut head): (Vec<_>, Vec<_>) = actions.drain(..).partition(late);
    let soonest = late.iter().map(|a| a.when).min();
    let emergency = late.iter().any(|a| a.severity == Severity::Critical);
    if let Some(soonest) = soonest {
        let mut done = soonest;
        for first in head.iter_mut().filter(|a| has(a, cause) && !is_symptom(a)) {
            // What risks nothing is done as soon as what waits for it; who stands in the way is dealt with as soon, too,
            // and where that destroys something in haste only for an emergency.
            let early = match first.risk {
                Risk::R0 | Risk::R1 => soonest,
                Risk::R2 if HOLDERS.contains(&cause) => soonest,
                Risk::R3 if HOLDERS.contains(&cause) && emergency => soonest,
                Risk::R3 if HOLDERS.contains(&cause) => soonest.max(When::ShortTerm),
                Risk::R2 | Risk::R3 => first.when,
            };
            first.when = first.when.min(early);
            done = done.max(first.when);
        }
        for action in &mut late {
            action.when = action.when.max(done);
        }
    }
    let moved = !late.is_empty();
    actions.extend(head.into_iter().chain(late).chain(tail));
    // A cause that has become urgent takes those behind it along to the front: what they wait for else is decided there.
    actions.sort_by_key(|a| a.when);
    moved
}

#[cfg(test)]
mod tests {
    use crate::advisor::index::testing::shop;
    use crate::advisor::rules::RULES;
    use crate::advisor::testing::advise;

    /// CREATE INDEX CONCURRENTLY waits for whoever waits for a prepared transaction.
    #[test]
    fn what_waits_for_open_transactions_comes_after_those_who_hold_them_open() {
        let statements = [("select * from orders where customer_id = $1", 2_000.0, 20_000.0, 10.0)];
        let taken = |at, part| {
            shop(at, &statements, part, &[], 1e9)
                .view(
                    "pg_prepared_xacts",
                    "transaction | gid | prepared | owner | database",
                    &["827 | gone | 2026-11-22 08:00:00+00 | app | shop"],
                )
                .build()
        };
        let rules: Vec<_> = RULES
            .iter()
            .filter(|r| ["index-missing-predicate", "wrap-prepared-xact"].contains(&r.id))
            .copied()
            .collect();
        let advice = advise(&rules, &[taken("2026-11-22 12:00:00+00", 0.0), taken("2026-11-22 14:00:00+00", 1.0)], "");
        let order: Vec<_> = advice.actions.iter().map(|a| a.rules[0].as_str()).collect();
        assert_eq!(order, ["wrap-prepared-xact", "index-missing-predicate"]);
    }
}
