//! Two parts that hold about the same rows in about the same order, read side by side.

use super::columns::{Columns, Course, Read, Sums};
use super::foremost::{Ask, Foremost};
use super::kept::Records;
use super::row::Row;
use crate::ingest::succession::Ends;
use crate::snapshot::Ints;
use foldhash::fast::FixedState;
use std::collections::HashSet;

/// Rows looked at ahead for a partner.
const AHEAD: usize = 16;

/// A row that simply goes on, by its key and where it starts in both files.
#[derive(Clone, Copy, Debug)]
pub(super) struct Calm {
    pub key: u32,
    /// The object it is a part of.
    pub owner: u32,
    pub before: u32,
    pub after: u32,
}

/// A row that was met in one part and not in the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Loose {
    pub key: u32,
    pub owner: u32,
    pub at: u32,
}

/// What two parts say.
#[derive(Debug, Default)]
pub(super) struct Part {
    pub calm: Vec<Calm>,
    /// Rows that are in both and do not simply go on.
    pub apart: Vec<Calm>,
    pub only_before: Vec<Loose>,
    pub only_after: Vec<Loose>,
    /// Of the rows that go on: how many have a number that changed, and the sums of the changes.
    pub moved: u64,
    pub sums: Sums,
    pub foremost: Foremost,
    /// What is kept of each of `calm`.
    pub kept: Records,
    /// The newest time on each side, with the key of its row.
    pub newest: [(i64, u32); 2],
}

/// One side of the walk.
struct Side<'a> {
    bytes: &'a [u8],
    at: usize,
    limit: usize,
    /// Where its first row stands in `bytes`, and where in the file.
    origin: (usize, usize),
    read: Read,
}

impl<'a> Side<'a> {
    fn new((bytes, range): (&'a [u8], std::ops::Range<usize>), start: u64) -> Option<Self> {
        let origin = (range.start, usize::try_from(start).ok()?);
        Some(Self { bytes, at: range.start, limit: range.end, origin, read: Read::default() })
    }

    fn place(&self, at: usize) -> Option<u32> {
        let (own, file) = self.origin;
        u32::try_from(at.checked_sub(own)?.checked_add(file)?).ok()
    }

    fn loose(&self, at: usize, read: &Read) -> Option<Loose> {
        Some(Loose { key: oid(read.key)?, owner: oid(read.owner)?, at: self.place(at)? })
    }
}

/// A whole number that can be an OID.
pub(super) fn oid(n: i64) -> Option<u32> {
    u32::try_from(n).ok()
}

/// Walks through two parts: their bytes with the range that holds whole rows, and where that starts in the file. `None`
/// where something is not written the plain way, or the two have little to do with each other.
pub(super) fn walk(
    columns: &Columns,
    ask: &Ask,
    before: (&[u8], std::ops::Range<usize>, u64),
    after: (&[u8], std::ops::Range<usize>, u64),
) -> Option<Part> {
    let mut a = Side::new((before.0, before.1), before.2)?;
    let mut b = Side::new((after.0, after.1), after.2)?;
    let mut out = Part::new(ask);
    out.calm.reserve((b.limit - b.at) / 64);
    let cells = columns.count();
    let (mut ends, mut other_ends) = (Ends::default(), Ends::default());
    let mut later: Option<Keys> = None;
    while b.at < b.limit {
        let is = Row::split(b.bytes, b.at, b.limit, cells, &mut ends)?;
        columns.read(&is, &mut b.read)?;
        // Half of the rows of a database are the same bytes as before.
        let same = a.bytes.get(a.at..a.limit)?.starts_with(is.whole());
        if same {
            let at = (a.place(a.at)?, b.place(b.at)?);
            out.met((columns, ask), Columns::same(&b.read), at, (&is, &b.read), (&is, &b.read))?;
            a.at += is.end - is.start;
            b.at = is.end;
            continue;
        }
        let was = if a.at < a.limit {
            let was = Row::split(a.bytes, a.at, a.limit, cells, &mut other_ends)?;
            columns.read(&was, &mut a.read)?;
            Some(was)
        } else {
            None
        };
        if let Some(was) = was.as_ref().filter(|_| a.read.key == b.read.key) {
            let course = columns.compare((was, &a.read), (&is, &b.read), &mut out.sums)?;
            let at = (a.place(a.at)?, b.place(b.at)?);
            out.met((columns, ask), course, at, (was, &a.read), (&is, &b.read))?;
            (a.at, b.at) = (was.end, is.end);
            continue;
        }
        let (end, other_end) = (is.end, was.map(|was| was.end));
        // The partner of one may stand a few rows on.
        if let Some(skipped) = ahead(columns, &a, b.read.key)? {
            for (at, read) in skipped.rows {
                out.only(0, a.loose(at, &read)?, read.newest);
            }
            a.at = skipped.end;
            continue;
        }
        if a.at < a.limit
            && let Some(skipped) = ahead(columns, &b, a.read.key)?
        {
            for (at, read) in skipped.rows {
                out.only(1, b.loose(at, &read)?, read.newest);
            }
            b.at = skipped.end;
            continue;
        }
        // Many new rows may stand together, or many that are gone.
        if later.is_none() {
            later = Some(keys(columns, &b)?);
        }
        match (&mut later, other_end) {
            (Some(later), Some(other_end)) if !later.contains(&a.read.key) => {
                let loose = a.loose(a.at, &a.read)?;
                out.only(0, loose, a.read.newest);
                a.at = other_end;
            }
            (later, _) => {
                if let Some(later) = later {
                    later.remove(&b.read.key);
                }
                let loose = b.loose(b.at, &b.read)?;
                out.only(1, loose, b.read.newest);
                b.at = end;
            }
        }
    }
    while a.at < a.limit {
        let was = Row::split(a.bytes, a.at, a.limit, cells, &mut other_ends)?;
        columns.read(&was, &mut a.read)?;
        let end = was.end;
        out.only(0, a.loose(a.at, &a.read)?, a.read.newest);
        a.at = end;
    }
    Some(out)
}

/// Rows passed over on the way to one.
struct Skipped {
    rows: Vec<(usize, Read)>,
    /// Where the one starts.
    end: usize,
}

/// The rows of a side before the one with a key, where that is among the next. `None` inside: it is not.
#[expect(clippy::option_option, reason = "not found is no failure")]
fn ahead(columns: &Columns, side: &Side<'_>, key: i64) -> Option<Option<Skipped>> {
    let (mut at, mut ends) = (side.at, Ends::default());
    let mut rows = Vec::new();
    while at < side.limit && rows.len() <= AHEAD {
        let row = Row::split(side.bytes, at, side.limit, columns.count(), &mut ends)?;
        let mut read = Read::default();
        columns.read(&row, &mut read)?;
        if read.key == key {
            return Some(Some(Skipped { rows, end: at }));
        }
        rows.push((at, read));
        at = row.end;
    }
    Some(None)
}

type Keys = HashSet<i64, FixedState>;

/// The keys of all rows that are left of a side.
fn keys(columns: &Columns, side: &Side<'_>) -> Option<Keys> {
    let (mut at, mut ends, mut read, mut out) = (side.at, Ends::default(), Read::default(), Keys::default());
    while at < side.limit {
        let row = Row::split(side.bytes, at, side.limit, columns.count(), &mut ends)?;
        columns.read(&row, &mut read)?;
        out.insert(read.key);
        at = row.end;
    }
    Some(out)
}

impl Part {
    /// Nothing yet.
    pub fn new(ask: &Ask) -> Self {
        Self { foremost: Foremost::new(ask), newest: [(Ints::NULL, 0); 2], ..Self::default() }
    }

    /// Notes a row that both sides have, `at` its places. `None` where it cannot be kept as it is written.
    #[inline]
    pub fn met(
        &mut self,
        (columns, ask): (&Columns, &Ask),
        course: Course,
        at: (u32, u32),
        (old, was): (&Row<'_>, &Read),
        (new, is): (&Row<'_>, &Read),
    ) -> Option<()> {
        let pair = Calm { key: oid(is.key)?, owner: oid(is.owner)?, before: at.0, after: at.1 };
        self.newest[0] = self.newest[0].max((was.newest, pair.key));
        self.newest[1] = self.newest[1].max((is.newest, pair.key));
        let Course::On { moved } = course else {
            self.apart.push(pair);
            return Some(());
        };
        self.calm.push(pair);
        self.moved += u64::from(moved);
        self.foremost.offer(ask, pair.key, &was.numbers, &is.numbers, moved);
        match &columns.kept {
            Some(cells) => self.kept.push(cells, old, new),
            None => Some(()),
        }
    }

    /// Notes a row that only one side has.
    pub fn only(&mut self, side: usize, row: Loose, newest: i64) {
        self.newest[side] = self.newest[side].max((newest, row.key));
        if side == 0 { self.only_before.push(row) } else { self.only_after.push(row) }
    }
}
