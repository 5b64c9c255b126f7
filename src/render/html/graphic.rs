//! Small graphics: severity shapes, confidence bars, sparklines, bars. Classes and geometry only, no style attributes.

use super::super::words;
use super::escape::escape;
use crate::finding::{Confidence, Severity};
use crate::report::{AreaState, Bar, Spark};
use std::fmt::Write;

/// The class that carries a severity's colour.
pub(super) const fn class(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "s-crit",
        Severity::High => "s-high",
        Severity::Medium => "s-med",
        Severity::Low => "s-low",
        Severity::Info => "s-info",
    }
}

/// The shape of a severity, or of a check that passed (`ok`) or was not made (`none`).
pub(super) fn icon(name: &str) -> String {
    let (class, shape) = match name {
        "critical" => ("s-crit", "<path d=\"M7 .6 13.4 7 7 13.4.6 7z\"/>"),
        "high" => ("s-high", "<path d=\"M7 1.2 13.4 12.6H.6z\"/>"),
        "medium" => ("s-med", "<rect x=\"1.6\" y=\"1.6\" width=\"10.8\" height=\"10.8\" rx=\"1\"/>"),
        "low" => ("s-low", "<circle cx=\"7\" cy=\"7\" r=\"5.6\"/>"),
        "info" => ("s-info", "<circle class=\"o\" cx=\"7\" cy=\"7\" r=\"5\"/>"),
        "ok" => ("s-ok", "<path class=\"o\" d=\"M1.8 7.4 5.4 11 12.2 3.4\"/>"),
        "partly" => ("s-info", "<circle class=\"o\" cx=\"7\" cy=\"7\" r=\"5\"/><path d=\"M7 2a5 5 0 0 0 0 10z\"/>"),
        "failed" => ("s-high", "<path class=\"o\" d=\"M3 3l8 8M11 3l-8 8\"/>"),
        _ => ("s-info", "<path class=\"o\" d=\"M2.5 7h9\"/>"),
    };
    format!("<svg class=\"ico {class}\" viewBox=\"0 0 14 14\" aria-hidden=\"true\">{shape}</svg>")
}

/// Shape and word.
pub(super) fn tag(severity: Severity) -> String {
    format!("<span class=\"tag {}\">{}{}</span>", class(severity), icon(severity.word()), words::severity(severity))
}

/// Shape and word of an area in which nothing was found.
pub(super) fn state(state: AreaState) -> String {
    let (class, shape) = match state {
        AreaState::Good => ("s-ok", "ok"),
        AreaState::PartlyAssessed => ("s-info", "partly"),
        AreaState::NotAssessed => ("s-info", "none"),
    };
    format!("<span class=\"tag {class}\">{}{}</span>", icon(shape), words::state(state).1)
}

/// Three rising bars and the word.
pub(super) fn confidence(confidence: Confidence) -> String {
    let filled = match confidence {
        Confidence::Insufficient => 0,
        Confidence::Low => 1,
        Confidence::Medium => 2,
        Confidence::High => 3,
    };
    let mut bars = String::new();
    for (i, (x, y, h)) in [(0, 7, 4), (8, 4, 7), (16, 0, 11)].iter().enumerate() {
        let class = if i < filled { "y" } else { "nn" };
        let _ = write!(bars, "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"5\" height=\"{h}\" rx=\"1\"/>");
    }
    format!(
        "<span class=\"conf\"><svg width=\"23\" height=\"11\" aria-hidden=\"true\">{bars}</svg>{}</span>",
        words::confidence(confidence)
    )
}

/// The part of a threshold from which on a bar is close to it.
const CLOSE: f64 = 0.8;

/// A bar of `width` pixels with an optional tick at its threshold.
pub(super) fn bar(bar: &Bar, width: u32) -> String {
    // Past the threshold, or close to it: the number beside it says how far.
    let class = match bar.mark {
        Some(mark) if bar.fraction >= mark => "bf w",
        Some(mark) if bar.fraction >= CLOSE * mark => "bf m",
        _ => "bf",
    };
    strip(bar.fraction, bar.mark, width, class)
}

/// A score of 0 to 10 as a bar.
pub(super) fn score(score: f64) -> String {
    strip(score / 10.0, None, 92, "bf")
}

fn strip(fraction: f64, mark: Option<f64>, width: u32, class: &str) -> String {
    let along = |f: f64| if f.is_finite() { f.clamp(0.0, 1.0) * f64::from(width) } else { 0.0 };
    let tick = mark.map_or_else(String::new, |m| {
        let x = along(m);
        format!("<line class=\"bk\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"-2\" y2=\"9\"/>")
    });
    format!(
        "<svg class=\"sp\" width=\"{width}\" height=\"7\" viewBox=\"0 0 {width} 7\" aria-hidden=\"true\">\
         <rect class=\"bt\" width=\"{width}\" height=\"7\" rx=\"2\"/>\
         <rect class=\"{class}\" width=\"{:.1}\" height=\"7\" rx=\"2\"/>{tick}</svg>",
        along(fraction)
    )
}

/// A history of 92 × 22: from 0 to its largest value, a gap where there is no value, a dotted line at a reset, a
/// triangle at a restart.
pub(super) fn spark(spark: &Spark) -> String {
    let n = spark.points.len();
    let step = if n > 1 { 86.0 / (n - 1) as f64 } else { 0.0 };
    let x = |i: f64| 3.0 + step * i;
    let largest = spark.points.iter().flatten().copied().filter(|v| v.is_finite()).fold(0.0, f64::max);
    let y = |v: f64| if largest > 0.0 { 19.0 - (v.max(0.0) / largest) * 16.0 } else { 19.0 };
    let points: Vec<Option<(f64, f64)>> = spark
        .points
        .iter()
        .enumerate()
        .map(|(i, v)| v.filter(|v| v.is_finite()).map(|v| (x(i as f64), y(v))))
        .collect();
    let label = escape(&spark.label);
    let mut out = format!(
        "<svg class=\"sp\" width=\"92\" height=\"22\" viewBox=\"0 0 92 22\" role=\"img\" aria-label=\"{label}\"><title>{label}</title>"
    );
    out.push_str(&lines(&points, &spark.resets));
    for reset in &spark.resets {
        let at = x(*reset as f64 - 0.5);
        let _ = write!(out, "<line class=\"sr\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"1\" y2=\"21\"/>");
    }
    for restart in &spark.restarts {
        let _ = write!(out, "<path class=\"st\" d=\"M{:.1} 25l2.5-4 2.5 4z\"/>", x(*restart as f64 - 0.5) - 2.5);
    }
    if let Some((cx, cy)) = points.iter().flatten().next_back() {
        let _ = write!(out, "<circle class=\"se\" cx=\"{cx:.1}\" cy=\"{cy:.1}\" r=\"2.2\"/>");
    }
    out.push_str("</svg>");
    out
}

/// Polylines through neighbouring points; never across a gap or a reset. A point alone is a dot.
pub(super) fn lines(points: &[Option<(f64, f64)>], resets: &[usize]) -> String {
    let mut out = String::new();
    let mut run: Vec<(f64, f64)> = Vec::new();
    let mut flush = |run: &mut Vec<(f64, f64)>| {
        match run.as_slice() {
            [] => {}
            [(x, y)] => {
                let _ = write!(out, "<circle class=\"se\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"1.5\"/>");
            }
            many => {
                let path: Vec<String> = many.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
                let _ = write!(out, "<polyline class=\"sl\" points=\"{}\"/>", path.join(" "));
            }
        }
        run.clear();
    };
    for (i, point) in points.iter().enumerate() {
        if point.is_none() || resets.contains(&i) {
            flush(&mut run);
        }
        run.extend(point);
    }
    flush(&mut run);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_crosses_a_gap_or_a_reset() {
        let points: Vec<_> = (0..6).map(|i| (i != 2).then_some((f64::from(i), 0.0))).collect();
        let drawn = lines(&points, &[4]);
        assert_eq!(drawn.matches("<polyline").count(), 2, "{drawn}");
        assert_eq!(drawn.matches("<circle").count(), 1, "{drawn}");
        assert!(drawn.contains("points=\"4.0,0.0 5.0,0.0\""), "{drawn}");
    }

    #[test]
    fn odd_numbers_stay_inside() {
        for x in [f64::NAN, f64::INFINITY, -1.0, 7.0] {
            let drawn = strip(x, Some(x), 52, "bf");
            assert!(!drawn.contains("NaN") && !drawn.contains("inf"), "{drawn}");
        }
        let spark = Spark {
            points: vec![Some(f64::NAN), Some(-3.0), None],
            resets: vec![0, 99],
            restarts: vec![7],
            label: "<".into(),
        };
        let drawn = super::spark(&spark);
        assert!(!drawn.contains("NaN") && drawn.contains("aria-label=\"&lt;\""), "{drawn}");
    }
}
