//! An index worth creating, with what led to it.

use super::shape::Shape;

/// A proposal.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// Position of the table.
    pub table: usize,
    /// The index.
    pub shape: Shape,
    /// Its bytes, at most: equal entries share space from 13 on.
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
