//! Real dumps with every name, text, address and setting replaced: by marked words, or by attacks.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

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
    "publication",
    "subscription",
    "origin",
    "extname_",
];
/// Columns whose values are SQL or settings.
const TEXTS: &[&str] = &["query", "indexdef", "definition", "predicate", "condef", "pg_get_constraintdef"];

/// The planted words, and what each stands for.
pub struct Planted {
    /// The new name of each name.
    pub words: BTreeMap<String, String>,
    next: Box<dyn FnMut() -> String>,
}

impl Planted {
    fn random(&mut self) -> String {
        (self.next)()
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

/// A word as a part of a file's name.
fn file_name(word: &str) -> String {
    word.chars().filter(|c| !matches!(c, '/' | '\0')).take(60).collect()
}

fn system(name: &str) -> bool {
    name.is_empty()
        || matches!(name, "public" | "information_schema" | "psql" | "f" | "t")
        || name.starts_with("pg_catalog")
        || name.starts_with("pg_toast")
        || name.starts_with("pg_stat")
}

/// Rewrites the snapshots of a dump into a folder; `next` gives a new word each time.
pub fn plant(from: &[PathBuf], to: &Path, next: Box<dyn FnMut() -> String>) -> (Vec<PathBuf>, Planted) {
    let mut planted = Planted { words: BTreeMap::new(), next };
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
    let folders: Vec<PathBuf> =
        (0..from.len()).map(|i| to.join(format!("{i:02}-{}", file_name(&planted.random())))).collect();
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

/// An item of an array as PostgreSQL prints it.
fn array_item(text: &str) -> String {
    if text.chars().all(|c| c.is_alphanumeric() || c == '_') {
        return text.to_owned();
    }
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn cell_of(planted: &mut Planted, column: &str, cell: &str, setting: Option<&str>) -> String {
    if cell.is_empty() {
        return String::new();
    }
    if NAMES.contains(&column) {
        let inner = cell.trim_matches(['{', '}']);
        let new: Vec<String> =
            inner.split(',').map(|n| if system(n) { n.to_owned() } else { planted.of(n.trim_matches('"')) }).collect();
        return if cell.starts_with('{') {
            format!("{{{}}}", new.iter().map(|n| array_item(n)).collect::<Vec<_>>().join(","))
        } else {
            new.join(",")
        };
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
    let plain = |word: &str| word.chars().all(in_word);
    while let Some(first) = rest.chars().next() {
        let end =
            rest.find(|c| !in_word(c)).unwrap_or(rest.len()).max(if in_word(first) { 0 } else { first.len_utf8() });
        let (word, after) = rest.split_at(end);
        match words.get(word) {
            // As PostgreSQL prints a name of words with signs between them.
            Some(new) if new.contains('-') && plain(&new.replace('-', "")) && !out.ends_with('"') => {
                let _ = write!(out, "\"{new}\"");
            }
            new => out.push_str(new.map_or(word, String::as_str)),
        }
        rest = after;
    }
    out
}
