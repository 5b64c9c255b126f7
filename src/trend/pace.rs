//! How fast something moves that only ever moves in one direction: transaction ids, sequences, bytes of WAL.
//!
//! Testing such a level for a trend says nothing, it always rises. What is uncertain is the pace: its mean over time with
//! a t interval over the paces of the windows, widened where neighbouring windows resemble each other.

use super::Confidence;
use super::math::autocorrelation::{inflation, lag_one};
use super::math::{Point, student};
use crate::time::Timestamp;

/// Windows that paces are taken of; shorter ones are joined.
const WINDOWS: usize = 32;

/// A pace, per second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// Mean over the whole time.
    pub mean: f64,
    /// Lower end of its 95 % interval; minus infinity where there are too few points.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Points it rests on.
    pub points: usize,
    /// Seconds it rests on.
    pub span_s: f64,
    /// Two-sided probability of such paces around zero.
    pub p: f64,
    /// How sure.
    pub confidence: Confidence,
}

/// The pace of a level's points in time order; `None` under two, or where they span no time.
pub fn pace(points: impl Iterator<Item = (Timestamp, f64)>) -> Option<Pace> {
    let all: Vec<(Timestamp, f64)> = points.collect();
    let start = all.first()?.0;
    let all: Vec<Point> = all.iter().map(|(t, v)| (t.seconds_since(start), *v)).collect();
    let span_s = all.last()?.0;
    if span_s <= 0.0 {
        return None;
    }
    let stride = span_s / WINDOWS as f64;
    let nodes = joined(&all, stride);
    let mean = (nodes.last()?.1 - nodes.first()?.1) / span_s;
    let steps: Vec<(f64, f64)> = nodes.iter().zip(nodes.iter().skip(1)).map(|(a, b)| (b.0 - a.0, b.1 - a.1)).collect();
    let n = steps.len() as f64;
    let paces: Vec<f64> = steps.iter().map(|(t, r)| r / t).collect();
    let points = all.len();
    if n < 3.0 {
        let open = Confidence::Insufficient;
        return Some(Pace {
            mean,
            low: f64::NEG_INFINITY,
            high: f64::INFINITY,
            points,
            span_s,
            p: 1.0,
            confidence: open,
        });
    }
    // A window's gain varies in proportion to its length, so its square does around the mean.
    let variance = steps.iter().map(|(t, r)| (r - mean * t).powi(2) / t).sum::<f64>() / (n - 1.0);
    let error = (variance / span_s * inflation(lag_one(&paces), steps.len())).sqrt();
    let p = if error > 0.0 { student::two_sided(mean / error, n - 1.0) } else { f64::from(u8::from(mean == 0.0)) };
    let reach = error * student::critical(0.05, n - 1.0);
    let confidence = Confidence::of(points, p);
    Some(Pace { mean, low: mean - reach, high: mean + reach, points, span_s, p, confidence })
}

/// Points at least `stride` apart, first and last included.
fn joined(points: &[Point], stride: f64) -> Vec<Point> {
    let mut out: Vec<Point> = Vec::new();
    for (at, point) in points.iter().enumerate() {
        let far = out.last().is_none_or(|last| point.0 - last.0 >= stride * 0.999);
        if far {
            out.push(*point);
        } else if at + 1 == points.len()
            && out.len() > 1
            && let Some(last) = out.last_mut()
        {
            *last = *point;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every_minute(values: &[f64]) -> Vec<(Timestamp, f64)> {
        values.iter().enumerate().map(|(i, v)| (Timestamp::from_seconds(i as i64 * 60), *v)).collect()
    }

    #[test]
    fn a_mean_with_its_interval() {
        let steady: Vec<f64> = (0..20).map(|i| 120.0 * f64::from(i)).collect();
        let got = pace(every_minute(&steady).into_iter()).unwrap();
        assert_eq!((got.mean, got.low, got.high, got.p, got.points), (2.0, 2.0, 2.0, 0.0, 20));
        assert_eq!(got.confidence, Confidence::High);
        let bursts: Vec<f64> = (0..6).map(|i| [0.0, 10.0, 300.0, 310.0, 900.0, 905.0][i]).collect();
        let got = pace(every_minute(&bursts).into_iter()).unwrap();
        assert!(got.low < 0.0 && got.p > 0.05 && (got.mean - 905.0 / 300.0).abs() < 1e-9, "{got:?}");
    }

    #[test]
    fn two_points_have_a_pace_and_no_interval() {
        let got = pace(every_minute(&[0.0, 60.0]).into_iter()).unwrap();
        assert_eq!((got.mean, got.low, got.confidence), (1.0, f64::NEG_INFINITY, Confidence::Insufficient));
        assert_eq!(pace(every_minute(&[1.0]).into_iter()), None);
    }
}
