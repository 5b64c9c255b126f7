//! Ages at which PostgreSQL acts on transaction and multixact ids, by version.
//!
//! Source: `varsup.c` (`SetTransactionIdLimit`) and `multixact.c`, PostgreSQL 12 to 18.

use super::{Context, TableFact};

/// Half of the circle of 32-bit ids.
const HALF: f64 = 2_147_483_647.0;

/// Ages at which something happens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Warnings begin.
    pub warning: f64,
    /// New ids are refused.
    pub refusal: f64,
}

impl Limits {
    /// Of transaction ids in a major version.
    pub fn xid(major: u8) -> Self {
        if major >= 14 {
            Self { warning: HALF - 40e6, refusal: HALF - 3e6 }
        } else {
            Self { warning: HALF - 11e6, refusal: HALF - 1e6 }
        }
    }
}

/// How many of the oldest tables are worth naming.
const NAMED: usize = 5;

/// The oldest tables of the exported database by an age column of `table_sizes`, oldest first.
pub fn oldest_tables<'c, 'a>(cx: &'c Context<'a>, column: &str) -> Vec<&'c TableFact<'a>> {
    let mut all: Vec<(i64, &TableFact<'a>)> =
        cx.facts.tables.iter().filter_map(|t| Some((t.sizes?.int(column)?, t))).collect();
    all.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| (a.1.schema(), a.1.name()).cmp(&(b.1.schema(), b.1.name()))));
    all.into_iter().take(NAMED).map(|(_, t)| t).collect()
}
