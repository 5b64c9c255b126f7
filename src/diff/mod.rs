//! What changed between snapshots: two subtracted ([`Diff`]), or a whole chain of windows ([`Chain`]).
//!
//! A delta is never a bare number. It carries its class (did the counters start again?) and the time it covers.
//! Decided per statistics entry, as the project's diff semantics say; the documents are in `docs/diff.md`.

mod chain;
mod class;
mod event;
mod view;

pub use chain::{Chain, Change, ViewChange};
pub use class::{Class, Exact};
pub use event::{Certainty, Event};
pub use view::{DiffRow, RowDiff, Verdict, ViewDiff};

use crate::meta::Notes;
use crate::snapshot::Snapshot;
use std::collections::BTreeMap;
use std::sync::Arc;

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
    /// The views that both or one of them carry and that are cumulative, by catalog name.
    pub views: BTreeMap<&'static str, ViewDiff>,
    /// Warnings about identity and order (`W-ORDER`, `W-NODE`, `W-CLOCK`, ...).
    pub notes: Notes,
}
