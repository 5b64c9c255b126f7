//! Of indexes to be created, one that begins with all of another one's keys stands for both, and a name is given once.

use super::consistency::{Withdrawn, places};
use super::plan::PlannedAction;
use crate::finding::{Finding, Fix, Leads, Severity, Verb};

/// Whether what is searched by the shorter index can be searched by the longer one, which holds every row; one of the same
/// keys with further columns is longer, too.
fn serves(long: &Leads, short: &Leads) -> bool {
    let rest = long.keys.strip_prefix(short.keys.as_str());
    let begins = rest.is_some_and(|rest| rest.starts_with(", ") || rest.is_empty() && long.more != short.more);
    let whole = !long.more.contains(" WHERE ") || long.more == short.more;
    long.table == short.table && !short.keys.is_empty() && begins && whole && !short.more.contains("INCLUDE (")
}

/// The longest of those created that stands for this one, else an equal one of another name that is created before it.
fn longer<'f>(short: &Fix, created: impl IntoIterator<Item = &'f Fix>) -> Option<&'f Fix> {
    let leads = short.leads.as_ref().filter(|l| !l.keys.is_empty())?;
    let mut found: Option<&Fix> = None;
    let mut before = true;
    for fix in created {
        let itself = fix.object == short.object && fix.sql == short.sql;
        before &= !itself;
        let Some(other) = fix.leads.as_ref().filter(|_| !itself) else { continue };
        let equal = before && fix.object != short.object && other == leads;
        let length = |f: &Fix| f.leads.as_ref().map(|l| l.keys.len());
        if (equal || serves(other, leads)) && found.is_none_or(|best| length(fix) > length(best)) {
            found = Some(fix);
        }
    }
    found
}

fn why(short: &Fix, long: &Fix) -> String {
    format!("{} is not created: {} begins with the same and serves for it", short.object, long.object)
}

/// The plan creates the longer one only.
pub(super) fn settle(actions: &mut Vec<PlannedAction>) -> Vec<Withdrawn> {
    let mut out = Vec::new();
    let fix = |actions: &[PlannedAction], (a, f): (usize, usize)| actions.get(a).and_then(|x| x.fixes.get(f)).cloned();
    let created = places(actions, Verb::Create);
    let all: Vec<Fix> = created.iter().filter_map(|at| fix(actions, *at)).collect();
    let mut emptied = Vec::new();
    for (a, f) in created {
        let Some((short, long)) = fix(actions, (a, f)).and_then(|s| longer(&s, &all).map(|l| (s, l))) else { continue };
        let Some(mut action) = actions.get(a).cloned() else { continue };
        let findings = action.findings.clone();
        out.push(Withdrawn { findings, verb: Verb::Create, object: short.object.clone(), why: why(&short, long) });
        action.withdraw(f, why(&short, long));
        let creates =
            |x: &&mut PlannedAction| x.fixes.iter().any(|f| f.verb == Verb::Create && f.object == long.object);
        if let Some(other) = actions.iter_mut().find(creates) {
            other.take_over(&action);
            emptied.push(a);
        }
    }
    let mut at = 0..;
    actions.retain(|_| at.next().is_none_or(|a| !emptied.contains(&a)));
    out
}

/// Notes are in no plan, and are printed with their statements all the same.
pub(super) fn noted(findings: &[&Finding], actions: &[PlannedAction]) -> Vec<Withdrawn> {
    let notes = || findings.iter().filter(|f| f.severity == Severity::Info);
    let planned = actions.iter().flat_map(|a| &a.fixes);
    let all: Vec<&Fix> = planned.chain(notes().flat_map(|f| &f.fixes)).filter(|f| f.verb == Verb::Create).collect();
    let mut out = Vec::new();
    for note in notes() {
        for short in note.fixes.iter().filter(|f| f.verb == Verb::Create) {
            // The plan's, then those of notes before: the second build would fail, and its undo drop the first.
            let named = all.iter().take_while(|f| !std::ptr::eq(**f, short)).find(|f| f.object == short.object);
            let why = match (longer(short, all.iter().copied()), named) {
                (Some(long), _) if long.object != short.object => why(short, long),
                (_, Some(same)) if same.sql != short.sql => {
                    format!("{} is not created for this again: another statement creates it", short.object)
                }
                _ => continue,
            };
            out.push(Withdrawn { findings: vec![note.key()], verb: short.verb, object: short.object.clone(), why });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::rules::RULES;
    use crate::advisor::testing::advise;
    use crate::finding::{Risk, Subject, SubjectKind};
    use crate::snapshot::literal::literal;

    /// Shipments (2) reference orders (1), and their lines (3) by both columns.
    fn advice(deleted: u32) -> crate::advisor::run::Advice {
        let taken = |at: &str, deleted: u32| {
            literal(at)
                .view(
                    "pg_stat_user_tables",
                    "relid | schemaname | relname | seq_scan | n_tup_del | n_live_tup",
                    &[
                        &format!("1 | public | orders | 0 | {deleted} | 9"),
                        &format!("2 | public | shipments | {deleted} | 0 | 9"),
                        &format!("3 | public | lines | 0 | {deleted} | 9"),
                    ],
                )
                .view(
                    "table_sizes",
                    "relid | schemaname | relname | relkind | relation_size",
                    &["2 | public | shipments | r | 104857600"],
                )
                .view(
                    "constraints",
                    "oid | schemaname | relname | conname | contype | convalidated | columns | relid | foreign_relid | foreign_schemaname | foreign_relname",
                    &[
                        "8 | public | shipments | of_order | f | t | {order_id} | 2 | 1 | public | orders",
                        "9 | public | shipments | of_line | f | t | {order_id,line_no} | 2 | 3 | public | lines",
                    ],
                )
                .view("index_definitions", "indexrelid | relid | schemaname | relname | indexrelname | indexdef | indisvalid | indisready", &[])
                .build()
        };
        advise(RULES, &[taken("2026-11-22 12:00:00+00", 0), taken("2026-11-22 13:00:00+00", deleted)], "")
    }

    #[test]
    fn two_foreign_keys_that_begin_alike_get_one_index() {
        for deleted in [5, 0] {
            let advice = advice(deleted);
            let keys = advice.findings().into_iter().filter(|f| f.rule == "index-missing-fk").collect::<Vec<_>>();
            assert_eq!(keys.len(), 2);
            let created: Vec<&str> = keys.iter().flat_map(|f| &f.fixes).map(|f| f.object.as_str()).collect();
            assert_eq!(created, ["public.shipments_order_id_line_no_idx"], "{deleted} rows deleted");
            assert_eq!(
                advice.withdrawn.iter().map(|w| w.why.as_str()).collect::<Vec<_>>(),
                [
                    "public.shipments_order_id_idx is not created: public.shipments_order_id_line_no_idx begins with the same and serves for it"
                ]
            );
            let actions = advice.actions.iter().filter(|a| a.rules.iter().any(|r| r == "index-missing-fk"));
            let findings: Vec<usize> = actions.map(|a| a.findings.len()).collect();
            assert_eq!(findings, if deleted > 0 { vec![2] } else { vec![] });
        }
    }

    #[test]
    fn a_note_does_not_create_what_the_plan_does() {
        let create = |rule: &str, severity, more: &str, then: &str| {
            let keys = "\"a\"".to_owned();
            let leads = Leads { table: "t".into(), first: "a".into(), keys, more: more.into() };
            let sql = format!("CREATE INDEX CONCURRENTLY t_a_idx ON t (\"a\"){more};{then}");
            let fix = Fix::new(Verb::Create, Risk::R1, "public.t_a_idx", sql).leads(leads);
            Finding::new(rule, Subject::new(SubjectKind::Table, "public.t"), severity, rule).fix(fix)
        };
        for (planned, noted, want) in [
            (("", "\n-- then, once"), "", 1),
            ((" INCLUDE (\"c\")", ""), "", 1),
            ((" INCLUDE (\"c\")", ""), " INCLUDE (\"b\")", 1),
            (("", ""), "", 0),
        ] {
            let a = create("a", Severity::High, planned.0, planned.1);
            let (b, c) = (create("b", Severity::Info, noted, ""), create("c", Severity::Info, noted, ""));
            let (actions, withdrawn) = super::super::plan::plan(&[&a, &b, &c], None);
            assert_eq!((actions.len(), withdrawn.len()), (1, 2 * want), "{planned:?} {noted}");
            assert!(withdrawn.iter().all(|w| w.why.contains("another statement creates it")), "{withdrawn:?}");
        }
    }

    /// An index that was dropped is asked for again by its old name, and by the statements that miss it under a new one.
    #[test]
    fn of_two_equal_ones_the_first_is_created() {
        let create = |name: &str| {
            let leads = Leads { table: "t".into(), first: "a".into(), keys: "\"a\"".into(), more: String::new() };
            let fix = Fix::new(Verb::Create, Risk::R1, name, format!("CREATE INDEX {name} ON t (\"a\");")).leads(leads);
            Finding::new(name, Subject::new(SubjectKind::Table, "public.t"), Severity::Medium, name).fix(fix)
        };
        let (a, b) = (create("t_old"), create("t_a_idx"));
        let (actions, withdrawn) = super::super::plan::plan(&[&a, &b], None);
        let created: Vec<&str> = actions.iter().flat_map(|a| &a.fixes).map(|f| f.object.as_str()).collect();
        assert_eq!(created, ["t_old"]);
        assert_eq!(actions[0].findings.len(), 2, "one step answers both");
        assert_eq!(withdrawn[0].object, "t_a_idx");
    }

    #[test]
    fn only_what_begins_with_all_keys_and_holds_all_rows_serves() {
        let of = |keys: &str, more: &str| Leads {
            table: "t".into(),
            first: "a".into(),
            keys: keys.into(),
            more: more.into(),
        };
        let short = of("\"a\"", "");
        assert!(serves(&of("\"a\", \"b\"", ""), &short));
        assert!(serves(&of("\"a\", \"b\"", " INCLUDE (\"c\")"), &short));
        assert!(serves(&of("\"a\", \"b\"", ""), &of("\"a\"", " WHERE \"a\" IS NOT NULL")));
        assert!(!serves(&of("\"a\", \"b\"", " WHERE \"b\" IS NULL"), &short));
        assert!(!serves(&of("\"a\", \"b\"", ""), &of("\"a\"", " INCLUDE (\"c\")")));
        assert!(!serves(&of("\"ab\", \"b\"", ""), &short));
        assert!(!serves(&of("\"b\", \"a\"", ""), &short));
        assert!(!serves(&short, &short), "the same is one action already");
        assert!(serves(&of("\"a\"", " INCLUDE (\"c\")"), &short));
        assert!(!serves(&short, &of("\"a\"", " INCLUDE (\"c\")")));
        assert!(!serves(&of("\"a\"", " WHERE \"b\" IS NULL"), &short));
    }
}
