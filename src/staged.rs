//! Files that appear whole or not at all: written beside their place, renamed at the end.
//!
//! Dropped before that they are removed; so they are where a signal ends the program, which drops nothing. Files without a name (`O_TMPFILE`) would vanish by themselves, but a name can only be given
//! to them where none is yet: they cannot replace an older report in one step.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use tempfile::NamedTempFile;

/// The files of this process that are not in their places yet.
static PENDING: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn pending() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    // A set of paths is whole whatever its holder died of.
    PENDING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A file being written beside its place.
#[derive(Debug)]
pub struct Staged {
    /// `None` once it was put in its place.
    file: Option<NamedTempFile>,
    path: PathBuf,
}

impl Staged {
    /// A new file in `folder`, with the permissions that any new file gets, not the private ones of a temporary file.
    ///
    /// # Errors
    /// Where the folder takes no file.
    pub fn beside(folder: &Path) -> io::Result<Self> {
        // A command that writes no file needs no thread that waits for signals.
        static SIGNALS: Once = Once::new();
        SIGNALS.call_once(remove_on_signals);
        let mut builder = tempfile::Builder::new();
        builder.prefix(".pgretro-");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        // While this is held no signal ends the program between the file and its entry.
        let mut pending = pending();
        let file = builder.tempfile_in(folder)?;
        let path = file.path().to_owned();
        pending.insert(path.clone());
        Ok(Self { file: Some(file), path })
    }

    /// The open file; `None` once it was put in its place.
    pub fn as_file(&self) -> Option<&File> {
        self.file.as_ref().map(NamedTempFile::as_file)
    }
}

impl Write for Staged {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.as_mut().map_or(Err(io::ErrorKind::NotFound.into()), |file| file.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), Write::flush)
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        let mut pending = pending();
        drop(self.file.take());
        pending.remove(&self.path);
    }
}

/// Puts files in their places, one after the other; a signal meanwhile waits for the last. Where one cannot be put there,
/// the place that failed is returned with the reason, and the rest is removed.
///
/// # Errors
/// The place and why.
pub fn put_in_place(files: Vec<(Staged, PathBuf)>) -> Result<(), (PathBuf, io::Error)> {
    let mut outcome = Ok(());
    let mut entries = pending();
    let mut spent = Vec::with_capacity(files.len());
    for (mut staged, place) in files {
        if outcome.is_ok()
            && let Some(file) = staged.file.take()
        {
            entries.remove(&staged.path);
            outcome = file.persist(&place).map(drop).map_err(|e| (place, e.error));
        }
        spent.push(staged);
    }
    // Dropping them asks for the entries.
    drop(entries);
    drop(spent);
    outcome
}

/// From now on SIGINT and SIGTERM remove the files that are not in their places before they end the program. SIGHUP is
/// left alone: who runs a program under `nohup` has it ignored.
#[cfg(unix)]
fn remove_on_signals() {
    use signal_hook::consts::{SIGINT, SIGTERM};
    // Without a handler the signals end the program as ever.
    let Ok(mut signals) = signal_hook::iterator::Signals::new([SIGINT, SIGTERM]) else { return };
    std::thread::spawn(move || {
        if let Some(signal) = signals.forever().next() {
            // Held to the end, so that no further file is begun.
            let pending = pending();
            for path in pending.iter() {
                // What cannot be removed cannot be told to anybody either.
                let _ = std::fs::remove_file(path);
            }
            // Does not come back.
            let _ = signal_hook::low_level::emulate_default_handler(signal);
        }
    });
}

/// Elsewhere a closed console ends the program at once.
#[cfg(not(unix))]
fn remove_on_signals() {}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut out: Vec<String> =
            std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        out.sort();
        out
    }

    #[test]
    fn a_file_that_is_dropped_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut staged = Staged::beside(folder.path()).unwrap();
        staged.write_all(b"half").unwrap();
        assert_eq!(names(folder.path()).len(), 1);
        assert!(pending().contains(&staged.path));
        let path = staged.path.clone();
        drop(staged);
        assert!(names(folder.path()).is_empty() && !pending().contains(&path));
    }

    #[test]
    fn files_are_put_in_place_up_to_one_that_cannot_be() {
        let folder = tempfile::tempdir().unwrap();
        let staged = |text: &str| {
            let mut file = Staged::beside(folder.path()).unwrap();
            file.write_all(text.as_bytes()).unwrap();
            file
        };
        let place = |name: &str| folder.path().join(name);
        std::fs::write(place("a"), "old").unwrap();
        put_in_place(vec![(staged("new"), place("a"))]).unwrap();
        assert_eq!(std::fs::read_to_string(place("a")).unwrap(), "new");
        let files = vec![(staged("b"), place("no/such")), (staged("c"), place("c"))];
        assert_eq!(put_in_place(files).unwrap_err().0, place("no/such"));
        assert_eq!(names(folder.path()), ["a"]);
    }
}
