//! How a delimited file is to be read, told from its first bytes.

use super::delimited::Plan;
use super::header::{Layout, Role, is_header, view_of, without_header};
use super::name::Named;
use super::notes::{Odd, Oddities, clip};
use super::readers::Start;
use super::records::{Cell, Dialect, End, Record};
use super::segment::unescape;
use super::spelling::{Evidence, Spelling};
use crate::catalog::Type;
use chrono_tz::Tz;
use std::borrow::Cow;

/// Records looked at to tell how a file writes its cells.
const SAMPLE: usize = 200;

/// What a delimited file is.
pub(super) enum Kind {
    /// Nothing in it.
    Empty,
    Delimited(Box<Plan>),
    /// Something else; the words complete "the file ...".
    NotRead(String),
}

/// Why a file is no delimited text; the words complete "the file ...".
pub(super) fn refusal(start: &Start<'_>) -> Option<String> {
    if !start.is_text() {
        return Some("holds no text".to_owned());
    }
    if start.named.is_json() {
        return Some("is called JSON and does not begin like it".to_owned());
    }
    let what = other_form(start.head)?;
    Some(format!(
        "looks like {what}, which is not read; export it as CSV: \\copy (select * from ...) to 'file' csv header"
    ))
}

/// Other forms that psql and pg_dump print.
fn other_form(head: &[u8]) -> Option<&'static str> {
    let text = String::from_utf8_lossy(&head[..head.len().min(8192)]);
    let mut lines = text.lines().filter(|l| !l.trim().is_empty());
    let first = lines.next()?.trim();
    let second = lines.next().unwrap_or("").trim();
    let is_rule =
        |l: &str| l.len() > 2 && l.chars().all(|c| matches!(c, '-' | '+' | ' ' | '─' | '┼' | '|' | '├' | '┤'));
    if first.starts_with("<?xml") || (first.starts_with('<') && text.contains("xmlns")) {
        return Some("XML");
    }
    if first.starts_with('<') {
        return Some("HTML");
    }
    if first.starts_with("-[ RECORD") || first.starts_with("─[ RECORD") || first.starts_with("* Record") {
        return Some("psql's expanded output");
    }
    if first.starts_with('┌') || first.starts_with("+-") || is_rule(second) {
        return Some("psql's aligned output");
    }
    if text.contains("PostgreSQL database dump") || text.starts_with("COPY ") || text.starts_with("INSERT INTO ") {
        return Some("a dump by pg_dump");
    }
    if first.contains("=# ") || first.contains("=> ") {
        return Some("a pasted psql session");
    }
    let pair = |l: &str| l.split_once('|').filter(|(_, v)| !v.contains('|')).map(|(n, _)| n.to_owned());
    match (pair(first), pair(second)) {
        (Some(a), Some(b)) if a != b && is_header(&[&a, &b], None) => Some("psql's expanded output"),
        _ => None,
    }
}

/// Tells how a delimited file is to be read, and notes what is odd about its header.
pub(super) fn look(start: &Start<'_>, zone: Option<Tz>, odd: &mut Oddities) -> Kind {
    let Start { head, whole, named } = *start;
    let mut skip = 0;
    let mut lines = 0;
    let mut only = None;
    // Spreadsheets say the separator in a line of its own.
    if let Some(line) = first_line(head)
        && let Some(rest) = line.to_ascii_lowercase().strip_prefix("sep=")
        && rest.len() == 1
    {
        only = rest.bytes().next();
        skip = memchr::memchr(b'\n', head).map_or(head.len(), |n| n + 1);
        lines = 1;
    }
    while let Some(b'\n' | b'\r') = head.get(skip) {
        lines += u64::from(head[skip] == b'\n');
        skip += 1;
    }
    let body = &head[skip..];
    let candidates: Vec<u8> = only.map_or_else(|| vec![b',', b';', b'\t', b'|'], |d| vec![d]);
    let samples: Vec<Sample> = candidates.iter().filter_map(|d| Sample::take(body, whole, *d)).collect();
    let Some(sample) = samples.into_iter().max_by_key(|s| s.score(named)) else {
        return Kind::NotRead("has no line that can be split into columns".to_owned());
    };
    let first = &sample.first;
    if first.is_empty() {
        return Kind::Empty;
    }
    let names: Vec<&str> = first.iter().map(|c| c.trim()).collect();
    let named_view = named.view.map(|(v, _)| v);
    let mut layout;
    let has_header = is_header(&names, named_view);
    if has_header {
        let view = view_of(&names, named.view);
        if view.is_none() && names.len() < 2 {
            return Kind::NotRead("has one column that nobody knows".to_owned());
        }
        layout = match view {
            Some((view, name)) => Layout::new(Some(view), &name),
            None => Layout::new(None, named.view.map_or(named.tag.as_str(), |(_, name)| name)),
        };
        for name in &names {
            layout.add(name, odd);
        }
        skip += sample.first_end;
        lines += sample.first_lines;
    } else {
        let texts = first;
        let Some((view, name)) = named.view else {
            return Kind::NotRead(format!(
                "has no line of column names (it begins with {}), and its name says no view",
                clip(&texts.join(","))
            ));
        };
        let Some((names, versions)) = without_header(view, texts) else {
            return Kind::NotRead(format!(
                "has no line of column names, and no single version's {name} has {} columns: export it with a header",
                texts.len()
            ));
        };
        layout = Layout::new(Some(view), name);
        for name in &names {
            layout.add(name, odd);
        }
        odd.push(Odd::new(
            "no-header",
            format!("no line of column names; read by position as the {name} of PostgreSQL {versions}"),
        ));
    }
    let mut spelling = Spelling { escapes: sample.escapes, zone, ..Spelling::PLAIN };
    let rows = Rows { body, whole, dialect: sample.dialect, escapes: sample.escapes };
    conclude(&rows, usize::from(has_header), &layout, &mut spelling);
    let has_data = |l: &Layout| l.fields.iter().any(|f| matches!(f.role, Role::Known { .. }));
    if layout.view.is_none() && !has_data(&layout) {
        odd.push(Odd::new("unknown-view", "no view of any version has these columns; kept as text"));
    }
    Kind::Delimited(Box::new(Plan { dialect: sample.dialect, spelling, layout, skip, lines }))
}

fn first_line(head: &[u8]) -> Option<&str> {
    let end = memchr::memchr(b'\n', head).unwrap_or(head.len());
    std::str::from_utf8(&head[..end]).ok().map(str::trim)
}

fn conclude(rows: &Rows<'_>, skip: usize, layout: &Layout, spelling: &mut Spelling) {
    let mut evidence = Evidence::default();
    let (mut quoted, mut unquoted) = (0_u64, 0_u64);
    rows.each(|at, record| {
        if at < skip {
            return;
        }
        for (cell, field) in record.cells.iter().zip(&layout.fields) {
            *(if cell.quoted { &mut quoted } else { &mut unquoted }) += 1;
            match field.ty() {
                None | Some(Type::Text | Type::Array) => {}
                // A whole number shows nothing.
                Some(_) if rows.body[cell.start..cell.end].iter().all(u8::is_ascii_digit) => {}
                Some(ty) => {
                    evidence.see(rows.text(cell).trim(), cell.quoted, matches!(ty, Type::Int | Type::Numeric));
                }
            }
        }
    });
    evidence.conclude(rows.dialect.delimiter == b';', spelling);
    spelling.quotes_all = quoted > 0 && unquoted == 0;
}

/// The first records of a file, split in one way.
struct Rows<'a> {
    body: &'a [u8],
    whole: bool,
    dialect: Dialect,
    /// Whether COPY's backslash escapes are used.
    escapes: bool,
}

impl Rows<'_> {
    /// Shows each record that is no empty line, with its number; where the first one ends.
    fn each(&self, mut show: impl FnMut(usize, &Record)) -> usize {
        let mut record = Record::default();
        let (mut at, mut seen, mut first_end) = (0, 0, 0);
        while at < self.body.len() && seen < SAMPLE {
            let End::At(next) = record.split(self.body, at, self.whole, self.dialect) else { break };
            if !record.is_blank() {
                show(seen, &record);
                seen += 1;
            }
            if seen == 1 && first_end == 0 {
                first_end = next;
            }
            at = next;
        }
        first_end
    }

    fn text(&self, cell: &Cell) -> Cow<'_, str> {
        let text = String::from_utf8_lossy(&self.body[cell.start..cell.end]);
        let text = if cell.doubled { Cow::Owned(text.replace("\"\"", "\"")) } else { text };
        match self.escapes.then(|| unescape(&text).map(Cow::into_owned)) {
            Some(None) => Cow::Borrowed("\\N"),
            Some(Some(unescaped)) => Cow::Owned(unescaped),
            None => text,
        }
    }
}

/// What one separator makes of a file's first records.
struct Sample {
    dialect: Dialect,
    escapes: bool,
    /// The first record's cells.
    first: Vec<String>,
    /// Records as wide as the first.
    same: usize,
    /// Where the first record ends, and how many lines it has.
    first_end: usize,
    first_lines: u64,
}

impl Sample {
    fn take(body: &[u8], whole: bool, delimiter: u8) -> Option<Self> {
        let escapes = delimiter == b'\t' && has_escapes(body);
        let unaligned = delimiter == b'|' && !body.contains(&b'"');
        let dialect = Dialect { delimiter, quotes: !escapes && !unaligned };
        let rows = Rows { body, whole, dialect, escapes };
        let (mut first, mut same) = (Vec::new(), 0);
        let first_end = rows.each(|at, record| {
            if at == 0 {
                first = record.cells.iter().map(|c| rows.text(c).into_owned()).collect();
            }
            same += usize::from(record.cells.len() == first.len());
        });
        let first_lines = memchr::memchr_iter(b'\n', &body[..first_end]).count() as u64;
        (!first.is_empty()).then_some(Self { dialect, escapes, first, same, first_end, first_lines })
    }

    /// How well the separator fits: known column names first, then rows of one width, then width.
    fn score(&self, named: &Named) -> (usize, usize, usize) {
        let names: Vec<&str> = self.first.iter().map(|c| c.trim()).collect();
        let view = named.view.map(|(v, _)| v);
        let known = names.iter().filter(|n| !n.is_empty() && is_header(&[n, ""], view)).count();
        let known = if names.iter().any(|n| n.contains([',', ';', '\t', '|'])) { 0 } else { known };
        let same = if self.first.len() > 1 { self.same } else { 0 };
        (known, same, self.first.len())
    }
}

fn has_escapes(body: &[u8]) -> bool {
    let mut quoted = false;
    let mut escape = false;
    for (i, b) in body.iter().enumerate() {
        match b {
            b'"' if i == 0 || matches!(body[i - 1], b'\t' | b'\n') => quoted = true,
            b'\\' => escape |= matches!(body.get(i + 1), Some(b'N' | b'\\' | b't' | b'n' | b'r' | b'b' | b'f' | b'v')),
            _ => {}
        }
    }
    escape && (!quoted || memchr::memmem::find(body, b"\t\\N").is_some())
}
