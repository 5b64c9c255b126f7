//! What sections are written from, and the evidence they leave behind.

use super::cells::{counted_words, estimates_hold, is_of_unknown_size, links};
use super::register::Register;
use super::{Action, Block, Bound, Cell, CheckLine, CoverageState, History, Options, ReportFinding, Section};
use crate::advisor::{self, Advice, Facts, State, TableFact};
use crate::diff::{Chain, Change};
use crate::finding::{Doubt, Outcome};
use crate::snapshot::{Row, Table};
use crate::text::Text;
use crate::unit::{Quantity, Unit};
use std::collections::BTreeMap;

/// The inputs of every section.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    /// The snapshots and what changed along them.
    pub(super) chain: &'a Chain,
    /// Its objects followed; `None` for fewer than three snapshots.
    pub(super) history: Option<&'a History>,
    /// What the user decided.
    pub(super) options: &'a Options<'a>,
    /// What the advisor says.
    pub(super) advice: &'a Advice,
    /// Tables with their sizes, joined once.
    pub(super) facts: Facts<'a>,
    /// The findings in their order.
    pub(super) findings: Vec<ReportFinding>,
    /// The plan.
    pub(super) actions: Vec<Action>,
    /// What became of the checks.
    pub(super) checks: Vec<CheckLine>,
    /// Positions in `findings` by the name of their subject or member.
    by_object: BTreeMap<String, Vec<usize>>,
    /// The servers, the main one first; empty for one server.
    pub(super) servers: Vec<super::Server>,
    /// What became of the findings of an earlier report.
    pub(super) baseline: Option<super::Baseline>,
    /// The evidence so far.
    pub(super) register: Register,
    /// Where the register has the arithmetic of the score.
    pub(super) score_evidence: Option<String>,
    /// The sections written so far.
    pub(super) sections: Vec<Section>,
}

/// What a section's writer returns.
#[derive(Debug, Default)]
pub(super) struct Body {
    /// Whether there is data; else it says why not.
    pub(super) filled: bool,
    /// The number beside its name in the contents.
    pub(super) count: Option<u64>,
    /// Its blocks.
    pub(super) blocks: Vec<Block>,
}

impl Body {
    /// A section with data.
    pub(super) fn filled(blocks: Vec<Block>) -> Self {
        Self { filled: true, count: None, blocks }
    }

    /// A section that says why it has none.
    pub(super) fn absent(blocks: Vec<Block>) -> Self {
        Self { filled: false, count: None, blocks }
    }

    /// Adds the number shown in the contents.
    pub(super) fn count(mut self, count: usize) -> Self {
        self.count = Some(count as u64);
        self
    }
}

impl<'a> Draft<'a> {
    /// Nothing written yet.
    pub(super) fn new(
        chain: &'a Chain,
        history: Option<&'a History>,
        advice: &'a Advice,
        options: &'a Options<'a>,
    ) -> Self {
        Self {
            chain,
            history,
            options,
            advice,
            facts: Facts::new(chain),
            findings: Vec::new(),
            actions: Vec::new(),
            checks: Vec::new(),
            by_object: BTreeMap::new(),
            servers: Vec::new(),
            baseline: None,
            register: Register::default(),
            score_evidence: None,
            sections: Vec::new(),
        }
    }

    /// Takes the findings in.
    pub(super) fn set_findings(&mut self, findings: Vec<ReportFinding>) {
        self.by_object.clear();
        for (at, f) in findings.iter().enumerate() {
            for subject in std::iter::once(&f.finding.subject).chain(&f.finding.members) {
                let known = self.by_object.entry(subject.name.clone()).or_default();
                if known.last() != Some(&at) {
                    known.push(at);
                }
            }
        }
        self.findings = findings;
    }

    /// The findings about an object whose rule starts with one of these words.
    pub(super) fn findings_of(&self, object: &str, rules: &[&str]) -> impl Iterator<Item = &ReportFinding> {
        let rules: Vec<String> = rules.iter().map(|r| (*r).to_owned()).collect();
        self.by_object
            .get(object)
            .into_iter()
            .flatten()
            .filter_map(|at| self.findings.get(*at))
            .filter(move |f| rules.iter().any(|r| f.finding.rule.starts_with(r)))
    }

    /// Links to the findings about an object, `F-01 F-03`; `None` where there is none.
    pub(super) fn links_of(&self, object: &str, rules: &[&str]) -> Option<Text> {
        links(self.findings_of(object, rules).map(|f| f.number.as_str()))
    }

    /// Links to the findings of rules with these prefixes, whatever their object.
    pub(super) fn links_to(&self, rules: &[&str]) -> Option<Text> {
        let of = |f: &&ReportFinding| rules.iter().any(|r| f.finding.rule.starts_with(r));
        links(self.findings.iter().filter(of).map(|f| f.number.as_str()))
    }

    /// The major version of the last snapshot; the newest where it is not known.
    pub(super) fn major(&self) -> u8 {
        self.chain.last().meta.major().unwrap_or(crate::version::NEWEST)
    }

    /// Whether there is one snapshot only.
    pub(super) fn single(&self) -> bool {
        self.chain.is_single()
    }

    /// [`Draft::span`] as a title.
    pub(super) fn span_title(&self) -> &'static str {
        if self.single() { "Since the statistics began" } else { "In the window" }
    }

    /// What counters in tables count: "in the window" or "since the statistics began".
    pub(super) fn span(&self) -> &'static str {
        if self.single() { "since the statistics began" } else { "in the window" }
    }

    /// A state view from the last snapshot, or from the newest earlier one that has it.
    pub(super) fn state(&self, view: &str) -> Option<State<'a>> {
        advisor::state(self.chain, view)
    }

    /// A view of the first snapshot, for its gauges; `None` where there is one snapshot only.
    pub(super) fn first(&self, view: &str) -> Option<&'a Table> {
        if self.single() { None } else { self.chain.first().table(view).map(AsRef::as_ref) }
    }

    /// The row of `pg_stat_database` of the exporting session's database.
    pub(super) fn database(&self) -> Option<Change<'a>> {
        let meta = &self.chain.last().meta;
        self.chain.view("pg_stat_database")?.present().find(|c| {
            c.last().is_some_and(|r| match (meta.database_oid, meta.database.as_deref()) {
                (Some(oid), _) if r.int("datid").is_some() => r.int("datid") == Some(oid),
                (_, Some(name)) => r.text("datname") == Some(name),
                _ => false,
            })
        })
    }

    /// A setting's row.
    pub(super) fn setting(&self, name: &str) -> Option<Row<'a>> {
        self.state("pg_settings")?.table.iter().find(|r| r.text("name") == Some(name))
    }

    /// A setting that is a whole number.
    pub(super) fn setting_number(&self, name: &str) -> Option<i64> {
        self.setting(name)?.text("setting")?.parse().ok()
    }

    /// Dead rows of a table divided by its autovacuum trigger, and what they are a bound of: at least those counted since
    /// a reset, at most those since it was written anew.
    pub(super) fn pressure_of(&self, table: &TableFact<'a>) -> Option<(Quantity, Option<Bound>)> {
        let triggers = self.facts.triggers(table);
        let dead = self.facts.dead_rows(table, &triggers).filter(|_| !is_of_unknown_size(table))?;
        let bound = match () {
            () if dead.carried.is_some() => Some(Bound::AtMost),
            () if !dead.known || !estimates_hold(table) => Some(Bound::AtLeast),
            () => triggers.doubts.contains(&Doubt::C5).then_some(Bound::Estimate),
        };
        Some((Quantity::float(dead.pressure, Unit::Times)?, bound))
    }

    /// The same as a cell.
    pub(super) fn pressure(&self, table: &TableFact<'a>) -> Cell {
        match self.pressure_of(table) {
            Some((value, bound)) => Cell::Number { value, change: None, bound },
            None if is_of_unknown_size(table) => Cell::NotAvailable("its size is not in the dump".to_owned()),
            None => Cell::NotAvailable("dead rows not exported".to_owned()),
        }
    }

    /// Dead rows at which autovacuum vacuums a table.
    pub(super) fn trigger(&self, table: &TableFact<'a>) -> Cell {
        if is_of_unknown_size(table) {
            return Cell::NotAvailable("its size is not in the dump".to_owned());
        }
        let trigger = self.facts.triggers(table);
        let estimate = trigger.doubts.contains(&Doubt::C5).then_some(Bound::Estimate);
        Quantity::float(trigger.vacuum.ceil(), Unit::Rows).map_or(Cell::None, |value| Cell::Number {
            value,
            change: None,
            bound: estimate,
        })
    }

    /// A note where a state view is older than the last snapshot.
    pub(super) fn age_note(&mut self, view: &str) -> Option<Block> {
        let state = self.state(view)?;
        if state.snapshot + 1 == self.chain.snapshots.len() {
            return None;
        }
        let when = match state.at {
            Some(at) => Text::new().t(", taken ").n(Quantity::time(at)),
            None => Text::new(),
        };
        let text = Text::new()
            .code(view)
            .t(" is not in the last snapshot; it is shown as of snapshot ")
            .t(advisor::label(self.chain, state.snapshot))
            .then(when)
            .t(". ")
            .then(self.cite_at(view, &[view], &[], &[state.snapshot]));
        Some(Block::Note { kind: super::NoteKind::Warning, text })
    }

    /// What is to be said about an object's counters; of a single snapshot the report has said it already.
    pub(super) fn notes_of(&self, change: Option<Change<'_>>) -> Option<String> {
        let notes = change.map(Change::notes).filter(|n| !n.is_empty() && !self.single())?;
        Some(format!("Notes: {}.", notes.join("; ")))
    }

    /// A warning where so little was captured that silence means nothing.
    pub(super) fn thin_note(&self) -> Option<Block> {
        let sources = super::coverage::sources(self);
        let missing = sources.iter().filter(|s| s.state == CoverageState::Missing).count();
        let seen = sources.iter().filter(|s| s.state != CoverageState::NotApplicable).count() - missing;
        if seen >= missing {
            return None;
        }
        let skipped = self
            .advice
            .judged
            .iter()
            .filter(|j| matches!(j.outcome, Outcome::Skipped { missing_input: true, .. }))
            .count();
        let text = Text::new()
            .t("Only ")
            .n(Quantity::count(seen))
            .t(" of ")
            .n(Quantity::count(seen + missing))
            .t(" expected sources are in the dump, and ")
            .then(counted_words(skipped, "check", "checks"))
            .t(" could not run (")
            .link("coverage", "coverage")
            .t("): a view, a column or a second snapshot is missing. First take a whole dump: ")
            .code("pgretro export-sql")
            .t(" prints the script (read-only).");
        Some(Block::Note { kind: super::NoteKind::Warning, text })
    }

    /// Where rows stand in the user's files, as a block that unfolds under a table's row.
    pub(super) fn places(&self, rows: &[Option<Row<'_>>]) -> Block {
        let items = rows
            .iter()
            .flatten()
            .filter_map(|row| self.locate(*row))
            .map(|l| super::Fact {
                label: l.snapshot,
                value: Cell::Text(Text::new().code(l.file).t(format!(" {}", l.place))),
            })
            .collect();
        Block::Facts { title: "In the files".to_owned(), items }
    }
}
