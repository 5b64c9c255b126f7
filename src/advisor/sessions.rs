//! Client sessions in the samples of `pg_stat_activity`, told apart by process id and start.

use super::Context;
use crate::ident::visible;
use crate::snapshot::{Row, Snapshot};
use crate::time::Timestamp;
use std::collections::BTreeMap;

/// A session across samples: process ids are used again, the start is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SessionKey {
    /// Process id.
    pub pid: i64,
    /// `backend_start`.
    pub started: Option<Timestamp>,
}

impl SessionKey {
    /// The key of a row of `pg_stat_activity`.
    pub fn of(row: Row<'_>) -> Option<Self> {
        Some(Self { pid: row.int("pid")?, started: row.time("backend_start") })
    }
}

/// A session in one sample.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// Position of the snapshot.
    pub snapshot: usize,
    /// When it was taken, by the server's clock.
    pub at: Timestamp,
    /// Its row.
    pub row: Row<'a>,
}

impl Seen<'_> {
    /// Seconds since a time column of the row, never negative.
    pub fn seconds_since(&self, column: &str) -> Option<f64> {
        Some(self.at.seconds_since(self.row.time(column)?).max(0.0))
    }
}

/// The samples of activity: which snapshots have one, and what matched in them.
#[derive(Debug)]
pub struct Samples<'a> {
    /// Positions of the snapshots that have activity and a capture time.
    pub looked_at: Vec<usize>,
    /// Sessions that matched, with each sample in which they did, oldest first.
    pub sessions: BTreeMap<SessionKey, Vec<Seen<'a>>>,
}

/// Sessions that match in any snapshot of the chain. The exporter's own session is left out.
pub fn matching<'a>(ctx: &Context<'a>, matches: impl Fn(&Seen<'a>) -> bool) -> Samples<'a> {
    let mut out = Samples { looked_at: Vec::new(), sessions: BTreeMap::new() };
    for (snapshot, table) in ctx.samples("pg_stat_activity") {
        let Some(at) = ctx.chain.snapshots.get(snapshot).and_then(|s| s.meta.taken_at) else { continue };
        out.looked_at.push(snapshot);
        for row in table.iter() {
            let seen = Seen { snapshot, at, row };
            if is_exporter(row, at) || !matches(&seen) {
                continue;
            }
            if let Some(key) = SessionKey::of(row) {
                out.sessions.entry(key).or_default().push(seen);
            }
        }
    }
    out
}

/// Whether a snapshot's samples tell of something: a session that waits for a lock, or sits idle in its transaction.
pub fn is_telling(snapshot: &Snapshot) -> bool {
    let waits = |row: Row<'_>| {
        row.text("wait_event_type") == Some("Lock")
            || row.text("state").is_some_and(|s| s.starts_with("idle in transaction"))
    };
    let ungranted = |row: Row<'_>| row.bool("granted") == Some(false);
    snapshot.table("pg_stat_activity").is_some_and(|t| t.iter().any(waits))
        || snapshot.table("pg_locks").is_some_and(|t| t.iter().any(ungranted))
}

/// Whether a row is a client's session; where `backend_type` is hidden, a session of a database with a user.
pub fn is_client(row: Row<'_>) -> bool {
    match row.text("backend_type") {
        Some(kind) => kind == "client backend",
        None => row.text("usename").is_some() && row.int("datid").is_some_and(|d| d != 0),
    }
}

/// The session that takes the snapshot: active, its transaction begun at the moment of the capture.
pub fn is_exporter(row: Row<'_>, at: Timestamp) -> bool {
    row.text("state") == Some("active") && row.time("xact_start") == Some(at)
}

/// Whether the session runs a dump or maintenance, whose long transactions are meant.
pub fn is_dump(row: Row<'_>) -> bool {
    matches!(row.text("application_name"), Some("pg_dump" | "pg_dumpall" | "pg_basebackup" | "pg_restore"))
}

/// "pid 1072, app@shop, psql": as people tell sessions apart.
pub fn describe(row: Row<'_>) -> String {
    let pid = row.int("pid").map_or_else(|| "a session".to_owned(), |pid| format!("pid {pid}"));
    let who = match (row.text("usename"), row.text("datname")) {
        (Some(user), Some(database)) => format!("{} on {}", visible(user), visible(database)),
        (Some(user), None) => visible(user).into_owned(),
        _ => String::new(),
    };
    let app = visible(row.text("application_name").unwrap_or_default()).into_owned();
    [pid, who, app].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}

/// Whether the client is on another machine: a network address that is not the loopback's.
pub fn is_remote(row: Row<'_>) -> bool {
    row.text("client_addr").is_some_and(|a| {
        let addr = a.split('/').next().unwrap_or_default();
        !addr.is_empty() && !addr.starts_with("127.") && addr != "::1" && !addr.starts_with("::ffff:127.")
    })
}
