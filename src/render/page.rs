//! What templates see: the report with its tables cut to what a page shows, and the anchors that exist.

use crate::report::{Block, Cell, Report, Row, Section, Table};
use std::collections::{BTreeMap, BTreeSet};

/// Rows of a table that a page shows at once.
pub(super) const ROWS: usize = 50;

/// A report ready for a template.
#[derive(Debug)]
pub(super) struct Page {
    /// The report, each table cut to [`ROWS`].
    pub(super) report: Report,
    /// Every anchor of the page, without `#`.
    pub(super) anchors: BTreeSet<String>,
    /// Rows each table has in the report, by its id.
    pub(super) rows: BTreeMap<String, usize>,
    /// Why cells of a table say `n/a`, by its id: printed once under the table, counted from 1.
    pub(super) reasons: BTreeMap<String, Vec<String>>,
}

impl Page {
    /// Cuts the tables and collects the anchors.
    pub(super) fn of(report: &Report) -> Self {
        let mut page =
            Self { report: head(report), anchors: BTreeSet::new(), rows: BTreeMap::new(), reasons: BTreeMap::new() };
        page.report.sections = report
            .sections
            .iter()
            .map(|s| Section {
                id: s.id.clone(),
                title: s.title.clone(),
                filled: s.filled,
                count: s.count,
                blocks: page.cut(&s.blocks),
            })
            .collect();
        let names = report
            .sections
            .iter()
            .map(|s| anchor(&s.id))
            .chain(report.findings.iter().map(|f| anchor(&f.number)))
            .chain(report.evidence.iter().map(|e| anchor(&e.id)));
        page.anchors.extend(names);
        page
    }

    fn cut(&mut self, blocks: &[Block]) -> Vec<Block> {
        blocks
            .iter()
            .map(|block| match block {
                Block::Table(table) => Block::Table(self.cut_table(table)),
                Block::Details { summary, blocks } => {
                    Block::Details { summary: summary.clone(), blocks: self.cut(blocks) }
                }
                other => other.clone(),
            })
            .collect()
    }

    fn cut_table(&mut self, table: &Table) -> Table {
        self.anchors.insert(table_anchor(&table.id));
        self.rows.insert(table.id.clone(), table.rows.len());
        self.reasons.insert(table.id.clone(), reasons(table));
        let rows = table
            .rows
            .iter()
            .take(ROWS)
            .map(|row| Row { cells: row.cells.clone(), detail: self.cut(&row.detail) })
            .collect();
        Table {
            id: table.id.clone(),
            title: table.title.clone(),
            about: table.about.clone(),
            columns: table.columns.clone(),
            rows,
            rows_in_all: table.rows_in_all,
            totals: table.totals.clone(),
            empty: table.empty.clone(),
        }
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

/// Everything but the sections.
fn head(report: &Report) -> Report {
    Report {
        schema: report.schema,
        id: report.id.clone(),
        generator: report.generator.clone(),
        rules: report.rules.clone(),
        title: report.title.clone(),
        window: report.window.clone(),
        verdict: report.verdict.clone(),
        findings: report.findings.clone(),
        checks: report.checks.clone(),
        actions: report.actions.clone(),
        sections: Vec::new(),
        evidence: report.evidence.clone(),
    }
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
