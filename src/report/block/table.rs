//! Tables and what stands in their cells.

use super::Block;
use crate::finding::{Confidence, Severity};
use crate::report::{AreaState, Meaning, Order};
use crate::text::{Span, Text};
use crate::unit::Quantity;
use serde::{Deserialize, Serialize};

/// Rows and columns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Table {
    /// Unique in the report, for anchors and filters.
    pub id: String,
    /// Its name.
    pub title: String,
    /// One line on what it shows, and from which views.
    pub about: Text,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its rows, most telling first; at most 20,000.
    pub rows: Vec<Row>,
    /// How many rows there are in all, when cut.
    pub rows_in_all: u64,
    /// Totals over all rows, cut or not, by column; empty: none.
    pub totals: Vec<Cell>,
    /// What an empty table says: "None found in 9 tables".
    pub empty: String,
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Column {
    /// Header.
    pub label: String,
    /// What its cells are.
    pub kind: ColumnKind,
    /// How its values order the rows; one column of a table at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<Order>,
}

/// What the cells of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ColumnKind {
    /// The row's name: row header, filter target.
    Name,
    /// Words, left-aligned.
    Text,
    /// Numbers, right-aligned.
    Number,
    /// Bars, sparklines.
    Graphic,
}

/// A row of a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Row {
    /// One cell per column.
    pub cells: Vec<Cell>,
    /// What unfolds under the row: definition, history, place in the input.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub detail: Vec<Block>,
}

/// A cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Cell {
    /// Unknown; prints `n/a`, with the reason.
    NotAvailable(String),
    /// Not meaningful here; prints `–`.
    None,
    /// Words, names, code, links.
    Text(Text),
    /// A number.
    Number {
        /// The value in the last snapshot, or over the window.
        value: Quantity,
        /// Its change over the window: a zero prints `=`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        change: Option<Quantity>,
        /// Exact, or a bound.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        bound: Option<Bound>,
    },
    /// A number with a bar beside it.
    Bar(Bar),
    /// A history in a cell.
    Spark(Spark),
    /// A change that stands alone.
    Change {
        /// How much, with its sign.
        change: Quantity,
        /// What it means, where that is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        meaning: Option<Meaning>,
    },
    /// A severity: shape and word.
    Severity(Severity),
    /// How an area stands in which nothing was found: shape and word.
    State(AreaState),
    /// A confidence: bars and word.
    Confidence(Confidence),
}

/// The head of columns of files that were read: a page says the folder of all of them once.
pub const FILE: &str = "File";

impl Cell {
    /// A plain number.
    pub const fn number(value: Quantity) -> Self {
        Self::Number { value, change: None, bound: None }
    }

    /// A number, or `n/a` with a reason.
    pub fn number_or(value: Option<Quantity>, reason: &str) -> Self {
        value.map_or_else(|| Self::NotAvailable(reason.to_owned()), Self::number)
    }

    /// Plain words.
    pub fn text(words: impl Into<String>) -> Self {
        Self::Text(Text::new().t(words))
    }

    /// An object's name.
    pub fn name(name: impl Into<String>) -> Self {
        Self::Text(Text::new().name(name))
    }

    /// The name that a cell is, and nothing beside it.
    pub fn as_name(&self) -> Option<&str> {
        match self {
            Self::Text(Text(spans)) => match spans.as_slice() {
                [Span::Name(name)] => Some(name),
                _ => None,
            },
            _ => None,
        }
    }

    /// Code.
    pub fn code(code: impl Into<String>) -> Self {
        Self::Text(Text::new().code(code))
    }
}

/// What a number is a bound of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// Prints `≥`.
    AtLeast,
    /// Prints `≤`.
    AtMost,
    /// Prints `(est.)`.
    Estimate,
}

/// A bar in a cell; bars of one column share one scale.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Bar {
    /// The number beside it.
    pub value: Quantity,
    /// Its length, 0 to 1 of the column's scale.
    pub fraction: f64,
    /// Where the threshold stands, 0 to 1.
    pub mark: Option<f64>,
}

/// A small history. A reset is a gap, never a dip.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Spark {
    /// One value per snapshot or window; `None` is a gap.
    pub points: Vec<Option<f64>>,
    /// Positions of points before which the statistics were reset.
    pub resets: Vec<usize>,
    /// Positions of points before which the server was restarted or crashed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub restarts: Vec<usize>,
    /// The values in words.
    pub label: String,
}
