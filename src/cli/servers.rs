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

/// The servers by as much of their nodes' names as tells them apart, else by their roles, with the database where those
/// differ, numbered where that is alike.
pub(super) fn named(chains: Vec<Chain>) -> Vec<Server> {
    let databases: BTreeSet<&String> = chains.iter().filter_map(|c| c.last().meta.database.as_ref()).collect();
    let differ = databases.len() > 1;
    let metas: Vec<&Meta> = chains.iter().map(|c| &c.last().meta).collect();
    let mut names: Vec<String> = Vec::with_capacity(chains.len());
    for meta in &metas {
        let plain = name_among(meta, &metas);
        let plain = match &meta.database {
            Some(database) if differ => format!("{plain}, database {database}"),
            _ => plain,
        };
        let number = (2..=names.len() + 1).map(|n| format!("{plain} {n}")).find(|n| !names.contains(n));
        let name = if names.contains(&plain) { number.unwrap_or_else(|| plain.clone()) } else { plain };
        names.push(name);
    }
    names.into_iter().zip(chains).collect()
}

/// The shortest name that no other of these servers has.
fn name_among(meta: &Meta, all: &[&Meta]) -> String {
    let parts = parts_of(meta);
    let others: Vec<Vec<String>> = all.iter().filter(|m| m.node != meta.node).map(|m| parts_of(m)).collect();
    let tells = |n: &usize| !others.iter().any(|o| o.starts_with(&parts[..*n]));
    let enough = (1..parts.len()).find(tells).unwrap_or(parts.len());
    parts[..enough].join(" ")
}

fn parts_of(meta: &Meta) -> Vec<String> {
    let role = match meta.in_recovery {
        Some(true) => "standby",
        Some(false) => "primary",
        None => "server",
    };
    meta.node.as_ref().map_or_else(|| vec![role.to_owned()], |node| node.parts(role))
}

/// The servers as the advisor takes them.
pub(super) fn peers(servers: &[Server]) -> Vec<Peer<'_>> {
    servers.iter().map(|(name, chain)| Peer { name, chain }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meta::Node;

    #[test]
    fn servers_are_named_by_what_tells_them_apart() {
        let meta = |of: &str, standby: bool| {
            let mut parts = of.split('|').map(|p| (!p.is_empty()).then(|| p.to_owned()));
            let mut next = || parts.next().flatten();
            Meta { node: Node::new(next(), next(), next()), in_recovery: Some(standby), ..Meta::default() }
        };
        for (of, want) in [
            (["depot||11111111aaaa", "cellar||22222222bbbb"], ["depot", "cellar"]),
            (["15/main||11111111aaaa", "15/main||22222222bbbb"], ["15/main 11111111", "15/main 22222222"]),
            (["a|10.0.0.1:5432|1", "a|10.0.0.2:5432|1"], ["a 10.0.0.1:5432", "a 10.0.0.2:5432"]),
            (["|10.0.0.1:5432|1", "|10.0.0.1:5433|1"], ["10.0.0.1:5432", "10.0.0.1:5433"]),
            (["||11111111aaaa", "||22222222bbbb"], ["primary", "standby"]),
            (["depot||1", "depot||1"], ["depot", "depot"]),
            (["", ""], ["primary", "standby"]),
        ] {
            let metas = [meta(of[0], false), meta(of[1], true)];
            let all: Vec<&Meta> = metas.iter().collect();
            assert_eq!(all.iter().map(|m| name_among(m, &all)).collect::<Vec<_>>(), want);
        }
    }
}
