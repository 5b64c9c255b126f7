//! Evidence: the register.

use crate::error::Result;
use crate::report::Block;
use crate::report::cells::prose;
use crate::report::draft::{Body, Draft};

/// Writes the section. The register itself is filled by everything written before it.
#[expect(clippy::unnecessary_wraps, reason = "the signature of every section")]
pub(super) fn write(draft: &mut Draft<'_>) -> Result<Body> {
    draft.cite_score();
    let n = draft.register.len();
    Ok(Body::filled(vec![
        prose("Every number of the findings, and every table, points here: the view and columns it was read from, the place in the files, and the formula where it was computed."),
        Block::Evidence,
    ])
    .count(n))
}
