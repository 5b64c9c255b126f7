//! What keeps old rows and old transaction ids from going: open transactions, prepared ones, slots, standbys.
//!
//! Whose rows a holder keeps: a session or prepared transaction those of its own database and of the shared catalogs,
//! a standby and a slot's `xmin` those of every database, a slot's `catalog_xmin` those of the system catalogs. All of
//! them hold back freezing in the whole cluster, since `datfrozenxid` never passes the oldest of them.
//! A snapshot taken while an older transaction runs carries that one's id as its xmin: such a session, standby or slot in
//! use is not the cause, and goes on as soon as the other has ended. So its age in ids is not counted.
//! Source: `procarray.c` (`GetSnapshotData`, `ComputeXidHorizons`, before 14 `GetOldestXmin`), `vacuum.c` (`vac_update_datfrozenxid`).

use super::Context;
use super::cure::terminate;
use super::prepared::roll_back;
use super::sessions::{SessionKey, is_client, is_dump, is_exporter};
use super::sighting::Sighting;
use super::slots::{drop_slot, is_lost, look_at_consumer};
use crate::finding::{Fix, SubjectKind};
use crate::snapshot::{Row, Table};
use crate::text::Text;
use crate::time::Timestamp;
use std::collections::BTreeMap;

/// The views in which a holder can be seen.
pub const HOLDER_VIEWS: [&str; 3] = ["pg_stat_activity", "pg_prepared_xacts", "pg_replication_slots"];

/// Looks at all of them, the oldest first. While there is one, no vacuum gets further than it.
pub fn look_at_holders() -> Fix {
    Fix::diagnose(
        "holders of old rows",
        "SELECT pid, usename, application_name, state, xact_start, age(coalesce(backend_xmin, backend_xid)) AS xid_age, query\n\
         FROM pg_stat_activity WHERE coalesce(backend_xmin, backend_xid) IS NOT NULL ORDER BY xid_age DESC;\n\
         SELECT gid, prepared, owner, age(transaction) FROM pg_prepared_xacts ORDER BY prepared;\n\
         SELECT slot_name, active, age(xmin), age(catalog_xmin) FROM pg_replication_slots ORDER BY age(xmin) DESC NULLS LAST;",
    )
}

/// Whose dead rows a holder keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeps<'a> {
    /// Those of one database, where its name is known.
    Database(Option<&'a str>),
    /// Those of every database.
    Cluster,
    /// Those of the system catalogs.
    Catalogs,
}

/// What holds back cleanup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// A client's session.
    Session,
    /// A prepared transaction.
    Prepared,
    /// A slot, by the column that holds back.
    Slot(&'static str),
    /// A standby without a slot.
    Standby,
}

impl Who {
    /// What stands before its name.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Session => "pid",
            Self::Prepared => "prepared transaction",
            Self::Slot(_) => "slot",
            Self::Standby => "standby",
        }
    }

    /// What it is as the subject of a finding.
    pub const fn kind(self) -> SubjectKind {
        match self {
            Self::Session => SubjectKind::Session,
            Self::Prepared => SubjectKind::PreparedTransaction,
            Self::Slot(_) => SubjectKind::Slot,
            Self::Standby => SubjectKind::Replica,
        }
    }

    /// The column with the oldest transaction id it needs: a transaction without a snapshot, idle after a write, needs its
    /// own.
    pub fn xid_column(self, row: Row<'_>) -> &'static str {
        match self {
            Self::Session if row.int("backend_xmin").is_none() => "backend_xid",
            Self::Session | Self::Standby => "backend_xmin",
            Self::Prepared => "transaction",
            Self::Slot(column) => column,
        }
    }
}

/// Who holds back cleanup, as last seen.
#[derive(Clone, Debug)]
pub struct Holder<'a> {
    /// What it is.
    pub who: Who,
    /// Its own name, raw.
    pub name: String,
    /// Its row in the last snapshot that shows it.
    pub row: Row<'a>,
    /// The column of that row that says how old it is.
    pub column: &'static str,
    /// Age of its transaction then, in seconds, where it is one.
    pub seconds: Option<f64>,
    /// Transaction ids used since the oldest one it needs, where the export has the next one and it is the cause.
    pub xids: Option<f64>,
    /// Whose rows.
    pub keeps: Keeps<'a>,
    /// A dump, whose long transaction is meant and ends.
    pub is_dump: bool,
    /// What to do about it.
    pub fix: Fix,
    /// Snapshots that show it.
    seen: Vec<usize>,
    /// Snapshots that could.
    looked_at: Vec<usize>,
}

impl Holder<'_> {
    /// "slot cdc".
    pub fn called(&self) -> String {
        format!("{} {}", self.who.word(), self.name)
    }

    /// Its name as the subject of a finding.
    pub fn subject(&self) -> String {
        if self.who == Who::Session { self.called() } else { self.name.clone() }
    }

    /// In how many of how many snapshots it was seen.
    pub fn sighting(&self) -> Sighting {
        Sighting::new(self.seen.iter().copied(), &self.looked_at)
    }

    /// Whether its transaction is so many seconds old, or so many transaction ids were used since.
    pub fn is_older_than(&self, seconds: f64, xids: f64) -> bool {
        self.seconds.is_some_and(|s| s >= seconds) || self.xids.is_some_and(|x| x >= xids)
    }

    /// Whether it keeps rows of the exported database's own tables.
    pub fn concerns(&self, database: Option<&str>) -> bool {
        match self.keeps {
            Keeps::Database(of) => of.zip(database).is_none_or(|(of, own)| of == own),
            Keeps::Cluster => true,
            Keeps::Catalogs => false,
        }
    }

    /// Whether it keeps rows of the system catalogs alone.
    pub const fn only_catalogs(&self) -> bool {
        matches!(self.keeps, Keeps::Catalogs)
    }

    /// "dead rows of every database".
    pub fn kept(&self) -> Text {
        match self.keeps {
            Keeps::Database(Some(name)) => Text::new().t("dead rows of database ").name(name),
            Keeps::Database(None) => Text::new().t("dead rows of its database"),
            Keeps::Cluster => Text::new().t("dead rows of every database"),
            Keeps::Catalogs => Text::new().t("dead rows of the system catalogs"),
        }
    }
}

/// What tells one holder from another over the snapshots.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key<'a> {
    Session(SessionKey),
    Prepared(&'a str),
    Slot(&'a str, &'static str),
    Standby(i64),
}

/// Everybody who held back cleanup in any snapshot, those of the last one first, then by age.
pub fn holders<'a>(cx: &Context<'a>) -> Vec<Holder<'a>> {
    let mut all: BTreeMap<Key<'a>, Holder<'a>> = BTreeMap::new();
    for (view, read) in VIEWS {
        let samples: Vec<(usize, &Table)> = cx.samples(view).collect();
        let looked_at: Vec<usize> = samples.iter().map(|(at, _)| *at).collect();
        for (snapshot, table) in samples {
            let meta = cx.chain.snapshots.get(snapshot).map(|s| &s.meta);
            let moment = Moment {
                at: meta.and_then(|m| m.taken_at),
                next: meta.and_then(|m| m.next_xid),
                running: running(cx, snapshot),
            };
            for (key, mut holder) in table.iter().flat_map(|row| read(row, &moment)) {
                let seen = all.remove(&key).map(|before| before.seen).unwrap_or_default();
                holder.seen = seen.into_iter().chain([snapshot]).collect();
                holder.looked_at.clone_from(&looked_at);
                all.insert(key, holder);
            }
        }
    }
    let mut all: Vec<Holder<'a>> = all.into_values().collect();
    let number = |n: Option<f64>| n.unwrap_or(-1.0);
    all.sort_by(|a, b| {
        let gone = |h: &Holder<'_>| !h.sighting().in_last;
        gone(a)
            .cmp(&gone(b))
            .then_with(|| number(b.xids).total_cmp(&number(a.xids)))
            .then_with(|| number(b.seconds).total_cmp(&number(a.seconds)))
            .then_with(|| a.called().cmp(&b.called()))
    });
    all
}

/// When a snapshot was taken, the next transaction id then, and which transactions had one.
struct Moment {
    at: Option<Timestamp>,
    next: Option<i64>,
    /// Transaction ids with the process that runs it, `None` where it is prepared.
    running: Vec<(i64, Option<i64>)>,
}

/// Transaction ids in use in a snapshot.
fn running(cx: &Context<'_>, snapshot: usize) -> Vec<(i64, Option<i64>)> {
    let Some(taken) = cx.chain.snapshots.get(snapshot) else { return Vec::new() };
    let rows = |view: &str| taken.table(view).map(|t| t.iter());
    let prepared = rows("pg_prepared_xacts").into_iter().flatten().filter_map(|r| Some((r.int("transaction")?, None)));
    let sessions = rows("pg_stat_activity")
        .into_iter()
        .flatten()
        .filter_map(|r| Some((r.int("backend_xid")?, Some(r.int("pid")?))));
    prepared.chain(sessions).collect()
}

impl Moment {
    /// Transaction ids used since the oldest one that a row needs, unless it needs it for another one's sake.
    fn xids(&self, who: Who, row: Row<'_>) -> Option<f64> {
        let xid = row.int(who.xid_column(row))?;
        let may_follow = match who {
            Who::Session | Who::Standby => true,
            Who::Slot(_) => row.bool("active") == Some(true),
            Who::Prepared => false,
        };
        if may_follow && is_of_another(&self.running, xid, row) {
            return None;
        }
        xid_age(self.next?, xid)
    }
}

/// Whether a session needs what it needs for another transaction's sake: the oldest id that its snapshot saw running is not
/// its own. Whoever waits for a transaction follows it so.
pub fn follows_another(cx: &Context<'_>, snapshot: usize, session: Row<'_>) -> bool {
    session.int("backend_xmin").is_some_and(|xid| is_of_another(&running(cx, snapshot), xid, session))
}

fn is_of_another(running: &[(i64, Option<i64>)], xid: i64, row: Row<'_>) -> bool {
    let own = row.int("pid");
    running.iter().any(|(running, pid)| *running == xid && (pid.is_none() || *pid != own))
}

/// Reads the holders out of a row of a view.
type Read = for<'a> fn(Row<'a>, &Moment) -> Vec<(Key<'a>, Holder<'a>)>;

const VIEWS: [(&str, Read); 4] = [
    ("pg_stat_activity", session),
    ("pg_prepared_xacts", prepared),
    ("pg_replication_slots", slot),
    ("pg_stat_replication", standby),
];

fn holder<'a>(who: Who, name: &str, row: Row<'a>, keeps: Keeps<'a>, fix: Fix, moment: &Moment) -> Holder<'a> {
    let since = match who {
        Who::Session => Some("xact_start"),
        Who::Prepared => Some("prepared"),
        Who::Slot(_) | Who::Standby => None,
    };
    Holder {
        who,
        name: name.to_owned(),
        row,
        column: since.filter(|c| row.time(c).is_some()).unwrap_or(who.xid_column(row)),
        seconds: since.and_then(|column| Some(moment.at?.seconds_since(row.time(column)?).max(0.0))),
        xids: moment.xids(who, row),
        keeps,
        is_dump: who == Who::Session && is_dump(row),
        fix,
        seen: Vec::new(),
        looked_at: Vec::new(),
    }
}

fn session<'a>(row: Row<'a>, moment: &Moment) -> Vec<(Key<'a>, Holder<'a>)> {
    let needs = row.int("backend_xmin").or(row.int("backend_xid"));
    let (Some(key), Some(_)) = (SessionKey::of(row), needs) else { return Vec::new() };
    let text = row.text("query").unwrap_or_default().trim_start().to_ascii_lowercase();
    // A vacuum holds back nobody.
    if !is_client(row) || moment.at.is_some_and(|at| is_exporter(row, at)) || text.starts_with("vacuum") {
        return Vec::new();
    }
    let when_not = Text::from("Before its owner was asked: its work since the transaction began is lost.");
    let keeps = Keeps::Database(row.text("datname"));
    let fix = terminate(&key, when_not);
    vec![(Key::Session(key), holder(Who::Session, &key.pid.to_string(), row, keeps, fix, moment))]
}

fn prepared<'a>(row: Row<'a>, moment: &Moment) -> Vec<(Key<'a>, Holder<'a>)> {
    let Some(gid) = row.text("gid") else { return Vec::new() };
    let keeps = Keeps::Database(row.text("database"));
    vec![(Key::Prepared(gid), holder(Who::Prepared, gid, row, keeps, roll_back(gid), moment))]
}

fn slot<'a>(row: Row<'a>, moment: &Moment) -> Vec<(Key<'a>, Holder<'a>)> {
    let Some(name) = row.text("slot_name").filter(|_| !is_lost(row)) else { return Vec::new() };
    let fix = || {
        // A slot that is kept in step with the primary's is made again when it is dropped.
        let kept = row.bool("active") == Some(true) || row.bool("synced") == Some(true);
        if kept { look_at_consumer(name) } else { drop_slot(name) }
    };
    [("xmin", Keeps::Cluster), ("catalog_xmin", Keeps::Catalogs)]
        .into_iter()
        .filter(|(column, _)| row.int(column).is_some())
        .map(|(column, keeps)| (Key::Slot(name, column), holder(Who::Slot(column), name, row, keeps, fix(), moment)))
        .collect()
}

/// A standby with `hot_standby_feedback` and without a slot.
fn standby<'a>(row: Row<'a>, moment: &Moment) -> Vec<(Key<'a>, Holder<'a>)> {
    let (Some(pid), Some(_)) = (row.int("pid"), row.int("backend_xmin")) else { return Vec::new() };
    let name = row.text("application_name").unwrap_or_default();
    let sql = "-- on the standby: what it reads decides what the primary keeps (hot_standby_feedback)\n\
               SELECT pid, usename, xact_start, backend_xmin, query FROM pg_stat_activity WHERE backend_xmin IS NOT NULL ORDER BY xact_start;";
    let fix = Fix::diagnose(format!("standby {name}"), sql);
    vec![(Key::Standby(pid), holder(Who::Standby, name, row, Keeps::Cluster, fix, moment))]
}

/// Transactions between a 32-bit id and the 64-bit next id; ids in the future are none.
pub fn xid_age(next: i64, xid: i64) -> Option<f64> {
    const EPOCH: i64 = 1 << 32;
    if !(3..EPOCH).contains(&xid) || next < 0 {
        return None;
    }
    let age = next.rem_euclid(EPOCH).checked_sub(xid)?.rem_euclid(EPOCH);
    (age < EPOCH / 2).then_some(age as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_across_the_epoch() {
        for (next, xid, want) in [
            (1_000, 900, Some(100.0)),
            ((1 << 32) + 100, (1 << 32) - 50, Some(150.0)),
            (1_000, 2_000, None),
            (1_000, 0, None),
            (-5, 900, None),
        ] {
            assert_eq!(xid_age(next, xid), want, "{next} {xid}");
        }
    }
}
