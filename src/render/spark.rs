//! Histories as a line of block characters.

use crate::report::{Mark, MarkKind, Panel, Spark};

const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// A history in a cell: `▃▄▄╎▄▄▅█`. From 0 to the row's largest value; `·` where there is none, `╎` at a reset.
pub(super) fn line(spark: &Spark) -> String {
    draw(&spark.points, |i| spark.resets.contains(&i).then_some('╎'))
}

/// A panel's samples; `┆` at a restart.
pub(super) fn panel(panel: &Panel) -> String {
    let values: Vec<Option<f64>> = panel.points.iter().map(|(_, value)| *value).collect();
    draw(&values, |i| panel.marks.iter().find(|mark| before(panel, i, mark)).and_then(|mark| sign(mark.kind)))
}

const fn sign(kind: MarkKind) -> Option<char> {
    match kind {
        MarkKind::Reset => Some('╎'),
        MarkKind::Restart => Some('┆'),
        MarkKind::Other => None,
    }
}

/// Whether an event lies after the sample before `i` and not after sample `i`.
fn before(panel: &Panel, i: usize, mark: &Mark) -> bool {
    let at = |i: usize| panel.points.get(i).map(|(at, _)| *at);
    let after_last = i.checked_sub(1).is_some_and(|last| at(last).is_some_and(|t| t < mark.at));
    after_last && at(i).is_some_and(|t| mark.at <= t)
}

fn draw(points: &[Option<f64>], mark: impl Fn(usize) -> Option<char>) -> String {
    let largest = points.iter().flatten().copied().filter(|x| x.is_finite()).fold(0.0, f64::max);
    let mut out = String::new();
    for (i, point) in points.iter().enumerate() {
        out.extend(mark(i));
        out.push(match point {
            Some(x) if x.is_finite() => level(*x, largest),
            _ => '·',
        });
    }
    out
}

fn level(x: f64, largest: f64) -> char {
    let step = if largest > 0.0 { (x.max(0.0) / largest * 7.0).round() as usize } else { 0 };
    LEVELS.get(step).copied().unwrap_or('█')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_gaps_and_resets() {
        let points = vec![Some(0.0), Some(4.0), Some(8.0), None, Some(1.0), Some(f64::NAN), Some(-1.0)];
        let spark = Spark { points, resets: vec![3], label: String::new() };
        assert_eq!(line(&spark), "▁▅█╎·▂·▁");
        assert_eq!(line(&Spark { points: vec![Some(0.0), Some(0.0)], resets: vec![], label: String::new() }), "▁▁");
    }
}
