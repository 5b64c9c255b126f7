//! What is in the tree: `deny.toml`, held against `cargo tree` on every test run.

use super::{assert_none, code, files, read, root};
use std::process::Command;

/// One package of the tree: name and licence.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Package {
    name: String,
    licence: String,
    source: String,
}

/// What is linked or run to build (`normal,build`), for this machine; `more` goes to `cargo tree`.
///
/// Not `cargo metadata`: its graph holds optional crates that a weak feature (`dep?/feature`) only mentions, polars'
/// whole cloud stack among them, which are never built.
fn tree(more: &[&str]) -> Vec<Package> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--locked", "--all-features", "--prefix", "none", "--format", "{p}|{l}|{r}"])
        .args(more)
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut packages: Vec<Package> = String::from_utf8_lossy(&output.stdout).lines().filter_map(package).collect();
    packages.sort();
    packages.dedup();
    packages
}

/// A line of `cargo tree`: `serde v1.0.229 (proc-macro)|MIT OR Apache-2.0|https://... (*)`.
fn package(line: &str) -> Option<Package> {
    let mut parts = line.trim_end_matches(" (*)").split('|');
    let what = parts.next().filter(|what| !what.is_empty())?;
    let name = what.split(' ').next()?;
    // A package of the registry is `name version`; any other says in brackets where it is from.
    let source = what.split(" (").skip(1).find(|from| !from.starts_with("proc-macro")).unwrap_or_default();
    Some(Package {
        name: name.to_owned(),
        licence: parts.next().unwrap_or_default().to_owned(),
        source: source.trim_end_matches(')').to_owned(),
    })
}

struct Deny {
    banned: Vec<String>,
    /// Allowed only where the named crates want it.
    wrapped: Vec<String>,
    licences: Vec<String>,
}

fn deny() -> Deny {
    let table: toml::Table = read("deny.toml").parse().expect("deny.toml is TOML");
    let crates = table["bans"]["deny"].as_array().expect("bans.deny").iter();
    let name = |entry: &toml::Value| entry["name"].as_str().expect("a name").to_owned();
    let (wrapped, banned): (Vec<_>, Vec<_>) = crates.partition(|entry| entry.get("wrappers").is_some());
    Deny {
        banned: banned.into_iter().map(name).collect(),
        wrapped: wrapped.into_iter().map(name).collect(),
        licences: table["licenses"]["allow"]
            .as_array()
            .expect("licenses.allow")
            .iter()
            .map(|licence| licence.as_str().expect("a text").to_owned())
            .collect(),
    }
}

fn named(packages: &[Package], names: &[String]) -> Vec<String> {
    packages.iter().filter(|package| names.contains(&package.name)).map(|package| package.name.clone()).collect()
}

/// Whether an SPDX expression can be met with the allowed licences. `/` is the old spelling of OR.
fn allowed(expression: &str, licences: &[String]) -> bool {
    let expression = expression.replace('/', " OR ");
    let expression = expression.trim();
    // OR binds weaker than AND; brackets are the outermost parts here.
    let split = |by: &str| {
        let mut depth = 0;
        let mut parts = vec![String::new()];
        for word in expression.split_whitespace() {
            if depth == 0 && word == by {
                parts.push(String::new());
                continue;
            }
            depth += word.matches('(').count();
            depth -= word.matches(')').count();
            let last = parts.last_mut().expect("never empty");
            last.push(' ');
            last.push_str(word);
        }
        parts
    };
    let either = split("OR");
    if either.len() > 1 {
        return either.iter().any(|part| allowed(part, licences));
    }
    let both = split("AND");
    if both.len() > 1 {
        return both.iter().all(|part| allowed(part, licences));
    }
    match expression.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')) {
        Some(inner) => allowed(inner, licences),
        None => licences.iter().any(|licence| licence == expression),
    }
}

#[test]
fn no_crate_reaches_a_network() {
    let deny = deny();
    let packages = tree(&["--edges", "normal,build,dev"]);
    assert!(packages.iter().any(|package| package.name == "polars-core"), "the tree was read");
    assert_none(&named(&packages, &deny.banned));
    // tokio, mio, socket2: polars' executor. Without polars none of them is there.
    let without = tree(&["--edges", "normal,build,dev", "--prune", "polars"]);
    assert!(!without.iter().any(|package| package.name == "polars-core"), "polars was pruned");
    assert_none(&named(&without, &deny.wrapped));
}

#[test]
fn licences_and_sources_are_allowed() {
    let deny = deny();
    let all: Vec<String> = tree(&["--edges", "normal,build,dev"])
        .iter()
        .filter(|package| package.name != "pgretro")
        .filter(|package| !allowed(&package.licence, &deny.licences) || !package.source.is_empty())
        .map(|package| format!("{}: licence `{}`, from `{}`", package.name, package.licence, package.source))
        .collect();
    assert_none(&all);
}

/// Dependencies of Cargo.toml, each with whether a comment stands right above it.
fn declared(manifest: &str) -> Vec<(String, bool)> {
    let mut found = Vec::new();
    let (mut inside, mut explained) = (false, false);
    for line in manifest.lines() {
        if line.starts_with('[') {
            inside = line.ends_with("dependencies]");
        } else if line.is_empty() {
            explained = false;
        } else if line.starts_with('#') {
            explained = true;
        } else if let Some((name, _)) = line.split_once(" = ")
            && inside
        {
            found.push((name.to_owned(), explained));
            explained = false;
        }
    }
    found
}

#[test]
fn every_dependency_is_explained() {
    let all: Vec<String> = declared(&read("Cargo.toml"))
        .into_iter()
        // One comment for two: they come together.
        .filter(|(name, explained)| !explained && name != "chrono-tz")
        .map(|(name, _)| format!("{name}: no reason above it in Cargo.toml"))
        .collect();
    assert_none(&all);
}

#[test]
fn every_dependency_is_used() {
    let sources: String = files("src", ".rs").iter().map(|path| code(&read(path))).collect();
    let tests: String = files("tests", ".rs").iter().chain(&files("src", ".rs")).map(|path| read(path)).collect();
    let mut all = Vec::new();
    for (name, _) in declared(&read("Cargo.toml")) {
        let path = format!("{}::", name.replace('-', "_"));
        let for_tests = ["csv", "insta", "proptest", "pulldown-cmark"].contains(&name.as_str());
        if !if for_tests { &tests } else { &sources }.contains(&path) {
            all.push(format!("{name}: used nowhere"));
        }
    }
    assert_none(&all);
}

#[test]
fn lints_are_on() {
    let manifest: toml::Table = read("Cargo.toml").parse().expect("TOML");
    let clippy = &manifest["lints"]["clippy"];
    for lint in ["unwrap_used", "expect_used", "panic", "print_stdout", "print_stderr", "dbg_macro", "todo"] {
        assert_eq!(clippy[lint].as_str(), Some("warn"), "{lint}");
    }
    assert_eq!(clippy["pedantic"]["level"].as_str(), Some("warn"));
    assert_eq!(manifest["lints"]["rust"]["missing_docs"].as_str(), Some("warn"));
    assert_eq!(manifest["lints"]["rust"]["unsafe_code"].as_str(), Some("warn"));
}

#[test]
fn the_checks_can_fail() {
    let read = package("reqwest v0.12.1|MIT OR Apache-2.0|https://github.com/x (*)").unwrap();
    assert_eq!(read.name, "reqwest");
    assert_eq!(named(&[read], &deny().banned), ["reqwest"]);
    assert_eq!(package("a v1.0.0 (https://example.org/a#1234)|MIT|").unwrap().source, "https://example.org/a#1234");
    assert_eq!(package("a v1.0.0 (proc-macro)|MIT|").unwrap().source, "");
    let licences = ["MIT".to_owned(), "Zlib".to_owned()];
    for (expression, expected) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("GPL-3.0 OR Zlib", true),
        ("GPL-3.0 AND Zlib", false),
        ("Unlicense/MIT", true),
        ("(GPL-3.0 OR MIT) AND Zlib", true),
        ("(GPL-3.0 OR MIT) AND BSD-3-Clause", false),
        ("", false),
    ] {
        assert_eq!(allowed(expression, &licences), expected, "{expression}");
    }
    let manifest = "[dependencies]\n# Why.\na = \"1\"\nb = \"1\"\n\n[profile.dev]\ndebug = 1\n";
    assert_eq!(declared(manifest), [("a".to_owned(), true), ("b".to_owned(), false)]);
}
