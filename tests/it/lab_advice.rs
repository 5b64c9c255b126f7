//! The advisor on whole series of real servers: with the defaults nothing false, with windows scaled down to minutes a
//! plan that does not contradict itself. Skips, saying so, where the series are not there. What each trap should trigger
//! stands in `traps`.

use pgretro::advisor::{Advice, Config, run};
use pgretro::diff;
use pgretro::finding::{Finding, Outcome, Risk, Severity, Verb};
use pgretro::ingest;
use std::path::PathBuf;
use std::sync::Arc;

/// The folder of the series: `PGRETRO_LAB`, else beside the crate.
fn lab() -> Option<PathBuf> {
    let beside = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/lab/data"));
    std::env::var_os("PGRETRO_LAB").map(PathBuf::from).or(Some(beside)).filter(|p| p.is_dir())
}

fn advise(series: &str, config: &Config) -> Option<Advice> {
    let Some(folder) = lab().map(|l| l.join(series)).filter(|p| p.is_dir()) else {
        eprintln!("skipped: no series {series}");
        return None;
    };
    let snapshots = ingest::read(&[folder], &ingest::Options::default()).expect(series);
    let chain = diff::chain(snapshots.into_iter().map(Arc::new).collect(), &diff::Options::default()).expect(series);
    Some(run(&chain, config))
}

fn minutes() -> Config {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/config/minutes.toml"));
    Config::load(&path).expect("the configuration for short series")
}

fn line(f: &Finding) -> String {
    format!("{} {} {}: {}: {}", f.rule, f.severity.word(), f.confidence().word(), f.subject.name, f.title.plain())
}

fn lines(advice: &Advice) -> String {
    advice.findings().iter().map(|f| line(f) + "\n").collect()
}

const SHOPS: [&str; 3] = ["pgbench-shop-pg15", "pgbench-shop-pg16", "pgbench-shop-pg18"];

#[test]
fn with_the_defaults_nothing_is_condemned_after_minutes() {
    for series in SHOPS.into_iter().chain(["mission-queue-pg15", "mission-queue-pg16", "mission-queue-pg18"]) {
        let Some(advice) = advise(series, &Config::default()) else { return };
        for f in advice.findings() {
            let verdict = match f.rule.as_str() {
                // Five minutes are no use, a few megabytes no load, a few seconds no neglect.
                "index-unused" | "table-unused" | "wrap-prepared-xact" => f.severity == Severity::Info,
                "table-seq-scan-heavy"
                | "vacuum-dead-tuples"
                | "vacuum-never-analyzed"
                | "vacuum-insert-only"
                | "vacuum-autovacuum-behind"
                | "vacuum-threshold-too-high"
                | "table-growth-fast"
                | "bloat-heap-estimate"
                | "index-bloat-estimate"
                | "wrap-xid-forecast"
                | "wrap-xid-age"
                | "wrap-multixact-age" => false,
                // The servers were stopped hard on purpose; the one large table at rest had nothing to lose.
                "vacuum-stats-lost" | "index-duplicate" | "index-redundant-prefix" | "index-missing-fk" => {
                    f.severity <= Severity::Low
                }
                _ => true,
            };
            assert!(verdict, "{series}: {}", line(f));
        }
        for judged in &advice.judged {
            assert!(!matches!(judged.outcome, Outcome::Failed { .. }), "{series}: {} broke", judged.rule.id);
        }
    }
}

#[test]
fn the_plan_does_not_contradict_itself() {
    for series in SHOPS {
        let Some(advice) = advise(series, &minutes()) else { return };
        let mut dropped = std::collections::BTreeSet::new();
        let fixes = || advice.actions.iter().flat_map(|a| &a.fixes);
        for fix in fixes().filter(|f| f.verb == Verb::Drop) {
            assert!(dropped.insert(&fix.object), "{series}: {} is dropped twice", fix.object);
        }
        for fix in fixes() {
            assert!(
                fix.keeps.iter().all(|k| !dropped.contains(k)),
                "{series}: {} rests on what is dropped",
                fix.object
            );
            assert!(fix.risk == Risk::R0 || fix.when_not.is_some(), "{series}: no word of caution: {}", fix.sql);
        }
        // What the plan cannot carry, no finding prints.
        let printed = advice.findings().into_iter().filter(|f| f.severity > Severity::Info).flat_map(|f| &f.fixes);
        for fix in printed.filter(|f| f.verb == Verb::Drop && !f.instead) {
            assert!(dropped.contains(&fix.object), "{series}: {} is dropped by a finding only", fix.object);
        }
    }
}

/// Checks whose findings rest on numbers of the export alone, not on times computed from samples.
const COUNTED: [&str; 8] = [
    "index-duplicate",
    "index-redundant-prefix",
    "index-invalid",
    "index-missing-fk",
    "index-unused",
    "vacuum-disabled-table",
    "seq-exhaustion",
    "table-seq-scan-heavy",
];

#[test]
fn every_number_can_be_looked_up() {
    for series in SHOPS {
        let Some(advice) = advise(series, &minutes()) else { return };
        for finding in advice.findings().into_iter().filter(|f| COUNTED.contains(&f.rule.as_str())) {
            assert!(!finding.measures.is_empty(), "{series}: {}", line(finding));
            for measure in &finding.measures {
                assert!(!measure.evidence.locators.is_empty(), "{series}: {}: {}", line(finding), measure.label);
            }
        }
    }
}

#[test]
fn two_runs_say_the_same() {
    let Some(one) = advise(SHOPS[0], &minutes()) else { return };
    let two = advise(SHOPS[0], &minutes()).expect("the same series");
    assert_eq!(lines(&one), lines(&two));
    assert_eq!((one.score, one.actions), (two.score, two.actions));
}

/// What is true of each standby, with the defaults and with windows of minutes alike: nothing that needs the primary's
/// counters.
const STANDBY: &[&str] = &[
    "high index-invalid: public.uq_orders_ref",
    "high seq-exhaustion: public.tickets_id_seq",
    "high seq-exhaustion: public.tiny_seq",
    "low cfg-logging: logging",
    "low cfg-timeouts: idle_in_transaction_session_timeout",
    "low index-duplicate: public.idx_orders_customer_dup",
    "low index-redundant-prefix: public.idx_orders_customer",
    "low schema-no-pk: public.pgbench_history",
];

/// What is true of every server of PostgreSQL 13 as it is installed, in November 2026.
const OF_13: &[&str] = &[
    "high cfg-version-eol: PostgreSQL 13",
    "low ckpt-target-low: checkpoint_completion_target",
    "medium sec-password-md5: password_encryption",
];

fn told(advice: &Advice) -> Vec<String> {
    let worth = advice.findings().into_iter().filter(|f| f.severity > Severity::Info);
    let mut lines: Vec<String> =
        worth.map(|f| format!("{} {}: {}", f.severity.word(), f.rule, f.subject.name)).collect();
    lines.sort();
    lines
}

#[test]
fn a_standby_shows_what_is_true_of_it_and_no_more() {
    for version in [13, 15, 18] {
        let series = format!("pgbench-shop-pg{version}-standby");
        let old = OF_13.iter().filter(|told| version == 13 && !told.contains("sec-password-md5"));
        let mut want: Vec<&str> = STANDBY.iter().chain(old).copied().collect();
        want.sort_unstable();
        for config in [Config::default(), minutes()] {
            let Some(advice) = advise(&series, &config) else { return };
            assert_eq!(told(&advice), want, "{series}");
        }
    }
}

#[test]
fn the_quiet_queue_of_13_shows_only_what_every_such_server_does() {
    let Some(advice) = advise("mission-queue-pg13", &Config::default()) else { return };
    let mut want = vec![
        "low cfg-logging: logging",
        "low cfg-timeouts: idle_in_transaction_session_timeout",
        "low hyg-reset-in-window: counters",
        "low lock-deadlocks: binaryrogue",
    ];
    want.extend(OF_13);
    want.sort_unstable();
    assert_eq!(told(&advice), want);
}
