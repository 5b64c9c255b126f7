//! Rates and ratios: a number over the time or the events it belongs to, or nothing.

use super::Exact;
use crate::unit::{Quantity, Unit};

/// Below this many seconds there is no rate: sessions report their counters up to 10 s late.
pub const MIN_WINDOW_S: f64 = 10.0;

/// Below this many seconds a rate is unreliable: late reports weigh too much.
pub const RELIABLE_WINDOW_S: f64 = 60.0;

/// Events a ratio's denominator needs where nobody asks for another floor.
pub const RATIO_FLOOR: f64 = 100.0;

/// A delta per second of covered time; `None` where the time is unknown or shorter than [`MIN_WINDOW_S`].
pub fn per_second(delta: Exact, covered_s: Option<f64>) -> Option<f64> {
    over(delta.as_f64(), covered_s)
}

/// The same of a delta known as a double.
pub fn over(delta: f64, covered_s: Option<f64>) -> Option<f64> {
    covered_s.filter(|s| *s >= MIN_WINDOW_S).map(|s| delta / s).filter(|r| r.is_finite())
}

/// Whether a rate over this time may be off by more than a little.
pub fn is_unreliable(covered_s: f64) -> bool {
    covered_s < RELIABLE_WINDOW_S
}

/// A ratio of two deltas of the same window, with what it was made of. Ratios are made from deltas, never subtracted
/// or averaged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio {
    /// What is counted.
    pub numerator: f64,
    /// Of what.
    pub denominator: f64,
    /// Seconds both cover.
    pub covered_s: Option<f64>,
}

impl Ratio {
    /// The ratio; `None` where the denominator is under `floor` events.
    pub fn new(numerator: f64, denominator: f64, covered_s: Option<f64>, floor: f64) -> Option<Self> {
        (denominator > 0.0 && denominator >= floor).then_some(Self { numerator, denominator, covered_s })
    }

    /// Its value.
    pub fn value(self) -> f64 {
        self.numerator / self.denominator
    }

    /// Its value as a share.
    pub fn share(self) -> Option<Quantity> {
        Quantity::float(self.value(), Unit::Share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_rate_over_a_moment() {
        for (covered, want) in [(None, None), (Some(9.9), None), (Some(0.0), None), (Some(10.0), Some(0.5))] {
            assert_eq!(per_second(Exact::Int(5), covered), want, "{covered:?}");
        }
        assert!(is_unreliable(59.0) && !is_unreliable(60.0));
    }

    #[test]
    fn a_ratio_needs_enough_events() {
        assert_eq!(Ratio::new(1.0, 99.0, None, RATIO_FLOOR), None);
        assert_eq!(Ratio::new(0.0, 0.0, None, 0.0), None);
        assert_eq!(Ratio::new(50.0, 100.0, Some(60.0), RATIO_FLOOR).map(Ratio::value), Some(0.5));
    }
}
