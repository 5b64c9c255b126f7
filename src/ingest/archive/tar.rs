//! Members of a `.tar`, plain or packed.

use super::bounds::{Guard, HELD, LARGEST, MEMBERS, NAME};
use super::part::{Part, Slice};
use super::tree::may_hold_a_view;
use super::{Listing, broken};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::Path;
use std::sync::{Arc, Mutex};
use tar::{Archive, Entries, Entry, EntryType, PaxExtensions};

/// Bytes of a header that says more of the file behind it.
const EXTENSION: u64 = 64 << 10;
/// Up to so many bytes are packed at once.
const SMALL: u64 = 16 << 20;

/// The archive's bytes, unpacked.
pub(super) fn unpacked(path: &Path) -> io::Result<Box<dyn Read + Send>> {
    let mut file = File::open(path)?;
    let len = file.metadata()?.len();
    let mut start = Vec::new();
    file.by_ref().take(4).read_to_end(&mut start)?;
    file.rewind()?;
    let file = BufReader::with_capacity(1 << 17, file);
    Ok(match start.as_slice() {
        [0x1f, 0x8b, ..] => Box::new(Guard::whole(flate2::bufread::MultiGzDecoder::new(file), len)),
        [0x28, 0xb5, 0x2f, 0xfd] => Box::new(Guard::whole(zstd::stream::read::Decoder::with_buffer(file)?, len)),
        _ => Box::new(file),
    })
}

pub(super) fn list(path: &Path) -> io::Result<Listing> {
    let mut file = File::open(path)?;
    let mut start = [0; 2];
    let packed = match file.read_exact(&mut start) {
        Ok(()) => matches!(start, [0x1f, 0x8b] | [0x28, 0xb5]),
        Err(_) => false,
    };
    if packed {
        let mut archive = Archive::new(unpacked(path)?);
        let mut hold = Hold { compressor: zstd::bulk::Compressor::new(1)?, bytes: 0 };
        return walk(archive.entries()?.raw(true), |entry, size| hold.keep(entry, size));
    }
    let len = file.metadata()?.len();
    let shared = Arc::new(Mutex::new(file));
    let mut archive = Archive::new(BufReader::new(File::open(path)?));
    walk(archive.entries_with_seek()?.raw(true), |entry, size| {
        let at = entry.raw_file_position();
        let fault = at.saturating_add(size) > len;
        Ok((Part::Slice(Slice::new(Arc::clone(&shared), at, size)), fault))
    })
}

/// Goes through an archive. `keep` makes a member of an entry and its size, and says whether the archive breaks off in it.
fn walk<R: Read>(
    entries: Entries<'_, R>,
    mut keep: impl FnMut(&mut Entry<'_, R>, u64) -> io::Result<(Part, bool)>,
) -> io::Result<Listing> {
    let mut listing = Listing::default();
    let mut said: Said = Said::default();
    for (count, entry) in entries.enumerate() {
        if count >= MEMBERS {
            return Err(broken(format!("the archive holds more than {MEMBERS} files")));
        }
        let mut entry = match entry {
            Ok(entry) => entry,
            Err(e) if count == 0 => return Err(broken(format!("it is not a tar archive: {e}"))),
            Err(e) => {
                listing.ignore("", format!("the archive breaks off ({e}); what stands before was read"));
                break;
            }
        };
        let kind = entry.header().entry_type();
        let size = entry.header().entry_size()?;
        if said.take(kind, &mut entry)? {
            continue;
        }
        let Said { name, size: larger } = std::mem::take(&mut said);
        let name = name.unwrap_or_else(|| entry.header().path_bytes().into_owned());
        let name = String::from_utf8_lossy(&name).into_owned();
        if kind.is_dir() {
            continue;
        }
        if size > LARGEST || larger.is_some_and(|larger| larger != size) {
            listing.ignore(&name, format!("it is larger than {} GiB; nothing behind it was read", LARGEST >> 30));
            break;
        }
        if name.len() > NAME {
            listing.ignore(&name.chars().take(40).collect::<String>(), "its name is too long");
        } else if !may_hold_a_view(&name) {
            listing.members.push((name, None));
        } else if !matches!(kind, EntryType::Regular | EntryType::Continuous) {
            listing.ignore(&name, "it is a link, a device or a sparse file");
        } else {
            let (part, ends) = keep(&mut entry, size)?;
            if ends {
                listing.ignore("", format!("the archive breaks off in {name}; what stands before was read"));
            }
            listing.members.push((name, Some(part)));
            if ends {
                break;
            }
        }
    }
    Ok(listing)
}

/// What headers of their own say of the file behind them.
#[derive(Default)]
struct Said {
    name: Option<Vec<u8>>,
    size: Option<u64>,
}

impl Said {
    /// Takes over what an entry says, if it is such a header.
    fn take<R: Read>(&mut self, kind: EntryType, entry: &mut Entry<'_, R>) -> io::Result<bool> {
        match kind {
            EntryType::GNULongName => {
                let mut name = Vec::new();
                entry.take(EXTENSION).read_to_end(&mut name)?;
                name.truncate(name.iter().position(|b| *b == 0).unwrap_or(name.len()));
                self.name = Some(name);
            }
            EntryType::XHeader => {
                let mut text = Vec::new();
                entry.take(EXTENSION).read_to_end(&mut text)?;
                for pair in PaxExtensions::new(&text).flatten() {
                    match pair.key_bytes() {
                        b"path" => self.name = Some(pair.value_bytes().to_vec()),
                        b"size" => self.size = pair.value().ok().and_then(|n| n.parse().ok()),
                        _ => {}
                    }
                }
            }
            EntryType::GNULongLink | EntryType::XGlobalHeader => {}
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// Members of a packed archive, each packed again by itself.
struct Hold {
    compressor: zstd::bulk::Compressor<'static>,
    bytes: usize,
}

impl Hold {
    fn keep<R: Read>(&mut self, entry: &mut Entry<'_, R>, size: u64) -> io::Result<(Part, bool)> {
        let (packed, got, fault) = if size <= SMALL {
            let mut plain = Vec::new();
            let fault = entry.read_to_end(&mut plain).err();
            (self.compressor.compress(&plain)?, plain.len() as u64, fault)
        } else {
            let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1)?;
            let (mut got, mut fault) = (0, None);
            let mut buffer = vec![0; 1 << 16];
            loop {
                match entry.read(&mut buffer) {
                    Ok(0) => break,
                    Ok(n) => {
                        io::Write::write_all(&mut encoder, &buffer[..n])?;
                        got += n as u64;
                    }
                    Err(e) => {
                        fault = Some(e);
                        break;
                    }
                }
                if encoder.get_ref().len() > HELD {
                    break;
                }
            }
            (encoder.finish()?, got, fault)
        };
        self.bytes = self.bytes.saturating_add(packed.len());
        if self.bytes > HELD {
            return Err(broken(format!(
                "it is packed as a whole and larger than the {} GiB that are held in memory; `pgretro pack` its folder, \
                 or make it a .zip",
                HELD >> 30
            )));
        }
        let fault = match fault {
            Some(e) => Some(e.to_string()),
            None => (got < size).then(|| "the archive ends within it".to_owned()),
        };
        let ends = fault.is_some();
        Ok((Part::Held { packed: packed.into(), size: got, fault: fault.map(Into::into) }, ends))
    }
}
