//! A statement over a history: calls, mean and load of each window, and the window in which it got slower.

use super::math::thin::Thinned;
use crate::diff::moments::Moments;
use crate::diff::{DiffRow, Exact, MIN_WINDOW_S, Phase};
use crate::time::Timestamp;

/// Calls on each side of a comparison of means.
const CALLS: f64 = 20.0;
/// How much slower the mean has to be.
const SLOWER: f64 = 1.5;
/// And by how many standard errors (Welch).
const ERRORS: f64 = 4.0;
/// Time that slower calls cost in a second, in sessions: less is nobody's concern.
const COSTS: f64 = 0.01;

/// A statement in the making.
#[derive(Clone, Debug, Default)]
pub struct Statement {
    /// What its calls were like, over all windows.
    pub moments: Option<Moments>,
    /// Mean of each window in ms.
    pub means: Thinned<f64>,
    /// The window with the most time in a second.
    pub busiest: Option<Load>,
    /// The window in which it got slower the most.
    pub regressed: Option<Regression>,
    /// Whether its entry was reset or evicted and came again.
    pub came_again: bool,
}

/// Time spent in a second, as sessions busy on average.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Load {
    /// The window.
    pub from: Option<Timestamp>,
    /// Its end.
    pub to: Timestamp,
    /// Sessions busy on average.
    pub sessions: f64,
}

/// A window slower than all before it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Regression {
    /// The window.
    pub from: Option<Timestamp>,
    /// Its end.
    pub to: Option<Timestamp>,
    /// Mean of all windows before, in ms.
    pub before_ms: f64,
    /// Mean of the window, in ms.
    pub mean_ms: f64,
    /// Standard errors between the two.
    pub errors: f64,
}

impl Statement {
    /// One more window.
    pub fn step(&mut self, row: DiffRow<'_>, from: Option<Timestamp>, at: Option<Timestamp>) {
        self.came_again |= row.class().began_again();
        if let (Some(at), Some(covered), Some(total)) = (
            at,
            row.verdict().covered_s.filter(|s| *s >= MIN_WINDOW_S),
            row.delta_of("total_exec_time").map(Exact::as_f64),
        ) {
            let load = Load { from, to: at, sessions: total / 1e3 / covered };
            if self.busiest.is_none_or(|b| load.sessions > b.sessions) {
                self.busiest = Some(load);
            }
        }
        let Some(window) = row.moments(Phase::Exec) else { return };
        if let Some(at) = at {
            self.means.push(at, window.mean);
        }
        let covered = row.verdict().covered_s;
        let costs =
            |found: &(f64, f64, f64)| covered.is_some_and(|s| (found.0 - found.1) * window.n / 1e3 / s >= COSTS);
        if let Some(found) = self.moments.and_then(|before| regression(&before, &window)).filter(costs)
            && self.regressed.is_none_or(|r| found.0 / found.1 > r.mean_ms / r.before_ms)
        {
            let (mean_ms, before_ms, errors) = found;
            self.regressed = Some(Regression { from, to: at, before_ms, mean_ms, errors });
        }
        self.moments = Moments::merge([self.moments, Some(window)].into_iter().flatten());
    }
}

/// Mean after, mean before and Welch's t, where a window is clearly slower than what was before it.
fn regression(before: &Moments, now: &Moments) -> Option<(f64, f64, f64)> {
    if before.n < CALLS || now.n < CALLS || now.mean < SLOWER * before.mean {
        return None;
    }
    let error = before.sigma.upper()?.powi(2) / before.n + now.sigma.upper()?.powi(2) / now.n;
    let t = (now.mean - before.mean) / error.sqrt();
    (t >= ERRORS).then_some((now.mean, before.mean, t)).filter(|f| f.2.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::moments::Sigma;

    #[test]
    fn slower_by_half_and_beyond_chance() {
        let of = |n: f64, mean: f64, s: f64| Moments { n, total: n * mean, mean, sigma: Sigma::Exactly(s) };
        assert!(regression(&of(100.0, 10.0, 2.0), &of(50.0, 20.0, 3.0)).is_some());
        for (before, now, why) in [
            (of(100.0, 10.0, 2.0), of(50.0, 14.0, 2.0), "less than half slower"),
            (of(100.0, 10.0, 60.0), of(50.0, 20.0, 60.0), "within the noise"),
            (of(10.0, 10.0, 1.0), of(50.0, 20.0, 1.0), "too few calls"),
        ] {
            assert_eq!(regression(&before, &now), None, "{why}");
        }
    }
}
