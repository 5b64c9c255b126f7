//! What README.md and CONTRIBUTING.md tell people to type is what `.ci/run` runs, word for word.

use super::read;

/// Commands of the `sh` blocks that follow a line `<!-- .ci/run -->`.
fn told(document: &str) -> Vec<String> {
    document
        .split("<!-- .ci/run -->\n")
        .skip(1)
        .filter_map(|rest| rest.trim_start().strip_prefix("```sh\n")?.split("```").next())
        .flat_map(str::lines)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

/// Lines of the script, and those of them that check something: all after `set -x`.
fn run(script: &str) -> (Vec<String>, Vec<String>) {
    let lines = |text: &str| -> Vec<String> {
        text.lines().map(|l| l.trim().trim_start_matches("as_root ").to_owned()).filter(|l| !l.is_empty()).collect()
    };
    let checks = script.split_once("\nset -x\n").expect("a line `set -x`").1;
    (lines(script), lines(checks))
}

fn complaints(documents: &[(&str, String)], script: &str) -> Vec<String> {
    let (all, checks) = run(script);
    let mut found = Vec::new();
    for (name, document) in documents {
        let commands = told(document);
        if commands.is_empty() {
            found.push(format!("{name} marks no commands"));
        }
        found.extend(commands.iter().filter(|c| !all.contains(c)).map(|c| format!("{name}: `.ci/run` has no `{c}`")));
    }
    let everything: Vec<String> = documents.iter().flat_map(|(_, document)| told(document)).collect();
    found.extend(checks.iter().filter(|c| !everything.contains(c)).map(|c| format!("no document tells of `{c}`")));
    found
}

#[test]
fn documents_and_script_agree() {
    let documents = [("README.md", read("README.md")), ("CONTRIBUTING.md", read("CONTRIBUTING.md"))];
    super::assert_none(&complaints(&documents, &read(".ci/run")));
    let readme = told(&documents[0].1);
    assert!(readme.iter().any(|c| c.starts_with("cargo test")), "{readme:?}");
    assert!(readme.iter().any(|c| c.contains("report fixtures/shop -o report.html")), "{readme:?}");
}

#[test]
fn the_check_can_fail() {
    let document = |commands: &str| vec![("a", format!("text\n<!-- .ci/run -->\n```sh\n{commands}\n```\n"))];
    let script = "cc x\nset -x\ncargo test\n";
    assert_eq!(complaints(&document("cargo test"), script).len(), 0);
    assert_eq!(complaints(&document("cc x\ncargo test"), script).len(), 0);
    assert_eq!(complaints(&document("cargo test --all"), script).len(), 2);
    assert_eq!(complaints(&document("cargo test\ncargo fmt"), script).len(), 1);
    assert_eq!(complaints(&[("a", "no block".to_owned())], script).len(), 2);
}
