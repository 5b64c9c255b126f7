//! All rows of one part of the keys, and the way back to columns.

use super::{LONG_TEXT, NULL, NULL_TEXT, SPARE};
use crate::ingest::header::Field;
use crate::snapshot::{Data, Ints};

/// Rows fetched from memory and turned into columns at once: few enough to stay in the processor's cache.
const AT_ONCE: usize = 256;

/// Rows of one part of the keys.
#[derive(Debug, Default)]
pub(super) struct Part {
    pub bytes: Vec<u8>,
    pub texts: String,
    /// Key and start of each row.
    pub order: Vec<(i64, usize)>,
    pub pieces: Vec<Piece>,
}

/// What the rows of a piece of the file share.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Piece {
    /// Where they begin in the part.
    pub start: usize,
    /// Where their texts do.
    pub texts: usize,
    /// How many fields they have.
    pub fields: usize,
    /// Lines of the file before those that they count.
    pub lines_before: u64,
}

/// Sorts keys, equal ones in the order of the file. Keys of a part are mostly near enough for both to fit into one word.
pub(super) fn sort(order: &mut [(i64, usize)]) {
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
    pub fn decode(&self, rows: &[(i64, usize)], fields: &[Field]) -> (Vec<Option<Data>>, Ints) {
        let mut columns: Vec<Option<Data>> = fields.iter().map(|f| f.ty().map(Data::for_type)).collect();
        let mut lines = Ints::new();
        let mut cursors = Vec::with_capacity(AT_ONCE);
        for few in rows.chunks(AT_ONCE) {
            // Each row is far from the one before. Asked for together, they come from memory at the same time.
            let touch = |bytes: &[u8], at: usize| u32::from(bytes.get(at).copied().unwrap_or(0));
            let rows = few.iter().map(|(_, start)| touch(&self.bytes, *start) + touch(&self.bytes, start + 64));
            std::hint::black_box(rows.sum::<u32>());
            cursors.clear();
            cursors.extend(few.iter().map(|&(_, start)| {
                let piece = self.pieces.partition_point(|piece| piece.start <= start).saturating_sub(1);
                let piece = self.pieces.get(piece).copied().unwrap_or_default();
                let mut cursor = Cursor { part: self, at: start, text_at: 0, piece };
                cursor.text_at = piece.texts + u32::from_le_bytes(cursor.take()) as usize;
                cursor
            }));
            let texts = cursors.iter().map(|cursor| touch(self.texts.as_bytes(), cursor.text_at));
            std::hint::black_box(texts.sum::<u32>());
            for (at, column) in columns.iter_mut().enumerate() {
                let Some(column) = column else { continue };
                // Columns met later in the file are unknown to its first rows.
                match column {
                    Data::Int(to) => {
                        let mut values = [Ints::NULL; AT_ONCE];
                        for (value, cursor) in values.iter_mut().zip(&mut cursors) {
                            *value = if at < cursor.piece.fields { cursor.int() } else { Ints::NULL };
                        }
                        to.extend(&values[..cursors.len()]);
                    }
                    Data::Text(to) => {
                        for cursor in &mut cursors {
                            to.push(if at < cursor.piece.fields { cursor.text() } else { None });
                        }
                    }
                    Data::Numeric(to) => {
                        to.extend(cursors.iter_mut().map(|c| if at < c.piece.fields { c.numeric() } else { None }));
                    }
                    Data::Float(to) => {
                        let float = |c: &mut Cursor<'_>| {
                            if at < c.piece.fields { f64::from_le_bytes(c.take()) } else { f64::NAN }
                        };
                        to.extend(cursors.iter_mut().map(float));
                    }
                    Data::Bool(to) => {
                        let bool =
                            |c: &mut Cursor<'_>| if at < c.piece.fields { u8::from_le_bytes(c.take()) } else { 2 };
                        to.extend(cursors.iter_mut().map(bool));
                    }
                }
            }
            for cursor in &mut cursors {
                lines.push(cursor.int().saturating_add_unsigned(cursor.piece.lines_before));
            }
        }
        (columns, lines)
    }
}

/// Reads a row back.
struct Cursor<'a> {
    part: &'a Part,
    at: usize,
    text_at: usize,
    piece: Piece,
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
        let Some(bytes) = self.part.bytes.get(self.at..).and_then(|b| b.first_chunk::<SPARE>()) else {
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
        let bytes = self.part.bytes.get(self.at..).and_then(|b| b.first_chunk::<N>()).copied().unwrap_or([0; N]);
        self.at += N;
        bytes
    }

    fn text(&mut self) -> Option<&'a str> {
        let length = match self.take() {
            [NULL_TEXT] => return None,
            [LONG_TEXT] => u32::from_le_bytes(self.take()) as usize,
            [short] => usize::from(short),
        };
        let start = self.text_at;
        self.text_at += length;
        self.part.texts.get(start..self.text_at)
    }

    fn numeric(&mut self) -> Option<i128> {
        let [known] = self.take();
        let n = i128::from_le_bytes(self.take());
        (known == 1).then_some(n)
    }
}
