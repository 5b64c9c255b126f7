//! Statements of pg_stat_statements, read: tables, conditions, joins, orders and the columns they touch.
//!
//! ```text
//! text ──► prepare (mended, bounded) ──► squawk-syntax ──► Reader ──► Statement: blocks of relations and terms
//! ```
//!
//! The grammar is PostgreSQL's, the texts are hostile: what is too long or too deep never reaches the parser, and the
//! parser runs on a thread of its own with a large stack. What cannot be read is counted, never guessed.

mod clauses;
mod conditions;
mod expressions;
mod model;
mod names;
mod prepare;
mod reader;
mod tokens;

pub use model::{Block, Edge, Kind, Operand, Relation, Role, Sort, Source, Statement, Term, Test, Value};
pub use names::Names;
pub use prepare::Refused;
pub use reader::{Text, Unread, read_all};
