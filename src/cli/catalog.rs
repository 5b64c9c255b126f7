//! `pgretro catalog`.

use super::{Status, print};
use crate::catalog;
use crate::error::Result;

/// Arguments of `pgretro catalog`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only this view; names that PostgreSQL uses for the same rows count (`pg_stat_all_tables`).
    #[arg(long, value_name = "VIEW")]
    view: Option<String>,
    /// What this major version exports, under its own names.
    #[arg(long, value_name = "MAJOR")]
    pg: Option<u8>,
    /// Print CSV, one line a column.
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Runs it.
pub(super) fn run(args: &Args) -> Result<Status> {
    let listing = catalog::list(args.view.as_deref(), args.pg)?;
    print(&match (args.json, args.csv) {
        (true, _) => listing.json(),
        (_, true) => listing.csv(),
        _ => listing.text(),
    })?;
    Ok(Status::Done)
}
