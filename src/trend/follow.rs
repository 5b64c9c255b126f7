//! A history read one snapshot after the other: each window is subtracted, its rows are pushed into the states of their
//! objects, and the earlier snapshot is let go.

use super::watch::{self, Watch};
use super::{Followed, Objects, read};
use crate::diff::{self, Chain, Diff, Event};
use crate::error::Result;
use crate::ingest::Wanted;
use crate::meta::Notes;
use crate::snapshot::Snapshot;
use crate::time::Timestamp;
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
        let views = plan.followed.into_iter().map(|followed| Objects::new(followed, only.clone())).collect();
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

    /// A history that somebody else followed; `last` is its newest snapshot, of which only the meta is asked.
    pub fn assembled(
        views: Vec<Objects>,
        options: diff::Options,
        snapshots: usize,
        from: Option<Timestamp>,
        last: Arc<Snapshot>,
    ) -> Self {
        Self { views, snapshots, from, last: Some(last), ..Self::new(Plan::default(), options) }
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
        chain.windows.iter().try_for_each(|window| out.window(window))?;
        Ok(out)
    }

    /// One more window that is subtracted already, from the last snapshot on.
    ///
    /// # Errors
    /// As [`diff::diff`], for windows over snapshots that lack a view.
    pub fn window(&mut self, window: &Diff) -> Result<()> {
        let options = self.options.clone();
        self.advance(window, &options)?;
        self.snapshots += 1;
        self.last = Some(Arc::clone(&window.after));
        Ok(())
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

    /// The objects of the first view.
    pub(super) fn objects_mut(&mut self) -> Option<&mut Objects> {
        self.views.first_mut()
    }

    /// Snapshots that somebody else took into the objects of the first view; `last` is the newest, without its rows.
    pub(super) fn passed(&mut self, snapshots: usize, last: Snapshot) {
        self.snapshots += snapshots;
        self.replace_last(Arc::new(last));
    }

    /// Puts a whole snapshot in the place of the newest one, which somebody else took in without its rows.
    pub(super) fn replace_last(&mut self, last: Arc<Snapshot>) {
        for objects in &mut self.views {
            objects.carrier = Some(Arc::clone(&last));
        }
        self.last = Some(last);
    }

    /// Keeps what happened in a window.
    pub(super) fn remember(&mut self, window: &Diff) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::Class;
    use crate::snapshot::literal::literal;
    use crate::trend::{Object, Part, Series, Step, choose};

    /// Rows pushed by hand make the same series as subtracted snapshots.
    #[test]
    fn another_reader_may_push_the_steps() {
        let at = |h: i64| Timestamp::from_seconds(1_790_000_000 + h * 3_600);
        let followed = choose(&["pg_stat_user_tables".to_owned()], &["seq_scan".to_owned()]).unwrap();
        let plan = Plan { followed: followed.clone(), ..Plan::default() };
        let mut follow = Follow::new(plan, diff::Options::default());
        let mut series = Series::new(followed[0].columns[0].1);
        for h in 0..6 {
            let row = format!("7 | public | t | {}", h * 60);
            let snapshot = literal(&at(h).to_string()).view(
                "pg_stat_user_tables",
                "relid | schemaname | relname | seq_scan",
                &[&row],
            );
            follow.push(snapshot.build(), false).unwrap();
            if h > 0 {
                series.step(&Step {
                    from: Some(at(h - 1)),
                    at: Some(at(h)),
                    value: Some((h * 60) as f64),
                    delta: Some(diff::Exact::Int(60)),
                    covered_s: Some(3_600.0),
                    class: Class::Ok,
                    exact: true,
                    gap: None,
                });
            }
        }
        let objects = &follow.views()[0];
        assert_eq!(objects.list[0].series[0], series);
        let object = Object::assembled(vec![(0, Part::Whole(7))], objects.list[0].labels.clone(), vec![series]);
        assert_eq!(object.key, objects.list[0].key);
        let own =
            Objects::assembled(followed[0].clone(), vec![object], objects.key.clone(), objects.exported.clone(), 6);
        assert_eq!(own.labels(), [1, 2]);
        assert_eq!(own.list[0].name(own.followed.view), "public.t");
        let last = Arc::clone(follow.last().unwrap());
        let again = Follow::assembled(vec![own], diff::Options::default(), 6, Some(at(0)), last);
        assert_eq!((again.snapshots, again.views().len()), (6, 1));
    }
}
