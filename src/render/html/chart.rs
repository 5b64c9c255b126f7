//! Charts as inline SVG. Each says its numbers in words; the page's style sheet colours them.

use super::super::page::Page;
use super::cell::{data, text};
use super::escape::{breakable, escape};
use super::{graphic, slope};
use crate::report::{Chart, Heat, Lane, MarkKind, Panel, Part};
use crate::text::Text;
use crate::time::Timestamp;
use crate::unit::Quantity;
use std::fmt::Write;

/// A chart with its heading; `alone`: a slope chart with no other beside it.
pub(super) fn chart(chart: &Chart, page: &Page, alone: bool) -> String {
    match chart {
        Chart::Slope { title, source, lines } => slope::slope(title, &heading(title, source, page), lines, page, alone),
        Chart::Multiples { title, source, panels } => {
            let panels: String = panels.iter().map(panel).collect();
            format!("<h3 class=\"g\">{}</h3><div class=\"grid3\">{panels}</div>", heading(title, source, page))
        }
        Chart::Heatmap(map) => heat(map, page),
        Chart::Timeline { title, source, from, to, lanes } => {
            timeline(title, &heading(title, source, page), *from, *to, lanes)
        }
        Chart::Strip { title, source, parts } => strip(&heading(title, source, page), parts),
    }
}

/// Words with a link to where the numbers were read behind them.
fn heading(words: &str, source: &Text, page: &Page) -> String {
    let gap = if source.is_empty() { "" } else { " " };
    format!("{}{gap}{}", escape(words), text(source, page))
}

/// One history with its value printed large, and again where its line ends.
fn panel(panel: &Panel) -> String {
    // Right of it the last value has room.
    const PLOT: f64 = 256.0;
    // The width of a letter of the axis.
    const LETTER: f64 = 6.5;
    let first = panel.points.first().map(|(at, _)| *at);
    let last = panel.points.last().map(|(at, _)| *at);
    let (Some(first), Some(last)) = (first, last) else {
        return format!("<div class=\"panel mul\"><h3>{}</h3><p class=\"na\">n/a</p></div>", escape(&panel.title));
    };
    let length = last.seconds_since(first);
    let x = |at: Timestamp| if length > 0.0 { 8.0 + at.seconds_since(first) / length * PLOT } else { PLOT / 2.0 };
    let largest = panel.points.iter().filter_map(|(_, v)| *v).filter(|v| v.is_finite()).fold(0.0, f64::max);
    let y = |v: f64| if largest > 0.0 { 76.0 - v.max(0.0) / largest * 54.0 } else { 76.0 };
    let points: Vec<Option<(f64, f64)>> =
        panel.points.iter().map(|(at, v)| v.filter(|v| v.is_finite()).map(|v| (x(*at), y(v)))).collect();
    let broken: Vec<usize> = panel
        .marks
        .iter()
        .filter(|m| m.kind == MarkKind::Reset)
        .filter_map(|m| panel.points.iter().position(|(at, _)| *at >= m.at))
        .collect();
    let mut said = format!("{}: last value {}", panel.title, panel.value.human());
    let mut change =
        panel.change.map_or_else(String::new, |c| format!(" <span class=\"d\">{}</span>", escape(&arrow(c))));
    if let Some(n) = panel.known_up_to {
        let _ = write!(change, " <span class=\"d\">known up to snapshot {n}</span>");
        let _ = write!(said, ", known up to snapshot {n}");
    }
    for mark in &panel.marks {
        let _ = write!(said, "; {}", mark.label);
    }
    let said = escape(&said);
    let mut out = format!(
        "<div class=\"panel mul\"><h3>{}</h3><div class=\"v\">{}{change}</div>\
         <svg viewBox=\"0 0 330 96\" role=\"img\" aria-label=\"{said}\"><title>{said}</title>\
         <line class=\"bl\" x1=\"8\" x2=\"{}\" y1=\"76\" y2=\"76\"/>",
        breakable(&panel.title),
        data(panel.value, &panel.value.human()),
        8.0 + PLOT,
    );
    out.push_str(&areas(&points, &broken));
    out.push_str(&graphic::lines(&points, &broken));
    let mut worded = f64::NEG_INFINITY;
    for mark in panel.marks.iter().filter(|m| (first..=last).contains(&m.at)) {
        let at = x(mark.at);
        match mark.kind {
            MarkKind::Reset => {
                let _ = write!(out, "<line class=\"sr\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"1\" y2=\"76\"/>");
                // Above the plot, where neither a line nor its last value comes; said once where several stand close.
                if at - worded >= 40.0 {
                    let (anchor, tx) = if at > 225.0 { ("end", at - 4.0) } else { ("start", at + 4.0) };
                    let _ = write!(out, "<text x=\"{tx:.1}\" y=\"8\" text-anchor=\"{anchor}\">reset</text>");
                    worded = at;
                }
            }
            MarkKind::Restart => {
                let _ = write!(out, "<path class=\"st\" d=\"M{:.1} 76l3.5-6 3.5 6z\"/>", at - 3.5);
            }
            MarkKind::Other => {
                let _ = write!(out, "<line class=\"sr\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"66\" y2=\"76\"/>");
            }
        }
    }
    if let Some((cx, cy)) = points.iter().flatten().next_back() {
        let value = panel.value.human();
        // Right of the dot; behind the line of a reset that would go through the number.
        let wide = value.chars().count() as f64 * LETTER + 4.0;
        let resets = panel.marks.iter().filter(|m| m.kind == MarkKind::Reset).map(|m| x(m.at));
        let tx =
            resets.filter(|at| at >= cx).fold(cx + 7.0, |tx, at| if at < tx + wide { tx.max(at + 5.0) } else { tx });
        let _ = write!(
            out,
            "<circle class=\"se\" cx=\"{cx:.1}\" cy=\"{cy:.1}\" r=\"3\"/><text x=\"{tx:.1}\" y=\"{:.1}\">{}</text>",
            cy + 4.0,
            escape(&value)
        );
    }
    let (start, end) = first.human_ends(last);
    let _ = write!(
        out,
        "<text x=\"8\" y=\"91\">{start}</text><text x=\"{}\" y=\"91\" text-anchor=\"end\">{end}</text></svg></div>",
        8.0 + PLOT
    );
    out
}

/// The tint under each line.
fn areas(points: &[Option<(f64, f64)>], broken: &[usize]) -> String {
    let mut out = String::new();
    let mut run: Vec<(f64, f64)> = Vec::new();
    let mut flush = |run: &mut Vec<(f64, f64)>| {
        if let ([(from, _), .., (to, _)], true) = (run.as_slice(), run.len() > 1) {
            let path: Vec<String> = run.iter().map(|(x, y)| format!("L{x:.1} {y:.1}")).collect();
            let _ = write!(out, "<path class=\"ar\" d=\"M{from:.1} 76{}L{to:.1} 76z\"/>", path.concat());
        }
        run.clear();
    };
    for (i, point) in points.iter().enumerate() {
        if point.is_none() || broken.contains(&i) {
            flush(&mut run);
        }
        run.extend(point);
    }
    flush(&mut run);
    out
}

/// Objects × time as a table: the number in every cell, six steps of one hue, a dashed line at a reset.
fn heat(map: &Heat, page: &Page) -> String {
    let class = |i: usize, class: &str| match (map.breaks.contains(&i), class) {
        (false, "") => String::new(),
        (false, class) => format!(" class=\"{class}\""),
        (true, class) => format!(" class=\"{}\"", format!("rs {class}").trim_end()),
    };
    let breaks = if map.breaks.is_empty() { "" } else { " Dashed line: the statistics were reset before." };
    let mut out = format!(
        "<div class=\"tw\" tabindex=\"0\" role=\"group\" aria-label=\"{0}, scrolls sideways on small screens\"><table class=\"t heat\"><caption><span><b>{0}</b> · {1}</span></caption><thead><tr><th scope=\"col\">Table</th>",
        escape(&map.title),
        heading(&format!("{}{breaks}", map.about), &map.source, page),
    );
    for (i, column) in map.columns.iter().enumerate() {
        let _ = write!(out, "<th scope=\"col\"{}>{}</th>", class(i, ""), escape(column));
    }
    out.push_str("</tr></thead><tbody>");
    for row in &map.rows {
        let _ = write!(out, "<tr><th scope=\"row\">{}</th>", breakable(&row.name));
        for (i, cell) in row.cells.iter().enumerate() {
            let step = row.steps.get(i).copied().flatten().unwrap_or(0).min(5);
            let _ = match cell {
                Some(q) => write!(out, "<td{}>{}</td>", class(i, &format!("h{step}")), data(*q, &q.human())),
                None => write!(out, "<td{}>n/a</td>", class(i, "na")),
            };
        }
        out.push_str("</tr>");
    }
    out.push_str("</tbody></table></div>");
    out
}

/// Events on a time axis, a line for each kind.
fn timeline(title: &str, heading: &str, from: Timestamp, to: Timestamp, lanes: &[Lane]) -> String {
    const LEFT: f64 = 210.0;
    const RIGHT: f64 = 1_076.0;
    const LANE: f64 = 22.0;
    let length = to.seconds_since(from);
    let x = |at: Timestamp| {
        let along = if length > 0.0 { (at.seconds_since(from) / length).clamp(0.0, 1.0) } else { 0.5 };
        LEFT + along * (RIGHT - LEFT)
    };
    let times = |l: &Lane| (l.marks.len() as u64).saturating_add(l.further);
    let said: Vec<String> = lanes.iter().map(|l| format!("{}, {} times", l.label, times(l))).collect();
    let said = escape(&format!("{title}: {}", said.join("; ")));
    let height = LANE * lanes.len() as f64;
    let mut out = format!(
        "<div class=\"panel cov\"><h3>{heading}</h3><div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"{0}, scrolls sideways on small screens\"><svg class=\"slope tl\" viewBox=\"0 0 1090 {1:.0}\" role=\"img\" aria-label=\"{said}\"><title>{said}</title>",
        escape(title),
        height + 20.0
    );
    for (i, lane) in lanes.iter().enumerate() {
        let y = LANE * i as f64 + 12.0;
        let _ = write!(
            out,
            "<text class=\"lb\" x=\"0\" y=\"{:.1}\">{} ({})</text><line class=\"ax\" x1=\"{LEFT}\" x2=\"{RIGHT}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>",
            y + 4.0,
            escape(&lane.label),
            times(lane)
        );
        for mark in &lane.marks {
            let (at, label) = (x(mark.at), escape(&mark.label));
            let _ = match mark.kind {
                MarkKind::Restart => write!(
                    out,
                    "<path class=\"st\" d=\"M{:.1} {:.1}l4-8 4 8z\"><title>{label}</title></path>",
                    at - 4.0,
                    y + 4.0
                ),
                MarkKind::Reset => write!(
                    out,
                    "<line class=\"sr\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{:.1}\" y2=\"{:.1}\"><title>{label}</title></line>",
                    y - 7.0,
                    y + 7.0
                ),
                MarkKind::Other => {
                    write!(
                        out,
                        "<circle class=\"se\" cx=\"{at:.1}\" cy=\"{y:.1}\" r=\"3\"><title>{label}</title></circle>"
                    )
                }
            };
        }
    }
    let (start, end) = from.human_ends(to);
    let _ = write!(
        out,
        "<text x=\"{LEFT}\" y=\"{0:.1}\">{start}</text><text x=\"{RIGHT}\" y=\"{0:.1}\" text-anchor=\"end\">{end}</text></svg></div></div>",
        height + 14.0
    );
    out
}

/// `▲ 80 kB`, `▼ 3`, `=`.
pub(super) fn arrow(change: Quantity) -> String {
    change.human_signed().replacen('+', "▲ ", 1).replacen('−', "▼ ", 1)
}

/// Parts of a whole in one line, with a legend that has the numbers.
fn strip(heading: &str, parts: &[Part]) -> String {
    let size = |p: &Part| p.value.as_f64().max(0.0);
    let whole: f64 = parts.iter().map(size).sum();
    let share = |p: &Part| Quantity::share(size(p), whole).map_or_else(|| "n/a".to_owned(), Quantity::human);
    let said: Vec<String> = parts.iter().map(|p| format!("{} {}, {}", p.label, p.value.human(), share(p))).collect();
    let mut svg = String::new();
    let mut legend = String::new();
    let room = 1000.0 - 3.0 * (parts.len().saturating_sub(1)) as f64;
    let mut x = 0.0;
    for (i, part) in parts.iter().enumerate() {
        let width = if whole > 0.0 { size(part) / whole * room } else { 0.0 };
        let class = i.min(4);
        let _ = write!(svg, "<rect class=\"p{class}\" x=\"{x:.1}\" width=\"{width:.1}\" height=\"16\"/>");
        x += width + 3.0;
        let _ = write!(
            legend,
            "<li><svg width=\"12\" height=\"12\" aria-hidden=\"true\"><rect class=\"p{class}\" width=\"12\" height=\"12\" rx=\"2\"/></svg>\
             <span>{} {} ({})</span></li>",
            escape(&part.label),
            data(part.value, &part.value.human()),
            escape(&share(part))
        );
    }
    format!(
        "<div class=\"panel stack\"><h3>{heading}</h3><svg viewBox=\"0 0 1000 16\" preserveAspectRatio=\"none\" role=\"img\" \
         aria-label=\"{said}\"><title>{said}</title>{svg}</svg><ul class=\"legend\">{legend}</ul></div>",
        said = escape(&said.join("; ")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Mark;
    use crate::unit::Unit;

    /// Numbers behind an attribute of the elements that begin so.
    fn numbers(svg: &str, element: &str, attribute: &str) -> Vec<f64> {
        svg.split(element)
            .skip(1)
            .filter_map(|rest| rest.split('>').next()?.split(attribute).nth(1)?.split('"').next()?.parse().ok())
            .collect()
    }

    /// A saw-tooth that is at its largest where it is reset: the word must not stand in the line.
    #[test]
    fn resets_are_named_above_the_plot_and_once_where_they_are_close() {
        let hour = |h: i64| Timestamp(1_700_000_000_000_000 + h * 3_600_000_000);
        let of = |resets: &[i64]| {
            panel(&Panel {
                title: "Scans".to_owned(),
                value: Quantity::int(9, Unit::Count),
                change: None,
                known_up_to: None,
                points: (0..=10).map(|h| (hour(h), Some(if h == 10 { 9.0 } else { (h % 5) as f64 * 2.25 }))).collect(),
                marks: resets
                    .iter()
                    .map(|h| Mark { at: hour(*h), kind: MarkKind::Reset, label: String::new() })
                    .collect(),
            })
        };
        let svg = of(&[5, 9]);
        let words: Vec<&str> = svg.split("<text ").filter(|t| t.contains(">reset</text>")).collect();
        assert_eq!(words.len(), 2, "{svg}");
        let plotted = svg.split("points=\"").skip(1).filter_map(|p| p.split('"').next());
        let ys = plotted.flat_map(|p| p.split(' ')).filter_map(|at| at.split_once(',')?.1.parse::<f64>().ok());
        let highest = ys.fold(f64::INFINITY, f64::min);
        let last = numbers(&svg, "<circle", "cy=\"");
        for word in words {
            let y: f64 = word.split("y=\"").nth(1).and_then(|y| y.split('"').next()?.parse().ok()).unwrap();
            // Letters of 12 pixels hang three below their line; the last value is printed as high as its dot.
            assert!(y + 3.0 < highest && last.iter().all(|cy| y + 3.0 < cy - 8.0), "{y} beside {highest}: {svg}");
        }
        assert_eq!(numbers(&svg, "<line class=\"sr\"", "x1=\"").len(), 2);
        let close = of(&[5, 6]);
        assert_eq!(close.matches(">reset</text>").count(), 1, "one word over the other: {close}");
        assert_eq!(numbers(&close, "<line class=\"sr\"", "x1=\"").len(), 2, "but both lines");
        // What is known only up to a reset has its number behind the line.
        let early = panel(&Panel {
            title: "Dead rows".to_owned(),
            value: Quantity::int(1_000_000, Unit::Count),
            change: None,
            known_up_to: Some(5),
            points: (0..=10).map(|h| (hour(h), (h < 5).then_some(h as f64))).collect(),
            marks: vec![Mark { at: hour(5), kind: MarkKind::Reset, label: String::new() }],
        });
        let line = numbers(&early, "<line class=\"sr\"", "x1=\"")[0];
        let number = early.split("<text ").find(|t| t.contains(">1,000,000</text>")).unwrap();
        let at: f64 = number.split("x=\"").nth(1).and_then(|x| x.split('"').next()?.parse().ok()).unwrap();
        assert!(at > line, "{at} at {line}: {early}");
        assert!(of(&[10]).contains("text-anchor=\"end\">reset</text>"), "at the right end it stands left of its line");
    }
}
