//! Tables and indexes created, dropped, renamed, rebuilt, rewritten, vacuumed; partitions added and removed.

use super::super::{Class, DiffRow, Exact, RowDiff, ViewDiff, identity, wide};
use super::{Event, Window, event};
use crate::ident::display_qualified;
use crate::snapshot::{Row, Table};
use crate::unit::{Quantity, Unit};
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn find(window: &Window<'_>) -> Vec<Event> {
    let mut out = Vec::new();
    let evidence = window.evidence;
    if evidence.recreated || evidence.other_database {
        return out;
    }
    let partitions = partitions(window, &mut out);
    let tables =
        ["pg_stat_user_tables", "table_sizes", "pg_statio_user_tables"].into_iter().find_map(|v| window.view(v));
    let mut fresh = BTreeSet::new();
    if let Some(tables) = tables {
        fresh = lives(window, tables, "table", &partitions, &BTreeSet::new(), &mut out);
    }
    let indexes = ["pg_stat_user_indexes", "index_definitions", "pg_statio_user_indexes"]
        .into_iter()
        .find_map(|v| window.view(v));
    if let Some(indexes) = indexes {
        lives(window, indexes, "index", &BTreeSet::new(), &fresh, &mut out);
    }
    for name in ["pg_stat_user_functions", "pg_statio_user_sequences"] {
        if let Some(view) = window.view(name) {
            renamed(window, view, &mut out);
        }
    }
    vacuumed(window, &mut out);
    rewritten(window, &mut out);
    out
}

/// Whether a row is of the user's objects: the system's come and go by themselves, and with the choice of view.
fn is_users(row: Row<'_>) -> bool {
    row.text("schemaname").is_none_or(|s| !s.starts_with("pg_") && s != "information_schema")
}

fn full_name(view: &ViewDiff, row: Row<'_>) -> Option<String> {
    if view.view.column("indexrelname").is_some() {
        return Some(display_qualified(row.text("schemaname").unwrap_or_default(), row.text("indexrelname")?));
    }
    identity::name_of(view.view, row.table(), row.index())
}

fn relid(row: Row<'_>) -> Option<i64> {
    row.int("relid")
}

fn said(row: DiffRow<'_>, note: &str) -> bool {
    row.notes().any(|n| n == note)
}

/// The rows that have notes of their own, beyond their verdict's.
fn noted(view: &ViewDiff) -> impl Iterator<Item = DiffRow<'_>> {
    view.row_notes.keys().map(|at| view.row(*at as usize))
}

/// Renamed, recreated, created and dropped objects of one kind; returns the tables that came or went.
fn lives(
    window: &Window<'_>,
    view: &ViewDiff,
    what: &str,
    partitions: &BTreeSet<i64>,
    fresh: &BTreeSet<i64>,
    out: &mut Vec<Event>,
) -> BTreeSet<i64> {
    renamed(window, view, out);
    let scope = window.database();
    let mut changed = BTreeSet::new();
    let names: BTreeMap<String, i64> = noted(view)
        .filter(|r| said(*r, "recreated"))
        .filter_map(|r| r.after().and_then(|row| full_name(view, row).zip(oid(view, row))))
        .collect();
    let reindexed: BTreeSet<usize> = noted(view).filter(|r| said(*r, "reindexed")).map(DiffRow::index).collect();
    // Nearly all rows go on as they were; names cost more than all the rest.
    let one_sided = |entry: &RowDiff| entry.before == RowDiff::NONE || entry.after == RowDiff::NONE;
    let of_interest = |(at, entry): (usize, &RowDiff)| {
        (one_sided(entry) || (!reindexed.is_empty() && reindexed.contains(&at))).then_some((view.row(at), *entry))
    };
    for (row, entry) in view.rows.iter().enumerate().filter_map(of_interest) {
        let Some(latest) = row.latest().filter(|r| is_users(*r)) else { continue };
        let (Some(name), Some(oid)) = (full_name(view, latest), oid(view, latest)) else { continue };
        // An index of a table that came or went is no event of its own.
        if relid(latest).is_some_and(|id| fresh.contains(&id)) {
            continue;
        }
        if entry.before == RowDiff::NONE && row.verdict().withheld.is_none() {
            changed.insert(oid);
            if said(row, "recreated") {
                let why = format!("the {what} of this name has another OID, {oid}");
                out.push(event("recreated", scope.clone(), Some(name), why));
            } else if !partitions.contains(&oid) {
                let why = format!("{what} with OID {oid} is new");
                out.push(event(&format!("{what}_created"), scope.clone(), Some(name), why));
            }
        } else if entry.after == RowDiff::NONE {
            changed.insert(oid);
            if !names.contains_key(&name) && !partitions.contains(&oid) {
                let why = format!("{what} with OID {oid} is gone");
                out.push(event(&format!("{what}_dropped"), scope.clone(), Some(name), why));
            }
        } else if said(row, "reindexed") {
            let why = format!("table, name and counters go on under another OID, {oid}");
            out.push(event("reindexed", scope.clone(), Some(name), why).likely());
        }
    }
    changed
}

fn oid(view: &ViewDiff, row: Row<'_>) -> Option<i64> {
    if view.view.column("indexrelid").is_some() { row.int("indexrelid") } else { relid(row) }
}

fn renamed(window: &Window<'_>, view: &ViewDiff, out: &mut Vec<Event>) {
    for row in noted(view) {
        let Some(old) = row.notes().find_map(|n| n.strip_prefix("renamed_from: ")) else { continue };
        let Some(name) = row.after().and_then(|r| full_name(view, r)) else { continue };
        let why = format!("was `{old}`; the OID is the same");
        out.push(event("renamed", window.database(), Some(name), why));
    }
}

/// Partitions added and removed; returns the tables that came or went as such.
fn partitions(window: &Window<'_>, out: &mut Vec<Event>) -> BTreeSet<i64> {
    let (Some(a), Some(b)) = (window.before.table("partitions"), window.after.table("partitions")) else {
        return BTreeSet::new();
    };
    let pairs = |t: &Table| -> BTreeMap<(i64, i64), usize> {
        t.iter().filter_map(|r| Some(((r.int("parent_relid")?, r.int("child_relid")?), r.index()))).collect()
    };
    let (was, is) = (pairs(a), pairs(b));
    let mut changed = BTreeSet::new();
    let mut tell = |kind: &str, table: &Table, row: usize, what: &str| {
        let row = table.row(row);
        let name = |schema: &str, name: &str| {
            display_qualified(row.text(schema).unwrap_or_default(), row.text(name).unwrap_or_default())
        };
        let (child, parent) = (name("child_schema", "child"), name("parent_schema", "parent"));
        out.push(event(kind, window.database(), Some(child), format!("{what} {parent}")));
    };
    for (pair, row) in is.iter().filter(|(p, _)| !was.contains_key(p)) {
        changed.insert(pair.1);
        tell("partition_added", b, *row, "is a new member of");
    }
    for (pair, row) in was.iter().filter(|(p, _)| !is.contains_key(p)) {
        changed.insert(pair.1);
        tell("partition_removed", a, *row, "is no member any more of");
    }
    changed
}

/// Vacuums by hand: `vacuum_count` is the only evidence of one.
fn vacuumed(window: &Window<'_>, out: &mut Vec<Event>) {
    let Some(view) = window.view("pg_stat_user_tables") else { return };
    let Some((count, _)) = view.view.column("vacuum_count") else { return };
    let counted = |rows: std::ops::Range<usize>| -> Vec<(DiffRow<'_>, i128)> {
        let rows = rows.map(|at| view.row(at)).filter(|r| r.class() != Class::Gone);
        rows.filter_map(|row| match row.delta(count).0 {
            Some(Exact::Int(n)) if n > 0 => Some((row, n)),
            _ => None,
        })
        .collect()
    };
    for (row, n) in wide::collect(view.rows.len(), counted) {
        let Some(after) = row.after().filter(|r| is_users(*r)) else { continue };
        let why = format!("vacuum_count rose by {n}");
        let at = after.time("last_vacuum");
        if at.zip(window.evidence.before_at).is_some_and(|(at, before)| at <= before) {
            continue;
        }
        out.push(event("vacuumed", window.database(), full_name(view, after), why).at(at));
    }
}

/// Storage replaced: another file, or an index that shrank, which no plain VACUUM does.
fn rewritten(window: &Window<'_>, out: &mut Vec<Event>) {
    let unlogged: BTreeSet<i64> = window.after.table("table_sizes").map_or_else(BTreeSet::new, |t| {
        t.iter().filter(|r| r.text("relpersistence") == Some("u")).filter_map(relid).collect()
    });
    let mut told: BTreeSet<i64> = BTreeSet::new();
    let crashed = window.evidence.crash.is_some();
    let mut tell = |id: i64, name: String, why: String, proven: bool| {
        if !told.insert(id) {
            return;
        }
        if crashed && unlogged.contains(&id) {
            out.push(event("unlogged_emptied", window.database(), Some(name), why).likely());
        } else if proven {
            out.push(event("rewritten", window.database(), Some(name), why));
        } else {
            out.push(event("rewritten", window.database(), Some(name), why).likely());
        }
    };
    // Tables whose own file stayed: an index of theirs with another one was rebuilt.
    let mut stayed: BTreeSet<i64> = BTreeSet::new();
    let mut rebuilt = Vec::new();
    for (name, what) in [("table_sizes", "table"), ("index_definitions", "index")] {
        let Some(view) = window.view(name) else { continue };
        for row in view.iter() {
            let (Some(a), Some(b)) = (row.before(), row.after()) else { continue };
            let Some(id) = relid(b) else { continue };
            let files = a.int("relfilenode").zip(b.int("relfilenode"));
            if what == "table" && files.is_some_and(|(x, y)| x == y) {
                stayed.insert(id);
            }
            let table =
                || display_qualified(b.text("schemaname").unwrap_or_default(), b.text("relname").unwrap_or_default());
            let index = b.text("indexrelname").map(|n| format!(" {}", crate::ident::visible(n))).unwrap_or_default();
            if let Some((x, y)) = files
                && x != y
                && a.int("indexrelid") == b.int("indexrelid")
            {
                if what == "index" && stayed.contains(&id) {
                    let why = format!("relfilenode changed from {x} to {y}, that of {} did not", table());
                    rebuilt.push(event("reindexed", window.database(), full_name(view, b), why));
                    continue;
                }
                tell(id, table(), format!("relfilenode of the {what}{index} changed from {x} to {y}"), true);
            } else if let (Some(x), Some(y)) = (a.int("index_size"), b.int("index_size"))
                && y < x
                && !row.notes().any(|n| n == "reindexed")
            {
                tell(
                    id,
                    table(),
                    format!(
                        "index{index} shrank from {} to {}, which VACUUM does not do",
                        Quantity::int(x, Unit::Bytes).human(),
                        Quantity::int(y, Unit::Bytes).human()
                    ),
                    false,
                );
            }
        }
    }
    out.extend(rebuilt);
}
