//! Moments of packed histories.

use super::gather::Group;
use crate::error::{Error, Result};
use crate::pack::{History, is_packed};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The packed history of a path into one, and the name behind it: `packed!/2026-01-01`.
pub(super) fn within_packed(path: &Path) -> Option<(PathBuf, &str)> {
    let text = path.to_str()?;
    text.match_indices("!/").find_map(|(at, _)| {
        let folder = PathBuf::from(&text[..at]);
        is_packed(&folder).then_some((folder, &text[at + 2..]))
    })
}

/// Adds the moments of a packed history, or the one of this name.
pub(super) fn packed(folder: &Path, name: Option<&str>, groups: &mut Vec<Group>) -> Result<()> {
    let history = Arc::new(History::open(folder)?);
    let before = groups.len();
    for (at, meta) in history.metas().enumerate() {
        if name.is_none_or(|name| name == meta.label) {
            groups.push(Group {
                label: meta.label.clone(),
                files: Vec::new(),
                ignored: Vec::new(),
                name_time: meta.taken_at,
                packed: Some((Arc::clone(&history), at)),
            });
        }
    }
    if groups.len() == before {
        let labels: Vec<&str> = history.metas().map(|m| m.label.as_str()).take(8).collect();
        return Err(Error::Input {
            message: format!("find the snapshot `{}` in `{}`", name.unwrap_or_default(), folder.display()),
            hint: Some(format!("it holds {}: {}", history.len(), labels.join(", "))),
        });
    }
    Ok(())
}
