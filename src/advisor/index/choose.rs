//! Which candidates pay: chosen one by one, each judged with those before it in place.

use super::access::{Access, Ask};
use super::candidates::{pool, share_written};
use super::load::{Load, Read};
use super::price::{Prices, bytes, cheapest};
use super::proposal::{Proposal, Served, once};
use super::refine::{Judged, MOST_GROWTH, proposal, refined};
use super::shape::Shape;
use super::table::Table;
use std::collections::{BTreeMap, BTreeSet};

/// What decides, from the rule's thresholds.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Rows below which a table is read whole.
    pub min_rows: f64,
    /// Blocks below which a table is read whole.
    pub min_pages: f64,
    /// Blocks a call must read to be worth a thought.
    pub min_buffers: f64,
    /// Largest share of a table that an index is read for.
    pub max_share: f64,
    /// How many times fewer blocks a call must read.
    pub min_ratio: f64,
    /// Share of all buffers that a proposal must spare.
    pub min_gain_share: f64,
    /// How many times its writes it must spare.
    pub min_gain_per_cost: f64,
    /// Most proposals for a table.
    pub max_per_table: usize,
    /// Fewest calls of a statement.
    pub min_calls: f64,
}

/// Why accesses led to nothing, by number.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Refusals {
    /// On tables below the floors.
    pub small: usize,
    /// Cheap already, or every block yields a row.
    pub cheap: usize,
    /// An index would be read for too large a part of the table.
    pub unselective: usize,
    /// Its columns have no statistics.
    pub unknown: usize,
    /// The table was not read sequentially in the window, so another plan must be in use.
    pub not_scanned: usize,
    /// Read by order of a table whose row security adds conditions that are not known.
    pub restricted: usize,
    /// The writes would cost as much as the reads spare.
    pub written: usize,
    /// Served by what exists.
    pub served: usize,
}

/// Blocks that an index adds to a written row: the way down and the leaf.
const BLOCKS_PER_WRITE: f64 = 4.0;
/// Most accesses of a table that are weighed, the heaviest first.
const MAX_ACCESSES: usize = 96;
/// What is larger must be better by this much to be taken.
const WORTH_MORE: f64 = 1.05;
/// An index that also holds what is read must be better by this much than one that does not.
const WORTH_COVERING: f64 = 1.5;
/// The planner must find it cheaper by this much: estimates err.
const PLANNER_MARGIN: f64 = 0.8;

/// A table's accesses while indexes are chosen for it.
struct Asked<'l> {
    access: &'l Access,
    calls: f64,
    /// Blocks a call reads now.
    now: f64,
    units: f64,
}

/// The proposals, the most relieving first, and why the rest led to nothing.
pub fn advise(load: &Load<'_>, limits: &Limits, prices: &Prices) -> (Vec<Proposal>, Refusals) {
    let mut refusals = Refusals::default();
    let mut proposals = Vec::new();
    // What one proposal spares of a statement, another one cannot spare again.
    let mut left: Vec<f64> = load.statements.iter().map(|s| s.own_buffers() / s.calls.max(1.0)).collect();
    let mut by_table: BTreeMap<usize, Vec<&Access>> = BTreeMap::new();
    for access in &load.accesses {
        by_table.entry(access.table).or_default().push(access);
    }
    let weight = |accesses: &[&Access]| -> f64 {
        let each = accesses.iter().filter_map(|a| load.statements.get(a.statement)).map(Read::own_buffers);
        each.sum()
    };
    let mut tables: Vec<(usize, Vec<&Access>)> = by_table.into_iter().collect();
    tables.sort_by(|(i, a), (j, b)| weight(b).total_cmp(&weight(a)).then(i.cmp(j)));
    for (at, mut accesses) in tables {
        let Some(table) = load.tables.get(at) else { continue };
        if table.rows < limits.min_rows || table.pages < limits.min_pages {
            refusals.small += accesses.len();
            continue;
        }
        let heavy = |a: &Access| load.statements.get(a.statement).map_or(0.0, Read::own_buffers);
        accesses.sort_by(|a, b| heavy(b).total_cmp(&heavy(a)).then(a.statement.cmp(&b.statement)));
        accesses.truncate(MAX_ACCESSES);
        let mut shapes: Vec<Shape> = table.indexes.iter().map(|(_, s)| s.clone()).collect();
        for _ in 0..limits.max_per_table {
            let last = proposals.len();
            let mut counted = Refusals::default();
            let asked = asked(load, table, &accesses, &shapes, &left, limits, prices, &mut counted);
            let chosen = choose(load, table, &asked, &shapes, limits, prices, &mut counted);
            if last == proposals.len() && shapes.len() == table.indexes.len() {
                refusals.add(&counted);
            }
            let Some((best, others)) = chosen else { break };
            for served in &best.served {
                if let Some(l) = left.get_mut(served.statement) {
                    *l = (*l - (served.before - served.after)).max(0.0);
                }
            }
            shapes.push(best.shape.clone());
            proposals.push(proposal(at, best, &others));
        }
    }
    proposals.sort_by(|a, b| b.gain.total_cmp(&a.gain).then_with(|| (a.table, &a.shape).cmp(&(b.table, &b.shape))));
    (proposals, refusals)
}

impl Refusals {
    fn add(&mut self, other: &Self) {
        self.small += other.small;
        self.cheap += other.cheap;
        self.unselective += other.unselective;
        self.unknown += other.unknown;
        self.not_scanned += other.not_scanned;
        self.restricted += other.restricted;
        self.written += other.written;
        self.served += other.served;
    }
}

/// The accesses that something could be done for.
#[expect(clippy::too_many_arguments, reason = "one step of one loop, named for what it does")]
fn asked<'l>(
    load: &'l Load<'_>,
    table: &Table<'_>,
    accesses: &[&'l Access],
    shapes: &[Shape],
    left: &[f64],
    limits: &Limits,
    prices: &Prices,
    refusals: &mut Refusals,
) -> Vec<Asked<'l>> {
    let mut out = Vec::new();
    let known: Vec<&Shape> = shapes.iter().collect();
    for access in accesses {
        let Some(statement) = load.statements.get(access.statement) else { continue };
        let measured = left.get(access.statement).copied().unwrap_or(0.0);
        let Some((cost, index)) = cheapest(table, access, &known, prices) else { continue };
        let now = cost.blocks.min(measured);
        let yields = statement.rows >= statement.own_buffers();
        if statement.calls < limits.min_calls || measured < limits.min_buffers || yields {
            refusals.cheap += 1;
            continue;
        }
        if now < limits.min_buffers {
            refusals.served += 1;
            continue;
        }
        // How far an order is read for LIMIT rows depends on all conditions.
        if table.restricted && access.stops_after.is_some() && !access.order.is_empty() {
            refusals.restricted += 1;
            continue;
        }
        let scans = access.ways.iter().any(|w| !w.conditions.is_empty()) || !access.order.is_empty();
        if !scans {
            continue;
        }
        // An estimate says that the table is read whole, the counters say that it was not.
        if index.is_none() && table.scanned.is_some_and(|read| read < table.rows.min(1e9) * 0.5) {
            refusals.not_scanned += 1;
            continue;
        }
        if access.ways.iter().flat_map(|w| &w.conditions).any(|c| !c.known) {
            refusals.unknown += 1;
        }
        out.push(Asked { access, calls: statement.calls, now, units: cost.units });
    }
    out
}

/// Largest share of the table that a search through this index may read, by the worst value of its conditions.
fn worst_share(access: &Access, shape: &Shape) -> f64 {
    let of_way = |way: &super::access::Way| {
        let first = shape.keys.first().and_then(|k| k.operand.as_ref());
        if !way
            .conditions
            .iter()
            .any(|c| Some(&c.operand) == first || c.clause.as_ref().is_some_and(|cl| shape.predicate.contains(cl)))
        {
            return None;
        }
        let held = way.conditions.iter().filter(|c| {
            shape.keys.iter().any(|k| k.operand.as_ref() == Some(&c.operand))
                || c.clause.as_ref().is_some_and(|cl| shape.predicate.contains(cl))
        });
        held.map(|c| c.worst).min_by(f64::total_cmp)
    };
    access.ways.iter().filter_map(of_way).min_by(f64::total_cmp).unwrap_or(1.0)
}

/// How much it is left to luck how far a search by order with LIMIT must read: not at all where its conditions bound
/// the search, somewhat where the index filters by them, much where each row must be fetched to know. A value that is
/// rare, or no longer comes, is then looked for in everything. Where the keys that are fixed leave few rows even for
/// their most common value (`few`), all of them are read at no risk.
fn luck(access: &Access, shape: &Shape, few: f64) -> u8 {
    if access.stops_after.is_none() || access.order.is_empty() {
        return 0;
    }
    let of_way = |way: &super::access::Way| {
        let is_key = |at: usize, c: &super::access::Condition| {
            shape.keys.get(at).and_then(|k| k.operand.as_ref()) == Some(&c.operand)
        };
        let fixed =
            |at: usize| way.conditions.iter().any(|c| is_key(at, c) && matches!(c.ask, Ask::Equal | Ask::OneOf(_)));
        let fixed = (0..shape.keys.len()).take_while(|at| fixed(*at)).count();
        let held = way.conditions.iter().filter(|c| (0..fixed).any(|at| is_key(at, c)));
        if held.map(|c| c.worst).min_by(f64::total_cmp).is_some_and(|worst| worst <= few) {
            return 0;
        }
        let left = way.conditions.iter().map(|c| {
            let implied = c.clause.as_ref().is_some_and(|cl| shape.predicate.contains(cl));
            if implied || (0..=fixed).any(|at| is_key(at, c)) {
                0
            } else if shape.holds(c.operand.column()) {
                1
            } else {
                2
            }
        });
        left.max().unwrap_or(0)
    };
    access.ways.iter().map(of_way).min().unwrap_or(0)
}

fn judge(
    load: &Load<'_>,
    table: &Table<'_>,
    asked: &[Asked<'_>],
    shapes: &[Shape],
    shape: &Shape,
    limits: &Limits,
    prices: &Prices,
) -> (Judged, bool) {
    let mut served: BTreeMap<usize, Served> = BTreeMap::new();
    let (mut worst, mut unselective, mut lucky) = (0.0_f64, false, 0);
    let with: Vec<&Shape> = shapes.iter().chain(std::iter::once(shape)).collect();
    for a in asked {
        let Some((cost, index)) = cheapest(table, a.access, &with, prices) else { continue };
        if index != Some(shapes.len())
            || cost.units > a.units * PLANNER_MARGIN
            || cost.blocks * limits.min_ratio > a.now
        {
            continue;
        }
        let stops = a.access.stops_after.is_some() && !a.access.order.is_empty();
        let share = worst_share(a.access, shape);
        // A measured number of rows says how selective it is in fact, except for flags, whose values differ too much.
        let flag = shape.keys.len() == 1
            && shape.predicate.is_empty()
            && shape
                .keys
                .iter()
                .filter_map(|k| k.operand.as_ref())
                .any(|o| table.columns.get(o.column()).is_some_and(|c| c.distinct <= 10.0));
        let measured = a.access.rows.map(|r| r / table.rows).filter(|_| !flag);
        if !stops && measured.unwrap_or(share) > limits.max_share {
            unselective = true;
            continue;
        }
        if !stops {
            worst = worst.max(share);
        }
        lucky = lucky.max(luck(a.access, shape, limits.min_buffers / table.rows));
        let gain = (a.now - cost.blocks).max(0.0);
        let entry = served.entry(a.access.statement).or_insert(Served {
            statement: a.access.statement,
            before: 0.0,
            after: 0.0,
            gain: 0.0,
        });
        entry.before += a.now;
        entry.after += cost.blocks;
        entry.gain += gain * a.calls;
    }
    let mut served: Vec<Served> = served.into_values().collect();
    for s in &mut served {
        // Two readings of one table by one statement cannot spare more than the statement reads.
        if let Some(statement) = load.statements.get(s.statement) {
            s.gain = s.gain.min(statement.own_buffers());
        }
    }
    served.sort_by(|a, b| b.gain.total_cmp(&a.gain).then(a.statement.cmp(&b.statement)));
    let gain = once(load, &served, |s| s.gain);
    let (cost, lost_hot) = writing(load, table, shape);
    (
        Judged { shape: shape.clone(), gain, cost, lost_hot, bytes: bytes(table, shape), served, worst, luck: lucky },
        unselective,
    )
}

/// Blocks that the writes of the window would have cost more, and updates that would have stopped being heap-only.
fn writing(load: &Load<'_>, table: &Table<'_>, shape: &Shape) -> (f64, f64) {
    let columns: BTreeSet<&str> = shape.columns().collect();
    let touched: f64 = load
        .updates
        .iter()
        .filter(|u| u.relid == table.relid && u.columns.iter().any(|c| columns.contains(c.as_str())))
        .map(|u| u.rows)
        .sum();
    let hot_share = if table.writes.updated > 0.0 { table.writes.hot / table.writes.updated } else { 0.0 };
    let lost = (touched.min(table.writes.updated) * hot_share).max(0.0);
    let plain = table.writes.inserted + (table.writes.updated - table.writes.hot).max(0.0);
    // An update that is no longer heap-only writes every index.
    let others = table.indexes.len() + table.invalid.len();
    let cost = BLOCKS_PER_WRITE * (plain * share_written(table, shape) + lost * (others + 1) as f64);
    (cost, lost)
}

fn choose(
    load: &Load<'_>,
    table: &Table<'_>,
    asked: &[Asked<'_>],
    shapes: &[Shape],
    limits: &Limits,
    prices: &Prices,
    refusals: &mut Refusals,
) -> Option<(Judged, Vec<Judged>)> {
    if asked.is_empty() {
        return None;
    }
    let accesses: Vec<&Access> = asked.iter().map(|a| a.access).collect();
    let updated: BTreeSet<String> =
        load.updates.iter().filter(|u| u.relid == table.relid).flat_map(|u| u.columns.iter().cloned()).collect();
    let mut judged = Vec::new();
    let (mut unselective, mut written) = (false, false);
    for shape in pool(table, &accesses, &updated) {
        let (one, too_wide) = judge(load, table, asked, shapes, &shape, limits, prices);
        unselective |= too_wide;
        if one.served.is_empty() {
            continue;
        }
        if one.gain < one.cost * limits.min_gain_per_cost {
            written = true;
            continue;
        }
        if one.gain >= load.buffers * limits.min_gain_share {
            judged.push(one);
        }
    }
    let worth = |j: &Judged| (j.gain - j.cost) / if j.shape.include.is_empty() { 1.0 } else { WORTH_COVERING };
    judged.sort_by(|a, b| worth(b).total_cmp(&worth(a)).then_with(|| a.shape.cmp(&b.shape)));
    let Some(top) = judged.first().map(&worth) else {
        refusals.unselective += usize::from(unselective);
        refusals.written += usize::from(written && !unselective);
        return None;
    };
    // Among those that are about as good, what leaves least to luck, then the smallest; keys decide between equals.
    let good = |j: &Judged| worth(j) * WORTH_MORE >= top;
    let smallest = judged.iter().filter(|j| good(j)).map(|j| j.bytes).min_by(f64::total_cmp).unwrap_or(0.0);
    let best = judged
        .iter()
        .enumerate()
        .filter(|(_, j)| good(j) && j.bytes <= smallest * MOST_GROWTH)
        .min_by(|(_, a), (_, b)| {
            a.luck
                .cmp(&b.luck)
                .then_with(|| a.bytes.total_cmp(&b.bytes))
                .then_with(|| a.shape.keys.len().cmp(&b.shape.keys.len()))
                .then_with(|| worth(b).total_cmp(&worth(a)))
                .then_with(|| a.shape.cmp(&b.shape))
        })
        .map(|(i, _)| i)?;
    let best = judged.remove(best);
    match refined(&best, &judged, limits) {
        Some(at) => {
            let better = judged.remove(at);
            judged.insert(0, best);
            Some((better, judged))
        }
        None => Some((best, judged)),
    }
}
