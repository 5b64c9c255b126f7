//! What happened between two snapshots, as far as they prove it.
//!
//! * `resets`: statistics that started again, crashes, restarts
//! * `objects`: created, dropped, renamed, rewritten, vacuumed
//! * `server`: deadlocks, archiving, settings, promotion
//! * `commands`: what pg_stat_statements says was run; it names an event, it never decides a class

mod commands;
mod objects;
mod resets;
mod server;

use super::evidence::Evidence;
use super::{Certainty, Event, ViewDiff};
use crate::snapshot::Snapshot;
use crate::time::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How many events of one kind are listed; more are counted.
const KEEP: usize = 1000;

/// A window, for those who look for events in it.
pub(super) struct Window<'a> {
    pub before: &'a Snapshot,
    pub after: &'a Snapshot,
    pub evidence: &'a Evidence,
    pub views: &'a BTreeMap<&'static str, Arc<ViewDiff>>,
}

impl<'a> Window<'a> {
    /// A subtracted view that both snapshots carry.
    fn view(&self, name: &str) -> Option<&'a ViewDiff> {
        self.views.get(name).map(AsRef::as_ref).filter(|v| v.before.is_some() && v.after.is_some())
    }

    /// The database the per-database views belong to.
    fn database(&self) -> Option<String> {
        self.after.meta.database.clone().or_else(|| self.evidence.own.name.clone())
    }
}

/// An event with its first evidence.
fn event(kind: &str, scope: Option<String>, object: Option<String>, evidence: String) -> Event {
    Event { kind: kind.to_owned(), scope, object, at: None, evidence: vec![evidence], certainty: Certainty::Proven }
}

impl Event {
    fn at(mut self, at: Option<Timestamp>) -> Self {
        self.at = at;
        self
    }

    fn likely(mut self) -> Self {
        self.certainty = Certainty::Likely;
        self
    }
}

/// All events of a window, in a total order. Snapshots of different servers have none in common.
pub(super) fn events(window: &Window<'_>) -> Vec<Event> {
    if window.evidence.withheld.is_some() {
        return Vec::new();
    }
    let mut events = resets::find(window);
    events.extend(objects::find(window));
    events.extend(server::find(window));
    commands::name(window, &mut events);
    events.sort();
    events.dedup();
    shorten(&events)
}

/// Keeps the list readable where thousands of objects share a fate.
fn shorten(events: &[Event]) -> Vec<Event> {
    let mut out = Vec::with_capacity(events.len());
    for group in events.chunk_by(|a, b| a.kind == b.kind) {
        out.extend(group.iter().take(KEEP).cloned());
        if let Some(rest) = group.len().checked_sub(KEEP).filter(|n| *n > 0) {
            let first = &group[0];
            out.push(event(&first.kind, first.scope.clone(), None, format!("{rest} more objects")));
        }
    }
    out
}
