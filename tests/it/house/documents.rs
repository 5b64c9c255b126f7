//! Documents that must not fall behind: lists of fixtures and files, links between documents.

use super::{assert_none, files, read, root};
use std::collections::BTreeSet;

/// Folders of `fixtures/`, and those that its README has a line for.
fn fixtures() -> (BTreeSet<String>, BTreeSet<String>) {
    let folders = std::fs::read_dir(root().join("fixtures"))
        .expect("fixtures")
        .map(|entry| entry.expect("readable"))
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    (folders, first_cells(&read("fixtures/README.md")))
}

/// Names in backticks that begin a line of the first table.
fn first_cells(markdown: &str) -> BTreeSet<String> {
    markdown
        .lines()
        .skip_while(|line| !line.starts_with("| ---"))
        .take_while(|line| line.starts_with('|'))
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`').map(|(name, _)| name.to_owned()))
        .collect()
}

#[test]
fn every_fixture_has_its_line_and_a_test() {
    let (folders, lines) = fixtures();
    assert_eq!(folders, lines);
    let tests: String = files("tests", ".rs").iter().chain(&files("src", ".rs")).map(|path| read(path)).collect();
    let all: Vec<String> =
        folders.into_iter().filter(|name| !uses_fixture(&tests, name)).map(|name| format!("{name}: no test")).collect();
    assert_none(&all);
}

fn uses_fixture(tests: &str, name: &str) -> bool {
    tests.contains(&format!("\"{name}\""))
        || tests.contains(&format!("\"{name}/"))
        || tests.contains(&format!("fixtures/{name}/"))
}

/// Targets of links inside the repository that are not there.
fn dead_links(path: &str, markdown: &str) -> Vec<String> {
    let folder = root().join(path).parent().expect("a folder").to_owned();
    markdown
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .filter(|target| !target.contains("://") && !target.starts_with('#') && !target.is_empty())
        .filter(|target| !folder.join(target.split('#').next().unwrap_or_default()).exists())
        .map(|target| format!("{path}: `{target}` is not there"))
        .collect()
}

#[test]
fn links_lead_somewhere() {
    let mut documents = files("docs", ".md");
    documents.extend(files("fixtures", ".md"));
    documents.extend(["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"].map(str::to_owned));
    assert_none(&documents.iter().flat_map(|path| dead_links(path, &read(path))).collect::<Vec<_>>());
}

/// Paths in backticks (`src/...`, `tests/...`) that a document speaks of and that are not there.
fn dead_paths(document: &str) -> Vec<String> {
    document
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|text| {
            ["src/", "tests/", "docs/", "fixtures/", "templates/", "benches/"].iter().any(|f| text.starts_with(f))
        })
        .filter(|text| !text.contains(['<', '*', ' ', '{']) && !root().join(text).exists())
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_map_shows_what_is_there() {
    for path in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"] {
        assert_none(&dead_paths(&read(path)));
    }
}

#[test]
fn the_checks_can_fail() {
    assert_eq!(first_cells("| a | b |\n| --- | --- |\n| `x` | y |\n\n| `z` | |\n"), BTreeSet::from(["x".to_owned()]));
    assert!(uses_fixture("read(\"shop/before\")", "shop") && !uses_fixture("shop", "shop"));
    assert_eq!(dead_links("README.md", "[a](nowhere.md) [b](https://x.org) [c](Cargo.toml#x)").len(), 1);
    assert_eq!(dead_paths("`src/lib.rs` and `src/nowhere.rs` and `src/<id>.rs`"), ["src/nowhere.rs"]);
}
