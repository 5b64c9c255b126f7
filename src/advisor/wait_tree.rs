//! Who waits for whom in one snapshot, from `pg_locks`, `blocking_pids` and `pg_stat_activity`.
//!
//! `pg_blocking_pids()` is PostgreSQL's own answer and is used where it was exported. Where it was not, the conflict
//! table and the waiting queue of `pg_locks` give the same answer, except that the order of a queue is known from
//! `waitstart` (14 and later) only.

use super::LockMode;
use super::lock_edges::{Edges, Lock, edges};
use crate::snapshot::Snapshot;
use crate::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// Who holds or wants a lock.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Holder {
    /// A session's process id.
    Session(i64),
    /// A prepared transaction: it has no process, its transaction id where `pg_locks` shows it.
    Prepared(Option<i64>),
}

/// What is waited for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    /// `pg_locks.locktype`: `relation`, `transactionid`, `tuple`, ...
    pub kind: String,
    /// Database of the relation, 0 for shared ones.
    pub database: Option<i64>,
    /// The relation; for a wait on another transaction the relation of the row that both want, where `pg_locks` shows it.
    pub relation: Option<i64>,
}

/// A waiting session of a [`WaitTree`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiter {
    /// Its process id.
    pub pid: i64,
    /// 1 for those whom the root blocks directly.
    pub depth: usize,
    /// Everybody it waits for.
    pub blocked_by: Vec<Holder>,
    /// What it wants; `None` where `pg_locks` was not exported.
    pub target: Option<Target>,
    /// The mode it wants.
    pub mode: Option<LockMode>,
    /// Since when it waits.
    pub since: Option<Timestamp>,
    /// Whether `since` is the wait's own start; else it is the statement's, and the wait is shorter.
    pub since_exact: bool,
}

/// A holder that blocks others and waits for nobody, with everybody behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitTree {
    /// Whom to look at. In a circle of waiting sessions (a deadlock not yet resolved) the lowest process id.
    pub root: Holder,
    /// Whether the root is part of such a circle.
    pub circle: bool,
    /// Everybody behind it, each once, parents before children.
    pub waiters: Vec<Waiter>,
}

impl WaitTree {
    /// Longest wait at a moment, in seconds.
    pub fn longest_wait(&self, now: Timestamp) -> Option<f64> {
        self.waiters.iter().filter_map(|w| Some(now.seconds_since(w.since?).max(0.0))).max_by(f64::total_cmp)
    }
}

/// The trees of a snapshot, largest first. `None`: neither `pg_locks` nor `blocking_pids` was exported.
pub fn wait_trees(snapshot: &Snapshot) -> Option<Vec<WaitTree>> {
    let (edges, locks) = edges(snapshot)?;
    Some(trees(&edges, &locks, snapshot))
}

fn trees(edges: &Edges, locks: &[Lock], snapshot: &Snapshot) -> Vec<WaitTree> {
    let mut behind: BTreeMap<&Holder, Vec<i64>> = BTreeMap::new();
    for (pid, by) in edges {
        for holder in by {
            behind.entry(holder).or_default().push(*pid);
        }
    }
    let waits = |h: &Holder| matches!(h, Holder::Session(pid) if edges.contains_key(pid));
    let mut out = Vec::new();
    let mut reached = BTreeSet::new();
    for root in behind.keys().filter(|h| !waits(h)) {
        let waiters = walk(root, &behind, edges, locks, snapshot);
        reached.extend(waiters.iter().map(|w| w.pid));
        out.push(WaitTree { root: (*root).clone(), circle: false, waiters });
    }
    // Whoever is left waits in a circle, or behind one.
    for pid in edges.keys() {
        if reached.contains(pid) || !in_circle(*pid, edges) {
            continue;
        }
        let root = Holder::Session(*pid);
        let waiters = walk(&root, &behind, edges, locks, snapshot);
        reached.insert(*pid);
        reached.extend(waiters.iter().map(|w| w.pid));
        out.push(WaitTree { root, circle: true, waiters });
    }
    out.sort_by(|a, b| b.waiters.len().cmp(&a.waiters.len()).then_with(|| a.root.cmp(&b.root)));
    out
}

fn in_circle(start: i64, edges: &Edges) -> bool {
    let mut seen = BTreeSet::new();
    let mut todo = vec![start];
    while let Some(pid) = todo.pop() {
        for holder in edges.get(&pid).into_iter().flatten() {
            if let Holder::Session(next) = holder {
                if *next == start {
                    return true;
                }
                if seen.insert(*next) {
                    todo.push(*next);
                }
            }
        }
    }
    false
}

fn walk(
    root: &Holder,
    behind: &BTreeMap<&Holder, Vec<i64>>,
    edges: &Edges,
    locks: &[Lock],
    snapshot: &Snapshot,
) -> Vec<Waiter> {
    let mut seen = BTreeSet::new();
    if let Holder::Session(pid) = root {
        seen.insert(*pid);
    }
    let mut out = Vec::new();
    // A stack of what is still to visit, so that a long chain in a hostile file cannot exhaust the call stack.
    let mut todo: Vec<(i64, usize)> = behind.get(root).into_iter().flatten().rev().map(|pid| (*pid, 1)).collect();
    while let Some((pid, depth)) = todo.pop() {
        if !seen.insert(pid) {
            continue;
        }
        out.push(waiter(pid, depth, edges, locks, snapshot));
        let next = behind.get(&Holder::Session(pid)).into_iter().flatten().rev();
        todo.extend(next.map(|pid| (*pid, depth + 1)));
    }
    out
}

fn waiter(pid: i64, depth: usize, edges: &Edges, locks: &[Lock], snapshot: &Snapshot) -> Waiter {
    let own = || locks.iter().filter(|l| l.holder == Holder::Session(pid));
    let wanted = own().find(|l| !l.granted);
    let mut target = wanted.map(|l| l.target.clone());
    if let Some(t) = target.as_mut().filter(|t| t.relation.is_none()) {
        // A session that waits for another's row holds the tuple lock of that row meanwhile.
        let row = own().find(|l| l.granted && l.target.kind == "tuple");
        t.relation = row.and_then(|l| l.target.relation);
        t.database = t.database.or_else(|| row.and_then(|l| l.target.database));
    }
    let exact = wanted.and_then(|l| l.since);
    let statement = || {
        let activity = snapshot.table("pg_stat_activity")?;
        activity.iter().find(|r| r.int("pid") == Some(pid))?.time("query_start")
    };
    Waiter {
        pid,
        depth,
        blocked_by: edges.get(&pid).cloned().unwrap_or_default(),
        target,
        mode: wanted.map(|l| l.mode),
        since: exact.or_else(statement),
        since_exact: exact.is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::literal::literal;

    const LOCKS: &str = "locktype | database | relation | page | tuple | transactionid | virtualtransaction | pid | mode | granted | waitstart";

    fn shape(trees: &[WaitTree]) -> Vec<String> {
        let name = |h: &Holder| match h {
            Holder::Session(pid) => pid.to_string(),
            Holder::Prepared(xid) => format!("prepared {xid:?}"),
        };
        trees
            .iter()
            .map(|t| {
                let waiters: Vec<_> = t
                    .waiters
                    .iter()
                    .map(|w| {
                        format!("{}{}@{:?}", ">".repeat(w.depth), w.pid, w.target.as_ref().and_then(|t| t.relation))
                    })
                    .collect();
                format!("{}{} {}", name(&t.root), if t.circle { " circle" } else { "" }, waiters.join(" "))
            })
            .collect()
    }

    /// Two rows updated one after the other: 30 waits for 20, 20 waits for 10.
    const ROW_CHAIN: &[&str] = &[
        "transactionid | | | | | 100 | 3/1 | 10 | ExclusiveLock | t |",
        "tuple | 5 | 16951 | 0 | 1 | | 4/1 | 20 | ExclusiveLock | t |",
        "transactionid | | | | | 100 | 4/1 | 20 | ShareLock | f | 2026-11-22 12:00:01+00",
        "transactionid | | | | | 101 | 4/1 | 20 | ExclusiveLock | t |",
        "tuple | 5 | 16951 | 0 | 2 | | 5/1 | 30 | ExclusiveLock | t |",
        "transactionid | | | | | 101 | 5/1 | 30 | ShareLock | f | 2026-11-22 12:00:02+00",
        "relation | 5 | 16951 | | | | 9/1 | 99 | AccessShareLock | t |",
    ];

    #[test]
    fn finds_the_chain_from_the_locks_alone_and_from_the_servers_own_answer() {
        let locks = literal("2026-11-22 12:00:05+00").view("pg_locks", LOCKS, ROW_CHAIN).build();
        let trees = wait_trees(&locks).unwrap();
        assert_eq!(shape(&trees), ["10 >20@Some(16951) >>30@Some(16951)"]);
        assert_eq!(trees[0].longest_wait(locks.meta.taken_at.unwrap()), Some(4.0));
        let told = literal("2026-11-22 12:00:05+00")
            .view("pg_locks", LOCKS, ROW_CHAIN)
            .view("blocking_pids", "pid | blocked_by", &["20 | {10}", "30 | {20}"])
            .build();
        assert_eq!(wait_trees(&told).unwrap(), trees);
    }

    #[test]
    fn a_queue_behind_a_waiting_ddl_hangs_on_the_reader_in_front() {
        let rows = [
            "relation | 5 | 70 | | | | 3/1 | 10 | AccessShareLock | t |",
            "relation | 5 | 70 | | | | 4/1 | 20 | AccessExclusiveLock | f | 2026-11-22 12:00:01+00",
            "relation | 5 | 70 | | | | 5/1 | 30 | AccessShareLock | f | 2026-11-22 12:00:02+00",
            // Asked before the DDL did: waits for nobody's queue place.
            "relation | 5 | 71 | | | | 6/1 | 40 | AccessShareLock | t |",
        ];
        let want = ["10 >20@Some(70) >>30@Some(70)"];
        let ordered = literal("2026-11-22 12:00:05+00").view("pg_locks", LOCKS, &rows).build();
        assert_eq!(shape(&wait_trees(&ordered).unwrap()), want);
        // Up to 13 there is no waitstart.
        let rows: Vec<String> = rows.iter().map(|r| format!("{}|", r.rsplit_once('|').unwrap().0)).collect();
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        let unordered = literal("2026-11-22 12:00:05+00").view("pg_locks", LOCKS, &rows).build();
        assert_eq!(shape(&wait_trees(&unordered).unwrap()), want);
    }

    #[test]
    fn a_prepared_transaction_can_be_the_root() {
        let rows = [
            "relation | 5 | 70 | | | | -1/773 | | RowExclusiveLock | t |",
            "relation | 5 | 70 | | | | 4/1 | 20 | AccessExclusiveLock | f | 2026-11-22 12:00:01+00",
        ];
        let snapshot = literal("2026-11-22 12:00:05+00").view("pg_locks", LOCKS, &rows).build();
        assert_eq!(shape(&wait_trees(&snapshot).unwrap()), ["prepared Some(773) >20@Some(70)"]);
    }

    #[test]
    fn a_circle_has_a_root_too() {
        let snapshot = literal("2026-11-22 12:00:05+00")
            .view("blocking_pids", "pid | blocked_by", &["20 | {30}", "30 | {20}", "40 | {30}"])
            .build();
        assert_eq!(shape(&wait_trees(&snapshot).unwrap()), ["20 circle >30@None >>40@None"]);
    }

    #[test]
    fn parallel_workers_do_not_block_their_leader() {
        let rows = [
            "relation | 5 | 70 | | | | 3/1 | 11 | ShareLock | t |",
            "relation | 5 | 70 | | | | 3/1 | 10 | AccessExclusiveLock | f |",
        ];
        let snapshot = literal("2026-11-22 12:00:05+00")
            .view("pg_locks", LOCKS, &rows)
            .view("pg_stat_activity", "pid | leader_pid", &["10 |", "11 | 10"])
            .build();
        assert_eq!(shape(&wait_trees(&snapshot).unwrap()), [""; 0]);
    }

    #[test]
    fn nobody_waits_is_not_the_same_as_nobody_looked() {
        let empty = literal("2026-11-22 12:00:05+00").view("pg_locks", LOCKS, &[]).build();
        assert_eq!(wait_trees(&empty), Some(Vec::new()));
        assert_eq!(wait_trees(&literal("2026-11-22 12:00:05+00").build()), None);
    }
}
