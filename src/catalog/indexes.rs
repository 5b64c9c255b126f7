//! Indexes: scans; reads and hits.

use super::{Epoch, Origin, Shape, View, counter, id, label, number, time};
use crate::unit::Unit::{Blocks, Count, Rows};
use crate::version::Majors;

/// Scans of each index.
pub const PG_STAT_USER_INDEXES: View = View {
    name: "pg_stat_user_indexes",
    also: &["pg_stat_all_indexes", "pg_stat_sys_indexes"],
    origin: Origin::Server,
    shape: Shape::Counters,
    epoch: Epoch::Database,
    per_database: true,
    majors: Majors::ALL,
    key: &["indexrelid"],
    fallback_key: &["schemaname", "relname", "indexrelname"],
    telling: "idx_scan",
    about: "Scans of each index",
    columns: &[
        number("relid", "OID of the table"),
        id("indexrelid", "OID of the index"),
        label("schemaname", "Schema"),
        label("relname", "Table name"),
        label("indexrelname", "Index name"),
        counter("idx_scan", Count, "Index scans started, rescans and array elements included"),
        time("last_idx_scan", "When the last scan of this index ended").since(16),
        counter("idx_tup_read", Count, "Index entries returned by scans"),
        counter("idx_tup_fetch", Rows, "Live rows fetched by plain index scans (not bitmap or index-only ones)"),
    ],
};

/// Blocks of each index, read or found in shared buffers.
pub const PG_STATIO_USER_INDEXES: View = View {
    name: "pg_statio_user_indexes",
    also: &["pg_statio_all_indexes", "pg_statio_sys_indexes"],
    origin: Origin::Server,
    shape: Shape::Counters,
    epoch: Epoch::Database,
    per_database: true,
    majors: Majors::ALL,
    key: &["indexrelid"],
    fallback_key: &["schemaname", "relname", "indexrelname"],
    telling: "idx_blks_read",
    about: "Blocks of each index, read or found in shared buffers",
    columns: &[
        number("relid", "OID of the table"),
        id("indexrelid", "OID of the index"),
        label("schemaname", "Schema"),
        label("relname", "Table name"),
        label("indexrelname", "Index name"),
        counter("idx_blks_read", Blocks, "Blocks not found in shared buffers"),
        counter("idx_blks_hit", Blocks, "Blocks found in shared buffers"),
    ],
};
