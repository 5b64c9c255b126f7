//! What a history is watched for beside its objects' columns: settings, clocks of transaction ids, the space in use.

use super::math::thin::Thinned;
use super::trigger::Surroundings;
use crate::snapshot::{Snapshot, Table};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Views it reads beside those followed.
pub(super) const VIEWS: [&str; 4] = ["pg_settings", "table_sizes", "sequence_columns", "database_sizes"];

/// An id counter: its position, and the ages that follow it.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    /// The next id, as the dump states it.
    stated: Thinned<f64>,
    /// The sum of what the ages gained: the largest gain among the databases, as long as no freeze hides it.
    by_age: Thinned<f64>,
    sum: f64,
    ages: BTreeMap<i64, f64>,
}

impl Clock {
    /// Its positions: stated where at least two snapshots state it, else by the ages.
    pub fn points(&self) -> &Thinned<f64> {
        if self.stated.seen() >= 2 { &self.stated } else { &self.by_age }
    }

    /// Whether the ages had to tell.
    pub fn is_by_age(&self) -> bool {
        self.stated.seen() < 2
    }

    fn see(&mut self, snapshot: &Snapshot, next: Option<i64>, column: &str) {
        let Some(at) = snapshot.meta.taken_at else { return };
        if let Some(next) = next {
            self.stated.push(at, next as f64);
        }
        let Some(table) = snapshot.table("database_sizes").filter(|t| t.has(column)) else { return };
        let mut gain = 0.0_f64;
        let mut ages = BTreeMap::new();
        for row in table.iter() {
            let (Some(id), Some(age)) = (row.int("datid"), row.f64(column)) else { continue };
            if let Some(was) = self.ages.get(&id) {
                gain = gain.max(age - was);
            }
            ages.insert(id, age);
        }
        self.ages = ages;
        self.sum += gain;
        self.by_age.push(at, self.sum);
    }
}

/// What a history is watched for.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    /// Settings and storage parameters as last seen.
    pub surroundings: Surroundings,
    /// Transaction ids.
    pub xid: Clock,
    /// Multixact ids.
    pub multixact: Clock,
    /// Sizes of all databases together.
    pub disk: Thinned<f64>,
    /// The newest `sequence_columns`.
    pub sequence_columns: Option<Arc<Table>>,
    /// The newest `pg_sequences`.
    pub sequences: Option<Arc<Table>>,
    /// The newest `database_sizes`.
    pub databases: Option<Arc<Table>>,
}

impl Watch {
    /// One more snapshot.
    pub fn see(&mut self, snapshot: &Snapshot) {
        self.surroundings.see(snapshot);
        self.xid.see(snapshot, snapshot.meta.next_xid, "datfrozenxid_age");
        self.multixact.see(snapshot, snapshot.meta.next_multixact, "datminmxid_age");
        for (name, place) in [
            ("sequence_columns", &mut self.sequence_columns),
            ("pg_sequences", &mut self.sequences),
            ("database_sizes", &mut self.databases),
        ] {
            if let Some(table) = snapshot.table(name) {
                *place = Some(Arc::clone(table));
            }
        }
        if let (Some(at), Some(table)) = (snapshot.meta.taken_at, snapshot.table("database_sizes")) {
            // A size that nobody may see makes the sum a wrong one.
            let sizes: Option<Vec<f64>> = table.iter().map(|r| r.f64("size")).collect();
            if let Some(sizes) = sizes.filter(|s| !s.is_empty()) {
                self.disk.push(at, sizes.iter().sum());
            }
        }
    }
}
