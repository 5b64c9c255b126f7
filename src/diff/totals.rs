//! One snapshot: what was counted since the statistics began, and how long ago that was.

use super::Options;
use super::join;
use super::merge;
use super::subtract::untrusted;
use super::temporary::Temporary;
use crate::catalog::{Epoch, View};
use crate::snapshot::{Row, Snapshot, Table};
use crate::time::Timestamp;
use std::sync::Arc;

/// The rows of one snapshot as totals.
#[derive(Clone, Debug)]
pub(super) struct Totals {
    pub rows: Vec<Total>,
    /// What they are rows of.
    pub table: Option<Arc<Table>>,
    pub notes: Vec<String>,
    /// The view is in one of several snapshots only: totals would not be what the chain's other numbers are.
    pub withheld: bool,
    /// Columns whose numbers are wrong in this version, by position.
    pub untrusted: Vec<usize>,
}

/// A row and the age of its statistics.
#[derive(Clone, Copy, Debug)]
pub(super) struct Total {
    pub row: u32,
    pub covered_s: Option<f64>,
}

/// The totals of a view of one snapshot, in key order.
pub(super) fn of(view: &'static View, snapshot: &Snapshot, options: &Options, alone: bool) -> Totals {
    let Some(table) = snapshot.table(view.name) else {
        return Totals { rows: Vec::new(), table: None, notes: Vec::new(), withheld: true, untrusted: Vec::new() };
    };
    let table = merge::alone(view, table);
    let joined = join::alone(view, &table, Temporary::of(view, options));
    let began = Began::of(view, snapshot);
    let now = table.taken_at.or(snapshot.meta.taken_at).filter(|_| alone);
    let rows = joined
        .pairs
        .iter()
        .map(|(_, row)| Total {
            row: *row,
            covered_s: now.zip(began.at(table.row(*row as usize))).map(|(now, then)| now.seconds_since(then).max(0.0)),
        })
        .collect();
    let note = if alone { began.note() } else { "exported in one of the snapshots only: no delta".to_owned() };
    let untrusted = untrusted(view, snapshot.meta.major() == Some(12)).into_iter().map(|(c, _)| c).collect();
    Totals { rows, table: Some(table), notes: vec![note], withheld: !alone, untrusted }
}

/// When the statistics of a view began.
enum Began {
    /// Each row says it in this column.
    Row(&'static str),
    /// All rows alike.
    At(Timestamp),
    /// Not earlier than this: no reset is recorded, but crash recovery or the cluster's creation is.
    NotBefore(Timestamp),
    Unknown,
}

impl Began {
    fn of(view: &View, snapshot: &Snapshot) -> Self {
        let first =
            |name: &str, column: &str| snapshot.table(name).filter(|t| t.rows == 1).and_then(|t| t.row(0).time(column));
        match view.epoch {
            Epoch::None => Self::Unknown,
            Epoch::Own => Self::Row("stats_reset"),
            Epoch::Statements if snapshot.table(view.name).is_some_and(|t| t.has("stats_since")) => {
                Self::Row("stats_since")
            }
            Epoch::Statements => first("pg_stat_statements_info", "stats_reset").map_or(Self::Unknown, Self::At),
            Epoch::Database if view.name == "pg_stat_database" => Self::Row("stats_reset"),
            Epoch::Database => own_database(snapshot)
                .and_then(|row| row.time("stats_reset"))
                .map(Self::At)
                .or_else(|| cluster_began(snapshot).map(Self::NotBefore))
                .unwrap_or(Self::Unknown),
        }
    }

    fn at(&self, row: Row<'_>) -> Option<Timestamp> {
        match self {
            Self::Row(column) => row.time(column),
            Self::At(at) | Self::NotBefore(at) => Some(*at),
            Self::Unknown => None,
        }
    }

    fn note(&self) -> String {
        match self {
            Self::NotBefore(at) => format!("total since the statistics began, not before {at}"),
            _ => "total since the statistics began".to_owned(),
        }
    }
}

/// The row of the database that the snapshot was exported from.
fn own_database(snapshot: &Snapshot) -> Option<Row<'_>> {
    let table = snapshot.table("pg_stat_database")?;
    table.iter().find(|row| match (snapshot.meta.database_oid, &snapshot.meta.database) {
        (Some(oid), _) => row.int("datid") == Some(oid),
        (None, Some(name)) => row.text("datname") == Some(name),
        (None, None) => false,
    })
}

/// The oldest `stats_reset` of the cluster-wide views: these are set at initdb and at crash recovery, never NULL.
fn cluster_began(snapshot: &Snapshot) -> Option<Timestamp> {
    super::evidence::CLUSTER_WIDE
        .iter()
        .filter_map(|name| snapshot.table(name))
        .flat_map(|t| t.iter().filter_map(|r| r.time("stats_reset")))
        .min()
}
