//! Points of a series in bounded memory: exact up to a number, then the first of each bucket of time.
//!
//! Buckets are aligned to the epoch and their width doubles whenever there are too many, so what is kept depends on the
//! points alone: states of adjacent stretches of time merge to what one pass would have kept. A kept point is a real
//! one, never a mean.

use crate::time::Timestamp;

/// Points kept of one segment.
pub const KEPT: usize = 512;

/// A series' points in time order.
#[derive(Clone, Debug, PartialEq)]
pub struct Thinned<V> {
    kept: Vec<(Timestamp, V)>,
    last: Option<(Timestamp, V)>,
    /// Buckets are 2^width microseconds wide.
    width: u32,
    seen: u64,
}

impl<V: Copy> Default for Thinned<V> {
    fn default() -> Self {
        Self { kept: Vec::new(), last: None, width: 0, seen: 0 }
    }
}

impl<V: Copy> Thinned<V> {
    /// Makes room for so many points to come.
    pub fn reserve(&mut self, more: usize) {
        let wanted = (self.kept.len() + more).min(KEPT + 1);
        if self.kept.capacity() < wanted {
            // Little more than what is kept at most is all of it.
            let wanted = if wanted * 8 > KEPT * 7 { KEPT + 1 } else { wanted };
            self.kept.reserve_exact(wanted - self.kept.len());
        }
    }

    /// Adds a point, not older than the last one.
    #[inline]
    pub fn push(&mut self, at: Timestamp, value: V) {
        self.seen += 1;
        self.last = Some((at, value));
        self.keep(at, value);
        if self.kept.len() > KEPT {
            self.widen();
        }
    }

    /// Appends the points of a later stretch of time.
    pub fn append(&mut self, later: &Self) {
        self.seen += later.seen;
        self.last = later.last.or(self.last);
        self.width = self.width.max(later.width);
        self.compact();
        for &(at, value) in &later.kept {
            self.keep(at, value);
        }
        self.widen();
    }

    /// How many points were pushed.
    pub const fn seen(&self) -> u64 {
        self.seen
    }

    /// Whether points were left out.
    pub fn is_thinned(&self) -> bool {
        self.seen > self.kept.len() as u64
    }

    /// The first point.
    pub fn first(&self) -> Option<(Timestamp, V)> {
        self.kept.first().copied()
    }

    /// The last point pushed, kept in any case.
    pub const fn last(&self) -> Option<(Timestamp, V)> {
        self.last
    }

    /// The points kept, in time order; the last one pushed is among them.
    pub fn iter(&self) -> impl Iterator<Item = (Timestamp, V)> + '_ {
        let tail = self.last.filter(|l| self.kept.last().is_none_or(|k| k.0 < l.0));
        self.kept.iter().copied().chain(tail)
    }

    #[inline]
    fn keep(&mut self, at: Timestamp, value: V) {
        if self.kept.last().is_none_or(|k| k.0.0 >> self.width != at.0 >> self.width) {
            self.kept.push((at, value));
        }
    }

    #[cold]
    fn widen(&mut self) {
        if self.kept.len() <= KEPT {
            return;
        }
        // Points further apart than a bucket is wide never share one, so narrower buckets need not be tried.
        let gaps = self.kept.iter().zip(self.kept.iter().skip(1)).map(|(a, b)| b.0.0.abs_diff(a.0.0));
        let narrow = gaps.min().map_or(0, |gap| gap.max(1).ilog2());
        self.width = self.width.max(narrow);
        while self.kept.len() > KEPT && self.width < 62 {
            self.width += 1;
            self.compact();
        }
    }

    fn compact(&mut self) {
        let width = self.width;
        self.kept.dedup_by_key(|k| k.0.0 >> width);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(times: &[i64]) -> Thinned<f64> {
        let mut out = Thinned::default();
        for t in times {
            out.push(Timestamp(*t), *t as f64);
        }
        out
    }

    #[test]
    fn exact_below_the_bound_and_bounded_above() {
        let hours = |n: i64| (0..n).map(|i| i * 3_600_000_000).collect::<Vec<_>>();
        let few = of(&hours(512));
        assert_eq!((few.iter().count(), few.is_thinned()), (512, false));
        let many = of(&hours(8_760));
        let count = many.iter().count();
        assert!(many.is_thinned() && (KEPT / 2..=KEPT + 1).contains(&count), "{count}");
        assert_eq!(many.seen(), 8_760);
        assert_eq!(many.last(), Some((Timestamp(8_759 * 3_600_000_000), 8_759.0 * 3.6e9)));
    }

    proptest! {
        #[test]
        fn halves_merge_to_the_whole(
            mut times in prop::collection::vec(-1_000_000_i64..10_000_000_000, 1..2_000), at in 0_usize..2_000,
        ) {
            times.sort_unstable();
            times.dedup();
            let at = at.min(times.len());
            let mut left = of(&times[..at]);
            left.append(&of(&times[at..]));
            prop_assert_eq!(left, of(&times));
        }
    }
}
