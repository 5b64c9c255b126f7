//! The command line as documented: `docs/cli.md` is the program's own help, and the summary in README.md its output.

use std::fmt::Write;
use std::process::Command;

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/cli.md");

fn help(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_pgretro"))
        .args(arguments)
        .arg("--help")
        // Help is wrapped to the terminal; here it is always this wide.
        .env("COLUMNS", "100")
        .env("NO_COLOR", "1")
        .output()
        .expect("pgretro runs");
    assert!(output.status.success(), "{arguments:?}");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n").trim_end().to_owned()
}

/// Names of the subcommands, from the help of the program itself.
fn commands() -> Vec<String> {
    help(&[])
        .split("Commands:\n")
        .nth(1)
        .expect("a list of commands")
        .lines()
        .take_while(|line| line.starts_with("  "))
        .filter(|line| !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next().map(str::to_owned))
        .filter(|name| name != "help")
        .collect()
}

fn document() -> String {
    let mut text = String::from(
        "# Command line\n\nResults go to standard output, messages to standard error. Exit codes: 0 done; 1 findings at or above\n\
         `--fail-on`, new ones at or above `--fail-on-new`, or a policy that is not met; 2 could not do it.\n\nThis file is the program's own help: `PGRETRO_BLESS=1 cargo test command_line_is_documented` \
         writes it\nanew.\n",
    );
    write!(text, "\n```text\n{}\n```\n", help(&[])).expect("to memory");
    for name in commands() {
        write!(text, "\n## pgretro {name}\n\n```text\n{}\n```\n", help(&[&name])).expect("to memory");
    }
    text
}

#[test]
fn command_line_is_documented() {
    let fresh = document();
    if std::env::var_os("PGRETRO_BLESS").is_some() {
        std::fs::write(PATH, &fresh).expect("docs can be written");
    }
    let written = std::fs::read_to_string(PATH).unwrap_or_default();
    assert!(written == fresh, "docs/cli.md is not what the program says; PGRETRO_BLESS=1 writes it anew");
}

#[test]
fn every_command_is_found() {
    let names = commands();
    for name in ["report", "diff", "inspect", "rules", "catalog", "export-sql", "render"] {
        assert!(names.iter().any(|n| n == name), "{name} not in {names:?}");
    }
}

/// README.md with a text as the block that follows the line `<!-- summary -->`.
fn with_summary(readme: &str, summary: &str) -> String {
    let (before, rest) = readme.split_once("<!-- summary -->\n```text\n").expect("a marked block");
    let (_, after) = rest.split_once("```\n").expect("its end");
    format!("{before}<!-- summary -->\n```text\n{}\n```\n{after}", summary.trim_end())
}

#[test]
fn the_summary_in_the_readme_is_fresh() {
    const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let readme = std::fs::read_to_string(README).expect("README.md");
    let fresh = with_summary(&readme, &super::fixtures::pgretro(&["report", "fixtures/shop"]));
    if std::env::var_os("PGRETRO_BLESS").is_some() {
        std::fs::write(README, &fresh).expect("README.md can be written");
    } else {
        assert!(readme == fresh, "README.md shows an old summary; PGRETRO_BLESS=1 writes it anew");
    }
}
