//! The blocks a section is made of. Renderers know these and never a section.

mod chart;
mod table;

pub use chart::{Chart, Heat, HeatRow, Lane, Line, Mark, MarkKind, Panel, Part};
pub use table::{Bar, Bound, Cell, Column, ColumnKind, FILE, Row, Spark, Table};

use crate::finding::{Confidence, Severity};
use crate::text::Text;
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
    /// The servers it is for, where the report is of several.
    #[serde(default)]
    pub nodes: Vec<String>,
}

/// One expected source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CoverageItem {
    /// The view.
    pub name: String,
    /// Captured, empty or missing.
    pub state: CoverageState,
    /// For a missing one: what it disables, check by check. For another: rows.
    pub remark: String,
    /// For a missing one: what it disables, in short.
    #[serde(default)]
    pub in_short: String,
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
