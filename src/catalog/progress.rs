//! Long commands under way: pg_stat_progress_*.

use super::{Epoch, Shape, View, duration, gauge, id, label, number, renamed};
use crate::unit::Unit::{Blocks, Bytes, Count, Rows};
use crate::version::Majors;

/// VACUUM under way.
pub const PG_STAT_PROGRESS_VACUUM: View = View {
    name: "pg_stat_progress_vacuum",
    also: &[],
    shape: Shape::Sample,
    epoch: Epoch::None,
    per_database: false,
    majors: Majors::ALL,
    key: &["pid"],
    fallback_key: &[],
    telling: "heap_blks_scanned",
    about: "VACUUM under way",
    columns: &[
        id("pid", "Process id"),
        number("datid", "OID of the database"),
        label("datname", "Database name"),
        number("relid", "OID of the table"),
        label("phase", "Phase"),
        gauge("heap_blks_total", Blocks, "Blocks of the table when the scan began"),
        gauge("heap_blks_scanned", Blocks, "Blocks scanned"),
        gauge("heap_blks_vacuumed", Blocks, "Blocks vacuumed"),
        gauge("index_vacuum_count", Count, "Index vacuum cycles completed"),
        gauge("max_dead_tuples", Rows, "Dead rows the memory can hold before an index cycle").until(16),
        gauge("max_dead_tuple_bytes", Bytes, "Dead row memory available before an index cycle").since(17),
        gauge("dead_tuple_bytes", Bytes, "Dead row memory collected since the last index cycle").since(17),
        gauge("num_dead_item_ids", Rows, "Dead rows collected since the last index cycle").was(&[renamed(
            "num_dead_tuples",
            12,
            16,
        )]),
        gauge("indexes_total", Count, "Indexes to vacuum").since(17),
        gauge("indexes_processed", Count, "Indexes vacuumed").since(17),
        duration("delay_time", "Time slept for the cost limit, with track_cost_delay_timing").since(18),
    ],
};

/// ANALYZE under way.
pub const PG_STAT_PROGRESS_ANALYZE: View = View {
    name: "pg_stat_progress_analyze",
    also: &[],
    shape: Shape::Sample,
    epoch: Epoch::None,
    per_database: false,
    majors: Majors { since: 13, until: None },
    key: &["pid"],
    fallback_key: &[],
    telling: "sample_blks_scanned",
    about: "ANALYZE under way",
    columns: &[
        id("pid", "Process id").since(13),
        number("datid", "OID of the database").since(13),
        label("datname", "Database name").since(13),
        number("relid", "OID of the table").since(13),
        label("phase", "Phase").since(13),
        gauge("sample_blks_total", Blocks, "Blocks to sample").since(13),
        gauge("sample_blks_scanned", Blocks, "Blocks sampled").since(13),
        gauge("ext_stats_total", Count, "Extended statistics to compute").since(13),
        gauge("ext_stats_computed", Count, "Extended statistics computed").since(13),
        gauge("child_tables_total", Count, "Child tables").since(13),
        gauge("child_tables_done", Count, "Child tables done").since(13),
        number("current_child_table_relid", "OID of the child table being scanned").since(13),
        duration("delay_time", "Time slept for the cost limit, with track_cost_delay_timing").since(18),
    ],
};

/// CLUSTER or VACUUM FULL under way.
pub const PG_STAT_PROGRESS_CLUSTER: View = View {
    name: "pg_stat_progress_cluster",
    also: &[],
    shape: Shape::Sample,
    epoch: Epoch::None,
    per_database: false,
    majors: Majors::ALL,
    key: &["pid"],
    fallback_key: &[],
    telling: "heap_blks_scanned",
    about: "CLUSTER or VACUUM FULL under way",
    columns: &[
        id("pid", "Process id"),
        number("datid", "OID of the database"),
        label("datname", "Database name"),
        number("relid", "OID of the table"),
        label("command", "CLUSTER or VACUUM FULL"),
        label("phase", "Phase"),
        number("cluster_index_relid", "OID of the index used, 0 for none"),
        gauge("heap_tuples_scanned", Rows, "Rows scanned"),
        gauge("heap_tuples_written", Rows, "Rows written"),
        gauge("heap_blks_total", Blocks, "Blocks of the table"),
        gauge("heap_blks_scanned", Blocks, "Blocks scanned"),
        gauge("index_rebuild_count", Count, "Indexes rebuilt"),
    ],
};

/// CREATE INDEX or REINDEX under way.
pub const PG_STAT_PROGRESS_CREATE_INDEX: View = View {
    name: "pg_stat_progress_create_index",
    also: &[],
    shape: Shape::Sample,
    epoch: Epoch::None,
    per_database: false,
    majors: Majors::ALL,
    key: &["pid"],
    fallback_key: &[],
    telling: "blocks_done",
    about: "CREATE INDEX or REINDEX under way",
    columns: &[
        id("pid", "Process id"),
        number("datid", "OID of the database"),
        label("datname", "Database name"),
        number("relid", "OID of the table"),
        number("index_relid", "OID of the index"),
        label("command", "Command"),
        label("phase", "Phase"),
        gauge("lockers_total", Count, "Lockers to wait for"),
        gauge("lockers_done", Count, "Lockers waited for"),
        number("current_locker_pid", "Process id waited for"),
        gauge("blocks_total", Blocks, "Blocks to process in the phase"),
        gauge("blocks_done", Blocks, "Blocks processed"),
        gauge("tuples_total", Rows, "Rows to process in the phase"),
        gauge("tuples_done", Rows, "Rows processed"),
        gauge("partitions_total", Count, "Partitions"),
        gauge("partitions_done", Count, "Partitions done"),
    ],
};

/// Base backup under way.
pub const PG_STAT_PROGRESS_BASEBACKUP: View = View {
    name: "pg_stat_progress_basebackup",
    also: &[],
    shape: Shape::Sample,
    epoch: Epoch::None,
    per_database: false,
    majors: Majors { since: 13, until: None },
    key: &["pid"],
    fallback_key: &[],
    telling: "backup_streamed",
    about: "Base backup under way",
    columns: &[
        id("pid", "Process id").since(13),
        label("phase", "Phase").since(13),
        gauge("backup_total", Bytes, "Estimated size").since(13),
        gauge("backup_streamed", Bytes, "Sent so far").since(13),
        gauge("tablespaces_total", Count, "Tablespaces to send").since(13),
        gauge("tablespaces_streamed", Count, "Tablespaces sent").since(13),
    ],
};

/// COPY under way.
pub const PG_STAT_PROGRESS_COPY: View = View {
    name: "pg_stat_progress_copy",
    also: &[],
    shape: Shape::Sample,
    epoch: Epoch::None,
    per_database: false,
    majors: Majors { since: 14, until: None },
    key: &["pid"],
    fallback_key: &[],
    telling: "bytes_processed",
    about: "COPY under way",
    columns: &[
        id("pid", "Process id").since(14),
        number("datid", "OID of the database").since(14),
        label("datname", "Database name").since(14),
        number("relid", "OID of the table, 0 for a query").since(14),
        label("command", "COPY FROM or COPY TO").since(14),
        label("type", "FILE, PROGRAM, PIPE or CALLBACK").since(14),
        gauge("bytes_processed", Bytes, "Bytes processed").since(14),
        gauge("bytes_total", Bytes, "Size of the source file, 0 where unknown").since(14),
        gauge("tuples_processed", Rows, "Rows processed").since(14),
        gauge("tuples_excluded", Rows, "Rows the WHERE clause excluded").since(14),
        gauge("tuples_skipped", Rows, "Rows skipped for errors").since(17),
    ],
};
