//! The advisor on recorded series of real servers: nothing false by default, and with thresholds of minutes
//! (`fixtures/config/minutes.toml`) everything that was set up.

use pgretro::advisor::{Advice, Config, run};
use pgretro::diff;
use pgretro::finding::{Finding, Severity};
use pgretro::ingest;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Families whose findings are looked at here.
const FAMILIES: [&str; 16] = [
    "query-",
    "sql-",
    "func-",
    "conn-",
    "lock-",
    "cache-",
    "mem-",
    "io-",
    "ckpt-",
    "wal-",
    "slot-",
    "repl-",
    "cfg-",
    "hyg-",
    "sec-",
    "bgwriter-",
];

/// The first snapshots of a series, all of them for `None`; `None` where the series is not on this machine.
fn advise(series: &str, snapshots: Option<usize>, config: &Config) -> Option<Advice> {
    let root = std::env::var_os("PGRETRO_LAB")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/lab/data"), PathBuf::from);
    let dir = root.join(series);
    if !dir.is_dir() {
        eprintln!("SKIPPED: no series at {}", dir.display());
        return None;
    }
    let mut all = ingest::read(&[dir], &ingest::Options::default()).expect("readable");
    all.truncate(snapshots.unwrap_or(usize::MAX));
    let chain = diff::chain(all.into_iter().map(Arc::new).collect(), &diff::Options::default()).expect("of one server");
    Some(run(&chain, config))
}

fn minutes() -> Config {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/config/minutes.toml");
    Config::parse(&std::fs::read_to_string(path).expect("readable"), "minutes.toml").expect("a configuration")
}

fn told(advice: &Advice) -> Vec<String> {
    let counts =
        |f: &&&Finding| f.severity > Severity::Info && FAMILIES.iter().any(|family| f.rule.starts_with(family));
    let mut lines: Vec<String> = advice
        .findings()
        .iter()
        .filter(counts)
        .map(|f| format!("{} {}: {}", f.severity.word(), f.rule, f.subject.name))
        .collect();
    lines.sort();
    lines
}

fn find<'a>(advice: &'a Advice, rule: &str, object: &str) -> &'a Finding {
    let all = advice.findings();
    all.into_iter()
        .find(|f| f.rule == rule && f.subject.name.contains(object))
        .unwrap_or_else(|| panic!("no {rule} on {object}: {:#?}", told(advice)))
}

/// What the shop's series show at default thresholds, whatever the version.
const SHOP: [&str; 8] = [
    "low cfg-logging: logging",
    "low cfg-timeouts: idle_in_transaction_session_timeout",
    "low hyg-reset-in-window: counters",
    "low slot-unbounded: max_slot_wal_keep_size",
    "medium lock-blocked-chain: inventory.locations",
    "medium lock-ddl-queue: public.never_touched",
    "medium slot-inactive: cdc_never_read",
    "medium slot-inactive: standby_that_left",
];

#[test]
fn default_thresholds_find_nothing_false_in_the_shop() {
    for (series, more) in [
        (
            "pgbench-shop-pg15",
            &[
                "low cfg-pending-restart: settings",
                "low lock-deadlocks: shop",
                "low wal-archive-failing: WAL archive",
                "medium mem-temp-files: shop",
            ][..],
        ),
        ("pgbench-shop-pg16", &["medium mem-temp-files: shop"]),
        ("pgbench-shop-pg18", &["medium mem-temp-files: shop"]),
    ] {
        let Some(advice) = advise(series, None, &Config::default()) else { return };
        let mut want: Vec<&str> = SHOP.iter().chain(more).copied().collect();
        want.sort_unstable();
        assert_eq!(told(&advice), want, "{series}");
    }
}

#[test]
fn default_thresholds_find_nothing_false_in_the_queue() {
    for version in [15, 16, 18] {
        let Some(advice) = advise(&format!("mission-queue-pg{version}"), None, &Config::default()) else { return };
        assert_eq!(
            told(&advice),
            [
                "low cfg-logging: logging",
                "low cfg-timeouts: idle_in_transaction_session_timeout",
                "low hyg-reset-in-window: counters",
                "low lock-deadlocks: binaryrogue",
            ],
            "{version}"
        );
    }
}

#[test]
fn thresholds_of_minutes_find_every_trap() {
    for version in [13, 18] {
        let Some(advice) = advise(&format!("pgbench-shop-pg{version}"), None, &minutes()) else { return };
        let idle = find(&advice, "conn-idle-in-transaction", "app|user");
        assert!(idle.members.iter().all(|m| m.name.contains("forgot to | commit")), "{version}: {:?}", idle.members);
        let aborted = find(&advice, "conn-idle-in-transaction", "postgres");
        assert!(aborted.members.iter().any(|m| m.name.contains("idle-aborted")), "{version}: {:?}", aborted.members);
        for rule in ["lock-blocked-chain", "lock-ddl-queue"] {
            let object = if rule == "lock-ddl-queue" { "public.never_touched" } else { "inventory.locations" };
            assert_eq!(find(&advice, rule, object).members.len(), 3, "{version}: the root and two behind it");
        }
        for slot in ["cdc_never_read", "standby_that_left"] {
            find(&advice, "slot-inactive", slot);
        }
        let spill = find(&advice, "query-temp-spill", "queryid");
        assert!(
            spill.title.plain().contains("from event_log_big order by body desc"),
            "{version}: {}",
            spill.title.plain()
        );
        let resets = find(&advice, "hyg-reset-in-window", "counters");
        for event in
            ["database shop: reset", "pg_stat_statements: reset", "public.", "the server: crash or immediate stop"]
        {
            assert!(
                resets.members.iter().any(|m| m.name.starts_with(event)),
                "{version}: {event}: {:?}",
                resets.members
            );
        }
        assert!(
            find(&advice, "hyg-crash", "server").title.plain().contains("known cause"),
            "stopped in mode immediate"
        );
    }
}

#[test]
fn an_archive_that_fails_at_the_end_is_high() {
    let Some(advice) = advise("pgbench-shop-pg15", Some(18), &Config::default()) else { return };
    let failing = find(&advice, "wal-archive-failing", "WAL archive");
    assert_eq!(failing.severity, Severity::High, "{}", failing.title.plain());
}
