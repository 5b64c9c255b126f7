//! Small histories for the rows of long tables: one time axis for all, real points only, gaps where counting broke off.

use super::draft::Draft;
use super::sections::timeline;
use super::{Cell, MarkKind, Spark};
use crate::snapshot::Row;
use crate::time::Timestamp;
use crate::trend::{Measure, Object, Series};
use crate::unit::{Quantity, Unit};

/// Points of a small history: with more snapshots, the last point of each of this many stretches of time.
const SLOTS: usize = 32;
/// Points from which on there is something to draw.
const LEAST: usize = 3;

/// The time axis that all small histories share.
#[derive(Clone, Debug)]
pub(super) enum Axis {
    /// The snapshots.
    Each(Vec<Timestamp>),
    /// Stretches of equal length.
    Even { first: Timestamp, seconds: f64, slots: usize },
}

impl Axis {
    /// That of snapshots of these times; with more than `slots`, stretches of equal length.
    pub(super) fn of(times: &[Option<Timestamp>], slots: usize) -> Option<Self> {
        let times: Vec<Timestamp> = times.iter().copied().collect::<Option<_>>()?;
        let (first, last) = (*times.first()?, *times.last()?);
        if times.len() <= slots {
            return Some(Self::Each(times));
        }
        let seconds = last.seconds_since(first);
        (seconds > 0.0).then_some(Self::Even { first, seconds, slots })
    }

    fn len(&self) -> usize {
        match self {
            Self::Each(times) => times.len(),
            Self::Even { slots, .. } => *slots,
        }
    }

    /// The slot of a moment: the nearest snapshot, for views have clocks of their own.
    pub(super) fn slot(&self, at: Timestamp) -> usize {
        match self {
            Self::Each(times) => {
                let after = times.partition_point(|t| *t < at).min(times.len().saturating_sub(1));
                let far = |i: usize| times.get(i).map_or(u64::MAX, |t| t.0.abs_diff(at.0));
                if after > 0 && far(after - 1) < far(after) { after - 1 } else { after }
            }
            Self::Even { first, seconds, slots } => {
                let along = (at.seconds_since(*first) / seconds).clamp(0.0, 1.0);
                ((along * *slots as f64) as usize).min(slots.saturating_sub(1))
            }
        }
    }

    /// The last point of each slot.
    pub(super) fn last_of_each(&self, points: impl Iterator<Item = (Timestamp, f64)>) -> Vec<Option<f64>> {
        let mut out = vec![None; self.len()];
        for (at, value) in points {
            if let Some(slot) = out.get_mut(self.slot(at)) {
                *slot = Some(value);
            }
        }
        out
    }

    /// The last snapshot of each slot, of snapshots of these times.
    pub(super) fn ends(&self, times: &[Option<Timestamp>]) -> Vec<Option<Timestamp>> {
        let mut out = vec![None; self.len()];
        for at in times.iter().flatten() {
            if let Some(slot) = out.get_mut(self.slot(*at)) {
                *slot = Some(*at);
            }
        }
        out
    }
}

/// Draws the small histories of a view's rows.
#[derive(Debug)]
pub(super) struct Sparks<'a> {
    axis: Axis,
    view: &'a crate::trend::Objects,
    column: Option<usize>,
    unit: Unit,
    /// Slots before which the server was restarted or crashed.
    restarts: Vec<usize>,
}

/// What is drawn of each row.
#[derive(Clone, Copy, Debug)]
pub(super) enum Of {
    /// A column followed: a level, or a counter's rate.
    Column(&'static str),
    /// A statement's mean time of a call in each window.
    MeanTime,
}

impl<'a> Sparks<'a> {
    /// `None` where there is no history, or it does not follow the view.
    pub(super) fn of(draft: &Draft<'a>, view: &str, of: Of) -> Option<Self> {
        let history = draft.history?;
        let times: Vec<Option<Timestamp>> = draft.chain.all.iter().map(|g| g.taken_at).collect();
        let axis = Axis::of(&times, SLOTS).filter(|a| a.len() >= LEAST)?;
        let view = history.follow.views().iter().find(|v| v.followed.view.name == view && v.snapshots > 1)?;
        let (column, unit) = match of {
            Of::MeanTime => (None, Unit::Ms),
            Of::Column(name) => {
                let (at, description) = view.followed.view.column(name)?;
                let place = view.followed.columns.iter().position(|(c, _)| *c == at)?;
                let rate = view.followed.columns.get(place).is_some_and(|(_, m)| *m == Measure::Rate);
                (Some(place), if rate { Unit::PerSecond } else { description.unit })
            }
        };
        let happened = history.follow.events.iter();
        let mut restarts: Vec<usize> = happened
            .filter(|h| timeline::kind(&h.event) == MarkKind::Restart)
            .filter_map(|h| Some(axis.slot(h.to?)))
            .collect();
        restarts.sort_unstable();
        restarts.dedup();
        Some(Self { axis, view, column, unit, restarts })
    }

    /// That of a row, by its newest row in the view.
    pub(super) fn cell(&self, row: Option<Row<'_>>) -> Cell {
        let Some(object) = row.and_then(|r| self.view.of_row(r)) else { return Cell::None };
        let spark = match self.column {
            Some(column) => object.series.get(column).and_then(|s| self.series(s)),
            None => self.means(object),
        };
        spark.map_or(Cell::None, Cell::Spark)
    }

    fn series(&self, series: &Series) -> Option<Spark> {
        let breaks = series.gaps().filter_map(|gap| gap.to).map(|at| self.axis.slot(at)).collect();
        self.draw(series.points(), breaks)
    }

    fn means(&self, object: &Object) -> Option<Spark> {
        self.draw(object.statement.as_ref()?.means.iter(), Vec::new())
    }

    fn draw(&self, points: impl Iterator<Item = (Timestamp, f64)>, mut breaks: Vec<usize>) -> Option<Spark> {
        let slots = self.axis.last_of_each(points);
        let known: Vec<f64> = slots.iter().flatten().copied().collect();
        let last = *known.last()?;
        if known.len() < LEAST {
            return None;
        }
        breaks.sort_unstable();
        breaks.dedup();
        let (low, high) = known.iter().fold((last, last), |(low, high), v| (low.min(*v), high.max(*v)));
        let shown = |v: f64| Quantity::float(v, self.unit).map_or_else(|| "n/a".to_owned(), Quantity::human);
        let course = if low < high {
            format!("{} to {}, last {}", shown(low), shown(high), shown(last))
        } else {
            format!("always {}", shown(last))
        };
        let label = match breaks.len() {
            0 => course,
            1 => format!("{course}; broken off once"),
            n => format!("{course}; broken off {n} times"),
        };
        let points = slots.into_iter().map(|p| p.map(rounded)).collect();
        Some(Spark { points, resets: breaks, restarts: self.restarts.clone(), label })
    }
}

/// Four digits: a drawing shows no more.
fn rounded(x: f64) -> f64 {
    format!("{x:.3e}").parse().unwrap_or(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_seconds(1_790_000_000 + second)
    }

    #[test]
    fn few_snapshots_are_slots_and_many_share_them() {
        let axis = Axis::of(&[Some(at(0)), Some(at(60)), Some(at(600))], SLOTS).unwrap();
        let slots: Vec<usize> = [-5, 0, 29, 31, 100, 700].map(|s| axis.slot(at(s))).to_vec();
        assert_eq!((axis.len(), slots), (3, vec![0, 0, 0, 1, 1, 2]));
        let many: Vec<Option<Timestamp>> = (0..1_000).map(|i| Some(at(i * 60))).collect();
        let axis = Axis::of(&many, SLOTS).unwrap();
        assert_eq!((axis.len(), axis.slot(at(0)), axis.slot(at(999 * 60))), (SLOTS, 0, SLOTS - 1));
        assert!(Axis::of(&[Some(at(0)), None], SLOTS).is_none(), "an unknown time has no place");
    }

    #[test]
    fn drawings_are_rounded() {
        assert_eq!([rounded(1.0 / 60.0), rounded(123_456.0), rounded(0.0)], [0.016_67, 123_500.0, 0.0]);
    }
}
