//! Dead rows of each table: whether vacuum keeps up, and when autovacuum comes next.

use super::{present, view};
use crate::time::Timestamp;
use crate::trend::forecast::{Answer, Forecast, Kind, Speed, when};
use crate::trend::sawtooth::{Last, Pace, Sawtooth, Verdict};
use crate::trend::{Confidence, Follow, fit};
use crate::unit::Unit;

/// Autovacuum is behind where it has not come for this many naptimes, and ten minutes.
const NAPTIMES: f64 = 10.0;

/// Dead rows of a table over a history.
#[derive(Clone, Debug)]
pub struct DeadRows {
    /// The table.
    pub table: String,
    /// Whether vacuum keeps up.
    pub verdict: Verdict,
    /// Why.
    pub why: String,
    /// The newest numbers.
    pub last: Last,
    /// How fast dead rows pile up between vacuums.
    pub pace: Option<Pace>,
    /// When autovacuum comes next: by dead rows, by inserts.
    pub forecasts: Vec<Forecast>,
    /// Whether it is due and has not come for long.
    pub behind: bool,
    /// All the rest.
    pub sawtooth: Sawtooth,
}

/// Judges the tables that had dead rows or vacuums, those that need a look first.
pub(super) fn judge(history: &Follow) -> Vec<DeadRows> {
    let (Some(view), Some(watch)) = (view(history, "pg_stat_user_tables"), &history.watch) else { return Vec::new() };
    let at = history.last().and_then(|s| s.meta.taken_at);
    let span_s = history.from.zip(at).map_or(0.0, |(a, b)| b.seconds_since(a));
    let naptime_s = watch.surroundings.naptime_s();
    let mut out: Vec<DeadRows> = present(view)
        .into_iter()
        .filter_map(|object| {
            let sawtooth = object.sawtooth.as_deref()?;
            let last = sawtooth.last?;
            if last.dead <= 0.0 && sawtooth.worst <= 0.0 {
                return None;
            }
            let table = object.name(view.followed.view);
            let (verdict, why) = sawtooth.verdict();
            let pace = sawtooth.pace();
            let forecasts = due(&table, sawtooth, &last, pace, (at, span_s, naptime_s));
            let over = last.known && last.trigger.enabled && last.dead > last.trigger.dead;
            let long = (NAPTIMES * naptime_s).max(600.0);
            let waited = match (last.autovacuum, at) {
                (Some(then), Some(now)) => now.seconds_since(then),
                _ => span_s,
            };
            Some(DeadRows {
                table,
                verdict,
                why,
                last,
                pace,
                forecasts,
                behind: over && waited > long,
                sawtooth: sawtooth.clone(),
            })
        })
        .collect();
    let rank = |d: &DeadRows| match d.verdict {
        Verdict::CannotClean => 0,
        Verdict::Lags => 1,
        _ if !d.last.trigger.enabled => 2,
        Verdict::CannotTell => 3,
        Verdict::KeepsUp => 4,
    };
    out.sort_by(|a, b| {
        rank(a).cmp(&rank(b)).then_with(|| b.last.dead.total_cmp(&a.last.dead)).then_with(|| a.table.cmp(&b.table))
    });
    out
}

/// When autovacuum comes: at the trigger of dead rows, at that of inserts.
fn due(
    table: &str,
    sawtooth: &Sawtooth,
    last: &Last,
    pace: Option<Pace>,
    (at, span_s, naptime_s): (Option<Timestamp>, f64, f64),
) -> Vec<Forecast> {
    if !last.known {
        return Vec::new();
    }
    let note = if last.trigger.enabled {
        format!("and up to {naptime_s} s × databases more, until autovacuum looks")
    } else {
        "autovacuum is off for this table: nobody comes, except against wraparound".to_owned()
    };
    let windows = sawtooth.intervals.iter().take(2).sum::<u64>() as usize;
    let forecast = |kind, milestone: &str, now: f64, limit: f64, speed: Option<Speed>| {
        let remaining = (limit - now).max(0.0);
        let answer = if now > limit { Answer::Reached } else { when(Some(remaining), speed.as_ref(), at, false) };
        Forecast {
            kind,
            subject: table.to_owned(),
            milestone: milestone.to_owned(),
            now,
            limit: Some(limit),
            remaining: Some(remaining),
            unit: Unit::Rows,
            speed,
            answer,
            note: Some(note.clone()),
        }
    };
    let speed = pace.map(|p| {
        let points = windows + 1;
        // A range of quartiles above zero is a direction; how sure depends on how often it was seen.
        let p_value = if p.low > 0.0 { 0.5_f64.powi(i32::try_from(windows.min(30)).unwrap_or(30) - 1) } else { 1.0 };
        Speed {
            middle: p.median,
            low: p.low,
            high: p.high,
            points,
            span_s,
            p: p_value,
            // Quartiles above zero in five points or more: enough for "if this continues".
            confidence: if p.low > 0.0 && points >= fit::LEAST {
                Confidence::of(points, p_value).max(Confidence::Low)
            } else {
                Confidence::Insufficient
            },
        }
    });
    let mut out =
        vec![forecast(Kind::DeadRows, "dead rows reach autovacuum's trigger", last.dead, last.trigger.dead, speed)];
    if let (Some(limit), Some(now), Some(pace)) =
        (last.trigger.inserts, last.inserted, sawtooth.inserted_per_s().filter(|p| *p > 0.0))
    {
        let speed = Speed {
            middle: pace,
            low: pace,
            high: pace,
            points: 2,
            span_s,
            p: 1.0,
            confidence: Confidence::Insufficient,
        };
        let mut by_inserts =
            forecast(Kind::Inserts, "inserted rows reach autovacuum's trigger", now, limit, Some(speed));
        if let (Answer::NoDate { arithmetic_s }, Some(remaining)) = (&mut by_inserts.answer, by_inserts.remaining) {
            *arithmetic_s = Some(remaining / pace);
        }
        out.push(by_inserts);
    }
    out
}
