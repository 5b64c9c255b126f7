//! Sources: no way to fall over, no prints, no paths of somebody's machine, no file that has become two.

use super::{assert_none, code, files, program_files, read};

/// Files of more than 400 lines, each with the reason why it is one subject.
const LONG: &[(&str, &str)] = &[("src/advisor/rules/index_unused.rs", "one rule with many guards, each with its test")];

/// What code in `src/` does not do: everything read from a dump is hostile, and stdout carries results only.
const BANNED: &[&str] = &[
    ".unwrap()",
    ".expect(",
    "panic!(",
    "unreachable!(",
    "todo!(",
    "unimplemented!(",
    "print!(",
    "println!(",
    "eprint!(",
    "eprintln!(",
    "dbg!(",
    "process::exit",
    "SystemTime::now",
    "Instant::now",
    "Utc::now",
    "Local::now",
    "std::net",
];

fn banned(path: &str, source: &str) -> Vec<String> {
    code(source)
        .lines()
        .enumerate()
        .flat_map(|(i, line)| {
            BANNED
                .iter()
                .filter(|word| {
                    line.match_indices(**word).any(|(at, _)| {
                        // `println!(` is not also `print!(`, nor `my_panic!(` a panic.
                        !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') || word.starts_with('.')
                    })
                })
                .map(move |word| format!("{path}:{}: `{word}`", i + 1))
                .collect::<Vec<_>>()
        })
        .collect()
}

/// Folders of the machine a text was written on.
fn machine_paths(path: &str, text: &str) -> Vec<String> {
    // In pieces, or this file would complain about itself.
    let words = [concat!("/ho", "me/"), concat!("/ro", "ot/"), concat!("/wo", "rk/"), concat!("/Us", "ers/")];
    text.lines()
        .enumerate()
        .filter(|(_, line)| words.iter().any(|word| line.contains(word)))
        .map(|(i, line)| format!("{path}:{}: {}", i + 1, line.trim()))
        .collect()
}

#[test]
fn nothing_in_src_panics_prints_or_asks_the_clock() {
    let all: Vec<String> = program_files().iter().flat_map(|path| banned(path, &read(path))).collect();
    assert_none(&all);
}

#[test]
fn long_files_have_a_reason() {
    let long = |path: &str| read(path).lines().count() > 400;
    let mut all: Vec<String> = files("src", ".rs")
        .into_iter()
        .filter(|path| long(path) && LONG.iter().all(|(known, _)| known != path))
        .map(|path| format!("{path}: more than 400 lines; are there two subjects in it?"))
        .collect();
    all.extend(LONG.iter().filter(|(path, _)| !long(path)).map(|(path, _)| format!("{path}: not long any more")));
    all.extend(LONG.iter().filter(|(_, why)| why.is_empty()).map(|(path, _)| format!("{path}: no reason given")));
    assert_none(&all);
}

#[test]
fn nothing_names_a_machine() {
    let mut all = Vec::new();
    for folder in ["src", "tests", "docs", "templates", "benches", ".ci", "fixtures"] {
        for ending in [".rs", ".md", ".html", ".py", ".sh", "run", ".toml", ".txt"] {
            for path in files(folder, ending) {
                all.extend(machine_paths(&path, &read(&path)));
            }
        }
    }
    for path in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "Cargo.toml", "deny.toml"] {
        all.extend(machine_paths(path, &read(path)));
    }
    assert_none(&all);
}

#[test]
fn the_checks_can_fail() {
    let found = |source| banned("a.rs", source).len();
    assert_eq!(found("let a = b.unwrap();"), 1);
    assert_eq!(found("fn f() {\n    println!(\"x\");\n}"), 1);
    assert_eq!(found("std::process::exit(1)"), 1);
    assert_eq!(found("// b.unwrap()\nlet c = \"panic!(\";"), 0);
    assert_eq!(found("let a = b.unwrap_or(1).expect_none();"), 0);
    assert_eq!(found("#[cfg(test)]\nmod tests {\n    fn f() { g.unwrap(); }\n}"), 0);
    assert_eq!(machine_paths("a.md", concat!("see /ho", "me/me/dump\nand fixtures/shop")).len(), 1);
}
