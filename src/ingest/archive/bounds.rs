//! How much an archive, or any packed file, may unpack to.

use super::broken;
use std::io::{self, Read};

/// Members of an archive: a year of hourly snapshots of 60 views, and some.
pub(super) const MEMBERS: usize = 600_000;
/// Bytes of a member's name.
pub(super) const NAME: usize = 1024;
/// Bytes of one unpacked file.
pub(super) const LARGEST: u64 = 4 << 30;
/// Bytes of all members, unpacked.
pub(super) const TOTAL: u64 = 256 << 30;
/// Bytes held in memory of a packed `.tar`.
pub(super) const HELD: usize = 1 << 30;
/// Statistics pack to a tenth, seldom to a fiftieth; a file of zeros to a thousandth and less.
const RATIO: u64 = 250;
/// What any file may unpack to, however small it is.
const GRACE: u64 = 16 << 20;

/// Gives what a packed file unpacks to, until that is more than an honest file's.
pub(in crate::ingest) struct Guard<R> {
    inner: R,
    packed: u64,
    most: u64,
    given: u64,
}

impl<R> Guard<R> {
    /// For one file that is stored in so many bytes.
    pub const fn new(inner: R, packed: u64) -> Self {
        Self { inner, packed, most: LARGEST, given: 0 }
    }

    /// For a whole archive that is stored in so many bytes.
    pub(super) const fn whole(inner: R, packed: u64) -> Self {
        Self { inner, packed, most: TOTAL, given: 0 }
    }
}

impl<R: Read> Read for Guard<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.given = self.given.saturating_add(n as u64);
        if self.given > self.most {
            return Err(broken(format!("it unpacks to more than {} GiB", self.most >> 30)));
        }
        if self.given > self.packed.saturating_mul(RATIO).max(GRACE) {
            return Err(broken(format!("it unpacks to more than {RATIO} times its size, as no statistics do")));
        }
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_unpacks_to_too_much_ends() {
        let read = |packed: u64, unpacked: u64| {
            io::copy(&mut Guard::new(io::repeat(b'0').take(unpacked), packed), &mut io::sink())
        };
        assert_eq!(read(1 << 20, 200 << 20).ok(), Some(200 << 20));
        assert_eq!(read(10, GRACE).ok(), Some(GRACE));
        assert!(read(10, GRACE + 1).unwrap_err().to_string().contains("250 times"));
    }
}
