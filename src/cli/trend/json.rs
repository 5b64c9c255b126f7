//! `trend --format json`: one document, written object by object. Its shape is a contract: `docs/trends.md`.

use super::order::Order;
use crate::catalog::Type;
use crate::diff::Exact;
use crate::time::Timestamp;
use crate::trend::outlook::{Given, Outlook};
use crate::trend::{Fit, Follow, Measure, Object, Objects, Part, Series, Summary};
use serde_json::{Map, Value, json};
use std::io::{Result, Write};

/// Writes all histories.
pub(super) fn write(histories: &[Follow], order: &Order, given: Given, out: &mut dyn Write) -> Result<()> {
    out.write_all(b"{\"schema\":1,\"histories\":[")?;
    for (at, history) in histories.iter().enumerate() {
        if at > 0 {
            out.write_all(b",")?;
        }
        write_history(history, order, given, out)?;
    }
    out.write_all(b"]}\n")
}

fn write_history(history: &Follow, order: &Order, given: Given, out: &mut dyn Write) -> Result<()> {
    let meta = history.last().map(|s| &s.meta);
    let text = |x: Option<&String>| x.map_or(Value::Null, |s| Value::from(s.as_str()));
    let server = json!({
        "system_identifier": text(meta.and_then(|m| m.system_identifier.as_ref())),
        "node": text(meta.and_then(|m| m.node.as_ref()).map(ToString::to_string).as_ref()),
        "database": text(meta.and_then(|m| m.database.as_ref())),
        "standby": meta.and_then(|m| m.in_recovery),
        "version": meta.and_then(|m| m.version).map(|v| v.to_string()),
    });
    write!(out, "\n{{\"server\":{server},\"snapshots\":{},", history.snapshots)?;
    write!(out, "\"from\":{},\"to\":{},", time(history.from), time(meta.and_then(|m| m.taken_at)))?;
    out.write_all(b"\"events\":[")?;
    for (at, happening) in history.events.iter().enumerate() {
        let mut event = serde_json::to_value(&happening.event)?;
        if let Some(fields) = event.as_object_mut() {
            fields.insert("from".to_owned(), time(happening.from));
            fields.insert("to".to_owned(), time(happening.to));
        }
        write!(out, "{}\n{event}", if at > 0 { "," } else { "" })?;
    }
    write!(out, "],\"further_events\":{},\"series\":{{", history.more_events)?;
    let mut first = true;
    for view in history.views().iter().filter(|v| v.snapshots > 0) {
        write!(out, "{}\n\"{}\":[", if first { "" } else { "," }, view.followed.view.name)?;
        first = false;
        for (at, object) in order.of_any(view).into_iter().enumerate() {
            write!(out, "{}\n{}", if at > 0 { "," } else { "" }, object_value(view, object))?;
        }
        out.write_all(b"]")?;
    }
    out.write_all(b"}")?;
    if history.watch.is_some() {
        super::outlook::write(&Outlook::of(history, given), out)?;
    }
    out.write_all(b"}")
}

pub(super) fn object_value(view: &Objects, object: &Object) -> Value {
    let name = |c: usize| view.followed.view.columns.get(c).map_or("", |c| c.name).to_owned();
    let key: Map<String, Value> = object.key.iter().map(|(c, part)| (name(*c), part_value(part))).collect();
    let labels: Map<String, Value> = object.labels.iter().map(|(c, t)| (name(*c), Value::from(&**t))).collect();
    let columns: Map<String, Value> = view
        .followed
        .columns
        .iter()
        .zip(&object.series)
        .filter(|((column, _), _)| view.exported.get(*column).copied().unwrap_or(false))
        .map(|((column, _), series)| (name(*column), series_value(view, *column, series)))
        .collect();
    json!({
        "key": key,
        "labels": labels,
        "first_seen": time(object.first_seen),
        "last_seen": time(object.last_seen),
        "created": object.created,
        "gone": object.gone,
        "came_again": object.came_again,
        "columns": columns,
    })
}

fn part_value(part: &Part) -> Value {
    match part {
        Part::Null => Value::Null,
        Part::Bool(b) => Value::from(*b),
        Part::Whole(n) => i64::try_from(*n).map_or_else(|_| Value::from(n.to_string()), Value::from),
        Part::Text(t) => Value::from(&**t),
    }
}

fn series_value(view: &Objects, column: usize, series: &Series) -> Value {
    let summary = Summary::of(series);
    let description = view.followed.view.columns.get(column);
    let unit = description.map(|c| if c.ty == Type::Lsn { crate::unit::Unit::Bytes } else { c.unit });
    let rate = series.measure == Measure::Rate;
    let gaps: Vec<Value> =
        series.gaps().map(|g| json!({"from": time(g.from), "to": time(g.to), "why": g.why})).collect();
    let change = summary.change.map(|c| {
        json!({"after": time(Some(c.after)), "before": time(Some(c.before)), "from_per_s": c.from, "to_per_s": c.to, "p": c.p})
    });
    let values: Vec<Value> = series.points().map(|(at, v)| json!([at.to_string(), plain(v)])).collect();
    json!({
        "measure": if rate { "rate" } else { "level" },
        "unit": unit,
        "points": series.seen,
        "first": series.first().map(|p| plain(p.1)),
        "last": series.last().map(|p| plain(p.1)),
        "min": series.min.map(plain),
        "max": series.max.map(plain),
        "total": if rate { series.total.map(exact) } else { None },
        "exact": rate.then_some(series.exact),
        "class": rate.then(|| series.class.word()),
        "covered_s": rate.then_some(series.covered_s),
        "per_s": series.per_second(),
        "gap_count": series.gap_count,
        "gaps": gaps,
        "trend": summary.trend.as_ref().map(fit_value),
        "trend_points": summary.points,
        "least_squares_per_s": summary.least_squares,
        "change": change,
        "thinned": series.is_thinned(),
        "values": values,
    })
}

/// A trend. Ends of an interval that lies open are null.
fn fit_value(fit: &Fit) -> Value {
    let end = |x: f64| x.is_finite().then_some(x);
    json!({
        "points": fit.points,
        "span_s": fit.span_s,
        "slope_per_s": fit.slope,
        "low": end(fit.low),
        "high": end(fit.high),
        "p": fit.p,
        "autocorrelation": fit.autocorrelation,
        "daily_pattern": fit.daily,
        "confidence": fit.confidence.word(),
    })
}

/// Whole numbers without a decimal point.
pub(super) fn plain(x: f64) -> Value {
    if x == x.trunc() && x.abs() < 9e15 { Value::from(x as i64) } else { Value::from(x) }
}

fn exact(x: Exact) -> Value {
    serde_json::to_value(x).unwrap_or(Value::Null)
}

pub(super) fn time(at: Option<Timestamp>) -> Value {
    at.map_or(Value::Null, |t| Value::from(t.to_string()))
}
