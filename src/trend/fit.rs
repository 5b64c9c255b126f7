//! A trend fitted to the points of a series: slope with interval, significance, and the word for how sure it is.
//!
//! 1. A daily pattern is taken out, where two days or more show one (`math::season`).
//! 2. More than [`BUCKETS`] points become medians of that many buckets of time: cheaper, and neighbours that resemble
//!    each other count less.
//! 3. Theil–Sen slope and Mann–Kendall test, both widened by the lag-1 autocorrelation of what the line leaves over.
//! 4. Where that is so strong that the series may be a random walk, its steps have to agree: their mean with its
//!    t interval is asked as well, and the less certain of both answers counts.

use super::confidence::Confidence;
use super::math::autocorrelation::{inflation, lag_one, residuals};
use super::math::quantile::median;
use super::math::theil_sen::Slopes;
use super::math::{Point, mann_kendall, season, student};
use crate::time::Timestamp;

/// Points a fit rests on at most.
pub const BUCKETS: usize = 64;
/// Points under which there is no trend at all: the smallest p of four is 0.083.
pub const LEAST: usize = 5;
/// Autocorrelation from which on a series may be a random walk.
const WALK: f64 = 0.6;

/// A trend.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fit {
    /// Points it rests on: those of the series, or medians of buckets of them.
    pub points: usize,
    /// Seconds from the first to the last point.
    pub span_s: f64,
    /// Change per second.
    pub slope: f64,
    /// Lower end of the slope's 95 % interval; minus infinity where there is none.
    pub low: f64,
    /// Upper end; plus infinity likewise.
    pub high: f64,
    /// Two-sided probability of such a course without a trend.
    pub p: f64,
    /// Lag-1 autocorrelation that was corrected for.
    pub autocorrelation: f64,
    /// Whether a daily pattern was taken out.
    pub daily: bool,
    /// How sure.
    pub confidence: Confidence,
}

impl Fit {
    /// Whether the interval leaves the direction open.
    pub fn contains_zero(&self) -> bool {
        self.low <= 0.0 && self.high >= 0.0
    }
}

/// Fits points in time order; `None` under [`LEAST`] of them, or where all are of one moment.
pub fn fit(points: impl Iterator<Item = (Timestamp, f64)>) -> Option<Fit> {
    let points: Vec<(Timestamp, f64)> = points.filter(|p| p.1.is_finite()).collect();
    let start = points.first()?.0;
    // The hour of the day has to stay, so time 0 is the midnight before.
    let midnight = Timestamp(start.0.div_euclid(86_400_000_000).saturating_mul(86_400_000_000));
    let points: Vec<Point> = points.iter().map(|(t, v)| (t.seconds_since(midnight), *v)).collect();
    if points.len() < LEAST {
        return None;
    }
    let span_s = points.last()?.0 - points.first()?.0;
    if span_s <= 0.0 {
        return None;
    }
    let mut used = bucket_medians(&points, BUCKETS);
    let mut slopes = Slopes::of(&used)?;
    let plain = season::without_daily_pattern(&points, slopes.median);
    let daily = plain.is_some();
    if let Some(plain) = plain {
        used = bucket_medians(&plain, BUCKETS);
        slopes = Slopes::of(&used)?;
    }
    if used.len() < LEAST {
        return None;
    }
    let slope = slopes.median;
    let rho = lag_one(&residuals(&used, slope));
    // Taking out a pattern of few days takes out some of the days' own differences.
    let few_days = if daily { 1.0 + 2.0 * 86_400.0 / span_s } else { 1.0 };
    // Of a few points it says next to nothing: there the steps alone decide about dependence.
    let widened = if used.len() <= mann_kendall::EXACT { few_days } else { inflation(rho, used.len()) * few_days };
    let mut p = mann_kendall::test(&used, widened).p;
    let (mut low, mut high) = slopes.interval(widened);
    // Few points cannot rule it out: the standard error of the autocorrelation is about 1/√n.
    if rho + 1.5 / (used.len() as f64).sqrt() >= WALK {
        let steps = steps(&used);
        p = p.max(steps.p);
        low = low.min(steps.mean - steps.reach);
        high = high.max(steps.mean + steps.reach);
    }
    let confidence = Confidence::of(used.len(), p);
    Some(Fit { points: used.len(), span_s, slope, low, high, p, autocorrelation: rho, daily, confidence })
}

/// Medians of at most `most` buckets of equal time; the points themselves where they are no more.
pub fn bucket_medians(points: &[Point], most: usize) -> Vec<Point> {
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return Vec::new() };
    if points.len() <= most {
        return points.to_vec();
    }
    let width = (last.0 - first.0) / most as f64;
    let bucket = |p: &Point| (((p.0 - first.0) / width) as usize).min(most - 1);
    let mut out = Vec::with_capacity(most);
    let (mut open, mut times, mut values) = (0, 0.0, Vec::new());
    let mut close = |times: f64, values: &mut Vec<f64>| {
        let count = values.len() as f64;
        out.extend(median(values).map(|middle| (times / count, middle)));
        values.clear();
    };
    for point in points {
        let own = bucket(point);
        if own != open && !values.is_empty() {
            close(times, &mut values);
            times = 0.0;
        }
        open = own;
        times += point.0;
        values.push(point.1);
    }
    close(times, &mut values);
    out
}

/// The mean pace of a series' steps.
struct Steps {
    mean: f64,
    /// Half of the 95 % interval.
    reach: f64,
    p: f64,
}

/// The pace of a random walk with drift: its steps are independent, each with a variance that grows with its length.
fn steps(points: &[Point]) -> Steps {
    let pairs = || points.iter().zip(points.iter().skip(1)).map(|(a, b)| (b.0 - a.0, b.1 - a.1)).filter(|s| s.0 > 0.0);
    let (n, time, rise) = pairs().fold((0.0, 0.0, 0.0), |(n, t, r), s| (n + 1.0, t + s.0, r + s.1));
    let mean = rise / time;
    let variance = pairs().map(|(t, r)| (r - mean * t).powi(2) / t).sum::<f64>() / (n - 1.0);
    let error = (variance / time).sqrt();
    let df = n - 1.0;
    if n < 3.0 || !error.is_finite() {
        return Steps { mean, reach: f64::INFINITY, p: 1.0 };
    }
    let p = if error == 0.0 { f64::from(u8::from(mean == 0.0)) } else { student::two_sided(mean / error, df) };
    Steps { mean, reach: error * student::critical_95(df), p }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hourly(values: impl Iterator<Item = f64>) -> Vec<(Timestamp, f64)> {
        values.enumerate().map(|(i, v)| (Timestamp::from_seconds(1_700_000_000 + i as i64 * 3_600), v)).collect()
    }

    #[test]
    fn under_five_points_there_is_no_trend() {
        assert_eq!(fit(hourly([1.0, 2.0, 3.0, 4.0].into_iter()).into_iter()), None);
        assert_eq!(fit(std::iter::repeat_n((Timestamp(0), 1.0), 20)), None);
        assert_eq!(fit(hourly([1.0, f64::NAN, 3.0, 4.0, 5.0].into_iter()).into_iter()), None);
    }

    #[test]
    fn a_straight_line_is_sure_and_a_flat_one_is_none() {
        let line = fit(hourly((0..100).map(|i| 36.0 * f64::from(i))).into_iter()).unwrap();
        assert!((line.slope - 0.01).abs() < 1e-12 && line.p < 1e-6, "{line:?}");
        assert_eq!(line.confidence, Confidence::High);
        let flat = fit(hourly((0..100).map(|_| 5.0)).into_iter()).unwrap();
        assert_eq!((flat.slope, flat.p, flat.confidence), (0.0, 1.0, Confidence::Insufficient));
    }

    #[test]
    fn at_most_so_many_buckets_each_a_median() {
        let points: Vec<Point> = (0..1_000).map(|i| (f64::from(i), if i % 10 == 0 { 1e9 } else { 1.0 })).collect();
        let medians = bucket_medians(&points, BUCKETS);
        assert_eq!(medians.len(), BUCKETS);
        assert!(medians.iter().all(|p| p.1 == 1.0));
    }
}
