//! Files that take their places together, with their sizes and hashes.

use super::manifest::Written;
use crate::error::{Error, Result};
use crate::staged;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// A file being written beside its place. Dropped, it leaves nothing behind.
#[derive(Debug)]
pub(super) struct Staged {
    file: BufWriter<staged::Staged>,
    place: PathBuf,
    path: String,
    hash: Sha256,
    bytes: u64,
}

/// A file that is written and not yet in its place.
#[derive(Debug)]
pub(super) struct Ready {
    file: staged::Staged,
    place: PathBuf,
}

impl Staged {
    /// Begins the file `path` (with `/`) under `root`; folders are made.
    pub fn create(root: &Path, path: &str) -> io::Result<Self> {
        let place = root.join(path);
        let folder = place.parent().unwrap_or(root);
        fs::create_dir_all(folder)?;
        let file = BufWriter::with_capacity(1 << 16, staged::Staged::beside(folder)?);
        Ok(Self { file, place, path: path.to_owned(), hash: Sha256::new(), bytes: 0 })
    }

    /// Ends it.
    pub fn finish(self) -> io::Result<(Written, Ready)> {
        let file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.as_file().map_or(Ok(()), fs::File::sync_data)?;
        let written = Written { path: self.path, bytes: self.bytes, sha256: hex(&self.hash.finalize()) };
        Ok((written, Ready { file, place: self.place }))
    }
}

impl Write for Staged {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.file.write(bytes)?;
        self.hash.update(bytes.get(..n).unwrap_or_default());
        self.bytes += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Puts files in their places, one after the other.
pub(super) fn persist(files: Vec<Ready>) -> Result<()> {
    let files = files.into_iter().map(|Ready { file, place }| (file, place)).collect();
    staged::put_in_place(files).map_err(|(place, source)| Error::io("write", place)(source))
}

/// SHA-256 of a file, hexadecimal.
pub(super) fn hash_of(path: &Path) -> io::Result<String> {
    let mut hash = Sha256::new();
    let mut file = fs::File::open(path)?;
    let mut buffer = vec![0; 1 << 16];
    loop {
        match io::Read::read(&mut file, &mut buffer)? {
            0 => return Ok(hex(&hash.finalize())),
            n => hash.update(&buffer[..n]),
        }
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
