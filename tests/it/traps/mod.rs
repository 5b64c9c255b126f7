//! One table of all that was set up in the recorded series: what it should trigger and does. Proven on fixtures, and on
//! every recorded series that has it where those are on the machine (`PGRETRO_LAB`).

use pgretro::advisor::{Advice, Config, run};
use pgretro::diff::{self, Chain};
use pgretro::finding::{Finding, Severity};
use pgretro::ingest;
use serde_json::Value;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

mod table;

use table::{CANNOT, EVENTS, HEAD, MIDDLE, QUIET, QUIET_HEAD, Quiet, TRAPS};

/// In which series a trap is, as their `truth.json` says.
enum Present {
    /// In all of a scenario.
    Scenario(&'static str),
    /// Where the driver held this at a capture.
    Held(&'static str),
    /// Where the driver did this between two captures.
    Done(&'static str),
    /// In none: a fixture of its own.
    Apart,
}
use Present::{Apart, Done, Held, Scenario};

struct Trap {
    /// What was set up.
    what: &'static str,
    present: Present,
    rule: &'static str,
    /// Part of the name of the subject or of a member, or of the title.
    about: &'static str,
    /// Folders of the fixture that shows it, oldest first.
    shown: &'static [&'static str],
    /// What it should be with the defaults; `None`: nothing.
    default: Option<Severity>,
    /// What it should be with windows and floors of minutes.
    scaled: Severity,
}

pub fn config(name: &str) -> Config {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/config").join(name);
    Config::load(&path).expect("a configuration")
}

fn chain(folders: &[PathBuf]) -> Chain {
    let snapshots = ingest::read(folders, &ingest::Options::default()).expect("readable");
    diff::chain(snapshots.into_iter().map(Arc::new).collect(), &diff::Options::default()).expect("of one server")
}

pub fn fixture(folders: &[&str]) -> Chain {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    chain(&folders.iter().map(|f| root.join(f)).collect::<Vec<_>>())
}

/// The folders of each fixture that shows a trap.
pub fn shown() -> std::collections::BTreeSet<&'static [&'static str]> {
    TRAPS.iter().map(|trap| trap.shown).filter(|shown| !shown.is_empty()).collect()
}

/// Whether a finding is about something: its subject, or one of its members.
fn is_about(finding: &Finding, about: &str) -> bool {
    finding.subject.name.contains(about) || finding.members.iter().any(|m| m.name.contains(about))
}

/// The worst that a rule says about something, or with it in the title.
fn found<'a>(advice: &'a Advice, rule: &str, about: &str) -> Option<&'a Finding> {
    let names = |f: &Finding| is_about(f, about) || f.title.plain().contains(about);
    advice.findings().into_iter().filter(|f| f.rule == rule && names(f)).max_by_key(|f| f.severity)
}

fn told(advice: &Advice) -> String {
    let line = |f: &&Finding| format!("{} {}: {}: {}\n", f.severity.word(), f.rule, f.subject.name, f.title.plain());
    advice.findings().iter().map(line).collect()
}

fn word(severity: Option<Severity>) -> &'static str {
    severity.map_or("–", Severity::word)
}

#[test]
fn every_trap_is_shown_by_a_fixture_as_the_table_says() {
    let scaled = config("minutes.toml");
    let mut wrong = String::new();
    let mut runs: Vec<(&[&str], Advice, Advice)> = Vec::new();
    for trap in TRAPS {
        let known = runs.iter().position(|(f, ..)| *f == trap.shown).unwrap_or_else(|| {
            let chain = fixture(trap.shown);
            runs.push((trap.shown, run(&chain, &Config::default()), run(&chain, &scaled)));
            runs.len() - 1
        });
        let (_, by_default, by_minutes) = &runs[known];
        let does = |advice| found(advice, trap.rule, trap.about).map(|f| f.severity);
        let (default, minutes) = (does(by_default), does(by_minutes));
        if (default, minutes) != (trap.default, Some(trap.scaled)) {
            let _ = writeln!(
                wrong,
                "{}: {} on {}: should be {} by default and {} scaled, is {} and {}; scaled:\n{}",
                trap.what,
                trap.rule,
                trap.about,
                word(trap.default),
                trap.scaled.word(),
                word(default),
                word(minutes),
                told(by_minutes)
            );
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn what_happened_is_named_on_the_fixtures() {
    for event in EVENTS {
        let chain = fixture(event.shown);
        let named = chain.windows.iter().flat_map(|w| &w.events).any(|e| e.kind == event.kind);
        assert!(named, "{}: no {}", event.what, event.kind);
    }
}

#[test]
fn the_document_of_traps_is_fresh() {
    let fresh = document();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/traps.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, &fresh).expect("docs/traps.md");
    }
    let there = std::fs::read_to_string(path).expect("docs/traps.md");
    assert!(there == fresh, "docs/traps.md is old: `UPDATE_DOCS=1 cargo test the_document_of_traps`");
}

fn document() -> String {
    let mut out = String::from(HEAD);
    for trap in TRAPS {
        let about = trap.about.replace('|', "\\|");
        let shown = trap.shown[0].split('/').next().unwrap_or_default();
        let (default, scaled) = (word(trap.default), trap.scaled.word());
        let _ = writeln!(out, "| {} | `{}` | `{about}` | {default} | {scaled} | `{shown}` |", trap.what, trap.rule);
    }
    out.push_str(MIDDLE);
    for event in EVENTS {
        let shown = event.shown[0].split('/').next().unwrap_or_default();
        let _ = writeln!(out, "| {} | `{}` | `{shown}` |", event.what, event.kind);
    }
    out.push_str(QUIET_HEAD);
    for quiet in QUIET {
        let _ = writeln!(
            out,
            "| {} | `{}` | `{}` |",
            quiet.what,
            quiet.about.replace('|', "\\|"),
            quiet.rules.join("`, `")
        );
    }
    out
}

/// The folder of the recorded series.
fn lab() -> Option<PathBuf> {
    let beside = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/lab/data"));
    std::env::var_os("PGRETRO_LAB").map(PathBuf::from).or(Some(beside)).filter(|p| p.is_dir())
}

/// The series that have their truth beside them, with it.
fn series() -> Vec<(String, PathBuf, Value)> {
    let Some(root) = lab() else {
        eprintln!("skipped: no recorded series here");
        return Vec::new();
    };
    let entries = std::fs::read_dir(root).expect("a folder").map(|e| e.expect("an entry").path());
    let mut all: Vec<(String, PathBuf, Value)> = entries
        .filter_map(|path| {
            let truth = std::fs::read_to_string(path.join("truth.json")).ok()?;
            let name = path.file_name()?.to_string_lossy().into_owned();
            Some((name, path, serde_json::from_str(&truth).expect("JSON")))
        })
        .collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

fn events(truth: &Value) -> Vec<&str> {
    let intervals = truth["intervals"].as_array().expect("intervals");
    let of = |i: &'_ Value| i["events"].as_array().expect("events").iter().filter_map(|e| e["kind"].as_str()).count();
    assert!(intervals.iter().map(of).sum::<usize>() > 0, "a truth without events");
    intervals.iter().flat_map(|i| i["events"].as_array().expect("events")).filter_map(|e| e["kind"].as_str()).collect()
}

/// Whether a series has a trap. One exported in two formats keeps only its first snapshots: what came later is not in it.
fn has(present: &Present, truth: &Value, snapshots: &[String]) -> bool {
    let there = |dir: &Value| dir.as_str().is_some_and(|d| snapshots.iter().any(|s| s == d));
    let all = truth["snapshots"].as_array().expect("snapshots");
    let kept = all.iter().filter(|s| there(&s["dir"])).count() as u64;
    match present {
        Apart => false,
        Scenario(name) => truth["scenario"] == **name,
        Held(what) => all.iter().any(|s| there(&s["dir"]) && !s["at_capture"][*what].is_null()),
        Done(kind) => truth["intervals"].as_array().expect("intervals").iter().any(|i| {
            i["to"].as_u64().is_some_and(|to| to <= kept)
                && i["events"].as_array().expect("events").iter().any(|e| e["kind"] == **kind)
        }),
    }
}

fn folders(path: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(path).expect("a folder").map(|e| e.expect("an entry"));
    entries.filter(|e| e.path().is_dir()).map(|e| e.file_name().to_string_lossy().into_owned()).collect()
}

#[test]
fn every_trap_is_found_in_every_series_that_has_it() {
    let scaled = config("minutes.toml");
    let mut wrong = String::new();
    for (name, path, truth) in series() {
        assert!(!events(&truth).is_empty(), "{name}");
        let snapshots = folders(&path);
        let chain = chain(&[path]);
        let advice = run(&chain, &scaled);
        for trap in TRAPS.iter().filter(|t| has(&t.present, &truth, &snapshots)) {
            let severity = found(&advice, trap.rule, trap.about).map(|f| f.severity);
            // What was over before the last snapshot may be told as information only: nothing is left to do.
            let least = if is_over(&trap.present, &truth) { Severity::Info } else { trap.scaled.min(Severity::Low) };
            if severity.is_none_or(|s| s < least) && !unknown(trap, &name) {
                let _ = writeln!(wrong, "{name}: {}: {} on {} is {}", trap.what, trap.rule, trap.about, word(severity));
            }
        }
        for event in EVENTS.iter().filter(|e| has(&e.present, &truth, &snapshots)) {
            if !chain.windows.iter().flat_map(|w| &w.events).any(|e| e.kind == event.kind) {
                let _ = writeln!(wrong, "{name}: {}: no {}", event.what, event.kind);
            }
        }
        for quiet in QUIET.iter().filter(|q| has(&q.present, &truth, &snapshots)) {
            for f in loud(&advice, quiet) {
                let _ = writeln!(wrong, "{name}: {}: {} says {}", quiet.what, f.rule, f.title.plain());
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Whether what the driver held was let go before the last snapshot.
fn is_over(present: &Present, truth: &Value) -> bool {
    let last = truth["snapshots"].as_array().and_then(|all| all.last());
    matches!(present, Held(what) if last.is_some_and(|s| s["at_capture"][*what].is_null()))
}

/// Warnings about something that is no trap.
fn loud<'a>(advice: &'a Advice, quiet: &Quiet) -> Vec<&'a Finding> {
    let warns = |f: &&Finding| {
        f.severity > Severity::Info && quiet.rules.contains(&f.rule.as_str()) && is_about(f, quiet.about)
    };
    advice.findings().into_iter().filter(warns).collect()
}

#[test]
fn what_is_no_trap_is_not_warned_of() {
    for config in [Config::default(), config("minutes.toml")] {
        let advice = run(&fixture(&["shop/before", "shop/after"]), &config);
        for quiet in QUIET {
            let titles: Vec<String> = loud(&advice, quiet).iter().map(|f| f.title.plain()).collect();
            assert!(titles.is_empty(), "{}: {titles:?}", quiet.what);
        }
    }
}

/// What is true of every installation that nobody has configured, and of the deadlock that was made.
const QUEUE_BY_DEFAULT: [&str; 1] = ["low lock-deadlocks: binaryrogue"];

#[test]
fn the_quiet_queue_shows_by_default_what_happened_and_no_more() {
    let advice = run(&fixture(&["pg15-queue/before", "pg15-queue/after"]), &Config::default());
    let worth = advice.findings().into_iter().filter(|f| f.severity > Severity::Info);
    let lines: Vec<String> = worth.map(|f| format!("{} {}: {}", f.severity.word(), f.rule, f.subject.name)).collect();
    assert_eq!(lines, QUEUE_BY_DEFAULT);
}

/// Where a series cannot show a trap, with the reason.
fn unknown(trap: &Trap, series: &str) -> bool {
    CANNOT.iter().any(|(rule, about, start, _)| *rule == trap.rule && *about == trap.about && series.starts_with(start))
}
