//! How much of a table a condition leaves, as pg_stats lets one expect.
//!
//! Formulas: PostgreSQL manual, Row Estimation Examples; defaults for unknown ranges as in `selfuncs.h`.

use super::access::{Ask, Condition};
use super::clause::Clause;
use super::shape::clause;
use super::table::{Column, Table};
use crate::advisor::sql::{Operand, Test, Value};

/// One bound of unknown value.
const OPEN_RANGE: f64 = 1.0 / 3.0;
/// Two bounds of unknown values, or a prefix.
const CLOSED_RANGE: f64 = 0.005;
/// Elements of a list of unknown length.
const ELEMENTS: f64 = 3.0;
/// A list never passes for more than this.
const MOST_OF_A_LIST: f64 = 0.5;
/// Distinct values where nothing is known, as the planner assumes.
const UNKNOWN_DISTINCT: f64 = 200.0;

/// Shares of the rows that an unknown value equals: on average, at worst, and whether statistics say so.
pub fn equal(table: &Table<'_>, column: &str) -> (f64, f64, bool) {
    match table.columns.get(column) {
        Some(c) if c.distinct >= 1.0 => {
            let share = ((1.0 - c.nulls) / c.distinct).clamp(1.0 / table.rows, 1.0);
            (share, c.top.max(share), true)
        }
        _ if is_key(table, column) => (1.0 / table.rows, 1.0 / table.rows, true),
        _ => (1.0 / UNKNOWN_DISTINCT.min(table.rows), 1.0, false),
    }
}

/// Distinct values of a column.
pub fn distinct(table: &Table<'_>, column: &str) -> f64 {
    1.0 / equal(table, column).0
}

/// Whether a unique index of the whole table is on this column alone.
fn is_key(table: &Table<'_>, column: &str) -> bool {
    let alone = |s: &super::shape::Shape| matches!(s.keys.as_slice(), [k] if k.operand == Some(Operand::Column(column.to_owned())));
    table.indexes.iter().any(|(_, s)| s.unique && s.predicate.is_empty() && alone(s))
}

/// Share of a value that the text shows.
fn literal(column: &Column, text: &str, rows: f64) -> f64 {
    let value = text
        .strip_prefix('\'')
        .and_then(|t| t.strip_suffix('\''))
        .map_or_else(|| text.to_owned(), |t| t.replace("''", "'"));
    if let Some((_, share)) = column.common.iter().find(|(v, _)| *v == value) {
        return *share;
    }
    let rest = 1.0 - column.nulls - column.common.iter().map(|(_, s)| s).sum::<f64>();
    let others = (column.distinct - column.common.len() as f64).max(1.0);
    (rest.max(0.0) / others).clamp(1.0 / rows, 1.0)
}

/// Share of a boolean's value. Where the export leaves the values out, that of the rarer one: a statement that asks for
/// the common one reads what it returns, and is not looked at further.
fn boolean(column: Option<&Column>, value: &str) -> Option<f64> {
    let column = column?;
    let found = column.common.iter().find(|(v, _)| v == value).map(|(_, s)| *s);
    if found.is_some() || !column.common.is_empty() {
        // All values are common ones: what is not among them does not occur.
        return Some(found.unwrap_or(0.0));
    }
    match column.rarest {
        Some(rarest) if column.distinct >= 2.0 => Some(rarest),
        _ => None,
    }
}

/// Share of the rows that a condition of a partial index leaves.
pub fn clause_share(table: &Table<'_>, clause: &Clause) -> f64 {
    let column = clause.column().and_then(|c| table.columns.get(c));
    let share = match clause {
        Clause::IsNull(_) => column.map(|c| c.nulls),
        Clause::IsNotNull(_) => column.map(|c| 1.0 - c.nulls),
        Clause::IsTrue(_) => boolean(column, "t"),
        Clause::IsFalse(_) => boolean(column, "f"),
        Clause::Equal(_, text) => column.map(|c| literal(c, text, table.rows)),
        Clause::Other => None,
    };
    share.unwrap_or(0.5).clamp(1.0 / table.rows, 1.0)
}

/// A test, weighed; `None` for those that say nothing about an index.
pub fn weigh(table: &Table<'_>, operand: &Operand, test: &Test) -> Option<Condition> {
    let name = operand.column();
    let column = table.columns.get(name);
    let (each, top, known) = equal(table, name);
    let nulls = column.map_or(0.0, |c| c.nulls);
    let floor = |share: f64| share.clamp(1.0 / table.rows, 1.0);
    let (ask, share, worst, known) = match test {
        Test::Equal(Value::Literal(text)) => match (column, operand) {
            (Some(c), Operand::Column(_)) if known => {
                let share = literal(c, text, table.rows);
                (Ask::Equal, share, share, true)
            }
            _ => (Ask::Equal, each, top, known),
        },
        Test::Equal(_) => (Ask::Equal, each, top, known),
        Test::OneOf(elements) => {
            let n = elements.map_or(ELEMENTS, |n| n as f64).max(1.0);
            (Ask::OneOf(n), (n * each).min(MOST_OF_A_LIST), (top + (n - 1.0) * each).min(1.0), known)
        }
        Test::IsNull => (Ask::Equal, nulls, nulls, column.is_some()),
        Test::IsNotNull => (Ask::Filter, 1.0 - nulls, 1.0 - nulls, column.is_some()),
        Test::IsTrue | Test::IsFalse => {
            let share = boolean(column, if *test == Test::IsTrue { "t" } else { "f" });
            let share_or_half = share.unwrap_or(0.5);
            (Ask::Equal, share_or_half, share_or_half, share.is_some())
        }
        Test::Range { low, high, then } => {
            let share = (1.0 - nulls) * if *low && *high { CLOSED_RANGE } else { OPEN_RANGE };
            (Ask::Range(then.clone()), share, share, column.is_some())
        }
        Test::Prefix => (Ask::Prefix, CLOSED_RANGE, CLOSED_RANGE, column.is_some()),
        Test::Like(Some(pattern)) if has_prefix(pattern) => (Ask::Prefix, CLOSED_RANGE, CLOSED_RANGE, column.is_some()),
        Test::InBlock(_) | Test::Like(_) => return None,
    };
    Some(Condition {
        operand: operand.clone(),
        ask,
        share: floor(share),
        worst: floor(worst),
        clause: clause(operand, test),
        known,
    })
}

/// Whether a pattern of LIKE begins with letters that every match shares.
pub fn has_prefix(pattern: &str) -> bool {
    let text = pattern.trim_start_matches(['E', 'e']).trim_start_matches('\'');
    text.chars().take_while(|c| !matches!(c, '%' | '_' | '\\' | '\'')).count() >= 2
}

/// Brings together what bounds the same column from both sides.
pub fn close_ranges(tests: &mut Vec<(Operand, Test)>) {
    let mut at = 0;
    while at < tests.len() {
        let later = tests.iter().enumerate().skip(at + 1).find_map(|(i, (operand, test))| {
            let (first, Test::Range { low, high, then }) = tests.get(at)? else { return None };
            match test {
                Test::Range { low: l, high: h, then: t } if operand == first && then.is_empty() && t.is_empty() => {
                    Some((i, *low || *l, *high || *h))
                }
                _ => None,
            }
        });
        match later {
            Some((i, low, high)) => {
                tests.remove(i);
                if let Some((_, test)) = tests.get_mut(at) {
                    *test = Test::Range { low, high, then: Vec::new() };
                }
            }
            None => at += 1,
        }
    }
}
