//! How long a zero has been a zero: the age of counters, a lower bound.

use super::Context;
use crate::diff::{Chain, Change, Class, DiffRow};
use crate::snapshot::Snapshot;
use crate::time::Timestamp;

/// Cluster-wide views with a reset time of their own. The earliest of those times is the last crash recovery, or initdb.
const CLUSTER_VIEWS: &[&str] = &[
    "pg_stat_bgwriter",
    "pg_stat_checkpointer",
    "pg_stat_archiver",
    "pg_stat_wal",
    "pg_stat_io",
    "pg_stat_slru",
    "pg_stat_recovery_prefetch",
];

/// Since when the database's counters count.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StatisticsAge {
    /// Seconds from then to the last snapshot; `None`: unknown.
    pub database_s: Option<f64>,
    /// When that was.
    pub since: Option<Timestamp>,
    /// Where that is read from.
    pub basis: &'static str,
}

/// The age of one object's counters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CounterAge {
    /// Seconds, a lower bound.
    pub seconds: f64,
    /// What bounds it.
    pub basis: &'static str,
}

impl StatisticsAge {
    /// Reads it from the last snapshot.
    pub fn of(chain: &Chain) -> Self {
        Self::of_snapshot(chain.last())
    }

    /// Reads it from one snapshot.
    pub fn of_snapshot(last: &Snapshot) -> Self {
        let own = last.table("pg_stat_database").and_then(|t| {
            t.iter().find(|r| match (last.meta.database_oid, last.meta.database.as_deref()) {
                (Some(oid), _) => r.int("datid") == Some(oid),
                (None, Some(name)) => r.text("datname") == Some(name),
                (None, None) => false,
            })
        });
        let reset = own.and_then(|r| r.time("stats_reset")).map(|t| (t, "stats_reset of the database"));
        let cluster = || {
            let times = CLUSTER_VIEWS
                .iter()
                .filter_map(|view| last.table(view))
                .flat_map(|t| t.iter().filter_map(|r| r.time("stats_reset")));
            times.min().map(|t| (t, "the last crash recovery or the creation of the cluster"))
        };
        let Some((since, basis)) = reset.or_else(cluster) else { return Self::default() };
        let database_s = last.meta.taken_at.map(|now| now.seconds_since(since)).filter(|s| *s >= 0.0);
        Self { database_s, since: Some(since), basis }
    }
}

impl<'a> Context<'a> {
    /// How long an object's counters have been counting at the last snapshot: a lower bound, from the reset times and
    /// from what the history itself shows, whichever proves more. An object created before the first snapshot may be
    /// younger than its database's statistics: no export tells when it was created.
    pub fn counter_age(&self, change: Change<'a>) -> Option<CounterAge> {
        let now = self.now()?;
        let mut restart: Option<Timestamp> = None;
        let mut seen_since: Option<Timestamp> = None;
        let mut unbroken = true;
        for (diff, row) in self.chain.windows.iter().zip(self.windows_of(change)).rev() {
            let verdict = row.map(DiffRow::verdict);
            let class = verdict.map(|v| v.class);
            if unbroken && class == Some(Class::Ok) {
                seen_since = diff.before.meta.taken_at;
            } else {
                unbroken = false;
            }
            if matches!(class, Some(Class::New | Class::Reset | Class::ResetUnsure)) {
                let at = verdict.and_then(|v| v.reset_at).or(diff.after.meta.taken_at);
                restart = restart.max(at);
            }
        }
        let statistics = self.facts.age.since.map(|since| match restart {
            Some(restart) if restart > since => (restart, "its own reset or creation in the history"),
            _ => (since, self.facts.age.basis),
        });
        let history = seen_since.map(|since| (since, "the first snapshot that shows it"));
        let (since, basis) = match (statistics, history) {
            (Some(s), Some(h)) => {
                if h.0 < s.0 {
                    h
                } else {
                    s
                }
            }
            (one, other) => one.or(other)?,
        };
        Some(CounterAge { seconds: now.seconds_since(since).max(0.0), basis })
    }
}
