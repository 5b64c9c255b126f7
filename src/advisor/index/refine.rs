//! The best candidate made better where that pays, and what was weighed beside it.

use super::choose::Limits;
use super::proposal::{Alternative, Proposal, Served};
use super::shape::Shape;

/// An index with more in it may be this much larger.
pub(super) const MOST_GROWTH: f64 = 2.0;

/// One candidate, judged.
#[derive(Clone)]
pub(super) struct Judged {
    pub(super) shape: Shape,
    pub(super) gain: f64,
    pub(super) cost: f64,
    pub(super) lost_hot: f64,
    pub(super) bytes: f64,
    pub(super) served: Vec<Served>,
    pub(super) worst: f64,
    /// What a search by order leaves to luck, 0 for nothing: see `luck`.
    pub(super) luck: u8,
}

/// The best index with more behind its keys, or with what is read included, where what is left to read falls by as much
/// again: a search that still visits hundreds of scattered blocks may find all in the index.
pub(super) fn refined(best: &Judged, others: &[Judged], limits: &Limits) -> Option<usize> {
    let left = |j: &Judged| -> f64 { j.served.iter().map(|s| s.after * s.gain / (s.before - s.after).max(1.0)).sum() };
    let worth = best.served.iter().any(|s| s.after >= limits.min_buffers);
    let serves_as_many = |j: &Judged| best.served.iter().all(|s| j.served.iter().any(|o| o.statement == s.statement));
    let fits = |j: &Judged| {
        j.shape.keys.starts_with(&best.shape.keys)
            && j.shape.predicate == best.shape.predicate
            && j.bytes <= best.bytes * MOST_GROWTH
            && serves_as_many(j)
            && left(j) * limits.min_ratio <= left(best)
    };
    let better = others.iter().enumerate().filter(|(_, j)| worth && fits(j));
    better.min_by(|(_, a), (_, b)| left(a).total_cmp(&left(b)).then_with(|| a.shape.cmp(&b.shape))).map(|(at, _)| at)
}

/// A judged candidate as a proposal, with others that would serve the same statements.
pub(super) fn proposal(table: usize, best: Judged, others: &[Judged]) -> Proposal {
    let mut alternatives: Vec<Alternative> = Vec::new();
    let serves_one = |j: &Judged| j.served.iter().any(|s| best.served.iter().any(|b| b.statement == s.statement));
    for other in others.iter().filter(|j| serves_one(j)) {
        // Those that differ only in what they include say nothing new.
        if alternatives.len() < 3
            && !alternatives.iter().any(|a| {
                a.shape.keys.first() == other.shape.keys.first() && a.shape.keys.len() == other.shape.keys.len()
            })
        {
            alternatives.push(Alternative {
                shape: other.shape.clone(),
                gain_share: other.gain / best.gain.max(1.0),
                statements: other.served.len(),
                size_share: other.bytes / best.bytes.max(1.0),
                chancy: other.luck > best.luck,
            });
        }
    }
    Proposal {
        table,
        shape: best.shape,
        bytes: best.bytes,
        served: best.served,
        gain: best.gain,
        cost: best.cost,
        lost_hot: best.lost_hot,
        alternatives,
        worst: best.worst,
    }
}
