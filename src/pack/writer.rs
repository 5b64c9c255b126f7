//! Snapshots to a packed history.

use super::columns::{FileWriter, Piece};
use super::history::{History, is_packed};
use super::manifest::{FORMAT, Group, GroupEntry, Layout, Manifest, Moment, Stored, VERSION, Written};
use super::store::{self, Ready, Staged};
use super::{MANIFEST, ROWS};
use crate::error::{Error, Result};
use crate::meta::Meta;
use crate::snapshot::{Snapshot, Table};
use std::collections::{BTreeSet, HashMap};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Snapshots of a group at most.
const SNAPSHOTS: usize = 1024;
/// Files that are written at the same time at most: from here on the group ends.
const FILES: usize = 200;
/// Rows of a row group that belongs to one snapshot.
const LARGE: usize = 1 << 17;

/// Writes snapshots into a folder. Nothing is in its place before [`Writer::finish`].
pub struct Writer {
    root: PathBuf,
    manifest: Manifest,
    /// The snapshots that are there.
    known: BTreeSet<String>,
    ready: Vec<Ready>,
    current: Current,
    done: Packed,
}

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Packed {
    /// Snapshots written.
    pub snapshots: u64,
    /// Snapshots that were there already, of the same files.
    pub repeated: u64,
    /// Size of the files they were read from.
    pub source_bytes: u64,
    /// Size of the files written.
    pub bytes: u64,
}

/// The group being written.
#[derive(Default)]
struct Current {
    group: Group,
    kinds: HashMap<(Layout, usize), usize>,
    files: Vec<Open>,
}

/// A file being written.
struct Open {
    writer: FileWriter<Staged>,
    pending: Vec<Piece>,
    rows: usize,
}

impl Writer {
    /// Begins a packed history, or, with `append`, goes on with one.
    ///
    /// # Errors
    /// Where the folder holds something else, or a packed history and `append` is false.
    pub fn new(root: &Path, append: bool) -> Result<Self> {
        let mut manifest = Manifest { format: FORMAT.to_owned(), version: VERSION, snapshots: 0, groups: Vec::new() };
        let mut known = BTreeSet::new();
        if is_packed(root) {
            if !append {
                return Err(Error::usage(
                    format!("write `{}`: a packed history is there", root.display()),
                    "add to it with --append, or name another folder",
                ));
            }
            let history = History::open(root)?;
            known.extend(history.metas().filter_map(fingerprint));
            manifest = history.manifest().clone();
        } else if std::fs::read_dir(root).is_ok_and(|mut entries| entries.next().is_some()) {
            return Err(Error::usage(
                format!("write `{}`: the folder is not empty", root.display()),
                "name a new folder, or one that holds a packed history",
            ));
        }
        Ok(Self {
            root: root.to_owned(),
            manifest,
            known,
            ready: Vec::new(),
            current: Current::default(),
            done: Packed::default(),
        })
    }

    /// Adds a snapshot, unless one of the same files is there.
    pub fn push(&mut self, snapshot: &Snapshot) -> Result<()> {
        if let Some(fingerprint) = fingerprint(&snapshot.meta)
            && !self.known.insert(fingerprint)
        {
            self.done.repeated += 1;
            return Ok(());
        }
        let number = u32::try_from(self.current.group.snapshots.len()).unwrap_or(u32::MAX);
        let unknown = snapshot.unknown.iter().map(|table| Arc::new(table.clone()));
        let mut tables = Vec::new();
        let mut met: HashMap<Layout, usize> = HashMap::new();
        for table in snapshot.tables.values().map(Arc::clone).chain(unknown) {
            let layout = Layout::of(&table);
            let before = met.entry(layout.clone()).or_insert(0);
            let at = self.kind(layout, *before)?;
            *before += 1;
            tables.push(Stored {
                layout: at,
                rows: table.rows as u64,
                taken_at: table.taken_at,
                sources: table.sources.iter().map(|s| (s.file.to_string(), s.pointer.clone())).collect(),
            });
            self.add(at, number, snapshot.meta.taken_at, &table)?;
        }
        self.current.group.snapshots.push(Moment { meta: snapshot.meta.clone(), tables });
        self.done.snapshots += 1;
        self.done.source_bytes += snapshot.meta.files.iter().map(|f| f.bytes).sum::<u64>();
        if self.current.group.snapshots.len() >= SNAPSHOTS || self.current.files.len() > FILES {
            self.end_group()?;
        }
        Ok(())
    }

    /// Puts everything in its place.
    pub fn finish(mut self) -> Result<Packed> {
        self.end_group()?;
        let text = serde_json::to_vec_pretty(&self.manifest).map_err(|e| self.failed(io::Error::other(e)))?;
        let (_, manifest) = self.write(MANIFEST, &text)?;
        store::persist(std::mem::take(&mut self.ready))?;
        // What is not in the manifest is not there: it comes last.
        store::persist(vec![manifest])?;
        Ok(self.done)
    }

    fn failed(&self, error: io::Error) -> Error {
        Error::io("write", &self.root)(error)
    }

    fn write(&self, path: &str, bytes: &[u8]) -> Result<(Written, Ready)> {
        let write = || -> io::Result<_> {
            let mut file = Staged::create(&self.root, path)?;
            file.write_all(bytes)?;
            file.finish()
        };
        write().map_err(|e| self.failed(e))
    }

    /// The file of a kind of tables, begun where it is the first. `before`: tables of this kind in the same snapshot.
    fn kind(&mut self, mut layout: Layout, before: usize) -> Result<usize> {
        if let Some(at) = self.current.kinds.get(&(layout.clone(), before)) {
            return Ok(*at);
        }
        let key = (layout.clone(), before);
        let folder = layout.folder();
        let group = self.manifest.groups.len() + 1;
        let beside = self.current.group.layouts.iter().filter(|l| l.file.starts_with(&format!("{folder}/"))).count();
        let number = if beside == 0 { String::new() } else { format!("-{}", beside + 1) };
        layout.file = format!("{folder}/{group:06}{number}.parquet");
        let staged = Staged::create(&self.root, &layout.file).map_err(|e| self.failed(e))?;
        let writer = FileWriter::new(staged, &layout).map_err(|e| self.failed(e))?;
        let at = self.current.files.len();
        self.current.files.push(Open { writer, pending: Vec::new(), rows: 0 });
        self.current.group.layouts.push(layout);
        self.current.kinds.insert(key, at);
        Ok(at)
    }

    fn add(
        &mut self,
        at: usize,
        snapshot: u32,
        taken_at: Option<crate::time::Timestamp>,
        table: &Arc<Table>,
    ) -> Result<()> {
        let Some(open) = self.current.files.get_mut(at) else { return Ok(()) };
        let rows = table.rows;
        let piece = |from: usize, to: usize| Piece { snapshot, taken_at, table: Arc::clone(table), rows: from..to };
        let written = if rows > ROWS {
            let mut starts = (0..rows).step_by(LARGE);
            open.flush()
                .and_then(|()| starts.try_for_each(|from| open.writer.write(&[piece(from, rows.min(from + LARGE))])))
        } else {
            if rows > 0 {
                open.pending.push(piece(0, rows));
                open.rows += rows;
            }
            if open.rows >= ROWS { open.flush() } else { Ok(()) }
        };
        written.map_err(|e| self.failed(e))
    }

    fn end_group(&mut self) -> Result<()> {
        let Current { group, files, .. } = std::mem::take(&mut self.current);
        if group.snapshots.is_empty() {
            return Ok(());
        }
        let mut written = Vec::with_capacity(files.len());
        for mut open in files {
            let ended = open.flush().and_then(|()| open.writer.finish());
            let (file, ready) = ended.and_then(Staged::finish).map_err(|e| self.failed(e))?;
            written.push(file);
            self.ready.push(ready);
        }
        let index = serde_json::to_vec(&group).map_err(|e| self.failed(io::Error::other(e)))?;
        let path = format!("snapshots/{:06}.json", self.manifest.groups.len() + 1);
        let (index, ready) = self.write(&path, &index)?;
        self.ready.push(ready);
        let times = || group.snapshots.iter().filter_map(|s| s.meta.taken_at);
        self.done.bytes += index.bytes + written.iter().map(|f| f.bytes).sum::<u64>();
        self.manifest.snapshots += group.snapshots.len() as u64;
        self.manifest.groups.push(GroupEntry {
            snapshots: group.snapshots.len() as u64,
            from: times().min(),
            to: times().max(),
            index,
            files: written,
        });
        Ok(())
    }
}

impl Open {
    /// Writes what waits as one row group.
    fn flush(&mut self) -> io::Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        self.rows = 0;
        self.writer.write(&std::mem::take(&mut self.pending))
    }
}

/// What tells a snapshot from others: its time and the hashes of its files.
fn fingerprint(meta: &Meta) -> Option<String> {
    let mut hashes: Vec<&str> = meta.files.iter().map(|f| f.sha256.as_str()).collect();
    hashes.sort_unstable();
    (!hashes.is_empty() && hashes.iter().all(|h| !h.is_empty()))
        .then(|| format!("{:?} {}", meta.taken_at, hashes.join(" ")))
}
