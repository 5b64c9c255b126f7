//! What a page knows about itself: the anchors that exist, the tables it cuts.

use super::words;
use crate::report::{Block, Bound, Cell, Column, FILE, Report, Table};
use crate::text::Span;
use crate::time::Timestamp;
use crate::unit::{Quantity, Unit};
use std::collections::{BTreeMap, BTreeSet};

/// Rows of a table that a page shows at once.
pub(super) const ROWS: usize = 50;

/// Objects of a finding that are printed with it.
const LISTED: usize = 10;
/// Tables with more rows than this have a filter.
pub(super) const FILTERED: usize = 15;

/// What links and tables of a page are looked up in.
#[derive(Debug, Default)]
pub(super) struct Page {
    /// Every anchor of the page, without `#`.
    pub(super) anchors: BTreeSet<String>,
    /// Rows each table has in the report, by its id.
    pub(super) rows: BTreeMap<String, usize>,
    /// Rows of each table that have something to unfold, by its id.
    pub(super) details: BTreeMap<String, usize>,
    /// Why cells of a table say `n/a`, by its id: printed once under the table, counted from 1.
    pub(super) reasons: BTreeMap<String, Vec<String>>,
    /// The day of the last capture, as people read it: times of that day are short in the cells of tables.
    pub(super) day: Option<String>,
    /// When the first and the last snapshot were captured, as the ends of an axis.
    pub(super) ends: Option<(String, String)>,
    /// The table that has most of the objects of a finding with a link to it, by its number.
    pub(super) lists: BTreeMap<String, List>,
    /// The folder of all files that were read, with the separator at its end: said once.
    pub(super) folder: String,
}

/// Where all objects of a finding are listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct List {
    /// The anchor of the table.
    pub(super) anchor: String,
    /// Its title.
    pub(super) title: String,
    /// What its filter takes to show them.
    pub(super) filter: String,
}

impl Page {
    /// Collects the anchors and the tables.
    pub(super) fn of(report: &Report) -> Self {
        let ends = report.window.from.zip(report.window.to).map(|(from, to)| from.human_ends(to));
        let mut files: Vec<&str> = Vec::new();
        for table in tables(report) {
            paths(table, &mut files);
        }
        files.extend(report.evidence.iter().flat_map(|e| &e.evidence.locators).map(|l| l.file.as_str()));
        let folder = crate::text::folder(files.into_iter()).to_owned();
        let mut page = Self { folder, day: report.window.to.map(Timestamp::human_date), ends, ..Self::default() };
        for section in &report.sections {
            page.note(&section.blocks);
        }
        let names = report
            .sections
            .iter()
            .map(|s| anchor(&s.id))
            .chain(report.findings.iter().map(|f| anchor(&f.number)))
            .chain(report.evidence.iter().map(|e| anchor(&e.id)));
        page.anchors.extend(names);
        page.lists = lists(report);
        page
    }

    fn note(&mut self, blocks: &[Block]) {
        for block in blocks {
            match block {
                Block::Table(table) => {
                    self.anchors.insert(table_anchor(&table.id));
                    self.rows.insert(table.id.clone(), table.rows.len());
                    let unfolds = table.rows.iter().filter(|row| !row.detail.is_empty()).count();
                    self.details.insert(table.id.clone(), unfolds);
                    self.reasons.insert(table.id.clone(), reasons(table));
                    for row in table.rows.iter().take(ROWS) {
                        self.note(&row.detail);
                    }
                }
                Block::Details { blocks, .. } => self.note(blocks),
                _ => {}
            }
        }
    }

    /// A number as the cells of a table show it: a time on the day of the last capture without its date.
    pub(super) fn shown(&self, value: Quantity, bound: Option<Bound>) -> String {
        let shown = words::bounded(value, bound);
        match &self.day {
            Some(day) if value.unit == Unit::Time => {
                shown.strip_prefix(day.as_str()).map_or_else(|| shown.clone(), |time| time.trim_start().to_owned())
            }
            _ => shown,
        }
    }

    /// A path without the folder that is said once.
    pub(super) fn inside<'p>(&self, path: &'p str) -> &'p str {
        path.strip_prefix(self.folder.as_str()).unwrap_or(path)
    }

    /// The number of a reason under its table.
    pub(super) fn reason(&self, table: &str, reason: &str) -> Option<usize> {
        self.reasons.get(table)?.iter().position(|r| r == reason).map(|i| i + 1)
    }

    /// The anchor a link goes to, if it exists: of a section, finding, evidence or table.
    pub(super) fn target(&self, to: &str) -> Option<String> {
        let direct = anchor(to);
        if self.anchors.contains(&direct) {
            return Some(direct);
        }
        let table = table_anchor(to);
        self.anchors.contains(&table).then_some(table)
    }
}

/// Whether the cells of a column are files that were read.
pub(super) fn has_files(column: &Column) -> bool {
    column.label == FILE
}

/// The tables of all sections, folded ones too; not those that rows unfold to.
pub(super) fn tables(report: &Report) -> Vec<&Table> {
    fn of<'r>(blocks: &'r [Block], out: &mut Vec<&'r Table>) {
        for block in blocks {
            match block {
                Block::Table(table) => out.push(table),
                Block::Details { blocks, .. } => of(blocks, out),
                _ => {}
            }
        }
    }
    let mut out = Vec::new();
    report.sections.iter().for_each(|section| of(&section.blocks, &mut out));
    out
}

/// For each finding the table with the most rows that link to it from one column, if it has a filter and more rows than
/// the finding prints.
fn lists(report: &Report) -> BTreeMap<String, List> {
    let mut most: BTreeMap<&str, (usize, List)> = BTreeMap::new();
    for table in tables(report).into_iter().filter(|t| t.rows.len() > FILTERED) {
        for (at, column) in table.columns.iter().enumerate() {
            let mut times: BTreeMap<&str, usize> = BTreeMap::new();
            for cell in table.rows.iter().filter_map(|row| row.cells.get(at)) {
                let Cell::Text(text) = cell else { continue };
                for span in &text.0 {
                    if let Span::Link { text, .. } = span {
                        *times.entry(text).or_default() += 1;
                    }
                }
            }
            for (number, n) in times {
                if n > LISTED && most.get(number).is_none_or(|(known, _)| n > *known) {
                    let name = column.label.to_lowercase().replace(' ', "");
                    let filter = format!("{name}={}", number.to_lowercase());
                    let list = List { anchor: table_anchor(&table.id), title: table.title.clone(), filter };
                    most.insert(number, (n, list));
                }
            }
        }
    }
    let numbers = report.findings.iter().map(|f| f.number.as_str());
    numbers.filter_map(|number| Some((number.to_owned(), most.remove(number)?.1))).collect()
}

/// The files that stand in a table.
fn paths<'r>(table: &'r Table, out: &mut Vec<&'r str>) {
    for (i, _) in table.columns.iter().enumerate().filter(|(_, column)| has_files(column)) {
        out.extend(table.rows.iter().filter_map(|row| row.cells.get(i)?.as_name()));
    }
}

/// The reasons that cells of a table give for `n/a`, in the order met. Beyond nine they stay in their cells.
fn reasons(table: &Table) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for cell in table.rows.iter().flat_map(|row| &row.cells).chain(&table.totals) {
        if let Cell::NotAvailable(reason) = cell
            && !reason.is_empty()
            && out.len() < 9
            && !out.contains(reason)
        {
            out.push(reason.clone());
        }
    }
    out
}

/// An anchor of a name: lowercase, and nothing in it that a link or an attribute could stumble over.
pub(super) fn anchor(name: &str) -> String {
    name.chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c.to_ascii_lowercase() } else { '-' })
        .collect()
}

/// The anchor of a table: apart from those of sections, which may have the same name.
pub(super) fn table_anchor(id: &str) -> String {
    format!("t-{}", anchor(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_list_leads_to_the_table_that_has_all_of_it() {
        let mut report: Report = serde_json::from_str(include_str!("../../fixtures/report/golden.json")).unwrap();
        let number = report.findings[0].number.clone();
        let mut listed = |n: usize| {
            let blocks = report.sections.iter_mut().flat_map(|s| &mut s.blocks);
            let mut tables = blocks.filter_map(|b| if let Block::Table(table) = b { Some(table) } else { None });
            let table = tables.find(|t| !t.rows.is_empty()).unwrap();
            table.rows = table.rows.iter().cycle().take(FILTERED + 1).cloned().collect();
            for row in table.rows.iter_mut().take(n) {
                row.cells[1] = Cell::Text(crate::text::Text::new().link(number.to_lowercase(), number.clone()));
            }
            let label = table.columns[1].label.to_lowercase().replace(' ', "");
            (table_anchor(&table.id), format!("{label}={}", number.to_lowercase()), Page::of(&report).lists)
        };
        assert_eq!(listed(LISTED).2.get(&number), None, "all of them are printed");
        let (anchor, filter, lists) = listed(LISTED + 1);
        let list = lists.get(&number).unwrap();
        assert_eq!((&list.anchor, &list.filter), (&anchor, &filter));
    }
}
