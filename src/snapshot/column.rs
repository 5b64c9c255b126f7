//! Typed storage of one column.

use crate::catalog::Type;

/// Texts of one column, one after the other in one buffer.
#[derive(Clone, Debug, Default)]
pub struct TextData {
    bytes: String,
    /// End of each text in `bytes`; `NULL` is marked by the high bit.
    ends: Vec<u64>,
}

const NULL_BIT: u64 = 1 << 63;

impl TextData {
    /// Appends a text or NULL.
    pub fn push(&mut self, text: Option<&str>) {
        if let Some(text) = text {
            self.bytes.push_str(text);
        }
        let end = self.bytes.len() as u64;
        self.ends.push(if text.is_some() { end } else { end | NULL_BIT });
    }

    /// The text of a row; `None` is NULL or out of range.
    pub fn get(&self, row: usize) -> Option<&str> {
        let end = *self.ends.get(row)?;
        if end & NULL_BIT != 0 {
            return None;
        }
        let start = if row == 0 { 0 } else { self.ends[row - 1] & !NULL_BIT };
        self.bytes.get(start as usize..end as usize)
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Appends all rows of another column.
    pub fn append(&mut self, other: &Self) {
        let shift = self.bytes.len() as u64;
        self.bytes.push_str(&other.bytes);
        self.ends.extend(other.ends.iter().map(|e| ((e & !NULL_BIT) + shift) | (e & NULL_BIT)));
    }

    /// Gives back memory that growing reserved.
    pub fn shrink(&mut self) {
        self.bytes.shrink_to_fit();
        self.ends.shrink_to_fit();
    }
}

/// One column's values. NULL in the integer forms is [`Data::NULL_INT`], in floats NaN.
#[derive(Clone, Debug)]
pub enum Data {
    /// Integers, OIDs, transaction ids; also times (µs since 1970 UTC), intervals (µs) and LSNs (as `i64` bits).
    Int(Vec<i64>),
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
    /// Stands for NULL among integers. PostgreSQL could store it in a bigint, but no statistic is -2^63.
    pub const NULL_INT: i64 = i64::MIN;

    /// Empty storage for a catalog type.
    pub const fn for_type(ty: Type) -> Self {
        match ty {
            Type::Int | Type::Time | Type::Interval | Type::Lsn => Self::Int(Vec::new()),
            Type::Numeric => Self::Numeric(Vec::new()),
            Type::Float => Self::Float(Vec::new()),
            Type::Bool => Self::Bool(Vec::new()),
            Type::Text | Type::Array => Self::Text(TextData { bytes: String::new(), ends: Vec::new() }),
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
            Self::Int(v) => v.push(Self::NULL_INT),
            Self::Numeric(v) => v.push(None),
            Self::Float(v) => v.push(f64::NAN),
            Self::Bool(v) => v.push(2),
            Self::Text(v) => v.push(None),
        }
    }

    /// Whether a row is NULL (or out of range).
    pub fn is_null(&self, row: usize) -> bool {
        match self {
            Self::Int(v) => v.get(row).is_none_or(|n| *n == Self::NULL_INT),
            Self::Numeric(v) => v.get(row).is_none_or(Option::is_none),
            Self::Float(v) => v.get(row).is_none_or(|x| x.is_nan()),
            Self::Bool(v) => v.get(row).is_none_or(|b| *b > 1),
            Self::Text(v) => v.get(row).is_none(),
        }
    }
}
