//! `diff --format csv`: one file a view, quoted as RFC 4180 says.

use super::cell;
use super::choose::Rows;
use super::kept::{At, Lines, Merged};
use super::layout::Layout;
use super::reasons::reasons;
use crate::diff::{Class, DiffRow, Lane, RowDiff, ViewDiff};
use crate::snapshot::{Data, Ints, Table, TextData, Value};
use rayon::prelude::*;
use std::io::Write;
use std::sync::Arc;

/// Rows that one task formats.
const TASK: usize = 2048;

/// Writes a view: a header line, then its rows in their order. While some rows are written, the next are formatted.
pub(super) fn write(diff: &ViewDiff, rows: &Rows, out: &mut (impl Write + ?Sized)) -> std::io::Result<()> {
    let layout = Layout::of(diff);
    let lanes = Lanes::of(diff, &layout);
    let lines = Lines::new(diff.view, &layout, &diff.rest);
    let merged = diff.rest.kept.as_ref().map(|kept| Merged::new(diff, kept));
    let count = merged.as_ref().map_or(rows.len(), Merged::len);
    let mut line = Vec::new();
    header(diff, &layout, &mut line);
    out.write_all(&line)?;
    let format = |start: usize, text: &mut Vec<u8>| {
        text.clear();
        let (mut lanes, mut covered) = (lanes.clone(), Covered::default());
        let mut given = |at, text: &mut _| row(diff, &layout, &mut lanes, at, &mut covered, text);
        let range = start..(start + TASK).min(count);
        match &merged {
            None => range.for_each(|at| given(rows.at(at), text)),
            Some(merged) => merged.each(range, |at| match at {
                At::Row(at) => given(at, text),
                At::Kept(record) => lines.write(record, text),
            }),
        }
    };
    if count <= TASK {
        format(0, &mut line);
        return out.write_all(&line);
    }
    let starts: Vec<usize> = (0..count).step_by(TASK).collect();
    let at_once = 4 * rayon::current_num_threads();
    let (mut done, mut next) = (Vec::new(), Vec::new());
    // One round more than there are batches: the last one only writes.
    for batch in starts.chunks(at_once).chain([&[][..]]) {
        next.resize_with(batch.len(), Vec::new);
        rayon::in_place_scope(|scope| {
            scope.spawn(|_| next.par_iter_mut().zip(batch).for_each(|(text, start)| format(*start, text)));
            done.iter().try_for_each(|text: &Vec<u8>| out.write_all(text))
        })?;
        std::mem::swap(&mut done, &mut next);
    }
    Ok(())
}

/// What all rows of a column share.
#[derive(Clone)]
struct Lanes<'a> {
    names: Vec<Name<'a>>,
    counters: Vec<Option<Lane<'a>>>,
    gauges: Vec<Option<Lane<'a>>>,
}

/// A column that names rows.
#[derive(Clone)]
enum Name<'a> {
    /// An OID or another whole number, as a counter is read.
    Number(Box<Lane<'a>>),
    /// Texts before and after.
    Text(&'a TextData, &'a TextData),
    /// Any other, by its position in the view.
    Other(usize),
}

impl<'a> Lanes<'a> {
    fn of(diff: &'a ViewDiff, layout: &Layout) -> Self {
        let lanes = |columns: &[usize]| columns.iter().map(|c| Lane::of(diff, *c)).collect();
        let texts = |table: &'a Option<Arc<Table>>, column: usize| match table.as_ref()?.columns.get(column)? {
            Some(Data::Text(texts)) => Some(texts),
            _ => None,
        };
        let name = |column: &usize| match (texts(&diff.before, *column), texts(&diff.after, *column)) {
            (Some(before), Some(after)) => Name::Text(before, after),
            _ => Lane::of(diff, *column).map_or(Name::Other(*column), |lane| Name::Number(Box::new(lane))),
        };
        Self {
            names: layout.key.iter().chain(&layout.labels).map(name).collect(),
            counters: lanes(&layout.counters),
            gauges: lanes(&layout.gauges),
        }
    }
}

fn header(diff: &ViewDiff, layout: &Layout, out: &mut Vec<u8>) {
    let name = |c: &usize| diff.view.columns[*c].name;
    let mut names: Vec<String> = layout.key.iter().chain(&layout.labels).map(|c| name(c).to_owned()).collect();
    names.extend(["class".to_owned(), "covered_s".to_owned()]);
    for c in &layout.counters {
        names.extend(["before", "after", "delta", "per_s"].map(|what| format!("{}_{what}", name(c))));
    }
    for c in &layout.gauges {
        names.extend(["before", "after", "change"].map(|what| format!("{}_{what}", name(c))));
    }
    names.push("notes".to_owned());
    out.extend_from_slice(names.join(",").as_bytes());
    out.push(b'\n');
}

/// The time that deltas cover, as text: mostly that of the row before.
#[derive(Default)]
struct Covered {
    seconds: Option<f64>,
    text: Vec<u8>,
}

impl Covered {
    fn write(&mut self, seconds: Option<f64>, out: &mut Vec<u8>) {
        if self.seconds != seconds {
            self.seconds = seconds;
            self.text.clear();
            if let Some(seconds) = seconds {
                cell::float(&mut self.text, seconds);
            }
        }
        out.extend_from_slice(&self.text);
    }
}

fn row(
    diff: &ViewDiff,
    layout: &Layout,
    lanes: &mut Lanes<'_>,
    index: usize,
    covered: &mut Covered,
    out: &mut Vec<u8>,
) {
    let row = diff.row(index);
    let pair = diff.rows[index];
    let columns = diff.view.columns;
    let gone = pair.after == RowDiff::NONE;
    for name in &mut lanes.names {
        match name {
            Name::Number(lane) => {
                let (before, after) = lane.cells(pair);
                known(if gone { before } else { after }, out);
            }
            Name::Text(before, after) => {
                let text = if gone { before.get(pair.before as usize) } else { after.get(pair.after as usize) };
                if let Some(text) = text {
                    quoted(text, out);
                }
            }
            Name::Other(column) => cell(value_of(row, *column), columns[*column].ty, out),
        }
        out.push(b',');
    }
    let verdict = row.verdict();
    out.extend_from_slice(verdict.class.word().as_bytes());
    out.push(b',');
    covered.write(verdict.covered_s, out);
    let mut explained = row.class() == Class::Ok;
    for (&c, lane) in layout.counters.iter().zip(&mut lanes.counters) {
        out.push(b',');
        if let Some(lane) = lane {
            let cells = lane.cells(pair);
            let delta = Lane::difference(verdict, cells);
            known(cells.0, out);
            out.push(b',');
            known(cells.1, out);
            out.push(b',');
            if let Some(delta) = delta {
                cell::natural(out, delta);
                out.push(b',');
                if let Some(rate) = crate::diff::rate::over(delta as f64, verdict.covered_s) {
                    cell::rate(out, rate);
                }
                continue;
            }
        } else {
            cell(row.value_before(c), columns[c].ty, out);
            out.push(b',');
            cell(row.value_after(c), columns[c].ty, out);
            out.push(b',');
        }
        let (delta, why) = row.delta(c);
        explained &= why.is_none();
        if let Some(delta) = delta {
            cell::exact(out, delta);
        }
        out.push(b',');
        if let Some(rate) = delta.and_then(|d| crate::diff::rate::per_second(d, verdict.covered_s)) {
            cell::rate(out, rate);
        }
    }
    for (&c, lane) in layout.gauges.iter().zip(&mut lanes.gauges) {
        out.push(b',');
        if let Some(lane) = lane {
            let (before, after) = lane.cells(pair);
            known(before, out);
            out.push(b',');
            known(after, out);
            out.push(b',');
            if let Some(change) = Lane::change((before, after)) {
                cell::whole(out, change);
                continue;
            }
        } else {
            cell(row.value_before(c), columns[c].ty, out);
            out.push(b',');
            cell(row.value_after(c), columns[c].ty, out);
            out.push(b',');
        }
        if let Some(change) = row.change(c) {
            cell::change(out, change, columns[c].ty);
        }
    }
    out.push(b',');
    if !explained || row.notes().next().is_some() {
        let notes = reasons(row, layout);
        if !notes.is_empty() {
            quoted(notes.join("; "), out);
        }
    }
    out.push(b'\n');
}

/// A whole number; NULL is empty.
#[inline]
fn known(n: i64, out: &mut Vec<u8>) {
    if n != Ints::NULL {
        cell::whole(out, n);
    }
}

/// The cell that names a row: after, or before where it is gone.
pub(super) fn value_of(row: DiffRow<'_>, column: usize) -> Value<'_> {
    if row.after().is_some() { row.value_after(column) } else { row.value_before(column) }
}

/// A cell; NULL is empty, the empty text `""`.
fn cell(value: Value<'_>, ty: crate::catalog::Type, out: &mut Vec<u8>) {
    if let Value::Bool(b) = value {
        out.push(if b { b't' } else { b'f' });
    } else if !cell::number(out, value, ty)
        && let Some(text) = cell::text(value, ty)
    {
        quoted(&*text, out);
    }
}

/// A text, quoted where it must be. A spreadsheet would run a text that starts like a formula: an apostrophe goes
/// before it.
pub(in crate::cli) fn quoted(text: impl AsRef<[u8]>, out: &mut Vec<u8>) {
    let bytes = text.as_ref();
    let formula = matches!(bytes.first(), Some(b'=' | b'+' | b'-' | b'@'));
    let quote = matches!((bytes.first(), bytes.last()), (None | Some(b' '), _) | (_, Some(b' ')))
        || bytes.iter().fold(false, |quote, b| quote | matches!(b, b',' | b'"' | b'\n' | b'\r'));
    if !quote {
        if formula {
            out.push(b'\'');
        }
        out.extend_from_slice(bytes);
        return;
    }
    out.push(b'"');
    if formula {
        out.push(b'\'');
    }
    for part in bytes.split_inclusive(|b| *b == b'"') {
        out.extend_from_slice(part);
        if part.ends_with(b"\"") {
            out.push(b'"');
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_quoted_and_formulas_defused() {
        for (text, want) in [
            ("orders", "orders"),
            ("", "\"\""),
            ("a,b", "\"a,b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("two\nlines", "\"two\nlines\""),
            ("=1+2", "'=1+2"),
            ("@sum,1", "\"'@sum,1\""),
            ("-- comment", "'-- comment"),
            (" blank", "\" blank\""),
        ] {
            let mut out = Vec::new();
            quoted(text, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), want);
        }
    }
}
