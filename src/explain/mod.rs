//! EXPLAIN output as trees: text as people paste it and JSON, of PostgreSQL 12 to 18, with arithmetic on the nodes.
//!
//! ```text
//! file, cell or log entry ──► frame (psql's framing, several plans) ──► text (headline, props) ──┐
//!                                                                  └──► json ───────────────────┴──► fields ──► Plan
//! ```
//!
//! Both notations fill a node by the names that FORMAT JSON gives its properties, so that the same plan is the same tree.
//! The tree is a list in the order of printing with the position of each parent: nothing here recurses, however deep a
//! plan claims to be. What a node says that has no field of its own is kept as it stands.

mod fields;
mod frame;
#[cfg(test)]
mod frame_tests;
mod headline;
mod json;
mod measure;
mod model;
mod props;
#[cfg(test)]
mod tests;
mod text;

pub use frame::{Piece, could_be, split};
pub use headline::is_headline;
pub use measure::{Estimate, Measured};
pub use model::{Actual, Buffers, Io, Jit, Link, MOST_NODES, Node, Plan, Sort, Trigger};

use serde_json::Value;

/// Why a text is not read as a plan; the words complete "the plan ...".
pub type Unread = &'static str;

/// Reads a plan: what stands in one cell, or one piece of [`split`].
///
/// # Errors
/// Where it is none, or of a format that is not read: why.
pub fn read(plan: &str) -> Result<Plan, Unread> {
    let trimmed = plan.trim_start();
    match trimmed.bytes().next() {
        None => Err("is empty"),
        Some(b'{' | b'[') => {
            let value: Value = serde_json::from_str(trimmed).map_err(|e| {
                if e.is_eof() { "breaks off" } else { "is no JSON that can be read, or is nested too deep" }
            })?;
            json::read(&value)
        }
        Some(b'<') => Err("is in FORMAT XML, which is not read: export FORMAT JSON or TEXT"),
        Some(_) if trimmed.starts_with("- Plan:") || trimmed.starts_with("Query Text: \"") => {
            Err("is in FORMAT YAML, which is not read: export FORMAT JSON or TEXT")
        }
        Some(_) => text::read(plan),
    }
}
