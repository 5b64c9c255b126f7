//! Moments of packed histories.

use super::gather::Group;
use crate::error::{Error, Result};
use crate::meta::{Meta, TimeSource};
use crate::pack::{History, is_packed};
use crate::time::Timestamp;
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
                name_time: Timestamp::from_name(&meta.label).or(meta.taken_at),
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

/// Without rows nothing but the name says when a snapshot was taken whose time is the newest in its rows, as in the folder
/// it was packed from.
pub(super) fn settle_unread(meta: &mut Meta, name_time: Option<Timestamp>) {
    if meta.time_source == Some(TimeSource::NewestInData) && name_time.is_some() {
        meta.taken_at = name_time;
        meta.time_source = Some(TimeSource::Name);
    }
}
