//! What keeps old rows and old transaction ids from going: open transactions, prepared ones, slots.

use crate::finding::Fix;

/// Looks at all of them, the oldest first. While there is one, no vacuum gets further than it.
pub fn look_at_holders() -> Fix {
    Fix::diagnose(
        "holders of old rows",
        "SELECT pid, usename, state, xact_start, age(backend_xmin) FROM pg_stat_activity WHERE backend_xmin IS NOT NULL ORDER BY age(backend_xmin) DESC;\n\
         SELECT gid, prepared, owner, age(transaction) FROM pg_prepared_xacts ORDER BY prepared;\n\
         SELECT slot_name, active, age(xmin), age(catalog_xmin) FROM pg_replication_slots ORDER BY age(xmin) DESC NULLS LAST;",
    )
}
