//! Objects that kept their identity under another name, or another OID under the old name.

use super::entry::{self, LOST};
use super::join::Joined;
use super::{RowDiff, ViewDiff, wide};
use crate::catalog::View;
use crate::snapshot::{Table, Value};
use std::collections::{BTreeMap, HashMap};

/// Indexes that got a new OID and kept their counters: new OID by old OID.
pub(super) type Continued = BTreeMap<i64, i64>;

/// The column that names the object itself, and whether its schema is part of the name.
pub(super) fn own_name(view: &View) -> Option<(&'static str, bool)> {
    let (name, with_schema) = match view.name {
        "pg_stat_user_tables" | "pg_statio_user_tables" | "pg_statio_user_sequences" | "table_sizes" => {
            ("relname", true)
        }
        "pg_stat_user_indexes" | "pg_statio_user_indexes" | "index_definitions" => ("indexrelname", false),
        "pg_stat_user_functions" => ("funcname", true),
        "pg_stat_database" | "pg_stat_database_conflicts" | "database_sizes" => ("datname", false),
        _ => return None,
    };
    Some((name, with_schema))
}

/// Indexes that `REINDEX CONCURRENTLY` rebuilt: gone and new, table and name alike, and no counter of any view lower.
pub(super) fn continued(views: &[(&'static View, &Table, &Table, &Joined)]) -> Continued {
    let mut votes: BTreeMap<(i64, i64), bool> = BTreeMap::new();
    for (view, before, after, joined) in views {
        let (Some((relid, _)), Some((name, _))) = (view.column("relid"), view.column("indexrelname")) else { continue };
        let &[key] = joined.key.as_slice() else { continue };
        if joined.by_name || view.columns[key].name != "indexrelid" {
            continue;
        }
        let label = |table: &'_ Table, row: u32| -> Option<(i64, String)> {
            match (table.value(row as usize, relid), table.value(row as usize, name)) {
                (Value::Int(relid), Value::Text(name)) => Some((relid, name.to_owned())),
                _ => None,
            }
        };
        let gone: HashMap<(i64, String), u32> = joined
            .pairs
            .iter()
            .filter(|(_, j)| *j == RowDiff::NONE)
            .filter_map(|(i, _)| label(before, *i).map(|l| (l, *i)))
            .collect();
        if gone.is_empty() {
            continue;
        }
        for &(_, j) in joined.pairs.iter().filter(|(i, _)| *i == RowDiff::NONE) {
            let Some(&i) = label(after, j).and_then(|l| gone.get(&l)) else { continue };
            let (Value::Int(old), Value::Int(new)) = (before.value(i as usize, key), after.value(j as usize, key))
            else {
                continue;
            };
            let kept = entry::scan(view, before, after, &[(i, j)], None).iter().all(|f| f & LOST == 0);
            *votes.entry((old, new)).or_insert(true) &= kept;
        }
    }
    votes.into_iter().filter(|(_, kept)| *kept).map(|(pair, _)| pair).collect()
}

/// Joins the rows of continued indexes.
pub(super) fn apply(
    joined: &mut Joined,
    flags: &mut Vec<u8>,
    view: &'static View,
    (before, after): (&Table, &Table),
    continued: &Continued,
) {
    let &[key] = joined.key.as_slice() else { return };
    if continued.is_empty() || view.columns[key].name != "indexrelid" {
        return;
    }
    let id = |table: &Table, row: u32| match table.value(row as usize, key) {
        Value::Int(n) => Some(n),
        _ => None,
    };
    let mut old_rows: HashMap<i64, u32> = HashMap::new();
    for &(i, _) in joined.pairs.iter().filter(|(_, j)| *j == RowDiff::NONE) {
        if let Some(new) = id(before, i).and_then(|old| continued.get(&old)) {
            old_rows.insert(*new, i);
        }
    }
    let taken: Vec<u32> = old_rows.values().copied().collect();
    for (pair, flag) in joined.pairs.iter_mut().zip(flags.iter_mut()).filter(|(p, _)| p.0 == RowDiff::NONE) {
        if let Some(&i) = id(after, pair.1).and_then(|new| old_rows.get(&new)) {
            pair.0 = i;
            *flag = entry::scan(view, before, after, &[*pair], None)[0];
        }
    }
    let mut keep: Vec<bool> = joined.pairs.iter().map(|(i, j)| *j != RowDiff::NONE || !taken.contains(i)).collect();
    let mut kept = keep.iter();
    joined.pairs.retain(|_| kept.next().copied().unwrap_or(true));
    let mut kept = keep.drain(..);
    flags.retain(|_| kept.next().unwrap_or(true));
}

/// An object's name as `schema.name`, or its name alone.
pub(super) fn name_of(view: &View, table: &Table, row: usize) -> Option<String> {
    let (column, with_schema) = own_name(view)?;
    let row = table.row(row);
    let name = row.text(column)?;
    Some(match row.text("schemaname").filter(|_| with_schema) {
        Some(schema) => crate::ident::display_qualified(schema, name),
        None => crate::ident::visible(name).into_owned(),
    })
}

/// Notes renamed, recreated and reindexed objects on their rows.
pub(super) fn annotate(diff: &mut ViewDiff, continued: &Continued) {
    let (Some(before), Some(after), Some((name, with_schema))) = (&diff.before, &diff.after, own_name(diff.view))
    else {
        return;
    };
    let (view, before, after) = (diff.view, before.as_ref(), after.as_ref());
    let name = view.column(name).map(|(i, _)| i);
    let schema = view.column("schemaname").map(|(i, _)| i).filter(|_| with_schema);
    let differs = |i: u32, j: u32, column: Option<usize>| {
        column.is_some_and(|c| match (before.value(i as usize, c), after.value(j as usize, c)) {
            (Value::Text(a), Value::Text(b)) => a != b,
            _ => false,
        })
    };
    let full = |table: &Table, row: u32| {
        let text = |c: &str| table.row(row as usize).text(c).unwrap_or_default().to_owned();
        let table_name = if view.column("indexrelname").is_some() { text("relname") } else { String::new() };
        name.and_then(|c| match table.value(row as usize, c) {
            Value::Text(n) => Some((text("schemaname"), table_name, n.to_owned())),
            _ => None,
        })
    };
    let gone: HashMap<_, u32> = diff
        .rows
        .iter()
        .filter(|r| r.after == RowDiff::NONE)
        .filter_map(|r| full(before, r.before).map(|n| (n, r.before)))
        .collect();
    let of_row = |at: usize| -> Vec<(u32, String)> {
        let (Some(row), Ok(at)) = (diff.rows.get(at), u32::try_from(at)) else { return Vec::new() };
        match (row.before, row.after) {
            (_, RowDiff::NONE) => Vec::new(),
            (RowDiff::NONE, j) if !gone.is_empty() && full(after, j).is_some_and(|n| gone.contains_key(&n)) => {
                vec![(at, "recreated".to_owned())]
            }
            (RowDiff::NONE, _) => Vec::new(),
            (i, j) => {
                let mut notes = Vec::new();
                if (differs(i, j, name) || differs(i, j, schema))
                    && let Some(old) = name_of(view, before, i as usize)
                {
                    notes.push((at, format!("renamed_from: {old}")));
                }
                if !continued.is_empty()
                    && let [key] = diff.key.as_slice()
                    && let Value::Int(old) = before.value(i as usize, *key)
                    && after.value(j as usize, *key) != Value::Int(old)
                {
                    notes.push((at, "reindexed".to_owned()));
                }
                notes
            }
        }
    };
    let notes = wide::collect(diff.rows.len(), |rows| rows.flat_map(of_row).collect());
    for (at, note) in notes {
        diff.row_notes.entry(at).or_default().push(note);
    }
}
