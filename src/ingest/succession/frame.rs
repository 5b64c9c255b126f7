//! The rows of the snapshot read last, kept so that the next one's can be compared with them.

use super::buffer::{Buffer, alike};
use super::cells::Ends;
use super::watched::Watched;
use crate::ingest::clock::plain_time;
use crate::ingest::digits::whole;
use crate::snapshot::Ints;
use std::ops::Range;
use std::path::Path;

/// No place in a file.
const NONE: u32 = u32::MAX;

/// Rows that went on which are given.
const SPARE: usize = 8;

/// The row was in the snapshot.
pub(super) const THERE: u8 = 1;
/// Its object has been looked at by a vacuum or analyze: one of the times that say so is set.
pub(super) const LOOKED: u8 = 2;

/// What is kept of a row.
#[derive(Clone, Copy, Debug, Default)]
struct Kept {
    key: i64,
    start: u32,
    len: u32,
    /// Its texts, relative to its start.
    texts: (u32, u32),
    /// Its position in the file.
    place: u32,
    /// The number of the snapshot that had it last; 0 is none.
    stamp: u32,
    /// A bit for each time that is set.
    set: u32,
}

/// A row: where it stands in the snapshot before, and in the one after.
pub(super) type Pair<T = Range<usize>> = (Option<T>, Option<T>);

/// What the next snapshot says beside the numbers of rows that simply go on.
#[derive(Debug, Default)]
pub(super) struct News {
    /// The rows that did not.
    pub pairs: Vec<Pair>,
    /// Some that did: both are the same bytes.
    pub spare: Vec<Pair>,
    /// The newest time in rows that changed, where times are read.
    pub newest: Option<i64>,
}

/// The rows of the snapshot read last.
#[derive(Debug, Default)]
pub(super) struct Frame {
    last: Buffer,
    next: Buffer,
    /// Rows in the order of the file: their slots.
    order: Vec<u32>,
    old_order: Vec<u32>,
    kept: Vec<Kept>,
    /// The watched numbers of each slot.
    numbers: Vec<i64>,
    stamp: u32,
    ends: Ends,
}

/// Where what the next snapshot says is put, by slot.
pub(super) struct Out<'a> {
    /// [`THERE`] and [`LOOKED`]; 0 for rows that are not there.
    pub states: &'a mut [u8],
    /// The followed numbers of each.
    pub values: &'a mut [i64],
}

impl Frame {
    /// One that knows no rows; it keeps its room.
    pub fn renewed(&mut self) -> Self {
        let mut out =
            Self { last: std::mem::take(&mut self.last), next: std::mem::take(&mut self.next), ..Self::default() };
        out.last.clear();
        out.next.clear();
        out
    }

    /// Bytes of the file read last.
    pub const fn size(&self) -> usize {
        self.last.len()
    }

    /// Reads the next snapshot's file and compares it with the last. `None` where the file is not written the plain way:
    /// then the frame is of no more use.
    ///
    /// `slot`: the slot of a key; `None` where there is none left.
    pub fn advance(
        &mut self,
        path: &Path,
        watched: &Watched,
        slot: &mut dyn FnMut(i64) -> Option<u32>,
        out: &mut Out<'_>,
    ) -> Option<News> {
        self.next.load(path)?;
        let head = watched.header.as_slice();
        if !self.next.bytes().starts_with(head) {
            return None;
        }
        self.stamp += 1;
        std::mem::swap(&mut self.order, &mut self.old_order);
        self.order.clear();
        let mut news = News::default();
        let (mut at, mut hint, mut common) = (head.len(), 0, 0);
        // Up to here the bytes are known to be those of the snapshot before.
        let mut same = at;
        let size = self.next.len();
        while at < size {
            let mut expected = None;
            // Most rows are those of the snapshot before, byte for byte, in the same order.
            if let Some(slot) = self.old_order.get(hint).map(|slot| *slot as usize)
                && let Some(kept) = self.kept.get_mut(slot)
            {
                let known = kept.stamp + 1 == self.stamp;
                if known && same <= at {
                    let before = self.last.bytes().get(kept.start as usize..)?;
                    same = at + alike(before, self.next.bytes().get(at..)?);
                }
                let len = kept.len as usize;
                if known && at + len <= same {
                    if news.spare.len() < SPARE {
                        let before = kept.start as usize..kept.start as usize + len;
                        news.spare.push((Some(before), Some(at..at + len)));
                    }
                    kept.start = at as u32;
                    kept.place = self.order.len() as u32;
                    kept.stamp = self.stamp;
                    at += len;
                    out.put(slot, kept.set, self.numbers.get(slot * watched.numbers.len()..)?, watched)?;
                    self.order.push(slot as u32);
                    hint += 1;
                    common += 1;
                    continue;
                }
                expected = Some((slot, if known { same.saturating_sub(at) } else { 0 }));
            }
            let (slot, end, lead) = self.row(at, expected, watched, slot)?;
            let before = self.go_on(slot, at..end, lead, watched, &mut news)?;
            if before != NONE {
                hint = before as usize + 1;
                common += 1;
            }
            let kept = self.kept.get(slot)?;
            out.put(slot, kept.set, self.numbers.get(slot * watched.numbers.len()..)?, watched)?;
            self.order.push(slot as u32);
            (at, same) = (end, end);
        }
        if at != size || (watched.may_be_cut(self.order.len()) && self.may_be_sorted(watched) != Some(false)) {
            return None;
        }
        if common < self.old_order.len() {
            for slot in &self.old_order {
                let kept = self.kept.get(*slot as usize)?;
                if kept.stamp != self.stamp {
                    news.pairs.push((Some(kept.start as usize..(kept.start + kept.len) as usize), None));
                }
            }
        }
        std::mem::swap(&mut self.last, &mut self.next);
        Some(news)
    }

    /// Splits the row at `at` and finds its slot; where the next one starts, and whether its first cells are known to be
    /// those of the snapshot before ([`Watched::lead`]), so that nobody looks at them. `expected`: the slot whose row it
    /// may be, and how many of its bytes are the same.
    #[inline]
    fn row(
        &mut self,
        at: usize,
        expected: Option<(usize, usize)>,
        watched: &Watched,
        slot: &mut dyn FnMut(i64) -> Option<u32>,
    ) -> Option<(usize, usize, bool)> {
        let bytes = self.next.padded();
        if let Some((expected, same)) = expected
            && let Some(lead) = watched.lead
            && let Some(kept) = self.kept.get(expected).filter(|kept| same > kept.texts.1 as usize)
        {
            let end = self.ends.split_behind(bytes, at, (lead, at + kept.texts.1 as usize), watched.cells)?;
            return (end <= self.next.len()).then_some((expected, end, true));
        }
        let end = self.ends.split(bytes, at, watched.cells)?;
        if end > self.next.len() {
            return None;
        }
        let (from, to) = self.ends.cell(at, watched.key);
        let key = whole(bytes, from, to)?;
        if let Some((expected, _)) = expected
            && self.kept.get(expected).is_some_and(|k| k.key == key)
        {
            return Some((expected, end, false));
        }
        let slot = slot(key)? as usize;
        if slot >= self.kept.len() {
            self.kept.resize(slot + 1, Kept::default());
            self.numbers.resize((slot + 1) * watched.numbers.len(), Ints::NULL);
        }
        self.kept.get_mut(slot)?.key = key;
        Some((slot, end, false))
    }

    /// Takes over the row that was split last; `lead` is what [`Frame::row`] said. If it did not simply go on, it is news.
    /// Gives its place in the last snapshot, or [`NONE`].
    #[inline]
    fn go_on(&mut self, slot: usize, row: Range<usize>, lead: bool, watched: &Watched, news: &mut News) -> Option<u32> {
        let bytes = self.next.padded();
        let kept = self.kept.get_mut(slot)?;
        // The same key twice in one file.
        if kept.stamp == self.stamp {
            return None;
        }
        let known = kept.stamp + 1 == self.stamp && kept.stamp > 0;
        let mut calm = known;
        let numbers = self.numbers.get_mut(slot * watched.numbers.len()..)?;
        for ((cell, number), was) in watched.numbers.iter().zip(numbers) {
            let (from, to) = self.ends.cell(row.start, *cell);
            let is = if from == to { Ints::NULL } else { whole(bytes, from, to)? };
            calm &= number.goes_on(*was, is);
            *was = is;
        }
        let mut set = 0;
        for (bit, cell) in watched.times.iter().enumerate() {
            let (from, to) = self.ends.cell(row.start, *cell);
            if from < to {
                set |= 1 << bit;
                let time = bytes.get(from..to)?;
                if !has_offset(time) {
                    return None;
                }
                if watched.clocked {
                    news.newest = news.newest.max(Some(plain_time(time)?));
                }
            }
        }
        calm &= kept.set & !set & watched.must_stay == 0;
        let before = kept.start as usize..(kept.start + kept.len) as usize;
        let texts = match &watched.texts {
            // Nobody has split them: they are the same.
            _ if lead => kept.texts,
            None => (0, 0),
            Some(cells) => {
                let (from, _) = self.ends.cell(row.start, cells.start);
                let (_, to) = self.ends.cell(row.start, cells.end - 1);
                ((from - row.start) as u32, (to - row.start) as u32)
            }
        };
        if calm && !lead {
            let was = (before.start + kept.texts.0 as usize)..(before.start + kept.texts.1 as usize);
            let is = row.start + texts.0 as usize..row.start + texts.1 as usize;
            calm = self.last.bytes().get(was)? == bytes.get(is)?;
        }
        if !calm {
            news.pairs.push((known.then_some(before), Some(row.clone())));
        }
        let place = if known { kept.place } else { NONE };
        *kept = Kept {
            key: kept.key,
            start: row.start as u32,
            len: row.len() as u32,
            texts,
            place: self.order.len() as u32,
            stamp: self.stamp,
            set,
        };
        Some(place)
    }

    /// Whether the rows fall from one to the next in one of the columns that people sort by before they cut; `None` where
    /// that cannot be told.
    fn may_be_sorted(&mut self, watched: &Watched) -> Option<bool> {
        let mut open: Vec<(usize, Option<i64>, usize)> = watched.sortable.iter().map(|c| (*c, None, 0)).collect();
        for slot in &self.order {
            let start = self.kept.get(*slot as usize)?.start as usize;
            self.ends.split(self.next.padded(), start, watched.cells)?;
            let mut failed = false;
            open.retain_mut(|(cell, last, steps)| {
                let (from, to) = self.ends.cell(start, *cell);
                // NULL is no number to be sorted by.
                let Some(is) = (from < to).then(|| whole(self.next.padded(), from, to)) else { return false };
                failed |= is.is_none();
                let was = std::mem::replace(last, is);
                *steps += usize::from(was.is_some_and(|was| is < Some(was)));
                was.is_none_or(|was| is <= Some(was))
            });
            if failed {
                return None;
            }
            if open.is_empty() {
                return Some(false);
            }
        }
        Some(open.iter().any(|(_, _, steps)| steps * 2 >= self.order.len()))
    }

    /// Bytes of rows of the snapshot read last.
    pub fn after(&self, row: &Range<usize>) -> &[u8] {
        self.last.bytes().get(row.clone()).unwrap_or_default()
    }

    /// Bytes of rows of the snapshot before it.
    pub fn before(&self, row: &Range<usize>) -> &[u8] {
        self.next.bytes().get(row.clone()).unwrap_or_default()
    }
}

impl Out<'_> {
    #[inline]
    fn put(&mut self, slot: usize, set: u32, numbers: &[i64], watched: &Watched) -> Option<()> {
        *self.states.get_mut(slot)? = if set & watched.looks == 0 { THERE } else { THERE | LOOKED };
        let followed = watched.followed.len();
        let values = self.values.get_mut(slot * followed..(slot + 1) * followed)?;
        for (value, number) in values.iter_mut().zip(&watched.followed) {
            *value = number.and_then(|n| numbers.get(n)).copied().unwrap_or(Ints::NULL);
        }
        Some(())
    }
}

/// Whether a time says its offset from UTC: `2026-11-22 14:22:24.344366+00`, `…+05:30`.
#[inline]
fn has_offset(time: &[u8]) -> bool {
    let sign = |back: usize| {
        time.len().checked_sub(back).and_then(|at| time.get(at)).is_some_and(|b| matches!(b, b'+' | b'-'))
    };
    time.len() >= 22 && (sign(3) || (sign(6) && time.get(time.len() - 3) == Some(&b':')))
}
