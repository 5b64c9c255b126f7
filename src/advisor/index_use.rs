//! Indexes as one decides about them: a partitioned index with all its parts; what else needs them; their load.

use super::indexdef::IndexDef;
use super::{Context, Elsewhere, IndexFact};
use crate::diff::Change;
use std::collections::{BTreeMap, BTreeSet};

/// An index, or all parts of a partitioned one.
pub struct Candidate<'c, 'a> {
    /// The index; of a partitioned one the root.
    pub index: &'c IndexFact<'a>,
    /// The indexes with storage, each with its use.
    pub parts: Vec<(&'c IndexFact<'a>, Change<'a>)>,
}

/// Single indexes, and partitioned ones with all their parts.
pub fn candidates<'c, 'a>(cx: &Context<'a>) -> Vec<Candidate<'c, 'a>>
where
    'a: 'c,
{
    let mut whole: BTreeMap<i64, Vec<(&IndexFact<'a>, Change<'a>)>> = BTreeMap::new();
    let mut out = Vec::new();
    for index in &cx.facts.indexes {
        let Some(change) = index.change else { continue };
        let mut root = None;
        let mut at = index.parent();
        // A damaged export could name a cycle.
        for _ in 0..64 {
            let Some(oid) = at else { break };
            root = Some(oid);
            at = cx.facts.index(oid).and_then(IndexFact::parent);
        }
        match root {
            Some(oid) => whole.entry(oid).or_default().push((index, change)),
            None => out.push(Candidate { index, parts: vec![(index, change)] }),
        }
    }
    for (oid, parts) in whole {
        if let Some(index) = cx.facts.index(oid) {
            out.push(Candidate { index, parts });
        }
    }
    out
}

/// Indexes that are the only support of a foreign key: its checks look up rows by them.
pub fn supporting(cx: &Context<'_>) -> BTreeSet<i64> {
    let mut only = BTreeSet::new();
    for row in
        cx.state("constraints").into_iter().flat_map(|s| s.table.iter()).filter(|r| r.text("contype") == Some("f"))
    {
        let Some(relid) = row.int("relid") else { continue };
        let columns = row.array("columns");
        let serve: Vec<i64> = cx
            .facts
            .indexes_of(relid)
            .filter(|i| {
                i.is_valid() != Some(false) && i.def().is_some_and(|d: IndexDef| d.supports_foreign_key(&columns))
            })
            .filter_map(IndexFact::indexrelid)
            .collect();
        if let [one] = serve[..] {
            only.insert(one);
        }
    }
    only
}

/// How the other servers of the cluster use an index.
pub enum OnPeers {
    /// One of them scans it.
    Used,
    /// None of those that say has scanned it for so many seconds; `None` where one does not say since when it counts.
    Quiet(Option<f64>),
}

/// How the other servers use an index and all its parts.
pub fn on_peers(cx: &Context<'_>, candidate: &Candidate<'_, '_>) -> OnPeers {
    let mut quiet_s = Some(f64::INFINITY);
    for (part, _) in &candidate.parts {
        match cx.facts.peers.index(part.indexrelid()) {
            Elsewhere::Used(_) => return OnPeers::Used,
            Elsewhere::Idle { rows, .. } if rows.is_empty() => {}
            Elsewhere::Idle { age_s, .. } => quiet_s = quiet_s.zip(age_s).map(|(a, b)| a.min(b)),
        }
    }
    OnPeers::Quiet(quiet_s)
}

/// Scans of the tables, sequential ones included, since the counters began.
pub fn table_scans(cx: &Context<'_>, candidate: &Candidate<'_, '_>) -> f64 {
    let mut known = false;
    let mut sum = 0.0;
    for (part, _) in &candidate.parts {
        let Some(row) = part.relid().and_then(|r| cx.facts.table(r)).and_then(|t| t.change).and_then(Change::last)
        else {
            continue;
        };
        known = true;
        sum += row.f64("seq_scan").unwrap_or(0.0) + row.f64("idx_scan").unwrap_or(0.0);
    }
    if known { sum } else { f64::INFINITY }
}

pub fn bytes(candidate: &Candidate<'_, '_>) -> Option<i64> {
    candidate.parts.iter().map(|(i, _)| i.bytes()).try_fold(0_i64, |sum, b| Some(sum.saturating_add(b?)))
}

/// Writes of a table per second that may have to maintain an index of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Writes {
    /// Per second.
    pub per_s: f64,
    /// Whether there were more: counters began again at a time that is not known.
    pub at_least: bool,
}

/// Those of the index's tables; `None` where no time is known that they cover.
pub fn writes(cx: &Context<'_>, candidate: &Candidate<'_, '_>) -> Option<Writes> {
    let of_table = |change: Change<'_>| {
        let delta = |column| change.delta(column).unwrap_or(0.0);
        let rows = delta("n_tup_ins") + (delta("n_tup_upd") - delta("n_tup_hot_upd")).max(0.0);
        let covered = change.covered_s();
        let seconds = covered.or(cx.chain.elapsed_s).filter(|s| *s >= 10.0)?;
        Some(Writes { per_s: rows / seconds, at_least: covered.is_none() || !change.is_exact() })
    };
    let changes = candidate.parts.iter().filter_map(|(part, _)| cx.facts.table(part.relid()?)?.change);
    changes.filter_map(of_table).reduce(|a, b| Writes { per_s: a.per_s + b.per_s, at_least: a.at_least || b.at_least })
}
