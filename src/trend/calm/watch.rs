//! What of a view's rows is watched.

use crate::diff;
use crate::ingest::succession::Watch;
use crate::trend::Followed;
use crate::trend::object::LOOKS;

/// For the rows of a view; `None` where more is asked of them than a few numbers and times.
pub(super) fn of(followed: &Followed) -> Option<Watch> {
    let looks = LOOKS.iter().filter_map(|name| followed.view.column(name)).map(|(at, _)| at).collect();
    let columns = followed.columns.iter().map(|(at, _)| *at).collect();
    Some(Watch { looks, followed: columns, ..diff::watch(followed.view)? })
}
