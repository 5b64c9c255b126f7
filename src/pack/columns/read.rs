//! Columns from Parquet.

use super::super::manifest::Layout;
use super::decode::{Column, Room, Slots, Spare, column, decode, integers};
use super::{OWN, broken};
use crate::catalog::{self, Type};
use crate::snapshot::{Data, Places, Table, TextData};
use bytes::Bytes;
use parquet::column::reader::ColumnReader;
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, FileReader, Length, RowGroupReader, SerializedFileReader};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Rows of a row group, which is held in memory.
const MOST: i64 = 1 << 22;

/// The tables of a row group by the number of their snapshot.
type Parts = BTreeMap<u32, Table>;

/// A Parquet file of a packed history.
pub(in crate::pack) struct File {
    reader: SerializedFileReader<Source>,
}

impl File {
    pub fn open(path: &Path) -> io::Result<Self> {
        guarded(|| {
            let file = std::fs::File::open(path)?;
            let len = file.metadata()?.len();
            Ok(Self { reader: SerializedFileReader::new(Source { file: Arc::new(Mutex::new(file)), len })? })
        })
    }

    /// Rows of each row group.
    pub fn row_groups(&self) -> Vec<u64> {
        let groups = self.reader.metadata().row_groups();
        groups.iter().map(|group| u64::try_from(group.num_rows()).unwrap_or(0)).collect()
    }

    /// The tables of a row group, columns side by side. Names, sources and capture times are not in the file.
    pub fn read(&self, group: usize, layout: &Layout) -> io::Result<Parts> {
        self.tables(group, layout, |columns, decode| columns.par_iter().map_init(Room::default, decode).collect())
    }

    /// The same by threads of its own: whoever calls it takes up no other work until it is done.
    pub fn read_apart(&self, group: usize, layout: &Layout) -> io::Result<Parts> {
        self.tables(group, layout, apart)
    }

    /// The columns of a row group as they stand there, and the snapshot of each row.
    pub fn columns(&self, group: usize, layout: &Layout, spare: &Spare) -> io::Result<(Vec<u32>, Vec<Column>)> {
        guarded(|| {
            let (group, rows) = self.group(group)?;
            let columns = Columns::of(group.as_ref(), rows);
            let wanted = wanted(layout);
            let read =
                |room: &mut Room, (name, ty): &Wanted<'_>| column(columns.reader(name)?, *ty, rows, (room, spare));
            let read = wanted.par_iter().map_init(Room::default, read).collect::<Result<_>>()?;
            Ok((columns.snapshots()?, read))
        })
    }

    fn group(&self, group: usize) -> Result<(Box<dyn RowGroupReader + '_>, usize)> {
        let group = self.reader.get_row_group(group)?;
        let rows = group.metadata().num_rows();
        if !(0..=MOST).contains(&rows) {
            return Err(broken("a row group has too many rows"));
        }
        Ok((group, rows as usize))
    }

    fn tables(
        &self,
        group: usize,
        layout: &Layout,
        each: impl Fn(&[Wanted<'_>], &Decode<'_>) -> Result<Vec<Vec<Data>>>,
    ) -> io::Result<Parts> {
        guarded(|| {
            let (group, rows) = self.group(group)?;
            split(&Columns::of(group.as_ref(), rows), layout, each)
        })
    }
}

/// The decoder is a stranger's code over a stranger's bytes: a crash of it is an error.
fn guarded<T>(run: impl FnOnce() -> Result<T>) -> io::Result<T> {
    catch_unwind(AssertUnwindSafe(run))
        .unwrap_or_else(|_| Err(broken("the file is damaged: it cannot be decoded")))
        .map_err(io::Error::other)
}

/// A column to be read: its name in the file, its type.
type Wanted<'a> = (&'a str, Type);
/// Reads a column; its values by table.
type Decode<'a> = dyn Fn(&mut Room, &Wanted<'_>) -> Result<Vec<Data>> + Sync + 'a;

/// Reads columns by threads that do nothing else.
fn apart(columns: &[Wanted<'_>], decode: &Decode<'_>) -> Result<Vec<Vec<Data>>> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut room = Room::default();
        let columns = std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed))
            .map_while(|at| Some((at, decode(&mut room, columns.get(at)?))));
        columns.collect::<Vec<_>>()
    };
    let count = rayon::current_num_threads().min(columns.len());
    let mut read: Vec<(usize, Result<Vec<Data>>)> = std::thread::scope(|scope| {
        let others: Vec<_> =
            (1..count).filter_map(|_| std::thread::Builder::new().spawn_scoped(scope, work).ok()).collect();
        let own = work();
        own.into_iter().chain(others.into_iter().filter_map(|other| other.join().ok()).flatten()).collect()
    });
    read.sort_by_key(|(at, _)| *at);
    if read.len() != columns.len() {
        return Err(broken("a column could not be read"));
    }
    read.into_iter().map(|(_, parts)| parts).collect()
}

/// The columns of a row group by their names.
struct Columns<'a> {
    group: &'a dyn RowGroupReader,
    rows: usize,
    places: BTreeMap<&'a str, usize>,
}

impl<'a> Columns<'a> {
    fn of(group: &'a dyn RowGroupReader, rows: usize) -> Self {
        let columns = group.metadata().columns().iter().enumerate();
        Self { group, rows, places: columns.map(|(at, c)| (c.column_descr().name(), at)).collect() }
    }

    fn reader(&self, name: &str) -> Result<ColumnReader> {
        let at = self.places.get(name).copied();
        self.group.get_column_reader(at.ok_or_else(|| ParquetError::General(format!("the file has no column {name}")))?)
    }

    fn integers(&self, name: &str) -> Result<Vec<i64>> {
        match self.reader(name)? {
            ColumnReader::Int64ColumnReader(reader) => {
                let mut room = Room::default();
                integers(reader, self.rows, &mut room)?;
                Ok(room.values)
            }
            _ => Err(broken("a column of whole numbers is of another type")),
        }
    }

    /// The number of each row's snapshot.
    fn snapshots(&self) -> Result<Vec<u32>> {
        let [own_snapshot, ..] = OWN;
        let number = |n| u32::try_from(n).map_err(|_| broken("a snapshot has no number"));
        self.integers(own_snapshot)?.into_iter().map(number).collect()
    }
}

/// The columns of a kind of tables: those of the view, then the others.
fn wanted(layout: &Layout) -> Vec<Wanted<'_>> {
    let view = catalog::view(&layout.name).filter(|_| layout.known);
    layout
        .columns
        .iter()
        .map(|name| (name.as_str(), view.and_then(|v| v.column(name)).map_or(Type::Text, |(_, c)| c.ty)))
        .chain(layout.extra.iter().map(|(_, stored)| (stored.as_str(), Type::Text)))
        .collect()
}

fn split(
    columns: &Columns<'_>,
    layout: &Layout,
    each: impl Fn(&[Wanted<'_>], &Decode<'_>) -> Result<Vec<Vec<Data>>>,
) -> Result<Parts> {
    let [_, _, own_source, own_place] = OWN;
    let numbers = columns.snapshots()?;
    let met: BTreeSet<u32> = numbers.iter().copied().collect();
    let mut tables: BTreeMap<u32, Table> = met.into_iter().map(|n| (n, table(layout))).collect();
    let place: BTreeMap<u32, usize> = tables.keys().enumerate().map(|(slot, number)| (*number, slot)).collect();
    let slots = Slots::new(numbers.iter().filter_map(|n| place.get(n).copied()).collect(), tables.len());
    let view = catalog::view(&layout.name).filter(|_| layout.known);
    let read = each(&wanted(layout), &|room, (name, ty)| decode(columns.reader(name)?, *ty, &slots, room))?;
    let known = layout.columns.len();
    for (position, parts) in read.into_iter().enumerate() {
        for (table, data) in tables.values_mut().zip(parts) {
            table.rows = data.len();
            match (position.checked_sub(known), data) {
                (None, data) => {
                    let target = layout.columns.get(position).and_then(|name| Some(view?.column(name)?.0));
                    if let Some(slot) = target.and_then(|at| table.columns.get_mut(at)) {
                        *slot = Some(data);
                    }
                }
                (Some(extra), Data::Text(texts)) => {
                    if let Some((_, slot)) = table.extra.get_mut(extra) {
                        *slot = texts;
                    }
                }
                (Some(_), _) => {}
            }
        }
    }
    let (sources, places) = (columns.integers(own_source)?, columns.integers(own_place)?);
    let mut tables: Vec<(u32, Table)> = tables.into_iter().collect();
    trace(&mut tables, &slots, &sources, &places);
    Ok(tables.into_iter().collect())
}

/// Gives each row its source and place.
fn trace(tables: &mut [(u32, Table)], slots: &Slots, sources: &[i64], places: &[i64]) {
    for ((slot, source), place) in slots.of.iter().zip(sources).zip(places) {
        let Some((_, table)) = tables.get_mut(*slot) else { continue };
        let source = u16::try_from(*source).unwrap_or(0);
        let Ok(place) = u64::try_from(*place) else { continue };
        while table.sources.len() <= usize::from(source) {
            table.sources.push(crate::snapshot::Source::default());
        }
        if let Some(kept) = table.sources.get_mut(usize::from(source)) {
            let at = u32::try_from(kept.places.len()).unwrap_or(u32::MAX);
            kept.places.push(place);
            table.origin.push((source, at));
        }
    }
    for (_, table) in tables {
        let plain = table.sources.len() == 1;
        // Rows without a place break the count: then none has one.
        if plain || table.origin.len() != table.rows {
            table.origin.clear();
        }
        let counted: usize = table.sources.iter().map(|s| s.places.len()).sum();
        if counted != table.rows {
            table.sources.iter_mut().for_each(|source| source.places = Places::default());
        }
    }
}

/// A table of a kind, without rows.
pub(in crate::pack) fn table(layout: &Layout) -> Table {
    let view = catalog::view(&layout.name).filter(|_| layout.known);
    let mut table = view.map_or_else(|| Table::unknown(&layout.name), Table::empty);
    table.exported_as.clone_from(&layout.exported_as);
    for name in &layout.columns {
        if let Some((at, column)) = view.and_then(|v| v.column(name))
            && let Some(slot) = table.columns.get_mut(at)
        {
            *slot = Some(Data::for_type(column.ty));
        }
    }
    table.extra = layout.extra.iter().map(|(name, _)| (name.clone(), TextData::new())).collect();
    table
}

/// A file that several columns are read from at once.
struct Source {
    file: Arc<Mutex<std::fs::File>>,
    len: u64,
}

impl Length for Source {
    fn len(&self) -> u64 {
        self.len
    }
}

impl ChunkReader for Source {
    type T = BufReader<Part>;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        Ok(BufReader::new(Part { file: Arc::clone(&self.file), at: start }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        if start.saturating_add(length as u64) > self.len {
            return Err(broken("the file ends too early"));
        }
        let mut bytes = vec![0; length];
        Part { file: Arc::clone(&self.file), at: start }.read_exact(&mut bytes)?;
        Ok(bytes.into())
    }
}

/// The rest of a file.
struct Part {
    file: Arc<Mutex<std::fs::File>>,
    at: u64,
}

impl Read for Part {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(self.at))?;
        let n = file.read(buffer)?;
        self.at += n as u64;
        Ok(n)
    }
}
