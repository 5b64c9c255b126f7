//! What `--redact` leaves behind: nothing of what was private, in any format.
//!
//! A dump is rewritten so that every name, text, address and literal in it holds a word that occurs nowhere else; then
//! every output is searched for each of them.

use super::house::root;
use super::plant::plant;
use pgretro::report::{Redact, Report, redact};
use pgretro::{advisor, diff, ingest, render, report};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

/// How every planted word starts; no word of the program or of PostgreSQL has it.
const MARK: &str = "zqx";

/// Words of random letters behind the mark.
fn marked() -> Box<dyn FnMut() -> String> {
    let mut state = 7_u64;
    Box::new(move || {
        let mut word = MARK.to_owned();
        for _ in 0..9 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            word.push(char::from(b"bcdfghjklmnpqrstvwxz"[(state >> 33) as usize % 20]));
        }
        word
    })
}

pub fn report_of(folders: &[PathBuf]) -> Report {
    let snapshots = ingest::read(folders, &ingest::Options::default()).expect("reads");
    let chain = diff::chain(snapshots.into_iter().map(Arc::new).collect(), &diff::Options::default()).expect("a chain");
    let advice = advisor::run(&chain, &advisor::Config::default());
    report::build(&chain, &advice, &report::Options::default()).expect("a report")
}

pub fn outputs(report: &Report) -> Vec<(&'static str, String)> {
    let options = render::Options::default();
    render::FORMATS.iter().map(|f| (f.name, render::render(report, *f, &options).expect("renders"))).collect()
}

/// The words around what should not be there.
fn leaks(text: &str, words: &[&str]) -> Vec<String> {
    let lower = text.to_lowercase();
    let mut found = BTreeSet::new();
    for word in words {
        for (at, _) in lower.match_indices(word) {
            let start = (0..=at.saturating_sub(60)).rev().find(|i| lower.is_char_boundary(*i)).unwrap_or(0);
            let end = (at + 60..lower.len()).find(|i| lower.is_char_boundary(*i)).unwrap_or(lower.len());
            found.insert(lower[start..end].replace('\n', " "));
        }
    }
    found.into_iter().take(12).collect()
}

fn dumps() -> Vec<(String, Vec<PathBuf>)> {
    let fixture = |name: &str| root().join("fixtures").join(name);
    let mut dumps = vec![
        ("classic".to_owned(), vec![fixture("classic")]),
        ("odd names".to_owned(), vec![fixture("pg18-odd-names/csv")]),
    ];
    for name in ["shop", "pg18-standby", "pg15-rename", "pg16-recreate", "pg16-reindex-concurrently", "pg15-crash"] {
        dumps.push((name.to_owned(), vec![fixture(name).join("before"), fixture(name).join("after")]));
    }
    dumps
}

#[test]
fn nothing_private_is_left_in_any_format() {
    let mut seen = 0;
    for (name, folders) in dumps() {
        let scratch = tempfile::Builder::new().prefix(MARK).tempdir().expect("a folder");
        let (folders, planted) = plant(&folders, scratch.path(), marked());
        let open = report_of(&folders);
        let json = &outputs(&open)[3].1;
        seen += planted.words.values().filter(|word| json.contains(word.as_str())).count();
        let closed = redact(&open, Redact::parse("all").expect("a kind"));
        for (format, text) in outputs(&closed) {
            let found = leaks(&text, &[MARK, "10.231.177", "231.177.99"]);
            assert!(found.is_empty(), "{name}, {format}:\n{}", found.join("\n"));
            assert!(matches!(format, "txt" | "csv") || text.contains("table_"), "{name}, {format}: no pseudonym");
        }
    }
    assert!(seen > 300, "only {seen} planted words reached a report: the test looks at too little");
}

#[test]
fn the_rest_of_the_report_stays() {
    let open = report_of(&[root().join("fixtures/shop/before"), root().join("fixtures/shop/after")]);
    let closed = redact(&open, Redact::parse("all").expect("a kind"));
    assert_eq!(closed.redacted.len(), 3);
    assert_eq!(closed.findings.len(), open.findings.len());
    assert_eq!(closed.verdict.score, open.verdict.score);
    let rows = |r: &Report| serde_json::to_value(r).expect("JSON").to_string().matches("\"cells\"").count();
    assert_eq!(rows(&closed), rows(&open));
    for (a, b) in open.checks.iter().zip(&closed.checks) {
        let words = |text: &str| text.split(' ').count();
        assert_eq!(words(&a.remark), words(&b.remark), "{} / {}", a.remark, b.remark);
    }
    // Twice is the same, and nothing more.
    assert!(redact(&open, Redact::parse("all").expect("a kind")) == closed);
    let text = outputs(&closed)[1].1.clone();
    for kept in ["Act now", "pg_stat_user_tables", "DROP INDEX CONCURRENTLY", "autovacuum", "Redacted for sharing"] {
        assert!(text.contains(kept), "{kept}");
    }
}

#[test]
fn each_kind_leaves_the_others() {
    let open = report_of(&[root().join("fixtures/shop/before"), root().join("fixtures/shop/after")]);
    let of = |what: &str| outputs(&redact(&open, Redact::parse(what).expect("a kind")))[3].1.clone();
    let (names, queries, hosts) = (of("names"), of("queries"), of("hosts"));
    for (text, gone, kept) in [
        (&names, "order_items", "\"postgres\""),
        (&queries, "interval '7 days'", "public.orders"),
        (&hosts, "pg_stat_user_tables.csv", "public.orders"),
    ] {
        assert!(!text.contains(gone), "{gone}");
        assert!(text.contains(kept), "{kept}");
    }
    assert!(!hosts.contains("\"lock-a\"") && names.contains("\"lock-a\""));
}

/// Lines of pg_hba.conf name addresses, roles and databases.
#[test]
fn lines_of_pg_hba_conf_give_no_address_away() {
    let text = super::fixtures::pgretro(&["report", "fixtures/pg15-neglected", "--redact", "all", "--format", "md"]);
    assert!(text.contains("Let in without a password"), "{text}");
    assert!(!text.contains("192.0.2"), "an address");
}
