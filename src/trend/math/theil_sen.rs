//! The Theil–Sen line: the median of the slopes of all pairs of points. A quarter of the points may be wild and the
//! line stays.
//!
//! Sen, *Estimates of the regression coefficient based on Kendall's tau*, JASA 63 (1968): the interval is two order
//! statistics of the slopes, as far apart as the variance of Kendall's S says.

use super::normal::Z95;
use super::quantile::{median, quantile};
use super::{Point, mann_kendall};

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
    let mut slopes = slopes(points);
    let all = slopes.len();
    let slope = median(&mut slopes)?;
    let spread = Z95 * (mann_kendall::untied(points.len()) * inflation.max(1.0)).sqrt();
    // Ranks (from 1) of the two ends: Gilbert, *Statistical Methods for Environmental Pollution Monitoring* (1987), 16.5.
    let below = ((all as f64 - spread) / 2.0).floor();
    let (low, high) = if below < 1.0 {
        (f64::NEG_INFINITY, f64::INFINITY)
    } else {
        let place = (below as usize - 1).min(all - 1);
        let nth = |slopes: &mut [f64], at: usize| *slopes.select_nth_unstable_by(at, f64::total_cmp).1;
        (nth(&mut slopes, place), nth(&mut slopes, all - 1 - place))
    };
    let at_zero = quantile(&mut points.iter().map(|p| p.1 - slope * p.0).collect::<Vec<_>>(), 0.5)?;
    [slope, at_zero].iter().all(|x| x.is_finite()).then_some(Line { slope, low, high, at_zero })
}

fn slopes(points: &[Point]) -> Vec<f64> {
    let mut out = Vec::with_capacity(points.len() * points.len().saturating_sub(1) / 2);
    for (i, a) in points.iter().enumerate() {
        out.extend(points.iter().skip(i + 1).filter(|b| b.0 != a.0).map(|b| (b.1 - a.1) / (b.0 - a.0)));
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
    fn too_few_points_have_no_interval() {
        let got = line(&[(0.0, 1.0), (1.0, 2.0), (2.0, 3.0), (3.0, 4.0)], 1.0).unwrap();
        assert_eq!((got.slope, got.low), (1.0, f64::NEG_INFINITY));
        assert_eq!(line(&[(1.0, 1.0), (1.0, 2.0)], 1.0), None);
        assert_eq!(line(&[], 1.0), None);
    }
}
