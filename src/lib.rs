//! PostgreSQL in hindsight: files in, report out; no connection, no network, no clock.
//!
//! ```text
//! files ──► ingest ──► Snapshot ──► diff ──► Chain ──► advisor ──► Report ──► render ──► html, md, json, terminal
//! (csv, json)          (typed       (deltas with       (findings,  (plain     (pure)
//!                       columns)     their class)       plan)       data)
//! ```
//!
//! Modules in floor order; each imports only what stands above it.
//!
//! 1. vocabulary: `error`, `unit`, `version`, `time`, `ident`, `suggest`, `text`, `meta`, `finding`,
//!    `toml_file`, `staged`
//! 2. `catalog`: what PostgreSQL exports; `explain`: its plans as trees
//! 3. `snapshot`, `pack`, `ingest`: files to typed columns
//! 4. `diff`, `trend`: change over time
//! 5. `advisor`: rules
//! 6. `report`: blocks
//! 7. `check`: a policy against dumps
//! 8. `render`: text
//! 9. `cli`: the command line

pub mod error;
pub mod finding;
pub mod ident;
pub mod meta;
pub mod staged;
pub mod suggest;
pub mod text;
pub mod time;
pub mod toml_file;
pub mod unit;
pub mod version;

pub mod catalog;
pub mod explain;

pub mod ingest;
pub mod pack;
pub mod snapshot;

pub mod diff;
pub mod trend;

pub mod advisor;

pub mod report;

pub mod check;

pub mod render;

pub mod cli;
