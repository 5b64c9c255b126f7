//! The objects of a view while a history is read: whose series the next row is.

use super::Followed;
use super::object::{Key, Object, Part, Window, key_of, label_columns};
use super::trigger::Surroundings;
use crate::diff::{Diff, DiffRow, ViewDiff};
use crate::snapshot::{Row, Snapshot, Value};
use crate::time::Timestamp;
use foldhash::fast::FixedState;
use rayon::prelude::*;
use std::collections::HashMap;
use std::sync::Arc;

/// No row.
const NONE: u32 = u32::MAX;

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
    by_key: HashMap<Key, usize, FixedState>,
    /// The newest snapshot that carries the view.
    pub(super) carrier: Option<Arc<Snapshot>>,
}

impl Objects {
    /// Nothing read yet; only objects of these names, or all.
    pub(super) fn new(followed: Followed, only: Vec<String>) -> Self {
        Self { only, ..Self::assembled(followed, Vec::new(), Vec::new(), Vec::new(), 0) }
    }

    /// Objects that somebody else followed: a reader of rows that pushes [`super::Step`]s into [`super::Series`] itself.
    /// `key` and `exported` are positions of the view's columns; `snapshots` is how many carry the view.
    pub fn assembled(
        followed: Followed,
        list: Vec<Object>,
        key: Vec<usize>,
        exported: Vec<bool>,
        snapshots: usize,
    ) -> Self {
        let labels = label_columns(followed.view, &key);
        Self {
            followed,
            list,
            key,
            exported,
            snapshots,
            only: Vec::new(),
            labels,
            by_key: HashMap::default(),
            carrier: None,
        }
    }

    /// Positions of the columns that name its objects, beside the key.
    pub fn labels(&self) -> &[usize] {
        &self.labels
    }

    /// The object of a key of one part.
    pub(super) fn place(&self, part: &Part) -> Option<usize> {
        let [column] = self.key.as_slice() else { return None };
        self.by_key.get(&vec![(*column, part.clone())]).copied()
    }

    /// The keys, where they are whole numbers, of all rows of the newest snapshot that carries the view.
    pub(super) fn carried_keys(&self) -> impl Iterator<Item = i64> {
        let column = match self.key.as_slice() {
            [column] => Some(*column),
            _ => None,
        };
        let table = self.carrier.as_ref().and_then(|s| s.table(self.followed.view.name));
        let rows = table.zip(column).into_iter().flat_map(|(t, c)| (0..t.rows).map(move |row| t.value(row, c)));
        rows.filter_map(|value| match value {
            Value::Int(n) => Some(n),
            _ => None,
        })
    }

    /// Whether only named objects are followed.
    pub fn is_filtered(&self) -> bool {
        !self.only.is_empty()
    }

    /// One more window of the view.
    pub(super) fn window(&mut self, view: &ViewDiff, diff: &Diff, surroundings: Option<&Surroundings>) {
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
        let mut rows: Vec<u32> = vec![NONE; self.list.len()];
        let mut again = Vec::new();
        for row in view.iter() {
            let Some(at) = self.object_of(row, &window, surroundings) else { continue };
            rows.resize(self.list.len(), NONE);
            match (rows.get_mut(at), u32::try_from(row.index())) {
                (Some(place), Ok(index)) if *place == NONE => *place = index,
                _ => again.push((at, row)),
            }
        }
        let (followed, labels) = (&self.followed, &self.labels);
        let step = |object: &mut Object, row: DiffRow<'_>| {
            let Some(latest) = row.latest() else { return };
            let rewritten = surroundings.is_some_and(|s| s.is_rewritten(latest));
            let window = Window { broken: rewritten.then_some("rewritten"), ..window };
            object.step(followed, row, &window, surroundings);
            object.take_names(latest, labels);
        };
        let objects = self.list.par_iter_mut().zip(rows).with_min_len(256);
        objects.filter(|(_, row)| *row != NONE).for_each(|(object, row)| step(object, view.row(row as usize)));
        // Rows that are of the same object as one before.
        for (at, row) in again {
            self.list.get_mut(at).into_iter().for_each(|object| step(object, row));
        }
    }

    /// The object of a row, a new one where nobody knows its key; `None` where nobody asks for it.
    fn object_of(&mut self, row: DiffRow<'_>, window: &Window, surroundings: Option<&Surroundings>) -> Option<usize> {
        let latest = row.latest()?;
        // A window may be joined by names (across an upgrade): objects keep the key they began with.
        let moved = row.before().filter(|before| {
            let (was, is) = (before.table(), latest.table());
            self.key.iter().any(|column| was.value(before.index(), *column) != is.value(latest.index(), *column))
        });
        let key = key_of(latest, &self.key);
        let known = moved
            .and_then(|before| self.by_key.remove(&key_of(before, &self.key)))
            .or_else(|| self.by_key.get(&key).copied());
        if known.is_none() && !self.is_asked_for(latest) {
            return None;
        }
        let at = known.unwrap_or_else(|| {
            let mut object = Object::new(&self.followed, key.clone(), surroundings.is_some());
            if let Some(before) = row.before() {
                object.start(&self.followed, before, window.from, surroundings);
            }
            self.list.push(object);
            self.list.len() - 1
        });
        let object = self.list.get_mut(at)?;
        if object.key != key || known.is_none() {
            object.key.clone_from(&key);
            self.by_key.insert(key, at);
        }
        Some(at)
    }

    /// The object that a row is of, by the key it had last.
    pub fn of_row(&self, row: Row<'_>) -> Option<&Object> {
        self.list.get(*self.by_key.get(&key_of(row, &self.key))?)
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
