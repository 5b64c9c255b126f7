//! Databases and tables that grow, and when the disk is full.

use super::{Given, place, view};
use crate::trend::forecast::{Answer, Forecast, Kind, Speed, when};
use crate::trend::watch::Watch;
use crate::trend::{Confidence, Follow, Measure, fit};
use crate::unit::Unit;

/// Tables named.
const TABLES: usize = 20;

pub(super) fn forecasts(history: &Follow, watch: &Watch, given: Given) -> Vec<Forecast> {
    let at = history.last().and_then(|s| s.meta.taken_at);
    let mut out = Vec::new();
    if let Some((_, now)) = watch.disk.last() {
        let speed = fit::fit(watch.disk.iter()).map(Speed::from);
        let limit = given.capacity.map(|c| c as f64);
        let remaining = limit.map(|l| (l - now).max(0.0));
        out.push(Forecast {
            kind: Kind::Disk,
            subject: "all databases".to_owned(),
            milestone: if limit.is_some() { "the given space is full" } else { "no space given (--capacity)" }
                .to_owned(),
            now,
            limit,
            remaining,
            unit: Unit::Bytes,
            speed,
            answer: when(remaining, speed.as_ref(), at, true),
            note: Some("databases alone: WAL, temporary files and logs come on top".to_owned()),
        });
    }
    out.extend(growing(history, "database_sizes", "size", Kind::Database, usize::MAX));
    out.extend(growing(history, "table_sizes", "total_relation_size", Kind::Table, TABLES));
    out
}

/// The objects whose size has a trend, the fastest first.
fn growing(history: &Follow, name: &str, column: &str, kind: Kind, most: usize) -> Vec<Forecast> {
    let Some((view, at)) = view(history, name).and_then(|v| Some((v, place(v, column)?))) else { return Vec::new() };
    let mut out: Vec<Forecast> = super::present(view)
        .into_iter()
        .filter_map(|object| {
            let series = object.series.get(at).filter(|s| s.measure == Measure::Level && s.min != s.max)?;
            let fit = fit::fit(series.for_trend()).filter(|f| f.confidence > Confidence::Insufficient)?;
            Some(Forecast {
                kind,
                subject: object.name(view.followed.view),
                milestone: "grows".to_owned(),
                now: series.last()?.1,
                limit: None,
                remaining: None,
                unit: Unit::Bytes,
                speed: Some(Speed::from(fit)),
                answer: Answer::NoLimit,
                note: None,
            })
        })
        .collect();
    let slope = |f: &Forecast| f.speed.map_or(0.0, |s| s.middle);
    out.sort_by(|a, b| slope(b).total_cmp(&slope(a)).then_with(|| a.subject.cmp(&b.subject)));
    out.truncate(most);
    out
}
