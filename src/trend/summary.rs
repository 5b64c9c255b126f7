//! What is said of a series: its numbers, its trend and where its level changed.

use super::fit::{self, Fit, bucket_medians};
use super::math::autocorrelation::inflation;
use super::math::change_point::{self, ChangePoint};
use super::{Measure, Series};
use crate::time::Timestamp;

/// A change of level counts from this probability of chance on.
const CHANGE_P: f64 = 0.01;
/// And from this factor between the medians on, unless one of them is 0.
const CHANGE_FACTOR: f64 = 1.5;

/// A series, judged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// Its trend; `None` under five points.
    pub trend: Option<Fit>,
    /// Points the trend could rest on.
    pub points: usize,
    /// Slope by least squares over all points of the same stretch, per second: for comparison with other programs.
    pub least_squares: Option<f64>,
    /// The clearest change of a rate's level.
    pub change: Option<Change>,
}

/// A rate that changed its level.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// The last point before.
    pub after: Timestamp,
    /// The first point after.
    pub before: Timestamp,
    /// Median rate before.
    pub from: f64,
    /// Median rate after.
    pub to: f64,
    /// Approximate probability without any change.
    pub p: f64,
}

impl Summary {
    /// Judges a series.
    pub fn of(series: &Series) -> Self {
        let points = series.for_trend().count();
        let trend = fit::fit(series.for_trend());
        let least_squares = match series.measure {
            Measure::Level => series.segments().next_back().and_then(|s| s.line.slope()),
            Measure::Rate => series
                .segments()
                .map(|s| s.line)
                .reduce(super::math::least_squares::LeastSquares::merge)
                .and_then(|l| l.slope()),
        }
        .filter(|_| points > 1);
        Self { trend, points, least_squares, change: change(series, trend.as_ref()) }
    }
}

fn change(series: &Series, trend: Option<&Fit>) -> Option<Change> {
    if series.measure != Measure::Rate || series.min == series.max {
        return None;
    }
    let start = series.first()?.0;
    let points: Vec<(f64, f64)> = series.points().map(|(t, v)| (t.seconds_since(start), v)).collect();
    let used = bucket_medians(&points, fit::BUCKETS);
    let widened = trend.map_or(1.0, |t| inflation(t.autocorrelation.min(0.5), used.len()));
    let ChangePoint { before, from, to, p } =
        change_point::change_point(&used, widened).filter(|c| c.p < CHANGE_P && stands_out(c.from, c.to))?;
    let at = |i: usize| used.get(i).map(|p| start.plus_seconds(p.0));
    Some(Change { after: at(before.checked_sub(1)?)?, before: at(before)?, from, to, p })
}

fn stands_out(from: f64, to: f64) -> bool {
    let (low, high) = if from < to { (from, to) } else { (to, from) };
    high > 0.0 && (low <= 0.0 || high / low >= CHANGE_FACTOR)
}
