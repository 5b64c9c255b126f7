//! Tables that autovacuum should have visited by now, and those being vacuumed at the moment.

use super::Context;
use crate::diff::{Change, DiffRow, Exact};
use std::collections::BTreeSet;

/// Above a limit in all snapshots of the last so many seconds (at least ten naptimes), or now, and not visited by
/// autovacuum for as long.
pub fn lasting(cx: &Context<'_>, change: Change<'_>, column: &str, limit: f64, wait_s: f64) -> bool {
    let over = |value: &Option<f64>| value.is_some_and(|v| v > limit);
    let wait = wait_s.max(10.0 * cx.facts.autovacuum.naptime_s);
    let history = cx.history(change, column);
    let back = history.iter().rev().skip(1).zip(cx.chain.windows.iter().rev()).take_while(|(value, _)| over(value));
    let above_s: f64 = back.map(|(_, window)| window.elapsed_s.unwrap_or(0.0)).sum();
    if history.last().is_some_and(over) && above_s >= wait {
        return true;
    }
    let last = change.last().and_then(|r| r.time("last_autovacuum"));
    match (cx.now(), last) {
        (Some(now), Some(last)) => now.seconds_since(last) > wait,
        // No autovacuum since the counters began: it is late when they are old enough.
        (_, None) => cx.counter_age(change).is_some_and(|age| age.seconds > wait),
        (None, _) => false,
    }
}

/// Seconds of autovacuum_naptime where it is far above the built-in minute, so that it is what keeps tables waiting.
pub fn rare_naptime_s(cx: &Context<'_>) -> Option<f64> {
    Some(cx.facts.autovacuum.naptime_s).filter(|s| *s >= 600.0)
}

/// OIDs of the tables being vacuumed in the last snapshot.
pub fn being_vacuumed(cx: &Context<'_>) -> BTreeSet<i64> {
    cx.last("pg_stat_progress_vacuum").map(|t| t.iter().filter_map(|r| r.int("relid")).collect()).unwrap_or_default()
}

/// Vacuumed in this window, and afterwards more dead rows than the window itself can have made: a transaction
/// somewhere can still see them, or they could not be reached.
pub fn vacuumed_in_vain(window: &DiffRow<'_>) -> bool {
    let delta = |column| window.delta_of(column).map_or(0.0, Exact::as_f64);
    let dead = window.after().and_then(|r| r.f64("n_dead_tup"));
    window.class().is_exact()
        && delta("vacuum_count") + delta("autovacuum_count") >= 1.0
        && dead.is_some_and(|d| d > delta("n_tup_upd") + delta("n_tup_del"))
}
