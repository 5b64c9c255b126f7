//! Members of a `.zip`, by its central directory.

use super::bounds::{MEMBERS, NAME, TOTAL};
use super::part::{Part, Slice};
use super::tree::may_hold_a_view;
use super::{Listing, broken};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::{Arc, Mutex};
use zip::CompressionMethod;

pub(super) fn list(path: &Path) -> io::Result<Listing> {
    let mut file = File::open(path)?;
    let len = file.metadata()?.len();
    if count(&mut file, len)? > MEMBERS as u64 {
        return Err(broken(format!("the archive holds more than {MEMBERS} files")));
    }
    let whole = |e: zip::result::ZipError| broken(format!("it is not a whole zip archive: {e}"));
    let archive = zip::ZipArchive::new(BufReader::new(File::open(path)?)).map_err(whole)?;
    let file = Arc::new(Mutex::new(file));
    let mut listing = Listing::default();
    let (mut packed, mut unpacked) = (0_u64, 0_u64);
    for at in 0..archive.len() {
        let entry = archive.by_index_data(at).map_err(whole)?;
        let name = String::from_utf8_lossy(entry.name_raw());
        if entry.is_dir() {
            continue;
        }
        if name.len() > NAME {
            listing.ignore(&name.chars().take(40).collect::<String>(), "its name is too long");
            continue;
        }
        packed = packed.saturating_add(entry.compressed_size());
        unpacked = unpacked.saturating_add(entry.size());
        let deflated = match entry.compression() {
            _ if !may_hold_a_view(&name) => None,
            _ if entry.is_symlink()
                || entry.unix_mode().is_some_and(|mode| !matches!(mode & 0o170_000, 0 | 0o100_000)) =>
            {
                listing.ignore(&name, "it is a link, a device or a sparse file");
                continue;
            }
            _ if entry.encrypted() => {
                listing.ignore(&name, "it is encrypted");
                continue;
            }
            CompressionMethod::Stored => Some(false),
            CompressionMethod::Deflated => Some(true),
            _ => {
                listing.ignore(&name, "it is packed by a method that is not read; deflate is");
                continue;
            }
        };
        let part = deflated.map(|deflated| Part::Zipped {
            at: Slice::new(Arc::clone(&file), entry.header_start(), entry.compressed_size()),
            deflated,
            size: entry.size(),
            crc: entry.crc32(),
        });
        listing.members.push((name.into_owned(), part));
    }
    // Files of an honest archive lie one behind the other.
    if packed > len {
        return Err(broken("its files overlap, as in an archive made to fill memory"));
    }
    if unpacked > TOTAL {
        return Err(broken(format!("it unpacks to more than {} GiB", TOTAL >> 30)));
    }
    Ok(listing)
}

/// How many members the end of the central directory says there are; 0 where there is no such end.
fn count(file: &mut File, len: u64) -> io::Result<u64> {
    const FARTHEST: u64 = 22 + 65_535 + 20 + 56;
    file.seek(SeekFrom::Start(len.saturating_sub(FARTHEST)))?;
    let mut tail = Vec::new();
    file.by_ref().take(FARTHEST).read_to_end(&mut tail)?;
    let number = |signature: &[u8], at: usize, bytes: usize| -> Option<u64> {
        let begin = memchr::memmem::rfind(&tail, signature)?;
        let digits = tail.get(begin + at..begin + at + bytes)?;
        Some(digits.iter().rev().fold(0, |n, byte| n << 8 | u64::from(*byte)))
    };
    let short = number(b"PK\x05\x06", 10, 2).unwrap_or(0);
    let long = number(b"PK\x06\x06", 32, 8).unwrap_or(0);
    Ok(short.max(long))
}
