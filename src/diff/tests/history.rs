//! A server in a few lines: what is counted, what resets do to it, and the truth beside it.

use crate::snapshot::Snapshot;
use crate::snapshot::literal::literal;
use proptest::prelude::*;
use std::sync::Arc;

/// Tables of the server.
pub(super) const TABLES: usize = 3;

/// What happens to the server between two snapshots.
#[derive(Clone, Debug)]
pub(super) enum Op {
    /// Scans of a table.
    Work(usize, u32),
    /// A vacuum of a table.
    Vacuum(usize),
    ResetTable(usize),
    ResetDatabase,
    /// pg_stat_reset_shared: 0 bgwriter, 1 wal, 2 both.
    ResetShared(u8),
    /// Crash recovery.
    Crash,
}

/// Random work and resets; resets are rarer.
pub(super) fn ops(with_resets: bool) -> BoxedStrategy<Vec<Op>> {
    let table = 0..TABLES;
    let work = (table.clone(), 1_u32..50).prop_map(|(t, n)| Op::Work(t, n));
    let vacuum = table.clone().prop_map(Op::Vacuum);
    if !with_resets {
        return prop::collection::vec(prop_oneof![6 => work, 1 => vacuum], 0..12).boxed();
    }
    prop::collection::vec(
        prop_oneof![
            12 => work,
            2 => vacuum,
            1 => table.prop_map(Op::ResetTable),
            1 => Just(Op::ResetDatabase),
            1 => (0_u8..3).prop_map(Op::ResetShared),
            1 => Just(Op::Crash),
        ],
        0..12,
    )
    .boxed()
}

#[derive(Clone, Debug, Default)]
struct Table {
    scans: u64,
    vacuums: u64,
    vacuumed: Option<u64>,
}

/// The server. Time is in seconds since its start; an operation takes one.
#[derive(Clone, Debug)]
pub(super) struct Server {
    now: u64,
    tables: [Table; TABLES],
    commits: u64,
    database_reset: Option<u64>,
    buffers: [u64; 2],
    shared_reset: [u64; 2],
    /// Scans of each table since the beginning, whatever was reset.
    pub true_scans: [u64; TABLES],
}

/// How a snapshot is exported.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent ways to write the same")]
pub(super) struct Export {
    /// With the `stats_reset` columns.
    pub resets: bool,
    /// Rows the other way round.
    pub reversed: bool,
    /// All counters times this.
    pub times: u64,
    /// Seconds per unit of time.
    pub slow: u64,
    /// The tables under other names.
    pub renamed: bool,
    /// With a table, a view and a column that nothing else has to do with.
    pub crowded: bool,
}

pub(super) const PLAIN: Export =
    Export { resets: true, reversed: false, times: 1, slow: 1, renamed: false, crowded: false };

impl Server {
    pub fn new() -> Self {
        Self {
            now: 1000,
            tables: Default::default(),
            commits: 5,
            database_reset: None,
            buffers: [7; 2],
            shared_reset: [0; 2],
            true_scans: [0; TABLES],
        }
    }

    pub fn run(&mut self, ops: &[Op]) {
        self.now += 60;
        for op in ops {
            self.now += 1;
            self.commits += 1;
            match *op {
                Op::Work(t, n) => {
                    self.tables[t].scans += u64::from(n);
                    self.true_scans[t] += u64::from(n);
                    self.buffers[t % 2] += u64::from(n);
                }
                Op::Vacuum(t) => {
                    self.tables[t].vacuums += 1;
                    self.tables[t].vacuumed = Some(self.now);
                }
                Op::ResetTable(t) => {
                    self.tables[t] = Table::default();
                    self.database_reset = Some(self.now);
                }
                Op::ResetDatabase => {
                    self.tables = Default::default();
                    self.commits = 0;
                    self.database_reset = Some(self.now);
                }
                Op::ResetShared(which) => {
                    for view in [0, 1].into_iter().filter(|v| which == 2 || usize::from(which) == *v) {
                        self.buffers[view] = 0;
                        self.shared_reset[view] = self.now;
                    }
                }
                Op::Crash => {
                    self.tables = Default::default();
                    self.commits = 0;
                    self.database_reset = None;
                    self.buffers = [0; 2];
                    self.shared_reset = [self.now; 2];
                }
            }
        }
    }

    pub fn export(&self, how: Export) -> Arc<Snapshot> {
        let time = |at: u64| {
            crate::time::Timestamp::from_seconds(1_790_000_000 + i64::try_from(at * how.slow).unwrap()).to_string()
        };
        let some = |at: Option<u64>| at.map(time).unwrap_or_default();
        let mut tables: Vec<String> = (0..)
            .zip(&self.tables)
            .map(|(i, t)| {
                let (scans, vacuums) = (t.scans * how.times, t.vacuums * how.times);
                let name = if how.renamed { 'r' } else { 't' };
                let more = if how.crowded { format!(" | {scans}") } else { String::new() };
                format!("{} | public | {name}{i} | {scans} | {vacuums} | {}{more}", 100 + i, some(t.vacuumed))
            })
            .collect();
        if how.crowded {
            tables.push(format!("99 | public | other | {0} | 0 | | {0}", self.now));
        }
        if how.reversed {
            tables.reverse();
        }
        let tables: Vec<&str> = tables.iter().map(String::as_str).collect();
        let reset = |at: String| if how.resets { format!(" | {at}") } else { String::new() };
        let head = |columns: &str| if how.resets { format!("{columns} | stats_reset") } else { columns.to_owned() };
        let database = format!("16697 | shop | {}{}", self.commits * how.times, reset(some(self.database_reset)));
        let shared = |v: usize| format!("{}{}", self.buffers[v] * how.times, reset(time(self.shared_reset[v])));
        let functions = format!("7 | public | f | {}", self.now);
        let more = if how.crowded { " | n_live_tup" } else { "" };
        let snapshot = literal(&time(self.now));
        if how.crowded {
            snapshot.view("pg_stat_user_functions", "funcid | schemaname | funcname | calls", &[&functions])
        } else {
            snapshot
        }
        .view("pg_stat_database", &head("datid | datname | xact_commit"), &[&database])
        .view("pg_stat_bgwriter", &head("buffers_alloc"), &[&shared(0)])
        .view("pg_stat_wal", &head("wal_records"), &[&shared(1)])
        .view(
            "pg_stat_user_tables",
            &format!("relid | schemaname | relname | seq_scan | vacuum_count | last_vacuum{more}"),
            &tables,
        )
        .build()
    }
}
