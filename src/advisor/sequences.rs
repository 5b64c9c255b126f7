//! Sequences: where they begin and end, and how far they are.

use super::Context;
use crate::snapshot::Row;

/// A sequence with what is left of it. All arithmetic in wide integers: bigint differences overflow 64 bits.
#[derive(Debug)]
pub struct Use<'a> {
    /// Its row of `pg_sequences`.
    pub row: Row<'a>,
    /// Its row of `sequence_columns`.
    pub column: Option<Row<'a>>,
    /// Where it begins.
    pub first: i128,
    /// Where it ends: its own limit, or that of the column.
    pub limit: i128,
    /// The last value drawn.
    pub last: i128,
    /// From value to value.
    pub step: i128,
    /// Whether it is the column's type that ends it.
    pub by_column: bool,
}

impl<'a> Use<'a> {
    /// Reads it; `None` where it was not used yet, or nothing is known of its limits.
    pub fn of(cx: &Context<'a>, row: Row<'a>) -> Option<Self> {
        let number = |name| row.int(name).map(i128::from);
        // The smallest bigint stands for NULL in a snapshot, and no sequence is without a smallest value.
        let min = number("min_value").unwrap_or_else(|| i128::from(i64::MIN));
        let (max, last) = (number("max_value")?, number("last_value")?);
        let step = number("increment_by").filter(|n| *n != 0)?;
        let column = column_of(cx, row);
        let bound = column.and_then(|c| type_max(c.text("column_type")?));
        let own = if step > 0 { max } else { min };
        let (first, limit) = if step > 0 {
            (min, bound.map_or(max, |b| max.min(b)))
        } else {
            (max, bound.map_or(min, |b| min.max(-b - 1)))
        };
        (first != limit).then_some(Self { row, column, first, limit, last, step, by_column: limit != own })
    }

    /// The share that is used.
    pub fn used(&self) -> f64 {
        ((self.last - self.first) as f64 / (self.limit - self.first) as f64).clamp(0.0, 1.0)
    }

    /// What its own limit is.
    pub fn own(&self) -> Own {
        let own = if self.step > 0 { self.row.int("max_value") } else { self.row.int("min_value") };
        let own = own.map_or_else(|| i128::from(i64::MIN), i128::from);
        let end = |max: i128| if self.step > 0 { max } else { -max - 1 };
        if own == end(i128::from(i64::MAX)) {
            return Own::Last;
        }
        match self.row.text("data_type").and_then(type_max) {
            Some(max) if own != end(max) => Own::Chosen,
            _ => Own::Type,
        }
    }

    /// Numbers that can still be drawn.
    pub fn remaining(&self) -> i128 {
        ((self.limit - self.last) / self.step).max(0)
    }

    /// Its schema and name.
    pub fn name(&self) -> (&'a str, &'a str) {
        (self.row.text("schemaname").unwrap_or_default(), self.row.text("sequencename").unwrap_or_default())
    }
}

/// What a sequence's own limit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Own {
    /// That of its type: a wider type moves it.
    Type,
    /// Another one: a wider type keeps it.
    Chosen,
    /// That of bigint, beyond which there is none.
    Last,
}

/// The column a sequence feeds.
fn column_of<'a>(cx: &Context<'a>, sequence: Row<'a>) -> Option<Row<'a>> {
    let of = |r: &Row<'_>| {
        r.text("schemaname") == sequence.text("schemaname") && r.text("sequencename") == sequence.text("sequencename")
    };
    cx.state("sequence_columns")?.table.iter().find(of)
}

/// The largest value of an integer type; `None` for types that outlast any sequence.
fn type_max(name: &str) -> Option<i128> {
    match name {
        "smallint" | "int2" => Some(i128::from(i16::MAX)),
        "integer" | "int4" | "int" => Some(i128::from(i32::MAX)),
        "bigint" | "int8" => Some(i128::from(i64::MAX)),
        _ => None,
    }
}
