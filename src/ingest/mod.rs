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
pub(crate) use when::fall_back;

use crate::error::Result;
use crate::meta::{Meta, Note, Notes};
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
    let read = side_by_side(opened, |opened| opened.read(&Wanted::all()));
    let read = read.into_iter().collect::<Result<Vec<Snapshot>>>()?;
    let (mut snapshots, told) = without_strays(read, Snapshot::holds_nothing, |stray| stray.meta);
    if let Some(first) = snapshots.first_mut() {
        first.meta.notes.absorb(told);
    }
    for snapshot in &mut snapshots {
        fall_back(&mut snapshot.meta, &mut taken_at);
    }
    snapshots.sort_by_key(|s| s.meta.taken_at.map_or(i64::MAX, |t| t.0));
    Ok(snapshots)
}

/// Leaves out files of which nothing was understood where they lie beside folders of snapshots, and hands out what is said
/// of them. Where nothing else is given they are what is reported on.
pub(crate) fn without_strays<S>(
    all: Vec<S>,
    holds_nothing: impl Fn(&S) -> bool,
    meta: impl Fn(S) -> Meta,
) -> (Vec<S>, Notes) {
    let mut told = Notes::default();
    let (strays, some): (Vec<S>, Vec<S>) = all.into_iter().partition(holds_nothing);
    if some.is_empty() {
        return (strays, told);
    }
    for stray in strays {
        told.absorb(said_of(meta(stray)));
    }
    (some, told)
}

/// What was noted of files that are of no snapshot; not each column of theirs that nobody knows.
fn said_of(stray: Meta) -> Notes {
    if !stray.notes.kept.iter().any(|n| n.code.starts_with("unknown-")) {
        return stray.notes;
    }
    let mut told = Notes::default();
    for file in stray.files {
        told.push(Note {
            code: "ignored-file".to_owned(),
            file: Some(file.path),
            line: None,
            column: None,
            message: "it holds no view of any version of PostgreSQL, and no time: it is no snapshot".to_owned(),
        });
    }
    told
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
