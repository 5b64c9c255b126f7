//! Typed cells of a part of a file, before they are packed.

use super::cell::{self, Reason};
use super::clock;
use super::header::{Field, Layout, Role};
use super::notes::{Odd, Oddities, clip};
use super::spelling::Spelling;
use crate::catalog::{Type, View};
use crate::snapshot::{Data, Ints, Places, Source, Table, TextData};
use crate::time::{Timestamp, parse_interval};
use crate::unit::parse_lsn;
use rayon::prelude::*;
use std::borrow::Cow;
use std::sync::Arc;

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

    /// Takes back what was read of a row that broke off.
    fn truncate(&mut self, rows: usize) {
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

/// All rows of a file, packed as they come.
#[derive(Debug)]
pub(super) struct Rows {
    columns: Vec<Option<Data>>,
    count: usize,
    places: Places,
    pub odd: Oddities,
    pub offsetless: u64,
}

impl Rows {
    pub fn new(fields: &[Field]) -> Self {
        let columns = fields.iter().map(|f| f.ty().map(Data::for_type)).collect();
        Self { columns, count: 0, places: Places::default(), odd: Oddities::default(), offsetless: 0 }
    }

    /// Adds a column met late (JSON): NULL so far.
    pub fn add(&mut self, field: &Field) {
        let mut data = field.ty().map(Data::for_type);
        if let Some(data) = &mut data {
            (0..self.count).for_each(|_| data.push_null());
        }
        self.columns.push(data);
    }

    pub const fn len(&self) -> usize {
        self.count
    }

    /// Appends the next part, whose lines are counted from `lines_before`.
    pub fn append(&mut self, segment: Segment, lines_before: u64) {
        for (data, cells) in self.columns.iter_mut().zip(&segment.columns) {
            if let Some(data) = data {
                pack(data, cells);
            }
        }
        self.account(segment, lines_before);
    }

    /// Appends large parts that follow each other, each with the lines before it; columns are packed side by side.
    pub fn append_all(&mut self, segments: Vec<(Segment, u64)>) {
        self.columns.par_iter_mut().enumerate().for_each(|(at, data)| {
            if let Some(data) = data {
                for (segment, _) in &segments {
                    if let Some(cells) = segment.columns.get(at) {
                        pack(data, cells);
                    }
                }
            }
        });
        for (segment, lines_before) in segments {
            self.account(segment, lines_before);
        }
    }

    fn account(&mut self, segment: Segment, lines_before: u64) {
        self.count += segment.rows;
        self.places.append(&segment.places, lines_before);
        self.odd.append(segment.odd, lines_before);
        self.offsetless += segment.offsetless;
    }

    /// The tables of the file: the view's own, and those that later versions split from it.
    pub fn into_tables(mut self, layout: &Layout, file: &Arc<str>, pointer: Option<&str>) -> Vec<Table> {
        let views = layout.views();
        let source =
            || Source { file: Arc::clone(file), pointer: pointer.map(str::to_owned), places: self.places.clone() };
        let mut tables: Vec<Table> = if views.is_empty() {
            vec![Table {
                view: None,
                name: layout.exported_as.clone(),
                exported_as: layout.exported_as.clone(),
                rows: 0,
                columns: Vec::new(),
                extra: Vec::new(),
                taken_at: None,
                sources: Vec::new(),
                origin: Vec::new(),
            }]
        } else {
            views.iter().map(|v| Table::empty(v)).collect()
        };
        for table in &mut tables {
            layout.exported_as.clone_into(&mut table.exported_as);
            table.rows = self.count;
            table.sources.push(source());
        }
        for (field, data) in layout.fields.iter().zip(&mut self.columns) {
            let Some(mut data) = data.take() else { continue };
            data.shrink();
            match &field.role {
                Role::Skip => {}
                Role::TakenAt => {
                    if let (Data::Int(times), Some(table)) = (&data, tables.first_mut()) {
                        let newest = times.iter().filter(|t| *t != Ints::NULL).max();
                        table.taken_at = newest.map(Timestamp);
                    }
                }
                Role::Extra => {
                    if let (Data::Text(texts), Some(table)) = (data, tables.first_mut()) {
                        table.extra.push((field.name.clone(), texts));
                    }
                }
                Role::Known { places, .. } => {
                    let Some(((view, at), also)) = places.split_first() else { continue };
                    for (view, at) in also {
                        place(&mut tables, view, *at, data.clone());
                    }
                    place(&mut tables, view, *at, data);
                }
            }
        }
        let taken_at = tables.first().and_then(|t| t.taken_at);
        for table in &mut tables {
            table.taken_at = taken_at;
        }
        tables
    }
}

fn place(tables: &mut [Table], view: &View, at: usize, data: Data) {
    if let Some(slot) = tables.iter_mut().find(|t| t.name == view.name).and_then(|table| table.columns.get_mut(at)) {
        *slot = Some(data);
    }
}

fn pack(data: &mut Data, cells: &Cells) {
    match (data, cells) {
        (Data::Int(to), Cells::Int(_, from)) => to.extend(from),
        (Data::Numeric(to), Cells::Numeric(from)) => to.extend_from_slice(from),
        (Data::Float(to), Cells::Float(from)) => to.extend_from_slice(from),
        (Data::Bool(to), Cells::Bool(from)) => to.extend_from_slice(from),
        (Data::Text(to), Cells::Text(from)) => to.append(from),
        // Both were made for the same field.
        _ => {}
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
