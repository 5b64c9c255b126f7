//! Columns of small histories: heights, and the numbers that their words are made of.

use super::Column;
use super::code::{STEPS, heights, int, member, string};
use crate::ident::visible;
use crate::report::{Cell, Spark};
use crate::unit::{Quantity, Unit};
use std::collections::HashMap;
use std::fmt::Write;

/// Divisors of the numbers in a block.
const SCALES: [f64; 9] = [1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8];
/// What histories are of.
const UNITS: [Unit; 9] = [
    Unit::Rows,
    Unit::PerSecond,
    Unit::Bytes,
    Unit::Ms,
    Unit::Share,
    Unit::Times,
    Unit::Seconds,
    Unit::BytesPerSecond,
    Unit::Sessions,
];
/// Rows that decide on the unit and the divisor.
const SAMPLE: usize = 64;

/// What the histories of a column have in common: points, resets, restarts.
type Shape<'a> = (usize, &'a [usize], &'a [usize]);

/// A history that is drawn.
pub(super) fn drawn(cell: &Cell) -> Option<&Spark> {
    match cell {
        Cell::Spark(spark) if !spark.points.is_empty() => Some(spark),
        _ => None,
    }
}

/// The column, if there is a history in it.
pub(super) fn column(cells: &[&Cell]) -> Option<Column> {
    let all: Vec<Option<&Spark>> = cells.iter().map(|cell| drawn(cell)).collect();
    let mut counts: HashMap<Shape<'_>, (usize, usize)> = HashMap::new();
    for (i, spark) in all.iter().enumerate() {
        if let Some(spark) = spark {
            counts.entry(shape(spark)).or_insert((0, i)).0 += 1;
        }
    }
    let (common, _) = counts.into_iter().max_by_key(|(_, (n, first))| (*n, usize::MAX - first))?;
    let alike: Vec<Option<&Spark>> = all.iter().map(|s| s.filter(|s| shape(s) == common)).collect();
    let sample: Vec<&Spark> = alike.iter().flatten().copied().take(SAMPLE).collect();
    let cost = |unit: Unit, scale: f64| -> usize {
        let one = |s: &&Spark| coded(s, unit, scale).map_or(s.label.len() + 30, |code| code.len());
        sample.iter().map(one).sum()
    };
    let unit = UNITS.into_iter().min_by_key(|unit| cost(*unit, 1e6))?;
    let scale = SCALES.into_iter().min_by_key(|scale| cost(unit, *scale))?;
    let (points, resets, restarts) = common;
    let mut head = format!("\"k\":\"s\",\"u\":{}", serde_json::to_string(&unit).unwrap_or_default());
    member(&mut head, "p", points);
    if scale > 1.0 {
        member(&mut head, "s", scale);
    }
    marks(&mut head, resets, restarts);
    Some(Column { head, rows: alike.into_iter().map(|s| coded(s?, unit, scale)).collect(), changes: None })
}

fn shape(spark: &Spark) -> Shape<'_> {
    (spark.points.len(), &spark.resets, &spark.restarts)
}

fn marks(out: &mut String, resets: &[usize], restarts: &[usize]) {
    for (name, places) in [("r", resets), ("x", restarts)] {
        if !places.is_empty() {
            member(out, name, format_args!("{places:?}"));
        }
    }
}

/// `1`, the last value and the heights, or `2`, the last, the lowest and the highest value, and the heights.
fn coded(spark: &Spark, unit: Unit, scale: f64) -> Option<String> {
    let (ends, last) = course(spark)?;
    let known = || spark.points.iter().flatten().copied().filter(|v| v.is_finite());
    let end = known().next_back()?;
    // The number that has these words; of those the shortest, or the point itself.
    let number = |words: &str, point: f64, same: &dyn Fn(f64) -> bool| {
        [digits(words), Some(point)].into_iter().flatten().find_map(|candidate| {
            let n = (candidate * scale).round();
            let value = n / scale;
            let fits = (0.0..1e15).contains(&n) && same(value);
            (fits && Quantity::float(value, unit)?.human() == words).then_some(n as u64)
        })
    };
    let mut out = String::new();
    int(&mut out, if ends.is_some() { 2 } else { 1 });
    int(&mut out, number(last, end, &|value| four_digits(value) == end)?);
    if let Some((low, high)) = ends {
        let low = number(low, known().fold(end, f64::min), &|_| true)?;
        let high = number(high, known().fold(end, f64::max), &|_| true).filter(|high| *high > low)?;
        int(&mut out, low);
        int(&mut out, high);
    }
    draw(&mut out, spark);
    Some(out)
}

/// The words of a label: the lowest and the highest value, and the last; or the last alone, which all are.
fn course(spark: &Spark) -> Option<(Option<(&str, &str)>, &str)> {
    let course = match spark.resets.len() {
        0 => spark.label.as_str(),
        1 => spark.label.strip_suffix("; broken off once")?,
        n => spark.label.strip_suffix(&format!("; broken off {n} times"))?,
    };
    if let Some(last) = course.strip_prefix("always ") {
        return Some((None, last));
    }
    let (range, last) = course.split_once(", last ")?;
    Some((Some(range.split_once(" to ")?), last))
}

/// The number at the start of some words.
fn digits(words: &str) -> Option<f64> {
    let end = words.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == ',')).unwrap_or(words.len());
    words.get(..end)?.replace(',', "").parse().ok()
}

/// Points are kept with four digits.
fn four_digits(x: f64) -> f64 {
    format!("{x:.3e}").parse().unwrap_or(x)
}

fn draw(out: &mut String, spark: &Spark) {
    let finite = |p: &Option<f64>| p.filter(|v| v.is_finite());
    let largest = spark.points.iter().filter_map(finite).fold(0.0, f64::max);
    let top = (STEPS - 2) as f64;
    let step = |v: f64| if largest > 0.0 { (v.max(0.0) / largest * top).round() as u64 } else { 0 };
    let all: Vec<u64> = spark.points.iter().map(|p| finite(p).map_or(STEPS - 1, step)).collect();
    heights(out, &all);
}

/// A history with its words.
pub(super) fn literal(out: &mut String, spark: &Spark) {
    let mut drawing = String::new();
    draw(&mut drawing, spark);
    let points = spark.points.len();
    let _ = write!(out, "{{\"l\":{},\"h\":{},\"p\":{points}", string(&visible(&spark.label)), string(&drawing));
    if let Some(last) = spark.points.iter().flatten().rfind(|v| v.is_finite()) {
        member(out, "v", last);
    }
    marks(out, &spark.resets, &spark.restarts);
    out.push('}');
}
