//! `pgretro pack`.

use super::progress::Progress;
use super::recognised::Recognised;
use super::report::ingest_options;
use super::{Status, print};
use crate::error::Result;
use crate::ingest::{self, Opened, Wanted};
use crate::meta::TimeSource;
use crate::pack::{Packed, Writer};
use crate::snapshot::Snapshot;
use crate::unit::{Quantity, Unit, group_int};
use std::path::PathBuf;

/// Arguments of `pgretro pack`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folders of view files, folders of such folders, archives of them, packed histories, JSON dumps
    #[arg(required = true, value_name = "DUMP")]
    dumps: Vec<PathBuf>,
    /// The folder of the packed history
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    /// Add to the packed history that is there; snapshots of files it has already are left out
    #[arg(long)]
    append: bool,
    /// Capture time of a snapshot that says nothing about its own; several in the order of the dumps
    #[arg(long, value_name = "TIME")]
    taken_at: Vec<String>,
    /// Zone of times without an offset, where the dump does not say it (Europe/Berlin)
    #[arg(long, value_name = "ZONE")]
    timezone: Option<String>,
}

/// Runs it.
pub(super) fn run(args: &Args) -> Result<Status> {
    let options = ingest_options(&args.taken_at, args.timezone.as_deref())?;
    let progress = Progress::watch(options.tally.as_ref());
    let mut given = options.taken_at.clone().into_iter();
    let opened = ingest::open(&args.dumps, &options)?;
    let mut writer = Writer::new(&args.output, args.append)?;
    let mut met = Recognised::default();
    let mut push = |mut snapshot: Snapshot| {
        if snapshot.meta.taken_at.is_none()
            && let Some(time) = given.next()
        {
            snapshot.meta.taken_at = Some(time);
            snapshot.meta.time_source = Some(TimeSource::Option);
        }
        writer.push(&snapshot)
    };
    let again = |opened: &[Opened], push: &mut dyn FnMut(Snapshot) -> Result<()>| {
        opened.iter().try_for_each(|opened| push(opened.read(&Wanted::all())?))
    };
    // Nothing is written before something is known to be worth it; what came before that is read once more.
    let mut pushed = 0;
    for (at, one) in opened.iter().enumerate() {
        let snapshot = one.read(&Wanted::all())?;
        met.look(&snapshot);
        if met.any() {
            again(opened.get(pushed..at).unwrap_or_default(), &mut push)?;
            push(snapshot)?;
            pushed = at + 1;
        }
    }
    met.kept_or_refuse(&args.dumps)?;
    again(opened.get(pushed..).unwrap_or_default(), &mut push)?;
    let done = writer.finish()?;
    drop(progress);
    if let Some((files, first)) = met.unread() {
        let more = if files > 1 { format!(" (and {} more like it)", files - 1) } else { String::new() };
        super::warn(&format!("{first}{more} [unreadable-file]"));
    }
    print(&said(&done, args))?;
    Ok(Status::Done)
}

fn said(done: &Packed, args: &Args) -> String {
    let size = |bytes: u64| Quantity::int(i64::try_from(bytes).unwrap_or(i64::MAX), Unit::Bytes).human();
    let count = |n: u64, what: &str| {
        format!("{} {what}{}", group_int(i64::try_from(n).unwrap_or(i64::MAX)), if n == 1 { "" } else { "s" })
    };
    let mut text = format!(
        "{}: {}, {} from {}",
        args.output.display(),
        count(done.snapshots, "snapshot"),
        size(done.bytes),
        size(done.source_bytes),
    );
    if done.repeated > 0 {
        text.push_str("; left out, as it has them: ");
        text.push_str(&count(done.repeated, "snapshot"));
    }
    text + "\n"
}
