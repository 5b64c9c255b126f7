//! Rows of a piece of a file, each where its key belongs.

use super::{Bounds, LONG_TEXT, NULL, NULL_TEXT};
use crate::ingest::header::Layout;
use crate::ingest::plain::Sink;
use crate::ingest::rows::Rows;
use crate::ingest::segment::{Cells, Segment};
use crate::snapshot::Ints;

/// Rows of one part of the keys, in the order of their file.
#[derive(Debug, Default)]
pub(super) struct Run {
    pub bytes: Vec<u8>,
    pub texts: String,
    /// Key and start of each row.
    pub rows: Vec<(i64, u32)>,
}

/// Rows of a piece of a file.
#[derive(Debug)]
pub(in crate::ingest) struct Chunk {
    pub(super) runs: Vec<Run>,
    bounds: Bounds,
    /// The field that is the key.
    key: usize,
    /// Fields of each row.
    pub(super) fields: usize,
    count: usize,
    /// The row being read, its texts, and its key.
    row: Vec<u8>,
    texts: String,
    current: i64,
    /// A row on its way here, and what was odd in the whole piece.
    pub irregular: Segment,
}

impl Chunk {
    pub fn new(fields: usize, irregular: Segment, (key, bounds): (usize, Bounds)) -> Self {
        let mut runs = Vec::new();
        runs.resize_with(bounds.len() + 1, Run::default);
        let (row, texts) = (Vec::new(), String::new());
        Self { runs, bounds, key, fields, count: 0, row, texts, current: Ints::NULL, irregular }
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
        self.texts.push_str(text);
    }

    fn undo_row(&mut self) {
        self.row.clear();
        self.texts.clear();
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
            // Where its texts begin, then the row.
            run.bytes.extend_from_slice(&u32::try_from(run.texts.len()).unwrap_or(u32::MAX).to_le_bytes());
            run.bytes.extend_from_slice(&self.row);
            run.texts.push_str(&self.texts);
            self.count += 1;
        }
        self.row.clear();
        self.texts.clear();
        self.current = Ints::NULL;
    }

    fn append(parts: Vec<(Self, u64)>, rows: &mut Rows, _: &Layout) {
        rows.append_chunks(parts);
    }
}
