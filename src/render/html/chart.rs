//! Charts as inline SVG. Each says its numbers in words; the page's style sheet colours them.

use super::super::page::Page;
use super::cell::data;
use super::escape::{breakable, escape};
use super::graphic;
use crate::report::{Chart, Heat, Lane, Line, MarkKind, Panel, Part};
use crate::time::Timestamp;
use crate::unit::Quantity;
use std::fmt::Write;

/// A chart with its heading.
pub(super) fn chart(chart: &Chart, page: &Page) -> String {
    match chart {
        Chart::Slope { title, lines } => slope(title, lines, page),
        Chart::Multiples { title, panels } => {
            let panels: String = panels.iter().map(panel).collect();
            format!("<h3 class=\"g\">{}</h3><div class=\"grid3\">{panels}</div>", escape(title))
        }
        Chart::Heatmap(map) => heat(map),
        Chart::Timeline { title, from, to, lanes } => timeline(title, *from, *to, lanes),
        Chart::Strip { title, parts } => strip(title, parts),
    }
}

/// A form of the slope chart. The page shows the one that its place has room for.
struct Form {
    class: &'static str,
    width: f64,
    left: f64,
    right: f64,
    /// Characters of a name that fit in a piece.
    room: usize,
    /// Names stand with the last values, under one another, where there is no room left of the lines.
    narrow: bool,
}

const FORMS: [Form; 2] = [
    Form { class: "wd", width: 530.0, left: 256.0, right: 394.0, room: 33, narrow: false },
    Form { class: "nr", width: 334.0, left: 90.0, right: 148.0, room: 24, narrow: true },
];

/// Rows of a label, and what is free under it.
const ROW: f64 = 15.0;
const GAP: f64 = 4.0;

/// Lines from A to B; labels at both ends, moved apart where they would collide.
fn slope(title: &str, lines: &[Line], page: &Page) -> String {
    let said: Vec<String> = lines
        .iter()
        .map(|l| format!("{} {} to {}", crate::ident::visible(&l.name), l.before.human(), l.after.human()))
        .collect();
    let said = escape(&format!("{title}: {}", said.join("; ")));
    let charts: String = FORMS.iter().map(|form| drawn(form, lines, page, &said)).collect();
    format!("<div class=\"panel cov sc\"><h3>{}</h3>{charts}</div>", escape(title))
}

fn drawn(form: &Form, lines: &[Line], page: &Page, said: &str) -> String {
    const TOP: f64 = 36.0;
    let (left, right) = (form.left, form.right);
    let tall = |pieces: &Vec<String>| pieces.len() as f64 * ROW + GAP;
    let (first, last): (Vec<Vec<String>>, Vec<Vec<String>>) = lines.iter().map(|l| labels(l, form)).unzip();
    let room = |labels: &[Vec<String>]| labels.iter().map(tall).sum::<f64>();
    let height = room(&first).max(room(&last)).max(150.0);
    let largest = lines.iter().flat_map(|l| [l.before.as_f64(), l.after.as_f64()]).fold(0.0, f64::max);
    let y = |v: f64| if largest > 0.0 { TOP + (1.0 - v.max(0.0) / largest) * height } else { TOP + height };
    let before: Vec<(f64, f64)> = lines.iter().zip(&first).map(|(l, p)| (y(l.before.as_f64()), tall(p))).collect();
    let after: Vec<(f64, f64)> = lines.iter().zip(&last).map(|(l, p)| (y(l.after.as_f64()), tall(p))).collect();
    let (at_left, at_right) = (apart(&before, TOP + height), apart(&after, TOP + height));
    let foot = TOP + height + 8.0;
    let axis = |letter: &str, day: Option<&String>| {
        day.filter(|_| !form.narrow).map_or_else(|| letter.to_owned(), |day| format!("{letter}, {day}"))
    };
    let (a, b) = (axis("A", page.ends.as_ref().map(|e| &e.0)), axis("B", page.ends.as_ref().map(|e| &e.1)));
    let mut out = format!(
        "<svg class=\"slope {}\" viewBox=\"0 0 {} {:.0}\" role=\"img\" aria-label=\"{said}\">\
         <title>{said}</title>\
         <line class=\"ax\" x1=\"{left}\" x2=\"{left}\" y1=\"26\" y2=\"{foot:.0}\"/>\
         <line class=\"ax\" x1=\"{right}\" x2=\"{right}\" y1=\"26\" y2=\"{foot:.0}\"/>\
         <text x=\"{left}\" y=\"16\" text-anchor=\"end\">{a}</text><text x=\"{right}\" y=\"16\">{b}</text>",
        form.class,
        form.width,
        foot + 14.0,
    );
    for (i, line) in lines.iter().enumerate() {
        let (Some(a), Some(b), Some(la), Some(lb)) = (before.get(i), after.get(i), at_left.get(i), at_right.get(i))
        else {
            continue;
        };
        let (class, dot, label) = if line.emphasised { ("ln e", " class=\"e\"", "lb e") } else { ("ln", "", "lb") };
        for (from, to, y, at) in [(left - 5.0, left - 14.0, a.0, la), (right + 5.0, right + 14.0, b.0, lb)] {
            if (y - at).abs() > 2.0 {
                let _ = write!(out, "<line class=\"ld\" x1=\"{from}\" y1=\"{y:.1}\" x2=\"{to}\" y2=\"{at:.1}\"/>");
            }
        }
        let _ = write!(
            out,
            "<line class=\"{class}\" x1=\"{left}\" y1=\"{:.1}\" x2=\"{right}\" y2=\"{:.1}\"/>\
             <circle{dot} cx=\"{left}\" cy=\"{:.1}\" r=\"3.4\"/><circle{dot} cx=\"{right}\" cy=\"{:.1}\" r=\"3.4\"/>",
            a.0, b.0, a.0, b.0
        );
        let change =
            line.change.map_or_else(String::new, |c| format!(" <tspan class=\"mu\">{}</tspan>", escape(&arrow(c))));
        for (pieces, y, x, anchor, change) in [
            (first.get(i), la, left - 17.0, " text-anchor=\"end\"", ""),
            (last.get(i), lb, right + 17.0, "", change.as_str()),
        ] {
            let pieces = pieces.map(Vec::as_slice).unwrap_or_default();
            for (k, piece) in pieces.iter().enumerate() {
                let (at, end) = (y + 4.0 + k as f64 * ROW, if k + 1 == pieces.len() { change } else { "" });
                let piece = escape(piece);
                let _ = write!(out, "<text class=\"{label}\"{anchor} x=\"{x}\" y=\"{at:.1}\">{piece}{end}</text>");
            }
        }
    }
    out.push_str("</svg>");
    out
}

/// What stands at both ends of a line, in pieces that fit beside its axis: the name and the first value, the last one.
fn labels(line: &Line, form: &Form) -> (Vec<String>, Vec<String>) {
    let name = crate::ident::visible(&line.name).into_owned();
    let (before, after) = (line.before.human(), line.after.human());
    if form.narrow {
        let mut last = broken(&name, form.room);
        last.push(after);
        return (vec![before], last);
    }
    (broken(&format!("{name}  {before}"), form.room), vec![after])
}

/// A text in pieces that fit; names break after `.` and `_` where they can.
fn broken(text: &str, room: usize) -> Vec<String> {
    let words: Vec<char> = text.chars().collect();
    let mut out = Vec::new();
    let mut rest = words.as_slice();
    while rest.len() > room {
        let (head, _) = rest.split_at(room);
        let at = head.iter().rposition(|c| matches!(c, '.' | '_' | ' ')).map_or(room, |i| i + 1);
        let (piece, more) = rest.split_at(at);
        out.push(piece.iter().collect::<String>().trim_end().to_owned());
        rest = more;
    }
    out.push(rest.iter().collect());
    out
}

/// Positions of labels with their heights, moved apart from the top down and pushed back from the bottom.
fn apart(wanted: &[(f64, f64)], bottom: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    let want = |i: usize| wanted.get(i).copied().unwrap_or((0.0, 0.0));
    order.sort_by(|a, b| want(*a).0.total_cmp(&want(*b).0).then(a.cmp(b)));
    let mut at = vec![0.0; wanted.len()];
    let mut free = f64::NEG_INFINITY;
    for i in &order {
        let (y, height) = want(*i);
        let place = y.max(free);
        free = place + height;
        if let Some(slot) = at.get_mut(*i) {
            *slot = place;
        }
    }
    let mut limit = bottom + 15.0;
    for i in order.iter().rev() {
        if let Some(slot) = at.get_mut(*i) {
            *slot = slot.min(limit - want(*i).1);
            limit = *slot;
        }
    }
    at
}

/// One history with its value printed large, and again where its line ends.
fn panel(panel: &Panel) -> String {
    // Right of it the last value has room.
    const PLOT: f64 = 256.0;
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
        let _ = write!(
            out,
            "<circle class=\"se\" cx=\"{cx:.1}\" cy=\"{cy:.1}\" r=\"3\"/><text x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            cx + 7.0,
            cy + 4.0,
            escape(&panel.value.human())
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
fn heat(map: &Heat) -> String {
    let class = |i: usize, class: &str| match (map.breaks.contains(&i), class) {
        (false, "") => String::new(),
        (false, class) => format!(" class=\"{class}\""),
        (true, class) => format!(" class=\"{}\"", format!("rs {class}").trim_end()),
    };
    let mut out = format!(
        "<div class=\"tw\" tabindex=\"0\" role=\"group\" aria-label=\"{0}, scrolls sideways on small screens\"><table class=\"t heat\"><caption><b>{0}</b> · {1}{2}</caption><thead><tr><th scope=\"col\">Table</th>",
        escape(&map.title),
        escape(&map.about),
        if map.breaks.is_empty() { "" } else { " Dashed line: the statistics were reset before." },
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
fn timeline(title: &str, from: Timestamp, to: Timestamp, lanes: &[Lane]) -> String {
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
        "<div class=\"panel cov\"><h3>{0}</h3><div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"{0}, scrolls sideways on small screens\"><svg class=\"slope tl\" viewBox=\"0 0 1090 {1:.0}\" role=\"img\" aria-label=\"{said}\"><title>{said}</title>",
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
fn arrow(change: Quantity) -> String {
    change.human_signed().replacen('+', "▲ ", 1).replacen('−', "▼ ", 1)
}

/// Parts of a whole in one line, with a legend that has the numbers.
fn strip(title: &str, parts: &[Part]) -> String {
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
        "<div class=\"panel stack\"><h3>{}</h3><svg viewBox=\"0 0 1000 16\" preserveAspectRatio=\"none\" role=\"img\" \
         aria-label=\"{said}\"><title>{said}</title>{svg}</svg><ul class=\"legend\">{legend}</ul></div>",
        escape(title),
        said = escape(&said.join("; ")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unit::Unit;

    #[test]
    fn labels_keep_their_distance() {
        let at = apart(&[(10.0, 15.0), (12.0, 15.0), (100.0, 15.0), (99.0, 30.0)], 110.0);
        let mut sorted = at.clone();
        sorted.sort_by(f64::total_cmp);
        assert!(sorted.windows(2).all(|w| w[1] - w[0] >= 15.0 - 1e-9), "{at:?}");
        assert!(at.iter().all(|y| *y <= 110.0), "{at:?}");
    }

    #[test]
    fn long_names_break_where_they_can() {
        let line = |name: &str| Line {
            name: name.to_owned(),
            before: Quantity::int(7, Unit::Rows),
            after: Quantity::int(8, Unit::Rows),
            change: None,
            emphasised: false,
        };
        let wide = |name: &str| labels(&line(name), &FORMS[0]);
        assert_eq!(wide("public.orders"), (vec!["public.orders  7".to_owned()], vec!["8".to_owned()]));
        assert_eq!(
            wide("warehouse.stock_movements_of_the_last_year").0,
            ["warehouse.stock_movements_of_the_", "last_year  7"]
        );
        assert!(wide(&"x".repeat(1_000)).0.iter().all(|piece| piece.len() <= 33));
        let (first, last) = labels(&line("warehouse.stock_movements_of_the_last_year"), &FORMS[1]);
        assert_eq!(first, ["7"]);
        assert_eq!(last, ["warehouse.stock_", "movements_of_the_last_", "year", "8"]);
    }
}
