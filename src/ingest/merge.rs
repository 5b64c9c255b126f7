//! Keys of rows: rows that are there twice, and two files of one view put together.

use crate::catalog::{Shape, View};
use crate::snapshot::{Data, Ints, Table};
use foldhash::fast::FixedState;
use std::collections::HashMap;
use std::hash::BuildHasher;

/// The positions of the columns that identify a table's rows: the view's key where exported, else its fallback, else
/// what of the key there is. `None` where nothing of either was exported.
pub(super) fn key_columns(table: &Table) -> Option<Vec<usize>> {
    key_of(table.view?, &[table])
}

/// The same for columns that all of these tables have.
fn key_of(view: &View, tables: &[&Table]) -> Option<Vec<usize>> {
    let exported = |at: &usize| tables.iter().all(|t| t.columns.get(*at).is_some_and(Option::is_some));
    let position = |name: &&str| view.column(name).map(|(at, _)| at).filter(&exported);
    let whole = |names: &[&str]| names.iter().map(position).collect::<Option<Vec<usize>>>().filter(|k| !k.is_empty());
    // Statements: `toplevel` came with 1.9, so the exported part of the key tells more than the fallback.
    let part: Vec<usize> = view.key.iter().filter_map(position).collect();
    whole(view.key)
        .or_else(|| (part.len() > view.fallback_key.len()).then(|| part.clone()))
        .or_else(|| whole(view.fallback_key))
        .or_else(|| Some(part.clone()).filter(|k| !k.is_empty()))
}

/// Pairs of rows with equal keys, the later one with the first of that key. Rows whose key is NULL in a column
/// equal nothing: statements that the exporting role may not see have no query id.
pub(super) fn repeated(table: &Table, key: &[usize]) -> Vec<(usize, usize)> {
    if let [only] = key
        && let Some(Some(Data::Int(ids))) = table.columns.get(*only)
        && let Some(found) = repeated_ids(ids)
    {
        return found;
    }
    let mut first: HashMap<u64, Vec<usize>, FixedState> = HashMap::with_hasher(FixedState::default());
    let mut out = Vec::new();
    for row in 0..table.rows {
        if key.iter().any(|c| table.columns[*c].as_ref().is_none_or(|d| d.is_null(row))) {
            continue;
        }
        let rows = first.entry(hash(table, key, row)).or_default();
        match rows.iter().find(|other| equal(table, row, table, **other, key)) {
            Some(other) => out.push((row, *other)),
            None => rows.push(row),
        }
    }
    out
}

/// The common case, ids of a narrow range, by a bit for each; `None` where the range is too wide.
fn repeated_ids(ids: &Ints) -> Option<Vec<(usize, usize)>> {
    let (mut min, mut max, mut ascending, mut last) = (i64::MAX, i64::MIN, true, Ints::NULL);
    for id in ids.iter().filter(|id| *id != Ints::NULL) {
        min = min.min(id);
        max = max.max(id);
        ascending &= last < id;
        last = id;
    }
    if ascending {
        return Some(Vec::new());
    }
    let span = usize::try_from(max.checked_sub(min)?).ok()?;
    if span > (64 << 20).max(ids.len() * 64) || span > 1 << 32 {
        return None;
    }
    let mut bits = vec![0_u64; span / 64 + 1];
    let mut again = Vec::new();
    for (row, id) in ids.iter().enumerate() {
        if id == Ints::NULL {
            continue;
        }
        let at = (id - min) as usize;
        let bit = 1 << (at % 64);
        if bits[at / 64] & bit != 0 {
            again.push((row, id));
        }
        bits[at / 64] |= bit;
    }
    if again.is_empty() {
        return Some(Vec::new());
    }
    let mut firsts: HashMap<i64, usize, FixedState> = again.iter().map(|(_, id)| (*id, usize::MAX)).collect();
    for (row, id) in ids.iter().enumerate() {
        if let Some(first) = firsts.get_mut(&id) {
            *first = row.min(*first);
        }
    }
    Some(again.into_iter().filter_map(|(row, id)| Some((row, *firsts.get(&id)?))).collect())
}

fn hash(table: &Table, key: &[usize], row: usize) -> u64 {
    let state = FixedState::default();
    key.iter().fold(0, |seed, &column| match table.columns.get(column) {
        Some(Some(Data::Int(v))) => state.hash_one((seed, v.raw(row))),
        Some(Some(Data::Numeric(v))) => state.hash_one((seed, v.get(row))),
        Some(Some(Data::Bool(v))) => state.hash_one((seed, v.get(row))),
        Some(Some(Data::Text(v))) => state.hash_one((seed, v.get(row))),
        Some(Some(Data::Float(v))) => state.hash_one((seed, v.get(row).map(|x| x.to_bits()))),
        _ => seed,
    })
}

/// Whether two rows agree in some columns; NULL equals NULL.
pub(super) fn equal(a: &Table, row_a: usize, b: &Table, row_b: usize, columns: &[usize]) -> bool {
    columns.iter().all(|&c| a.value(row_a, c) == b.value(row_b, c))
}

/// The rows at `keep`, in that order.
pub(super) fn select(table: &Table, keep: &[usize]) -> Table {
    let mut out = Table {
        view: table.view,
        name: table.name.clone(),
        exported_as: table.exported_as.clone(),
        rows: keep.len(),
        columns: Vec::new(),
        extra: Vec::new(),
        taken_at: table.taken_at,
        sources: table.sources.clone(),
        origin: keep.iter().map(|&row| table.origin.get(row).copied().unwrap_or((0, row as u32))).collect(),
    };
    out.columns = table
        .columns
        .iter()
        .zip(table.view.map(|v| v.columns).unwrap_or_default())
        .map(|(data, column)| {
            data.as_ref().map(|data| {
                let mut picked = Data::for_type(column.ty);
                for &row in keep {
                    picked.push_from(data, row);
                }
                picked
            })
        })
        .collect();
    for (name, texts) in &table.extra {
        let mut picked = crate::snapshot::TextData::new();
        for &row in keep {
            picked.push(texts.get(row));
        }
        out.extra.push((name.clone(), picked));
    }
    out
}

/// Puts two files of one view together: all rows of `first`, and those of `second` whose key `first` does not have.
pub(super) fn union(first: Table, second: &Table) -> Table {
    let Some(view) = first.view else { return first };
    if view.key.is_empty() && view.shape != Shape::Sample && first.rows > 0 {
        // One row, and it is there.
        return first;
    }
    let key = key_of(view, &[&first, second]);
    let mut known: HashMap<u64, Vec<usize>, FixedState> = HashMap::with_hasher(FixedState::default());
    if let Some(key) = &key {
        for row in 0..first.rows {
            known.entry(hash(&first, key, row)).or_default().push(row);
        }
    }
    let add: Vec<usize> = (0..second.rows)
        .filter(|&row| {
            key.as_ref().is_none_or(|key| {
                !known
                    .get(&hash(second, key, row))
                    .is_some_and(|rows| rows.iter().any(|&r| equal(second, row, &first, r, key)))
            })
        })
        .collect();
    let mut out = first;
    if out.origin.is_empty() {
        out.origin = (0..out.rows).map(|row| (0, row as u32)).collect();
    }
    let shift = out.sources.len() as u16;
    for (at, column) in view.columns.iter().enumerate() {
        let from = second.columns.get(at).and_then(Option::as_ref);
        let Some(slot) = out.columns.get_mut(at) else { continue };
        if slot.is_none() && from.is_some() {
            let mut empty = Data::for_type(column.ty);
            (0..out.rows).for_each(|_| empty.push_null());
            *slot = Some(empty);
        }
        if let Some(data) = slot {
            for &row in &add {
                match from {
                    Some(from) => data.push_from(from, row),
                    None => data.push_null(),
                }
            }
        }
    }
    for (_, texts) in &mut out.extra {
        for _ in &add {
            texts.push(None);
        }
    }
    out.rows += add.len();
    for &row in &add {
        let (source, at) = second.origin.get(row).copied().unwrap_or((0, row as u32));
        out.origin.push((source + shift, at));
    }
    out.sources.extend(second.sources.iter().cloned());
    out.taken_at = out.taken_at.max(second.taken_at);
    out
}
