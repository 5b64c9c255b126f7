//! Laws of scores and plans, over made-up findings.

use super::run::Judged;
use super::score::score;
use super::{Docs, Need, Rule, When, plan};
use crate::finding::{Confidence, Doubt, Effort, Finding, Fix, Outcome, Risk, Severity, Subject, SubjectKind, Verb};
use crate::time::Timestamp;
use proptest::prelude::*;

const DOCS: Docs = Docs { looks_at: "", why: "", decides: "", what_to_do: "", ignore_when: "", references: "" };

const fn rule(id: &'static str) -> Rule {
    Rule {
        id,
        title: "",
        needs: &[],
        wants: &[],
        thresholds: &[],
        docs: DOCS,
        check: |_| Ok(super::Checked::default()),
    }
}

static UNUSED: Rule = rule("index-unused");
static DUPLICATE: Rule = rule("index-duplicate");
static PLAN: Rule = Rule { needs: &[Need::Plans], ..rule("plan-jit") };

fn finding(rule: &str, object: &str, severity: Severity) -> Finding {
    Finding::new(rule, Subject::new(SubjectKind::Index, object), severity, "x")
}

fn found(rule: &'static Rule, findings: Vec<Finding>) -> Judged {
    let outcome = if findings.is_empty() {
        Outcome::Passed { checked: String::new() }
    } else {
        Outcome::Found { findings, checked: String::new() }
    };
    Judged { rule, outcome }
}

fn points(judged: &[Judged]) -> f64 {
    score(judged).areas[0].score.unwrap()
}

#[test]
fn the_arithmetic_can_be_redone_by_hand() {
    let mut high = finding("index-unused", "a", Severity::High).share(Some(0.9));
    high.doubts.push(Doubt::C5);
    let medium = finding("index-unused", "b", Severity::Medium);
    let scored = score(&[found(&UNUSED, vec![medium, high])]);
    let area = &scored.areas[0];
    assert_eq!(area.deductions[0].formula, "3 × 0.7 × 0.95 + ½ × 1.5 × 1 × 0.75");
    assert_eq!(area.deductions[0].findings, ["index-unused/a", "index-unused/b"]);
    // 10 − (1.995 + 0.5625)
    assert_eq!(area.score, Some(7.4));
    assert_eq!((scored.overall, scored.formula.as_str()), (Some(7.4), "(1.2 × 7.4) ÷ 1.2"));
}

#[test]
fn certain_findings_cap_their_area() {
    assert_eq!(points(&[found(&UNUSED, vec![finding("index-unused", "a", Severity::Critical).share(Some(0.0))])]), 4.0);
    assert_eq!(points(&[found(&UNUSED, vec![finding("index-unused", "a", Severity::High).share(Some(0.0))])]), 7.5);
    assert_eq!(points(&[found(&UNUSED, vec![finding("index-unused", "a", Severity::Info)])]), 10.0);
}

#[test]
fn an_area_says_why_none_of_its_checks_ran() {
    let skipped = |reason: &str, missing_input| Judged {
        rule: &UNUSED,
        outcome: Outcome::Skipped { reason: reason.to_owned(), missing_input },
    };
    let said = |judged: &[Judged]| score(judged).areas[0].remark.clone().unwrap();
    let (short, young, absent) = (skipped("too short", false), skipped("too young", false), skipped("no view", true));
    for (judged, want) in [
        (vec![absent.clone()], "required inputs are missing"),
        (vec![absent.clone(), short.clone(), absent.clone()], "required inputs are missing"),
        (vec![short.clone(), absent.clone()], "too short (1 of its 2 checks)"),
        (vec![young, short.clone(), absent, short], "too short (2 of its 4 checks)"),
    ] {
        assert_eq!(said(&judged), want);
    }
    // Plans are no part of an export: what they lack is not asked for.

    let plan = Judged { rule: &PLAN, outcome: Outcome::Skipped { reason: "no plan".to_owned(), missing_input: false } };
    assert_eq!(said(&[plan]), "no check of this area could give a verdict");
}

#[test]
fn what_could_not_run_is_no_success() {
    let skipped =
        |missing_input| Judged { rule: &UNUSED, outcome: Outcome::Skipped { reason: String::new(), missing_input } };
    let none = score(&[skipped(true)]);
    assert_eq!((none.overall, none.areas[0].score), (None, None));
    let third = score(&[skipped(true), skipped(false), found(&DUPLICATE, Vec::new())]);
    assert!(third.areas[0].at_most);
}

proptest! {
    #[test]
    fn a_finding_more_never_raises_a_score_and_order_does_not_matter(
        severities in prop::collection::vec((0_usize..5, 0.0_f64..1.0), 0..8), more in (0_usize..5, 0.0_f64..1.0)
    ) {
        let make = |(i, (severity, share)): (usize, &(usize, f64))| {
            finding("index-unused", &format!("o{i}"), Severity::WORST_FIRST[*severity]).share(Some(*share))
        };
        let mut all: Vec<Finding> = severities.iter().enumerate().map(make).collect();
        let before = points(&[found(&UNUSED, all.clone())]);
        all.reverse();
        prop_assert_eq!(points(&[found(&UNUSED, all.clone())]), before);
        all.push(make((99, &more)));
        prop_assert!(points(&[found(&UNUSED, all)]) <= before);
    }
}

fn drop_of(object: &str, keeps: &[&str]) -> Fix {
    let fix = Fix::new(Verb::Drop, Risk::R3, object, format!("DROP {object}"));
    keeps.iter().fold(fix, |fix, kept| fix.keeps(*kept))
}

fn planned(findings: &[Finding]) -> Vec<(String, Vec<String>)> {
    let (actions, _) = plan::plan(&findings.iter().collect::<Vec<_>>(), None);
    actions.into_iter().map(|a| (a.object, a.fixes.into_iter().map(|f| f.sql).collect())).collect()
}

#[test]
fn one_action_for_two_reasons_to_drop_the_same() {
    let findings = [
        finding("index-duplicate", "b", Severity::Low).fix(drop_of("b", &["a"])),
        finding("index-unused", "b", Severity::Low).fix(drop_of("b", &[])),
    ];
    assert_eq!(planned(&findings), [("b".to_owned(), vec!["DROP b".to_owned()])]);
}

#[test]
fn what_replaces_a_dropped_index_stays() {
    // (a) is served by (a,b), and (a,b) is never scanned: not both.
    let findings = [
        finding("index-redundant-prefix", "a", Severity::Medium).fix(drop_of("a", &["ab"])),
        finding("index-unused", "ab", Severity::Low).fix(drop_of("ab", &[])),
    ];
    assert_eq!(planned(&findings), [("ab".to_owned(), vec!["DROP ab".to_owned()])]);
    let (_, withdrawn) = plan::plan(&findings.iter().collect::<Vec<_>>(), None);
    assert_eq!(withdrawn[0].why, "a is not dropped: it would replace ab, which is dropped");
}

#[test]
fn a_setting_gets_one_value_and_a_table_one_kind_of_vacuum() {
    let set = |value: &str| Fix::new(Verb::Set, Risk::R1, "work_mem", format!("SET work_mem = {value}"));
    let findings = [
        finding("query-temp-spill", "q1", Severity::High).fix(set("'64MB'")),
        finding("mem-temp-files", "q2", Severity::Low).fix(set("'16MB'")),
    ];
    assert_eq!(planned(&findings), [("work_mem".to_owned(), vec!["SET work_mem = '64MB'".to_owned()])]);
    let vacuum = |risk, sql: &str| Fix::new(Verb::Maintain, risk, "t", sql);
    let findings = [
        finding("bloat-heap-estimate", "t", Severity::Low).fix(vacuum(Risk::R2, "VACUUM (FULL, ANALYZE) t;")),
        finding("vacuum-dead-tuples", "u", Severity::Low)
            .fix(Fix { object: "t ".to_owned(), ..vacuum(Risk::R1, "x") })
            .fix(vacuum(Risk::R1, "VACUUM (ANALYZE) t;")),
    ];
    let all: Vec<String> = planned(&findings).into_iter().flat_map(|(_, sql)| sql).collect();
    assert!(!all.iter().any(|sql| sql.contains("FULL")), "{all:?}");
}

#[test]
fn causes_stand_before_symptoms_and_dates_decide_urgency() {
    let fix = |object: &str| Fix::new(Verb::Maintain, Risk::R1, object, "VACUUM");
    let now = Timestamp::from_seconds(1_000_000);
    let findings = [
        finding("vacuum-dead-tuples", "t", Severity::High).fix(fix("t")),
        finding("vacuum-blocked-horizon", "pid 1", Severity::Medium).fix(Fix::new(Verb::End, Risk::R2, "pid 1", "END")),
        finding("seq-exhaustion", "s", Severity::Medium)
            .fix(Fix::new(Verb::Alter, Risk::R1, "s", "ALTER"))
            .deadline(Some(now.plus_seconds(86_400.0))),
    ];
    let (actions, _) = plan::plan(&findings.iter().collect::<Vec<_>>(), Some(now));
    let order: Vec<(&str, When)> = actions.iter().map(|a| (a.object.as_str(), a.when)).collect();
    // A session in the way is ended now or not at all.
    assert_eq!(order, [("s", When::Immediate), ("pid 1", When::Immediate), ("t", When::Immediate)]);
}

/// Who holds everything open is ended in haste only where something critical waits for it.
#[test]
fn what_destroys_is_done_at_once_only_for_an_emergency() {
    let order = |severity| {
        let findings = [
            finding("wrap-xid-age", "t", severity).fix(Fix::new(Verb::Maintain, Risk::R1, "t", "VACUUM")),
            finding("wrap-prepared-xact", "gone", Severity::Medium).fix(Fix::new(
                Verb::End,
                Risk::R3,
                "gone",
                "ROLLBACK PREPARED 'gone'",
            )),
        ];
        let (actions, _) = plan::plan(&findings.iter().collect::<Vec<_>>(), None);
        actions.iter().map(|a| (a.object.clone(), a.when)).collect::<Vec<_>>()
    };
    let both = |when| vec![("gone".to_owned(), when), ("t".to_owned(), when)];
    assert_eq!(order(Severity::Critical), both(When::Immediate));
    assert_eq!(order(Severity::High), both(When::ShortTerm));
}

#[test]
fn what_one_cause_brings_forward_still_waits_for_another() {
    let findings = [
        finding("index-missing-predicate", "i", Severity::High)
            .fix(Fix::new(Verb::Create, Risk::R1, "i", "CREATE INDEX CONCURRENTLY \"i\" ON t (a)"))
            .effort(Effort::S),
        finding("wrap-prepared-xact", "gone", Severity::Medium).fix(Fix::new(
            Verb::End,
            Risk::R3,
            "gone",
            "ROLLBACK PREPARED 'gone'",
        )),
        finding("vacuum-stale-analyze", "t", Severity::Low)
            .fix(Fix::new(Verb::Maintain, Risk::R1, "t", "ANALYZE t"))
            .effort(Effort::M),
    ];
    let (actions, _) = plan::plan(&findings.iter().collect::<Vec<_>>(), None);
    let order: Vec<(&str, When)> = actions.iter().map(|a| (a.object.as_str(), a.when)).collect();
    assert_eq!(order, [("t", When::Immediate), ("gone", When::ShortTerm), ("i", When::ShortTerm)]);
}

/// A schema that everybody writes to is closed before a search_path relies on it, and as soon.
#[test]
fn a_cause_that_risks_nothing_is_as_urgent_as_its_symptom() {
    let alter = |object: &str| Fix::new(Verb::Alter, Risk::R1, object, "ALTER");
    let findings = [
        finding("sec-definer-search-path", "f", Severity::High).fix(alter("f")).effort(Effort::S),
        finding("cfg-logging", "x", Severity::Medium).fix(alter("x")),
        finding("sec-public-create", "public", Severity::Medium).fix(alter("public")).effort(Effort::S),
    ];
    let (actions, _) = plan::plan(&findings.iter().collect::<Vec<_>>(), None);
    let order: Vec<(&str, When)> = actions.iter().map(|a| (a.object.as_str(), a.when)).collect();
    assert_eq!(order, [("public", When::Immediate), ("f", When::Immediate), ("x", When::ShortTerm)]);
}

#[test]
fn a_setting_of_a_role_is_two_names_in_its_title() {
    use crate::text::Text;
    for (role, want) in [
        (None, Text::from("Set ").name("jit").t(" of the workload's role")),
        (Some("app"), Text::from("Set ").name("jit").t(" of ").name("app")),
    ] {
        let fix = super::cure::set_role(role, "jit", "off", "never".into());
        let findings = [finding("plan-jit", "s", Severity::Low).fix(fix)];
        let (actions, _) = plan::plan(&findings.iter().collect::<Vec<_>>(), None);
        assert_eq!(actions[0].title, want);
    }
}

#[test]
fn one_role_gets_one_value_of_a_setting() {
    let asks = |rule: &str, value: &str, severity| {
        let fix = super::cure::set_role(Some("app"), "work_mem", value, "never".into());
        finding(rule, "s", severity).fix(fix)
    };
    let findings =
        [asks("query-temp-spill", "256MB", Severity::Medium), asks("mem-temp-files", "128MB", Severity::Low)];
    let (actions, withdrawn) = plan::plan(&findings.iter().collect::<Vec<_>>(), None);
    let sql: Vec<&str> = actions.iter().flat_map(|a| &a.fixes).map(|f| f.sql.lines().last().unwrap()).collect();
    assert_eq!(sql, ["ALTER ROLE \"app\" SET work_mem = '256MB';"]);
    let [given_back] = withdrawn.as_slice() else { panic!("{withdrawn:?}") };
    assert_eq!((&given_back.findings, given_back.object.as_str()), (&vec![findings[1].key()], "work_mem of app"));
    let larger = [asks("query-temp-spill", "64MB", Severity::Medium), asks("mem-temp-files", "128MB", Severity::Low)];
    let (actions, withdrawn) = plan::plan(&larger.iter().collect::<Vec<_>>(), None);
    assert!(actions[0].fixes[0].sql.ends_with("SET work_mem = '128MB';"), "it is enough for both: {actions:#?}");
    assert_eq!(withdrawn[0].findings, [larger[0].key()]);
    let alike = [asks("query-temp-spill", "256MB", Severity::Medium), asks("mem-temp-files", "256MB", Severity::Low)];
    assert!(plan::plan(&alike.iter().collect::<Vec<_>>(), None).1.is_empty(), "both ask for the same");
}

#[test]
fn what_destroys_is_not_done_in_haste() {
    let critical = [finding("index-invalid", "i", Severity::Critical).fix(drop_of("i", &[]))];
    let (actions, _) = plan::plan(&critical.iter().collect::<Vec<_>>(), None);
    assert_eq!((actions[0].when, actions[0].confidence), (When::ShortTerm, Confidence::High));
    let slot = [finding("slot-inactive", "s", Severity::Critical).fix(drop_of("s", &[]))];
    let (actions, _) = plan::plan(&slot.iter().collect::<Vec<_>>(), None);
    assert_eq!(actions[0].when, When::Immediate);
}

#[test]
fn within_a_day_what_is_worst_comes_before_what_is_quick() {
    let look = |object: &str| Fix::diagnose(object, "SELECT 1");
    let now = Timestamp::from_seconds(1_000_000);
    let tomorrow = Some(now.plus_seconds(86_400.0));
    let findings = [
        finding("io-checksum-failure", "shop", Severity::Critical).fix(look("shop")).effort(Effort::L),
        finding("seq-exhaustion", "s", Severity::High).fix(look("s")).deadline(tomorrow),
        finding("lock-idle-in-transaction", "pid 1", Severity::High).fix(look("pid 1")),
    ];
    let (actions, _) = plan::plan(&findings.iter().collect::<Vec<_>>(), Some(now));
    let order: Vec<(&str, When)> = actions.iter().map(|a| (a.object.as_str(), a.when)).collect();
    let soon = When::Immediate;
    assert_eq!(order, [("shop", soon), ("s", soon), ("pid 1", soon)]);
}
