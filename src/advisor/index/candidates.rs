//! Indexes worth imagining for an access: equality first, then the order or a range.

use super::access::{Access, Ask, Condition, Way};
use super::clause::Clause;
use super::price::share_held;
use super::shape::{Key, Shape};
use super::table::Table;
use crate::advisor::sql::{Operand, Sort};
use std::collections::{BTreeMap, BTreeSet};

/// Most keys of an index.
const MAX_KEYS: usize = 4;
/// Most columns to include, and their bytes.
const MAX_INCLUDED: usize = 2;
const MAX_INCLUDED_BYTES: f64 = 32.0;
/// Blocks that must be visible to all before an index-only scan is worth planning for.
const MOSTLY_VISIBLE: f64 = 0.8;
/// A condition that leaves less than this makes a smaller, partial index.
const PARTIAL_SHARE: f64 = 0.3;
/// Rows from which on a further column of equality must halve them to earn its place.
const FEW_ROWS: f64 = 100.0;
/// Bytes of a value that is too wide for a key: entries end at a third of a page, and long before that at sense.
const MAX_KEY_BYTES: f64 = 256.0;
/// Most candidates of a table.
const MAX_POOL: usize = 160;

/// How many accesses ask for equality with an operand: what is shared by most comes first.
pub fn popularity(accesses: &[&Access]) -> BTreeMap<Operand, usize> {
    let mut out = BTreeMap::new();
    for access in accesses {
        let asked: BTreeSet<&Operand> =
            access.ways.iter().flat_map(|w| &w.conditions).filter(|c| c.is_single()).map(|c| &c.operand).collect();
        for operand in asked {
            *out.entry(operand.clone()).or_default() += 1;
        }
    }
    out
}

/// The candidates of a table for its accesses, each once, in a fixed order.
pub fn pool(table: &Table<'_>, accesses: &[&Access], updated: &BTreeSet<String>) -> Vec<Shape> {
    let popular = popularity(accesses);
    let mut out: Vec<Shape> = Vec::new();
    for access in accesses {
        for way in &access.ways {
            for shape in of_way(table, access, way, &popular) {
                if let Some(covering) = covering(table, access, &shape, updated) {
                    out.push(covering);
                }
                out.push(shape);
            }
        }
    }
    out.sort();
    out.dedup();
    let merged = merged(&out);
    out.extend(merged);
    out.sort();
    out.dedup();
    // One that exists already is no candidate.
    let narrow = |k: &Key| k.operand.as_ref().is_some_and(|o| table.width(o.column()) <= MAX_KEY_BYTES);
    out.retain(|s| {
        !s.keys.is_empty()
            && s.keys.iter().all(narrow)
            && !table
                .indexes
                .iter()
                .any(|(_, e)| e.keys == s.keys && e.predicate == s.predicate && e.include == s.include)
    });
    out.truncate(MAX_POOL);
    out
}

/// Keys for conditions of equality, the most shared first, without those that add nothing.
fn equality_keys(table: &Table<'_>, conditions: &[&Condition], popular: &BTreeMap<Operand, usize>) -> Vec<Key> {
    let mut single: Vec<&&Condition> = conditions.iter().filter(|c| c.known).collect();
    single.sort_by(|a, b| {
        let shared = |c: &Condition| popular.get(&c.operand).copied().unwrap_or(0);
        let several = |c: &Condition| !c.is_single();
        several(a)
            .cmp(&several(b))
            .then_with(|| shared(b).cmp(&shared(a)))
            .then_with(|| a.share.total_cmp(&b.share))
            .then_with(|| a.operand.cmp(&b.operand))
    });
    let mut keys: Vec<Key> = Vec::new();
    let mut rows = table.rows;
    // What narrows most is never left out: begin with the order of sharing, drop what adds little at the end.
    for condition in single {
        if keys.iter().any(|k| k.operand.as_ref() == Some(&condition.operand)) || keys.len() >= MAX_KEYS {
            continue;
        }
        if rows <= FEW_ROWS && condition.share > 0.5 {
            continue;
        }
        if rows <= 1.0 {
            break;
        }
        rows *= condition.share;
        keys.push(Key::plain(condition.operand.clone()));
    }
    keys
}

fn of_way(table: &Table<'_>, access: &Access, way: &Way, popular: &BTreeMap<Operand, usize>) -> Vec<Shape> {
    let partial: Vec<Clause> = way
        .conditions
        .iter()
        .filter(|c| c.known && c.share <= PARTIAL_SHARE)
        .filter_map(|c| c.clause.clone())
        .filter(|c| *c != Clause::Other)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    let mut out = Vec::new();
    let whole: Vec<&Condition> = way.conditions.iter().collect();
    out.extend(tails(table, access, way, &whole, popular, &[]));
    if !partial.is_empty() {
        let rest: Vec<&Condition> =
            whole.iter().copied().filter(|c| !c.clause.as_ref().is_some_and(|cl| partial.contains(cl))).collect();
        let narrowed = tails(table, access, way, &rest, popular, &partial);
        if narrowed.is_empty() {
            // Nothing else to sort by: the index holds only these rows, whatever its key is.
            out.extend(anchor(table, &partial).map(|key| Shape::imagined(vec![key], partial.clone())));
        }
        out.extend(narrowed);
    }
    out
}

/// A key for a partial index that is searched by its predicate alone: the primary key's column, else the predicate's.
fn anchor(table: &Table<'_>, partial: &[Clause]) -> Option<Key> {
    let primary = table.indexes.iter().find(|(i, s)| i.bound_to() == Some("the primary key") && s.keys.len() == 1);
    let primary = primary.and_then(|(_, s)| s.keys.first()).and_then(|k| k.operand.clone());
    primary.or_else(|| Some(Operand::Column(partial.iter().find_map(Clause::column)?.to_owned()))).map(Key::plain)
}

/// Equality keys alone, with the order, and with each range.
fn tails(
    table: &Table<'_>,
    access: &Access,
    way: &Way,
    conditions: &[&Condition],
    popular: &BTreeMap<Operand, usize>,
    partial: &[Clause],
) -> Vec<Shape> {
    let equal: Vec<&Condition> = conditions.iter().copied().filter(|c| c.is_single()).collect();
    let lists: Vec<&Condition> =
        conditions.iter().copied().filter(|c| matches!(c.ask, Ask::Equal | Ask::OneOf(_))).collect();
    let single = equality_keys(table, &equal, popular);
    let all = equality_keys(table, &lists, popular);
    let mut out = Vec::new();
    let mut push = |keys: Vec<Key>| {
        if !keys.is_empty() && keys.len() <= MAX_KEYS {
            out.push(Shape::imagined(keys, partial.to_vec()));
        }
    };
    // One column may do for several, and what narrows most may do alone.
    for n in 1..=single.len() {
        push(single.get(..n).unwrap_or_default().to_vec());
    }
    let narrowest = equal.iter().filter(|c| c.known).min_by(|a, b| a.share.total_cmp(&b.share));
    push(narrowest.map(|c| Key::plain(c.operand.clone())).into_iter().collect());
    push(all.clone());
    if access.stops_after.is_some() && !access.order.is_empty() {
        // In an order, every column of equality that is left out must be filtered row by row.
        let fixed: Vec<Key> = equal.iter().filter(|c| c.known).map(|c| Key::plain(c.operand.clone())).collect();
        for begin in [&single, &fixed] {
            let mut keys = begin.clone();
            keys.extend(order_keys(&access.order, way));
            push(keys);
        }
    }
    for range in conditions.iter().filter(|c| matches!(c.ask, Ask::Range(_) | Ask::Prefix) && c.known) {
        for begin in [&single, &all] {
            let mut keys = begin.clone();
            match &range.ask {
                Ask::Prefix => keys.push(Key::prefix(range.operand.clone(), table.bytewise)),
                Ask::Range(then) => {
                    keys.push(Key::plain(range.operand.clone()));
                    keys.extend(then.iter().map(|c| Key::plain(Operand::Column(c.clone()))));
                }
                _ => {}
            }
            push(keys);
        }
    }
    out
}

/// Keys that give an order; ascending where reading them backward gives it as well.
fn order_keys(order: &[Sort], way: &Way) -> Vec<Key> {
    let fixed = |o: &Operand| way.conditions.iter().any(|c| c.is_single() && c.operand == *o);
    let wanted: Vec<&Sort> = order.iter().filter(|s| !fixed(&s.operand)).collect();
    let backward = wanted.iter().all(|s| s.descending && s.nulls_first);
    wanted
        .iter()
        .map(|s| Key {
            descending: s.descending && !backward,
            nulls_first: s.nulls_first && !backward,
            ..Key::plain(s.operand.clone())
        })
        .collect()
}

/// The same index with what else the access reads, where that spares the heap.
fn covering(table: &Table<'_>, access: &Access, shape: &Shape, updated: &BTreeSet<String>) -> Option<Shape> {
    if access.whole || table.visible < MOSTLY_VISIBLE || shape.keys.iter().any(|k| k.pattern) {
        return None;
    }
    let missing: Vec<String> = access.columns.iter().filter(|c| !shape.holds(c)).cloned().collect();
    let bytes: f64 = missing.iter().map(|c| table.width(c)).sum();
    let known = missing.iter().all(|c| table.columns.contains_key(c) && !updated.contains(c));
    if missing.is_empty() || missing.len() > MAX_INCLUDED || bytes > MAX_INCLUDED_BYTES || !known {
        return None;
    }
    Some(Shape { include: missing, ..shape.clone() })
}

/// Candidates that serve two: where the keys of one are among the equality keys of the other, they come first there.
fn merged(pool: &[Shape]) -> Vec<Shape> {
    let mut out = Vec::new();
    for a in pool.iter().filter(|s| s.include.is_empty()) {
        for b in pool.iter().filter(|s| s.include.is_empty() && s.predicate == a.predicate) {
            let inside = a.keys.len() < b.keys.len() && a.keys.iter().all(|k| b.keys.contains(k));
            if inside && !b.keys.starts_with(&a.keys) {
                let mut keys = a.keys.clone();
                keys.extend(b.keys.iter().filter(|k| !a.keys.contains(k)).cloned());
                out.push(Shape { keys, ..b.clone() });
            }
        }
        if out.len() > MAX_POOL {
            break;
        }
    }
    out
}

/// Share of the writes that reach an index: rows that a partial one does not hold do not.
pub fn share_written(table: &Table<'_>, shape: &Shape) -> f64 {
    share_held(table, shape)
}
