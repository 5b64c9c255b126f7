//! `pgretro export-sql`.

use super::{Status, print};
use crate::catalog::export::{FileFormat, Options, script};
use crate::error::{Error, Result};
use crate::version::{NEWEST, OLDEST};

/// Arguments of `pgretro export-sql`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// How the script writes its files.
    #[arg(long, value_enum, default_value_t = Format::Csv)]
    format: Format,
    /// The major version of the server; without it the script adapts to the server it runs on.
    #[arg(long, value_name = "MAJOR")]
    pg: Option<u8>,
    /// Export no texts of statements.
    #[arg(long)]
    no_query_text: bool,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Format {
    /// CSV with a header, as COPY writes it.
    Csv,
    /// An array of objects.
    Json,
}

/// Runs it.
pub(super) fn run(args: &Args) -> Result<Status> {
    if let Some(major) = args.pg.filter(|m| !(OLDEST..=NEWEST).contains(m)) {
        return Err(Error::usage(
            format!("write a script for PostgreSQL {major}: {OLDEST} to {NEWEST} are known"),
            "leave out --pg: the script then adapts to the server",
        ));
    }
    let format = match args.format {
        Format::Csv => FileFormat::Csv,
        Format::Json => FileFormat::Json,
    };
    print(&script(&Options { format, major: args.pg, query_text: !args.no_query_text }))?;
    Ok(Status::Done)
}
