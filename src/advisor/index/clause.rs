//! Conditions that a partial index can have: what the text of a statement shows, no parameters.

use crate::ident::{quote_ident, visible};

/// One conjunct of a partial index's predicate.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Clause {
    /// `column IS NULL`.
    IsNull(String),
    /// `column IS NOT NULL`.
    IsNotNull(String),
    /// A boolean column.
    IsTrue(String),
    /// `NOT` a boolean column.
    IsFalse(String),
    /// `column = literal`, the literal as the statement spells it.
    Equal(String, String),
    /// Anything else: never proven by a statement.
    Other,
}

impl Clause {
    /// As SQL, the column quoted.
    pub fn sql(&self) -> String {
        match self {
            Self::IsNull(c) => format!("{} IS NULL", quote_ident(c)),
            Self::IsNotNull(c) => format!("{} IS NOT NULL", quote_ident(c)),
            Self::IsTrue(c) => quote_ident(c),
            Self::IsFalse(c) => format!("NOT {}", quote_ident(c)),
            Self::Equal(c, literal) => format!("{} = {literal}", quote_ident(c)),
            Self::Other => String::from("…"),
        }
    }

    /// For people.
    pub fn words(&self) -> String {
        match self {
            Self::IsNull(c) => format!("{} IS NULL", visible(c)),
            Self::IsNotNull(c) => format!("{} IS NOT NULL", visible(c)),
            Self::IsTrue(c) => visible(c).into_owned(),
            Self::IsFalse(c) => format!("NOT {}", visible(c)),
            Self::Equal(c, literal) => format!("{} = {}", visible(c), visible(literal)),
            Self::Other => String::from("…"),
        }
    }

    /// The column it is about.
    pub fn column(&self) -> Option<&str> {
        match self {
            Self::IsNull(c) | Self::IsNotNull(c) | Self::IsTrue(c) | Self::IsFalse(c) | Self::Equal(c, _) => Some(c),
            Self::Other => None,
        }
    }
}
