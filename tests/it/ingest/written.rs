//! Files of statements with all that CSV allows, and what must be read from them.

use pgretro::ingest::{Options, read};
use pgretro::snapshot::{Snapshot, Table, Value};
use pgretro::time::Timestamp;

pub const COLUMNS: [&str; 9] =
    ["userid", "dbid", "queryid", "toplevel", "query", "calls", "total_exec_time", "wal_bytes", "stats_since"];

/// What a row of the file must become.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    pub queryid: i64,
    pub toplevel: Option<bool>,
    pub query: Option<String>,
    pub calls: Option<i64>,
    pub time: Option<f64>,
    pub wal: Option<i128>,
    pub since: Option<i64>,
}

/// A line or more of the file.
#[derive(Clone, Debug)]
pub enum Piece {
    Good(Statement, u8),
    /// A cell that is no number: NULL, and a note.
    BadCell(Statement),
    /// Too few cells, or too many: left out, and a note.
    BadRow(u8),
    /// An empty line, which says nothing.
    Blank,
}

/// How the file is written.
#[derive(Clone, Copy, Debug)]
pub struct Dress {
    pub delimiter: char,
    pub end: &'static str,
    pub last_newline: bool,
    pub bom: bool,
    /// Quotes stand bare inside cells that need none, as programs write them that know no CSV.
    pub bare: bool,
}

/// The file, and what must be read from it.
#[derive(Debug, Default)]
pub struct Made {
    pub text: String,
    pub rows: Vec<(Statement, u64)>,
    pub bad_cells: Vec<u64>,
    pub bad_rows: Vec<u64>,
}

/// As COPY writes it: quoted only where needed.
fn cell(text: &str, delimiter: char, bare: bool) -> String {
    let quote = if bare { text.starts_with('"') } else { text.contains('"') };
    if quote || text.is_empty() || text.contains([delimiter, '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

/// A whole number in one of the ways that mean the same.
fn whole(n: i64, style: u8) -> String {
    match style {
        1 if n >= 0 => format!("+{n}"),
        2 if n >= 0 => format!("000{n}"),
        3 => format!(" {n} "),
        4 => format!("\"{n}\""),
        _ => n.to_string(),
    }
}

impl Dress {
    fn row(self, s: &Statement, calls: &str) -> String {
        let optional = |text: Option<String>| text.unwrap_or_default();
        let cells = [
            "10".to_owned(),
            "5".to_owned(),
            s.queryid.to_string(),
            optional(s.toplevel.map(|b| if b { "t" } else { "f" }.to_owned())),
            optional(s.query.as_ref().map(|q| cell(q, self.delimiter, self.bare))),
            calls.to_owned(),
            optional(s.time.map(|x| x.to_string())),
            optional(s.wal.map(|n| n.to_string())),
            optional(s.since.map(|t| Timestamp(t).to_string())),
        ];
        cells.join(&self.delimiter.to_string())
    }

    /// Writes the pieces over and over, each time with other query ids, until the file has `bytes`.
    pub fn write(self, pieces: &[Piece], bytes: usize) -> Made {
        let end = self.end;
        let mut made = Made::default();
        if self.bom {
            made.text.push('\u{feff}');
        }
        made.text += &COLUMNS.join(&self.delimiter.to_string());
        made.text += end;
        let (mut line, mut id) = (2, 0_i64);
        while made.text.len() < bytes || made.rows.is_empty() {
            for piece in pieces {
                let own = |s: &Statement| Statement { queryid: s.queryid.wrapping_add(id) >> 1, ..s.clone() };
                let written = match piece {
                    Piece::Good(s, style) => {
                        let s = own(s);
                        let calls = s.calls.map_or_else(String::new, |n| whole(n, *style));
                        let text = self.row(&s, &calls);
                        made.rows.push((s, line));
                        text
                    }
                    Piece::BadCell(s) => {
                        let s = Statement { calls: None, ..own(s) };
                        let text = self.row(&s, "12x");
                        made.rows.push((s, line));
                        made.bad_cells.push(line);
                        text
                    }
                    Piece::BadRow(n) => {
                        made.bad_rows.push(line);
                        vec!["7"; if *n < 7 { usize::from(*n) + 2 } else { usize::from(*n) + 3 }]
                            .join(&self.delimiter.to_string())
                    }
                    Piece::Blank => String::new(),
                };
                line += 1 + written.matches('\n').count() as u64;
                made.text += &written;
                made.text += end;
                id = id.wrapping_add(0x0010_0000_0000_0003);
            }
        }
        if !self.last_newline {
            made.text.truncate(made.text.len() - end.len());
        }
        made
    }
}

pub fn file(name: &str, bytes: &[u8]) -> Snapshot {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join(name), bytes).expect("a file");
    let mut all = read(&[folder.path().to_path_buf()], &Options::default()).expect("a snapshot");
    assert_eq!(all.len(), 1);
    all.remove(0)
}

pub fn statements(table: &Table) -> Vec<(Statement, u64)> {
    table
        .iter()
        .map(|row| {
            assert_eq!((row.int("userid"), row.int("dbid")), (Some(10), Some(5)));
            let place = row.place().expect("a place").1;
            let line = place.strip_prefix("line ").and_then(|n| n.parse().ok()).expect("a line");
            let statement = Statement {
                queryid: row.int("queryid").expect("a query id"),
                toplevel: row.bool("toplevel"),
                query: row.text("query").map(str::to_owned),
                calls: row.int("calls"),
                time: row.f64("total_exec_time"),
                wal: match row.get("wal_bytes") {
                    Value::Numeric(n) => Some(n),
                    _ => None,
                },
                since: row.time("stats_since").map(|t| t.0),
            };
            (statement, line)
        })
        .collect()
}
