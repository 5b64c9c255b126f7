//! The blocks a section is made of. Renderers know these and never a section.

use super::{AreaState, Meaning, Order};
use crate::finding::{Confidence, Severity};
use crate::text::Text;
use crate::time::Timestamp;
use crate::unit::Quantity;
use serde::{Deserialize, Serialize};

/// A piece of a section.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Block {
    /// A paragraph.
    Prose {
        /// The words.
        text: Text,
    },
    /// A heading inside the section.
    Heading {
        /// The words.
        text: String,
    },
    /// A remark set apart.
    Note {
        /// Its weight.
        kind: NoteKind,
        /// The words.
        text: Text,
    },
    /// Labelled values.
    Facts {
        /// What they are about.
        title: String,
        /// The values.
        items: Vec<Fact>,
    },
    /// Rows and columns.
    Table(Table),
    /// The verdict here: headline, reason, basis, counts by severity, what is new since the first snapshot.
    Verdict,
    /// The findings of the report, here.
    Findings,
    /// The score with its category rows, here.
    Scores,
    /// The checks of the report that are in one of these states, here.
    Checks {
        /// `passed`, `skipped`, `failed`.
        states: Vec<String>,
    },
    /// The register of evidence, here.
    Evidence,
    /// The plan's first steps as cards.
    Cards {
        /// At most three.
        cards: Vec<Card>,
    },
    /// SQL to run.
    Sql(SqlBlock),
    /// Code or text to read, not to run.
    Code {
        /// `sql`, `text`.
        language: String,
        /// The text.
        text: String,
    },
    /// A chart, with its numbers in words.
    Chart(Chart),
    /// One mark per expected source.
    Coverage {
        /// The sources.
        items: Vec<CoverageItem>,
    },
    /// Things to tick off.
    Checklist {
        /// Before, during, after.
        groups: Vec<ChecklistGroup>,
    },
    /// Folded away until asked for.
    Details {
        /// The line that is always seen.
        summary: Text,
        /// What unfolds.
        blocks: Vec<Block>,
    },
}

/// The weight of a note.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum NoteKind {
    /// Context.
    Info,
    /// Something limits what the numbers say.
    Warning,
    /// Not captured: what is missing, and how to get it.
    Missing,
}

/// A labelled value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Fact {
    /// The label.
    pub label: String,
    /// The value.
    pub value: Cell,
}

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

/// A card of the top actions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Card {
    /// What to do.
    pub title: Text,
    /// Why.
    pub why: Text,
    /// Its severity.
    pub severity: Severity,
    /// Its confidence.
    pub confidence: Confidence,
    /// `10 minutes`, `hours`, `days`.
    pub effort: String,
    /// The findings it answers.
    pub findings: Vec<String>,
}

/// A block of SQL.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SqlBlock {
    /// `Diagnose, read-only`, `Change setting`, `Drop`, ...
    pub title: String,
    /// The statements.
    pub sql: String,
    /// The lock, or "no lock".
    pub lock: String,
    /// The findings it belongs to.
    pub findings: Vec<String>,
    /// When not to.
    pub when_not: Option<Text>,
    /// What undoes it.
    pub undo: Option<String>,
}

/// A chart; each prints its numbers in words too.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "chart", rename_all = "snake_case")]
pub enum Chart {
    /// Two values per object, at most 8 objects.
    Slope {
        /// What is measured.
        title: String,
        /// The objects.
        lines: Vec<Line>,
    },
    /// Small panels with one history each.
    Multiples {
        /// What they show.
        title: String,
        /// The panels, in order.
        panels: Vec<Panel>,
    },
    /// Objects × time.
    Heatmap(Heat),
    /// Events on a time axis.
    Timeline {
        /// What it shows.
        title: String,
        /// Where the axis begins.
        from: Timestamp,
        /// Where it ends.
        to: Timestamp,
        /// A line for each kind of event.
        lanes: Vec<Lane>,
    },
    /// Parts of a whole.
    Strip {
        /// What is split.
        title: String,
        /// 3 to 5 parts.
        parts: Vec<Part>,
    },
}

/// A line of a slope chart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Line {
    /// The object.
    pub name: String,
    /// Its value in A.
    pub before: Quantity,
    /// Its value in B.
    pub after: Quantity,
    /// The change from A to B.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<Quantity>,
    /// Whether it is the one to look at.
    pub emphasised: bool,
}

/// A panel of small multiples.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Panel {
    /// What is measured.
    pub title: String,
    /// The last value.
    pub value: Quantity,
    /// The change over the window.
    pub change: Option<Quantity>,
    /// The snapshot that the value is of, from 1, where it is not the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_up_to: Option<usize>,
    /// The samples; `None` is a gap.
    pub points: Vec<(Timestamp, Option<f64>)>,
    /// Events on the time axis.
    pub marks: Vec<Mark>,
}

/// One number of several objects at several moments.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Heat {
    /// What is measured.
    pub title: String,
    /// Which objects these are.
    pub about: String,
    /// The moments, as short as they can be told apart.
    pub columns: Vec<String>,
    /// Positions of moments before which the statistics were reset.
    pub breaks: Vec<usize>,
    /// The objects, worst first.
    pub rows: Vec<HeatRow>,
}

/// An object of a heatmap.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct HeatRow {
    /// Its name.
    pub name: String,
    /// Its number at each moment; `None` is unknown.
    pub cells: Vec<Option<Quantity>>,
    /// How dark each is, 0 to 5.
    pub steps: Vec<Option<u8>>,
}

/// Events of one kind on a time axis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Lane {
    /// The kind.
    pub label: String,
    /// The events, in time order.
    pub marks: Vec<Mark>,
    /// Further ones that are not listed.
    pub further: u64,
}

/// An event on a time axis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Mark {
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: MarkKind,
    /// In words.
    pub label: String,
}

/// Kinds of events on a time axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum MarkKind {
    /// Statistics reset.
    Reset,
    /// Restart or crash.
    Restart,
    /// Anything else.
    Other,
}

/// A part of a strip.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Part {
    /// What it is.
    pub label: String,
    /// How much.
    pub value: Quantity,
}

/// One expected source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CoverageItem {
    /// The view.
    pub name: String,
    /// Captured, empty or missing.
    pub state: CoverageState,
    /// For a missing one: what it disables. For another: rows.
    pub remark: String,
    /// For a missing one: how to get it.
    pub how_to_get: String,
}

/// What became of an expected source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum CoverageState {
    /// Captured, with rows.
    Captured,
    /// Captured, without rows.
    Empty,
    /// Not captured.
    Missing,
    /// This version does not have it.
    NotApplicable,
}

/// Things to tick off in one phase.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ChecklistGroup {
    /// `Before`, `During`, `After`.
    pub title: String,
    /// The things.
    pub items: Vec<Text>,
}
