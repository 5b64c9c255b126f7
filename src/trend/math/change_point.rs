//! Where a series changed its level, if it did.
//!
//! Pettitt, *A non-parametric approach to the change-point problem*, Applied Statistics 28 (1979): the split at which
//! later values are most often above (or below) earlier ones.

use super::Point;
use super::quantile::median;

/// A change of level.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChangePoint {
    /// Number of points before it.
    pub before: usize,
    /// Median before.
    pub from: f64,
    /// Median after.
    pub to: f64,
    /// Approximate probability of a split as clear as this one without any change; `inflation` considered.
    pub p: f64,
}

/// The clearest change among points in time order; `None` under 5 points on a side. `inflation` as for the
/// Mann–Kendall test: the statistic is a sum of signs, too.
pub fn change_point(points: &[Point], inflation: f64) -> Option<ChangePoint> {
    const SIDE: usize = 5;
    let n = points.len();
    if n < 2 * SIDE {
        return None;
    }
    // U(t) = U(t − 1) + Σ sign(x_t − x_j), Pettitt's equation 2.3.
    let sign = |a: f64, b: f64| i64::from(a > b) - i64::from(a < b);
    let mut u = 0;
    let mut best = (0, 0);
    for (t, (_, value)) in points.iter().enumerate() {
        u += points.iter().map(|(_, other)| sign(*value, *other)).sum::<i64>();
        let before = t + 1;
        if before >= SIDE && n - before >= SIDE && u.abs() > best.0 {
            best = (u.abs(), before);
        }
    }
    let (k, before) = best;
    if before == 0 {
        return None;
    }
    let cubic = (n as f64).powi(3) + (n as f64).powi(2);
    let p = (2.0 * (-6.0 * (k as f64).powi(2) / (cubic * inflation.max(1.0))).exp()).min(1.0);
    let level = |side: &[Point]| median(&mut side.iter().map(|p| p.1).collect::<Vec<_>>());
    let (left, right) = points.split_at_checked(before)?;
    Some(ChangePoint { before, from: level(left)?, to: level(right)?, p })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(values: impl Iterator<Item = f64>) -> Vec<Point> {
        values.enumerate().map(|(i, v)| (i as f64, v)).collect()
    }

    #[test]
    fn finds_the_step_and_only_a_step() {
        let wobble = |i: i32| f64::from(i * 7 % 5);
        let step = series((0..40).map(|i| wobble(i) + if i < 25 { 0.0 } else { 20.0 }));
        let found = change_point(&step, 1.0).unwrap();
        assert_eq!((found.before, found.from, found.to), (25, 2.0, 22.0));
        assert!(found.p < 1e-4, "{found:?}");
        assert!(change_point(&series((0..40).map(wobble)), 1.0).is_none_or(|c| c.p > 0.2));
        assert_eq!(change_point(&series((0..8).map(f64::from)), 1.0), None);
        assert_eq!(change_point(&series((0..30).map(|_| 1.0)), 1.0), None);
    }
}
