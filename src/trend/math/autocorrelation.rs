//! How much neighbours in a series resemble each other, and what that costs a test.

use super::Point;

/// No more dependence than this is corrected for: beyond it the series is a random walk, see [`super::super::fit`].
pub const MOST: f64 = 0.95;

/// Lag-1 autocorrelation of what a line leaves over, corrected for the bias of small samples. A fitted line takes its
/// part of the resemblance away: the expectation of r is ρ − (2 + 4ρ)/n (van Giersbergen, *On the effect of
/// deterministic terms on the bias in stable AR models*, Economics Letters 89, 2005). Within 0 and 1: dependence that
/// would raise certainty is not used.
pub fn lag_one(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    if n < 6.0 {
        return 0.0;
    }
    let mean = values.iter().sum::<f64>() / n;
    let around: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    let beside: f64 = values.iter().zip(values.iter().skip(1)).map(|(a, b)| (a - mean) * (b - mean)).sum();
    if around <= 0.0 || !around.is_finite() {
        return 0.0;
    }
    ((n * beside / around + 2.0) / (n - 4.0)).clamp(0.0, 1.0)
}

/// By how much dependence of this strength raises the variance of a sum (and of Kendall's S) of `n` values:
/// 1 + 2 Σ (1 − k/n) ρᵏ. Yue and Wang, *The Mann–Kendall test modified by effective sample size*, Water Resources
/// Management 18 (2004), for a first-order process.
pub fn inflation(rho: f64, n: usize) -> f64 {
    let rho = rho.clamp(0.0, MOST);
    let (mut power, mut sum) = (1.0, 0.0);
    for k in 1..n {
        power *= rho;
        sum += (1.0 - k as f64 / n as f64) * power;
    }
    1.0 + 2.0 * sum
}

/// What a line leaves over.
pub fn residuals(points: &[Point], slope: f64) -> Vec<f64> {
    points.iter().map(|p| p.1 - slope * p.0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_series() {
        let alternating: Vec<f64> = (0..40).map(|i| f64::from(i % 2)).collect();
        assert_eq!(lag_one(&alternating), 0.0);
        let slow: Vec<f64> = (0..200).map(|i| (f64::from(i) / 20.0).sin()).collect();
        assert!(lag_one(&slow) > 0.95);
        assert_eq!(lag_one(&[5.0; 30]), 0.0);
    }

    #[test]
    fn inflation_of_a_first_order_process() {
        assert_eq!(inflation(0.0, 50), 1.0);
        // (1 + ρ) / (1 − ρ) for long series
        assert!((inflation(0.5, 5_000) - 3.0).abs() < 0.01);
        assert_eq!(inflation(0.9, 1), 1.0);
    }
}
