//! One view's rows, and access to them by row and column name.

use super::{Data, Places, TextData};
use crate::catalog::{Type, View};
use crate::time::Timestamp;
use crate::unit::{Number, Quantity};
use std::sync::Arc;

/// Where a table's rows were read from.
#[derive(Clone, Debug, Default)]
pub struct Source {
    /// The file, as in [`crate::meta::SourceFile::path`].
    pub file: Arc<str>,
    /// For a JSON array its pointer (`/pg_stat_user_tables`, or empty at the top), else `None`: rows are lines then.
    pub pointer: Option<String>,
    /// Line of each row, or its position in the JSON array.
    pub places: Places,
}

/// One view of one snapshot.
#[derive(Clone, Debug)]
pub struct Table {
    /// The catalog's description; `None` for a relation nobody knows.
    pub view: Option<&'static View>,
    /// The view's catalog name, or the unknown relation's own.
    pub name: String,
    /// The name it was exported under (`pg_stat_all_tables`).
    pub exported_as: String,
    /// Number of rows.
    pub rows: usize,
    /// By position in `view.columns`; `None` where the column was not exported.
    pub columns: Vec<Option<Data>>,
    /// Columns the catalog does not know, as text.
    pub extra: Vec<(String, TextData)>,
    /// Server time at which this file was taken (`clock_timestamp` column), where exported.
    pub taken_at: Option<Timestamp>,
    /// Where the rows came from; several when files were merged.
    pub sources: Vec<Source>,
    /// For each row its source and its position in it; empty means source 0 in order.
    pub origin: Vec<(u16, u32)>,
}

/// A cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// NULL, or a column that was not exported.
    Null,
    /// An integer, OID, transaction id, LSN.
    Int(i64),
    /// A whole number of any size.
    Numeric(i128),
    /// A double.
    Float(f64),
    /// A boolean.
    Bool(bool),
    /// A text or array.
    Text(&'a str),
    /// A point in time.
    Time(Timestamp),
    /// An interval in microseconds.
    Interval(i64),
}

impl Table {
    /// An empty table of a view, no column exported.
    pub fn empty(view: &'static View) -> Self {
        Self {
            view: Some(view),
            name: view.name.to_owned(),
            exported_as: view.name.to_owned(),
            rows: 0,
            columns: vec![None; view.columns.len()],
            extra: Vec::new(),
            taken_at: None,
            sources: Vec::new(),
            origin: Vec::new(),
        }
    }

    /// An empty relation that nobody knows.
    pub fn unknown(name: &str) -> Self {
        Self {
            view: None,
            name: name.to_owned(),
            exported_as: name.to_owned(),
            rows: 0,
            columns: Vec::new(),
            extra: Vec::new(),
            taken_at: None,
            sources: Vec::new(),
            origin: Vec::new(),
        }
    }

    /// The storage of a column by its present name; `None` where it was not exported.
    pub fn data(&self, column: &str) -> Option<&Data> {
        let (i, _) = self.view?.column(column)?;
        self.columns.get(i)?.as_ref()
    }

    /// Whether a column was exported.
    pub fn has(&self, column: &str) -> bool {
        self.data(column).is_some()
    }

    /// A row by position.
    pub const fn row(&self, index: usize) -> Row<'_> {
        Row { table: self, index }
    }

    /// All rows: in file order, those of large tables in the order of their keys.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Row<'_>> {
        (0..self.rows).map(|index| Row { table: self, index })
    }

    /// The cell of a row by the column's position in the view.
    pub fn value(&self, row: usize, column: usize) -> Value<'_> {
        let (Some(view), Some(Some(data))) = (self.view, self.columns.get(column)) else {
            return Value::Null;
        };
        match data {
            Data::Int(v) => v.get(row).map_or(Value::Null, |n| match view.columns[column].ty {
                Type::Time => Value::Time(Timestamp(n)),
                Type::Interval => Value::Interval(n),
                _ => Value::Int(n),
            }),
            Data::Numeric(v) => v.get(row).copied().flatten().map_or(Value::Null, Value::Numeric),
            Data::Float(v) => v.get(row).filter(|x| !x.is_nan()).map_or(Value::Null, |x| Value::Float(*x)),
            Data::Bool(v) => v.get(row).filter(|b| **b < 2).map_or(Value::Null, |b| Value::Bool(*b == 1)),
            Data::Text(v) => v.get(row).map_or(Value::Null, Value::Text),
        }
    }

    /// File and place of a row in the user's input, for evidence: `("…/pg_stat_user_tables.csv", "line 17")`.
    pub fn place(&self, row: usize) -> Option<(&str, String)> {
        let (source, at) = self.origin.get(row).map_or((0, row), |(s, at)| (usize::from(*s), *at as usize));
        let source = self.sources.get(source)?;
        let place = source.places.get(at)?;
        let text = source.pointer.as_ref().map_or_else(|| format!("line {place}"), |p| format!("{p}/{place}"));
        Some((&source.file, text))
    }
}

/// A row of a table.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    table: &'a Table,
    index: usize,
}

impl<'a> Row<'a> {
    /// Its position in the table.
    pub const fn index(self) -> usize {
        self.index
    }

    /// The table it belongs to.
    pub const fn table(self) -> &'a Table {
        self.table
    }

    /// A cell by the column's present name.
    pub fn get(self, column: &str) -> Value<'a> {
        self.table.view.and_then(|v| v.column(column)).map_or(Value::Null, |(i, _)| self.table.value(self.index, i))
    }

    /// An integer; `None` where NULL, not exported or of another type.
    pub fn int(self, column: &str) -> Option<i64> {
        match self.get(column) {
            Value::Int(n) | Value::Interval(n) => Some(n),
            Value::Numeric(n) => i64::try_from(n).ok(),
            Value::Time(t) => Some(t.0),
            _ => None,
        }
    }

    /// A number as a double, for ratios.
    pub fn f64(self, column: &str) -> Option<f64> {
        match self.get(column) {
            Value::Int(n) | Value::Interval(n) => Some(n as f64),
            Value::Numeric(n) => Some(n as f64),
            Value::Float(x) => Some(x),
            _ => None,
        }
    }

    /// A text.
    pub fn text(self, column: &str) -> Option<&'a str> {
        match self.get(column) {
            Value::Text(s) => Some(s),
            _ => None,
        }
    }

    /// A boolean.
    pub fn bool(self, column: &str) -> Option<bool> {
        match self.get(column) {
            Value::Bool(b) => Some(b),
            _ => None,
        }
    }

    /// A point in time.
    pub fn time(self, column: &str) -> Option<Timestamp> {
        match self.get(column) {
            Value::Time(t) => Some(t),
            _ => None,
        }
    }

    /// The elements of an array column, unquoted; empty where NULL.
    pub fn array(self, column: &str) -> Vec<String> {
        self.text(column).map(parse_array).unwrap_or_default()
    }

    /// A number with its catalog unit.
    pub fn quantity(self, column: &str) -> Option<Quantity> {
        let (i, description) = self.table.view?.column(column)?;
        match self.table.value(self.index, i) {
            Value::Int(n) => Some(Quantity::int(n, description.unit)),
            Value::Numeric(n) => match i64::try_from(n) {
                Ok(n) => Some(Quantity::int(n, description.unit)),
                Err(_) => Quantity::float(n as f64, description.unit),
            },
            Value::Interval(us) => Quantity::float(us as f64 / 1e6, crate::unit::Unit::Seconds),
            Value::Float(x) => Quantity::float(x, description.unit),
            Value::Time(t) => Some(Quantity::time(t)),
            Value::Null | Value::Bool(_) | Value::Text(_) => None,
        }
    }

    /// File and place of the row, for evidence.
    pub fn place(self) -> Option<(&'a str, String)> {
        self.table.place(self.index)
    }
}

impl Value<'_> {
    /// The number as [`Number`]; texts, booleans and NULL are `None`.
    pub fn number(self) -> Option<Number> {
        match self {
            Self::Int(n) | Self::Interval(n) => Some(Number::Int(n)),
            Self::Numeric(n) => Some(i64::try_from(n).map_or(Number::Float(n as f64), Number::Int)),
            Self::Float(x) => Some(Number::Float(x)),
            Self::Time(t) => Some(Number::Int(t.0)),
            Self::Null | Self::Bool(_) | Self::Text(_) => None,
        }
    }
}

/// The elements of a one-dimensional array in PostgreSQL's text form: `{a,"b,c",NULL}`. NULL elements are left out.
pub fn parse_array(text: &str) -> Vec<String> {
    let Some(body) = text.trim().strip_prefix('{').and_then(|t| t.strip_suffix('}')) else {
        return Vec::new();
    };
    let mut out = Vec::new();
    let mut current = String::new();
    let (mut quoted, mut was_quoted, mut any) = (false, false, false);
    let mut chars = body.chars();
    while let Some(c) = chars.next() {
        any = true;
        match c {
            '\\' => current.extend(chars.next()),
            '"' => {
                quoted = !quoted;
                was_quoted = true;
            }
            ',' if !quoted => {
                if was_quoted || current != "NULL" {
                    out.push(std::mem::take(&mut current));
                }
                current.clear();
                was_quoted = false;
            }
            c => current.push(c),
        }
    }
    if any && (was_quoted || current != "NULL") {
        out.push(current);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::parse_array;

    #[test]
    fn splits_arrays() {
        for (text, want) in [
            ("{}", vec![]),
            ("{a,b}", vec!["a", "b"]),
            (r#"{"a,b",NULL,"NULL","q\"x",""}"#, vec!["a,b", "NULL", "q\"x", ""]),
            ("not an array", vec![]),
        ] {
            assert_eq!(parse_array(text), want, "{text}");
        }
    }
}
