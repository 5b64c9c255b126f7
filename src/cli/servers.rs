//! Dumps of a primary and its standbys given together: a chain for each server.

use crate::advisor::{self, Peer};
use crate::diff::{self, Chain, Condensing};
use crate::error::Result;
use crate::ingest::Wanted;
use crate::meta::{Meta, Notes};
use crate::snapshot::Snapshot;
use crate::trend::lineage::Lineage;
use crate::trend::read::{self, Moment};
use std::collections::BTreeSet;
use std::sync::Arc;

pub(super) use super::recognised::recognised;

/// A server: the name it is told by, and its snapshots.
pub(super) type Server = (String, Chain);

/// The servers that snapshots are of: the primary first, else the one with the most snapshots.
pub(super) fn servers(snapshots: Vec<Snapshot>, options: &diff::Options) -> Result<Vec<Server>> {
    let snapshots: Vec<Arc<Snapshot>> = snapshots.into_iter().map(Arc::new).collect();
    let groups = if options.allow_different_servers { vec![snapshots] } else { diff::by_node(snapshots) };
    let mut chains = groups.into_iter().map(|group| diff::chain(group, options)).collect::<Result<Vec<Chain>>>()?;
    primary_first(&mut chains);
    Ok(named(chains))
}

/// The primary first, else the one with the most snapshots.
pub(super) fn primary_first(chains: &mut [Chain]) {
    let is_standby = |c: &Chain| c.last().meta.in_recovery != Some(false);
    chains.sort_by_key(|c| (is_standby(c), std::cmp::Reverse(c.snapshots.len())));
}

/// The snapshots of one history, read one after the other, and what changed between them.
pub(super) fn chain_of(moments: &[Moment], lineage: &Lineage, options: &diff::Options) -> Result<Chain> {
    let mut chain = Condensing::new(options.clone(), advisor::is_telling);
    read::each(moments, (&lineage.members, &lineage.anew), &Wanted::all(), |snapshot, anew| {
        chain.push(Arc::new(snapshot), anew).map(|_| ())
    })?;
    chain.finish(Notes::default())
}

/// Whether two servers are of one cluster and were looked at in the same database: their counters are of the same objects.
pub(super) fn are_beside(a: &Meta, b: &Meta) -> bool {
    let another = (&a.node, a.in_recovery, a.postmaster_start) != (&b.node, b.in_recovery, b.postmaster_start);
    another && a.database == b.database && a.system_identifier.is_some() && a.system_identifier == b.system_identifier
}

/// The servers by the names of their nodes, else by their roles, with the database where those differ, numbered where
/// that is alike.
pub(super) fn named(chains: Vec<Chain>) -> Vec<Server> {
    let databases: BTreeSet<&String> = chains.iter().filter_map(|c| c.last().meta.database.as_ref()).collect();
    let differ = databases.len() > 1;
    let mut named: Vec<Server> = Vec::with_capacity(chains.len());
    for chain in chains {
        let meta = &chain.last().meta;
        let plain = meta.node.clone().unwrap_or_else(|| {
            match meta.in_recovery {
                Some(true) => "standby",
                Some(false) => "primary",
                None => "server",
            }
            .to_owned()
        });
        let plain = match &meta.database {
            Some(database) if differ => format!("{plain}, database {database}"),
            _ => plain,
        };
        let taken = |name: &str| named.iter().any(|(n, _)| n == name);
        let number = (2..=named.len() + 1).map(|n| format!("{plain} {n}")).find(|n| !taken(n));
        let name = if taken(&plain) { number.unwrap_or_else(|| plain.clone()) } else { plain };
        named.push((name, chain));
    }
    named
}

/// The servers as the advisor takes them.
pub(super) fn peers(servers: &[Server]) -> Vec<Peer<'_>> {
    servers.iter().map(|(name, chain)| Peer { name, chain }).collect()
}
