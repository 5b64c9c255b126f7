//! Files to snapshots: what a folder holds, which view each file is, and its cells as typed columns.
//!
//! [`open`] looks at names only and forms one [`Opened`] for each moment; [`Opened::read`] reads what is wanted of it.
//! Every spelling ends in the same [`Segment`](segment::Segment) of typed cells, so a CSV and a JSON export of one
//! moment give the same snapshot. A bad cell, row or file becomes a note with its place; only an input that holds no
//! snapshot at all is an error.
//!
//! * `name`, `gather`, `beside`, `packed`: paths to views and moments; `archive`: those in archives
//! * `source`: bytes, unpacked and decoded
//! * `foreign`: dumps of other programs, refused
//! * `readers`: the list of formats. `csv` with `head`, `spelling`, `plain`, `records`, `delimited`; `bundle` with `json`,
//!   `plain_json`, `lexer`, `value`; `blocks`
//! * `plans`, `log`: EXPLAIN output in files, columns and server logs
//! * `header`, `cell`, `clock`, `segment`: columns by the catalog, cells by type; `rows`, `spool`: all rows of a file
//! * `succession`: one view's files of many snapshots, each compared with the one before; `pairing`: large files of two
//!   snapshots, read side by side; `plain_file`: how such files are written
//! * `file`: one file; `assemble`, `conform`, `merge`, `identity`, `when`, `infer`: one snapshot out of its files

mod archive;
mod assemble;
mod beside;
mod blocks;
mod bundle;
mod cell;
mod clock;
mod conform;
mod csv;
mod delimited;
mod digits;
mod file;
mod foreign;
mod gather;
mod head;
mod header;
mod identity;
mod infer;
mod json;
mod lexer;
mod log;
mod merge;
mod name;
mod notes;
mod options;
mod packed;
pub mod pairing;
mod plain;
mod plain_file;
mod plain_json;
mod plans;
mod readers;
mod records;
mod rows;
mod segment;
mod source;
mod spelling;
mod spool;
pub mod succession;
mod value;
mod when;

pub use assemble::Opened;
pub use options::{Options, Tally, Wanted};

use crate::error::Result;
use crate::snapshot::Snapshot;
use rayon::prelude::*;
use std::path::PathBuf;

/// Finds the snapshots in the inputs without reading rows. `-` is a JSON dump on standard input.
pub fn open(inputs: &[PathBuf], options: &Options) -> Result<Vec<Opened>> {
    let groups = gather::gather(inputs)?;
    Ok(groups.into_iter().map(|group| Opened::new(group, options.clone())).collect())
}

/// Reads every snapshot of the inputs, whole, in time order. Those without a time stay behind the others, as given.
pub fn read(inputs: &[PathBuf], options: &Options) -> Result<Vec<Snapshot>> {
    read_opened(&open(inputs, options)?, options)
}

/// Reads some opened snapshots, whole, in time order. Those without a time stay behind the others, as given.
pub fn read_opened(opened: &[Opened], options: &Options) -> Result<Vec<Snapshot>> {
    let mut taken_at = options.taken_at.iter().copied();
    let mut snapshots = Vec::new();
    for snapshot in side_by_side(opened, |opened| opened.read(&Wanted::all())) {
        let snapshot = snapshot?;
        snapshots.push(snapshot);
    }
    // Files of which nothing was understood, beside folders of snapshots: what is said of them stands with those.
    if snapshots.iter().any(|s| !s.holds_nothing()) {
        let (nothing, mut some): (Vec<_>, Vec<_>) = snapshots.into_iter().partition(Snapshot::holds_nothing);
        if let Some(first) = some.first_mut() {
            for snapshot in nothing {
                first.meta.notes.absorb(snapshot.meta.notes);
            }
        }
        snapshots = some;
    }
    for snapshot in &mut snapshots {
        when::fall_back(&mut snapshot.meta, &mut taken_at);
    }
    snapshots.sort_by_key(|s| s.meta.taken_at.map_or(i64::MAX, |t| t.0));
    Ok(snapshots)
}

/// Does something with each of some snapshots; the results in their order. Those of a history are read side by side; a
/// few large ones, whose files are split among the cores themselves, one after the other.
pub fn side_by_side<S: Sync, T: Send>(snapshots: &[S], read: impl Fn(&S) -> T + Send + Sync) -> Vec<T> {
    const HISTORY: usize = 4;
    if snapshots.len() < HISTORY {
        snapshots.iter().map(read).collect()
    } else {
        snapshots.par_iter().map(read).collect()
    }
}
