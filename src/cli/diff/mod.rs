//! `pgretro diff`.

pub(super) mod cell;
mod choose;
pub(super) mod csv;
mod json;
mod kept;
mod layout;
mod reasons;
mod table;

use super::output::{self, Output};
use super::progress::Progress;
use super::servers::recognised;
use super::{Status, print};
use crate::catalog;
use crate::diff::{self, Diff, ViewDiff};
use crate::error::{Error, Result};
use crate::ingest::{self, Opened, Wanted};
use choose::Order;
use layout::Layout;
use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Files of objects that have so many bytes together are not kept whole where few rows are asked for.
const LARGE: u64 = 4 << 20;

/// Arguments of `pgretro diff`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The earlier dump: a folder of view files, an archive of one, one of a history (`history.zip!/2026-01-01`), a JSON file of many views, or `-`
    before: PathBuf,
    /// The later dump; the other way round is put right
    after: PathBuf,
    /// Show this view only; may be given several times
    #[arg(long = "view", value_name = "VIEW")]
    views: Vec<String>,
    /// Show the first N rows of each view, largest first; without --by by its most telling counter
    #[arg(long, value_name = "N")]
    top: Option<usize>,
    /// Order rows by this column's delta or change
    #[arg(long, value_name = "COLUMN")]
    by: Option<String>,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Write to this file; CSV of several views goes to files of this folder
    #[arg(short, long, value_name = "FILE|DIR")]
    output: Option<PathBuf>,
    /// Lay snapshots of different servers side by side; nothing is subtracted
    #[arg(long)]
    allow_different_clusters: bool,
    /// Include the sessions' temporary tables
    #[arg(long)]
    temporary: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Events and the largest movers, for people
    Table,
    /// Every row and column
    Csv,
    /// Every row and column, with the events
    Json,
}

/// Runs it.
pub(super) fn run(args: &Args) -> Result<Status> {
    let names = view_names(&args.views)?;
    let options = diff::Options { allow_different_servers: args.allow_different_clusters, temporary: args.temporary };
    let order = Order { top: args.top, by: args.by.clone() };
    let diff = subtract(args, &names, &order, &options)?;
    warn(&diff);
    let views = shown(&diff, &names)?;
    order.check(views.iter().copied())?;
    match args.format {
        Format::Csv => write_csv(&views, &order, args.output.as_deref())?,
        Format::Json => match &args.output {
            Some(path) => {
                let mut file = Output::create(path)?;
                json::write(&diff, views.into_iter(), &order, &mut file).map_err(Error::io("write", path))?;
                output::commit(vec![file])?;
            }
            None => to_stdout(|out| json::write(&diff, views.into_iter(), &order, out))?,
        },
        Format::Table => {
            let text = table::text(&diff, views.into_iter(), &order);
            match &args.output {
                Some(path) => output::write_files(&[(path.clone(), text)])?,
                None => print(&text)?,
            }
        }
    }
    Ok(Status::Done)
}

/// Catalog names of the views asked for.
fn view_names(asked: &[String]) -> Result<Vec<&'static str>> {
    let known = |name: &String| {
        catalog::view(name).filter(|v| diff::is_subtracted(v)).map(|v| v.name).ok_or_else(|| {
            let names: Vec<&str> = catalog::VIEWS.iter().filter(|v| diff::is_subtracted(v)).map(|v| v.name).collect();
            Error::usage(
                format!("show `{name}`: not a view whose numbers can be subtracted"),
                format!("one of {}", names.join(", ")),
            )
        })
    };
    asked.iter().map(known).collect()
}

/// Reads both sides and subtracts them: all of it, or the views shown with what decides about them.
fn subtract(args: &Args, names: &[&'static str], order: &Order, options: &diff::Options) -> Result<Diff> {
    if args.before == Path::new("-") && args.after == Path::new("-") {
        return Err(Error::usage("read both dumps from standard input", "give one of them as a file"));
    }
    let wanted = if names.is_empty() { Wanted::all() } else { Wanted::views(diff::needed_for(names)) };
    let reading = ingest::Options { tally: Some(Arc::default()), ..ingest::Options::default() };
    let _progress = Progress::watch(reading.tally.as_ref());
    let (before, after) = (open(&args.before, &reading)?, open(&args.after, &reading)?);
    let all = args.format != Format::Table && order.top.is_none();
    // All rows in the order of their keys, as they are written.
    let kept = all && args.format == Format::Csv && order.by.is_none();
    let foremost = diff::Foremost {
        most: if kept { 0 } else { order.top.unwrap_or(table::TOP) },
        moved: args.format == Format::Table,
        by: &|view| order.column(view),
        keep: if kept { Some(&Layout::keep) } else { None },
        least: LARGE,
    };
    if (!all || kept)
        && let Some(diff) = foremost.diff(&before, &after, &wanted, options)
    {
        return Ok(diff);
    }
    // Side by side: while one waits for its bytes or is put in order, the other is parsed.
    let (before, after) = rayon::join(|| before.read(&wanted), || after.read(&wanted));
    let (before, after) = (Arc::new(before?), Arc::new(after?));
    if names.is_empty() {
        recognised([&*before, &*after].into_iter(), &[args.before.clone(), args.after.clone()])?;
    }
    diff::diff(before, after, options)
}

/// The one snapshot of an input.
fn open(path: &PathBuf, options: &ingest::Options) -> Result<Opened> {
    let mut opened = ingest::open(std::slice::from_ref(path), options)?;
    match (opened.pop(), opened.len() + 1) {
        (Some(only), 1) => Ok(only),
        (None, _) => Err(Error::input(format!("find a snapshot in `{}`", path.display()))),
        (_, several) => Err(Error::usage(
            format!("compare `{}`: it holds {several} snapshots", path.display()),
            "give one snapshot before and one after; `pgretro report` reads whole histories",
        )),
    }
}

/// The subtracted views to show.
fn shown<'a>(diff: &'a Diff, names: &[&'static str]) -> Result<Vec<&'a ViewDiff>> {
    if names.is_empty() {
        return Ok(diff.views.values().map(AsRef::as_ref).collect());
    }
    let found: Vec<&ViewDiff> = names.iter().map(|name| diff.view(name)).collect::<Result<_>>()?;
    match found.iter().find(|view| view.before.is_none() || view.after.is_none()) {
        Some(one_sided) => Err(lacking(diff, one_sided)),
        None => Ok(found),
    }
}

/// Why a view that one of the snapshots lacks cannot be shown: with what was noted when that one was read.
fn lacking(diff: &Diff, view: &ViewDiff) -> Error {
    let name = view.view.name;
    let (which, side) = if view.before.is_none() { ("earlier", &diff.before) } else { ("later", &diff.after) };
    let why = side.meta.notes.kept.iter().find(|n| n.message.contains(name));
    let why = why.map(|n| format!("; {}", n.message)).unwrap_or_default();
    Error::input(format!("show `{name}`: the {which} snapshot lacks it{why}"))
}

/// Warnings about order, identity and the data go to stderr: stdout carries results only.
fn warn(diff: &Diff) {
    for note in &diff.notes.kept {
        super::warn(&format!("{} [{}]", note.message, note.code));
    }
}

fn write_csv(views: &[&ViewDiff], order: &Order, output: Option<&Path>) -> Result<()> {
    let folder = output.filter(|p| p.is_dir() || views.len() > 1);
    match (views, output) {
        ([only], None) => to_stdout(|out| csv::write(only, &order.rows(only), out)),
        (_, None) => Err(Error::usage(
            format!("print {} views as one CSV", views.len()),
            "name a folder with -o, or one view with --view",
        )),
        ([only], Some(path)) if folder.is_none() => {
            let mut file = Output::create(path)?;
            csv::write(only, &order.rows(only), &mut file).map_err(Error::io("write", path))?;
            output::commit(vec![file])
        }
        (_, Some(folder)) => {
            fs::create_dir_all(folder).map_err(Error::io("write", folder))?;
            let mut files = Vec::with_capacity(views.len());
            for view in views {
                let path = folder.join(format!("{}.csv", view.view.name));
                let mut file = Output::create(&path)?;
                csv::write(view, &order.rows(view), &mut file).map_err(Error::io("write", &path))?;
                files.push(file);
            }
            output::commit(files)
        }
    }
}

fn to_stdout(write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> Result<()> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    write(&mut out).and_then(|()| out.flush()).map_err(Error::io("write", "standard output"))
}
