//! Slope charts: lines from A to B with their labels, in a wide and a narrow form.

use super::super::page::Page;
use super::chart::arrow;
use super::escape::escape;
use crate::report::Line;
use std::fmt::Write;

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

/// The first is for a chart that has the whole width of the page.
const FORMS: [Form; 3] = [
    Form { class: "xl", width: 1_090.0, left: 400.0, right: 790.0, room: 60, narrow: false },
    Form { class: "wd", width: 530.0, left: 256.0, right: 394.0, room: 33, narrow: false },
    Form { class: "nr", width: 334.0, left: 90.0, right: 148.0, room: 24, narrow: true },
];

/// Rows of a label, and what is free under it.
const ROW: f64 = 15.0;
const GAP: f64 = 4.0;

/// Lines from A to B; labels at both ends, moved apart where they would collide. `alone`: with no other chart beside it.
pub(super) fn slope(title: &str, heading: &str, lines: &[Line], page: &Page, alone: bool) -> String {
    let said: Vec<String> = lines
        .iter()
        .map(|l| format!("{} {} to {}", crate::ident::visible(&l.name), l.before.human(), l.after.human()))
        .collect();
    let said = escape(&format!("{title}: {}", said.join("; ")));
    let charts: String = FORMS.iter().skip(usize::from(!alone)).map(|form| drawn(form, lines, page, &said)).collect();
    format!("<div class=\"panel cov sc\"><h3>{heading}</h3>{charts}</div>")
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
    // Bold letters are wider.
    let room = if line.emphasised { form.room * 9 / 10 } else { form.room };
    if form.narrow {
        let mut last = broken(&name, room);
        last.push(after);
        return (vec![before], last);
    }
    (broken(&format!("{name}  {before}"), room), vec![after])
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unit::{Quantity, Unit};

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
        let wide = |name: &str| labels(&line(name), &FORMS[1]);
        assert_eq!(wide("public.orders"), (vec!["public.orders  7".to_owned()], vec!["8".to_owned()]));
        assert_eq!(
            wide("warehouse.stock_movements_of_the_last_year").0,
            ["warehouse.stock_movements_of_the_", "last_year  7"]
        );
        assert!(wide(&"x".repeat(1_000)).0.iter().all(|piece| piece.len() <= 33));
        let (first, last) = labels(&line("warehouse.stock_movements_of_the_last_year"), &FORMS[2]);
        assert_eq!(first, ["7"]);
        assert_eq!(last, ["warehouse.stock_", "movements_of_the_last_", "year", "8"]);
    }
}
