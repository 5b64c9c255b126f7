//! The rows of a large table, one after the other, until their order is known.
//!
//! Snapshots are joined, judged and printed by key, and exports come in any order. Columns put in order one by one cost a
//! jump through memory for every cell; a row kept together costs one. So the rows of a large table are spooled as they are
//! read, each in as few bytes as its values need, and become columns in the order of their keys.

use super::header::{Field, Layout};
use super::plain::Sink;
use super::rows::{Rows, pack};
use super::segment::{Cells, Segment};
use crate::snapshot::{Data, Ints, Places};
use rayon::prelude::*;

/// Rows of a table become columns by so many: they stay in the processor's cache.
const STEP: usize = 2048;
/// What one task turns into columns.
const TASK: usize = 8 * STEP;
/// Rows fetched from memory at once.
const AHEAD: usize = 16;

/// Stands before a whole number that is NULL, in the place of the number of its bytes.
const NULL: u8 = 9;
/// Stands for a text that is NULL, in the place of its length.
const NULL_TEXT: u8 = 254;
/// Stands before a length of four bytes.
const LONG_TEXT: u8 = 255;
/// Bytes after the last row: a number is read as nine.
const SPARE: usize = 9;

/// Rows of a part of a file.
#[derive(Debug)]
pub(super) struct Chunk {
    bytes: Vec<u8>,
    /// Key and start of each row.
    rows: Vec<(i64, u32)>,
    /// The field that is the key.
    key: usize,
    /// Fields of each row.
    fields: usize,
    /// The key of the row being read, and where that row starts.
    current: (i64, usize),
    /// A row on its way here, and what was odd in the whole part.
    pub irregular: Segment,
}

impl Chunk {
    pub fn new(fields: &[Field], key: usize, room: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(room),
            rows: Vec::new(),
            key,
            fields: fields.len(),
            current: (Ints::NULL, 0),
            irregular: Segment::new(fields),
        }
    }

    /// The rows of columns.
    pub fn of(segment: &Segment, key: usize) -> Self {
        let mut chunk = Self {
            bytes: Vec::with_capacity(segment.rows * 64),
            rows: Vec::with_capacity(segment.rows),
            key,
            fields: segment.columns.len(),
            current: (Ints::NULL, 0),
            irregular: Segment::default(),
        };
        for row in 0..segment.rows {
            chunk.put_row(&segment.columns, row, segment.places.get(row).unwrap_or(0));
        }
        chunk
    }

    /// Rows so far.
    pub const fn len(&self) -> usize {
        self.rows.len()
    }

    fn put_int(&mut self, value: i64) {
        if value == Ints::NULL {
            return self.bytes.push(NULL);
        }
        // Small numbers of both signs in few bytes.
        let code = ((value << 1) ^ (value >> 63)) as u64;
        let length = 8 - (code.leading_zeros() / 8) as u8;
        let mut bytes = [length; 9];
        bytes[1..].copy_from_slice(&code.to_le_bytes());
        self.bytes.extend_from_slice(&bytes);
        self.bytes.truncate(self.bytes.len() - 8 + usize::from(length));
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
            self.current.0 = value;
        }
        self.put_int(value);
    }

    fn numeric(&mut self, _: usize, value: Option<i128>) {
        self.bytes.push(u8::from(value.is_some()));
        self.bytes.extend_from_slice(&value.unwrap_or(0).to_le_bytes());
    }

    fn float(&mut self, _: usize, value: f64) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    fn bool(&mut self, _: usize, value: u8) {
        self.bytes.push(value);
    }

    fn text(&mut self, _: usize, value: Option<&str>) {
        let Some(text) = value else { return self.bytes.push(NULL_TEXT) };
        match u8::try_from(text.len()) {
            Ok(short) if short < NULL_TEXT => self.bytes.push(short),
            _ => {
                self.bytes.push(LONG_TEXT);
                // Longer than that no record is.
                self.bytes.extend_from_slice(&u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
            }
        }
        self.bytes.extend_from_slice(text.as_bytes());
    }

    fn undo_row(&mut self) {
        self.bytes.truncate(self.current.1);
        self.irregular.drop_row();
    }

    fn irregular(&mut self) -> &mut Segment {
        &mut self.irregular
    }

    fn append(parts: Vec<(Self, u64)>, rows: &mut Rows, _: &Layout) {
        rows.append_chunks(parts);
    }

    fn end_row(&mut self, place: u64, irregular: bool) {
        if irregular {
            let mut columns = std::mem::take(&mut self.irregular.columns);
            self.put_row(&columns, 0, place);
            columns.iter_mut().for_each(|cells| cells.truncate(0));
            self.irregular.columns = columns;
            return;
        }
        self.put_int(i64::try_from(place).unwrap_or(i64::MAX));
        self.rows.push((self.current.0, u32::try_from(self.current.1).unwrap_or(u32::MAX)));
        self.current = (Ints::NULL, self.bytes.len());
    }
}

/// All rows of a table.
#[derive(Debug, Default)]
pub(super) struct Spool {
    chunks: Vec<Chunk>,
    /// Lines of the file before each chunk.
    lines_before: Vec<u64>,
}

/// A row of a spool: its key, its chunk, its start there.
type Place = (i64, u32, u32);

impl Spool {
    /// Adds the next part of the file.
    pub fn add(&mut self, mut chunk: Chunk, lines_before: u64) {
        chunk.bytes.extend_from_slice(&[0; SPARE]);
        chunk.bytes.shrink_to_fit();
        self.chunks.push(chunk);
        self.lines_before.push(lines_before);
    }

    /// The columns and places of all rows, in the order of their keys; rows of one key in the order of the file.
    pub fn into_columns(mut self, fields: &[Field]) -> (Vec<Option<Data>>, Places) {
        let mut order: Vec<Place> = Vec::with_capacity(self.chunks.iter().map(Chunk::len).sum());
        for (chunk, rows) in (0..).zip(self.chunks.iter_mut().map(|c| std::mem::take(&mut c.rows))) {
            order.extend(rows.into_iter().map(|(key, start)| (key, chunk, start)));
        }
        if !order.is_sorted() {
            order.par_sort_unstable();
        }
        let empty = || -> Vec<Option<Data>> { fields.iter().map(|f| f.ty().map(Data::for_type)).collect() };
        let (mut columns, mut places) = (empty(), Ints::new());
        for batch in order.chunks(TASK * 2 * rayon::current_num_threads()) {
            let parts: Vec<(Vec<Option<Data>>, Ints)> =
                batch.par_chunks(TASK).map(|rows| self.decode(rows, fields, empty())).collect();
            columns.par_iter_mut().enumerate().for_each(|(at, column)| {
                for (part, _) in &parts {
                    if let (Some(column), Some(Some(more))) = (column.as_mut(), part.get(at)) {
                        column.append(more);
                    }
                }
            });
            parts.iter().for_each(|(_, lines)| places.append(lines));
        }
        (columns, Places::scattered(places))
    }

    fn decode(&self, rows: &[Place], fields: &[Field], mut columns: Vec<Option<Data>>) -> (Vec<Option<Data>>, Ints) {
        let mut segment = Segment::with_room(fields, STEP);
        let (mut places, mut lines) = (Ints::new(), Vec::with_capacity(STEP));
        for step in rows.chunks(STEP) {
            for few in step.chunks(AHEAD) {
                // Each row is far from the one before. Asked for together, they come from memory at the same time.
                let first_bytes = |(_, chunk, start): &Place| {
                    let bytes = self.chunks.get(*chunk as usize).map_or(&[][..], |c| &c.bytes);
                    let start = *start as usize;
                    u32::from(bytes.get(start).copied().unwrap_or(0))
                        + u32::from(bytes.get(start + 64).copied().unwrap_or(0))
                };
                std::hint::black_box(few.iter().map(first_bytes).sum::<u32>());
                for &(_, chunk, start) in few {
                    let at = chunk as usize;
                    let Some(chunk) = self.chunks.get(at) else { continue };
                    let mut cursor = Cursor { bytes: &chunk.bytes, at: start as usize };
                    for cells in segment.columns.iter_mut().take(chunk.fields) {
                        cursor.cell(cells);
                    }
                    // Columns met later in the file.
                    segment.columns.iter_mut().skip(chunk.fields).for_each(Cells::push_null);
                    lines.push(cursor.int().saturating_add_unsigned(self.lines_before.get(at).copied().unwrap_or(0)));
                }
            }
            for (data, cells) in columns.iter_mut().zip(&mut segment.columns) {
                if let Some(data) = data {
                    pack(data, cells);
                }
                cells.truncate(0);
            }
            places.extend(&lines);
            lines.clear();
        }
        (columns, places)
    }
}

/// Reads a row back.
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
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

    #[inline]
    fn cell(&mut self, cells: &mut Cells) {
        match cells {
            Cells::Skipped => {}
            Cells::Int(_, v) => v.push(self.int()),
            Cells::Numeric(v) => {
                let [known] = self.take();
                let n = i128::from_le_bytes(self.take());
                v.push((known == 1).then_some(n));
            }
            Cells::Float(v) => v.push(f64::from_le_bytes(self.take())),
            Cells::Bool(v) => {
                let [b] = self.take();
                v.push(b);
            }
            Cells::Text(v) => v.push(self.text()),
        }
    }
}
