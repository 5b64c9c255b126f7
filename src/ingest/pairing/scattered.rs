//! Two files with about the same rows in different orders: one stays in memory, and each row of the other finds its own
//! in it.

use super::Files;
use super::columns::{Columns, Course, Read};
use super::row::Row;
use super::side::{Buffer, Side};
use super::walk::{Loose, Part, oid};
use crate::ingest::succession::Ends;
use foldhash::fast::FixedState;
use memchr::memchr;
use rayon::prelude::*;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

/// Bytes of a part.
const PART: u64 = 1 << 20;

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
    let (buffers, failed) = (Mutex::new(Vec::new()), AtomicBool::new(false));
    let one = |range: &Range<u64>| -> Option<Part> {
        if failed.load(Ordering::Relaxed) {
            return None;
        }
        let mut buffer: Buffer = buffers.lock().ok()?.pop().unwrap_or_default();
        let part = kept.part(files, after, range, &mut buffer);
        failed.fetch_or(part.is_none(), Ordering::Relaxed);
        buffers.lock().ok()?.push(buffer);
        part
    };
    let mut parts: Vec<Part> = ranges(after, files.header)?.par_iter().map(one).collect::<Option<_>>()?;
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

/// Calls `take` with each row of some bytes, which are whole rows. `None` where they are not, or it says so.
fn each_row(
    (bytes, range): (&[u8], Range<usize>),
    columns: &Columns,
    mut take: impl FnMut(&Row<'_>) -> Option<()>,
) -> Option<()> {
    let (mut at, mut ends) = (range.start, Ends::default());
    while at < range.end {
        let row = Row::split(bytes, at, range.end, columns.count(), &mut ends)?;
        take(&row)?;
        at = row.end;
    }
    Some(())
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
            each_row((all, range), &files.columns, |row| {
                let at = u32::try_from(files.header + (row.start - own.start) as u64).ok()?;
                rows.push((oid(files.columns.key(row)?)?, at));
                Some(())
            })?;
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
        let columns = &files.columns;
        buffer.load(side, range.clone()).ok()?;
        std::str::from_utf8(buffer.loaded()).ok()?;
        let mut out = Part::new(&files.ask);
        out.calm.reserve(buffer.loaded().len() / 64);
        let (mut was_read, mut read, mut ends) = (Read::default(), Read::default(), Ends::default());
        let (bytes, own) = self.bytes.padded();
        let first = buffer.padded().1.start;
        each_row(buffer.padded(), columns, |is| {
            columns.read(is, &mut read)?;
            let at = u32::try_from(range.start + (is.start - first) as u64).ok()?;
            let key = oid(read.key)?;
            let Some(position) = self.positions.get(&key).map(|p| *p as usize) else {
                out.only(1, Loose { key, owner: oid(read.owner)?, at }, read.newest);
                return Some(());
            };
            if self.met.get(position)?.swap(true, Ordering::Relaxed) {
                return None;
            }
            let place = *self.places.get(position)?;
            let start = self.within(place)?;
            // Half of the rows of a database are the same bytes as before.
            if bytes.get(start..own.end)?.starts_with(is.whole()) {
                let course = Columns::same(&read);
                out.met(course, (place, at), (read.newest, &read))?;
                if let Course::On { .. } = course {
                    out.foremost.offer(&files.ask, key, &read.numbers, &read.numbers, false);
                }
                return Some(());
            }
            let was = Row::split(bytes, start, own.end, columns.count(), &mut ends)?;
            columns.read(&was, &mut was_read)?;
            let course = columns.compare((&was, &was_read), (is, &read), &mut out.sums)?;
            out.met(course, (place, at), (was_read.newest, &read))?;
            if let Course::On { moved } = course {
                out.moved += u64::from(moved);
                out.foremost.offer(&files.ask, key, &was_read.numbers, &read.numbers, moved);
            }
            Some(())
        })?;
        Some(out)
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
