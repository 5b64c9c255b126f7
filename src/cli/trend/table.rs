//! `trend --format table`: what moved, for people.

use super::order::{Order, moved};
use super::title;
use crate::catalog::{Column, Type};
use crate::cli::columns::{align, short};
use crate::ident::visible;
use crate::trend::outlook::{Given, Outlook};
use crate::trend::{Confidence, Fit, Follow, Measure, Object, Objects, Series, Summary};
use crate::unit::{Number, Quantity, Unit};
use rayon::prelude::*;
use std::fmt::Write;

/// Columns of a course.
const COURSE: usize = 24;
/// All histories.
pub(super) fn text(histories: &[Follow], order: &Order, given: Given) -> String {
    let mut out = String::new();
    for (at, history) in histories.iter().enumerate() {
        if at > 0 {
            out.push('\n');
        }
        let _ = writeln!(out, "{}", title(history));
        if history.snapshots < 2 {
            out.push_str("\nOne snapshot has no course: take another later.\n");
            continue;
        }
        if history.watch.is_some() {
            super::overview::write(&Outlook::of(history, given), order.top, &mut out);
            events(history, &mut out);
            continue;
        }
        events(history, &mut out);
        for view in history.views() {
            for (at, (column, measure)) in view.followed.columns.iter().enumerate() {
                section(view, at, *column, *measure, order, &mut out);
            }
        }
    }
    out
}

fn events(history: &Follow, out: &mut String) {
    if history.events.is_empty() {
        return;
    }
    out.push_str("\nEvents\n");
    for happening in &history.events {
        let event = &happening.event;
        let what =
            [event.scope.as_deref(), event.object.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" ");
        let when = match (event.at, happening.from, happening.to) {
            (Some(at), _, _) => at.human_seconds(),
            (None, Some(a), Some(b)) => format!("{} … {}", a.human_seconds(), b.human_seconds()),
            _ => "time unknown".to_owned(),
        };
        let _ = writeln!(out, "  {when}  {}: {}", event.kind, visible(&what));
    }
    if history.more_events > 0 {
        let _ = writeln!(out, "  … {} more", history.more_events);
    }
}

fn section(view: &Objects, at: usize, column: usize, measure: Measure, order: &Order, out: &mut String) {
    let Some(description) = view.followed.view.columns.get(column) else { return };
    if !view.exported.get(column).copied().unwrap_or(false) {
        return;
    }
    let mut objects = order.objects(view, at);
    objects.retain(|o| o.series.get(at).is_some_and(|s| moved(s) > 0.0));
    let users_only = !view.is_filtered();
    let before = objects.len();
    objects.retain(|o| !users_only || !o.is_system(view.followed.view));
    let hidden = before - objects.len();
    let all = view.list.len();
    let heading = match measure {
        Measure::Rate => "gains",
        Measure::Level => "levels",
    };
    let _ = writeln!(
        out,
        "\n{}.{} ({heading}): {} of {all} moved{}",
        view.followed.view.name,
        description.name,
        view.list.iter().filter(|o| o.series.get(at).is_some_and(|s| moved(s) > 0.0)).count(),
        if view.snapshots < 2 { ", in one snapshot only" } else { "" }
    );
    if objects.is_empty() {
        return;
    }
    objects.sort_by(|a, b| {
        let weight = |o: &Object| o.series.get(at).map_or(0.0, moved);
        weight(b).total_cmp(&weight(a)).then_with(|| a.key.cmp(&b.key))
    });
    let head: &[&str] = match measure {
        Measure::Rate => &["", "course", "total", "per second", "trend of the rate", "p", "sure"],
        Measure::Level => &["", "course", "first", "last", "trend", "p", "sure"],
    };
    let mut lines = vec![head.iter().map(|h| (*h).to_owned()).collect::<Vec<_>>()];
    let line = |object: &Object| object.series.get(at).map(|series| line(view, object, series, description));
    lines.par_extend(objects.into_par_iter().filter_map(line));
    align(&lines, out);
    if hidden > 0 {
        let _ = writeln!(out, "  … {hidden} of system schemas: --object, or --format csv for all");
    }
}

fn line(view: &Objects, object: &Object, series: &Series, column: &Column) -> Vec<String> {
    let summary = Summary::of(series);
    let level = |x: Option<f64>| x.map_or_else(|| "–".to_owned(), |x| shown(column, x));
    let mut name = short(crate::advisor::secret::shown(&object.name(view.followed.view)));
    if object.gone {
        name.push_str(" (gone)");
    } else if object.created {
        name.push_str(" (new)");
    }
    let mut cells = vec![name, course(series)];
    match series.measure {
        Measure::Rate => {
            let total = series.total.map_or_else(
                || "–".to_owned(),
                |t| {
                    let q = Quantity { value: t.number(), unit: column.unit };
                    format!("{}{}", if series.exact { "" } else { "≥ " }, q.human())
                },
            );
            cells.extend([total, per_second(column, series.per_second())]);
        }
        Measure::Level => {
            cells.extend([level(series.first().map(|p| p.1)), level(series.last().map(|p| p.1))]);
        }
    }
    if let Some(fit) = &summary.trend {
        cells.extend([slope(column, series.measure, fit), probability(fit.p), fit.confidence.word().to_owned()]);
    } else {
        let points = format!("no trend: {} points", summary.points);
        cells.extend([points, String::new(), Confidence::Insufficient.word().to_owned()]);
    }
    cells
}

fn probability(p: f64) -> String {
    if p < 0.001 { "<0.001".to_owned() } else { format!("{p:.3}") }
}

/// `+1.2 MB/h (0.9 … 1.4)`: change of a level in an hour, change of a rate in a day.
fn slope(column: &Column, measure: Measure, fit: &Fit) -> String {
    let hour = 3_600.0;
    let amount = |x: f64| match measure {
        Measure::Level => signed(column, x * hour),
        Measure::Rate => signed_rate(column, x * hour),
    };
    let interval = if fit.low.is_finite() && fit.high.is_finite() {
        format!(" ({} … {})", amount(fit.low), amount(fit.high))
    } else {
        String::new()
    };
    format!("{}/h{interval}", amount(fit.slope))
}

fn quantity(column: &Column, x: f64) -> Option<Quantity> {
    let unit = match column.ty {
        Type::Lsn => Unit::Bytes,
        _ => column.unit,
    };
    let unit = if unit == Unit::Plain { Unit::Count } else { unit };
    Quantity::float(x, unit)
}

fn shown(column: &Column, x: f64) -> String {
    quantity(column, x).map_or_else(|| "–".to_owned(), Quantity::human)
}

fn signed(column: &Column, x: f64) -> String {
    quantity(column, x).map_or_else(|| "–".to_owned(), |q| if x == 0.0 { "0".to_owned() } else { q.human_signed() })
}

fn signed_rate(column: &Column, x: f64) -> String {
    let q = Quantity::float(x, rate_unit(column).0)
        .map(|q| Quantity { value: Number::Float(x * rate_unit(column).1), ..q });
    q.map_or_else(|| "–".to_owned(), |q| if x == 0.0 { "0".to_owned() } else { q.human_signed() })
}

/// The unit of a column's rate, and the factor from the column's unit per second to it.
const fn rate_unit(column: &Column) -> (Unit, f64) {
    match column.unit {
        Unit::Bytes => (Unit::BytesPerSecond, 1.0),
        Unit::Ms => (Unit::Sessions, 0.001),
        _ => (Unit::PerSecond, 1.0),
    }
}

fn per_second(column: &Column, x: Option<f64>) -> String {
    let (unit, factor) = rate_unit(column);
    x.and_then(|x| Quantity::float(x * factor, unit)).map_or_else(|| "–".to_owned(), Quantity::human)
}

/// The points as blocks, from 0 (or the lowest point below) to the largest; `╎` where the line is interrupted.
fn course(series: &Series) -> String {
    const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let segments: Vec<Vec<f64>> = series.segments().map(|s| s.points.iter().map(|p| p.1).collect()).collect();
    let all: usize = segments.iter().map(Vec::len).sum();
    let stride = all.div_ceil(COURSE).max(1);
    let top = series.max.unwrap_or(0.0);
    let mut out = String::new();
    for (at, points) in segments.iter().enumerate() {
        if at > 0 {
            out.push('╎');
        }
        for group in points.chunks(stride) {
            let largest = group.iter().copied().fold(f64::MIN, f64::max);
            let step = if top > 0.0 { (largest.max(0.0) / top * 7.0).round() as usize } else { 0 };
            out.push(LEVELS.get(step).copied().unwrap_or('█'));
        }
    }
    out
}
