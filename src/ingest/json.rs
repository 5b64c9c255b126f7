//! Reads a view's rows from JSON: an array of objects, objects line by line, or the columns that pandas writes.

use super::header::{Layout, view_of};
use super::lexer::{Broken, Lexer, Next};
use super::notes::{Odd, Oddities};
use super::plain_json::{self, Cell};
use super::rows::Rows;
use super::segment::Segment;
use super::spelling::Spelling;
use crate::catalog::View;
use std::io::Read;

/// Rows kept before they are packed.
const BATCH: usize = 4096;

type Read1<T> = Result<T, Broken>;

/// One view's rows in the making.
pub(super) struct JsonTable {
    pub layout: Layout,
    pub rows: Rows,
    /// The array's pointer; `None` where each row has a line of its own.
    pub pointer: Option<String>,
    segment: Segment,
    /// For each field the row that last had it, counted from 1.
    seen: Vec<u64>,
    row: u64,
    spelling: Spelling,
    key: String,
    cell: String,
    cells: Vec<Cell>,
}

/// A value read ahead of knowing its column.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Null,
    /// A text, or an array in text form.
    Text(String),
    /// A number or boolean as it stands.
    Word(String),
}

/// A member of an object read ahead.
pub(super) type Member = (String, Value);

/// What is known of a relation before its rows are read.
#[derive(Clone, Debug)]
pub(super) struct About {
    /// The view that the file's or member's name says.
    pub named: Option<(&'static View, &'static str)>,
    /// What it is called where it is no view of the catalog.
    pub fallback: String,
    /// The array's pointer; `None` where each row has a line of its own.
    pub pointer: Option<String>,
    pub spelling: Spelling,
}

impl JsonTable {
    /// A table whose view is known, or told by the names of its first row.
    pub fn new(names: &[&str], about: &About) -> Self {
        let About { named, ref fallback, ref pointer, spelling } = *about;
        let layout = match view_of(names, named) {
            Some((view, name)) => Layout::new(Some(view), &name),
            None => match named {
                // A relation without rows has no names to hold against its own.
                Some((view, name)) if names.is_empty() => Layout::new(Some(view), name),
                _ => Layout::new(None, fallback),
            },
        };
        Self {
            rows: Rows::default(),
            segment: Segment::default(),
            seen: Vec::new(),
            row: 0,
            layout,
            pointer: pointer.clone(),
            spelling,
            key: String::new(),
            cell: String::new(),
            cells: Vec::new(),
        }
    }

    /// Adds a row read ahead.
    pub fn push_row(&mut self, members: &[Member], place: u64) {
        self.row += 1;
        for (name, value) in members {
            let at = self.field(name);
            if self.seen[at] == self.row {
                continue;
            }
            self.seen[at] = self.row;
            match value {
                Value::Null => self.push(at, "", false, place),
                Value::Text(text) => self.push(at, text, true, place),
                Value::Word(word) => self.push_word(at, word, place),
            }
        }
        self.end_row(place);
    }

    /// Reads the next row straight into its columns.
    pub fn read_row<R: Read>(&mut self, lexer: &mut Lexer<R>, place: u64) -> Read1<()> {
        self.row += 1;
        if self.plain_row(lexer, place)? {
            return Ok(());
        }
        let mut key = std::mem::take(&mut self.key);
        let mut cell = std::mem::take(&mut self.cell);
        let result = self.members(lexer, place, &mut key, &mut cell);
        self.key = key;
        self.cell = cell;
        match result {
            Ok(()) => {
                self.end_row(place);
                Ok(())
            }
            Err(broken) => {
                self.segment.drop_row();
                Err(broken)
            }
        }
    }

    /// Reads the next row if it is written like the ones before, as PostgreSQL writes them; else nothing.
    fn plain_row<R: Read>(&mut self, lexer: &mut Lexer<R>, place: u64) -> Read1<bool> {
        lexer.peek()?;
        let mut cells = std::mem::take(&mut self.cells);
        let bytes = lexer.ahead();
        let names = self.layout.fields.iter().map(|field| field.name.as_str());
        let len = plain_json::split(bytes, names, &mut cells);
        let row = len.and_then(|len| std::str::from_utf8(bytes.get(..len)?).ok());
        let read = row.map(|row| {
            for (at, cell) in cells.iter().enumerate() {
                let text = row.get(cell.at.clone()).unwrap_or_default();
                if cell.quoted {
                    self.push(at, text, true, place);
                } else {
                    self.push_word(at, text, place);
                }
            }
            row.len()
        });
        self.cells = cells;
        let Some(len) = read else { return Ok(false) };
        lexer.pass(len);
        self.seen.fill(self.row);
        self.end_row(place);
        Ok(true)
    }

    fn members<R: Read>(&mut self, lexer: &mut Lexer<R>, place: u64, key: &mut String, cell: &mut String) -> Read1<()> {
        lexer.punctuation(b'{')?;
        let mut first = true;
        let mut expected = 0;
        while lexer.member(&mut first, b'}')? {
            // Rows mostly have their members in one order.
            let at = match self.layout.fields.get(expected) {
                Some(field) if lexer.is_key(&field.name)? => expected,
                _ => {
                    lexer.key(key)?;
                    self.field(key)
                }
            };
            expected = at + 1;
            if self.seen[at] == self.row {
                lexer.skip()?;
                continue;
            }
            cell.clear();
            match lexer.next()? {
                Next::Text => {
                    lexer.text(cell)?;
                    self.seen[at] = self.row;
                    self.push(at, cell, true, place);
                }
                Next::Array => {
                    lexer.array_text(cell)?;
                    self.seen[at] = self.row;
                    self.push(at, cell, true, place);
                }
                Next::Object => {
                    lexer.raw(0, cell)?;
                    self.seen[at] = self.row;
                    self.push(at, cell, true, place);
                }
                Next::Word | Next::End => {
                    lexer.word(cell)?;
                    self.seen[at] = self.row;
                    self.push_word(at, cell, place);
                }
            }
        }
        Ok(())
    }

    /// The field of a name.
    fn field(&mut self, name: &str) -> usize {
        if let Some(at) = self.layout.fields.iter().position(|f| f.name == name) {
            return at;
        }
        self.layout.add(name, &mut self.rows.odd);
        let at = self.layout.fields.len() - 1;
        if let Some(field) = self.layout.fields.get_mut(at) {
            // Kept as it stands, so that the next row finds it.
            name.clone_into(&mut field.name);
            self.segment.add(field);
        }
        self.seen.push(0);
        at
    }

    fn push(&mut self, at: usize, text: &str, quoted: bool, place: u64) {
        self.segment.push(at, &self.layout.fields, text, quoted, place, &self.spelling);
    }

    fn push_word(&mut self, at: usize, word: &str, place: u64) {
        match word {
            "null" => self.push(at, "", false, place),
            "true" => self.push(at, "t", false, place),
            "false" => self.push(at, "f", false, place),
            number => self.push(at, number, false, place),
        }
    }

    fn end_row(&mut self, place: u64) {
        for (seen, cells) in self.seen.iter().zip(&mut self.segment.columns) {
            if *seen != self.row {
                cells.push_null();
            }
        }
        self.segment.end_row(place);
        if self.segment.rows == BATCH {
            self.flush();
        }
    }

    fn flush(&mut self) {
        let fresh = Segment::new(&self.layout.fields);
        self.rows.append(std::mem::replace(&mut self.segment, fresh), 0, &self.layout);
    }

    /// All rows are read.
    pub fn finish(mut self) -> Self {
        self.flush();
        self
    }
}

/// Reads a member's value ahead.
pub(super) fn value<R: Read>(lexer: &mut Lexer<R>) -> Read1<Value> {
    let mut text = String::new();
    Ok(match lexer.next()? {
        Next::Text => {
            lexer.text(&mut text)?;
            Value::Text(text)
        }
        Next::Array => {
            lexer.array_text(&mut text)?;
            Value::Text(text)
        }
        Next::Object => {
            lexer.raw(0, &mut text)?;
            Value::Text(text)
        }
        Next::Word | Next::End => {
            lexer.word(&mut text)?;
            if text == "null" { Value::Null } else { Value::Word(text) }
        }
    })
}

/// Reads an object's members ahead.
pub(super) fn object<R: Read>(lexer: &mut Lexer<R>) -> Read1<Vec<Member>> {
    let mut members = Vec::new();
    lexer.punctuation(b'{')?;
    let mut first = true;
    while lexer.member(&mut first, b'}')? {
        let mut key = String::new();
        lexer.key(&mut key)?;
        members.push((key, value(lexer)?));
    }
    Ok(members)
}

/// Where rows stand: their separators, and what their places count.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Rowing {
    /// An array, its opening bracket read.
    Array,
    /// Object after object.
    Lines,
}

/// Reads rows to the end of the array or file. A broken row is left out; reading goes on with the next line that
/// begins a row.
pub(super) fn rows<R: Read>(
    lexer: &mut Lexer<R>,
    rowing: Rowing,
    first: Option<&[Member]>,
    about: &About,
    odd: &mut Oddities,
) -> JsonTable {
    let mut table: Option<JsonTable> = None;
    let mut position = 0;
    let mut start = true;
    let begin = |members: &[Member]| {
        let names: Vec<&str> = members.iter().map(|(n, _)| n.as_str()).collect();
        JsonTable::new(&names, about)
    };
    if let Some(members) = first {
        let mut fresh = begin(members);
        fresh.push_row(members, 1);
        table = Some(fresh);
    }
    loop {
        let more = match rowing {
            Rowing::Array => lexer.member(&mut start, b']'),
            Rowing::Lines => lexer.next().map(|next| next != Next::End),
        };
        let result = more.and_then(|more| {
            if !more {
                return Ok(false);
            }
            let place = if rowing == Rowing::Array { position } else { lexer.peek()?.map_or(0, |_| lexer.line()) };
            position += 1;
            if let Some(table) = &mut table {
                table.read_row(lexer, place)?;
            } else {
                let members = object(lexer)?;
                let mut fresh = begin(&members);
                fresh.push_row(&members, place);
                table = Some(fresh);
            }
            Ok(true)
        });
        match result {
            Ok(true) => {}
            Ok(false) => break,
            Err(broken) => {
                odd.push(Odd::new("bad-row", format!("{}; the row was left out", broken.message)).at(broken.line));
                if !to_next_row(lexer) {
                    break;
                }
                start = true;
            }
        }
    }
    table.unwrap_or_else(|| begin(&[])).finish()
}

/// Goes on to the next line that begins with an object.
fn to_next_row<R: Read>(lexer: &mut Lexer<R>) -> bool {
    while lexer.next_line() {
        if let Ok(Some(b'{')) = lexer.peek() {
            return true;
        }
    }
    false
}

/// Builds a table from columns: `{"relid":{"0":16385,"1":...},"relname":{...}}`.
pub(super) fn from_columns(columns: Vec<(String, Vec<Member>)>, about: &About, odd: &mut Oddities) -> JsonTable {
    let names: Vec<&str> = columns.iter().map(|(n, _)| n.as_str()).collect();
    let mut table = JsonTable::new(&names, about);
    let height = columns.first().map_or(0, |(_, cells)| cells.len());
    let mut kept: Vec<(String, std::vec::IntoIter<Member>)> = Vec::new();
    let labels: Vec<String> =
        columns.first().map(|(_, cells)| cells.iter().map(|(l, _)| l.clone()).collect()).unwrap_or_default();
    for (name, cells) in columns {
        let aligned = cells.len() == height && cells.iter().zip(&labels).all(|((l, _), label)| l == label);
        if aligned {
            kept.push((name, cells.into_iter()));
        } else {
            let message = "the column does not have the rows that the first column has; left out";
            odd.push(Odd::new("bad-column", message).column(&name));
        }
    }
    for position in 0..height as u64 {
        let members: Vec<Member> = kept
            .iter_mut()
            .map(|(name, cells)| (name.clone(), cells.next().map_or(Value::Null, |(_, value)| value)))
            .collect();
        table.push_row(&members, position);
    }
    table.finish()
}
