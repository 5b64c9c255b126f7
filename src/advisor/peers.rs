//! The other servers of the cluster: a standby counts its own scans, so what is unused here may be in use there.

use super::age::StatisticsAge;
use super::context::state;
use crate::diff::Chain;
use crate::snapshot::Row;
use std::collections::HashMap;

/// Another server of the same cluster.
#[derive(Clone, Copy, Debug)]
pub struct Peer<'a> {
    /// The name it is told by.
    pub name: &'a str,
    /// Its snapshots.
    pub chain: &'a Chain,
}

/// The other servers, and how they use tables and indexes.
#[derive(Debug, Default)]
pub struct Peers<'a> {
    /// All of them; empty where one server was given.
    pub all: Vec<Peer<'a>>,
    /// Whether every standby that the primary knows of is among the servers.
    pub complete: bool,
    uses: Vec<Use<'a>>,
}

/// What a server counted of one database.
#[derive(Debug, Default)]
struct Use<'a> {
    indexes: Option<HashMap<i64, Row<'a>>>,
    tables: Option<HashMap<i64, Row<'a>>>,
    age_s: Option<f64>,
}

/// How an object is used on the other servers.
#[derive(Clone, Debug)]
pub enum Elsewhere<'a> {
    /// Used by this server.
    Used(&'a str),
    /// Used by none of those that say; `age_s` is how long the youngest of their counters have counted, `None` where one
    /// of them does not tell.
    Idle {
        /// Seconds.
        age_s: Option<f64>,
        /// The rows that say so.
        rows: Vec<(&'a str, Row<'a>)>,
    },
}

impl<'a> Peers<'a> {
    /// What the others counted of the exported database of `chain`.
    pub(super) fn of(chain: &'a Chain, peers: &[Peer<'a>]) -> Self {
        if peers.is_empty() {
            return Self::default();
        }
        let uses: Vec<Use<'a>> = peers.iter().map(|p| Use::of(chain, p.chain)).collect();
        let standbys = |chain: &Chain| usize::from(chain.last().meta.in_recovery == Some(true));
        let known = peers
            .iter()
            .zip(&uses)
            .map(|(p, u)| if u.indexes.is_some() { standbys(p.chain) } else { 0 })
            .sum::<usize>()
            + standbys(chain);
        let connected = std::iter::once(chain)
            .chain(peers.iter().map(|p| p.chain))
            .filter(|c| c.last().meta.in_recovery == Some(false))
            .find_map(connected);
        Self { all: peers.to_vec(), complete: connected.is_some_and(|n| n <= known), uses }
    }

    /// How an index is used on the others.
    pub fn index(&self, indexrelid: Option<i64>) -> Elsewhere<'a> {
        self.used(indexrelid, |u| u.indexes.as_ref(), &["idx_scan"])
    }

    /// How a table is read on the others.
    pub fn table(&self, relid: Option<i64>) -> Elsewhere<'a> {
        self.used(relid, |u| u.tables.as_ref(), &["seq_scan", "idx_scan"])
    }

    fn used(
        &self,
        oid: Option<i64>,
        view: for<'u> fn(&'u Use<'a>) -> Option<&'u HashMap<i64, Row<'a>>>,
        columns: &[&str],
    ) -> Elsewhere<'a> {
        let (mut age, mut rows) = (Some(f64::INFINITY), Vec::new());
        for (peer, one) in self.all.iter().zip(&self.uses) {
            let row = oid.zip(view(one)).and_then(|(oid, rows)| rows.get(&oid)).copied();
            if let Some(row) = row {
                if columns.iter().any(|c| row.f64(c).unwrap_or(0.0) > 0.0) {
                    return Elsewhere::Used(peer.name);
                }
                rows.push((peer.name, row));
                age = age.zip(one.age_s).map(|(a, b)| a.min(b));
            }
        }
        Elsewhere::Idle { age_s: age.filter(|s| s.is_finite()), rows }
    }
}

impl<'a> Use<'a> {
    fn of(chain: &Chain, peer: &'a Chain) -> Self {
        let (ours, theirs) = (&chain.last().meta, &peer.last().meta);
        let same =
            match (ours.database_oid.zip(theirs.database_oid), ours.database.as_ref().zip(theirs.database.as_ref())) {
                (Some((a, b)), _) => a == b,
                (None, Some((a, b))) => a == b,
                (None, None) => false,
            };
        if !same {
            return Self::default();
        }
        Self {
            indexes: rows(peer, "pg_stat_user_indexes", "indexrelid", &["idx_scan"]),
            tables: rows(peer, "pg_stat_user_tables", "relid", &["seq_scan", "idx_scan"]),
            age_s: StatisticsAge::of(peer).database_s,
        }
    }
}

/// The last row of each object, or an earlier one that shows use: counters may have been reset since.
fn rows<'a>(chain: &'a Chain, view: &str, key: &str, columns: &[&str]) -> Option<HashMap<i64, Row<'a>>> {
    chain.last().table(view)?;
    let mut out: HashMap<i64, Row<'a>> = HashMap::new();
    let used = |row: &Row<'_>| columns.iter().any(|c| row.f64(c).unwrap_or(0.0) > 0.0);
    for snapshot in chain.snapshots.iter().rev() {
        for row in snapshot.table(view).into_iter().flat_map(|t| t.iter()) {
            let Some(oid) = row.int(key) else { continue };
            match out.get_mut(&oid) {
                Some(later) if !used(later) && used(&row) => *later = row,
                Some(_) => {}
                None => drop(out.insert(oid, row)),
            }
        }
    }
    Some(out)
}

/// How many standbys a primary sends WAL to; `None` where its export does not say.
fn connected(primary: &Chain) -> Option<usize> {
    let sends = |r: &Row<'_>| matches!(r.text("state"), Some("streaming" | "catchup") | None);
    Some(state(primary, "pg_stat_replication")?.table.iter().filter(sends).count())
}
