//! `pgretro export-sql`.

use super::Status;
use crate::error::Result;

/// Arguments of `pgretro export-sql`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

/// Runs it.
pub(super) fn run(_args: &Args) -> Result<Status> {
    Ok(Status::Done)
}
