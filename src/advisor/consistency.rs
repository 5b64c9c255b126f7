//! The plan must not contradict itself: settled here, before anything is printed.

use super::cure::commented;
use super::longer;
use super::plan::PlannedAction;
use super::run::Advice;
use crate::finding::{Fix, Outcome, Verb};
use std::collections::{BTreeMap, BTreeSet};

/// In which order the reasons to drop an index decide, where they disagree about what stays: what is never used goes
/// before what another one serves, because the other one might be the unused one.
const DROP_ORDER: &[&str] =
    &["index-ccnew-leftover", "index-invalid", "index-duplicate", "index-unused", "index-redundant-prefix"];

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
    out.extend(longer::settle(actions));
    out.extend(dropped_after_what_replaces_it(actions));
    out.extend(one_value_per_setting(actions));
    out.extend(what_follows_waits(actions));
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

/// A new index that is sorted first by what an index to be dropped is sorted by replaces it: one action, the new one first.
fn dropped_after_what_replaces_it(actions: &mut [PlannedAction]) -> Vec<Withdrawn> {
    let created: Vec<(usize, usize)> = places(actions, Verb::Create);
    let mut withdrawn = Vec::new();
    let mut steps: Vec<(usize, usize, usize, String)> = Vec::new();
    for (a, f) in places(actions, Verb::Drop) {
        let Some(drop) = actions.get(a).and_then(|x| x.fixes.get(f)) else { continue };
        let like = |(c, g): &&(usize, usize)| {
            actions.get(*c).and_then(|x| x.fixes.get(*g)).is_some_and(|create| alike(create, drop))
        };
        let Some((c, g)) = created.iter().find(like).filter(|(c, _)| *c != a) else { continue };
        let Some(new) = actions.get(*c).and_then(|x| x.fixes.get(*g)) else { continue };
        let step = commented(&drop.sql);
        let why = format!(
            "{} is not dropped on its own: {} begins alike and is created first; it goes when the new one is in use",
            drop.object, new.object
        );
        let step = format!("\n-- then, once pg_stat_user_indexes shows scans of the new one:\n{step}");
        withdrawn.push((a, f, why));
        steps.push((*c, *g, a, step));
    }
    for (c, g, dropped, step) in steps {
        let (findings, rules) = actions.get(dropped).map(|a| (a.findings.clone(), a.rules.clone())).unwrap_or_default();
        let Some(action) = actions.get_mut(c) else { continue };
        if let Some(fix) = action.fixes.get_mut(g) {
            fix.sql.push_str(&step);
        }
        action.findings.extend(findings);
        action.rules.extend(rules.into_iter().filter(|r| !action.rules.contains(r)).collect::<Vec<_>>());
    }
    take_out(actions, withdrawn)
}

/// Whether two indexes are of one table and begin with the same key.
fn alike(a: &Fix, b: &Fix) -> bool {
    let begins = |f: &Fix| f.leads.as_ref().map(|l| (l.table.clone(), l.first.clone()));
    begins(a) == begins(b)
}

/// Where the statements of a verb that are about an index stand: action and fix.
pub(super) fn places(actions: &[PlannedAction], verb: Verb) -> Vec<(usize, usize)> {
    let of = |(a, action): (usize, &PlannedAction)| {
        let fixes = action.fixes.iter().enumerate().filter(|(_, f)| f.verb == verb && f.leads.is_some());
        fixes.map(|(f, _)| (a, f)).collect::<Vec<_>>()
    };
    actions.iter().enumerate().flat_map(of).collect()
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

/// The WAL buffers are a share of the shared buffers, by themselves and at most: while these change, none is right.
fn what_follows_waits(actions: &mut [PlannedAction]) -> Vec<Withdrawn> {
    let set = |fix: &Fix, name: &str| fix.verb == Verb::Set && fix.object == name;
    if !actions.iter().flat_map(|a| &a.fixes).any(|f| set(f, "shared_buffers")) {
        return Vec::new();
    }
    let why = "wal_buffers is not set now: it follows shared_buffers, which is; judge it again after that";
    let mut withdrawn = Vec::new();
    for (a, action) in actions.iter().enumerate() {
        let waits = action.fixes.iter().enumerate().filter(|(_, fix)| set(fix, "wal_buffers"));
        withdrawn.extend(waits.map(|(f, _)| (a, f, why.to_owned())));
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

/// Takes statements that the plan cannot carry out of the findings, too; and what only this pass needs out of all.
pub(super) fn withdraw(advice: &mut Advice) {
    let findings = advice.judged.iter_mut().filter_map(|j| match &mut j.outcome {
        Outcome::Found { findings, .. } => Some(findings),
        _ => None,
    });
    for finding in findings.flatten() {
        let key = finding.key();
        for one in advice.withdrawn.iter().filter(|w| w.findings.contains(&key)) {
            finding.fixes.retain(|f| (f.verb, &f.object) != (one.verb, &one.object));
        }
        finding.fixes.iter_mut().for_each(forget);
    }
    let rest = advice.insufficient.iter_mut().flat_map(|f| &mut f.fixes);
    let planned = advice.actions.iter_mut().flat_map(|a| &mut a.fixes);
    rest.chain(planned).for_each(forget);
}

fn forget(fix: &mut Fix) {
    (fix.leads, fix.role_setting) = (None, None);
}

#[cfg(test)]
mod tests {
    use crate::advisor::index::testing::shop;
    use crate::advisor::rules::RULES;
    use crate::advisor::testing::{advise, database_over_an_hour};
    use crate::finding::{Finding, Fix, Risk, Severity, Subject, SubjectKind, Verb};
    use crate::snapshot::Snapshot;
    use crate::snapshot::literal::literal;
    use std::sync::Arc;

    /// An index on `state` that nobody scans, and a statement that wants one on `(state, placed_at)`.
    #[test]
    fn an_index_is_replaced_in_one_action_the_new_one_first() {
        let statements =
            [("select * from orders where state = $1 order by placed_at limit $2", 2_000.0, 20_000.0, 20.0)];
        let at = |at, part| {
            shop(at, &statements, part, &["btree (state)"], 1e9)
                .view("pg_stat_database", "datid | datname | stats_reset", &["16697 | shop | 2026-01-01 00:00:00+00"])
                .view(
                    "pg_stat_user_indexes",
                    "relid | indexrelid | schemaname | relname | indexrelname | idx_scan",
                    &["1 | 0 | public | orders | i0 | 0"],
                )
                .view("constraints", "oid | relid | contype | columns | convalidated", &[])
                .build()
        };
        let taken = [at("2026-11-22 12:00:00+00", 0.0), at("2026-11-22 14:00:00+00", 1.0)];
        let config = "[rules.index-unused]\nmin_table_scans = 0\n[options]\nmin_bytes = 0\nstandby_reads = false\n";
        let advice = advise(RULES, &taken, config);
        let about = |rule: &str| advice.findings().into_iter().find(|f| f.rule == rule).unwrap().clone();
        assert!(about("index-unused").fixes.is_empty(), "the drop is a step of the creation");
        assert!(advice.actions.iter().flat_map(|a| &a.fixes).all(|f| f.verb != Verb::Drop), "{:#?}", advice.actions);
        let create = about("index-missing-predicate");
        let action = advice.actions.iter().find(|a| a.findings.contains(&create.key())).unwrap();
        assert!(action.rules.iter().any(|r| r == "index-unused"), "{action:#?}");
        let sql = &action.fixes.iter().find(|f| f.verb == Verb::Create).unwrap().sql;
        let (first, then) = sql.split_once("\n-- then, once").unwrap();
        assert!(first.contains("CREATE INDEX CONCURRENTLY"), "{first}");
        assert!(then.contains("\n-- DROP INDEX CONCURRENTLY \"public\".\"i0\";"), "{then}");
        assert!(then.lines().skip(1).all(|l| l.starts_with("-- ")), "{then}");
        assert!(advice.withdrawn.iter().any(|w| w.object == "public.i0" && w.why.contains("is created first")));
    }

    /// An index-only scan that visits the table wants a VACUUM, old statistics want an ANALYZE: one step does both.
    #[test]
    fn a_vacuum_is_not_lost_beside_an_analyze() {
        let step = |first: &str, second: &str| {
            let finding = |rule: &str, sql: &str| {
                let fix = Fix::new(Verb::Maintain, Risk::R1, "public.t", sql).when_not(sql);
                Finding::new(rule, Subject::new(SubjectKind::Table, "public.t"), Severity::Low, rule).fix(fix)
            };
            let (a, b) = (finding("a", first), finding("b", second));
            let (mut actions, _) = super::super::plan::plan(&[&a, &b], None);
            assert_eq!(actions.len(), 1);
            let action = actions.remove(0);
            let cautions = action.fixes[0].when_not.as_ref().map(crate::text::Text::plain).unwrap_or_default();
            assert!(action.fixes[0].sql.lines().all(|line| cautions.contains(line)), "{cautions}");
            (action.title.plain(), action.fixes[0].sql.clone())
        };
        let (analyze, vacuum, both) = ("ANALYZE t;", "VACUUM t;", "VACUUM (ANALYZE) t;");
        let said = |title: &str, sql: &str| (format!("{title} public.t"), sql.to_owned());
        assert_eq!(step(analyze, vacuum), said("Vacuum", "VACUUM t;\nANALYZE t;"));
        assert_eq!(step(vacuum, analyze), said("Vacuum", "ANALYZE t;\nVACUUM t;"));
        assert_eq!(step(analyze, both), said("Vacuum", both));
        assert_eq!(step(both, analyze), said("Vacuum", both));
        assert_eq!(step(both, "VACUUM (FREEZE) t;"), said("Vacuum", "VACUUM (FREEZE) t;\nVACUUM (ANALYZE) t;"));
        let (analyze_it, vacuum_it) = ("ANALYZE \"VACUUM (FULL\";", "VACUUM \"VACUUM (FULL\";");
        let in_turn = format!("{vacuum_it}\n{analyze_it}");
        assert_eq!(step(analyze_it, vacuum_it), said("Vacuum", &in_turn), "a name is no word");
        assert_eq!(step(analyze, "VACUUM (FULL) t;"), said("Analyze", analyze), "a rewrite is another matter");
    }

    #[test]
    fn wal_buffers_wait_for_shared_buffers() {
        let set = |name: &str| {
            let fix = Fix::new(Verb::Set, Risk::R1, name, format!("ALTER SYSTEM SET {name} = '1GB';"));
            Finding::new(name, Subject::new(SubjectKind::Setting, name), Severity::Low, name).fix(fix)
        };
        let (shared, wal) = (set("shared_buffers"), set("wal_buffers"));
        let left = |findings: &[&Finding]| super::super::plan::plan(findings, None).0.len();
        assert_eq!((left(&[&wal]), left(&[&wal, &shared]), left(&[&shared, &wal])), (1, 1, 1));
        let (_, withdrawn) = super::super::plan::plan(&[&wal, &shared], None);
        assert_eq!(withdrawn[0].object, "wal_buffers");
    }

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
