//! Relations shared by all databases: their statistics belong to none, so no `pg_stat_reset()` touches them.

use crate::catalog::View;
use crate::snapshot::{Table, Value};

/// OIDs of the shared catalogs, fixed since they exist (`IsSharedRelation` in PostgreSQL's `catalog.c`).
const SHARED: [i64; 11] = [1213, 1214, 1260, 1261, 1262, 2396, 2964, 3592, 6000, 6100, 6243];

/// Where a view's rows say which relation they are about.
#[derive(Clone, Copy, Debug)]
pub(super) struct SharedRelations {
    relid: usize,
    relname: Option<usize>,
}

impl SharedRelations {
    /// `None` where the rows do not say.
    pub fn of(view: &View, table: &Table) -> Option<Self> {
        let exported = |name: &str| view.column(name).map(|(i, _)| i).filter(|_| table.has(name));
        Some(Self { relid: exported("relid")?, relname: exported("relname") })
    }

    /// Whether a row is about a shared relation, its index or its TOAST table.
    pub fn has(self, table: &Table, row: u32) -> bool {
        let row = row as usize;
        let Value::Int(relid) = table.value(row, self.relid) else { return false };
        // User relations have OIDs from 16384 on.
        if relid >= 16_384 {
            return false;
        }
        let toast_of = self.relname.and_then(|c| match table.value(row, c) {
            Value::Text(name) => name.strip_prefix("pg_toast_")?.parse().ok(),
            _ => None,
        });
        SHARED.contains(&relid) || toast_of.is_some_and(|oid: i64| SHARED.contains(&oid))
    }
}
