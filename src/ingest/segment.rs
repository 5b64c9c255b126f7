//! Typed cells of a part of a file, before they are packed.

use super::cell::{self, Reason};
use super::clock;
use super::header::{Field, Layout};
use super::notes::{Odd, Oddities, clip};
use super::plain::Sink;
use super::rows::Rows;
use super::spelling::Spelling;
use crate::catalog::Type;
use crate::snapshot::{Ints, Places, TextData};
use crate::time::parse_interval;
use crate::unit::parse_lsn;
use std::borrow::Cow;

/// Rows of a part of a file: for each of its fields a column.
#[derive(Debug, Default)]
pub(super) struct Segment {
    pub columns: Vec<Cells>,
    pub rows: usize,
    /// Line of each row, counted from the part's start, or position in the array.
    pub places: Places,
    pub odd: Oddities,
    /// Times read that did not say their offset.
    pub offsetless: u64,
}

/// A column's cells.
#[derive(Debug)]
pub(super) enum Cells {
    Skipped,
    /// Whole numbers, and what is stored as such.
    Int(Type, Vec<i64>),
    Numeric(Vec<Option<i128>>),
    Float(Vec<f64>),
    Bool(Vec<u8>),
    Text(TextData),
}

impl Cells {
    pub fn new(ty: Option<Type>) -> Self {
        match ty {
            None => Self::Skipped,
            Some(ty @ (Type::Int | Type::Time | Type::Interval | Type::Lsn)) => Self::Int(ty, Vec::new()),
            Some(Type::Numeric) => Self::Numeric(Vec::new()),
            Some(Type::Float) => Self::Float(Vec::new()),
            Some(Type::Bool) => Self::Bool(Vec::new()),
            Some(Type::Text | Type::Array) => Self::Text(TextData::new()),
        }
    }

    /// Keeps the first rows.
    pub fn truncate(&mut self, rows: usize) {
        match self {
            Self::Skipped => {}
            Self::Int(_, v) => v.truncate(rows),
            Self::Numeric(v) => v.truncate(rows),
            Self::Float(v) => v.truncate(rows),
            Self::Bool(v) => v.truncate(rows),
            Self::Text(v) => v.truncate(rows),
        }
    }

    /// Makes room for rows to come.
    fn reserve(&mut self, rows: usize) {
        match self {
            Self::Skipped => {}
            Self::Int(_, v) => v.reserve(rows),
            Self::Numeric(v) => v.reserve(rows),
            Self::Float(v) => v.reserve(rows),
            Self::Bool(v) => v.reserve(rows),
            Self::Text(v) => v.reserve(rows),
        }
    }

    pub fn push_null(&mut self) {
        match self {
            Self::Skipped => {}
            Self::Int(_, v) => v.push(Ints::NULL),
            Self::Numeric(v) => v.push(None),
            Self::Float(v) => v.push(f64::NAN),
            Self::Bool(v) => v.push(2),
            Self::Text(v) => v.push(None),
        }
    }
}

impl Segment {
    pub fn new(fields: &[Field]) -> Self {
        Self { columns: fields.iter().map(|f| Cells::new(f.ty())).collect(), ..Self::default() }
    }

    /// The same with room for about so many rows.
    pub fn with_room(fields: &[Field], rows: usize) -> Self {
        let mut segment = Self::new(fields);
        for cells in &mut segment.columns {
            cells.reserve(rows);
        }
        segment
    }

    /// Appends a cell to a column: its text, and whether it was quoted. What cannot be read becomes NULL and a note.
    #[inline]
    pub fn push(&mut self, at: usize, fields: &[Field], text: &str, quoted: bool, line: u64, spelling: &Spelling) {
        let (Some(cells), Some(field)) = (self.columns.get_mut(at), fields.get(at)) else { return };
        let reason: Reason = match cells {
            Cells::Skipped => return,
            Cells::Int(ty, values) => {
                if text.is_empty() {
                    values.push(Ints::NULL);
                    return;
                }
                let read = match *ty {
                    Type::Time => match clock::plain_time(text.as_bytes()) {
                        Some(t) => Ok(t),
                        None if cell::is_null(text, quoted) => Ok(Ints::NULL),
                        None => clock::time(text, spelling).map(|(t, known)| {
                            self.offsetless += u64::from(!known);
                            t
                        }),
                    },
                    Type::Interval | Type::Lsn if cell::is_null(text, quoted) => Ok(Ints::NULL),
                    Type::Interval => parse_interval(text).ok_or("is not an interval"),
                    Type::Lsn => parse_lsn(text.trim()).map(|n| n as i64).ok_or("is not a WAL position"),
                    _ => match cell::plain_int(text.as_bytes()) {
                        Some(n) => Ok(n),
                        None if cell::is_null(text, quoted) => Ok(Ints::NULL),
                        None => cell::int(text, spelling),
                    },
                };
                match read {
                    Ok(n) => {
                        values.push(n);
                        return;
                    }
                    Err(reason) => reason,
                }
            }
            Cells::Numeric(values) => {
                if cell::is_null(text, quoted) {
                    values.push(None);
                    return;
                }
                match cell::numeric(text, spelling) {
                    Ok(n) => {
                        values.push(Some(n));
                        return;
                    }
                    Err(reason) => reason,
                }
            }
            Cells::Float(values) => {
                if cell::is_null(text, quoted) {
                    values.push(f64::NAN);
                    return;
                }
                match cell::float(text, spelling) {
                    Ok(x) => {
                        values.push(x);
                        return;
                    }
                    Err(reason) => reason,
                }
            }
            Cells::Bool(values) => {
                if cell::is_null(text, quoted) {
                    values.push(2);
                    return;
                }
                match cell::boolean(text) {
                    Ok(b) => {
                        values.push(b);
                        return;
                    }
                    Err(reason) => reason,
                }
            }
            Cells::Text(values) => {
                let null = if text.is_empty() {
                    !quoted || spelling.quotes_all
                } else {
                    !quoted && spelling.null_word == Some(text)
                };
                values.push(if null { None } else { Some(text) });
                return;
            }
        };
        cells.push_null();
        let message = format!("{} {reason}; read as NULL", clip(text));
        self.odd.push(Odd::new("bad-cell", message).at(line).column(&field.name));
    }

    /// Adds a column met late, NULL so far.
    pub fn add(&mut self, field: &Field) {
        let mut cells = Cells::new(field.ty());
        (0..self.rows).for_each(|_| cells.push_null());
        self.columns.push(cells);
    }

    /// Takes back what was read of a row that broke off.
    pub fn drop_row(&mut self) {
        for cells in &mut self.columns {
            cells.truncate(self.rows);
        }
    }

    /// Ends a row.
    pub fn end_row(&mut self, place: u64) {
        self.rows += 1;
        self.places.push(place);
    }
}

impl Sink for Segment {
    fn int(&mut self, at: usize, value: i64) {
        if let Some(Cells::Int(_, values)) = self.columns.get_mut(at) {
            values.push(value);
        }
    }

    fn numeric(&mut self, at: usize, value: Option<i128>) {
        if let Some(Cells::Numeric(values)) = self.columns.get_mut(at) {
            values.push(value);
        }
    }

    fn float(&mut self, at: usize, value: f64) {
        if let Some(Cells::Float(values)) = self.columns.get_mut(at) {
            values.push(value);
        }
    }

    fn bool(&mut self, at: usize, value: u8) {
        if let Some(Cells::Bool(values)) = self.columns.get_mut(at) {
            values.push(value);
        }
    }

    fn text(&mut self, at: usize, value: Option<&str>) {
        if let Some(Cells::Text(values)) = self.columns.get_mut(at) {
            values.push(value);
        }
    }

    fn undo_row(&mut self) {
        self.drop_row();
    }

    fn irregular(&mut self) -> &mut Segment {
        self
    }

    fn append(parts: Vec<(Self, u64)>, rows: &mut Rows, layout: &Layout) {
        rows.append_all(parts, layout);
    }

    fn end_row(&mut self, place: u64, _: bool) {
        Self::end_row(self, place);
    }
}

/// A cell's text with COPY's escapes resolved; `None` is NULL.
pub(super) fn unescape(text: &str) -> Option<Cow<'_, str>> {
    if text == "\\N" {
        return None;
    }
    if !text.contains('\\') {
        return Some(Cow::Borrowed(text));
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('b') => out.push('\u{8}'),
            Some('f') => out.push('\u{c}'),
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some('v') => out.push('\u{b}'),
            Some(other) => out.push(other),
            None => out.push('\\'),
        }
    }
    Some(Cow::Owned(out))
}
