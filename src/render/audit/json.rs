//! JSON: the result itself, pretty, with a line feed at the end.

use super::Options;
use crate::check::Audit;
use crate::error::{Error, Result};

/// The result as JSON.
pub(super) fn write(audit: &Audit, _options: &Options) -> Result<String> {
    let mut text =
        serde_json::to_string_pretty(audit).map_err(|e| Error::input(format!("write the result as JSON: {e}")))?;
    text.push('\n');
    Ok(text)
}
