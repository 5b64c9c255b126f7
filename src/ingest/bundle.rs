//! Tells the forms of JSON apart: one view's rows, or one object that holds many views.

use super::file::Parsed;
use super::header;
use super::identity;
use super::json::{self, About, JsonTable, Member, Rowing, Value};
use super::lexer::{Broken, Lexer, Next};
use super::name::Named;
use super::notes::{Odd, Oddities};
use super::options::Wanted;
use super::readers::{Job, Reader, Start};
use super::source::Stream;
use super::spelling::Spelling;
use crate::catalog;
use std::io::Read;

/// Members that hold the views of a bundle.
const CONTAINERS: &[&str] = &["views", "data", "tables", "snapshot", "stats"];
/// Members that hold what the dump says about itself.
const ABOUT: &[&str] = &["meta", "metadata", "server", "info"];

/// What a JSON file held.
struct JsonFile {
    tables: Vec<JsonTable>,
    /// What the dump says about itself outside of any view.
    about: Vec<Member>,
    /// Views that were there and not wanted.
    skipped: Vec<String>,
    odd: Oddities,
}

struct Bundle<'a, R> {
    lexer: Lexer<R>,
    named: &'a Named,
    wanted: &'a Wanted,
    spelling: Spelling,
    file: JsonFile,
}

pub(super) const READER: Reader = Reader {
    endings: &["json", "ndjson", "jsonl"],
    claims,
    is_moment: |start| start.named.ending == "json" && is_bundle(start.head),
    read,
};

fn claims(start: &Start<'_>) -> bool {
    let text = start.trimmed();
    let inside = |rest: &[u8]| rest.iter().find(|b| !b.is_ascii_whitespace()).copied();
    start.is_text()
        && match text {
            [b'{' | b'[', ..] if start.named.is_json() => true,
            [b'{', rest @ ..] => matches!(inside(rest), Some(b'"' | b'}')),
            [b'[', rest @ ..] => matches!(inside(rest), Some(b'{' | b']' | b'[')),
            _ => false,
        }
}

/// Reads a JSON file of any form.
fn read(stream: Stream, job: &Job<'_>, parsed: &mut Parsed) {
    let spelling = Spelling { zone: job.zone, ..Spelling::PLAIN };
    let mut json = parse(stream, job.named, job.wanted, spelling);
    parsed.odd.append(std::mem::take(&mut json.odd), 0);
    if !json.about.is_empty() {
        json.tables.extend(identity::table_of(&json.about, spelling));
    }
    for table in json.tables {
        let JsonTable { layout, rows, pointer, .. } = table;
        if !header::wanted(layout.view, job.wanted) {
            continue;
        }
        if layout.view.is_none() {
            parsed.odd.push(Odd::new(
                "unknown-view",
                format!("no view of any version has the columns of {}; kept as text", layout.exported_as),
            ));
        }
        parsed.add(rows, &layout, pointer.as_deref(), job);
    }
}

fn parse<R: Read>(reader: R, named: &Named, wanted: &Wanted, spelling: Spelling) -> JsonFile {
    let file = JsonFile { tables: Vec::new(), about: Vec::new(), skipped: Vec::new(), odd: Oddities::default() };
    let mut bundle = Bundle { lexer: Lexer::new(reader), named, wanted, spelling, file };
    if let Err(broken) = bundle.top() {
        let message = format!("{}; what stands before was read", broken.message);
        bundle.file.odd.push(Odd::new("unreadable-file", message).at(broken.line));
    }
    bundle.file
}

/// Whether a JSON text's first bytes show an object that holds views, so that it is a moment of its own.
fn is_bundle(head: &[u8]) -> bool {
    let mut lexer = Lexer::new(head);
    let mut key = String::new();
    let (mut first, mut alone) = (true, true);
    if lexer.punctuation(b'{').is_err() {
        return false;
    }
    while matches!(lexer.member(&mut first, b'}'), Ok(true)) {
        if lexer.key(&mut key).is_err() {
            return false;
        }
        let nested = matches!(lexer.next(), Ok(Next::Object | Next::Array));
        if nested && (holds_views(&key) || ABOUT.contains(&key.as_str()) || is_view(&key, alone)) {
            return true;
        }
        alone = false;
        if lexer.skip().is_err() {
            return false;
        }
    }
    false
}

/// Whether a member is a view by its name. `plans` is also a column of statements: behind other members that are no views
/// (not `alone`) it is one.
fn is_view(key: &str, alone: bool) -> bool {
    catalog::view(key).is_some() && (alone || !catalog::VIEWS.iter().any(|view| view.column(key).is_some()))
}

fn holds_views(key: &str) -> bool {
    CONTAINERS.contains(&key)
}

impl<R: Read> Bundle<'_, R> {
    /// The relation that the file's name says.
    fn whole_file(&self, pointer: Option<&str>) -> About {
        About {
            named: self.named.view,
            fallback: self.named.view.map_or_else(|| self.named.tag.clone(), |(_, name)| name.to_owned()),
            pointer: pointer.map(str::to_owned),
            spelling: self.spelling,
        }
    }

    /// The relation that a member is.
    fn about(&self, key: &str, pointer: &str) -> About {
        About {
            named: named(key),
            fallback: key.to_owned(),
            pointer: Some(pointer.to_owned()),
            spelling: self.spelling,
        }
    }

    fn top(&mut self) -> Result<(), Broken> {
        match self.lexer.next()? {
            Next::Array => {
                self.lexer.punctuation(b'[')?;
                let about = self.whole_file(Some(""));
                let table = json::rows(&mut self.lexer, Rowing::Array, None, &about, &mut self.file.odd);
                self.file.tables.push(table);
            }
            Next::Object => {
                let row = self.members("")?;
                if let Some(row) = row {
                    let about = self.whole_file(None);
                    let table = json::rows(&mut self.lexer, Rowing::Lines, Some(&row), &about, &mut self.file.odd);
                    self.file.tables.push(table);
                    return Ok(());
                }
            }
            Next::End => return Ok(()),
            _ => return Err(self.lexer.broken("neither an object nor an array")),
        }
        if self.lexer.next()? != Next::End {
            let message = "more follows behind the end of the JSON value; it was not read";
            self.file.odd.push(Odd::new("bad-row", message).at(self.lexer.line()));
        }
        Ok(())
    }

    /// Reads an object. Where it holds views they are added, else its members come back as a row.
    fn members(&mut self, pointer: &str) -> Result<Option<Vec<Member>>, Broken> {
        self.lexer.punctuation(b'{')?;
        let mut first = true;
        let mut plain: Vec<Member> = Vec::new();
        let mut columns: Vec<(String, Vec<Member>)> = Vec::new();
        let mut views = false;
        let mut key = String::new();
        while self.lexer.member(&mut first, b'}')? {
            self.lexer.key(&mut key)?;
            let at = format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
            let alone = plain.is_empty() && columns.is_empty();
            match self.lexer.next()? {
                Next::Object if holds_views(&key) => {
                    views = true;
                    self.container(&at)?;
                }
                Next::Object if ABOUT.contains(&key.as_str()) => {
                    views = true;
                    let about = json::object(&mut self.lexer)?;
                    self.file.about.extend(about);
                }
                Next::Object if is_view(&key, alone) => {
                    views = true;
                    self.view(&key, &at)?;
                }
                Next::Object if plain.is_empty() || !columns.is_empty() => {
                    columns.push((key.clone(), json::object(&mut self.lexer)?));
                }
                Next::Array if is_view(&key, alone) || key.starts_with("pg_") => {
                    views = true;
                    self.view(&key, &at)?;
                }
                Next::Array => {
                    self.lexer.punctuation(b'[')?;
                    if self.lexer.peek()? == Some(b'{') {
                        views = true;
                        self.array(&key, &at);
                    } else {
                        let mut text = String::new();
                        self.lexer.array_rest(0, &mut text)?;
                        plain.push((key.clone(), Value::Text(text)));
                    }
                }
                _ => plain.push((key.clone(), json::value(&mut self.lexer)?)),
            }
        }
        if views {
            self.file.about.extend(plain);
            return Ok(None);
        }
        if columns.is_empty() {
            return Ok(Some(plain));
        }
        let about = self.whole_file(Some(pointer));
        let table = json::from_columns(columns, &about, &mut self.file.odd);
        self.file.tables.push(table);
        Ok(None)
    }

    fn container(&mut self, pointer: &str) -> Result<(), Broken> {
        self.lexer.punctuation(b'{')?;
        let mut first = true;
        let mut key = String::new();
        while self.lexer.member(&mut first, b'}')? {
            self.lexer.key(&mut key)?;
            self.view(&key, &format!("{pointer}/{key}"))?;
        }
        Ok(())
    }

    /// Reads a member that is a view: an array of rows, or one row as an object, or columns.
    fn view(&mut self, key: &str, pointer: &str) -> Result<(), Broken> {
        let view = catalog::view(key);
        if !header::wanted(view, self.wanted) {
            self.file.skipped.push(key.to_owned());
            return self.lexer.skip();
        }
        match self.lexer.next()? {
            Next::Array => {
                self.lexer.punctuation(b'[')?;
                self.array(key, pointer);
                Ok(())
            }
            Next::Object => {
                let members = json::object(&mut self.lexer)?;
                let names: Vec<&str> = members.iter().map(|(n, _)| n.as_str()).collect();
                let mut table = JsonTable::new(&names, &self.about(key, pointer));
                table.push_row(&members, 0);
                self.file.tables.push(table.finish());
                Ok(())
            }
            // A view that could not be exported.
            _ => self.lexer.skip(),
        }
    }

    fn array(&mut self, key: &str, pointer: &str) {
        let about = self.about(key, pointer);
        let table = json::rows(&mut self.lexer, Rowing::Array, None, &about, &mut self.file.odd);
        self.file.tables.push(table);
    }
}

/// A member's view with the name it is catalogued under.
fn named(key: &str) -> Option<(&'static catalog::View, &'static str)> {
    let view = catalog::view(key)?;
    let name = std::iter::once(view.name).chain(view.also.iter().copied()).find(|n| n.eq_ignore_ascii_case(key))?;
    Some((view, name))
}
