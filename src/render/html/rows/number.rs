//! Columns of numbers: values alone, where the script makes the same words of them.

use super::super::super::page::Page;
use super::super::super::words;
use super::code::{SAFE, int, member, string, zigzag};
use super::{Column, raw};
use crate::report::{Bar, Bound, Cell};
use crate::unit::{Number, Quantity, Unit};
use std::collections::HashMap;
use std::fmt::Write;

/// What the numbers of a column have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Shape {
    unit: Unit,
    float: bool,
    /// 1 and more: a bound.
    bound: u8,
    bar: bool,
}

/// A number of a cell.
#[derive(Clone, Copy, Debug)]
struct Found {
    shape: Shape,
    value: Quantity,
    change: Option<Quantity>,
}

fn found(cell: &Cell) -> Option<Found> {
    let shape = |value: Quantity, bound: Option<Bound>, bar| Shape {
        unit: value.unit,
        float: matches!(value.value, Number::Float(_)),
        bound: bound.map_or(0, |b| b as u8 + 1),
        bar,
    };
    match cell {
        Cell::Number { value, change, bound } => {
            Some(Found { shape: shape(*value, *bound, false), value: *value, change: *change })
        }
        // A bar as long as its value says, without a threshold.
        Cell::Bar(Bar { value, fraction, mark: None })
            if (value.as_f64().clamp(0.0, 1.0) - fraction).abs() < 0.000_5 =>
        {
            Some(Found { shape: shape(*value, None, true), value: *value, change: None })
        }
        _ => None,
    }
}

/// Divisors of the numbers in a block; the values are decimals.
const SCALES: [f64; 6] = [1.0, 1e2, 1e3, 1e6, 1e8, 1e9];
/// Rows that decide on the divisor.
const SAMPLE: usize = 200;

/// The column, if most of its numbers have something in common.
pub(super) fn column(cells: &[&Cell]) -> Option<Column> {
    let all: Vec<Option<Found>> = cells.iter().map(|cell| found(cell)).collect();
    let mut counts: HashMap<Shape, (usize, usize)> = HashMap::new();
    for (i, found) in all.iter().enumerate() {
        if let Some(found) = found {
            counts.entry(found.shape).or_insert((0, i)).0 += 1;
        }
    }
    let (shape, _) = counts.into_iter().max_by_key(|(_, (n, first))| (*n, usize::MAX - first))?;
    let alike = |found: &Option<Found>| found.filter(|f| f.shape == shape);
    let plain: Vec<Option<(f64, Option<f64>)>> = all.iter().map(|found| as_script(&alike(found)?)).collect();
    let largest = plain.iter().flatten().fold(0.0, |most: f64, (value, _)| most.max(*value));
    let offset = (shape.unit == Unit::Time).then_some(largest);
    let sample = || plain.iter().flatten().take(SAMPLE);
    let cost = |scale: f64| -> usize {
        let one = |p: &(f64, Option<f64>)| coded(*p, scale, offset).map_or(60, |(value, _)| value.len());
        sample().map(one).sum()
    };
    let scales = if shape.float { SCALES.as_slice() } else { &SCALES[..1] };
    let scale = scales.iter().copied().min_by_key(|scale| cost(*scale))?;
    let mut head = format!("\"k\":\"q\",\"u\":{}", serde_json::to_string(&shape.unit).unwrap_or_default());
    let pairs = [("s", if scale > 1.0 { Some(scale) } else { None }), ("o", offset)];
    for (name, value) in pairs.into_iter().filter_map(|(name, value)| Some((name, value?))) {
        member(&mut head, name, value);
    }
    for (name, value) in [("f", u8::from(shape.float)), ("b", shape.bound), ("g", u8::from(shape.bar))] {
        if value > 0 {
            member(&mut head, name, value);
        }
    }
    let rows: Vec<_> = plain.into_iter().map(|p| coded(p?, scale, offset)).collect();
    let changed = rows.iter().flatten().any(|(_, change)| change.is_some());
    let change = |row: &Option<(String, Option<u64>)>| row.as_ref().and_then(|(_, change)| *change);
    let changes = changed.then(|| {
        let mut out = String::new();
        for row in &rows {
            int(&mut out, change(row).map_or(0, |n| n + 1));
        }
        out
    });
    Some(Column { head, rows: rows.into_iter().map(|row| row.map(|(value, _)| value)).collect(), changes })
}

/// A value and its change as numbers of a block.
fn coded((value, change): (f64, Option<f64>), scale: f64, offset: Option<f64>) -> Option<(String, Option<u64>)> {
    let whole = |x: f64| -> Option<i64> {
        let n = (x * scale).round();
        // The script divides again.
        (n.abs() < SAFE as f64 && n / scale == x).then_some(n as i64)
    };
    let value = u64::try_from(whole(offset.map_or(value, |o| o - value))?).ok()?;
    let change = match change.map(|change| Some(zigzag(whole(change)?)).filter(|n| *n < SAFE - 1)) {
        Some(None) => return None,
        change => change.flatten(),
    };
    let mut out = String::new();
    int(&mut out, value + 1);
    Some((out, change))
}

/// The value and the change, where the script makes the same words of them.
fn as_script(found: &Found) -> Option<(f64, Option<f64>)> {
    let value = short(found.value)?;
    let Some(change) = found.change else { return Some((value, None)) };
    let like = change.unit == found.shape.unit && matches!(change.value, Number::Float(_)) == found.shape.float;
    let size = match change.value {
        Number::Int(n) => Number::Int(n.checked_abs()?),
        Number::Float(x) => Number::Float(x.abs()),
    };
    let size = like.then(|| short(Quantity { value: size, unit: change.unit }))??;
    Some((value, Some(if change.as_f64() < 0.0 { -size } else { size })))
}

/// The shortest number that has the words of a quantity; `None` where the script cannot make them.
fn short(quantity: Quantity) -> Option<f64> {
    match (quantity.value, quantity.unit) {
        (_, Unit::Lsn) | (Number::Float(_), Unit::Time | Unit::Plain) => None,
        (Number::Int(n), _) => u64::try_from(n).ok().filter(|n| *n < SAFE).map(|n| n as f64),
        (Number::Float(x), unit) => {
            if !(x.is_finite() && x.is_sign_positive() && x < 1e15) {
                return None;
            }
            // Nothing that is shown has more decimals.
            let decimals = if unit == Unit::Share { 8 } else { 9 };
            let r: f64 = format!("{x:.decimals$}").parse().ok()?;
            let rounded = Quantity { value: Number::Float(r), unit };
            (rounded.human() == quantity.human() && rounded.exact() == quantity.exact()).then_some(r)
        }
    }
}

/// A number or a bar with its words.
pub(super) fn literal(out: &mut String, cell: &Cell, page: &Page) {
    match cell {
        Cell::Number { value, change, bound } => {
            words_of(out, *value, &page.shown(*value, *bound), &words::bounded_exact(*value, *bound));
            if let Some(c) = change {
                let _ = write!(out, ",\"d\":[{},{},{}]", raw(*c), string(&c.human_signed()), string(&c.exact()));
            }
        }
        Cell::Bar(bar) => {
            words_of(out, bar.value, &bar.value.human(), &bar.value.exact());
            let fraction = if bar.fraction.is_finite() { bar.fraction.clamp(0.0, 1.0) } else { 0.0 };
            member(out, "f", fraction);
            if let Some(mark) = bar.mark.filter(|m| m.is_finite()) {
                member(out, "m", mark.clamp(0.0, 1.0));
            }
        }
        _ => return,
    }
    out.push('}');
}

fn words_of(out: &mut String, value: Quantity, shown: &str, exact: &str) {
    let _ = write!(out, "{{\"v\":{},\"h\":{},\"e\":{}", raw(value), string(shown), string(exact));
}
