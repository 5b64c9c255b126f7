//! What a rule may see: changes over the window, state, samples, settings, its own thresholds.

use super::Rule;
use crate::diff::{Chain, ViewChange};
use crate::snapshot::{Row, Table};
use crate::time::Timestamp;

/// The inputs of one rule.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The rule that asks: thresholds are looked up under its id.
    pub rule: &'a Rule,
    /// The snapshots and what changed along them.
    pub chain: &'a Chain,
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
    /// True when it is not from the last snapshot and older than 24 h, or a change in between is possible: costs C4.
    pub stale: bool,
}

/// Where a setting's value is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingSource {
    /// `pg_settings` of the dump.
    Exported,
    /// The version's built-in default: costs C4.
    Default,
}

/// A setting's value in base units: bytes, milliseconds, numbers; switches are 0 and 1.
#[derive(Clone, Copy, Debug)]
pub struct Setting<'a> {
    /// The text of `pg_settings.setting`.
    pub text: &'a str,
    /// The number in base units (bytes, ms), where it is one.
    pub value: Option<f64>,
    /// Where it is from.
    pub source: SettingSource,
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
        let newest = self.chain.snapshots.len() - 1;
        self.chain.snapshots.iter().enumerate().rev().find_map(|(i, s)| {
            let table = s.table(view)?;
            let age = self.chain.last().meta.taken_at.zip(s.meta.taken_at).map(|(now, then)| now.seconds_since(then));
            Some(State {
                table,
                snapshot: i,
                at: s.meta.taken_at,
                stale: i != newest && age.is_none_or(|s| s > 86_400.0),
            })
        })
    }

    /// A sample view in every snapshot that has it, oldest first.
    pub fn samples(&self, view: &'a str) -> impl Iterator<Item = (usize, &'a Table)> + 'a {
        self.chain.snapshots.iter().enumerate().filter_map(move |(i, s)| s.table(view).map(|t| (i, t.as_ref())))
    }

    /// The row of a state view whose column equals a number (`relid`).
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
}
