//! Bytes of a file: unpacked, decoded to UTF-8 where it was UTF-16, its first part at hand.

use super::archive::{Guard, Part};
use super::name::Packing;
use encoding_rs::{CoderResult, Decoder, UTF_16BE, UTF_16LE};
use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::PathBuf;
use std::sync::Arc;

/// How much of a file is looked at to tell what it is.
pub(super) const HEAD: usize = 64 << 10;

/// Where bytes come from.
#[derive(Clone, Debug)]
pub(super) enum Input {
    File(PathBuf),
    /// Standard input, read whole.
    Memory(Arc<[u8]>),
    /// A member of an archive.
    Archived(Part),
}

impl Input {
    /// Its bytes as stored.
    pub fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(match self {
            Self::File(path) => Box::new(File::open(path)?),
            Self::Memory(bytes) => Box::new(Cursor::new(Arc::clone(bytes))),
            Self::Archived(part) => part.open()?,
        })
    }

    /// How many those are.
    pub fn size(&self) -> u64 {
        match self {
            Self::File(path) => std::fs::metadata(path).map_or(0, |m| m.len()),
            Self::Memory(bytes) => bytes.len() as u64,
            Self::Archived(part) => part.size(),
        }
    }
}

/// A file being read.
pub(super) struct Stream {
    /// Its first bytes, at most [`HEAD`]; they are also the first that `reader` gives.
    pub head: Vec<u8>,
    /// Whether `head` is everything.
    pub whole: bool,
    /// The name of the encoding where it was not UTF-8.
    pub encoding: Option<&'static str>,
    reader: Box<dyn Read + Send>,
}

impl Stream {
    /// Opens a file, unpacks it by its first bytes (the name may lie), decodes UTF-16.
    pub fn open(input: &Input, packing: Packing) -> io::Result<Self> {
        let (start, raw) = peek(input.open()?, 4)?;
        let unpacked: Box<dyn Read + Send> = match (start.as_slice(), packing) {
            ([0x1f, 0x8b, ..], _) => Box::new(Guard::new(flate2::read::MultiGzDecoder::new(raw), input.size())),
            ([0x28, 0xb5, 0x2f, 0xfd], _) => Box::new(Guard::new(zstd::stream::read::Decoder::new(raw)?, input.size())),
            _ => raw,
        };
        let (start, unpacked) = peek(unpacked, 64)?;
        let (decoded, encoding): (Box<dyn Read + Send>, _) = match utf16(&start) {
            Some(encoding) => {
                (Box::new(Decode::new(unpacked, encoding.new_decoder_with_bom_removal())), Some(encoding.name()))
            }
            None if start.starts_with(&[0xef, 0xbb, 0xbf]) => {
                let mut unpacked = unpacked;
                unpacked.read_exact(&mut [0; 3])?;
                (unpacked, None)
            }
            None => (unpacked, None),
        };
        let (head, reader) = peek(decoded, HEAD)?;
        let whole = head.len() < HEAD;
        Ok(Self { head, whole, encoding, reader })
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reader.read(buffer)
    }
}

/// Reads up to `n` bytes and puts them back in front. An error after the first byte is left for later reads.
fn peek(mut reader: Box<dyn Read + Send>, n: usize) -> io::Result<(Vec<u8>, Box<dyn Read + Send>)> {
    let mut start = vec![0; n];
    let mut len = 0;
    let mut failed = None;
    while len < n {
        match reader.read(&mut start[len..]) {
            Ok(0) => break,
            Ok(got) => len += got,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) if len == 0 => return Err(e),
            Err(e) => {
                failed = Some(e);
                break;
            }
        }
    }
    start.truncate(len);
    let rest: Box<dyn Read + Send> = match failed {
        Some(e) => Box::new(Failed(Some(e))),
        None => reader,
    };
    Ok((start.clone(), Box::new(Cursor::new(start).chain(rest))))
}

/// Gives an error that was met too early, then nothing.
struct Failed(Option<io::Error>);

impl Read for Failed {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

/// UTF-16 by its byte order mark, or by zero bytes in every other place.
fn utf16(start: &[u8]) -> Option<&'static encoding_rs::Encoding> {
    match start {
        [0xff, 0xfe, ..] => return Some(UTF_16LE),
        [0xfe, 0xff, ..] => return Some(UTF_16BE),
        _ => {}
    }
    let zeros = |odd: usize| start.chunks_exact(2).filter(|pair| pair[odd] == 0).count();
    let pairs = start.len() / 2;
    if pairs < 4 {
        None
    } else if zeros(1) * 10 >= pairs * 9 && zeros(0) == 0 {
        Some(UTF_16LE)
    } else if zeros(0) * 10 >= pairs * 9 && zeros(1) == 0 {
        Some(UTF_16BE)
    } else {
        None
    }
}

/// Decodes while reading.
struct Decode<R> {
    inner: R,
    decoder: Decoder,
    raw: Vec<u8>,
    raw_at: usize,
    raw_len: usize,
    ended: bool,
    out: Vec<u8>,
    out_at: usize,
}

impl<R: Read> Decode<R> {
    fn new(inner: R, decoder: Decoder) -> Self {
        Self { inner, decoder, raw: vec![0; 32 << 10], raw_at: 0, raw_len: 0, ended: false, out: Vec::new(), out_at: 0 }
    }

    fn fill(&mut self) -> io::Result<()> {
        if self.raw_at == self.raw_len && !self.ended {
            self.raw_len = self.inner.read(&mut self.raw)?;
            self.raw_at = 0;
            self.ended = self.raw_len == 0;
        }
        self.out.resize(self.raw.len() * 3 / 2 + 16, 0);
        let (result, read, written, _) =
            self.decoder.decode_to_utf8(&self.raw[self.raw_at..self.raw_len], &mut self.out, self.ended);
        self.raw_at += read;
        self.out.truncate(written);
        self.out_at = 0;
        if self.ended && matches!(result, CoderResult::InputEmpty) {
            self.raw_len = self.raw_at;
        }
        Ok(())
    }
}

impl<R: Read> Read for Decode<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.out_at == self.out.len() {
            if self.ended && self.raw_at == self.raw_len && self.out_at == self.out.len() && self.raw_len == 0 {
                return Ok(0);
            }
            let ended_before = self.ended;
            self.fill()?;
            if ended_before && self.out.is_empty() {
                return Ok(0);
            }
        }
        let n = buffer.len().min(self.out.len() - self.out_at);
        buffer[..n].copy_from_slice(&self.out[self.out_at..self.out_at + n]);
        self.out_at += n;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> (String, Option<&'static str>) {
        let mut stream = Stream::open(&Input::Memory(bytes.into()), Packing::Plain).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        (text, stream.encoding)
    }

    #[test]
    fn decodes_what_spreadsheets_write() {
        let text = "relid,relname\n1,größe\n".repeat(5000);
        let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(read(&[&[0xff, 0xfe][..], &utf16].concat()), (text.clone(), Some("UTF-16LE")));
        let be: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(read(&[&[0xfe, 0xff][..], &be].concat()), (text.clone(), Some("UTF-16BE")));
        assert_eq!(
            read("relid,relname,x".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>().as_slice()).0,
            "relid,relname,x"
        );
        assert_eq!(read(&[&[0xef, 0xbb, 0xbf][..], text.as_bytes()].concat()), (text, None));
        assert_eq!(read(b""), (String::new(), None));
        assert_eq!(read(&[0xff, 0xfe]).0, "");
    }

    #[test]
    fn gives_what_a_cut_archive_still_holds() {
        use std::io::Write;
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        let text = (0..50_000).map(|i| format!("{i},{}", i * 7919 % 1013)).collect::<Vec<_>>().join("\n");
        gz.write_all(text.as_bytes()).unwrap();
        let mut bytes = gz.finish().unwrap();
        bytes.truncate(bytes.len() / 2);
        let mut stream = Stream::open(&Input::Memory(bytes.into()), Packing::Gzip).unwrap();
        let mut got = Vec::new();
        assert!(stream.read_to_end(&mut got).is_err());
        assert!(got.len() > 1000 && text.as_bytes().starts_with(&got));
    }
}
