//! Some dozen snapshots, read in stretches that follow each other.

use crate::catalog::View;
use crate::diff::{self, Diff};
use crate::ingest::succession::{Asked, Run, Slots, Step, Stretches, Succession, TableRun, Tables};
use crate::ingest::{self, Opened, Wanted};
use crate::meta::{Meta, TimeSource};
use crate::snapshot::{Snapshot, Table};
use crate::time::Timestamp;
use crate::trend::read::{Moment, Request, settle_time, whole};
use rayon::prelude::*;
use std::sync::Arc;

/// A snapshot may hold times so many seconds newer than itself before its clock is doubted.
const APART_S: f64 = 600.0;
/// Windows shorter than this are worth a word.
const SHORT_S: f64 = 60.0;

/// A window and the snapshot after it.
pub(super) struct Window {
    /// The snapshot after it.
    pub step: Step,
    /// What happened in it, and the rows that did not go on, subtracted; `None` where there is nothing to tell.
    pub diff: Option<Diff>,
}

/// Something happened in a window that concerns more than single rows.
struct Stormy;

/// Windows that follow each other.
#[derive(Default)]
pub(super) struct Batch {
    /// The snapshot before the first one.
    pub first: Option<Step>,
    pub windows: Vec<Window>,
    /// Whether none of those asked for is missing.
    pub whole: bool,
}

/// How snapshots are read.
pub(super) enum Way {
    /// Each file compared with the one before.
    Files(Box<Succession>),
    /// Each read whole, then compared.
    Tables(Box<Tables>),
    /// Those of a packed history compared where they stand, others like tables.
    Packed(Box<Stretches>, Box<Tables>),
}

/// Reads batches.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    pub request: &'a Request,
    pub way: &'a Way,
    pub view: &'static View,
    /// Windows between snapshots that are read whole at once.
    pub whole: usize,
}

impl Reader<'_> {
    /// Reads up to `size` windows from the first of some moments on.
    pub fn read(self, moments: &[&Moment], size: usize, slots: &Slots) -> Batch {
        let windows = moments.len().saturating_sub(1).min(size);
        if windows == 0 {
            return Batch::default();
        }
        if let Way::Packed(stretches, _) = self.way
            && let Some(steps) = self.packed(stretches, moments, windows + 1, slots).filter(|steps| steps.len() > 1)
        {
            return self.side_by_side(steps);
        }
        let windows = if matches!(self.way, Way::Packed(..)) { windows.min(self.whole) } else { windows };
        // Each stretch begins with a snapshot that the one before it ends with.
        let length = windows.div_ceil(rayon::current_num_threads() * 2);
        let starts: Vec<usize> = (0..windows).step_by(length).collect();
        let moments = moments.get(..=windows).unwrap_or_default();
        let stretches: Vec<(Option<Step>, Vec<Window>)> = match self.way {
            Way::Files(succession) => starts
                .par_iter()
                .map(|start| {
                    let mut run = Run::default();
                    self.stretch(moments.iter().skip(*start).take(length + 1).enumerate().map_while(|(at, moment)| {
                        let settle = |s: &mut Snapshot, newest: Option<i64>| settle(moment, s, newest);
                        let go_on = if at == 0 { Run::begin } else { Run::go_on };
                        go_on(&mut run, succession, &moment.opened, slots, &settle)
                    }))
                })
                .collect(),
            Way::Tables(tables) | Way::Packed(_, tables) => {
                let wanted: &Wanted = &self.request.plan.wanted();
                let read = |moment: &&Moment| self.table(moment, wanted);
                let snapshots = ingest::side_by_side(moments, read);
                starts
                    .par_iter()
                    .map(|start| {
                        let mut run = TableRun::default();
                        let snapshots = snapshots.iter().skip(*start).take(length + 1);
                        self.stretch(snapshots.map_while(|s| run.next(tables, s.as_ref()?, slots)))
                    })
                    .collect()
            }
        };
        let mut out = Batch::default();
        for (at, (first, windows)) in stretches.into_iter().enumerate() {
            let broken = first.is_none() || windows.len() < length;
            if at == 0 {
                out.first = first;
            }
            out.windows.extend(windows);
            if broken {
                break;
            }
        }
        out.whole = out.windows.len() == windows;
        out
    }

    /// Snapshots of a packed history, as far as they stand together.
    fn packed(self, stretches: &Stretches, moments: &[&Moment], most: usize, slots: &Slots) -> Option<Vec<Step>> {
        let wanted = self.request.plan.wanted();
        let opened: Vec<&Opened> = moments.iter().take(most).map(|moment| &moment.opened).collect();
        let beside = |at: usize| {
            let moment = moments.get(at)?;
            let mut snapshot = moment.opened.read_without(self.view, &wanted)?;
            settle(moment, &mut snapshot, None).map(|()| snapshot)
        };
        let is_cut = |table: &Table| diff::cut_by(self.view, table).is_some();
        stretches.read(&opened, most, slots, &Asked { beside: &beside, is_cut: &is_cut, limits: &diff::LIMITS })
    }

    /// Windows between snapshots, as far as nothing happened in them that concerns more than single rows.
    fn side_by_side(self, mut steps: Vec<Step>) -> Batch {
        let mut aparts: Vec<_> = steps.iter_mut().skip(1).map(|step| step.apart.take()).collect();
        let pairs = steps.iter().zip(steps.iter().skip(1)).zip(&mut aparts);
        let judged: Vec<Result<Option<Diff>, Stormy>> = pairs
            .collect::<Vec<_>>()
            .into_par_iter()
            .map(|((before, after), apart)| self.judge(before, after, apart.take()))
            .collect();
        let asked = judged.len();
        let mut steps = steps.into_iter();
        let first = steps.next();
        let diffs = judged.into_iter().map_while(Result::ok);
        let windows: Vec<Window> = steps.zip(diffs).map(|(step, diff)| Window { step, diff }).collect();
        Batch { first, whole: windows.len() == asked, windows }
    }

    /// A snapshot, unless its rows of the view look cut by a limit.
    fn table(self, moment: &Moment, wanted: &Wanted) -> Option<Snapshot> {
        let mut snapshot = whole(moment, wanted).ok()?;
        settle(moment, &mut snapshot, None)?;
        let table = snapshot.table(self.view.name)?;
        diff::cut_by(self.view, table).is_none().then_some(snapshot)
    }

    /// Windows that follow each other, as far as nothing happened in them that concerns more than single rows.
    fn stretch(self, mut steps: impl Iterator<Item = Step>) -> (Option<Step>, Vec<Window>) {
        let first = steps.next();
        let mut windows: Vec<Window> = Vec::new();
        for mut step in steps {
            let Some(before) = windows.last().map(|w| &w.step).or(first.as_ref()) else { break };
            let apart = step.apart.take();
            let Ok(diff) = self.judge(before, &step, apart) else { break };
            if let Some(tally) = self.request.ingest.tally.as_ref().filter(|_| step.bytes > 0) {
                tally.add(1, step.bytes);
            }
            windows.push(Window { step, diff });
        }
        (first, windows)
    }

    /// What happened between two snapshots; an error where that concerns more than single rows.
    fn judge(self, before: &Step, after: &Step, apart: Option<(Snapshot, Snapshot)>) -> Result<Option<Diff>, Stormy> {
        let options = &self.request.diff;
        let (a, b) = (&before.beside, &after.beside);
        // The times of snapshots that say nothing else of themselves are in order.
        let same = is_same(&a.meta, &b.meta) && a.tables.len() <= 1 && b.tables.len() <= 1;
        let known = same && a.meta.taken_at.zip(b.meta.taken_at).is_some_and(|(a, b)| b.seconds_since(a) >= SHORT_S);
        if !known && !diff::is_calm(self.view, a, b, options) {
            return Err(Stormy);
        }
        let pair = match apart {
            Some(pair) => pair,
            None if known => return Ok(None),
            None => (a.clone(), b.clone()),
        };
        diff::diff(Arc::new(pair.0), Arc::new(pair.1), options).map(Some).map_err(|_| Stormy)
    }
}

/// Whether two snapshots say the same of themselves, their names and times left out.
fn is_same(a: &Meta, b: &Meta) -> bool {
    let of = |m: &Meta| {
        (
            m.version,
            m.in_recovery,
            m.timeline,
            m.postmaster_start,
            m.database_oid,
            m.wal_lsn,
            m.next_xid,
            m.zone_unknown,
        )
    };
    of(a) == of(b)
        && a.system_identifier == b.system_identifier
        && a.node == b.node
        && a.database == b.database
        && a.major() != Some(12)
}

fn settle(moment: &Moment, snapshot: &mut Snapshot, newest: Option<i64>) -> Option<()> {
    settle_time(snapshot, moment.meta.taken_at, moment.meta.time_source);
    let taken = snapshot.meta.taken_at.filter(|at| Some(*at) == moment.meta.taken_at)?;
    let own = matches!(snapshot.meta.time_source, Some(TimeSource::Meta | TimeSource::Column));
    let doubtful = own && newest.is_some_and(|newest| Timestamp(newest).seconds_since(taken) > APART_S);
    (!doubtful).then_some(())
}
