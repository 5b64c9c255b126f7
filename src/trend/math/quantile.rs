//! Quantiles of a sample, plain and weighted.

/// Samples up to this size are sorted by inserting: nothing is faster there.
const SMALL: usize = 16;

/// The `q` quantile of values, by linear interpolation between order statistics: definition 7 of Hyndman and Fan,
/// *Sample Quantiles in Statistical Packages*, The American Statistician 50 (1996). `None` of nothing.
///
/// Reorders `values`.
pub fn quantile(values: &mut [f64], q: f64) -> Option<f64> {
    let (low, share) = place(values.len(), q)?;
    if values.len() <= SMALL {
        for end in 1..values.len() {
            let mut at = end;
            while let Some(pair) = at.checked_sub(1).and_then(|before| values.get_mut(before..=at)) {
                if pair.first().map(|x| key(*x)) <= pair.last().map(|x| key(*x)) {
                    break;
                }
                pair.reverse();
                at -= 1;
            }
        }
        let at = *values.get(low)?;
        return Some(between(at, values.get(low + 1).copied().unwrap_or(at), share));
    }
    let (_, at, above) = values.select_nth_unstable_by(low, f64::total_cmp);
    let at = *at;
    let next = if share == 0.0 { at } else { above.iter().copied().min_by(f64::total_cmp).unwrap_or(at) };
    Some(between(at, next, share))
}

/// The median of numbers given by their keys, and its lower order statistic's position, around which the keys are parted.
pub fn median_of_keys(keys: &mut [i64]) -> Option<(f64, usize)> {
    let (low, share) = place(keys.len(), 0.5)?;
    let (_, at, above) = keys.select_nth_unstable(low);
    let at = *at;
    let next = above.iter().copied().min().unwrap_or(at);
    Some((between(of_key(at), of_key(next), share), low))
}

/// The position of the lower order statistic of a quantile, and how far it is from there to the next.
fn place(count: usize, q: f64) -> Option<(usize, f64)> {
    let last = count.checked_sub(1)?;
    let place = last as f64 * q.clamp(0.0, 1.0);
    let low = (place.floor() as usize).min(last);
    Some((low, place - low as f64))
}

fn between(at: f64, next: f64, share: f64) -> f64 {
    // Not `at + (next − at) · share`: that overflows for values of different sign near the end of the doubles.
    if share == 0.0 { at } else { at * (1.0 - share) + next * share }
}

/// A whole number that is ordered as [`f64::total_cmp`] orders the doubles, and is compared faster.
#[inline]
pub const fn key(x: f64) -> i64 {
    let bits = x.to_bits() as i64;
    bits ^ (((bits >> 63) as u64) >> 1) as i64
}

/// The double of a key.
#[inline]
pub const fn of_key(key: i64) -> f64 {
    f64::from_bits((key ^ (((key >> 63) as u64) >> 1) as i64) as u64)
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
    use proptest::prelude::*;

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

    /// The definition, by sorting.
    fn plain(values: &[f64], q: f64) -> Option<f64> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (low, share) = place(sorted.len(), q)?;
        Some(between(sorted[low], *sorted.get(low + 1).unwrap_or(&sorted[low]), share))
    }

    proptest! {
        #[test]
        fn small_large_and_by_keys_are_the_same(
            values in prop::collection::vec(prop_oneof![4 => -3.0..3.0, 1 => Just(0.0), 1 => Just(-0.0), 1 => any::<f64>()], 0..40),
            q in 0.0..=1.0,
        ) {
            let bits = |x: Option<f64>| x.map(f64::to_bits);
            prop_assert_eq!(bits(quantile(&mut values.clone(), q)), bits(plain(&values, q)));
            let mut keys: Vec<i64> = values.iter().map(|x| key(*x)).collect();
            let by_keys = median_of_keys(&mut keys);
            prop_assert_eq!(bits(by_keys.map(|m| m.0)), bits(plain(&values, 0.5)));
            if let Some((_, at)) = by_keys {
                prop_assert!(keys.iter().take(at).all(|k| *k <= keys[at]) && keys.iter().skip(at).all(|k| *k >= keys[at]));
            }
        }

        #[test]
        fn keys_are_ordered_like_their_doubles(a: f64, b: f64) {
            prop_assert_eq!(key(a).cmp(&key(b)), a.total_cmp(&b));
            prop_assert_eq!(of_key(key(a)).to_bits(), a.to_bits());
        }
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
