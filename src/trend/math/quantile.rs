//! Quantiles of a sample, plain and weighted.

/// The `q` quantile of values, by linear interpolation between order statistics: definition 7 of Hyndman and Fan,
/// *Sample Quantiles in Statistical Packages*, The American Statistician 50 (1996). `None` of nothing.
///
/// Reorders `values`.
pub fn quantile(values: &mut [f64], q: f64) -> Option<f64> {
    let last = values.len().checked_sub(1)?;
    let place = last as f64 * q.clamp(0.0, 1.0);
    let low = (place.floor() as usize).min(last);
    let (_, at, above) = values.select_nth_unstable_by(low, f64::total_cmp);
    let at = *at;
    let next = above.iter().copied().min_by(f64::total_cmp).unwrap_or(at);
    let share = place - low as f64;
    // Not `at + (next − at) · share`: that overflows for values of different sign near the end of the doubles.
    Some(if share == 0.0 { at } else { at * (1.0 - share) + next * share })
}

/// The median. Reorders `values`.
pub fn median(values: &mut [f64]) -> Option<f64> {
    quantile(values, 0.5)
}

/// The smallest value at and below which lies at least the share `q` of all weight (Bentley's weighted selection; for
/// q = ½ the lower weighted median). Weights that are not positive count nothing.
pub fn weighted_quantile(pairs: &mut [(f64, f64)], q: f64) -> Option<f64> {
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
    let positive = |w: f64| if w > 0.0 { w } else { 0.0 };
    let total: f64 = pairs.iter().map(|p| positive(p.1)).sum();
    if total <= 0.0 || !total.is_finite() {
        return None;
    }
    let mut sum = 0.0;
    let found = pairs.iter().find(|p| {
        sum += positive(p.1);
        sum >= q.clamp(0.0, 1.0) * total && p.1 > 0.0
    });
    found.or_else(|| pairs.iter().rev().find(|p| p.1 > 0.0)).map(|p| p.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_r_and_numpy_have_them() {
        // numpy.quantile([1, 2, 4, 8, 16], q)
        for (q, want) in [(0.0, 1.0), (0.1, 1.4), (0.25, 2.0), (0.5, 4.0), (0.9, 12.8), (1.0, 16.0)] {
            let got = quantile(&mut [16.0, 1.0, 8.0, 2.0, 4.0], q).unwrap();
            assert!((got - want).abs() < 1e-12, "{q}: {got}");
        }
        assert_eq!(median(&mut [3.0, 1.0]), Some(2.0));
        assert_eq!(median(&mut []), None);
        assert_eq!(median(&mut [f64::MAX, -f64::MAX]), Some(0.0));
    }

    #[test]
    fn weights_pull() {
        let pairs = [(1.0, 1.0), (2.0, 1.0), (10.0, 5.0)];
        assert_eq!(weighted_quantile(&mut pairs.clone(), 0.5), Some(10.0));
        assert_eq!(weighted_quantile(&mut pairs.clone(), 0.25), Some(2.0));
        assert_eq!(weighted_quantile(&mut [(1.0, 0.0), (2.0, f64::NAN)], 0.5), None);
        assert_eq!(weighted_quantile(&mut [(1.0, 0.0), (2.0, 3.0)], 0.0), Some(2.0));
    }
}
