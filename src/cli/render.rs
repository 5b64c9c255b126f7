//! `pgretro render`.

use super::presentation::Presentation;
use super::{Status, output, print};
use crate::error::{Error, Result};
use crate::render;
use std::path::{Path, PathBuf};

/// Arguments of `pgretro render`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A report that `pgretro report` wrote as JSON; `-` reads standard input
    report: PathBuf,
    /// Write to FILE, in the format its ending names (.html, .md, .json, .csv, .txt); may be given several times.
    /// Without it a summary is printed
    #[arg(short, long = "output", value_name = "FILE")]
    output: Vec<PathBuf>,
    #[command(flatten)]
    presentation: Presentation,
}

/// Runs it.
pub(super) fn run(args: &Args) -> Result<Status> {
    // Endings are checked before the work.
    let formats: Vec<_> = args.output.iter().map(|path| render::by_path(path)).collect::<Result<_>>()?;
    let options = args.presentation.options()?;
    let report = args.presentation.of(render::read(&read_text(&args.report)?)?);
    if args.output.is_empty() {
        let look = render::Surroundings::of_stdout().options(render::ColorChoice::Auto, false);
        print(&render::render(&report, render::by_name("txt")?, &look)?)?;
        return Ok(Status::Done);
    }
    let mut files = Vec::with_capacity(formats.len());
    for (path, format) in args.output.iter().zip(formats) {
        files.push((path.clone(), render::render(&report, format, &options)?));
    }
    output::write_files(&files)?;
    Ok(Status::Done)
}

fn read_text(path: &Path) -> Result<String> {
    let text = if path == Path::new("-") {
        std::io::read_to_string(std::io::stdin().lock())
    } else {
        std::fs::read_to_string(path)
    };
    text.map_err(Error::io("read", path))
}
