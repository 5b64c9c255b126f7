//! Snapshots of several servers of one cluster told apart: a primary and its standbys, each with its own counters.

use crate::meta::Meta;
use crate::snapshot::Snapshot;
use crate::time::Timestamp;
use std::sync::Arc;

/// Groups snapshots by server, in the order of each one's first. One group where they are not all known to be of one
/// cluster: what is wrong then is for [`chain`](super::chain) to say.
///
/// Told apart by the name of the node (one that knows less of itself, as a role without rights exports it, is the same if
/// it started at the same moment); else by the start of the server: two that ran at once are two, one that began
/// after the other's last snapshot is the same started again, unless a primary became a standby.
pub fn by_node(mut snapshots: Vec<Arc<Snapshot>>) -> Vec<Vec<Arc<Snapshot>>> {
    let cluster = snapshots.first().and_then(|s| s.meta.system_identifier.clone());
    let one_cluster = cluster.is_some() && snapshots.iter().all(|s| s.meta.system_identifier == cluster);
    if !one_cluster || snapshots.iter().any(|s| s.meta.taken_at.is_none()) {
        return vec![snapshots];
    }
    snapshots.sort_by_key(|s| s.meta.taken_at);
    // First by what proves that two are the same: the same start, the same name.
    let mut runs: Vec<Vec<Arc<Snapshot>>> = Vec::new();
    for snapshot in snapshots {
        match runs.iter_mut().find(|run| run.first().is_some_and(|s| same_run(&s.meta, &snapshot.meta))) {
            Some(run) => run.push(snapshot),
            None => runs.push(vec![snapshot]),
        }
    }
    // Then a later run goes on where an earlier one ended.
    let mut nodes: Vec<Vec<Arc<Snapshot>>> = Vec::new();
    for run in runs {
        let goes_on = |node: &Vec<Arc<Snapshot>>| {
            node.last().zip(run.first()).is_some_and(|(last, first)| continues(&last.meta, &first.meta))
        };
        match nodes.iter_mut().rev().find(|node| goes_on(node)) {
            Some(node) => node.extend(run),
            None => nodes.push(run),
        }
    }
    nodes
}

fn same_run(a: &Meta, b: &Meta) -> bool {
    if a.node.is_some() && b.node.is_some() {
        return !a.is_named_otherwise(b);
    }
    match (a.postmaster_start, b.postmaster_start) {
        (Some(x), Some(y)) => x == y,
        _ => a.in_recovery == b.in_recovery,
    }
}

/// Whether a server may be the one before, started again.
fn continues(last: &Meta, first: &Meta) -> bool {
    if last.is_named_otherwise(first) {
        return false;
    }
    let after = |start: Timestamp| last.taken_at.is_some_and(|end| start >= end);
    last.in_recovery == first.in_recovery && first.postmaster_start.is_some_and(after)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meta::Node;
    use crate::snapshot::literal::literal;

    fn taken(at: &str, start: &str, standby: bool, node: Option<&str>) -> Arc<Snapshot> {
        literal(&format!("2026-11-22 {at}:00+00"))
            .meta(|m| {
                m.system_identifier = Some("7".to_owned());
                m.in_recovery = Some(standby);
                m.node = node.map(Into::into);
                m.postmaster_start = Timestamp::parse(&format!("2026-11-22 {start}:00+00")).map(|(t, _)| t);
                m.label = format!("{at}{}", if standby { " standby" } else { "" });
            })
            .build()
    }

    fn labels(snapshots: Vec<Arc<Snapshot>>) -> Vec<Vec<String>> {
        by_node(snapshots).iter().map(|n| n.iter().map(|s| s.meta.label.clone()).collect()).collect()
    }

    #[test]
    fn what_ran_at_once_is_two_and_a_restart_is_one() {
        let all = vec![
            taken("12:30", "12:01", true, None),
            taken("12:00", "11:00", false, None),
            // Started again after its last snapshot.
            taken("12:40", "12:20", false, None),
            taken("12:10", "11:00", false, None),
        ];
        assert_eq!(labels(all), [vec!["12:00", "12:10", "12:40"], vec!["12:30 standby"]]);
    }

    #[test]
    fn two_standbys_are_two() {
        let all = vec![
            taken("12:00", "11:00", true, None),
            taken("12:01", "11:30", true, None),
            taken("12:10", "11:00", true, None),
            taken("12:11", "11:30", true, None),
        ];
        assert_eq!(labels(all), [["12:00 standby", "12:10 standby"], ["12:01 standby", "12:11 standby"]]);
    }

    #[test]
    fn names_decide_where_they_are_known() {
        let all = vec![
            taken("12:00", "11:00", false, Some("a")),
            taken("12:10", "11:00", false, Some("b")),
            taken("12:20", "12:15", false, Some("a")),
        ];
        assert_eq!(labels(all), [vec!["12:00", "12:20"], vec!["12:10"]]);
    }

    #[test]
    fn a_role_that_sees_less_of_the_server_sees_the_same_one() {
        let node = |directory: Option<&str>| Node::new(Some("depot".to_owned()), None, directory.map(str::to_owned));
        for (start, want) in [("11:00", 1), ("11:01", 2)] {
            let read = [("12:00", "11:00", Some("6bac")), ("12:10", start, None)].map(|(at, start, directory)| {
                let mut snapshot = Arc::unwrap_or_clone(taken(at, start, false, None));
                snapshot.meta.node = node(directory);
                Arc::new(snapshot)
            });
            assert_eq!(by_node(read.to_vec()).len(), want, "{start}");
        }
    }

    #[test]
    fn what_is_not_known_to_be_one_cluster_stays_together() {
        let other = literal("2026-11-22 12:00:00+00").build();
        assert_eq!(by_node(vec![taken("12:30", "12:01", true, None), other]).len(), 1);
    }
}
