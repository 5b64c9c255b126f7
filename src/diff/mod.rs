//! What changed between snapshots: two subtracted ([`Diff`]), or a whole chain of windows ([`Chain`]).
//!
//! A delta is never a bare number. It carries its class (did the counters start again?) and the time it covers.
//! Decided per statistics entry; what the classes mean is in `docs/diff.md`.
//!
//! * `order`: which snapshots belong together; time moves forward from here on
//! * `evidence`: what the small views prove about a window
//! * `join`, `identity`, `merge`: which row is which
//! * `entry`, `statements`, `filtered`: what rows show by themselves
//! * `decide`: the decision table; `shared`: relations that are in every database
//! * `subtract`, `members`: views and groups of views
//! * `calm`: windows in which nothing happened that concerns a whole view; `foremost`: large ones of which few rows are
//!   asked for
//! * `chain`, `fold`: windows added up; `condense`, `compose`: those of a long history, one snapshot after the other
//! * `lane`, `wide`, `sum`: deltas of many rows, loops over them, all of them added up
//! * `temporary`: rows left out
//! * `moments`, `rate`: numbers made from deltas
//! * `event`, `happened`: what happened

mod calm;
mod chain;
mod class;
mod compose;
mod condense;
mod decide;
mod entry;
mod event;
mod evidence;
mod filtered;
mod fold;
mod foremost;
mod happened;
mod identity;
mod join;
mod lane;
mod members;
mod merge;
pub mod moments;
mod nodes;
mod order;
pub mod rate;
mod shared;
mod statements;
mod subtract;
mod sum;
mod temporary;
mod totals;
mod view;
mod wide;

pub use calm::{is_calm, watch};
pub use chain::{Chain, Change, Glance, ViewChange, chain};
pub use class::{Class, Exact};
pub use condense::Condensing;
pub use entry::{Witness, witness};
pub use event::{Certainty, Event};
pub use filtered::{LIMITS, cut_by, is_sorted_by};
pub use foremost::Foremost;
pub use lane::Lane;
pub use nodes::by_node;
pub use order::mismatch;
pub use rate::MIN_WINDOW_S;
pub use statements::Phase;
pub use subtract::{is_evidence, is_subtracted, needed_for};
pub use view::{DiffRow, NO_LONGER_A_VALUE, NO_VALUE, NOW_A_VALUE, RowDiff, Verdict, ViewDiff};

use crate::error::Result;
use crate::meta::Notes;
use crate::snapshot::Snapshot;
use evidence::Evidence;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What the user may allow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Lay snapshots of different clusters, nodes or timelines side by side instead of refusing them; nothing is
    /// subtracted.
    pub allow_different_servers: bool,
    /// Include the sessions' temporary tables.
    pub temporary: bool,
}

/// Two snapshots subtracted.
#[derive(Clone, Debug)]
pub struct Diff {
    /// The earlier snapshot.
    pub before: Arc<Snapshot>,
    /// The later one.
    pub after: Arc<Snapshot>,
    /// Seconds between the two, by the server's clock; `None` where a capture time is unknown.
    pub elapsed_s: Option<f64>,
    /// What happened in between, as far as two snapshots prove it, in a total order.
    pub events: Vec<Event>,
    /// The views that both or one of them carry and that have numbers to compare, by catalog name.
    pub views: BTreeMap<&'static str, Arc<ViewDiff>>,
    /// Warnings about identity and order (`W-ORDER`, `W-NODE`, `W-CLOCK`, ...).
    pub notes: Notes,
}

/// Subtracts two snapshots; the earlier one by the server's clock comes first, whatever the order given.
///
/// # Errors
/// [`crate::error::Error::Identity`] where they are not of one server whose time moved forward.
pub fn diff(a: Arc<Snapshot>, b: Arc<Snapshot>, options: &Options) -> Result<Diff> {
    let mut notes = Notes::default();
    let mut pair = vec![a, b];
    order::sort(&mut pair, &mut notes);
    let (Some(after), Some(before)) = (pair.pop(), pair.pop()) else {
        return Err(crate::error::Error::input("compare fewer than two snapshots"));
    };
    order::same_moment(&before, &after, &mut notes)?;
    window(before, after, options, notes)
}

/// Subtracts two snapshots whose order is settled.
fn window(before: Arc<Snapshot>, after: Arc<Snapshot>, options: &Options, mut notes: Notes) -> Result<Diff> {
    let settled = order::check(&before, &after, options, &mut notes)?;
    let evidence = Evidence { withheld: settled.withheld, ..Evidence::gather(&before, &after) };
    let views = subtract::all(&before, &after, &evidence, options, &mut notes);
    if let Some(doubt) = doubt_node(&views, &evidence, &before, &after) {
        notes.say("W-NODE", doubt);
    }
    let elapsed_s = evidence.elapsed_s;
    let events =
        happened::events(&happened::Window { before: &before, after: &after, evidence: &evidence, views: &views });
    Ok(Diff { before, after, elapsed_s, events, views, notes })
}

/// Several independent views whose counters fell although nothing was reset look like another server.
fn doubt_node(
    views: &BTreeMap<&'static str, Arc<ViewDiff>>,
    evidence: &Evidence,
    before: &Snapshot,
    after: &Snapshot,
) -> Option<String> {
    if before.meta.node.is_some() && before.meta.node == after.meta.node || evidence.crash.is_some() {
        return None;
    }
    // Views of one statistics entry fall together; statements are evicted one by one.
    let independent = |v: &&Arc<ViewDiff>| {
        v.view.epoch != crate::catalog::Epoch::Statements && !v.view.name.starts_with("pg_statio_user_")
    };
    let unexplained = |v: &&Arc<ViewDiff>| v.verdicts.iter().any(|d| d.class == Class::ResetUnsure);
    let fallen: Vec<&str> = views.values().filter(independent).filter(unexplained).map(|v| v.view.name).collect();
    (fallen.len() >= 2).then(|| {
        format!("{} went backwards without a reset: two different servers, or a restored copy?", fallen.join(", "))
    })
}

#[cfg(test)]
pub(crate) mod tests;
