//! Dates that were forecast against the day on which it really came.

use super::random::Random;
use crate::time::Timestamp;
use crate::trend::fit::fit;
use crate::trend::forecast::{Answer, Speed, when};
use crate::trend::pace::pace;

const HOUR: i64 = 3_600;
const RUNS: u64 = 200;

/// A level that grows with a daily pattern in its growth and noise: the size of a database.
fn size(r: &mut Random, hours: usize) -> Vec<f64> {
    let mut level = 1_000.0;
    (0..hours)
        .map(|h| {
            let day = 1.0 + 0.8 * (h as f64 / 24.0 * std::f64::consts::TAU).sin();
            level += (day + 0.6 * r.normal()).max(0.0);
            level
        })
        .collect()
}

/// Ids drawn in bursts: they only ever rise.
fn ids(r: &mut Random, hours: usize) -> Vec<f64> {
    let mut level = 0.0;
    (0..hours)
        .map(|_| {
            level += 100.0 * (1.0 - r.share()).ln().abs();
            level
        })
        .collect()
}

/// The shares of runs with a date, and of those whose range contains the hour at which the limit was really reached.
fn right(make: fn(&mut Random, usize) -> Vec<f64>, speed: fn(&[(Timestamp, f64)]) -> Option<Speed>) -> (f64, f64) {
    let (seen, ahead) = (24 * 14, 24 * 14);
    let (mut dated, mut inside) = (0_u32, 0_u32);
    for seed in 0..RUNS {
        let values = make(&mut Random(seed * 31 + 7), seen + ahead * 2);
        let at = |h: usize| Timestamp::from_seconds(1_780_000_000 + h as i64 * HOUR);
        let points: Vec<(Timestamp, f64)> = values.iter().take(seen).enumerate().map(|(h, v)| (at(h), *v)).collect();
        let (now, last) = points[seen - 1];
        let limit = values[seen + ahead];
        let truth = at(values.iter().position(|v| *v >= limit).unwrap());
        if let Answer::Dates { earliest, latest, .. } =
            when(Some(limit - last), speed(&points).as_ref(), Some(now), false)
        {
            dated += 1;
            inside += u32::from(earliest <= truth && latest.is_none_or(|l| truth <= l));
        }
    }
    (f64::from(dated) / RUNS as f64, f64::from(inside) / f64::from(dated.max(1)))
}

#[test]
fn the_range_contains_the_day() {
    let by_fit = |points: &[(Timestamp, f64)]| fit(points.iter().copied()).map(Speed::from);
    let by_pace = |points: &[(Timestamp, f64)]| pace(points.iter().copied()).map(Speed::from);
    for (name, (dated, inside)) in [("size", right(size, by_fit)), ("ids", right(ids, by_pace))] {
        assert!(dated > 0.9, "{name}: a date in {dated}");
        // The interval is that of the pace; what the future adds of its own chance is not in it.
        assert!(inside > 0.8, "{name}: the range holds in {inside}");
    }
}
