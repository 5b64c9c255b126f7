//! The packed history: snapshots as a Parquet data set, with everything that is known of them.
//!
//! ```text
//! DIR/manifest.json                              what there is: groups, files, sizes, SHA-256; written last
//! DIR/snapshots/000001.json                      the snapshots of a group: their meta, notes, source files, tables
//! DIR/view=pg_stat_user_tables/000001.parquet    their rows of one view
//! ```
//!
//! Each run of [`Writer`] adds groups of its own, so appending rewrites nothing but the manifest. `docs/packed-history.md`
//! describes the format for other programs.
//!
//! * `manifest`: what the JSON files say
//! * `columns`: a table's columns as Parquet's and back; the only module that names the crate
//! * `writer`, `store`: snapshots in, files out, whole or not at all
//! * `history`, `groups`: snapshots out again, each by itself; row groups that several share, decoded once
//! * `stretch`: rows of many snapshots as they stand in a row group

mod columns;
mod groups;
mod history;
mod manifest;
mod store;
mod stretch;
mod writer;

pub use history::{History, is_packed};
pub use stretch::Stretch;
pub use writer::{Packed, Writer};

/// The manifest's file.
pub const MANIFEST: &str = "manifest.json";
/// Rows of a row group that several snapshots share: what has to be read to read one of them.
const ROWS: usize = 1 << 16;
