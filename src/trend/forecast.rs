//! When something reaches a limit: a date with its range, never beyond the horizon of what was observed.
//!
//! The horizon is three times the observed span, twice where p is above 0.01. For a hard limit (ids, sequences) the plain
//! division of what remains by the measured pace may be shown beyond it: as arithmetic, in seconds, without a date.

use super::Confidence;
use super::fit::{Fit, LEAST};
use super::pace::Pace;
use crate::time::Timestamp;
use crate::unit::Unit;
use serde::Serialize;

/// What runs towards a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Age of transaction ids.
    Xid,
    /// Age of multixact ids.
    Multixact,
    /// Numbers of a sequence.
    Sequence,
    /// Sizes of all databases against the space there is.
    Disk,
    /// Size of a database.
    Database,
    /// Size of a table with its indexes.
    Table,
    /// Dead rows against autovacuum's trigger.
    DeadRows,
    /// Inserted rows against autovacuum's trigger.
    Inserts,
}

/// The measured pace towards a limit, per second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Speed {
    /// The middle.
    pub middle: f64,
    /// The slow end of its interval.
    pub low: f64,
    /// The fast end.
    pub high: f64,
    /// Points it rests on.
    pub points: usize,
    /// Seconds it rests on.
    pub span_s: f64,
    /// Probability of chance.
    pub p: f64,
    /// How sure.
    pub confidence: Confidence,
}

impl From<Pace> for Speed {
    fn from(p: Pace) -> Self {
        Self {
            middle: p.mean,
            low: p.low,
            high: p.high,
            points: p.points,
            span_s: p.span_s,
            p: p.p,
            confidence: p.confidence,
        }
    }
}

impl From<Fit> for Speed {
    fn from(f: Fit) -> Self {
        // Growth has a daily pattern until two days have shown that it has none.
        let confidence = if f.span_s < 2.0 * 86_400.0 { f.confidence.min(Confidence::Low) } else { f.confidence };
        Self { middle: f.slope, low: f.low, high: f.high, points: f.points, span_s: f.span_s, p: f.p, confidence }
    }
}

/// When.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// It is there.
    Reached,
    /// Between two dates; what lies beyond the horizon is left out.
    Dates {
        /// Not before.
        earliest: Timestamp,
        /// At the measured pace.
        expected: Option<Timestamp>,
        /// Not after.
        latest: Option<Timestamp>,
        /// How far the data lets see.
        horizon: Timestamp,
    },
    /// Not before the horizon.
    Beyond {
        /// How far the data lets see.
        horizon: Timestamp,
        /// What remains divided by the pace, for hard limits: arithmetic, no forecast.
        arithmetic_s: Option<f64>,
    },
    /// Too few points, or a pace that may be none: no date.
    NoDate {
        /// What remains divided by the pace, for hard limits: arithmetic, no forecast.
        arithmetic_s: Option<f64>,
    },
    /// It does not move towards the limit.
    Never,
    /// Nobody said where the limit is.
    NoLimit,
}

/// Something that runs towards a limit.
#[derive(Clone, Debug, PartialEq)]
pub struct Forecast {
    /// What.
    pub kind: Kind,
    /// Of what: a database, a sequence, a table.
    pub subject: String,
    /// What happens at the limit.
    pub milestone: String,
    /// Where it is now.
    pub now: f64,
    /// The limit.
    pub limit: Option<f64>,
    /// What is left.
    pub remaining: Option<f64>,
    /// Of what these are.
    pub unit: Unit,
    /// How fast.
    pub speed: Option<Speed>,
    /// When.
    pub answer: Answer,
    /// What else is to be known.
    pub note: Option<String>,
}

/// When `remaining` is used up, seen from `at`. `hard`: the limit is one of arithmetic, not of plans.
pub fn when(remaining: Option<f64>, speed: Option<&Speed>, at: Option<Timestamp>, hard: bool) -> Answer {
    let Some(remaining) = remaining else { return Answer::NoLimit };
    if remaining <= 0.0 {
        return Answer::Reached;
    }
    let Some(speed) = speed else { return Answer::NoDate { arithmetic_s: None } };
    let seconds = |pace: f64| (pace > 0.0).then(|| remaining / pace).filter(|s| s.is_finite());
    let arithmetic_s = seconds(speed.middle).filter(|_| hard);
    if speed.points >= LEAST && speed.high <= 0.0 || speed.middle <= 0.0 && speed.confidence > Confidence::Insufficient
    {
        return Answer::Never;
    }
    let unsure = speed.points < LEAST || speed.low <= 0.0 || speed.confidence == Confidence::Insufficient;
    let (Some(at), false) = (at, unsure) else { return Answer::NoDate { arithmetic_s } };
    let reach = Confidence::reach(speed.p) * speed.span_s;
    let horizon = at.plus_seconds(reach);
    let within = |pace: f64| seconds(pace).filter(|s| *s <= reach).map(|s| at.plus_seconds(s));
    match within(speed.high) {
        None => Answer::Beyond { horizon, arithmetic_s },
        Some(earliest) => {
            Answer::Dates { earliest, expected: within(speed.middle), latest: within(speed.low), horizon }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn speed(low: f64, middle: f64, high: f64, points: usize, p: f64) -> Speed {
        Speed { middle, low, high, points, span_s: 1_000.0, p, confidence: Confidence::of(points, p) }
    }

    #[test]
    fn dates_end_at_the_horizon() {
        let now = Timestamp::from_seconds(1_800_000_000);
        let later = |s: f64| now.plus_seconds(s);
        let when = |remaining: f64, s: &Speed, hard| when(Some(remaining), Some(s), Some(now), hard);
        let sure = speed(0.8, 1.0, 1.25, 20, 0.001);
        assert_eq!(
            when(1_000.0, &sure, false),
            Answer::Dates {
                earliest: later(800.0),
                expected: Some(later(1_000.0)),
                latest: Some(later(1_250.0)),
                horizon: later(3_000.0)
            }
        );
        let Answer::Dates { expected: Some(_), latest: None, .. } = when(2_900.0, &sure, false) else { panic!() };
        assert_eq!(when(9_000.0, &sure, false), Answer::Beyond { horizon: later(3_000.0), arithmetic_s: None });
        assert_eq!(when(9_000.0, &sure, true), Answer::Beyond { horizon: later(3_000.0), arithmetic_s: Some(9_000.0) });
        let less = speed(0.8, 1.0, 1.25, 20, 0.02);
        assert_eq!(when(2_600.0, &less, false), Answer::Beyond { horizon: later(2_000.0), arithmetic_s: None });
    }

    #[test]
    fn no_date_where_nothing_is_sure() {
        let now = Some(Timestamp::from_seconds(1_800_000_000));
        let few = speed(0.8, 1.0, 1.25, 4, 0.001);
        assert_eq!(when(Some(10.0), Some(&few), now, true), Answer::NoDate { arithmetic_s: Some(10.0) });
        let open = speed(-0.1, 1.0, 2.0, 20, 0.2);
        assert_eq!(when(Some(10.0), Some(&open), now, false), Answer::NoDate { arithmetic_s: None });
        assert_eq!(when(Some(10.0), Some(&speed(-2.0, -1.0, -0.5, 20, 0.001)), now, true), Answer::Never);
        assert_eq!(when(Some(0.0), None, now, true), Answer::Reached);
        assert_eq!(when(None, Some(&few), now, false), Answer::NoLimit);
    }
}
