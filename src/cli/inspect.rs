//! `pgretro inspect`.

use super::Status;
use crate::error::Result;

/// Arguments of `pgretro inspect`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

/// Runs it.
pub(super) fn run(_args: &Args) -> Result<Status> {
    Ok(Status::Done)
}
