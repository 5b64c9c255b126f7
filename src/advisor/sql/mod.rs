//! Statements of pg_stat_statements, read: tables, conditions, joins, orders and the columns they touch.
//!
//! ```text
//! text ──► prepare (mended, bounded) ──► squawk-syntax ──► Reader ──► Statement: blocks of relations and terms
//! ```
//!
//! Bodies of functions are taken apart into their statements ([`routine()`]), and texts that the server counts as one
//! statement have one canonical form ([`canonical()`]).
//!
//! The grammar is PostgreSQL's, the texts are hostile: what is too long or too deep never reaches the parser, and the
//! parser runs on a thread of its own with a large stack. What cannot be read is counted, never guessed.

mod canonical;
mod clauses;
mod conditions;
mod expressions;
mod model;
mod names;
mod prepare;
mod reader;
mod routine;
mod tokens;

pub use canonical::{Canonical, canonical};
pub use model::{
    Block, Edge, Kind, Operand, Otherwise, Relation, Role, RowLock, Sort, Source, Statement, Term, Test, Value,
    Wrapped, Wrapper,
};
pub use names::{Mentioned, Names};
pub use prepare::Refused;
pub use reader::{Text, Unread, read_all};
pub use routine::{Form, Piece, Routine, atomic, routine};
