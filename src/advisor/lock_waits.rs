//! Statements seen waiting for locks: their time is waiting, not work.

use super::Context;
use super::sessions::SessionKey;
use crate::time::Timestamp;
use std::collections::BTreeMap;

/// By the identifier of a statement (`query_id`, from 14 on with `compute_query_id`): seconds for which sessions that were
/// seen waiting for a lock had been running it. What they waited before and after a snapshot is not seen.
pub fn by_query(ctx: &Context<'_>) -> BTreeMap<i64, f64> {
    let mut runs: BTreeMap<(i64, SessionKey, Option<Timestamp>), f64> = BTreeMap::new();
    for (snapshot, table) in ctx.samples("pg_stat_activity") {
        let Some(at) = ctx.chain.snapshots.get(snapshot).and_then(|s| s.meta.taken_at) else { continue };
        for row in table.iter().filter(|r| r.text("wait_event_type") == Some("Lock")) {
            let (Some(id), Some(key), started) = (row.int("query_id"), SessionKey::of(row), row.time("query_start"))
            else {
                continue;
            };
            let seconds = started.map_or(0.0, |started| at.seconds_since(started).max(0.0));
            let known = runs.entry((id, key, started)).or_default();
            *known = known.max(seconds);
        }
    }
    let mut out: BTreeMap<i64, f64> = BTreeMap::new();
    for ((id, ..), seconds) in runs {
        *out.entry(id).or_default() += seconds;
    }
    out
}
