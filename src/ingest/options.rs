//! What the caller asks of ingest.

use crate::catalog::View;
use crate::time::Timestamp;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How to read the inputs.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Capture times for snapshots that say nothing about theirs, in the order of the inputs.
    pub taken_at: Vec<Timestamp>,
    /// Zone (`Europe/Berlin`) of times written without an offset, where the dump does not say it.
    pub timezone: Option<String>,
    /// Whether to hash every file (SHA-256), for provenance.
    pub hash: bool,
    /// Where to count what has been read.
    pub tally: Option<Arc<Tally>>,
}

/// Which views to read. What is not wanted is neither parsed nor kept.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    views: Option<BTreeSet<&'static str>>,
}

impl Wanted {
    /// Everything there is.
    pub const fn all() -> Self {
        Self { views: None }
    }

    /// These views by catalog name. `meta` is always read.
    pub fn views(views: impl IntoIterator<Item = &'static str>) -> Self {
        Self { views: Some(views.into_iter().collect()) }
    }

    /// Whether a view is asked for; `None` stands for a relation nobody knows.
    pub fn view(&self, view: Option<&'static View>) -> bool {
        match (&self.views, view) {
            (None, _) => true,
            (Some(wanted), Some(view)) => view.name == "meta" || wanted.contains(view.name),
            (Some(_), None) => false,
        }
    }
}

/// What has been read so far, for whoever waits; counts up while others read.
#[derive(Debug, Default)]
pub struct Tally {
    files: AtomicU64,
    bytes: AtomicU64,
}

impl Tally {
    /// Counts files that have been read, and their size as stored.
    pub fn add(&self, files: u64, bytes: u64) {
        self.files.fetch_add(files, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Files and bytes so far.
    pub fn read(&self) -> (u64, u64) {
        (self.files.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed))
    }
}
