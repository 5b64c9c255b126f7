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

/// Names of words that the program and PostgreSQL have themselves: told apart by their order only.
fn known_words() -> Box<dyn FnMut() -> String> {
    const WORDS: [&str; 16] = [
        "vacuum", "session", "left", "dead", "horizon", "index", "commit", "reader", "slot", "window", "over", "table",
        "standby", "order", "holder", "query",
    ];
    let mut state = 0_usize;
    Box::new(move || {
        state += 1;
        let word = |n: usize| WORDS[n % WORDS.len()];
        format!("{}-{}-{}", word(state), word(state / 16 + state * 5 + 3), word(state / 7 + 11))
    })
}

/// Where in the report a word stands: the keys that lead there, and the text.
fn places(value: &serde_json::Value, at: &str, words: &[&str], out: &mut BTreeSet<String>) {
    match value {
        serde_json::Value::String(text) if words.iter().any(|w| text.contains(w)) => {
            out.insert(format!("{at}: {}", text.chars().take(200).collect::<String>()));
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| places(item, at, words, out)),
        serde_json::Value::Object(of) => {
            of.iter().for_each(|(key, item)| places(item, &format!("{at}/{key}"), words, out));
        }
        _ => {}
    }
}

#[test]
fn a_name_made_of_known_words_is_a_name_all_the_same() {
    let fixture = |name: &str| root().join("fixtures").join(name);
    let mut of: Vec<(String, Vec<PathBuf>)> = dumps();
    for name in ["pg15-queue", "pg15-neglected", "pg15-functions"] {
        of.push((name.to_owned(), vec![fixture(name).join("before"), fixture(name).join("after")]));
    }
    of.push(("pg16-held".to_owned(), vec![fixture("pg16-held")]));
    let mut left = BTreeSet::new();
    for (name, folders) in of {
        let scratch = tempfile::tempdir().expect("a folder");
        let (folders, planted) = plant(&folders, scratch.path(), known_words());
        let closed = redact(&report_of(&folders), Redact::parse("all").expect("a kind"));
        let words: Vec<&str> = planted.words.values().map(String::as_str).collect();
        places(&serde_json::to_value(&closed).expect("JSON"), "", &words, &mut left);
        for (format, text) in outputs(&closed) {
            left.extend(leaks(&text, &words).into_iter().map(|l| format!("{name}, {format}: {l}")));
        }
    }
    assert!(left.is_empty(), "{}", left.into_iter().collect::<Vec<_>>().join("\n"));
}

/// What settings are set to, where that is the owner's: names of standbys, commands, values of settings of their own.
#[test]
fn values_of_settings_made_of_known_words_go_too() {
    let scratch = tempfile::tempdir().expect("a folder");
    let mut folders = Vec::new();
    for (at, word) in [("before", "over"), ("after", "left")] {
        let to = scratch.path().join(at);
        std::fs::create_dir(&to).expect("a folder");
        for entry in std::fs::read_dir(root().join("fixtures/shop").join(at)).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name");
            if name != "pg_settings.csv" {
                std::fs::copy(&path, to.join(name)).expect("a copy");
                continue;
            }
            let mut text = String::new();
            for line in std::fs::read_to_string(&path).expect("settings").lines() {
                let name = line.split(',').next().unwrap_or_default();
                let of = ["synchronous_standby_names", "archive_command", "cluster_name", "default_tablespace"];
                text += &if of.contains(&name) {
                    set(line, &format!("{word}-{}-reader", name.replace('_', "-")))
                } else {
                    line.to_owned()
                };
                text.push('\n');
                if name == "allow_system_table_mods" {
                    text += &set(&line.replace(name, "app.tenant"), &format!("{word}-dead-tenant"));
                    text.push('\n');
                }
            }
            std::fs::write(to.join(name), text).expect("a file");
        }
        folders.push(to);
    }
    let open = report_of(&folders);
    let private = ["-reader", "-dead-tenant"];
    assert!(!leaks(&outputs(&open)[1].1, &private).is_empty(), "none of them is in the report");
    let closed = redact(&open, Redact::parse("all").expect("a kind"));
    let mut left = BTreeSet::new();
    places(&serde_json::to_value(&closed).expect("JSON"), "", &private, &mut left);
    for (format, text) in outputs(&closed) {
        left.extend(leaks(&text, &private).into_iter().map(|l| format!("{format}: {l}")));
    }
    assert!(left.is_empty(), "{}", left.into_iter().collect::<Vec<_>>().join("\n"));
    assert!(outputs(&closed)[1].1.contains("synchronous_standby_names"), "the name of the setting stays");
}

/// A line of settings with another value.
fn set(line: &str, value: &str) -> String {
    let mut cells: Vec<&str> = line.splitn(3, ',').collect();
    cells[1] = value;
    cells.join(",")
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
    // What the report gives is nobody's: numbers of findings and evidence, ids of rules.
    let own = |text: &str| -> Vec<String> {
        let rule = |piece: &&str| advisor::rules::RULES.iter().any(|r| r.id == *piece);
        let references = text.match_indices("](#").map(|(at, _)| text[..at].rsplit('[').next().unwrap_or_default());
        let rules = text.split('`').filter(rule);
        let numbers = references.filter(|r| r.starts_with("F-") || r.starts_with('E'));
        rules.chain(numbers).map(str::to_owned).collect()
    };
    let (before, after) = (own(&outputs(&open)[1].1), own(&text));
    assert!(before.len() > 100 && before == after, "{before:?}\n{after:?}");
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
