//! The same of packed histories: rows of an object stand beside each other there, snapshot by snapshot, and are compared
//! where they stand.

use super::frame::Pair;
use super::frame::{LOOKED, THERE};
use super::run::{Slots, Step, padded};
use super::tables::Tables;
use super::watched::stayed;
use crate::ingest::Opened;
use crate::pack::{History, Stretch};
use crate::snapshot::{Ints, Snapshot, Table};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// No row.
const NONE: u32 = u32::MAX;
/// Rows that went on which are given with those that did not.
const SPARE: usize = 8;

/// One view's rows in a packed history.
#[derive(Debug)]
pub struct Stretches {
    of: Tables,
    /// The stretch read last, or of its snapshots the last one, and where it is from.
    kept: Mutex<Option<(Arc<History>, Stretch)>>,
}

/// Snapshots that follow each other.
struct Course<'a> {
    /// The first one, where it stands elsewhere.
    before: Option<&'a Stretch>,
    stretch: &'a Stretch,
    /// The slot of each row of the two.
    slots: [Vec<u32>; 2],
    /// The position in the history of the first one.
    first: usize,
    sides: Vec<Side>,
}

/// One of them.
struct Side {
    /// For each slot its row.
    places: Vec<u32>,
    rows: usize,
    beside: Snapshot,
    /// Rows that did not go on from the snapshot before, and some that did.
    pairs: Vec<Pair<u32>>,
    spare: Vec<Pair<u32>>,
    /// How many of its rows the one before has.
    common: usize,
}

/// What is asked about snapshots while they are read.
pub struct Asked<'a> {
    /// The snapshot of a moment without the rows of the view, its time settled; `None` where that is in doubt.
    pub beside: &'a (dyn Fn(usize) -> Option<Snapshot> + Sync),
    /// Whether a table looks cut by a limit.
    pub is_cut: &'a (dyn Fn(&Table) -> bool + Sync),
    /// Numbers of rows that may be such a limit.
    pub limits: &'a [usize],
}

impl Stretches {
    /// For rows that are watched like these tables.
    pub const fn new(of: Tables) -> Self {
        Self { of, kept: Mutex::new(None) }
    }

    /// The snapshots of some moments, as far as the second and those that follow it are in one row group, and at most
    /// `most`. `None` where they are to be read one by one.
    pub fn read(&self, moments: &[&Opened], most: usize, slots: &Slots, asked: &Asked<'_>) -> Option<Vec<Step>> {
        let (history, first) = moments.first()?.packed()?;
        let follows = |(at, opened): &(usize, &&Opened)| {
            opened.packed().is_some_and(|(other, index)| Arc::ptr_eq(history, other) && index == first + at)
        };
        let end = first + moments.iter().take(most).enumerate().take_while(follows).count();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).take();
        kept = kept.filter(|(other, stretch)| Arc::ptr_eq(history, other) && stretch.snapshots.contains(&first));
        let view = self.of.view();
        let (before, stretch) = match kept {
            Some((_, stretch)) if stretch.snapshots.contains(&(first + 1)) => (None, stretch),
            kept => {
                let stretch = history.stretch(first + 1, view).ok()??;
                let before = match kept {
                    _ if stretch.snapshots.contains(&first) => None,
                    Some((_, before)) => Some(before.last()),
                    None => Some(history.stretch(first, view).ok()??.last()),
                };
                (before, stretch)
            }
        };
        let end = end.min(stretch.snapshots.end);
        let steps = self.steps(before.as_ref(), &stretch, first..end, slots, asked)?;
        let rest = if end < stretch.snapshots.end { stretch } else { stretch.last() };
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some((Arc::clone(history), rest));
        Some(steps)
    }

    fn steps(
        &self,
        before: Option<&Stretch>,
        stretch: &Stretch,
        range: Range<usize>,
        slots: &Slots,
        asked: &Asked<'_>,
    ) -> Option<Vec<Step>> {
        if ![Some(stretch), before].into_iter().flatten().all(|s| self.of.suits(&s.kind)) {
            return None;
        }
        let slots_of = |stretch| slots_of(stretch, self.of.key(), slots);
        let slots = [before.map_or(Some(Vec::new()), slots_of)?, slots_of(stretch)?];
        let count = slots.iter().flatten().max().map_or(0, |slot| *slot as usize + 1);
        let first = range.start;
        let side = |index: usize| {
            let stretch = before.filter(|_| index == first).unwrap_or(stretch);
            self.side(stretch, index, ((asked.beside)(index - first)?, count), asked)
        };
        // As far as all is well.
        let sides = range.map_while(side).collect();
        let mut course = Course { before, stretch, slots, first, sides };
        course.place()?;
        self.compare(&mut course)?;
        let aparts = (0..course.sides.len()).map_while(|at| self.apart(&course, at, asked.limits)).collect();
        self.given(course, aparts)
    }

    /// A snapshot, its rows not looked at yet.
    fn side(
        &self,
        stretch: &Stretch,
        index: usize,
        (mut beside, count): (Snapshot, usize),
        asked: &Asked<'_>,
    ) -> Option<Side> {
        let at = index.checked_sub(stretch.snapshots.start)?;
        let rows = *stretch.counts.get(at)? as usize;
        if asked.limits.contains(&rows) && (asked.is_cut)(&stretch.table(&stretch.rows(at))) {
            return None;
        }
        let side =
            |beside| Side { places: vec![NONE; count], rows, beside, pairs: Vec::new(), spare: Vec::new(), common: 0 };
        beside.tables.insert(self.of.view().name, Arc::new(stretch.kind.clone()));
        self.of.is_alone(&beside).then(|| side(beside))
    }

    /// Whether each row of a stretch goes on from the one that stands before it.
    fn calm(&self, stretch: &Stretch) -> Option<Vec<bool>> {
        let mut calm = vec![true; stretch.of.len()];
        for (column, number) in self.of.numbers() {
            narrow(&mut calm, stretch.integers(*column)?, |was, is| number.goes_on(was, is));
        }
        for column in self.of.times() {
            narrow(&mut calm, stretch.integers(*column)?, stayed);
        }
        for column in self.of.texts() {
            narrow(&mut calm, stretch.runs(*column)?, |was, is| was == is);
        }
        Some(calm)
    }

    /// Whether a row goes on from another, wherever they stand.
    fn goes_on(&self, (a, was): (&Stretch, u32), (b, is): (&Stretch, u32)) -> bool {
        let pair = |column: usize| (a.integer(column, was), b.integer(column, is));
        let numbers = self.of.numbers().iter().all(|(column, number)| {
            let (was, is) = pair(*column);
            number.goes_on(was, is)
        });
        let times = || {
            self.of.times().iter().all(|column| {
                let (was, is) = pair(*column);
                stayed(was, is)
            })
        };
        numbers && times() && self.of.texts().iter().all(|column| a.text(*column, was) == b.text(*column, is))
    }

    /// Finds the rows that did not go on from the snapshot before.
    fn compare(&self, course: &mut Course<'_>) -> Option<()> {
        let calm = self.calm(course.stretch)?;
        let [_, slots] = &course.slots;
        for (row, (slot, calm)) in slots.iter().zip(&calm).enumerate() {
            let row = row as u32;
            let Some(at) = course.side(row).filter(|at| *at > 0) else { continue };
            let was = *course.sides.get(at - 1)?.places.get(*slot as usize)?;
            let elsewhere = course.before.filter(|_| at == 1);
            let goes_on = match (was, elsewhere) {
                (NONE, _) => false,
                (was, None) if was + 1 == row => *calm,
                (was, before) => self.goes_on((before.unwrap_or(course.stretch), was), (course.stretch, row)),
            };
            let before = (was != NONE).then_some(was);
            let side = course.sides.get_mut(at)?;
            side.common += usize::from(was != NONE);
            if !goes_on {
                side.pairs.push((before, Some(row)));
            } else if side.spare.len() < SPARE {
                side.spare.push((before, Some(row)));
            }
        }
        for at in 1..course.sides.len() {
            let [was, is] = course.sides.get_mut(at - 1..=at)? else { return None };
            if is.common < was.rows {
                let gone = was.places.iter().zip(&is.places).filter(|(was, is)| **was != NONE && **is == NONE);
                is.pairs.extend(gone.map(|(was, _)| (Some(*was), None)));
            }
        }
        Some(())
    }

    /// A snapshot and the one before with the rows that did not go on; `Some(None)` where all did.
    #[expect(clippy::option_option, reason = "nothing apart is no failure")]
    fn apart(&self, course: &Course<'_>, at: usize, limits: &[usize]) -> Option<Option<(Snapshot, Snapshot)>> {
        let is = course.sides.get(at)?;
        let Some(was) = at.checked_sub(1).and_then(|at| course.sides.get(at)).filter(|_| !is.pairs.is_empty()) else {
            return Some(None);
        };
        let pairs = padded(limits, is.pairs.clone(), is.spare.clone())?;
        let with = |side: &Side, stretch: &Stretch, rows: Vec<u32>| {
            let mut out = side.beside.clone();
            out.tables.insert(self.of.view().name, Arc::new(stretch.table(&rows)));
            out
        };
        let before = course.before.filter(|_| at == 1).unwrap_or(course.stretch);
        let before = with(was, before, pairs.iter().filter_map(|p| p.0).collect());
        Some(Some((before, with(is, course.stretch, pairs.iter().filter_map(|p| p.1).collect()))))
    }

    /// What the snapshots give.
    fn given(&self, course: Course<'_>, aparts: Vec<Option<(Snapshot, Snapshot)>>) -> Option<Vec<Step>> {
        let width = self.of.followed().len();
        let count = course.sides.first().map_or(0, |side| side.places.len());
        let mut numbers: Vec<(Vec<u8>, Vec<i64>)> =
            course.sides.iter().map(|_| (vec![0; count], vec![Ints::NULL; count * width])).collect();
        for (stretch, slots) in course
            .before
            .into_iter()
            .chain([course.stretch])
            .zip(course.slots.iter().skip(usize::from(course.before.is_none())))
        {
            let first = course.before.is_some_and(|before| std::ptr::eq(before, stretch));
            let side = |row: usize| if first { Some(0) } else { course.side(row as u32) };
            let columns = |all: &[usize]| all.iter().map(|column| stretch.integers(*column)).collect::<Vec<_>>();
            let (looks, followed) = (columns(self.of.looks()), columns(self.of.followed()));
            for (row, slot) in slots.iter().enumerate() {
                let slot = *slot as usize;
                let Some((states, values)) = side(row).and_then(|at| numbers.get_mut(at)) else { continue };
                let is = |times: &[i64]| times.get(row).is_some_and(|time| *time != Ints::NULL);
                *states.get_mut(slot)? =
                    if looks.iter().flatten().any(|times| is(times)) { THERE | LOOKED } else { THERE };
                for (value, numbers) in values.get_mut(slot * width..(slot + 1) * width)?.iter_mut().zip(&followed) {
                    *value = numbers.and_then(|n| n.get(row)).copied().unwrap_or(Ints::NULL);
                }
            }
        }
        let sides = course.sides.into_iter().zip(aparts).zip(numbers);
        let step = |((side, apart), (states, values)): ((Side, _), _)| Step {
            beside: side.beside,
            apart,
            bytes: 0,
            states,
            values,
            width,
        };
        Some(sides.map(step).collect())
    }
}

impl Course<'_> {
    /// Which of the snapshots a row of the stretch is of.
    #[inline]
    fn side(&self, row: u32) -> Option<usize> {
        side(self.stretch, self.first, self.sides.len(), row)
    }

    /// Notes where the row of each slot stands. `None` where a snapshot has a key twice.
    fn place(&mut self) -> Option<()> {
        let Self { stretch, first, sides, .. } = self;
        let [before, own] = &self.slots;
        let count = sides.len();
        let given = before.iter().map(|slot| (Some(0), *slot)).enumerate();
        let own = own.iter().copied().enumerate();
        let own = own.map(|(row, slot)| (row, (side(stretch, *first, count, row as u32), slot)));
        for (row, (at, slot)) in given.chain(own) {
            let Some(at) = at else { continue };
            let place = sides.get_mut(at)?.places.get_mut(slot as usize)?;
            if std::mem::replace(place, row as u32) != NONE {
                return None;
            }
        }
        Some(())
    }
}

/// Which of `count` snapshots, from `first` of the history on, a row is of.
#[inline]
fn side(stretch: &Stretch, first: usize, count: usize, row: u32) -> Option<usize> {
    let at = *stretch.of.get(row as usize)? as usize;
    (stretch.snapshots.start + at).checked_sub(first).filter(|at| *at < count)
}

/// The slot of each row of a stretch; `None` where one has no key.
fn slots_of(stretch: &Stretch, key: usize, slots: &Slots) -> Option<Vec<u32>> {
    let mut last = None;
    let slot = |key: &i64| {
        if let Some((_, slot)) = last.filter(|(known, _)| known == key) {
            return Some(slot);
        }
        let slot = slots.of(*key).filter(|_| *key != Ints::NULL)?;
        last = Some((*key, slot));
        Some(slot)
    };
    stretch.integers(key)?.iter().map(slot).collect()
}

/// Which rows go on in a column, too.
fn narrow<T: Copy>(calm: &mut [bool], values: &[T], goes_on: impl Fn(T, T) -> bool) {
    let rows = calm.iter_mut().skip(1).zip(values.iter().zip(values.iter().skip(1)));
    rows.for_each(|(calm, (was, is))| *calm &= goes_on(*was, *is));
}
