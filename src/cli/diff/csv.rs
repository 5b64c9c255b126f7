//! `diff --format csv`: one file a view, quoted as RFC 4180 says.

use super::cell;
use super::choose::Rows;
use super::layout::Layout;
use super::reasons::reasons;
use crate::diff::{Class, DiffRow, ViewDiff};
use crate::snapshot::Value;
use rayon::prelude::*;
use std::io::Write;

/// Rows that one task formats.
const CHUNK: usize = 4096;

/// Writes a view: a header line, then its rows in their order.
pub(super) fn write(diff: &ViewDiff, rows: &Rows, out: &mut (impl Write + ?Sized)) -> std::io::Result<()> {
    let layout = Layout::of(diff);
    let mut line = Vec::new();
    header(diff, &layout, &mut line);
    out.write_all(&line)?;
    if rows.len() <= CHUNK {
        line.clear();
        (0..rows.len()).for_each(|at| row(diff, &layout, rows.at(at), &mut line));
        return out.write_all(&line);
    }
    let starts: Vec<usize> = (0..rows.len()).step_by(CHUNK).collect();
    for batch in starts.chunks(4 * rayon::current_num_threads()) {
        let texts: Vec<Vec<u8>> = batch
            .par_iter()
            .map(|start| {
                let end = (start + CHUNK).min(rows.len());
                let mut text = Vec::with_capacity(CHUNK * 512);
                (*start..end).for_each(|at| row(diff, &layout, rows.at(at), &mut text));
                text
            })
            .collect();
        for text in texts {
            out.write_all(&text)?;
        }
    }
    Ok(())
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

fn row(diff: &ViewDiff, layout: &Layout, index: usize, out: &mut Vec<u8>) {
    let row = diff.row(index);
    let columns = diff.view.columns;
    for c in layout.key.iter().chain(&layout.labels) {
        cell(value_of(row, *c), columns[*c].ty, out);
        out.push(b',');
    }
    let verdict = row.verdict();
    out.extend_from_slice(verdict.class.word().as_bytes());
    out.push(b',');
    if let Some(seconds) = verdict.covered_s {
        cell::float(out, seconds);
    }
    let mut explained = row.class() == Class::Ok;
    for &c in &layout.counters {
        let (before, after) = (row.value_before(c), row.value_after(c));
        out.push(b',');
        cell(before, columns[c].ty, out);
        out.push(b',');
        cell(after, columns[c].ty, out);
        let (delta, why) = row.delta(c);
        explained &= why.is_none();
        out.push(b',');
        if let Some(delta) = delta {
            cell::exact(out, delta);
        }
        out.push(b',');
        if let Some(rate) = delta.and_then(|d| crate::diff::rate::per_second(d, verdict.covered_s)) {
            cell::rate(out, rate);
        }
    }
    for &c in &layout.gauges {
        out.push(b',');
        cell(row.value_before(c), columns[c].ty, out);
        out.push(b',');
        cell(row.value_after(c), columns[c].ty, out);
        out.push(b',');
        if let Some(change) = row.change(c) {
            cell::change(out, change, columns[c].ty);
        }
    }
    out.push(b',');
    if !explained || row.notes().next().is_some() {
        let notes = reasons(row, layout);
        if !notes.is_empty() {
            quoted(&notes.join("; "), out);
        }
    }
    out.push(b'\n');
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
        quoted(&text, out);
    }
}

/// A text, quoted where it must be. A spreadsheet would run a text that starts like a formula: an apostrophe goes
/// before it.
fn quoted(text: &str, out: &mut Vec<u8>) {
    let formula = text.starts_with(['=', '+', '-', '@']);
    let quote = text.is_empty()
        || memchr::memchr3(b',', b'"', b'\n', text.as_bytes()).is_some()
        || text.contains('\r')
        || text.starts_with(' ')
        || text.ends_with(' ');
    if !quote {
        if formula {
            out.push(b'\'');
        }
        out.extend_from_slice(text.as_bytes());
        return;
    }
    out.push(b'"');
    if formula {
        out.push(b'\'');
    }
    for part in text.as_bytes().split_inclusive(|b| *b == b'"') {
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
