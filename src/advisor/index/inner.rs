//! What a write counts for the checks of foreign keys that run inside of it.
//!
//! With `pg_stat_statements.track = all` each check has a row of its own, and its blocks are in the row of the write as
//! well. An index for the write's own search cannot spare them. Which write ran how many of them the rows it changed
//! tell: a check runs once for each.

use super::load::Read;
use crate::advisor::Context;
use crate::advisor::key_checks::KeyChecks;
use crate::snapshot::Row;
use std::collections::{BTreeMap, BTreeSet};

/// A statement that deletes or updates rows.
#[derive(Clone, Debug)]
pub(super) struct Write {
    /// Its position in the load.
    pub(super) statement: usize,
    /// The table.
    pub(super) relid: i64,
    /// The columns it sets; `None` where it deletes.
    pub(super) sets: Option<BTreeSet<String>>,
    /// Rows it changed in the window.
    pub(super) rows: f64,
}

/// A foreign key, and the statements that check it.
struct Key {
    /// The writes that run them, and the part of each.
    run_by: Vec<(usize, f64)>,
    checks: Vec<usize>,
}

/// Cascades that are followed to what set them off, one after the other, and from which part of a check on.
const DEEPEST: usize = 4;
const SMALLEST: f64 = 0.01;

/// Takes the checks off the writes that ran them.
pub(super) fn settle(cx: &Context<'_>, statements: &mut [Read<'_>], writes: &[Write]) {
    let keys = keys(cx, statements, writes);
    let cascades: BTreeMap<usize, usize> =
        keys.iter().enumerate().flat_map(|(key, k)| k.checks.iter().map(move |check| (*check, key))).collect();
    for (check, key) in &cascades {
        let Some(read) = statements.get_mut(*check) else { continue };
        let (buffers, ms) = (read.buffers, read.time_ms);
        let mut shares = Vec::new();
        share_out(&keys, &cascades, (*key, 1.0), DEEPEST, &mut shares);
        read.placed = !shares.is_empty();
        for (write, share) in shares {
            if let Some(outer) = statements.get_mut(write) {
                outer.inner_buffers += buffers * share;
                outer.inner_ms += ms * share;
            }
        }
    }
}

fn keys(cx: &Context<'_>, statements: &[Read<'_>], writes: &[Write]) -> Vec<Key> {
    let checks = KeyChecks::read(cx);
    let at: BTreeMap<usize, usize> = statements.iter().enumerate().map(|(i, s)| (s.row.index(), i)).collect();
    let rows = cx.state("constraints").into_iter().flat_map(|s| s.table.iter());
    let key = |row: Row<'_>| {
        let (child, columns) = (cx.facts.table(row.int("relid")?)?.sql(), row.array("columns"));
        let found = checks.of(&child, &columns);
        let checks: Vec<usize> = found.filter_map(|c| at.get(&c.last()?.index()).copied()).collect();
        // Most keys have none: nothing is looked up for them.
        if checks.is_empty() {
            return None;
        }
        let (parent, referenced) = (row.int("foreign_relid")?, row.array("foreign_columns"));
        let runs = |w: &&Write| {
            w.relid == parent && w.sets.as_ref().is_none_or(|sets| referenced.iter().any(|c| sets.contains(c)))
        };
        let all: f64 = writes.iter().filter(runs).map(|w| w.rows).sum();
        let run_by = writes.iter().filter(runs).filter(|w| w.rows > 0.0).map(|w| (w.statement, w.rows / all)).collect();
        Some(Key { run_by, checks })
    };
    rows.filter(|r| r.text("contype") == Some("f")).filter_map(key).collect()
}

/// Which part of a key's checks each write ran. What a cascade deletes is checked at the end of the statement that set it
/// off, so that is where the blocks are (seen on PostgreSQL 15).
fn share_out(
    keys: &[Key],
    cascades: &BTreeMap<usize, usize>,
    (key, whole): (usize, f64),
    deep: usize,
    out: &mut Vec<(usize, f64)>,
) {
    for (write, part) in keys.get(key).into_iter().flat_map(|k| &k.run_by) {
        let share = whole * part;
        match cascades.get(write) {
            Some(outer) if deep > 0 && share > SMALLEST => {
                share_out(keys, cascades, (*outer, share), deep - 1, out);
            }
            _ => out.push((*write, share)),
        }
    }
}
