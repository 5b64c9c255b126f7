//! Splits delimited text into records and cells.
//!
//! Own code in place of the `csv` crate for one reason: whether a cell was quoted decides between NULL and the empty
//! text, between a missing value and a table called `NULL`, and that crate does not say.

/// How a file separates and quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dialect {
    pub delimiter: u8,
    /// Whether `"` quotes; COPY's text format and psql's unaligned one know no quotes.
    pub quotes: bool,
}

/// A cell of a record: its bytes without the outer quotes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cell {
    pub start: usize,
    pub end: usize,
    pub quoted: bool,
    /// Whether doubled quotes are inside.
    pub doubled: bool,
}

/// How a record ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// At a line break; the next record starts here.
    At(usize),
    /// The bytes ended before the record did.
    Cut,
}

/// A record's cells and what was odd about its quotes.
#[derive(Debug, Default)]
pub(super) struct Record {
    pub cells: Vec<Cell>,
    /// Line breaks inside quoted cells.
    pub breaks: u64,
    /// A quote stood where no quote belongs, so counting quotes does not tell where records end.
    pub odd: bool,
}

impl Record {
    /// Splits the record that starts at `at`. `last` says that no more bytes follow.
    pub fn split(&mut self, bytes: &[u8], mut at: usize, last: bool, dialect: Dialect) -> End {
        self.cells.clear();
        self.breaks = 0;
        self.odd = false;
        let delimiter = dialect.delimiter;
        loop {
            if dialect.quotes && bytes.get(at) == Some(&b'"') {
                match self.quoted(bytes, at, last, delimiter) {
                    Some(Next::Cell(next)) => at = next,
                    Some(Next::Record(end)) => return End::At(end),
                    None => return End::Cut,
                }
                continue;
            }
            let start = at;
            let mut quote_inside = false;
            let ended = loop {
                let Some(rest) = bytes.get(at..) else { return End::Cut };
                // Cells are short: looking at each byte is faster here than a search that has to start up.
                let Some(step) = rest.iter().position(|&b| b == delimiter || b == b'\n' || b == b'"') else {
                    if !last {
                        return End::Cut;
                    }
                    at = bytes.len();
                    break None;
                };
                at += step;
                match rest.get(step) {
                    Some(b'"') if delimiter != b'"' => {
                        quote_inside = true;
                        at += 1;
                    }
                    other => break other.copied(),
                }
            };
            self.odd |= quote_inside && dialect.quotes;
            match ended {
                None => {
                    self.plain(start, at);
                    return End::At(at);
                }
                Some(b'\n') => {
                    let end = if at > start && bytes[at - 1] == b'\r' { at - 1 } else { at };
                    self.plain(start, end);
                    return End::At(at + 1);
                }
                Some(_) => {
                    self.plain(start, at);
                    at += 1;
                }
            }
        }
    }

    fn plain(&mut self, start: usize, end: usize) {
        self.cells.push(Cell { start, end, quoted: false, doubled: false });
    }

    fn quoted(&mut self, bytes: &[u8], open: usize, last: bool, delimiter: u8) -> Option<Next> {
        let start = open + 1;
        let mut at = start;
        let mut doubled = false;
        loop {
            let found = bytes.get(at..).and_then(|rest| memchr::memchr(b'"', rest))?;
            let close = at + found;
            match bytes.get(close + 1) {
                Some(b'"') => {
                    doubled = true;
                    at = close + 2;
                }
                None if !last => return None,
                next => {
                    self.breaks += memchr::memchr_iter(b'\n', &bytes[start..close]).count() as u64;
                    let cell = Cell { start, end: close, quoted: true, doubled };
                    return Some(match next {
                        Some(&b) if b == delimiter => {
                            self.cells.push(cell);
                            Next::Cell(close + 2)
                        }
                        Some(b'\n') => {
                            self.cells.push(cell);
                            Next::Record(close + 2)
                        }
                        Some(b'\r') if bytes.get(close + 2) == Some(&b'\n') => {
                            self.cells.push(cell);
                            Next::Record(close + 3)
                        }
                        Some(b'\r') if bytes.get(close + 2).is_none() => {
                            if !last {
                                return None;
                            }
                            self.cells.push(cell);
                            Next::Record(close + 2)
                        }
                        None => {
                            self.cells.push(cell);
                            Next::Record(close + 1)
                        }
                        Some(_) => {
                            // Text after the closing quote: the cell is everything up to the next separator, as it stands.
                            self.odd = true;
                            let rest = &bytes[close + 1..];
                            match memchr::memchr2(delimiter, b'\n', rest) {
                                None if !last => return None,
                                None => {
                                    self.plain(open, bytes.len());
                                    Next::Record(bytes.len())
                                }
                                Some(n) if rest[n] == b'\n' => {
                                    let end = close + 1 + n;
                                    self.plain(open, if bytes[end - 1] == b'\r' { end - 1 } else { end });
                                    Next::Record(end + 1)
                                }
                                Some(n) => {
                                    self.plain(open, close + 1 + n);
                                    Next::Cell(close + 2 + n)
                                }
                            }
                        }
                    });
                }
            }
        }
    }

    /// Whether the record is an empty line.
    pub fn is_blank(&self) -> bool {
        matches!(self.cells.as_slice(), [only] if only.start == only.end && !only.quoted)
    }
}

enum Next {
    Cell(usize),
    Record(usize),
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CSV: Dialect = Dialect { delimiter: b',', quotes: true };

    fn all(text: &str) -> Vec<Vec<(String, bool)>> {
        let (mut at, mut out, mut record) = (0, Vec::new(), Record::default());
        while at < text.len() {
            let End::At(next) = record.split(text.as_bytes(), at, true, CSV) else {
                out.push(vec![("CUT".to_owned(), false)]);
                break;
            };
            out.push(
                record
                    .cells
                    .iter()
                    .map(|c| {
                        let cell = &text[c.start..c.end];
                        (if c.doubled { cell.replace("\"\"", "\"") } else { cell.to_owned() }, c.quoted)
                    })
                    .collect(),
            );
            at = next;
        }
        out
    }

    #[test]
    fn tells_quoted_from_plain() {
        let plain = |s: &str| (s.to_owned(), false);
        let quoted = |s: &str| (s.to_owned(), true);
        for (text, want) in [
            ("a,b\n", vec![vec![plain("a"), plain("b")]]),
            ("a,\n", vec![vec![plain("a"), plain("")]]),
            ("a,\"\"\r\nb,c", vec![vec![plain("a"), quoted("")], vec![plain("b"), plain("c")]]),
            ("\"x\"\"y\",\"1\n2\"\n", vec![vec![quoted("x\"y"), quoted("1\n2")]]),
            ("a\"b,c\n", vec![vec![plain("a\"b"), plain("c")]]),
            ("\"a\"b,c\n", vec![vec![plain("\"a\"b"), plain("c")]]),
            ("\"open,c\nd,e\n", vec![vec![plain("CUT")]]),
            ("\n", vec![vec![plain("")]]),
        ] {
            assert_eq!(all(text), want, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_csv_crate_on_what_it_writes(
            rows in prop::collection::vec(prop::collection::vec("[a\"\n\r, é]{0,5}", 2..5), 1..6)
        ) {
            let width = rows[0].len();
            let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
            let mut want = Vec::new();
            for row in &rows {
                let row: Vec<String> = (0..width).map(|i| row.get(i).cloned().unwrap_or_default()).collect();
                writer.write_record(&row).unwrap();
                want.push(row);
            }
            let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
            let got: Vec<Vec<String>> = all(&text).into_iter().map(|r| r.into_iter().map(|(c, _)| c).collect()).collect();
            prop_assert_eq!(got, want);
        }

        #[test]
        fn never_fails_on_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200), last in any::<bool>()) {
            let (mut at, mut record) = (0, Record::default());
            while at < bytes.len() {
                match record.split(&bytes, at, last, CSV) {
                    End::At(next) => { prop_assert!(next > at); at = next; }
                    End::Cut => break,
                }
            }
        }
    }
}
