//! A member of an archive: where its bytes lie, and how they are unpacked.

use super::bounds::{Guard, LARGEST};
use super::broken;
use flate2::CrcReader;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::{Arc, Mutex, PoisonError};

/// A member that can be read, as often as needed and beside others.
#[derive(Clone, Debug)]
pub(in crate::ingest) enum Part {
    /// Bytes of the archive as they are.
    Slice(Slice),
    /// A member of a `.zip`.
    Zipped { at: Slice, deflated: bool, size: u64, crc: u32 },
    /// Kept in memory, packed; `fault` where the archive broke off within it.
    Held { packed: Arc<[u8]>, size: u64, fault: Option<Arc<str>> },
}

impl Part {
    /// Its bytes from the start.
    pub fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(match self {
            Self::Slice(slice) => Box::new(slice.clone().take(LARGEST)),
            Self::Zipped { at, deflated, size, crc } => {
                let data = at.behind_local_header()?;
                let packed = data.left();
                let raw: Box<dyn Read + Send> =
                    if *deflated { Box::new(flate2::read::DeflateDecoder::new(data)) } else { Box::new(data) };
                Box::new(Guard::new(Checked { inner: CrcReader::new(raw), size: *size, given: 0, crc: *crc }, packed))
            }
            Self::Held { packed, fault, .. } => {
                let unpacked = zstd::stream::read::Decoder::new(io::Cursor::new(Arc::clone(packed)))?;
                match fault {
                    Some(fault) => Box::new(unpacked.chain(Fault(Arc::clone(fault)))),
                    None => Box::new(unpacked),
                }
            }
        })
    }

    /// Size in bytes, unpacked from the archive.
    pub const fn size(&self) -> u64 {
        match self {
            Self::Slice(slice) => slice.left(),
            Self::Zipped { size, .. } | Self::Held { size, .. } => *size,
        }
    }
}

/// A stretch of a file that others read too.
#[derive(Clone, Debug)]
pub(in crate::ingest) struct Slice {
    file: Arc<Mutex<File>>,
    at: u64,
    end: u64,
}

impl Slice {
    pub(super) const fn new(file: Arc<Mutex<File>>, at: u64, len: u64) -> Self {
        Self { file, at, end: at.saturating_add(len) }
    }

    const fn left(&self) -> u64 {
        self.end.saturating_sub(self.at)
    }

    /// What follows a `.zip` member's local header, which repeats the name in a length of its own. The slice begins with
    /// that header and is as long as what follows.
    fn behind_local_header(&self) -> io::Result<Self> {
        const FIXED: u64 = 30;
        let mut header = [0; FIXED as usize];
        Self { end: self.at.saturating_add(FIXED), ..self.clone() }.read_exact(&mut header)?;
        let [b'P', b'K', 3, 4, .., n0, n1, e0, e1] = header else {
            return Err(broken("the archive says a file is where none begins"));
        };
        let skip = FIXED + u64::from(u16::from_le_bytes([n0, n1])) + u64::from(u16::from_le_bytes([e0, e1]));
        Ok(Self::new(Arc::clone(&self.file), self.at.saturating_add(skip), self.left()))
    }
}

impl Read for Slice {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = usize::try_from(self.left()).unwrap_or(usize::MAX).min(buffer.len());
        if wanted == 0 {
            return Ok(0);
        }
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(self.at))?;
        let n = file.read(&mut buffer[..wanted])?;
        if n == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the archive ends within it"));
        }
        self.at += n as u64;
        Ok(n)
    }
}

/// A `.zip` member against what the archive says of it.
struct Checked<R> {
    inner: CrcReader<R>,
    size: u64,
    given: u64,
    crc: u32,
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.given = self.given.saturating_add(n as u64);
        let ended = n == 0 && !buffer.is_empty();
        if self.given > self.size || (ended && (self.given < self.size || self.inner.crc().sum() != self.crc)) {
            return Err(broken("it is damaged: its size or checksum is not the one the archive says"));
        }
        Ok(n)
    }
}

/// The end of a member that the archive breaks off in.
struct Fault(Arc<str>);

impl Read for Fault {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::new(io::ErrorKind::UnexpectedEof, self.0.as_ref()))
    }
}
