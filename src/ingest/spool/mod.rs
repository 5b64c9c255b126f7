//! The rows of a large table, one after the other, until their order is known.
//!
//! Snapshots are joined, judged and printed by key, and exports come in any order. Columns put in order one by one cost a
//! jump through memory for every cell. So the rows of a large table are spooled as they are read, each in as few bytes as
//! its values need and in the part of the table that its key belongs to; part by part they become columns in the order of
//! their keys.

//!
//! * `chunk`: rows of a piece of a file, as they are read
//! * `part`: all rows of a part of the keys, and the way back to columns

mod chunk;
mod part;

use super::header::Field;
use crate::snapshot::{Data, Ints, Places};
pub(super) use chunk::Chunk;
use part::{Part, Piece, sort};
use rayon::prelude::*;
use std::sync::Arc;

/// Parts that the keys are divided into: what has become columns is given back part by part.
const PARTS: usize = 8;
/// Bytes of room that what grows has from the start. Memory is taken when it is written to, and blocks of this size go back
/// to the system when they shrink or are dropped, where smaller ones stay with the allocator.
const ROOM: usize = 33 << 20;
/// Rows that one task turns into columns.
const TASK: usize = 8192;

/// Stands before a whole number that is NULL, in the place of the number of its bytes.
const NULL: u8 = 9;
/// Stands for a text that is NULL, in the place of its length.
const NULL_TEXT: u8 = 254;
/// Stands before a length of four bytes.
const LONG_TEXT: u8 = 255;
/// Bytes after the last row: a number is read as nine.
const SPARE: usize = 9;

/// Keys at which the parts of a table begin, but the first.
pub(super) type Bounds = Arc<[i64]>;

/// All rows of a table.
#[derive(Debug)]
pub(super) struct Spool {
    parts: Vec<Part>,
    key: usize,
    bounds: Bounds,
}

impl Spool {
    /// Makes room for a table whose first rows have these keys.
    pub fn new(key: usize, mut sample: Vec<i64>) -> Self {
        sample.sort_unstable();
        sample.dedup();
        let step = (sample.len() / PARTS).max(1);
        let bounds: Bounds = sample.into_iter().step_by(step).skip(1).take(PARTS - 1).collect();
        let mut parts = Vec::new();
        parts.resize_with(bounds.len() + 1, || Part {
            bytes: Vec::with_capacity(ROOM),
            texts: String::with_capacity(ROOM),
            order: Vec::with_capacity(ROOM / size_of::<(i64, usize)>()),
            pieces: Vec::new(),
        });
        Self { parts, key, bounds }
    }

    /// The field that is the key, and how keys are divided.
    pub fn order(&self) -> (usize, Bounds) {
        (self.key, Arc::clone(&self.bounds))
    }

    /// Adds the next pieces of the file, each with the lines before it.
    pub fn add(&mut self, chunks: &[(Chunk, u64)]) {
        let add = |(at, part): (usize, &mut Part)| {
            for (chunk, lines_before) in chunks {
                let Some(run) = chunk.runs.get(at) else { continue };
                let (start, texts) = (part.bytes.len(), part.texts.len());
                part.bytes.extend_from_slice(&run.bytes);
                part.texts.push_str(&run.texts);
                part.order.extend(run.rows.iter().map(|&(key, at)| (key, start + at as usize)));
                part.pieces.push(Piece { start, texts, fields: chunk.fields, lines_before: *lines_before });
            }
        };
        self.parts.par_iter_mut().enumerate().for_each(add);
    }

    /// The columns and places of all rows, in the order of their keys; rows of one key in the order of the file.
    pub fn into_columns(mut self, fields: &[Field]) -> (Vec<Option<Data>>, Places) {
        self.parts.par_iter_mut().for_each(|part| {
            part.bytes.extend_from_slice(&[0; SPARE]);
            sort(&mut part.order);
        });
        let mut columns: Vec<Option<Data>> =
            fields.iter().map(|f| f.ty().map(|ty| Data::with_room(ty, ROOM))).collect();
        let mut places = Ints::new();
        for part in self.parts {
            // What begins at a whole block is appended without being unpacked.
            let (lead, rest) = part.order.split_at(part.order.len().min(Ints::to_whole_block(places.len())));
            let tasks: Vec<_> = [lead].into_iter().filter(|rows| !rows.is_empty()).chain(rest.chunks(TASK)).collect();
            for tasks in tasks.chunks(4 * rayon::current_num_threads()) {
                let decoded: Vec<_> = tasks.par_iter().map(|rows| part.decode(rows, fields)).collect();
                columns.par_iter_mut().enumerate().for_each(|(at, column)| {
                    for (cells, _) in &decoded {
                        if let (Some(column), Some(Some(cells))) = (column.as_mut(), cells.get(at)) {
                            column.append(cells);
                        }
                    }
                });
                for (_, lines) in &decoded {
                    places.append(lines);
                }
            }
        }
        (columns, Places::scattered(places))
    }
}
