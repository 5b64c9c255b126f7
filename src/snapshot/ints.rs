//! Integers of one column, packed by blocks.

/// Rows of a block; a power of two.
const BLOCK: usize = 1024;
/// Bits of a difference that are read at once, wherever in a byte they begin.
const WIDEST: u8 = 57;
/// Marks a block whose values are stored as they are.
const RAW: u8 = 64;
/// Bytes after the last block: every difference is read as eight.
const SPARE: usize = 8;

/// Integers of one column: OIDs, counters, times (µs since 1970 UTC), intervals (µs), LSNs (as `i64` bits).
///
/// A million rows of a statistics view are mostly small or alike numbers, so each full block of 1,024 rows is stored as
/// differences from its smallest value, in as few bits as its largest difference needs. Reading any row stays one
/// look-up.
#[derive(Clone, Debug, Default)]
pub struct Ints {
    blocks: Vec<Block>,
    packed: Vec<u8>,
    tail: Vec<i64>,
}

#[derive(Clone, Copy, Debug)]
struct Block {
    /// Value of difference 1; difference 0 is NULL.
    base: i64,
    /// Where the block starts in `packed`.
    at: usize,
    /// Bits of each difference: 0 to [`WIDEST`], or [`RAW`].
    width: u8,
    /// The largest value; [`Ints::NULL`] where all are NULL.
    max: i64,
}

impl Ints {
    /// Stands for NULL. PostgreSQL could store it in a bigint, but no statistic is -2^63.
    pub const NULL: i64 = i64::MIN;

    /// No rows yet.
    pub const fn new() -> Self {
        Self { blocks: Vec::new(), packed: Vec::new(), tail: Vec::new() }
    }

    /// No rows yet, and room for so many bytes.
    pub fn with_room(bytes: usize) -> Self {
        Self { packed: Vec::with_capacity(bytes), ..Self::new() }
    }

    /// Number of rows.
    pub const fn len(&self) -> usize {
        self.blocks.len() * BLOCK + self.tail.len()
    }

    /// Whether there is no row.
    pub const fn is_empty(&self) -> bool {
        self.blocks.is_empty() && self.tail.is_empty()
    }

    /// The value of a row; `None` is NULL or out of range.
    pub fn get(&self, row: usize) -> Option<i64> {
        let value = self.raw(row);
        (value != Self::NULL).then_some(value)
    }

    /// The value of a row; [`Ints::NULL`] is NULL or out of range.
    #[inline]
    pub fn raw(&self, row: usize) -> i64 {
        let Some(block) = self.blocks.get(row / BLOCK) else {
            return self.tail.get(row - self.blocks.len() * BLOCK).copied().unwrap_or(Self::NULL);
        };
        let bit = (row % BLOCK) * usize::from(block.width);
        let at = block.at + bit / 8;
        let Some(bytes) = self.packed.get(at..at + 8).and_then(|b| b.first_chunk()) else {
            return Self::NULL;
        };
        let word = u64::from_le_bytes(*bytes);
        if block.width == RAW {
            return word as i64;
        }
        let code = (word >> (bit % 8)) & ((1 << block.width) - 1);
        if code == 0 { Self::NULL } else { block.base.wrapping_add((code - 1) as i64) }
    }

    /// All rows in order, NULL as [`Ints::NULL`].
    pub fn iter(&self) -> impl Iterator<Item = i64> + '_ {
        let mut near = self.near();
        (0..self.len()).map(move |row| near.get(row))
    }

    /// Reads rows that are mostly near the one before.
    pub const fn near(&self) -> Near<'_> {
        Near { ints: self, start: Near::NOWHERE, missed: Near::NOWHERE, held: [Self::NULL; NEAR] }
    }

    /// The rows from `from` on, NULL as [`Ints::NULL`]; so are rows out of range.
    pub fn read(&self, mut from: usize, mut out: &mut [i64]) {
        while !out.is_empty() {
            let (now, rest) = out.split_at_mut(out.len().min(BLOCK - from % BLOCK));
            if let Some(block) = self.blocks.get(from / BLOCK) {
                self.unpack(block, from % BLOCK, now);
            } else {
                let known = self.tail.get(from - self.blocks.len() * BLOCK..).unwrap_or_default();
                let known = &known[..known.len().min(now.len())];
                now[..known.len()].copy_from_slice(known);
                now[known.len()..].fill(Self::NULL);
            }
            from += now.len();
            out = rest;
        }
    }

    fn unpack(&self, block: &Block, from: usize, out: &mut [i64]) {
        if block.width == 0 {
            return out.fill(Self::NULL);
        }
        let Some(packed) = self.packed.get(block.at..) else { return };
        let width = usize::from(block.width);
        let word =
            |bit: usize| packed.get(bit / 8..bit / 8 + 8).and_then(|b| b.first_chunk()).copied().unwrap_or([0; 8]);
        if block.width == RAW {
            for (i, value) in out.iter_mut().enumerate() {
                *value = i64::from_le_bytes(word((from + i) * width));
            }
            return;
        }
        let (mask, first) = ((1_u64 << width) - 1, block.base.wrapping_sub(1));
        for (i, value) in out.iter_mut().enumerate() {
            let bit = (from + i) * width;
            let code = (u64::from_le_bytes(word(bit)) >> (bit % 8)) & mask;
            *value = if code == 0 { Self::NULL } else { first.wrapping_add(code as i64) };
        }
    }

    /// The largest value; `None` where all rows are NULL. No row is looked at but the last thousand.
    pub fn max(&self) -> Option<i64> {
        let tail = self.tail.iter().copied().max();
        self.blocks.iter().map(|block| block.max).chain(tail).max().filter(|n| *n != Self::NULL)
    }

    /// Appends a value, or NULL as [`Ints::NULL`].
    pub fn push(&mut self, value: i64) {
        self.tail.push(value);
        if self.tail.len() == BLOCK {
            let tail = std::mem::take(&mut self.tail);
            self.seal(&tail);
            self.tail = tail;
            self.tail.clear();
        }
    }

    /// Appends values, NULL as [`Ints::NULL`].
    pub fn extend(&mut self, mut values: &[i64]) {
        while !values.is_empty() {
            if self.tail.is_empty() && values.len() >= BLOCK {
                let (block, rest) = values.split_at(BLOCK);
                self.seal(block);
                values = rest;
            } else {
                let (now, rest) = values.split_at(values.len().min(BLOCK - self.tail.len() % BLOCK));
                self.tail.extend_from_slice(now);
                values = rest;
                if self.tail.len() == BLOCK {
                    let tail = std::mem::take(&mut self.tail);
                    self.seal(&tail);
                    self.tail = tail;
                    self.tail.clear();
                }
            }
        }
    }

    /// How many rows more make a whole number of blocks: what is appended then is not unpacked.
    pub const fn to_whole_block(rows: usize) -> usize {
        (BLOCK - rows % BLOCK) % BLOCK
    }

    /// Appends all rows of another column.
    pub fn append(&mut self, other: &Self) {
        if !self.tail.is_empty() {
            let mut values = Vec::with_capacity(other.len());
            values.extend(other.iter());
            return self.extend(&values);
        }
        // The spare bytes after the last block give way to the next one.
        let shift = self.packed.len().saturating_sub(SPARE);
        self.packed.truncate(shift);
        self.packed.extend_from_slice(&other.packed);
        if other.packed.is_empty() && !self.blocks.is_empty() {
            self.packed.extend_from_slice(&[0; SPARE]);
        }
        self.blocks.extend(other.blocks.iter().map(|block| Block { at: block.at + shift, ..*block }));
        self.tail.extend_from_slice(&other.tail);
    }

    /// Gives back memory that growing reserved.
    pub fn shrink(&mut self) {
        self.blocks.shrink_to_fit();
        self.packed.shrink_to_fit();
        self.tail.shrink_to_fit();
    }

    fn seal(&mut self, values: &[i64]) {
        self.packed.truncate(self.packed.len().saturating_sub(SPARE));
        let at = self.packed.len();
        let (mut base, mut max) = (i64::MAX, Self::NULL);
        for &v in values {
            base = base.min(if v == Self::NULL { i64::MAX } else { v });
            max = max.max(v);
        }
        let largest = if max == Self::NULL { 0 } else { (max.wrapping_sub(base) as u64).saturating_add(1) };
        let width = 64 - largest.leading_zeros() as u8;
        self.packed.reserve((values.len() * usize::from(width)).div_ceil(8) + 2 * SPARE);
        if width > WIDEST {
            self.packed.extend(values.iter().flat_map(|v| v.to_le_bytes()));
            self.blocks.push(Block { base: 0, at, width: RAW, max });
        } else {
            let (mut word, mut filled) = (0_u64, 0);
            for &v in values {
                let code = if v == Self::NULL { 0 } else { (v.wrapping_sub(base) as u64) + 1 };
                word |= code << filled;
                filled += width;
                if filled >= 64 {
                    self.packed.extend_from_slice(&word.to_le_bytes());
                    filled -= 64;
                    word = if filled == 0 { 0 } else { code >> (width - filled) };
                }
            }
            self.packed.extend_from_slice(&word.to_le_bytes()[..usize::from(filled).div_ceil(8)]);
            self.blocks.push(Block { base, at, width, max });
        }
        self.packed.extend_from_slice(&[0; SPARE]);
    }
}

/// Rows that [`Near`] unpacks at once: a power of two, few enough that those of all columns stay in the nearest cache.
const NEAR: usize = 64;

/// Reads a column's rows one by one, unpacking a few at once where they come mostly in order. In another order, as where
/// rows are joined by key, nothing is unpacked but what is asked for.
#[derive(Clone, Debug)]
pub struct Near<'a> {
    ints: &'a Ints,
    /// The first row held.
    start: usize,
    /// The row asked for last that was not held.
    missed: usize,
    held: [i64; NEAR],
}

impl Near<'_> {
    /// A start that no row is near.
    const NOWHERE: usize = usize::MAX - 2 * NEAR;

    /// The value of a row; [`Ints::NULL`] is NULL or out of range.
    #[inline]
    pub fn get(&mut self, row: usize) -> i64 {
        if row.wrapping_sub(self.start) >= NEAR { self.miss(row) } else { self.held[row % NEAR] }
    }

    #[cold]
    #[inline(never)]
    fn miss(&mut self, row: usize) -> i64 {
        let near = row.abs_diff(std::mem::replace(&mut self.missed, row)) < 2 * NEAR;
        if near {
            self.start = row - row % NEAR;
            self.ints.read(self.start, &mut self.held);
        }
        self.ints.raw(row)
    }
}

impl FromIterator<i64> for Ints {
    fn from_iter<I: IntoIterator<Item = i64>>(values: I) -> Self {
        let mut out = Self::new();
        for value in values {
            out.push(value);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn keeps_every_value_of_odd_blocks() {
        for values in [
            vec![i64::MIN; 1024],
            vec![7; 1024],
            (0..1024).map(|i| if i % 2 == 0 { i64::MAX } else { i64::MIN + 1 }).collect(),
            (0..1024).map(|i| if i % 3 == 0 { i64::MIN } else { i * 1_000_003 }).collect(),
            (0..1024).map(|i| if i == 5 { i64::MAX - 1 } else { -1 }).collect(),
        ] {
            let twice = [values.clone(), values.clone(), vec![3]].concat();
            let ints: Ints = twice.iter().copied().collect();
            assert_eq!(ints.iter().collect::<Vec<_>>(), twice);
        }
    }

    #[test]
    fn takes_less_room_than_plain_integers() {
        let ints: Ints = (0..100_000).map(|i| 1_767_225_600_000_000 + i % 50_000).collect();
        assert!(ints.packed.len() < 100_000 * 3, "{} bytes", ints.packed.len());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn reads_back_what_was_written(
            runs in prop::collection::vec((any::<i64>(), 0_u32..64, 1_usize..1500), 1..6),
            cut in 0_usize..4000,
        ) {
            let values: Vec<i64> = runs.iter().flat_map(|&(seed, shift, n)| {
                (0..n as i64).map(move |i| seed.wrapping_mul(i + 1) >> shift)
            }).collect();
            let cut = cut.min(values.len());
            let mut ints: Ints = values[..cut].iter().copied().collect();
            let mut joined = ints.clone();
            joined.append(&values[cut..].iter().copied().collect());
            prop_assert_eq!(joined.iter().collect::<Vec<_>>(), values.clone());
            let whole = cut / BLOCK * BLOCK;
            let mut joined: Ints = values[..whole].iter().copied().collect();
            joined.append(&values[whole..].iter().copied().collect());
            prop_assert_eq!(joined.iter().collect::<Vec<_>>(), values.clone());
            ints.extend(&values[cut..]);
            prop_assert_eq!(ints.len(), values.len());
            prop_assert_eq!(ints.iter().collect::<Vec<_>>(), values.clone());
            prop_assert_eq!((0..values.len()).map(|row| ints.raw(row)).collect::<Vec<_>>(), values.clone());
            prop_assert_eq!(ints.max(), values.iter().copied().max().filter(|n| *n != Ints::NULL));
            let mut part = vec![7; 1500];
            ints.read(cut, &mut part);
            let wanted: Vec<i64> = (cut..cut + 1500).map(|row| ints.raw(row)).collect();
            prop_assert_eq!(part, wanted);
            let mut near = ints.near();
            for row in (0..values.len() + 100).rev().step_by(7) {
                prop_assert_eq!(near.get(row), ints.raw(row));
            }
        }
    }
}
