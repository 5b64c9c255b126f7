//! The rows of a batch into the series of their objects.

use super::batch::{Batch, Window};
use crate::diff::DiffRow;
use crate::ingest::succession::{Slots, Step as Read};
use crate::snapshot::Ints;
use crate::trend::object::{Part, is_estimate};
use crate::trend::series::Span;
use crate::trend::{Follow, Followed, Object};
use rayon::prelude::*;

/// Objects whose numbers are fetched together: those of a snapshot fill a few lines of the cache.
const ABREAST: usize = 16;
/// No object is followed under this slot.
const NONE: u32 = u32::MAX;

/// Notes which object is followed under a slot.
pub(super) fn put(places: &mut Vec<u32>, slot: u32, object: usize) {
    let slot = slot as usize;
    if places.len() <= slot {
        places.resize(slot + 1, NONE);
    }
    if let (Some(place), Ok(object)) = (places.get_mut(slot), u32::try_from(object)) {
        *place = object;
    }
}

/// A batch's steps, with the one before the first, and the times of the windows between them.
struct Course<'a> {
    /// Which of the columns are estimates.
    estimates: Vec<bool>,
    steps: Vec<&'a Read>,
    spans: Vec<Span>,
}

/// Takes a batch into a history; `first` is the snapshot before it.
pub(super) fn fold(follow: &mut Follow, first: &Read, mut batch: Batch, places: &mut Vec<u32>, slots: &Slots) {
    let diffs: Vec<_> = batch.windows.iter_mut().map(|w| w.diff.take()).collect();
    let followed = match follow.views().first() {
        Some(objects) => objects.followed.clone(),
        None => return,
    };
    let steps: Vec<&Read> = std::iter::once(first).chain(batch.windows.iter().map(|w| &w.step)).collect();
    let estimates = followed.columns.iter().map(|(c, _)| is_estimate(followed.view, *c)).collect();
    let Some(spans) = steps.iter().zip(steps.iter().skip(1)).map(|(a, b)| span(a, b)).collect() else { return };
    let course = Course { estimates, steps, spans };
    // Windows that each object has behind it, where that is not none.
    let mut done: Vec<u32> = Vec::new();
    let mut rows = Vec::new();
    for (at, diff) in diffs.iter().enumerate() {
        let Some(diff) = diff else { continue };
        follow.remember(diff);
        let Some((objects, view)) = follow.objects_mut().zip(diff.views.get(followed.view.name)) else { continue };
        let keys: Vec<i64> =
            view.iter().filter_map(DiffRow::latest).filter_map(|r| r.int(view_key(&followed))).collect();
        for key in &keys {
            let Some(slot) = slots.of(*key).map(|slot| slot as usize) else { continue };
            if done.len() <= slot {
                done.resize(slot + 1, 0);
            }
            if let Some(object) = places.get(slot).and_then(|o| objects.list.get_mut(*o as usize))
                && let Some(done) = done.get_mut(slot)
            {
                course.go([Going { slot, from: *done as usize, object }], at, &mut rows);
            }
            if let Some(done) = done.get_mut(slot) {
                *done = at as u32 + 1;
            }
        }
        objects.window(view, diff, None);
        for key in keys {
            if let (Some(slot), Some(object)) = (slots.of(key), objects.place(&Part::Whole(i128::from(key)))) {
                put(places, slot, object);
            }
        }
    }
    let count = diffs.len();
    let Some(objects) = follow.objects_mut() else { return };
    let mut slot_of = vec![NONE; objects.list.len()];
    for (slot, object) in places.iter().enumerate() {
        if let (Some(place), Ok(slot)) = (slot_of.get_mut(*object as usize), u32::try_from(slot)) {
            *place = slot;
        }
    }
    let mut followed: Vec<(u32, &mut Object)> =
        slot_of.into_iter().zip(&mut objects.list).filter(|(slot, _)| *slot != NONE).collect();
    followed.sort_unstable_by_key(|(slot, _)| *slot);
    followed.par_chunks_mut(ABREAST).with_min_len(2).for_each_init(Vec::new, |rows, objects| {
        let from = |slot: u32| done.get(slot as usize).map_or(0, |done| *done as usize);
        let objects =
            objects.iter_mut().map(|(slot, object)| Going { slot: *slot as usize, from: from(*slot), object });
        course.go(objects, count, rows);
    });
    objects.snapshots += count;
    if let Some(Window { step, .. }) = batch.windows.pop() {
        follow.passed(count, step.beside);
    }
}

fn view_key(followed: &Followed) -> &'static str {
    followed.view.key.first().copied().unwrap_or_default()
}

fn span(before: &Read, after: &Read) -> Option<Span> {
    let (from, at) = before.beside.meta.taken_at.zip(after.beside.meta.taken_at)?;
    Some(Span { from, at, covered_s: at.seconds_since(from).max(0.0) })
}

/// The numbers of an object's rows in snapshots that follow each other; its room is used for one object after the other.
#[derive(Default)]
struct Rows {
    /// For each column followed the number in each snapshot.
    cells: Vec<Vec<i64>>,
    /// Whether a vacuum or analyze had looked at it by then.
    looked: Vec<bool>,
}

impl Rows {
    fn push(&mut self, row: &[i64], looked: bool) {
        if self.cells.len() < row.len() {
            self.cells.resize(row.len(), Vec::new());
        }
        for (cells, cell) in self.cells.iter_mut().zip(row) {
            cells.push(*cell);
        }
        self.looked.push(looked);
    }

    fn clear(&mut self) {
        self.cells.iter_mut().for_each(Vec::clear);
        self.looked.clear();
    }
}

/// An object and the first window that it has before it.
struct Going<'a> {
    slot: usize,
    from: usize,
    object: &'a mut Object,
}

impl Course<'_> {
    /// The windows before `to` of objects whose rows go on in all of them that have them. The numbers of neighbours stand
    /// beside each other in a snapshot, so they are fetched together.
    fn go<'a>(&self, objects: impl IntoIterator<Item = Going<'a>>, to: usize, room: &mut Vec<Rows>) {
        let mut objects: Vec<Going<'a>> = objects.into_iter().collect();
        room.resize_with(room.len().max(objects.len()), Rows::default);
        room.iter_mut().for_each(Rows::clear);
        let from = objects.iter().map(|o| o.from).min().unwrap_or(0);
        for (at, step) in self.steps.iter().enumerate().take(to + 1).skip(from) {
            for (going, rows) in objects.iter_mut().zip(&mut *room).filter(|(going, _)| going.from <= at) {
                if let Some((row, looked)) = step.row(going.slot) {
                    rows.push(row, looked);
                } else {
                    // Where the row is missing there is nothing to go on from.
                    self.stretch(going.object, rows, at);
                    rows.clear();
                }
            }
        }
        for (going, rows) in objects.iter_mut().zip(room) {
            self.stretch(going.object, rows, to + 1);
        }
    }

    /// The windows between snapshots that all have the row; `end` is the snapshot behind them.
    fn stretch(&self, object: &mut Object, rows: &mut Rows, end: usize) {
        let (Some(first), Some(last)) = (end.checked_sub(rows.looked.len()), end.checked_sub(1)) else { return };
        let Some(spans) = self.spans.get(first..last).filter(|spans| !spans.is_empty()) else { return };
        object.last_seen = spans.last().map(|s| s.at).or(object.last_seen);
        for ((series, estimate), cells) in object.series.iter_mut().zip(&self.estimates).zip(&mut rows.cells) {
            if *estimate && series.is_interrupted() {
                // Means nothing until somebody has looked.
                let blind = rows.looked.iter().skip(1).take_while(|looked| !**looked).count();
                cells.iter_mut().skip(1).take(blind).for_each(|cell| *cell = Ints::NULL);
            }
            series.go_on(spans, cells);
        }
    }
}
