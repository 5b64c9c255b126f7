//! The Theil–Sen line: the median of the slopes of all pairs of points. A quarter of the points may be wild and the
//! line stays.
//!
//! Sen, *Estimates of the regression coefficient based on Kendall's tau*, JASA 63 (1968): the interval is two order
//! statistics of the slopes, as far apart as the variance of Kendall's S says.

use super::normal::Z95;
use super::quantile::{key, median, median_of_keys, of_key};
use super::{Point, mann_kendall};
use std::cmp::Ordering;

/// A slope with its interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line {
    /// Change per second.
    pub slope: f64,
    /// Lower end of the 95 % interval; minus infinity where the points are too few for one.
    pub low: f64,
    /// Upper end; plus infinity likewise.
    pub high: f64,
    /// Value at time 0: the median of `value − slope · time`.
    pub at_zero: f64,
}

/// Fits points; `None` where no two have different times. `inflation` as in [`mann_kendall::test`].
pub fn line(points: &[Point], inflation: f64) -> Option<Line> {
    let mut slopes = Slopes::of(points)?;
    let (low, high) = slopes.interval(inflation);
    let slope = slopes.median;
    Some(Line { slope, low, high, at_zero: at_zero(points, slope)? })
}

/// The slopes of all pairs of some points.
#[derive(Clone, Debug)]
pub struct Slopes {
    /// Their median: the slope of the line.
    pub median: f64,
    /// Their keys, parted around the median's; empty where all are 0.
    each: Vec<i64>,
    /// The position of the lower of the two that the median is between.
    middle: usize,
    /// How many there are.
    all: usize,
    points: usize,
}

impl Slopes {
    /// `None` where no two points have different times, or the line is beyond the doubles.
    pub fn of(points: &[Point]) -> Option<Self> {
        let count = points.len();
        if count > 1 && is_flat(points) && points.iter().zip(points.iter().skip(1)).all(|(a, b)| a.0 < b.0) {
            let all = count * (count - 1) / 2;
            return Some(Self { median: 0.0, each: Vec::new(), middle: 0, all, points: count });
        }
        let mut slopes = slopes(points);
        let (median, middle) = median_of_keys(&mut slopes).filter(|(m, _)| m.is_finite())?;
        let finite = points.iter().all(|p| (p.1 - median * p.0).is_finite()) || at_zero(points, median).is_some();
        finite.then_some(Self { median, all: slopes.len(), each: slopes, middle, points: count })
    }

    /// The 95 % interval of the slope; infinite ends where the points are too few for one.
    pub fn interval(&mut self, inflation: f64) -> (f64, f64) {
        let spread = Z95 * (mann_kendall::untied(self.points) * inflation.max(1.0)).sqrt();
        // Ranks (from 1) of the two ends: Gilbert, *Statistical Methods for Environmental Pollution Monitoring* (1987), 16.5.
        let below = ((self.all as f64 - spread) / 2.0).floor();
        if below < 1.0 {
            return (f64::NEG_INFINITY, f64::INFINITY);
        }
        if self.each.is_empty() {
            return (0.0, 0.0);
        }
        let place = (below as usize - 1).min(self.all - 1);
        (self.nth(place), self.nth(self.all - 1 - place))
    }

    /// The slope of a rank from 0. Those below the middle one are none of the larger ones.
    fn nth(&mut self, at: usize) -> f64 {
        let middle = self.middle;
        let (part, at) = match at.cmp(&middle) {
            Ordering::Less => (self.each.get_mut(..middle), at),
            Ordering::Equal => (self.each.get_mut(middle..=middle), 0),
            Ordering::Greater => (self.each.get_mut(middle + 1..), at - middle - 1),
        };
        part.filter(|part| at < part.len()).map_or(0.0, |part| of_key(*part.select_nth_unstable(at).1))
    }
}

/// Whether all values are the same.
pub fn is_flat(points: &[Point]) -> bool {
    points.first().is_some_and(|first| points.iter().all(|p| p.1 == first.1))
}

/// The median of what a slope leaves over; `None` beyond the doubles.
fn at_zero(points: &[Point], slope: f64) -> Option<f64> {
    median(&mut points.iter().map(|p| p.1 - slope * p.0).collect::<Vec<_>>()).filter(|x| x.is_finite())
}

/// The keys of the slopes of all pairs of points at different times.
fn slopes(points: &[Point]) -> Vec<i64> {
    let mut out = Vec::with_capacity(points.len() * points.len().saturating_sub(1) / 2);
    let slope = |a: &Point, b: &Point| key((b.1 - a.1) / (b.0 - a.0));
    let apart = points.iter().zip(points.iter().skip(1)).all(|(a, b)| a.0 < b.0);
    for (i, a) in points.iter().enumerate() {
        let later = points.get(i + 1..).unwrap_or_default();
        if apart {
            // Several at once: nothing has to be asked.
            out.extend(later.iter().map(|b| slope(a, b)));
        } else {
            out.extend(later.iter().filter(|b| b.0 != a.0).map(|b| slope(a, b)));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sens_example() {
        // Sen (1968), section 5: median slope 4, the 93 % interval is [3.71, 4.11] there; at 95 % it is no narrower.
        let points = [(1.0, 9.0), (2.0, 15.0), (3.0, 19.0), (4.0, 20.0), (10.0, 45.0), (12.0, 55.0), (18.0, 78.0)];
        let got = line(&points, 1.0).unwrap();
        assert!((got.slope - 4.0).abs() < 1e-12, "{got:?}");
        assert!(got.low <= 3.72 && got.high >= 4.10 && got.low > 2.0 && got.high < 7.0, "{got:?}");
    }

    #[test]
    fn wild_points_do_not_move_it() {
        let points: Vec<Point> =
            (0..40).map(|i| (f64::from(i), if i % 5 == 0 { 1e9 } else { 2.0 * f64::from(i) })).collect();
        let got = line(&points, 1.0).unwrap();
        assert!((got.slope - 2.0).abs() < 1e-9, "{got:?}");
    }

    #[test]
    fn all_alike_are_flat() {
        for count in [2_i32, 3, 8, 64] {
            let flat: Vec<Point> = (0..count).map(|i| (f64::from(i) * 3.0, 0.1)).collect();
            let mut bent = flat.clone();
            bent.push((1e3, 0.1 + 1e-16));
            let (a, b) = (line(&flat, 1.0).unwrap(), line(&bent[..flat.len()], 1.0).unwrap());
            assert_eq!((a, a.slope, a.at_zero), (b, 0.0, 0.1));
            let mut long = Slopes { each: slopes(&flat), ..Slopes::of(&flat).unwrap() };
            long.middle = median_of_keys(&mut long.each).unwrap().1;
            assert_eq!(long.each.len(), long.all);
            assert_eq!(Slopes::of(&flat).unwrap().interval(1.0), long.interval(1.0));
        }
        assert_eq!(line(&[(1.0, 2.0), (1.0, 2.0)], 1.0), None);
    }

    #[test]
    fn too_few_points_have_no_interval() {
        let got = line(&[(0.0, 1.0), (1.0, 2.0), (2.0, 3.0), (3.0, 4.0)], 1.0).unwrap();
        assert_eq!((got.slope, got.low), (1.0, f64::NEG_INFINITY));
        assert_eq!(line(&[(1.0, 1.0), (1.0, 2.0)], 1.0), None);
        assert_eq!(line(&[], 1.0), None);
    }
}
