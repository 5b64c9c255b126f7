//! Whether anything in the dumps given was understood: what is printed of nothing would say that nothing is wrong.

use crate::error::{Error, Result};
use crate::ident::visible;
use crate::meta::Note;
use crate::snapshot::{Snapshot, Table};
use std::path::PathBuf;

/// What to do about it.
pub(super) const HINT: &str = "`pgretro inspect` shows what was read; dumps of other programs are not understood, but \
                               `pgretro export-sql` prints a script that makes one that is";

/// What was met in snapshots read one after the other.
#[derive(Debug, Default)]
pub(super) struct Recognised {
    /// An exported view.
    known: bool,
    /// Something else with rows.
    unknown: bool,
    /// Files of which nothing was read, and what is said of the first.
    unread: usize,
    why: Option<String>,
}

impl Recognised {
    /// Looks at a snapshot.
    pub(super) fn look(&mut self, snapshot: &Snapshot) {
        // A file without a byte has no columns, and its name alone is no view.
        let known = |t: &Table| t.view.is_some_and(|v| v.name != "meta") && t.columns.iter().any(Option::is_some);
        self.known |= snapshot.tables.values().any(|t| known(t));
        self.unknown |= snapshot.unknown.iter().any(|t| t.rows > 0);
        for note in snapshot.meta.notes.kept.iter().filter(|n| n.code == "unreadable-file") {
            self.unread += 1;
            self.why.get_or_insert_with(|| said(note));
        }
    }

    /// Whether an exported view was met.
    pub(super) const fn any(&self) -> bool {
        self.known
    }

    /// Files of which nothing was read, with what is said of the first one.
    pub(super) fn unread(&self) -> Option<(usize, &str)> {
        Some((self.unread, self.why.as_deref()?))
    }

    /// Refuses dumps of which nothing is worth keeping: tables that nobody knows are, unless another program wrote them.
    pub(super) fn kept_or_refuse(&self, dumps: &[PathBuf]) -> Result<()> {
        if self.unknown && self.why.is_none() { Ok(()) } else { self.or_refuse(dumps) }
    }

    /// Refuses dumps of which nothing was understood.
    pub(super) fn or_refuse(&self, dumps: &[PathBuf]) -> Result<()> {
        if self.known {
            return Ok(());
        }
        let dumps: Vec<String> = dumps.iter().map(|d| format!("`{}`", d.display())).collect();
        let why = self.why.as_deref().unwrap_or("nothing in it is one that is known");
        Err(Error::Input {
            message: format!("find an exported view in {}: {why}", dumps.join(", ")),
            hint: Some(HINT.to_owned()),
        })
    }
}

/// A note behind the file it is about.
pub(super) fn said(note: &Note) -> String {
    note.file.as_ref().map_or_else(|| note.message.clone(), |file| format!("{}: {}", visible(file), note.message))
}

/// Refuses dumps of which nothing was understood.
pub(super) fn recognised<'a>(snapshots: impl Iterator<Item = &'a Snapshot>, dumps: &[PathBuf]) -> Result<()> {
    let mut met = Recognised::default();
    snapshots.for_each(|snapshot| met.look(snapshot));
    met.or_refuse(dumps)
}
