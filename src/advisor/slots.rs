//! Replication slots over the snapshots.

use super::Context;
use crate::diff::ViewChange;
use crate::finding::{Doubt, Fix, Risk, Verb};
use crate::ident::quote_literal;
use crate::snapshot::Row;
use crate::time::Timestamp;
use crate::unit::format_lsn;
use std::collections::BTreeSet;

/// A slot of the newest snapshot that exported slots, and its past.
#[derive(Debug)]
pub struct Slot<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its newest row.
    pub last: Row<'a>,
    /// When that row was read.
    pub at: Option<Timestamp>,
    /// The server's position then.
    pub lsn: Option<u64>,
    /// Snapshots that exported slots.
    pub looked_at: Vec<usize>,
    /// Those in which this slot was there and inactive.
    pub seen: Vec<usize>,
    /// Whether it was inactive wherever it was there.
    pub always_inactive: bool,
    /// Whether its consumer read meanwhile: a position moved, or transactions were decoded.
    pub moved: bool,
    /// C4 where slots were not exported for long.
    pub stale: Option<Doubt>,
}

/// Whether a slot is lost or was invalidated: nothing is kept for it any more, whatever its columns still show.
///
/// Source: `slot.c` (`ReplicationSlotsComputeRequiredXmin`, from 13.10, 14.7 and 15.2 on; seen on 15.18). In older minor
/// releases it may hold back cleanup of the catalogs, and being lost it goes anyway.
pub fn is_lost(slot: Row<'_>) -> bool {
    slot.text("wal_status") == Some("lost") || slot.text("invalidation_reason").is_some_and(|r| !r.is_empty())
}

impl Slot<'_> {
    /// The subtraction behind the kept WAL, with its numbers.
    pub fn distance(&self) -> String {
        let restart = self.last.int("restart_lsn").map_or_else(|| "n/a".to_owned(), |l| format_lsn(l as u64));
        let lsn = self.lsn.map_or_else(|| "n/a".to_owned(), format_lsn);
        format!("{lsn} − {restart}")
    }
}

/// The slots of the newest snapshot that exported them.
pub fn slots<'a>(ctx: &Context<'a>) -> Vec<Slot<'a>> {
    let Some(state) = ctx.state("pg_replication_slots") else { return Vec::new() };
    let samples: Vec<_> = ctx.samples("pg_replication_slots").collect();
    let looked_at: Vec<usize> = samples.iter().map(|(i, _)| *i).collect();
    let lsn = ctx.chain.snapshots.get(state.snapshot).and_then(|s| s.meta.wal_lsn);
    let mut out: Vec<Slot<'a>> = Vec::new();
    for last in state.table.iter() {
        let Some(name) = last.text("slot_name") else { continue };
        let past =
            samples.iter().filter_map(|(i, t)| Some((*i, t.iter().find(|r| r.text("slot_name") == Some(name))?)));
        let past: Vec<(usize, Row<'_>)> = past.collect();
        let seen = past.iter().filter(|(_, r)| r.bool("active") == Some(false)).map(|(i, _)| *i).collect();
        let always_inactive = past.iter().all(|(_, r)| r.bool("active") == Some(false));
        let moved = has_moved(ctx, name, &past);
        out.push(Slot {
            name,
            last,
            at: state.at,
            lsn,
            looked_at: looked_at.clone(),
            seen,
            always_inactive,
            moved,
            stale: state.doubt(),
        });
    }
    out.sort_by_key(|s| s.name);
    out
}

/// A consumer that polls is active at no capture; what it read moves what it confirmed, or counts what was decoded for it.
fn has_moved(ctx: &Context<'_>, name: &str, past: &[(usize, Row<'_>)]) -> bool {
    let known = |column| {
        let positions: BTreeSet<i64> = past.iter().filter_map(|(_, r)| r.int(column)).collect();
        positions.len() > 1
    };
    let decoded = ctx.changes("pg_stat_replication_slots").into_iter().flat_map(ViewChange::present).any(|c| {
        c.last().and_then(|r| r.text("slot_name")) == Some(name)
            && !ctx.chain.is_single()
            && c.delta("total_txns").is_some_and(|n| n > 0.0)
    });
    known("confirmed_flush_lsn") || known("restart_lsn") || decoded
}

/// Bytes of WAL between the slot's restart position and the server's; `None` where one of them is unknown.
pub fn retained(slot: &Slot<'_>) -> Option<f64> {
    let restart = slot.last.int("restart_lsn")? as u64;
    slot.lsn.map(|now| now.saturating_sub(restart) as f64)
}

/// The function that gives the server's present position: it differs on a standby.
pub fn current_lsn_sql(ctx: &Context<'_>) -> &'static str {
    if ctx.is_standby() == Some(true) { "pg_last_wal_replay_lsn()" } else { "pg_current_wal_lsn()" }
}

/// Drops a slot.
pub fn drop_slot(name: &str) -> Fix {
    let sql = format!(
        "-- first ask the owner of the consumer: after this it cannot continue where it was\nSELECT pg_drop_replication_slot({});",
        quote_literal(name)
    );
    Fix::new(Verb::Drop, Risk::R3, name, sql)
        .lock("no lock; fails while the slot is in use")
        .when_not("Its consumer will come back: a standby or subscriber would have to be built again.")
}

/// Drops a slot that is lost: whatever is done, its consumer cannot go on with it.
pub fn drop_lost_slot(name: &str) -> Fix {
    let sql = format!(
        "-- its consumer cannot go on with it: a subscriber is set up anew; a standby that finds the missing WAL in an archive\n\
         -- catches up from there, and any other is built again. Each gets a new slot\nSELECT pg_drop_replication_slot({});",
        quote_literal(name)
    );
    Fix::new(Verb::Drop, Risk::R3, name, sql)
        .lock("no lock; fails while the slot is in use")
        .when_not("Before its consumer is stopped: it would go on asking for the slot.")
}

/// Looks at what uses a slot: one in use is not dropped, and what it holds back is its consumer's doing.
pub fn look_at_consumer(name: &str) -> Fix {
    let sql = format!(
        "SELECT slot_name, slot_type, active_pid, age(xmin) AS xmin_age, age(catalog_xmin) AS catalog_xmin_age, restart_lsn, confirmed_flush_lsn\n\
         FROM pg_replication_slots WHERE slot_name = {};\n\
         -- with hot_standby_feedback, on the standby that uses it:\n\
         SELECT pid, usename, xact_start, backend_xmin, query FROM pg_stat_activity WHERE backend_xmin IS NOT NULL ORDER BY xact_start;",
        quote_literal(name)
    );
    Fix::diagnose(name, sql)
}
