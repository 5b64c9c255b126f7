//! Which snapshots of a mixed lot belong to one history.
//!
//! A lineage is one database on one node in time order. Overlapping folders, duplicates and a wrong order of arguments are
//! put right; primary and standbys of a cluster, and different databases, are lineages of their own; a major upgrade
//! continues its lineage. Different clusters are refused unless the user allows them.

use crate::diff;
use crate::error::{Error, Result};
use crate::meta::{Meta, Notes};

/// Snapshots of one history.
#[derive(Clone, Debug, PartialEq)]
pub struct Lineage {
    /// Their positions in the list given, in time order.
    pub members: Vec<usize>,
    /// Which of them do not continue their predecessor's counters: after an upgrade to a new cluster.
    pub anew: Vec<usize>,
}

/// Sorts snapshots into lineages, those of the first snapshot first. Snapshots without a time keep their place.
///
/// # Errors
/// `E-CLUSTER` where they are of different clusters and `allow_different` is false.
pub fn lineages(metas: &[&Meta], allow_different: bool, notes: &mut Notes) -> Result<Vec<Lineage>> {
    let mut order: Vec<usize> = (0..metas.len()).collect();
    if metas.iter().all(|m| m.taken_at.is_some()) {
        if !metas.is_sorted_by_key(|m| m.taken_at) {
            notes.say("W-ORDER", "the order given was not that of time: sorted by the server's clock");
        }
        order.sort_by_key(|i| metas.get(*i).and_then(|m| m.taken_at));
    } else if metas.len() > 1 {
        notes.say("W-TIME", "a snapshot has no time: the order given is kept, and there are no rates");
    }
    let mut lineages: Vec<Lineage> = Vec::new();
    for at in order {
        let Some(meta) = metas.get(at) else { continue };
        if let Some((place, anew)) = find(&lineages, metas, meta)
            && let Some(lineage) = lineages.get_mut(place)
        {
            lineage.members.push(at);
            lineage.anew.extend(anew.then_some(at));
            continue;
        }
        if !allow_different {
            refuse_other_cluster(&lineages, metas, meta)?;
        }
        lineages.push(Lineage { members: vec![at], anew: Vec::new() });
    }
    Ok(lineages)
}

/// The lineage a snapshot continues, and whether its counters begin anew there.
fn find(lineages: &[Lineage], metas: &[&Meta], meta: &Meta) -> Option<(usize, bool)> {
    let last = |lineage: &Lineage| lineage.members.last().and_then(|i| metas.get(*i));
    let fits = |(at, lineage): (usize, &Lineage)| {
        let last = last(lineage)?;
        if last.database.is_some() && meta.database.is_some() && last.database != meta.database {
            return None;
        }
        let mismatch = diff::mismatch(last, meta);
        let upgraded = is_upgrade(last, meta);
        if mismatch.as_ref().is_some_and(|(code, _)| *code != "E-CLUSTER" || !upgraded) {
            return None;
        }
        // What says the same of itself is closest, then what was seen last.
        let likeness = u8::from(last.node.is_some() && last.node == meta.node) * 4
            + u8::from(last.postmaster_start.is_some() && last.postmaster_start == meta.postmaster_start) * 2
            + u8::from(last.in_recovery == meta.in_recovery);
        Some(((likeness, last.taken_at, std::cmp::Reverse(at)), (at, mismatch.is_some())))
    };
    lineages.iter().enumerate().filter_map(fits).max_by_key(|(rank, _)| *rank).map(|(_, found)| found)
}

/// A later major of the same database on the same machine: pg_upgrade makes a new cluster with a new identifier.
fn is_upgrade(before: &Meta, after: &Meta) -> bool {
    let later = before.major().zip(after.major()).is_some_and(|(a, b)| b > a);
    let same = |a: &Option<String>, b: &Option<String>| a.is_some() && a == b;
    later && same(&before.database, &after.database) && (before.node.is_none() || before.node == after.node)
}

fn refuse_other_cluster(lineages: &[Lineage], metas: &[&Meta], meta: &Meta) -> Result<()> {
    for other in lineages.iter().filter_map(|l| l.members.first()).filter_map(|i| metas.get(*i)) {
        if let Some(("E-CLUSTER", what)) = diff::mismatch(other, meta) {
            return Err(Error::Identity {
                code: "E-CLUSTER",
                message: format!("follow `{}` and `{}` together: {what}", other.label, meta.label),
                hint: Some(
                    "give snapshots of one cluster, or follow each on its own with --allow-different-clusters"
                        .to_owned(),
                ),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;
    use crate::version::PgVersion;

    fn meta(at: i64, cluster: &str) -> Meta {
        Meta {
            taken_at: Some(Timestamp::from_seconds(at)),
            system_identifier: Some(cluster.to_owned()),
            database: Some("shop".to_owned()),
            in_recovery: Some(false),
            version: Some(PgVersion::major_only(16)),
            postmaster_start: Some(Timestamp(0)),
            ..Meta::default()
        }
    }

    fn given(metas: &[Meta], allow: bool, notes: &mut Notes) -> Result<Vec<Lineage>> {
        lineages(&metas.iter().collect::<Vec<_>>(), allow, notes)
    }

    fn sorted(metas: &[Meta]) -> Vec<Vec<usize>> {
        given(metas, false, &mut Notes::default()).unwrap().into_iter().map(|l| l.members).collect()
    }

    #[test]
    fn wrong_order_is_put_right() {
        let mut notes = Notes::default();
        let found = given(&[meta(30, "7"), meta(10, "7"), meta(20, "7")], false, &mut notes).unwrap();
        assert_eq!(found[0].members, [1, 2, 0]);
        assert_eq!(notes.kept[0].code, "W-ORDER");
    }

    #[test]
    fn primary_and_standby_are_two() {
        let standby = |at| Meta { in_recovery: Some(true), postmaster_start: Some(Timestamp(5)), ..meta(at, "7") };
        assert_eq!(
            sorted(&[meta(1, "7"), standby(2), meta(3, "7"), standby(4), meta(5, "7")]),
            [vec![0, 2, 4], vec![1, 3]]
        );
        let named = |at, node: &str| Meta { node: Some(node.into()), ..meta(at, "7") };
        assert_eq!(sorted(&[named(1, "a"), named(2, "b"), named(3, "a")]), [vec![0, 2], vec![1]]);
    }

    #[test]
    fn databases_are_two_and_an_upgrade_is_one() {
        let other = Meta { database: Some("crm".to_owned()), ..meta(2, "7") };
        assert_eq!(sorted(&[meta(1, "7"), other, meta(3, "7")]), [vec![0, 2], vec![1]]);
        let upgraded = |at| Meta { version: Some(PgVersion::major_only(18)), ..meta(at, "8") };
        let found = given(&[meta(1, "7"), upgraded(2), upgraded(3)], false, &mut Notes::default()).unwrap();
        assert_eq!((found[0].members.len(), found[0].anew.as_slice()), (3, &[1][..]));
    }

    #[test]
    fn different_clusters_have_to_be_allowed() {
        let metas = [meta(1, "7"), meta(2, "8")];
        assert!(matches!(given(&metas, false, &mut Notes::default()), Err(Error::Identity { code: "E-CLUSTER", .. })));
        assert_eq!(given(&metas, true, &mut Notes::default()).unwrap().len(), 2);
    }
}
