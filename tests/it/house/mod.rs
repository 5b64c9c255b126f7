//! Rules of the house that no compiler checks. Each check is a function from text to complaints, and is itself tried on
//! a text that breaks it.

mod commands;
mod dependencies;
mod documents;
mod floors;
mod network;
mod rules;
mod sources;

use std::path::{Path, PathBuf};

/// The repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A text file of the repository.
pub fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// Files below a folder of the repository whose names end so, as paths from the root, sorted.
fn files(below: &str, ending: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut open: Vec<PathBuf> = vec![root().join(below)].into_iter().filter(|path| path.is_dir()).collect();
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(&dir).unwrap_or_else(|e| panic!("{}: {e}", dir.display())) {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                found.push(path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/"));
            }
        }
    }
    found.sort();
    found
}

/// Files of `src/` that are built into the program: those that a `#[cfg(test)] mod name;` declares are not, be it
/// `name.rs` or the folder `name`.
fn program_files() -> Vec<String> {
    let all = files("src", ".rs");
    let tests: Vec<String> = all
        .iter()
        .flat_map(|path| {
            let folder = path.trim_end_matches("mod.rs").trim_end_matches("lib.rs").trim_end_matches(".rs").to_owned();
            test_modules(&read(path)).into_iter().map(move |name| format!("{}/{name}", folder.trim_end_matches('/')))
        })
        .collect();
    let is_test =
        |path: &str, of: &str| path.strip_prefix(of).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'));
    all.into_iter().filter(|path| !tests.iter().any(|of| is_test(path, of))).collect()
}

/// Names of the file modules that only tests have.
fn test_modules(source: &str) -> Vec<String> {
    source
        .split("#[cfg(test)]\n")
        .skip(1)
        .filter_map(|rest| rest.lines().next()?.split_once("mod ")?.1.strip_suffix(';').map(str::to_owned))
        .collect()
}

/// Rust source without comments, literals and unit tests: what a check of code may look at. Lines keep their numbers.
fn code(source: &str) -> String {
    let bytes = source.as_bytes();
    let mut out = String::new();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &source[at..];
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |n| n + 2)
        } else if is_raw_string(rest) {
            let hashes = rest[1..].bytes().take_while(|b| *b == b'#').count();
            let end = format!("\"{}", "#".repeat(hashes));
            let body = hashes + 2;
            rest[body..].find(&end).map_or(rest.len(), |n| body + n + end.len())
        } else if rest.starts_with('"') {
            string_length(rest)
        } else if rest.starts_with("'\"'") {
            3
        } else if let Some(escape) = rest.strip_prefix("'\\") {
            escape.find('\'').map_or(rest.len(), |n| n + 3).max(4).min(rest.len())
        } else {
            0
        };
        if skipped == 0 {
            let c = rest.chars().next().unwrap();
            out.push(c);
            at += c.len_utf8();
        } else {
            out.extend(rest[..skipped].chars().filter(|c| *c == '\n'));
            at += skipped;
        }
    }
    match out.find("#[cfg(test)]\nmod ") {
        Some(tests) => out[..tests].to_owned(),
        None => out,
    }
}

fn is_raw_string(rest: &str) -> bool {
    rest.strip_prefix('r').is_some_and(|r| r.trim_start_matches('#').starts_with('"'))
}

fn string_length(rest: &str) -> usize {
    let mut escaped = false;
    for (i, b) in rest.bytes().enumerate().skip(1) {
        match b {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return i + 1,
            _ => {}
        }
    }
    rest.len()
}

/// Fails with all complaints at once.
fn assert_none(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

#[test]
fn code_is_what_remains() {
    let source = "use a; // b\nlet c = \"d\\\" // e\"; /* f */ r#\"g\"h\"#; let i = '\"';\n/// j\nk\n#[cfg(test)]\nmod tests { l }\n";
    let left = code(source);
    for gone in ["b", "d", "e\"", "f", "g", "h", "j", "mod tests"] {
        assert!(!left.contains(gone), "{gone} in {left}");
    }
    for kept in ["use a;", "let c =", "let i =", "k"] {
        assert!(left.contains(kept), "{kept} not in {left}");
    }
}

#[test]
fn test_modules_are_told_from_others() {
    let source = "mod a;\n#[cfg(test)]\npub(crate) mod b;\n#[cfg(test)]\nmod tests {\n}\nmod c;\n";
    assert_eq!(test_modules(source), ["b"]);
}
