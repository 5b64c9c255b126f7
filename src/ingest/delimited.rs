//! Reads CSV, COPY text and their kin: a part at a time, large files on all cores.

use super::header::Layout;
use super::notes::{Odd, Oddities};
use super::plain::{Plain, Sink};
use super::records::{Dialect, End, Record};
use super::rows::Rows;
use super::segment::{Segment, unescape};
use super::spelling::Spelling;
use super::spool::Chunk;
use encoding_rs::WINDOWS_1252;
use rayon::prelude::*;
use std::borrow::Cow;
use std::io::Read;

/// The longest record read; a longer one is an open quote or no text.
const LONGEST_RECORD: usize = 16 << 20;
/// Bytes read at once in the beginning; a small file is one part.
const FIRST_PART: usize = 512 << 10;
/// Bytes read at once from a large file.
const LARGE_PART: usize = 4 << 20;
/// From this many bytes on a part is split among the cores.
const WORTH_SPLITTING: usize = 2 << 20;

/// How a file is to be read.
pub(super) struct Plan {
    pub dialect: Dialect,
    pub spelling: Spelling,
    pub layout: Layout,
    /// Bytes before the first row.
    pub skip: usize,
    /// Lines before the first row.
    pub lines: u64,
}

/// Reads all rows.
pub(super) fn read(mut reader: impl Read, plan: &Plan) -> Rows {
    let mut rows = Rows::default();
    let fields = &plan.layout.fields;
    let plain = Plain::new(fields, plan.dialect, &plan.spelling);
    let mut buffer: Vec<u8> = Vec::new();
    let (mut to_skip, mut lines) = (plan.skip, plan.lines);
    let reading = &Reading { plan, plain: plain.as_ref() };
    let mut part = FIRST_PART;
    let mut in_order = false;
    let mut too_long = false;
    loop {
        let last = match fill(&mut reader, &mut buffer, part) {
            Ok(last) => last,
            Err(e) => {
                rows.odd.push(
                    Odd::new(
                        "unreadable-file",
                        format!("the file breaks off here ({e}); the rows before it were read"),
                    )
                    .at(lines + 1),
                );
                true
            }
        };
        part = (part * 2).min(LARGE_PART);
        if to_skip > 0 {
            let now = to_skip.min(buffer.len());
            buffer.drain(..now);
            to_skip -= now;
        }
        if too_long {
            // Still inside the line that was given up.
            if let Some(end) = memchr::memchr(b'\n', &buffer) {
                buffer.drain(..=end);
                lines += 1;
                too_long = false;
            } else {
                buffer.clear();
            }
        }
        let state = (&mut in_order, &mut lines);
        let used = match rows.spooled() {
            Some(order) => {
                let new = |_| Chunk::new(fields.len(), Segment::new(fields), order.clone());
                take(&buffer, last, reading, &new, &mut rows, state)
            }
            None => take(&buffer, last, reading, &|rows| Segment::with_room(fields, rows), &mut rows, state),
        };
        let unfinished = buffer.len() - used;
        if last {
            break;
        }
        if unfinished > LONGEST_RECORD && used == 0 {
            let message =
                "a record longer than 16 MiB: a quote that is never closed, or no text; its first line was left out";
            rows.odd.push(Odd::new("bad-row", message).at(lines + 1));
            if let Some(end) = memchr::memchr(b'\n', &buffer) {
                buffer.drain(..=end);
                lines += 1;
            } else {
                buffer.clear();
                too_long = true;
            }
        } else {
            buffer.copy_within(used.., 0);
            buffer.truncate(unfinished);
        }
    }
    rows
}

/// The rows of some bytes: whole records, no header.
pub(super) fn rows(bytes: &[u8], plan: &Plan) -> Rows {
    let mut rows = Rows::default();
    if bytes.is_empty() {
        rows.append(Segment::new(&plan.layout.fields), 0, &plan.layout);
        return rows;
    }
    let fields = &plan.layout.fields;
    let plain = Plain::new(fields, plan.dialect, &plan.spelling);
    let reading = Reading { plan, plain: plain.as_ref() };
    let part = parse(bytes, true, &reading, &|rows| Segment::with_room(fields, rows));
    rows.append(part.sink, plan.lines, &plan.layout);
    rows
}

/// Reads `part` more bytes; true at the end of the file.
fn fill(reader: &mut impl Read, buffer: &mut Vec<u8>, part: usize) -> std::io::Result<bool> {
    let wanted = buffer.len() + part;
    // Whether the file ends here shows only where more would have fitted.
    buffer.reserve(part + 1);
    let taken = reader.by_ref().take(part as u64).read_to_end(buffer)?;
    Ok(taken == 0 || buffer.len() < wanted)
}

/// A plan, and its plain rows.
struct Reading<'a> {
    plan: &'a Plan,
    plain: Option<&'a Plain>,
}

/// Makes room for about so many rows.
type New<'a, S> = &'a (dyn Fn(usize) -> S + Sync);

struct Part<S> {
    sink: S,
    used: usize,
    lines: u64,
    /// A quote stood where it does not belong.
    odd: bool,
}

/// Parses what is whole of the bytes, on all cores where that pays; how many bytes that were.
fn take<S: Sink + Send>(
    bytes: &[u8],
    last: bool,
    reading: &Reading<'_>,
    new: New<'_, S>,
    rows: &mut Rows,
    (in_order, lines): (&mut bool, &mut u64),
) -> usize {
    let plan = reading.plan;
    if !*in_order && bytes.len() >= WORTH_SPLITTING && rayon::current_num_threads() > 1 {
        // The bytes are split at record ends, as the number of quotes before them tells. Where a quote stands at an odd
        // place that number tells nothing, and the file goes on in order.
        let pieces = pieces(bytes, plan.dialect, rayon::current_num_threads() * 2);
        let parsed: Vec<Part<S>> = pieces
            .par_iter()
            .enumerate()
            .map(|(i, piece)| parse(&bytes[piece.clone()], last && i + 1 == pieces.len(), reading, new))
            .collect();
        let whole = parsed.iter().zip(&pieces).rev().skip(1).all(|(part, piece)| part.used == piece.len());
        *in_order = !whole || (plan.dialect.quotes && parsed.iter().any(|p| p.odd));
        if !*in_order {
            let used = parsed.last().zip(pieces.last()).map_or(0, |(part, piece)| piece.start + part.used);
            let parts = parsed.into_iter().map(|part| {
                let before = *lines;
                *lines += part.lines;
                (part.sink, before)
            });
            S::append(parts.collect(), rows, &plan.layout);
            return used;
        }
    }
    let part = parse(bytes, last, reading, new);
    S::append(vec![(part.sink, *lines)], rows, &plan.layout);
    *lines += part.lines;
    part.used
}

fn pieces(bytes: &[u8], dialect: Dialect, wanted: usize) -> Vec<std::ops::Range<usize>> {
    let size = bytes.len() / wanted.max(1) + 1;
    let mut pieces = Vec::with_capacity(wanted);
    let (mut start, mut quoted, mut counted) = (0, false, 0);
    for i in 1..wanted {
        let near = (i * size).min(bytes.len());
        if near <= start {
            continue;
        }
        if dialect.quotes {
            quoted ^= memchr::memchr_iter(b'"', &bytes[counted..near]).count() % 2 == 1;
            counted = near;
        }
        let Some(end) = record_end(bytes, near, quoted, dialect) else { break };
        if dialect.quotes {
            quoted = false;
            counted = end;
        }
        pieces.push(start..end);
        start = end;
    }
    pieces.push(start..bytes.len());
    pieces
}

/// The first record start after `at`, where `quoted` tells whether `at` lies inside a quoted cell.
fn record_end(bytes: &[u8], mut at: usize, mut quoted: bool, dialect: Dialect) -> Option<usize> {
    loop {
        let rest = bytes.get(at..)?;
        if quoted {
            at += memchr::memchr(b'"', rest)? + 1;
            quoted = false;
        } else if dialect.quotes {
            let found = memchr::memchr2(b'"', b'\n', rest)?;
            if rest[found] == b'\n' {
                return Some(at + found + 1);
            }
            quoted = true;
            at += found + 1;
        } else {
            return Some(at + memchr::memchr(b'\n', rest)? + 1);
        }
    }
}

/// Parses whole records; what is left of the last one is not used, unless `last` says that nothing follows.
fn parse<S: Sink>(bytes: &[u8], last: bool, reading: &Reading<'_>, new: New<'_, S>) -> Part<S> {
    let Reading { plan, plain } = *reading;
    let fields = &plan.layout.fields;
    let first_line = memchr::memchr(b'\n', bytes).map_or(bytes.len(), |n| n + 1);
    let mut sink = new((bytes.len() / first_line.max(1)).min(bytes.len() / 16));
    let mut record = Record::default();
    let (mut at, mut line, mut odd) = (0, 0_u64, false);
    let text_of = Texts { utf8: valid_start(bytes), bytes };
    while at < bytes.len() {
        let first_line = line + 1;
        if let Some(plain) = plain {
            if let Some(next) = plain.row(text_of.utf8, at, &mut sink) {
                sink.end_row(first_line, false);
                line += 1;
                at = next;
                continue;
            }
            sink.undo_row();
        }
        let segment = sink.irregular();
        let next = match record.split(bytes, at, last, plan.dialect) {
            End::At(next) => next,
            End::Cut if !last => break,
            End::Cut => {
                segment.odd.push(
                    Odd::new("bad-row", "a quote opened here is never closed; the line was left out").at(first_line),
                );
                at = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |n| at + n + 1);
                line += 1;
                continue;
            }
        };
        odd |= record.odd;
        if record.is_blank() || is_footer(&record, bytes, fields.len()) {
            at = next;
            line += 1;
            continue;
        }
        let cells = &record.cells;
        let surplus_is_empty = || cells.iter().skip(fields.len()).all(|c| c.start == c.end);
        if cells.len() < fields.len() || (cells.len() > fields.len() && !surplus_is_empty()) {
            let message = format!("a row of {} cells where {} belong; left out", cells.len(), fields.len());
            segment.odd.push(Odd::new("bad-row", message).at(first_line));
            // A stray quote makes one record of many lines: only its first line is lost.
            let end_of_line = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |n| at + n + 1);
            at = if record.breaks > 0 { end_of_line } else { next };
            odd |= record.breaks > 0;
            line += 1;
            continue;
        }
        for (i, cell) in cells.iter().enumerate().take(fields.len()) {
            let text = text_of.get(cell.start, cell.end, &mut segment.odd, first_line);
            if plan.spelling.escapes {
                match unescape(&text) {
                    Some(text) => segment.push(i, fields, &text, true, first_line, &plan.spelling),
                    None => segment.push(i, fields, "", false, first_line, &plan.spelling),
                }
            } else if cell.doubled {
                segment.push(i, fields, &text.replace("\"\"", "\""), true, first_line, &plan.spelling);
            } else {
                segment.push(i, fields, &text, cell.quoted, first_line, &plan.spelling);
            }
        }
        sink.end_row(first_line, true);
        line += 1 + record.breaks;
        at = next;
    }
    Part { sink, used: at, lines: line, odd }
}

/// `(8 rows)` under psql's output.
fn is_footer(record: &Record, bytes: &[u8], fields: usize) -> bool {
    let [only] = record.cells.as_slice() else { return false };
    fields > 1
        && !only.quoted
        && bytes
            .get(only.start..only.end)
            .is_some_and(|b| b.starts_with(b"(") && b.ends_with(b")") && b.get(1).is_some_and(u8::is_ascii_digit))
}

fn valid_start(bytes: &[u8]) -> &str {
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(e) => bytes.get(..e.valid_up_to()).and_then(|b| std::str::from_utf8(b).ok()).unwrap_or_default(),
    }
}

/// The texts of cells: UTF-8, or Windows-1252 where the bytes are not.
struct Texts<'a> {
    /// The bytes up to the first that is not UTF-8.
    utf8: &'a str,
    bytes: &'a [u8],
}

impl<'a> Texts<'a> {
    fn get(&self, start: usize, end: usize, odd: &mut Oddities, line: u64) -> Cow<'a, str> {
        if let Some(text) = self.utf8.get(start..end) {
            return Cow::Borrowed(text);
        }
        let bytes = self.bytes.get(start..end).unwrap_or_default();
        if let Ok(text) = std::str::from_utf8(bytes) {
            return Cow::Borrowed(text);
        }
        let (text, _) = WINDOWS_1252.decode_without_bom_handling(bytes);
        let message = "the file is not UTF-8; read as Windows-1252, so letters beyond ASCII may be wrong: export with \
                       client_encoding UTF8";
        odd.once(Odd::new("encoding", message).at(line));
        text
    }
}
