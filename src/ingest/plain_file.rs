//! A CSV file as `COPY` writes it, whose rows may be read by others than the general reader.

use super::delimited::{self, Plan};
use super::file::Parsed;
use super::gather::Member;
use super::head::{self, Kind};
use super::notes::Oddities;
use super::readers::{self, Start};
use super::source::Stream;
use super::spelling::{Numbers, Spelling};
use crate::catalog::View;
use crate::snapshot::Table;

/// How a file of one view is written.
pub(super) struct PlainFile {
    pub view: &'static View,
    pub plan: Plan,
    /// What is odd about its header.
    odd: Oddities,
}

impl PlainFile {
    /// Of a file that holds a view, with its header; `None` where it is not written the plain way: another delimiter,
    /// spelling or encoding, lines before the header or none.
    pub fn of(file: &Member, view: &'static View) -> Option<(Self, Vec<u8>)> {
        let stream = Stream::open(&file.input, file.named.packing).ok()?;
        let start = Start { head: &stream.head, whole: stream.whole, named: &file.named };
        if stream.encoding.is_some() || !readers::of(&start).is_ok_and(|reader| reader.endings.contains(&"csv")) {
            return None;
        }
        let mut odd = Oddities::default();
        let Kind::Delimited(plan) = head::look(&start, None, &mut odd) else { return None };
        let line = stream.head.get(..plan.skip)?;
        if plan.lines != 1 || plan.dialect.delimiter != b',' || !plan.dialect.quotes || line.ends_with(b"\r\n") {
            return None;
        }
        let plain = Spelling { zone: plan.spelling.zone, dates: plan.spelling.dates, ..Spelling::PLAIN };
        if plan.spelling != plain || plan.spelling.numbers != Numbers::Plain {
            return None;
        }
        let header = line.to_vec();
        Some((Self { view, plan: *plan, odd }, header))
    }

    /// Some of its rows as a table.
    pub fn tables(&self, rows: &[u8]) -> Vec<Table> {
        let rows = delimited::rows(rows, &self.plan);
        let mut tables = rows.into_tables(&self.plan.layout, &self.view.name.into(), None);
        tables.retain(|t| t.view.is_some_and(|v| v.name == self.view.name));
        tables
    }

    /// The file as if it held these rows and `count` were their number.
    pub fn parsed(&self, rows: &[u8], count: u64) -> Parsed {
        let layout = &self.plan.layout;
        let exported = layout.view.map(|v| (v, layout.fields.iter().map(|f| f.name.clone()).collect()));
        Parsed {
            tables: self.tables(rows),
            exported: exported.into_iter().collect(),
            odd: self.odd.clone(),
            views: vec![layout.exported_as.clone()],
            rows: count,
            offsetless: 0,
        }
    }
}
