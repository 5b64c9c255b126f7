//! Where rows stand in their file.

use super::Ints;

/// The line of each row (JSON: its position in the array).
///
/// Rows follow each other line by line except after an embedded line break, so only the jumps are stored. Rows that are
/// not in the order of their file have a number each.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// `(row, place)` wherever a row's place is not its predecessor's plus one.
    jumps: Vec<(u32, u64)>,
    /// The place of each row where they are in another order; then there are no jumps.
    scattered: Ints,
    rows: u32,
}

impl Places {
    /// Places in no order.
    pub fn scattered(places: Ints) -> Self {
        Self { rows: u32::try_from(places.len()).unwrap_or(u32::MAX), scattered: places, jumps: Vec::new() }
    }

    /// Appends the place of the next row.
    pub fn push(&mut self, place: u64) {
        if !self.scattered.is_empty() {
            self.scattered.push(i64::try_from(place).unwrap_or(i64::MAX));
        } else if self.next_place() != Some(place) {
            self.jumps.push((self.rows, place));
        }
        self.rows = self.rows.saturating_add(1);
    }

    /// Appends the places of rows that follow, each moved on by `shift`.
    pub fn append(&mut self, other: &Self, shift: u64) {
        if !other.scattered.is_empty() || !self.scattered.is_empty() {
            let all = self.iter().chain(other.iter().map(|p| p.saturating_add(shift)));
            *self = Self::scattered(all.map(|p| i64::try_from(p).unwrap_or(i64::MAX)).collect());
            return;
        }
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
        if let Some(place) = self.scattered.get(row) {
            return u64::try_from(place).ok();
        }
        let row = u32::try_from(row).ok().filter(|r| *r < self.rows)?;
        let after = self.jumps.partition_point(|&(r, _)| r <= row);
        let (start, place) = *self.jumps.get(after.checked_sub(1)?)?;
        Some(place + u64::from(row - start))
    }

    fn iter(&self) -> impl Iterator<Item = u64> + '_ {
        (0..self.len()).filter_map(|row| self.get(row))
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
    fn rows_in_another_order_have_a_number_each() {
        let mut places = Places::scattered([9, 2, 5].into_iter().collect());
        places.append(&[1, 2].into_iter().collect(), 10);
        let got: Vec<_> = (0..6).map(|r| places.get(r)).collect();
        assert_eq!(got, [Some(9), Some(2), Some(5), Some(11), Some(12), None]);
    }

    #[test]
    fn joins_parts_of_one_file() {
        let mut all: Places = [2, 3].into_iter().collect();
        all.append(&[1, 2, 5].into_iter().collect(), 3);
        assert_eq!((0..5).filter_map(|r| all.get(r)).collect::<Vec<_>>(), [2, 3, 4, 5, 8]);
        assert_eq!(all.jumps.len(), 2);
    }
}
