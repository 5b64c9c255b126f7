//! Snapshots of a packed history, each by itself.

use super::columns::{self, File, Spare};
use super::groups::Groups;
use super::manifest::{FORMAT, Group, GroupEntry, Layout, Manifest, Moment, Stored, VERSION, Written};
use super::{MANIFEST, store};
use crate::catalog::{self, View};
use crate::error::{Error, Result};
use crate::meta::{Meta, Note, Notes};
use crate::snapshot::{Places, Snapshot, Source, Table};
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use std::fs;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

/// Bytes of a JSON file.
const JSON: u64 = 1 << 30;

/// A packed history; rows are read when they are asked for.
#[derive(Debug)]
pub struct History {
    root: PathBuf,
    manifest: Manifest,
    groups: Vec<Opened>,
    /// Group and position in it of each snapshot.
    order: Vec<(usize, usize)>,
    /// Memory for its columns.
    pub(super) spare: Spare,
}

/// A group of snapshots.
#[derive(Debug)]
pub(super) struct Opened {
    pub group: Group,
    /// First row of each table of each snapshot in its file.
    pub starts: Vec<Vec<u64>>,
    /// The row groups of each layout's file.
    pub groups: Vec<Groups>,
}

/// Whether a folder holds a packed history.
pub fn is_packed(folder: &Path) -> bool {
    let mut start = Vec::new();
    let head = fs::File::open(folder.join(MANIFEST)).and_then(|file| file.take(512).read_to_end(&mut start));
    head.is_ok() && memchr::memmem::find(&start, FORMAT.as_bytes()).is_some()
}

impl History {
    /// Opens a packed history.
    ///
    /// # Errors
    /// Where its JSON files cannot be read, are of a later version, or are not those the manifest was written with.
    pub fn open(root: &Path) -> Result<Self> {
        let path = root.join(MANIFEST);
        let bytes = bounded(&path).map_err(Error::io("read", &path))?;
        let manifest: Manifest = serde_json::from_slice(&bytes).map_err(|e| damaged(&path, &e.to_string()))?;
        if manifest.format != FORMAT || manifest.version != VERSION {
            return Err(Error::Input {
                message: format!(
                    "read `{}`: a packed history of version {}, where this pgretro reads version {VERSION}",
                    root.display(),
                    manifest.version
                ),
                hint: Some("read it with the pgretro that wrote it, or a later one".to_owned()),
            });
        }
        let mut groups = Vec::with_capacity(manifest.groups.len());
        for GroupEntry { index, .. } in &manifest.groups {
            let path = inside(root, &index.path).ok_or_else(|| damaged(&path, "it names a file outside of it"))?;
            let bytes = bounded(&path).map_err(Error::io("read", &path))?;
            if store::hex(&Sha256::digest(&bytes)) != index.sha256 {
                return Err(damaged(&path, "it is not the file the manifest was written with"));
            }
            let group: Group = serde_json::from_slice(&bytes).map_err(|e| damaged(&path, &e.to_string()))?;
            groups.push(Opened::new(group));
        }
        let order = groups
            .iter()
            .enumerate()
            .flat_map(|(at, opened)| (0..opened.group.snapshots.len()).map(move |number| (at, number)))
            .collect();
        Ok(Self { root: root.to_owned(), manifest, groups, order, spare: Spare::default() })
    }

    pub(super) const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// How many snapshots there are.
    pub const fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// What is known of each snapshot, in the order written; files as they were called then.
    pub fn metas(&self) -> impl Iterator<Item = &Meta> {
        self.order.iter().filter_map(|at| self.moment(*at)).map(|(_, moment)| &moment.meta)
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// The group of a snapshot, and its number there.
    pub(super) fn opened(&self, index: usize) -> Option<(&Opened, usize)> {
        let (group, number) = self.order.get(index).copied()?;
        Some((self.groups.get(group)?, number))
    }

    fn moment(&self, (group, number): (usize, usize)) -> Option<(&Opened, &Moment)> {
        let opened = self.groups.get(group)?;
        Some((opened, opened.group.snapshots.get(number)?))
    }

    /// Reads a snapshot, of the views that `wanted` says; `None` stands for a relation that the catalog does not know.
    /// What cannot be read is a note of it.
    pub fn read(&self, index: usize, wanted: impl Fn(Option<&'static View>) -> bool) -> Snapshot {
        let Some((at, number)) = self.order.get(index).copied() else { return Snapshot::default() };
        let Some((opened, moment)) = self.moment((at, number)) else { return Snapshot::default() };
        let mut snapshot =
            Snapshot { meta: moved(moment.meta.clone(), &|path| self.within(path)), ..Snapshot::default() };
        let asked: Vec<(&Stored, &Layout, u64)> = moment
            .tables
            .iter()
            .zip(opened.starts.get(number).into_iter().flatten())
            .filter_map(|(stored, start)| Some((stored, opened.group.layouts.get(stored.layout)?, *start)))
            .filter(|(_, layout, _)| wanted(catalog::view(&layout.name).filter(|_| layout.known)))
            .collect();
        let tables: Vec<io::Result<Arc<Table>>> =
            asked.par_iter().map(|(stored, _, start)| self.table(opened, number as u32, stored, *start)).collect();
        for ((_, layout, _), table) in asked.iter().zip(tables) {
            match table {
                Ok(table) => match table.view {
                    Some(view) => drop(snapshot.tables.insert(view.name, table)),
                    None => snapshot.unknown.push(Arc::unwrap_or_clone(table)),
                },
                Err(e) => snapshot.meta.notes.push(Note {
                    code: "unreadable-file".to_owned(),
                    file: Some(self.root.join(&layout.file).display().to_string()),
                    line: None,
                    column: None,
                    message: format!("{} cannot be read: {e}", layout.name),
                }),
            }
        }
        snapshot
    }

    /// Reads a table whose rows begin at `start` of its file.
    fn table(&self, opened: &Opened, number: u32, stored: &Stored, start: u64) -> io::Result<Arc<Table>> {
        let (Some(layout), Some(groups)) = (opened.group.layouts.get(stored.layout), opened.groups.get(stored.layout))
        else {
            return Err(io::Error::other("its kind is not listed"));
        };
        let name = |number: u32, table: &mut Table| {
            let moment = opened.group.snapshots.get(number as usize);
            let named = moment.and_then(|m| m.tables.iter().find(|t| t.layout == stored.layout));
            self.name(table, named.unwrap_or(stored));
        };
        if stored.rows == 0 {
            let mut table = columns::table(layout);
            name(number, &mut table);
            return Ok(Arc::new(table));
        }
        let path = inside(&self.root, &layout.file).ok_or_else(|| io::Error::other("its file lies elsewhere"))?;
        let end = start.saturating_add(stored.rows);
        let mut own = None;
        let mut whole: Option<Arc<Table>> = None;
        let mut from = 0_u64;
        for (group, rows) in groups.rows(&path)?.iter().enumerate() {
            let to = from.saturating_add(*rows);
            let (begin, beyond) = (std::mem::replace(&mut from, to), to);
            if beyond <= start || begin >= end {
                continue;
            }
            let alone = begin >= start && beyond <= end;
            let part = if alone {
                let file = match &own {
                    Some(file) => file,
                    None => own.insert(File::open(&path)?),
                };
                let part = file.read(group, layout)?.remove(&number);
                part.map(|mut part| {
                    name(number, &mut part);
                    Arc::new(part)
                })
            } else {
                groups.part(&path, layout, (group, number), name)?
            };
            let part = part.ok_or_else(|| io::Error::other("its rows are not where they should be"))?;
            match &mut whole {
                None => whole = Some(part),
                Some(whole) => append(Arc::make_mut(whole), &part),
            }
        }
        whole
            .filter(|table| table.rows as u64 == stored.rows)
            .ok_or_else(|| io::Error::other("it has other rows than were written"))
    }

    /// Gives a table what stands of it in the index.
    fn name(&self, table: &mut Table, stored: &Stored) {
        table.taken_at = stored.taken_at;
        table.sources.resize_with(stored.sources.len().min(usize::from(u16::MAX)), Source::default);
        for (source, (file, pointer)) in table.sources.iter_mut().zip(&stored.sources) {
            source.file = self.within(file).into();
            source.pointer.clone_from(pointer);
        }
    }

    /// A file's name in the packed history.
    fn within(&self, path: &str) -> String {
        format!("{}!/{path}", self.root.display())
    }

    /// Holds every file against the size and hash that the manifest says.
    ///
    /// # Errors
    /// The first that differs or cannot be read.
    pub fn verify(&self) -> Result<()> {
        for Written { path, bytes, sha256 } in self.manifest.groups.iter().flat_map(|group| &group.files) {
            let place = inside(&self.root, path).unwrap_or_default();
            let found = fs::metadata(&place).map_err(Error::io("read", &place))?.len();
            if found != *bytes || store::hash_of(&place).map_err(Error::io("read", &place))? != *sha256 {
                return Err(damaged(&place, "it is not the file the manifest was written with"));
            }
        }
        Ok(())
    }
}

impl Opened {
    fn new(group: Group) -> Self {
        let mut next = vec![0_u64; group.layouts.len()];
        let start = |stored: &Stored| {
            next.get_mut(stored.layout).map_or(0, |next| std::mem::replace(next, next.saturating_add(stored.rows)))
        };
        let mut start = start;
        let starts = group.snapshots.iter().map(|s| s.tables.iter().map(&mut start).collect()).collect();
        let groups = group.layouts.iter().map(|_| Groups::default()).collect();
        Self { group, starts, groups }
    }
}

/// Appends the next part of a table.
fn append(table: &mut Table, part: &Table) {
    for (to, from) in table.columns.iter_mut().zip(&part.columns) {
        if let (Some(to), Some(from)) = (to, from) {
            to.append(from);
        }
    }
    for ((_, to), (_, from)) in table.extra.iter_mut().zip(&part.extra) {
        to.append(from);
    }
    // Rows of several sources are counted within each.
    let before: Vec<usize> = table.sources.iter().map(|s| s.places.len()).collect();
    if table.origin.is_empty() == part.origin.is_empty() && table.sources.len() == part.sources.len() {
        for (to, from) in table.sources.iter_mut().zip(&part.sources) {
            to.places.append(&from.places, 0);
        }
        let moved = |(source, at): &(u16, u32)| {
            let shift = before.get(usize::from(*source)).copied().unwrap_or(0);
            (*source, at.saturating_add(u32::try_from(shift).unwrap_or(u32::MAX)))
        };
        table.origin.extend(part.origin.iter().map(moved));
    } else {
        table.origin.clear();
        table.sources.iter_mut().for_each(|source| source.places = Places::default());
    }
    table.rows += part.rows;
}

/// What is known of a snapshot, its files called by their names in the packed history.
fn moved(mut meta: Meta, within: &impl Fn(&str) -> String) -> Meta {
    for file in &mut meta.files {
        file.path = within(&file.path);
    }
    let Notes { kept, counts } = &mut meta.notes;
    for file in kept.iter_mut().filter_map(|note| note.file.as_mut()) {
        *file = within(file);
    }
    *counts = std::mem::take(counts)
        .into_iter()
        .map(|(key, n)| match key.split_once(' ') {
            Some((code, file)) if file != "-" => (format!("{code} {}", within(file)), n),
            _ => (key, n),
        })
        .collect();
    meta.block_size = meta.block_size.filter(|n| (512..=65_536).contains(n));
    meta.version = meta.version.filter(|version| (90_000..2_560_000).contains(&version.0));
    meta
}

/// A path under `root`; `None` where it leads out of it.
pub(super) fn inside(root: &Path, path: &str) -> Option<PathBuf> {
    let path = Path::new(path);
    path.components().all(|part| matches!(part, Component::Normal(_))).then(|| root.join(path))
}

fn bounded(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let n = fs::File::open(path)?.take(JSON + 1).read_to_end(&mut bytes)? as u64;
    if n > JSON {
        return Err(io::Error::other("it is too large"));
    }
    Ok(bytes)
}

fn damaged(path: &Path, why: &str) -> Error {
    Error::Input {
        message: format!("read `{}`: {why}", path.display()),
        hint: Some("the packed history is damaged; pack it again from its dumps".to_owned()),
    }
}
