//! `pgretro templates`.

use super::{Status, output};
use crate::error::{Error, Result};
use crate::render;
use std::path::PathBuf;

/// Arguments of `pgretro templates`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Write the built-in templates into a folder, with a README that says what they are given.
    Export {
        /// The folder; made where it does not exist
        folder: PathBuf,
        /// Replace files that are there and differ
        #[arg(long)]
        force: bool,
    },
}

/// Runs it.
pub(super) fn run(args: &Args) -> Result<Status> {
    let Command::Export { folder, force } = &args.command;
    let files: Vec<(PathBuf, String)> =
        render::built_in().map(|(name, text)| (folder.join(name), text.to_owned())).collect();
    let differs = |(path, text): &&(PathBuf, String)| std::fs::read(path).is_ok_and(|old| old != text.as_bytes());
    if let Some((path, _)) = files.iter().find(differs).filter(|_| !force) {
        return Err(Error::usage(
            format!("write `{}`: it is there and differs from the built-in one", path.display()),
            "give another folder, or --force to replace it",
        ));
    }
    std::fs::create_dir_all(folder).map_err(Error::io("make the folder", folder))?;
    output::write_files(&files)?;
    Ok(Status::Done)
}
