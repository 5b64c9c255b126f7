//! The plan must not contradict itself: settled here, before anything is printed.

use super::plan::PlannedAction;
use crate::finding::Verb;
use std::collections::{BTreeMap, BTreeSet};

/// In which order the reasons to drop an index decide, where they disagree about what stays: what is never used goes
/// before what another one serves, because the other one might be the unused one.
const DROP_ORDER: &[&str] =
    &["index-ccnew-leftover", "index-invalid", "index-duplicate", "index-unused", "index-redundant-prefix"];

/// Causes whose cure makes the symptom's cure work, or unnecessary.
const CAUSES: &[(&str, &str)] = &[
    ("cfg-autovacuum-off", "vacuum-dead-tuples"),
    ("cfg-autovacuum-off", "vacuum-autovacuum-behind"),
    ("vacuum-blocked-horizon", "vacuum-dead-tuples"),
    ("vacuum-blocked-horizon", "vacuum-autovacuum-behind"),
    ("vacuum-blocked-horizon", "bloat-heap-estimate"),
    ("vacuum-blocked-horizon", "wrap-xid-age"),
    ("conn-idle-in-transaction", "vacuum-dead-tuples"),
    ("wrap-prepared-xact", "vacuum-dead-tuples"),
    ("slot-xmin-old", "vacuum-dead-tuples"),
    ("vacuum-never-analyzed", "index-missing-predicate"),
    ("vacuum-stale-analyze", "index-missing-predicate"),
    ("index-duplicate", "index-unused"),
];

/// A statement taken out of the plan: the findings that proposed it must not print it either.
#[derive(Clone, Debug, PartialEq)]
pub struct Withdrawn {
    /// Keys of the findings.
    pub findings: Vec<String>,
    /// What it would have done.
    pub verb: Verb,
    /// To what.
    pub object: String,
    /// Why not.
    pub why: String,
}

/// Settles contradictions: objects both dropped and needed, two values for one setting, two rewrites of one table.
pub(super) fn settle(actions: &mut Vec<PlannedAction>) -> Vec<Withdrawn> {
    let mut out = Vec::new();
    out.extend(drops_keep_what_replaces_them(actions));
    out.extend(created_is_not_dropped(actions));
    out.extend(one_value_per_setting(actions));
    out.extend(no_rewrite_beside_vacuum(actions));
    out.extend(each_setting_once(actions));
    actions.retain(|a| !a.fixes.is_empty());
    out
}

/// All index drops are decided as one set: an index goes only if what replaces it stays.
fn drops_keep_what_replaces_them(actions: &mut [PlannedAction]) -> Vec<Withdrawn> {
    let mut drops: Vec<(usize, usize, usize)> = Vec::new();
    for (a, action) in actions.iter().enumerate() {
        let order = action.rules.iter().filter_map(|r| DROP_ORDER.iter().position(|d| d == r)).min();
        for (f, _) in action.fixes.iter().enumerate().filter(|(_, f)| f.verb == Verb::Drop) {
            drops.push((order.unwrap_or(DROP_ORDER.len()), a, f));
        }
    }
    drops.sort_unstable();
    let mut gone: BTreeSet<String> = BTreeSet::new();
    let mut needed: BTreeMap<String, String> = BTreeMap::new();
    let mut withdrawn: Vec<(usize, usize, String)> = Vec::new();
    for (_, a, f) in drops {
        let Some(fix) = actions.get(a).and_then(|x| x.fixes.get(f)) else { continue };
        if let Some(by) = needed.get(&fix.object) {
            withdrawn.push((
                a,
                f,
                format!("{} is not dropped now: it replaces {by}; judge it again after that", fix.object),
            ));
        } else if let Some(lost) = fix.keeps.iter().find(|k| gone.contains(*k)) {
            withdrawn.push((a, f, format!("{} is not dropped: it would replace {lost}, which is dropped", fix.object)));
        } else {
            gone.insert(fix.object.clone());
            needed.extend(fix.keeps.iter().map(|k| (k.clone(), fix.object.clone())));
        }
    }
    take_out(actions, withdrawn)
}

/// Nothing is created in one action and dropped in another.
fn created_is_not_dropped(actions: &mut [PlannedAction]) -> Vec<Withdrawn> {
    let created: BTreeSet<String> =
        actions.iter().flat_map(|a| &a.fixes).filter(|f| f.verb == Verb::Create).map(|f| f.object.clone()).collect();
    let mut withdrawn = Vec::new();
    for (a, action) in actions.iter().enumerate() {
        for (f, fix) in action.fixes.iter().enumerate() {
            if fix.verb == Verb::Drop && created.contains(&fix.object) {
                withdrawn.push((a, f, format!("{} is not dropped: another action creates it", fix.object)));
            }
        }
    }
    take_out(actions, withdrawn)
}

/// The worst finding's value wins.
fn one_value_per_setting(actions: &mut [PlannedAction]) -> Vec<Withdrawn> {
    let mut values: BTreeMap<String, String> = BTreeMap::new();
    let mut withdrawn = Vec::new();
    for (a, action) in actions.iter().enumerate() {
        for (f, fix) in action.fixes.iter().enumerate().filter(|(_, f)| f.verb == Verb::Set) {
            let value = values.entry(fix.object.clone()).or_insert_with(|| fix.sql.clone());
            if *value != fix.sql {
                withdrawn.push((a, f, format!("{} is set by another action", fix.object)));
            }
        }
    }
    take_out(actions, withdrawn)
}

/// A setting stands in one action: the first that asks for it.
fn each_setting_once(actions: &mut [PlannedAction]) -> Vec<Withdrawn> {
    let mut said: BTreeSet<String> = BTreeSet::new();
    let mut withdrawn = Vec::new();
    for (a, action) in actions.iter().enumerate() {
        let here: BTreeSet<&String> = action.fixes.iter().filter(|f| f.verb == Verb::Set).map(|f| &f.object).collect();
        for (f, fix) in action.fixes.iter().enumerate() {
            if fix.verb == Verb::Set && said.contains(&fix.object) {
                withdrawn.push((a, f, format!("{} is part of another action", fix.object)));
            }
        }
        said.extend(here.into_iter().cloned());
    }
    take_out(actions, withdrawn)
}

/// VACUUM FULL and VACUUM for one table: the plain one first; the next snapshot shows what is left to rewrite.
fn no_rewrite_beside_vacuum(actions: &mut [PlannedAction]) -> Vec<Withdrawn> {
    let is_full = |sql: &str| sql.contains("VACUUM (FULL");
    let plain: BTreeSet<String> = actions
        .iter()
        .flat_map(|a| &a.fixes)
        .filter(|f| f.verb == Verb::Maintain && f.sql.contains("VACUUM") && !is_full(&f.sql))
        .map(|f| f.object.clone())
        .collect();
    let mut withdrawn = Vec::new();
    for (a, action) in actions.iter().enumerate() {
        for (f, fix) in action.fixes.iter().enumerate() {
            if is_full(&fix.sql) && plain.contains(&fix.object) {
                withdrawn.push((
                    a,
                    f,
                    format!("{} is vacuumed first; rewrite it only if that is not enough", fix.object),
                ));
            }
        }
    }
    take_out(actions, withdrawn)
}

fn take_out(actions: &mut [PlannedAction], mut fixes: Vec<(usize, usize, String)>) -> Vec<Withdrawn> {
    // From the back, so that positions stay true.
    fixes.sort_unstable_by_key(|f| std::cmp::Reverse((f.0, f.1)));
    let mut out = Vec::new();
    for (action, at, why) in fixes {
        let Some(action) = actions.get_mut(action) else { continue };
        if let Some(fix) = action.fixes.get(at) {
            let (verb, object) = (fix.verb, fix.object.clone());
            out.push(Withdrawn { findings: action.findings.clone(), verb, object, why: why.clone() });
        }
        action.withdraw(at, why);
    }
    out
}

/// Moves a symptom's actions behind its cause's; they are not more urgent than that either.
pub(super) fn causes_first(actions: &mut Vec<PlannedAction>) {
    let has = |a: &PlannedAction, rule: &str| a.rules.iter().any(|r| r == rule);
    // A cause may itself be a symptom: as often as there are pairs is enough for the longest chain.
    for _ in 0..CAUSES.len() {
        let mut moved = false;
        for (cause, symptom) in CAUSES {
            let Some(at) = actions.iter().rposition(|a| has(a, cause) && !has(a, symptom)) else { continue };
            let tail = actions.split_off(at + 1);
            let when = actions.last().map(|a| a.when);
            let (mut late, head): (Vec<_>, Vec<_>) = actions.drain(..).partition(|a| has(a, symptom) && !has(a, cause));
            for action in &mut late {
                action.when = when.map_or(action.when, |w| action.when.max(w));
            }
            moved |= !late.is_empty();
            actions.extend(head.into_iter().chain(late).chain(tail));
        }
        if !moved {
            break;
        }
    }
    actions.sort_by_key(|a| a.when);
}

#[cfg(test)]
mod tests {
    use crate::advisor::rules::RULES;
    use crate::advisor::testing::{advise, database_over_an_hour};
    use crate::finding::Verb;
    use crate::snapshot::Snapshot;
    use crate::snapshot::literal::literal;
    use std::sync::Arc;

    #[test]
    fn a_setting_is_set_in_one_action() {
        // Both the checks of logging and of temporary files ask for log_temp_files.
        let settings = literal("2026-11-22 11:00:00+00")
            .view("pg_settings", "name | setting", &["log_temp_files | -1", "log_lock_waits | off"])
            .build();
        let [a, b] = database_over_an_hour("temp_files | temp_bytes", "0 | 0", "90000 | 900000000000")
            .map(|s| Snapshot::clone(&s));
        let with = |mut s: Snapshot| {
            s.tables.extend(settings.tables.clone());
            Arc::new(s)
        };
        let advice = advise(RULES, &[with(a), with(b)], "");
        let asks = |rule: &str| advice.findings().iter().any(|f| f.rule == rule);
        assert!(asks("mem-temp-files") && asks("cfg-logging"));
        let set = advice.actions.iter().flat_map(|a| &a.fixes).filter(|f| f.verb == Verb::Set);
        assert_eq!(set.filter(|f| f.object == "log_temp_files").count(), 1, "{:#?}", advice.actions);
    }
}
