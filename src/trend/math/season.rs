//! The daily pattern taken out of a series, where there is one.

use super::Point;
use super::quantile::median;
use super::theil_sen::is_flat;

const DAY_S: f64 = 86_400.0;
/// Hours that a slot of the day lasts.
const SLOT_S: f64 = 3_600.0;
/// Slots of a day.
const SLOTS: usize = 24;
/// The share of the spread that the hours have to explain before they are called a pattern: with few days, medians of
/// noise explain some of it.
const EXPLAINS: f64 = 0.5;

/// The points without their daily pattern, and whether there was one. Needs two full days and at least four points a
/// day; `slope` is the trend meanwhile taken out, so that it does not look like a pattern.
///
/// Each hour's median of the residuals is taken off (deseasonalizing, Hirsch, Slack and Smith, *Techniques of trend
/// analysis for monthly water quality data*, Water Resources Research 18, 1982).
pub fn without_daily_pattern(points: &[Point], slope: f64) -> Option<Vec<Point>> {
    let (first, last) = (points.first()?.0, points.last()?.0);
    let days = (last - first) / DAY_S;
    if days < 2.0 || (points.len() as f64) < 4.0 * days || (slope == 0.0 && is_flat(points)) {
        return None;
    }
    let slots: Vec<usize> = points.iter().map(|p| slot(p.0)).collect();
    let mut counts = [0_usize; SLOTS];
    for slot in &slots {
        counts[*slot] += 1;
    }
    // A pattern has to come again: hours seen only once explain themselves.
    let seen = counts.iter().filter(|n| **n > 0).count();
    if counts.iter().filter(|n| **n >= 2).count() * 2 < seen || seen < 4 {
        return None;
    }
    // The values of each hour side by side.
    let mut ends = [0; SLOTS];
    let mut sum = 0;
    for (end, count) in ends.iter_mut().zip(&counts) {
        *end = sum;
        sum += count;
    }
    let mut hours = vec![0.0; points.len()];
    for ((t, v), slot) in points.iter().zip(&slots) {
        if let Some(place) = hours.get_mut(ends[*slot]) {
            *place = v - slope * t;
        }
        ends[*slot] += 1;
    }
    let mut rest = hours.as_mut_slice();
    let pattern = counts.map(|count| {
        let (own, others) = std::mem::take(&mut rest).split_at_mut_checked(count).unwrap_or_default();
        rest = others;
        median(own).unwrap_or(0.0)
    });
    // An hour's residuals have the median 0 without the pattern, so all together have it as well.
    let rest = |((t, v), slot): (&Point, &usize)| v - pattern[*slot] - slope * t;
    let after: f64 = points.iter().zip(&slots).map(rest).map(f64::abs).sum();
    let unexplained = |before: f64| before <= 0.0 || after >= before * (1.0 - EXPLAINS);
    let about = |middle: f64| points.iter().map(|(t, v)| (v - slope * t - middle).abs()).sum::<f64>();
    // Nothing is nearer to all values than their median, so most series are settled before it is looked for.
    let mean = points.iter().map(|(t, v)| v - slope * t).sum::<f64>() / points.len() as f64;
    if unexplained(about(mean)) || unexplained(about(median(&mut hours)?)) {
        return None;
    }
    Some(points.iter().zip(&slots).map(|((t, v), slot)| (*t, v - pattern[*slot])).collect())
}

/// The hour of the day of a time.
fn slot(t: f64) -> usize {
    // As `rem_euclid`, whose division in steps is slow: the difference below is exact.
    let rest = t - (t / DAY_S).floor() * DAY_S;
    let rest = if rest < 0.0 { rest + DAY_S } else { rest };
    ((rest / SLOT_S) as usize) % SLOTS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hourly(days: u32, value: impl Fn(f64) -> f64) -> Vec<Point> {
        (0..days * 24).map(|h| f64::from(h) * 3_600.0).map(|t| (t, value(t))).collect()
    }

    #[test]
    fn hours_of_the_day() {
        for (t, want) in [
            (0.0, 0),
            (3_599.999_999, 0),
            (3_600.0, 1),
            (86_399.999_999, 23),
            (86_400.0, 0),
            (9.0 * 86_400.0 - 1e-6, 23),
        ] {
            assert_eq!(slot(t), want, "{t}");
            assert_eq!(slot(t), (t.rem_euclid(DAY_S) / SLOT_S) as usize, "{t}");
        }
    }

    #[test]
    fn takes_out_what_comes_back_each_day() {
        let noise = |t: f64| (t / 3_600.0 * 7.3).sin();
        let daily = |t: f64| 50.0 * (t / DAY_S * std::f64::consts::TAU).sin();
        let found = without_daily_pattern(&hourly(4, |t| daily(t) + noise(t)), 0.0).unwrap();
        assert!(found.iter().all(|p| p.1.abs() < 5.0));
        assert_eq!(without_daily_pattern(&hourly(7, noise), 0.0), None);
        assert_eq!(without_daily_pattern(&hourly(1, daily), 0.0), None);
    }
}
