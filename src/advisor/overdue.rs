//! Tables that autovacuum should have visited by now, and those being vacuumed at the moment.

use super::Context;
use crate::diff::{Change, DiffRow, Exact};
use std::collections::BTreeSet;

/// Above a limit for so many seconds (at least ten naptimes): in all snapshots of that time, or, where they do not say, by
/// even growth since the last value below it or the last autovacuum.
pub fn lasting(cx: &Context<'_>, change: Change<'_>, column: &str, limit: f64, wait_s: f64) -> bool {
    let wait = wait_s.max(10.0 * cx.facts.autovacuum.naptime_s);
    let history = cx.history(change, column);
    let Some(now) = history.last().copied().flatten().filter(|v| *v > limit) else { return false };
    let mut above_s = 0.0;
    let mut below = None;
    for (value, window) in history.iter().rev().skip(1).zip(cx.chain.windows.iter().rev()) {
        let Some(elapsed) = window.elapsed_s else { break };
        match value {
            Some(v) if *v > limit => above_s += elapsed,
            value => {
                below = value.map(|v| (v, above_s + elapsed));
                break;
            }
        }
    }
    if above_s >= wait {
        return true;
    }
    // Autovacuum leaves none; without one the counters began at none.
    let emptied_s = match change.last().and_then(|r| r.time("last_autovacuum")) {
        Some(last) => cx.now().map(|t| t.seconds_since(last)),
        None => cx.counter_age(change).map(|age| age.seconds),
    };
    let emptied = emptied_s.map(|s| (0.0, s));
    let begun = [below, emptied].into_iter().flatten().min_by(|a, b| a.1.total_cmp(&b.1));
    begun.is_some_and(|(from, age_s)| age_s * (now - limit) / (now - from) > wait)
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
