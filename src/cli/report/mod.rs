//! `pgretro report`.

pub(super) mod gather;

use super::facts::Facts;
use super::presentation::Presentation;
use super::progress::Progress;
use super::servers::{Server, peers, recognised};
use super::{Status, output, print};
use crate::advisor;
use crate::error::{Error, Result};
use crate::finding::Severity;
use crate::ingest;
use crate::render::{self, ColorChoice, Format};
use crate::report;
use crate::snapshot::Snapshot;
use crate::time::Timestamp;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Arguments of `pgretro report`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folders of view files, folders of such folders, archives of them, packed histories, JSON dumps; `-` reads a JSON dump from standard input
    #[arg(required = true, value_name = "DUMP")]
    dumps: Vec<PathBuf>,
    /// Write to FILE, in the format its ending names (.html, .md, .json, .csv, .txt); may be given several times.
    /// Without it a summary is printed
    #[arg(short, long = "output", value_name = "FILE")]
    output: Vec<PathBuf>,
    /// Print in this format to standard output instead of the summary
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,
    /// First snapshot: its position from 1, its name, or a time (the first taken then or later)
    #[arg(long, value_name = "SNAPSHOT")]
    from: Option<String>,
    /// Last snapshot: its position from 1, its name, or a time (the last taken then or earlier)
    #[arg(long, value_name = "SNAPSHOT")]
    to: Option<String>,
    #[command(flatten)]
    facts: Facts,
    /// A saved report (JSON): say which findings are new, worse, better, unchanged or fixed since
    #[arg(long, value_name = "REPORT.json")]
    baseline: Option<PathBuf>,
    /// Exit with 1 where a finding is at least this severe
    #[arg(long, value_name = "SEVERITY", value_parser = ["critical", "high", "medium", "low", "info"])]
    fail_on: Option<String>,
    /// Exit with 1 where a finding at least this severe (low, where none is named) is not in the baseline, or was less
    /// severe there
    #[arg(
        long,
        value_name = "SEVERITY",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "low",
        requires = "baseline",
        value_parser = ["critical", "high", "medium", "low", "info"]
    )]
    fail_on_new: Option<String>,
    /// Capture time of a snapshot that says nothing about its own; several in the order of the dumps
    #[arg(long, value_name = "TIME")]
    taken_at: Vec<String>,
    /// Zone of times without an offset, where the dump does not say it (Europe/Berlin)
    #[arg(long, value_name = "ZONE")]
    timezone: Option<String>,
    /// Lay snapshots of different servers side by side; nothing is subtracted
    #[arg(long)]
    allow_different_servers: bool,
    /// Print one line
    #[arg(short, long)]
    quiet: bool,
    /// Colours of the summary
    #[arg(long, value_name = "WHEN", value_parser = ["auto", "always", "never"], default_value = "auto")]
    color: String,
    /// Keep the summary to ASCII
    #[arg(long)]
    ascii: bool,
    /// Columns of the summary, 40 to 100
    #[arg(long, value_name = "COLUMNS")]
    width: Option<usize>,
    #[command(flatten)]
    presentation: Presentation,
}

/// Runs it.
pub(super) fn run(args: &Args) -> Result<Status> {
    // What is asked for is checked before the work.
    let formats: Vec<Format> = args.output.iter().map(|path| render::by_path(path)).collect::<Result<_>>()?;
    let format = args.format.as_deref().map(render::by_name).transpose()?;
    let plain = args.presentation.options()?;
    let (config, text) = args.facts.config()?;
    let baseline = args.baseline.as_deref().map(read_baseline).transpose()?;
    let reading = ingest_options(&args.taken_at, args.timezone.as_deref())?;
    let progress = Progress::watch(reading.tally.as_ref());
    let gather::Material { servers, history, asides } = gather::gather(args, &reading)?;
    drop(progress);
    let snapshots = servers.iter().flat_map(|(_, chain)| &chain.snapshots);
    recognised(snapshots.map(AsRef::as_ref), &args.dumps)?;
    let peers = peers(&servers);
    let advice = advisor::run_cluster(&peers, &config).unwrap_or_default();
    let Some(((_, chain), others)) = servers.split_first() else { return Err(Error::input("find a snapshot")) };
    let options = report::Options {
        configuration: text,
        arguments: arguments(args, baseline.as_ref(), others),
        baseline,
        capacity: config.options.capacity_bytes,
        asides,
        servers: if others.is_empty() { Vec::new() } else { peers },
    };
    let report = report::build_with(chain, history, &advice, &options)?;
    let report = args.presentation.of(report);
    deliver(args, &plain, &report, &formats, format)?;
    Ok(if fails(args, &report) { Status::Findings } else { Status::Done })
}

/// Whether a finding is one that the caller wants to hear of by the exit code.
fn fails(args: &Args, report: &report::Report) -> bool {
    let limit = |option: &Option<String>| option.as_deref().and_then(Severity::named);
    let (any, new) = (limit(&args.fail_on), limit(&args.fail_on_new));
    report.findings.iter().any(|f| {
        let risen = f.baseline.as_ref().is_some_and(|b| b.was.is_none_or(|was| was < f.finding.severity));
        any.is_some_and(|limit| f.finding.severity >= limit)
            || (risen && new.is_some_and(|limit| f.finding.severity >= limit))
    })
}

fn read_baseline(path: &Path) -> Result<report::Report> {
    let text = std::fs::read_to_string(path).map_err(Error::io("read", path))?;
    render::read(&text).map_err(|error| Error::Input {
        message: format!("use the baseline `{}`: failed to {error}", path.display()),
        hint: error.hint().map(str::to_owned),
    })
}

/// Writes the files, all or none, and prints what belongs on standard output.
fn deliver(
    args: &Args,
    plain: &render::Options,
    report: &report::Report,
    formats: &[Format],
    format: Option<Format>,
) -> Result<()> {
    // Formats know nothing of each other: while this thread renders the first, others render the rest.
    let texts: Vec<Result<String>> = std::thread::scope(|scope| {
        let (first, rest) = formats.split_at(formats.len().min(1));
        let running: Vec<_> =
            rest.iter().map(|format| scope.spawn(|| render::render(report, *format, plain))).collect();
        let first = first.iter().map(|format| render::render(report, *format, plain)).collect::<Vec<_>>();
        let rest =
            running.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        first.into_iter().chain(rest).collect()
    });
    let texts = texts.into_iter().collect::<Result<Vec<String>>>()?;
    let files: Vec<_> = args.output.iter().cloned().zip(texts).collect();
    output::write_files(&files)?;
    if let Some(format) = format {
        return print(&render::render(report, format, plain)?);
    }
    let color = match args.color.as_str() {
        "always" => ColorChoice::Always,
        "never" => ColorChoice::Never,
        _ => ColorChoice::Auto,
    };
    let mut look = render::Surroundings::of_stdout().options(color, args.ascii);
    look.quiet = args.quiet;
    look.width = args.width.map_or(look.width, |w| w.clamp(40, 100));
    look.files = args.output.iter().map(|p| p.display().to_string()).collect();
    look.templates.clone_from(&plain.templates);
    look.cover.clone_from(&plain.cover);
    print(&render::render(report, render::by_name("txt")?, &look)?)
}

/// What changes the report's content beside the configuration and the main server's files.
fn arguments(args: &Args, baseline: Option<&report::Report>, others: &[Server]) -> String {
    let against = baseline.map_or("", |b| b.id.as_str());
    let mut out = format!("{} different={} baseline={against}", args.facts.spelled(), args.allow_different_servers);
    for (name, chain) in others {
        let files = chain.snapshots.iter().flat_map(|s| &s.meta.files).map(|f| f.sha256.as_str());
        out = files.fold(format!("{out} server={name}"), |out, hash| out + " " + hash);
    }
    out
}

/// How to read dumps.
pub(super) fn ingest_options(taken_at: &[String], timezone: Option<&str>) -> Result<ingest::Options> {
    let taken_at = taken_at
        .iter()
        .map(|text| {
            Timestamp::parse(text).map(|(t, _)| t).ok_or_else(|| {
                Error::usage(format!("read --taken-at `{text}`: not a time"), "write it like 2026-11-22T14:22:11Z")
            })
        })
        .collect::<Result<_>>()?;
    Ok(ingest::Options { taken_at, timezone: timezone.map(str::to_owned), hash: true, tally: Some(Arc::default()) })
}

/// The snapshots from one to another, both included.
pub(super) fn choose(snapshots: Vec<Snapshot>, from: Option<&str>, to: Option<&str>) -> Result<Vec<Snapshot>> {
    let names: Vec<_> = snapshots.iter().map(|s| (s.meta.label.as_str(), s.meta.taken_at)).collect();
    let first = from.map_or(Ok(0), |w| position(&names, w, "--from", false))?;
    let last = to.map_or(Ok(snapshots.len().saturating_sub(1)), |w| position(&names, w, "--to", true))?;
    if first > last {
        return Err(Error::usage("use --from after --to", "exchange them"));
    }
    Ok(snapshots.into_iter().skip(first).take(last - first + 1).collect())
}

/// The place of a snapshot among those of these names and times: by its name, its position from 1, or a time.
fn position(snapshots: &[(&str, Option<Timestamp>)], wanted: &str, option: &str, last: bool) -> Result<usize> {
    find(snapshots, wanted, last).ok_or_else(|| {
        let known: Vec<&str> = snapshots.iter().map(|s| s.0).take(8).collect();
        Error::usage(
            format!("find the snapshot `{wanted}` of {option} among {}", snapshots.len()),
            format!("give a position from 1, a time, or a name: {}", known.join(", ")),
        )
    })
}

fn find(snapshots: &[(&str, Option<Timestamp>)], wanted: &str, last: bool) -> Option<usize> {
    let name = |(label, _): &(&str, Option<Timestamp>)| {
        *label == wanted || Path::new(label).file_name().and_then(|n| n.to_str()) == Some(wanted.trim_end_matches('/'))
    };
    if let Some(at) = snapshots.iter().position(name) {
        return Some(at);
    }
    if let Some(n) = wanted.parse::<usize>().ok().and_then(|n| n.checked_sub(1)) {
        return (n < snapshots.len()).then_some(n);
    }
    let (time, _) = Timestamp::parse(wanted)?;
    if last {
        snapshots.iter().rposition(|s| s.1.is_some_and(|t| t <= time))
    } else {
        snapshots.iter().position(|s| s.1.is_some_and(|t| t >= time))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_snapshots() {
        let at = |label: &'static str, time: &str| (label, Timestamp::parse(time).map(|(t, _)| t));
        let all =
            [at("dump/a", "2026-01-01 10:00:00"), at("dump/b", "2026-01-01 11:00:00"), at("c", "2026-01-01 12:00:00")];
        for (wanted, last, want) in [
            ("a", false, Some(0)),
            ("dump/b", false, Some(1)),
            ("3", true, Some(2)),
            ("4", true, None),
            ("0", true, None),
            ("2026-01-01 10:30:00", false, Some(1)),
            ("2026-01-01 11:30:00", true, Some(1)),
            ("2026-01-01 09:00:00", true, None),
            ("nonsense", false, None),
        ] {
            assert_eq!(find(&all, wanted, last), want, "{wanted}");
        }
    }
}
