//! Forecasts in words: what may be said with which confidence.

use super::Confidence;
use super::forecast::{Answer, Forecast, Kind, Speed};
use crate::time::Timestamp;
use crate::unit::{Quantity, Unit};

/// Dates further away than this are days, nearer ones minutes.
const DAYS_S: f64 = 4.0 * 86_400.0;
/// And those nearer than this seconds.
const SECONDS_S: f64 = 2.0 * 3_600.0;

impl Forecast {
    /// When, in words.
    pub fn when(&self) -> String {
        match self.answer {
            Answer::Reached if matches!(self.kind, Kind::DeadRows | Kind::Inserts) => "due now".to_owned(),
            Answer::Reached => "reached".to_owned(),
            Answer::Never => "does not move towards it".to_owned(),
            Answer::NoLimit => self.growth(),
            Answer::Dates { earliest, expected, latest, horizon } => self.dates(earliest, expected, latest, horizon),
            Answer::Beyond { horizon, arithmetic_s } => {
                format!("beyond the horizon (after {}){}", horizon.human(), self.arithmetic(arithmetic_s))
            }
            Answer::NoDate { arithmetic_s } => format!("no date: {}{}", self.why_none(), self.arithmetic(arithmetic_s)),
        }
    }

    /// The same beside what is left and the rate, with no arithmetic written out.
    pub fn when_briefly(&self) -> String {
        let at_this_rate =
            |s: Option<f64>| s.map_or_else(String::new, |s| format!("; {} at the measured rate", seconds(s)));
        match self.answer {
            Answer::Beyond { horizon, arithmetic_s } => {
                format!("not before {}{}", horizon.human(), at_this_rate(arithmetic_s))
            }
            Answer::NoDate { arithmetic_s } => format!("no date: {}{}", self.why_none(), at_this_rate(arithmetic_s)),
            _ => self.when(),
        }
    }

    fn dates(
        &self,
        earliest: Timestamp,
        expected: Option<Timestamp>,
        latest: Option<Timestamp>,
        horizon: Timestamp,
    ) -> String {
        let reach = self.speed.map_or(0.0, |s| horizon.seconds_since(earliest) + s.span_s);
        let shown = |t: Timestamp| match reach {
            s if s > DAYS_S => t.human_date(),
            s if s > SECONDS_S => t.human(),
            _ => t.human_seconds(),
        };
        let latest = latest.map_or_else(|| format!("beyond {}", shown(horizon)), shown);
        let Some(expected) = expected else {
            return format!(
                "not before {}; at the measured rate beyond the horizon ({})",
                shown(earliest),
                shown(horizon)
            );
        };
        let range = format!("{} ({} … {latest})", shown(expected), shown(earliest));
        match self.speed.map_or(Confidence::Insufficient, |s| s.confidence) {
            Confidence::High => format!("expected around {range}"),
            Confidence::Medium => format!("at the present rate, about {range}"),
            Confidence::Low | Confidence::Insufficient => {
                format!("if the last {} continue: {range}", self.speed.map_or_else(String::new, |s| seconds(s.span_s)))
            }
        }
    }

    fn arithmetic(&self, arithmetic_s: Option<f64>) -> String {
        let (Some(left), Some(remaining), Some(speed)) = (arithmetic_s, self.remaining, self.speed) else {
            return String::new();
        };
        format!(
            "; {} ÷ {} = {} (arithmetic at the measured rate, no forecast)",
            human(remaining.round(), self.unit),
            self.per_second(speed.middle),
            seconds(left)
        )
    }

    fn why_none(&self) -> String {
        match &self.speed {
            None => "no rate was measured".to_owned(),
            Some(s) if s.points < super::fit::LEAST || s.confidence == Confidence::Insufficient && s.points < 8 => {
                insufficient(s)
            }
            Some(_) => "the rate may be none".to_owned(),
        }
    }

    fn growth(&self) -> String {
        let Some(speed) = self.speed else { return "no trend".to_owned() };
        let (long, name) = per(speed.span_s);
        let day =
            |x: f64| Quantity::float(x * long, self.unit).map_or_else(|| "open".to_owned(), Quantity::human_signed);
        if speed.confidence == Confidence::Insufficient {
            return format!("no trend: {}", insufficient(&speed));
        }
        let words = match speed.confidence {
            Confidence::Low => format!("if the last {} continue, ", seconds(speed.span_s)),
            _ => String::new(),
        };
        format!("{words}{} {name} ({} … {})", day(speed.middle), day(speed.low), day(speed.high))
    }

    /// A pace in the unit of the forecast.
    pub fn per_second(&self, pace: f64) -> String {
        let unit = if self.unit == Unit::Bytes { Unit::BytesPerSecond } else { Unit::PerSecond };
        human(pace, unit)
    }
}

/// A stretch of time not longer than what was observed, for speeds: nothing is blown up to a day that lasted minutes.
pub const fn per(span_s: f64) -> (f64, &'static str) {
    if span_s >= 86_400.0 {
        (86_400.0, "a day")
    } else if span_s >= 3_600.0 {
        (3_600.0, "an hour")
    } else {
        (60.0, "a minute")
    }
}

fn insufficient(s: &Speed) -> String {
    format!("insufficient data ({} points, {})", s.points, seconds(s.span_s))
}

fn human(x: f64, unit: Unit) -> String {
    Quantity::float(x, unit).map_or_else(|| "unknown".to_owned(), Quantity::human)
}

fn seconds(s: f64) -> String {
    human(s, Unit::Seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forecast(answer: Answer, confidence: Confidence, points: usize) -> Forecast {
        let speed = Speed { middle: 7.5, low: 7.0, high: 8.0, points, span_s: 64.0, p: 0.001, confidence };
        Forecast {
            kind: Kind::Sequence,
            subject: "public.tickets_id_seq".to_owned(),
            milestone: String::new(),
            now: 0.9999,
            limit: None,
            remaining: Some(150_378.0),
            unit: Unit::Count,
            speed: Some(speed),
            answer,
            note: None,
        }
    }

    #[test]
    fn words_follow_confidence() {
        let at = |s: i64| Timestamp::from_seconds(1_795_000_000 + s);
        let dates = |latest| Answer::Dates { earliest: at(60), expected: Some(at(100)), latest, horizon: at(190) };
        for (answer, confidence, points, want) in [
            (
                dates(Some(at(150))),
                Confidence::High,
                20,
                "expected around 18 Nov 2026 11:08:20 UTC (18 Nov 2026 11:07:40 UTC … 18 Nov 2026 11:09:10 UTC)",
            ),
            (
                dates(None),
                Confidence::Low,
                6,
                "if the last 1 min 04 s continue: 18 Nov 2026 11:08:20 UTC (18 Nov 2026 11:07:40 UTC … beyond 18 Nov 2026 11:09:50 UTC)",
            ),
            (
                Answer::Beyond { horizon: at(190), arithmetic_s: Some(20_050.4) },
                Confidence::Medium,
                9,
                "beyond the horizon (after 18 Nov 2026 11:09 UTC); 150,378 ÷ 7.50/s = 5 h 34 m (arithmetic at the measured rate, no forecast)",
            ),
            (
                Answer::NoDate { arithmetic_s: None },
                Confidence::Insufficient,
                3,
                "no date: insufficient data (3 points, 1 min 04 s)",
            ),
            (Answer::Never, Confidence::High, 20, "does not move towards it"),
        ] {
            assert_eq!(forecast(answer, confidence, points).when(), want);
        }
        let beyond = Answer::Beyond { horizon: at(190), arithmetic_s: Some(20_050.4) };
        assert_eq!(
            forecast(beyond, Confidence::Medium, 9).when_briefly(),
            "not before 18 Nov 2026 11:09 UTC; 5 h 34 m at the measured rate"
        );
        let none = Answer::NoDate { arithmetic_s: Some(60.0) };
        assert_eq!(
            forecast(none, Confidence::Insufficient, 3).when_briefly(),
            "no date: insufficient data (3 points, 1 min 04 s); 1 min 00 s at the measured rate"
        );
        assert_eq!(forecast(Answer::Never, Confidence::High, 20).when_briefly(), "does not move towards it");
    }
}
