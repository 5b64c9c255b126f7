//! A file of several CSV blocks, each under a line `-- <view>`.

use super::file::{self, Parsed};
use super::name::{Named, Packing};
use super::notes::{Odd, Oddities};
use super::readers::{Job, Reader};
use super::source::{Input, Stream};
use std::io::Read;
use std::path::Path;

/// The largest file of this kind; it is put together by hand, so it is small.
const LARGEST: u64 = 256 << 20;

pub(super) const READER: Reader =
    Reader { endings: &[], claims: |start| begins(start.head), is_moment: |_| false, read };

/// A block of such a file.
struct Block {
    named: Named,
    bytes: Vec<u8>,
    /// Lines of the file before the block.
    lines_before: u64,
}

fn read(stream: Stream, job: &Job<'_>, parsed: &mut Parsed) {
    for block in split(stream, &mut parsed.odd) {
        let mut part = Parsed::default();
        match Stream::open(&Input::Memory(block.bytes.into()), Packing::Plain) {
            Ok(stream) => file::read_stream(stream, &Job { named: &block.named, ..*job }, &mut part),
            Err(e) => part.odd.push(Odd::new("unreadable-file", format!("cannot be read: {e}"))),
        }
        parsed.absorb(part, block.lines_before);
    }
}

/// Whether a file begins with such a line.
fn begins(head: &[u8]) -> bool {
    let start = head.iter().position(|b| !b.is_ascii_whitespace()).unwrap_or(head.len());
    let line = head[start..].split(|b| *b == b'\n').next().unwrap_or_default();
    title(line).is_some_and(|named| named.view.is_some())
}

/// What a line `-- pg_stat_user_tables` names.
fn title(line: &[u8]) -> Option<Named> {
    let text = std::str::from_utf8(line).ok()?.trim_end().strip_prefix("-- ")?;
    let name = text.trim();
    (!name.is_empty() && name.len() < 100).then(|| Named::new(Path::new(name)))
}

/// Splits the file at its titles; a line within a quoted cell that looks like one is told by no view being named so.
fn split(mut reader: impl Read, odd: &mut Oddities) -> Vec<Block> {
    let mut bytes = Vec::new();
    if let Err(e) = reader.by_ref().take(LARGEST).read_to_end(&mut bytes) {
        odd.push(Odd::new("unreadable-file", format!("the file breaks off ({e}); what stands before was read")));
    }
    let mut blocks: Vec<Block> = Vec::new();
    for (before, line) in (0..).zip(bytes.split_inclusive(|b| *b == b'\n')) {
        match title(line).filter(|named| named.view.is_some()) {
            Some(named) => blocks.push(Block { named, bytes: Vec::new(), lines_before: before + 1 }),
            None => {
                if let Some(block) = blocks.last_mut() {
                    block.bytes.extend_from_slice(line);
                }
            }
        }
    }
    blocks
}
