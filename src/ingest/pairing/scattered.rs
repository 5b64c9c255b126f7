//! Two files with about the same rows in different orders: one stays in memory, and each row of the other finds its own
//! in it.

use super::columns::{Columns, Course, Read};
use super::row::Row;
use super::side::{Buffer, Side};
use super::walk::{Loose, Part, oid};
use super::{Files, each_part};
use crate::ingest::succession::Ends;
use foldhash::fast::FixedState;
use memchr::memchr;
use rayon::prelude::*;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

/// Bytes of a part.
const PART: u64 = 1 << 20;

/// Rows that are looked up together.
const BATCH: usize = 32;

/// What two rows say; its room is used for one pair after the other.
#[derive(Default)]
struct Reads {
    was: Read,
    is: Read,
    ends: Ends,
}

/// The rows of the file that stays in memory.
struct Kept {
    bytes: Buffer,
    /// Where the bytes begin in the file.
    start: u64,
    /// Where each row starts in the file, in its order.
    places: Vec<u32>,
    /// The position of each key's row in these.
    positions: HashMap<u32, u32, FixedState>,
    /// Which rows the other file has as well.
    met: Vec<AtomicBool>,
}

/// What the parts of two files say. `None` where something is not written the plain way, or a key comes twice.
pub(super) fn walk(files: &Files) -> Option<Vec<Part>> {
    let [before, after] = &files.sides;
    let kept = Kept::read(files, before)?;
    let part = |range: &Range<u64>, buffer: &mut Buffer| kept.part(files, after, range, buffer);
    let mut parts = each_part(&ranges(after, files.header)?, part)?;
    parts.push(kept.alone(files)?);
    Some(parts)
}

/// A file behind its first line, cut where lines start.
fn ranges(side: &Side, header: u64) -> Option<Vec<Range<u64>>> {
    const GLANCE: u64 = 64 << 10;
    let (mut out, mut from, mut glance) = (Vec::new(), header, Buffer::default());
    while from < side.size {
        let mut to = side.size.min(from + PART);
        while to < side.size {
            glance.load(side, to..to + GLANCE).ok()?;
            match memchr(b'\n', glance.loaded()) {
                Some(end) => {
                    to += end as u64 + 1;
                    break;
                }
                None => to = side.size.min(to + GLANCE),
            }
        }
        out.push(from..to);
        from = to;
    }
    Some(out)
}

impl Kept {
    fn read(files: &Files, side: &Side) -> Option<Self> {
        let mut bytes = Buffer::default();
        bytes.load(side, files.header..side.size).ok()?;
        let (all, own) = bytes.padded();
        let within = |at: u64| usize::try_from(at - files.header).ok()?.checked_add(own.start);
        let rows = |range: &Range<u64>| -> Option<Vec<(u32, u32)>> {
            let range = within(range.start)?..within(range.end)?;
            std::str::from_utf8(all.get(range.clone())?).ok()?;
            let mut rows = Vec::with_capacity(range.len() / 128);
            let (mut at, mut ends) = (range.start, Ends::default());
            while at < range.end {
                let row = Row::split(all, at, range.end, files.columns.count(), &mut ends)?;
                let place = u32::try_from(files.header + (at - own.start) as u64).ok()?;
                rows.push((oid(files.columns.key(&row)?)?, place));
                at = row.end;
            }
            Some(rows)
        };
        let rows: Vec<Vec<(u32, u32)>> = ranges(side, files.header)?.par_iter().map(rows).collect::<Option<_>>()?;
        let count = rows.iter().map(Vec::len).sum();
        let mut places = Vec::with_capacity(count);
        let mut positions = HashMap::with_capacity_and_hasher(count, FixedState::default());
        for (key, at) in rows.into_iter().flatten() {
            if positions.insert(key, u32::try_from(places.len()).ok()?).is_some() {
                return None;
            }
            places.push(at);
        }
        let met = places.iter().map(|_| AtomicBool::new(false)).collect();
        Some(Self { start: files.header, bytes, places, positions, met })
    }

    /// Where a row starts among the bytes.
    fn within(&self, place: u32) -> Option<usize> {
        let (_, own) = self.bytes.padded();
        own.start.checked_add(usize::try_from(u64::from(place).checked_sub(self.start)?).ok()?)
    }

    /// A part of the other file.
    fn part(&self, files: &Files, side: &Side, range: &Range<u64>, buffer: &mut Buffer) -> Option<Part> {
        buffer.load(side, range.clone()).ok()?;
        std::str::from_utf8(buffer.loaded()).ok()?;
        let (bytes, own) = buffer.padded();
        let place = |at: usize| u32::try_from(range.start + (at - own.start) as u64).ok();
        let mut out = Part::new(&files.ask);
        out.calm.reserve(own.len() / 64);
        let (mut batch, mut reads) = (Vec::with_capacity(BATCH), Reads::default());
        let mut ends = vec![Ends::default(); BATCH];
        let mut at = own.start;
        while at < own.end {
            batch.clear();
            for ends in &mut ends {
                if at < own.end {
                    let row = Row::split(bytes, at, own.end, files.columns.count(), ends)?;
                    let key = oid(files.columns.key(&row)?)?;
                    batch.push((key, self.positions.get(&key).copied(), (at, row.end)));
                    at = row.end;
                }
            }
            self.fetch(&batch);
            for ((key, position, span), ends) in batch.drain(..).zip(&ends) {
                let is = Row::known(bytes, span, ends);
                self.row(files, &is, (key, place(span.0)?, position), &mut reads, &mut out)?;
            }
        }
        Some(out)
    }

    /// Looks at the rows of a batch, one after the other: memory brings many at once, where each row by itself would be
    /// waited for.
    fn fetch(&self, batch: &[(u32, Option<u32>, (usize, usize))]) {
        /// Bytes of two lines of a cache.
        const LINES: usize = 128;
        let (bytes, _) = self.bytes.padded();
        let places = batch.iter().filter_map(|(_, position, _)| self.places.get((*position)? as usize));
        let seen = places.filter_map(|place| {
            let start = self.within(*place)?;
            Some(bytes.get(start)? ^ bytes.get(start + LINES).copied().unwrap_or(0))
        });
        std::hint::black_box(seen.fold(0, |all, byte| all ^ byte));
    }

    /// A row of the other file, with its key, its place and the position of its own.
    fn row(
        &self,
        files: &Files,
        is: &Row<'_>,
        (key, at, position): (u32, u32, Option<u32>),
        reads: &mut Reads,
        out: &mut Part,
    ) -> Option<()> {
        let (columns, Reads { was: was_read, is: read, ends }) = (&files.columns, reads);
        columns.read(is, read)?;
        let Some(position) = position.map(|p| p as usize) else {
            out.only(1, Loose { key, owner: oid(read.owner)?, at }, read.newest);
            return Some(());
        };
        if self.met.get(position)?.swap(true, Ordering::Relaxed) {
            return None;
        }
        let (place, (bytes, own)) = (*self.places.get(position)?, self.bytes.padded());
        let start = self.within(place)?;
        // Half of the rows of a database are the same bytes as before.
        if bytes.get(start..own.end)?.starts_with(is.whole()) {
            let course = Columns::same(read);
            out.met(course, (place, at), (read.newest, read))?;
            if let Course::On { .. } = course {
                out.foremost.offer(&files.ask, key, &read.numbers, &read.numbers, false);
            }
            return Some(());
        }
        let was = Row::split(bytes, start, own.end, columns.count(), ends)?;
        columns.read(&was, was_read)?;
        let course = columns.compare((&was, was_read), (is, read), &mut out.sums)?;
        out.met(course, (place, at), (was_read.newest, read))?;
        if let Course::On { moved } = course {
            out.moved += u64::from(moved);
            out.foremost.offer(&files.ask, key, &was_read.numbers, &read.numbers, moved);
        }
        Some(())
    }

    /// The rows that the other file does not have.
    fn alone(&self, files: &Files) -> Option<Part> {
        let mut out = Part::new(&files.ask);
        let (bytes, own) = self.bytes.padded();
        let (mut read, mut ends) = (Read::default(), Ends::default());
        for (place, _) in self.places.iter().zip(&self.met).filter(|(_, met)| !met.load(Ordering::Relaxed)) {
            let row = Row::split(bytes, self.within(*place)?, own.end, files.columns.count(), &mut ends)?;
            files.columns.read(&row, &mut read)?;
            out.only(0, Loose { key: oid(read.key)?, owner: oid(read.owner)?, at: *place }, read.newest);
        }
        Some(out)
    }
}
