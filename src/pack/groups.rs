//! Row groups of a packed history's file. One that several snapshots share is decoded once for all of them.

use super::columns::File;
use super::manifest::Layout;
use crate::snapshot::Table;
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Row groups that are kept: a history is read in order, a few snapshots at once.
const KEPT: usize = 4;

/// The row groups of a file.
#[derive(Debug, Default)]
pub(super) struct Groups {
    /// Rows of each, once known.
    rows: OnceLock<Arc<[u64]>>,
    /// Those decoded last.
    kept: Mutex<VecDeque<(usize, Shared)>>,
}

/// A row group that is decoded by the first who asks for it, while others wait.
type Shared = Arc<OnceLock<Result<BTreeMap<u32, Arc<Table>>, String>>>;

impl Groups {
    /// Rows of each row group.
    pub fn rows(&self, path: &Path) -> io::Result<Arc<[u64]>> {
        if let Some(rows) = self.rows.get() {
            return Ok(Arc::clone(rows));
        }
        let rows = Arc::from(File::open(path)?.row_groups());
        Ok(Arc::clone(self.rows.get_or_init(|| rows)))
    }

    /// The rows of a snapshot in a row group that others have rows in; `name` gives a snapshot's table what is not in the
    /// file.
    pub fn part(
        &self,
        path: &Path,
        layout: &Layout,
        (group, snapshot): (usize, u32),
        name: impl Fn(u32, &mut Table),
    ) -> io::Result<Option<Arc<Table>>> {
        let shared = {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((_, shared)) = kept.iter().find(|(at, _)| *at == group) {
                Arc::clone(shared)
            } else {
                kept.truncate(KEPT - 1);
                let shared = Shared::default();
                kept.push_front((group, Arc::clone(&shared)));
                shared
            }
        };
        // Whoever decodes keeps others waiting, so it may not take up other work meanwhile, which may be to wait for
        // itself.
        let decode = || {
            let mut parts =
                File::open(path).and_then(|file| file.read_apart(group, layout)).map_err(|e| e.to_string())?;
            for (snapshot, table) in &mut parts {
                name(*snapshot, table);
            }
            Ok(parts.into_iter().map(|(snapshot, table)| (snapshot, Arc::new(table))).collect())
        };
        match shared.get_or_init(decode) {
            Ok(tables) => Ok(tables.get(&snapshot).cloned()),
            Err(e) => Err(io::Error::other(e.clone())),
        }
    }
}
