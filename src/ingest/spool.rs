//! The rows of a large table, one after the other, until their order is known.
//!
//! Snapshots are joined, judged and printed by key, and exports come in any order. Columns put in order one by one cost a
//! jump through memory for every cell. So the rows of a large table are spooled as they are read, each in as few bytes as
//! its values need and in the part of the table that its key belongs to; part by part they become columns in the order of
//! their keys.

use super::header::{Field, Layout};
use super::plain::Sink;
use super::rows::Rows;
use super::segment::{Cells, Segment};
use crate::snapshot::{Data, Ints, Places};
use rayon::prelude::*;
use std::sync::Arc;

/// Parts that the keys are divided into: what has become columns is given back part by part.
const PARTS: usize = 8;
/// Bytes of room that what grows has from the start. Memory is taken when it is written to, and blocks of this size go back
/// to the system when they shrink or are dropped, where smaller ones stay with the allocator.
const ROOM: usize = 33 << 20;
/// Rows that one task turns into columns.
const TASK: usize = 8192;
/// Rows fetched from memory and turned into columns at once: few enough to stay in the processor's cache.
const AT_ONCE: usize = 256;

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

/// Rows of one part of the keys, in the order of their file.
#[derive(Debug, Default)]
struct Run {
    bytes: Vec<u8>,
    /// Key and start of each row.
    rows: Vec<(i64, u32)>,
}

/// Rows of a piece of a file.
#[derive(Debug)]
pub(super) struct Chunk {
    runs: Vec<Run>,
    bounds: Bounds,
    /// The field that is the key.
    key: usize,
    /// Fields of each row.
    fields: usize,
    count: usize,
    /// The row being read, and its key.
    row: Vec<u8>,
    current: i64,
    /// A row on its way here, and what was odd in the whole piece.
    pub irregular: Segment,
}

impl Chunk {
    pub fn new(fields: usize, irregular: Segment, (key, bounds): (usize, Bounds)) -> Self {
        let mut runs = Vec::new();
        runs.resize_with(bounds.len() + 1, Run::default);
        Self { runs, bounds, key, fields, count: 0, row: Vec::new(), current: Ints::NULL, irregular }
    }

    /// The rows of columns.
    pub fn of(segment: &Segment, order: (usize, Bounds)) -> Self {
        let mut chunk = Self::new(segment.columns.len(), Segment::default(), order);
        for row in 0..segment.rows {
            chunk.put_row(&segment.columns, row, segment.places.get(row).unwrap_or(0));
        }
        chunk
    }

    /// Rows so far.
    pub const fn len(&self) -> usize {
        self.count
    }

    fn put_int(&mut self, value: i64) {
        if value == Ints::NULL {
            return self.row.push(NULL);
        }
        // Small numbers of both signs in few bytes.
        let code = ((value << 1) ^ (value >> 63)) as u64;
        let length = 8 - (code.leading_zeros() / 8) as u8;
        let mut bytes = [length; 9];
        bytes[1..].copy_from_slice(&code.to_le_bytes());
        self.row.extend_from_slice(&bytes);
        self.row.truncate(self.row.len() - 8 + usize::from(length));
    }

    /// Adds a row of columns.
    fn put_row(&mut self, columns: &[Cells], row: usize, place: u64) {
        for (at, cells) in columns.iter().enumerate() {
            match cells {
                Cells::Skipped => {}
                Cells::Int(_, v) => self.int(at, v.get(row).copied().unwrap_or(Ints::NULL)),
                Cells::Numeric(v) => self.numeric(at, v.get(row).copied().flatten()),
                Cells::Float(v) => self.float(at, v.get(row).copied().unwrap_or(f64::NAN)),
                Cells::Bool(v) => self.bool(at, v.get(row).copied().unwrap_or(2)),
                Cells::Text(v) => self.text(at, v.get(row)),
            }
        }
        self.end_row(place, false);
    }
}

impl Sink for Chunk {
    fn int(&mut self, at: usize, value: i64) {
        if at == self.key {
            self.current = value;
        }
        self.put_int(value);
    }

    fn numeric(&mut self, _: usize, value: Option<i128>) {
        self.row.push(u8::from(value.is_some()));
        self.row.extend_from_slice(&value.unwrap_or(0).to_le_bytes());
    }

    fn float(&mut self, _: usize, value: f64) {
        self.row.extend_from_slice(&value.to_le_bytes());
    }

    fn bool(&mut self, _: usize, value: u8) {
        self.row.push(value);
    }

    fn text(&mut self, _: usize, value: Option<&str>) {
        let Some(text) = value else { return self.row.push(NULL_TEXT) };
        match u8::try_from(text.len()) {
            Ok(short) if short < NULL_TEXT => self.row.push(short),
            _ => {
                self.row.push(LONG_TEXT);
                // Longer than that no record is.
                self.row.extend_from_slice(&u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
            }
        }
        self.row.extend_from_slice(text.as_bytes());
    }

    fn undo_row(&mut self) {
        self.row.clear();
        self.irregular.drop_row();
    }

    fn irregular(&mut self) -> &mut Segment {
        &mut self.irregular
    }

    fn end_row(&mut self, place: u64, irregular: bool) {
        if irregular {
            let mut columns = std::mem::take(&mut self.irregular.columns);
            self.put_row(&columns, 0, place);
            for cells in &mut columns {
                cells.truncate(0);
            }
            self.irregular.columns = columns;
            return;
        }
        self.put_int(i64::try_from(place).unwrap_or(i64::MAX));
        let part = self.bounds.partition_point(|bound| *bound <= self.current);
        if let Some(run) = self.runs.get_mut(part) {
            run.rows.push((self.current, u32::try_from(run.bytes.len()).unwrap_or(u32::MAX)));
            run.bytes.extend_from_slice(&self.row);
            self.count += 1;
        }
        self.row.clear();
        self.current = Ints::NULL;
    }

    fn append(parts: Vec<(Self, u64)>, rows: &mut Rows, _: &Layout) {
        rows.append_chunks(parts);
    }
}

/// All rows of a table.
#[derive(Debug)]
pub(super) struct Spool {
    parts: Vec<Part>,
    key: usize,
    bounds: Bounds,
}

/// Rows of one part of the keys.
#[derive(Debug, Default)]
struct Part {
    bytes: Vec<u8>,
    /// Key and start of each row.
    order: Vec<(i64, usize)>,
    /// Of each piece of the file: where its rows begin here, their fields, the lines before it.
    pieces: Vec<(usize, usize, u64)>,
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
                let start = part.bytes.len();
                part.bytes.extend_from_slice(&run.bytes);
                part.order.extend(run.rows.iter().map(|&(key, at)| (key, start + at as usize)));
                part.pieces.push((start, chunk.fields, *lines_before));
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

/// Sorts keys, equal ones in the order of the file. Keys of a part are mostly near enough for both to fit into one word.
fn sort(order: &mut [(i64, usize)]) {
    let least = order.iter().map(|(key, _)| *key).min().unwrap_or(0);
    let word = |&(key, start): &(i64, usize)| {
        let key = u32::try_from(key.checked_sub(least)?).ok()?;
        Some(u64::from(key) << 32 | u64::from(u32::try_from(start).ok()?))
    };
    match order.iter().map(word).collect::<Option<Vec<u64>>>() {
        Some(mut words) => {
            words.sort_unstable();
            for (row, word) in order.iter_mut().zip(words) {
                *row = (least + (word >> 32) as i64, (word & 0xffff_ffff) as usize);
            }
        }
        None => order.sort_unstable(),
    }
}

impl Part {
    /// The columns and lines of rows.
    fn decode(&self, rows: &[(i64, usize)], fields: &[Field]) -> (Vec<Option<Data>>, Ints) {
        let mut columns: Vec<Option<Data>> = fields.iter().map(|f| f.ty().map(Data::for_type)).collect();
        let mut lines = Ints::new();
        let mut cursors = Vec::with_capacity(AT_ONCE);
        for few in rows.chunks(AT_ONCE) {
            // Each row is far from the one before. Asked for together, they come from memory at the same time.
            let touch = |at: usize| u32::from(self.bytes.get(at).copied().unwrap_or(0));
            std::hint::black_box(few.iter().map(|(_, start)| touch(*start) + touch(start + 64)).sum::<u32>());
            cursors.clear();
            cursors.extend(few.iter().map(|&(_, start)| {
                let piece = self.pieces.partition_point(|(begin, ..)| *begin <= start).saturating_sub(1);
                let (_, known, lines_before) = self.pieces.get(piece).copied().unwrap_or_default();
                Cursor { bytes: &self.bytes, at: start, known, lines_before }
            }));
            for (at, column) in columns.iter_mut().enumerate() {
                let Some(column) = column else { continue };
                // Columns met later in the file are unknown to its first rows.
                match column {
                    Data::Int(to) => {
                        let mut values = [Ints::NULL; AT_ONCE];
                        for (value, cursor) in values.iter_mut().zip(&mut cursors) {
                            *value = if at < cursor.known { cursor.int() } else { Ints::NULL };
                        }
                        to.extend(&values[..cursors.len()]);
                    }
                    Data::Text(to) => {
                        for cursor in &mut cursors {
                            to.push(if at < cursor.known { cursor.text() } else { None });
                        }
                    }
                    Data::Numeric(to) => {
                        to.extend(cursors.iter_mut().map(|c| if at < c.known { c.numeric() } else { None }));
                    }
                    Data::Float(to) => {
                        let float =
                            |c: &mut Cursor<'_>| if at < c.known { f64::from_le_bytes(c.take()) } else { f64::NAN };
                        to.extend(cursors.iter_mut().map(float));
                    }
                    Data::Bool(to) => {
                        let bool = |c: &mut Cursor<'_>| if at < c.known { u8::from_le_bytes(c.take()) } else { 2 };
                        to.extend(cursors.iter_mut().map(bool));
                    }
                }
            }
            for cursor in &mut cursors {
                lines.push(cursor.int().saturating_add_unsigned(cursor.lines_before));
            }
        }
        (columns, lines)
    }
}

/// Reads a row back.
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    /// How many fields the row has.
    known: usize,
    /// Lines of the file before those that the row counts.
    lines_before: u64,
}

impl<'a> Cursor<'a> {
    #[inline]
    fn int(&mut self) -> i64 {
        const MASKS: [u64; 16] = {
            let mut masks = [u64::MAX; 16];
            let mut length = 0;
            while length < 8 {
                masks[length] = (1 << (8 * length)) - 1;
                length += 1;
            }
            masks
        };
        let Some(bytes) = self.bytes.get(self.at..).and_then(|b| b.first_chunk::<SPARE>()) else {
            return Ints::NULL;
        };
        let [length, code @ ..] = *bytes;
        if length == NULL {
            self.at += 1;
            return Ints::NULL;
        }
        self.at += 1 + usize::from(length);
        let code = u64::from_le_bytes(code) & MASKS[usize::from(length & 15)];
        (code >> 1) as i64 ^ -((code & 1) as i64)
    }

    fn take<const N: usize>(&mut self) -> [u8; N] {
        let bytes = self.bytes.get(self.at..).and_then(|b| b.first_chunk::<N>()).copied().unwrap_or([0; N]);
        self.at += N;
        bytes
    }

    fn text(&mut self) -> Option<&'a str> {
        let length = match self.take() {
            [NULL_TEXT] => return None,
            [LONG_TEXT] => u32::from_le_bytes(self.take()) as usize,
            [short] => usize::from(short),
        };
        let bytes = self.bytes.get(self.at..self.at + length)?;
        self.at += length;
        std::str::from_utf8(bytes).ok()
    }

    fn numeric(&mut self) -> Option<i128> {
        let [known] = self.take();
        let n = i128::from_le_bytes(self.take());
        (known == 1).then_some(n)
    }
}
