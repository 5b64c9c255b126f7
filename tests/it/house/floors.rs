//! Imports point down: a module uses only what stands before it in the list of ARCHITECTURE.md.

use super::{assert_none, code, program_files, read};

/// Modules in floor order, from the block under "## Floors" of ARCHITECTURE.md: a line a floor, `name: module, module`.
fn floors() -> Vec<String> {
    let text = read("ARCHITECTURE.md");
    let section = text.split("\n## Floors\n").nth(1).expect("a section `## Floors`");
    let block = section.split("```").nth(1).expect("a block in it");
    block
        .lines()
        .filter_map(|line| line.split_once(':'))
        .flat_map(|(_, modules)| modules.split(','))
        .map(|module| module.trim().to_owned())
        .collect()
}

/// Module path of a file: `src/render/html/mod.rs` is `render`, `html`.
fn module_of(path: &str) -> Vec<&str> {
    let mut parts: Vec<&str> = path.trim_start_matches("src/").trim_end_matches(".rs").split('/').collect();
    if parts.last() == Some(&"mod") {
        parts.pop();
    }
    parts
}

/// Top-level modules of the crate that a file names, with line numbers.
fn names(path: &str, source: &str) -> Vec<(usize, String)> {
    let module = module_of(path);
    let mut named = Vec::new();
    for (number, text) in joined_paths(source) {
        let mut rest = text.as_str();
        while let Some(at) = rest.find("::") {
            let start = rest[..at].rfind(|c: char| !c.is_alphanumeric() && c != '_').map_or(0, |i| i + 1);
            let first = &rest[start..at];
            let mut tail = &rest[at + 2..];
            let mut ups = match first {
                "crate" => module.len(),
                "super" => 1,
                _ => {
                    rest = tail;
                    continue;
                }
            };
            while let Some(further) = tail.strip_prefix("super::") {
                ups += 1;
                tail = further;
            }
            if ups >= module.len() {
                named.extend(heads(tail).into_iter().map(|head| (number, head)));
            }
            rest = tail;
        }
    }
    named
}

/// Lines of code, with the lines of a `use` that spans several joined into one.
fn joined_paths(source: &str) -> Vec<(usize, String)> {
    let mut joined: Vec<(usize, String)> = Vec::new();
    let mut open = false;
    for (i, line) in source.lines().enumerate() {
        let starts = line.trim_start().trim_start_matches("pub ").starts_with("use ");
        match joined.last_mut() {
            Some((_, last)) if open => last.push_str(line.trim()),
            _ => joined.push((i + 1, line.trim().to_owned())),
        }
        open = (open || starts) && !line.contains(';');
    }
    joined
}

/// First names of what follows a path: `a::b` is `a`; `{a, b::{c, d}}` is `a` and `b`.
fn heads(tail: &str) -> Vec<String> {
    let word = |s: &str| s.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let Some(group) = tail.strip_prefix('{') else { return vec![word(tail)] };
    let mut depth = 0;
    let mut heads = Vec::new();
    let mut start = true;
    for (i, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => start = true,
            c if start && !c.is_whitespace() => {
                heads.push(word(&group[i..]));
                start = false;
            }
            _ => {}
        }
    }
    heads
}

fn complaints(floors: &[String], path: &str, source: &str) -> Vec<String> {
    let place = |name: &str| floors.iter().position(|f| f == name);
    let own = module_of(path)[0];
    if matches!(own, "lib" | "main") {
        return Vec::new();
    }
    let Some(here) = place(own) else { return vec![format!("{path}: `{own}` is no floor of ARCHITECTURE.md")] };
    names(path, source)
        .into_iter()
        .filter(|(_, name)| place(name).is_none_or(|there| there > here))
        .map(|(line, name)| format!("{path}:{line}: `{own}` must not know `{name}`"))
        .collect()
}

#[test]
fn imports_point_down() {
    let floors = floors();
    let all: Vec<String> =
        program_files().iter().flat_map(|path| complaints(&floors, path, &code(&read(path)))).collect();
    assert_none(&all);
}

#[test]
fn every_module_has_a_floor_and_every_floor_a_module() {
    let mut modules: Vec<String> = code(&read("src/lib.rs"))
        .lines()
        .filter_map(|line| line.trim().strip_prefix("pub mod ")?.strip_suffix(';').map(str::to_owned))
        .collect();
    let mut floors = floors();
    modules.sort();
    floors.sort();
    assert_eq!(modules, floors);
}

#[test]
fn only_one_file_names_polars() {
    let all: Vec<String> = program_files()
        .into_iter()
        .filter(|path| path != "src/snapshot/frame.rs" && names_polars(&code(&read(path))))
        .collect();
    assert_none(&all);
}

fn names_polars(source: &str) -> bool {
    source.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == "polars")
}

#[test]
fn formats_stay_where_they_are_read() {
    for (krate, folder) in
        [("parquet", "src/pack/columns/"), ("tar", "src/ingest/archive/"), ("zip", "src/ingest/archive/")]
    {
        // Names of crates stand in `use` and in paths; `.zip(` is an iterator's.
        let path = format!("{krate}::");
        let found = program_files().into_iter().filter(|file| {
            let source = code(&read(file));
            !file.starts_with(folder) && source.match_indices(&path).any(|(at, _)| !source[..at].ends_with("::"))
        });
        assert_none(&found.collect::<Vec<_>>());
    }
}

#[test]
fn the_checks_can_fail() {
    let floors: Vec<String> = ["time", "snapshot", "diff", "report"].map(str::to_owned).into();
    let wrong = |path, source| complaints(&floors, path, source).len();
    assert_eq!(wrong("src/diff/mod.rs", "use crate::time::Timestamp;"), 0);
    assert_eq!(wrong("src/diff/mod.rs", "use crate::report::Report;"), 1);
    assert_eq!(wrong("src/diff/mod.rs", "use super::report::Report;"), 1);
    assert_eq!(wrong("src/diff/a/b.rs", "use super::super::c;"), 0);
    assert_eq!(wrong("src/diff/a/b.rs", "use super::super::super::report;"), 1);
    assert_eq!(wrong("src/diff/mod.rs", "use crate::{\n    time::Timestamp,\n    report::{self, Report},\n};"), 1);
    assert_eq!(wrong("src/snapshot/a.rs", "fn f() -> crate::diff::Diff { crate::report::x() }"), 2);
    assert_eq!(wrong("src/new/mod.rs", ""), 1);
    assert!(names_polars("use polars::prelude::DataFrame;"));
    assert!(!names_polars("polars_free()"));
}
