//! `pgretro unpack`.

use super::output::{self, Output};
use super::{Status, print};
use crate::error::{Error, Result};
use crate::ingest::{self, Wanted};
use crate::pack::{History, is_packed};
use crate::snapshot::{Snapshot, Table, Value};
use crate::text::counted;
use crate::time::Timestamp;
use crate::unit::format_lsn;
use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Arguments of `pgretro unpack`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A packed history, or any other dump
    #[arg(required = true, value_name = "DUMP")]
    dumps: Vec<PathBuf>,
    /// A new folder; each snapshot becomes a folder in it
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
}

/// Runs it.
pub(super) fn run(args: &Args) -> Result<Status> {
    if std::fs::read_dir(&args.output).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(Error::usage(
            format!("write `{}`: the folder is not empty", args.output.display()),
            "name a new one",
        ));
    }
    for dump in args.dumps.iter().filter(|dump| is_packed(dump)) {
        History::open(dump)?.verify()?;
    }
    let mut names = BTreeSet::new();
    for opened in ingest::open(&args.dumps, &ingest::Options::default())? {
        let snapshot = opened.read(&Wanted::all())?;
        let name = unused(&folder_name(&snapshot), &mut names);
        write(&snapshot, &args.output.join(name))?;
    }
    print(&format!("{}: {}\n", args.output.display(), counted(names.len(), "snapshot", "snapshots")))?;
    Ok(Status::Done)
}

/// The folder of a snapshot: its label where that is a plain name, else its time.
fn folder_name(snapshot: &Snapshot) -> String {
    let meta = &snapshot.meta;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '+');
    let label = meta.label.trim_start_matches('.');
    if !label.is_empty() && label.len() < 100 && label.chars().all(plain) {
        return label.to_owned();
    }
    meta.taken_at.map_or_else(|| "snapshot".to_owned(), |time| spelled(time).replace(' ', "T"))
}

fn unused(name: &str, names: &mut BTreeSet<String>) -> String {
    let mut unused = name.to_owned();
    let mut number = 1;
    // Some file systems do not tell cases apart.
    while !names.insert(unused.to_lowercase()) {
        number += 1;
        unused = format!("{name}.{number}");
    }
    unused
}

fn write(snapshot: &Snapshot, folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder).map_err(Error::io("write", folder))?;
    let mut files = Vec::new();
    let mut names = BTreeSet::new();
    for table in snapshot.tables.values().map(Arc::as_ref).chain(&snapshot.unknown) {
        let path = folder.join(format!("{}.csv", unused(&file_name(table), &mut names)));
        let mut file = Output::create(&path)?;
        csv(table, &mut file).map_err(Error::io("write", &path))?;
        files.push(file);
    }
    // What no file says of the snapshot.
    if !snapshot.tables.contains_key("meta")
        && let Some(time) = snapshot.meta.taken_at
    {
        let path = folder.join("meta.csv");
        let version = snapshot.meta.version.map(|v| v.0.to_string()).unwrap_or_default();
        let mut file = Output::create(&path)?;
        write!(file, "captured_at,server_version_num\n{},{version}\n", spelled(time))
            .map_err(Error::io("write", &path))?;
        files.push(file);
    }
    output::commit(files)
}

/// The view's name, under which it was exported where that is one of its own.
fn file_name(table: &Table) -> String {
    match table.view {
        Some(view) if view.also.contains(&table.exported_as.as_str()) => table.exported_as.clone(),
        Some(view) => view.name.to_owned(),
        None => {
            let plain = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' };
            let name: String = table.name.chars().take(100).map(plain).collect();
            if name.is_empty() { "relation".to_owned() } else { name }
        }
    }
}

/// A table as CSV: NULL is nothing, an empty text is `""`.
fn csv(table: &Table, out: &mut impl Write) -> io::Result<()> {
    let view = table.view;
    let columns: Vec<usize> =
        (0..table.columns.len()).filter(|at| matches!(table.columns.get(*at), Some(Some(_)))).collect();
    let mut names: Vec<&str> = columns.iter().filter_map(|at| Some(view?.columns.get(*at)?.name)).collect();
    names.extend(table.extra.iter().map(|(name, _)| name.as_str()));
    // When the rows were read; the view may have a column of that name itself.
    let clock = table.taken_at.filter(|_| !names.contains(&CLOCK));
    for (at, name) in names.iter().copied().chain(clock.map(|_| CLOCK)).enumerate() {
        text(name, at > 0, out)?;
    }
    out.write_all(b"\n")?;
    for row in 0..table.rows {
        let mut more = false;
        for at in &columns {
            let lsn = view.and_then(|v| v.columns.get(*at)).is_some_and(|c| c.ty == crate::catalog::Type::Lsn);
            cell(table.value(row, *at), lsn, more, out)?;
            more = true;
        }
        for (_, texts) in &table.extra {
            cell(texts.get(row).map_or(Value::Null, Value::Text), false, more, out)?;
            more = true;
        }
        if let Some(time) = clock {
            cell(Value::Time(time), false, more, out)?;
        }
        out.write_all(b"\n")?;
    }
    Ok(())
}

const CLOCK: &str = "captured_at";

fn cell(value: Value<'_>, lsn: bool, more: bool, out: &mut impl Write) -> io::Result<()> {
    let comma = if more { "," } else { "" };
    match value {
        Value::Null => write!(out, "{comma}"),
        Value::Int(n) if lsn => write!(out, "{comma}{}", format_lsn(n as u64)),
        Value::Int(n) => write!(out, "{comma}{n}"),
        Value::Numeric(n) => write!(out, "{comma}{n}"),
        Value::Float(x) => write!(out, "{comma}{x}"),
        Value::Bool(b) => write!(out, "{comma}{}", if b { 't' } else { 'f' }),
        Value::Time(time) => write!(out, "{comma}{}", spelled(time)),
        Value::Interval(us) => write!(out, "{comma}{}", duration(us)),
        Value::Text(s) => text(s, more, out),
    }
}

fn text(text: &str, more: bool, out: &mut impl Write) -> io::Result<()> {
    if more {
        out.write_all(b",")?;
    }
    let plain = |c: char| !matches!(c, '"' | ',' | ';' | '\t' | '\n' | '\r' | '\\' | ' ' | '|');
    if !text.is_empty() && text.chars().all(plain) {
        return out.write_all(text.as_bytes());
    }
    write!(out, "\"{}\"", text.replace('"', "\"\""))
}

/// A time to the microsecond, as PostgreSQL writes it in UTC.
fn spelled(time: Timestamp) -> String {
    let (seconds, micros) = (time.0.div_euclid(1_000_000), time.0.rem_euclid(1_000_000));
    match chrono::DateTime::from_timestamp(seconds, 0) {
        Some(date) => format!("{}.{micros:06}+00", date.format("%Y-%m-%d %H:%M:%S")),
        None if time.0 < 0 => "-infinity".to_owned(),
        None => "infinity".to_owned(),
    }
}

/// An interval as hours, minutes and seconds.
fn duration(us: i64) -> String {
    let sign = if us < 0 { "-" } else { "" };
    let us = us.unsigned_abs();
    let (seconds, micros) = (us / 1_000_000, us % 1_000_000);
    format!("{sign}{:02}:{:02}:{:02}.{micros:06}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}
