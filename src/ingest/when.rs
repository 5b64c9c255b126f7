//! When a snapshot was taken, by the best source there is.

use crate::catalog::{Kind, Type};
use crate::meta::{Meta, TimeSource};
use crate::snapshot::{Data, Ints, Snapshot};
use crate::time::Timestamp;

/// Files of one moment may be written this many seconds apart without a word.
const APART: f64 = 600.0;

/// Fills in the capture time that `meta` did not say.
pub(super) fn settle(snapshot: &mut Snapshot, name_time: Option<Timestamp>) {
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
    let mut newest = None;
    for table in snapshot.tables.values() {
        let Some(view) = table.view else { continue };
        for (column, data) in view.columns.iter().zip(&table.columns) {
            // A role's expiry lies in the future.
            let happened =
                column.ty == Type::Time && !matches!(column.kind, Kind::Constant) && !column.name.contains("until");
            if let (true, Some(Data::Int(times))) = (happened, data) {
                newest = times.iter().filter(|t| *t != Ints::NULL).max().max(newest);
            }
        }
    }
    newest.map(Timestamp)
}

/// Gives a snapshot without a time the next one that the user gave.
pub(super) fn fall_back(meta: &mut Meta, given: &mut impl Iterator<Item = Timestamp>) {
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
