//! `pgretro trend`.

mod csv;
mod json;
mod order;
mod outlook;
mod overview;
mod table;

use super::facts::bytes;
use super::output::{self, Output};
use super::progress::Progress;
use super::recognised::Recognised;
use super::report::gather::narrow;
use super::report::ingest_options;
use super::{Status, print};
use crate::diff;
use crate::error::{Error, Result};
use crate::text::counted;
use crate::trend::outlook::Given;
use crate::trend::read::Moment;
use crate::trend::{self, Follow, Plan, read};
use std::collections::BTreeMap;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

/// Arguments of `pgretro trend`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folders of view files, folders of such folders, archives of them, packed histories, JSON dumps: the snapshots of a history
    #[arg(required = true, value_name = "DUMP")]
    dumps: Vec<PathBuf>,
    /// Follow the columns of this view only; may be given several times
    #[arg(long = "view", value_name = "VIEW")]
    views: Vec<String>,
    /// Follow this column only; may be given several times
    #[arg(long = "column", value_name = "COLUMN")]
    columns: Vec<String>,
    /// Follow the object of this name only (`orders`, `public.orders`, a query id); may be given several times
    #[arg(long = "object", value_name = "NAME")]
    objects: Vec<String>,
    /// Show the first N objects of each view and column, those that moved most first
    #[arg(long, value_name = "N")]
    top: Option<usize>,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Write to this file
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Disk space for the data directory (200GB): when will it be full?
    #[arg(long, value_name = "SIZE")]
    capacity: Option<String>,
    /// First snapshot: its position from 1, its name, or a time (the first taken then or later)
    #[arg(long, value_name = "SNAPSHOT")]
    from: Option<String>,
    /// Last snapshot: its position from 1, its name, or a time (the last taken then or earlier)
    #[arg(long, value_name = "SNAPSHOT")]
    to: Option<String>,
    /// Capture time of a snapshot that says nothing about its own; several in the order of the dumps
    #[arg(long, value_name = "TIME")]
    taken_at: Vec<String>,
    /// Zone of times without an offset, where the dump does not say it (Europe/Berlin)
    #[arg(long, value_name = "ZONE")]
    timezone: Option<String>,
    /// Follow snapshots of different clusters, each on its own
    #[arg(long)]
    allow_different_clusters: bool,
    /// Include the sessions' temporary tables
    #[arg(long)]
    temporary: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// What moves, for people
    Table,
    /// A row for each object and column
    Csv,
    /// Everything, points included
    Json,
}

/// Runs it.
pub(super) fn run(args: &Args) -> Result<Status> {
    let followed = trend::choose(&args.views, &args.columns)?;
    let capacity = args.capacity.as_deref().map(|text| bytes(text, "--capacity")).transpose()?;
    let request = read::Request {
        inputs: args.dumps.clone(),
        ingest: crate::ingest::Options { hash: false, ..ingest_options(&args.taken_at, args.timezone.as_deref())? },
        diff: diff::Options { allow_different_servers: args.allow_different_clusters, temporary: args.temporary },
        plan: Plan {
            followed,
            objects: args.objects.clone(),
            watched: args.views.is_empty() && args.columns.is_empty(),
        },
    };
    let progress = Progress::watch(request.ingest.tally.as_ref());
    let mut moments = read::moments(&request)?;
    narrow(&mut moments, args.from.as_deref(), args.to.as_deref())?;
    understood(&moments, &args.dumps)?;
    let (histories, notes) = read::follow(&request, &moments)?;
    drop(progress);
    warn(notes.kept.iter().chain(histories.iter().flat_map(|h| &h.notes.kept)));
    let given = Given { capacity };
    let order = order::Order { top: args.top };
    match args.format {
        Format::Table => deliver(args, |out| out.write_all(table::text(&histories, &order, given).as_bytes())),
        Format::Csv => deliver(args, |out| csv::write(&histories, &order, out)),
        Format::Json => deliver(args, |out| json::write(&histories, &order, given, out)),
    }?;
    Ok(Status::Done)
}

/// Refuses dumps of which nothing is understood. Where one says of which server it is, it is an export; else snapshots
/// are read until a view is met.
fn understood(moments: &[Moment], dumps: &[PathBuf]) -> Result<()> {
    let mut met = Recognised::default();
    if moments.iter().any(|m| m.meta.version.is_some()) {
        return Ok(());
    }
    for moment in moments {
        met.look(&moment.read()?);
        if met.any() {
            break;
        }
    }
    met.or_refuse(dumps)
}

/// The first warning of each kind, and how many more there are: a history has one for each window.
fn warn<'a>(notes: impl Iterator<Item = &'a crate::meta::Note>) {
    let mut kinds: BTreeMap<&str, (&str, usize)> = BTreeMap::new();
    for note in notes {
        kinds.entry(&note.code).or_insert((&note.message, 0)).1 += 1;
    }
    for (code, (message, n)) in kinds {
        let more = if n > 1 { format!(" (and {} more like it)", n - 1) } else { String::new() };
        super::warn(&format!("{message}{more} [{code}]"));
    }
}

fn deliver(args: &Args, write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> Result<()> {
    if let Some(path) = &args.output {
        let mut file = Output::create(path)?;
        write(&mut file).map_err(Error::io("write", path))?;
        return output::commit(vec![file]);
    }
    if args.format == Format::Table {
        let mut text = Vec::new();
        write(&mut text).map_err(Error::io("write", "standard output"))?;
        return print(&String::from_utf8_lossy(&text));
    }
    let mut out = BufWriter::new(std::io::stdout().lock());
    write(&mut out).and_then(|()| out.flush()).map_err(Error::io("write", "standard output"))
}

/// What a history is of, for people.
fn title(history: &Follow) -> String {
    let Some(last) = history.last() else { return "no snapshot".to_owned() };
    let meta = &last.meta;
    let time = |t: Option<crate::time::Timestamp>| {
        t.map_or_else(|| "time unknown".to_owned(), crate::time::Timestamp::human_seconds)
    };
    let mut of: Vec<String> = Vec::new();
    of.extend(meta.database.as_deref().map(|d| crate::ident::visible(d).into_owned()));
    of.extend(meta.node.as_ref().map(|n| format!("on {}", crate::ident::visible(&n.to_string()))));
    of.extend(meta.version.map(|v| format!("PostgreSQL {v}")));
    if meta.in_recovery == Some(true) {
        of.push("standby".to_owned());
    }
    let of = if of.is_empty() { meta.label.clone() } else { of.join(", ") };
    let span = history.from.zip(meta.taken_at).map(|(a, b)| b.seconds_since(a));
    let span = span
        .and_then(|s| crate::unit::Quantity::float(s, crate::unit::Unit::Seconds))
        .map_or_else(String::new, |q| format!(" ({})", q.human()));
    format!(
        "{of}: {}, {} → {}{span}",
        counted(history.snapshots, "snapshot", "snapshots"),
        time(history.from),
        time(meta.taken_at)
    )
}
