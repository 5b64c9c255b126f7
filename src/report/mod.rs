//! The report as plain data: blocks whose cells are quantities. JSON is this; every other format is a function of it.
//!
//! [`build`] makes it from what changed and what the advisor said. A section is one file in `sections/` and its line in
//! [`SECTIONS`]; formats know blocks and never a section.

mod absent;
mod baseline;
mod block;
mod build;
mod cells;
mod checks;
mod cite;
mod coverage;
mod draft;
mod headline;
mod history;
mod identity;
mod marks;
mod model;
mod names;
mod pulse;
mod redact;
mod register;
#[cfg(test)]
mod schema_tests;
mod sections;
mod signs;
mod sparks;
mod table;

pub use baseline::{Against, Baseline, Past, Standing};
pub use block::{
    Bar, Block, Bound, Card, Cell, Chart, ChecklistGroup, Column, ColumnKind, CoverageItem, CoverageState, FILE, Fact,
    Heat, HeatRow, Lane, Line, Mark, MarkKind, NoteKind, Panel, Part, Row, Spark, SqlBlock, Table,
};
pub use build::{Options, build, build_with};
pub use history::{Aside, History};
pub use model::{
    Action, Category, CheckLine, Deduction, EvidenceEntry, Exceptions, Horizon, Report, ReportFinding, SCHEMA, Section,
    Server, Since, Verdict, Window,
};
pub use pulse::Pulse;
pub use redact::{Redact, redact};
pub use sections::SECTIONS;
pub use signs::{AreaState, Meaning, Order};
