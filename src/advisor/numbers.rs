//! Positions by a number that tells objects apart, an OID: sorted, as the rows of a snapshot mostly are, and searched.

/// Positions in the order of their numbers; those of one number in their own order.
#[derive(Debug, Default)]
pub(super) struct Numbers(Vec<(i64, u32)>);

impl Numbers {
    /// Of so many objects, by what they are numbered with.
    pub fn of(count: usize, number: impl Fn(usize) -> Option<i64>) -> Self {
        let each = (0..count).filter_map(|at| Some((number(at)?, u32::try_from(at).ok()?)));
        let mut sorted: Vec<(i64, u32)> = each.collect();
        if !sorted.is_sorted() {
            sorted.sort_unstable();
        }
        Self(sorted)
    }

    /// All positions of a number.
    pub fn all(&self, number: i64) -> impl Iterator<Item = usize> + '_ {
        let from = self.0.partition_point(|(n, _)| *n < number);
        let rest = self.0.get(from..).unwrap_or_default();
        rest.iter().take_while(move |(n, _)| *n == number).map(|(_, at)| *at as usize)
    }

    /// The last position of a number.
    pub fn last(&self, number: i64) -> Option<usize> {
        self.all(number).last()
    }
}

#[cfg(test)]
mod tests {
    use super::Numbers;

    #[test]
    fn every_position_is_found_by_its_number() {
        let given = [Some(7), None, Some(3), Some(7), Some(-1)];
        let numbers = Numbers::of(given.len(), |at| given[at]);
        let all = |n| numbers.all(n).collect::<Vec<_>>();
        assert_eq!((all(7), all(3), all(-1), all(4)), (vec![0, 3], vec![2], vec![4], vec![]));
        assert_eq!((numbers.last(7), numbers.last(4)), (Some(3), None));
        assert_eq!(Numbers::default().last(1), None);
    }
}
