//! A row's bytes and where its cells end.

use crate::ingest::succession::Ends;

/// Bytes that have to stand before the first row of a part: numbers are read in words that end with their last digit.
pub(super) const FRONT: usize = 16;

/// A row that was split.
pub(super) struct Row<'a> {
    pub bytes: &'a [u8],
    pub start: usize,
    /// Where the next one starts.
    pub end: usize,
    ends: &'a Ends,
}

impl<'a> Row<'a> {
    /// Splits the row at `start`; `None` where it has not `cells` cells, is not whole before `limit`, or quotes in a way
    /// that the general reader has to judge.
    #[inline]
    pub fn split(bytes: &'a [u8], start: usize, limit: usize, cells: usize, ends: &'a mut Ends) -> Option<Self> {
        let end = ends.split(bytes, start, cells).filter(|end| *end <= limit)?;
        Some(Self { bytes, start, end, ends })
    }

    /// A row that was split before: where it starts and ends, and where its cells do.
    #[inline]
    pub const fn known(bytes: &'a [u8], (start, end): (usize, usize), ends: &'a Ends) -> Self {
        Self { bytes, start, end, ends }
    }

    /// Start and end of a cell.
    #[inline]
    pub fn span(&self, cell: usize) -> (usize, usize) {
        self.ends.cell(self.start, cell)
    }

    /// A cell as it is written.
    #[inline]
    pub fn get(&self, cell: usize) -> &'a [u8] {
        let (from, to) = self.span(cell);
        self.bytes.get(from..to).unwrap_or_default()
    }

    /// All of it, with its line feed.
    #[inline]
    pub fn whole(&self) -> &'a [u8] {
        self.bytes.get(self.start..self.end).unwrap_or_default()
    }
}
