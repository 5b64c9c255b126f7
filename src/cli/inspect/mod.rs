//! `pgretro inspect`.

mod facts;
mod text;

use super::recognised::Recognised;
use super::{Status, print};
use crate::error::Result;
use crate::ingest;
use crate::time::Timestamp;
use std::path::PathBuf;

/// Arguments of `pgretro inspect`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folders of view files, folders of such folders, archives of them, packed histories, JSON dumps; `-` is a JSON dump on standard input.
    #[arg(required = true, value_name = "DUMP")]
    dumps: Vec<PathBuf>,
    /// How to print it.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// When a dump that does not say so was taken; once for each, in their order.
    #[arg(long, value_name = "TIME", value_parser = time)]
    taken_at: Vec<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Text,
    Json,
}

/// Reads a time given on the command line; without an offset it is UTC.
fn time(text: &str) -> std::result::Result<Timestamp, String> {
    Timestamp::parse(text).map(|(t, _)| t).ok_or_else(|| "write it as 2026-11-22T14:22:11Z".to_owned())
}

/// Runs it.
pub(super) fn run(args: &Args) -> Result<Status> {
    let options = ingest::Options { taken_at: args.taken_at.clone(), hash: true, ..ingest::Options::default() };
    let snapshots = ingest::read(&args.dumps, &options)?;
    let facts = facts::of(&snapshots);
    let mut met = Recognised::default();
    for snapshot in &snapshots {
        met.look(snapshot);
    }
    print(&match args.format {
        Format::Text if met.any() => text::write(&facts),
        Format::Text => text::nothing(&facts, met.unread().map(|(_, why)| why)),
        Format::Json => facts::json(&facts)?,
    })?;
    Ok(Status::Done)
}
