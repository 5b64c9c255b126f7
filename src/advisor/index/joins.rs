//! From a statement's blocks to what it asks of each table: which relation is read first, which are looked up.

use super::access::{Access, Ask, Condition, Way};
use super::selectivity::{close_ranges, distinct, equal, weigh};
use super::table::Table;
use crate::advisor::sql::{Block, Kind, Operand, Role, Source, Statement, Test};
use std::collections::BTreeMap;

/// Rows of a relation that nothing is known of.
const UNKNOWN_ROWS: f64 = 100.0;
/// Rows that an inner LIMIT lets through: its number is a parameter.
const INNER_LIMIT: f64 = 50.0;

/// What is known around one statement.
pub struct Reading<'t, 'a> {
    /// The statement's position.
    pub statement: usize,
    /// Its blocks.
    pub text: &'t Statement,
    /// Tables by position.
    pub tables: &'t [Table<'a>],
    /// Their positions by OID.
    pub by_relid: &'t BTreeMap<i64, usize>,
    /// Rows it returned or changed per call, measured.
    pub rows_per_call: Option<f64>,
}

/// A relation while the order of joins is looked for.
struct Part {
    /// Rows after its own conditions.
    rows: f64,
    table: Option<usize>,
    conditions: Vec<Condition>,
}

impl Reading<'_, '_> {
    /// What the statement asks of each table.
    pub fn accesses(&self) -> Vec<Access> {
        (0..self.text.blocks.len()).flat_map(|at| self.block_accesses(at)).collect()
    }

    fn table_of(&self, source: Source) -> Option<usize> {
        match source {
            Source::Table(relid) => self.by_relid.get(&relid).copied(),
            _ => None,
        }
    }

    fn parts(&self, block: &Block, depth: usize) -> Vec<Part> {
        let part = |(i, relation): (usize, &crate::advisor::sql::Relation)| {
            let table = self.table_of(relation.source);
            let mut conditions = Vec::new();
            let mut rows = match relation.source {
                Source::Block(inner) => self.block_rows(inner, depth + 1),
                _ => UNKNOWN_ROWS,
            };
            if let Some(t) = table.and_then(|t| self.tables.get(t)) {
                let own = block.terms.iter().filter(|t| t.relation == i);
                let mut tests: Vec<(Operand, Test)> = own.map(|t| (t.operand.clone(), t.test.clone())).collect();
                close_ranges(&mut tests);
                conditions = tests.iter().filter_map(|(operand, test)| weigh(t, operand, test)).collect();
                rows = t.rows * conditions.iter().map(|c| c.share).product::<f64>();
                for inner in block.terms.iter().filter(|t| t.relation == i) {
                    if let Test::InBlock(query) = inner.test {
                        let found = self.block_rows(query, depth + 1) * equal(t, inner.operand.column()).0;
                        rows *= found.min(1.0);
                    }
                }
            }
            Part { rows: rows.max(0.01), table, conditions }
        };
        block.relations.iter().enumerate().map(part).collect()
    }

    /// The order in which relations are joined, the one with the fewest rows first, and the rows before each.
    fn join_order(&self, block: &Block, parts: &[Part]) -> Vec<(usize, f64)> {
        let first = (0..parts.len())
            .filter(|i| block.relations.get(*i).is_some_and(|r| !r.nullable))
            .min_by(|a, b| rows_of(parts, *a).total_cmp(&rows_of(parts, *b)).then(a.cmp(b)))
            .or(if parts.is_empty() { None } else { Some(0) });
        let Some(first) = first else { return Vec::new() };
        let mut order = vec![(first, 1.0)];
        let mut rows = rows_of(parts, first);
        let mut left: Vec<usize> = (0..parts.len()).filter(|i| *i != first).collect();
        while !left.is_empty() {
            let next = left
                .iter()
                .map(|i| (*i, self.joined(block, parts, &order, rows, *i)))
                .min_by(|(i, a), (j, b)| a.total_cmp(b).then(i.cmp(j)));
            let Some((next, after)) = next else { break };
            left.retain(|i| *i != next);
            order.push((next, rows));
            rows = after;
        }
        order
    }

    /// Rows after a relation has been joined to those before.
    fn joined(&self, block: &Block, parts: &[Part], before: &[(usize, f64)], rows: f64, next: usize) -> f64 {
        let mut out = rows * rows_of(parts, next);
        let mut edges = 0;
        for edge in &block.edges {
            let sides = if edge.left.0 == next {
                Some((&edge.left, &edge.right))
            } else if edge.right.0 == next {
                Some((&edge.right, &edge.left))
            } else {
                None
            };
            let Some((own, other)) = sides.filter(|(_, o)| before.iter().any(|(b, _)| *b == o.0)) else { continue };
            let values = |(relation, column): &(usize, String)| {
                let part = parts.get(*relation)?;
                Some(distinct(self.tables.get(part.table?)?, column))
            };
            let most = values(own).into_iter().chain(values(other)).fold(1.0_f64, f64::max);
            out /= if most > 1.0 { most } else { UNKNOWN_ROWS };
            edges += 1;
        }
        // A relation that nothing joins comes last.
        if edges == 0 && !before.is_empty() { out.max(1.0) * 1e6 } else { out.max(0.01) }
    }

    /// Rows that a block delivers.
    fn block_rows(&self, at: usize, depth: usize) -> f64 {
        let Some(block) = self.text.blocks.get(at).filter(|_| depth < 16) else { return UNKNOWN_ROWS };
        if let (Role::Top, Some(rows)) = (block.role, self.rows_per_call.filter(|_| !block.condenses)) {
            return rows.max(1.0);
        }
        let parts = self.parts(block, depth);
        let order = self.join_order(block, &parts);
        let found = match order.split_last() {
            Some(((last, rows), before)) if !before.is_empty() => self.joined(block, &parts, before, *rows, *last),
            Some(((only, _), _)) => rows_of(&parts, *only),
            None => UNKNOWN_ROWS,
        };
        let found = if block.limited { found.min(INNER_LIMIT) } else { found };
        if block.condenses { (found / 10.0).max(1.0) } else { found.max(1.0) }
    }

    fn block_accesses(&self, at: usize) -> Vec<Access> {
        let Some(block) = self.text.blocks.get(at) else { return Vec::new() };
        let parts = self.parts(block, 0);
        let order = self.join_order(block, &parts);
        let outer = if block.correlated { block.parent.map_or(1.0, |p| self.block_rows(p, 1)) } else { 1.0 };
        let mut out = Vec::new();
        for (place, (i, rows_before)) in order.iter().enumerate() {
            let Some((part, relation)) = parts.get(*i).zip(block.relations.get(*i)) else { continue };
            let Some((position, table)) = part.table.and_then(|t| Some((t, self.tables.get(t)?))) else { continue };
            let own = Way { conditions: part.conditions.clone(), loops: outer, residual: relation.residual };
            let mut ways = Vec::new();
            // EXISTS may be joined: then its table is read once, without the condition on the outer row.
            if block.role == Role::Semi && block.correlated {
                let refers = |c: &Condition| {
                    block.terms.iter().any(|t| t.relation == *i && t.operand == c.operand && is_outer(&t.test))
                };
                let conditions = own.conditions.iter().filter(|c| !refers(c)).cloned().collect();
                ways.push(Way { conditions, loops: 1.0, residual: own.residual + 1 });
            }
            ways.push(own.clone());
            let lookups = Self::lookups(block, *i, order.get(..place).unwrap_or_default(), table);
            if !lookups.is_empty() {
                let mut way = own.clone();
                way.loops *= rows_before.max(1.0);
                way.conditions.extend(lookups);
                ways.push(way);
            }
            for term in block.terms.iter().filter(|t| t.relation == *i) {
                if let Test::InBlock(query) = term.test
                    && self.text.blocks.get(query).is_some_and(|b| !b.correlated)
                {
                    let mut way = own.clone();
                    way.loops *= self.block_rows(query, 1);
                    way.conditions.push(looked_up(table, &term.operand));
                    ways.push(way);
                }
            }
            let stops_after = if place == 0 { self.stops_after(block, &parts, *i) } else { None };
            let ordered = stops_after.is_some() && block.ordered;
            let order =
                if ordered { block.order.iter().filter(|s| s.relation == *i).cloned().collect() } else { Vec::new() };
            out.push(Access {
                statement: self.statement,
                table: position,
                rows: self.measured_rows(block),
                ways,
                order,
                stops_after,
                columns: relation.columns.clone(),
                // A lock is on the row itself, too.
                whole: relation.star || block.lock.is_some() || (block.kind != Kind::Select && *i == 0),
            });
        }
        out
    }

    /// Equalities with relations that come before: one lookup for each of their rows.
    fn lookups(block: &Block, relation: usize, before: &[(usize, f64)], table: &Table<'_>) -> Vec<Condition> {
        let mut out: Vec<Condition> = Vec::new();
        for edge in &block.edges {
            let sides = if edge.left.0 == relation { (&edge.left, edge.right.0) } else { (&edge.right, edge.left.0) };
            let (own, other) = sides;
            let follows = own.0 == relation && before.iter().any(|(b, _)| *b == other);
            if follows && edge.first != Some(relation) && !out.iter().any(|c| c.operand.column() == own.1) {
                out.push(looked_up(table, &Operand::Column(own.1.clone())));
            }
        }
        out
    }

    /// Rows after which LIMIT ends the reading of the first relation; `None` where everything must be read.
    fn stops_after(&self, block: &Block, parts: &[Part], relation: usize) -> Option<f64> {
        // How much an OFFSET skips is not known: it may be everything.
        if !block.limited || block.skips || (block.condenses && !block.extreme) {
            return None;
        }
        // Nor how many rows are read in vain for a condition that nothing is known of.
        let blind = |t: &crate::advisor::sql::Term| t.relation == relation && matches!(t.test, Test::Like(_));
        let unknown = parts.get(relation).is_some_and(|p| p.conditions.iter().any(|c| !c.known));
        if unknown || block.terms.iter().any(blind) || block.relations.get(relation).is_some_and(|r| r.residual > 0) {
            return None;
        }
        if block.ordered && (block.order.is_empty() || block.order.iter().any(|s| s.relation != relation)) {
            return None;
        }
        let wanted = match block.role {
            _ if block.extreme => 1.0,
            Role::Top => self.rows_per_call.unwrap_or(INNER_LIMIT).max(1.0),
            _ => INNER_LIMIT,
        };
        // What other relations sort out must be read in vain.
        let kept = parts.iter().enumerate().filter(|(i, _)| *i != relation).filter_map(|(_, p)| {
            let table = self.tables.get(p.table?)?;
            Some((p.rows / table.rows).clamp(0.001, 1.0))
        });
        let kept: f64 = kept.product();
        Some(wanted / kept)
    }

    /// Rows that pass all conditions of a block with one relation, where the statement's count of rows tells.
    fn measured_rows(&self, block: &Block) -> Option<f64> {
        let alone = block.relations.len() == 1 && !block.terms.iter().any(|t| matches!(t.test, Test::InBlock(_)));
        let told = block.role == Role::Top && !block.condenses && !block.limited && !block.skips;
        self.rows_per_call.filter(|_| alone && told && self.text.blocks.len() == 1)
    }
}

fn rows_of(parts: &[Part], at: usize) -> f64 {
    parts.get(at).map_or(UNKNOWN_ROWS, |p| p.rows)
}

fn is_outer(test: &Test) -> bool {
    matches!(test, Test::Equal(crate::advisor::sql::Value::Outer))
}

fn looked_up(table: &Table<'_>, operand: &Operand) -> Condition {
    let (share, worst, known) = equal(table, operand.column());
    Condition { operand: operand.clone(), ask: Ask::Equal, share, worst, clause: None, known }
}
