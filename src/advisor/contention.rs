//! Wait trees of all samples, grouped by what is waited for.

use super::prepared;
use super::sessions::describe;
use super::sighting::Sighting;
use super::{Context, Holder, LockMode, Skip, Target, WaitTree, wait_trees};
use crate::finding::{Measure, Subject, SubjectKind};
use crate::ident::{display_qualified, visible};
use crate::snapshot::{Row, Snapshot};
use crate::time::Timestamp;
use crate::unit::{Quantity, Unit};
use std::collections::BTreeMap;

/// One tree in one sample.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Position of the snapshot.
    pub snapshot: usize,
    /// When it was taken.
    pub at: Timestamp,
    /// The tree.
    pub tree: WaitTree,
}

impl Seen {
    /// Longest wait in the tree, in seconds.
    pub fn longest(&self) -> f64 {
        self.tree.longest_wait(self.at).unwrap_or(0.0)
    }

    /// Whether any wait's start is only known from the start of its statement.
    pub fn bound_only(&self) -> bool {
        self.tree.waiters.iter().any(|w| !w.since_exact)
    }
}

/// Everything seen about one contended object.
#[derive(Debug)]
pub struct Contention {
    /// The object, as people read it.
    pub name: String,
    /// The trees, oldest first.
    pub seen: Vec<Seen>,
    /// In how many snapshots of how many.
    pub sighting: Sighting,
}

impl Contention {
    /// The tree with most waiters, of those the one with the longest wait.
    pub fn worst(&self) -> Option<&Seen> {
        let rank = |s: &Seen| (s.tree.waiters.len(), s.longest());
        self.seen.iter().reduce(|a, b| {
            let ((na, ta), (nb, tb)) = (rank(a), rank(b));
            if nb > na || (nb == na && tb > ta) { b } else { a }
        })
    }

    /// Longest wait of any sample, in seconds.
    pub fn longest(&self) -> f64 {
        self.seen.iter().map(Seen::longest).fold(0.0, f64::max)
    }

    /// Whether it is worth a finding: one long wait, or short ones in several samples.
    pub fn counts(&self, min_wait_s: f64, habit_wait_s: f64, habit_samples: f64) -> bool {
        let mut habit: Vec<usize> =
            self.seen.iter().filter(|s| s.longest() >= habit_wait_s).map(|s| s.snapshot).collect();
        habit.dedup();
        self.longest() >= min_wait_s || habit.len() as f64 >= habit_samples
    }
}

/// Whether a waiting ACCESS EXCLUSIVE request on a relation has others queued behind it.
pub fn is_ddl_queue(tree: &WaitTree) -> bool {
    tree.waiters.iter().any(|w| {
        w.mode == Some(LockMode::AccessExclusive)
            && w.target.as_ref().is_some_and(|t| t.kind == "relation")
            && tree.waiters.iter().any(|o| o.blocked_by.contains(&Holder::Session(w.pid)))
    })
}

/// The contended objects over all samples, and how many samples there were.
pub fn contentions(ctx: &Context<'_>, wanted: impl Fn(&WaitTree) -> bool) -> Result<(Vec<Contention>, usize), Skip> {
    let mut looked_at = Vec::new();
    let mut groups: BTreeMap<String, Vec<Seen>> = BTreeMap::new();
    for (snapshot, s) in ctx.chain.snapshots.iter().enumerate() {
        let (Some(trees), Some(at)) = (wait_trees(s), s.meta.taken_at) else { continue };
        looked_at.push(snapshot);
        for tree in trees.into_iter().filter(|t| wanted(t)) {
            let name = tree
                .waiters
                .iter()
                .find_map(|w| w.target.as_ref())
                .map_or_else(|| "a lock".to_owned(), |t| name(ctx, s, t));
            groups.entry(name).or_default().push(Seen { snapshot, at, tree });
        }
    }
    if looked_at.is_empty() {
        return Err(Skip("no snapshot has `pg_locks` or `blocking_pids` and a capture time".to_owned()));
    }
    let found = groups.into_iter().map(|(name, seen)| {
        let sighting = Sighting::new(seen.iter().map(|s| s.snapshot), &looked_at);
        Contention { name, seen, sighting }
    });
    Ok((found.collect(), looked_at.len()))
}

fn name(ctx: &Context<'_>, snapshot: &Snapshot, target: &Target) -> String {
    let Some(relation) = target.relation else {
        return match target.kind.as_str() {
            "transactionid" => "rows of an unknown table".to_owned(),
            kind => format!("a lock of type {kind}"),
        };
    };
    let here = target.database.is_none_or(|d| d == 0) || target.database == snapshot.meta.database_oid;
    let row =
        ["table_sizes", "pg_stat_user_tables"].into_iter().find_map(|view| ctx.find_by_int(view, "relid", relation));
    match row.and_then(|r| Some(display_qualified(r.text("schemaname")?, r.text("relname")?))) {
        Some(name) if here => name,
        // The dump describes one database, and its locks are those of all.
        _ => match target.database.filter(|_| !here).and_then(|oid| database(ctx, oid)) {
            Some(database) => format!("relation {relation} of database {}", visible(database)),
            None => format!("relation {relation}"),
        },
    }
}

/// The name of a database of the server.
fn database<'a>(ctx: &Context<'a>, oid: i64) -> Option<&'a str> {
    [("pg_database", "oid"), ("pg_stat_database", "datid")]
        .into_iter()
        .find_map(|(view, column)| ctx.find_by_int(view, column, oid)?.text("datname"))
}

/// The row of a process in a snapshot's activity.
pub fn activity<'a>(ctx: &Context<'a>, snapshot: usize, pid: i64) -> Option<Row<'a>> {
    ctx.chain.snapshots.get(snapshot)?.table("pg_stat_activity")?.iter().find(|r| r.int("pid") == Some(pid))
}

/// The lock that a process waits for in a snapshot.
fn waiting_lock<'a>(ctx: &Context<'a>, snapshot: usize, pid: i64) -> Option<Row<'a>> {
    let mut locks = ctx.chain.snapshots.get(snapshot)?.table("pg_locks")?.iter();
    locks.find(|r| r.int("pid") == Some(pid) && r.time("waitstart").is_some())
}

/// A holder as people tell it apart.
pub fn holder(ctx: &Context<'_>, snapshot: usize, holder: &Holder) -> String {
    match holder {
        Holder::Session(pid) => activity(ctx, snapshot, *pid).map_or_else(|| format!("pid {pid}"), describe),
        Holder::Prepared(xid) => prepared::told(ctx.chain.snapshots.get(snapshot).map(AsRef::as_ref), *xid),
    }
}

/// The root and everybody behind it, as a list of members.
pub fn members(ctx: &Context<'_>, seen: &Seen) -> Vec<Subject> {
    let kind = match seen.tree.root {
        Holder::Session(_) => SubjectKind::Session,
        Holder::Prepared(_) => SubjectKind::PreparedTransaction,
    };
    let root = Subject::new(kind, format!("blocks: {}", holder(ctx, seen.snapshot, &seen.tree.root)));
    let waiters = seen.tree.waiters.iter().map(|w| {
        let who = holder(ctx, seen.snapshot, &Holder::Session(w.pid));
        Subject::new(SubjectKind::Session, format!("waits{}: {who}", if w.depth > 1 { " behind a waiter" } else { "" }))
    });
    std::iter::once(root).chain(waiters).collect()
}

/// The numbers of the worst tree, and how often one was seen.
pub fn measures(ctx: &Context<'_>, contention: &Contention, seen: &Seen) -> Vec<Measure> {
    let n = seen.tree.waiters.len();
    let tree = format!(
        "wait tree of snapshot {}, blocked by {}",
        ctx.label(seen.snapshot),
        holder(ctx, seen.snapshot, &seen.tree.root)
    );
    let has_locks = ctx.chain.snapshots.get(seen.snapshot).is_some_and(|s| s.table("pg_locks").is_some());
    let view = if has_locks { "pg_locks" } else { "blocking_pids" };
    let waiting = ctx.all_rows(seen.snapshot, view, &[], tree);
    let mut lines = vec![ctx.seen_in(Some(seen.snapshot), "Sessions waiting", Some(Quantity::count(n)), waiting)];
    let longest = seen
        .tree
        .waiters
        .iter()
        .filter_map(|w| Some((seen.at.seconds_since(w.since?), w)))
        .max_by(|a, b| a.0.total_cmp(&b.0));
    if let Some((seconds, waiter)) = longest {
        let rows: Vec<(Row<'_>, &[&str])> = if waiter.since_exact {
            waiting_lock(ctx, seen.snapshot, waiter.pid).map(|r| (r, &["waitstart"][..])).into_iter().collect()
        } else {
            let session = activity(ctx, seen.snapshot, waiter.pid);
            session.map(|r| (r, &["wait_event_type", "query_start"][..])).into_iter().collect()
        };
        let formula = if waiter.since_exact {
            "capture time − waitstart"
        } else {
            "capture time − query_start, an upper bound"
        };
        lines.push(ctx.seen_in(
            Some(seen.snapshot),
            "Longest wait",
            Quantity::float(seconds, Unit::Seconds),
            ctx.formula(formula.to_owned(), &rows),
        ));
    }
    lines.extend(ctx.sighted(&contention.sighting, view));
    lines
}

/// Read-only SQL that shows who waits for whom now.
pub const WHO_WAITS: &str = "SELECT pid, pg_blocking_pids(pid) AS blocked_by, state, now() - query_start AS running, query\n\
     FROM pg_stat_activity\n\
     WHERE cardinality(pg_blocking_pids(pid)) > 0\n   \
     OR pid IN (SELECT unnest(pg_blocking_pids(pid)) FROM pg_stat_activity)\n\
     ORDER BY query_start;";
