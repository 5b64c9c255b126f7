//! The command line: arguments, and one file a subcommand.
//!
//! stdout carries results only; messages go to stderr. Exit codes: 0 done; 1 findings at or above `--fail-on`, new ones
//! at or above `--fail-on-new`, or a policy that is not met; 2 could not do it.

mod catalog;
mod check;
mod columns;
mod diff;
mod export_sql;
mod facts;
mod inspect;
mod output;
mod pack;
mod presentation;
mod progress;
mod recognised;
mod render;
mod report;
mod rules;
mod servers;
mod templates;
mod trend;
mod unpack;

use crate::error::{Error, Result};
use clap::{Parser, Subcommand};
use std::io::Write;
use std::process::ExitCode;

/// PostgreSQL in hindsight: reads exported statistics, subtracts snapshots correctly, says what is wrong.
#[derive(Debug, Parser)]
#[command(name = "pgretro", version, about, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write the report: what was found, how sure it is, what to do.
    Report(Box<report::Args>),
    /// Hold dumps against a policy: every expectation passes, fails or cannot be assessed.
    Check(Box<check::Args>),
    /// Print what changed between two snapshots, object by object.
    Diff(diff::Args),
    /// Follow every object through a history: what rises, what keeps up, and when it will hurt.
    Trend(Box<trend::Args>),
    /// Show what was recognised in a dump, and what is missing.
    Inspect(inspect::Args),
    /// Write a history as a Parquet data set: small, and a dump itself.
    Pack(pack::Args),
    /// Write the snapshots of a packed history, or of any dump, as folders of CSV files.
    Unpack(unpack::Args),
    /// List the rules, or print one rule's documentation.
    Rules(rules::Args),
    /// Print the catalog of statistics views and columns.
    Catalog(catalog::Args),
    /// Print the psql script that makes a dump.
    ExportSql(export_sql::Args),
    /// Print a saved report in another format.
    Render(Box<render::Args>),
    /// Write the templates of the report, to be changed and used with `--templates`.
    Templates(templates::Args),
}

/// What a subcommand that ran has to say to the shell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    /// Exit code 0.
    Done,
    /// Exit code 1: findings at or above `--fail-on`, or a policy that is not met.
    Findings,
}

/// Parses the arguments, runs the subcommand, prints an error with its causes and hint.
pub fn main() -> ExitCode {
    let command = Cli::parse().command;
    match run(command) {
        Ok(Status::Done) => ExitCode::SUCCESS,
        Ok(Status::Findings) => ExitCode::from(1),
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            ExitCode::from(2)
        }
    }
}

fn run(command: Command) -> Result<Status> {
    match command {
        Command::Report(args) => report::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Diff(args) => diff::run(&args),
        Command::Trend(args) => trend::run(&args),
        Command::Inspect(args) => inspect::run(&args),
        Command::Pack(args) => pack::run(&args),
        Command::Unpack(args) => unpack::run(&args),
        Command::Rules(args) => rules::run(&args),
        Command::Catalog(args) => catalog::run(&args),
        Command::ExportSql(args) => export_sql::run(&args),
        Command::Render(args) => render::run(&args),
        Command::Templates(args) => templates::run(&args),
    }
}

/// Whether the reader of our stdout has gone (`pgretro diff ... | head`): no failure of ours.
fn is_closed_pipe(error: &Error) -> bool {
    matches!(error, Error::Io { action: "write", source, .. } if source.kind() == std::io::ErrorKind::BrokenPipe)
}

fn complain(error: &Error) {
    let mut stderr = std::io::stderr().lock();
    // Nothing can be said if stderr itself fails.
    let _ = writeln!(stderr, "pgretro: failed to {}", crate::ident::visible_multiline(&error.to_string()));
    if let Some(hint) = error.hint() {
        let _ = writeln!(stderr, "hint: {}", crate::ident::visible_multiline(hint));
    }
}

/// A warning on stderr.
fn warn(message: &str) {
    // Nothing can be said if stderr itself fails.
    let _ = writeln!(std::io::stderr().lock(), "warning: {}", crate::ident::visible_multiline(message));
}

/// Writes a whole result to stdout.
fn print(text: &str) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(Error::io("write", "standard output"))
}
