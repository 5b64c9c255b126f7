//! Subtraction against what really happened.

mod cli;
mod events;
mod truth;

use pgretro::diff::{Diff, Options, diff};
use pgretro::ingest;
use rayon::prelude::*;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The folder with the recorded series, from `PGRETRO_LAB` or beside the crate.
fn lab() -> Option<PathBuf> {
    let path = std::env::var_os("PGRETRO_LAB")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/lab/data"), PathBuf::from);
    if path.is_dir() {
        return Some(path);
    }
    eprintln!("SKIPPED: no lab data at {}", path.display());
    None
}

/// A window of a recorded series and what its driver knows about it.
struct Window {
    /// Series and position, for messages.
    name: String,
    major: u64,
    diff: Diff,
    /// The entry of `intervals`.
    interval: Value,
    /// Whether work was going on at one of its ends.
    live: bool,
    /// Whether archiving was broken before the window and not yet repaired.
    archiving_broken: bool,
    /// Columns that the driver watched, by kind of object.
    watched: Watched,
}

impl Window {
    /// Whether the driver did one of these.
    fn happened(&self, kinds: &[&str]) -> bool {
        self.interval["events"].as_array().unwrap().iter().any(|e| kinds.contains(&e["kind"].as_str().unwrap()))
    }
}

type Watched = Arc<BTreeMap<String, BTreeSet<String>>>;

/// The columns that occur anywhere in a series' truth, by kind of object.
fn watched(truth: &Value) -> Watched {
    let mut out: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for interval in truth["intervals"].as_array().unwrap() {
        for (kind, entries) in interval["deltas"].as_object().unwrap() {
            for values in entries.as_array().unwrap().iter().flat_map(|e| [&e["delta"], &e["true_total"]]) {
                let columns = values.as_object().into_iter().flat_map(|v| v.keys().cloned());
                out.entry(kind.clone()).or_default().extend(columns);
            }
        }
    }
    Arc::new(out)
}

/// Every window of a series that was recorded in this format.
fn windows(series: &Path) -> Vec<Window> {
    let truth = std::fs::read_to_string(series.join("truth.json")).unwrap();
    let truth: Value = serde_json::from_str(&truth).unwrap();
    let read = |snapshot: &Value| {
        let path = series.join(snapshot["dir"].as_str().unwrap());
        path.is_dir().then(|| {
            let mut found = ingest::read(&[path], &ingest::Options::default()).unwrap();
            assert_eq!(found.len(), 1);
            Arc::new(found.remove(0))
        })
    };
    let meta = truth["snapshots"].as_array().unwrap();
    let snapshots: Vec<_> = meta.iter().map(read).collect();
    let (mut out, watched, mut broken) = (Vec::new(), watched(&truth), false);
    for interval in truth["intervals"].as_array().unwrap() {
        let at = |end: &str| interval[end].as_u64().unwrap() as usize - 1;
        let (from, to) = (at("from"), at("to"));
        let (Some(before), Some(after)) = (&snapshots[from], &snapshots[to]) else { continue };
        let live = [from, to].iter().any(|i| meta[*i]["workers_running"].as_bool().unwrap());
        out.push(Window {
            name: format!("{} {}", series.file_name().unwrap().to_string_lossy(), from + 1),
            major: truth["pg_major"].as_u64().unwrap(),
            diff: diff(Arc::clone(before), Arc::clone(after), &Options::default()).unwrap(),
            interval: interval.clone(),
            live,
            archiving_broken: broken,
            watched: Arc::clone(&watched),
        });
        let last = out.last().unwrap();
        broken =
            (broken || last.happened(&["archive_command_breaks"])) && !last.happened(&["archive_command_repaired"]);
    }
    out
}

/// What is wrong, and how much was looked at.
#[derive(Default)]
struct Findings {
    wrong: Vec<String>,
    objects: usize,
    events: usize,
    windows: usize,
}

#[test]
fn recorded_series_are_told_truly() {
    let Some(lab) = lab() else { return };
    let mut series: Vec<PathBuf> = std::fs::read_dir(lab).unwrap().map(|e| e.unwrap().path()).collect();
    series.retain(|folder| folder.join("truth.json").is_file());
    series.sort();
    let all: Vec<Findings> = series
        .par_iter()
        .map(|folder| {
            let mut found = Findings::default();
            for window in windows(folder) {
                found.windows += 1;
                truth::check(&window, &mut found);
                truth::nothing_negative(&window, &mut found);
                events::check(&window, &mut found);
            }
            found
        })
        .collect();
    let sum = |f: fn(&Findings) -> usize| all.iter().map(f).sum::<usize>();
    eprintln!("{} windows, {} objects, {} events", sum(|f| f.windows), sum(|f| f.objects), sum(|f| f.events));
    let wrong: Vec<String> = all.iter().flat_map(|f| f.wrong.clone()).collect();
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong[..wrong.len().min(80)].join("\n"));
    assert!(sum(|f| f.objects) > 0 && sum(|f| f.events) > 0);
}
