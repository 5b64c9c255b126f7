//! What one statement asks of one table.

use super::clause::Clause;
use crate::advisor::sql::{Operand, Sort};
use std::collections::BTreeSet;

/// A statement's reading of a table.
#[derive(Clone, Debug)]
pub struct Access {
    /// Position of the statement in the load.
    pub statement: usize,
    /// Position of the table.
    pub table: usize,
    /// The ways PostgreSQL may go about it: by the table's own conditions, or once for each row of another relation.
    pub ways: Vec<Way>,
    /// The order that makes LIMIT stop early; empty where none can.
    pub order: Vec<Sort>,
    /// Rows that are read in that order before LIMIT is satisfied.
    pub stops_after: Option<f64>,
    /// Rows that pass all conditions, measured, where the statement tells.
    pub rows: Option<f64>,
    /// Columns that are read.
    pub columns: BTreeSet<String>,
    /// Whether all columns are, or the row itself (for an update).
    pub whole: bool,
}

/// One way to the rows.
#[derive(Clone, Debug, Default)]
pub struct Way {
    /// Conditions that an index may answer.
    pub conditions: Vec<Condition>,
    /// How often the table is searched in one call.
    pub loops: f64,
    /// Conditions that no index answers.
    pub residual: usize,
}

/// How a condition narrows a search.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    /// One value.
    Equal,
    /// One of several values: searched one after the other, so no order survives it.
    OneOf(f64),
    /// A range; further columns of a comparison of rows.
    Range(Vec<String>),
    /// Texts that begin with something.
    Prefix,
    /// Only to be filtered by.
    Filter,
}

/// A condition, weighed.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// What is tested.
    pub operand: Operand,
    /// How.
    pub ask: Ask,
    /// Share of the rows that pass, on average.
    pub share: f64,
    /// Share that passes for the most common value.
    pub worst: f64,
    /// As a predicate of a partial index.
    pub clause: Option<Clause>,
    /// Whether statistics back the shares.
    pub known: bool,
}

impl Condition {
    /// Whether it fixes one value.
    pub const fn is_single(&self) -> bool {
        matches!(self.ask, Ask::Equal)
    }

    /// Whether no NULL passes it.
    pub const fn is_strict(&self) -> bool {
        !matches!(self.clause, Some(Clause::IsNull(_)))
    }
}

impl Way {
    /// Share of rows that pass everything an index may answer.
    pub fn share(&self) -> f64 {
        self.conditions.iter().map(|c| c.share).product()
    }

    /// Whether a partial index holds every row that is looked for.
    pub fn implies(&self, predicate: &[Clause]) -> bool {
        predicate.iter().all(|wanted| {
            self.conditions.iter().any(|c| {
                let strict =
                    matches!(wanted, Clause::IsNotNull(column) if c.is_strict() && c.operand.column() == column);
                strict || (c.clause.as_ref() == Some(wanted) && *wanted != Clause::Other)
            })
        })
    }
}
