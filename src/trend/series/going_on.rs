//! Many windows at once of a row that goes on: what [`Series::step`] makes of each of them, without asking each time.

use super::{Measure, Segment, Series};
use crate::diff::{Exact, rate};
use crate::snapshot::Ints;
use crate::time::Timestamp;

/// A window's times.
#[derive(Clone, Copy, Debug)]
pub(in crate::trend) struct Span {
    pub from: Timestamp,
    pub at: Timestamp,
    pub covered_s: f64,
}

impl Series {
    /// The windows between some snapshots: `cells` are the numbers in each of them, [`Ints::NULL`] where there is none.
    pub(in crate::trend) fn go_on(&mut self, spans: &[Span], cells: &[i64]) {
        let after = cells.get(1..).unwrap_or_default();
        match self.measure {
            Measure::Level => {
                let known = spans.iter().zip(after).filter(|(_, is)| **is != Ints::NULL);
                self.add_points(spans.len(), known.map(|(span, is)| (span.at, *is as f64)));
            }
            Measure::Rate => self.gains(spans, cells, after),
        }
    }

    fn gains(&mut self, spans: &[Span], cells: &[i64], after: &[i64]) {
        let mut activity = self.activity;
        let (mut covered_s, mut covered) = (self.covered_s, self.covered);
        let mut total = None;
        let mut exact = self.exact;
        let rates = spans.iter().zip(cells.iter().zip(after)).filter_map(|(span, (was, is))| {
            let delta = is.wrapping_sub(*was);
            if *was == Ints::NULL || *is == Ints::NULL || delta < 0 {
                exact = false;
                return None;
            }
            total = Some(total.unwrap_or(0_i128) + i128::from(delta));
            covered_s += span.covered_s;
            covered += delta as f64;
            activity.step(Some(span.from), Some(span.at), delta as f64, span.covered_s);
            Some((span.at, rate::over(delta as f64, Some(span.covered_s))?))
        });
        self.add_points(spans.len(), rates);
        (self.activity, self.covered_s, self.covered, self.exact) = (activity, covered_s, covered, exact);
        if let Some(more) = total.map(Exact::Int) {
            self.total = Some(self.total.map_or(more, |sum| sum.plus(more)));
        }
    }

    /// Adds points without an interruption among them.
    fn add_points(&mut self, room: usize, mut points: impl Iterator<Item = (Timestamp, f64)>) {
        if self.interrupted || self.segments.is_empty() {
            let Some((at, value)) = points.next() else { return };
            self.point(at, value);
        }
        let Some(segment) = self.segments.back_mut() else { return };
        segment.points.reserve(room);
        let Segment { points: kept, line } = segment;
        let mut sums = *line;
        let (mut seen, mut min, mut max) = (0, self.min, self.max);
        for (at, value) in points.filter(|p| p.1.is_finite()) {
            seen += 1;
            min = Some(min.map_or(value, |m| m.min(value)));
            max = Some(max.map_or(value, |m| m.max(value)));
            kept.push(at, value);
            sums.push(at.0 as f64 / 1e6, value);
        }
        *line = sums;
        (self.min, self.max) = (min, max);
        self.seen += seen;
    }
}

#[cfg(test)]
mod tests {
    use super::super::Step;
    use super::*;
    use crate::diff::Class;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn says_what_the_steps_say(
            windows in prop::collection::vec((0_i64..5_000, prop_oneof![4 => (0_i64..90).prop_map(Some), 1 => Just(None)]), 1..700),
            levels: bool, gap in 0_usize..9, cuts in prop::collection::vec(0_usize..700, 0..4),
        ) {
            let measure = if levels { Measure::Level } else { Measure::Rate };
            let (mut spans, mut cells, mut now, mut sum) = (Vec::new(), vec![7], 1_700_000_000_000_000_i64, 7);
            for (seconds, gain) in windows {
                let from = Timestamp(now);
                now += seconds * 1_000_003;
                spans.push(Span { from, at: Timestamp(now), covered_s: Timestamp(now).seconds_since(from) });
                sum += gain.unwrap_or(0);
                cells.push(gain.map_or(Ints::NULL, |g| if g == 13 { sum - 14 } else { sum }));
            }
            let (mut steps, mut at_once) = (Series::new(measure), Series::new(measure));
            if gap == 0 {
                for series in [&mut steps, &mut at_once] {
                    series.gap(super::super::Gap { from: None, to: None, why: "reset" });
                }
            }
            for (span, pair) in spans.iter().zip(cells.windows(2)) {
                let known = |n: i64| (n != Ints::NULL).then_some(n);
                let delta = known(pair[0]).zip(known(pair[1])).map(|(a, b)| b - a).filter(|d| *d >= 0);
                steps.step(&Step {
                    from: Some(span.from),
                    at: Some(span.at),
                    value: known(pair[1]).map(|n| n as f64),
                    delta: delta.map(|d| Exact::Int(i128::from(d))),
                    covered_s: Some(span.covered_s),
                    class: Class::Ok,
                    exact: true,
                    gap: None,
                });
            }
            let mut cuts: Vec<usize> = cuts.into_iter().map(|c| c.min(spans.len())).chain([0, spans.len()]).collect();
            cuts.sort_unstable();
            for part in cuts.windows(2) {
                at_once.go_on(&spans[part[0]..part[1]], &cells[part[0]..=part[1]]);
            }
            prop_assert_eq!(at_once, steps);
        }
    }
}
