//! When a snapshot was taken, by the best source there is.

use crate::catalog::{Kind, Type};
use crate::meta::{Meta, TimeSource};
use crate::snapshot::{Data, Ints, Snapshot};
use crate::time::Timestamp;

/// Files of one moment may be written this many seconds apart without a word.
const APART: f64 = 600.0;

/// Settles when the snapshot was taken, and doubts it where the data contradicts.
pub(super) fn settle(snapshot: &mut Snapshot, name_time: Option<Timestamp>) {
    find(snapshot, name_time);
    doubt(snapshot);
    // Noted where times have no offset and nothing says their zone.
    snapshot.meta.zone_unknown = snapshot.meta.notes.kept.iter().any(|n| n.code == "no-offset")
        && matches!(snapshot.meta.time_source, Some(TimeSource::Meta | TimeSource::Column | TimeSource::NewestInData));
}

/// A clock that says an earlier time than the server wrote into the data is not the server's: the newest of those times
/// is the earliest the snapshot can be of. Files of one export may be read minutes after its clock was.
fn doubt(snapshot: &mut Snapshot) {
    let (Some(taken), Some(newest)) = (snapshot.meta.taken_at, newest(snapshot)) else { return };
    if newest.seconds_since(taken) <= APART {
        return;
    }
    snapshot.meta.notes.say(
        "W-CLOCK",
        format!(
            "it says it was taken at {}, but holds the time {}: not taken before that, so the clock was not the server's",
            taken.human_seconds(),
            newest.human_seconds()
        ),
    );
    snapshot.meta.taken_at = Some(newest);
    snapshot.meta.time_source = Some(TimeSource::NewestInData);
}

/// Fills in the capture time that `meta` did not say.
fn find(snapshot: &mut Snapshot, name_time: Option<Timestamp>) {
    let columns = || snapshot.tables.values().filter_map(|t| t.taken_at);
    if let (Some(first), Some(last)) = (columns().min(), columns().max()) {
        if last.seconds_since(first) > APART {
            snapshot.meta.notes.say(
                "mixed-times",
                format!("the files say capture times from {} to {}", first.human_seconds(), last.human_seconds()),
            );
        }
        if snapshot.meta.taken_at.is_none() {
            snapshot.meta.taken_at = Some(last);
            snapshot.meta.time_source = Some(TimeSource::Column);
        }
    }
    if snapshot.meta.taken_at.is_some() {
        return;
    }
    if let Some(newest) = newest(snapshot) {
        snapshot.meta.taken_at = Some(newest);
        snapshot.meta.time_source = Some(TimeSource::NewestInData);
        snapshot.meta.notes.say(
            "clock",
            format!(
                "nothing says when it was taken; {} is the newest time in the data, so not before",
                newest.human_seconds()
            ),
        );
    } else if let Some(time) = name_time {
        snapshot.meta.taken_at = Some(time);
        snapshot.meta.time_source = Some(TimeSource::Name);
    }
}

/// The newest time that the server wrote into the data.
fn newest(snapshot: &Snapshot) -> Option<Timestamp> {
    let columns: Vec<&Ints> = snapshot
        .tables
        .values()
        .filter_map(|table| Some(table.view?.columns.iter().zip(&table.columns)))
        .flatten()
        // A role's expiry lies in the future.
        .filter(|(c, _)| c.ty == Type::Time && !matches!(c.kind, Kind::Constant) && !c.name.contains("until"))
        .filter_map(|(_, data)| match data {
            Some(Data::Int(times)) => Some(times),
            _ => None,
        })
        .collect();
    columns.iter().filter_map(|times| times.max()).max().map(Timestamp)
}

/// Gives a snapshot without a time the next one that the user gave.
pub(crate) fn fall_back(meta: &mut Meta, given: &mut impl Iterator<Item = Timestamp>) {
    if meta.taken_at.is_some() {
        return;
    }
    match given.next() {
        Some(time) => {
            meta.taken_at = Some(time);
            meta.time_source = Some(TimeSource::Option);
        }
        None => meta.time_source = Some(TimeSource::Unknown),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::literal::literal;
    use std::sync::Arc;

    /// The settled time of a snapshot that says 12:00, holds `newest`, and what was said about it.
    fn settled(newest: &str) -> (String, Option<TimeSource>, Vec<String>) {
        let rows = format!("1 | public | a | {newest}");
        let view = "pg_stat_user_tables";
        let snapshot =
            literal("2026-11-22 12:00:00+00").view(view, "relid | schemaname | relname | last_vacuum", &[&rows]);
        let mut snapshot = Arc::unwrap_or_clone(snapshot.build());
        settle(&mut snapshot, None);
        let codes = snapshot.meta.notes.kept.iter().map(|n| n.code.clone()).collect();
        (snapshot.meta.taken_at.map(Timestamp::human_seconds).unwrap_or_default(), snapshot.meta.time_source, codes)
    }

    #[test]
    fn a_clock_behind_the_data_is_doubted() {
        let twelve = ("22 Nov 2026 12:00:00 UTC".to_owned(), Some(TimeSource::Meta), Vec::new());
        assert_eq!(settled("2026-11-22 11:59:00+00"), twelve);
        assert_eq!(settled("2026-11-22 12:09:00+00"), twelve, "a long export");
        assert_eq!(
            settled("2026-11-22 13:00:01+00"),
            ("22 Nov 2026 13:00:01 UTC".to_owned(), Some(TimeSource::NewestInData), vec!["W-CLOCK".to_owned()])
        );
    }
}
