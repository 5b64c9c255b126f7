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

impl Event {
    /// Its kind as people read it. Statistics are lost alike in a crash and in an immediate shutdown.
    pub fn words(&self) -> String {
        match self.kind.as_str() {
            "crash" => "crash or immediate stop".to_owned(),
            // A new file is what all of them leave: VACUUM FULL, CLUSTER, some ALTER TABLE, TRUNCATE.
            "rewritten" => "rewritten or emptied".to_owned(),
            kind => kind.replace('_', " "),
        }
    }
}
