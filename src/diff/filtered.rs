//! Exports that a `LIMIT` cut: absence from them means nothing.

use crate::catalog::{Column, Kind, View};
use crate::snapshot::{Table, Value};

/// Round numbers that people put after `LIMIT`.
pub const LIMITS: [usize; 8] = [10, 20, 25, 50, 100, 200, 500, 1000];

/// Whether people sort by a column before they cut.
pub const fn is_sorted_by(column: &Column) -> bool {
    matches!(column.kind, Kind::Counter | Kind::Sum | Kind::Gauge | Kind::HighWater | Kind::Moment)
}

/// The column a table was cut by: it has exactly a round number of rows, in file order sorted downwards by that column.
pub fn cut_by(view: &View, table: &Table) -> Option<&'static str> {
    if !LIMITS.contains(&table.rows) || view.key.is_empty() {
        return None;
    }
    (0..view.columns.len())
        .filter(|c| is_sorted_by(&view.columns[*c]))
        .find(|c| is_sorted_down(table, *c))
        .map(|c| view.columns[c].name)
}

/// Whether a column falls from row to row, with enough different values not to do so by chance.
fn is_sorted_down(table: &Table, column: usize) -> bool {
    let mut steps = 0;
    let mut last: Option<f64> = None;
    for row in 0..table.rows {
        let value = match table.value(row, column) {
            Value::Int(n) => n as f64,
            Value::Numeric(n) => n as f64,
            Value::Float(x) => x,
            _ => return false,
        };
        match last {
            Some(before) if value > before => return false,
            Some(before) if value < before => steps += 1,
            _ => {}
        }
        last = Some(value);
    }
    steps * 2 >= table.rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::literal::table;

    fn cut(calls: &[i64]) -> Option<&'static str> {
        let rows: Vec<String> = calls.iter().enumerate().map(|(i, c)| format!("{i} | 1 | {c}")).collect();
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        let table = table("pg_stat_statements", "queryid | dbid | calls", &rows);
        cut_by(table.view?, &table)
    }

    #[test]
    fn sees_a_limit() {
        assert_eq!(cut(&[99, 80, 80, 40, 30, 20, 9, 8, 7, 1]), Some("calls"));
    }

    #[test]
    fn complete_exports_are_no_limit() {
        assert_eq!(cut(&[99, 80, 80, 40, 30, 20, 9, 8, 7]), None, "nine rows");
        assert_eq!(cut(&[0; 10]), None, "all alike");
        assert_eq!(cut(&[9, 0, 0, 0, 0, 0, 0, 0, 0, 0]), None, "sorted by chance");
        assert_eq!(cut(&[9, 8, 7, 6, 5, 4, 3, 2, 1, 9]), None, "not sorted");
    }
}
