//! Which snapshots belong together, and in which order. Settled here once, so that nothing above asks again.

use super::Options;
use crate::error::{Error, Result};
use crate::meta::{Meta, Notes};
use crate::snapshot::{Snapshot, Table};
use std::sync::Arc;

/// Why snapshots that must not be subtracted are laid side by side.
const SIDE_BY_SIDE: &str = "different servers: not subtracted";

/// What was settled about two neighbours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Settled {
    /// Why nothing may be subtracted, where the user asked to go on regardless.
    pub withheld: Option<&'static str>,
}

/// Sorts snapshots by server time. Those without a time keep their place among their neighbours.
pub(super) fn sort(snapshots: &mut [Arc<Snapshot>], notes: &mut Notes) {
    let time = |s: &Arc<Snapshot>| s.meta.taken_at;
    if snapshots.iter().any(|s| time(s).is_none()) {
        if snapshots.len() > 1 {
            notes.say("W-TIME", "a snapshot has no time: the order given is kept, and there are no rates");
        }
        return;
    }
    if !snapshots.is_sorted_by_key(time) {
        notes.say("W-ORDER", "the order given was not that of time: sorted by the server's clock");
        snapshots.sort_by_key(time);
    }
}

/// Drops snapshots that are the same as their predecessor; different ones of one moment are an error.
pub(super) fn drop_duplicates(snapshots: &mut Vec<Arc<Snapshot>>, notes: &mut Notes) -> Result<()> {
    let mut kept: Vec<Arc<Snapshot>> = Vec::with_capacity(snapshots.len());
    for snapshot in snapshots.drain(..) {
        match kept.last() {
            Some(last) if last.meta.taken_at.is_some() && last.meta.taken_at == snapshot.meta.taken_at => {
                if !same_content(last, &snapshot) {
                    return Err(duplicate(last, &snapshot));
                }
                notes.say("W-DUP", format!("`{}` is `{}` again: dropped", label(&snapshot), label(last)));
            }
            _ => kept.push(snapshot),
        }
    }
    *snapshots = kept;
    Ok(())
}

/// Fails where two snapshots are of one moment but differ.
pub(super) fn same_moment(before: &Snapshot, after: &Snapshot, notes: &mut Notes) -> Result<()> {
    if before.meta.taken_at.is_none() || before.meta.taken_at != after.meta.taken_at {
        return Ok(());
    }
    if same_content(before, after) {
        notes.say("W-DUP", "both snapshots are the same");
        return Ok(());
    }
    Err(duplicate(before, after))
}

fn duplicate(a: &Snapshot, b: &Snapshot) -> Error {
    refuse(
        "E-DUP",
        format!("compare `{}` with `{}`: both were taken at the same time, but differ", label(a), label(b)),
        "give one of them",
    )
}

fn label(s: &Snapshot) -> &str {
    if s.meta.label.is_empty() { "snapshot" } else { &s.meta.label }
}

fn refuse(code: &'static str, message: String, hint: &str) -> Error {
    Error::Identity { code, message, hint: Some(hint.to_owned()) }
}

/// Whether two neighbours, in time order, are of one server whose time moved forward.
pub(super) fn check(before: &Snapshot, after: &Snapshot, options: &Options, notes: &mut Notes) -> Result<Settled> {
    let (a, b) = (&before.meta, &after.meta);
    let mut settled = Settled::default();
    if let Some((code, what)) = mismatch(a, b) {
        if !options.allow_different_servers {
            return Err(refuse(
                code,
                format!("compare `{}` with `{}`: {what}", label(before), label(after)),
                "give snapshots of one server, or lay them side by side with --allow-different-clusters",
            ));
        }
        notes.say(code, format!("{what}: nothing is subtracted"));
        settled.withheld = Some(SIDE_BY_SIDE);
    }
    if a.in_recovery == Some(true) && b.in_recovery == Some(false) && settled.withheld.is_none() {
        notes.say("W-PROMOTED", "the standby was promoted: its row estimates mean nothing until vacuum or analyze ran");
    }
    if let (Some(x), Some(y)) = (a.major(), b.major())
        && x != y
    {
        notes.say(
            "W-UPGRADE",
            format!("major version {x} before, {y} after: counters began anew, statements are not matched"),
        );
    }
    if settled.withheld.is_none() {
        check_database(before, after, notes)?;
    }
    for snapshot in [before, after] {
        for note in snapshot.meta.notes.kept.iter().filter(|n| n.code == "W-CLOCK") {
            notes.say("W-CLOCK", format!("`{}`: {}", label(snapshot), note.message));
        }
    }
    if zone_in_doubt(a, b) {
        let unknown = if a.zone_unknown { before } else { after };
        notes.say(
            "W-ZONE",
            format!(
                "`{}` says its times without an offset and nothing says their zone, so the window may be hours longer or \
                 shorter: no rates",
                label(unknown)
            ),
        );
        return Ok(settled);
    }
    if let (Some(x), Some(y)) = (a.taken_at, b.taken_at) {
        let seconds = y.seconds_since(x);
        if seconds < 0.0 {
            notes.say("W-WINDOW", format!("the later snapshot was taken {:.1} s before the other: no rates", -seconds));
        } else if seconds < super::MIN_WINDOW_S {
            notes.say("W-WINDOW", format!("{seconds:.1} s between the snapshots: too short for rates"));
        } else if super::rate::is_unreliable(seconds) {
            notes.say(
                "W-WINDOW",
                format!("{seconds:.0} s between the snapshots: rates are unreliable, sessions report late"),
            );
        }
    }
    Ok(settled)
}

/// Whole hours that a zone nobody knows can be off make no difference over a day.
const ZONES_MATTER_S: f64 = 86_400.0;

/// Whether the window's length is in doubt, because one side's capture time has no zone: there are no rates then.
pub(super) fn zone_in_doubt(a: &Meta, b: &Meta) -> bool {
    a.zone_unknown != b.zone_unknown
        && a.taken_at.zip(b.taken_at).is_none_or(|(x, y)| y.seconds_since(x).abs() < ZONES_MATTER_S)
}

type Complaint = Option<(&'static str, String)>;

/// Why two snapshots, the earlier first, are not of one server whose time moved forward: a code (`E-CLUSTER`, `E-NODE`,
/// `E-TIMELINE`) and a sentence.
pub fn mismatch(a: &Meta, b: &Meta) -> Complaint {
    other_cluster(a, b).or_else(|| other_node(a, b)).or_else(|| backwards(a, b))
}

fn other_cluster(a: &Meta, b: &Meta) -> Complaint {
    let (x, y) = (a.system_identifier.as_ref()?, b.system_identifier.as_ref()?);
    (x != y).then(|| ("E-CLUSTER", format!("they are of different clusters (system identifiers {x} and {y})")))
}

/// The same system identifier proves nothing: standbys and restored copies share it.
fn other_node(a: &Meta, b: &Meta) -> Complaint {
    if let (Some(x), Some(y)) = (&a.node, &b.node)
        && a.is_named_otherwise(b)
    {
        return Some(("E-NODE", format!("they are of different nodes ({x} and {y})")));
    }
    let same_node = a.node.is_some() && a.node == b.node;
    match (a.in_recovery?, b.in_recovery?) {
        (false, true) => Some(("E-NODE", "the earlier is of a primary, the later of a standby".to_owned())),
        // A promotion leaves the postmaster running.
        (true, false) if !same_node && a.postmaster_start.is_some() && a.postmaster_start != b.postmaster_start => {
            Some((
                "E-NODE",
                "the earlier is of a standby, the later of a primary that was not started with it".to_owned(),
            ))
        }
        _ => match (a.postmaster_start?, b.postmaster_start?) {
            (x, y) if y < x && !same_node => {
                Some(("E-NODE", "the later is of a server started before the earlier's".to_owned()))
            }
            _ => None,
        },
    }
}

fn backwards(a: &Meta, b: &Meta) -> Complaint {
    let fell = |what: &str| Some(("E-TIMELINE", format!("{what} went backwards: a restore, or another server")));
    // A major upgrade starts a new WAL; transaction ids go on.
    let upgraded = a.major().zip(b.major()).is_some_and(|(x, y)| x != y);
    if !upgraded && a.wal_lsn.zip(b.wal_lsn).is_some_and(|(x, y)| y < x) {
        return fell("the WAL position");
    }
    if a.next_xid.zip(b.next_xid).is_some_and(|(x, y)| y < x) {
        return fell("the next transaction id");
    }
    if !upgraded && a.timeline.zip(b.timeline).is_some_and(|(x, y)| y < x) {
        return fell("the timeline");
    }
    None
}

/// Whether two snapshots' per-database views are of one database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Databases {
    /// As far as is known.
    #[default]
    Same,
    /// The same under another name.
    Renamed,
    /// Another of the same name: dropped and created anew, or restored.
    Recreated,
    /// Different ones.
    Different,
}

impl Databases {
    pub fn of(a: &Meta, b: &Meta) -> Self {
        let names = a.database.as_ref().zip(b.database.as_ref()).map(|(x, y)| x == y);
        let oids = a.database_oid.zip(b.database_oid).map(|(x, y)| x == y);
        match (names, oids) {
            (Some(false), Some(true)) => Self::Renamed,
            (Some(true), Some(false)) => Self::Recreated,
            (Some(false), _) | (None, Some(false)) => Self::Different,
            _ => Self::Same,
        }
    }
}

/// Leaves the newest snapshot's database: per-database views of other ones are taken out of the history, so that nothing
/// above compares objects that have nothing to do with each other.
pub(super) fn of_one_database(snapshots: &mut [Arc<Snapshot>]) {
    let Some((newest, earlier)) = snapshots.split_last_mut() else { return };
    for snapshot in earlier.iter_mut().filter(|s| Databases::of(&s.meta, &newest.meta) == Databases::Different) {
        Arc::make_mut(snapshot).tables.retain(|_, t| t.view.is_some_and(|v| !v.per_database));
    }
}

/// Says what follows where the snapshots are not of one database.
///
/// # Errors
/// Where they are of different ones and share no view that is the same for the whole cluster.
fn check_database(before: &Snapshot, after: &Snapshot, notes: &mut Notes) -> Result<()> {
    let (a, b) = (&before.meta, &after.meta);
    let name = |m: &Meta| match (&m.database, m.database_oid) {
        (Some(name), _) => crate::ident::visible(name).into_owned(),
        (None, oid) => format!("OID {}", oid.unwrap_or_default()),
    };
    match Databases::of(a, b) {
        Databases::Same => {}
        Databases::Renamed => {
            notes.say("W-DB", format!("the database was renamed, {} before, {} after", name(a), name(b)));
        }
        Databases::Recreated => notes.say(
            "W-DB",
            "the database was dropped and created anew under its name, or restored: its counters are new, objects are \
             matched by name",
        ),
        Databases::Different => {
            let what = format!("they are of different databases ({} and {})", name(a), name(b));
            let shared = |t: &Arc<Table>| t.view.filter(|v| !v.per_database && super::is_subtracted(v)).map(|v| v.name);
            if !before.tables.values().filter_map(shared).any(|v| after.table(v).is_some()) {
                return Err(other_database(before, after));
            }
            notes
                .say("E-DB", format!("{what}: views of one database are refused, only cluster-wide ones are compared"));
        }
    }
    Ok(())
}

fn other_database(before: &Snapshot, after: &Snapshot) -> Error {
    let name = |s: &Snapshot| s.meta.database.clone().unwrap_or_default();
    refuse(
        "E-DB",
        format!(
            "compare `{}` with `{}`: they are of different databases ({} and {})",
            label(before),
            label(after),
            name(before),
            name(after)
        ),
        "give snapshots of one database; views of the whole cluster (pg_stat_database, pg_stat_wal, ...) can be compared",
    )
}

impl super::Diff {
    /// A subtracted view.
    ///
    /// # Errors
    /// Where there is nothing to subtract: the snapshots are of different databases, a file contradicts itself, or neither
    /// of them carries the view.
    pub fn view(&self, name: &str) -> Result<&super::ViewDiff> {
        if let Some(view) = self.views.get(name) {
            return Ok(view);
        }
        let per_database = crate::catalog::view(name).is_some_and(|v| v.per_database);
        if per_database && Databases::of(&self.before.meta, &self.after.meta) == Databases::Different {
            return Err(other_database(&self.before, &self.after));
        }
        Err(Error::input(format!("show `{name}`: neither snapshot has it")))
    }
}

/// Whether two snapshots carry the same views with the same cells, in whatever order of rows.
fn same_content(a: &Snapshot, b: &Snapshot) -> bool {
    a.tables.len() == b.tables.len()
        && a.tables.iter().all(|(name, x)| b.tables.get(name).is_some_and(|y| Arc::ptr_eq(x, y) || same_rows(x, y)))
}

fn same_rows(a: &Table, b: &Table) -> bool {
    if a.rows != b.rows || a.columns.len() != b.columns.len() {
        return false;
    }
    let every: Vec<usize> = (0..a.columns.len()).collect();
    let sorted = |t: &Table| {
        let mut rows: Vec<u32> = (0..t.rows as u32).collect();
        rows.sort_by(|x, y| super::join::order_of_rows(&every, (t, *x), (t, *y)));
        rows
    };
    let exported = |t: &Table| t.columns.iter().map(Option::is_some).collect::<Vec<_>>();
    exported(a) == exported(b)
        && sorted(a).into_iter().zip(sorted(b)).all(|(x, y)| super::join::order_of_rows(&every, (a, x), (b, y)).is_eq())
}
