//! All rows of a file, as tables.

use super::header::{Layout, Role};
use super::notes::Oddities;
use super::segment::{Cells, Segment};
use super::spool::{Bounds, Chunk, Spool};
use crate::catalog::View;
use crate::snapshot::{Data, Ints, Places, Source, Table};
use crate::time::Timestamp;
use rayon::prelude::*;
use std::sync::Arc;

/// From so many rows on a table is spooled, to come into the order of its keys; smaller ones stay in the processor's
/// cache and in the order of their file.
const LARGE: usize = 16_384;

/// All rows of a file.
#[derive(Debug, Default)]
pub(super) struct Rows {
    /// The first rows, as they were read.
    held: Vec<Segment>,
    /// What followed, packed.
    columns: Vec<Option<Data>>,
    /// What followed, where it is to be in the order of keys.
    spool: Option<Spool>,
    count: usize,
    places: Places,
    pub odd: Oddities,
    pub offsetless: u64,
}

impl Rows {
    pub const fn len(&self) -> usize {
        self.count
    }

    /// Where the next rows are to be spooled: the field whose order they will be in, and how its keys are divided.
    pub fn spooled(&self) -> Option<(usize, Bounds)> {
        self.spool.as_ref().map(Spool::order)
    }

    /// Appends the next part, whose lines are counted from `lines_before`.
    pub fn append(&mut self, segment: Segment, lines_before: u64, layout: &Layout) {
        self.append_all(vec![(segment, lines_before)], layout);
    }

    /// Appends parts that follow each other, each with the lines before it.
    pub fn append_all(&mut self, mut segments: Vec<(Segment, u64)>, layout: &Layout) {
        for (segment, lines_before) in &mut segments {
            self.count += segment.rows;
            self.odd.append(std::mem::take(&mut segment.odd), *lines_before);
            self.offsetless += segment.offsetless;
        }
        if let Some(spool) = &mut self.spool {
            let chunks = segments.iter().map(|(segment, lines)| (Chunk::of(segment, spool.order()), *lines));
            spool.add(&chunks.collect::<Vec<_>>());
            return;
        }
        for (segment, lines_before) in &segments {
            self.places.append(&segment.places, *lines_before);
        }
        let segments: Vec<Segment> = segments.into_iter().map(|(segment, _)| segment).collect();
        if self.count < LARGE {
            self.held.extend(segments);
        } else if let Some(key) = layout.key() {
            self.held.extend(segments);
            let keys = self.held.iter().flat_map(|segment| match segment.columns.get(key) {
                Some(Cells::Int(_, keys)) => keys.as_slice(),
                _ => &[],
            });
            let mut spool = Spool::new(key, keys.copied().collect());
            let mut before = 0;
            for mut segment in std::mem::take(&mut self.held) {
                // Their places are lines of the file already.
                segment.places = (before..before + segment.rows).filter_map(|row| self.places.get(row)).collect();
                before += segment.rows;
                spool.add(&[(Chunk::of(&segment, spool.order()), 0)]);
            }
            self.places = Places::default();
            self.spool = Some(spool);
        } else {
            let held = std::mem::take(&mut self.held);
            self.pack(&held, layout);
            self.pack(&segments, layout);
        }
    }

    /// Appends spooled parts that follow each other, each with the lines before it.
    pub fn append_chunks(&mut self, mut chunks: Vec<(Chunk, u64)>) {
        for (chunk, lines_before) in &mut chunks {
            self.count += chunk.len();
            self.odd.append(std::mem::take(&mut chunk.irregular.odd), *lines_before);
            self.offsetless += chunk.irregular.offsetless;
        }
        if let Some(spool) = &mut self.spool {
            spool.add(&chunks);
        }
    }

    /// Packs rows, columns side by side where they are many. A column that a part lacks was met later in the file.
    fn pack(&mut self, segments: &[Segment], layout: &Layout) {
        let packed = self.columns.iter().flatten().map(Data::len).max().unwrap_or(0);
        for field in layout.fields.iter().skip(self.columns.len()) {
            let mut data = field.ty().map(Data::for_type);
            if let Some(data) = &mut data {
                (0..packed).for_each(|_| data.push_null());
            }
            self.columns.push(data);
        }
        let pack_column = |(at, data): (usize, &mut Option<Data>)| {
            let Some(data) = data else { return };
            for segment in segments {
                match segment.columns.get(at) {
                    Some(cells) => pack(data, cells),
                    None => (0..segment.rows).for_each(|_| data.push_null()),
                }
            }
        };
        if segments.iter().map(|s| s.rows).sum::<usize>() < LARGE {
            self.columns.iter_mut().enumerate().for_each(pack_column);
        } else {
            self.columns.par_iter_mut().enumerate().for_each(pack_column);
        }
    }

    /// The tables of the file: the view's own, and those that later versions split from it.
    pub fn into_tables(mut self, layout: &Layout, file: &Arc<str>, pointer: Option<&str>) -> Vec<Table> {
        if let Some(spool) = self.spool.take() {
            (self.columns, self.places) = spool.into_columns(&layout.fields);
        } else {
            let held = std::mem::take(&mut self.held);
            self.pack(&held, layout);
        }
        if self.count < LARGE {
            self.columns.iter_mut().flatten().for_each(Data::shrink);
        } else {
            self.columns.par_iter_mut().flatten().for_each(|data| {
                if let Data::Text(texts) = data {
                    texts.fold_repeats();
                }
                data.shrink();
            });
        }
        let views = layout.views();
        let source =
            || Source { file: Arc::clone(file), pointer: pointer.map(str::to_owned), places: self.places.clone() };
        let mut tables: Vec<Table> = if views.is_empty() {
            vec![Table::unknown(&layout.exported_as)]
        } else {
            views.iter().map(|v| Table::empty(v)).collect()
        };
        for table in &mut tables {
            layout.exported_as.clone_into(&mut table.exported_as);
            table.rows = self.count;
            table.sources.push(source());
        }
        for (field, data) in layout.fields.iter().zip(&mut self.columns) {
            let Some(data) = data.take() else { continue };
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

/// Appends cells to a column made for the same field.
fn pack(data: &mut Data, cells: &Cells) {
    match (data, cells) {
        (Data::Int(to), Cells::Int(_, from)) => to.extend(from),
        (Data::Numeric(to), Cells::Numeric(from)) => to.extend_from_slice(from),
        (Data::Float(to), Cells::Float(from)) => to.extend_from_slice(from),
        (Data::Bool(to), Cells::Bool(from)) => to.extend_from_slice(from),
        (Data::Text(to), Cells::Text(from)) => to.append(from),
        _ => {}
    }
}
