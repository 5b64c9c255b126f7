//! What happened between two snapshots.

use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// How sure an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Certainty {
    /// The snapshots leave no other explanation.
    Proven,
    /// The evidence fits, others are possible.
    Likely,
}

/// Something that happened between two snapshots, with what shows it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Event {
    /// `stats_reset_database`, `stats_reset_object`, `stats_reset_shared`, `stats_reset_statements`, `crash`, `restart`,
    /// `renamed`, `recreated`, `index_created`, ... (the list is in `docs/diff.md`).
    pub kind: String,
    /// The database, view or cluster it concerns.
    pub scope: Option<String>,
    /// The object it concerns.
    pub object: Option<String>,
    /// When, where known.
    pub at: Option<Timestamp>,
    /// What shows it, one sentence each.
    pub evidence: Vec<String>,
    /// How sure it is.
    pub certainty: Certainty,
}
