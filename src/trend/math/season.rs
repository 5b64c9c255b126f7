//! The daily pattern taken out of a series, where there is one.

use super::Point;
use super::quantile::median;
use std::collections::BTreeMap;

const DAY_S: f64 = 86_400.0;
/// Hours that a slot of the day lasts.
const SLOT_S: f64 = 3_600.0;
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
    if days < 2.0 || (points.len() as f64) < 4.0 * days {
        return None;
    }
    let mut slots: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
    let slot = |t: f64| (t.rem_euclid(DAY_S) / SLOT_S) as i64;
    for (t, v) in points {
        slots.entry(slot(*t)).or_default().push(v - slope * t);
    }
    // A pattern has to come again: hours seen only once explain themselves.
    if slots.values().filter(|v| v.len() >= 2).count() * 2 < slots.len() || slots.len() < 4 {
        return None;
    }
    let pattern: BTreeMap<i64, f64> = slots.iter_mut().filter_map(|(s, v)| Some((*s, median(v)?))).collect();
    let spread = |values: &mut Vec<f64>| {
        let middle = median(values).unwrap_or(0.0);
        values.iter().map(|v| (v - middle).abs()).sum::<f64>()
    };
    let without: Vec<Point> =
        points.iter().map(|(t, v)| (*t, v - pattern.get(&slot(*t)).copied().unwrap_or(0.0))).collect();
    let before = spread(&mut points.iter().map(|(t, v)| v - slope * t).collect());
    let after = spread(&mut without.iter().map(|(t, v)| v - slope * t).collect());
    (before > 0.0 && after < before * (1.0 - EXPLAINS)).then_some(without)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hourly(days: u32, value: impl Fn(f64) -> f64) -> Vec<Point> {
        (0..days * 24).map(|h| f64::from(h) * 3_600.0).map(|t| (t, value(t))).collect()
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
