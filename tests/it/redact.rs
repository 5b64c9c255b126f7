//! What `--redact` leaves behind: nothing of what was private, in any format.
//!
//! A dump is rewritten so that every name, text, address and literal in it holds a word that occurs nowhere else; then
//! every output is searched for each of them.

use super::house::root;
use pgretro::report::{Redact, Report, redact};
use pgretro::{advisor, diff, ingest, render, report};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How every planted word starts; no word of the program or of PostgreSQL has it.
const MARK: &str = "zqx";

/// Columns whose values are names or belong to users and machines.
const NAMES: &[&str] = &[
    "schemaname",
    "relname",
    "indexrelname",
    "tablename",
    "indexname",
    "sequencename",
    "funcname",
    "datname",
    "usename",
    "rolname",
    "application_name",
    "slot_name",
    "gid",
    "owner",
    "constraint_name",
    "conname",
    "columns",
    "nspname",
    "attname",
    "client_hostname",
    "database",
    "subname",
    "pubname",
    "plugin",
    "proname",
    "parent",
    "child",
    "root",
    "exported_by",
    "cluster_name",
    "column_name",
    "table_name",
    "schema_name",
    "spcname",
    "extname_",
];
/// Columns whose values are SQL or settings.
const TEXTS: &[&str] = &["query", "indexdef", "definition", "predicate", "condef", "pg_get_constraintdef"];

/// The planted words, and what each stands for.
#[derive(Default)]
struct Planted {
    words: BTreeMap<String, String>,
    state: u64,
}

impl Planted {
    fn random(&mut self) -> String {
        let mut word = MARK.to_owned();
        for _ in 0..9 {
            self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            word.push(char::from(b"bcdfghjklmnpqrstvwxz"[(self.state >> 33) as usize % 20]));
        }
        word
    }

    fn of(&mut self, name: &str) -> String {
        if let Some(word) = self.words.get(name) {
            return word.clone();
        }
        let word = self.random();
        self.words.insert(name.to_owned(), word.clone());
        word
    }
}

fn system(name: &str) -> bool {
    name.is_empty()
        || matches!(name, "public" | "information_schema" | "psql" | "f" | "t")
        || name.starts_with("pg_catalog")
        || name.starts_with("pg_toast")
        || name.starts_with("pg_stat")
}

/// Rewrites the snapshots of a dump into a folder.
fn plant(from: &[PathBuf], to: &Path) -> (Vec<PathBuf>, Planted) {
    let mut planted = Planted { state: 7, ..Planted::default() };
    let mut tables = Vec::new();
    for folder in from {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.extension().is_none_or(|e| e != "csv") {
                continue;
            }
            let mut reader = csv::Reader::from_path(&path).expect("CSV");
            let header: Vec<String> = reader.headers().expect("a head").iter().map(str::to_owned).collect();
            let rows: Vec<Vec<String>> =
                reader.records().map(|r| r.expect("a row").iter().map(str::to_owned).collect()).collect();
            tables.push((folder.clone(), path.file_name().expect("a name").to_owned(), header, rows));
        }
    }
    for (.., header, rows) in &tables {
        for row in rows {
            for (column, cell) in header.iter().zip(row) {
                if NAMES.contains(&column.as_str()) {
                    for name in cell.trim_matches(['{', '}']).split(',').filter(|n| !system(n)) {
                        planted.of(name.trim_matches('"'));
                    }
                }
            }
        }
    }
    let folders: Vec<PathBuf> = (0..from.len()).map(|i| to.join(format!("{:02}-{}", i, planted.random()))).collect();
    for (folder, file, header, rows) in tables {
        let at = from.iter().position(|f| *f == folder).expect("known");
        std::fs::create_dir_all(&folders[at]).expect("a folder");
        let mut out = csv::Writer::from_path(folders[at].join(&file)).expect("a file");
        out.write_record(&header).expect("a head");
        for row in rows {
            let setting = header.first().is_some_and(|h| h == "name").then(|| row[0].clone());
            let cells =
                header.iter().zip(row).map(|(column, cell)| cell_of(&mut planted, column, &cell, setting.as_deref()));
            out.write_record(cells.collect::<Vec<_>>()).expect("a row");
        }
    }
    (folders, planted)
}

fn cell_of(planted: &mut Planted, column: &str, cell: &str, setting: Option<&str>) -> String {
    if cell.is_empty() {
        return String::new();
    }
    if NAMES.contains(&column) {
        let inner = cell.trim_matches(['{', '}']);
        let new: Vec<String> =
            inner.split(',').map(|n| if system(n) { n.to_owned() } else { planted.of(n.trim_matches('"')) }).collect();
        return if cell.starts_with('{') { format!("{{{}}}", new.join(",")) } else { new.join(",") };
    }
    if TEXTS.contains(&column) {
        let text = replaced(&planted.words.clone(), cell);
        let mut out = String::new();
        // Every literal gets a word of its own, and every text a comment with one.
        for (i, part) in text.split('\'').enumerate() {
            if i % 2 == 1 {
                let _ = write!(out, "'{}'", planted.random());
            } else {
                out.push_str(part);
            }
        }
        return if column == "query" {
            format!("/* {} */ {out} -- {}", planted.random(), planted.random())
        } else {
            out
        };
    }
    if column == "client_addr" {
        // An address is found by its middle.
        return "10.231.177.99".to_owned();
    }
    let path = cell.contains('/')
        || matches!(setting, Some("search_path" | "cluster_name" | "log_line_prefix" | "listen_addresses"));
    if matches!(column, "setting" | "reset_val" | "sourcefile") && path {
        return format!("/var/{}/{}.conf", planted.random(), planted.random());
    }
    cell.to_owned()
}

/// A text with whole words replaced.
fn replaced(words: &BTreeMap<String, String>, text: &str) -> String {
    let in_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut out = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end =
            rest.find(|c| !in_word(c)).unwrap_or(rest.len()).max(if in_word(first) { 0 } else { first.len_utf8() });
        let (word, after) = rest.split_at(end);
        out.push_str(words.get(word).map_or(word, String::as_str));
        rest = after;
    }
    out
}

fn report_of(folders: &[PathBuf]) -> Report {
    let snapshots = ingest::read(folders, &ingest::Options::default()).expect("reads");
    let chain = diff::chain(snapshots.into_iter().map(Arc::new).collect(), &diff::Options::default()).expect("a chain");
    let advice = advisor::run(&chain, &advisor::Config::default());
    report::build(&chain, &advice, &report::Options::default()).expect("a report")
}

fn outputs(report: &Report) -> Vec<(&'static str, String)> {
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
        let (folders, planted) = plant(&folders, scratch.path());
        let open = report_of(&folders);
        let json = &outputs(&open)[3].1;
        seen += planted.words.values().filter(|word| json.contains(word.as_str())).count();
        let closed = redact(&open, Redact::parse("all").expect("a kind"));
        for (format, text) in outputs(&closed) {
            let found = leaks(&text, &[MARK, "10.231.177", "231.177.99"]);
            assert!(found.is_empty(), "{name}, {format}:\n{}", found.join("\n"));
            assert!(format == "txt" || text.contains("table_"), "{name}, {format}: no pseudonym");
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
    assert!(!hosts.contains("lock-a") && names.contains("lock-a"));
}
