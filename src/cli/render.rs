//! `pgretro render`.

use super::{Status, output, print};
use crate::error::{Error, Result};
use crate::render;
use crate::report::{self, Redact};
use std::path::{Path, PathBuf};

/// Arguments of `pgretro render`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A report that `pgretro report` wrote as JSON; `-` reads standard input
    report: PathBuf,
    /// Write to FILE, in the format its ending names (.html, .md, .json, .txt); may be given several times.
    /// Without it a summary is printed
    #[arg(short, long = "output", value_name = "FILE")]
    output: Vec<PathBuf>,
    /// Take templates from DIR; built-in ones stand in for those it does not have
    #[arg(long, value_name = "DIR")]
    templates: Option<PathBuf>,
    /// Share safely: replace what is private by pseudonyms: names (of objects), queries (texts), hosts (addresses,
    /// users, applications, files), or all; several with commas
    #[arg(long, value_name = "WHAT", value_parser = Redact::parse)]
    redact: Option<Redact>,
}

/// Runs it.
pub(super) fn run(args: &Args) -> Result<Status> {
    // Endings are checked before the work.
    let formats: Vec<_> = args.output.iter().map(|path| render::by_path(path)).collect::<Result<_>>()?;
    let mut report = render::read(&read_text(&args.report)?)?;
    if let Some(what) = args.redact {
        report = report::redact(&report, what);
    }
    let options = render::Options { templates: args.templates.clone(), ..render::Options::default() };
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
