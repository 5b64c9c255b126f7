//! `pgretro report`.

use super::progress::Progress;
use super::{Status, output, print};
use crate::advisor::{self, Config};
use crate::diff;
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
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folders of view files, folders of such folders, archives of them, packed histories, JSON dumps; `-` reads a JSON dump from standard input
    #[arg(required = true, value_name = "DUMP")]
    dumps: Vec<PathBuf>,
    /// Write to FILE, in the format its ending names (.html, .md, .json, .txt); may be given several times.
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
    /// Thresholds, severities and exceptions, as TOML
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Exit with 1 where a finding is at least this severe
    #[arg(long, value_name = "SEVERITY", value_parser = ["critical", "high", "medium", "low", "info"])]
    fail_on: Option<String>,
    /// Capture time of a snapshot that says nothing about its own; several in the order of the dumps
    #[arg(long, value_name = "TIME")]
    taken_at: Vec<String>,
    /// Zone of times without an offset, where the dump does not say it (Europe/Berlin)
    #[arg(long, value_name = "ZONE")]
    timezone: Option<String>,
    /// No standby is read by anybody: an index unused here is unused everywhere
    #[arg(long)]
    no_standby_reads: bool,
    /// Memory of the server, where the dump does not say it (64GB)
    #[arg(long, value_name = "SIZE")]
    ram: Option<String>,
    /// Disk space for the data directory (2TB)
    #[arg(long, value_name = "SIZE")]
    capacity: Option<String>,
    /// Tables and indexes below this size are at most worth a note (10MB)
    #[arg(long, value_name = "SIZE")]
    min_bytes: Option<String>,
    /// Lay snapshots of different servers side by side; nothing is subtracted
    #[arg(long)]
    allow_different_servers: bool,
    /// Take templates from DIR; built-in ones stand in for those it does not have
    #[arg(long, value_name = "DIR")]
    templates: Option<PathBuf>,
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
}

/// Runs it.
pub(super) fn run(args: &Args) -> Result<Status> {
    // What is asked for is checked before the work.
    let formats: Vec<Format> = args.output.iter().map(|path| render::by_path(path)).collect::<Result<_>>()?;
    let format = args.format.as_deref().map(render::by_name).transpose()?;
    let (config, text) = config(args)?;
    let reading = ingest_options(&args.taken_at, args.timezone.as_deref())?;
    let progress = Progress::watch(reading.tally.as_ref());
    let snapshots = ingest::read(&args.dumps, &reading)?;
    drop(progress);
    let snapshots = choose(snapshots, args.from.as_deref(), args.to.as_deref())?;
    let options = diff::Options { allow_different_servers: args.allow_different_servers, ..diff::Options::default() };
    let chain = diff::chain(snapshots.into_iter().map(Arc::new).collect(), &options)?;
    let advice = advisor::run(&chain, &config);
    let report = report::build(&chain, &advice, &report::Options { configuration: text, arguments: arguments(args) })?;
    deliver(args, &report, &formats, format)?;
    let worst = report.findings.iter().map(|f| f.finding.severity).max();
    let limit = args.fail_on.as_deref().and_then(severity);
    Ok(if limit.is_some_and(|limit| worst >= Some(limit)) { Status::Findings } else { Status::Done })
}

/// Writes the files, all or none, and prints what belongs on standard output.
fn deliver(args: &Args, report: &report::Report, formats: &[Format], format: Option<Format>) -> Result<()> {
    let plain = render::Options { templates: args.templates.clone(), ..render::Options::default() };
    // Formats know nothing of each other: while this thread renders the first, others render the rest.
    let texts: Vec<Result<String>> = std::thread::scope(|scope| {
        let (first, rest) = formats.split_at(formats.len().min(1));
        let running: Vec<_> =
            rest.iter().map(|format| scope.spawn(|| render::render(report, *format, &plain))).collect();
        let first = first.iter().map(|format| render::render(report, *format, &plain)).collect::<Vec<_>>();
        let rest =
            running.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        first.into_iter().chain(rest).collect()
    });
    let texts = texts.into_iter().collect::<Result<Vec<String>>>()?;
    let files: Vec<_> = args.output.iter().cloned().zip(texts).collect();
    output::write_files(&files)?;
    if let Some(format) = format {
        return print(&render::render(report, format, &plain)?);
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
    look.templates.clone_from(&args.templates);
    print(&render::render(report, render::by_name("txt")?, &look)?)
}

fn severity(word: &str) -> Option<Severity> {
    Severity::WORST_FIRST.into_iter().find(|s| s.word() == word)
}

fn config(args: &Args) -> Result<(Config, String)> {
    let (mut config, text) = match &args.config {
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(Error::io("read", path))?;
            (Config::parse(&text, &path.display().to_string())?, text)
        }
        None => (Config::default(), String::new()),
    };
    let options = &mut config.options;
    options.no_standby_reads |= args.no_standby_reads;
    for (value, option, name) in
        [(&args.ram, &mut options.ram_bytes, "--ram"), (&args.capacity, &mut options.capacity_bytes, "--capacity")]
    {
        if let Some(value) = value {
            *option = Some(bytes(value, name)?);
        }
    }
    if let Some(value) = &args.min_bytes {
        options.min_bytes = bytes(value, "--min-bytes")?;
    }
    Ok((config, text))
}

/// The options that change what the report says.
fn arguments(args: &Args) -> String {
    format!(
        "no_standby_reads={} ram={:?} capacity={:?} min_bytes={:?} different={}",
        args.no_standby_reads, args.ram, args.capacity, args.min_bytes, args.allow_different_servers
    )
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

/// A size as PostgreSQL writes it: `64GB`, `512 MB`, `1048576`.
pub(super) fn bytes(text: &str, option: &str) -> Result<i64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let power = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" | "bytes" => Some(0),
        "k" | "kb" | "kib" => Some(10),
        "m" | "mb" | "mib" => Some(20),
        "g" | "gb" | "gib" => Some(30),
        "t" | "tb" | "tib" => Some(40),
        _ => None,
    };
    power
        .zip(number.parse::<i64>().ok())
        .and_then(|(power, n)| n.checked_mul(1_i64 << power))
        .ok_or_else(|| Error::usage(format!("read {option} `{text}`: not a size"), "write it like 64GB or 512MB"))
}

/// The snapshots from one to another, both included.
fn choose(snapshots: Vec<Snapshot>, from: Option<&str>, to: Option<&str>) -> Result<Vec<Snapshot>> {
    let names: Vec<_> = snapshots.iter().map(|s| (s.meta.label.as_str(), s.meta.taken_at)).collect();
    let first = from.map_or(Ok(0), |w| position(&names, w, "--from", false))?;
    let last = to.map_or(Ok(snapshots.len().saturating_sub(1)), |w| position(&names, w, "--to", true))?;
    if first > last {
        return Err(Error::usage("use --from after --to", "exchange them"));
    }
    Ok(snapshots.into_iter().skip(first).take(last - first + 1).collect())
}

/// The place of a snapshot among those of these names and times: by its name, its position from 1, or a time.
pub(super) fn position(
    snapshots: &[(&str, Option<Timestamp>)],
    wanted: &str,
    option: &str,
    last: bool,
) -> Result<usize> {
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
    fn reads_sizes() {
        for (text, want) in [("64GB", Some(64 << 30)), ("512 mb", Some(512 << 20)), ("7", Some(7)), ("1.5GB", None)] {
            assert_eq!(bytes(text, "--ram").ok(), want, "{text}");
        }
        assert!(bytes("99999999999TB", "--ram").is_err(), "overflow");
    }

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
