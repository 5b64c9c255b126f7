//! What a file's name says: its view, its format, and what is left of the name.

use super::readers::know_ending;
use crate::catalog::{self, View};
use std::path::Path;

/// How a file is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    Plain,
    Gzip,
    Zstd,
}

/// What a file's name says.
#[derive(Clone, Debug)]
pub(super) struct Named {
    /// The view, under the name found (`pg_stat_all_tables`).
    pub view: Option<(&'static View, &'static str)>,
    /// The last ending in lower case, compression's left out: `csv`.
    pub ending: String,
    pub packing: Packing,
    /// What is left of the name without view, directory and endings: files of one moment share it.
    pub tag: String,
}

impl Named {
    /// Reads a file's name.
    pub fn new(path: &Path) -> Self {
        let name = path.file_name().map(|n| n.to_string_lossy().to_lowercase()).unwrap_or_default();
        let (stem, packing) = match name.rsplit_once('.') {
            Some((stem, "gz" | "gzip")) => (stem, Packing::Gzip),
            Some((stem, "zst" | "zstd")) => (stem, Packing::Zstd),
            _ => (name.as_str(), Packing::Plain),
        };
        let (stem, ending) = match stem.rsplit_once('.') {
            Some((rest, ending)) if know_ending(ending) || !is_view_part(ending) => (rest, ending),
            _ => (stem, ""),
        };
        let found = find_view(stem);
        let tag = found.map_or_else(
            || stem.to_owned(),
            |(_, _, at, len)| {
                let (before, after) = (&stem[..at], &stem[at + len..]);
                format!("{}*{}", before.trim_end_matches(SEPARATORS), after.trim_start_matches(SEPARATORS))
            },
        );
        Self { view: found.map(|(view, name, ..)| (view, name)), ending: ending.to_owned(), packing, tag }
    }

    /// Whether the name alone makes the file worth opening.
    pub fn may_hold_a_view(&self) -> bool {
        self.view.is_some() || know_ending(&self.ending)
    }

    /// Whether the ending says JSON of any kind.
    pub fn is_json(&self) -> bool {
        matches!(self.ending.as_str(), "json" | "ndjson" | "jsonl")
    }
}

const SEPARATORS: [char; 4] = ['.', '-', '_', ' '];

/// Whether a name's last part after a dot is no ending but part of a name: `snap.pg_stat_wal`, `dump.2026`.
fn is_view_part(part: &str) -> bool {
    part.starts_with("pg_") || part.len() > 5 || part.chars().any(|c| !c.is_ascii_alphanumeric())
}

/// The longest view name found in `stem` between separators, with its position and length.
fn find_view(stem: &str) -> Option<(&'static View, &'static str, usize, usize)> {
    // Most files are called like their view, and no name in it is longer than the whole.
    let names = |view: &'static View| std::iter::once(view.name).chain(view.also.iter().copied());
    let whole = catalog::VIEWS.iter().find_map(|view| names(view).find(|name| *name == stem).map(|name| (*view, name)));
    if let Some((view, name)) = whole {
        return Some((view, name, 0, name.len()));
    }
    let mut best: Option<(&'static View, &'static str, usize, usize)> = None;
    for view in catalog::VIEWS.iter().copied() {
        for name in names(view) {
            if best.is_some_and(|(_, b, ..)| b.len() >= name.len()) {
                continue;
            }
            let at = stem.match_indices(name).map(|(at, _)| at).find(|&at| stands_alone(stem, at, name.len()));
            if let Some(at) = at {
                best = Some((view, name, at, name.len()));
            }
        }
    }
    best
}

fn stands_alone(stem: &str, at: usize, len: usize) -> bool {
    let before = stem[..at].chars().next_back();
    let after = stem[at + len..].chars().next();
    !before.is_some_and(char::is_alphabetic) && !after.is_some_and(char::is_alphabetic)
}
