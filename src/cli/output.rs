//! Files written whole or not at all: everything goes beside its target first and takes its place at the end.

use crate::error::{Error, Result};
use crate::staged::{self, Staged};
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// A file being written. Dropped without [`commit`], it leaves nothing behind.
#[derive(Debug)]
pub(super) struct Output {
    path: PathBuf,
    writer: BufWriter<Target>,
}

#[derive(Debug)]
enum Target {
    /// Beside the file it becomes.
    Staged(Staged, PathBuf),
    /// A device or pipe (`/dev/stdout`, `/dev/null`, a fifo), which cannot be replaced.
    Direct(File),
}

impl Output {
    /// Starts writing `path`; an existing file stays as it is until [`commit`].
    pub(super) fn create(path: &Path) -> Result<Self> {
        Self::open(path).map_err(Error::io("write", path))
    }

    fn open(path: &Path) -> io::Result<Self> {
        // The file a link points to is replaced, not the link.
        let place = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let existing = match fs::metadata(&place) {
            Ok(meta) if meta.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
            Ok(meta) if !meta.is_file() => {
                let file = File::options().write(true).open(&place)?;
                return Ok(Self { path: path.to_owned(), writer: BufWriter::new(Target::Direct(file)) });
            }
            Ok(meta) if meta.permissions().readonly() => return Err(io::ErrorKind::PermissionDenied.into()),
            Ok(meta) => Some(meta.permissions()),
            Err(_) => None,
        };
        let folder = place.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
        let staged = Staged::beside(folder)?;
        if let (Some(permissions), Some(file)) = (existing, staged.as_file()) {
            file.set_permissions(permissions)?;
        }
        Ok(Self { path: path.to_owned(), writer: BufWriter::new(Target::Staged(staged, place)) })
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Staged(file, _) => file.write(bytes),
            Self::Direct(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Staged(file, _) => file.flush(),
            Self::Direct(file) => file.flush(),
        }
    }
}

/// Puts all files in their places. Their last bytes are written before the first file is replaced, so a full disk
/// leaves every target as it was.
pub(super) fn commit(outputs: Vec<Output>) -> Result<()> {
    let mut ready = Vec::with_capacity(outputs.len());
    for Output { path, writer } in outputs {
        let target = writer.into_inner().map_err(io::IntoInnerError::into_error).map_err(Error::io("write", &path))?;
        if let Target::Staged(file, place) = target {
            ready.push((file, place));
        }
    }
    staged::put_in_place(ready).map_err(|(place, source)| Error::io("write", place)(source))
}

/// Writes several whole files, or none of them.
pub(super) fn write_files(files: &[(PathBuf, String)]) -> Result<()> {
    let mut outputs = Vec::with_capacity(files.len());
    for (path, text) in files {
        let mut output = Output::create(path)?;
        output.write_all(text.as_bytes()).map_err(Error::io("write", path))?;
        outputs.push(output);
    }
    commit(outputs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_all_files_or_none() {
        let folder = tempfile::tempdir().unwrap();
        let (good, bad) = (folder.path().join("report.md"), folder.path().join("no-such-folder/report.html"));
        fs::write(&good, "old").unwrap();
        let error = write_files(&[(good.clone(), "new".into()), (bad, "new".into())]).unwrap_err();
        assert!(error.to_string().contains("no-such-folder"), "{error}");
        assert_eq!(fs::read_to_string(&good).unwrap(), "old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left behind");

        write_files(&[(good.clone(), "new".into()), (folder.path().join("b"), "b".into())]).unwrap();
        assert_eq!(fs::read_to_string(&good).unwrap(), "new");
    }

    #[test]
    fn an_output_that_is_not_committed_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut output = Output::create(&folder.path().join("report.md")).unwrap();
        output.write_all(b"half").unwrap();
        drop(output);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_folder_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        assert!(write_files(&[(folder.path().to_owned(), "x".into())]).is_err());
        assert!(folder.path().is_dir());
    }

    #[cfg(unix)]
    #[test]
    fn keeps_links_and_permissions_and_writes_to_devices() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        symlink(&file, &link).unwrap();
        write_files(&[(link.clone(), "new".into()), ("/dev/null".into(), "x".into())]).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    }
}
