//! One file to tables.

use super::blocks;
use super::bundle;
use super::delimited;
use super::gather::Member;
use super::head::{self, Kind};
use super::header;
use super::identity;
use super::json::JsonTable;
use super::name::{Named, Packing};
use super::notes::{Odd, Oddities};
use super::options::Wanted;
use super::source::{Input, Stream};
use super::spelling::Spelling;
use crate::catalog::View;
use crate::snapshot::{Places, Table};
use chrono_tz::Tz;
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::io::Read;
use std::sync::Arc;

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
    /// Takes over a later part of the same file.
    fn absorb(&mut self, mut part: Self, lines_before: u64) {
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
    if blocks::begins(&stream.head) {
        for block in blocks::split(stream, &mut parsed.odd) {
            let mut part = Parsed::default();
            match Stream::open(&Input::Memory(block.bytes.into()), Packing::Plain) {
                Ok(stream) => read_stream(stream, file, &block.named, wanted, zone, &mut part),
                Err(e) => part.odd.push(Odd::new("unreadable-file", format!("cannot be read: {e}"))),
            }
            parsed.absorb(part, block.lines_before);
        }
    } else {
        read_stream(stream, file, &file.named, wanted, zone, &mut parsed);
    }
    parsed
}

fn read_stream(stream: Stream, file: &Member, named: &Named, wanted: &Wanted, zone: Option<Tz>, parsed: &mut Parsed) {
    let name: Arc<str> = file.path.as_str().into();
    match head::look(&stream.head, stream.whole, named, zone, &mut parsed.odd) {
        Kind::NotRead(why) => parsed.odd.push(Odd::new("unreadable-file", format!("the file {why}"))),
        Kind::Empty => match named.view {
            Some((view, exported_as)) => {
                let mut table = Table::empty(view);
                exported_as.clone_into(&mut table.exported_as);
                parsed.views.push(exported_as.to_owned());
                parsed.tables.push(table);
                // JSON lines of a view without rows are an empty file; a CSV has its header.
                if !named.is_json() {
                    parsed.odd.push(Odd::new("empty-file", "the file is empty, not even column names"));
                }
            }
            None => parsed.odd.push(Odd::new("empty-file", "the file is empty")),
        },
        Kind::Json => read_json(stream, named, wanted, zone, &name, parsed),
        Kind::Delimited(plan) => {
            if !header::wanted(plan.layout.view, wanted) {
                return;
            }
            let mut rows = delimited::read(stream, &plan);
            parsed.rows = rows.len() as u64;
            parsed.offsetless = rows.offsetless;
            parsed.odd.append(std::mem::take(&mut rows.odd), 0);
            parsed.views.push(plan.layout.exported_as.clone());
            if let Some(view) = plan.layout.view {
                parsed.exported.push((view, plan.layout.fields.iter().map(|f| f.name.clone()).collect()));
            }
            let tables = rows.into_tables(&plan.layout, &name, None);
            parsed.tables.extend(tables.into_iter().filter(|t| wanted.view(t.view)));
        }
    }
}

fn read_json(
    stream: impl Read,
    named: &Named,
    wanted: &Wanted,
    zone: Option<Tz>,
    name: &Arc<str>,
    parsed: &mut Parsed,
) {
    let spelling = Spelling { zone, ..Spelling::PLAIN };
    let mut json = bundle::read(stream, named, wanted, spelling);
    parsed.odd.append(std::mem::take(&mut json.odd), 0);
    if !json.about.is_empty() {
        json.tables.extend(identity::table_of(&json.about, spelling));
    }
    for table in json.tables {
        let JsonTable { layout, mut rows, pointer, .. } = table;
        if !header::wanted(layout.view, wanted) {
            continue;
        }
        if layout.view.is_none() {
            parsed.odd.push(Odd::new(
                "unknown-view",
                format!("no view of any version has the columns of {}; kept as text", layout.exported_as),
            ));
        }
        parsed.rows += rows.len() as u64;
        parsed.offsetless += rows.offsetless;
        parsed.odd.append(std::mem::take(&mut rows.odd), 0);
        parsed.views.push(layout.exported_as.clone());
        if let Some(view) = layout.view.filter(|_| !layout.fields.is_empty()) {
            parsed.exported.push((view, layout.fields.iter().map(|f| f.name.clone()).collect()));
        }
        let tables = rows.into_tables(&layout, name, pointer.as_deref());
        parsed.tables.extend(tables.into_iter().filter(|t| wanted.view(t.view)));
    }
}

/// SHA-256 of the stored bytes, hexadecimal.
pub(super) fn digest(input: &Input) -> Option<String> {
    let mut hasher = Sha256::new();
    match input {
        Input::Memory(bytes) => hasher.update(bytes),
        Input::File(path) => {
            let mut file = std::fs::File::open(path).ok()?;
            let mut buffer = vec![0; 1 << 16];
            loop {
                match file.read(&mut buffer).ok()? {
                    0 => break,
                    n => hasher.update(&buffer[..n]),
                }
            }
        }
    }
    Some(hasher.finalize().iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    }))
}
