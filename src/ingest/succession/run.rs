//! Snapshots one after the other: a stretch of a history read by one thread.

use super::Succession;
use super::frame::{Frame, LOOKED, Out, Pair, THERE};
use crate::ingest::Opened;
use crate::snapshot::{Ints, Snapshot};
use std::collections::HashMap;
use std::sync::Mutex;

/// Slots of rows by key: those known before a stretch is read, and those met meanwhile by any thread.
#[derive(Debug, Default)]
pub struct Slots {
    known: HashMap<i64, u32, foldhash::fast::FixedState>,
    met: Mutex<HashMap<i64, u32>>,
}

impl Slots {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.known.len() + self.met.lock().map_or(0, |met| met.len())
    }

    /// The slot of a key, a new one where it has none.
    pub fn of(&self, key: i64) -> Option<u32> {
        if let Some(slot) = self.known.get(&key) {
            return Some(*slot);
        }
        let mut met = self.met.lock().ok()?;
        let next = u32::try_from(self.known.len() + met.len()).ok()?;
        Some(*met.entry(key).or_insert(next))
    }

    /// Makes those that were met known. Gives them with their slots.
    pub fn learn(&mut self) -> Vec<(i64, u32)> {
        let met = self.met.get_mut().map(std::mem::take).unwrap_or_default();
        let met: Vec<(i64, u32)> = met.into_iter().collect();
        self.known.extend(met.iter().copied());
        met
    }
}

/// What a snapshot says.
#[derive(Debug)]
pub struct Step {
    /// Everything but the rows of the view.
    pub beside: Snapshot,
    /// The snapshot before and this one with those rows of the view that did not simply go on, where there are any.
    pub apart: Option<(Snapshot, Snapshot)>,
    /// Bytes of the file read; 0 where somebody else read it.
    pub bytes: u64,
    pub(super) states: Vec<u8>,
    pub(super) values: Vec<i64>,
    /// Values of a row.
    pub(super) width: usize,
}

impl Step {
    /// The followed numbers of a slot; `None` where its row is not there.
    #[inline]
    pub fn row(&self, slot: usize) -> Option<(&[i64], bool)> {
        let state = *self.states.get(slot)?;
        if state & THERE == 0 {
            return None;
        }
        Some((self.values.get(slot * self.width..(slot + 1) * self.width)?, state & LOOKED != 0))
    }
}

/// A stretch being read.
#[derive(Debug, Default)]
pub struct Run {
    frame: Frame,
    beside: Snapshot,
}

impl Run {
    /// Begins with a snapshot; its step has no rows apart. `None` where it is not written the plain way.
    pub fn begin(&mut self, of: &Succession, opened: &Opened, slots: &Slots, settle: &Settle<'_>) -> Option<Step> {
        self.frame = self.frame.renewed();
        self.next(of, opened, slots, settle, true)
    }

    /// Goes on to the next snapshot.
    pub fn go_on(&mut self, of: &Succession, opened: &Opened, slots: &Slots, settle: &Settle<'_>) -> Option<Step> {
        self.next(of, opened, slots, settle, false)
    }

    fn next(
        &mut self,
        of: &Succession,
        opened: &Opened,
        slots: &Slots,
        settle: &Settle<'_>,
        first: bool,
    ) -> Option<Step> {
        let path = of.path(opened)?;
        let width = of.watched.followed.len();
        // Some room for rows that are met on the way.
        let room = slots.count() + slots.count() / 8 + 64;
        let room = if first { room.max(1 << 12) } else { room };
        let mut states = vec![0; room];
        let mut values = vec![Ints::NULL; room * width];
        let mut out = Out { states: &mut states, values: &mut values };
        let mut slot = |key| slots.of(key).filter(|slot| (*slot as usize) < room);
        let news = self.frame.advance(path, &of.watched, &mut slot, &mut out)?;
        let mut beside = of.beside(opened);
        settle(&mut beside, news.newest)?;
        let mut apart = None;
        if !first && !news.pairs.is_empty() {
            let pairs = padded(&of.watched.limits, news.pairs, news.spare)?;
            let (mut before, mut after) = (Vec::new(), Vec::new());
            for (was, is) in &pairs {
                before.extend(was.iter().flat_map(|row| self.frame.before(row)));
                after.extend(is.iter().flat_map(|row| self.frame.after(row)));
            }
            apart = Some((of.with_rows(&self.beside, &before)?, of.with_rows(&beside, &after)?));
        }
        self.beside = beside.clone();
        Some(Step { beside, apart, bytes: self.frame.size() as u64, states, values, width })
    }
}

/// So many rows that a few of them do not look like a whole export cut by a limit.
pub(super) fn padded<T>(limits: &[usize], mut pairs: Vec<Pair<T>>, spare: Vec<Pair<T>>) -> Option<Vec<Pair<T>>> {
    let mut spare = spare.into_iter();
    loop {
        let before = pairs.iter().filter(|p| p.0.is_some()).count();
        let after = pairs.iter().filter(|p| p.1.is_some()).count();
        if !limits.contains(&before) && !limits.contains(&after) {
            return Some(pairs);
        }
        pairs.push(spare.next()?);
    }
}

/// Says when a snapshot was taken, given the newest time in its rows; `None` where that is in doubt.
pub type Settle<'a> = dyn Fn(&mut Snapshot, Option<i64>) -> Option<()> + Sync + 'a;
