//! JSON: the report itself, pretty, with a line feed at the end. Field order is the model's, maps are ordered.

use super::Options;
use crate::error::{Error, Result};
use crate::report::Report;

/// The report as JSON.
pub(super) fn write(report: &Report, _options: &Options) -> Result<String> {
    let mut text =
        serde_json::to_string_pretty(report).map_err(|e| Error::input(format!("write the report as JSON: {e}")))?;
    text.push('\n');
    Ok(text)
}

/// Reads a report that was saved as JSON. Fields that an older program did not write get their defaults; a report of
/// a newer schema is refused.
pub fn read(text: &str) -> Result<Report> {
    #[derive(serde::Deserialize)]
    struct Head {
        schema: Option<u32>,
        sections: Option<serde::de::IgnoredAny>,
    }
    let hint = || Some("give a file that `pgretro report -o report.json` wrote".to_owned());
    let head: Head = serde_json::from_str(text)
        .map_err(|e| Error::Input { message: format!("read the report: not JSON: {e}"), hint: hint() })?;
    match head {
        Head { schema: Some(schema), sections: Some(_) } if schema <= crate::report::SCHEMA => {}
        Head { schema: Some(schema), sections: Some(_) } => {
            return Err(Error::Input {
                message: format!("read the report: its schema {schema} is newer than this program's"),
                hint: Some("use the version of pgretro that wrote it, or a newer one".to_owned()),
            });
        }
        _ => return Err(Error::Input { message: "read the report: this JSON is no report".to_owned(), hint: hint() }),
    }
    serde_json::from_str(text).map_err(|e| Error::Input { message: format!("read the report: {e}"), hint: hint() })
}
