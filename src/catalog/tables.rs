//! Tables: scans, tuples, vacuum; their reads and hits.

use super::{Epoch, Origin, Shape, View, counter, duration, gauge, id, label, self_resetting, sum, time};
use crate::unit::Unit::{Blocks, Count, Rows};
use crate::version::Majors;

/// Scans, row changes, vacuum and analyze of each table.
pub const PG_STAT_USER_TABLES: View = View {
    name: "pg_stat_user_tables",
    also: &["pg_stat_all_tables", "pg_stat_sys_tables"],
    origin: Origin::Server,
    shape: Shape::Counters,
    epoch: Epoch::Database,
    per_database: true,
    majors: Majors::ALL,
    key: &["relid"],
    fallback_key: &["schemaname", "relname"],
    telling: "seq_tup_read",
    about: "Scans, row changes, vacuum and analyze of each table",
    columns: &[
        id("relid", "OID of the table"),
        label("schemaname", "Schema"),
        label("relname", "Table name"),
        counter("seq_scan", Count, "Sequential scans started, rescans and parallel workers included"),
        time("last_seq_scan", "When the last sequential scan ended").since(16),
        counter("seq_tup_read", Rows, "Live rows that sequential scans returned"),
        sum("idx_scan", Count, "Index scans started, summed over the table's present indexes"),
        time("last_idx_scan", "When the last index scan ended, the latest of the present indexes").since(16),
        sum(
            "idx_tup_fetch",
            Rows,
            "Live rows fetched by index scans: the present indexes' and the table's own bitmap fetches",
        ),
        counter("n_tup_ins", Rows, "Rows inserted, rolled back ones included"),
        counter("n_tup_upd", Rows, "Rows updated, rolled back ones included"),
        counter("n_tup_del", Rows, "Rows deleted, rolled back ones included"),
        counter("n_tup_hot_upd", Rows, "Updates that stayed on their page and touched no index"),
        counter("n_tup_newpage_upd", Rows, "Updates whose new version went to another page").since(16),
        gauge("n_live_tup", Rows, "Estimated live rows"),
        gauge(
            "n_dead_tup",
            Rows,
            "Estimated dead rows; falls by vacuum, by page pruning, by TRUNCATE, and anew at each ANALYZE",
        ),
        self_resetting("n_mod_since_analyze", Rows, "ANALYZE", "Estimated rows changed since the last ANALYZE"),
        self_resetting("n_ins_since_vacuum", Rows, "VACUUM", "Estimated rows inserted since the last VACUUM").since(13),
        time("last_vacuum", "When the table was last vacuumed by hand (VACUUM FULL does not count)"),
        time("last_autovacuum", "When autovacuum last vacuumed the table"),
        time("last_analyze", "When the table was last analyzed by hand"),
        time("last_autoanalyze", "When autovacuum last analyzed the table"),
        counter("vacuum_count", Count, "Vacuums by hand (VACUUM FULL does not count)"),
        counter("autovacuum_count", Count, "Vacuums by autovacuum"),
        counter("analyze_count", Count, "Analyzes by hand"),
        counter("autoanalyze_count", Count, "Analyzes by autovacuum"),
        duration("total_vacuum_time", "Time in vacuums by hand").since(18),
        duration("total_autovacuum_time", "Time in vacuums by autovacuum").since(18),
        duration("total_analyze_time", "Time in analyzes by hand").since(18),
        duration("total_autoanalyze_time", "Time in analyzes by autovacuum").since(18),
    ],
};

/// Blocks of each table, its indexes and its TOAST table, read or found in shared buffers.
pub const PG_STATIO_USER_TABLES: View = View {
    name: "pg_statio_user_tables",
    also: &["pg_statio_all_tables", "pg_statio_sys_tables"],
    origin: Origin::Server,
    shape: Shape::Counters,
    epoch: Epoch::Database,
    per_database: true,
    majors: Majors::ALL,
    key: &["relid"],
    fallback_key: &["schemaname", "relname"],
    telling: "heap_blks_read",
    about: "Blocks of each table, its indexes and its TOAST table, read or found in shared buffers",
    columns: &[
        id("relid", "OID of the table"),
        label("schemaname", "Schema"),
        label("relname", "Table name"),
        counter(
            "heap_blks_read",
            Blocks,
            "Table blocks not found in shared buffers (the operating system may have had them)",
        ),
        counter("heap_blks_hit", Blocks, "Table blocks found in shared buffers"),
        sum("idx_blks_read", Blocks, "Index blocks not found in shared buffers, summed over the present indexes"),
        sum("idx_blks_hit", Blocks, "Index blocks found in shared buffers, summed over the present indexes"),
        counter("toast_blks_read", Blocks, "TOAST table blocks not found in shared buffers"),
        counter("toast_blks_hit", Blocks, "TOAST table blocks found in shared buffers"),
        counter(
            "tidx_blks_read",
            Blocks,
            "TOAST index blocks not found in shared buffers (12 multiplies it by the number of the table's indexes)",
        ),
        counter(
            "tidx_blks_hit",
            Blocks,
            "TOAST index blocks found in shared buffers (12 multiplies it by the number of the table's indexes)",
        ),
    ],
};

/// What the exporting transaction itself did to each table.
pub const PG_STAT_XACT_USER_TABLES: View = View {
    name: "pg_stat_xact_user_tables",
    also: &["pg_stat_xact_all_tables", "pg_stat_xact_sys_tables"],
    origin: Origin::Server,
    shape: Shape::Sample,
    epoch: Epoch::None,
    per_database: true,
    majors: Majors::ALL,
    key: &["relid"],
    fallback_key: &["schemaname", "relname"],
    telling: "seq_tup_read",
    about: "What the exporting transaction itself did to each table",
    columns: &[
        id("relid", "OID of the table"),
        label("schemaname", "Schema"),
        label("relname", "Table name"),
        gauge("seq_scan", Count, "Sequential scans started in this transaction"),
        gauge("seq_tup_read", Rows, "Live rows that its sequential scans returned"),
        gauge("idx_scan", Count, "Index scans started in this transaction"),
        gauge("idx_tup_fetch", Rows, "Live rows its index scans fetched"),
        gauge("n_tup_ins", Rows, "Rows it inserted"),
        gauge("n_tup_upd", Rows, "Rows it updated"),
        gauge("n_tup_del", Rows, "Rows it deleted"),
        gauge("n_tup_hot_upd", Rows, "Its updates that stayed on their page"),
        gauge("n_tup_newpage_upd", Rows, "Its updates whose new version went to another page").since(16),
    ],
};
