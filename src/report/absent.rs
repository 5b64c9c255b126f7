//! What is said where there is nothing to show. "Not captured", "captured and empty", "not applicable" and "nothing
//! wrong" are four different sentences.

use super::draft::Draft;
use super::{Block, CoverageState, NoteKind};
use crate::catalog;
use crate::text::Text;

/// What became of a view in these snapshots.
pub(super) fn state_of(draft: &Draft<'_>, view: &str) -> CoverageState {
    let tables = || draft.chain.snapshots.iter().filter_map(|s| s.table(view));
    if tables().any(|t| t.rows > 0) {
        return CoverageState::Captured;
    }
    if tables().next().is_some() {
        return CoverageState::Empty;
    }
    let known = draft.chain.last().meta.major();
    match catalog::view(view) {
        Some(v) if known.is_some_and(|major| !v.majors.contains(major)) && !is_moved_into(view, known) => {
            CoverageState::NotApplicable
        }
        _ => CoverageState::Missing,
    }
}

/// Whether an older version exported this view's columns under another view.
fn is_moved_into(view: &str, major: Option<u8>) -> bool {
    let (Some(view), Some(major)) = (catalog::view(view), major) else { return false };
    view.columns.iter().any(|c| c.exported_as(major).0.is_some())
}

/// How a missing view is obtained.
pub(super) fn how_to_get(view: &str) -> String {
    match view {
        "pg_stat_statements" | "pg_stat_statements_info" => {
            "shared_preload_libraries = 'pg_stat_statements' (restart), CREATE EXTENSION pg_stat_statements, then \
             pgretro export-sql"
        }
        "pg_stat_user_functions" => "track_functions = 'pl' or 'all', then pgretro export-sql",
        _ => "add it to the dump: pgretro export-sql prints the script",
    }
    .to_owned()
}

/// The sentence for a view without rows; `None` where it has some. `about` is what its rows would be: "wait for a lock".
pub(super) fn sentence(draft: &Draft<'_>, view: &str, none_found: &str) -> Option<Block> {
    let (kind, text) = match state_of(draft, view) {
        CoverageState::Captured => return None,
        CoverageState::Empty => {
            (NoteKind::Info, Text::new().t("Captured and empty: ").code(view).t(" has no rows. ").t(none_found))
        }
        CoverageState::Missing => (
            NoteKind::Missing,
            Text::new().t("Not captured: ").code(view).t(" is not in the dump. To get it: ").t(how_to_get(view)).t("."),
        ),
        CoverageState::NotApplicable => (
            NoteKind::Info,
            Text::new()
                .t("Not applicable: PostgreSQL ")
                .t(draft.chain.last().meta.major().map(|m| m.to_string()).unwrap_or_default())
                .t(" does not have ")
                .code(view)
                .t("."),
        ),
    };
    Some(Block::Note { kind, text })
}
