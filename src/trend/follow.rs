//! A history read one snapshot after the other: each window is subtracted, its rows are pushed into the states of their
//! objects, and the earlier snapshot is let go.

use super::object::{Key, Object, Window, key_of, label_columns};
use super::trigger::Surroundings;
use super::watch::{self, Watch};
use super::{Followed, read};
use crate::diff::{self, Chain, Diff, Event, ViewDiff};
use crate::error::Result;
use crate::ingest::Wanted;
use crate::meta::Notes;
use crate::snapshot::{Row, Snapshot};
use crate::time::Timestamp;
use std::collections::HashMap;
use std::sync::Arc;

/// What is followed.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Views and their columns.
    pub followed: Vec<Followed>,
    /// Only objects of these names, with or without their schema; empty: all.
    pub objects: Vec<String>,
    /// Whether dead rows, statements and what forecasts need are watched, too.
    pub watched: bool,
}

impl Plan {
    /// The views to read.
    pub fn wanted(&self) -> Wanted {
        let also: &[&'static str] = if self.watched { &watch::VIEWS } else { &[] };
        read::wanted(self.followed.iter().map(|f| f.view.name), also)
    }
}

/// Events listed; of further ones only the number.
const EVENTS: usize = 10_000;

/// A view's objects while a history is read.
#[derive(Debug)]
pub struct Objects {
    /// The view and its columns.
    pub followed: Followed,
    /// Its objects, in the order they were met.
    pub list: Vec<Object>,
    /// Positions of its key columns.
    pub key: Vec<usize>,
    /// Whether any snapshot exports each of the view's columns.
    pub exported: Vec<bool>,
    /// How many snapshots carry the view.
    pub snapshots: usize,
    only: Vec<String>,
    labels: Vec<usize>,
    by_key: HashMap<Key, usize>,
    /// The newest snapshot that carries the view.
    carrier: Option<Arc<Snapshot>>,
}

/// Something that happened, between which snapshots.
#[derive(Clone, Debug, PartialEq)]
pub struct Happening {
    /// Time of the snapshot before.
    pub from: Option<Timestamp>,
    /// Time of the snapshot after.
    pub to: Option<Timestamp>,
    /// What.
    pub event: Event,
}

/// A history in the making.
#[derive(Debug)]
pub struct Follow {
    views: Vec<Objects>,
    options: diff::Options,
    last: Option<Arc<Snapshot>>,
    /// What the history is watched for; `None` where only columns are followed.
    pub watch: Option<Watch>,
    /// Snapshots taken in.
    pub snapshots: usize,
    /// Time of the first one.
    pub from: Option<Timestamp>,
    /// What happened, in order.
    pub events: Vec<Happening>,
    /// Further events.
    pub more_events: usize,
    /// Warnings about the snapshots.
    pub notes: Notes,
}

impl Follow {
    /// Nothing read yet.
    pub fn new(plan: Plan, options: diff::Options) -> Self {
        let only = plan.objects;
        let views = plan
            .followed
            .into_iter()
            .map(|followed| Objects {
                followed,
                list: Vec::new(),
                key: Vec::new(),
                exported: Vec::new(),
                snapshots: 0,
                only: only.clone(),
                labels: Vec::new(),
                by_key: HashMap::new(),
                carrier: None,
            })
            .collect();
        Self {
            views,
            options,
            watch: plan.watched.then(Watch::default),
            last: None,
            snapshots: 0,
            from: None,
            events: Vec::new(),
            more_events: 0,
            notes: Notes::default(),
        }
    }

    /// The newest snapshot.
    pub const fn last(&self) -> Option<&Arc<Snapshot>> {
        self.last.as_ref()
    }

    /// The objects of each view.
    pub fn views(&self) -> &[Objects] {
        &self.views
    }

    /// One more snapshot, not older than the last one. `anew`: of a new cluster that took the old one's place; nothing is
    /// subtracted across, levels go on.
    ///
    /// # Errors
    /// As [`diff::diff`].
    pub fn push(&mut self, snapshot: Arc<Snapshot>, anew: bool) -> Result<()> {
        let options = diff::Options {
            allow_different_servers: anew || self.options.allow_different_servers,
            ..self.options.clone()
        };
        match self.last.clone() {
            None => {
                self.from = snapshot.meta.taken_at;
                self.see(&snapshot);
                self.enter(&snapshot, None, &options)?;
            }
            Some(last) => {
                let window = diff::diff(Arc::clone(&last), Arc::clone(&snapshot), &options)?;
                if last.meta.taken_at.is_some() && last.meta.taken_at == snapshot.meta.taken_at {
                    self.notes.absorb(window.notes);
                    return Ok(());
                }
                self.advance(&window, &options)?;
            }
        }
        self.snapshots += 1;
        self.last = Some(snapshot);
        Ok(())
    }

    /// A history whose windows are subtracted already.
    ///
    /// # Errors
    /// As [`diff::diff`], for windows over snapshots that lack a view.
    pub fn of_chain(chain: &Chain, plan: Plan, options: &diff::Options) -> Result<Self> {
        let mut out = Self::new(plan, options.clone());
        out.push(Arc::clone(chain.first()), false)?;
        for window in &chain.windows {
            out.advance(window, options)?;
            out.snapshots += 1;
            out.last = Some(Arc::clone(&window.after));
        }
        Ok(out)
    }

    /// The window from the last snapshot to the next.
    fn advance(&mut self, window: &Diff, options: &diff::Options) -> Result<()> {
        self.remember(window);
        self.see(&window.after);
        self.enter(&window.after, Some(window), options)
    }

    fn see(&mut self, snapshot: &Snapshot) {
        if let Some(watch) = &mut self.watch {
            watch.see(snapshot);
        }
    }

    fn remember(&mut self, window: &Diff) {
        let (from, to) = (window.before.meta.taken_at, window.after.meta.taken_at);
        let mut events: Vec<&Event> = window.events.iter().collect();
        events.sort_by_key(|e| e.at.or(to));
        for event in events {
            if self.events.len() < EVENTS {
                self.events.push(Happening { from, to, event: event.clone() });
            } else {
                self.more_events += 1;
            }
        }
        for note in window.notes.kept.iter().filter(|n| n.code.starts_with("W-") || n.code.starts_with("E-")) {
            self.notes.push(note.clone());
        }
    }

    /// Takes in a snapshot: for each view the window since the snapshot that carried it last.
    fn enter(&mut self, snapshot: &Arc<Snapshot>, window: Option<&Diff>, options: &diff::Options) -> Result<()> {
        // Windows over snapshots that lack a view, each subtracted once.
        let mut bridges: Vec<(Arc<Snapshot>, Diff)> = Vec::new();
        let surroundings = self.watch.as_ref().map(|w| &w.surroundings);
        for objects in &mut self.views {
            let name = objects.followed.view.name;
            if snapshot.table(name).is_none() {
                continue;
            }
            objects.snapshots += 1;
            match (objects.carrier.replace(Arc::clone(snapshot)), window) {
                (None, _) => {}
                (Some(carrier), Some(window)) if Arc::ptr_eq(&carrier, &window.before) => {
                    if let Some(view) = window.views.get(name) {
                        objects.window(view, window, surroundings);
                    }
                }
                (Some(carrier), _) => {
                    let known = bridges.iter().position(|(c, _)| Arc::ptr_eq(c, &carrier));
                    let at = if let Some(at) = known {
                        at
                    } else {
                        let diff = diff::diff(Arc::clone(&carrier), Arc::clone(snapshot), options)?;
                        bridges.push((carrier, diff));
                        bridges.len() - 1
                    };
                    if let Some((_, diff)) = bridges.get(at)
                        && let Some(view) = diff.views.get(name)
                    {
                        objects.window(view, diff, surroundings);
                    }
                }
            }
        }
        Ok(())
    }
}

impl Objects {
    /// Whether only named objects are followed.
    pub fn is_filtered(&self) -> bool {
        !self.only.is_empty()
    }

    /// One more window of the view.
    fn window(&mut self, view: &ViewDiff, diff: &Diff, surroundings: Option<&Surroundings>) {
        if self.key.is_empty() {
            self.key.clone_from(&view.key);
            self.labels = label_columns(self.followed.view, &self.key);
        }
        self.exported.resize(view.view.columns.len(), false);
        for (column, exported) in self.exported.iter_mut().enumerate() {
            *exported |= view.exports(column);
        }
        let clock = |table: &Option<Arc<crate::snapshot::Table>>, other: Option<Timestamp>| {
            table.as_ref().and_then(|t| t.taken_at).or(other)
        };
        let window = Window {
            from: clock(&view.before, diff.before.meta.taken_at),
            at: clock(&view.after, diff.after.meta.taken_at),
            broken: None,
        };
        for row in view.iter() {
            let Some(latest) = row.latest() else { continue };
            // A window may be joined by names (across an upgrade): objects keep the key they began with.
            let key = key_of(latest, &self.key);
            let earlier = row.before().map(|r| key_of(r, &self.key)).filter(|k| *k != key);
            let known = earlier.and_then(|k| self.by_key.remove(&k)).or_else(|| self.by_key.get(&key).copied());
            if known.is_none() && !self.is_asked_for(latest) {
                continue;
            }
            let at = known.unwrap_or_else(|| {
                let mut object = Object::new(&self.followed, key.clone(), surroundings.is_some());
                if let Some(before) = row.before() {
                    object.start(&self.followed, before, window.from, surroundings);
                }
                self.list.push(object);
                self.list.len() - 1
            });
            let Some(object) = self.list.get_mut(at) else { continue };
            let rewritten = surroundings.is_some_and(|s| s.is_rewritten(latest));
            let window = Window { broken: rewritten.then_some("rewritten"), ..window };
            object.step(&self.followed, row, &window, surroundings);
            object.take_names(latest, &self.labels);
            if object.key != key || known.is_none() {
                object.key.clone_from(&key);
                self.by_key.insert(key, at);
            }
        }
    }

    /// Whether a row is of an object asked for: one of its names, or those of schema and object with a dot.
    fn is_asked_for(&self, row: Row<'_>) -> bool {
        if self.only.is_empty() {
            return true;
        }
        let names: Vec<&str> = ["relname", "indexrelname", "funcname", "sequencename", "datname", "slot_name", "name"]
            .iter()
            .filter_map(|c| row.text(c))
            .collect();
        let schema = row.text("schemaname");
        self.only.iter().any(|wanted| {
            names.iter().any(|name| {
                wanted == name
                    || schema.is_some_and(|s| {
                        wanted.strip_prefix(s).and_then(|rest| rest.strip_prefix('.')).is_some_and(|rest| rest == *name)
                    })
            }) || row.int("queryid").is_some_and(|id| id.to_string() == *wanted)
        })
    }
}
