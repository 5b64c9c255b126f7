//! What a snapshot is of: when it was taken, of which server, from which files, and what was odd about them.

mod node;

pub use self::node::Node;

use crate::time::Timestamp;
use crate::version::PgVersion;
use serde::{Deserialize, Serialize};

/// Where a capture time was taken from, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeSource {
    /// `captured_at` of the dump's `meta`.
    Meta,
    /// A `captured_at` or `clock_timestamp` column of a view file.
    Column,
    /// The newest server-side timestamp found in the data: a lower bound.
    NewestInData,
    /// The folder's or file's name.
    Name,
    /// `--taken-at`.
    Option,
    /// Nothing said when.
    Unknown,
}

/// A snapshot's identity and circumstances. Everything the dump did not say is `None`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Meta {
    /// The name the user knows it by: folder or file name.
    pub label: String,
    /// Server time of the capture.
    pub taken_at: Option<Timestamp>,
    /// Where `taken_at` came from.
    pub time_source: Option<TimeSource>,
    /// Server version; inferred from the columns present when `version_inferred`.
    pub version: Option<PgVersion>,
    /// True when the version was not stated but concluded from the columns.
    pub version_inferred: bool,
    /// `pg_control_system().system_identifier`; beyond 2^53, so kept as text.
    pub system_identifier: Option<String>,
    /// Which server of its cluster, if the dump says it.
    pub node: Option<Node>,
    /// `pg_is_in_recovery()`.
    pub in_recovery: Option<bool>,
    /// Timeline of the node.
    pub timeline: Option<u32>,
    /// `pg_postmaster_start_time()`.
    pub postmaster_start: Option<Timestamp>,
    /// `current_database()` of the exporting session.
    pub database: Option<String>,
    /// Its OID.
    pub database_oid: Option<i64>,
    /// `block_size`; 8192 where not said.
    pub block_size: Option<u32>,
    /// Current WAL position (replay position on a standby).
    pub wal_lsn: Option<u64>,
    /// 64-bit next transaction id (`pg_snapshot_xmax`).
    pub next_xid: Option<i64>,
    /// Next multixact id.
    pub next_multixact: Option<i64>,
    /// `current_setting('TimeZone')` of the exporter.
    pub timezone: Option<String>,
    /// Whether `taken_at` was written without an offset from UTC while nothing said its zone: read as UTC, it may be hours
    /// off.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub zone_unknown: bool,
    /// Version of the extension `pg_stat_statements`, where stated.
    pub pgss_version: Option<String>,
    /// The role that exported.
    pub exported_by: Option<String>,
    /// Total memory of the machine in bytes, where stated (`ram_bytes` in meta, or given by the user).
    pub ram_bytes: Option<i64>,
    /// The files it was read from.
    pub files: Vec<SourceFile>,
    /// What was odd about the data.
    pub notes: Notes,
}

impl Meta {
    /// Whether the nodes' names say that two dumps are of different servers. A role without rights does not see all of the
    /// name: what knows less of the same and started at the same moment is not named otherwise.
    pub fn is_named_otherwise(&self, other: &Self) -> bool {
        let started = self.postmaster_start.is_some() && self.postmaster_start == other.postmaster_start;
        self.node.as_ref().zip(other.node.as_ref()).is_some_and(|(a, b)| a != b && !(started && a.may_be(b)))
    }

    /// Block size in bytes: the stated one, else PostgreSQL's default of 8192.
    pub fn block_bytes(&self) -> i64 {
        i64::from(self.block_size.unwrap_or(8192))
    }

    /// Major version, where known.
    pub fn major(&self) -> Option<u8> {
        self.version.map(PgVersion::major)
    }
}

/// One file a snapshot was read from: provenance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SourceFile {
    /// Path as given by the user joined with the name found there.
    pub path: String,
    /// The views read from it.
    pub views: Vec<String>,
    /// Size in bytes as stored.
    pub bytes: u64,
    /// SHA-256 of the stored bytes, hexadecimal; empty until asked for.
    pub sha256: String,
    /// Rows read from it.
    pub rows: u64,
}

/// Something odd about the data itself; collected, counted, shown, never fatal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Stable code for scripts: `bad-cell`, `unknown-column`, `unreadable-file`, `clock`, `duplicate-row`, ...
    pub code: String,
    /// The file it is about.
    pub file: Option<String>,
    /// Line in the file, from 1.
    pub line: Option<u64>,
    /// Column of the view.
    pub column: Option<String>,
    /// What was seen, and what was done about it.
    pub message: String,
}

/// Notes, with the same oddity repeated a thousand times counted rather than listed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Notes {
    /// The notes kept, in the order met: at most [`Notes::KEEP`] for each code and file.
    pub kept: Vec<Note>,
    /// How many notes of each `(code, file)` were met, kept or not.
    pub counts: std::collections::BTreeMap<String, u64>,
}

impl Notes {
    /// How many notes of one code and file are kept in full.
    pub const KEEP: u64 = 5;

    /// Adds a note.
    pub fn push(&mut self, note: Note) {
        let key = format!("{} {}", note.code, note.file.as_deref().unwrap_or("-"));
        let count = self.counts.entry(key).or_insert(0);
        *count += 1;
        if *count <= Self::KEEP {
            self.kept.push(note);
        }
    }

    /// Adds a note without a place in a file.
    pub fn say(&mut self, code: &str, message: impl Into<String>) {
        self.push(Note { code: code.to_owned(), file: None, line: None, column: None, message: message.into() });
    }

    /// Whether anything was odd.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// How many notes were met in all.
    pub fn total(&self) -> u64 {
        self.counts.values().sum()
    }

    /// Takes over the notes of another collection.
    pub fn absorb(&mut self, other: Self) {
        for note in other.kept {
            let key = format!("{} {}", note.code, note.file.as_deref().unwrap_or("-"));
            if self.counts.get(&key).copied().unwrap_or(0) < Self::KEEP {
                self.kept.push(note);
            }
        }
        for (key, n) in other.counts {
            *self.counts.entry(key).or_insert(0) += n;
        }
    }
}
