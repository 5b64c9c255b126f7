//! Histories in which nearly all rows of a view go on from snapshot to snapshot: their numbers go from the file straight
//! into the series, and only the rows that do not go on are subtracted and judged. Snapshots that are read whole (packed, JSON, in
//! archives) go the same way with their tables in the place of files.
//!
//! What is said of a history is the same as when every window is subtracted ([`super::Follow::push`]), bit by bit: a row
//! goes on here only where the decision on it would be `ok` whatever else there is. Snapshots and windows that are not
//! that simple are pushed as always.
//!
//! * `watch`: what of a view's rows is watched
//! * `batch`: some dozen snapshots read, in stretches that follow each other, on all cores
//! * `fold`: their rows into the series, object by object, on all cores

mod batch;
mod fold;
mod watch;

use super::read::{Moment, Request};
use super::{Follow, Plan};
use crate::ingest::succession::{Slots, Stretches, Succession, Tables};
use crate::meta::TimeSource;
use crate::snapshot::Snapshot;
use batch::{Batch, Reader, Way};

/// Bytes that the numbers of a batch may take.
const ROOM: usize = 8 << 20;
/// Bytes that snapshots read whole may take in a batch.
const WHOLE: usize = 24 << 20;
/// Snapshots read whole in the first batch.
const FIRST: usize = 16;
/// Snapshots in a batch at most.
const MOST: usize = 256;

/// A history being read.
pub(super) struct Calm<'a> {
    request: &'a Request,
    way: Way,
    /// Bytes that a snapshot takes while it is compared.
    weight: usize,
    /// Snapshots that are worth reading at once: about as many as were taken before something happened.
    reach: usize,
    slots: Slots,
}

/// Whether a plan asks only for what can be read this way: numbers of one view.
pub(super) fn suits(plan: &Plan) -> bool {
    !plan.watched && plan.followed.len() == 1
}

impl<'a> Calm<'a> {
    /// For a history of snapshots like this one, the first of the moments; `None` where it cannot be read this way.
    pub fn new(request: &'a Request, moments: &[&Moment], like: &Snapshot) -> Option<Self> {
        let followed = request.plan.followed.first().filter(|_| suits(&request.plan))?;
        let clocked = |m: &&Moment| matches!(m.meta.time_source, Some(TimeSource::Meta | TimeSource::Column));
        let watch = watch::of(followed)?;
        let clocked = moments.iter().any(clocked);
        let files = Succession::new(&watch, &moments.first()?.opened, &request.plan.wanted(), clocked);
        let (way, weight) = if let Some(files) = files {
            (Way::Files(Box::new(files)), 0)
        } else {
            let cells = like.table(watch.view.name).map_or(0, |table| table.rows * table.columns.len());
            let tables = Box::new(Tables::new(&watch, like)?);
            let way = if moments.first()?.opened.is_packed() {
                Way::Packed(Box::new(Stretches::new((*tables).clone())), tables)
            } else {
                Way::Tables(tables)
            };
            (way, cells * size_of::<i64>())
        };
        Some(Self { request, way, weight, reach: FIRST, slots: Slots::default() })
    }

    /// Goes on from the first of some moments, which was pushed before, as far as it is that simple. How many further
    /// snapshots that were; then the newest snapshot of `follow` is without the rows of the view.
    pub fn go_on(&mut self, follow: &mut Follow, moments: &[&Moment]) -> usize {
        let Some(objects) = follow.views().first() else { return 0 };
        let mut places = Vec::new();
        // Rows that are not asked for need a place as well.
        for key in objects.carried_keys() {
            self.slots.of(key);
        }
        for (at, object) in objects.list.iter().enumerate() {
            if let Some(slot) = object.whole_key().and_then(|key| self.slots.of(key)) {
                fold::put(&mut places, slot, at);
            }
        }
        self.slots.learn();
        let width = objects.followed.columns.len();
        let mut taken = 0;
        let whole = (WHOLE / self.weight.max(1)).clamp(2, MOST);
        let reader = Reader { request: self.request, way: &self.way, view: objects.followed.view, whole };
        let mut ready = reader.read(moments, self.size(width), &self.slots);
        while let Some(first) = ready.first.take() {
            self.slots.learn();
            let count = ready.windows.len();
            if count == 0 {
                break;
            }
            let whole = ready.whole;
            taken += count;
            self.reach = if whole { (self.reach * 2).min(MOST) } else { count.max(FIRST) };
            let rest = moments.get(taken..).unwrap_or_default();
            let (size, slots) = (self.size(width), &self.slots);
            let ((), next) = rayon::join(
                || fold::fold(follow, &first, ready, &mut places, slots),
                || if whole && rest.len() > 1 { reader.read(rest, size, slots) } else { Batch::default() },
            );
            ready = next;
        }
        taken
    }

    /// Snapshots in a batch.
    fn size(&self, width: usize) -> usize {
        let steps = ROOM / ((self.slots.count() + 64) * (1 + 8 * width));
        match self.way {
            Way::Files(_) | Way::Packed(..) => steps.clamp(2, MOST),
            Way::Tables(_) => steps.min(WHOLE / self.weight.max(1)).min(self.reach).clamp(2, MOST),
        }
    }
}

#[cfg(test)]
mod tests;
