//! Bytes of a file in one buffer that many files go through, and how far two of them are the same.

use super::cells::BLOCK;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Larger files are split among the cores by the general reader.
const LARGEST: usize = 16 << 20;

/// Bytes of a page of memory.
const PAGE: usize = 4096;
/// Where in a page a file is put. The kernel copies from the start of a page, and processors copy three times slower to an
/// address that stands little behind the one copied from, counted within pages (measured: 0.24 against 0.06 s for
/// 376 MB). Little behind the start of a page is just where an allocator puts large buffers.
const PLACE: usize = 512;

/// Zeros, and where in them a file is to be put.
pub(in crate::ingest) fn room(size: usize) -> (Vec<u8>, usize) {
    let room = vec![0; size];
    let start = (PLACE + PAGE - room.as_ptr().addr() % PAGE) % PAGE;
    (room, start)
}

/// A file's bytes, with room behind them.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    room: Vec<u8>,
    /// Where the file begins in it.
    start: usize,
    len: usize,
}

impl Buffer {
    /// Reads a file. `None` where it cannot be read, or is too large.
    pub fn load(&mut self, path: &Path) -> Option<()> {
        let mut file = File::open(path).ok()?;
        self.len = 0;
        loop {
            if self.room.len() < self.start + self.len + BLOCK + 1 {
                self.grow();
            }
            let end = self.room.len() - BLOCK;
            match file.read(self.room.get_mut(self.start + self.len..end)?) {
                Ok(0) => break,
                Ok(n) => self.len += n,
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(_) => return None,
            }
            if self.len > LARGEST {
                return None;
            }
        }
        let end = self.start + self.len;
        self.room.get_mut(end..end + BLOCK)?.fill(0);
        Some(())
    }

    /// Makes room, twice of what there was; what is there stays.
    fn grow(&mut self) {
        let (mut room, start) = room((self.room.len() * 2).max(256 << 10));
        if let Some(place) = room.get_mut(start..start + self.len) {
            place.copy_from_slice(self.bytes());
        }
        (self.room, self.start) = (room, start);
    }

    /// The file.
    pub fn bytes(&self) -> &[u8] {
        self.room.get(self.start..self.start + self.len).unwrap_or_default()
    }

    /// The file, with [`BLOCK`] zeros and perhaps more behind it.
    pub fn padded(&self) -> &[u8] {
        self.room.get(self.start..).unwrap_or_default()
    }

    /// Bytes of the file.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Forgets the file, not the room.
    pub const fn clear(&mut self) {
        self.len = 0;
    }
}

/// How many bytes two slices have in common at their start.
#[inline]
pub(super) fn alike(mut a: &[u8], mut b: &[u8]) -> usize {
    let mut same = 0;
    while let (Some((x, more)), Some((y, others))) = (a.split_first_chunk::<32>(), b.split_first_chunk::<32>()) {
        if x != y {
            break;
        }
        (a, b) = (more, others);
        same += 32;
    }
    while let (Some((x, more)), Some((y, others))) = (a.split_first_chunk::<8>(), b.split_first_chunk::<8>()) {
        let apart = u64::from_le_bytes(*x) ^ u64::from_le_bytes(*y);
        if apart != 0 {
            return same + apart.trailing_zeros() as usize / 8;
        }
        (a, b) = (more, others);
        same += 8;
    }
    same + a.iter().zip(b).take_while(|(x, y)| x == y).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn files_of_all_sizes_go_through_one_buffer() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let mut buffer = Buffer::default();
        for size in [5, 0, 700_000, 262_144 - BLOCK, 262_144, 3] {
            let bytes: Vec<u8> = (0..size).map(|i| (i % 251) as u8).collect();
            std::fs::write(&path, &bytes).unwrap();
            buffer.load(&path).unwrap();
            assert!(buffer.bytes() == bytes, "{size}");
            assert_eq!(buffer.padded()[size..size + BLOCK], [0; BLOCK], "{size}");
            assert_eq!(buffer.bytes().as_ptr().addr() % PAGE, PLACE, "{size}");
        }
        assert_eq!(buffer.load(&folder.path().join("none")), None);
    }

    proptest! {
        #[test]
        fn finds_the_first_difference(bytes in prop::collection::vec(0_u8..3, 0..200), at in 0_usize..200, cut in 0_usize..200) {
            let mut other = bytes.clone();
            if let Some(byte) = other.get_mut(at) {
                *byte += 1;
            }
            other.truncate(cut);
            let want = bytes.iter().zip(&other).take_while(|(a, b)| a == b).count();
            prop_assert_eq!(alike(&bytes, &other), want);
            prop_assert_eq!(alike(&other, &bytes), want);
        }
    }
}
