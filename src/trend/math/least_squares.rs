//! A straight line by least squares, one point after the other, with states that merge.
//!
//! Welford's update of means and co-moments; the merge is that of Chan, Golub and LeVeque, *Algorithms for computing
//! the sample variance*, The American Statistician 37 (1983). It needs no points kept, and wild points move it: what is
//! claimed rests on [`super::theil_sen`].

/// Sums of a line in the making.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LeastSquares {
    n: f64,
    mean_x: f64,
    mean_y: f64,
    xx: f64,
    xy: f64,
}

impl LeastSquares {
    /// Adds a point.
    #[inline]
    pub fn push(&mut self, x: f64, y: f64) {
        self.n += 1.0;
        let (dx, dy) = (x - self.mean_x, y - self.mean_y);
        self.mean_x += dx / self.n;
        self.mean_y += dy / self.n;
        self.xx += dx * (x - self.mean_x);
        self.xy += dx * (y - self.mean_y);
    }

    /// Both together.
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        let n = self.n + other.n;
        if n == 0.0 {
            return self;
        }
        let (dx, dy) = (other.mean_x - self.mean_x, other.mean_y - self.mean_y);
        let (share, weight) = (other.n / n, self.n * other.n / n);
        Self {
            n,
            mean_x: self.mean_x + dx * share,
            mean_y: self.mean_y + dy * share,
            xx: self.xx + other.xx + dx * dx * weight,
            xy: self.xy + other.xy + dx * dy * weight,
        }
    }

    /// Change of y for each x; `None` where all x are the same.
    pub fn slope(&self) -> Option<f64> {
        (self.n >= 2.0 && self.xx > 0.0).then(|| self.xy / self.xx).filter(|s| s.is_finite())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(points: &[(f64, f64)]) -> LeastSquares {
        let mut out = LeastSquares::default();
        for (x, y) in points {
            out.push(*x, *y);
        }
        out
    }

    #[test]
    fn anscombe() {
        // Anscombe (1973), first set: slope 0.5001.
        let x = [10.0, 8.0, 13.0, 9.0, 11.0, 14.0, 6.0, 4.0, 12.0, 7.0, 5.0];
        let y = [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68];
        let points: Vec<(f64, f64)> = x.into_iter().zip(y).collect();
        assert!((of(&points).slope().unwrap() - 0.500_09).abs() < 1e-5);
        assert_eq!(of(&[(1.0, 2.0), (1.0, 3.0)]).slope(), None);
        assert_eq!(of(&[]).merge(of(&[])).slope(), None);
    }

    proptest! {
        #[test]
        fn parts_merge_to_the_whole(
            points in prop::collection::vec((-1e6_f64..1e6, -1e6_f64..1e6), 3..60), at in 0_usize..60,
        ) {
            let at = at.min(points.len());
            let (whole, parts) = (of(&points), of(&points[..at]).merge(of(&points[at..])));
            if let (Some(a), Some(b)) = (whole.slope(), parts.slope()) {
                prop_assert!((a - b).abs() <= 1e-6 * a.abs().max(1e-3), "{a} {b}");
            }
        }
    }
}
