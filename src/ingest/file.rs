//! One file to tables.

use super::gather::Member;
use super::header::Layout;
use super::name::Named;
use super::notes::{Odd, Oddities};
use super::options::Wanted;
use super::readers::{self, Job, Start};
use super::rows::Rows;
use super::source::{Input, Stream};
use crate::catalog::View;
use crate::snapshot::{Places, Table};
use chrono_tz::Tz;
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::io::Read;

/// What one file gave.
#[derive(Default)]
pub(super) struct Parsed {
    pub tables: Vec<Table>,
    /// Column names of each view as the file has them.
    pub exported: Vec<(&'static View, Vec<String>)>,
    pub odd: Oddities,
    pub views: Vec<String>,
    pub rows: u64,
    pub offsetless: u64,
}

impl Parsed {
    /// Adds a relation read from the file.
    pub fn add(&mut self, mut rows: Rows, layout: &Layout, pointer: Option<&str>, job: &Job<'_>) {
        self.rows += rows.len() as u64;
        self.offsetless += rows.offsetless;
        self.odd.append(std::mem::take(&mut rows.odd), 0);
        self.views.push(layout.exported_as.clone());
        if let Some(view) = layout.view.filter(|_| !layout.fields.is_empty()) {
            self.exported.push((view, layout.fields.iter().map(|f| f.name.clone()).collect()));
        }
        let tables = rows.into_tables(layout, &job.file.path.as_str().into(), pointer);
        self.tables.extend(tables.into_iter().filter(|t| job.wanted.view(t.view)));
    }

    /// Notes that the file has nothing in it: a view without rows, where its name says which.
    pub fn empty(&mut self, named: &Named) {
        let Some((view, exported_as)) = named.view else {
            return self.odd.push(Odd::new("empty-file", "the file is empty"));
        };
        let mut table = Table::empty(view);
        exported_as.clone_into(&mut table.exported_as);
        self.views.push(exported_as.to_owned());
        self.tables.push(table);
        // JSON lines of a view without rows are an empty file; a CSV has its header.
        if !named.is_json() {
            self.odd.push(Odd::new("empty-file", "the file is empty, not even column names"));
        }
    }

    /// Takes over a later part of the same file.
    pub fn absorb(&mut self, mut part: Self, lines_before: u64) {
        for table in &mut part.tables {
            for source in &mut table.sources {
                let mut places = Places::default();
                places.append(&source.places, lines_before);
                source.places = places;
            }
        }
        self.tables.append(&mut part.tables);
        self.exported.append(&mut part.exported);
        self.odd.append(part.odd, lines_before);
        self.views.append(&mut part.views);
        self.rows += part.rows;
        self.offsetless += part.offsetless;
    }
}

/// Reads a file of any kind. What cannot be read is an oddity of it.
pub(super) fn read_file(file: &Member, wanted: &Wanted, zone: Option<Tz>) -> Parsed {
    let mut parsed = Parsed::default();
    let stream = match Stream::open(&file.input, file.named.packing) {
        Ok(stream) => stream,
        Err(e) => {
            parsed.odd.push(Odd::new("unreadable-file", format!("cannot be read: {e}")));
            return parsed;
        }
    };
    if let Some(encoding) = stream.encoding {
        parsed.odd.push(Odd::new("encoding", format!("decoded from {encoding}")));
    }
    read_stream(stream, &Job { file, named: &file.named, wanted, zone }, &mut parsed);
    parsed
}

/// Reads a file, or a part of it that is like a file.
pub(super) fn read_stream(stream: Stream, job: &Job<'_>, parsed: &mut Parsed) {
    let start = Start { head: &stream.head, whole: stream.whole, named: job.named };
    if start.trimmed().is_empty() {
        return parsed.empty(job.named);
    }
    match readers::of(&start) {
        Ok(reader) => (reader.read)(stream, job, parsed),
        Err(why) => parsed.odd.push(Odd::new("unreadable-file", format!("the file {why}"))),
    }
}

/// SHA-256 of the stored bytes, hexadecimal.
pub(super) fn digest(input: &Input) -> Option<String> {
    let mut hasher = Sha256::new();
    let mut stored = input.open().ok()?;
    let mut buffer = vec![0; 1 << 16];
    loop {
        match stored.read(&mut buffer).ok()? {
            0 => break,
            n => hasher.update(&buffer[..n]),
        }
    }
    Some(hasher.finalize().iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    }))
}
