//! A file that is read in parts.

use super::row::FRONT;
use crate::ingest::succession::{BLOCK, room};
use rayon::prelude::*;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Room around the bytes of a part.
const ROUND: usize = 8192;
/// Bytes that a core reads at once of a large range.
const CHUNK: usize = 4 << 20;

/// A view's file of one snapshot.
#[derive(Debug)]
pub(super) struct Side {
    path: PathBuf,
    pub size: u64,
}

/// Bytes of a part, with room before and behind them.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    bytes: Vec<u8>,
    /// Where what was read begins.
    start: usize,
    len: usize,
    file: Option<(PathBuf, File)>,
}

impl Side {
    pub fn of(path: &Path) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), size: std::fs::metadata(path)?.len() })
    }
}

impl Buffer {
    /// Reads a range of a file, as far as the file goes.
    pub fn load(&mut self, side: &Side, range: Range<u64>) -> io::Result<()> {
        let wanted = self.prepare(side, &range)?;
        if self.file.as_ref().is_none_or(|(path, _)| *path != side.path) {
            self.file = Some((side.path.clone(), File::open(&side.path)?));
        }
        let Some((_, file)) = &mut self.file else { return Ok(()) };
        file.seek(SeekFrom::Start(range.start))?;
        let mut len = 0;
        while len < wanted {
            let rest = self.start + len..self.start + wanted;
            match file.read(self.bytes.get_mut(rest).unwrap_or_default()) {
                Ok(0) => break,
                Ok(n) => len += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        self.end(len);
        Ok(())
    }

    /// Reads a large range of a file on all cores: most of the time goes into memory that nobody has used before.
    pub fn load_side_by_side(&mut self, side: &Side, range: Range<u64>) -> io::Result<()> {
        let wanted = self.prepare(side, &range)?;
        let place = self.bytes.get_mut(self.start..self.start + wanted).unwrap_or_default();
        place.par_chunks_mut(CHUNK).enumerate().try_for_each(|(at, chunk)| {
            let mut file = File::open(&side.path)?;
            file.seek(SeekFrom::Start(range.start + (at * CHUNK) as u64))?;
            file.read_exact(chunk)
        })?;
        self.end(wanted);
        Ok(())
    }

    /// Makes room for a range of a file; how many bytes that are.
    fn prepare(&mut self, side: &Side, range: &Range<u64>) -> io::Result<usize> {
        let too_large = |_| io::Error::other("too large");
        let wanted = usize::try_from(range.end.min(side.size).saturating_sub(range.start)).map_err(too_large)?;
        if self.bytes.len() < self.start + wanted + BLOCK {
            let (bytes, start) = room(wanted + wanted / 8 + ROUND);
            // Wherever the place in the page is, some bytes have to stand before it.
            (self.bytes, self.start) = (bytes, start.max(FRONT));
        }
        self.len = 0;
        Ok(wanted)
    }

    /// So many bytes were read.
    fn end(&mut self, len: usize) {
        self.len = len;
        let end = self.start + len;
        self.bytes.get_mut(end..end + BLOCK).unwrap_or_default().fill(0);
    }

    /// What was read, without the room around it.
    pub fn loaded(&self) -> &[u8] {
        self.bytes.get(self.range()).unwrap_or_default()
    }

    /// All bytes, and where what was read stands in them.
    pub fn padded(&self) -> (&[u8], Range<usize>) {
        (&self.bytes, self.range())
    }

    const fn range(&self) -> Range<usize> {
        self.start..self.start + self.len
    }
}
