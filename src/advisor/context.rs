//! What a rule may see: changes over the window, state, samples, settings, its own thresholds.

use super::{Config, Facts, Options, Rule, Skip};
use crate::diff::{Chain, Change, Class, DiffRow, ViewChange};
use crate::finding::{Doubt, Locator, Measure};
use crate::snapshot::{Row, Table};
use crate::text::at_least;
use crate::time::Timestamp;
use crate::unit::{Quantity, Unit};

/// The inputs of one rule.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The rule that asks: thresholds are looked up under its id.
    pub rule: &'a Rule,
    /// The snapshots and what changed along them.
    pub chain: &'a Chain,
    /// Tables, indexes, constraints joined once for all rules.
    pub facts: &'a Facts<'a>,
    /// What the user decided.
    pub config: &'a Config,
}

/// A state input: the table, and how old it is.
#[derive(Clone, Copy, Debug)]
pub struct State<'a> {
    /// The rows.
    pub table: &'a Table,
    /// Position of the snapshot it was read from.
    pub snapshot: usize,
    /// When that was.
    pub at: Option<Timestamp>,
    /// True when it is not from the last snapshot and more than 24 h older, or of unknown age: costs C4.
    pub stale: bool,
}

impl State<'_> {
    /// What its age takes from confidence.
    pub const fn doubt(&self) -> Option<Doubt> {
        if self.stale { Some(Doubt::C4) } else { None }
    }
}

impl<'a> Context<'a> {
    /// Changes of a view over the window.
    pub fn changes(&self, view: &str) -> Option<&'a ViewChange> {
        self.chain.view(view)
    }

    /// A view's rows in the last snapshot.
    pub fn last(&self, view: &str) -> Option<&'a Table> {
        self.chain.last().table(view).map(AsRef::as_ref)
    }

    /// A state view from the last snapshot, or from the newest earlier one that has it.
    pub fn state(&self, view: &str) -> Option<State<'a>> {
        state(self.chain, view)
    }

    /// [`Context::changes`] of a view the rule needs.
    pub fn changes_or_skip(&self, view: &str) -> Result<&'a ViewChange, Skip> {
        self.changes(view).ok_or_else(|| Skip(format!("`{view}` is not in the dump")))
    }

    /// [`Context::state`] of a view the rule needs.
    pub fn state_or_skip(&self, view: &str) -> Result<State<'a>, Skip> {
        self.state(view).ok_or_else(|| Skip(format!("`{view}` is not in the dump")))
    }

    /// A sample view in every snapshot that has it, oldest first.
    pub fn samples(&self, view: &'a str) -> impl Iterator<Item = (usize, &'a Table)> + 'a {
        self.chain.snapshots.iter().enumerate().filter_map(move |(i, s)| s.table(view).map(|t| (i, t.as_ref())))
    }

    /// The row of a state view whose column equals a number. Walks the table: for single look-ups.
    pub fn find_by_int(&self, view: &str, column: &str, value: i64) -> Option<Row<'a>> {
        self.state(view)?.table.iter().find(|r| r.int(column) == Some(value))
    }

    /// When the last snapshot was taken.
    pub fn now(&self) -> Option<Timestamp> {
        self.chain.last().meta.taken_at
    }

    /// The server's major version; the newest known one where the dump does not say.
    pub fn major(&self) -> u8 {
        self.chain.last().meta.major().unwrap_or(crate::version::NEWEST)
    }

    /// Whether the server is a standby; `None` where the dump does not say.
    pub fn is_standby(&self) -> Option<bool> {
        self.chain.last().meta.in_recovery
    }

    /// The user's options.
    pub const fn options(&self) -> &'a Options {
        &self.config.options
    }

    /// The value of one of the rule's thresholds, in its unit.
    pub fn threshold(&self, name: &str) -> f64 {
        self.config.threshold(self.rule, name)
    }

    /// A threshold as a quantity, for prose.
    pub fn threshold_quantity(&self, name: &str) -> Option<Quantity> {
        let unit = self.rule.thresholds.iter().find(|t| t.name == name).map_or(Unit::Plain, |t| t.unit);
        Quantity::float(self.threshold(name), unit)
    }

    /// Memory of the machine: as the dump states it, else as the user does.
    pub fn ram_bytes(&self) -> Option<i64> {
        self.chain.last().meta.ram_bytes.or(self.options().ram_bytes)
    }

    /// C8 where use on standbys is not known: nobody said that none is read, and not all of them are among the dumps.
    pub fn standby_doubt(&self) -> Option<Doubt> {
        (self.options().standby_reads != Some(false) && !self.facts.peers.complete).then_some(Doubt::C8)
    }

    /// A skip where the server is a standby whose primary is not among the dumps: it counts only its own scans, so what is
    /// unused there may be in use.
    pub fn primary_known(&self) -> Result<(), Skip> {
        let primary = |chain: &Chain| chain.last().meta.in_recovery == Some(false);
        if self.is_standby() == Some(true) && !self.facts.peers.all.iter().any(|p| primary(p.chain)) {
            return Err(Skip(
                "a standby counts only its own scans: give its primary's dump together with it".to_owned(),
            ));
        }
        Ok(())
    }

    /// Whether a standby is read, as the user says, whose counters are not among the dumps.
    pub fn is_read_elsewhere(&self) -> bool {
        self.options().standby_reads == Some(true) && !self.facts.peers.complete
    }

    /// A row of another server as a line of evidence.
    pub fn of_peer(&self, label: &str, peer: &str, row: Row<'a>, column: &str) -> Measure {
        let locators =
            row.place().map(|(file, place)| Locator { snapshot: peer.to_owned(), file: file.to_owned(), place });
        let mut evidence = self.cite(std::iter::once(row), &[column]);
        evidence.locators = locators.into_iter().collect();
        let after = row.quantity(column);
        // A word is no number: it stands where a formula would.
        if after.is_none() {
            evidence.formula = row.text(column).map(|text| format!("{column} {}", crate::ident::visible(text)));
        }
        Measure { after, ..Measure::of_window(label, None, evidence) }
    }

    /// Seconds the counters of this run cover: from the first to the last snapshot; for a single snapshot the age of
    /// the database's statistics, `None` where that is unknown.
    pub fn window_s(&self) -> Option<f64> {
        if self.chain.is_single() { self.facts.age.database_s } else { self.chain.elapsed_s }
    }

    /// The window, at least as long as the named threshold says; else a [`Skip`] that says so.
    pub fn window_of(&self, threshold: &str) -> Result<f64, Skip> {
        let wanted = self.threshold(threshold);
        match self.window_s() {
            Some(window) if window >= wanted => Ok(window),
            Some(window) => Err(Skip(format!(
                "the window of {} is shorter than the {} this check needs",
                show(window, Unit::Seconds),
                show(wanted, Unit::Seconds)
            ))),
            None => Err(Skip("the time these counters cover is not known".to_owned())),
        }
    }

    /// C1 for a single snapshot.
    pub fn single_doubt(&self) -> Option<Doubt> {
        self.chain.is_single().then_some(Doubt::C1)
    }

    /// C2 where the window is shorter than the named threshold.
    pub fn short_doubt(&self, threshold: &str) -> Option<Doubt> {
        self.window_s().is_none_or(|w| w < self.threshold(threshold)).then_some(Doubt::C2)
    }

    /// C3 where a row's counters started again, or may have.
    pub fn class_doubt(&self, change: Change<'_>) -> Option<Doubt> {
        matches!(change.class(), Class::OkUnsure | Class::Reset | Class::ResetUnsure).then_some(Doubt::C3)
    }

    /// A column of an object in each snapshot, oldest first.
    pub fn history(&self, change: Change<'a>, column: &str) -> Vec<Option<f64>> {
        if self.chain.is_single() {
            return vec![change.last().and_then(|r| r.f64(column))];
        }
        let rows = self.windows_of(change);
        let first = rows.first().copied().flatten().and_then(DiffRow::before);
        let later = rows.into_iter().map(|row| row.and_then(DiffRow::after));
        std::iter::once(first).chain(later).map(|row| row?.f64(column)).collect()
    }

    /// An object's row in each window, oldest first.
    pub fn windows_of(&self, change: Change<'a>) -> Vec<Option<DiffRow<'a>>> {
        self.chain.windows_of(change)
    }

    /// The name of a snapshot: `A` and `B` for the first and the last, numbers from 1 between.
    pub fn label(&self, snapshot: usize) -> String {
        label(self.chain, snapshot)
    }

    /// Position of the snapshot that a row is from.
    pub fn snapshot_of(&self, row: Row<'_>) -> Option<usize> {
        let name = row.table().name.as_str();
        self.chain.snapshots.iter().rposition(|s| s.table(name).is_some_and(|t| std::ptr::eq(t.as_ref(), row.table())))
    }

    /// Where a row stands in the user's files.
    pub fn locate(&self, row: Row<'_>) -> Option<Locator> {
        let snapshot = self.snapshot_of(row)?;
        let (file, place) = row.place()?;
        Some(Locator { snapshot: self.label(snapshot), file: file.to_owned(), place })
    }
}

/// A state view from the last snapshot, or from the newest earlier one that has it.
pub fn state<'a>(chain: &'a Chain, view: &str) -> Option<State<'a>> {
    const DAY: f64 = 86_400.0;
    let newest = chain.snapshots.len().saturating_sub(1);
    chain.snapshots.iter().enumerate().rev().find_map(|(i, s)| {
        let table = s.table(view)?;
        let age = chain.last().meta.taken_at.zip(s.meta.taken_at).map(|(now, then)| now.seconds_since(then));
        Some(State { table, snapshot: i, at: s.meta.taken_at, stale: i != newest && age.is_none_or(|s| s > DAY) })
    })
}

/// The name of a snapshot in a chain: `A` and `B` for the first and the last, numbers from 1 between.
pub fn label(chain: &Chain, snapshot: usize) -> String {
    match snapshot {
        0 => "A".to_owned(),
        i if i + 1 == chain.snapshots.len() => "B".to_owned(),
        i => (chain.positions.get(i).copied().unwrap_or(i) + 1).to_string(),
    }
}

/// Where a view of a snapshot stands in the user's files, whole.
pub fn rows_of<'c>(chain: &'c Chain, snapshot: usize, view: &str) -> impl Iterator<Item = Locator> + use<'c> {
    let table = chain.snapshots.get(snapshot).and_then(|s| s.table(view));
    table.into_iter().flat_map(move |table| {
        table.sources.iter().map(move |source| Locator {
            snapshot: label(chain, snapshot),
            file: source.file.to_string(),
            place: format!("all rows of {}", table.exported_as),
        })
    })
}

/// A number in its short form, for sentences that are plain text.
pub fn show(value: f64, unit: Unit) -> String {
    Quantity::float(value, unit).map_or_else(|| "n/a".to_owned(), Quantity::human)
}

/// The same of what was counted: a lower bound where a part of it is not known.
pub fn show_counted(value: f64, unit: Unit, exact: bool) -> String {
    match Quantity::float(value, unit).filter(|_| !exact) {
        Some(number) => at_least(number),
        None => show(value, unit),
    }
}

/// A number of things, rounded to a whole one: sums of counters are doubles only on the way.
pub fn whole(value: f64, unit: Unit) -> Option<Quantity> {
    (value.is_finite() && value.abs() < 9e18).then(|| Quantity::int(value.round() as i64, unit))
}
