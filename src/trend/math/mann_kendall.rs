//! The Mann–Kendall test: does a series rise or fall more often than chance would have it?
//!
//! S counts pairs that rise less pairs that fall. Mann, *Nonparametric tests against trend*, Econometrica 13 (1945);
//! Kendall, *Rank Correlation Methods* (1975): variance with ties, exact distribution of small samples.

use super::{Point, normal};

/// Samples up to this size without ties have an exact p.
pub const EXACT: usize = 10;

/// The test's result.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MannKendall {
    /// Rising pairs less falling ones.
    pub s: i64,
    /// Variance of S without a trend, for independent values, ties considered.
    pub variance: f64,
    /// Two-sided probability of an S at least as large without a trend; `inflation` considered.
    pub p: f64,
}

/// Tests points in time order. `inflation` is by how much the variance of S is larger than for independent values (1:
/// not at all).
pub fn test(points: &[Point], inflation: f64) -> MannKendall {
    let s: i64 = points
        .iter()
        .enumerate()
        .map(|(i, a)| points.iter().skip(i + 1).map(|b| i64::from(b.1 > a.1) - i64::from(b.1 < a.1)).sum::<i64>())
        .sum();
    let variance = variance(points);
    let ties = variance < untied(points.len());
    let spread = (variance * inflation.max(1.0)).sqrt();
    // A step of S is 2, so half of one is taken off (correction for continuity).
    let approximate = if s == 0 || spread <= 0.0 { 1.0 } else { normal::two_sided((s.abs() - 1) as f64 / spread) };
    let p = if points.len() <= EXACT && !ties {
        approximate_or_exact(approximate, s, points.len(), inflation)
    } else {
        approximate
    };
    MannKendall { s, variance, p }
}

fn approximate_or_exact(approximate: f64, s: i64, n: usize, inflation: f64) -> f64 {
    let exact = exact(n, s);
    if inflation > 1.0 { exact.max(approximate) } else { exact }
}

/// Variance of S for values without ties.
pub fn untied(n: usize) -> f64 {
    let n = n as f64;
    n * (n - 1.0) * (2.0 * n + 5.0) / 18.0
}

/// Variance of S with ties.
pub fn variance(points: &[Point]) -> f64 {
    let mut values: Vec<f64> = points.iter().map(|p| p.1).collect();
    values.sort_by(f64::total_cmp);
    let tied: f64 = values.chunk_by(|a, b| a == b).map(|group| untied(group.len())).sum();
    (untied(points.len()) - tied).max(0.0)
}

/// Exact two-sided probability of |S| among all n! orders: S falls with each inversion by 2, and the number of orders
/// with k inversions follows Mahonian numbers.
fn exact(n: usize, s: i64) -> f64 {
    let mut orders = vec![1.0_f64];
    for size in 2..=n {
        let mut next = vec![0.0; orders.len() + size - 1];
        for (k, count) in orders.iter().enumerate() {
            next.iter_mut().skip(k).take(size).for_each(|slot| *slot += count);
        }
        orders = next;
    }
    let all: f64 = orders.iter().sum();
    let most = orders.len() as i64 - 1;
    let extreme: f64 =
        orders.iter().enumerate().filter(|(k, _)| (most - 2 * *k as i64).abs() >= s.abs()).map(|(_, c)| c).sum();
    (extreme / all).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(values: &[f64]) -> Vec<Point> {
        values.iter().enumerate().map(|(i, v)| (i as f64, *v)).collect()
    }

    #[test]
    fn the_smallest_p_is_two_in_all_orders() {
        for (n, want) in [(3, 2.0 / 6.0), (4, 2.0 / 24.0), (5, 2.0 / 120.0), (8, 2.0 / 40_320.0)] {
            let rising: Vec<f64> = (0..n).map(f64::from).collect();
            assert!((test(&series(&rising), 1.0).p - want).abs() < 1e-12, "{n}");
        }
    }

    #[test]
    fn kendalls_table() {
        // Kendall (1975), table A1: P(S >= 12) for n = 8 is 0.089, one-sided; P(S >= 15) for n = 10 is 0.108.
        assert!((exact(8, 12) / 2.0 - 0.089).abs() < 5e-4);
        assert!((exact(10, 15) / 2.0 - 0.108).abs() < 5e-4);
    }

    #[test]
    fn ties_and_a_worked_example() {
        // Gilbert (1987), 16.4.2: ties lower the variance by t(t−1)(2t+5)/18 each.
        let got = test(&series(&[10.0, 22.0, 21.0, 30.0, 22.0, 30.0, 40.0, 40.0, 41.0, 22.0, 50.0]), 1.0);
        assert_eq!(got.s, 36);
        assert!((got.variance - (165.0 - 66.0 / 18.0 - 2.0)).abs() < 1e-9, "{}", got.variance);
        assert!(got.p < 0.01);
        let still = test(&series(&[7.0; 30]), 1.0);
        assert_eq!((still.s, still.variance, still.p), (0, 0.0, 1.0));
    }

    #[test]
    fn dependence_costs_certainty() {
        let rising: Vec<f64> = (0..20).map(f64::from).collect();
        let (alone, dependent) = (test(&series(&rising), 1.0), test(&series(&rising), 9.0));
        assert!(alone.p < 1e-6 && dependent.p > 0.01 && dependent.p < 0.1);
    }
}
