//! The rows of a batch into the series of their objects.

use super::batch::{Batch, Window};
use crate::diff::{Class, DiffRow, Exact};
use crate::ingest::succession::{Slots, Step as Read};
use crate::snapshot::Ints;
use crate::time::Timestamp;
use crate::trend::object::{Part, is_estimate};
use crate::trend::{Follow, Followed, Object, Step};
use rayon::prelude::*;

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

/// The times of a batch's windows, and its steps with the one before the first.
struct Course<'a> {
    /// Which of the columns are estimates.
    estimates: Vec<bool>,
    steps: Vec<&'a Read>,
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
    let course = Course { estimates, steps };
    // Windows that each object has behind it, where that is not none.
    let mut done: Vec<u32> = Vec::new();
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
                course.go(object, slot, *done as usize, at);
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
    objects.list.par_iter_mut().zip(slot_of).with_min_len(16).for_each(|(object, slot)| {
        if slot != NONE {
            let done = done.get(slot as usize).map_or(0, |done| *done as usize);
            course.go(object, slot as usize, done, count);
        }
    });
    objects.snapshots += count;
    if let Some(Window { step, .. }) = batch.windows.pop() {
        follow.passed(count, step.beside);
    }
}

fn view_key(followed: &Followed) -> &'static str {
    followed.view.key.first().copied().unwrap_or_default()
}

impl Course<'_> {
    /// The windows from one to before another, for an object whose row goes on in all of them that have it.
    fn go(&self, object: &mut Object, slot: usize, from: usize, to: usize) {
        let Some(steps) = self.steps.get(from..=to) else { return };
        let mut before = steps.first().and_then(|step| step.row(slot));
        let mut last: Option<Timestamp> = steps.first().and_then(|s| s.beside.meta.taken_at);
        for step in steps.iter().skip(1) {
            let at = step.beside.meta.taken_at;
            let after = step.row(slot);
            if let (Some((was, _)), Some((is, looked))) = (before, after) {
                object.last_seen = at.or(object.last_seen);
                let covered_s = last.zip(at).map(|(a, b)| b.seconds_since(a).max(0.0));
                let cells = was.iter().zip(is).zip(&self.estimates);
                for (series, ((was, is), estimate)) in object.series.iter_mut().zip(cells) {
                    let known = *is != Ints::NULL;
                    let meant = known && (looked || !estimate || !series.is_interrupted());
                    let delta = is.wrapping_sub(*was);
                    series.step(&Step {
                        from: last,
                        at,
                        value: meant.then_some(*is as f64),
                        delta: (known && *was != Ints::NULL && delta >= 0).then_some(Exact::Int(i128::from(delta))),
                        covered_s,
                        class: Class::Ok,
                        exact: true,
                        gap: None,
                    });
                }
            }
            (before, last) = (after, at);
        }
    }
}
