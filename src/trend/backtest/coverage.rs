//! Fits of simulated series against the slope they were made with.

use super::random::Random;
use crate::time::Timestamp;
use crate::trend::fit::fit;
use rayon::prelude::*;

const HOUR: f64 = 3_600.0;
const RUNS: u64 = 200;

/// A kind of series: its noise at each hour.
type Noise = fn(&mut Random, usize) -> Vec<f64>;

fn white(r: &mut Random, n: usize) -> Vec<f64> {
    (0..n).map(|_| r.normal()).collect()
}

fn heavy_tails(r: &mut Random, n: usize) -> Vec<f64> {
    (0..n).map(|_| if r.share() < 0.08 { 30.0 * r.normal().abs() } else { r.normal() }).collect()
}

fn resembling(r: &mut Random, n: usize) -> Vec<f64> {
    let mut last = r.normal() / (1.0_f64 - 0.36).sqrt();
    (0..n)
        .map(|_| {
            last = 0.6 * last + r.normal();
            last
        })
        .collect()
}

fn daily(r: &mut Random, n: usize) -> Vec<f64> {
    (0..n).map(|h| 20.0 * (h as f64 / 24.0 * std::f64::consts::TAU).sin() + r.normal()).collect()
}

fn walk(r: &mut Random, n: usize) -> Vec<f64> {
    let mut last = 0.0;
    (0..n)
        .map(|_| {
            last += r.normal();
            last
        })
        .collect()
}

fn ties(r: &mut Random, n: usize) -> Vec<f64> {
    (0..n).map(|_| (r.normal() * 0.7).round()).collect()
}

/// The shares of runs whose interval contains the truth, and that claim a trend at p < 0.05.
fn rates(noise: Noise, n: usize, slope_per_hour: f64) -> (f64, f64) {
    let run = |seed: u64| {
        let mut r = Random(seed * 7_919 + n as u64);
        let values = noise(&mut r, n);
        let points = values
            .iter()
            .enumerate()
            .map(|(h, v)| (Timestamp::from_seconds(1_700_000_000 + h as i64 * 3_600), v + slope_per_hour * h as f64));
        let fit = fit(points).unwrap();
        let truth = slope_per_hour / HOUR;
        (u32::from(fit.low <= truth && truth <= fit.high), u32::from(fit.p < 0.05))
    };
    let (inside, claimed) = (0..RUNS).into_par_iter().map(run).reduce(|| (0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
    (f64::from(inside) / RUNS as f64, f64::from(claimed) / RUNS as f64)
}

/// Series without and with a trend, by kind and length; a 95 % interval over 200 runs may be off by two standard errors
/// and what small samples cost.
#[test]
fn intervals_contain_the_truth_and_chance_is_no_trend() {
    // Within a day a daily pattern is a trend: from three days on it has to be told from one.
    let kinds: [(&str, Noise, usize, f64); 6] = [
        ("white", white, 8, 0.93),
        ("heavy tails", heavy_tails, 8, 0.93),
        ("resembling", resembling, 8, 0.92),
        ("daily", daily, 72, 0.93),
        ("walk", walk, 8, 0.89),
        ("ties", ties, 8, 0.93),
    ];
    let mut wrong = Vec::new();
    for (name, noise, from, least) in kinds {
        for n in [8, 12, 21, 72, 400].into_iter().filter(|n| *n >= from) {
            for slope in [0.0, 0.5] {
                let (inside, claimed) = rates(noise, n, slope);
                if inside < least {
                    wrong.push(format!("{name}, {n} points, slope {slope}: the interval holds in {inside}"));
                }
                if slope == 0.0 && claimed > 1.0 - least {
                    wrong.push(format!("{name}, {n} points: chance called a trend in {claimed}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_clear_trend_is_found() {
    for (name, noise, n) in [
        ("white", white as Noise, 21),
        ("heavy tails", heavy_tails, 72),
        ("resembling", resembling, 72),
        ("daily", daily, 168),
        ("walk", walk, 168),
        ("ties", ties, 21),
    ] {
        let (_, claimed) = rates(noise, n, 0.5);
        assert!(claimed > 0.85, "{name}: found in {claimed}");
    }
}
