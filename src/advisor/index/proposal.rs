//! An index worth creating, with what led to it.

use super::load::Load;
use super::shape::Shape;
use crate::advisor::statement::{Family, family};

/// A proposal.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// Position of the table.
    pub table: usize,
    /// The index.
    pub shape: Shape,
    /// Its bytes, about: equal entries share space from 13 on, and a width in pg_stats is cut to whole bytes.
    pub bytes: f64,
    /// The statements it serves, the most relieved first.
    pub served: Vec<Served>,
    /// Blocks it would have spared in the window.
    pub gain: f64,
    /// Blocks that writing it would have cost in the window.
    pub cost: f64,
    /// Updates in the window that would no longer be heap-only.
    pub lost_hot: f64,
    /// Other indexes that were weighed, the best first.
    pub alternatives: Vec<Alternative>,
    /// Largest share of the rows that a common value leaves to be read, where no order stops the reading.
    pub worst: f64,
}

/// A statement that a proposal serves.
#[derive(Clone, Copy, Debug)]
pub struct Served {
    /// Its position in the load.
    pub statement: usize,
    /// Blocks a call reads now, of this table.
    pub before: f64,
    /// Blocks a call would read.
    pub after: f64,
    /// Blocks spared in the window.
    pub gain: f64,
}

/// What an index spares of statements, each block or second once, at the least.
///
/// With `pg_stat_statements.track = all` a write counts what foreign keys, triggers and functions run inside of it, and
/// these statements have rows of their own as well. Which of them ran in which write nothing tells: all that both have
/// is taken to be the same. A query is taken to run none of them.
pub(super) fn once(load: &Load<'_>, served: &[Served], spared: impl Fn(&Served) -> f64) -> f64 {
    let (mut all, mut nested, mut writes) = (0.0, 0.0, 0.0);
    for one in served {
        let Some(read) = load.statements.get(one.statement) else { continue };
        let amount = spared(one);
        all += amount;
        if read.placed {
            continue;
        }
        if read.nested {
            nested += amount;
        } else if read.row.text("query").map(family) != Some(Family::Query) {
            writes += amount;
        }
    }
    all - f64::min(nested, writes)
}

/// An index that was weighed and not taken.
#[derive(Clone, Debug)]
pub struct Alternative {
    /// The index.
    pub shape: Shape,
    /// Share of the proposal's gain that it would have had.
    pub gain_share: f64,
    /// How many statements it would serve.
    pub statements: usize,
    /// Its bytes against the proposal's.
    pub size_share: f64,
    /// Whether it leaves more to luck: how far a search by order reads until LIMIT is satisfied.
    pub chancy: bool,
}
