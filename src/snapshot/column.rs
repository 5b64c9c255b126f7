//! Typed storage of one column.

use super::{Ints, TextData};
use crate::catalog::Type;

/// One column's values. NULL in floats is NaN; the other forms say it themselves.
#[derive(Clone, Debug)]
pub enum Data {
    /// Integers, OIDs, transaction ids; also times (µs since 1970 UTC), intervals (µs) and LSNs (as `i64` bits).
    Int(Ints),
    /// Whole numbers of any size.
    Numeric(Vec<Option<i128>>),
    /// Doubles.
    Float(Vec<f64>),
    /// Booleans: 0, 1, or 2 for NULL.
    Bool(Vec<u8>),
    /// Texts and arrays.
    Text(TextData),
}

impl Data {
    /// Empty storage for a catalog type.
    pub const fn for_type(ty: Type) -> Self {
        match ty {
            Type::Int | Type::Time | Type::Interval | Type::Lsn => Self::Int(Ints::new()),
            Type::Numeric => Self::Numeric(Vec::new()),
            Type::Float => Self::Float(Vec::new()),
            Type::Bool => Self::Bool(Vec::new()),
            Type::Text | Type::Array => Self::Text(TextData::new()),
        }
    }

    /// Empty storage with room for so many bytes of whole numbers or of texts that are mostly distinct.
    pub fn with_room(ty: Type, bytes: usize) -> Self {
        match Self::for_type(ty) {
            Self::Int(_) => Self::Int(Ints::with_room(bytes)),
            Self::Text(_) => Self::Text(TextData::with_room(bytes)),
            other => other,
        }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        match self {
            Self::Int(v) => v.len(),
            Self::Numeric(v) => v.len(),
            Self::Float(v) => v.len(),
            Self::Bool(v) => v.len(),
            Self::Text(v) => v.len(),
        }
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends NULL.
    pub fn push_null(&mut self) {
        match self {
            Self::Int(v) => v.push(Ints::NULL),
            Self::Numeric(v) => v.push(None),
            Self::Float(v) => v.push(f64::NAN),
            Self::Bool(v) => v.push(2),
            Self::Text(v) => v.push(None),
        }
    }

    /// Appends all rows of another column of the same form; NULL where the forms differ.
    pub fn append(&mut self, other: &Self) {
        match (self, other) {
            (Self::Int(to), Self::Int(from)) => to.append(from),
            (Self::Numeric(to), Self::Numeric(from)) => to.extend_from_slice(from),
            (Self::Float(to), Self::Float(from)) => to.extend_from_slice(from),
            (Self::Bool(to), Self::Bool(from)) => to.extend_from_slice(from),
            (Self::Text(to), Self::Text(from)) => to.append(from),
            (to, from) => (0..from.len()).for_each(|_| to.push_null()),
        }
    }

    /// Appends a row of another column of the same form; NULL where the forms differ.
    pub fn push_from(&mut self, other: &Self, row: usize) {
        match (self, other) {
            (Self::Int(to), Self::Int(from)) => to.push(from.raw(row)),
            (Self::Numeric(to), Self::Numeric(from)) => to.push(from.get(row).copied().flatten()),
            (Self::Float(to), Self::Float(from)) => to.push(from.get(row).copied().unwrap_or(f64::NAN)),
            (Self::Bool(to), Self::Bool(from)) => to.push(from.get(row).copied().unwrap_or(2)),
            (Self::Text(to), Self::Text(from)) => to.push(from.get(row)),
            (to, _) => to.push_null(),
        }
    }

    /// Gives back memory that growing reserved.
    pub fn shrink(&mut self) {
        match self {
            Self::Int(v) => v.shrink(),
            Self::Numeric(v) => v.shrink_to_fit(),
            Self::Float(v) => v.shrink_to_fit(),
            Self::Bool(v) => v.shrink_to_fit(),
            Self::Text(v) => v.shrink(),
        }
    }

    /// Whether a row is NULL (or out of range).
    pub fn is_null(&self, row: usize) -> bool {
        match self {
            Self::Int(v) => v.raw(row) == Ints::NULL,
            Self::Numeric(v) => v.get(row).is_none_or(Option::is_none),
            Self::Float(v) => v.get(row).is_none_or(|x| x.is_nan()),
            Self::Bool(v) => v.get(row).is_none_or(|b| *b > 1),
            Self::Text(v) => v.get(row).is_none(),
        }
    }
}
