//! The first screen: the verdict, the score with its arithmetic.

use crate::error::Result;
use crate::report::Block;
use crate::report::draft::{Body, Draft};

/// Writes the section. What it shows stands in the report itself.
#[expect(clippy::unnecessary_wraps, reason = "the signature of every section")]
pub(super) fn write(_draft: &mut Draft<'_>) -> Result<Body> {
    Ok(Body::filled(vec![Block::Verdict, Block::Scores]))
}
