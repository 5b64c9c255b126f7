//! Rows that go on, kept as small as they are shown: names, and each number as it is written, twice where it changed.
//!
//! A row is a record of bytes: each text with its length before it in two bytes, then each number with its length in one.
//! Where a number changed, the highest bit of that is set, and what it was after follows with a length of its own. An empty
//! cell, NULL, has no length.

use super::row::Row;
use super::walk::Calm;
use rayon::slice::ParallelSliceMut;
use std::collections::HashSet;
use std::hash::BuildHasher;
use std::ops::Range;
use std::sync::Arc;

/// Bytes copied at once, whatever a number's length: most are shorter, and a copy of a length that is not known takes longer.
const WORD: usize = 16;
/// Bytes of a line of the cache, and how many of them most records take.
const LINE: usize = 64;
const LINES: usize = 3;
/// Set in a number's length where it changed.
const CHANGED: u8 = 0x80;

/// What is kept of a row, by positions of the view's columns.
#[derive(Clone, Debug, Default)]
pub struct Keep {
    /// Columns that name it: texts, and whole numbers that stay.
    pub names: Vec<usize>,
    /// Columns of numbers.
    pub numbers: Vec<usize>,
}

/// The same by cells of a file.
#[derive(Clone, Debug)]
pub(super) struct Cells {
    /// Cells that name it, and whether they are whole numbers.
    pub names: Vec<(usize, bool)>,
    /// Cells of numbers, and whether they are whole.
    pub numbers: Vec<(usize, bool)>,
}

/// Records of one part.
#[derive(Debug, Default)]
pub(super) struct Records {
    bytes: Vec<u8>,
    /// Where each begins.
    starts: Vec<u32>,
}

/// Rows that go on, in the order of their keys.
#[derive(Clone, Default)]
pub struct Kept(Arc<Ordered>);

#[derive(Default)]
struct Ordered {
    parts: Vec<Records>,
    rows: Vec<Place>,
}

/// Where a record is.
#[derive(Clone, Copy)]
struct Place {
    key: u32,
    part: u32,
    start: u32,
}

/// What is left to be read of a record: first its names, then its numbers.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a>(&'a [u8]);

impl Records {
    /// Keeps a row. `None` where a cell is not written as it would be shown.
    #[inline]
    pub fn push(&mut self, cells: &Cells, was: &Row<'_>, is: &Row<'_>) -> Option<()> {
        self.starts.push(u32::try_from(self.bytes.len()).ok()?);
        for (cell, whole) in &cells.names {
            let text = is.get(*cell);
            if *whole && is_padded(text) {
                return None;
            }
            self.bytes.extend_from_slice(&u16::try_from(text.len()).ok()?.to_le_bytes());
            self.bytes.extend_from_slice(text);
        }
        let same = std::ptr::eq(was, is);
        for (cell, whole) in &cells.numbers {
            let (from, to) = is.span(*cell);
            let changed = !same && was.get(*cell) != is.get(*cell);
            if changed {
                let (from, to) = was.span(*cell);
                self.number(was.bytes, (from, to), *whole, CHANGED)?;
            }
            self.number(is.bytes, (from, to), *whole, 0)?;
        }
        Some(())
    }

    #[inline]
    fn number(&mut self, bytes: &[u8], (from, to): (usize, usize), whole: bool, flag: u8) -> Option<()> {
        let len = to.checked_sub(from).filter(|len| *len < usize::from(CHANGED))?;
        if whole && is_padded(bytes.get(from..to)?) {
            return None;
        }
        self.bytes.push(len as u8 | flag);
        if len <= WORD {
            self.bytes.extend_from_slice(bytes.get(from..from + WORD)?);
            self.bytes.truncate(self.bytes.len() - (WORD - len));
        } else {
            self.bytes.extend_from_slice(bytes.get(from..to)?);
        }
        Some(())
    }

    /// Gives back memory that is not needed.
    pub fn shrink(&mut self) {
        // What follows a record may be copied with its last number.
        self.bytes.extend_from_slice(&[0; WORD]);
        self.bytes.shrink_to_fit();
        self.starts.shrink_to_fit();
    }
}

/// Whether a whole number has zeros before it, which are not shown.
#[inline]
const fn is_padded(digits: &[u8]) -> bool {
    matches!(digits, [b'0', _, ..])
}

impl Kept {
    /// The records of rows, but for some of these, by their keys.
    pub(super) fn new<S: BuildHasher>(calm: &[Vec<Calm>], parts: Vec<Records>, without: &HashSet<u32, S>) -> Self {
        let mut rows: Vec<Place> = Vec::with_capacity(parts.iter().map(|part| part.starts.len()).sum());
        for (at, (part, calm)) in parts.iter().zip(calm).enumerate() {
            let places = calm.iter().zip(&part.starts).filter(|(row, _)| !without.contains(&row.key));
            rows.extend(places.map(|(row, start)| Place { key: row.key, part: at as u32, start: *start }));
        }
        rows.par_sort_unstable_by_key(|place| place.key);
        Self(Arc::new(Ordered { parts, rows }))
    }

    /// How many rows.
    pub fn len(&self) -> usize {
        self.0.rows.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.rows.is_empty()
    }

    /// How many of them have a key that is less.
    pub fn count_below(&self, key: i64) -> usize {
        self.0.rows.partition_point(|place| i64::from(place.key) < key)
    }

    /// Looks at the records of some rows, which stand anywhere: memory brings many at once, where each by itself would be
    /// waited for.
    pub fn fetch(&self, rows: Range<usize>) {
        let seen = rows.filter_map(|at| {
            let Record(bytes) = self.record(at)?;
            Some(bytes.iter().step_by(LINE).take(LINES).fold(0, |all, byte| all ^ byte))
        });
        std::hint::black_box(seen.fold(0, |all, byte| all ^ byte));
    }

    /// A row's record.
    #[inline]
    pub fn record(&self, at: usize) -> Option<Record<'_>> {
        let place = self.0.rows.get(at)?;
        self.0.parts.get(place.part as usize)?.bytes.get(place.start as usize..).map(Record)
    }
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Kept({} rows)", self.len())
    }
}

/// A number's cell: its characters, and what stands behind them.
#[derive(Clone, Copy, Debug)]
pub struct Digits<'a> {
    bytes: &'a [u8],
    len: usize,
}

impl<'a> Digits<'a> {
    /// Its characters; none where it is NULL.
    #[inline]
    pub fn get(&self) -> &'a [u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// Appends them.
    #[inline]
    pub fn write(&self, out: &mut Vec<u8>) {
        match self.bytes.get(..WORD) {
            Some(word) if self.len <= WORD => {
                out.extend_from_slice(word);
                out.truncate(out.len() - (WORD - self.len));
            }
            _ => out.extend_from_slice(self.get()),
        }
    }
}

impl<'a> Record<'a> {
    /// The next name, as it is written in the file, perhaps in quotes; an empty one is NULL.
    #[inline]
    pub fn name(&mut self) -> &'a [u8] {
        let Some((len, rest)) = self.0.split_first_chunk::<2>() else { return &[] };
        let len = usize::from(u16::from_le_bytes(*len)).min(rest.len());
        let (name, rest) = rest.split_at(len);
        self.0 = rest;
        name
    }

    /// The next number; where it changed, also what it was before.
    #[inline]
    pub fn number(&mut self) -> (Digits<'a>, Option<Digits<'a>>) {
        let (first, changed) = self.digits();
        if !changed {
            return (first, None);
        }
        let (second, _) = self.digits();
        (second, Some(first))
    }

    #[inline]
    fn digits(&mut self) -> (Digits<'a>, bool) {
        let Some((len, bytes)) = self.0.split_first() else { return (Digits { bytes: &[], len: 0 }, false) };
        let (changed, len) = (len & CHANGED != 0, usize::from(len & !CHANGED).min(bytes.len()));
        self.0 = bytes.get(len..).unwrap_or_default();
        (Digits { bytes, len }, changed)
    }
}
