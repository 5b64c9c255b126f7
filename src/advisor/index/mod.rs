//! Which indexes would relieve the measured load, found without the server.
//!
//! ```text
//! statements ──► Load ──► Access: what each asks of a table, and how often
//!                            │           Shape: what an index can answer, existing or imagined
//!                            ▼             │
//!                          price (pages, planner's units) ──► candidates ──► chosen one by one while they pay
//! ```
//!
//! Measured are calls, buffers and rows of each statement; estimated, from pg_stats and sizes, is what an access would
//! read with an index. A gain never exceeds what was measured. What cannot be judged is counted and said.

mod access;
mod candidates;
mod choose;
mod clause;
mod inner;
mod joins;
mod load;
mod patterns;
mod price;
mod proposal;
mod refine;
mod search_path;
mod seen;
mod selectivity;
mod shape;
mod table;
#[cfg(test)]
pub mod testing;
#[cfg(test)]
mod tests;
mod words;
mod worth;

pub use access::{Access, Condition, Way};
pub use choose::{Limits, Refusals, advise};
pub use clause::Clause;
pub use load::{Load, Read, Unjudged};
pub use price::Prices;
pub use proposal::{Alternative, Proposal, Served};
pub use shape::{Key, Shape};
pub use table::{Column, Table, Writes};
pub use words::{Relief, finding, looked_at};
