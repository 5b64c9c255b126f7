//! What the small views prove about a window: which statistics started again, and when.

use super::entry::{self, FELL, KEPT, LOST};
use super::join::{self, Joined};
use super::order::{self, Databases};
use super::temporary::Temporary;
use super::{Exact, RowDiff};
use crate::catalog::{Epoch, Kind, Shape, View, carrier};
use crate::snapshot::{Snapshot, Table, Value};
use crate::time::Timestamp;
use crate::version::PgVersion;
use std::collections::{BTreeMap, BTreeSet};

/// Views with one `stats_reset` for the whole cluster; crash recovery gives all of them a new one.
pub(super) const CLUSTER_WIDE: [&str; 7] = [
    "pg_stat_archiver",
    "pg_stat_bgwriter",
    "pg_stat_checkpointer",
    "pg_stat_io",
    "pg_stat_recovery_prefetch",
    "pg_stat_slru",
    "pg_stat_wal",
];

/// One database's statistics over the window.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Database {
    /// Its name; `None` for objects shared by all.
    pub name: Option<String>,
    /// How many counters of its row decreased.
    pub fell: usize,
    /// Whether its `stats_reset` changed (the step from NULL that a first connection makes up to 14 is none).
    pub moved: bool,
    /// Its `stats_reset` after.
    pub reset_at: Option<Timestamp>,
    /// Whether its `stats_reset` was cleared.
    pub cleared: bool,
    /// Whether its `stats_reset` is set and the same as before.
    pub kept: bool,
    /// What its own row says about a reset.
    pub flags: u8,
}

/// What pg_stat_statements_info proves.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Statements {
    /// Whether both snapshots carry the info view.
    pub info: bool,
    /// The time of a full reset in the window.
    pub reset_at: Option<Timestamp>,
    /// Eviction passes in the window.
    pub evictions: i128,
}

/// All statistics of the cluster were lost.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Crash {
    /// When recovery ended.
    pub at: Timestamp,
    /// What shows it.
    pub evidence: Vec<String>,
}

/// What is proven about a window before any object is looked at.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts, each with its own consequence")]
pub(super) struct Evidence {
    /// Time of the earlier snapshot.
    pub before_at: Option<Timestamp>,
    /// Time of the later snapshot.
    pub after_at: Option<Timestamp>,
    /// Whether those times are the server's own.
    pub server_time: bool,
    /// Seconds in between.
    pub elapsed_s: Option<f64>,
    /// Crash recovery.
    pub crash: Option<Crash>,
    /// All cluster-wide views were reset, but nothing else shows a crash and nothing rules it out.
    pub crash_unsure: bool,
    /// Each database by its row's key.
    pub databases: BTreeMap<i64, Database>,
    /// The database the per-database views belong to.
    pub own: Database,
    /// Whether `own` is known.
    pub own_known: bool,
    /// pg_stat_statements.
    pub statements: Statements,
    /// Cluster-wide views whose `stats_reset` moved, with the new one.
    pub shared: BTreeMap<&'static str, Timestamp>,
    /// Whether the counters are those of a new cluster: major version changed.
    pub upgraded: bool,
    /// Whether the per-database views belong to a database created anew under the same name.
    pub recreated: bool,
    /// Why nothing may be subtracted at all.
    pub withheld: Option<&'static str>,
    /// Whether the two exports are of different databases.
    pub other_database: bool,
    /// Whether the two are of different clusters, whose OIDs have nothing to do with each other.
    pub other_cluster: bool,
    /// Whether one of the two is of PostgreSQL 12.
    pub has_12: bool,
    /// Whether the window's length is in doubt, so that there are no rates.
    pub zone_in_doubt: bool,
}

impl Evidence {
    /// Gathers what the small views of two snapshots say. A crash needs a look at larger views as well, where they
    /// are there.
    pub fn gather(before: &Snapshot, after: &Snapshot) -> Self {
        let (a, b) = (&before.meta, &after.meta);
        let zone_in_doubt = order::zone_in_doubt(a, b);
        let databases = Databases::of(a, b);
        let mut out = Self {
            before_at: a.taken_at,
            after_at: b.taken_at.filter(|_| !zone_in_doubt),
            elapsed_s: a.taken_at.zip(b.taken_at).filter(|_| !zone_in_doubt).map(|(a, b)| b.seconds_since(a).max(0.0)),
            server_time: !zone_in_doubt
                && [a, b].iter().all(|m| {
                    matches!(m.time_source, Some(crate::meta::TimeSource::Meta | crate::meta::TimeSource::Column))
                }),
            zone_in_doubt,
            has_12: [a, b].iter().any(|m| m.major() == Some(12)),
            other_cluster: differ(a.system_identifier.as_ref(), b.system_identifier.as_ref()),
            upgraded: a.major().zip(b.major()).is_some_and(|(a, b)| a != b),
            recreated: databases == Databases::Recreated,
            other_database: databases == Databases::Different,
            ..Self::default()
        };
        out.gather_databases(before, after);
        out.gather_statements(before, after);
        out.gather_crash(before, after);
        out
    }

    fn gather_databases(&mut self, before: &Snapshot, after: &Snapshot) {
        let Some((a, b)) = both(before, after, "pg_stat_database") else {
            return;
        };
        let Some(view) = b.view else { return };
        let Some(joined) = join::join(view, a, b, false, Temporary::KEPT) else {
            return;
        };
        let flags = entry::scan(view, a, b, &joined.pairs, self.before_at);
        let old = after.meta.major().is_some_and(|m| m <= 14);
        for (&(i, j), &flags) in joined.pairs.iter().zip(&flags) {
            if i == RowDiff::NONE || j == RowDiff::NONE {
                continue;
            }
            let (x, y) = (a.row(i as usize), b.row(j as usize));
            let (was, is) = (x.time("stats_reset"), y.time("stats_reset"));
            let exported = a.has("stats_reset") && b.has("stats_reset");
            let fell = if flags & FELL == 0 { 0 } else { count_fallen(view, a, b, (i, j)) };
            let database = Database {
                name: y.text("datname").map(str::to_owned),
                fell,
                moved: exported && was != is && !(old && was.is_none()),
                reset_at: is,
                cleared: exported && was.is_some() && is.is_none(),
                kept: exported && was.is_some() && was == is,
                flags,
            };
            let ours = match (after.meta.database_oid, &after.meta.database) {
                (Some(oid), _) => y.int("datid") == Some(oid),
                (None, Some(name)) => y.text("datname") == Some(name),
                (None, None) => false,
            };
            if ours {
                self.own = database.clone();
                self.own_known = true;
            }
            self.databases.insert(y.int("datid").unwrap_or(-1 - i64::from(j)), database);
        }
        if !self.own_known && after.meta.database_oid.is_none() && after.meta.database.is_none() {
            self.guess_own();
        }
    }

    /// Where the export does not say which database it is of: the only one there, else what all have in common. A moved
    /// `stats_reset` of any could be ours.
    fn guess_own(&mut self) {
        let named = |d: &&Database| d.name.as_deref().is_some_and(|n| !n.starts_with("template"));
        let candidates: Vec<&Database> = self.databases.values().filter(named).collect();
        if let [only] = candidates.as_slice() {
            self.own = (*only).clone();
            self.own_known = true;
        } else {
            self.own.moved = candidates.iter().any(|d| d.moved);
        }
    }

    fn gather_statements(&mut self, before: &Snapshot, after: &Snapshot) {
        let Some((a, b)) = both(before, after, "pg_stat_statements_info").filter(|(a, b)| a.rows == 1 && b.rows == 1)
        else {
            return;
        };
        let (x, y) = (a.row(0), b.row(0));
        let (was, is) = (x.time("stats_reset"), y.time("stats_reset"));
        let reset_at = is.filter(|_| a.has("stats_reset") && was != is);
        let evictions = match (x.int("dealloc"), y.int("dealloc")) {
            (_, Some(b)) if reset_at.is_some() => i128::from(b),
            (Some(a), Some(b)) => (i128::from(b) - i128::from(a)).max(0),
            _ => 0,
        };
        self.statements = Statements { info: true, reset_at, evictions };
    }

    fn gather_crash(&mut self, before: &Snapshot, after: &Snapshot) {
        let mut every = true;
        let mut seen = BTreeSet::new();
        let major = after.meta.version.map_or(u8::MAX, PgVersion::major);
        for name in CLUSTER_WIDE {
            let Some((a, b)) = both(before, after, name).filter(|(a, b)| a.rows > 0 && b.rows > 0) else {
                continue;
            };
            seen.insert(carrier(name, major));
            match moved(a, b) {
                (Some(at), all) => {
                    every &= all;
                    if let Some(view) = b.view {
                        self.shared.insert(view.name, at);
                    }
                }
                (None, _) => every = false,
            }
        }
        let Some(at) = self.shared.values().min().copied().filter(|_| every) else {
            return;
        };
        if self.databases.values().any(|d| d.kept) {
            return;
        }
        let mut evidence = vec![format!("all {} cluster-wide views exported got a new stats_reset", seen.len())];
        for d in self.databases.values().filter(|d| d.fell > 0) {
            evidence.push(format!("{} of database `{}` fell", counters(d.fell), shown(d.name.as_deref())));
        }
        for d in self.databases.values().filter(|d| d.cleared) {
            evidence.push(format!("stats_reset of database `{}` was cleared", shown(d.name.as_deref())));
        }
        let objects = scan_objects(before, after, self.before_at);
        if objects & KEPT != 0 {
            return;
        }
        if objects & LOST != 0 && !self.own.moved {
            evidence.push("counters of objects fell although stats_reset of their database did not move".to_owned());
        }
        if evidence.len() == 1 {
            self.crash_unsure = true;
        } else {
            self.crash = Some(Crash { at, evidence });
        }
    }

    /// Whether all counters of a view are those of a new cluster or database, so nothing is to be subtracted.
    pub fn starts_anew(&self, view: &View) -> bool {
        view.epoch != Epoch::None && (self.upgraded || self.recreated && view.per_database)
    }

    /// Whether objects of a view are matched by their names: the two sides' OIDs have nothing to do with each other.
    pub fn by_name(&self, view: &View) -> bool {
        self.other_cluster || self.recreated && view.per_database
    }

    /// Seconds from a moment to the later snapshot; files are read a moment after it was taken, so never below 0.
    pub fn since(&self, at: Timestamp) -> Option<f64> {
        self.after_at.map(|b| b.seconds_since(at).max(0.0))
    }
}

/// `17 counters`, `1 counter`.
pub(super) fn counters(n: usize) -> String {
    if n == 1 { "1 counter".to_owned() } else { format!("{n} counters") }
}

/// A database's name for people.
pub(super) fn shown(name: Option<&str>) -> String {
    name.map_or_else(|| "(shared objects)".to_owned(), |n| crate::ident::visible(n).into_owned())
}

fn differ<T: PartialEq>(a: Option<T>, b: Option<T>) -> bool {
    a.zip(b).is_some_and(|(a, b)| a != b)
}

fn both<'a>(before: &'a Snapshot, after: &'a Snapshot, view: &str) -> Option<(&'a Table, &'a Table)> {
    Some((before.table(view)?.as_ref(), after.table(view)?.as_ref()))
}

fn count_fallen(view: &View, a: &Table, b: &Table, (i, j): (u32, u32)) -> usize {
    (0..view.columns.len())
        .filter(|c| view.columns[*c].kind == Kind::Counter)
        .filter(|c| {
            Exact::of(a.value(i as usize, *c))
                .zip(Exact::of(b.value(j as usize, *c)))
                .is_some_and(|(a, b)| a.fell_to(b))
        })
        .count()
}

/// The earliest new `stats_reset` of a view, and whether every row got a new one.
fn moved(a: &Table, b: &Table) -> (Option<Timestamp>, bool) {
    let Some(view) = b.view else { return (None, false) };
    let Some((column, _)) = view.column("stats_reset") else { return (None, false) };
    let Some(joined) = join::join(view, a, b, false, Temporary::KEPT) else { return (None, false) };
    let (mut earliest, mut all): (Option<Timestamp>, bool) = (None, true);
    for &(i, j) in joined.pairs.iter().filter(|(i, j)| *i != RowDiff::NONE && *j != RowDiff::NONE) {
        match (a.value(i as usize, column), b.value(j as usize, column)) {
            (was, Value::Time(is)) if was != Value::Time(is) => {
                earliest = Some(earliest.map_or(is, |e| e.min(is)));
            }
            _ => all = false,
        }
    }
    (earliest, all)
}

/// All flags of all objects of the per-database views.
fn scan_objects(before: &Snapshot, after: &Snapshot, before_at: Option<Timestamp>) -> u8 {
    let mut flags = 0;
    for (a, b) in after.tables.values().filter_map(|b| Some((before.table(b.view?.name)?, b))) {
        let Some(view) = b.view.filter(|v| v.per_database && v.epoch == Epoch::Database && v.shape == Shape::Counters)
        else {
            continue;
        };
        let Some(Joined { pairs, .. }) = join::join(view, a, b, false, Temporary::KEPT) else { continue };
        flags |= entry::scan(view, a, b, &pairs, before_at).iter().fold(0, |all, f| all | f);
    }
    flags
}
