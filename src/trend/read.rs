//! Dumps to histories: which snapshots there are, in which order, and each read once, one at a time.

use super::calm::{self, Calm};
use super::follow::{Follow, Plan};
use super::lineage::lineages;
use crate::diff;
use crate::error::{Error, Result};
use crate::ingest::{self, Opened, Wanted};
use crate::meta::{Meta, Notes, TimeSource};
use crate::snapshot::Snapshot;
use crate::time::Timestamp;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

/// How often in a row the short way may fail before nobody tries any more.
const PATIENCE: u32 = 6;

/// Snapshots read while others are followed.
const AHEAD: usize = 8;

/// What to read and how.
#[derive(Clone, Debug)]
pub struct Request {
    /// Folders, files.
    pub inputs: Vec<PathBuf>,
    /// How to read them.
    pub ingest: ingest::Options,
    /// What may be subtracted.
    pub diff: diff::Options,
    /// What is followed.
    pub plan: Plan,
}

/// A snapshot as far as it is known before its rows are read.
#[derive(Clone, Debug)]
pub struct Moment {
    pub(super) opened: Opened,
    /// When, of what.
    pub meta: Meta,
}

impl Moment {
    /// Reads all of it.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn read(&self) -> Result<Snapshot> {
        whole(self, &Wanted::all())
    }
}

/// Finds the snapshots of the inputs and when each was taken, in time order. Those that say so in their meta or their
/// name are not read for it.
///
/// # Errors
/// Where an input cannot be opened.
pub fn moments(request: &Request) -> Result<Vec<Moment>> {
    moments_of(ingest::open(&request.inputs, &request.ingest)?, request)
}

/// When each of some opened snapshots was taken, in time order.
///
/// # Errors
/// Where one cannot be read.
pub fn moments_of(opened: Vec<Opened>, request: &Request) -> Result<Vec<Moment>> {
    let mut given = request.ingest.taken_at.iter().copied();
    let mut out = Vec::new();
    let wanted = request.plan.wanted();
    let metas = ingest::side_by_side(&opened, |opened| {
        let mut meta = opened.read(&Wanted::views([]))?.meta;
        let mut nothing = false;
        if meta.taken_at.is_none() {
            let mut snapshot = opened.read(&wanted)?;
            if snapshot.holds_nothing() {
                snapshot = opened.read(&Wanted::all())?;
                nothing = snapshot.holds_nothing();
            }
            meta = snapshot.meta;
        }
        Ok((meta, nothing))
    });
    let metas = metas.into_iter().collect::<Result<Vec<(Meta, bool)>>>()?;
    let all = opened.into_iter().zip(metas).collect();
    let (kept, told) = ingest::without_strays(all, |(_, (_, nothing))| *nothing, |(_, (meta, _))| meta);
    for (opened, (mut meta, _)) in kept {
        ingest::fall_back(&mut meta, &mut given);
        // Thousands of them are kept: each snapshot says again from which files it is when it is read.
        meta.files.clear();
        meta.notes = Notes::default();
        out.push(Moment { opened, meta });
    }
    // A report is of the primary, where there is one.
    if let Some(main) = out.iter_mut().min_by_key(|m| m.meta.in_recovery != Some(false)) {
        main.opened.tell(told);
    }
    if out.iter().all(|m| m.meta.taken_at.is_some()) {
        out.sort_by_key(|m| m.meta.taken_at);
    }
    Ok(out)
}

/// Reads moments, in time order, into one [`Follow`] for each history among them.
///
/// # Errors
/// Where a snapshot cannot be read, or they are not of one cluster.
pub fn follow(request: &Request, moments: &[Moment]) -> Result<(Vec<Follow>, Notes)> {
    if moments.is_empty() {
        return Err(Error::input("find a snapshot"));
    }
    let mut notes = Notes::default();
    let metas: Vec<&Meta> = moments.iter().map(|m| &m.meta).collect();
    let lineages = lineages(&metas, request.diff.allow_different_servers, &mut notes)?;
    let wanted = request.plan.wanted();
    let mut out = Vec::with_capacity(lineages.len());
    for lineage in lineages {
        let mut follow = Follow::new(request.plan.clone(), request.diff.clone());
        let mut read = 0;
        if calm::suits(&request.plan) && lineage.anew.is_empty() {
            read = follow_calm(
                request,
                &lineage.members.iter().filter_map(|at| moments.get(*at)).collect::<Vec<_>>(),
                &mut follow,
            )?;
        }
        let rest = lineage.members.get(read..).unwrap_or_default();
        each(moments, (rest, &lineage.anew), &wanted, |snapshot, anew| follow.push(Arc::new(snapshot), anew))?;
        out.push(follow);
    }
    Ok((out, notes))
}

/// A snapshot read whole.
pub(super) fn whole(moment: &Moment, wanted: &Wanted) -> Result<Snapshot> {
    let mut snapshot = moment.opened.read(wanted)?;
    settle_time(&mut snapshot, moment.meta.taken_at, moment.meta.time_source);
    Ok(snapshot)
}

/// Follows what can be followed without subtracting every row; how many snapshots were taken in. The others are to be
/// pushed.
fn follow_calm(request: &Request, moments: &[&Moment], follow: &mut Follow) -> Result<usize> {
    let wanted = request.plan.wanted();
    let mut calm: Option<Calm<'_>> = None;
    let (mut at, mut failures, mut pause) = (0, 0_u32, 1_u32);
    while let Some(moment) = moments.get(at).filter(|_| failures < PATIENCE) {
        follow.push(Arc::new(whole(moment, &wanted)?), false)?;
        at += 1;
        pause = pause.saturating_sub(1);
        let rest = moments.get(at - 1..).unwrap_or_default();
        if at < 2 || pause > 0 || rest.len() < 2 {
            continue;
        }
        if calm.is_none() {
            calm = follow.last().and_then(|last| Calm::new(request, rest, last));
        }
        let Some(calm) = &mut calm else { break };
        let taken = calm.go_on(follow, rest);
        at += taken;
        // What is odd once is often odd again.
        failures = if taken > 0 { 0 } else { failures + 1 };
        pause = if taken > 0 { 1 } else { 1 << failures };
        if let Some(last) = moments.get(at - 1).filter(|_| taken > 0 && at < moments.len()) {
            follow.replace_last(Arc::new(whole(last, &wanted)?));
        }
    }
    Ok(at)
}

/// Reads some members of a lineage one after the other in time order; while some are taken, the next ones are read. With
/// each comes whether it begins anew: see [`super::lineage::Lineage::anew`].
///
/// # Errors
/// Where a snapshot cannot be read or taken.
pub fn each(
    moments: &[Moment],
    (members, anew): (&[usize], &[usize]),
    wanted: &Wanted,
    mut take: impl FnMut(Snapshot, bool) -> Result<()> + Send,
) -> Result<()> {
    let read = |at: &usize| Some(whole(moments.get(*at)?, wanted).map(|snapshot| (*at, snapshot)));
    let mut batches = members.chunks(AHEAD).map(|batch| ingest::side_by_side(batch, read));
    let mut ready = batches.next();
    while let Some(snapshots) = ready {
        let push = || {
            snapshots.into_iter().flatten().try_for_each(|snapshot| {
                let (at, snapshot) = snapshot?;
                take(snapshot, anew.contains(&at))
            })
        };
        let (pushed, next) = rayon::join(push, || batches.next());
        pushed?;
        ready = next;
    }
    Ok(())
}

/// A snapshot is taken to be of the moment by which it was sorted. Where nothing but the name says when, the name is
/// nearer to the truth than the newest time in the data, which is only a lower bound.
pub(super) fn settle_time(snapshot: &mut Snapshot, at: Option<Timestamp>, source: Option<TimeSource>) {
    let meta = &mut snapshot.meta;
    let doubtful = matches!(meta.time_source, None | Some(TimeSource::NewestInData | TimeSource::Unknown));
    if doubtful && at.is_some() {
        meta.taken_at = at;
        meta.time_source = source;
    }
}

/// The views that have to be read for some to be judged as in a full reading.
pub(super) fn wanted(views: impl Iterator<Item = &'static str>, also: &[&'static str]) -> Wanted {
    let views: Vec<&'static str> = views.collect();
    let mut all: BTreeSet<&'static str> = diff::needed_for(&views);
    all.extend(also);
    Wanted::views(all)
}
