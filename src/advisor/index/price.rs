//! What an access costs, by an index or without: blocks read, and the planner's units to tell which way it would go.
//!
//! Simplified from PostgreSQL's `costsize.c`: height and leaf pages of the B-tree, heap pages between scattered (each
//! row its own block, none twice) and clustered (by correlation squared), a bitmap's reduced price of random blocks.

use super::access::{Access, Ask, Condition, Way};
use super::selectivity::clause_share;
use super::shape::Shape;
use super::table::Table;
use crate::advisor::sql::{Operand, Sort};

/// Bytes of a page.
const PAGE: f64 = 8192.0;
/// Part of an index that is entries: a build fills leaves to nine tenths, less what headers, the rest of a page and inner
/// pages take. Measured on PostgreSQL 15: 0.888 for keys of 8 bytes, 0.879 for 64.
pub const FILLED: f64 = 0.875;
/// Entries of an inner page, about.
const FANOUT: f64 = 250.0;
const CPU_ROW: f64 = 0.01;
const CPU_ENTRY: f64 = 0.005;
const CPU_TEST: f64 = 0.0025;

/// Prices of a block, from the settings.
#[derive(Clone, Copy, Debug)]
pub struct Prices {
    /// `seq_page_cost`.
    pub sequential: f64,
    /// `random_page_cost`.
    pub random: f64,
    /// Whether a scan in the index's order searches for several values of a later key (PostgreSQL 17); before, it
    /// fetches each row to know.
    pub lists_in_order: bool,
}

/// What one call of an access costs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cost {
    /// Blocks, hits included.
    pub blocks: f64,
    /// The planner's units.
    pub units: f64,
}

/// Bytes of an entry: item pointer, header, columns. Those as wide as a number or a time begin at multiples of their
/// width; a text may have the same width on average, and then this is a little too much.
fn entry_bytes(table: &Table<'_>, shape: &Shape) -> f64 {
    let keys = shape.keys.iter().filter_map(|k| k.operand.as_ref()).map(Operand::column);
    let columns = keys.chain(shape.include.iter().map(String::as_str));
    let aligned = |to: f64, at: f64| (at / to).ceil() * to;
    let end = columns.map(|c| table.width(c)).fold(8.0, |at, width| {
        let begin = if [2.0, 4.0, 8.0].contains(&width) { aligned(width, at) } else { at };
        begin + width
    });
    4.0 + aligned(8.0, end)
}

/// Share of the table's rows that a partial index holds, 1 for a whole one.
pub fn share_held(table: &Table<'_>, shape: &Shape) -> f64 {
    shape.predicate.iter().map(|c| clause_share(table, c)).product::<f64>().clamp(1.0 / table.rows, 1.0)
}

/// Bytes that an index would take, equal entries not yet shared.
pub fn bytes(table: &Table<'_>, shape: &Shape) -> f64 {
    table.rows * share_held(table, shape) * entry_bytes(table, shape) / FILLED
}

/// Levels of a B-tree with so many leaf pages.
fn height(leaves: f64) -> f64 {
    1.0 + (leaves.max(1.0).ln() / FANOUT.ln()).ceil()
}

/// Reading the whole table, or as far as LIMIT needs where no order is asked for.
pub fn sequential(table: &Table<'_>, access: &Access, way: &Way, prices: &Prices) -> Cost {
    let passing = (table.rows * way.share()).max(1.0);
    let part = match access.stops_after {
        Some(rows) if access.order.is_empty() => (rows / passing).min(1.0),
        _ => 1.0,
    };
    let tests = (way.conditions.len() + way.residual) as f64;
    let sort = if access.order.is_empty() { 0.0 } else { passing * 0.02 };
    Cost {
        blocks: way.loops * table.pages * part,
        units: way.loops
            * ((table.pages * prices.sequential + table.rows * (CPU_ROW + CPU_TEST * tests)) * part + sort),
    }
}

/// How an index meets the conditions of a way.
struct Match {
    /// Share of the index's entries between the bounds of the search.
    bounds: f64,
    /// Share of the table's rows that must be fetched: what the index filters.
    fetched: f64,
    /// Searches for one loop.
    searches: f64,
    /// Whether rows come in the order asked for.
    ordered: bool,
}

fn position<'c>(way: &'c Way, operand: Option<&Operand>) -> impl Iterator<Item = (usize, &'c Condition)> {
    let operand = operand.cloned();
    way.conditions.iter().enumerate().filter(move |(_, c)| Some(&c.operand) == operand.as_ref())
}

/// Whether an index gives the order from its key at `from` on, read forward or backward. Columns with one value only
/// are in every order.
fn gives_order(shape: &Shape, from: usize, order: &[Sort], way: &Way) -> bool {
    let fixed = |o: &Operand| way.conditions.iter().any(|c| c.is_single() && c.operand == *o);
    let mut wanted = order.iter().filter(|s| !fixed(&s.operand)).peekable();
    if wanted.peek().is_none() {
        return true;
    }
    let mut keys = shape.keys.get(from..).unwrap_or_default().iter().filter(|k| !k.operand.as_ref().is_some_and(fixed));
    let mut backward = None;
    wanted.all(|sort| {
        let Some(key) = keys.next().filter(|k| k.ordered && k.operand.as_ref() == Some(&sort.operand)) else {
            return false;
        };
        let same = key.descending == sort.descending && key.nulls_first == sort.nulls_first;
        let opposite = key.descending != sort.descending && key.nulls_first != sort.nulls_first;
        match backward {
            Some(true) => opposite,
            Some(false) => same,
            None => {
                backward = Some(opposite);
                same || opposite
            }
        }
    })
}

fn matched(table: &Table<'_>, access: &Access, way: &Way, shape: &Shape, prices: &Prices) -> Option<Match> {
    if shape.keys.is_empty() || !way.implies(&shape.predicate) {
        return None;
    }
    let implied = |c: &Condition| c.clause.as_ref().is_some_and(|cl| shape.predicate.contains(cl));
    let mut used = vec![false; way.conditions.len()];
    let (mut bounds, mut searches, mut single, mut equal) = (1.0, 1.0, true, 0_usize);
    for key in &shape.keys {
        let mut found =
            position(way, key.operand.as_ref()).filter(|(_, c)| matches!(c.ask, Ask::Equal | Ask::OneOf(_)));
        let Some((at, condition)) = found.next() else { break };
        if !implied(condition) {
            bounds *= condition.share;
        }
        if let Ask::OneOf(n) = condition.ask {
            searches *= n;
            single = false;
        }
        if let Some(u) = used.get_mut(at) {
            *u = true;
        }
        equal += 1;
    }
    if shape.hash && equal < shape.keys.len() {
        return None;
    }
    let mut narrowed = equal > 0;
    if let Some(key) = shape.keys.get(equal) {
        let fits = |c: &Condition| match c.ask {
            Ask::Range(_) => key.ordered,
            Ask::Prefix => key.pattern,
            _ => false,
        };
        if let Some((at, condition)) = position(way, key.operand.as_ref()).find(|(_, c)| fits(c)) {
            // How much a range of the partition key leaves of the partitions that it leaves, no statistics tell: alone it may
            // be all of them.
            let pruned = equal == 0 && table.pruned.contains(condition.operand.column());
            bounds *= if pruned { 1.0 } else { condition.share };
            narrowed = true;
            if let Some(u) = used.get_mut(at) {
                *u = true;
            }
        }
    }
    let ordered = single && !shape.hash && !access.order.is_empty() && gives_order(shape, equal, &access.order, way);
    // A partial index narrows by its predicate alone.
    let narrowed = narrowed || !shape.predicate.is_empty();
    if !narrowed && !ordered {
        return None;
    }
    let mut fetched = bounds * share_held(table, shape);
    for (condition, used) in way.conditions.iter().zip(&used) {
        let column = matches!(&condition.operand, Operand::Column(c) if shape.holds(c));
        let unknown = ordered && !prices.lists_in_order && matches!(condition.ask, Ask::OneOf(_));
        if !used && !implied(condition) && column && !unknown && condition.ask != Ask::Prefix {
            fetched *= condition.share;
        }
    }
    // All conditions met, none left to filter: then the statement's own rows say what is fetched.
    let all = way.residual == 0
        && way
            .conditions
            .iter()
            .zip(&used)
            .all(|(c, u)| *u || implied(c) || matches!(&c.operand, Operand::Column(n) if shape.holds(n)));
    if let Some(rows) = access.rows.filter(|_| way.loops <= 1.0) {
        let measured = (rows / table.rows).clamp(1.0 / table.rows, 1.0);
        if all {
            let relative = (measured / share_held(table, shape)).min(1.0);
            bounds = if used.iter().filter(|u| **u).count() <= 1 { relative } else { bounds.max(relative) };
            fetched = measured;
        } else {
            fetched = fetched.max(measured);
        }
    }
    Some(Match { bounds, fetched, searches, ordered })
}

/// Reading by an index; `None` where it does not help.
pub fn indexed(table: &Table<'_>, access: &Access, way: &Way, shape: &Shape, prices: &Prices) -> Option<Cost> {
    let m = matched(table, access, way, shape, prices)?;
    let leaves = (bytes(table, shape) / PAGE).max(1.0);
    let levels = height(leaves);
    let early = access.stops_after.filter(|_| m.ordered || access.order.is_empty());
    let passing = access.rows.filter(|_| way.loops <= 1.0).unwrap_or(table.rows * way.share()).max(1.0 / table.rows);
    let part = early.map_or(1.0, |rows| (rows / passing).min(1.0));
    let read_leaves = (leaves * m.bounds * part).max(1.0);
    let rows = (table.rows * m.fetched * part).max(0.01);
    let index_only = !access.whole && access.columns.iter().all(|c| shape.holds(c)) && way.residual == 0;
    let visits = if index_only { 1.0 - table.visible } else { 1.0 };
    let scattered = |rows: f64| table.pages * (1.0 - (-rows / table.pages).exp());
    let clustered = |rows: f64| (rows * table.pages / table.rows).min(table.pages);
    let leading = shape.keys.first().and_then(|k| k.operand.as_ref()).map_or("", Operand::column);
    let near = table.columns.get(leading).map_or(0.0, |c| c.correlation).powi(2);
    let heap = |rows: f64| (scattered(rows) * (1.0 - near) + clustered(rows) * near) * visits;
    let blocks = way.loops * (m.searches * levels + read_leaves + heap(rows).max(rows.min(1.0) * visits));
    // The planner counts a block that many loops read only once or so.
    let all_rows = rows * way.loops;
    let leaf_units = (read_leaves * way.loops).min(leaves.max(read_leaves)) * prices.random;
    let cpu = way.loops * (m.searches * levels * 50.0 * CPU_TEST) + all_rows * (CPU_ROW + CPU_ENTRY);
    let entries = table.rows * share_held(table, shape) * m.bounds * part * way.loops * CPU_ENTRY;
    let far = scattered(all_rows) * prices.random;
    let by_order = (far * (1.0 - near) + clustered(all_rows) * prices.sequential * near) * visits;
    let pages = scattered(all_rows).max(1.0);
    let price = prices.random - (prices.random - prices.sequential) * (pages / table.pages).sqrt().min(1.0);
    let unsorted = access.order.is_empty() || !m.ordered;
    let sort = if access.order.is_empty() || m.ordered { 0.0 } else { rows * 0.02 };
    let heap_units =
        if unsorted && way.loops <= 1.0 && early.is_none() { by_order.min(pages * price * visits) } else { by_order };
    Some(Cost { blocks, units: leaf_units + cpu + entries + heap_units + sort })
}

/// The cheapest way for the planner, over all ways and indexes; which index it takes.
pub fn cheapest(
    table: &Table<'_>,
    access: &Access,
    shapes: &[&Shape],
    prices: &Prices,
) -> Option<(Cost, Option<usize>)> {
    let mut best: Option<(Cost, Option<usize>)> = None;
    for way in &access.ways {
        let whole = std::iter::once((sequential(table, access, way, prices), None));
        let by_index =
            shapes.iter().enumerate().filter_map(|(i, s)| Some((indexed(table, access, way, s, prices)?, Some(i))));
        for (cost, index) in whole.chain(by_index) {
            if best.is_none_or(|(b, _)| cost.units < b.units) {
                best = Some((cost, index));
            }
        }
    }
    best
}
