//! A chain formed of snapshots that come one after the other, in memory that does not grow with their number.
//!
//! Up to some number of snapshots all are kept. Above it the one whose two windows are best told as one goes: the
//! windows are added up ([`super::compose`]), its rows are let go. The first and the last two snapshots stay.

use super::chain::{self, Chain, Glance};
use super::compose::compose;
use super::{Diff, Options, order};
use crate::error::Result;
use crate::meta::Notes;
use crate::snapshot::Snapshot;
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// Snapshots kept of a history of small ones.
const MOST: usize = 64;
/// Snapshots kept in any case.
const LEAST: usize = 8;
/// Rows that the snapshots kept may have together.
const ROWS: usize = 1_000_000;

/// A chain in the making.
#[derive(Debug)]
pub struct Condensing {
    options: Options,
    /// Whether a snapshot's samples are worth keeping: sessions that wait, say.
    telling: fn(&Snapshot) -> bool,
    snapshots: Vec<Arc<Snapshot>>,
    windows: Vec<Diff>,
    /// What is known of each snapshot kept.
    joints: Vec<Joint>,
    /// What is known of each window kept.
    spans: Vec<Span>,
    all: Vec<Glance>,
    notes: Notes,
    most: usize,
}

#[derive(Clone, Copy, Debug)]
struct Joint {
    /// Its position among all snapshots.
    position: usize,
    /// Whether its samples are worth keeping.
    telling: bool,
}

#[derive(Clone, Copy, Debug)]
struct Span {
    /// Windows it was added up from.
    windows: usize,
    /// Whether nothing could be subtracted in it: a new cluster in the old one's place.
    anew: bool,
    /// Whether statistics were reset, or the server started anew.
    eventful: bool,
}

impl Condensing {
    /// No snapshot yet. `telling`: whether a snapshot's samples are worth keeping.
    pub fn new(options: Options, telling: fn(&Snapshot) -> bool) -> Self {
        Self {
            options,
            telling,
            snapshots: Vec::new(),
            windows: Vec::new(),
            joints: Vec::new(),
            spans: Vec::new(),
            all: Vec::new(),
            notes: Notes::default(),
            most: MOST,
        }
    }

    /// The same with another number of snapshots to keep.
    #[cfg(test)]
    pub(super) fn keeping(options: Options, most: usize) -> Self {
        Self { most, ..Self::new(options, |_| false) }
    }

    /// One more snapshot, not older than the last one: the window that ends with it, unless it is the first, or the last
    /// one again. `anew`: of a new cluster that took the old one's place; nothing is subtracted across.
    ///
    /// # Errors
    /// As [`super::diff`].
    pub fn push(&mut self, snapshot: Arc<Snapshot>, anew: bool) -> Result<Option<&Diff>> {
        let Some(last) = self.snapshots.last() else {
            self.enter(snapshot);
            return Ok(None);
        };
        let mut pair = vec![Arc::clone(last), snapshot];
        order::drop_duplicates(&mut pair, &mut self.notes)?;
        let (Some(snapshot), Some(last)) = (pair.pop(), pair.pop()) else { return Ok(None) };
        let window = super::window(last, Arc::clone(&snapshot), &self.allowing(anew), Notes::default())?;
        self.spans.push(Span { windows: 1, anew, eventful: window.events.iter().any(|e| is_incision(&e.kind)) });
        self.windows.push(window);
        self.enter(snapshot);
        while self.snapshots.len() > self.most {
            self.condense()?;
        }
        Ok(self.windows.last())
    }

    fn allowing(&self, anew: bool) -> Options {
        let allow_different_servers = anew || self.options.allow_different_servers;
        Options { allow_different_servers, ..self.options.clone() }
    }

    fn enter(&mut self, snapshot: Arc<Snapshot>) {
        let rows: usize = snapshot.tables.values().map(|t| t.rows).sum();
        self.most = self.most.min((ROWS / rows.max(1)).max(LEAST));
        self.joints.push(Joint { position: self.all.len(), telling: (self.telling)(&snapshot) });
        self.all.push(Glance::of(&snapshot));
        self.snapshots.push(snapshot);
    }

    /// Lets one snapshot go. The last window stays as it is: rules compare it with those before.
    fn condense(&mut self) -> Result<()> {
        let candidates = 1..self.snapshots.len().saturating_sub(2);
        let Some(at) =
            candidates.min_by(|a, b| self.loss(*a).partial_cmp(&self.loss(*b)).unwrap_or(std::cmp::Ordering::Equal))
        else {
            self.most += 1;
            return Ok(());
        };
        let second = self.windows.remove(at);
        let span = self.spans.remove(at);
        let anew = span.anew || self.spans.get(at - 1).is_some_and(|s| s.anew);
        let first = self.windows.remove(at - 1);
        // That neighbours belong together was settled when they came.
        let options = self.allowing(true);
        self.windows.insert(at - 1, compose(first, second, &options)?);
        if let Some(whole) = self.spans.get_mut(at - 1) {
            whole.windows += span.windows;
            whole.anew = anew;
            whole.eventful |= span.eventful;
        }
        self.snapshots.remove(at);
        let gone = self.joints.remove(at);
        if let Some(glance) = self.all.get_mut(gone.position) {
            glance.kept = false;
        }
        Ok(())
    }

    /// What is lost with a snapshot: first what cannot be told of two windows as one, then time.
    fn loss(&self, at: usize) -> (u8, f64) {
        let (Some(joint), Some(first), Some(second)) =
            (self.joints.get(at), self.spans.get(at - 1), self.spans.get(at))
        else {
            return (u8::MAX, 0.0);
        };
        let Some(own) = self.snapshots.get(at) else { return (u8::MAX, 0.0) };
        let lack = |others: &[Arc<Snapshot>], view: &str| others.iter().all(|s| s.table(view).is_none());
        let (earlier, later) = (self.snapshots.get(..at).unwrap_or(&[]), self.snapshots.get(at + 1..).unwrap_or(&[]));
        // What is first seen in it would look new in a later one.
        let begins = || own.tables.keys().any(|view| lack(earlier, view));
        let alone = || {
            let neighbours = [earlier.last(), later.first()];
            own.tables.keys().any(|view| neighbours.into_iter().flatten().any(|s| s.table(view).is_none()))
        };
        let rank = if first.anew || second.anew {
            4
        } else if begins() {
            3
        } else if joint.telling || alone() {
            2
        } else {
            u8::from(first.eventful || second.eventful)
        };
        let seconds = |i: usize| self.windows.get(i).and_then(|w| w.elapsed_s);
        let span = seconds(at - 1).zip(seconds(at)).map(|(a, b)| a + b);
        (rank, span.unwrap_or((first.windows + second.windows) as f64))
    }

    /// The chain of what was pushed. `notes`: what there was to say about the snapshots before.
    ///
    /// # Errors
    /// Without any snapshot.
    pub fn finish(self, notes: Notes) -> Result<Chain> {
        let mut all = notes;
        all.absorb(self.notes);
        let positions = self.joints.iter().map(|j| j.position).collect();
        chain::assemble(self.snapshots, self.windows, (self.all, positions), all, &self.options)
    }
}

/// What a rate must not be taken across.
fn is_incision(kind: &str) -> bool {
    kind.starts_with("stats_reset")
        || matches!(kind, "crash" | "restart" | "promoted" | "upgraded" | "database_recreated")
}

impl Glance {
    /// What is kept of a snapshot.
    pub(super) fn of(snapshot: &Snapshot) -> Self {
        let meta = &snapshot.meta;
        let mut digest = Sha256::new();
        for file in &meta.files {
            digest.update(file.sha256.as_bytes());
        }
        Self {
            label: meta.label.clone(),
            taken_at: meta.taken_at,
            files: meta.files.len(),
            notes: meta.notes.total(),
            digest: digest.finalize().into(),
            kept: true,
        }
    }
}
