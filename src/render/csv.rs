//! CSV: one table of the report for a spreadsheet, its findings where none is named.
//!
//! Numbers are exact and unrounded, their unit stands in the head of the column; a change, a bound and the reason of a
//! missing value have columns of their own where a table has them.

use super::{Options, page, words};
use crate::error::{Error, Result};
use crate::ident::visible;
use crate::report::{Bar, Bound, Cell, Report, Table};
use crate::unit::{Number, Quantity, Unit};

/// A table of the report as CSV.
pub(super) fn write(report: &Report, options: &Options) -> Result<String> {
    let Some(wanted) = options.table.as_deref().filter(|id| *id != "findings") else { return Ok(findings(report)) };
    let tables = page::tables(report);
    tables.iter().find(|t| t.id == wanted).map(|found| table(found)).ok_or_else(|| {
        let ids: Vec<&str> = tables.iter().map(|t| t.id.as_str()).collect();
        let hint = format!("use findings, {}", ids.join(", "));
        Error::usage(format!("write table `{wanted}`: the report has none of that name"), hint)
    })
}

fn findings(report: &Report) -> String {
    let mut out = String::new();
    line(
        &mut out,
        ["number", "id", "rule", "severity", "confidence", "kind", "object", "title", "effort"].map(str::to_owned),
    );
    for f in &report.findings {
        let it = &f.finding;
        line(
            &mut out,
            [
                f.number.clone(),
                f.id.clone(),
                it.rule.clone(),
                it.severity.word().to_owned(),
                f.confidence.word().to_owned(),
                words::kind(it.subject.kind).to_owned(),
                it.subject.name.clone(),
                it.title.plain(),
                words::effort(it.effort).to_owned(),
            ],
        );
    }
    out
}

/// What a column of the report becomes.
struct Shape {
    unit: Option<Unit>,
    change: bool,
    bound: bool,
    reason: bool,
}

fn table(table: &Table) -> String {
    let shapes: Vec<Shape> = (0..table.columns.len()).map(|i| shape(table, i)).collect();
    let mut out = String::new();
    let mut head = Vec::new();
    for (column, shape) in table.columns.iter().zip(&shapes) {
        let unit = shape.unit.and_then(word).map_or_else(String::new, |u| format!(" ({u})"));
        head.push(format!("{}{unit}", column.label));
        let more = [(shape.change, "change"), (shape.bound, "bound"), (shape.reason, "why n/a")];
        head.extend(more.iter().filter(|(on, _)| *on).map(|(_, what)| format!("{}: {what}", column.label)));
    }
    line(&mut out, head);
    for row in &table.rows {
        let mut cells = Vec::with_capacity(table.columns.len());
        for (i, shape) in shapes.iter().enumerate() {
            let cell = row.cells.get(i).unwrap_or(&Cell::None);
            let (mut change, mut bound, mut reason) = (String::new(), String::new(), String::new());
            cells.push(match cell {
                Cell::None => String::new(),
                Cell::NotAvailable(why) => {
                    reason.clone_from(why);
                    String::new()
                }
                Cell::Text(text) => text.plain(),
                Cell::Number { value, change: by, bound: kind } => {
                    change = by.map_or_else(String::new, number);
                    bound.push_str(kind.map_or("", bound_word));
                    number(*value)
                }
                Cell::Bar(Bar { value, .. }) => number(*value),
                Cell::Spark(spark) => spark.label.clone(),
                Cell::Change { change, .. } => number(*change),
                Cell::Severity(severity) => severity.word().to_owned(),
                Cell::State(state) => words::state(*state).1.to_lowercase(),
                Cell::Confidence(confidence) => confidence.word().to_owned(),
            });
            let more = [(shape.change, change), (shape.bound, bound), (shape.reason, reason)];
            cells.extend(more.into_iter().filter(|(on, _)| *on).map(|(_, text)| text));
        }
        line(&mut out, cells);
    }
    out
}

fn shape(table: &Table, column: usize) -> Shape {
    let mut shape = Shape { unit: None, change: false, bound: false, reason: false };
    let mut units = Vec::new();
    for cell in table.rows.iter().filter_map(|row| row.cells.get(column)) {
        match cell {
            Cell::Number { value, change, bound } => {
                units.push(value.unit);
                shape.change |= change.is_some();
                shape.bound |= bound.is_some();
            }
            Cell::Bar(bar) => units.push(bar.value.unit),
            Cell::Change { change, .. } => units.push(change.unit),
            Cell::NotAvailable(_) => shape.reason = true,
            _ => {}
        }
    }
    units.dedup();
    shape.unit = if let [unit] = units.as_slice() { Some(*unit) } else { None };
    shape
}

/// How a unit is called in the head of a column; `None` where the number says it all.
const fn word(unit: Unit) -> Option<&'static str> {
    match unit {
        Unit::Bytes => Some("bytes"),
        Unit::Blocks => Some("blocks"),
        Unit::Ms => Some("ms"),
        Unit::Seconds => Some("s"),
        Unit::Share => Some("share of 1"),
        Unit::Times => Some("times"),
        Unit::PerSecond => Some("per second"),
        Unit::PerDay => Some("per day"),
        Unit::BytesPerSecond => Some("bytes per second"),
        _ => None,
    }
}

const fn bound_word(bound: Bound) -> &'static str {
    match bound {
        Bound::AtLeast => "at least",
        Bound::AtMost => "at most",
        Bound::Estimate => "estimate",
    }
}

/// A number as programs read it; times and positions as people write them.
fn number(quantity: Quantity) -> String {
    match (quantity.unit, quantity.value) {
        (Unit::Time | Unit::Lsn, _) => quantity.exact(),
        (_, Number::Int(n)) => n.to_string(),
        (_, Number::Float(x)) => x.to_string(),
    }
}

/// A line. A text that a spreadsheet would run as a formula gets an apostrophe; a number is none.
fn line(out: &mut String, cells: impl IntoIterator<Item = String>) {
    for (i, cell) in cells.into_iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        let formula = cell.starts_with(['=', '+', '-', '@']) && cell.parse::<f64>().is_err();
        let cell = visible(&cell);
        let quoted = formula || cell.contains([',', '"', '\'', ' ']);
        if quoted {
            out.push('"');
        }
        if formula {
            out.push('\'');
        }
        out.push_str(&cell.replace('"', "\"\""));
        if quoted {
            out.push('"');
        }
    }
    out.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn golden() -> Report {
        serde_json::from_str(include_str!("../../fixtures/report/golden.json")).unwrap()
    }

    #[test]
    fn a_table_keeps_its_numbers_and_says_its_units() {
        let report = golden();
        let options = Options { table: Some("tables".to_owned()), ..Options::default() };
        let text = write(&report, &options).unwrap();
        let rows = page::tables(&report).iter().find(|t| t.id == "tables").unwrap().rows.len();
        assert_eq!(text.lines().count(), rows + 1, "{text}");
        assert!(text.lines().next().unwrap().contains("(bytes)"), "{text}");
        let error = write(&report, &Options { table: Some("tabels".to_owned()), ..Options::default() }).unwrap_err();
        assert!(error.hint().unwrap().contains("tables"));
    }

    #[test]
    fn formulas_do_not_run() {
        let mut out = String::new();
        let cells = ["=1+2", "-5", "+x", "@SUM(a)", "a\"b", "x,y", "\u{1b}[0m", "−3"];
        line(&mut out, cells.map(str::to_owned));
        assert_eq!(out, "\"'=1+2\",-5,\"'+x\",\"'@SUM(a)\",\"a\"\"b\",\"x,y\",\\u{1b}[0m,−3\r\n");
    }

    #[test]
    fn without_a_table_it_is_the_findings() {
        let report = golden();
        let text = write(&report, &Options::default()).unwrap();
        assert_eq!(text.lines().count(), report.findings.len() + 1);
        assert!(text.contains("F-01"));
    }
}
