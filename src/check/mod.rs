//! A policy held against dumps, for audits: every expectation passes, fails or cannot be assessed, with its evidence.
//!
//! ```text
//! policy.toml ──► Policy ──┐
//!                          ├──► audit ──► Audit (lines) ──► table, JSON, SARIF, JUnit
//! Chain, Advice ──► Node ──┘
//! ```
//!
//! What a dump does not say is never a pass: a line that cannot be assessed says why, and what would let it.

mod audit;
mod expect;
mod judge;
mod policy;
mod read;
mod sentinel;

pub use audit::{Audit, AuditedNode, Counts, Line, Outcome, PolicyFile, SCHEMA, audit};
pub use expect::{Compare, Expect, Op};
pub use judge::Node;
pub use policy::{ExtensionName, Item, Policy, Role, What};
