//! The rows of long tables as inert JSON, column by column, for the page's script.
//!
//! A column whose cells repeat has its distinct ones as `dict`, and `cells` are positions there.
//!
//! A cell is `null` (–), a string (words or a name), an array `[value, shown, change, change shown, exact]` (a number;
//! parts that follow from the value are null or left out), or an object: `{n}` not available (the number of its reason, or the reason), `{s}` severity, `{c}`
//! confidence, `{q}` a number that is a bound (`k`),
//! `{b}` bar, `{p}` sparkline (heights as characters, its last value as `v`), `{t}` prose in pieces.

use super::super::page::Page;
use super::super::words;
use super::cell::raw;
use crate::ident::visible;
use crate::report::{Bar, Bound, Cell, Row, Spark, Table};
use crate::text::{Span, Text};
use crate::unit::{Number, Quantity, Unit, group_int};
use std::collections::HashMap;
use std::fmt::Write;

/// The largest integer that JavaScript keeps exact.
const SAFE: i64 = 1 << 53;

/// All rows of a table. Safe inside a script element: `<` cannot occur.
pub(super) fn json(table: &Table, page: &Page) -> String {
    let mut out = format!("{{\"rows\":{},\"columns\":[", table.rows.len());
    for i in 0..table.columns.len() {
        if i > 0 {
            out.push(',');
        }
        let unit = table.rows.iter().find_map(|row| row.cells.get(i).and_then(unit)).unwrap_or_default();
        let _ = write!(out, "{{\"unit\":{},", string(&unit));
        let one = |row: &Row| {
            let mut text = String::new();
            match row.cells.get(i) {
                Some(content) => cell(&mut text, content, &unit, page, &table.id),
                None => text.push_str("null"),
            }
            text
        };
        cells(&mut out, &table.rows.iter().map(one).collect::<Vec<_>>());
        out.push('}');
    }
    out.push_str("]}");
    out.replace('<', "\\u003c").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}

/// The cells of a column; each distinct one once, where that is shorter.
fn cells(out: &mut String, all: &[String]) {
    let mut known: HashMap<&str, usize> = HashMap::new();
    let mut distinct: Vec<&str> = Vec::new();
    let places: Vec<String> = all
        .iter()
        .map(|text| {
            let at = *known.entry(text).or_insert_with(|| {
                distinct.push(text);
                distinct.len() - 1
            });
            at.to_string()
        })
        .collect();
    let length = |list: &[String]| list.iter().map(|s| s.len() + 1).sum::<usize>();
    if distinct.iter().map(|s| s.len() + 1).sum::<usize>() + length(&places) < length(all) {
        let _ = write!(out, "\"dict\":[{}],\"cells\":[{}]", distinct.join(","), places.join(","));
    } else {
        let _ = write!(out, "\"cells\":[{}]", all.join(","));
    }
}

/// What follows the digits of a column's exact values: ` bytes`.
fn unit(cell: &Cell) -> Option<String> {
    let (Cell::Number { value, .. } | Cell::Bar(Bar { value, .. })) = cell else { return None };
    match (value.value, value.unit) {
        (Number::Int(n), _) => value.exact().strip_prefix(&group_int(n)).map(str::to_owned),
        (Number::Float(_), Unit::Share) => Some("%".to_owned()),
        (Number::Float(_), Unit::Times) => Some(" times".to_owned()),
        (Number::Float(_), _) => None,
    }
}

fn cell(out: &mut String, cell: &Cell, unit: &str, page: &Page, table: &str) {
    match cell {
        Cell::None => out.push_str("null"),
        Cell::NotAvailable(reason) => {
            let shown = page.reason(table, reason).map_or_else(|| string(&visible(reason)), |n| n.to_string());
            let _ = write!(out, "{{\"n\":{shown}}}");
        }
        Cell::Text(text) => prose(out, text, page),
        Cell::Number { value, change, bound } => {
            let (shown, exact) = (page.shown(*value, *bound), words::bounded_exact(*value, *bound));
            let plain = (page.shown(*value, None), words::bounded_exact(*value, None));
            let decorated = |text: &str, bound: Bound| match bound {
                Bound::AtLeast => format!("≥ {text}"),
                Bound::AtMost => format!("≤ {text}"),
                Bound::Estimate => format!("{text} (est.)"),
            };
            let as_script = |b: &Bound| decorated(&plain.0, *b) == shown && decorated(&plain.1, *b) == exact;
            match bound.filter(as_script) {
                Some(bound) => {
                    out.push_str("{\"q\":");
                    number(out, *value, *change, (&plain.0, &plain.1), unit);
                    let _ = write!(out, ",\"k\":{}}}", bound as u8);
                }
                None => number(out, *value, *change, (&shown, &exact), unit),
            }
        }
        Cell::Bar(bar) => {
            out.push_str("{\"b\":");
            number(out, bar.value, None, (&bar.value.human(), &bar.value.exact()), unit);
            let mark = bar.mark.filter(|m| m.is_finite());
            let fraction = if bar.fraction.is_finite() { bar.fraction.clamp(0.0, 1.0) } else { 0.0 };
            let _ = write!(out, ",\"f\":{fraction:.3}");
            if let Some(mark) = mark {
                let _ = write!(out, ",\"m\":{:.3}", mark.clamp(0.0, 1.0));
            }
            out.push('}');
        }
        Cell::Spark(spark) => points(out, spark),
        Cell::Severity(severity) => {
            let _ = write!(out, "{{\"s\":\"{}\"}}", severity.word());
        }
        Cell::Confidence(confidence) => {
            let _ = write!(out, "{{\"c\":\"{}\"}}", confidence.word());
        }
    }
}

fn number(out: &mut String, value: Quantity, change: Option<Quantity>, (shown, exact): (&str, &str), unit: &str) {
    let mut parts = vec![safe_raw(value)];
    let derived = derived(value, unit);
    parts.push(if derived.as_deref().is_some_and(|d| d.strip_suffix(unit) == Some(shown)) {
        "null".to_owned()
    } else {
        string(shown)
    });
    match change {
        Some(c) => parts.extend([safe_raw(c), string(&c.human_signed())]),
        None => parts.extend(["null".to_owned(), "null".to_owned()]),
    }
    if derived.as_deref() == Some(exact) {
        while parts.last().is_some_and(|p| p == "null") {
            parts.pop();
        }
    } else {
        parts.push(string(exact));
    }
    let _ = write!(out, "[{}]", parts.join(","));
}

/// The exact text that the script would make of a value.
fn derived(value: Quantity, unit: &str) -> Option<String> {
    match value.value {
        Number::Int(n) if n.abs() <= SAFE => Some(format!("{}{unit}", group_int(n))),
        Number::Int(_) => None,
        Number::Float(x) => match (value.unit, unit) {
            (Unit::Share, "%") => Some(format!("{}%", trimmed(short(x) * 100.0, 6))),
            (Unit::Times, " times") => Some(format!("{} times", trimmed(short(x), 9))),
            _ => None,
        },
    }
}

/// A number with at most so many decimals, without zeros at their end.
fn trimmed(x: f64, decimals: usize) -> String {
    let text = format!("{x:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// Eleven digits: more than any exact value prints.
fn short(x: f64) -> f64 {
    format!("{x:.10e}").parse().unwrap_or(x)
}

/// The value for sorting: a number that JSON can say.
fn safe_raw(value: Quantity) -> String {
    match value.value {
        Number::Float(x) if x.is_finite() => short(x).to_string(),
        Number::Float(_) => "0".to_owned(),
        Number::Int(_) => raw(value),
    }
}

fn prose(out: &mut String, text: &Text, page: &Page) {
    if let [Span::Text(s) | Span::Name(s)] = text.0.as_slice() {
        out.push_str(&string(&visible(s)));
        return;
    }
    out.push_str("{\"t\":[");
    for (i, span) in text.0.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        let (kind, words) = match span {
            Span::Text(s) => ("t", visible(s).into_owned()),
            Span::Strong(s) => ("b", visible(s).into_owned()),
            Span::Name(s) => ("n", visible(s).into_owned()),
            Span::Code(s) => ("c", visible(s).into_owned()),
            Span::Number(q) => ("t", q.human()),
            Span::Change(q) => ("t", q.human_signed()),
            Span::Link { to, text } => match page.target(to) {
                Some(anchor) => {
                    let _ = write!(out, "[\"l\",{},{}]", string(&visible(text)), string(&anchor));
                    continue;
                }
                None => ("t", visible(text).into_owned()),
            },
        };
        let _ = write!(out, "[\"{kind}\",{}]", string(&words));
    }
    out.push_str("]}");
}

/// Heights of a history's points in 61 steps of its largest value, a character each; `-` is a gap.
const STEPS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

fn points(out: &mut String, spark: &Spark) {
    let finite = |p: &Option<f64>| p.filter(|v| v.is_finite());
    let largest = spark.points.iter().filter_map(finite).fold(0.0, f64::max);
    let step = |v: f64| if largest > 0.0 { (v.max(0.0) / largest * 61.0).round() as usize } else { 0 };
    let steps =
        spark.points.iter().map(|p| finite(p).map_or('-', |v| STEPS.get(step(v)).map_or('-', |c| char::from(*c))));
    let steps: String = steps.collect();
    let _ = write!(out, "{{\"p\":\"{steps}\",\"l\":{}", string(&visible(&spark.label)));
    if let Some(last) = spark.points.iter().filter_map(finite).next_back() {
        let _ = write!(out, ",\"v\":{last}");
    }
    if !spark.resets.is_empty() {
        let _ = write!(out, ",\"r\":{:?}", spark.resets);
    }
    if !spark.restarts.is_empty() {
        let _ = write!(out, ",\"x\":{:?}", spark.restarts);
    }
    out.push('}');
}

fn string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Column, ColumnKind, Report};

    fn page() -> Page {
        let report = include_str!("../../../fixtures/report/golden.json");
        Page::of(&serde_json::from_str::<Report>(report).unwrap())
    }

    #[test]
    fn rows_are_columns_and_cannot_close_the_script() {
        let column = |label: &str, kind| Column { label: label.to_owned(), kind };
        let row = |cells| Row { cells, detail: vec![] };
        let changed = Cell::Number {
            value: Quantity::int(81_920, Unit::Bytes),
            change: Some(Quantity::int(-8_192, Unit::Bytes)),
            bound: None,
        };
        let table = Table {
            id: "t".into(),
            title: String::new(),
            about: Text::new(),
            columns: vec![column("a", ColumnKind::Name), column("b", ColumnKind::Number)],
            rows: vec![
                row(vec![Cell::name("</script>\u{2028}"), changed]),
                row(vec![Cell::Text(Text::new().link("f-01", "F-01").t("x")), Cell::None]),
                row(vec![Cell::name("c"), Cell::number(Quantity::int(i64::MAX, Unit::Bytes))]),
                row(vec![Cell::name("d"), Cell::number(Quantity::int(7, Unit::Bytes))]),
            ],
            rows_in_all: 4,
            totals: vec![],
            empty: String::new(),
        };
        let json = json(&table, &page());
        assert!(!json.contains('<'));
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(value["columns"][0]["cells"][0], "</script>\\u{2028}");
        assert_eq!(value["columns"][0]["cells"][1]["t"][0], serde_json::json!(["l", "F-01", "f-01"]));
        assert_eq!(value["columns"][1]["unit"], " bytes");
        assert_eq!(value["columns"][1]["cells"][0], serde_json::json!([81_920, "80 kB", -8_192, "−8 kB"]));
        assert_eq!(value["columns"][1]["cells"][1], serde_json::Value::Null);
        assert_eq!(value["columns"][1]["cells"][2][4], "9,223,372,036,854,775,807 bytes");
        assert_eq!(value["columns"][1]["cells"][3], serde_json::json!([7, "7 bytes"]));
    }

    #[test]
    fn what_repeats_or_follows_from_a_value_is_written_once() {
        let quantity = |x, unit| Quantity::float(x, unit).unwrap();
        let estimate = Cell::Number {
            value: quantity(0.871_077_743_860_517_5, Unit::Times),
            change: None,
            bound: Some(Bound::Estimate),
        };
        let rows = |cell: Cell| (0..4).map(|_| Row { cells: vec![cell.clone()], detail: vec![] }).collect();
        let mut table = Table {
            id: "t".into(),
            title: String::new(),
            about: Text::new(),
            columns: vec![Column { label: "a".into(), kind: ColumnKind::Number }],
            rows: rows(estimate),
            rows_in_all: 4,
            totals: vec![],
            empty: String::new(),
        };
        let value: serde_json::Value = serde_json::from_str(&json(&table, &page())).unwrap();
        assert_eq!(value["columns"][0]["dict"], serde_json::json!([{"q": [0.871_077_743_86, "0.87×"], "k": 2}]));
        assert_eq!(value["columns"][0]["cells"], serde_json::json!([0, 0, 0, 0]));
        table.rows = rows(Cell::number(quantity(0.149_241_424_802_11, Unit::Share)));
        table.rows.truncate(1);
        let value: serde_json::Value = serde_json::from_str(&json(&table, &page())).unwrap();
        assert_eq!(value["columns"][0]["cells"], serde_json::json!([[0.149_241_424_8, "14.9%"]]));
        let spark = Spark {
            points: vec![Some(0.0), None, Some(61.0), Some(30.5)],
            resets: vec![2],
            restarts: vec![],
            label: "0 to 61, last 30.5; broken off once".into(),
        };
        table.rows = vec![Row { cells: vec![Cell::Spark(spark)], detail: vec![] }];
        let value: serde_json::Value = serde_json::from_str(&json(&table, &page())).unwrap();
        let drawn = &value["columns"][0]["cells"][0];
        assert_eq!((&drawn["p"], &drawn["v"], &drawn["r"]), (&"0-zV".into(), &30.5.into(), &serde_json::json!([2])));
    }
}
