//! One snapshot out of the files of one moment.

use super::conform::conform;
use super::file::{Parsed, digest, read_file};
use super::gather::{Group, Member};
use super::header;
use super::identity;
use super::infer;
use super::merge::union;
use super::options::{Options, Tally, Wanted};
use super::packed::settle_unread;
use super::plans;
use super::when;
use crate::catalog::{self, View};
use crate::error::Result;
use crate::meta::{Note, Notes, SourceFile};
use crate::pack::History;
use crate::snapshot::{Snapshot, Table};
use crate::time::Timestamp;
use chrono_tz::Tz;
use std::sync::Arc;

/// The files of one moment, not read yet.
#[derive(Clone, Debug)]
pub struct Opened {
    group: Group,
    options: Options,
    /// What is to be said of files that were given and are of no snapshot.
    told: Notes,
}

impl Opened {
    pub(super) fn new(group: Group, options: Options) -> Self {
        Self { group, options, told: Notes::default() }
    }

    /// Says with its own notes what is to be said of files that are of no snapshot.
    pub(crate) fn tell(&mut self, notes: Notes) {
        self.told.absorb(notes);
    }

    /// The name the user knows it by: folder or file.
    pub fn label(&self) -> &str {
        &self.group.label
    }

    /// The capture time that the folder's or file's name says; what the data says is known only when read.
    pub const fn name_time(&self) -> Option<Timestamp> {
        self.group.name_time
    }

    /// The files that will be read.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.group.files.iter().map(|f| f.path.as_str())
    }

    /// Its files; `None` where it is of a packed history.
    pub(super) fn members(&self) -> Option<impl Iterator<Item = &Member>> {
        self.group.packed.is_none().then(|| self.group.files.iter())
    }

    /// Whether it is of a packed history.
    pub const fn is_packed(&self) -> bool {
        self.group.packed.is_some()
    }

    /// The packed history that it is of, and its position there.
    pub(super) fn packed(&self) -> Option<(&Arc<History>, usize)> {
        self.group.packed.as_ref().map(|(history, at)| (history, *at))
    }

    /// The same without the rows of a view.
    pub fn read_without(&self, view: &'static View, wanted: &Wanted) -> Option<Snapshot> {
        let (history, at) = self.packed()?;
        let snapshot =
            history.read(at, |other| wanted.view(other) && other.is_none_or(|other| other.name != view.name));
        self.count(&snapshot, wanted);
        Some(snapshot)
    }

    /// Counts the files that a snapshot was packed from, those that are wanted.
    fn count(&self, snapshot: &Snapshot, wanted: &Wanted) {
        if let Some(tally) = &self.options.tally {
            let files = snapshot.meta.files.iter();
            let read = files.filter(|f| f.views.iter().any(|name| wanted.view(catalog::view(name))));
            let bytes: Vec<u64> = read.map(|f| f.bytes).collect();
            tally.add(bytes.len() as u64, bytes.iter().sum());
        }
    }

    /// Where to count what has been read.
    pub(super) fn tally(&self) -> Option<&Tally> {
        self.options.tally.as_deref()
    }

    /// Reads what is wanted. A file that cannot be read is a note of the snapshot, not an error.
    pub fn read(&self, wanted: &Wanted) -> Result<Snapshot> {
        Ok(self.read_given(wanted, &|_| None))
    }

    /// The same where somebody else may have read a file.
    pub(super) fn read_given(&self, wanted: &Wanted, other: &dyn Fn(&Member) -> Option<Parsed>) -> Snapshot {
        if let Some((history, at)) = &self.group.packed {
            let mut snapshot = history.read(*at, |view| wanted.view(view));
            if snapshot.tables.is_empty() && snapshot.unknown.is_empty() {
                settle_unread(&mut snapshot.meta, self.group.name_time);
            }
            self.count(&snapshot, wanted);
            snapshot.meta.notes.absorb(self.told.clone());
            return snapshot;
        }
        let mut snapshot = Snapshot::default();
        self.group.label.clone_into(&mut snapshot.meta.label);
        snapshot.meta.notes.absorb(self.told.clone());
        for (path, reason) in &self.group.ignored {
            snapshot.meta.notes.push(Note {
                code: "ignored-file".to_owned(),
                file: Some(path.clone()),
                line: None,
                column: None,
                message: format!("not read: {reason}"),
            });
        }
        let mut exported = Vec::new();
        let given = self.options.timezone.as_deref();
        let mut zone: Option<Tz> = None;
        // What the dump says about itself comes first: times without an offset need its zone.
        let (about, views): (Vec<_>, Vec<_>) =
            self.group.files.iter().partition(|f| f.named.view.is_some_and(|(v, _)| v.name == "meta"));
        let mut offsetless = 0;
        for file in about.into_iter().chain(views) {
            if !header::wanted(file.named.view.map(|(v, _)| v), wanted) && file.named.view.is_some() {
                continue;
            }
            let somebody = other(file);
            let own = somebody.is_none();
            let mut parsed = somebody.unwrap_or_else(|| read_file(file, wanted, zone));
            add_about(&mut snapshot, &parsed.tables);
            let stated = snapshot.meta.timezone.as_deref().or(given).and_then(|z| z.parse::<Tz>().ok());
            if stated != zone {
                zone = stated;
                // A bundle that says its zone may have said it behind the times that need it.
                if parsed.offsetless > 0 {
                    parsed = read_file(file, wanted, zone);
                }
            }
            offsetless += parsed.offsetless;
            exported.append(&mut parsed.exported);
            if let Some(tally) = self.options.tally.as_ref().filter(|_| own) {
                tally.add(1, file.input.size());
            }
            add(&mut snapshot, parsed, file, self.options.hash);
        }
        if offsetless > 0 && zone.is_none() {
            snapshot.meta.notes.say(
                "no-offset",
                format!(
                    "times without an offset from UTC ({offsetless}) were read as UTC: nothing says their time zone"
                ),
            );
        }
        when::settle(&mut snapshot, self.group.name_time);
        infer::version(&mut snapshot, &exported);
        if snapshot.meta.pgss_version.is_none() {
            let layout = exported
                .iter()
                .find(|(v, _)| v.name == "pg_stat_statements")
                .and_then(|(_, names)| catalog::pgss_layout(&names.iter().map(String::as_str).collect::<Vec<_>>()));
            snapshot.meta.pgss_version = layout.map(str::to_owned);
        }
        snapshot
    }
}

fn add_about(snapshot: &mut Snapshot, tables: &[Table]) {
    for table in tables.iter().filter(|t| t.name == "meta") {
        let notes = std::mem::take(&mut snapshot.meta.notes);
        let label = std::mem::take(&mut snapshot.meta.label);
        let files = std::mem::take(&mut snapshot.meta.files);
        identity::take(table, &mut snapshot.meta);
        snapshot.meta.notes = notes;
        snapshot.meta.label = label;
        snapshot.meta.files = files;
    }
}

/// Adds a file's tables, its provenance and its notes.
fn add(snapshot: &mut Snapshot, parsed: Parsed, file: &Member, hash: bool) {
    let mut odd = parsed.odd;
    let mut tables = Vec::with_capacity(parsed.tables.len());
    for table in parsed.tables {
        let plans = plans::adopt(&table, &mut odd);
        if plans.is_none() || table.name != "plans" {
            tables.push(table);
        }
        tables.extend(plans);
    }
    for table in tables {
        let Some(view) = table.view else {
            snapshot.unknown.push(table);
            continue;
        };
        let Some(table) = conform(table, &mut odd) else { continue };
        let joined = match snapshot.tables.remove(view.name).map(Arc::unwrap_or_clone) {
            None => table,
            // The narrower set of a view (`pg_stat_user_tables` beside `pg_stat_all_tables`) wins for rows in both.
            Some(other) if other.exported_as == view.name || table.exported_as != view.name => union(other, &table),
            Some(other) => union(table, &other),
        };
        snapshot.tables.insert(view.name, Arc::new(joined));
    }
    let sha256 = if hash { digest(&file.input).unwrap_or_default() } else { String::new() };
    snapshot.meta.files.push(SourceFile {
        path: file.path.clone(),
        views: parsed.views,
        bytes: file.input.size(),
        sha256,
        rows: parsed.rows,
    });
    odd.into_notes(&file.path, &mut snapshot.meta.notes);
}
