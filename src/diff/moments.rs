//! Means, standard deviations and extremes of a window, from those since the statistics began.
//!
//! pg_stat_statements keeps Welford sums and reports the population standard deviation `s = sqrt(M2/n)`. The sums of
//! a window follow exactly by inverting the pairwise update of Chan, Golub and LeVeque (1983). There is no histogram,
//! so about percentiles only bounds can be said (Cantelli's and Markov's inequalities).

/// Count, total, mean and population standard deviation since the statistics began, as exported.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cumulative {
    /// Number of calls (or plans).
    pub n: f64,
    /// Sum in ms.
    pub total: f64,
    /// Mean in ms.
    pub mean: f64,
    /// Population standard deviation in ms.
    pub stddev: f64,
}

/// What a window's calls were like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moments {
    /// Number of calls.
    pub n: f64,
    /// Sum in ms.
    pub total: f64,
    /// Mean in ms.
    pub mean: f64,
    /// Population standard deviation.
    pub sigma: Sigma,
}

/// A standard deviation as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sigma {
    /// One call has none.
    Undefined,
    /// Known, in ms.
    Exactly(f64),
    /// Smaller than the rounding of the exported numbers lets see.
    AtMost(f64),
}

impl Sigma {
    /// The value, or its upper bound; `None` for a single call.
    pub const fn upper(self) -> Option<f64> {
        match self {
            Self::Undefined => None,
            Self::Exactly(s) | Self::AtMost(s) => Some(s),
        }
    }
}

/// The numbers contradict each other: the entry started again in the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inconsistent;

impl Moments {
    /// Everything since the statistics began, for an entry that is new or was reset in the window.
    pub fn since_start(all: Cumulative) -> Option<Self> {
        let sigma = if all.n == 1.0 { Sigma::Undefined } else { Sigma::Exactly(all.stddev) };
        (all.n >= 1.0).then_some(Self { n: all.n, total: all.total, mean: all.total / all.n, sigma })
    }

    /// The calls between two readings of one entry. `None`: there were none.
    pub fn between(before: Cumulative, after: Cumulative) -> Result<Option<Self>, Inconsistent> {
        let n = after.n - before.n;
        if n < 0.0 {
            return Err(Inconsistent);
        }
        if n == 0.0 {
            return Ok(None);
        }
        if before.n == 0.0 {
            return Ok(Self::since_start(after));
        }
        let total = after.total - before.total;
        let mean = total / n;
        if n == 1.0 {
            return Ok(Some(Self { n, total, mean, sigma: Sigma::Undefined }));
        }
        let m2 = after.n * after.stddev.powi(2)
            - before.n * before.stddev.powi(2)
            - (mean - before.mean).powi(2) * before.n * n / after.n;
        let variance = m2 / n;
        let error = rounding(before, after, n);
        let sigma = if variance < -error {
            return Err(Inconsistent);
        } else if variance.abs() <= error {
            Sigma::AtMost(error.sqrt())
        } else {
            Sigma::Exactly(variance.sqrt())
        };
        Ok(Some(Self { n, total, mean, sigma }))
    }

    /// Several groups of calls as one: users, databases, windows.
    pub fn merge(groups: impl IntoIterator<Item = Self> + Clone) -> Option<Self> {
        let (n, total) = groups.clone().into_iter().fold((0.0, 0.0), |(n, t), g| (n + g.n, t + g.total));
        if n < 1.0 {
            return None;
        }
        let mean = total / n;
        let (mut m2, mut bound) = (0.0, false);
        for g in groups {
            bound |= matches!(g.sigma, Sigma::AtMost(_));
            m2 += g.n * g.sigma.upper().unwrap_or(0.0).powi(2) + g.n * (g.mean - mean).powi(2);
        }
        let sigma = (m2 / n).sqrt();
        let sigma = if n == 1.0 {
            Sigma::Undefined
        } else if bound {
            Sigma::AtMost(sigma)
        } else {
            Sigma::Exactly(sigma)
        };
        Some(Self { n, total, mean, sigma })
    }

    /// Bounds of the `q` quantile for values known to lie in `[lo, hi]`, whatever their distribution. `None` where the
    /// standard deviation is unknown or `q` is not between 0 and 1.
    pub fn quantile(self, q: f64, lo: f64, hi: f64) -> Option<(f64, f64)> {
        if !(q > 0.0 && q < 1.0) || self.n < 1.0 {
            return None;
        }
        let sigma = self.sigma.upper()?;
        let upper = (self.mean + sigma * (q / (1.0 - q)).sqrt()).min(lo + (self.mean - lo) / (1.0 - q)).min(hi);
        let lower = (self.mean - sigma * ((1.0 - q) / q).sqrt()).max(lo);
        Some((lower, upper.max(lower)))
    }
}

/// How far the variance may be off: the error of the doubles' arithmetic, and of numbers exported with few decimals.
fn rounding(before: Cumulative, after: Cumulative, n: f64) -> f64 {
    let scale = after.n * (after.stddev.powi(2) + after.mean.powi(2));
    let doubles = 8.0 * f64::EPSILON * scale / n;
    let decimals = [before.mean, before.stddev, after.mean, after.stddev]
        .into_iter()
        .filter(|x| *x != 0.0)
        .map(decimals)
        .try_fold(0, |most, k| k.map(|k| most.max(k)));
    let step = decimals.map_or(0.0, |k| 10_f64.powi(-k));
    doubles + 2.0 * after.n * (after.stddev + after.mean.abs()) * step / n
}

/// How many decimals a number has, where it has at most six; an unrounded mean has more.
fn decimals(x: f64) -> Option<i32> {
    (0..=6).find(|k| {
        let scaled = x * 10_f64.powi(*k);
        (scaled - scaled.round()).abs() <= 4.0 * f64::EPSILON * scaled.abs().max(1.0)
    })
}

/// The largest value of a window, as far as high-water marks tell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Maximum {
    /// Exactly this.
    Exactly(f64),
    /// At most this: the mark did not move.
    AtMost(f64),
    /// At least this: the marks were reset in between.
    AtLeast(f64),
}

impl Maximum {
    /// From the marks before and after; `marks_reset` where they (or the entry) started again in the window.
    pub fn between(before: f64, after: f64, marks_reset: bool) -> Self {
        if marks_reset || after < before {
            Self::AtLeast(after)
        } else if after > before {
            Self::Exactly(after)
        } else {
            Self::AtMost(after)
        }
    }

    /// Of two windows together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let value = |m: Self| match m {
            Self::Exactly(x) | Self::AtMost(x) | Self::AtLeast(x) => x,
        };
        let top = value(self).max(value(other));
        match (self, other) {
            (Self::AtLeast(_), _) | (_, Self::AtLeast(_)) => Self::AtLeast(top),
            (Self::Exactly(x), _) | (_, Self::Exactly(x)) if x >= top => Self::Exactly(top),
            _ => Self::AtMost(top),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What pg_stat_statements would show for these calls.
    fn exported(calls: &[f64]) -> Cumulative {
        let (mut n, mut total, mut mean, mut m2) = (0.0, 0.0, 0.0, 0.0);
        for x in calls {
            n += 1.0;
            total += x;
            let old = mean;
            mean += (x - mean) / n;
            m2 += (x - old) * (x - mean);
        }
        Cumulative { n, total, mean, stddev: if n > 1.0 { f64::sqrt(m2 / n) } else { 0.0 } }
    }

    fn close(a: f64, b: f64, by: f64) -> bool {
        (a - b).abs() <= by * a.abs().max(b.abs()).max(1e-12)
    }

    proptest! {
        #[test]
        fn a_window_is_what_its_calls_were(
            first in prop::collection::vec(0.001_f64..5_000.0, 1..60),
            second in prop::collection::vec(0.001_f64..5_000.0, 2..60),
        ) {
            let all = [first.clone(), second.clone()].concat();
            let window = Moments::between(exported(&first), exported(&all)).unwrap().unwrap();
            let truth = exported(&second);
            prop_assert_eq!(window.n, truth.n);
            prop_assert!(close(window.mean, truth.mean, 1e-9));
            match window.sigma {
                Sigma::Exactly(s) => prop_assert!(close(s, truth.stddev, 1e-6), "{} {}", s, truth.stddev),
                Sigma::AtMost(s) => prop_assert!(s >= truth.stddev * (1.0 - 1e-6)),
                Sigma::Undefined => prop_assert!(false),
            }
        }

        #[test]
        fn windows_merge_to_the_whole(
            parts in prop::collection::vec(prop::collection::vec(0.001_f64..5_000.0, 1..30), 2..5),
        ) {
            let groups: Vec<Moments> = parts.iter().filter_map(|p| Moments::since_start(exported(p))).collect();
            let merged = Moments::merge(groups.iter().copied()).unwrap();
            let truth = exported(&parts.concat());
            prop_assert!(close(merged.mean, truth.mean, 1e-9));
            prop_assert!(close(merged.sigma.upper().unwrap(), truth.stddev, 1e-9));
        }

        #[test]
        fn percentile_bounds_hold(mut calls in prop::collection::vec(0.0_f64..1_000.0, 5..200), q in 0.05_f64..0.99) {
            let window = Moments::since_start(exported(&calls)).unwrap();
            calls.sort_by(f64::total_cmp);
            let at = ((q * calls.len() as f64).ceil() as usize).clamp(1, calls.len()) - 1;
            let (lower, upper) = window.quantile(q, calls[0], calls[calls.len() - 1]).unwrap();
            prop_assert!(lower <= calls[at] * (1.0 + 1e-9) + 1e-9);
            prop_assert!(upper >= calls[at] * (1.0 - 1e-9) - 1e-9);
        }
    }

    #[test]
    fn a_million_calls_do_not_hide_five() {
        let before = Cumulative { n: 1e6, total: 2_000_000.0, mean: 2.0, stddev: 1.0 };
        let five = [10.0, 12.0, 14.0, 16.0, 18.0];
        let n = 1e6 + 5.0;
        let total = 2_000_000.0 + five.iter().sum::<f64>();
        let mean = total / n;
        let m2 = 1e6 * (1.0 + (2.0 - mean).powi(2)) + five.iter().map(|x| (x - mean).powi(2)).sum::<f64>();
        let after = Cumulative { n, total, mean, stddev: (m2 / n).sqrt() };
        let window = Moments::between(before, after).unwrap().unwrap();
        assert!(close(window.sigma.upper().unwrap(), 8.0_f64.sqrt(), 1e-6), "{window:?}");
    }

    #[test]
    fn one_call_has_no_deviation_and_none_has_nothing() {
        let a = exported(&[1.0, 2.0]);
        assert_eq!(Moments::between(a, a), Ok(None));
        let window = Moments::between(a, exported(&[1.0, 2.0, 7.0])).unwrap().unwrap();
        assert_eq!((window.mean, window.sigma), (7.0, Sigma::Undefined));
    }

    #[test]
    fn contradicting_moments_are_seen() {
        let before = exported(&[5.0, 900.0, 3.0, 850.0]);
        let grown_again = exported(&[400.0; 9]);
        assert_eq!(Moments::between(before, grown_again), Err(Inconsistent));
        assert_eq!(Moments::between(grown_again, before), Err(Inconsistent));
    }

    #[test]
    fn rounded_exports_give_a_bound_not_a_contradiction() {
        let round = |c: Cumulative| Cumulative {
            mean: (c.mean * 100.0).round() / 100.0,
            stddev: (c.stddev * 100.0).round() / 100.0,
            ..c
        };
        let first: Vec<f64> = (0..500).map(|i| 3.0 + f64::from(i % 7) * 0.013).collect();
        let all: Vec<f64> = first.iter().copied().chain([3.02, 3.03]).collect();
        let window = Moments::between(round(exported(&first)), round(exported(&all))).unwrap().unwrap();
        assert!(matches!(window.sigma, Sigma::AtMost(_)), "{window:?}");
    }

    #[test]
    fn maxima_say_what_they_know() {
        for (before, after, reset, want) in [
            (5.0, 9.0, false, Maximum::Exactly(9.0)),
            (5.0, 5.0, false, Maximum::AtMost(5.0)),
            (5.0, 2.0, false, Maximum::AtLeast(2.0)),
            (5.0, 9.0, true, Maximum::AtLeast(9.0)),
        ] {
            assert_eq!(Maximum::between(before, after, reset), want);
        }
        assert_eq!(Maximum::AtMost(5.0).and(Maximum::Exactly(9.0)), Maximum::Exactly(9.0));
        assert_eq!(Maximum::Exactly(5.0).and(Maximum::AtMost(9.0)), Maximum::AtMost(9.0));
        assert_eq!(Maximum::Exactly(9.0).and(Maximum::AtLeast(2.0)), Maximum::AtLeast(9.0));
    }
}
