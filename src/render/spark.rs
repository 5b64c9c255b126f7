//! Histories as a line of block characters.

use crate::report::{Lane, Mark, MarkKind, Panel, Spark};
use crate::time::Timestamp;

const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// A history in a cell: `▃▄▄╎▄▄▅█`. From 0 to the row's largest value; `·` where there is none, `╎` at a reset,
/// `┆` at a restart.
pub(super) fn line(spark: &Spark) -> String {
    draw(&spark.points, |i| {
        let restarted = spark.restarts.contains(&i).then_some('┆');
        spark.resets.contains(&i).then_some('╎').or(restarted)
    })
}

/// A panel's samples; `┆` at a restart.
pub(super) fn panel(panel: &Panel) -> String {
    let values: Vec<Option<f64>> = panel.points.iter().map(|(_, value)| *value).collect();
    draw(&values, |i| panel.marks.iter().find(|mark| before(panel, i, mark)).and_then(|mark| sign(mark.kind)))
}

/// When events happened, on a line of 32 stretches of time: a number where there were some (`+` from ten on), `·` where
/// there was none.
pub(super) fn lane(lane: &Lane, from: Timestamp, to: Timestamp) -> String {
    const STRETCHES: usize = 32;
    let length = to.seconds_since(from);
    let mut counts = [0_u32; STRETCHES];
    for mark in &lane.marks {
        let along = if length > 0.0 { mark.at.seconds_since(from) / length } else { 0.0 };
        let at = ((along.clamp(0.0, 1.0) * STRETCHES as f64) as usize).min(STRETCHES - 1);
        if let Some(count) = counts.get_mut(at) {
            *count += 1;
        }
    }
    counts.iter().map(|n| if *n == 0 { '·' } else { char::from_digit(*n, 10).unwrap_or('+') }).collect()
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
    fn events_are_counted_along_the_axis() {
        let at = |s: i64| Timestamp::from_seconds(s);
        let mark = |s: i64| Mark { at: at(s), kind: MarkKind::Other, label: String::new() };
        let marks = std::iter::once(mark(0)).chain((0..11).map(|_| mark(500))).chain([mark(1_000)]).collect();
        let drawn = lane(&Lane { label: String::new(), marks, further: 0 }, at(0), at(1_000));
        assert_eq!(drawn, format!("1{0}+{1}1", "·".repeat(15), "·".repeat(14)));
        assert_eq!(lane(&Lane { label: String::new(), marks: vec![mark(5)], further: 0 }, at(5), at(5)).len(), 63);
    }

    #[test]
    fn draws_gaps_and_resets() {
        let points = vec![Some(0.0), Some(4.0), Some(8.0), None, Some(1.0), Some(f64::NAN), Some(-1.0)];
        let spark = Spark { points, resets: vec![3], restarts: vec![], label: String::new() };
        assert_eq!(line(&spark), "▁▅█╎·▂·▁");
        assert_eq!(
            line(&Spark { points: vec![Some(0.0), Some(0.0)], resets: vec![], restarts: vec![], label: String::new() }),
            "▁▁"
        );
    }
}
