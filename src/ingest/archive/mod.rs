//! Archives of folders, read in place: `.zip`, `.tar`, `.tar.gz`, `.tgz`, `.tar.zst`.
//!
//! Nothing is written to disk. The members of a `.zip` or a plain `.tar` are read from where they lie; those of a packed
//! `.tar`, which has only a beginning, are kept in memory, each packed again, so that they can be read in any order.
//! Names serve to recognise views only. Sizes, counts, depth and the ratio of packing are bounded: see `bounds`.

mod bounds;
mod part;
mod tar;
mod tree;
mod zip;

pub(super) use bounds::Guard;
pub(super) use part::Part;
pub(super) use tree::Tree;

use crate::error::{Error, Result};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// What an archive is by its first bytes, or, where they do not say, its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Zip,
    Tar,
}

/// Whether a name is that of an archive.
pub(super) fn by_name(name: &str) -> Option<Kind> {
    let name = name.to_ascii_lowercase();
    let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
    if ends(&[".zip"]) {
        Some(Kind::Zip)
    } else if ends(&[".tar", ".tar.gz", ".tgz", ".tar.zst", ".tzst"]) {
        Some(Kind::Tar)
    } else {
        None
    }
}

/// What a file is, if it is an archive.
pub(super) fn kind(path: &Path) -> io::Result<Option<Kind>> {
    let mut start = Vec::new();
    File::open(path)?.take(4).read_to_end(&mut start)?;
    if matches!(start.as_slice(), [b'P', b'K', 3, 4] | [b'P', b'K', 5, 6]) {
        return Ok(Some(Kind::Zip));
    }
    let mut head = Vec::new();
    // A packed file that cannot be unpacked is no archive that can be told; its own reader says what is wrong with it.
    let begins = tar::unpacked(path).and_then(|stream| stream.take(512).read_to_end(&mut head));
    if begins.is_ok() && head.get(257..262) == Some(b"ustar") {
        return Ok(Some(Kind::Tar));
    }
    Ok(by_name(&path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default()))
}

/// Lists an archive's members.
///
/// # Errors
/// Where it is no archive, or one that is made to fill memory.
pub(super) fn open(path: &Path, kind: Kind) -> Result<Tree> {
    let listed = match kind {
        Kind::Zip => zip::list(path),
        Kind::Tar => tar::list(path),
    };
    listed.map(|listing| Tree::new(path, listing)).map_err(|e| match e.kind() {
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => Error::Input {
            message: format!("read `{}`: {e}", path.display()),
            hint: Some("an archive holds folders of view files; unpack it and give the folder".to_owned()),
        },
        _ => Error::io("read", path)(e),
    })
}

/// What was found in an archive.
#[derive(Debug, Default)]
struct Listing {
    /// Names as stored, and how to read those that may hold a view.
    members: Vec<(String, Option<Part>)>,
    /// What is not read, with the reason.
    ignored: Vec<(String, String)>,
}

impl Listing {
    fn ignore(&mut self, name: &str, reason: impl Into<String>) {
        self.ignored.push((name.to_owned(), reason.into()));
    }
}

/// What is wrong with an archive; the words stand behind its name.
fn broken(message: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message.into())
}
