//! Dumps of a primary and its standbys given together: a chain for each server.

use crate::advisor::Peer;
use crate::diff::{self, Chain};
use crate::error::{Error, Result};
use crate::snapshot::{Snapshot, Table};
use std::path::PathBuf;
use std::sync::Arc;

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

/// Refuses dumps of which nothing was understood: a report on them would say that nothing is wrong.
pub(super) fn recognised<'a>(snapshots: impl Iterator<Item = &'a Snapshot> + Clone, dumps: &[PathBuf]) -> Result<()> {
    // A file without a byte has no columns, and its name alone is no view.
    let known = |t: &Table| t.view.is_some_and(|v| v.name != "meta") && t.columns.iter().any(Option::is_some);
    if snapshots.clone().any(|s| s.tables.values().any(|t| known(t))) {
        return Ok(());
    }
    let dumps: Vec<String> = dumps.iter().map(|d| format!("`{}`", d.display())).collect();
    let mut notes = snapshots.flat_map(|s| &s.meta.notes.kept);
    let unread = notes.find(|n| n.code == "unreadable-file");
    let why = unread.map_or_else(
        || "nothing in it is one that is known".to_owned(),
        |n| n.file.as_ref().map_or_else(|| n.message.clone(), |file| format!("{file}: {}", n.message)),
    );
    Err(Error::Input {
        message: format!("find an exported view in {}: {why}", dumps.join(", ")),
        hint: Some(
            "`pgretro inspect` shows what was read; dumps of other programs are not understood, but `pgretro export-sql` \
             prints a script that makes one that is"
                .to_owned(),
        ),
    })
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
