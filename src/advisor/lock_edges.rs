//! Whom each waiting session waits for: by the server's own answer, else by its locks.

use super::prepared::{xid, xids};
use super::{Holder, LockMode, Target};
use crate::snapshot::{Row, Snapshot};
use crate::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// One line of `pg_locks`.
pub(super) struct Lock {
    pub(super) holder: Holder,
    pub(super) object: Vec<String>,
    pub(super) target: Target,
    pub(super) mode: LockMode,
    pub(super) granted: bool,
    pub(super) since: Option<Timestamp>,
}

/// Whom each session waits for, by process id.
pub(super) type Edges = BTreeMap<i64, Vec<Holder>>;

/// Whom each waiting session waits for, and all locks. `None`: neither `pg_locks` nor `blocking_pids` was exported.
pub(super) fn edges(snapshot: &Snapshot) -> Option<(Edges, Vec<Lock>)> {
    let locks = snapshot.table("pg_locks").map(|t| {
        let prepared = xids(t);
        t.iter().filter_map(|r| read_lock(r, &prepared)).collect::<Vec<_>>()
    });
    let told = snapshot.table("blocking_pids").map(|t| t.iter().filter_map(read_blocking).collect::<Vec<_>>());
    if locks.is_none() && told.is_none() {
        return None;
    }
    let locks = locks.unwrap_or_default();
    let groups = lock_groups(snapshot);
    let edges = told.map_or_else(
        || edges_from_locks(&locks, &groups),
        |told| told.into_iter().map(|(pid, by)| (pid, who_is_prepared(pid, by, &locks))).collect(),
    );
    Some((edges, locks))
}

fn read_lock(row: Row<'_>, prepared: &BTreeMap<&str, i64>) -> Option<Lock> {
    const OBJECT: [&str; 10] = [
        "locktype",
        "database",
        "relation",
        "page",
        "tuple",
        "virtualxid",
        "transactionid",
        "classid",
        "objid",
        "objsubid",
    ];
    let cell = |column: &&str| match row.text(column) {
        Some(text) => text.to_owned(),
        None => row.int(column).map_or_else(String::new, |n| n.to_string()),
    };
    let holder = match row.int("pid") {
        Some(pid) => Holder::Session(pid),
        None => Holder::Prepared(xid(row, prepared)),
    };
    Some(Lock {
        holder,
        object: OBJECT.iter().map(cell).collect(),
        target: Target {
            kind: row.text("locktype")?.to_owned(),
            database: row.int("database"),
            relation: row.int("relation"),
        },
        mode: LockMode::parse(row.text("mode")?)?,
        granted: row.bool("granted")?,
        since: row.time("waitstart"),
    })
}

fn read_blocking(row: Row<'_>) -> Option<(i64, Vec<Holder>)> {
    let mut by: Vec<_> = row
        .array("blocked_by")
        .iter()
        .filter_map(|p| p.parse().ok())
        .map(|pid: i64| if pid == 0 { Holder::Prepared(None) } else { Holder::Session(pid) })
        .collect();
    by.sort_unstable();
    by.dedup();
    row.int("pid").map(|pid| (pid, by)).filter(|(_, by)| !by.is_empty())
}

/// `pg_blocking_pids()` says 0 for every prepared transaction: the locks tell which of them holds what is waited for.
fn who_is_prepared(pid: i64, mut by: Vec<Holder>, locks: &[Lock]) -> Vec<Holder> {
    let unknown = Holder::Prepared(None);
    if by.contains(&unknown) {
        let own = locks.iter().filter(|l| !l.granted && l.holder == Holder::Session(pid));
        let wanted: Vec<&Lock> = own.collect();
        let in_way = |l: &&Lock| wanted.iter().any(|w| w.object == l.object && l.mode.conflicts(w.mode));
        let held = locks.iter().filter(|l| l.granted && matches!(l.holder, Holder::Prepared(Some(_)))).filter(in_way);
        let held: BTreeSet<Holder> = held.map(|l| l.holder.clone()).collect();
        if !held.is_empty() {
            by.retain(|h| *h != unknown);
            by.extend(held);
            by.sort_unstable();
        }
    }
    by
}

/// Leader of each parallel worker: a group does not block itself.
fn lock_groups(snapshot: &Snapshot) -> BTreeMap<i64, i64> {
    let Some(activity) = snapshot.table("pg_stat_activity") else { return BTreeMap::new() };
    activity.iter().filter_map(|r| Some((r.int("pid")?, r.int("leader_pid")?))).collect()
}

fn edges_from_locks(locks: &[Lock], groups: &BTreeMap<i64, i64>) -> Edges {
    let group = |h: &Holder| match h {
        Holder::Session(pid) => Some(*groups.get(pid).unwrap_or(pid)),
        Holder::Prepared(_) => None,
    };
    let mut by_object: BTreeMap<&[String], Vec<&Lock>> = BTreeMap::new();
    for lock in locks {
        by_object.entry(&lock.object).or_default().push(lock);
    }
    let mut edges: Edges = BTreeMap::new();
    for queue in by_object.values() {
        for waiter in queue.iter().filter(|l| !l.granted) {
            let Holder::Session(pid) = waiter.holder else { continue };
            let rival = |l: &&&Lock| {
                l.mode.conflicts(waiter.mode)
                    && (group(&l.holder).is_none() || group(&l.holder) != group(&waiter.holder))
            };
            let holders: Vec<_> = queue.iter().filter(|l| l.granted).filter(rival).map(|l| l.holder.clone()).collect();
            let ahead = queue.iter().filter(|l| !l.granted).filter(rival).filter(|l| match (l.since, waiter.since) {
                (Some(theirs), Some(mine)) => theirs < mine,
                // Without the order of the queue, somebody whom no holder blocks must be behind the others.
                _ => holders.is_empty(),
            });
            let ahead: Vec<_> = ahead.map(|l| l.holder.clone()).collect();
            edges.entry(pid).or_default().extend(holders.into_iter().chain(ahead));
        }
    }
    edges.retain(|_, by| {
        by.sort_unstable();
        by.dedup();
        !by.is_empty()
    });
    edges
}
