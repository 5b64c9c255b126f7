//! Two files with about the same rows in different orders: one stays in memory, and each row of the other finds its own
//! in it.

use super::columns::{Columns, Read};
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
    /// The row of each key, in a power of two of parts by the last bits of the key.
    seats: Vec<HashMap<u32, Seat, FixedState>>,
}

/// A row of it.
struct Seat {
    /// Where it starts in the file.
    place: u32,
    /// Whether the other file has it as well.
    met: AtomicBool,
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

/// The seats of rows, given as their keys and places; `None` where a key comes twice. Each core takes keys of its own.
fn seats(rows: &[Vec<(u32, u32)>]) -> Option<Vec<HashMap<u32, Seat, FixedState>>> {
    let count: usize = rows.iter().map(Vec::len).sum();
    let parts = rayon::current_num_threads().next_power_of_two();
    let one = |part: usize| {
        let mut seats = HashMap::with_capacity_and_hasher(count / parts + count / 64, FixedState::default());
        let own = rows.iter().flatten().filter(|(key, _)| *key as usize & (parts - 1) == part);
        for (key, place) in own {
            if seats.insert(*key, Seat { place: *place, met: AtomicBool::new(false) }).is_some() {
                return None;
            }
        }
        Some(seats)
    };
    (0..parts).into_par_iter().map(one).collect()
}

impl Kept {
    fn read(files: &Files, side: &Side) -> Option<Self> {
        let mut bytes = Buffer::default();
        bytes.load_side_by_side(side, files.header..side.size).ok()?;
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
        Some(Self { start: files.header, bytes, seats: seats(&rows)? })
    }

    #[inline]
    fn seat(&self, key: u32) -> Option<&Seat> {
        self.seats.get(key as usize & (self.seats.len() - 1))?.get(&key)
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
        let (mut batch, mut seats, mut reads) = (Vec::with_capacity(BATCH), Vec::new(), Reads::default());
        let mut ends = vec![Ends::default(); BATCH];
        let mut at = own.start;
        while at < own.end {
            batch.clear();
            for ends in &mut ends {
                if at < own.end {
                    let row = Row::split(bytes, at, own.end, files.columns.count(), ends)?;
                    batch.push((oid(files.columns.key(&row)?)?, (at, row.end)));
                    at = row.end;
                }
            }
            seats.clear();
            seats.extend(batch.iter().map(|(key, _)| self.seat(*key)));
            self.fetch(&batch, &seats);
            for (((key, span), seat), ends) in batch.iter().zip(&seats).zip(&ends) {
                let is = Row::known(bytes, *span, ends);
                self.row(files, &is, (*key, place(span.0)?, *seat), &mut reads, &mut out)?;
            }
        }
        Some(out)
    }

    /// Looks at the rows of a batch, one after the other: memory brings many at once, where each row by itself would be
    /// waited for.
    fn fetch(&self, batch: &[(u32, (usize, usize))], seats: &[Option<&Seat>]) {
        /// Bytes of two lines of a cache.
        const LINES: usize = 128;
        let (bytes, _) = self.bytes.padded();
        let seen = batch.iter().zip(seats).filter_map(|((_, (from, to)), seat)| {
            let start = self.within((*seat)?.place)?;
            let row = bytes.get(start..)?;
            // About as long as the other file's row.
            let len = (to - from).min(row.len().saturating_sub(1));
            let lines = row.get(..len)?.iter().step_by(LINES);
            Some(lines.fold(*row.get(len)?, |all, byte| all ^ byte))
        });
        std::hint::black_box(seen.fold(0, |all, byte| all ^ byte));
    }

    /// A row of the other file, with its key, its place and its own row.
    fn row(
        &self,
        files: &Files,
        is: &Row<'_>,
        (key, at, seat): (u32, u32, Option<&Seat>),
        reads: &mut Reads,
        out: &mut Part,
    ) -> Option<()> {
        let (columns, Reads { was: was_read, is: read, ends }) = (&files.columns, reads);
        columns.read(is, read)?;
        let Some(seat) = seat else {
            out.only(1, Loose { key, owner: oid(read.owner)?, at }, read.newest);
            return Some(());
        };
        if seat.met.swap(true, Ordering::Relaxed) {
            return None;
        }
        let (place, (bytes, own)) = (seat.place, self.bytes.padded());
        let start = self.within(place)?;
        // Half of the rows of a database are the same bytes as before.
        if bytes.get(start..own.end)?.starts_with(is.whole()) {
            let course = Columns::same(read);
            return out.met((columns, &files.ask), course, (place, at), (is, read), (is, read));
        }
        let was = Row::split(bytes, start, own.end, columns.count(), ends)?;
        columns.read(&was, was_read)?;
        let course = columns.compare((&was, was_read), (is, read), &mut out.sums)?;
        out.met((columns, &files.ask), course, (place, at), (&was, was_read), (is, read))
    }

    /// The rows that the other file does not have.
    fn alone(&self, files: &Files) -> Option<Part> {
        let mut out = Part::new(&files.ask);
        let (bytes, own) = self.bytes.padded();
        let (mut read, mut ends) = (Read::default(), Ends::default());
        let unmet = self.seats.iter().flat_map(HashMap::values).filter(|seat| !seat.met.load(Ordering::Relaxed));
        let mut places: Vec<u32> = unmet.map(|seat| seat.place).collect();
        places.sort_unstable();
        for place in places {
            let row = Row::split(bytes, self.within(place)?, own.end, files.columns.count(), &mut ends)?;
            files.columns.read(&row, &mut read)?;
            out.only(0, Loose { key: oid(read.key)?, owner: oid(read.owner)?, at: place }, read.newest);
        }
        Some(out)
    }
}
