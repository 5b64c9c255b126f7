//! What a history says as a whole, as JSON: fields of the history beside its series.

use super::json::{plain, time};
use crate::time::Timestamp;
use crate::trend::Change;
use crate::trend::forecast::{Forecast, Speed};
use crate::trend::outlook::{Calls, Changed, DeadRows, Outlook, Scans};
use crate::trend::scans::News;
use serde_json::{Value, json};
use std::io::{Result, Write};

/// Writes the fields, each with a comma before it.
pub(super) fn write(outlook: &Outlook, out: &mut dyn Write) -> Result<()> {
    list("forecasts", outlook.forecasts.iter().map(forecast), out)?;
    list("dead_rows", outlook.dead_rows.iter().map(dead_rows), out)?;
    list("scan_changes", outlook.changed.iter().map(changed), out)?;
    list("scans", outlook.scans.iter().map(scans), out)?;
    list("statements", outlook.calls.iter().map(calls), out)
}

fn list(name: &str, values: impl Iterator<Item = Value>, out: &mut dyn Write) -> Result<()> {
    write!(out, ",\n\"{name}\":[")?;
    for (at, value) in values.enumerate() {
        write!(out, "{}\n{value}", if at > 0 { "," } else { "" })?;
    }
    out.write_all(b"]")
}

fn end(x: f64) -> Option<f64> {
    x.is_finite().then_some(x)
}

fn speed(s: &Speed) -> Value {
    json!({
        "per_s": s.middle, "low": end(s.low), "high": end(s.high),
        "points": s.points, "span_s": s.span_s, "p": s.p, "confidence": s.confidence,
    })
}

fn forecast(f: &Forecast) -> Value {
    let mut out = json!({
        "kind": f.kind, "subject": f.subject, "milestone": f.milestone, "unit": f.unit,
        "now": plain(f.now), "limit": f.limit.map(plain), "remaining": f.remaining.map(plain),
        "speed": f.speed.as_ref().map(speed), "words": f.when(), "note": f.note,
    });
    // The answer's fields stand beside the others.
    if let (Some(fields), Ok(Value::Object(answer))) = (out.as_object_mut(), serde_json::to_value(f.answer)) {
        fields.extend(answer);
    }
    out
}

fn dead_rows(d: &DeadRows) -> Value {
    let s = &d.sawtooth;
    let [accumulate, prune, vacuum, reestimate, interrupted] = s.intervals;
    json!({
        "table": d.table, "verdict": d.verdict, "why": d.why, "behind": d.behind,
        "autovacuum_enabled": d.last.trigger.enabled,
        "dead": plain(d.last.dead), "live": plain(d.last.live), "known": d.last.known,
        "trigger": d.last.trigger.dead, "insert_trigger": d.last.trigger.inserts,
        "trigger_from_live_rows": d.last.trigger.estimated,
        "inserted_since_vacuum": d.last.inserted.map(plain),
        "net_per_s": d.pace.map(|p| json!({"median": p.median, "low": p.low, "high": p.high})),
        "gross_per_s": s.gross_per_s(),
        "vacuums": plain(s.vacuums), "removed": plain(s.removed), "between_vacuums_s": s.between_vacuums_s(),
        "share_over": s.share_over(), "worst": s.worst, "snapshots": s.judged,
        "intervals": {
            "accumulate": accumulate, "prune": prune, "vacuum": vacuum, "reestimate": reestimate, "break": interrupted,
        },
        "floor_slope_per_s": s.floor_trend().map(|f| f.slope),
    })
}

fn changed(c: &Changed) -> Value {
    let change = c.change.map(|Change { after, before, from, to, p }| {
        json!({"after": after.to_string(), "before": before.to_string(), "from_per_s": from, "to_per_s": to, "p": p})
    });
    let span = c.news.map(|(_, span)| span);
    json!({
        "view": c.view, "object": c.object, "column": c.column,
        "news": c.news.map(|(n, _)| if n == News::Began { "began" } else { "stopped" }),
        "from": time(span.map(|s| s.0)), "to": time(span.map(|s| s.1)),
        "change": change, "per_s": end(c.per_s), "scans": plain(c.scans),
    })
}

fn scans(s: &Scans) -> Value {
    json!({
        "table": s.table, "sequential": s.sequential.map(plain), "sequential_per_day": s.sequential_per_day,
        "passes": s.passes, "passes_per_day": s.passes_per_day,
        "index": s.index.map(plain), "index_per_day": s.index_per_day, "covered_s": s.covered_s,
    })
}

fn calls(c: &Calls) -> Value {
    let sigma = c.moments.and_then(|m| m.sigma.upper());
    let busiest = c.busiest.map(|b| json!({"from": time(b.from), "to": b.to.to_string(), "sessions": b.sessions}));
    let regressed = c.regressed.map(|r| {
        json!({
            "from": time(r.from), "to": time(r.to),
            "before_ms": r.before_ms, "mean_ms": r.mean_ms, "standard_errors": r.errors,
        })
    });
    let means: Vec<Value> = c.means.iter().map(|(at, ms): &(Timestamp, f64)| json!([at.to_string(), ms])).collect();
    json!({
        "key": c.key, "query": c.text, "calls": c.calls.map(plain), "exact": c.exact, "calls_per_s": c.calls_per_s,
        "mean_ms": c.moments.map(|m| m.mean), "stddev_ms": sigma, "sessions": c.sessions, "busiest": busiest,
        "regressed": regressed, "first_seen": time(c.first_seen), "gone_after": time(c.gone_after),
        "came_again": c.came_again, "means": means,
    })
}
