//! A table's columns as Parquet's, and back.

mod decode;
mod read;
mod write;

pub(super) use decode::{Column, Spare};
pub(super) use read::{File, table};
pub(super) use write::{FileWriter, Piece};

/// Columns of every file, before those of the view: the snapshot's number in its group, its capture time, and where the
/// row stood: which of the table's sources, and its line there.
pub(super) const OWN: [&str; 4] = ["_snapshot", "_taken_at", "_source", "_place"];

fn broken(message: &str) -> parquet::errors::ParquetError {
    parquet::errors::ParquetError::General(message.to_owned())
}
