//! A whole run makes no network call. Where strace is missing or may not trace, the test says that it was skipped.

use super::root;
use std::process::Command;

/// Calls of a program that could reach another one, or `None` where they cannot be traced. Those on a pair of sockets
/// joined to each other are none: so a signal wakes its thread. Without a socket nothing is connected, bound or sent to.
fn network_calls(program: &str, arguments: &[&str]) -> Option<Vec<String>> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let log = folder.path().join("calls");
    let status = Command::new("strace")
        .args(["--follow-forks", "--quiet=all", "--trace=%network", "--output"])
        .args([log.as_os_str(), program.as_ref()])
        .args(arguments)
        .current_dir(root())
        .output()
        .ok()?
        .status;
    let calls = std::fs::read_to_string(&log).ok()?;
    // 0 and 1 are results of pgretro; strace itself fails with 1 as well, but then writes no log.
    status
        .code()
        .is_some_and(|code| code < 2)
        .then(|| calls.lines().filter(|call| !is_within(call)).map(str::to_owned).collect())
}

/// A call that makes a pair of joined sockets, or uses a socket that is open.
fn is_within(call: &str) -> bool {
    let name = call.split_once(' ').map_or(call, |(_, call)| call.trim_start());
    ["socketpair(AF_UNIX", "recvfrom(", "sendto(", "<... recvfrom resumed>", "<... sendto resumed>"]
        .iter()
        .any(|known| name.starts_with(known))
}

fn can_trace() -> bool {
    let can = network_calls("true", &[]).is_some();
    if !can {
        eprintln!("SKIPPED: strace is not there or may not trace; no network call was looked for");
    }
    can
}

#[test]
fn no_command_makes_a_network_call() {
    if !can_trace() {
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let json = folder.path().join("report.json").display().to_string();
    let html = folder.path().join("report.html").display().to_string();
    let markdown = folder.path().join("report.md").display().to_string();
    let runs: &[&[&str]] = &[
        &["report", "fixtures/shop", "-o", &json, "-o", &html],
        &["render", &json, "-o", &markdown],
        &["diff", "fixtures/shop/before", "fixtures/shop/after"],
        &["inspect", "fixtures/shop"],
        &["rules"],
        &["catalog"],
        &["export-sql"],
    ];
    for arguments in runs {
        let calls = network_calls(env!("CARGO_BIN_EXE_pgretro"), arguments);
        let calls = calls.unwrap_or_else(|| panic!("`pgretro {}` does not run", arguments.join(" ")));
        assert!(calls.is_empty(), "pgretro {}:\n{}", arguments.join(" "), calls.join("\n"));
    }
    assert!(std::fs::metadata(&html).is_ok_and(|file| file.len() > 0), "a report was written");
}

#[test]
fn a_network_call_is_seen() {
    if !can_trace() {
        return;
    }
    let connects = "exec 3<>/dev/tcp/127.0.0.1/9 || exit 1";
    let calls = network_calls("bash", &["-c", connects]).expect("bash runs");
    assert!(calls.iter().any(|call| call.contains("connect(")), "{calls:?}");
}
