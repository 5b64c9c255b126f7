//! Reads JSON token by token from a stream.
//!
//! Own code in place of `serde_json` for what that crate cannot do with the features in use: the digits of a number as
//! they stand (queryid beyond 2^53, `numeric`, float4), a file larger than memory, the line of an error, and all rows
//! before it.

use std::io::Read;
use std::ops::Range;

/// The longest text or number read.
pub(super) const LONGEST: usize = 64 << 20;
const PART: usize = 256 << 10;

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Object,
    Array,
    Text,
    /// A number, `true`, `false` or `null`.
    Word,
    End,
}

/// Where and why reading stopped.
#[derive(Debug)]
pub(super) struct Broken {
    pub line: u64,
    pub message: String,
}

pub(super) type Result<T> = std::result::Result<T, Broken>;

/// A JSON text being read.
pub(super) struct Lexer<R> {
    reader: R,
    buffer: Vec<u8>,
    at: usize,
    ended: bool,
    line: u64,
    failure: Option<String>,
}

impl<R: Read> Lexer<R> {
    pub fn new(reader: R) -> Self {
        Self { reader, buffer: Vec::new(), at: 0, ended: false, line: 1, failure: None }
    }

    pub const fn line(&self) -> u64 {
        self.line
    }

    /// What the next value is, without reading it.
    pub fn next(&mut self) -> Result<Next> {
        Ok(match self.peek()? {
            None => Next::End,
            Some(b'{') => Next::Object,
            Some(b'[') => Next::Array,
            Some(b'"') => Next::Text,
            Some(_) => Next::Word,
        })
    }

    /// The next byte that is no white space.
    pub fn peek(&mut self) -> Result<Option<u8>> {
        loop {
            while let Some(&b) = self.buffer.get(self.at) {
                match b {
                    b' ' | b'\t' | b'\r' => {}
                    b'\n' => self.line += 1,
                    _ => return Ok(Some(b)),
                }
                self.at += 1;
            }
            if !self.more()? {
                return Ok(None);
            }
        }
    }

    /// Reads one of `{}[],:`.
    pub fn punctuation(&mut self, byte: u8) -> Result<()> {
        match self.peek()? {
            Some(b) if b == byte => {
                self.at += 1;
                Ok(())
            }
            Some(b) => Err(self.broken(format!(
                "`{}` stands where `{}` belongs",
                char::from(b).escape_default(),
                char::from(byte)
            ))),
            None => Err(self.broken("the file ends too early")),
        }
    }

    /// Inside an array or object: true where another member follows, false at its end, which is read.
    /// `first` is cleared.
    pub fn member(&mut self, first: &mut bool, end: u8) -> Result<bool> {
        match self.peek()? {
            Some(b) if b == end => {
                self.at += 1;
                Ok(false)
            }
            Some(b',') if !*first => {
                self.at += 1;
                if self.peek()? == Some(end) {
                    self.at += 1;
                    return Ok(false);
                }
                Ok(true)
            }
            Some(_) if *first => {
                *first = false;
                Ok(true)
            }
            Some(b) => Err(self.broken(format!("`{}` stands where a comma belongs", char::from(b).escape_default()))),
            None => Err(self.broken("the file ends too early")),
        }
    }

    /// Reads a member's name and the colon behind it.
    pub fn key(&mut self, out: &mut String) -> Result<()> {
        out.clear();
        self.text(out)?;
        self.punctuation(b':')
    }

    /// Reads a member's name and the colon behind it, if it is this name, written without escapes; else nothing.
    pub fn is_key(&mut self, name: &str) -> Result<bool> {
        self.peek()?;
        let rest = self.buffer.get(self.at..).unwrap_or_default();
        let behind = rest.strip_prefix(b"\"").and_then(|rest| rest.strip_prefix(name.as_bytes()));
        let plain = || name.bytes().all(|b| b > b' ' && b != b'\\' && b != b'"');
        if !behind.is_some_and(|behind| behind.starts_with(b"\"")) || !plain() {
            return Ok(false);
        }
        self.at += name.len() + 2;
        self.punctuation(b':')?;
        Ok(true)
    }

    /// The bytes that were read from the file and not used yet; more may follow.
    pub fn ahead(&self) -> &[u8] {
        self.buffer.get(self.at..).unwrap_or_default()
    }

    /// Goes on behind so many of the bytes ahead, which are no line's end.
    pub fn pass(&mut self, count: usize) {
        self.at = (self.at + count).min(self.buffer.len());
    }

    /// Reads a text and appends it.
    pub fn text(&mut self, out: &mut String) -> Result<()> {
        self.punctuation(b'"')?;
        loop {
            let rest = self.buffer.get(self.at..).unwrap_or_default();
            let Some(found) = memchr::memchr2(b'"', b'\\', rest) else {
                if rest.len() > LONGEST {
                    return Err(self.broken("a text longer than 64 MiB"));
                }
                if !self.more()? {
                    return Err(self.broken("the file ends inside a text"));
                }
                continue;
            };
            let piece = self.at..self.at + found;
            let escape = rest.get(found) == Some(&b'\\');
            if out.len() + found > LONGEST {
                return Err(self.broken("a text longer than 64 MiB"));
            }
            self.take(piece, out);
            self.at += found + 1;
            if !escape {
                return Ok(());
            }
            self.escape(out)?;
        }
    }

    fn take(&mut self, piece: Range<usize>, out: &mut String) {
        let bytes = self.buffer.get(piece).unwrap_or_default();
        // Texts are short: a call costs more than the bytes.
        self.line += bytes.iter().map(|b| u64::from(*b == b'\n')).sum::<u64>();
        match std::str::from_utf8(bytes) {
            Ok(text) => out.push_str(text),
            Err(_) => out.push_str(&encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes).0),
        }
    }

    fn escape(&mut self, out: &mut String) -> Result<()> {
        while self.buffer.len() - self.at < 12 && self.more()? {}
        let rest = self.buffer.get(self.at..).unwrap_or_default();
        let hex = |at: usize| -> Option<u32> {
            let digits = std::str::from_utf8(rest.get(at..at + 4)?).ok()?;
            u32::from_str_radix(digits, 16).ok()
        };
        let (c, used) = match rest.first() {
            Some(b'n') => ('\n', 1),
            Some(b't') => ('\t', 1),
            Some(b'r') => ('\r', 1),
            Some(b'b') => ('\u{8}', 1),
            Some(b'f') => ('\u{c}', 1),
            Some(b'u') => match (hex(1), hex(7)) {
                (Some(high @ 0xd800..=0xdbff), Some(low @ 0xdc00..=0xdfff)) if rest.get(5..7) == Some(b"\\u") => {
                    let code = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                    (char::from_u32(code).unwrap_or('\u{fffd}'), 11)
                }
                (Some(code), _) => (char::from_u32(code).unwrap_or('\u{fffd}'), 5),
                (None, _) => return Err(self.broken("a broken \\u escape")),
            },
            Some(&b @ (b'"' | b'\\' | b'/')) => (char::from(b), 1),
            Some(_) => return Err(self.broken("an unknown escape in a text")),
            None => return Err(self.broken("the file ends inside a text")),
        };
        out.push(c);
        self.at += used;
        Ok(())
    }

    /// Reads a number, `true`, `false` or `null` as it stands.
    pub fn word(&mut self, out: &mut String) -> Result<()> {
        self.peek()?;
        out.clear();
        let mut len = 0;
        loop {
            match self.buffer.get(self.at + len) {
                Some(b'0'..=b'9' | b'+' | b'-' | b'.' | b'a'..=b'z' | b'A'..=b'Z') if len < 400 => len += 1,
                None if len < 400 => {
                    if !self.more()? {
                        break;
                    }
                }
                _ => break,
            }
        }
        if len == 0 {
            let what =
                self.buffer.get(self.at).map_or_else(String::new, |b| format!("`{}`", char::from(*b).escape_default()));
            return Err(self.broken(format!("{what} is no value")));
        }
        self.take(self.at..self.at + len, out);
        self.at += len;
        let number = out.starts_with(|c: char| c.is_ascii_digit() || c == '-');
        if number || matches!(out.as_str(), "true" | "false" | "null" | "NaN" | "Infinity") {
            Ok(())
        } else {
            Err(self.broken(format!("`{out}` is no value")))
        }
    }

    /// An error at this place; where reading the file itself failed, that is the reason.
    pub fn broken(&self, message: impl Into<String>) -> Broken {
        Broken { line: self.line, message: self.failure.clone().unwrap_or_else(|| message.into()) }
    }

    /// After a broken value: goes on behind the end of the line. False at the end of the file.
    pub fn next_line(&mut self) -> bool {
        loop {
            if let Some(found) = self.buffer.get(self.at..).and_then(|rest| memchr::memchr(b'\n', rest)) {
                self.at += found + 1;
                self.line += 1;
                return true;
            }
            self.at = self.buffer.len();
            if !self.more().unwrap_or(false) {
                return false;
            }
        }
    }

    /// Reads more bytes behind those not used yet; false at the end.
    fn more(&mut self) -> Result<bool> {
        if self.ended {
            return Ok(false);
        }
        if self.at > 0 {
            self.buffer.drain(..self.at);
            self.at = 0;
        }
        match self.reader.by_ref().take(PART as u64).read_to_end(&mut self.buffer) {
            Ok(0) => {
                self.ended = true;
                Ok(false)
            }
            Ok(_) => Ok(true),
            Err(e) => {
                self.ended = true;
                self.failure = Some(format!("the file breaks off here ({e})"));
                Err(self.broken(""))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_texts_with_every_escape() {
        let mut out = String::new();
        Lexer::new(r#""\u00fc\ud83d\ude00\n\t\"\\\/\ud800x""#.as_bytes()).text(&mut out).unwrap();
        assert_eq!(out, "ü😀\n\t\"\\/\u{fffd}x");
    }

    #[test]
    fn knows_the_name_that_comes_next() {
        for (json, name, known) in [
            (r#""relid":5"#, "relid", true),
            (" \n\"relid\"\n : 5", "relid", true),
            (r#""relid2":5"#, "relid", false),
            (r#""rel":5"#, "relid", false),
            (r#""a\":5":5"#, r"a\", false),
            (r#""a b":5"#, "a b", false),
            (r#""größe":5"#, "größe", true),
        ] {
            let mut lexer = Lexer::new(json.as_bytes());
            assert_eq!(lexer.is_key(name).unwrap(), known, "{json}");
            if known {
                assert_eq!(lexer.next().unwrap(), Next::Word);
            } else {
                // Nothing was read: the name is what it is.
                let mut own = String::new();
                lexer.key(&mut own).unwrap();
                assert_eq!(own == name, json == r#""a b":5"#, "{json}");
            }
        }
    }

    proptest! {
        #[test]
        fn agrees_with_serde_json_on_texts(text in any::<String>()) {
            let json = serde_json::to_string(&text).unwrap();
            let mut out = String::new();
            Lexer::new(json.as_bytes()).text(&mut out).unwrap();
            prop_assert_eq!(out, text);
        }
    }
}
