//! How long a zero has been a zero: the age of counters, a lower bound.

use super::Context;
use crate::diff::{Chain, Change, Class, Diff, DiffRow};
use crate::ident::visible;
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
    /// Reads it from the last snapshot, and from earlier ones where the history proves that `stats_reset` of the
    /// database moved later only because a single object was reset: all other counters went on (observed on PostgreSQL
    /// 12–18).
    pub fn of(chain: &Chain) -> Self {
        Self::at(chain, chain.snapshots.len().saturating_sub(1))
    }

    /// The same at an earlier snapshot of a history.
    pub fn at(chain: &Chain, snapshot: usize) -> Self {
        let Some(last) = chain.snapshots.get(snapshot) else { return Self::default() };
        let mut oldest = last;
        for window in chain.windows.iter().take(snapshot).rev() {
            if !keeps_counting(window) {
                break;
            }
            oldest = &window.before;
        }
        let (now, then) = (Self::of_snapshot(last), Self::of_snapshot(oldest));
        match (now.since, then.since, last.meta.taken_at) {
            (Some(late), Some(early), Some(at)) if early < late => {
                Self { database_s: Some(at.seconds_since(early)).filter(|s| *s >= 0.0), ..then }
            }
            _ => now,
        }
    }

    /// Reads it from one snapshot alone.
    fn of_snapshot(last: &Snapshot) -> Self {
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

/// Whether the counters of the exported database went on through a window in which its reset time moved for the sake of
/// one object.
fn keeps_counting(window: &Diff) -> bool {
    let own = window.after.meta.database.as_deref().map(visible);
    let concerns = |kind: &str| {
        let is_own = |scope: &str| own.as_ref().is_none_or(|name| scope == name);
        window.events.iter().any(|e| e.kind == kind && e.scope.as_deref().is_none_or(is_own))
    };
    let reset = |s: &Snapshot| StatisticsAge::of_snapshot(s).since;
    let moved = reset(&window.before) != reset(&window.after);
    !window.events.iter().any(|e| e.kind == "crash")
        && !concerns("stats_reset_database")
        && (!moved || concerns("stats_reset_object"))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::testing::chain;
    use crate::snapshot::literal::literal;
    use std::sync::Arc;

    const JANUARY: &str = "2026-01-01 00:00:00+00";

    fn taken(at: &str, reset: &str, commits: u64, scans: u64) -> Arc<Snapshot> {
        literal(at)
            .view(
                "pg_stat_database",
                "datid | datname | xact_commit | stats_reset",
                &[&format!("16697 | shop | {commits} | {reset}")],
            )
            .view(
                "pg_stat_user_tables",
                "relid | schemaname | relname | seq_scan | n_tup_ins",
                &[&format!("1 | public | t | {scans} | {scans}"), "2 | public | u | 50 | 50"],
            )
            .build()
    }

    /// A clean restart keeps the statistics, so they are older than the server process.
    #[test]
    fn the_start_of_the_server_is_not_the_start_of_its_counters() {
        let mut b = Snapshot::clone(&taken("2026-01-03 00:00:00+00", JANUARY, 100, 900));
        b.meta.postmaster_start = Timestamp::parse("2026-01-02 23:00:00+00").map(|(t, _)| t);
        let age = StatisticsAge::of(&chain(&[Arc::new(b)])).database_s.unwrap();
        assert!((age / 86_400.0 - 2.0).abs() < 1e-9, "{age}");
        // No reset time says nothing, least of all that they began with the server.
        let mut b = Snapshot::clone(&taken("2026-01-03 00:00:00+00", "", 100, 900));
        b.meta.postmaster_start = Timestamp::parse("2026-01-02 23:00:00+00").map(|(t, _)| t);
        assert_eq!(StatisticsAge::of(&chain(&[Arc::new(b)])).database_s, None);
    }

    #[test]
    fn a_reset_of_one_object_leaves_the_others_their_age() {
        let (b, moved) = ("2026-01-03 00:00:00+00", "2026-01-02 12:00:00+00");
        let a = taken("2026-01-02 00:00:00+00", JANUARY, 100, 900);
        let days = |b| StatisticsAge::of(&chain(&[Arc::clone(&a), b])).database_s.unwrap() / 86_400.0;
        assert!((days(taken(b, moved, 200, 3)) - 2.0).abs() < 1e-9, "the table was reset, the database goes on");
        assert!((days(taken(b, moved, 7, 3)) - 0.5).abs() < 1e-9, "all was reset");
        assert!((days(taken(b, JANUARY, 200, 901)) - 2.0).abs() < 1e-9, "nothing was reset");
        let last = taken(b, moved, 200, 3);
        assert!(
            (StatisticsAge::of(&chain(&[last])).database_s.unwrap() - 43_200.0).abs() < 1e-6,
            "alone nothing tells"
        );
    }
}
