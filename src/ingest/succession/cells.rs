//! Where the cells of a row end.

/// The most cells a row may have here.
pub(in crate::ingest) const MOST: usize = 64;
/// Bytes that have to stand behind the last row: separators are looked for in blocks of so many.
pub(in crate::ingest) const BLOCK: usize = 64;

/// Ends of a row's cells.
#[derive(Clone, Copy, Debug)]
pub(in crate::ingest) struct Ends {
    at: [u32; MOST],
    count: usize,
}

impl Default for Ends {
    fn default() -> Self {
        Self { at: [0; MOST], count: 0 }
    }
}

impl Ends {
    /// Start and end of a cell of the row that starts at `row`.
    #[inline]
    pub fn cell(&self, row: usize, cell: usize) -> (usize, usize) {
        let end = self.at[cell % MOST] as usize;
        let start = if cell == 0 { row } else { self.at[(cell - 1) % MOST] as usize + 1 };
        (start, end)
    }

    /// Splits the row that starts at `row` into `cells` cells; where the next row starts. `None` where it has more or
    /// fewer, is not whole, or quotes in a way that the general reader has to judge.
    #[inline]
    pub fn split(&mut self, bytes: &[u8], row: usize, cells: usize) -> Option<usize> {
        self.count = 0;
        self.rest(bytes, row, row, cells)
    }

    /// The same for a row of which the first `known` cells end at `end`: none of these can be asked for, but the next one
    /// begins behind them.
    #[inline]
    pub fn split_behind(
        &mut self,
        bytes: &[u8],
        row: usize,
        (known, end): (usize, usize),
        cells: usize,
    ) -> Option<usize> {
        self.count = known.checked_sub(1)?;
        self.push(end);
        self.rest(bytes, row, end + 1, cells)
    }

    /// Splits the rest of a row, from `at` on.
    #[inline]
    fn rest(&mut self, bytes: &[u8], row: usize, mut at: usize, cells: usize) -> Option<usize> {
        loop {
            let block: &[u8; BLOCK] = bytes.get(at..at + BLOCK)?.try_into().ok()?;
            let mut marks = marks(block);
            while marks != 0 {
                let place = marks.trailing_zeros() as usize;
                let end = at + place;
                match block[place % BLOCK] {
                    b',' => self.push(end),
                    b'\n' => {
                        self.push(end);
                        return (self.count == cells).then_some(end + 1);
                    }
                    _ => return self.split_quoted(bytes, row, cells),
                }
                marks &= marks - 1;
            }
            at += BLOCK;
        }
    }

    #[inline]
    fn push(&mut self, end: usize) {
        self.at[self.count % MOST] = end as u32;
        self.count += 1;
    }

    /// The same for a row with quotes: each cell is either quoted as a whole or has none.
    #[cold]
    fn split_quoted(&mut self, bytes: &[u8], row: usize, cells: usize) -> Option<usize> {
        self.count = 0;
        let mut at = row;
        loop {
            if bytes.get(at) == Some(&b'"') {
                at += 1;
                loop {
                    at += bytes.get(at..)?.iter().position(|b| *b == b'"')? + 1;
                    if bytes.get(at) != Some(&b'"') {
                        break;
                    }
                    at += 1;
                }
            } else {
                at += bytes.get(at..)?.iter().position(|b| matches!(b, b',' | b'\n' | b'"'))?;
            }
            match bytes.get(at)? {
                b',' if self.count + 1 < cells => self.push(at),
                b'\n' if self.count + 1 == cells => {
                    self.push(at);
                    return Some(at + 1);
                }
                _ => return None,
            }
            at += 1;
        }
    }
}

/// A bit for each byte that separates or quotes. Written so that the compiler compares sixteen bytes at once.
#[inline]
fn marks(block: &[u8; BLOCK]) -> u64 {
    let mut found = [0_u8; BLOCK];
    for (found, byte) in found.iter_mut().zip(block) {
        *found = u8::from(*byte == b',' || *byte == b'\n' || *byte == b'"');
    }
    let mut out = 0;
    for (at, part) in found.as_chunks::<8>().0.iter().enumerate() {
        // The lowest bit of each byte, gathered in the highest one.
        out |= (u64::from_le_bytes(*part).wrapping_mul(0x0102_0408_1020_4080) >> 56) << (8 * at);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn split(text: &str, cells: usize) -> Option<Vec<String>> {
        let mut bytes = text.as_bytes().to_vec();
        bytes.resize(text.len() + BLOCK, 0);
        let mut ends = Ends::default();
        let next = ends.split(&bytes, 0, cells)?;
        assert_eq!(next, text.len(), "{text:?}");
        Some((0..cells).map(|c| ends.cell(0, c)).map(|(a, b)| text[a..b].to_owned()).collect())
    }

    #[test]
    fn splits_rows() {
        let long = "x".repeat(200);
        for (text, want) in [
            ("1,a,\n", Some(vec!["1", "a", ""])),
            (",,\n", Some(vec!["", "", ""])),
            ("1,\"a, b\n\"\"c\"\"\",3\n", Some(vec!["1", "\"a, b\n\"\"c\"\"\"", "3"])),
            (&format!("1,{long},3\n"), Some(vec!["1", &long, "3"])),
            ("1,2\n", None),
            ("1,2,3,4\n", None),
            ("1,\"a,3\n", None),
            ("1,\"a\"b,3\n", None),
            ("1,a\"b,3\n", None),
            ("1,2,3", None),
        ] {
            let want = want.map(|cells| cells.into_iter().map(str::to_owned).collect::<Vec<_>>());
            assert_eq!(split(text, 3), want, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn finds_every_mark(block in prop::collection::vec(prop_oneof![Just(b','), Just(b'\n'), Just(b'"'), any::<u8>()], BLOCK)) {
            let block: [u8; BLOCK] = block.try_into().unwrap();
            let want = block.iter().enumerate().filter(|(_, b)| b",\n\"".contains(b)).fold(0, |m, (i, _)| m | 1_u64 << i);
            prop_assert_eq!(marks(&block), want);
        }
    }
}
