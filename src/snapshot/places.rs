//! Where rows stand in their file.

/// The line of each row (JSON: its position in the array).
///
/// Rows follow each other line by line except after an embedded line break, so only the jumps are stored.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// `(row, place)` wherever a row's place is not its predecessor's plus one.
    jumps: Vec<(u32, u64)>,
    rows: u32,
}

impl Places {
    /// Appends the place of the next row.
    pub fn push(&mut self, place: u64) {
        if self.next_place() != Some(place) {
            self.jumps.push((self.rows, place));
        }
        self.rows = self.rows.saturating_add(1);
    }

    /// Appends the places of rows that follow, each moved on by `shift`.
    pub fn append(&mut self, other: &Self, shift: u64) {
        for &(row, place) in &other.jumps {
            let at = self.rows.saturating_add(row);
            let place = place.saturating_add(shift);
            let expected = self.jumps.last().map(|&(r, p)| p + u64::from(at - r));
            if expected != Some(place) {
                self.jumps.push((at, place));
            }
        }
        self.rows = self.rows.saturating_add(other.rows);
    }

    /// The place of a row; `None` where unknown.
    pub fn get(&self, row: usize) -> Option<u64> {
        let row = u32::try_from(row).ok().filter(|r| *r < self.rows)?;
        let after = self.jumps.partition_point(|&(r, _)| r <= row);
        let (start, place) = *self.jumps.get(after.checked_sub(1)?)?;
        Some(place + u64::from(row - start))
    }

    /// Number of rows whose place is known.
    pub const fn len(&self) -> usize {
        self.rows as usize
    }

    /// Whether no place is known.
    pub const fn is_empty(&self) -> bool {
        self.rows == 0
    }

    fn next_place(&self) -> Option<u64> {
        self.jumps.last().map(|&(row, place)| place + u64::from(self.rows - row))
    }
}

impl FromIterator<u64> for Places {
    fn from_iter<I: IntoIterator<Item = u64>>(places: I) -> Self {
        let mut out = Self::default();
        for place in places {
            out.push(place);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stores_only_the_jumps() {
        let places: Places = [2, 3, 4, 7, 8, 20].into_iter().collect();
        assert_eq!(
            (0..7).map(|r| places.get(r)).collect::<Vec<_>>(),
            [Some(2), Some(3), Some(4), Some(7), Some(8), Some(20), None]
        );
        assert_eq!(places.jumps.len(), 3);
    }

    #[test]
    fn joins_parts_of_one_file() {
        let mut all: Places = [2, 3].into_iter().collect();
        all.append(&[1, 2, 5].into_iter().collect(), 3);
        assert_eq!((0..5).filter_map(|r| all.get(r)).collect::<Vec<_>>(), [2, 3, 4, 5, 8]);
        assert_eq!(all.jumps.len(), 2);
    }
}
