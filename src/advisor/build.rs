//! Writing a finding: one chain of words, so that a rule reads as what it says.

use super::Context;
use super::context::{rows_of, show};
use crate::diff::{Change, Class};
use crate::finding::{
    Confidence, Doubt, Effort, Evidence, Finding, Fix, Leads, Locator, Measure, Risk, Severity, Subject, SubjectKind,
    Verb,
};
use crate::ident::display_qualified;
use crate::snapshot::{Row, Snapshot};
use crate::text::Text;
use crate::time::Timestamp;
use crate::unit::{Quantity, Unit};

impl Subject {
    /// An object in a schema.
    pub fn qualified(kind: SubjectKind, schema: &str, name: &str) -> Self {
        Self::new(kind, display_qualified(schema, name))
    }
}

impl<'a> Context<'a> {
    /// Begins a finding of this rule.
    pub fn finding(&self, severity: Severity, subject: Subject, title: impl Into<Text>) -> Finding {
        Finding::new(self.rule.id, subject, severity, title)
    }

    /// A column of an object: its value in the first and in the last snapshot, and for counters what was counted in
    /// between.
    pub fn measure(&self, label: &str, change: Change<'a>, column: &str) -> Measure {
        let cell = |row: Option<Row<'a>>| row.and_then(|r| r.quantity(column));
        let single = self.chain.is_single();
        let mut evidence = self.cite(change.latest().into_iter(), &[column]);
        evidence.locators = self.locate_all(change.first().filter(|_| !single).into_iter().chain(change.last()));
        let (before, after) = (cell(change.first()).filter(|_| !single), cell(change.last()));
        let window = if single { None } else { change.delta_quantity(column) };
        let at_least = window.is_some() && !change.is_exact();
        if at_least {
            evidence.formula = Some(self.why_bounded(change));
        }
        Measure { label: label.to_owned(), before, after, window, at_least, evidence }
    }

    /// Why what an object's counters counted is a lower bound.
    fn why_bounded(&self, change: Change<'a>) -> String {
        let of = match change.class() {
            _ if change.class().began_again() => "what was counted after each reset, added up over the windows",
            Class::OkUnsure => "a reset that the numbers do not show is possible: there may be more",
            _ => return "part of it was not seen: there may be more".to_owned(),
        };
        match change.covered_s().zip(self.window_s()).map(|(c, w)| [c, w].map(|s| show(s, Unit::Seconds))) {
            Some([covered, window]) if covered != window => format!("{of}: {covered} of {window}"),
            _ => of.to_owned(),
        }
    }

    /// What several counters of an object counted together.
    pub fn sum(&self, label: &str, change: Change<'a>, columns: &[&str], unit: Unit) -> Measure {
        let counted: Vec<f64> = columns.iter().map(|c| change.delta(c).unwrap_or(0.0)).collect();
        let formula = counted.iter().map(|n| show(*n, unit)).collect::<Vec<_>>().join(" + ");
        let value = Quantity::float(counted.iter().sum(), unit);
        self.over_window(label, value, formula, &self.ends(change, columns)).bounded(change.is_exact())
    }

    /// A column of a state or sample row, as it is.
    pub fn read(&self, label: &str, row: Row<'a>, column: &str) -> Measure {
        self.seen_in(self.snapshot_of(row), label, row.quantity(column), self.cite(std::iter::once(row), &[column]))
    }

    /// A value of one snapshot, in the column that is true of it: that of the first or the last, else the window's.
    pub fn seen_in(
        &self,
        snapshot: Option<usize>,
        label: &str,
        value: Option<Quantity>,
        evidence: Evidence,
    ) -> Measure {
        let measure = Measure::of_window(label, None, evidence);
        let last = self.chain.snapshots.len().saturating_sub(1);
        match snapshot {
            Some(0) if last > 0 => Measure { before: value, ..measure },
            Some(i) if i < last => Measure { window: value, ..measure },
            _ => Measure { after: value, ..measure },
        }
    }

    /// A computed value of a snapshot's state, with its formula (the numbers put in) and the rows it rests on. It is of
    /// the newest snapshot that one of the rows is from.
    pub fn computed(
        &self,
        label: &str,
        value: Option<Quantity>,
        formula: String,
        rows: &[(Row<'a>, &[&str])],
    ) -> Measure {
        let snapshots: Option<Vec<usize>> = rows.iter().map(|(row, _)| self.snapshot_of(*row)).collect();
        let newest = snapshots.and_then(|s| s.into_iter().max());
        self.seen_in(newest, label, value, self.formula(formula, rows))
    }

    /// A computed value over the window: a rate, a share, a mean.
    pub fn over_window(
        &self,
        label: &str,
        value: Option<Quantity>,
        formula: String,
        rows: &[(Row<'a>, &[&str])],
    ) -> Measure {
        Measure::of_window(label, value, self.formula(formula, rows))
    }

    /// A quotient of what was counted over the window, with its arithmetic.
    pub fn quotient(
        &self,
        label: &str,
        numerator: (f64, Unit),
        denominator: (f64, Unit),
        unit: Unit,
        rows: &[(Row<'a>, &[&str])],
    ) -> Measure {
        let (value, formula) = ratio(numerator, denominator, unit);
        self.over_window(label, value, formula, rows)
    }

    /// A column of a view of one row in two snapshots: at both ends, or before and after a window in between. `None` where
    /// neither has a value.
    pub fn of_both(&self, label: &str, ends: [&'a Snapshot; 2], view: &str, column: &str) -> Option<Measure> {
        let [before, after] = ends.map(|s| s.table(view).and_then(|t| t.iter().next()));
        let value = |row: Option<Row<'a>>| row.and_then(|r| r.quantity(column));
        let (was, is) = (value(before), value(after));
        was.or(is)?;
        let mut evidence = self.cite(before.into_iter().chain(after), &[column]);
        let last = self.chain.snapshots.len().saturating_sub(1);
        let at = |row: Option<Row<'a>>| row.and_then(|r| self.snapshot_of(r));
        if at(before).is_none_or(|i| i == 0) && at(after).is_none_or(|i| i == last) {
            return Some(Measure { before: was, after: is, ..Measure::of_window(label, None, evidence) });
        }
        evidence.formula = was.map(|was| format!("{} before", was.exact()));
        Some(Measure::of_window(label, is, evidence))
    }

    /// The row of a setting with the columns of its value; empty where the setting was not exported.
    pub fn setting_rows(&self, name: &str) -> Vec<(Row<'a>, &'static [&'static str])> {
        self.setting_row(name).map(|row| (row, &["setting", "unit"][..])).into_iter().collect()
    }

    /// The last snapshot's row of `meta` with these columns; empty where it was not exported.
    pub fn meta_rows<'c>(&self, columns: &'c [&'c str]) -> Vec<(Row<'a>, &'c [&'c str])> {
        self.last("meta").and_then(|t| t.iter().next()).map(|row| (row, columns)).into_iter().collect()
    }

    /// The rows of an object that a difference was computed from: the last one and the first.
    pub fn ends<'c>(&self, change: Change<'a>, columns: &'c [&'c str]) -> Vec<(Row<'a>, &'c [&'c str])> {
        let first = change.first().filter(|_| !self.chain.is_single());
        change.last().into_iter().chain(first).map(|row| (row, columns)).collect()
    }

    /// Evidence of a computed value.
    pub fn formula(&self, formula: String, rows: &[(Row<'a>, &[&str])]) -> Evidence {
        let columns: Vec<&str> = rows.iter().flat_map(|(_, columns)| columns.iter().copied()).collect();
        let mut evidence = self.cite(rows.iter().map(|(row, _)| *row), &columns);
        evidence.formula = Some(formula);
        evidence
    }

    /// Evidence that points at rows and columns; the view and object are those of the first row.
    pub fn cite(&self, rows: impl Iterator<Item = Row<'a>> + Clone, columns: &[&str]) -> Evidence {
        let mut views: Vec<String> = rows.clone().map(|r| r.table().name.clone()).collect();
        views.dedup();
        let mut unique: Vec<String> = Vec::new();
        for column in columns {
            if !unique.iter().any(|c| c == column) {
                unique.push((*column).to_owned());
            }
        }
        Evidence {
            view: views.join(", "),
            columns: unique,
            object: rows.clone().next().map(object_name).unwrap_or_default(),
            locators: self.locate_all(rows),
            formula: None,
        }
    }

    /// Evidence of what was counted in all rows of a view in one snapshot.
    pub fn all_rows(&self, snapshot: usize, view: &str, columns: &[&str], formula: String) -> Evidence {
        self.all_rows_in(&[snapshot], &[view], columns, formula)
    }

    /// The same of several views in several snapshots.
    pub fn all_rows_in(&self, snapshots: &[usize], views: &[&str], columns: &[&str], formula: String) -> Evidence {
        let places = views.iter().flat_map(|view| snapshots.iter().map(move |at| (*at, *view)));
        Evidence {
            view: views.join(", "),
            columns: columns.iter().map(|c| (*c).to_owned()).collect(),
            object: String::new(),
            locators: places.flat_map(|(at, view)| rows_of(self.chain, at, view)).collect(),
            formula: Some(formula),
        }
    }

    fn locate_all(&self, rows: impl Iterator<Item = Row<'a>>) -> Vec<Locator> {
        let mut locators: Vec<Locator> = Vec::new();
        for locator in rows.filter_map(|r| self.locate(r)) {
            if !locators.contains(&locator) {
                locators.push(locator);
            }
        }
        locators
    }
}

/// The object of a row as people read it, by the columns that views name their objects with.
fn object_name(row: Row<'_>) -> String {
    let text = |column| row.text(column);
    let name =
        ["indexrelname", "relname", "tablename", "sequencename", "funcname", "conname"].into_iter().find_map(text);
    match (text("schemaname"), name) {
        (Some(schema), Some(name)) => display_qualified(schema, name),
        (None, Some(name)) => name.to_owned(),
        _ => ["datname", "slot_name", "name", "gid", "application_name"]
            .into_iter()
            .find_map(text)
            .map(str::to_owned)
            .or_else(|| row.int("queryid").map(|id| format!("queryid {id}")))
            .or_else(|| row.int("pid").map(|pid| format!("pid {pid}")))
            .unwrap_or_default(),
    }
}

/// A division with its numbers put in, and its result in a unit: `(7,915 ÷ 342, 23.1)`.
pub fn ratio(numerator: (f64, Unit), denominator: (f64, Unit), unit: Unit) -> (Option<Quantity>, String) {
    let value = if denominator.0 == 0.0 { None } else { Quantity::float(numerator.0 / denominator.0, unit) };
    (value, format!("{} ÷ {}", show(numerator.0, numerator.1), show(denominator.0, denominator.1)))
}

impl Finding {
    /// Why it matters, at this database's size and load.
    pub fn why(mut self, why: impl Into<Text>) -> Self {
        self.why = why.into();
        self
    }

    /// What it is probably not, and the number that excludes it.
    pub fn not(mut self, not: impl Into<Text>) -> Self {
        self.not = Some(not.into());
        self
    }

    /// Reasons that lower confidence; each counts once.
    pub fn doubts(mut self, doubts: impl IntoIterator<Item = Option<Doubt>>) -> Self {
        self.doubts.extend(doubts.into_iter().flatten());
        self.doubts.sort_unstable();
        self.doubts.dedup();
        self
    }

    /// An upper bound on confidence.
    pub fn at_most(mut self, bound: Confidence) -> Self {
        self.at_most = Some(self.at_most.map_or(bound, |b| b.min(bound)));
        self
    }

    /// A line of the evidence table.
    pub fn measure(mut self, measure: Measure) -> Self {
        self.measures.push(measure);
        self
    }

    /// Lines of the evidence table.
    pub fn measures(mut self, measures: impl IntoIterator<Item = Measure>) -> Self {
        self.measures.extend(measures);
        self
    }

    /// A step of the cure.
    pub fn fix(mut self, fix: Fix) -> Self {
        self.fixes.push(fix);
        self
    }

    /// Steps of the cure.
    pub fn fixes(mut self, fixes: impl IntoIterator<Item = Fix>) -> Self {
        self.fixes.extend(fixes);
        self
    }

    /// What proves success in the next snapshot.
    pub fn verify(mut self, verify: impl Into<Text>) -> Self {
        self.verify = verify.into();
        self
    }

    /// When it will hurt.
    pub fn deadline(mut self, at: Option<Timestamp>) -> Self {
        self.deadline = at;
        self
    }

    /// How much work the cure is.
    pub fn effort(mut self, effort: Effort) -> Self {
        self.effort = effort;
        self
    }

    /// The affected share of its area's resource.
    pub fn share(mut self, share: Option<f64>) -> Self {
        self.share = share.filter(|s| s.is_finite()).map(|s| s.clamp(0.0, 1.0));
        self
    }

    /// The objects it stands for.
    pub fn members(mut self, members: Vec<Subject>) -> Self {
        self.members = members;
        self
    }
}

impl Fix {
    /// A statement that only looks.
    pub fn diagnose(object: impl Into<String>, sql: impl Into<String>) -> Self {
        Self::new(Verb::Diagnose, Risk::R0, object, sql).lock("no lock beyond ACCESS SHARE")
    }

    /// A statement; say [`Fix::when_not`] unless it only looks.
    pub fn new(verb: Verb, risk: Risk, object: impl Into<String>, sql: impl Into<String>) -> Self {
        Self {
            verb,
            object: object.into(),
            sql: sql.into(),
            risk,
            lock: String::new(),
            when_not: None,
            undo: None,
            keeps: Vec::new(),
            instead: false,
            leads: None,
            role_setting: None,
        }
    }

    /// The lock it takes.
    pub fn lock(mut self, lock: impl Into<String>) -> Self {
        self.lock = lock.into();
        self
    }

    /// When not to do this.
    pub fn when_not(mut self, when: impl Into<Text>) -> Self {
        self.when_not = Some(when.into());
        self
    }

    /// The statement that undoes it.
    pub fn undo(mut self, sql: impl Into<String>) -> Self {
        self.undo = Some(sql.into());
        self
    }

    /// Of an index that is created or dropped: what it is sorted by.
    pub fn leads(mut self, leads: Leads) -> Self {
        self.leads = Some(leads);
        self
    }

    /// An object that must stay for this to be right: the kept twin, the longer index.
    pub fn keeps(mut self, object: impl Into<String>) -> Self {
        self.keeps.push(object.into());
        self
    }
}
