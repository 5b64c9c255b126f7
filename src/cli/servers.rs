//! Dumps of a primary and its standbys given together: a chain for each server.

use crate::advisor::Peer;
use crate::diff::{self, Chain};
use crate::error::Result;
use crate::snapshot::Snapshot;
use std::sync::Arc;

pub(super) use super::recognised::recognised;

/// A server: the name it is told by, and its snapshots.
pub(super) type Server = (String, Chain);

/// The servers that snapshots are of: the primary first, else the one with the most snapshots.
pub(super) fn servers(snapshots: Vec<Snapshot>, options: &diff::Options) -> Result<Vec<Server>> {
    let snapshots: Vec<Arc<Snapshot>> = snapshots.into_iter().map(Arc::new).collect();
    let groups = if options.allow_different_servers { vec![snapshots] } else { diff::by_node(snapshots) };
    let mut chains = groups.into_iter().map(|group| diff::chain(group, options)).collect::<Result<Vec<Chain>>>()?;
    let is_standby = |c: &Chain| c.last().meta.in_recovery != Some(false);
    chains.sort_by_key(|c| (is_standby(c), std::cmp::Reverse(c.snapshots.len())));
    Ok(named(chains))
}

/// The servers by the names of their nodes, else by their roles, numbered where those are alike.
pub(super) fn named(chains: Vec<Chain>) -> Vec<Server> {
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
