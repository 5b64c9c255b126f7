//! What is said where there is nothing to show. "Not captured", "captured and empty", "not applicable" and "nothing
//! wrong" are four different sentences.

use super::draft::Draft;
use super::{Block, CoverageState, NoteKind};
use crate::catalog;
use crate::diff::Chain;
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
pub(super) fn how_to_get(view: &str, chain: &Chain) -> String {
    let statements = ["pg_stat_statements", "pg_stat_statements_info"];
    match view {
        _ if statements.contains(&view) && statements.iter().any(|v| chain.last().table(v).is_some()) => {
            "take the dump with the script that `pgretro export-sql` prints; the extension is there (before 1.9 it has no \
             `pg_stat_statements_info`: `ALTER EXTENSION pg_stat_statements UPDATE`)"
        }
        _ if statements.contains(&view) => {
            "add `pg_stat_statements` to `shared_preload_libraries`, beside what is there (restart), run `CREATE EXTENSION \
             pg_stat_statements`, then export again"
        }
        "pg_stat_user_functions" => {
            "take the dump with the script that `pgretro export-sql` prints; the view is empty unless `track_functions` is `pl` \
             or `all`"
        }
        _ => "take the dump with the script that `pgretro export-sql` prints",
    }
    .to_owned()
}

/// One sentence for the views that are missing of these, where there are several.
pub(super) fn missing(draft: &Draft<'_>, views: &[&str]) -> Option<Block> {
    let gone: Vec<&str> =
        views.iter().copied().filter(|view| state_of(draft, view) == CoverageState::Missing).collect();
    let (last, rest) = gone.split_last().filter(|(_, rest)| !rest.is_empty())?;
    let mut text = Text::new().t("Not captured: ");
    for (i, view) in rest.iter().enumerate() {
        text = if i > 0 { text.t(", ").code(*view) } else { text.code(*view) };
    }
    let text = text.t(" and ").code(*last).t(" are not in the dump; ").code("pgretro export-sql");
    Some(Block::Note { kind: NoteKind::Missing, text: text.t(" prints the script that exports them.") })
}

/// Adds a remark of ours: what stands between backticks is code.
pub(super) fn remark(text: Text, remark: &str) -> Text {
    remark
        .split('`')
        .enumerate()
        .fold(text, |text, (i, piece)| if i % 2 == 1 { text.code(piece) } else { text.t(piece) })
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
            remark(
                Text::new().t("Not captured: ").code(view).t(" is not in the dump; "),
                &how_to_get(view, draft.chain),
            )
            .t("."),
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
