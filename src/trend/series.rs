//! One column of one object over a history: a fold that takes one snapshot's step after another.
//!
//! It knows nothing of files and rows: whoever reads a history says at each step what the value is, what the counter
//! gained and whether it went on counting. Memory is bounded whatever the length, and the series of two adjacent
//! stretches of time merge to that of both ([`Series::append`]), so halves of a history can be read by two threads.

mod going_on;

pub(super) use going_on::Span;

use super::activity::Activity;
use super::math::least_squares::LeastSquares;
use super::math::thin::Thinned;
use crate::diff::{Class, Exact, rate};
use crate::time::Timestamp;
use std::collections::VecDeque;

/// Segments whose points are kept; of older ones only the number.
const SEGMENTS: usize = 16;
/// Gaps listed; of older ones only the number.
const GAPS: usize = 64;

/// What the points of a series are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// The value at each snapshot.
    Level,
    /// A counter's gain per second in the window before each snapshot.
    Rate,
}

/// What one more snapshot says about a column.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// When the snapshot before was taken.
    pub from: Option<Timestamp>,
    /// When this one was.
    pub at: Option<Timestamp>,
    /// The value; `None` where there is none or it means nothing yet.
    pub value: Option<f64>,
    /// What a counter gained.
    pub delta: Option<Exact>,
    /// Seconds the gain covers.
    pub covered_s: Option<f64>,
    /// What may be said about the gain.
    pub class: Class,
    /// Whether it is exact, else a lower bound.
    pub exact: bool,
    /// Why the line is interrupted before this snapshot.
    pub gap: Option<&'static str>,
}

/// An interruption: no line is drawn across.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The last snapshot before.
    pub from: Option<Timestamp>,
    /// The first one after.
    pub to: Option<Timestamp>,
    /// Why.
    pub why: &'static str,
}

/// Points without an interruption.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Segment {
    /// The points, thinned above [`super::math::thin::KEPT`].
    pub points: Thinned<f64>,
    /// Their line by least squares, all points considered; x in seconds.
    pub line: LeastSquares,
}

/// A column of an object over a history.
#[expect(clippy::struct_excessive_bools, reason = "independent facts about the line")]
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// What its points are.
    pub measure: Measure,
    /// Sum of the gains; `None` where none is known, and for levels.
    pub total: Option<Exact>,
    /// Whether the sum is exact, else a lower bound.
    pub exact: bool,
    /// The worst class of its steps.
    pub class: Class,
    /// Seconds that gains of known time cover.
    pub covered_s: f64,
    /// The gains of known time.
    pub covered: f64,
    /// Smallest point.
    pub min: Option<f64>,
    /// Largest point.
    pub max: Option<f64>,
    /// How many points there were in all.
    pub seen: u64,
    /// How often the line was interrupted.
    pub gap_count: u64,
    /// When a counter moved.
    pub activity: Activity,
    gaps: VecDeque<Gap>,
    segments: VecDeque<Segment>,
    /// Whether the line was interrupted before the first point.
    late: bool,
    /// Whether older segments were let go.
    shortened: bool,
    /// Whether the next point begins a new segment.
    interrupted: bool,
}

impl Series {
    /// An empty series.
    pub fn new(measure: Measure) -> Self {
        Self {
            measure,
            total: None,
            exact: true,
            class: Class::Ok,
            covered_s: 0.0,
            covered: 0.0,
            min: None,
            max: None,
            seen: 0,
            gap_count: 0,
            activity: Activity::default(),
            gaps: VecDeque::new(),
            segments: VecDeque::new(),
            late: false,
            shortened: false,
            interrupted: false,
        }
    }

    /// The value in the first snapshot that has the object, before any step.
    pub fn start(&mut self, at: Option<Timestamp>, value: Option<f64>) {
        if let (Measure::Level, Some(at), Some(value)) = (self.measure, at, value) {
            self.point(at, value);
        }
    }

    /// One more snapshot.
    pub fn step(&mut self, step: &Step) {
        if let Some(why) = step.gap {
            self.gap(Gap { from: step.from, to: step.at, why });
        }
        if step.class == Class::Gone {
            return;
        }
        match self.measure {
            Measure::Level => {
                if let (Some(at), Some(value)) = (step.at, step.value) {
                    self.point(at, value);
                }
            }
            Measure::Rate => self.gain(step),
        }
    }

    fn gain(&mut self, step: &Step) {
        self.class = self.class.max(step.class);
        self.exact &= step.exact && step.delta.is_some();
        let Some(delta) = step.delta else { return };
        self.total = Some(self.total.map_or(delta, |sum| sum.plus(delta)));
        let Some(covered) = step.covered_s else { return };
        self.covered_s += covered;
        self.covered += delta.as_f64();
        self.activity.step(step.from, step.at, delta.as_f64(), covered);
        let whole = matches!(step.class, Class::Ok | Class::OkUnsure);
        if let (true, Some(at), Some(rate)) = (whole, step.at, rate::per_second(delta, Some(covered))) {
            self.point(at, rate);
        }
    }

    fn gap(&mut self, gap: Gap) {
        self.gap_count += 1;
        self.gaps.push_back(gap);
        if self.gaps.len() > GAPS {
            self.gaps.pop_front();
        }
        self.interrupted = true;
    }

    fn point(&mut self, at: Timestamp, value: f64) {
        if !value.is_finite() {
            return;
        }
        if self.interrupted || self.segments.is_empty() {
            self.late |= self.seen == 0 && self.interrupted;
            self.segments.push_back(Segment::default());
            self.shorten();
            self.interrupted = false;
        }
        self.seen += 1;
        self.min = Some(self.min.map_or(value, |m| m.min(value)));
        self.max = Some(self.max.map_or(value, |m| m.max(value)));
        if let Some(segment) = self.segments.back_mut() {
            segment.points.push(at, value);
            segment.line.push(at.0 as f64 / 1e6, value);
        }
    }

    fn shorten(&mut self) {
        while self.segments.len() > SEGMENTS {
            self.segments.pop_front();
            self.shortened = true;
        }
    }

    /// Appends the series of a later stretch of time, whose first step is from the snapshot this one ends with.
    pub fn append(&mut self, later: &Self) {
        self.total = match (self.total, later.total) {
            (Some(a), Some(b)) => Some(a.plus(b)),
            (a, b) => a.or(b),
        };
        self.exact &= later.exact;
        self.class = self.class.max(later.class);
        self.covered_s += later.covered_s;
        self.covered += later.covered;
        self.activity.append(&later.activity);
        self.gap_count += later.gap_count;
        self.gaps.extend(&later.gaps);
        while self.gaps.len() > GAPS {
            self.gaps.pop_front();
        }
        self.append_points(later);
    }

    fn append_points(&mut self, later: &Self) {
        self.late |= self.seen == 0 && later.seen > 0 && (self.interrupted || later.late);
        self.min = smaller(self.min, later.min);
        self.max = smaller(self.max.map(|m| -m), later.max.map(|m| -m)).map(|m| -m);
        self.seen += later.seen;
        if later.shortened {
            self.shortened = true;
            self.segments.clear();
        }
        let mut segments = later.segments.iter();
        if let (false, Some(mine)) = (self.interrupted || later.late, self.segments.back_mut())
            && let Some(first) = segments.next()
        {
            mine.points.append(&first.points);
            mine.line = mine.line.merge(first.line);
        }
        self.segments.extend(segments.cloned());
        self.shorten();
        self.interrupted =
            if later.segments.is_empty() { self.interrupted | later.interrupted } else { later.interrupted };
    }

    /// Whether the line is interrupted and has not begun again.
    pub const fn is_interrupted(&self) -> bool {
        self.interrupted
    }

    /// The interruptions, the newest of them.
    pub fn gaps(&self) -> impl ExactSizeIterator<Item = &Gap> {
        self.gaps.iter()
    }

    /// The stretches of points without an interruption, the newest of them.
    pub fn segments(&self) -> impl DoubleEndedIterator<Item = &Segment> + ExactSizeIterator {
        self.segments.iter()
    }

    /// The first point kept.
    pub fn first(&self) -> Option<(Timestamp, f64)> {
        self.segments.front()?.points.first()
    }

    /// The newest point.
    pub fn last(&self) -> Option<(Timestamp, f64)> {
        self.segments.back()?.points.last()
    }

    /// The points that a trend may rest on: of a level those since the last interruption, of a rate all.
    pub fn for_trend(&self) -> impl Iterator<Item = (Timestamp, f64)> + '_ {
        let from = match self.measure {
            Measure::Level if self.interrupted => self.segments.len(),
            Measure::Level => self.segments.len().saturating_sub(1),
            Measure::Rate => 0,
        };
        self.segments.iter().skip(from).flat_map(|s| s.points.iter())
    }

    /// All points kept.
    pub fn points(&self) -> impl Iterator<Item = (Timestamp, f64)> + '_ {
        self.segments.iter().flat_map(|s| s.points.iter())
    }

    /// Whether points were left out of what is kept.
    pub fn is_thinned(&self) -> bool {
        self.shortened || self.segments.iter().any(|s| s.points.is_thinned())
    }

    /// Mean gain per second over the covered time.
    pub fn per_second(&self) -> Option<f64> {
        rate::per_second(Exact::Float(self.covered), Some(self.covered_s)).filter(|_| self.total.is_some())
    }
}

fn smaller(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_seconds(1_700_000_000 + second)
    }

    fn step(from: i64, to: i64, value: f64, delta: i128) -> Step {
        Step {
            from: Some(at(from)),
            at: Some(at(to)),
            value: Some(value),
            delta: Some(Exact::Int(delta)),
            covered_s: Some((to - from) as f64),
            class: Class::Ok,
            exact: true,
            gap: None,
        }
    }

    #[test]
    fn a_reset_is_a_gap_and_no_dip() {
        let mut s = Series::new(Measure::Rate);
        s.step(&step(0, 60, 160.0, 60));
        let reset = Step {
            class: Class::Reset,
            exact: false,
            covered_s: Some(30.0),
            gap: Some("reset"),
            ..step(60, 120, 15.0, 15)
        };
        s.step(&reset);
        s.step(&step(120, 180, 75.0, 60));
        assert_eq!((s.total, s.exact, s.class), (Some(Exact::Int(135)), false, Class::Reset));
        assert_eq!((s.covered_s, s.per_second()), (150.0, Some(0.9)));
        assert_eq!(s.points().map(|p| p.1).collect::<Vec<_>>(), [1.0, 1.0]);
        assert_eq!((s.segments().len(), s.gap_count), (2, 1));
    }

    #[test]
    fn a_level_trends_since_its_last_interruption() {
        let mut s = Series::new(Measure::Level);
        s.start(Some(at(0)), Some(5.0));
        s.step(&step(0, 60, 6.0, 0));
        s.step(&Step { gap: Some("rewritten"), ..step(60, 120, 1.0, 0) });
        s.step(&step(120, 180, 2.0, 0));
        assert_eq!(s.for_trend().map(|p| p.1).collect::<Vec<_>>(), [1.0, 2.0]);
        assert_eq!((s.points().count(), s.min, s.max), (4, Some(1.0), Some(6.0)));
    }

    #[test]
    fn unknown_times_make_totals_but_no_rate() {
        let mut s = Series::new(Measure::Rate);
        s.step(&Step { from: None, at: None, covered_s: None, ..step(0, 60, 1.0, 7) });
        assert_eq!((s.total, s.per_second(), s.seen), (Some(Exact::Int(7)), None, 0));
    }

    proptest! {
        #[test]
        fn halves_append_to_the_whole(
            moves in prop::collection::vec((1_i64..5_000, 0_i128..50, 0_u8..12), 1..700), cut in 0_usize..700, rate: bool,
        ) {
            let measure = if rate { Measure::Rate } else { Measure::Level };
            let mut now = 0;
            let steps: Vec<Step> = moves.iter().map(|(seconds, delta, luck)| {
                let from = now;
                now += seconds;
                let gap = (*luck == 0).then_some("reset");
                let class = if *luck == 0 { Class::Reset } else { Class::Ok };
                Step { class, gap, ..step(from, now, *delta as f64, *delta) }
            }).collect();
            let cut = cut.min(steps.len());
            let fold = |steps: &[Step]| steps.iter().fold(Series::new(measure), |mut s, step| { s.step(step); s });
            let mut parts = fold(&steps[..cut]);
            parts.append(&fold(&steps[cut..]));
            let whole = fold(&steps);
            prop_assert_eq!(parts.points().collect::<Vec<_>>(), whole.points().collect::<Vec<_>>());
            prop_assert_eq!(parts.for_trend().collect::<Vec<_>>(), whole.for_trend().collect::<Vec<_>>());
            prop_assert_eq!((parts.total, parts.seen, parts.gap_count), (whole.total, whole.seen, whole.gap_count));
            prop_assert_eq!(parts.activity, whole.activity);
            prop_assert_eq!(parts.segments().len(), whole.segments().len());
        }
    }
}
