//! What a report is made of: two snapshots whole, or a history read one snapshot after the other.

use super::super::servers::{Server, are_beside, chain_of, named, servers};
use super::{Args, choose, position};
use crate::advisor;
use crate::diff::{self, Condensing, Diff};
use crate::error::{Error, Result};
use crate::ingest::{self, Wanted};
use crate::meta::{Meta, Notes};
use crate::report::{Aside, History, Pulse};
use crate::trend::lineage::{Lineage, lineages};
use crate::trend::{self, Follow, Plan, read};
use std::sync::Arc;

/// Dumps from which on they are a history, sorted into what belongs together.
const HISTORY: usize = 3;

/// What was read.
pub(super) struct Material {
    /// The servers, that which is reported on first: their snapshots and what changed.
    pub servers: Vec<Server>,
    /// Every object followed through all of them.
    pub history: Option<History>,
    /// What was given and is not of this history.
    pub asides: Vec<Aside>,
}

/// Reads the dumps.
pub(super) fn gather(args: &Args, reading: &ingest::Options) -> Result<Material> {
    let options = diff::Options { allow_different_servers: args.allow_different_servers, ..diff::Options::default() };
    let opened = ingest::open(&args.dumps, reading)?;
    if opened.len() < HISTORY {
        let snapshots = ingest::read_opened(&opened, reading)?;
        let snapshots = choose(snapshots, args.from.as_deref(), args.to.as_deref())?;
        return Ok(Material { servers: servers(snapshots, &options)?, history: None, asides: Vec::new() });
    }
    let plan = Plan { followed: trend::for_report(), objects: Vec::new(), watched: true };
    let request =
        read::Request { inputs: Vec::new(), ingest: reading.clone(), diff: options.clone(), plan: plan.clone() };
    let mut moments = read::moments_of(opened, &request)?;
    narrow(&mut moments, args.from.as_deref(), args.to.as_deref())?;

    let mut notes = Notes::default();
    let metas: Vec<&Meta> = moments.iter().map(|m| &m.meta).collect();
    let (lineage, others) = if args.allow_different_servers {
        (Lineage { members: (0..moments.len()).collect(), anew: Vec::new() }, Vec::new())
    } else {
        the_one(lineages(&metas, false, &mut notes).map_err(refused)?, &metas)
    };
    // Servers laid side by side were accepted, or refused, when the lineage was formed.
    let (beside, asides) = of_one_cluster(others, &lineage, &metas);
    let mut chains = beside.iter().map(|other| chain_of(&moments, other, &options)).collect::<Result<Vec<_>>>()?;
    let follow_options = diff::Options { allow_different_servers: true, ..options.clone() };
    let mut follow = Follow::new(plan, follow_options);
    let mut pulse = Pulse::default();
    let mut chain = Condensing::new(options, advisor::is_telling);
    let mut pending: Option<Diff> = None;
    read::each(&moments, (&lineage.members, &lineage.anew), &Wanted::all(), |snapshot, anew| {
        let snapshot = Arc::new(snapshot);
        let is_first = follow.last().is_none();
        let before = pending.take();
        // While a window is subtracted, the objects of the one before are followed: each takes about as long.
        let (pushed, followed) = rayon::join(
            || chain.push(Arc::clone(&snapshot), anew).map(Option::<&Diff>::cloned),
            || before.map_or(Ok(()), |window| through(&window, &mut pulse, &mut follow)),
        );
        followed?;
        match pushed? {
            Some(window) => pending = Some(window),
            None if is_first => {
                pulse.first(&snapshot);
                follow.push(snapshot, false)?;
            }
            None => {}
        }
        Ok(())
    })?;
    pending.map_or(Ok(()), |window| through(&window, &mut pulse, &mut follow))?;
    chains.insert(0, chain.finish(notes)?);
    Ok(Material { servers: named(chains), history: Some(History { follow, pulse }), asides })
}

fn through(window: &Diff, pulse: &mut Pulse, follow: &mut Follow) -> Result<()> {
    pulse.window(window);
    follow.window(window)
}

/// Keeps the moments from `--from` to `--to`, both included.
pub(in crate::cli) fn narrow(moments: &mut Vec<read::Moment>, from: Option<&str>, to: Option<&str>) -> Result<()> {
    let names: Vec<_> = moments.iter().map(|m| (m.meta.label.as_str(), m.meta.taken_at)).collect();
    let first = from.map_or(Ok(0), |w| position(&names, w, "--from", false))?;
    let last = to.map_or(Ok(names.len().saturating_sub(1)), |w| position(&names, w, "--to", true))?;
    if first > last {
        return Err(Error::usage("use --from after --to", "exchange them"));
    }
    moments.truncate(last + 1);
    moments.drain(..first.min(moments.len()));
    Ok(())
}

/// The refusal, with what this subcommand can do about it.
fn refused(error: Error) -> Error {
    match error {
        Error::Identity { code, message, .. } => Error::Identity {
            code,
            message,
            hint: Some(
                "give snapshots of one cluster, or lay them side by side with --allow-different-servers".to_owned(),
            ),
        },
        other => other,
    }
}

/// The history that is reported on: one with a window, of a primary, with the most snapshots; and the others.
fn the_one(mut all: Vec<Lineage>, metas: &[&Meta]) -> (Lineage, Vec<Lineage>) {
    let rank = |l: &Lineage| {
        let last = last(l, metas);
        let primary = last.is_none_or(|m| m.in_recovery != Some(true));
        (l.members.len() > 1, primary, l.members.len(), last.and_then(|m| m.taken_at))
    };
    // The first of equals.
    let best = (0..all.len()).rev().max_by_key(|i| all.get(*i).map(rank)).unwrap_or(0);
    let lineage = if best < all.len() { all.remove(best) } else { Lineage { members: Vec::new(), anew: Vec::new() } };
    (lineage, all)
}

fn last<'m>(lineage: &Lineage, metas: &[&'m Meta]) -> Option<&'m Meta> {
    lineage.members.last().and_then(|i| metas.get(*i)).copied()
}

/// Other servers of the same cluster, which are judged beside the one reported on; and what is neither.
fn of_one_cluster(others: Vec<Lineage>, main: &Lineage, metas: &[&Meta]) -> (Vec<Lineage>, Vec<Aside>) {
    let main = last(main, metas);
    let (beside, rest): (Vec<_>, Vec<_>) =
        others.into_iter().partition(|other| main.zip(last(other, metas)).is_some_and(|(a, b)| are_beside(a, b)));
    let asides = rest.iter().filter_map(|l| Some((l, last(l, metas)?))).map(|(l, meta)| {
        let first = l.members.first().and_then(|i| metas.get(*i));
        Aside {
            server: meta.clone(),
            snapshots: l.members.len(),
            from: first.and_then(|m| m.taken_at),
            to: meta.taken_at,
        }
    });
    (beside, asides.collect())
}
