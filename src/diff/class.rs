//! The verdict on a row, and exact differences.

use crate::snapshot::Value;
use crate::unit::Number;
use serde::{Deserialize, Serialize, Serializer};

/// What may be said about a row's counters over a window; the order is from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Class {
    /// No reset: B − A is exact.
    #[serde(rename = "ok")]
    Ok,
    /// Created in the window: B, exact since creation unless noted.
    #[serde(rename = "new")]
    New,
    /// No sign of a reset of this row, but one elsewhere could hide one: B − A is a lower bound.
    #[serde(rename = "ok?")]
    OkUnsure,
    /// Reset in the window, proven: B is a lower bound.
    #[serde(rename = "reset")]
    Reset,
    /// A counter fell without other evidence: B is a lower bound.
    #[serde(rename = "reset?")]
    ResetUnsure,
    /// In the earlier snapshot only: no delta.
    #[serde(rename = "gone")]
    Gone,
}

impl Class {
    /// The spelling in JSON and CSV.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::New => "new",
            Self::OkUnsure => "ok?",
            Self::Reset => "reset",
            Self::ResetUnsure => "reset?",
            Self::Gone => "gone",
        }
    }

    /// Whether counters that were counting started again.
    pub const fn began_again(self) -> bool {
        matches!(self, Self::Reset | Self::ResetUnsure)
    }

    /// Whether the delta is exact by class alone (a `new` row's notes may still make it a bound).
    pub const fn is_exact(self) -> bool {
        matches!(self, Self::Ok | Self::New)
    }
}

/// An exact difference or sum: integers stay integers, whatever their size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Exact {
    /// A whole number.
    Int(i128),
    /// A double.
    Float(f64),
}

impl Exact {
    /// A cell's number; `None` for NULL and for what is no number.
    pub const fn of(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Int(n) | Value::Interval(n) => Some(Self::Int(n as i128)),
            Value::Numeric(n) => Some(Self::Int(n)),
            Value::Float(x) if x.is_finite() => Some(Self::Float(x)),
            Value::Float(_) | Value::Time(_) | Value::Null | Value::Bool(_) | Value::Text(_) => None,
        }
    }

    /// `self` − `earlier`. Doubles that fell by less than a billionth of their value differ by summation noise: 0.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        match (earlier, self) {
            (Self::Int(a), Self::Int(b)) => Self::Int(b.saturating_sub(a)),
            (a, b) => {
                let (a, b) = (a.as_f64(), b.as_f64());
                Self::Float(if b < a && !fell(a, b) { 0.0 } else { b - a })
            }
        }
    }

    /// Whether it is below zero.
    pub fn is_negative(self) -> bool {
        match self {
            Self::Int(n) => n < 0,
            Self::Float(x) => x < 0.0,
        }
    }

    /// Whether a counter fell from `self` to `later`, by more than float noise.
    pub fn fell_to(self, later: Self) -> bool {
        match (self, later) {
            (Self::Int(a), Self::Int(b)) => b < a,
            (a, b) => fell(a.as_f64(), b.as_f64()),
        }
    }

    /// For ratios.
    pub fn as_f64(self) -> f64 {
        match self {
            Self::Int(n) => n as f64,
            Self::Float(x) => x,
        }
    }

    /// As a report's number.
    pub fn number(self) -> Number {
        match self {
            Self::Int(n) => i64::try_from(n).map_or(Number::Float(n as f64), Number::Int),
            Self::Float(x) => Number::Float(x),
        }
    }

    /// Sum; exact while both are whole.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => Self::Int(a.saturating_add(b)),
            (a, b) => Self::Float(a.as_f64() + b.as_f64()),
        }
    }
}

/// Whether a sum of durations fell by more than 1e-9 of its value.
fn fell(before: f64, after: f64) -> bool {
    before - after > 1e-9 * before.abs()
}

impl Serialize for Exact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Self::Int(n) => match i64::try_from(n) {
                Ok(n) => serializer.serialize_i64(n),
                Err(_) => serializer.serialize_i128(n),
            },
            Self::Float(x) => serializer.serialize_f64(x),
        }
    }
}
